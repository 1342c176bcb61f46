/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The test driver's command, as it refuses things and as it fails. What it does when it does not,
 * the conformance suite shows, which is written for the driver (tests/preload).
 */
#include "hw-rig.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../emu/machine.h"
#include "../../emu/test-command.h"
#include "../fds.h"

#define NO_FILE ((uint32_t)STDIN_FILENO)

static int command(struct hw_rig *rig, uint32_t op, struct mock_cmd *cmd)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	return hw_ioctl(rig, MOCK_CMD, cmd);
}

static int make(struct hw_rig *rig, uint32_t flags, struct mock_cmd *cmd)
{
	memset(cmd, 0, sizeof(*cmd));
	cmd->id = rig->ioas;
	cmd->u.device.flags = flags;
	return command(rig, MOCK_OP_DEVICE_FLAGS, cmd);
}

static int driver(struct hw_rig *rig, uint32_t flags)
{
	struct mock_cmd cmd = {.id = rig->ioas, .u.access.flags = flags};
	const int error = command(rig, MOCK_OP_ACCESS, &cmd);

	return error ? error : (int)cmd.u.access.out_fd;
}

static void no_driver_no_command(void **state)
{
	struct mock_cmd cmd = {
		.size = sizeof(cmd), .op = MOCK_OP_MEMORY_LIMIT, .u.limit.bytes = 64};
	struct libiommu_emu_iommu *iommu;
	struct libiommu_emu *emu;
	int fd;

	(void)state;
	assert_int_equal(libiommu_emu_new(&emu), 0);
	fd = libiommu_emu_open(emu, "/dev/iommu", O_RDWR);
	assert_int_equal(libiommu_emu_ioctl(emu, fd, MOCK_CMD, &cmd), -ENOTTY);
	assert_int_equal(libiommu_emu_ioctl(emu, fd, MOCK_CMD - 1, NULL), -ENOTTY);
	assert_int_equal(libiommu_emu_iommu_add_test(emu, &iommu), 0);
	assert_int_equal(libiommu_emu_ioctl(emu, fd, MOCK_CMD, &cmd), 0);
	/* A number below the last that is known: the kernel looks for the size first. */
	assert_int_equal(libiommu_emu_ioctl(emu, fd, MOCK_CMD - 1, NULL), -EFAULT);
	assert_int_equal(libiommu_emu_ioctl(emu, fd, MOCK_CMD - 1, &cmd), -ENOTTY);
	cmd.size -= 8;
	assert_int_equal(libiommu_emu_ioctl(emu, fd, MOCK_CMD, &cmd), -EINVAL);
	libiommu_emu_close(emu, fd);
	assert_int_equal(libiommu_emu_destroy(emu), 0);
}

static void what_is_not_known(void **state)
{
	struct hw_rig *const rig = hw_new();
	struct mock_cmd cmd = {0};

	(void)state;
	assert_int_equal(command(rig, 0, &cmd), -EOPNOTSUPP);
	assert_int_equal(command(rig, MOCK_OP_DMABUF_REVOKE + 1, &cmd), -EOPNOTSUPP);
	assert_int_equal(command(rig, MOCK_OP_MEMORY_LIMIT, &cmd), -EINVAL);
	assert_int_equal(make(rig, 1U << 1, &cmd), -EINVAL);
	assert_int_equal(driver(rig, 2), -EOPNOTSUPP);
	rig->ioas += 100;
	assert_int_equal(make(rig, 0, &cmd), -ENOENT);
	assert_int_equal(driver(rig, 0), -ENOENT);
	for (uint32_t op = MOCK_OP_REPLACE; op <= MOCK_OP_PASID_CHECK; op++) {
		if (op == MOCK_OP_ACCESS_REPLACE || op == MOCK_OP_DEVICE_FLAGS)
			continue;
		cmd = (struct mock_cmd){.id = 99};
		if (op == MOCK_OP_DIRTY)
			cmd.u.dirty.length = cmd.u.dirty.page_size = cmd.u.dirty.bitmap = EMU_PAGE;
		assert_int_equal(command(rig, op, &cmd), -ENOENT);
	}
	assert_int_equal(rig->ctx->objects.count, 1);
	hw_free(rig);
}

static void ranges(void **state)
{
	struct hw_rig *const rig = hw_new();
	struct mock_cmd cmd = {.id = rig->ioas};

	(void)state;
	assert_int_equal(command(rig, MOCK_OP_RESERVE, &cmd), -EINVAL);
	cmd.u.reserve.start = UINT64_MAX;
	cmd.u.reserve.length = 2;
	assert_int_equal(command(rig, MOCK_OP_RESERVE, &cmd), -EOVERFLOW);
	cmd.u.reserve.length = 1;
	cmd.id = 99;
	assert_int_equal(command(rig, MOCK_OP_RESERVE, &cmd), -ENOENT);
	cmd = (struct mock_cmd){.u.pins = {EMU_PAGE, 1, 0}};
	assert_int_equal(command(rig, MOCK_OP_CHECK_PINS, &cmd), -EINVAL);
	cmd.u.pins.memory = EMU_PAGE;
	assert_int_equal(command(rig, MOCK_OP_CHECK_PINS, &cmd), -EFAULT);
	cmd.u.pins.length = 0;
	assert_int_equal(command(rig, MOCK_OP_CHECK_PINS, &cmd), 0);
	cmd = (struct mock_cmd){.u.pins = {EMU_PAGE, (uintptr_t)rig->memory, 1}};
	assert_int_equal(command(rig, MOCK_OP_CHECK_PINS, &cmd), -EIO);
	hw_free(rig);
}

static void dirty_pages(void **state)
{
	struct hw_rig *const rig = hw_new();
	struct mock_cmd made, cmd = {.u.dirty = {.iova = HW_IOVA, .length = 2 * EMU_PAGE}};
	uint8_t bits = 3;

	(void)state;
	assert_int_equal(make(rig, 0, &made), 0);
	cmd.id = made.u.device.out_hwpt;
	assert_int_equal(command(rig, MOCK_OP_DIRTY, &cmd), -EINVAL);
	cmd.u.dirty.page_size = EMU_PAGE;
	assert_int_equal(command(rig, MOCK_OP_DIRTY, &cmd), -EINVAL);
	cmd.u.dirty.bitmap = (uintptr_t)&bits;
	/* It does not track. */
	assert_int_equal(command(rig, MOCK_OP_DIRTY, &cmd), -EINVAL);
	cmd.u.dirty.iova = 0;
	cmd.u.dirty.length = UINT64_C(1) << 62;
	cmd.u.dirty.page_size = 1;
	assert_int_equal(command(rig, MOCK_OP_DIRTY, &cmd), -EOVERFLOW);
	hw_free(rig);
}

static void devices_end_with_their_context(void **state)
{
	struct hw_rig *const rig = hw_new();
	struct mock_cmd first, second, cmd;

	(void)state;
	assert_int_equal(make(rig, MOCK_FLAG_PASID, &first), 0);
	assert_int_equal(make(rig, 0, &second), 0);
	assert_int_equal(second.u.device.out_hwpt, first.u.device.out_hwpt);
	/* Nobody but the context sees them. */
	assert_int_equal(rig->emu->groups->number, 0);
	assert_null(emu_dev_find(rig->emu, ""));
	assert_non_null(rig->emu->inner_devs);
	cmd = (struct mock_cmd){.id = first.u.device.out_stdev, .u.pasid = {5, rig->ioas}};
	assert_int_equal(command(rig, MOCK_OP_PASID_ATTACH, &cmd), -EINVAL);
	assert_int_equal(hw_destroy(rig, second.u.device.out_dev), -EBUSY);
	assert_int_equal(hw_destroy(rig, second.u.device.out_stdev), 0);
	assert_int_equal(libiommu_emu_close(rig->emu, rig->fd), 0);
	rig->fd = -1;
	assert_null(rig->emu->inner_devs);
	assert_null(rig->emu->inner_groups);
	hw_free(rig);
}

static void lost_answers_undo(void **state)
{
	struct hw_rig *const rig = hw_new();
	struct mock_cmd cmd = {.size = sizeof(cmd), .op = MOCK_OP_DEVICE, .id = rig->ioas};
	const unsigned int fds = count_fds();
	struct mock_cmd made;
	int fd;

	(void)state;
	assert_int_equal(hw_ioctl_lost(rig, MOCK_CMD, &cmd, sizeof(cmd)), -EFAULT);
	cmd.op = MOCK_OP_ACCESS;
	assert_int_equal(hw_ioctl_lost(rig, MOCK_CMD, &cmd, sizeof(cmd)), -EFAULT);
	assert_int_equal(count_fds(), fds);
	assert_int_equal(rig->ctx->objects.count, 1);
	assert_int_equal(make(rig, 0, &made), 0);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	fd = driver(rig, 1);
	assert_true(fd >= 0);
	cmd = (struct mock_cmd){.size = sizeof(cmd),
	                        .op = MOCK_OP_PIN,
	                        .id = (uint32_t)fd,
	                        .u.pin = {.iova = HW_IOVA, .length = EMU_PAGE}};
	assert_int_equal(hw_ioctl_lost(rig, MOCK_CMD, &cmd, sizeof(cmd)), -EFAULT);
	cmd = (struct mock_cmd){.u.pins = {EMU_PAGE, (uintptr_t)rig->memory, 1}};
	assert_int_equal(command(rig, MOCK_OP_CHECK_PINS, &cmd), 0);
	libiommu_emu_close(rig->emu, fd);
	hw_free(rig);
}

/* Of a driver: what is no driver, too long, or of other flags. */
static void drivers_refuse(void **state)
{
	struct hw_rig *const rig = hw_new();
	const uint32_t plain = (uint32_t)driver(rig, 0);
	struct mock_cmd cmd;
	char byte = 0;

	(void)state;
	for (uint32_t op = MOCK_OP_UNPIN; op <= MOCK_OP_READ_WRITE; op++) {
		cmd = (struct mock_cmd){.id = NO_FILE};
		assert_int_equal(command(rig, op, &cmd), -EBADFD);
	}
	cmd = (struct mock_cmd){.id = NO_FILE};
	assert_int_equal(command(rig, MOCK_OP_ACCESS_REPLACE, &cmd), -EBADFD);
	cmd = (struct mock_cmd){.id = plain, .u.pin.length = UINT64_C(1) << 30};
	assert_int_equal(command(rig, MOCK_OP_PIN, &cmd), -ENOMEM);
	cmd.u.pin.length = 1;
	assert_int_equal(command(rig, MOCK_OP_PIN, &cmd), -EOPNOTSUPP);
	cmd.u.pin.flags = 2;
	assert_int_equal(command(rig, MOCK_OP_PIN, &cmd), -EOPNOTSUPP);
	cmd = (struct mock_cmd){.id = plain, .u.rw = {HW_IOVA, UINT64_C(1) << 30, 0, 0}};
	assert_int_equal(command(rig, MOCK_OP_READ_WRITE, &cmd), -ENOMEM);
	cmd.u.rw.length = 1;
	cmd.u.rw.flags = 2;
	assert_int_equal(command(rig, MOCK_OP_READ_WRITE, &cmd), -EOPNOTSUPP);
	cmd.u.rw.flags = 1;
	assert_int_equal(command(rig, MOCK_OP_READ_WRITE, &cmd), -EFAULT);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	cmd.u.rw.flags = 0;
	assert_int_equal(command(rig, MOCK_OP_READ_WRITE, &cmd), -EFAULT);
	cmd.u.rw.memory = (uintptr_t)&byte;
	rig->memory[0] = 7;
	assert_int_equal(command(rig, MOCK_OP_READ_WRITE, &cmd), 0);
	assert_int_equal(byte, 7);
	libiommu_emu_close(rig->emu, (int)plain);
	hw_free(rig);
}

static void dmabufs(void **state)
{
	struct hw_rig *const rig = hw_new();
	struct mock_cmd cmd = {.u.dmabuf_revoke.fd = -1};
	const int lowest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	(void)state;
	close(lowest);
	assert_int_equal(command(rig, MOCK_OP_DMABUF_REVOKE, &cmd), -EBADF);
	cmd.u.dmabuf_revoke.fd = rig->fd;
	assert_int_equal(command(rig, MOCK_OP_DMABUF_REVOKE, &cmd), -EINVAL);
	cmd = (struct mock_cmd){0};
	assert_int_equal(command(rig, MOCK_OP_DMABUF, &cmd), -EINVAL);
	/* Which descriptor it is the driver does not say. */
	cmd.u.dmabuf.length = EMU_PAGE;
	assert_int_equal(command(rig, MOCK_OP_DMABUF, &cmd), 0);
	cmd = (struct mock_cmd){.u.dmabuf_revoke = {lowest, 1}};
	assert_int_equal(command(rig, MOCK_OP_DMABUF_REVOKE, &cmd), 0);
	libiommu_emu_close(rig->emu, lowest);
	hw_free(rig);
}

/* Each allocation of the call fails in turn, and nothing is left. */
static void no_memory(void **state)
{
	struct hw_rig *const rig = hw_new();
	struct mock_cmd cmd;

	(void)state;
	for (unsigned int what = 0; what < 2; what++)
		for (unsigned int nth = 1;; nth++) {
			const unsigned int fds = count_fds();
			int result;

			emu_heap_fail(nth);
			result = what ? driver(rig, 1) : make(rig, MOCK_FLAG_PASID, &cmd);
			if (!emu_heap_stop()) {
				assert_true(result >= 0);
				assert_true(nth > 2);
				if (what)
					libiommu_emu_close(rig->emu, result);
				break;
			}
			assert_int_equal(result, -ENOMEM);
			assert_int_equal(count_fds(), fds);
			assert_int_equal(rig->ctx->objects.count, what ? 4 : 1);
		}
	hw_free(rig);
}

/* A child's memory is not looked at; its descriptors are found. */
static void of_a_child(void **state)
{
	struct hw_rig *const rig = hw_new();
	struct mock_cmd cmd = {.u.pins = {EMU_PAGE, (uintptr_t)rig->memory, 0}};
	struct mock_cmd made;
	int status, fd;
	pid_t pid;

	(void)state;
	assert_int_equal(libiommu_emu_serve(rig->emu), 0);
	pid = fork();
	if (!pid) {
		if (command(rig, MOCK_OP_CHECK_PINS, &cmd) != -EOPNOTSUPP)
			_exit(1);
		if (make(rig, 0, &made))
			_exit(2);
		fd = driver(rig, 0);
		cmd = (struct mock_cmd){.id = (uint32_t)fd, .u.access_replace.ioas = rig->ioas};
		if (fd < 0 || command(rig, MOCK_OP_ACCESS_REPLACE, &cmd))
			_exit(3);
		_exit(libiommu_emu_close(rig->emu, fd) ? 4 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	hw_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_driver_no_command),
		cmocka_unit_test(what_is_not_known),
		cmocka_unit_test(ranges),
		cmocka_unit_test(dirty_pages),
		cmocka_unit_test(devices_end_with_their_context),
		cmocka_unit_test(lost_answers_undo),
		cmocka_unit_test(drivers_refuse),
		cmocka_unit_test(dmabufs),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(of_a_child),
	};

	return cmocka_run_group_tests_name("test-command", tests, NULL, NULL);
}
