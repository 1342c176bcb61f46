/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <stdlib.h>

#include <libiommu/reset.h>

#include "../base/uapi/vfio.h"
#include "../object/device.h"

#define FIRST_ROOM 16
/* The functions of a PCI domain. */
#define MOST         65536
#define MAX_ATTEMPTS 8

struct libiommu_reset_list {
	struct uapi_vfio_pci_hot_reset_info *info;
};

/*
 * Between li_device_enter() and li_device_leave(). Returns what the kernel says, -ENOSPC or -EAGAIN
 * where the devices changed from one attempt to the next; *@info is freed by the caller, NULL
 * without memory.
 */
static int ask(struct libiommu_device *dev, struct uapi_vfio_pci_hot_reset_info **info)
{
	uint32_t room = FIRST_ROOM;
	size_t size;
	int error = -ENOSPC;

	for (int attempt = 0; attempt < MAX_ATTEMPTS && (error == -ENOSPC || error == -EAGAIN);
	     attempt++) {
		free(*info);
		size = sizeof(**info) + room * sizeof((*info)->devices[0]);
		*info = calloc(1, size);
		if (!*info)
			return -ENOMEM;
		(*info)->argsz = (uint32_t)size;
		error = li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, *info);
		if (!error && (*info)->count > room)
			error = -ENOSPC;
		if (error == -ENOSPC && (*info)->count > room)
			room = (*info)->count < MOST ? (*info)->count : MOST;
	}
	return error;
}

int libiommu_reset_list_new(struct libiommu_device *dev, struct libiommu_reset_list **list)
{
	struct libiommu_reset_list *made;
	struct libiommu_ctx *ctx;
	bool memory;
	int error;

	if (!dev || !list)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	ctx = li_device_ctx(dev);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(ctx);
	error = li_device_enter(dev, __func__, DEVICE_NODE);
	if (error) {
		free(made);
		return error;
	}
	error = ask(dev, &made->info);
	li_device_leave(dev);
	if (!error) {
		*list = made;
		return 0;
	}
	memory = made->info;
	libiommu_reset_list_free(made);
	if (!memory)
		return FAIL_MEMORY(ctx);
	if (error == -ENOSPC || error == -EAGAIN)
		return FAIL_LIBRARY(ctx, __func__, -EAGAIN,
		                    "the list grew each time it was asked for",
		                    .id = li_device_id(dev));
	return FAIL_KERNEL(ctx, __func__, error, CALL_HOT_RESET, .id = li_device_id(dev));
}

void libiommu_reset_list_free(struct libiommu_reset_list *list)
{
	if (!list)
		return;
	free(list->info);
	free(list);
}

size_t libiommu_reset_list_count(const struct libiommu_reset_list *list)
{
	return list ? list->info->count : 0;
}

int libiommu_reset_list_allowed(const struct libiommu_reset_list *list)
{
	if (!list)
		return FAIL_NULL(NULL);
	return list->info->flags & UAPI_VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED ? 1 : 0;
}

static int fail_index(const struct libiommu_reset_list *list, const char *operation)
{
	return FAIL_LIBRARY(NULL, operation, -EINVAL, "no device has this index",
	                    .amount = list->info->count, .unit = "devices");
}

int libiommu_reset_list_address(const struct libiommu_reset_list *list, size_t index,
                                uint16_t *segment, uint8_t *bus, uint8_t *devfn)
{
	if (!list || !segment || !bus || !devfn)
		return FAIL_NULL(NULL);
	if (index >= list->info->count)
		return fail_index(list, __func__);
	*segment = list->info->devices[index].segment;
	*bus = list->info->devices[index].bus;
	*devfn = list->info->devices[index].devfn;
	return 0;
}

int libiommu_reset_list_id(const struct libiommu_reset_list *list, size_t index, uint32_t *id)
{
	uint32_t found;

	if (!list || !id)
		return FAIL_NULL(NULL);
	if (index >= list->info->count)
		return fail_index(list, __func__);
	found = list->info->devices[index].devid;
	if (found == (uint32_t)UAPI_VFIO_PCI_DEVID_NOT_OWNED)
		return FAIL_LIBRARY(NULL, __func__, -EPERM,
		                    "the device is not bound to this context", .id = 0);
	*id = found;
	return 0;
}
