/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "type1.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/uapi/vfio-container.h"
#include "backend.h"

#define MAX_ID        INT32_MAX
#define LARGEST_ALIGN (UINT64_C(1) << 21) /* as far as the kernel's own choices are aligned */

struct type1 *li_type1_new(const struct libiommu_sys *sys, const char *path, bool spapr)
{
	const size_t length = strlen(path) + 1;
	struct type1 *const made = malloc(sizeof(*made) + length);

	if (!made)
		return NULL;
	made->sys = sys;
	made->last_id = 0;
	memcpy(made->path, path, length);
	made->spapr = spapr;
	li_spapr_memory_init(&made->memory);
	pthread_mutex_init(&made->lock, NULL);
	li_idmap_init(&made->spaces);
	return made;
}

void li_type1_free(struct type1 *type1)
{
	if (!type1)
		return;
	li_idmap_free(&type1->spaces);
	li_spapr_memory_free(&type1->memory);
	pthread_mutex_destroy(&type1->lock);
	free(type1);
}

struct space *li_type1_space(struct type1 *type1, uint32_t id)
{
	return li_idmap_find(&type1->spaces, id);
}

static void free_space(struct space *space)
{
	li_extents_free(&space->extents);
	pthread_mutex_destroy(&space->lock);
	free(space);
}

static int type1_ioas_alloc(const struct backend *backend, uint32_t *id, struct refusal *refusal)
{
	struct type1 *const type1 = backend->type1;
	struct space *const made = calloc(1, sizeof(*made));
	struct idmap_spare spare;

	if (!made || li_idmap_spare_alloc(&spare)) {
		free(made);
		return li_refuse(refusal, -ENOMEM, "no memory");
	}
	pthread_mutex_init(&made->lock, NULL);
	li_extents_init(&made->extents);
	pthread_mutex_lock(&type1->lock);
	do
		type1->last_id = type1->last_id < MAX_ID ? type1->last_id + 1 : 1;
	while (li_idmap_insert(&type1->spaces, type1->last_id, made, &spare));
	*id = made->id = type1->last_id;
	pthread_mutex_unlock(&type1->lock);
	li_idmap_spare_free(&spare);
	return 0;
}

/*
 * Nothing is attached. A group may be in the container all the same, if a device of it is open and
 * could not leave.
 */
static int type1_ioas_destroy(const struct backend *backend, uint32_t id, struct refusal *refusal)
{
	struct type1 *const type1 = backend->type1;
	struct space *const space = li_type1_space(type1, id);
	struct container *container;
	int error = 0;

	pthread_mutex_lock(&type1->lock);
	container = space->container;
	if (container)
		error = li_container_unmap(container, space->extents.all, space->extents.count,
		                           refusal);
	if (!error) {
		if (container)
			container->space = NULL;
		li_idmap_remove(&type1->spaces, id, space);
		free_space(space);
	}
	pthread_mutex_unlock(&type1->lock);
	return error;
}

/* Larger pieces at larger multiples, so that they can be large pages. */
static uint64_t choose_alignment(uint64_t length, uint64_t least)
{
	uint64_t alignment = LARGEST_ALIGN;

	while (alignment > length && alignment > least)
		alignment /= 2;
	return alignment > least ? alignment : least;
}

static int place(struct space *space, uint64_t length, uint64_t *iova, struct refusal *refusal)
{
	static const struct libiommu_iova_range all = {0, UINT64_MAX};
	struct container *const container = space->container;
	const bool known = container && !container->unsafe;
	const uint64_t alignment = choose_alignment(length, li_type1_alignment(space));
	int error;

	if (li_extents_place(&space->extents, known ? container->ranges : &all,
	                     known ? container->count : 1, length, alignment, iova))
		return 0;
	if (known && container->ops->grow) {
		error = container->ops->grow(container, length, refusal);
		if (error)
			return error;
		if (li_extents_place(&space->extents, container->ranges, container->count, length,
		                     alignment, iova))
			return 0;
	}
	return li_refuse(refusal, -ENOSPC,
	                 "no free range of this length is left; see libiommu_ioas_ranges()");
}

/* What the kernel would find out, found out here for an address space that has no container yet. */
static int check(const struct space *space, uint64_t address, uint64_t length, uint64_t iova,
                 struct refusal *refusal)
{
	if (!length || (address | length | iova) & (li_type1_alignment(space) - 1))
		return li_refuse(refusal, -EINVAL,
		                 "address, IOVA and length must be multiples of the page size, and "
		                 "the length not 0");
	if (address > UINT64_MAX - (length - 1) || iova > UINT64_MAX - (length - 1))
		return li_refuse(refusal, -EOVERFLOW, "the range wraps around");
	return 0;
}

static int map(struct space *space, void *address, uint64_t length, uint32_t flags, bool fixed,
               uint64_t *iova, struct refusal *refusal)
{
	struct extent extent = {.memory = (uintptr_t)address, .flags = flags};
	uint64_t first = fixed ? *iova : 0;
	size_t from, to;
	int error;

	if (space->container && space->container->unsafe)
		return li_refuse(refusal, -EOPNOTSUPP,
		                 "there is no IOMMU behind what is attached: its addresses are the "
		                 "machine's own");
	error = check(space, extent.memory, length, first, refusal);
	if (!error && !fixed)
		error = place(space, length, &first, refusal);
	if (error)
		return error;
	extent.first = first;
	extent.last = first + length - 1;
	li_extents_find(&space->extents, extent.first, extent.last, &from, &to);
	if (from != to)
		return li_refuse(refusal, -EEXIST, "something is mapped in the range already");
	if (li_extents_reserve(&space->extents))
		return li_refuse(refusal, -ENOMEM, "no memory");
	if (space->container)
		error = li_container_map(space->container, &extent, refusal);
	if (error)
		return error;
	li_extents_add(&space->extents, &extent);
	*iova = first;
	return 0;
}

static int type1_map(const struct backend *backend, uint32_t ioas, void *address, uint64_t length,
                     uint32_t flags, bool fixed, uint64_t *iova, struct refusal *refusal)
{
	struct space *const space = li_type1_space(backend->type1, ioas);
	int error;

	pthread_mutex_lock(&space->lock);
	error = map(space, address, length, flags, fixed, iova, refusal);
	if (error == -ENOSPC) {
		refusal->detail.amount = space->extents.count;
		refusal->detail.unit = "mappings are in it";
	}
	pthread_mutex_unlock(&space->lock);
	return error;
}

static int unmap(struct space *space, uint64_t first, uint64_t last, uint64_t *length,
                 struct refusal *refusal)
{
	struct extents *const extents = &space->extents;
	const bool everything = !first && last == UINT64_MAX;
	size_t from, to;
	int error = 0;

	li_extents_find(extents, first, last, &from, &to);
	if (from == to && !everything)
		return li_refuse(refusal, -ENOENT, "nothing is mapped there");
	if (from != to && (extents->all[from].first < first || extents->all[to - 1].last > last))
		return li_refuse(refusal, -ENOENT,
		                 "the range cuts a mapping in two: whole mappings only");
	if (from != to && space->container)
		error = everything && li_container_can_unmap_all(space->container)
		                ? li_container_unmap_all(space->container, refusal)
		                : li_container_unmap(space->container, &extents->all[from],
		                                     to - from, refusal);
	if (!error)
		*length = li_extents_remove(extents, from, to);
	return error;
}

static int type1_unmap(const struct backend *backend, uint32_t ioas, uint64_t iova,
                       uint64_t *length, struct refusal *refusal)
{
	struct space *const space = li_type1_space(backend->type1, ioas);
	const bool everything = !iova && *length == UINT64_MAX;
	int error;

	pthread_mutex_lock(&space->lock);
	error = unmap(space, iova, everything ? UINT64_MAX : iova + *length - 1, length, refusal);
	pthread_mutex_unlock(&space->lock);
	return error;
}

static int type1_ranges(const struct backend *backend, uint32_t ioas,
                        struct libiommu_iova_range *ranges, uint32_t *count, uint64_t *alignment,
                        struct refusal *refusal)
{
	static const struct libiommu_iova_range all = {0, UINT64_MAX};
	struct space *const space = li_type1_space(backend->type1, ioas);
	const struct libiommu_iova_range *known = &all;
	const uint32_t room = *count;
	int error = 0;

	pthread_mutex_lock(&space->lock);
	*count = 1;
	if (space->container && !space->container->unsafe) {
		error = li_container_read(space->container, refusal);
		known = space->container->ranges;
		*count = space->container->count;
	}
	if (!error && *count > room)
		error = -EMSGSIZE;
	if (!error)
		memcpy(ranges, known, *count * sizeof(*ranges));
	*alignment = li_type1_alignment(space);
	pthread_mutex_unlock(&space->lock);
	return error;
}

static int type1_attach(const struct backend *backend, const struct backend_device *device,
                        uint32_t *pt_id, struct refusal *refusal)
{
	return li_type1_attach(backend->type1, device->legacy, *pt_id, refusal);
}

static int type1_detach(const struct backend *backend, const struct backend_device *device,
                        struct refusal *refusal)
{
	return li_type1_detach(backend->type1, device->legacy, refusal);
}

const struct backend_ops li_backend_type1 = {
	.ioas_alloc = type1_ioas_alloc,
	.ioas_destroy = type1_ioas_destroy,
	.map = type1_map,
	.unmap = type1_unmap,
	.ranges = type1_ranges,
	.attach = type1_attach,
	.detach = type1_detach,
};
