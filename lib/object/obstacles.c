/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "obstacles.h"

#include <errno.h>
#include <stdlib.h>

/* A node is its obstacle's first part. */
#define FROM_NODE(n) ((struct obstacle *)(void *)(n))
_Static_assert(!offsetof(struct obstacle, node), "a node begins its obstacle");

struct obstacles *li_obstacles_new(void)
{
	struct obstacles *const obstacles = calloc(1, sizeof(*obstacles));

	if (obstacles)
		pthread_mutex_init(&obstacles->lock, NULL);
	return obstacles;
}

static int compare(const struct tree_node *a, const struct tree_node *b)
{
	const struct obstacle *const one = (const void *)a;
	const struct obstacle *const other = (const void *)b;

	if (one->ioas != other->ioas)
		return one->ioas < other->ioas ? -1 : 1;
	return one->iova < other->iova ? -1 : one->iova > other->iova;
}

static void forget(struct obstacles *obstacles, struct obstacle *obstacle)
{
	li_tree_remove(&obstacles->tree, &obstacle->node);
	obstacles->count--;
	obstacles->bytes -= obstacle->length;
	free(obstacle);
}

void li_obstacles_free(struct obstacles *obstacles)
{
	if (!obstacles)
		return;
	while (obstacles->tree.root)
		forget(obstacles, FROM_NODE(obstacles->tree.root));
	pthread_mutex_destroy(&obstacles->lock);
	free(obstacles);
}

static void free_list(struct obstacle *list)
{
	while (list) {
		struct obstacle *const next = list->next;

		free(list);
		list = next;
	}
}

static struct obstacle *copy_of(const struct obstacle *like)
{
	struct obstacle *const copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *like;
	return copy;
}

int li_obstacles_begin(struct obstacles *obstacles, const struct obstacle *like,
                       struct obstacle **made)
{
	*made = copy_of(like);
	if (!*made)
		return -ENOMEM;
	pthread_mutex_lock(&obstacles->lock);
	return 0;
}

/* The first one of an address space that does not end before @iova; NULL for none. */
static struct obstacle *find(const struct obstacles *obstacles, uint32_t ioas, uint64_t iova)
{
	struct tree_node *node = obstacles->tree.root;
	struct obstacle *found = NULL;

	while (node) {
		struct obstacle *const at = FROM_NODE(node);
		const bool before =
			at->ioas < ioas || (at->ioas == ioas && at->iova + (at->length - 1) < iova);

		if (!before)
			found = at;
		node = node->child[before];
	}
	return found && found->ioas == ioas ? found : NULL;
}

static struct obstacle *next(const struct obstacle *obstacle)
{
	struct tree_node *const node = li_tree_next(&obstacle->node);

	return node && FROM_NODE(node)->ioas == obstacle->ioas ? FROM_NODE(node) : NULL;
}

/* What @part has in common with a range, at an IOVA from the range's beginning on. */
static struct obstacle cut(const struct obstacle *part, uint64_t first, uint64_t last)
{
	const uint64_t part_last = part->iova + (part->length - 1);
	const uint64_t from = part->iova > first ? part->iova : first;
	const uint64_t to = part_last < last ? part_last : last;
	struct obstacle copy = *part;

	copy.iova = from - first;
	copy.length = to - from + 1;
	if (copy.address)
		copy.address = (char *)copy.address + (from - part->iova);
	return copy;
}

int li_obstacles_begin_copy(struct obstacles *obstacles, uint32_t from, uint64_t iova,
                            uint64_t length, struct obstacle **made)
{
	const uint64_t last = iova + (length - 1);
	struct obstacle *part, *copy, like;

	*made = NULL;
	if (!obstacles)
		return 0;
	pthread_mutex_lock(&obstacles->lock);
	/* What wraps around the kernel refuses. */
	part = length && last >= iova ? find(obstacles, from, iova) : NULL;
	for (; part && part->iova <= last; part = next(part)) {
		like = cut(part, iova, last);
		like.next = *made;
		copy = copy_of(&like);
		if (!copy) {
			pthread_mutex_unlock(&obstacles->lock);
			free_list(*made);
			return -ENOMEM;
		}
		*made = copy;
	}
	return 0;
}

void li_obstacles_end(struct obstacles *obstacles, struct obstacle *made, bool mapped,
                      uint32_t ioas, uint64_t iova)
{
	while (mapped && made) {
		struct obstacle *const next_made = made->next;

		made->ioas = ioas;
		made->iova += iova;
		li_tree_insert(&obstacles->tree, &made->node, compare);
		obstacles->count++;
		obstacles->bytes += made->length;
		made = next_made;
	}
	pthread_mutex_unlock(&obstacles->lock);
	free_list(made);
}

uint64_t li_obstacles_forget(struct obstacles *obstacles, uint32_t ioas, uint64_t first,
                             uint64_t last)
{
	struct obstacle *at, *following;
	uint64_t bytes = 0;

	for (at = find(obstacles, ioas, first); at && at->iova <= last; at = following) {
		following = next(at);
		bytes += at->length;
		forget(obstacles, at);
	}
	return bytes;
}

uint64_t li_obstacles_sum(const struct obstacle *made)
{
	uint64_t bytes = 0;

	for (; made; made = made->next)
		bytes += made->length;
	return bytes;
}

uint64_t li_obstacles_of(struct obstacles *obstacles, uint32_t ioas)
{
	const struct obstacle *at;
	uint64_t bytes = 0;

	if (!obstacles)
		return 0;
	for (at = find(obstacles, ioas, 0); at; at = next(at))
		bytes += at->length;
	return bytes;
}
