/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Which pages of an address space were written, where a container is all there is to ask. The
 * kernel wants whole mappings and the smallest page size, and has one record for a container, which
 * is gone with the group that is detached: until it is read, all that could be written then counts
 * as written.
 */
#include <errno.h>
#include <stdlib.h>

#include "type1.h"

#define WORD 64

static const char *const cannot = "no container of this kernel, or of this IOMMU, can do it";

int li_type1_check_tracking(struct type1 *type1, const struct type1_device *dev,
                            struct refusal *refusal)
{
	struct container *container;
	int error = 0;

	pthread_mutex_lock(&type1->lock);
	container = dev->group->container;
	if (container->space)
		pthread_mutex_lock(&container->space->lock);
	error = li_container_read(container, refusal);
	if (!error && !li_container_can_track(container))
		error = li_refuse(refusal, -EOPNOTSUPP, cannot);
	if (container->space)
		pthread_mutex_unlock(&container->space->lock);
	pthread_mutex_unlock(&type1->lock);
	return error;
}

static void mark(struct space *space, uint32_t set, uint32_t clear)
{
	for (size_t i = 0; i < space->extents.count; i++) {
		space->extents.all[i].flags |= set;
		space->extents.all[i].flags &= ~clear;
	}
}

void li_type1_bits_are_lost(struct space *space)
{
	if (space->tracking)
		mark(space, EXTENT_WRITTEN, 0);
}

int li_type1_track(struct type1 *type1, uint32_t id, bool enable, struct refusal *refusal)
{
	struct space *const space = li_type1_space(type1, id);
	int error = 0;

	pthread_mutex_lock(&space->lock);
	if (enable && space->tracking)
		error = li_refuse(refusal, -EBUSY,
		                  "it is recorded already, for another handle of its page table");
	else if (space->container && !li_container_can_track(space->container))
		error = li_refuse(refusal, -EOPNOTSUPP, cannot);
	else if (space->container)
		error = li_container_track(space->container, enable, refusal);
	if (!error) {
		space->tracking = enable;
		mark(space, 0, EXTENT_WRITTEN);
	}
	pthread_mutex_unlock(&space->lock);
	return error;
}

/* From page @first on, @count of them, each of @size bytes. */
static void set_bits(struct type1_reading *reading, uint64_t first, uint64_t count, uint64_t size)
{
	const uint64_t from = first * size / reading->page_size;
	const uint64_t to = ((first + count) * size - 1) / reading->page_size;

	for (uint64_t i = from; i <= to; i++)
		reading->bitmap[i / WORD] |= UINT64_C(1) << i % WORD;
}

static void add_bits(struct type1_reading *reading, const struct extent *extent,
                     const uint64_t *bits, uint64_t size)
{
	const uint64_t first = (extent->first - reading->iova) / size;
	const uint64_t count = (extent->last - extent->first + 1) / size;

	if (extent->flags & EXTENT_WRITTEN && extent->flags & LIBIOMMU_MAP_WRITE) {
		set_bits(reading, first, count, size);
		return;
	}
	for (uint64_t i = 0; i < count; i++)
		if (bits[i / WORD] >> i % WORD & 1)
			set_bits(reading, first + i, 1, size);
}

/* With its bits read, or unmapped. */
static int read_extent(struct space *space, struct extent *extent, struct type1_reading *reading,
                       struct refusal *refusal)
{
	const struct container *const container = space->container;
	const uint64_t size = li_type1_alignment(space);
	const uint64_t pages = (extent->last - extent->first + 1) / size;
	uint64_t *bits;
	int error = 0;

	bits = calloc(pages / WORD + 1, sizeof(*bits));
	if (!bits)
		return li_refuse(refusal, -ENOMEM, "no memory");
	if (container)
		error = reading->unmap ? li_container_unmap_dirty(container, extent, bits, refusal)
		                       : li_container_read_dirty(container, extent, bits, refusal);
	if (!error) {
		add_bits(reading, extent, bits, size);
		extent->flags &= ~EXTENT_WRITTEN;
		reading->done += extent->last - extent->first + 1;
	}
	free(bits);
	return error;
}

static int read_extents(struct space *space, struct type1_reading *reading, struct refusal *refusal)
{
	struct extents *const extents = &space->extents;
	size_t from, to, i;
	int error;

	if (!space->tracking)
		return li_refuse(refusal, -ENODATA,
		                 "dirty tracking is off (libiommu_hwpt_set_dirty_tracking())");
	error = li_type1_find_whole(space, reading->iova, reading->length, &from, &to, refusal);
	for (i = from; !error && i < to; i++)
		error = read_extent(space, &extents->all[i], reading, refusal);
	if (reading->unmap)
		li_extents_remove(extents, from, error && i > from ? i - 1 : i);
	return error;
}

int li_type1_read_dirty(struct type1 *type1, uint32_t id, struct type1_reading *reading,
                        struct refusal *refusal)
{
	struct space *const space = li_type1_space(type1, id);
	int error;

	pthread_mutex_lock(&space->lock);
	error = read_extents(space, reading, refusal);
	pthread_mutex_unlock(&space->lock);
	return error;
}
