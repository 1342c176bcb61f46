/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libiommu/device-feature.h>

#include "../base/uapi/vfio.h"
#include "device.h"

#define MAX_DATA (1U << 20)

#define SAME(name)                                                                                 \
	static_assert((int)LIBIOMMU_DEVICE_FEATURE_##name == UAPI_VFIO_DEVICE_FEATURE_##name,      \
	              "features are numbered as the kernel's")
SAME(PCI_VF_TOKEN);
SAME(MIGRATION);
SAME(MIG_DEVICE_STATE);
SAME(LOW_POWER_ENTRY);
SAME(LOW_POWER_ENTRY_WITH_WAKEUP);
SAME(LOW_POWER_EXIT);
SAME(DMA_LOGGING_START);
SAME(DMA_LOGGING_STOP);
SAME(DMA_LOGGING_REPORT);
SAME(MIG_DATA_SIZE);
SAME(BUS_MASTER);
SAME(DMA_BUF);
SAME(ZPCI_ERROR);
static_assert(LIBIOMMU_DEVICE_FEATURE_MIG_PRECOPY_INFO_V2 ==
                      UAPI_VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2,
              "features are numbered as the kernel's");

static int refuse(struct libiommu_device *dev, const char *operation, const char *text)
{
	return FAIL_LIBRARY(li_device_ctx(dev), operation, -EINVAL, text, .id = li_device_id(dev));
}

static uint32_t direction_flags(uint32_t directions)
{
	return (directions & LIBIOMMU_DEVICE_FEATURE_GET ? UAPI_VFIO_DEVICE_FEATURE_GET : 0) |
	       (directions & LIBIOMMU_DEVICE_FEATURE_SET ? UAPI_VFIO_DEVICE_FEATURE_SET : 0);
}

int li_device_feature_error(int error)
{
	return error == -ENOTTY ? -EOPNOTSUPP : error;
}

int libiommu_device_feature_probe(struct libiommu_device *dev, uint32_t feature,
                                  uint32_t directions)
{
	struct uapi_vfio_device_feature cmd = {.argsz = sizeof(cmd)};
	int error;

	if (!dev)
		return FAIL_NULL(NULL);
	if (feature > UAPI_VFIO_DEVICE_FEATURE_MASK)
		return refuse(dev, __func__, "there are no features of such numbers");
	if (directions & ~(LIBIOMMU_DEVICE_FEATURE_GET | LIBIOMMU_DEVICE_FEATURE_SET))
		return refuse(dev, __func__, "unknown direction");
	error = li_device_enter(dev, __func__, DEVICE_BOUND);
	if (error)
		return error;
	cmd.flags = feature | UAPI_VFIO_DEVICE_FEATURE_PROBE | direction_flags(directions);
	error = li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_FEATURE, &cmd);
	li_device_leave(dev);
	if (error >= 0)
		return 1;
	/* No such feature, none that the device can do, or none of these directions. */
	if (li_device_feature_error(error) == -EOPNOTSUPP || error == -EINVAL)
		return 0;
	return FAIL_KERNEL(li_device_ctx(dev), __func__, error, CALL_FEATURE,
	                   .id = li_device_id(dev), .amount = feature, .unit = "is the feature");
}

static int move(struct libiommu_device *dev, const char *operation, uint32_t feature,
                uint32_t direction, void *data, size_t length)
{
	struct uapi_vfio_device_feature *cmd;
	int result;

	if (!dev || (!data && length))
		return FAIL_NULL_IN(dev ? li_device_ctx(dev) : NULL, operation);
	if (feature > UAPI_VFIO_DEVICE_FEATURE_MASK)
		return refuse(dev, operation, "there are no features of such numbers");
	if (length > MAX_DATA)
		return refuse(dev, operation, "more than 1 MiB of data");
	cmd = malloc(sizeof(*cmd) + length);
	if (!cmd)
		return FAIL_MEMORY_IN(li_device_ctx(dev), operation);
	cmd->argsz = (uint32_t)(sizeof(*cmd) + length);
	cmd->flags = feature | direction_flags(direction);
	if (length)
		memcpy(cmd->data, data, length);
	result = li_device_enter(dev, operation, DEVICE_BOUND);
	if (result) {
		free(cmd);
		return result;
	}
	li_device_keep_open(dev);
	result = li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_FEATURE, cmd);
	li_device_leave(dev);
	if (result >= 0 && length)
		memcpy(data, cmd->data, length);
	free(cmd);
	if (result >= 0)
		return result;
	return FAIL_KERNEL(li_device_ctx(dev), operation, li_device_feature_error(result),
	                   CALL_FEATURE, .id = li_device_id(dev), .amount = feature,
	                   .unit = "is the feature");
}

int libiommu_device_feature_get(struct libiommu_device *dev, uint32_t feature, void *data,
                                size_t length)
{
	return move(dev, __func__, feature, LIBIOMMU_DEVICE_FEATURE_GET, data, length);
}

int libiommu_device_feature_set(struct libiommu_device *dev, uint32_t feature, void *data,
                                size_t length)
{
	return move(dev, __func__, feature, LIBIOMMU_DEVICE_FEATURE_SET, data, length);
}

int libiommu_device_set_bus_master(struct libiommu_device *dev, bool enable)
{
	struct uapi_vfio_device_feature_bus_master master = {
		.op = enable ? UAPI_VFIO_DEVICE_FEATURE_SET_MASTER
	                     : UAPI_VFIO_DEVICE_FEATURE_CLEAR_MASTER,
	};

	return move(dev, __func__, LIBIOMMU_DEVICE_FEATURE_BUS_MASTER, LIBIOMMU_DEVICE_FEATURE_SET,
	            &master, sizeof(master));
}
