/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Queues of a guest that hardware reads, in memory that stays where it is meanwhile. */
#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "access.h"
#include "heap.h"
#include "viommu.h"

/* The kernel gives nobody an array of 2 GiB. */
#define MOST_PAGES (INT32_MAX / sizeof(emu_phys))

/* The whole pages around the queue. */
struct pages {
	uint64_t iova, length;
};

static struct pages pages_of(const struct emu_hw_queue *queue)
{
	const uint64_t offset = queue->iova % EMU_PAGE;

	return (struct pages){
		.iova = queue->iova - offset,
		.length = (queue->length + offset + EMU_PAGE - 1) / EMU_PAGE * EMU_PAGE,
	};
}

static bool contiguous(const emu_phys *pages, uint64_t length)
{
	for (uint64_t i = 1; i < length / EMU_PAGE; i++)
		if (pages[i] != pages[i - 1] + EMU_PAGE)
			return false;
	return true;
}

static int pin_pages(struct emu_hw_queue *queue, emu_phys *pages, emu_phys *base)
{
	const struct pages whole = pages_of(queue);
	int error = emu_access_attach(queue->access, queue->viommu->parent->ioas);

	if (error)
		return error;
	error = emu_access_pin(queue->access, whole.iova, whole.length, 0, pages);
	if (error)
		return error;
	*base = pages[0] + queue->iova % EMU_PAGE;
	if (contiguous(pages, whole.length))
		return 0;
	emu_access_unpin(queue->access, whole.iova, whole.length);
	return -EFAULT;
}

/* The access has an id of its own, which the caller is not told. */
static int pin(struct emu_hw_queue *queue, emu_phys *base)
{
	const struct pages whole = pages_of(queue);
	emu_phys *pages;
	int error;

	if (whole.length < queue->length)
		return -ERANGE;
	if (whole.length / EMU_PAGE > MOST_PAGES)
		return -ENOMEM;
	pages = emu_alloc(whole.length / EMU_PAGE * sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	error = emu_access_new(queue->object.ctx, NULL, NULL, &queue->access);
	if (!error) {
		error = pin_pages(queue, pages, base);
		if (error) {
			emu_access_free(queue->access);
			queue->access = NULL;
		}
	}
	emu_release(pages);
	return error;
}

static void unpin(struct emu_hw_queue *queue)
{
	const struct pages whole = pages_of(queue);

	emu_access_unpin(queue->access, whole.iova, whole.length);
	emu_access_free(queue->access);
}

static void hw_queue_destroy(struct emu_object *object)
{
	struct emu_hw_queue *const queue = (struct emu_hw_queue *)object;
	struct emu_viommu *const viommu = queue->viommu;

	if (queue->started && viommu->ops->hw_queue_end)
		viommu->ops->hw_queue_end(viommu, queue);
	if (queue->access)
		unpin(queue);
	emu_object_unuse(&viommu->object);
	emu_release(queue);
}

static const struct emu_object_ops hw_queue_ops = {
	.type = EMU_HW_QUEUE,
	.destroy = hw_queue_destroy,
};

static int start(struct emu_call *call, struct emu_hw_queue *queue)
{
	struct uapi_hw_queue_alloc *const cmd = call->cmd;
	struct emu_viommu *const viommu = queue->viommu;
	emu_phys base = EMU_PHYS_NONE;
	int error = pin(queue, &base);

	if (error)
		return error;
	error = viommu->ops->hw_queue(viommu, queue, cmd->index, base, cmd->length);
	if (error)
		return error;
	queue->started = true;
	cmd->out_hw_queue_id = queue->object.id;
	return emu_call_respond(call);
}

static int make(struct emu_call *call, struct emu_viommu *viommu)
{
	const struct uapi_hw_queue_alloc *const cmd = call->cmd;
	struct emu_hw_queue *const queue = emu_alloc(sizeof(*queue));
	int error;

	if (!queue || emu_object_add(call->ctx, &queue->object, &hw_queue_ops)) {
		emu_release(queue);
		return -ENOMEM;
	}
	queue->viommu = viommu;
	emu_object_use(&viommu->object);
	queue->type = cmd->type;
	queue->iova = cmd->nesting_parent_iova;
	queue->length = cmd->length;
	error = start(call, queue);
	if (error)
		emu_object_remove(&queue->object, false);
	return error;
}

int emu_hw_queue_alloc(struct emu_call *call)
{
	const struct uapi_hw_queue_alloc *const cmd = call->cmd;
	struct emu_viommu *viommu;

	if (cmd->flags || cmd->type == UAPI_HW_QUEUE_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	if (!cmd->length)
		return -EINVAL;
	if (cmd->length - 1 > UINT64_MAX - cmd->nesting_parent_iova)
		return -EOVERFLOW;
	viommu = emu_viommu_get(call->ctx, cmd->viommu_id);
	if (!viommu)
		return -ENOENT;
	if (!viommu->ops->hw_queue || !viommu->ops->supports_hw_queue ||
	    !viommu->ops->supports_hw_queue(viommu, cmd->type))
		return -EOPNOTSUPP;
	return make(call, viommu);
}
