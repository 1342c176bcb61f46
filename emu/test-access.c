/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Drivers of the test driver, each behind a descriptor. */
#include <errno.h>
#include <libiommu-emu/driver.h>

#include "driver.h"
#include "heap.h"
#include "machine.h"
#include "test-command.h"

#define PINS    1U
#define WRITE   1U
#define SLOW    4U
#define LONGEST (UINT64_C(16) << 20)

struct test_access {
	struct emu_file file;
	struct libiommu_emu_driver *driver;
};

static void release(struct emu_file *file)
{
	struct test_access *const access = (struct test_access *)file;

	libiommu_emu_driver_free(access->driver);
	emu_release(access);
}

static const struct emu_file_ops access_ops = {
	.name = "anon_inode:[iommufd_test_staccess]",
	.release = release,
};

static int open_access(struct emu_call *call, struct test_access *access)
{
	struct mock_cmd *const cmd = call->cmd;
	const int fd = emu_file_open(call->ctx->file.emu, &access->file, &access_ops);
	int error;

	if (fd < 0)
		return fd;
	cmd->u.access.out_fd = (uint32_t)fd;
	error = emu_call_respond(call);
	if (error)
		emu_file_undo(&access->file, fd);
	return error;
}

int emu_test_access_new(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	struct test_access *made;
	int error;

	if (cmd->u.access.flags & ~PINS)
		return -EOPNOTSUPP;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	error = emu_driver_new(call->ctx, cmd->id, cmd->u.access.flags, &made->driver);
	if (!error)
		error = open_access(call, made);
	if (!error)
		return 0;
	libiommu_emu_driver_free(made->driver);
	emu_release(made);
	return error;
}

/* NULL: the caller's descriptor is none. */
static struct libiommu_emu_driver *find(const struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	struct emu_file *const file = emu_file_find(call->ctx->file.emu, (int)cmd->id, false);

	return file && file->ops == &access_ops ? ((struct test_access *)file)->driver : NULL;
}

int emu_test_access_replace(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	struct libiommu_emu_driver *const driver = find(call);

	return driver ? libiommu_emu_driver_move(driver, cmd->u.access_replace.ioas) : -EBADFD;
}

int emu_test_access_pin(struct emu_call *call)
{
	struct mock_cmd *const cmd = call->cmd;
	const void *const memory = (const void *)(uintptr_t)cmd->u.pin.memory;
	struct libiommu_emu_driver *driver;
	int error;

	if (cmd->u.pin.length > LONGEST)
		return -ENOMEM;
	if (cmd->u.pin.flags & ~WRITE || (memory && call->task->pid))
		return -EOPNOTSUPP;
	driver = find(call);
	if (!driver)
		return -EBADFD;
	error = libiommu_emu_driver_pin(driver, cmd->u.pin.iova, cmd->u.pin.length,
	                                cmd->u.pin.flags, memory, &cmd->u.pin.out_item);
	if (error)
		return error;
	error = emu_call_respond(call);
	if (error)
		libiommu_emu_driver_unpin(driver, cmd->u.pin.out_item);
	return error;
}

int emu_test_access_unpin(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	struct libiommu_emu_driver *const driver = find(call);

	return driver ? libiommu_emu_driver_unpin(driver, cmd->u.unpin.item) : -EBADFD;
}

static int move(const struct emu_call *call, struct libiommu_emu_driver *driver, void *buffer)
{
	const struct mock_cmd *const cmd = call->cmd;
	const uintptr_t memory = (uintptr_t)cmd->u.rw.memory;
	const uint64_t length = cmd->u.rw.length;
	const uint32_t slow = cmd->u.rw.flags & SLOW ? LIBIOMMU_EMU_DRIVER_SLOW : 0;
	int error;

	if (cmd->u.rw.flags & WRITE) {
		if (emu_get(call->task, buffer, memory, length))
			return -EFAULT;
		return libiommu_emu_driver_write(driver, cmd->u.rw.iova, buffer, length, slow);
	}
	error = libiommu_emu_driver_read(driver, cmd->u.rw.iova, buffer, length, slow);
	if (!error && emu_put(call->task, memory, buffer, length))
		error = -EFAULT;
	return error;
}

int emu_test_access_rw(struct emu_call *call)
{
	const struct mock_cmd *const cmd = call->cmd;
	struct libiommu_emu_driver *driver;
	void *buffer;
	int error;

	if (cmd->u.rw.length > LONGEST)
		return -ENOMEM;
	if (cmd->u.rw.flags & ~(WRITE | SLOW))
		return -EOPNOTSUPP;
	driver = find(call);
	if (!driver)
		return -EBADFD;
	buffer = emu_alloc(cmd->u.rw.length + 1);
	error = buffer ? move(call, driver, buffer) : -ENOMEM;
	emu_release(buffer);
	return error;
}
