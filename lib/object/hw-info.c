/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "hw-info.h"

#include <errno.h>
#include <stdlib.h>

#include "../backend/type1.h"
#include "../base/uapi/iommufd.h"
#include "device.h"

/* More than any structure up to Linux 7.3. */
#define FIRST_ROOM 64

static int ask(struct libiommu_device *dev, struct uapi_hw_info *cmd)
{
	cmd->size = sizeof(*cmd);
	cmd->dev_id = li_device_id(dev);
	return backend_ioctl(li_ctx_backend(li_device_ctx(dev)), UAPI_IOC_GET_HW_INFO, cmd);
}

/* Returns 0, -ENOMEM, or the kernel's error as 1 with *@refusal set. */
static int ask_all(struct libiommu_device *dev, struct libiommu_hw_info *info,
                   struct uapi_hw_info *cmd, int *refusal)
{
	size_t room = FIRST_ROOM;

	/* The kernel always says how much it has, so that the second time is enough. */
	for (int attempt = 0; attempt < 2; attempt++) {
		free(info->data);
		info->data = calloc(1, room);
		if (!info->data)
			return -ENOMEM;
		*cmd = (struct uapi_hw_info){
			.data_len = (uint32_t)room,
			.data_uptr = (uintptr_t)info->data,
		};
		*refusal = ask(dev, cmd);
		if (*refusal)
			return 1;
		info->length = cmd->data_len < room ? cmd->data_len : room;
		if (cmd->data_len <= room)
			break;
		room = cmd->data_len;
	}
	return 0;
}

/*
 * A kernel that does not know a field leaves it 0, and 0 is an answer too. What tells them apart is
 * that kernels overwrite the fields they know without looking, refuse bytes they know as reserved
 * unless they are 0 (-EOPNOTSUPP), and refuse bytes beyond what they know likewise (-E2BIG). The
 * kernel's version would not tell: PASIDs came to stable kernels that lack the ioctls of 6.15.
 */
static enum hw_reports find_reports(struct libiommu_device *dev)
{
	struct uapi_hw_info cmd = {.out_max_pasid_log2 = UINT8_MAX, .out_capabilities = UINT64_MAX};
	const int error = ask(dev, &cmd);

	if (!error && cmd.out_max_pasid_log2 != UINT8_MAX)
		return HW_REPORTS_PASID;
	return error && error != -EOPNOTSUPP ? HW_REPORTS_TYPE : HW_REPORTS_CAPABILITIES;
}

/* Refused where there is no such extension, and by kernels before 6.17. */
static void ask_cmdqv(struct libiommu_device *dev, struct libiommu_hw_info *info)
{
	struct uapi_hw_info cmd = {
		.flags = UAPI_HW_INFO_FLAG_INPUT_TYPE,
		.in_data_type = UAPI_HW_INFO_TYPE_TEGRA241_CMDQV,
		.data_len = sizeof(info->cmdqv),
		.data_uptr = (uintptr_t)&info->cmdqv,
	};

	if (ask(dev, &cmd) || cmd.out_data_type != UAPI_HW_INFO_TYPE_TEGRA241_CMDQV)
		return;
	info->cmdqv_length =
		cmd.data_len < sizeof(info->cmdqv) ? cmd.data_len : sizeof(info->cmdqv);
}

/*
 * There is an IOMMU, or a device with one would not be in such a container. What else it could do,
 * the container cannot.
 */
static int make_legacy(struct libiommu_device *dev, struct libiommu_hw_info **info)
{
	const struct type1_device *const legacy = li_device_backend(dev).legacy;
	struct libiommu_hw_info *made;

	if (legacy->group->unsafe)
		return -EOPNOTSUPP;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->type = UAPI_HW_INFO_TYPE_NONE;
	made->reports = HW_REPORTS_CONTAINER;
	*info = made;
	return 0;
}

static int get_legacy(struct libiommu_device *dev, const char *operation,
                      struct libiommu_hw_info **info)
{
	int error;

	error = li_device_enter(dev, operation, DEVICE_BOUND);
	if (error)
		return error;
	error = make_legacy(dev, info);
	li_device_leave(dev);
	if (error == -EOPNOTSUPP)
		return FAIL_LIBRARY(li_device_ctx(dev), operation, error,
		                    "there is no IOMMU behind the device", .id = 0);
	return error ? FAIL_MEMORY_IN(li_device_ctx(dev), operation) : 0;
}

int libiommu_hw_info_get(struct libiommu_device *dev, struct libiommu_hw_info **info)
{
	struct libiommu_hw_info *made;
	struct uapi_hw_info cmd;
	int refusal = 0;
	int error;

	if (!dev || !info)
		return FAIL_NULL(dev ? li_device_ctx(dev) : NULL);
	if (li_device_is_legacy(dev))
		return get_legacy(dev, __func__, info);
	error = li_device_enter(dev, __func__, DEVICE_NODE);
	if (error)
		return error;
	made = calloc(1, sizeof(*made));
	error = made ? ask_all(dev, made, &cmd, &refusal) : -ENOMEM;
	if (!error) {
		made->type = cmd.out_data_type;
		made->capabilities = cmd.out_capabilities;
		made->pasid_width = cmd.out_max_pasid_log2;
		made->reports = made->pasid_width ? HW_REPORTS_PASID : find_reports(dev);
		if (made->type == UAPI_HW_INFO_TYPE_ARM_SMMUV3)
			ask_cmdqv(dev, made);
	}
	li_device_leave(dev);
	if (error) {
		libiommu_hw_info_free(made);
		if (error < 0)
			return FAIL_MEMORY(li_device_ctx(dev));
		return FAIL_KERNEL(li_device_ctx(dev), __func__, refusal, CALL_HW_INFO,
		                   .id = li_device_id(dev));
	}
	*info = made;
	return 0;
}

void libiommu_hw_info_free(struct libiommu_hw_info *info)
{
	if (!info)
		return;
	free(info->data);
	free(info);
}

int libiommu_hw_info_raw(const struct libiommu_hw_info *info, uint32_t *type, const void **data,
                         size_t *length)
{
	if (!info || !type || !data || !length)
		return FAIL_NULL(NULL);
	*type = info->type;
	*data = info->length ? info->data : NULL;
	*length = info->length;
	return 0;
}

int libiommu_hw_info_field(const struct libiommu_hw_info *info, enum libiommu_hw_field field,
                           uint64_t *value)
{
	int error;

	if (!info || !value)
		return FAIL_NULL(NULL);
	error = li_hw_info_field(info, field, value);
	if (error == -EINVAL)
		return FAIL_LIBRARY(NULL, __func__, error, "unknown field", .amount = field,
		                    .unit = "is its number");
	if (error)
		return FAIL_LIBRARY(
			NULL, __func__, error,
			"this IOMMU has no such field, or the kernel does not report it",
			.subject = libiommu_hw_info_type_name(info->type));
	return 0;
}

const char *libiommu_hw_info_type_name(uint32_t type)
{
	switch (type) {
	case UAPI_HW_INFO_TYPE_NONE:
		return "none";
	case UAPI_HW_INFO_TYPE_INTEL_VTD:
		return "VT-d";
	case UAPI_HW_INFO_TYPE_ARM_SMMUV3:
		return "SMMUv3";
	case UAPI_HW_INFO_TYPE_TEGRA241_CMDQV:
		return "Tegra241 CMDQV";
	case UAPI_HW_INFO_TYPE_AMD:
		return "AMD";
	}
	return "unknown";
}
