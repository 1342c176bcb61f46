/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "hwpt.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../backend/type1.h"
#include "../base/uapi/iommufd.h"
#include "adopt.h"
#include "device.h"
#include "fault-queue.h"
#include "hwpt-config.h"
#include "ioas.h"
#include "slot.h"

struct libiommu_hwpt {
	struct libiommu_ctx *ctx;
	struct hwpt_base base;              /* zero when adopted */
	struct libiommu_fault_queue *queue; /* NULL for none */
	uint32_t id;
	uint32_t data_type;
	bool own;
	atomic_uint_least32_t pins;
	struct hwpt_dirty dirty;
};

static struct libiommu_hwpt *new_handle(struct libiommu_ctx *ctx, uint32_t id, bool own)
{
	struct libiommu_hwpt *const hwpt = malloc(sizeof(*hwpt));

	if (!hwpt)
		return NULL;
	hwpt->ctx = ctx;
	hwpt->base = (struct hwpt_base){0};
	hwpt->queue = NULL;
	hwpt->id = id;
	hwpt->own = own;
	hwpt->data_type = UAPI_HWPT_DATA_NONE;
	atomic_init(&hwpt->pins, 0);
	pthread_rwlock_init(&hwpt->dirty.lock, NULL);
	hwpt->dirty.tracking = TRACKING_UNKNOWN;
	li_ctx_count(ctx, LIBIOMMU_OBJECT_HWPT, 1);
	return hwpt;
}

static void free_handle(struct libiommu_hwpt *hwpt)
{
	if (hwpt->base.count)
		hwpt->base.count(hwpt->base.on, -1);
	li_fault_queue_unpin(hwpt->queue);
	li_ctx_count(hwpt->ctx, LIBIOMMU_OBJECT_HWPT, -1);
	pthread_rwlock_destroy(&hwpt->dirty.lock);
	free(hwpt);
}

/* With the device entered. */
static int ask_kernel(struct libiommu_device *dev, const struct hwpt_base *base,
                      const struct libiommu_hwpt_config *config, uint32_t *id)
{
	struct uapi_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.dev_id = li_device_id(dev),
		.pt_id = base->id,
	};
	int error;

	if (config) {
		cmd.flags = config->flags;
		cmd.data_type = config->data_type;
		cmd.data_len = config->data_length;
		cmd.data_uptr = (uintptr_t)config->data;
	}
	if (config && config->queue) {
		cmd.flags |= UAPI_HWPT_FAULT_ID_VALID;
		cmd.fault_id = li_fault_queue_id(config->queue);
	}
	error = backend_ioctl(li_ctx_backend(li_device_ctx(dev)), UAPI_IOC_HWPT_ALLOC, &cmd);
	if (!error)
		*id = cmd.out_hwpt_id;
	return error;
}

static void count_ioas(void *on, int change)
{
	if (change > 0)
		li_ioas_pin(on);
	else
		li_ioas_unpin(on);
}

static bool is_plain(const struct hwpt_base *base, const struct libiommu_hwpt_config *config)
{
	return base->count == count_ioas &&
	       (!config || (!(config->flags & ~(uint32_t)LIBIOMMU_HWPT_DIRTY_TRACKING) &&
	                    !config->queue && !config->data_type && !config->data_length));
}

/* The one page table that a container has: a handle for it, under the id of the address space. */
static int alloc_legacy(struct libiommu_device *dev, const char *operation,
                        const struct hwpt_base *base, const struct libiommu_hwpt_config *config,
                        struct libiommu_hwpt **hwpt)
{
	const bool tracked = config && config->flags & LIBIOMMU_HWPT_DIRTY_TRACKING;
	struct libiommu_ctx *const ctx = li_device_ctx(dev);
	struct libiommu_hwpt *made;
	struct refusal refusal = {0};
	int error;

	if (!is_plain(base, config))
		return FAIL_LIBRARY(ctx, operation, -EOPNOTSUPP,
		                    "a container has one page table, of which at most what is "
		                    "written can be recorded: this takes iommufd",
		                    .other = base->id);
	error = li_device_enter(dev, operation, DEVICE_BOUND);
	if (error)
		return error;
	if (tracked)
		error = li_type1_check_tracking(li_ctx_backend(ctx)->type1,
		                                li_device_backend(dev).legacy, &refusal);
	li_device_leave(dev);
	if (error)
		return FAIL_REFUSED(ctx, operation, &refusal, .other = base->id);
	made = new_handle(ctx, base->id, false);
	if (!made)
		return FAIL_MEMORY_IN(ctx, operation);
	made->base = *base;
	made->dirty.tracking = tracked ? TRACKING_OFF : TRACKING_NEVER;
	base->count(base->on, 1);
	*hwpt = made;
	return 0;
}

int li_hwpt_alloc(struct libiommu_device *dev, const char *operation, const struct hwpt_base *base,
                  const struct libiommu_hwpt_config *config, struct libiommu_hwpt **hwpt)
{
	struct libiommu_ctx *const ctx = li_device_ctx(dev);
	struct libiommu_hwpt *made;
	int error;

	if (base->ctx != ctx)
		return FAIL_LIBRARY(ctx, operation, -EINVAL,
		                    "the device and what the page table is made on are of "
		                    "different contexts",
		                    .id = li_device_id(dev), .other = base->id);
	if (config && config->queue && li_fault_queue_ctx(config->queue) != ctx)
		return FAIL_LIBRARY(ctx, operation, -EINVAL,
		                    "the device and the fault queue are of different contexts",
		                    .id = li_device_id(dev),
		                    .other = li_fault_queue_id(config->queue));
	if (li_device_is_legacy(dev))
		return alloc_legacy(dev, operation, base, config, hwpt);
	error = li_device_enter(dev, operation, DEVICE_NODE);
	if (error)
		return error;
	made = new_handle(ctx, 0, true);
	if (!made) {
		li_device_leave(dev);
		return FAIL_MEMORY_IN(ctx, operation);
	}
	error = ask_kernel(dev, base, config, &made->id);
	li_device_leave(dev);
	if (error) {
		free_handle(made);
		return FAIL_KERNEL(ctx, operation, error, CALL_HWPT_ALLOC, .id = li_device_id(dev),
		                   .other = base->id);
	}
	made->base = *base;
	made->dirty.tracking = TRACKING_OFF;
	base->count(base->on, 1);
	made->queue = config ? config->queue : NULL;
	li_fault_queue_pin(made->queue);
	made->data_type = config ? config->data_type : UAPI_HWPT_DATA_NONE;
	*hwpt = made;
	return 0;
}

static void count_parent(void *on, int change)
{
	if (change > 0)
		li_hwpt_pin(on);
	else
		li_hwpt_unpin(on);
}

struct hwpt_base li_hwpt_base_ioas(struct libiommu_ioas *ioas)
{
	return (struct hwpt_base){li_ioas_ctx(ioas), li_ioas_id(ioas), ioas, count_ioas};
}

struct hwpt_base li_hwpt_base_parent(struct libiommu_hwpt *parent)
{
	return (struct hwpt_base){parent->ctx, parent->id, parent, count_parent};
}

int libiommu_hwpt_alloc(struct libiommu_device *dev, struct libiommu_ioas *ioas,
                        const struct libiommu_hwpt_config *config, struct libiommu_hwpt **hwpt)
{
	struct hwpt_base base;

	if (!dev || !ioas || !hwpt)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	base = li_hwpt_base_ioas(ioas);
	return li_hwpt_alloc(dev, __func__, &base, config, hwpt);
}

int libiommu_hwpt_alloc_nested(struct libiommu_device *dev, struct libiommu_hwpt *parent,
                               const struct libiommu_hwpt_config *config,
                               struct libiommu_hwpt **hwpt)
{
	struct hwpt_base base;

	if (!dev || !parent || !hwpt)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	base = li_hwpt_base_parent(parent);
	return li_hwpt_alloc(dev, __func__, &base, config, hwpt);
}

int libiommu_hwpt_adopt(struct libiommu_ctx *ctx, uint32_t id, enum libiommu_id_mode mode,
                        struct libiommu_hwpt **hwpt)
{
	struct libiommu_hwpt *made;
	int error;

	if (!ctx || !hwpt)
		return FAIL_NULL(ctx);
	error = li_adopt_check_id(ctx, __func__, id, mode);
	if (error)
		return error;
	made = new_handle(ctx, id, mode == LIBIOMMU_ID_OWN);
	if (!made)
		return FAIL_MEMORY(ctx);
	*hwpt = made;
	return 0;
}

int libiommu_hwpt_name_fault_queue(struct libiommu_hwpt *hwpt, struct libiommu_fault_queue *queue)
{
	if (!hwpt || !queue)
		return FAIL_NULL(hwpt ? hwpt->ctx : NULL);
	if (li_fault_queue_ctx(queue) != hwpt->ctx)
		return FAIL_LIBRARY(hwpt->ctx, __func__, -EINVAL,
		                    "the page table and the queue are of different contexts",
		                    .id = hwpt->id, .other = li_fault_queue_id(queue));
	if (hwpt->queue)
		return FAIL_LIBRARY(hwpt->ctx, __func__, -EALREADY, "the page table has a queue",
		                    .id = hwpt->id, .other = li_fault_queue_id(hwpt->queue));
	if (atomic_load(&hwpt->pins))
		return FAIL_LIBRARY(hwpt->ctx, __func__, -EBUSY, "something is attached to it",
		                    .id = hwpt->id);
	hwpt->queue = queue;
	li_fault_queue_pin(queue);
	return 0;
}

int libiommu_hwpt_destroy(struct libiommu_hwpt *hwpt)
{
	const uint32_t pins = hwpt ? atomic_load(&hwpt->pins) : 0;
	int error;

	if (!hwpt)
		return 0;
	if (pins)
		return FAIL_LIBRARY(hwpt->ctx, __func__, -EBUSY,
		                    "something is attached to it, or made from it", .id = hwpt->id,
		                    .amount = pins, .unit = "of them");
	if (hwpt->own) {
		struct uapi_destroy cmd = {.size = sizeof(cmd), .id = hwpt->id};

		error = backend_ioctl(li_ctx_backend(hwpt->ctx), UAPI_IOC_DESTROY, &cmd);
		if (error)
			return FAIL_KERNEL(hwpt->ctx, __func__, error, CALL_DESTROY,
			                   .id = hwpt->id);
	}
	li_hwpt_stop_tracking(hwpt);
	free_handle(hwpt);
	return 0;
}

int libiommu_hwpt_id(const struct libiommu_hwpt *hwpt, uint32_t *id)
{
	if (!hwpt || !id)
		return FAIL_NULL(hwpt ? hwpt->ctx : NULL);
	*id = hwpt->id;
	return 0;
}

struct libiommu_ctx *li_hwpt_ctx(const struct libiommu_hwpt *hwpt)
{
	return hwpt->ctx;
}

uint32_t li_hwpt_id(const struct libiommu_hwpt *hwpt)
{
	return hwpt->id;
}

struct libiommu_ioas *li_hwpt_ioas(const struct libiommu_hwpt *hwpt)
{
	return hwpt->base.count == count_ioas ? hwpt->base.on : NULL;
}

uint32_t li_hwpt_ioas_id(const struct libiommu_hwpt *hwpt)
{
	return hwpt->base.count == count_ioas ? hwpt->base.id : 0;
}

bool li_hwpt_is_own(const struct libiommu_hwpt *hwpt)
{
	return hwpt->own;
}

const void *li_hwpt_origin(const struct libiommu_hwpt *hwpt, uint32_t *data_type)
{
	*data_type = hwpt->data_type;
	return hwpt->base.on;
}

void li_hwpt_set_origin(struct libiommu_hwpt *hwpt, const struct hwpt_base *base,
                        uint32_t data_type)
{
	hwpt->data_type = data_type;
	if (!base)
		return;
	hwpt->base = *base;
	base->count(base->on, 1);
}

struct hwpt_dirty *li_hwpt_dirty(struct libiommu_hwpt *hwpt)
{
	return &hwpt->dirty;
}

struct libiommu_fault_queue *li_hwpt_fault_queue(const struct libiommu_hwpt *hwpt)
{
	return hwpt ? hwpt->queue : NULL;
}

uint32_t li_hwpt_slot_queue(const struct libiommu_hwpt *hwpt)
{
	if (hwpt && hwpt->queue)
		return li_fault_queue_id(hwpt->queue);
	/* One that was adopted may have a queue that nobody has named. */
	return hwpt && !hwpt->base.count ? SLOT_QUEUE_ANY : SLOT_QUEUE_NONE;
}

bool li_hwpt_may_be_nested(const struct libiommu_hwpt *hwpt)
{
	return hwpt->base.count != count_ioas;
}

bool li_hwpt_may_be(const struct libiommu_hwpt *hwpt, uint32_t data_type)
{
	return hwpt->data_type == data_type || !hwpt->base.count;
}

bool li_hwpt_guest_owns_pasids(const struct libiommu_hwpt *hwpt)
{
	return hwpt->data_type == UAPI_HWPT_DATA_ARM_SMMUV3 ||
	       hwpt->data_type == UAPI_HWPT_DATA_AMD_GUEST;
}

void li_hwpt_pin(struct libiommu_hwpt *hwpt)
{
	atomic_fetch_add(&hwpt->pins, 1);
}

void li_hwpt_unpin(struct libiommu_hwpt *hwpt)
{
	atomic_fetch_sub(&hwpt->pins, 1);
}
