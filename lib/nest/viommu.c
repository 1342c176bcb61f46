/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "viommu.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../base/uapi/iommufd.h"
#include "../object/adopt.h"
#include "../object/device.h"
#include "../object/hwpt.h"
#include "../object/invalidate.h"
#include "viommu-config.h"

_Static_assert(LIBIOMMU_VIOMMU_DEFAULT == UAPI_VIOMMU_TYPE_DEFAULT &&
                       LIBIOMMU_VIOMMU_SMMUV3 == UAPI_VIOMMU_TYPE_ARM_SMMUV3 &&
                       LIBIOMMU_VIOMMU_TEGRA241_CMDQV == UAPI_VIOMMU_TYPE_TEGRA241_CMDQV,
               "types are passed on as they are");

struct libiommu_viommu {
	struct libiommu_ctx *ctx;
	struct libiommu_hwpt *parent; /* NULL when adopted */
	uint32_t id;
	uint32_t type; /* 0 when adopted */
	bool own;
	atomic_uint_least32_t pins;
	struct vdevice_table vdevices;
	size_t length;
	unsigned char *data;
};

static struct libiommu_viommu *new_handle(struct libiommu_ctx *ctx, size_t length)
{
	struct libiommu_viommu *const viommu = calloc(1, sizeof(*viommu));

	if (!viommu)
		return NULL;
	if (length) {
		viommu->data = calloc(1, length);
		if (!viommu->data) {
			free(viommu);
			return NULL;
		}
	}
	viommu->ctx = ctx;
	viommu->length = length;
	atomic_init(&viommu->pins, 0);
	li_vdevice_table_init(&viommu->vdevices);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_VIOMMU, 1);
	return viommu;
}

static void free_handle(struct libiommu_viommu *viommu)
{
	if (viommu->parent)
		li_hwpt_unpin(viommu->parent);
	li_ctx_count(viommu->ctx, LIBIOMMU_OBJECT_VIOMMU, -1);
	li_vdevice_table_free(&viommu->vdevices);
	free(viommu->data);
	free(viommu);
}

int libiommu_viommu_alloc(struct libiommu_device *dev, struct libiommu_hwpt *parent, uint32_t type,
                          const struct libiommu_viommu_config *config,
                          struct libiommu_viommu **viommu)
{
	struct uapi_viommu_alloc cmd = {.size = sizeof(cmd), .type = type};
	size_t length = config ? config->length : 0;
	struct libiommu_viommu *made;
	struct libiommu_ctx *ctx;
	int error;

	if (!dev || !parent || !viommu)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	ctx = li_device_ctx(dev);
	cmd.hwpt_id = li_hwpt_id(parent);
	if (li_hwpt_ctx(parent) != ctx)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL,
		                    "the device and the parent are of different contexts",
		                    .id = li_device_id(dev), .other = cmd.hwpt_id);
	if (!length && type == UAPI_VIOMMU_TYPE_TEGRA241_CMDQV)
		length = sizeof(struct uapi_viommu_tegra241_cmdqv);
	error = li_device_enter(dev, __func__, DEVICE_NODE);
	if (error)
		return error;
	made = new_handle(ctx, length);
	if (!made) {
		li_device_leave(dev);
		return FAIL_MEMORY(ctx);
	}
	if (config && config->length)
		memcpy(made->data, config->data, config->length);
	cmd.dev_id = li_device_id(dev);
	cmd.data_len = (uint32_t)length;
	cmd.data_uptr = (uintptr_t)made->data;
	error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_VIOMMU_ALLOC, &cmd);
	li_device_leave(dev);
	if (error) {
		free_handle(made);
		return FAIL_KERNEL(ctx, __func__, error, CALL_VIOMMU, .id = cmd.dev_id,
		                   .other = cmd.hwpt_id);
	}
	made->id = cmd.out_viommu_id;
	made->type = type;
	made->own = true;
	made->parent = parent;
	li_hwpt_pin(parent);
	*viommu = made;
	return 0;
}

int libiommu_viommu_adopt(struct libiommu_ctx *ctx, uint32_t id, enum libiommu_id_mode mode,
                          struct libiommu_viommu **viommu)
{
	struct libiommu_viommu *made;
	int error;

	if (!ctx || !viommu)
		return FAIL_NULL(ctx);
	error = li_adopt_check_id(ctx, __func__, id, mode);
	if (error)
		return error;
	made = new_handle(ctx, 0);
	if (!made)
		return FAIL_MEMORY(ctx);
	made->id = id;
	made->own = mode == LIBIOMMU_ID_OWN;
	*viommu = made;
	return 0;
}

int libiommu_viommu_destroy(struct libiommu_viommu *viommu)
{
	const uint32_t pins = viommu ? atomic_load(&viommu->pins) : 0;
	struct uapi_destroy cmd = {.size = sizeof(cmd)};
	int error = 0;

	if (!viommu)
		return 0;
	if (pins)
		return FAIL_LIBRARY(viommu->ctx, __func__, -EBUSY,
		                    "things that were made from it still exist", .id = viommu->id,
		                    .amount = pins, .unit = "of them");
	cmd.id = viommu->id;
	if (viommu->own)
		error = backend_ioctl(li_ctx_backend(viommu->ctx), UAPI_IOC_DESTROY, &cmd);
	if (error)
		return FAIL_KERNEL(viommu->ctx, __func__, error, CALL_DESTROY, .id = viommu->id);
	free_handle(viommu);
	return 0;
}

int libiommu_viommu_id(const struct libiommu_viommu *viommu, uint32_t *id)
{
	if (!viommu || !id)
		return FAIL_NULL(viommu ? viommu->ctx : NULL);
	*id = viommu->id;
	return 0;
}

int libiommu_viommu_data(const struct libiommu_viommu *viommu, void *buffer, size_t size,
                         size_t *length)
{
	if (!viommu || !length || (!buffer && size))
		return FAIL_NULL(viommu ? viommu->ctx : NULL);
	if (size && viommu->length)
		memcpy(buffer, viommu->data, size < viommu->length ? size : viommu->length);
	*length = viommu->length;
	return 0;
}

static void count_viommu(void *on, int change)
{
	if (change > 0)
		li_viommu_pin(on);
	else
		li_viommu_unpin(on);
}

struct hwpt_base li_viommu_base(struct libiommu_viommu *viommu)
{
	return (struct hwpt_base){viommu->ctx, viommu->id, viommu, count_viommu};
}

int libiommu_hwpt_alloc_viommu(struct libiommu_device *dev, struct libiommu_viommu *viommu,
                               const struct libiommu_hwpt_config *config,
                               struct libiommu_hwpt **hwpt)
{
	struct hwpt_base base;

	if (!dev || !viommu || !hwpt)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	base = li_viommu_base(viommu);
	return li_hwpt_alloc(dev, __func__, &base, config, hwpt);
}

int libiommu_viommu_invalidate(struct libiommu_viommu *viommu, uint32_t type, const void *entries,
                               size_t entry_length, size_t count, size_t *done)
{
	if (!viommu || !done || (!entries && count))
		return FAIL_NULL(viommu ? viommu->ctx : NULL);
	return li_invalidate_raw(
		viommu->ctx, __func__,
		&(const struct raw_invalidation){viommu->id, type, entries, entry_length, count},
		done);
}

struct libiommu_ctx *li_viommu_ctx(const struct libiommu_viommu *viommu)
{
	return viommu->ctx;
}

uint32_t li_viommu_id(const struct libiommu_viommu *viommu)
{
	return viommu->id;
}

uint32_t li_viommu_type(const struct libiommu_viommu *viommu)
{
	return viommu->type;
}

bool li_viommu_is_own(const struct libiommu_viommu *viommu)
{
	return viommu->own;
}

struct libiommu_hwpt *li_viommu_parent(const struct libiommu_viommu *viommu)
{
	return viommu->parent;
}

unsigned char *li_viommu_bytes(struct libiommu_viommu *viommu, size_t *length)
{
	*length = viommu->length;
	return viommu->data;
}

unsigned char *li_viommu_set_origin(struct libiommu_viommu *viommu, uint32_t type,
                                    struct libiommu_hwpt *parent, size_t length)
{
	viommu->type = type;
	viommu->parent = parent;
	if (parent)
		li_hwpt_pin(parent);
	viommu->data = length ? calloc(1, length) : NULL;
	viommu->length = viommu->data ? length : 0;
	return viommu->data;
}

struct vdevice_table *li_viommu_vdevices(struct libiommu_viommu *viommu)
{
	return &viommu->vdevices;
}

void li_viommu_pin(struct libiommu_viommu *viommu)
{
	atomic_fetch_add(&viommu->pins, 1);
}

void li_viommu_unpin(struct libiommu_viommu *viommu)
{
	atomic_fetch_sub(&viommu->pins, 1);
}
