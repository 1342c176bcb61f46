/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Device features: of plain vfio-pci these are power and the export of BARs. */
#include <errno.h>
#include <unistd.h>

#include "caller.h"
#include "vfio-dmabuf.h"

#define OPERATIONS (UAPI_VFIO_DEVICE_FEATURE_GET | UAPI_VFIO_DEVICE_FEATURE_SET)

/* What follows the header of LOW_POWER_ENTRY_WITH_WAKEUP. */
struct wakeup {
	int32_t eventfd;
	uint32_t reserved;
};

/* 1: to be done; 0: it was only asked for; or -EINVAL. */
static int check(const struct uapi_vfio_device_feature *feature, uint32_t operation, size_t size)
{
	const uint32_t asked = feature->flags & OPERATIONS;

	if (asked & ~operation)
		return -EINVAL;
	if (feature->flags & UAPI_VFIO_DEVICE_FEATURE_PROBE)
		return 0;
	if (!asked || feature->argsz - sizeof(*feature) < size)
		return -EINVAL;
	return 1;
}

static int begin_sleep(struct emu_vfio *vfio, int wake)
{
	if (vfio->low_power)
		return -EINVAL;
	vfio->low_power = true;
	vfio->wake = wake;
	emu_vfio_region_show(vfio);
	return 0;
}

static void end_sleep(struct emu_vfio *vfio)
{
	if (vfio->wake >= 0)
		close(vfio->wake);
	vfio->wake = -1;
	vfio->low_power = false;
	emu_vfio_region_show(vfio);
}

void emu_vfio_wake(struct emu_vfio *vfio)
{
	if (!vfio->low_power || vfio->wake < 0)
		return;
	emu_event_signal(vfio->wake);
	end_sleep(vfio);
}

static int sleep_until(struct emu_vfio *vfio, const struct uapi_vfio_device_feature *feature,
                       const struct emu_task *task, uintptr_t data)
{
	struct wakeup wakeup;
	int result = check(feature, UAPI_VFIO_DEVICE_FEATURE_SET, sizeof(wakeup));
	int fd;

	if (result != 1)
		return result;
	if (emu_get(task, &wakeup, data, sizeof(wakeup)))
		return -EFAULT;
	if (wakeup.eventfd < 0)
		return -EINVAL;
	fd = emu_caller_eventfd(wakeup.eventfd);
	if (fd < 0)
		return fd;
	result = begin_sleep(vfio, fd);
	if (result)
		close(fd);
	return result;
}

static int power(struct emu_vfio *vfio, const struct uapi_vfio_device_feature *feature, bool low)
{
	const int result = check(feature, UAPI_VFIO_DEVICE_FEATURE_SET, 0);

	if (result != 1)
		return result;
	if (low)
		return begin_sleep(vfio, -1);
	end_sleep(vfio);
	return 0;
}

static int give_memory(struct emu_vfio *vfio, const struct uapi_vfio_device_feature *feature,
                       const struct emu_task *task, uintptr_t data)
{
	const int result = check(feature, UAPI_VFIO_DEVICE_FEATURE_GET,
	                         sizeof(struct uapi_vfio_device_feature_dma_buf));

	return result == 1 ? emu_vfio_export(vfio, task, data) : result;
}

int emu_vfio_feature(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg)
{
	const uint32_t known =
		UAPI_VFIO_DEVICE_FEATURE_MASK | OPERATIONS | UAPI_VFIO_DEVICE_FEATURE_PROBE;
	struct uapi_vfio_device_feature feature;
	uint32_t flags;

	if (emu_get(task, &feature, arg, sizeof(feature)))
		return -EFAULT;
	flags = feature.flags;
	if (feature.argsz < sizeof(feature) || flags & ~known)
		return -EINVAL;
	if (!(flags & UAPI_VFIO_DEVICE_FEATURE_PROBE) && (flags & OPERATIONS) == OPERATIONS)
		return -EINVAL;
	switch (flags & UAPI_VFIO_DEVICE_FEATURE_MASK) {
	case UAPI_VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY:
		return power(vfio, &feature, true);
	case UAPI_VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP:
		return sleep_until(vfio, &feature, task, arg + sizeof(feature));
	case UAPI_VFIO_DEVICE_FEATURE_LOW_POWER_EXIT:
		return power(vfio, &feature, false);
	case UAPI_VFIO_DEVICE_FEATURE_DMA_BUF:
		return give_memory(vfio, &feature, task, arg + sizeof(feature));
	case UAPI_VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2:
		return -EINVAL; /* as the kernel has it, where the device cannot migrate at all */
	default:
		return -ENOTTY;
	}
}
