/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a program can ask of the container behind an address space, and of no other backend. */
#include <errno.h>

#include "../base/uapi/vfio-container.h"
#include "type1.h"

uint64_t li_type1_alignment(const struct space *space)
{
	return space->container ? space->container->alignment : li_sys_page_size();
}

int li_type1_find_whole(const struct space *space, uint64_t iova, uint64_t length, size_t *from,
                        size_t *to, struct refusal *refusal)
{
	const struct extents *const extents = &space->extents;
	const uint64_t last = iova + length - 1;
	uint64_t next = iova;

	li_extents_find(extents, iova, last, from, to);
	if (*from != *to && (extents->all[*from].first < iova || extents->all[*to - 1].last > last))
		return li_refuse(refusal, -EINVAL,
		                 "the range cuts a mapping in two: whole mappings only");
	for (size_t i = *from; i < *to && extents->all[i].first == next; i++)
		next = extents->all[i].last + 1;
	if (next != last + 1)
		return li_refuse(refusal, -ENOENT, "a part of the range is not mapped");
	return 0;
}

int li_type1_extension(const struct backend *backend, uint32_t id, uint32_t extension)
{
	struct space *const space = li_type1_space(backend->type1, id);
	int result;

	pthread_mutex_lock(&space->lock);
	result = li_container_extension(
		backend->sys, space->container ? space->container->fd : backend->fd, extension);
	pthread_mutex_unlock(&space->lock);
	return result;
}

int li_type1_mappings_left(struct type1 *type1, uint32_t id, uint32_t *left,
                           struct refusal *refusal)
{
	struct space *const space = li_type1_space(type1, id);
	int error = 0;

	pthread_mutex_lock(&space->lock);
	if (space->container)
		error = li_container_read(space->container, refusal);
	if (!error && !(space->container && space->container->tells_left))
		error = li_refuse(refusal, -ENODATA,
		                  "nothing is attached, or the kernel does not tell");
	if (!error)
		*left = space->container->left;
	pthread_mutex_unlock(&space->lock);
	return error;
}

static int forget(struct space *space, uint64_t iova, uint64_t length, struct refusal *refusal)
{
	const bool everything = !iova && length == UINT64_MAX;
	struct extents *const extents = &space->extents;
	size_t from = 0, to = extents->count;
	int error = 0;

	if (!everything)
		error = li_type1_find_whole(space, iova, length, &from, &to, refusal);
	if (error)
		return error;
	for (size_t i = from; i < to; i++)
		if (extents->all[i].flags & EXTENT_FORGOTTEN)
			return li_refuse(refusal, -EALREADY, "a part of it is forgotten already");
	if (space->container && !li_container_can_forget(space->container))
		return li_refuse(refusal, -EOPNOTSUPP,
		                 "this container cannot do it: the kernel is older than 5.12, or a "
		                 "mediated device is in it");
	if (space->container && from != to)
		error = li_container_forget(
			space->container,
			everything ? NULL : &(const struct extent){iova, iova + length - 1, 0, 0},
			refusal);
	for (size_t i = from; i < to && !error; i++)
		extents->all[i].flags |= EXTENT_FORGOTTEN;
	return error;
}

int li_type1_forget(struct type1 *type1, uint32_t id, uint64_t iova, uint64_t length,
                    struct refusal *refusal)
{
	struct space *const space = li_type1_space(type1, id);
	int error;

	pthread_mutex_lock(&space->lock);
	error = forget(space, iova, length, refusal);
	pthread_mutex_unlock(&space->lock);
	return error;
}

static int renew(struct space *space, const struct extent *what, struct refusal *refusal)
{
	struct extent *found;
	size_t from, to;
	int error = 0;

	li_extents_find(&space->extents, what->first, what->last, &from, &to);
	found = &space->extents.all[from];
	if (to - from != 1 || found->first != what->first || found->last != what->last)
		return li_refuse(refusal, -ENOENT, "it is not one mapping, and the whole of it");
	if (!(found->flags & EXTENT_FORGOTTEN))
		return li_refuse(refusal, -EINVAL, "it is not forgotten");
	if (space->container)
		error = li_container_renew(space->container, found, what->memory, refusal);
	if (error)
		return error;
	found->memory = what->memory;
	found->flags &= ~EXTENT_FORGOTTEN;
	return 0;
}

int li_type1_renew(struct type1 *type1, uint32_t id, const struct extent *extent,
                   struct refusal *refusal)
{
	struct space *const space = li_type1_space(type1, id);
	int error;

	pthread_mutex_lock(&space->lock);
	error = renew(space, extent, refusal);
	pthread_mutex_unlock(&space->lock);
	return error;
}
