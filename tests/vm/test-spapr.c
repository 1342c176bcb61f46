/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* PowerPC's IOMMU: windows, memory registered before it is mapped, pages of 64 KiB. */
#include "edu.h"
#include "vm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGES = 8, FIRST_IOVA = 0x100000, OTHER_IOVA = 0x800000, LARGE = 16 << 20, OLD = 0x0d };

static uint64_t page;
static uint8_t *memory;

static int setup(void **state)
{
	struct vm *vm;

	page = (uint64_t)sysconf(_SC_PAGESIZE);
	memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	              0);
	if (memory == MAP_FAILED || vm_setup_bound(state))
		return -1;
	vm = *state;
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	vm_map_registers(vm);
	return 0;
}

static int teardown(void **state)
{
	munmap(memory, PAGES * page);
	return vm_teardown(state);
}

static void map_at(const struct vm *vm, uint64_t iova, uint64_t first, uint64_t pages)
{
	OK(libiommu_ioas_map_fixed(vm->ioas, memory + first * page, pages * page, VM_READ_WRITE,
	                           iova));
}

static void unmap_at(const struct vm *vm, uint64_t iova, uint64_t pages)
{
	OK(libiommu_ioas_unmap(vm->ioas, iova, pages * page));
}

/* From one page of memory to another, by way of the device. */
static void assert_copies(const struct vm *vm, uint64_t from, uint8_t *source, uint64_t to,
                          uint8_t *target)
{
	static uint8_t seed;

	memset(target, OLD, EDU_SIZE);
	seed++;
	for (size_t i = 0; i < EDU_SIZE; i++)
		source[i] = (uint8_t)(i * 13 + seed);
	assert_true(edu_load(vm->regs, from, EDU_SIZE));
	assert_true(edu_store(vm->regs, to, EDU_SIZE));
	assert_memory_equal(source, target, EDU_SIZE);
}

static uint32_t count_ranges(const struct vm *vm, uint64_t *first, uint64_t *last)
{
	struct libiommu_iova_ranges *ranges;
	struct libiommu_iova_range range;
	uint32_t count;

	OK(libiommu_ioas_ranges(vm->ioas, &ranges));
	count = (uint32_t)libiommu_iova_ranges_count(ranges);
	OK(libiommu_iova_ranges_get(ranges, count - 1, &range));
	assert_true(libiommu_iova_ranges_alignment(ranges) == page);
	libiommu_iova_ranges_free(ranges);
	*first = range.start;
	*last = range.last;
	print_message("# %u windows, the last 0x%llx to 0x%llx\n", count,
	              (unsigned long long)range.start, (unsigned long long)range.last);
	return count;
}

static void test_backend(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_ctx *type1;

	assert_int_equal(libiommu_ctx_backend(vm->ctx), LIBIOMMU_BACKEND_SPAPR);
	FAILS(ENODEV, vm_open_type1(&type1));
	EXPLAINED("vfio_iommu_spapr_tce");
}

static void test_round_trip(void **state)
{
	struct vm *const vm = *state;

	map_at(vm, FIRST_IOVA, 0, 2);
	assert_copies(vm, FIRST_IOVA, memory, FIRST_IOVA + page, memory + page);
	map_at(vm, OTHER_IOVA, 4, 1);
	assert_copies(vm, OTHER_IOVA, memory + 4 * page, FIRST_IOVA, memory);
}

/* The same memory twice, and in part: what is registered stays until the last of it is unmapped. */
static void test_overlapping_memory(void **state)
{
	struct vm *const vm = *state;

	map_at(vm, FIRST_IOVA, 2, 2);
	map_at(vm, OTHER_IOVA, 0, 6);
	assert_copies(vm, FIRST_IOVA, memory + 2 * page, OTHER_IOVA + 5 * page, memory + 5 * page);
	unmap_at(vm, OTHER_IOVA, 6);
	assert_copies(vm, FIRST_IOVA, memory + 2 * page, FIRST_IOVA + page, memory + 3 * page);
	map_at(vm, OTHER_IOVA, 3, 4);
	unmap_at(vm, FIRST_IOVA, 2);
	assert_copies(vm, OTHER_IOVA, memory + 3 * page, OTHER_IOVA + 3 * page, memory + 6 * page);
	OK(libiommu_ioas_unmap_all(vm->ioas, NULL));
}

/* The memory is not reached any more, and can be mapped anew. */
static void test_unmap_stops_dma(void **state)
{
	struct vm *const vm = *state;
	uint8_t expected[EDU_SIZE];

	map_at(vm, FIRST_IOVA, 0, 1);
	map_at(vm, OTHER_IOVA, 1, 1);
	assert_copies(vm, FIRST_IOVA, memory, OTHER_IOVA, memory + page);
	unmap_at(vm, OTHER_IOVA, 1);
	memset(memory + page, OLD, EDU_SIZE);
	memset(expected, OLD, EDU_SIZE);
	assert_true(edu_store(vm->regs, OTHER_IOVA, EDU_SIZE));
	assert_memory_equal(memory + page, expected, EDU_SIZE);
	map_at(vm, OTHER_IOVA, 1, 1);
	assert_copies(vm, FIRST_IOVA, memory, OTHER_IOVA, memory + page);
}

static void test_errors(void **state)
{
	struct vm *const vm = *state;
	uint64_t first, last;

	assert_int_equal(count_ranges(vm, &first, &last), 1);
	FAILS(EINVAL,
	      libiommu_ioas_map_fixed(vm->ioas, memory, page / 2, VM_READ_WRITE, FIRST_IOVA));
	FAILS(ENXIO, libiommu_ioas_map_fixed(vm->ioas, memory, page, VM_READ_WRITE, last + 1));
	EXPLAINED("libiommu_ioas_ranges()");
	assert_int_equal(mprotect(memory + page, page, PROT_READ), 0);
	FAILS(EFAULT,
	      libiommu_ioas_map_fixed(vm->ioas, memory, 2 * page, LIBIOMMU_MAP_READ, FIRST_IOVA));
	assert_int_equal(mprotect(memory + page, page, PROT_READ | PROT_WRITE), 0);
	map_at(vm, FIRST_IOVA, 0, 1);
	FAILS(EEXIST,
	      libiommu_ioas_map_fixed(vm->ioas, memory + page, page, VM_READ_WRITE, FIRST_IOVA));
	map_at(vm, OTHER_IOVA, 0, 2);
}

/* A page here and there, so that nothing of @length finds room. Returns where the window ends. */
static uint64_t crowd_window(const struct vm *vm, uint64_t length)
{
	uint64_t first, last;

	assert_int_equal(count_ranges(vm, &first, &last), 1);
	for (uint64_t iova = first; iova < last; iova += length / 2)
		map_at(vm, iova, PAGES - 1, 1);
	return last;
}

/* A second window for what has no room in the first; gone with the attachment, and made again. */
static void test_window(void **state)
{
	struct vm *const vm = *state;
	uint8_t *const large =
		mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t iova = 0, first, last;

	assert_true(large != MAP_FAILED);
	for (int round = 0; round < 2; round++) {
		const uint64_t end = crowd_window(vm, LARGE);

		OK(libiommu_ioas_map(vm->ioas, large, LARGE, VM_READ_WRITE, &iova));
		assert_int_equal(count_ranges(vm, &first, &last), 2);
		assert_true(iova > end && iova >= first && iova + LARGE - 1 <= last);
		assert_copies(vm, iova, large, iova + LARGE - page, large + LARGE - page);
		assert_copies(vm, iova + page, large + page, LARGE, memory + (PAGES - 1) * page);
		OK(libiommu_ioas_unmap_all(vm->ioas, NULL));
		OK(libiommu_device_detach(vm->dev));
		OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	}
	munmap(large, LARGE);
}

/* Detached, what is mapped is out of reach; attached again, in reach. */
static void test_detach(void **state)
{
	struct vm *const vm = *state;
	uint8_t expected[EDU_SIZE];

	map_at(vm, FIRST_IOVA, 0, 2);
	assert_copies(vm, FIRST_IOVA, memory, FIRST_IOVA + page, memory + page);
	OK(libiommu_device_detach(vm->dev));
	memset(memory, OLD, EDU_SIZE);
	memset(expected, OLD, EDU_SIZE);
	assert_true(edu_store(vm->regs, FIRST_IOVA, EDU_SIZE));
	assert_memory_equal(memory, expected, EDU_SIZE);
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	assert_copies(vm, FIRST_IOVA, memory, FIRST_IOVA + page, memory + page);
}

/* Two containers with the same memory, as the kernel wants it registered. */
static void test_two_address_spaces(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *nvme;
	struct libiommu_ioas *other;
	char address[16];

	if (!vm_find_nvme(address, sizeof(address)))
		SKIP("no NVMe drive in this machine");
	OK(libiommu_ioas_alloc(vm->ctx, &other));
	OK(libiommu_device_open_pci(vm->ctx, address, &nvme));
	OK(libiommu_device_bind(nvme, VM_LABEL + 1, NULL, 0));
	OK(libiommu_device_attach_ioas(nvme, other));
	map_at(vm, FIRST_IOVA, 0, 4);
	OK(libiommu_ioas_map_fixed(other, memory + 2 * page, 4 * page, VM_READ_WRITE, FIRST_IOVA));
	unmap_at(vm, FIRST_IOVA, 4);
	map_at(vm, FIRST_IOVA, 1, 2);
	assert_copies(vm, FIRST_IOVA, memory + page, FIRST_IOVA + page, memory + 2 * page);
	OK(libiommu_device_destroy(nvme));
	OK(libiommu_ioas_destroy(other));
	map_at(vm, OTHER_IOVA, 4, 3);
	assert_copies(vm, FIRST_IOVA, memory + page, OTHER_IOVA, memory + 4 * page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_backend, setup, teardown),
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlapping_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unmap_stops_dma, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_detach, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_address_spaces, setup, teardown),
	};

	return cmocka_run_group_tests_name("spapr", tests, NULL, NULL);
}
