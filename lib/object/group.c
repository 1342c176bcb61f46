/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/uapi/vfio.h"
#include "device.h"
#include "discover.h"
#include "holder.h"

struct group {
	struct group *next;
	unsigned int uses;
	int fd;
	char path[];
};

void li_group_list_init(struct group_list *list)
{
	pthread_mutex_init(&list->lock, NULL);
	list->groups = NULL;
}

void li_group_list_free(struct group_list *list)
{
	pthread_mutex_destroy(&list->lock);
}

/* With the list's lock held. Returns what the kernel says, and where it says it through @call. */
static int open_group(struct libiommu_ctx *ctx, struct group *group, enum failure_call *call)
{
	const struct backend *const backend = li_ctx_backend(ctx);
	struct uapi_vfio_group_status status = {.argsz = sizeof(status)};
	int32_t container = backend->fd;
	int error;

	*call = CALL_OPEN;
	group->fd = li_sys_open(backend->sys, group->path, O_RDWR);
	if (group->fd < 0)
		return group->fd;
	*call = CALL_GROUP;
	error = li_sys_ioctl(backend->sys, group->fd, UAPI_IOC_VFIO_GROUP_GET_STATUS, &status);
	if (!error && !(status.flags & UAPI_VFIO_GROUP_FLAGS_VIABLE))
		error = -EPERM;
	if (!error)
		error = li_sys_ioctl(backend->sys, group->fd, UAPI_IOC_VFIO_GROUP_SET_CONTAINER,
		                     &container);
	if (error)
		li_sys_close(backend->sys, group->fd);
	return error;
}

static struct group *find_group(const struct group_list *list, const char *path)
{
	for (struct group *group = list->groups; group; group = group->next)
		if (!strcmp(group->path, path))
			return group;
	return NULL;
}

static int get_group(struct libiommu_ctx *ctx, const char *path, struct group **group,
                     enum failure_call *call)
{
	struct group_list *const list = li_ctx_groups(ctx);
	const size_t length = strlen(path) + 1;
	struct group *made;
	int error = 0;

	pthread_mutex_lock(&list->lock);
	made = find_group(list, path);
	if (!made) {
		made = malloc(sizeof(*made) + length);
		*call = CALL_NONE;
		error = -ENOMEM;
		if (made) {
			memcpy(made->path, path, length);
			error = open_group(ctx, made, call);
		}
		if (error) {
			free(made);
		} else {
			made->uses = 0;
			made->next = list->groups;
			list->groups = made;
		}
	}
	if (!error) {
		made->uses++;
		*group = made;
	}
	pthread_mutex_unlock(&list->lock);
	return error;
}

void li_group_put(struct libiommu_ctx *ctx, struct group *group)
{
	struct group_list *const list = li_ctx_groups(ctx);
	struct group **link = &list->groups;

	pthread_mutex_lock(&list->lock);
	if (!--group->uses) {
		while (*link != group)
			link = &(*link)->next;
		*link = group->next;
		li_sys_close(li_ctx_backend(ctx)->sys, group->fd);
		free(group);
	}
	pthread_mutex_unlock(&list->lock);
}

/* The kernel takes a virtual function's token as a part of the name. Returns whether it fits. */
static bool write_name(char *text, size_t size, const char *name, const uint8_t *t)
{
	const int length = !t ? snprintf(text, size, "%s", name)
	                      : snprintf(text, size,
	                                 "%s vf_token=%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
	                                 "%02x%02x%02x%02x%02x%02x",
	                                 name, t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8],
	                                 t[9], t[10], t[11], t[12], t[13], t[14], t[15]);

	return (size_t)length < size;
}

/*
 * What is in the way: somebody else who has the group open, or a device of it that the host has,
 * where the name is one that sysfs knows.
 */
static void explain(struct libiommu_ctx *ctx, const char *group, const char *name, int error,
                    char *text, size_t size)
{
	const struct libiommu_sys *const sys = li_ctx_backend(ctx)->sys;
	struct discover_facts facts;
	char dir[SYSFS_PATH_MAX];

	snprintf(dir, sizeof(dir), "/sys/bus/pci/devices/%.128s", name);
	if (li_discover_examine(sys, dir, &facts))
		facts = (struct discover_facts){.obstacle = LIBIOMMU_OBSTACLE_NONE};
	text[0] = '\0';
	if (error == -EBUSY)
		li_holder_find(sys, group, -1, text, size);
	if (error == -EBUSY && !text[0] && facts.node[0])
		li_holder_find(sys, facts.node, -1, text, size);
	if (error == -EPERM)
		snprintf(text, size, "%s", facts.advice);
	if (!text[0])
		snprintf(text, size, "%s", group);
}

int libiommu_device_open_group(struct libiommu_ctx *ctx, const char *group, const char *name,
                               const uint8_t *vf_token, struct libiommu_device **dev)
{
	char kernel_name[SYSFS_NAME_MAX + 64];
	char obstacle[SYSFS_PATH_MAX];
	enum failure_call call;
	struct group *shared;
	int error;
	int fd;

	if (!ctx || !group || !name || !dev)
		return FAIL_NULL(ctx);
	if (!name[0])
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "the name is empty", .id = 0);
	if (!write_name(kernel_name, sizeof(kernel_name), name, vf_token))
		return FAIL_LIBRARY(ctx, __func__, -ENAMETOOLONG, "no device has a name that long",
		                    .subject = name);
	error = get_group(ctx, group, &shared, &call);
	if (error == -ENOMEM && call == CALL_NONE)
		return FAIL_MEMORY(ctx);
	if (error) {
		explain(ctx, group, name, error, obstacle, sizeof(obstacle));
		return FAIL_KERNEL(ctx, __func__, error, call, .subject = obstacle);
	}
	fd = li_sys_ioctl(li_ctx_backend(ctx)->sys, shared->fd, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD,
	                  kernel_name);
	if (fd < 0) {
		li_group_put(ctx, shared);
		return FAIL_KERNEL(ctx, __func__, fd, CALL_GROUP, .subject = name);
	}
	error = li_device_new_grouped(ctx, fd, shared, dev);
	if (error) {
		li_sys_close(li_ctx_backend(ctx)->sys, fd);
		li_group_put(ctx, shared);
		return FAIL_MEMORY(ctx);
	}
	return 0;
}
