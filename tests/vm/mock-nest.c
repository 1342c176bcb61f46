/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "mock-nest.h"
#include "mock-cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "../../lib/base/uapi/iommufd.h"

static int call(int fd, unsigned long request, void *arg)
{
	const int result = ioctl(fd, request, arg);

	return result < 0 ? -errno : result;
}

int mock_check_iotlb(struct libiommu_ctx *ctx, const struct libiommu_hwpt *hwpt, uint32_t index,
                     uint32_t value)
{
	struct mock_cmd cmd = {.op = MOCK_OP_CHECK_IOTLB, .u.check = {index, value}};

	libiommu_hwpt_id(hwpt, &cmd.id);
	return mock_command(libiommu_ctx_fd(ctx), &cmd);
}

int mock_check_cache(struct libiommu_ctx *ctx, const struct libiommu_device *dev, uint32_t index,
                     uint32_t value)
{
	struct mock_cmd cmd = {.op = MOCK_OP_CHECK_CACHE, .u.check = {index, value}};

	libiommu_device_id(dev, &cmd.id);
	return mock_command(libiommu_ctx_fd(ctx), &cmd);
}

int mock_event(struct libiommu_ctx *ctx, const struct libiommu_device *dev)
{
	struct mock_cmd cmd = {.op = MOCK_OP_EVENT};

	libiommu_device_id(dev, &cmd.u.event.dev_id);
	return mock_command(libiommu_ctx_fd(ctx), &cmd);
}

static int alloc_vtd(int fd, struct uapi_hwpt_alloc *cmd)
{
	const struct mock_hwpt_data data = {.value = MOCK_CACHED};
	struct uapi_hwpt_alloc other = *cmd;
	int error;

	other.data_type = MOCK_HWPT_DATA;
	other.data_len = sizeof(data);
	other.data_uptr = (uintptr_t)&data;
	error = call(fd, UAPI_IOC_HWPT_ALLOC, &other);
	cmd->out_hwpt_id = other.out_hwpt_id;
	return error;
}

static int invalidate_vtd(struct mock_vtd *vtd, int fd, struct uapi_hwpt_invalidate *cmd)
{
	const struct uapi_hwpt_vtd_s1_invalidate *const entries = (void *)(uintptr_t)cmd->data_uptr;
	struct mock_hwpt_entry *const others = calloc(cmd->entry_num + 1, sizeof(*others));
	struct uapi_hwpt_invalidate other = *cmd;
	int error;

	if (!others)
		return -ENOMEM;
	for (uint32_t i = 0; i < cmd->entry_num; i++) {
		others[i].flags = entries[i].npages == UINT64_MAX ? MOCK_ALL : 0;
		others[i].index = (uint32_t)(entries[i].addr >> 12);
	}
	other.data_type = MOCK_INVALIDATE;
	other.data_uptr = (uintptr_t)others;
	other.entry_len = sizeof(*others);
	error = call(fd, UAPI_IOC_HWPT_INVALIDATE, &other);
	free(others);
	cmd->entry_num = other.entry_num;
	vtd->calls++;
	vtd->entries += cmd->entry_num;
	return error;
}

static int vtd_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	struct uapi_hwpt_alloc *const alloc = arg;
	struct uapi_hwpt_invalidate *const invalidate = arg;

	if (request == UAPI_IOC_HWPT_ALLOC && alloc->data_type == UAPI_HWPT_DATA_VTD_S1)
		return alloc_vtd(fd, alloc);
	if (request == UAPI_IOC_HWPT_INVALIDATE &&
	    invalidate->data_type == UAPI_HWPT_INVALIDATE_DATA_VTD_S1)
		return invalidate_vtd(user, fd, invalidate);
	return call(fd, request, arg);
}

void mock_be_vtd(struct mock *mock, struct mock_vtd *vtd)
{
	mock_set_ioctl(mock, vtd ? vtd_ioctl : NULL, vtd);
}
