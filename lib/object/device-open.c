/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "adopt.h"
#include "device.h"
#include "discover.h"
#include "group.h"
#include "registry.h"

static int open_node(struct libiommu_ctx *ctx, const char *operation, const char *path,
                     struct libiommu_device **dev)
{
	const struct libiommu_sys *const sys = li_ctx_backend(ctx)->sys;
	int error;
	int fd;

	fd = li_sys_open(sys, path, O_RDWR);
	if (fd < 0)
		return FAIL_KERNEL(ctx, operation, fd, CALL_OPEN, .subject = path);
	error = li_device_new(ctx, fd, true, dev);
	if (error) {
		li_sys_close(sys, fd);
		return FAIL_MEMORY_IN(ctx, operation);
	}
	return 0;
}

/* Without iommufd: through its group, with the name that its directory has. */
static int open_legacy(struct libiommu_ctx *ctx, const char *operation, const char *dir,
                       const struct discover_facts *facts, struct libiommu_device **dev)
{
	const char *const name = strrchr(dir, '/') + 1;
	struct group *group;
	char path[64];
	int error;

	if (strlen(name) >= SYSFS_NAME_MAX)
		return FAIL_LIBRARY(ctx, operation, -ENAMETOOLONG, "no device has a name that long",
		                    .subject = name);
	snprintf(path, sizeof(path), "/dev/vfio/%s%d", facts->unsafe ? "noiommu-" : "",
	         facts->group);
	error = li_group_get(ctx, operation, path, name, &group);
	if (error || !li_device_new_legacy(ctx, group, name, dev))
		return error;
	li_group_put(ctx, group);
	return FAIL_MEMORY_IN(ctx, operation);
}

static int open_dir(struct libiommu_ctx *ctx, const char *operation, const char *dir,
                    struct libiommu_device **dev)
{
	struct discover_facts facts;
	int error;

	error = li_discover_examine(li_ctx_backend(ctx)->sys, dir, &facts);
	if (error == -ENODEV)
		return FAIL_LIBRARY(ctx, operation, error, "sysfs has no such device",
		                    .subject = dir);
	if (error == -ENOMEM)
		return FAIL_MEMORY_IN(ctx, operation);
	if (error)
		return FAIL_KERNEL(ctx, operation, error, CALL_SYSFS, .subject = dir);
	if (li_ctx_backend(ctx)->type1 && facts.vfio && facts.group >= 0)
		return open_legacy(ctx, operation, dir, &facts, dev);
	if (facts.node[0] && !li_ctx_backend(ctx)->type1)
		return open_node(ctx, operation, facts.node, dev);
	if (facts.obstacle == LIBIOMMU_OBSTACLE_NO_NODE || facts.legacy)
		return FAIL_LIBRARY(ctx, operation, -ENOENT, "the device has no node",
		                    .subject = facts.advice);
	return FAIL_LIBRARY(ctx, operation, -ENODEV, "no VFIO driver has the device",
	                    .subject = facts.advice);
}

/* Domain (4 to 8 digits), bus, device, function: the text that sysfs uses, or an empty one. */
static void normalize_address(const char *address, char *text, size_t size)
{
	unsigned int domain, bus, slot, function;
	int domain_end = 0;
	int end = 0;

	text[0] = '\0';
	if (strspn(address, "0123456789abcdefABCDEF:.") != strlen(address) || strlen(address) > 16)
		return;
	if (sscanf(address, "%8x:%n%2x:%2x.%1x%n", &domain, &domain_end, &bus, &slot, &function,
	           &end) != 4) {
		domain = 0;
		end = 0;
		if (sscanf(address, "%2x:%2x.%1x%n", &bus, &slot, &function, &end) != 3)
			return;
	} else if (domain_end < 5) {
		return;
	}
	if (address[end] || slot > 31 || function > 7)
		return;
	snprintf(text, size, "%04x:%02x:%02x.%x", domain, bus, slot, function);
}

int libiommu_device_open_pci(struct libiommu_ctx *ctx, const char *address,
                             struct libiommu_device **dev)
{
	char text[SYSFS_NAME_MAX];
	char dir[SYSFS_PATH_MAX];

	if (!ctx || !address || !dev)
		return FAIL_NULL(ctx);
	normalize_address(address, text, sizeof(text));
	if (!text[0])
		return FAIL_LIBRARY(ctx, __func__, -EINVAL,
		                    "not a PCI address like 0000:00:03.0 or 00:03.0",
		                    .subject = address);
	snprintf(dir, sizeof(dir), "/sys/bus/pci/devices/%s", text);
	return open_dir(ctx, __func__, dir, dev);
}

int libiommu_device_open_sysfs(struct libiommu_ctx *ctx, const char *path,
                               struct libiommu_device **dev)
{
	if (!ctx || !path || !dev)
		return FAIL_NULL(ctx);
	if (path[0] != '/')
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "the path is not absolute",
		                    .subject = path);
	/* Room for the names of what is looked at in the directory. */
	if (strlen(path) + SYSFS_NAME_MAX > SYSFS_PATH_MAX)
		return FAIL_LIBRARY(ctx, __func__, -ENAMETOOLONG, "no path in sysfs is that long",
		                    .subject = path);
	return open_dir(ctx, __func__, path, dev);
}

int libiommu_device_open_node(struct libiommu_ctx *ctx, const char *path,
                              struct libiommu_device **dev)
{
	if (!ctx || !path || !dev)
		return FAIL_NULL(ctx);
	if (li_ctx_backend(ctx)->type1)
		return FAIL_KERNEL(ctx, __func__, -EOPNOTSUPP, CALL_BIND, .id = 0);
	return open_node(ctx, __func__, path, dev);
}

static int take_fd(struct libiommu_ctx *ctx, const char *operation, int fd,
                   enum libiommu_fd_mode mode, struct libiommu_device **dev)
{
	int error;

	error = li_adopt_check_fd(ctx, operation, fd, mode);
	if (error)
		return error;
	fd = li_adopt_fd(ctx, operation, fd, mode);
	if (fd < 0)
		return fd;
	error = li_device_new(ctx, fd, mode != LIBIOMMU_FD_BORROW, dev);
	if (error) {
		if (mode == LIBIOMMU_FD_DUP)
			li_sys_close(li_ctx_backend(ctx)->sys, fd);
		return FAIL_MEMORY_IN(ctx, operation);
	}
	return 0;
}

int libiommu_device_open_fd(struct libiommu_ctx *ctx, int fd, enum libiommu_fd_mode mode,
                            struct libiommu_device **dev)
{
	if (!ctx || !dev)
		return FAIL_NULL(ctx);
	return take_fd(ctx, __func__, fd, mode, dev);
}

int libiommu_device_adopt(struct libiommu_ctx *ctx, int fd, enum libiommu_fd_mode mode, uint32_t id,
                          uint32_t pt_id, uint64_t label, struct libiommu_device **dev)
{
	const struct device_binding binding = {.id = id, .label = label};
	struct libiommu_device *made;
	struct registry_spare spare;
	int error;

	if (!ctx || !dev)
		return FAIL_NULL(ctx);
	if (!id)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "the id is 0", .id = 0);
	if (li_registry_spare_alloc(&spare))
		return FAIL_MEMORY(ctx);
	error = take_fd(ctx, __func__, fd, mode, &made);
	if (error) {
		li_registry_spare_free(&spare);
		return error;
	}
	error = li_device_set_bound(made, &binding, &spare);
	li_registry_spare_free(&spare);
	if (error) {
		li_device_discard(made, mode == LIBIOMMU_FD_DUP);
		return FAIL_LIBRARY(ctx, __func__, error,
		                    "a device of the context has the id, or no kernel gives it",
		                    .id = id);
	}
	li_device_set_attachment(made, &(const struct attachment){.pt_id = pt_id});
	*dev = made;
	return 0;
}
