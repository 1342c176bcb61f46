/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "command.h"

#include <errno.h>
#include <stddef.h>

#include "../lib/base/uapi/iommufd.h"
#include "handlers.h"
#include "test-command.h"
#include "test-iommu.h"

struct command {
	size_t size;  /* of the structure as this kernel knows it */
	size_t least; /* that a caller must give */
	int (*handle)(struct emu_call *call);
};

/* The least ends with the member that the first version of the structure had last. */
#define COMMAND(nr, type, member, function)                                                        \
	[(nr)-UAPI_CMD_BASE] = {                                                                   \
		sizeof(struct type),                                                               \
		offsetof(struct type, member) + sizeof(((struct type *)0)->member),                \
		function,                                                                          \
	}

static int destroy(struct emu_call *call)
{
	const struct uapi_destroy *const cmd = call->cmd;
	struct emu_object *const object = emu_object_find(call->ctx, cmd->id, EMU_ANY);

	return object ? emu_object_remove(object, false) : -ENOENT;
}

static const struct command commands[] = {
	COMMAND(UAPI_CMD_DESTROY, uapi_destroy, id, destroy),
	COMMAND(UAPI_CMD_IOAS_ALLOC, uapi_ioas_alloc, out_ioas_id, emu_ioas_alloc),
	COMMAND(UAPI_CMD_IOAS_ALLOW_IOVAS, uapi_ioas_allow_iovas, allowed_iovas,
                emu_ioas_allow_iovas),
	COMMAND(UAPI_CMD_IOAS_COPY, uapi_ioas_copy, src_iova, emu_ioas_copy),
	COMMAND(UAPI_CMD_IOAS_IOVA_RANGES, uapi_ioas_iova_ranges, out_iova_alignment,
                emu_ioas_iova_ranges),
	COMMAND(UAPI_CMD_IOAS_MAP, uapi_ioas_map, iova, emu_ioas_map),
	COMMAND(UAPI_CMD_IOAS_UNMAP, uapi_ioas_unmap, length, emu_ioas_unmap),
	COMMAND(UAPI_CMD_OPTION, uapi_option, val64, emu_option),
	COMMAND(UAPI_CMD_VFIO_IOAS, uapi_vfio_ioas, reserved, emu_vfio_ioas),
	COMMAND(UAPI_CMD_HWPT_ALLOC, uapi_hwpt_alloc, reserved, emu_hwpt_alloc),
	COMMAND(UAPI_CMD_GET_HW_INFO, uapi_hw_info, reserved, emu_get_hw_info),
	COMMAND(UAPI_CMD_HWPT_SET_DIRTY_TRACKING, uapi_hwpt_set_dirty_tracking, reserved,
                emu_hwpt_set_dirty_tracking),
	COMMAND(UAPI_CMD_HWPT_GET_DIRTY_BITMAP, uapi_hwpt_get_dirty_bitmap, data,
                emu_hwpt_get_dirty_bitmap),
	COMMAND(UAPI_CMD_HWPT_INVALIDATE, uapi_hwpt_invalidate, reserved, emu_hwpt_invalidate),
	COMMAND(UAPI_CMD_FAULT_QUEUE_ALLOC, uapi_fault_alloc, out_fault_fd, emu_fault_alloc),
	COMMAND(UAPI_CMD_IOAS_MAP_FILE, uapi_ioas_map_file, iova, emu_ioas_map_file),
	COMMAND(UAPI_CMD_VIOMMU_ALLOC, uapi_viommu_alloc, out_viommu_id, emu_viommu_alloc),
	COMMAND(UAPI_CMD_VDEVICE_ALLOC, uapi_vdevice_alloc, virt_id, emu_vdevice_alloc),
	COMMAND(UAPI_CMD_IOAS_CHANGE_PROCESS, uapi_ioas_change_process, reserved,
                emu_ioas_change_process),
	COMMAND(UAPI_CMD_VEVENTQ_ALLOC, uapi_veventq_alloc, out_veventq_fd, emu_veventq_alloc),
	COMMAND(UAPI_CMD_HW_QUEUE_ALLOC, uapi_hw_queue_alloc, length, emu_hw_queue_alloc),
	COMMAND(UAPI_CMD_IOAS_NOIOMMU_GET_PA, uapi_ioas_noiommu_get_pa, out_phys,
                emu_ioas_noiommu_get_pa),
	COMMAND(UAPI_CMD_BASE + 32, mock_cmd, last, emu_test_command),
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

union any_command {
	struct uapi_hwpt_alloc hwpt_alloc;
	struct uapi_hw_info hw_info;
	struct uapi_viommu_alloc viommu_alloc;
	struct uapi_ioas_copy ioas_copy;
	struct mock_cmd test;
	uapi_u64 words[16];
};

/* What is behind the kernel's own is the test driver's, where there is one. */
static bool is_known(const struct emu_ctx *ctx, unsigned int nr)
{
	if (nr < UAPI_CMD_BASE || nr - UAPI_CMD_BASE >= COMMANDS)
		return false;
	return nr <= UAPI_CMD_IOAS_NOIOMMU_GET_PA || emu_test_find(ctx->file.emu);
}

int emu_command(struct emu_ctx *ctx, const struct emu_task *task, unsigned long request,
                uintptr_t arg)
{
	const unsigned int nr = (unsigned int)request & 0xff;
	const struct command *command;
	union any_command buffer;
	uint32_t user_size;
	struct emu_call call = {.ctx = ctx, .task = task, .user = arg, .cmd = &buffer};
	int error;

	if (!is_known(ctx, nr))
		return emu_compat_ioctl(ctx, task, request, arg);
	if (emu_get(task, &user_size, arg, sizeof(user_size)))
		return -EFAULT;
	command = &commands[nr - UAPI_CMD_BASE];
	if (!command->handle || request != UAPI_IO(nr))
		return -ENOTTY;
	if (user_size < command->least)
		return -EINVAL;
	error = emu_get_struct(task, &buffer, command->size, arg, user_size);
	if (error)
		return error;
	call.user_size = user_size;
	call.size = command->size;
	return command->handle(&call);
}
