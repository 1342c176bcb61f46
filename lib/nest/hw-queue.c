/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "hw-queue.h"

#include <errno.h>
#include <stdlib.h>

#include "../base/uapi/iommufd.h"
#include "viommu.h"

_Static_assert(LIBIOMMU_HW_QUEUE_DEFAULT == UAPI_HW_QUEUE_TYPE_DEFAULT &&
                       LIBIOMMU_HW_QUEUE_TEGRA241_CMDQV == UAPI_HW_QUEUE_TYPE_TEGRA241_CMDQV,
               "types are passed on as they are");

struct libiommu_hw_queue {
	struct libiommu_viommu *viommu;
	uint32_t id;
};

/* The kernel has it. */
static void come_up(struct libiommu_hw_queue *queue, struct libiommu_viommu *viommu, uint32_t id)
{
	queue->viommu = viommu;
	queue->id = id;
	li_viommu_pin(viommu);
	li_ctx_count(li_viommu_ctx(viommu), LIBIOMMU_OBJECT_HW_QUEUE, 1);
}

int libiommu_hw_queue_alloc(struct libiommu_viommu *viommu, uint32_t type, uint32_t index,
                            uint64_t address, uint64_t length, struct libiommu_hw_queue **queue)
{
	struct uapi_hw_queue_alloc cmd = {
		.size = sizeof(cmd),
		.type = type,
		.index = index,
		.nesting_parent_iova = address,
		.length = length,
	};
	struct libiommu_hw_queue *made;
	struct libiommu_ctx *ctx;
	int error;

	if (!viommu || !queue)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	ctx = li_viommu_ctx(viommu);
	cmd.viommu_id = li_viommu_id(viommu);
	made = malloc(sizeof(*made));
	if (!made)
		return FAIL_MEMORY(ctx);
	error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_HW_QUEUE_ALLOC, &cmd);
	if (error) {
		free(made);
		return FAIL_KERNEL(ctx, __func__, error, CALL_HW_QUEUE, .id = cmd.viommu_id,
		                   .start = address, .length = length);
	}
	come_up(made, viommu, cmd.out_hw_queue_id);
	*queue = made;
	return 0;
}

int li_hw_queue_restore(struct libiommu_viommu *viommu, uint32_t id,
                        struct libiommu_hw_queue **queue)
{
	struct libiommu_hw_queue *const made = malloc(sizeof(*made));

	if (!made)
		return -ENOMEM;
	come_up(made, viommu, id);
	*queue = made;
	return 0;
}

struct libiommu_viommu *li_hw_queue_viommu(const struct libiommu_hw_queue *queue)
{
	return queue->viommu;
}

int libiommu_hw_queue_destroy(struct libiommu_hw_queue *queue)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd)};
	struct libiommu_ctx *ctx;
	int error;

	if (!queue)
		return 0;
	ctx = li_viommu_ctx(queue->viommu);
	cmd.id = queue->id;
	error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_DESTROY, &cmd);
	if (error)
		return FAIL_KERNEL(ctx, __func__, error, CALL_DESTROY, .id = queue->id);
	li_viommu_unpin(queue->viommu);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_HW_QUEUE, -1);
	free(queue);
	return 0;
}

int libiommu_hw_queue_id(const struct libiommu_hw_queue *queue, uint32_t *id)
{
	if (!queue || !id)
		return FAIL_NULL(queue ? li_viommu_ctx(queue->viommu) : NULL);
	*id = queue->id;
	return 0;
}
