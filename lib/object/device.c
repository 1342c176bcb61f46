/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../backend/type1.h"
#include "device-parts.h"
#include "group.h"
#include "hwpt.h"
#include "ioas.h"

int li_device_new(struct libiommu_ctx *ctx, int fd, bool own, struct libiommu_device **dev)
{
	struct libiommu_device *const made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->ctx = ctx;
	made->fd = fd;
	made->own_fd = own;
	made->entry.dev = made;
	atomic_init(&made->state, 0);
	atomic_init(&made->pt_id, 0);
	li_pasid_init(&made->pasids);
	pthread_mutex_init(&made->turn, NULL);
	pthread_rwlock_init(&made->lock, NULL);
	li_mapping_list_init(&made->mappings, li_ctx_backend(ctx)->sys);
	li_region_cache_init(&made->regions);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_DEVICE, 1);
	*dev = made;
	return 0;
}

int li_device_new_grouped(struct libiommu_ctx *ctx, int fd, struct group *group,
                          struct libiommu_device **dev)
{
	const int error = li_device_new(ctx, fd, true, dev);

	if (error)
		return error;
	(*dev)->group = group;
	add_state(*dev, STATE_BOUND | STATE_GROUPED);
	return 0;
}

int li_device_new_legacy(struct libiommu_ctx *ctx, struct group *group, const char *name,
                         struct libiommu_device **dev)
{
	struct type1_device *const legacy = calloc(1, sizeof(*legacy));
	int error = legacy ? li_device_new(ctx, -1, true, dev) : -ENOMEM;

	if (error) {
		free(legacy);
		return error;
	}
	legacy->group = li_group_legacy(group);
	legacy->fd = -1;
	atomic_init(&legacy->kept, false);
	snprintf(legacy->name, sizeof(legacy->name), "%s", name);
	(*dev)->legacy = legacy;
	(*dev)->group = group;
	add_state(*dev, STATE_GROUPED);
	return 0;
}

/* 0, or the error with which a device in this state is refused, and why. */
static int check(const struct libiommu_device *dev, unsigned int state, enum device_need need,
                 const char **text)
{
	if (state & STATE_REVOKED) {
		*text = "the device was revoked";
		return -ENODEV;
	}
	if (state & STATE_LOST) {
		*text = "the device was lost between two containers: destroy it, and open it again";
		return -ENODEV;
	}
	if ((need & DEVICE_BOUND) && !(state & STATE_BOUND)) {
		*text = "the device is not bound (libiommu_device_bind())";
		return -EINVAL;
	}
	if (need == DEVICE_NODE && dev->legacy) {
		*text = "this takes iommufd, and the device is in one of VFIO's legacy containers";
		return -EOPNOTSUPP;
	}
	if ((need == DEVICE_NODE || need == DEVICE_ATTACHABLE) && (state & STATE_GROUPED) &&
	    !dev->legacy) {
		*text = "the device was opened by its group: it has no kernel id, and lives on "
			"the compatibility address space (libiommu_ioas_get_compat())";
		return -EOPNOTSUPP;
	}
	return 0;
}

static void take(struct libiommu_device *dev, int (*lock)(pthread_rwlock_t *))
{
	pthread_mutex_lock(&dev->turn);
	lock(&dev->lock);
	pthread_mutex_unlock(&dev->turn);
}

static int enter(struct libiommu_device *dev, const char *operation, enum device_need need,
                 int (*lock)(pthread_rwlock_t *))
{
	const char *text;
	int error;

	if (!dev)
		return FAIL_NULL_IN(NULL, operation);
	take(dev, lock);
	error = check(dev, state_of(dev), need, &text);
	if (!error)
		return 0;
	pthread_rwlock_unlock(&dev->lock);
	return FAIL_LIBRARY(dev->ctx, operation, error, text, .id = dev->entry.id);
}

int li_device_enter(struct libiommu_device *dev, const char *operation, enum device_need need)
{
	return enter(dev, operation, need, pthread_rwlock_rdlock);
}

int li_device_enter_alone(struct libiommu_device *dev, const char *operation, enum device_need need)
{
	const int error = dev ? li_ctx_check_open(dev->ctx, operation, false) : 0;

	if (error)
		return error;
	return enter(dev, operation, need, pthread_rwlock_wrlock);
}

void li_device_hold(struct libiommu_device *dev)
{
	take(dev, pthread_rwlock_wrlock);
}

void li_device_leave(struct libiommu_device *dev)
{
	pthread_rwlock_unlock(&dev->lock);
}

int li_device_ioctl(struct libiommu_device *dev, unsigned long request, void *arg)
{
	return li_sys_ioctl(li_ctx_backend(dev->ctx)->sys, li_device_fd(dev), request, arg);
}

int li_device_fd(const struct libiommu_device *dev)
{
	return dev->legacy ? dev->legacy->fd : dev->fd;
}

struct backend_device li_device_backend(const struct libiommu_device *dev)
{
	return (struct backend_device){dev->fd, dev->legacy};
}

void li_device_keep_open(const struct libiommu_device *dev)
{
	if (dev->legacy)
		atomic_store(&dev->legacy->kept, true);
}

void li_device_set_lost(struct libiommu_device *dev)
{
	add_state(dev, STATE_LOST);
}

struct libiommu_ctx *li_device_ctx(const struct libiommu_device *dev)
{
	return dev->ctx;
}

uint32_t li_device_id(const struct libiommu_device *dev)
{
	return dev->entry.id;
}

const struct attachment *li_device_attachment(const struct libiommu_device *dev)
{
	return &dev->attachment;
}

static void set_own(struct name *name, const struct attachment *attachment, bool fresh)
{
	struct slot *const own = &name->own;
	const struct slot_value value = {
		.hwpt = attachment->hwpt,
		/* Of what was adopted only an id is known. */
		.queue = attachment->ioas || attachment->hwpt ? li_hwpt_slot_queue(attachment->hwpt)
	                                                      : SLOT_QUEUE_ANY,
		.tag = attachment->tag,
	};

	struct slot_value set;

	if (attachment->pt_id)
		li_slot_set(own, &value);
	else
		li_slot_clear(own);
	if (fresh && slot_read(own, &set))
		name->told = (struct told){.tag = set.tag, .generation = set.generation};
}

void li_device_set_attachment(struct libiommu_device *dev, const struct attachment *attachment)
{
	const struct attachment old = dev->attachment;

	if (attachment->ioas)
		li_ioas_pin(attachment->ioas);
	if (attachment->hwpt)
		li_hwpt_pin(attachment->hwpt);
	dev->attachment = *attachment;
	atomic_store(&dev->pt_id, attachment->pt_id);
	if (dev->entry.name)
		set_own(dev->entry.name, attachment,
		        attachment->pt_id != old.pt_id || attachment->hwpt != old.hwpt);
	if (old.ioas)
		li_ioas_unpin(old.ioas);
	if (old.hwpt)
		li_hwpt_unpin(old.hwpt);
}

struct device_pasids *li_device_pasids(struct libiommu_device *dev)
{
	return &dev->pasids;
}

const struct libiommu_pasid_space *li_device_pasid_space(const struct libiommu_device *dev)
{
	return atomic_load_explicit(&dev->pasids.space, memory_order_acquire);
}

struct name *li_device_name(const struct libiommu_device *dev)
{
	return state_of(dev) & STATE_BOUND ? dev->entry.name : NULL;
}

bool li_device_has_name(const struct libiommu_device *dev)
{
	return atomic_load_explicit(&dev->entry.name->generation, memory_order_acquire) ==
	       dev->entry.generation;
}

struct mapping_list *li_device_mappings(struct libiommu_device *dev)
{
	return &dev->mappings;
}

struct device_child *li_device_child(const struct libiommu_device *dev)
{
	return dev->child;
}

void li_device_set_child(struct libiommu_device *dev, struct device_child *child)
{
	dev->child = child;
}

struct region_cache *li_device_regions(struct libiommu_device *dev)
{
	return &dev->regions;
}

bool li_device_is_grouped(const struct libiommu_device *dev)
{
	return state_of(dev) & STATE_GROUPED;
}

struct group *li_device_group(const struct libiommu_device *dev)
{
	return dev->group;
}

bool li_device_is_legacy(const struct libiommu_device *dev)
{
	return dev->legacy;
}

bool li_device_is_labelled(const struct libiommu_device *dev)
{
	return state_of(dev) & STATE_LABELLED;
}

bool li_device_is_taken_over(const struct libiommu_device *dev)
{
	return state_of(dev) & STATE_TAKEN_OVER;
}

void li_device_set_taken_over(struct libiommu_device *dev)
{
	add_state(dev, STATE_TAKEN_OVER);
}

int li_device_set_bound(struct libiommu_device *dev, const struct device_binding *binding,
                        struct registry_spare *spare)
{
	int error;

	dev->entry.id = binding->id;
	dev->entry.label = binding->label;
	dev->entry.shared_group = binding->shared_group;
	error = li_registry_add(li_ctx_registry(dev->ctx), &dev->entry, binding->fresh, spare);
	if (error)
		dev->entry.id = 0;
	else
		add_state(dev, STATE_BOUND | STATE_LABELLED);
	return error;
}

int libiommu_device_fd(const struct libiommu_device *dev)
{
	const char *text;
	int error;

	if (!dev)
		return FAIL_NULL(NULL);
	error = check(dev, state_of(dev), dev->legacy ? DEVICE_BOUND : DEVICE_OPEN, &text);
	if (error)
		return FAIL_LIBRARY(dev->ctx, __func__, error, text, .id = dev->entry.id);
	li_device_keep_open(dev);
	return li_device_fd(dev);
}

int libiommu_device_id(const struct libiommu_device *dev, uint32_t *id)
{
	const char *text;
	int error;

	if (!dev || !id)
		return FAIL_NULL(dev ? dev->ctx : NULL);
	/* As the label, it is told of a device that was revoked too. */
	error = check(dev, state_of(dev) & ~(unsigned int)STATE_REVOKED, DEVICE_NODE, &text);
	if (error)
		return FAIL_LIBRARY(dev->ctx, __func__, error, text, .id = 0);
	*id = dev->entry.id;
	return 0;
}

int libiommu_device_label(const struct libiommu_device *dev, uint64_t *label)
{
	if (!dev || !label)
		return FAIL_NULL(dev ? dev->ctx : NULL);
	if (!(state_of(dev) & STATE_LABELLED))
		return FAIL_LIBRARY(dev->ctx, __func__, -EINVAL,
		                    "the device has no label yet (libiommu_device_bind())",
		                    .id = 0);
	*label = dev->entry.label;
	return 0;
}

int libiommu_device_pt_id(const struct libiommu_device *dev, uint32_t *pt_id)
{
	uint32_t found;

	if (!dev || !pt_id)
		return FAIL_NULL(dev ? dev->ctx : NULL);
	found = atomic_load(&dev->pt_id);
	if (!found)
		return FAIL_LIBRARY(dev->ctx, __func__, -ENOENT, "the device is not attached",
		                    .id = dev->entry.id);
	*pt_id = found;
	return 0;
}
