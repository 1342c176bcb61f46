/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../backend/type1.h"
#include "../base/uapi/vfio.h"
#include "device.h"
#include "discover.h"
#include "group.h"
#include "holder.h"
#include "registry.h"

/* The node that the descriptor was opened from and the directory of its device; false: unknown. */
static bool find_dir(const struct libiommu_device *dev, char node[SYSFS_PATH_MAX],
                     char dir[SYSFS_PATH_MAX])
{
	const struct libiommu_sys *const sys = li_ctx_backend(li_device_ctx(dev))->sys;

	snprintf(dir, SYSFS_PATH_MAX, "/proc/self/fd/%d", li_device_fd(dev));
	if (li_sys_readlink(sys, dir, node, SYSFS_PATH_MAX) < 0 || !strrchr(node, '/'))
		return false;
	snprintf(dir, SYSFS_PATH_MAX, "/sys/class/vfio-dev/%.128s/device", strrchr(node, '/') + 1);
	return true;
}

/* What is in the way: somebody else who has it open, or has its group, or what sysfs knows. */
static void explain(const struct libiommu_device *dev, int error, char *text, size_t size)
{
	const struct libiommu_sys *const sys = li_ctx_backend(li_device_ctx(dev))->sys;
	const int fd = li_device_fd(dev);
	struct discover_facts facts;
	char path[SYSFS_PATH_MAX];
	char node[SYSFS_PATH_MAX];

	text[0] = '\0';
	if (li_device_is_legacy(dev)) {
		snprintf(text, size, "%s", li_device_backend(dev).legacy->name);
		return;
	}
	if (!find_dir(dev, node, path) || li_discover_examine(sys, path, &facts))
		return;
	if (error == -EBUSY && facts.group >= 0)
		snprintf(node, sizeof(node), "/dev/vfio/%d", facts.group);
	if (error == -EINVAL || error == -EBUSY)
		li_holder_find(sys, node, fd, text, size);
	if (!text[0])
		snprintf(text, size, "%s", facts.advice);
}

/* A page request of the device may then be another's: the kernel tells them apart by group only. */
static bool shares_group(const struct libiommu_device *dev)
{
	char node[SYSFS_PATH_MAX];
	char dir[SYSFS_PATH_MAX];

	return find_dir(dev, node, dir) &&
	       li_discover_shares_group(li_ctx_backend(li_device_ctx(dev))->sys, dir);
}

/* Returns the kernel's error, and its id of the device. */
static int bind_node(struct libiommu_device *dev, const uint8_t *vf_token, uint32_t *id)
{
	struct uapi_vfio_device_bind_iommufd cmd = {
		.argsz = sizeof(cmd),
		.flags = vf_token ? UAPI_VFIO_DEVICE_BIND_FLAG_TOKEN : 0,
		.iommufd = li_ctx_backend(li_device_ctx(dev))->fd,
		.token_uuid_ptr = (uintptr_t)vf_token,
	};
	const int error = li_device_ioctl(dev, UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD, &cmd);

	if (!error)
		*id = cmd.out_devid;
	return error;
}

/* The kernel wants to hear the token when it opens the device, which is now. */
static int bind_legacy(struct libiommu_device *dev, const uint8_t *vf_token,
                       struct refusal *refusal)
{
	struct type1_device *const legacy = li_device_backend(dev).legacy;
	char name[sizeof(legacy->name)];
	int error;

	memcpy(name, legacy->name, sizeof(name));
	li_group_write_name(legacy->name, sizeof(legacy->name), name, vf_token);
	error = li_type1_bind(li_ctx_backend(li_device_ctx(dev))->type1, legacy, refusal);
	if (error)
		memcpy(legacy->name, name, sizeof(name));
	return error;
}

static int bind_node_or_legacy(struct libiommu_device *dev, const uint8_t *vf_token,
                               struct device_binding *binding, struct refusal *refusal)
{
	int error;

	if (li_device_is_legacy(dev))
		return bind_legacy(dev, vf_token, refusal);
	if (li_device_is_grouped(dev))
		return 0;
	error = bind_node(dev, vf_token, &binding->id);
	binding->shared_group = !error && shares_group(dev);
	return error ? li_refuse_kernel(refusal, error, CALL_BIND) : 0;
}

/* A device in a legacy container that was not opened with one. */
static bool takes_token(const struct libiommu_device *dev)
{
	return li_device_is_legacy(dev) && !strchr(li_device_backend(dev).legacy->name, ' ');
}

static int check(const struct libiommu_device *dev, const uint8_t *vf_token, uint32_t flags,
                 const char **text)
{
	if (flags) {
		*text = "flags must be 0";
		return -EINVAL;
	}
	if (li_device_is_labelled(dev)) {
		*text = "this handle is bound";
		return -EALREADY;
	}
	if (vf_token && li_device_is_grouped(dev) && !takes_token(dev)) {
		*text = "a device opened by its group takes its token at its open";
		return -EOPNOTSUPP;
	}
	return 0;
}

int libiommu_device_bind(struct libiommu_device *dev, uint64_t label, const uint8_t *vf_token,
                         uint32_t flags)
{
	struct device_binding binding = {.fresh = true, .label = label};
	char obstacle[SYSFS_PATH_MAX];
	struct registry_spare spare;
	struct refusal refusal;
	struct libiommu_ctx *ctx;
	const char *text = NULL;
	int error;

	error = li_device_enter_alone(dev, __func__, DEVICE_OPEN);
	if (error)
		return error;
	ctx = li_device_ctx(dev);
	error = check(dev, vf_token, flags, &text);
	if (error) {
		li_device_leave(dev);
		return FAIL_LIBRARY(ctx, __func__, error, text, .id = li_device_id(dev));
	}
	if (li_registry_spare_alloc(&spare)) {
		li_device_leave(dev);
		return FAIL_MEMORY(ctx);
	}
	error = bind_node_or_legacy(dev, vf_token, &binding, &refusal);
	if (error) {
		explain(dev, error, obstacle, sizeof(obstacle));
	} else {
		li_device_set_bound(dev, &binding, &spare);
	}
	li_device_leave(dev);
	li_registry_spare_free(&spare);
	return error ? FAIL_REFUSED(ctx, __func__, &refusal, .subject = obstacle) : 0;
}
