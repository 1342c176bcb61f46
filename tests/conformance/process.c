/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A context that goes from one process to another, and who pays for what is pinned. */
#include "suite.h"

#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

/* Of a variant. */
enum { ACCOUNT_USER = 1, ACCOUNT_PROCESS = 2, OTHER_GONE = 4 };

static bool counts(struct rig *rig, pid_t pid, long kib, bool locked)
{
	return world_charged(rig->world, pid, false) == kib &&
	       (!locked || world_charged(rig->world, pid, true) == kib);
}

/* In the child: a context of its own on the same descriptor takes everything over. */
static int take_over(struct rig *rig, bool locked)
{
	struct libiommu_ctx *mine;
	int error;

	if (!counts(rig, getpid(), 0, true) || !counts(rig, getppid(), LENGTH / 1024, locked))
		return 1;
	mine = world_ctx_again(rig->world);
	if (!mine)
		return 2;
	error = libiommu_ctx_change_process(mine);
	libiommu_ctx_destroy(mine);
	if (error)
		return 3;
	return counts(rig, getpid(), LENGTH / 1024, locked) && counts(rig, getppid(), 0, true) ? 0
	                                                                                       : 4;
}

static void choose_account(struct rig *rig)
{
	const bool process = rig->variant->flags & ACCOUNT_PROCESS;

	if (!process && !(rig->variant->flags & ACCOUNT_USER))
		return;
	/* The choice is for a context without any object. */
	OK(rig_end(rig, rig->ioas));
	OK(libiommu_ctx_set_rlimit_mode(rig->ctx, process ? LIBIOMMU_RLIMIT_PER_PROCESS
	                                                  : LIBIOMMU_RLIMIT_PER_USER));
	rig->ioas = rig_ioas(rig);
}

/* A file's memory, and none of this process, which could not go. */
static uint64_t map_what_can_go(struct rig *rig)
{
	uint64_t iova, others;
	int fd;

	rig_file(rig, LENGTH, false, &fd);
	OK(libiommu_ctx_change_process(rig->ctx));
	OK(libiommu_ioas_map(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, &iova));
	OK(libiommu_ioas_mapped(rig->ioas, &others, &others));
	assert_int_equal(others, PAGE);
	FAILS(EINVAL, libiommu_ctx_change_process(rig->ctx));
	EXPLAINED("libiommu_change_list_new() tells");
	OK(libiommu_ioas_unmap(rig->ioas, iova, PAGE));
	OK(libiommu_ioas_map_file(rig->ioas, fd, 0, LENGTH, VM_READ_WRITE, &iova));
	OK(libiommu_ctx_change_process(rig->ctx));
	return iova;
}

static size_t obstacles(struct libiommu_ctx *ctx, struct libiommu_change_list **list)
{
	OK(libiommu_change_list_new(ctx, list));
	return libiommu_change_list_count(*list);
}

static void is_obstacle(const struct libiommu_change_list *list, size_t index, int why,
                        uint64_t wanted, const void *memory)
{
	uint64_t iova, length;
	void *address = NULL;
	uint32_t ioas;

	assert_int_equal(libiommu_change_list_obstacle(list, index), why);
	OK(libiommu_change_list_area(list, index, &ioas, &iova, &length));
	assert_int_equal(iova, wanted);
	assert_int_equal(length, PAGE);
	if (memory)
		OK(libiommu_change_list_address(list, index, &address));
	assert_ptr_equal(address, memory);
}

/* What is listed beforehand is what the kernel refuses; without it, it does not. */
static void obstacles_are_listed(struct rig *rig)
{
	struct libiommu_ctx *const ctx = world_ctx_again(rig->world);
	const int dmabuf =
		world_lacks(rig->world, WORLD_DMABUFS) ? -1 : world_dmabuf(rig->world, PAGE);
	const size_t count = dmabuf < 0 ? 2 : 3;
	struct libiommu_change_list *list;
	struct libiommu_ioas *ioas, *copy;
	uint64_t iova;
	int fd;

	rig_file(rig, LENGTH, false, &fd);
	OK(libiommu_ioas_alloc(ctx, &ioas));
	OK(libiommu_ioas_alloc(ctx, &copy));
	OK(libiommu_ioas_map_file_fixed(ioas, fd, 0, LENGTH, VM_READ_WRITE, 0));
	assert_int_equal(obstacles(ctx, &list), 0);
	libiommu_change_list_free(list);
	OK(libiommu_ctx_change_process(ctx));
	iova = UINT64_C(1) << 20;
	OK(libiommu_ioas_map_fixed(ioas, rig->memory, PAGE, VM_READ_WRITE, iova));
	OK(libiommu_ioas_copy_fixed(copy, ioas, iova, PAGE, LIBIOMMU_MAP_READ, 2 * iova));
	if (dmabuf >= 0)
		OK(libiommu_ioas_map_file_fixed(copy, dmabuf, 0, PAGE, VM_READ_WRITE, 3 * iova));
	FAILS(EINVAL, libiommu_ctx_change_process(ctx));
	EXPLAINED("libiommu_change_list_new() tells");
	assert_int_equal(obstacles(ctx, &list), count);
	is_obstacle(list, 0, LIBIOMMU_CHANGE_MEMORY, iova, rig->memory);
	is_obstacle(list, 1, LIBIOMMU_CHANGE_MEMORY, 2 * iova, rig->memory);
	if (dmabuf >= 0)
		is_obstacle(list, 2, LIBIOMMU_CHANGE_DMABUF, 3 * iova, NULL);
	libiommu_change_list_free(list);
	OK(libiommu_ioas_unmap(ioas, iova, PAGE));
	FAILS(EINVAL, libiommu_ctx_change_process(ctx));
	assert_int_equal(obstacles(ctx, &list), count - 1);
	libiommu_change_list_free(list);
	OK(libiommu_ioas_destroy(copy));
	assert_int_equal(obstacles(ctx, &list), 0);
	libiommu_change_list_free(list);
	OK(libiommu_ctx_change_process(ctx));
	OK(libiommu_ioas_destroy(ioas));
	OK(libiommu_ctx_destroy(ctx));
	if (dmabuf >= 0)
		world_close(rig->world, dmabuf);
}

/* The child says how it went, and lives until the parent closes its end. */
static pid_t fork_taker(struct rig *rig, const int *said, const int *lives)
{
	const pid_t pid = fork();
	char result;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	close(lives[1]);
	result = (char)take_over(rig, rig->variant->flags & ACCOUNT_PROCESS);
	_exit(write(said[1], &result, 1) != 1 || read(lives[0], &result, 1) != 0);
}

/*
 * To a child and back. Nothing is charged to those with CAP_IPC_LOCK, which goes with the effective
 * user. Where the child is gone by then, some kernels refuse in words what they have done, and
 * charge this process for ever.
 */
static void is_handed_on(struct rig *rig)
{
	const bool process = rig->variant->flags & ACCOUNT_PROCESS;
	const bool gone = rig->variant->flags & OTHER_GONE;
	int said[2], lives[2], status;
	struct libiommu_device *dev;
	uint64_t iova;
	char result;
	pid_t pid;

	choose_account(rig);
	dev = rig_device(rig, 1, 0);
	OK(libiommu_device_attach_ioas(dev, rig->ioas));
	assert_int_equal(seteuid(NOBODY), 0);
	iova = map_what_can_go(rig);
	assert_true(counts(rig, getpid(), LENGTH / 1024, process));
	assert_int_equal(pipe(said), 0);
	assert_int_equal(pipe(lives), 0);
	pid = fork_taker(rig, said, lives);
	assert_int_equal(read(said[0], &result, 1), 1);
	assert_int_equal(result, 0);
	assert_true(counts(rig, getpid(), 0, true));
	if (gone) {
		close(lives[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	OK(libiommu_ctx_change_process(rig->ctx));
	OK(libiommu_ctx_change_process(rig->ctx));
	assert_true(counts(rig, getpid(), LENGTH / 1024, process) || (gone && process));
	OK(libiommu_ioas_unmap(rig->ioas, iova, LENGTH));
	assert_true(counts(rig, getpid(), 0, true) || (gone && process));
	if (!gone) {
		close(lives[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	assert_int_equal(status, 0);
	close(lives[0]);
	close(said[0]);
	close(said[1]);
	assert_int_equal(seteuid(0), 0);
}

static void old_kernel(struct rig *rig)
{
	struct libiommu_change_list *list;

	if (world_lacks(rig->world, WORLD_CHANGE_PROCESS)) {
		FAILS(ENOTTY, libiommu_ctx_change_process(rig->ctx));
		EXPLAINED("older than 6.14");
		assert_int_equal(obstacles(rig->ctx, &list), 1);
		assert_int_equal(libiommu_change_list_obstacle(list, 0), LIBIOMMU_CHANGE_KERNEL);
		libiommu_change_list_free(list);
	} else {
		OK(libiommu_ctx_change_process(rig->ctx));
	}
}

/* Only before there is any object, and only for those who may. */
static void choice_of_account(struct rig *rig)
{
	enum libiommu_rlimit_mode mode = LIBIOMMU_RLIMIT_PER_PROCESS;

	OK(libiommu_ctx_get_rlimit_mode(rig->ctx, &mode));
	assert_int_equal(mode, LIBIOMMU_RLIMIT_PER_USER);
	FAILS(EBUSY, libiommu_ctx_set_rlimit_mode(rig->ctx, LIBIOMMU_RLIMIT_PER_PROCESS));
	OK(rig_end(rig, rig->ioas));
	assert_int_equal(seteuid(NOBODY), 0);
	FAILS(EPERM, libiommu_ctx_set_rlimit_mode(rig->ctx, LIBIOMMU_RLIMIT_PER_PROCESS));
	assert_int_equal(seteuid(0), 0);
	OK(libiommu_ctx_set_rlimit_mode(rig->ctx, LIBIOMMU_RLIMIT_PER_PROCESS));
	OK(libiommu_ctx_get_rlimit_mode(rig->ctx, &mode));
	assert_int_equal(mode, LIBIOMMU_RLIMIT_PER_PROCESS);
	FAILS(EINVAL, libiommu_ctx_set_rlimit_mode(rig->ctx, (enum libiommu_rlimit_mode)2));
	OK(libiommu_ctx_set_rlimit_mode(rig->ctx, LIBIOMMU_RLIMIT_PER_USER));
}

static const struct variant accounts[] = {
	{.name = "as the kernel chooses"},
	{.name = "as the kernel chooses, the other gone", .flags = OTHER_GONE},
	{.name = "charged to the user", .flags = ACCOUNT_USER},
	{.name = "charged to the user, the other gone", .flags = ACCOUNT_USER | OTHER_GONE},
	{.name = "charged to the process", .flags = ACCOUNT_PROCESS},
	{.name = "charged to the process, the other gone", .flags = ACCOUNT_PROCESS | OTHER_GONE},
};

static const struct behaviour behaviours[] = {
	{PROVES("a context is handed on, with what is pinned", is_handed_on),
         .needs = WORLD_CHANGE_PROCESS | WORLD_ROOT, VARIANTS(accounts)},
	{PROVES("what would be refused is listed before", obstacles_are_listed),
         .needs = WORLD_CHANGE_PROCESS},
	{PROVES("handed on, or the kernel is too old", old_kernel)},
	{PROVES("who is charged is chosen first, by who may", choice_of_account),
         .needs = WORLD_ROOT},
};

THEME(process, "processes");
