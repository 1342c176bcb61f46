/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "hwpt.h"
#include "viommu.h"

#define MOST_ENTRIES (1U << 19)

/* No array at all is allowed: it asks whether the type is known. */
static bool in_bounds(const struct uapi_hwpt_invalidate *cmd)
{
	return !cmd->entry_num ||
	       (cmd->data_uptr && cmd->entry_len && cmd->entry_len <= EMU_USER_ENTRY_MAX &&
	        cmd->entry_num <= MOST_ENTRIES);
}

static int of_table(struct emu_domain *domain, struct emu_user_array *array, uint32_t *done)
{
	int error;

	if (!domain->ops->invalidate)
		return -EOPNOTSUPP;
	error = domain->ops->invalidate(domain, array);
	*done = array->count;
	return error;
}

static int of_viommu(struct emu_viommu *viommu, struct emu_user_array *array, uint32_t *done)
{
	int error;

	if (!viommu->ops->invalidate)
		return -EOPNOTSUPP;
	error = viommu->ops->invalidate(viommu, array);
	*done = array->count;
	return error;
}

static int invalidate(const struct emu_call *call, const struct uapi_hwpt_invalidate *cmd,
                      uint32_t *done)
{
	struct emu_user_array array = {
		.task = call->task,
		.type = cmd->data_type,
		.entry_length = cmd->entry_len,
		.count = cmd->entry_num,
		.address = (uintptr_t)cmd->data_uptr,
	};
	struct emu_object *object;

	if (cmd->reserved)
		return -EOPNOTSUPP;
	if (!in_bounds(cmd))
		return -EINVAL;
	object = emu_object_find(call->ctx, cmd->hwpt_id, EMU_ANY);
	if (!object)
		return -ENOENT;
	if (object->ops->type == EMU_HWPT_NESTED)
		return of_table(((struct emu_hwpt *)object)->domain, &array, done);
	if (object->ops->type == EMU_VIOMMU)
		return of_viommu(emu_viommu_of(object), &array, done);
	return -EINVAL;
}

/* What was handled is told also where the call fails. */
int emu_hwpt_invalidate(struct emu_call *call)
{
	struct uapi_hwpt_invalidate *const cmd = call->cmd;
	uint32_t done = 0;
	const int error = invalidate(call, cmd, &done);

	cmd->entry_num = done;
	return emu_call_respond(call) ? -EFAULT : error;
}
