/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What is asked of the IOMMU of a device. */
#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "device.h"

static uint64_t capabilities(const struct emu_dev *dev)
{
	const struct emu_iommu *const iommu = dev->group->iommu;
	uint64_t found = 0;

	if (iommu->dirty && !dev->no_dirty)
		found |= UAPI_HW_CAP_DIRTY_TRACKING;
	if (!iommu->ats || !dev->ats)
		found |= UAPI_HW_CAP_PCI_ATS_NOT_SUPPORTED;
	if (emu_dev_pasid_bits(dev) && dev->pasid_exec)
		found |= UAPI_HW_CAP_PCI_PASID_EXEC;
	if (emu_dev_pasid_bits(dev) && dev->pasid_privileged)
		found |= UAPI_HW_CAP_PCI_PASID_PRIV;
	return found;
}

/* As much as there is room for, and zeros behind it. */
static int put_data(const struct emu_call *call, const void *data, size_t length)
{
	static const char zeros[4096];
	const struct uapi_hw_info *const cmd = call->cmd;
	const size_t room = cmd->data_len;
	size_t at = length < room ? length : room;

	if (emu_put(call->task, (uintptr_t)cmd->data_uptr, data, at))
		return -EFAULT;
	while (at < room) {
		const size_t part = room - at < sizeof(zeros) ? room - at : sizeof(zeros);

		if (emu_put(call->task, (uintptr_t)cmd->data_uptr + at, zeros, part))
			return -EFAULT;
		at += part;
	}
	return 0;
}

static int inform(struct emu_call *call, struct emu_dev *dev)
{
	struct emu_iommu *const iommu = dev->group->iommu;
	struct uapi_hw_info *const cmd = call->cmd;
	uint32_t type = cmd->flags & UAPI_HW_INFO_FLAG_INPUT_TYPE ? cmd->in_data_type
	                                                          : UAPI_HW_INFO_TYPE_DEFAULT;
	const void *data = NULL;
	size_t length = 0;
	int error = 0;

	if (iommu->ops->hw_info)
		error = iommu->ops->hw_info(iommu, dev, &type, &data, &length);
	else
		type = UAPI_HW_INFO_TYPE_NONE;
	if (!error)
		error = put_data(call, data, length);
	if (error)
		return error;
	cmd->out_data_type = type;
	cmd->data_len = (uint32_t)length;
	cmd->out_capabilities = capabilities(dev);
	cmd->out_max_pasid_log2 = (uint8_t)emu_dev_pasid_bits(dev);
	return emu_call_respond(call);
}

int emu_get_hw_info(struct emu_call *call)
{
	const struct uapi_hw_info *const cmd = call->cmd;
	struct emu_object *object;

	if (cmd->flags & ~UAPI_HW_INFO_FLAG_INPUT_TYPE)
		return -EOPNOTSUPP;
	if (cmd->reserved[0] || cmd->reserved[1] || cmd->reserved[2])
		return -EOPNOTSUPP;
	object = emu_object_find(call->ctx, cmd->dev_id, EMU_DEVICE);
	if (!object)
		return -ENOENT;
	if (!((struct emu_device *)object)->dev->group->iommu)
		return -EOPNOTSUPP;
	return inform(call, ((struct emu_device *)object)->dev);
}
