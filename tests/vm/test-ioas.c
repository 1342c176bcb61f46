/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Address spaces as the kernel really keeps them: what can be mapped where, and what is refused. */
#include "edu.h"
#include "vm.h"

#include <string.h>
#include <sys/mman.h>

static bool usable(const struct vm *vm, uint64_t iova, bool attached)
{
	struct libiommu_iova_ranges *ranges;
	struct libiommu_iova_range range;
	const bool legacy = libiommu_ctx_backend(vm->ctx) == LIBIOMMU_BACKEND_TYPE1;
	bool found = false;

	OK(libiommu_ioas_ranges(vm->ioas, &ranges));
	/* Only a page table makes demands: before the first attachment any byte would do. */
	assert_int_equal(libiommu_iova_ranges_alignment(ranges), attached || legacy ? VM_PAGE : 1);
	for (size_t i = 0; i < libiommu_iova_ranges_count(ranges); i++) {
		OK(libiommu_iova_ranges_get(ranges, i, &range));
		assert_true(range.start < range.last);
		found = found || (range.start <= iova && iova <= range.last);
	}
	libiommu_iova_ranges_free(ranges);
	return found;
}

/* An attached device takes its reserved ranges out of what can be mapped; detaching undoes that. */
static void test_ranges_follow_attachment(void **state)
{
	struct vm *const vm = *state;
	const struct vm_iommu *const iommu = vm_iommu(vm->dev);

	assert_true(usable(vm, iommu->msi_first, false));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	assert_false(usable(vm, iommu->msi_first, true));
	assert_false(usable(vm, iommu->msi_last, true));
	assert_true(usable(vm, VM_IOVA, true));
	FAILS(EINVAL, libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE,
	                                      iommu->msi_first));
	OK(libiommu_device_detach(vm->dev));
	assert_true(usable(vm, iommu->msi_first, false));
}

/* What was mapped into a range that the device needs keeps it from being attached. */
static void test_mapping_against_device(void **state)
{
	struct vm *const vm = *state;
	const struct vm_iommu *const iommu = vm_iommu(vm->dev);

	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE, iommu->msi_first));
	FAILS(EADDRINUSE, libiommu_device_attach_ioas(vm->dev, vm->ioas));
	EXPLAINED("needs a range for itself");
	OK(libiommu_ioas_unmap(vm->ioas, iommu->msi_first, VM_PAGE));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
}

/* The allow-list decides where the kernel maps, and is a promise that devices must fit. */
static void test_allow_list(void **state)
{
	struct vm *const vm = *state;
	const struct vm_iommu *const iommu = vm_iommu(vm->dev);
	const struct libiommu_iova_range low = {0x400000, 0x7ffffff};
	const struct libiommu_iova_range reserved = {iommu->msi_first, iommu->msi_last};
	const struct libiommu_iova_range backwards = {0x2000, 0x1fff};
	const struct libiommu_iova_range overlap[] = {{0, 0xffff}, {0x8000, 0x1ffff}};
	uint64_t iova;

	NEEDS_IOMMUFD(vm);
	FAILS(EINVAL, libiommu_ioas_allow(vm->ioas, &backwards, 1));
	FAILS(EINVAL, libiommu_ioas_allow(vm->ioas, overlap, 2));
	OK(libiommu_ioas_allow(vm->ioas, &reserved, 1));
	FAILS(EADDRINUSE, libiommu_device_attach_ioas(vm->dev, vm->ioas));
	OK(libiommu_ioas_allow(vm->ioas, &low, 1));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	FAILS(EADDRINUSE, libiommu_ioas_allow(vm->ioas, &reserved, 1));
	EXPLAINED("needs a part of the range for itself");
	OK(libiommu_ioas_map(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, &iova));
	assert_in_range(iova, low.start, low.last);

	vm_map_registers(vm);
	memset(vm->memory, 0x3c, VM_PAGE);
	memset(vm->memory + VM_PAGE, 0, VM_PAGE);
	assert_true(edu_load(vm->regs, iova, VM_PAGE));
	assert_true(edu_store(vm->regs, iova + VM_PAGE, VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);
	OK(libiommu_ioas_allow(vm->ioas, NULL, 0));
}

static void test_map_errors(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_ioas *const ioas = vm->ioas;
	uint64_t iova = 7;

	OK(libiommu_device_attach_ioas(vm->dev, ioas));
	OK(libiommu_ioas_map_fixed(ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	FAILS(EEXIST,
	      libiommu_ioas_map_fixed(ioas, vm->memory, VM_PAGE, VM_READ_WRITE, VM_IOVA + VM_PAGE));
	FAILS(EINVAL, libiommu_ioas_map_fixed(ioas, vm->memory, VM_PAGE, VM_READ_WRITE, 0x800));
	FAILS(EINVAL, libiommu_ioas_map(ioas, vm->memory, 100, VM_READ_WRITE, &iova));
	FAILS(EINVAL, libiommu_ioas_map(ioas, vm->memory, 0, VM_READ_WRITE, &iova));
	FAILS(EINVAL, libiommu_ioas_map(ioas, vm->memory, VM_PAGE, 0, &iova));
	FAILS(EOVERFLOW,
	      libiommu_ioas_map(ioas, (void *)-VM_PAGE, 2 * VM_PAGE, VM_READ_WRITE, &iova));
	FAILS(EFAULT, libiommu_ioas_map(ioas, (void *)VM_PAGE, VM_PAGE, VM_READ_WRITE, &iova));
	assert_int_equal(iova, 7);
}

/* The mapping of memory that the process may only read cannot be one for writing. */
static void test_read_only_memory(void **state)
{
	struct vm *const vm = *state;
	uint64_t iova;
	void *page;

	page = mmap(NULL, VM_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(page != MAP_FAILED);
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	FAILS(EFAULT, libiommu_ioas_map(vm->ioas, page, VM_PAGE, VM_READ_WRITE, &iova));
	OK(libiommu_ioas_map(vm->ioas, page, VM_PAGE, LIBIOMMU_MAP_READ, &iova));
	munmap(page, VM_PAGE);
}

/* With no page table the kernel looks at no memory: the attachment finds out, and fails. */
static void test_lazy_mapping(void **state)
{
	struct vm *const vm = *state;
	uint32_t pt_id;

	OK(libiommu_ioas_map_fixed(vm->ioas, (void *)VM_PAGE, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	FAILS(EFAULT, libiommu_device_attach_ioas(vm->dev, vm->ioas));
	EXPLAINED("mapped before the first attach is no memory");
	FAILS(ENOENT, libiommu_device_pt_id(vm->dev, &pt_id));
	OK(libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_PAGE));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
}

/* Three mappings with a hole: exact, short, cut, range, everything. */
static void test_unmap(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_ioas *const ioas = vm->ioas;
	const uint64_t at[] = {VM_IOVA, VM_IOVA + 2 * VM_PAGE, VM_IOVA + 4 * VM_PAGE};
	uint64_t bytes = 0;

	OK(libiommu_device_attach_ioas(vm->dev, ioas));
	for (size_t i = 0; i < 3; i++)
		OK(libiommu_ioas_map_fixed(ioas, vm->memory, 2 * VM_PAGE, VM_READ_WRITE,
		                           at[i] + (i == 2 ? VM_PAGE : 0)));
	OK(libiommu_ctx_mapped(vm->ctx, &bytes));
	assert_int_equal(bytes, 6 * VM_PAGE);
	FAILS(ENOENT, libiommu_ioas_unmap(ioas, at[0], VM_PAGE));
	EXPLAINED("whole mappings only");
	FAILS(ENOENT, libiommu_ioas_unmap(ioas, 0x40000000, VM_PAGE));
	OK(libiommu_ctx_mapped(vm->ctx, &bytes));
	assert_int_equal(bytes, 6 * VM_PAGE);
	/* The second and the third, and the hole between them. */
	FAILS(ERANGE, libiommu_ioas_unmap(ioas, at[1], 5 * VM_PAGE));
	OK(libiommu_ctx_mapped(vm->ctx, &bytes));
	assert_int_equal(bytes, 2 * VM_PAGE);
	OK(libiommu_ioas_map_fixed(ioas, vm->memory, VM_PAGE, VM_READ_WRITE, at[2]));
	OK(libiommu_ioas_unmap_range(ioas, at[0], 16 * VM_PAGE, &bytes));
	assert_int_equal(bytes, 3 * VM_PAGE);
	OK(libiommu_ioas_unmap_all(ioas, &bytes));
	assert_int_equal(bytes, 0);
}

/* A handle on an address space that somebody else made maps into the same one. */
static void test_adopted(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_ioas *other;
	uint64_t bytes;
	uint32_t id;

	NEEDS_IOMMUFD(vm);
	OK(libiommu_ioas_id(vm->ioas, &id));
	OK(libiommu_ioas_adopt(vm->ctx, id, LIBIOMMU_ID_BORROW, &other));
	OK(libiommu_ioas_map_fixed(other, vm->memory, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	FAILS(EEXIST,
	      libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	OK(libiommu_ioas_unmap_all(other, &bytes));
	assert_int_equal(bytes, VM_PAGE);
	OK(libiommu_ioas_destroy(other));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));

	/* A wrong id shows at first use. */
	OK(libiommu_ioas_adopt(vm->ctx, 12345, LIBIOMMU_ID_BORROW, &other));
	FAILS(ENOENT, libiommu_ioas_map_fixed(other, vm->memory, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	OK(libiommu_ioas_destroy(other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ranges_follow_attachment, vm_setup_bound,
	                                        vm_teardown),
		cmocka_unit_test_setup_teardown(test_mapping_against_device, vm_setup_bound,
	                                        vm_teardown),
		cmocka_unit_test_setup_teardown(test_allow_list, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_map_errors, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_read_only_memory, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_lazy_mapping, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_unmap, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_adopted, vm_setup_bound, vm_teardown),
	};

	return cmocka_run_group_tests_name("ioas", tests, NULL, NULL);
}
