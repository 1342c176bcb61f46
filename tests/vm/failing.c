/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "failing.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"
#include "fail-nth.h"

/* The kernel gives the lowest id that is free: an object that is left there takes it. */
static uint32_t next_id(const struct vm *vm)
{
	struct uapi_ioas_alloc cmd = {.size = sizeof(cmd)};
	struct uapi_destroy destroy = {.size = sizeof(destroy)};
	const int fd = libiommu_ctx_fd(vm->ctx);

	if (libiommu_ctx_backend(vm->ctx) != LIBIOMMU_BACKEND_IOMMUFD)
		return 0;
	assert_int_equal(ioctl(fd, UAPI_IOC_IOAS_ALLOC, &cmd), 0);
	destroy.id = cmd.out_ioas_id;
	assert_int_equal(ioctl(fd, UAPI_IOC_DESTROY, &destroy), 0);
	return cmd.out_ioas_id;
}

static void note(void *user)
{
	struct failing *const failing = user;

	failing->live = vm_live(failing->vm->ctx);
	failing->fds = vm_count_fds();
	failing->next_id = next_id(failing->vm);
	OK(libiommu_ctx_mapped(failing->vm->ctx, &failing->mapped));
}

static void check(void *user)
{
	struct failing *const failing = user;
	unsigned int fds;
	uint64_t live, mapped;
	uint32_t id;

	if (failing->settle)
		failing->settle(failing);
	live = vm_live(failing->vm->ctx);
	fds = vm_count_fds();
	id = next_id(failing->vm);
	OK(libiommu_ctx_mapped(failing->vm->ctx, &mapped));
	if (live != failing->live || fds != failing->fds || id != failing->next_id ||
	    mapped != failing->mapped)
		fail_msg("%s, allocation %u: %lld objects, %d descriptors, %lld bytes more, next "
		         "id %u after %u",
		         failing->each.call, failing->each.nth, (long long)(live - failing->live),
		         (int)(fds - failing->fds), (long long)(mapped - failing->mapped), id,
		         failing->next_id);
	if (failing->more)
		failing->more(failing);
}

static int start(void *user, unsigned int nth)
{
	const struct failing *const failing = user;

	return fail_nth_start(failing->fail_nth, nth);
}

static int stop(void *user)
{
	const struct failing *const failing = user;

	return fail_nth_stop(failing->fail_nth);
}

void failing_begin(struct failing *failing, struct vm *vm)
{
	*failing = (struct failing){
		.each = {.start = start,
	                 .stop = stop,
	                 .note = note,
	                 .check = check,
	                 .user = failing},
		.vm = vm,
		.fail_nth = fail_nth_open(),
	};
	if (failing->fail_nth < 0)
		SKIP("this kernel cannot make its allocations fail");
}

void failing_stop(struct failing *failing)
{
	close(failing->fail_nth);
	each_report(&failing->each);
}

void failing_end(struct failing *failing)
{
	failing_stop(failing);
	assert_true(failing->each.refused);
}
