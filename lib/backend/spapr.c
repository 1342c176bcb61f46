/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "spapr.h"

#include <errno.h>
#include <stdlib.h>

#include "../base/uapi/vfio-container.h"

#define WINDOWS 2 /* the one below 4 GiB, and the one that can be made */

void li_spapr_memory_init(struct spapr_memory *memory)
{
	pthread_mutex_init(&memory->lock, NULL);
	li_extents_init(&memory->regions);
}

void li_spapr_memory_free(struct spapr_memory *memory)
{
	li_extents_free(&memory->regions);
	pthread_mutex_destroy(&memory->lock);
}

static struct extent *region_at(const struct extents *regions, uint64_t address)
{
	size_t from, to;

	li_extents_find(regions, address, address, &from, &to);
	return from == to ? NULL : &regions->all[from];
}

/* One user more, the first with the region. There is room for it. */
static void count_up(struct extents *regions, uint64_t first, uint64_t last)
{
	struct extent *const found = region_at(regions, first);

	if (found)
		found->memory++;
	else
		li_extents_add(regions, &(const struct extent){first, last, 1, 0});
}

static void remove_region(struct extents *regions, uint64_t first)
{
	size_t from, to;

	li_extents_find(regions, first, first, &from, &to);
	li_extents_remove(regions, from, to);
}

static void count_down(struct extents *regions, uint64_t first)
{
	if (!--region_at(regions, first)->memory)
		remove_region(regions, first);
}

static int ask_for(const struct container *container, unsigned long request, uint64_t first,
                   uint64_t last)
{
	struct uapi_vfio_iommu_spapr_register_memory cmd = {
		.argsz = sizeof(cmd),
		.vaddr = first,
		.size = last - first + 1,
	};

	return li_sys_ioctl(container->sys, container->fd, request, &cmd);
}

/* The region that @first is in, or a new one up to @last or the next one. Returns where it ends. */
static int hold_one(struct container *container, uint64_t first, uint64_t last, uint64_t *end,
                    struct refusal *refusal)
{
	struct extents *const all = &container->memory->regions;
	const struct extent *known;
	size_t from, to;
	int error;

	li_extents_find(all, first, last, &from, &to);
	known = from == to ? NULL : &all->all[from];
	if (known && known->first <= first) {
		first = known->first;
		last = known->last;
	} else if (known) {
		last = known->first - 1;
	}
	*end = last;
	if (region_at(&container->held, first)) {
		count_up(&container->held, first, last);
		return 0;
	}
	if (li_extents_reserve(all) || li_extents_reserve(&container->held))
		return li_refuse(refusal, -ENOMEM, "no memory");
	error = ask_for(container, UAPI_IOC_VFIO_IOMMU_SPAPR_REGISTER_MEMORY, first, last);
	/* Pages that it had pinned before the one it cannot: it has let go of them again. */
	if (error > 0)
		error = -EFAULT;
	if (error)
		return li_refuse_kernel(refusal, error, CALL_REGISTER_MEMORY);
	count_up(&container->held, first, last);
	count_up(all, first, last);
	return 0;
}

/*
 * Unregister what nothing in the container uses any more. The kernel keeps what another container
 * still has mapped through this region, which only one of another context can: it stays held, with
 * no users, until it is used again or the container closes.
 */
static void release(struct container *container, uint64_t first, uint64_t last)
{
	struct extents *const held = &container->held;
	size_t at, end;

	li_extents_find(held, first, last, &at, &end);
	while (at < end) {
		const struct extent region = held->all[at];

		held->all[at].memory--;
		if (region.memory > 1 ||
		    ask_for(container, UAPI_IOC_VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, region.first,
		            region.last)) {
			at++;
			continue;
		}
		li_extents_remove(held, at, at + 1);
		end--;
		count_down(&container->memory->regions, region.first);
	}
}

static int hold(struct container *container, uint64_t first, uint64_t last, struct refusal *refusal)
{
	uint64_t at = first;
	uint64_t end;
	int error;

	do {
		error = hold_one(container, at, last, &end, refusal);
		if (error) {
			if (at > first)
				release(container, first, at - 1);
			return error;
		}
		at = end + 1;
	} while (end < last);
	return 0;
}

static uint64_t last_byte(const struct extent *extent)
{
	return extent->memory + (extent->last - extent->first);
}

static int spapr_map(struct container *container, const struct extent *extent,
                     struct refusal *refusal)
{
	int error;

	pthread_mutex_lock(&container->memory->lock);
	error = hold(container, extent->memory, last_byte(extent), refusal);
	if (!error) {
		error = li_container_map_dma(container, extent, refusal);
		if (error)
			release(container, extent->memory, last_byte(extent));
	}
	pthread_mutex_unlock(&container->memory->lock);
	return error;
}

/* One by one: the kernel walks through the table, also where nothing is mapped. */
static int spapr_unmap(struct container *container, const struct extent *extents, size_t count,
                       struct refusal *refusal)
{
	int error = 0;

	pthread_mutex_lock(&container->memory->lock);
	for (size_t i = 0; i < count && !error; i++)
		error = li_container_unmap_dma(container, extents[i].first, extents[i].last,
		                               refusal);
	for (size_t i = 0; i < count && !error; i++)
		release(container, extents[i].memory, last_byte(&extents[i]));
	pthread_mutex_unlock(&container->memory->lock);
	return error;
}

static int spapr_read(struct container *container, struct refusal *refusal)
{
	struct uapi_vfio_iommu_spapr_tce_info info = {.argsz = sizeof(info)};
	const int error = li_sys_ioctl(container->sys, container->fd,
	                               UAPI_IOC_VFIO_IOMMU_SPAPR_TCE_GET_INFO, &info);

	if (error)
		return li_refuse_kernel(refusal, error, CALL_RANGES);
	if (!info.dma32_window_size)
		return li_refuse(refusal, -EIO, "the kernel's description contradicts itself");
	if (!container->ranges)
		container->ranges = calloc(WINDOWS, sizeof(*container->ranges));
	if (!container->ranges)
		return li_refuse(refusal, -ENOMEM, "no memory");
	container->ranges[0] = (struct libiommu_iova_range){
		info.dma32_window_start,
		info.dma32_window_start + (uint64_t)info.dma32_window_size - 1};
	container->count = container->grown ? 2 : 1;
	container->page_sizes = info.flags & UAPI_VFIO_IOMMU_SPAPR_INFO_DDW ? info.ddw.pgsizes : 0;
	return 0;
}

/*
 * The largest page that any memory can be mapped with: larger ones take memory of huge pages, and
 * what will be mapped in the window is not known. 0 where the device has no windows to be made.
 */
static uint32_t page_shift(const struct container *container)
{
	uint64_t size = li_sys_page_size();
	uint32_t shift = 0;

	while (size && !(container->page_sizes & size))
		size /= 2;
	while (size > UINT64_C(1) << shift)
		shift++;
	return shift;
}

/* The smallest power of two that holds all the machine's memory, and @length in any case. */
static uint64_t window_size(uint64_t length)
{
	const uint64_t memory = li_sys_memory_size();
	const uint64_t least = length > memory ? length : memory;
	uint64_t size = li_sys_page_size();

	while (size && size < least)
		size *= 2;
	return size;
}

static int create_window(struct container *container, uint32_t shift, uint64_t size)
{
	struct uapi_vfio_iommu_spapr_tce_create cmd = {
		.argsz = sizeof(cmd),
		.page_shift = shift,
		.window_size = size,
		.levels = 1,
	};
	const int error = li_sys_ioctl(container->sys, container->fd,
	                               UAPI_IOC_VFIO_IOMMU_SPAPR_TCE_CREATE, &cmd);

	if (error)
		return error;
	container->ranges[1].start = cmd.start_addr;
	container->ranges[1].last = cmd.start_addr + size - 1;
	container->count = WINDOWS;
	container->grown = true;
	return 0;
}

/* As large as can be, since there is only one: its table may be too large to be had. */
static int spapr_grow(struct container *container, uint64_t length, struct refusal *refusal)
{
	const uint32_t shift = page_shift(container);
	uint64_t size = window_size(length);
	int error;

	if (container->grown || !shift || !size)
		return li_refuse_kernel(refusal, -ENOSPC, CALL_WINDOW);
	do {
		error = create_window(container, shift, size);
		size /= 2;
	} while ((error == -EINVAL || error == -ENOMEM) && size >= length);
	return error ? li_refuse_kernel(refusal, error, CALL_WINDOW) : 0;
}

/* Whoever has the container next chooses its window anew. If the kernel keeps it, so be it. */
static void spapr_reset(struct container *container)
{
	struct uapi_vfio_iommu_spapr_tce_remove cmd = {.argsz = sizeof(cmd)};

	if (!container->grown)
		return;
	cmd.start_addr = container->ranges[1].start;
	if (li_sys_ioctl(container->sys, container->fd, UAPI_IOC_VFIO_IOMMU_SPAPR_TCE_REMOVE, &cmd))
		return;
	container->grown = false;
	container->count = 1;
}

void li_spapr_forget(struct container *container)
{
	struct spapr_memory *const memory = container->memory;

	pthread_mutex_lock(&memory->lock);
	for (size_t i = 0; i < container->held.count; i++)
		count_down(&memory->regions, container->held.all[i].first);
	container->held.count = 0;
	container->grown = false;
	pthread_mutex_unlock(&memory->lock);
}

const struct container_ops li_container_spapr = {
	.kind = UAPI_VFIO_SPAPR_TCE_v2_IOMMU,
	.read = spapr_read,
	.map = spapr_map,
	.unmap = spapr_unmap,
	.grow = spapr_grow,
	.reset = spapr_reset,
};
