/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* How a device ends: when its handle is destroyed, or when the host wants it back. */
#include <errno.h>
#include <stdlib.h>

#include "../backend/type1.h"
#include "device-parts.h"
#include "fault-queue.h"
#include "group.h"
#include "hwpt.h"
#include "pasid-space.h"

struct device_keeper *li_device_keeper(const struct libiommu_device *dev)
{
	return dev->keeper;
}

void li_device_set_keeper(struct libiommu_device *dev, struct device_keeper *keeper)
{
	dev->keeper = keeper;
}

/*
 * Alone on the device: forget its id first, and all that is known under it, since the kernel may
 * give it to another device once the descriptor is closed. Until then a page table of it is still
 * busy, and the kernel says so.
 */
static void let_go(struct libiommu_device *dev)
{
	const struct backend *const backend = li_ctx_backend(dev->ctx);
	struct libiommu_fault_queue *const queue = li_hwpt_fault_queue(dev->attachment.hwpt);
	const bool attached = dev->attachment.ioas || dev->attachment.hwpt;
	/* Otherwise closing the descriptor does it. */
	const bool detach = !dev->own_fd || dev->keeper;
	struct name *const name = dev->entry.name;
	struct fault_notice notice = {0};
	struct refusal ignored;

	li_pasid_detach_all(dev, detach);
	li_fault_queue_leave_begin(queue);
	if (name)
		notice = li_fault_notice(name, &name->own);
	li_device_set_attachment(dev, &(const struct attachment){0});
	li_registry_remove(li_ctx_registry(dev->ctx), &dev->entry);
	if (detach && attached)
		backend->ops->detach(backend, &(const struct backend_device){.fd = dev->fd},
		                     &ignored);
	if (dev->keeper)
		dev->keeper->let_go(dev->keeper, dev->fd);
	dev->keeper = NULL;
	if (dev->legacy)
		li_type1_unbind(backend->type1, dev->legacy);
	else if (dev->own_fd)
		li_sys_close(backend->sys, dev->fd);
	if (name)
		li_fault_queue_purge(queue, &name->own, &notice);
	li_fault_queue_change_end(queue, NULL, true);
	if (dev->group)
		li_group_put(dev->ctx, dev->group);
}

void li_device_discard(struct libiommu_device *dev, bool close_fd)
{
	dev->own_fd = close_fd;
	libiommu_device_destroy(dev);
}

int libiommu_device_revoke(struct libiommu_device *dev)
{
	int error;

	if (!dev)
		return FAIL_NULL(NULL);
	error = li_ctx_check_open(dev->ctx, __func__, false);
	if (error)
		return error;
	li_device_hold(dev);
	if (!(state_of(dev) & STATE_REVOKED)) {
		error = li_mapping_list_replace(&dev->mappings);
		if (!error && dev->child)
			dev->child->end(dev->child);
		if (!error) {
			let_go(dev);
			add_state(dev, STATE_REVOKED);
		}
	}
	li_device_leave(dev);
	return error ? FAIL_KERNEL(dev->ctx, __func__, error, CALL_MMAP, .id = dev->entry.id) : 0;
}

int libiommu_device_destroy(struct libiommu_device *dev)
{
	if (!dev)
		return 0;
	if (!li_mapping_list_empty(&dev->mappings))
		return FAIL_LIBRARY(dev->ctx, __func__, -EBUSY, "one of its BARs is still mapped",
		                    .id = dev->entry.id);
	if (dev->child)
		return FAIL_LIBRARY(dev->ctx, __func__, -EBUSY, "it has a virtual device",
		                    .id = dev->entry.id);
	if (!(state_of(dev) & STATE_REVOKED))
		let_go(dev);
	li_ctx_count(dev->ctx, LIBIOMMU_OBJECT_DEVICE, -1);
	li_pasid_space_leave(atomic_load(&dev->pasids.space));
	li_region_cache_free(&dev->regions);
	li_mapping_list_free(&dev->mappings);
	pthread_rwlock_destroy(&dev->lock);
	pthread_mutex_destroy(&dev->turn);
	free(dev->legacy);
	free(dev);
	return 0;
}
