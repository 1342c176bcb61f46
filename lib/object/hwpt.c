/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "hwpt.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../base/uapi/iommufd.h"
#include "device.h"
#include "fault-queue.h"
#include "ioas.h"

_Static_assert(LIBIOMMU_HWPT_NEST_PARENT == UAPI_HWPT_ALLOC_NEST_PARENT &&
                       LIBIOMMU_HWPT_DIRTY_TRACKING == UAPI_HWPT_ALLOC_DIRTY_TRACKING &&
                       LIBIOMMU_HWPT_PASID == UAPI_HWPT_ALLOC_PASID,
               "flags are passed on as they are");

struct libiommu_hwpt_config {
	uint32_t flags;
	uint32_t data_type;
	uint32_t data_length;
	void *data;
	struct libiommu_fault_queue *queue;
};

struct libiommu_hwpt {
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;         /* NULL when adopted */
	struct libiommu_fault_queue *queue; /* NULL for none */
	uint32_t id;
	uint32_t data_type;
	bool own;
	atomic_uint_least32_t pins;
};

int libiommu_hwpt_config_new(struct libiommu_hwpt_config **config)
{
	struct libiommu_hwpt_config *made;

	if (!config)
		return FAIL_NULL(NULL);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(NULL);
	*config = made;
	return 0;
}

void libiommu_hwpt_config_free(struct libiommu_hwpt_config *config)
{
	if (!config)
		return;
	free(config->data);
	free(config);
}

int libiommu_hwpt_config_set_flags(struct libiommu_hwpt_config *config, uint32_t flags)
{
	const uint32_t known =
		LIBIOMMU_HWPT_NEST_PARENT | LIBIOMMU_HWPT_DIRTY_TRACKING | LIBIOMMU_HWPT_PASID;

	if (!config)
		return FAIL_NULL(NULL);
	if (flags & ~known)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "unknown flag", .amount = flags,
		                    .unit = "are the flags");
	config->flags = flags;
	return 0;
}

int libiommu_hwpt_config_set_data(struct libiommu_hwpt_config *config, uint32_t type,
                                  const void *data, size_t length)
{
	void *copy = NULL;

	if (!config || (!data && length))
		return FAIL_NULL(NULL);
	if (length > UINT32_MAX)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "too much data", .amount = length,
		                    .unit = "bytes");
	if (length) {
		copy = malloc(length);
		if (!copy)
			return FAIL_MEMORY(NULL);
		memcpy(copy, data, length);
	}
	free(config->data);
	config->data = copy;
	config->data_type = type;
	config->data_length = (uint32_t)length;
	return 0;
}

int libiommu_hwpt_config_set_fault_queue(struct libiommu_hwpt_config *config,
                                         struct libiommu_fault_queue *queue)
{
	if (!config)
		return FAIL_NULL(NULL);
	config->queue = queue;
	return 0;
}

static struct libiommu_hwpt *new_handle(struct libiommu_ctx *ctx, uint32_t id, bool own)
{
	struct libiommu_hwpt *const hwpt = malloc(sizeof(*hwpt));

	if (!hwpt)
		return NULL;
	hwpt->ctx = ctx;
	hwpt->ioas = NULL;
	hwpt->queue = NULL;
	hwpt->id = id;
	hwpt->own = own;
	hwpt->data_type = UAPI_HWPT_DATA_NONE;
	atomic_init(&hwpt->pins, 0);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_HWPT, 1);
	return hwpt;
}

static void free_handle(struct libiommu_hwpt *hwpt)
{
	if (hwpt->ioas)
		li_ioas_unpin(hwpt->ioas);
	li_fault_queue_unpin(hwpt->queue);
	li_ctx_count(hwpt->ctx, LIBIOMMU_OBJECT_HWPT, -1);
	free(hwpt);
}

/* With the device entered. */
static int ask_kernel(struct libiommu_device *dev, const struct libiommu_ioas *ioas,
                      const struct libiommu_hwpt_config *config, uint32_t *id)
{
	struct uapi_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.dev_id = li_device_id(dev),
		.pt_id = li_ioas_id(ioas),
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

int libiommu_hwpt_alloc(struct libiommu_device *dev, struct libiommu_ioas *ioas,
                        const struct libiommu_hwpt_config *config, struct libiommu_hwpt **hwpt)
{
	struct libiommu_hwpt *made;
	struct libiommu_ctx *ctx;
	int error;

	if (!dev || !ioas || !hwpt)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	ctx = li_device_ctx(dev);
	if (li_ioas_ctx(ioas) != ctx)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL,
		                    "the device and the address space are of different contexts",
		                    .id = li_device_id(dev), .other = li_ioas_id(ioas));
	if (config && config->queue && li_fault_queue_ctx(config->queue) != ctx)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL,
		                    "the device and the fault queue are of different contexts",
		                    .id = li_device_id(dev),
		                    .other = li_fault_queue_id(config->queue));
	error = li_device_enter(dev, __func__, DEVICE_NODE);
	if (error)
		return error;
	made = new_handle(ctx, 0, true);
	if (!made) {
		li_device_leave(dev);
		return FAIL_MEMORY(ctx);
	}
	error = ask_kernel(dev, ioas, config, &made->id);
	li_device_leave(dev);
	if (error) {
		free_handle(made);
		return FAIL_KERNEL(ctx, __func__, error, CALL_HWPT_ALLOC, .id = li_device_id(dev),
		                   .other = li_ioas_id(ioas));
	}
	made->ioas = ioas;
	made->queue = config ? config->queue : NULL;
	li_fault_queue_pin(made->queue);
	made->data_type = config ? config->data_type : UAPI_HWPT_DATA_NONE;
	li_ioas_pin(ioas);
	*hwpt = made;
	return 0;
}

int libiommu_hwpt_adopt(struct libiommu_ctx *ctx, uint32_t id, enum libiommu_id_mode mode,
                        struct libiommu_hwpt **hwpt)
{
	struct libiommu_hwpt *made;

	if (!ctx || !hwpt)
		return FAIL_NULL(ctx);
	if (!id || (unsigned int)mode > LIBIOMMU_ID_BORROW)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "the id is 0, or the mode unknown",
		                    .id = id);
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
		return FAIL_LIBRARY(hwpt->ctx, __func__, -EBUSY, "devices are attached to it",
		                    .id = hwpt->id, .amount = pins, .unit = "of them");
	if (hwpt->own) {
		struct uapi_destroy cmd = {.size = sizeof(cmd), .id = hwpt->id};

		error = backend_ioctl(li_ctx_backend(hwpt->ctx), UAPI_IOC_DESTROY, &cmd);
		if (error)
			return FAIL_KERNEL(hwpt->ctx, __func__, error, CALL_DESTROY,
			                   .id = hwpt->id);
	}
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

struct libiommu_fault_queue *li_hwpt_fault_queue(const struct libiommu_hwpt *hwpt)
{
	return hwpt ? hwpt->queue : NULL;
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
