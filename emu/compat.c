/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "compat.h"

#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "../lib/base/uapi/vfio-container.h"
#include "account.h"
#include "area.h"
#include "compat-info.h"
#include "map.h"

int emu_compat_create(struct emu_ctx *ctx)
{
	if (ctx->noiommu)
		return -EINVAL;
	return ctx->vfio_ioas ? 0 : emu_ioas_new(ctx, &ctx->vfio_ioas);
}

int emu_compat_set_noiommu(struct emu_ctx *ctx)
{
	if (ctx->vfio_ioas)
		return -EINVAL;
	ctx->noiommu = true;
	return 0;
}

static int vfio_ioas_get(struct emu_call *call)
{
	struct uapi_vfio_ioas *const cmd = call->cmd;

	if (!call->ctx->vfio_ioas)
		return -ENODEV;
	cmd->ioas_id = call->ctx->vfio_ioas->object.id;
	return emu_call_respond(call);
}

static int vfio_ioas_set(struct emu_call *call)
{
	const struct uapi_vfio_ioas *const cmd = call->cmd;
	struct emu_ioas *const ioas = emu_ioas_find(call->ctx, cmd->ioas_id);

	if (!ioas)
		return -ENOENT;
	call->ctx->vfio_ioas = ioas;
	return 0;
}

int emu_vfio_ioas(struct emu_call *call)
{
	const struct uapi_vfio_ioas *const cmd = call->cmd;

	if (cmd->reserved)
		return -EOPNOTSUPP;
	switch (cmd->op) {
	case UAPI_VFIO_IOAS_GET:
		return vfio_ioas_get(call);
	case UAPI_VFIO_IOAS_SET:
		return vfio_ioas_set(call);
	case UAPI_VFIO_IOAS_CLEAR:
		call->ctx->vfio_ioas = NULL;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int set_iommu(struct emu_ctx *ctx, const struct emu_task *task, uintptr_t type)
{
	if (type == UAPI_VFIO_NOIOMMU_IOMMU && ctx->noiommu)
		return emu_task_is_root(task) ? 0 : -EPERM;
	if ((type != UAPI_VFIO_TYPE1_IOMMU && type != UAPI_VFIO_TYPE1v2_IOMMU) || ctx->noiommu)
		return -EINVAL;
	if (!ctx->vfio_ioas)
		return -ENODEV;
	/* The first type cuts mappings. */
	return type == UAPI_VFIO_TYPE1_IOMMU ? emu_ioas_set_small_pages(ctx->vfio_ioas) : 0;
}

/* Whether DMA of all devices is coherent with caches, whatever a driver does. */
static int is_coherent(const struct emu_ctx *ctx)
{
	if (!ctx->vfio_ioas)
		return -ENODEV;
	for (size_t i = 0; i < ctx->vfio_ioas->domain_count; i++)
		if (!ctx->vfio_ioas->domains[i]->coherent)
			return 0;
	return 1;
}

static int check_extension(const struct emu_ctx *ctx, uintptr_t type)
{
	switch (type) {
	case UAPI_VFIO_TYPE1_IOMMU:
	case UAPI_VFIO_TYPE1v2_IOMMU:
	case UAPI_VFIO_UNMAP_ALL:
		return !ctx->noiommu;
	case UAPI_VFIO_NOIOMMU_IOMMU:
		return 1;
	case UAPI_VFIO_DMA_CC_IOMMU:
		return is_coherent(ctx);
	default:
		return 0;
	}
}

static int map_dma(struct emu_ctx *ctx, const struct emu_task *task, uintptr_t arg)
{
	struct uapi_vfio_iommu_type1_dma_map map;
	uint64_t iova;

	if (emu_get(task, &map, arg, sizeof(map)))
		return -EFAULT;
	if (map.argsz < sizeof(map) ||
	    map.flags & ~(UAPI_VFIO_DMA_MAP_FLAG_READ | UAPI_VFIO_DMA_MAP_FLAG_WRITE))
		return -EINVAL;
	if (!ctx->vfio_ioas)
		return -ENODEV;
	iova = map.iova;
	return emu_map_process(ctx, task, ctx->vfio_ioas, map.vaddr, map.size, &iova,
	                       (map.flags & UAPI_VFIO_DMA_MAP_FLAG_READ ? EMU_READ : 0) |
	                               (map.flags & UAPI_VFIO_DMA_MAP_FLAG_WRITE ? EMU_WRITE : 0),
	                       false);
}

/* Mappings that the range cuts are cut there. */
static int cut(struct emu_ioas *ioas, uint64_t iova, uint64_t size)
{
	const uint64_t ends[] = {iova + size - 1, iova - 1};
	struct emu_area *area;
	int error = 0;

	for (unsigned int i = 0; i < (iova ? 2 : 1) && !error; i++) {
		area = emu_area_at(ioas, ends[i], ends[i]);
		if (area)
			error = emu_area_split(area, ends[i]);
	}
	return error;
}

static int unmap(struct emu_ctx *ctx, const struct emu_task *task, uintptr_t arg,
                 struct uapi_vfio_iommu_type1_dma_unmap *cmd)
{
	struct emu_ioas *const ioas = ctx->vfio_ioas;
	uint64_t unmapped = 0;
	int error = 0;

	if (cmd->flags & UAPI_VFIO_DMA_UNMAP_FLAG_ALL) {
		if (cmd->iova || cmd->size)
			return -EINVAL;
		error = emu_unmap_range(ioas, 0, UINT64_MAX, &unmapped);
	} else {
		if (!emu_ioas_huge(ioas))
			error = cut(ioas, cmd->iova, cmd->size);
		if (error)
			return error;
		error = emu_unmap_iova(ioas, cmd->iova, cmd->size, &unmapped);
	}
	cmd->size = unmapped;
	return emu_put(task, arg, cmd, sizeof(*cmd)) ? -EFAULT : error;
}

static int unmap_dma(struct emu_ctx *ctx, const struct emu_task *task, uintptr_t arg)
{
	struct uapi_vfio_iommu_type1_dma_unmap cmd;

	if (emu_get(task, &cmd, arg, sizeof(cmd)))
		return -EFAULT;
	if (cmd.argsz < sizeof(cmd) || cmd.flags & ~UAPI_VFIO_DMA_UNMAP_FLAG_ALL)
		return -EINVAL;
	return ctx->vfio_ioas ? unmap(ctx, task, arg, &cmd) : -ENODEV;
}

int emu_compat_ioctl(struct emu_ctx *ctx, const struct emu_task *task, unsigned long request,
                     uintptr_t arg)
{
	switch (request) {
	case UAPI_IOC_VFIO_GET_API_VERSION:
		return UAPI_VFIO_API_VERSION;
	case UAPI_IOC_VFIO_SET_IOMMU:
		return set_iommu(ctx, task, arg);
	case UAPI_IOC_VFIO_CHECK_EXTENSION:
		return check_extension(ctx, arg);
	case UAPI_IOC_VFIO_IOMMU_GET_INFO:
		return emu_compat_info(ctx, task, arg);
	case UAPI_IOC_VFIO_IOMMU_MAP_DMA:
		return map_dma(ctx, task, arg);
	case UAPI_IOC_VFIO_IOMMU_UNMAP_DMA:
		return unmap_dma(ctx, task, arg);
	default:
		return -ENOTTY;
	}
}
