/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Which device's group is in which container. All with the lock held. */
#include <errno.h>
#include <stdlib.h>

#include "../base/uapi/vfio-container.h"
#include "type1.h"

static const char *const in_use =
	"its group would have to change containers, which the kernel allows only while no device "
	"of "
	"it is open, and registers, interrupts or the descriptor of one were used already: attach "
	"first, or destroy the device and open it again";

static int enter(const struct type1 *type1, struct type1_group *group, struct container *container,
                 struct refusal *refusal)
{
	int32_t fd = container->fd;
	int error;

	error = li_sys_ioctl(type1->sys, group->fd, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, &fd);
	if (error)
		return li_refuse_kernel(refusal, error,
		                        group->unsafe ? CALL_SET_IOMMU : CALL_GROUP);
	if (!container->groups)
		error = li_container_start(container, refusal);
	if (error) {
		li_sys_ioctl(type1->sys, group->fd, UAPI_IOC_VFIO_GROUP_UNSET_CONTAINER, NULL);
		return error;
	}
	container->groups++;
	group->container = container;
	return 0;
}

/*
 * None of the group's devices is open. If one is all the same, through a descriptor that was given
 * away, the kernel lets it leave when that is closed, the group's own being closed already.
 */
static void leave(const struct type1 *type1, struct type1_group *group)
{
	li_sys_ioctl(type1->sys, group->fd, UAPI_IOC_VFIO_GROUP_UNSET_CONTAINER, NULL);
	group->container->groups--;
	group->container = NULL;
}

static void set_container(struct space *space, struct container *container)
{
	pthread_mutex_lock(&space->lock);
	if (!container)
		li_type1_bits_are_lost(space);
	space->container = container;
	pthread_mutex_unlock(&space->lock);
}

/* If nothing is in it any more. */
static void put_container(struct container *container)
{
	if (container->groups)
		return;
	if (container->space)
		set_container(container->space, NULL);
	li_container_close(container);
}

/* A container with nothing mapped, for the group alone. */
static int enter_new(struct type1 *type1, struct type1_group *group, struct refusal *refusal)
{
	struct container *container;
	int error;

	error = li_container_open(type1->sys, type1->path, group->unsafe,
	                          type1->spapr ? &type1->memory : NULL, &container, refusal);
	if (error)
		return error;
	error = enter(type1, group, container, refusal);
	if (error)
		li_container_close(container);
	return error;
}

static int open_device(const struct type1 *type1, struct type1_device *dev, struct refusal *refusal)
{
	const int fd = li_sys_ioctl(type1->sys, dev->group->fd, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD,
	                            dev->name);

	if (fd < 0)
		return li_refuse_kernel(refusal, fd, CALL_GROUP);
	dev->fd = fd;
	dev->group->open++;
	return 0;
}

static void close_device(const struct type1 *type1, struct type1_device *dev)
{
	li_sys_close(type1->sys, dev->fd);
	dev->fd = -1;
	dev->group->open--;
}

static void leave_for_good(const struct type1 *type1, struct type1_group *group)
{
	struct container *const container = group->container;

	leave(type1, group);
	put_container(container);
}

int li_type1_bind(struct type1 *type1, struct type1_device *dev, struct refusal *refusal)
{
	struct type1_group *const group = dev->group;
	int error = 0;

	pthread_mutex_lock(&type1->lock);
	if (!group->container)
		error = enter_new(type1, group, refusal);
	if (!error) {
		error = open_device(type1, dev, refusal);
		if (error && !group->open)
			leave_for_good(type1, group);
	}
	pthread_mutex_unlock(&type1->lock);
	return error;
}

/* Back to where it was, as it was. */
static int put_back(const struct type1 *type1, struct type1_device *dev, struct container *from)
{
	struct refusal ignored;
	int error = 0;

	if (!dev->group->container)
		error = enter(type1, dev->group, from, &ignored);
	if (!error)
		error = open_device(type1, dev, &ignored);
	return error;
}

/*
 * To another container, or with NULL to a new one. Its one open device is closed and opened again.
 * The old container still has other groups, or else nothing mapped.
 */
static int move(struct type1 *type1, struct type1_device *dev, struct container *to,
                struct refusal *refusal)
{
	struct type1_group *const group = dev->group;
	struct container *const from = group->container;
	int error;

	if (group->open > 1 || atomic_load(&dev->kept))
		return li_refuse(refusal, -EBUSY, in_use);
	close_device(type1, dev);
	leave(type1, group);
	error = to ? enter(type1, group, to, refusal) : enter_new(type1, group, refusal);
	if (!error) {
		error = open_device(type1, dev, refusal);
		if (!error) {
			put_container(from);
			return 0;
		}
		to = group->container;
		leave(type1, group);
		put_container(to);
	}
	if (put_back(type1, dev, from)) {
		if (group->container)
			leave(type1, group);
		put_container(from);
		return li_refuse(refusal, -ENODEV,
		                 "its group could neither change containers nor go back: the "
		                 "device is lost, and all that can be done is to destroy it");
	}
	return error;
}

/* Put in what is mapped, or nothing. */
static int fill(const struct space *space, struct container *container, struct refusal *refusal)
{
	const struct extents *const extents = &space->extents;
	struct refusal ignored;
	int error;

	if (container->unsafe && extents->count)
		return li_refuse(refusal, -EOPNOTSUPP,
		                 "something is mapped, and there is no IOMMU behind the device to "
		                 "map it");
	error = li_container_read(container, refusal);
	if (!error && space->tracking && !li_container_can_track(container))
		error = li_refuse(refusal, -EOPNOTSUPP,
		                  "what is written is recorded, which this container cannot do");
	for (size_t i = 0; i < extents->count && !error; i++)
		if (extents->all[i].flags & EXTENT_FORGOTTEN)
			error = li_refuse(refusal, -EBUSY,
			                  "memory of it is forgotten "
			                  "(libiommu_container_renew_memory())");
	for (size_t i = 0; i < extents->count && !error; i++)
		if (!li_container_allows(container, extents->all[i].first, extents->all[i].last))
			error = li_refuse(refusal, -EADDRINUSE,
			                  "something is mapped where the device needs a range for "
			                  "itself (interrupts, firmware), or beyond what the IOMMU "
			                  "translates: see libiommu_ioas_ranges()");
	for (size_t i = 0; i < extents->count && !error; i++) {
		error = li_container_map(container, &extents->all[i], refusal);
		if (error)
			li_container_unmap(container, extents->all, i, &ignored);
		/* That there are too many is no matter of what is mapped before or after. */
		if (error && error != -ENOSPC)
			refusal->call = CALL_ATTACH;
	}
	if (!error && space->tracking) {
		error = li_container_track(container, true, refusal);
		if (error)
			li_container_unmap(container, extents->all, extents->count, &ignored);
	}
	return error;
}

/* The container becomes the address space's. */
static int adopt(struct container *container, struct space *space, struct refusal *refusal)
{
	int error;

	pthread_mutex_lock(&space->lock);
	error = fill(space, container, refusal);
	if (!error) {
		space->container = container;
		container->space = space;
	}
	pthread_mutex_unlock(&space->lock);
	return error;
}

/* And stops to be: the group in it keeps it, with nothing mapped. */
static int empty(struct container *container, struct refusal *refusal)
{
	struct space *const space = container->space;
	const struct extents *const extents = &space->extents;
	struct refusal ignored;
	int error;

	pthread_mutex_lock(&space->lock);
	error = li_container_unmap(container, extents->all, extents->count, refusal);
	if (!error) {
		li_type1_bits_are_lost(space);
		if (space->tracking)
			li_container_track(container, false, &ignored);
		if (container->ops->reset)
			container->ops->reset(container);
		space->container = NULL;
		container->space = NULL;
	}
	pthread_mutex_unlock(&space->lock);
	return error;
}

static int join(struct type1 *type1, struct type1_device *dev, struct space *space,
                struct refusal *refusal)
{
	struct refusal ignored;
	int error;

	if (dev->group->unsafe != space->container->unsafe)
		return li_refuse(refusal, -EINVAL,
		                 "devices with and without an IOMMU behind them share no address "
		                 "space");
	error = move(type1, dev, space->container, refusal);
	if (error)
		return error;
	pthread_mutex_lock(&space->lock);
	/* Which addresses are left is better known, but the kernel checks them anyway. */
	li_container_read(space->container, &ignored);
	pthread_mutex_unlock(&space->lock);
	return 0;
}

static int attach(struct type1 *type1, struct type1_device *dev, struct space *space,
                  struct refusal *refusal)
{
	struct type1_group *const group = dev->group;
	struct container *const container = group->container;
	int error = 0;

	if (dev->attached)
		return li_refuse(refusal, -EOPNOTSUPP,
		                 "a container cannot change all its mappings at once: detach, and "
		                 "attach again");
	if (container->space == space)
		return 0;
	if (group->attached)
		return li_refuse(refusal, -EINVAL, "a device of its group is attached elsewhere");
	/* It was left alone in the container of another address space, with nothing attached. */
	if (container->space && container->groups == 1)
		error = empty(container, refusal);
	if (error)
		return error;
	if (space->container)
		return join(type1, dev, space, refusal);
	if (container->groups > 1)
		return li_refuse(refusal, -EBUSY, in_use);
	return adopt(container, space, refusal);
}

int li_type1_attach(struct type1 *type1, struct type1_device *dev, uint32_t id,
                    struct refusal *refusal)
{
	int error;

	pthread_mutex_lock(&type1->lock);
	error = attach(type1, dev, li_type1_space(type1, id), refusal);
	if (!error) {
		dev->attached = true;
		dev->group->attached++;
	}
	pthread_mutex_unlock(&type1->lock);
	return error;
}

/* The other devices of a group that has any left are still attached with it. */
static int detach(struct type1 *type1, struct type1_device *dev, struct refusal *refusal)
{
	if (dev->group->attached > 1)
		return 0;
	if (dev->group->container->groups == 1)
		return empty(dev->group->container, refusal);
	return move(type1, dev, NULL, refusal);
}

int li_type1_detach(struct type1 *type1, struct type1_device *dev, struct refusal *refusal)
{
	int error;

	pthread_mutex_lock(&type1->lock);
	error = detach(type1, dev, refusal);
	if (!error || dev->fd < 0) {
		dev->attached = false;
		dev->group->attached--;
	}
	pthread_mutex_unlock(&type1->lock);
	return error;
}

void li_type1_unbind(struct type1 *type1, struct type1_device *dev)
{
	struct type1_group *const group = dev->group;
	struct refusal ignored;

	pthread_mutex_lock(&type1->lock);
	if (dev->attached)
		group->attached--;
	dev->attached = false;
	if (dev->fd >= 0)
		close_device(type1, dev);
	if (!group->open && group->container)
		leave_for_good(type1, group);
	else if (group->container && group->container->space && !group->attached &&
	         group->container->groups == 1)
		empty(group->container, &ignored);
	pthread_mutex_unlock(&type1->lock);
}
