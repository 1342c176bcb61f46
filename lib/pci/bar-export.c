/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <libiommu/pci.h>

#include "../base/sys.h"
#include "../base/uapi/vfio.h"
#include "region.h"

#define MAX_RANGES 65536

static_assert(sizeof(struct libiommu_bar_range) == sizeof(struct uapi_vfio_region_dma_range) &&
                      offsetof(struct libiommu_bar_range, length) ==
                              offsetof(struct uapi_vfio_region_dma_range, length),
              "ranges are handed on as they are");

/* The feature's header, its structure, and the ranges. */
struct wanted {
	struct uapi_vfio_device_feature *cmd;
	uint32_t bar;
	const struct libiommu_bar_range *ranges;
	size_t count;
};

/* With the device entered: the descriptor, or what @refusal says. */
static int export_ranges(struct libiommu_device *dev, const struct wanted *wanted,
                         struct refusal *refusal)
{
	struct region region;
	int result;

	result = li_region_find(dev, wanted->bar, &region, refusal);
	for (size_t i = 0; !result && i < wanted->count; i++)
		result = li_region_check(&region, wanted->ranges[i].offset,
		                         wanted->ranges[i].length, refusal);
	if (result)
		return result;
	result = li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_FEATURE, wanted->cmd);
	return result < 0 ? li_refuse_kernel(refusal, li_device_feature_error(result), CALL_FEATURE)
	                  : result;
}

static void fill(struct wanted *wanted, size_t size)
{
	const struct uapi_vfio_device_feature_dma_buf head = {
		.region_index = wanted->bar,
		.open_flags = O_RDWR | O_CLOEXEC,
		.nr_ranges = (uint32_t)wanted->count,
	};

	wanted->cmd->argsz = (uint32_t)size;
	wanted->cmd->flags = UAPI_VFIO_DEVICE_FEATURE_GET | UAPI_VFIO_DEVICE_FEATURE_DMA_BUF;
	memcpy(wanted->cmd->data, &head, sizeof(head));
	memcpy(wanted->cmd->data + sizeof(head), wanted->ranges,
	       wanted->count * sizeof(*wanted->ranges));
}

static const char *find_fault(const struct wanted *wanted)
{
	const uint64_t page = li_sys_page_size();

	if (wanted->bar >= LIBIOMMU_PCI_ROM)
		return "there is no BAR of this number";
	if (!wanted->count || wanted->count > MAX_RANGES)
		return "there must be from 1 to 65536 ranges";
	for (size_t i = 0; i < wanted->count; i++)
		if (wanted->ranges[i].offset % page || wanted->ranges[i].length % page)
			return "a range does not begin and end at pages";
	return NULL;
}

int libiommu_pci_bar_export(struct libiommu_device *dev, uint32_t bar,
                            const struct libiommu_bar_range *ranges, size_t count, int *fd)
{
	struct wanted wanted = {.bar = bar, .ranges = ranges, .count = count};
	struct refusal refusal;
	struct libiommu_ctx *ctx;
	const char *fault;
	size_t size;
	int result;

	if (!dev || !ranges || !fd)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	ctx = li_device_ctx(dev);
	fault = find_fault(&wanted);
	if (fault)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, fault, .id = li_device_id(dev));
	size = sizeof(*wanted.cmd) + sizeof(struct uapi_vfio_device_feature_dma_buf) +
	       count * sizeof(*ranges);
	wanted.cmd = malloc(size);
	if (!wanted.cmd)
		return FAIL_MEMORY(ctx);
	fill(&wanted, size);
	result = li_device_enter(dev, __func__, DEVICE_BOUND);
	if (result) {
		free(wanted.cmd);
		return result;
	}
	li_device_keep_open(dev);
	result = export_ranges(dev, &wanted, &refusal);
	li_device_leave(dev);
	free(wanted.cmd);
	if (result < 0)
		return li_refusal_record(&refusal, dev, __func__);
	*fd = result;
	return 0;
}
