/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "compat-info.h"

#include <errno.h>
#include <stddef.h>

#include "../lib/base/uapi/vfio-container.h"
#include "ioas.h"

/* The caller's buffer, filled one capability after the other. */
struct room {
	const struct emu_ioas *ioas;
	const struct emu_task *task;
	uintptr_t start;
	uint64_t size;
	uint64_t used;
	uint64_t last; /* where the last capability is; 0: none yet */
};

static uint64_t page_sizes(const struct emu_ioas *ioas)
{
	uint64_t sizes = UINT64_MAX;

	for (size_t i = 0; i < ioas->domain_count; i++)
		sizes &= ioas->domains[i]->page_sizes;
	/* VFIO never told of smaller pages than the processor's. */
	if (sizes & (EMU_PAGE - 1))
		sizes = (sizes & ~(EMU_PAGE - 1)) | EMU_PAGE;
	return sizes > ioas->alignment ? sizes : ioas->alignment;
}

/* What has no room is only counted. */
static int put(struct room *room, uint64_t at, const void *from, size_t size, uint64_t least)
{
	if (room->size < room->used || room->size - room->used < least)
		return 0;
	return emu_put(room->task, room->start + room->used + at, from, size);
}

/* A capability of @size bytes is there; the one before it leads to it. */
static int end_capability(struct room *room, uint64_t size)
{
	const uint32_t here = (uint32_t)room->used;
	const uintptr_t next =
		room->start + room->last + offsetof(struct uapi_vfio_info_cap_header, next);
	int error = 0;

	if (room->last && room->size >= room->used)
		error = emu_put(room->task, next, &here, sizeof(here));
	room->last = room->used;
	room->used += (size + 7) & ~UINT64_C(7);
	return error;
}

static int tell_available(struct room *room)
{
	const struct uapi_vfio_iommu_type1_info_dma_avail cap = {
		.header = {.id = UAPI_VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, .version = 1},
		.avail = UINT32_MAX,
	};
	const int error = put(room, 0, &cap, sizeof(cap), sizeof(cap));

	return error ? error : end_capability(room, sizeof(cap));
}

static int tell_ranges(struct room *room)
{
	struct uapi_vfio_iommu_type1_info_cap_iova_range cap = {
		.header = {.id = UAPI_VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, .version = 1},
	};
	struct uapi_vfio_iova_range range;
	uint64_t size = sizeof(cap), start, last;
	bool more = emu_ioas_usable(room->ioas, 0, &start, &last);
	int error;

	while (more) {
		range = (struct uapi_vfio_iova_range){.start = start, .end = last};
		error = put(room, size, &range, sizeof(range), size + sizeof(range));
		if (error)
			return error;
		size += sizeof(range);
		cap.nr_iovas++;
		more = last != UINT64_MAX && emu_ioas_usable(room->ioas, last + 1, &start, &last);
	}
	error = put(room, 0, &cap, sizeof(cap), size);
	return error ? error : end_capability(room, size);
}

int emu_compat_info(struct emu_ctx *ctx, const struct emu_task *task, uintptr_t arg)
{
	struct uapi_vfio_iommu_type1_info info = {0};
	const size_t least = offsetof(struct uapi_vfio_iommu_type1_info, cap_offset);
	struct room room = {.task = task, .start = arg, .used = sizeof(info)};
	int error;

	if (emu_get(task, &info, arg, least))
		return -EFAULT;
	if (info.argsz < least)
		return -EINVAL;
	if (!ctx->vfio_ioas)
		return -ENODEV;
	room.ioas = ctx->vfio_ioas;
	room.size = info.argsz;
	error = tell_available(&room);
	if (!error)
		error = tell_ranges(&room);
	if (error)
		return error;
	info.flags = UAPI_VFIO_IOMMU_INFO_PGSIZES | UAPI_VFIO_IOMMU_INFO_CAPS;
	info.iova_pgsizes = page_sizes(ctx->vfio_ioas);
	info.cap_offset = room.size >= room.used ? sizeof(info) : 0;
	info.argsz = (uint32_t)room.used;
	return emu_put(task, arg, &info, room.size < sizeof(info) ? room.size : sizeof(info));
}
