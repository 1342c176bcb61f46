/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Options of a context and of address spaces. */
#include <errno.h>
#include <stddef.h>

#include "../lib/base/uapi/iommufd.h"
#include "account.h"
#include "ioas.h"

static int rlimit_mode(struct emu_call *call)
{
	struct uapi_option *const cmd = call->cmd;

	if (cmd->object_id)
		return -EOPNOTSUPP;
	switch (cmd->op) {
	case UAPI_OPTION_OP_GET:
		cmd->val64 = call->ctx->charge_process;
		return 0;
	case UAPI_OPTION_OP_SET:
		if (!emu_task_is_root(call->task))
			return -EPERM;
		if (!emu_ids_none(&call->ctx->objects.ids))
			return -EBUSY;
		if (cmd->val64 > 1)
			return -EINVAL;
		call->ctx->charge_process = cmd->val64;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int huge_pages(struct uapi_option *cmd, struct emu_ioas *ioas)
{
	switch (cmd->op) {
	case UAPI_OPTION_OP_GET:
		cmd->val64 = emu_ioas_huge(ioas);
		return 0;
	case UAPI_OPTION_OP_SET:
		if (cmd->val64 > 1)
			return -EINVAL;
		if (!cmd->val64)
			return emu_ioas_set_small_pages(ioas);
		ioas->small_pages = false;
		return emu_ioas_align(ioas);
	default:
		return -EOPNOTSUPP;
	}
}

static int set_or_get(struct emu_call *call)
{
	struct uapi_option *const cmd = call->cmd;
	struct emu_ioas *ioas;

	if (cmd->reserved)
		return -EOPNOTSUPP;
	switch (cmd->option_id) {
	case UAPI_OPTION_RLIMIT_MODE:
		return rlimit_mode(call);
	case UAPI_OPTION_HUGE_PAGES:
		ioas = emu_ioas_find(call->ctx, cmd->object_id);
		return ioas ? huge_pages(cmd, ioas) : -ENOENT;
	default:
		return -EOPNOTSUPP;
	}
}

int emu_option(struct emu_call *call)
{
	const struct uapi_option *const cmd = call->cmd;
	const int error = set_or_get(call);

	if (error)
		return error;
	return emu_put(call->task, call->user + offsetof(struct uapi_option, val64), &cmd->val64,
	               sizeof(cmd->val64));
}
