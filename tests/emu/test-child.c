/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Children of the machine's process: they make calls on what they have from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <libiommu-emu.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"

struct fixture {
	struct libiommu_emu *emu;
	int fd;
	int fault_fd; /* of a queue of the parent's */
	uint32_t fault_id;
};

static struct fixture fixture;

static int alloc(uint32_t *id, int *fd)
{
	struct uapi_fault_alloc cmd = {.size = sizeof(cmd)};
	const int error =
		libiommu_emu_ioctl(fixture.emu, fixture.fd, UAPI_IOC_FAULT_QUEUE_ALLOC, &cmd);

	*id = cmd.out_fault_id;
	*fd = (int)cmd.out_fault_fd;
	return error;
}

static int destroy(uint32_t id)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = id};

	return libiommu_emu_ioctl(fixture.emu, fixture.fd, UAPI_IOC_DESTROY, &cmd);
}

static int setup(void **state)
{
	(void)state;
	if (libiommu_emu_new(&fixture.emu) || libiommu_emu_serve(fixture.emu))
		return -1;
	fixture.fd = libiommu_emu_open(fixture.emu, "/dev/iommu", O_RDWR | O_CLOEXEC);
	return fixture.fd < 0 || alloc(&fixture.fault_id, &fixture.fault_fd);
}

static int teardown(void **state)
{
	(void)state;
	libiommu_emu_close(fixture.emu, fixture.fault_fd);
	libiommu_emu_close(fixture.emu, fixture.fd);
	return libiommu_emu_destroy(fixture.emu);
}

/* What the child returns is 0, or the line that was wrong. */
static void in_a_child(int (*play)(void))
{
	const pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		_exit(play());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status))
		fail_msg("line %d of this file, or 256 more", WEXITSTATUS(status));
}

#define WRONG (__LINE__ % 256)
#define TRUE(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return WRONG;                                                              \
	} while (0)

static int play_calls(void)
{
	struct uapi_hwpt_pgfault fault;
	void *at;

	TRUE(destroy(77) == -ENOENT);
	TRUE(destroy(fixture.fault_id) == -EBUSY);
	TRUE(libiommu_emu_ioctl(fixture.emu, fixture.fd, UAPI_IOC_DESTROY, NULL) == -EFAULT);
	TRUE(libiommu_emu_read(fixture.emu, fixture.fault_fd, &fault, sizeof(fault)) == 0);
	TRUE(libiommu_emu_read(fixture.emu, fixture.fault_fd, &fault, 7) == -ESPIPE);
	TRUE(libiommu_emu_write(fixture.emu, fixture.fault_fd, &fault, 7) == -ESPIPE);
	TRUE(libiommu_emu_mmap(fixture.emu, NULL, 4096, PROT_READ, MAP_SHARED, fixture.fd, 0,
	                       &at) == -ENXIO);
	TRUE(libiommu_emu_munmap(fixture.emu, (void *)1, 1) == -EINVAL);
	return 0;
}

static void makes_calls(void **state)
{
	(void)state;
	in_a_child(play_calls);
	assert_int_equal(destroy(fixture.fault_id), -EBUSY);
}

/* A queue of the child's own, with a number of the child's. */
static int play_descriptors(void)
{
	struct uapi_hwpt_pgfault fault;
	struct pollfd ready = {.events = POLLIN | POLLOUT};
	const int low = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint32_t id;
	int fd, copy;

	TRUE(!alloc(&id, &fd));
	TRUE(fd == low + 1);
	TRUE(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	ready.fd = fd;
	TRUE(poll(&ready, 1, 0) == 1 && ready.revents == POLLOUT);
	TRUE(libiommu_emu_read(fixture.emu, fd, &fault, sizeof(fault)) == 0);
	copy = dup(fd);
	TRUE(libiommu_emu_read(fixture.emu, copy, &fault, 7) == -ESPIPE);
	TRUE(destroy(id) == -EBUSY);
	TRUE(!libiommu_emu_close(fixture.emu, fd));
	TRUE(destroy(id) == -EBUSY);
	TRUE(!close(copy));
	TRUE(!destroy(id));
	return 0;
}

static void has_descriptors_of_its_own(void **state)
{
	(void)state;
	in_a_child(play_descriptors);
}

/* What it cannot be told of it has not. */
static int play_undo(void)
{
	struct uapi_fault_alloc *const cmd =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t id;
	int fd;

	TRUE(cmd != MAP_FAILED);
	cmd->size = sizeof(*cmd);
	TRUE(!mprotect(cmd, 4096, PROT_READ));
	TRUE(libiommu_emu_ioctl(fixture.emu, fixture.fd, UAPI_IOC_FAULT_QUEUE_ALLOC, cmd) ==
	     -EFAULT);
	TRUE(!alloc(&id, &fd));
	TRUE(id == fixture.fault_id + 1);
	TRUE(fd == open("/dev/null", O_RDWR | O_CLOEXEC) - 1);
	return 0;
}

static void is_undone(void **state)
{
	(void)state;
	in_a_child(play_undo);
	/* Its descriptors have gone with it. */
	assert_int_equal(destroy(fixture.fault_id + 1), 0);
}

static int play_open(void)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = fixture.fault_id};
	const int fd = libiommu_emu_open(fixture.emu, "/dev/iommu", O_RDWR | O_CLOEXEC);
	const int null = libiommu_emu_open(fixture.emu, "/dev/null", O_RDWR | O_CLOEXEC);

	TRUE(fd >= 0 && null >= 0);
	TRUE(libiommu_emu_ioctl(fixture.emu, fd, UAPI_IOC_DESTROY, &cmd) == -ENOENT);
	TRUE(libiommu_emu_ioctl(fixture.emu, null, UAPI_IOC_DESTROY, &cmd) == -ENOTTY);
	TRUE(libiommu_emu_open(fixture.emu, "/dev/none", O_RDWR | O_CLOEXEC) == -ENOENT);
	return 0;
}

static void opens(void **state)
{
	(void)state;
	in_a_child(play_open);
}

/* The parent's is closed: the child's keeps it, until the child is gone. */
static void keeps_what_it_has(void **state)
{
	int lives[2], status;
	pid_t pid;
	char byte;

	(void)state;
	assert_int_equal(pipe(lives), 0);
	pid = fork();
	if (!pid) {
		close(lives[1]);
		_exit((int)read(lives[0], &byte, 1));
	}
	assert_int_equal(libiommu_emu_close(fixture.emu, fixture.fault_fd), 0);
	assert_int_equal(destroy(fixture.fault_id), -EBUSY);
	close(lives[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(destroy(fixture.fault_id), 0);
	close(lives[0]);
}

static int play_grandchild(void)
{
	int status;
	const pid_t pid = fork();

	if (!pid)
		_exit(play_calls());
	TRUE(waitpid(pid, &status, 0) == pid);
	return WEXITSTATUS(status);
}

static void has_children(void **state)
{
	(void)state;
	in_a_child(play_grandchild);
}

/* It is killed while the machine asks it for its memory. */
static int play_killed(void)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = 1};

	for (;;)
		libiommu_emu_ioctl(fixture.emu, fixture.fd, UAPI_IOC_DESTROY, &cmd);
	return 0;
}

static void is_killed(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 20; i++) {
		const pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (!pid)
			_exit(play_killed());
		usleep(i * 997);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(destroy(77), -ENOENT);
	}
}

static void is_served_or_not(void **state)
{
	struct libiommu_emu *emu;

	(void)state;
	assert_int_equal(libiommu_emu_serve(NULL), -EINVAL);
	assert_int_equal(libiommu_emu_serve(fixture.emu), -EALREADY);
	assert_int_equal(libiommu_emu_new(&emu), 0);
	libiommu_emu_fail_allocation(1);
	assert_int_equal(libiommu_emu_serve(emu), -ENOMEM);
	assert_int_equal(libiommu_emu_stop_failing(), 1);
	assert_int_equal(libiommu_emu_destroy(emu), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_calls), TEST(has_descriptors_of_its_own), TEST(is_undone),
		TEST(opens),       TEST(keeps_what_it_has),          TEST(has_children),
		TEST(is_killed),   TEST(is_served_or_not),
	};

	return cmocka_run_group_tests_name("children", tests, NULL, NULL);
}
