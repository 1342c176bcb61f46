/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Who is charged for what is pinned, up to which limit, and who takes that over. */
#include "space.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../emu/map.h"
#include "../../emu/source.h"
#include "../../lib/base/uapi/iommufd.h"

#define IOVA UINT64_C(0x2000000)

enum { USER = 1234, LIMIT = 8 };

static const struct emu_task root = {.pid = 0, .uid = 0};
static const struct emu_task user = {.pid = 0, .uid = USER};

static struct rlimit before;

static int set_limit(void **state)
{
	struct rlimit limit;

	(void)state;
	getrlimit(RLIMIT_MEMLOCK, &before);
	limit = before;
	limit.rlim_cur = LIMIT * PAGE;
	return setrlimit(RLIMIT_MEMLOCK, &limit);
}

static int reset_limit(void **state)
{
	(void)state;
	return setrlimit(RLIMIT_MEMLOCK, &before);
}

static int map(struct space *space, const struct emu_task *task, uint64_t pages, uint64_t iova)
{
	return emu_map_process(space->ioas->object.ctx, task, space->ioas, (uintptr_t)space->memory,
	                       pages * PAGE, &iova, EMU_READ, false);
}

static int map_file(struct space *space, const struct emu_task *task, int fd, uint64_t pages,
                    uint64_t iova)
{
	struct emu_part part = {.length = pages * PAGE};
	const int error = emu_source_fd(space->emu, task, fd, 0, pages * PAGE, true, &part.pages);

	return error ? error
	             : emu_map_pages(space->ioas->object.ctx, space->ioas, &part, &iova, EMU_READ,
	                             false);
}

static void assert_counts(struct space *space, pid_t pid, uint64_t pinned, uint64_t locked)
{
	uint64_t got_pinned, got_locked;

	emu_account_of(space->emu, pid, &got_pinned, &got_locked);
	assert_int_equal(got_pinned, pinned);
	assert_int_equal(got_locked, locked);
}

static void users(void **state)
{
	struct space *const space = space_new();

	(void)state;
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(map(space, &user, LIMIT + 1, IOVA), -ENOMEM);
	assert_true(space_pins(space, space->memory, 16 * PAGE, 0));
	assert_counts(space, getpid(), 0, 0);
	assert_int_equal(map(space, &user, LIMIT, IOVA), 0);
	assert_counts(space, getpid(), LIMIT, 0);
	assert_int_equal(map(space, &user, 1, IOVA + 16 * PAGE), -ENOMEM);
	/* A copy is charged no second time. */
	assert_int_equal(libiommu_ioas_copy_fixed(space->handle, space->handle, IOVA, LIMIT * PAGE,
	                                          LIBIOMMU_MAP_READ, IOVA + 32 * PAGE),
	                 0);
	assert_int_equal(libiommu_ioas_unmap(space->handle, IOVA, LIMIT * PAGE), 0);
	assert_int_equal(map(space, &user, 1, IOVA), -ENOMEM);
	assert_int_equal(libiommu_ioas_unmap(space->handle, IOVA + 32 * PAGE, LIMIT * PAGE), 0);
	assert_int_equal(map(space, &user, LIMIT, IOVA), 0);
	space_remove(space, 0);
	assert_counts(space, getpid(), 0, 0);
	space_free(space);
}

static void processes(void **state)
{
	struct space *const space = space_new();

	(void)state;
	space->ioas->object.ctx->charge_process = true;
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(map(space, &user, LIMIT + 1, IOVA), -ENOMEM);
	assert_int_equal(map(space, &user, LIMIT, IOVA), 0);
	assert_counts(space, getpid(), LIMIT, LIMIT);
	assert_int_equal(libiommu_ioas_unmap_all(space->handle, NULL), 0);
	assert_counts(space, getpid(), 0, 0);
	space_free(space);
}

/* Of this thread: what it had is what it can have again. */
static void set_may_lock(bool may)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	uint32_t *const effective = &data[CAP_TO_INDEX(CAP_IPC_LOCK)].effective;

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	*effective = may ? *effective | CAP_TO_MASK(CAP_IPC_LOCK)
	                 : *effective & ~CAP_TO_MASK(CAP_IPC_LOCK);
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

/* An address space more is when the machine looks. */
static void look(struct space *space)
{
	struct libiommu_ioas *other;

	assert_int_equal(libiommu_ioas_alloc(space->ctx, &other), 0);
	libiommu_ioas_destroy(other);
}

/* Nobody asks those who may lock what they like, which root may have given away. */
static void those_who_may_lock(void **state)
{
	struct space *const space = space_new();

	(void)state;
	if (!emu_task_locks_freely(space->emu, &root) || geteuid()) {
		space_free(space);
		print_message("# not root, or without CAP_IPC_LOCK\n");
		skip();
	}
	space->ioas->object.ctx->charge_process = true;
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(map(space, &root, 16, IOVA), 0);
	assert_counts(space, getpid(), 16, 0);
	set_may_lock(false);
	look(space);
	assert_int_equal(map(space, &root, LIMIT + 1, IOVA + 16 * PAGE), -ENOMEM);
	assert_int_equal(map(space, &root, LIMIT, IOVA + 16 * PAGE), 0);
	set_may_lock(true);
	look(space);
	assert_counts(space, getpid(), LIMIT + 16, LIMIT);
	assert_int_equal(libiommu_ioas_unmap_all(space->handle, NULL), 0);
	assert_counts(space, getpid(), 0, 0);
	space_free(space);
}

/* Too much for the limit when a page table comes: then it does not come. */
static void when_a_table_comes(void **state)
{
	struct space *const space = space_new();

	(void)state;
	assert_int_equal(map(space, &user, LIMIT, IOVA), 0);
	assert_int_equal(map(space, &user, 1, IOVA + 16 * PAGE), 0);
	assert_int_equal(space_add(space, 0), -ENOMEM);
	assert_counts(space, getpid(), 0, 0);
	assert_int_equal(libiommu_ioas_unmap(space->handle, IOVA + 16 * PAGE, PAGE), 0);
	assert_int_equal(space_add(space, 0), 0);
	space_free(space);
}

static int take_over(struct space *space, const struct emu_task *task)
{
	struct uapi_ioas_change_process cmd = {.size = sizeof(cmd)};
	struct emu_call call = {.ctx = space->ioas->object.ctx, .task = task, .cmd = &cmd};

	return emu_ioas_change_process(&call);
}

static pid_t begin_child(int *lives)
{
	int ends[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) != 0);
	}
	close(ends[0]);
	*lives = ends[1];
	return pid;
}

static void end_child(pid_t pid, int lives)
{
	int status = 1;

	close(lives);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void taken_over(struct space *space, bool of_process)
{
	const int fd = memfd_create("file", MFD_CLOEXEC);
	struct emu_task child = {.uid = USER};
	int lives;

	child.pid = begin_child(&lives);
	space->ioas->object.ctx->charge_process = of_process;
	assert_int_equal(ftruncate(fd, 4 * PAGE), 0);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(map(space, &user, 1, IOVA), 0);
	assert_int_equal(map_file(space, &user, fd, 4, IOVA + 16 * PAGE), 0);
	assert_int_equal(take_over(space, &child), -EINVAL);
	assert_int_equal(libiommu_ioas_unmap(space->handle, IOVA, PAGE), 0);
	/* The same pages twice count once. */
	assert_int_equal(libiommu_ioas_copy_fixed(space->handle, space->handle, IOVA + 16 * PAGE,
	                                          4 * PAGE, LIBIOMMU_MAP_READ, IOVA),
	                 0);
	assert_int_equal(take_over(space, &child), 0);
	assert_counts(space, getpid(), 0, 0);
	assert_counts(space, child.pid, 4, of_process ? 4 : 0);
	assert_int_equal(take_over(space, &user), 0);
	assert_counts(space, child.pid, 0, 0);
	assert_counts(space, getpid(), 4, of_process ? 4 : 0);
	assert_int_equal(take_over(space, &child), 0);
	end_child(child.pid, lives);
	/* Refused in words and done, as the kernel does it; then this process pays for ever. */
	assert_int_equal(take_over(space, &user), of_process ? -EINVAL : 0);
	assert_int_equal(take_over(space, &user), 0);
	assert_counts(space, getpid(), 4, of_process ? 4 : 0);
	assert_int_equal(libiommu_ioas_unmap_all(space->handle, NULL), 0);
	assert_counts(space, getpid(), of_process ? 4 : 0, of_process ? 4 : 0);
	close(fd);
	space_free(space);
}

static void users_take_over(void **state)
{
	(void)state;
	taken_over(space_new(), false);
}

static void processes_take_over(void **state)
{
	(void)state;
	taken_over(space_new(), true);
}

/* Who takes over may have a lower limit. */
static void refused_by_the_limit(void **state)
{
	struct space *const space = space_new();
	const struct emu_task other = {.pid = 0, .uid = USER + 1};
	const int fd = memfd_create("file", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(fd, 8 * PAGE), 0);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(map(space, &other, 1, IOVA + 32 * PAGE), 0);
	assert_int_equal(libiommu_ioas_unmap_all(space->handle, NULL), 0);
	assert_int_equal(map_file(space, &user, fd, 5, IOVA), 0);
	assert_int_equal(map_file(space, &other, fd, 4, IOVA + 16 * PAGE), 0);
	assert_int_equal(take_over(space, &other), -ENOMEM);
	assert_counts(space, getpid(), 9, 0);
	assert_int_equal(map(space, &user, 4, IOVA + 32 * PAGE), -ENOMEM);
	assert_int_equal(map(space, &user, 3, IOVA + 32 * PAGE), 0);
	assert_int_equal(libiommu_ioas_unmap_all(space->handle, NULL), 0);
	assert_counts(space, getpid(), 0, 0);
	close(fd);
	space_free(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users),
		cmocka_unit_test(processes),
		cmocka_unit_test(those_who_may_lock),
		cmocka_unit_test(when_a_table_comes),
		cmocka_unit_test(users_take_over),
		cmocka_unit_test(processes_take_over),
		cmocka_unit_test(refused_by_the_limit),
	};

	return cmocka_run_group_tests_name("account", tests, set_limit, reset_limit);
}
