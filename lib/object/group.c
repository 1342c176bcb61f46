/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../backend/type1.h"
#include "../base/uapi/vfio.h"
#include "device.h"
#include "discover.h"
#include "holder.h"

struct group {
	struct group *next;
	unsigned int uses;
	struct type1_group legacy; /* its descriptor; the rest is for legacy containers */
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

/* How the kernel names the groups that it makes up for devices without an IOMMU. */
static bool is_unsafe(const char *path)
{
	static const char prefix[] = "noiommu-";
	const char *const slash = strrchr(path, '/');

	return !strncmp(slash ? slash + 1 : path, prefix, strlen(prefix));
}

/*
 * With the list's lock held. Returns what the kernel says, and where it says it through @call. A
 * legacy container comes later, with the first of its devices.
 */
static int open_group(struct libiommu_ctx *ctx, struct group *group, enum failure_call *call)
{
	const struct backend *const backend = li_ctx_backend(ctx);
	struct uapi_vfio_group_status status = {.argsz = sizeof(status)};
	int32_t container = backend->fd;
	int error;
	int fd;

	*call = CALL_OPEN;
	fd = li_sys_open(backend->sys, group->path, O_RDWR);
	if (fd < 0)
		return fd;
	*call = CALL_GROUP;
	error = li_sys_ioctl(backend->sys, fd, UAPI_IOC_VFIO_GROUP_GET_STATUS, &status);
	if (!error && !(status.flags & UAPI_VFIO_GROUP_FLAGS_VIABLE))
		error = -EPERM;
	if (!error && !backend->type1)
		error = li_sys_ioctl(backend->sys, fd, UAPI_IOC_VFIO_GROUP_SET_CONTAINER,
		                     &container);
	if (error)
		li_sys_close(backend->sys, fd);
	group->legacy = (struct type1_group){.fd = fd, .unsafe = is_unsafe(group->path)};
	return error;
}

static struct group *find_group(const struct group_list *list, const char *path)
{
	for (struct group *group = list->groups; group; group = group->next)
		if (!strcmp(group->path, path))
			return group;
	return NULL;
}

static int find_or_open(struct libiommu_ctx *ctx, const char *path, struct group **group,
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
		li_sys_close(li_ctx_backend(ctx)->sys, group->legacy.fd);
		free(group);
	}
	pthread_mutex_unlock(&list->lock);
}

bool li_group_write_name(char *text, size_t size, const char *name, const uint8_t *t)
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

int li_group_get(struct libiommu_ctx *ctx, const char *operation, const char *path,
                 const char *name, struct group **group)
{
	char obstacle[SYSFS_PATH_MAX];
	enum failure_call call;
	int error;

	error = find_or_open(ctx, path, group, &call);
	if (!error)
		return 0;
	if (error == -ENOMEM && call == CALL_NONE)
		return FAIL_MEMORY_IN(ctx, operation);
	explain(ctx, path, name, error, obstacle, sizeof(obstacle));
	return FAIL_KERNEL(ctx, operation, error, call, .subject = obstacle);
}

struct type1_group *li_group_legacy(struct group *group)
{
	return &group->legacy;
}

static int open_device(struct libiommu_ctx *ctx, const char *operation, struct group *group,
                       const char *name, char *kernel_name, struct libiommu_device **dev)
{
	const struct libiommu_sys *const sys = li_ctx_backend(ctx)->sys;
	const int fd =
		li_sys_ioctl(sys, group->legacy.fd, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, kernel_name);

	if (fd < 0)
		return FAIL_KERNEL(ctx, operation, fd, CALL_GROUP, .subject = name);
	if (!li_device_new_grouped(ctx, fd, group, dev))
		return 0;
	li_sys_close(sys, fd);
	return FAIL_MEMORY_IN(ctx, operation);
}

int libiommu_device_open_group(struct libiommu_ctx *ctx, const char *group, const char *name,
                               const uint8_t *vf_token, struct libiommu_device **dev)
{
	char kernel_name[GROUP_NAME_MAX];
	struct group *shared;
	int error;

	if (!ctx || !group || !name || !dev)
		return FAIL_NULL(ctx);
	if (!name[0])
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "the name is empty", .id = 0);
	if (!li_group_write_name(kernel_name, sizeof(kernel_name), name, vf_token))
		return FAIL_LIBRARY(ctx, __func__, -ENAMETOOLONG, "no device has a name that long",
		                    .subject = name);
	error = li_group_get(ctx, __func__, group, name, &shared);
	if (error)
		return error;
	if (!li_ctx_backend(ctx)->type1)
		error = open_device(ctx, __func__, shared, name, kernel_name, dev);
	else if (li_device_new_legacy(ctx, shared, kernel_name, dev))
		error = FAIL_MEMORY(ctx);
	if (error)
		li_group_put(ctx, shared);
	return error;
}
