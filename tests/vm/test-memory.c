/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Locked memory: whose account it is charged to, and what is said when the limit is reached. */
#include "vm.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NOBODY = 65534, LIMIT = 4 << 20, SMALL = 1 << 20, LARGE = 16 << 20 };

struct unprivileged {
	struct rlimit limits;
	uint8_t *memory;
	uint64_t iova;
};

/* A limit counts only for those without CAP_IPC_LOCK, which goes with the effective user. */
static void drop(struct unprivileged *old)
{
	struct rlimit limits;

	old->memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(old->memory != MAP_FAILED);
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &old->limits), 0);
	limits = old->limits;
	limits.rlim_cur = LIMIT;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limits), 0);
	assert_int_equal(seteuid(NOBODY), 0);
}

static void regain(const struct unprivileged *old)
{
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &old->limits), 0);
	munmap(old->memory, LARGE);
}

/* The limit is named, with what this context has mapped; what fits is mapped all the same. */
static void check_limit(struct vm *vm)
{
	struct unprivileged old = {.iova = 0};
	uint64_t mapped;

	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	drop(&old);
	OK(libiommu_ioas_map_fixed(vm->ioas, old.memory, SMALL, VM_READ_WRITE, VM_IOVA));
	FAILS(ENOMEM, libiommu_ioas_map(vm->ioas, old.memory, LARGE, VM_READ_WRITE, &old.iova));
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
	EXPLAINED("locked-memory limit 4 MiB");
	EXPLAINED("has mapped 1 MiB");
	EXPLAINED("asked for 16 MiB");
	OK(libiommu_ctx_mapped(vm->ctx, &mapped));
	assert_int_equal(mapped, SMALL);
	/* Nothing was charged for what failed. */
	OK(libiommu_ioas_map_fixed(vm->ioas, old.memory, SMALL, VM_READ_WRITE, VM_IOVA + SMALL));
	OK(libiommu_ioas_unmap_all(vm->ioas, &mapped));
	assert_int_equal(mapped, 2 * SMALL);
	OK(libiommu_ioas_map_fixed(vm->ioas, old.memory, 3 * SMALL, VM_READ_WRITE, VM_IOVA));
	OK(libiommu_ioas_unmap_all(vm->ioas, NULL));
	regain(&old);
}

static void test_limit_per_user(void **state)
{
	struct vm *const vm = *state;
	enum libiommu_rlimit_mode mode;

	NEEDS_IOMMUFD(vm);
	OK(libiommu_ctx_get_rlimit_mode(vm->ctx, &mode));
	assert_int_equal(mode, LIBIOMMU_RLIMIT_PER_USER);
	check_limit(vm);
}

static void test_limit_per_process(void **state)
{
	struct vm *const vm = *state;
	enum libiommu_rlimit_mode mode;

	OK(libiommu_ctx_set_rlimit_mode(vm->ctx, LIBIOMMU_RLIMIT_PER_PROCESS));
	OK(libiommu_ctx_get_rlimit_mode(vm->ctx, &mode));
	assert_int_equal(mode, LIBIOMMU_RLIMIT_PER_PROCESS);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	check_limit(vm);
}

/* The mode is chosen before the first object, by who may exceed limits anyway. */
static void test_mode_errors(void **state)
{
	struct vm *const vm = *state;
	enum libiommu_rlimit_mode mode;

	NEEDS_IOMMUFD(vm);
	assert_int_equal(seteuid(NOBODY), 0);
	FAILS(EPERM, libiommu_ctx_set_rlimit_mode(vm->ctx, LIBIOMMU_RLIMIT_PER_PROCESS));
	EXPLAINED("CAP_SYS_RESOURCE");
	assert_int_equal(seteuid(0), 0);
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	FAILS(EBUSY, libiommu_ctx_set_rlimit_mode(vm->ctx, LIBIOMMU_RLIMIT_PER_PROCESS));
	EXPLAINED("before the first object");
	OK(libiommu_ctx_get_rlimit_mode(vm->ctx, &mode));
	assert_int_equal(mode, LIBIOMMU_RLIMIT_PER_USER);
}

/* Without a limit in the way the kernel pins what it is told, and the library counts along. */
static void test_accounting(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_ioas *other;
	uint64_t bytes;

	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	OK(libiommu_ioas_alloc(vm->ctx, &other));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	OK(libiommu_ioas_map_fixed(other, vm->memory, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	OK(libiommu_ctx_mapped(vm->ctx, &bytes));
	assert_int_equal(bytes, VM_LENGTH + VM_PAGE);
	OK(libiommu_ioas_destroy(other));
	OK(libiommu_ctx_mapped(vm->ctx, &bytes));
	assert_int_equal(bytes, VM_LENGTH);
	OK(libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_LENGTH));
	OK(libiommu_ctx_mapped(vm->ctx, &bytes));
	assert_int_equal(bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_limit_per_user, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_limit_per_process, vm_setup_empty,
	                                        vm_teardown),
		cmocka_unit_test_setup_teardown(test_mode_errors, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_accounting, vm_setup_bound, vm_teardown),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
