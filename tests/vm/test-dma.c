/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A real device does DMA through what the library maps and attaches, and none besides. */
#include "edu.h"
#include "vm.h"

#include <stdlib.h>
#include <string.h>

enum { OTHER_IOVA = 0x800000, SECRET = 0x5e, OLD = 0x0d };

static void fill(void *memory, uint8_t seed)
{
	uint8_t *const bytes = memory;

	for (size_t i = 0; i < VM_PAGE; i++)
		bytes[i] = (uint8_t)(i * 13 + seed);
}

/* From one page to another, by way of the device. */
static void assert_copies(const struct vm *vm, uint64_t from, uint64_t to, const uint8_t *source,
                          const uint8_t *target)
{
	assert_true(edu_load(vm->regs, from, VM_PAGE));
	assert_true(edu_store(vm->regs, to, VM_PAGE));
	assert_memory_equal(source, target, VM_PAGE);
}

/* The device reads and writes memory where it was mapped, for both pages of one mapping. */
static void test_round_trip(void **state)
{
	struct vm *const vm = *state;

	fill(vm->memory, 1);
	memset(vm->memory + VM_PAGE, 0, VM_PAGE);
	assert_copies(vm, VM_IOVA, VM_IOVA + VM_PAGE, vm->memory, vm->memory + VM_PAGE);
}

/* After an unmap neither a read nor a write reaches the memory, and the kernel sees the fault. */
static void test_unmap_stops_dma(void **state)
{
	struct vm *const vm = *state;
	uint8_t *const visible = vm->memory;
	uint8_t *const secret = vm->memory + VM_PAGE;
	uint8_t *const target = vm->memory + 2 * VM_PAGE;
	uint8_t expected[VM_PAGE];

	memset(secret, SECRET, VM_PAGE);
	memset(target, OLD, VM_PAGE);
	/* The control: while it is mapped, it is reached. */
	assert_copies(vm, VM_IOVA + VM_PAGE, VM_IOVA + 2 * VM_PAGE, secret, target);

	OK(libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_LENGTH));
	OK(libiommu_ioas_map_fixed(vm->ioas, visible, VM_PAGE, VM_READ_WRITE, OTHER_IOVA));
	memset(target, OLD, VM_PAGE);
	memset(expected, OLD, VM_PAGE);
	assert_true(edu_store(vm->regs, VM_IOVA + 2 * VM_PAGE, VM_PAGE));
	assert_memory_equal(target, expected, VM_PAGE);

	memset(visible, OLD, VM_PAGE);
	assert_copies(vm, OTHER_IOVA, OTHER_IOVA, visible, visible);
	assert_true(edu_load(vm->regs, VM_IOVA + VM_PAGE, VM_PAGE));
	assert_true(edu_store(vm->regs, OTHER_IOVA, VM_PAGE));
	for (size_t i = 0; i < VM_PAGE; i++)
		assert_int_not_equal(visible[i], SECRET);
	assert_true(vm_write_faults(vm, VM_IOVA + 2 * VM_PAGE));
}

/* Memory mapped for reading only cannot be written by the device. */
static void test_read_only(void **state)
{
	struct vm *const vm = *state;
	uint8_t *const page = vm->memory;
	uint8_t expected[VM_PAGE];

	OK(libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_LENGTH));
	OK(libiommu_ioas_map_fixed(vm->ioas, page, VM_PAGE, LIBIOMMU_MAP_READ, VM_IOVA));
	OK(libiommu_ioas_map_fixed(vm->ioas, page + VM_PAGE, VM_PAGE, VM_READ_WRITE, OTHER_IOVA));
	fill(page, 3);
	assert_copies(vm, VM_IOVA, OTHER_IOVA, page, page + VM_PAGE);
	memset(page, OLD, VM_PAGE);
	memset(expected, OLD, VM_PAGE);
	assert_true(edu_store(vm->regs, VM_IOVA, VM_PAGE));
	assert_memory_equal(page, expected, VM_PAGE);
}

/* Replacing moves the device to the other address space, at once and for the same IOVA. */
static void test_replace(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_ioas *other;
	uint32_t before, after;

	NEEDS_IOMMUFD(vm);
	OK(libiommu_ioas_alloc(vm->ctx, &other));
	OK(libiommu_ioas_map_fixed(other, vm->memory + VM_PAGE, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	OK(libiommu_device_pt_id(vm->dev, &before));
	fill(vm->memory, 4);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	OK(libiommu_device_replace_ioas(vm->dev, other));
	OK(libiommu_device_pt_id(vm->dev, &after));
	assert_int_not_equal(before, after);
	assert_true(edu_store(vm->regs, VM_IOVA, VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);

	/* The old one is free to go, the new one is not. */
	FAILS(EBUSY, libiommu_ioas_destroy(other));
	OK(libiommu_ioas_destroy(vm->ioas));
	vm->ioas = other;
	OK(libiommu_device_replace_ioas(vm->dev, other));
}

/* A replacement that fails keeps the old attachment, and DMA goes on. */
static void test_failed_replace(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_ioas *other;

	NEEDS_IOMMUFD(vm);
	OK(libiommu_ioas_alloc(vm->ctx, &other));
	/* Where devices signal interrupts: none can be attached to this. */
	OK(libiommu_ioas_map_fixed(other, vm->memory, VM_PAGE, VM_READ_WRITE,
	                           vm_iommu(vm->dev)->msi_first));
	FAILS(EADDRINUSE, libiommu_device_replace_ioas(vm->dev, other));
	EXPLAINED("needs a range for itself");
	fill(vm->memory, 5);
	assert_copies(vm, VM_IOVA, VM_IOVA + VM_PAGE, vm->memory, vm->memory + VM_PAGE);
	OK(libiommu_ioas_destroy(other));
}

/* Detached, the device reaches nothing; attached again, everything. */
static void test_detach(void **state)
{
	struct vm *const vm = *state;
	uint8_t expected[VM_PAGE];
	uint32_t pt_id;

	fill(vm->memory, 6);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	OK(libiommu_device_detach(vm->dev));
	FAILS(ENOENT, libiommu_device_pt_id(vm->dev, &pt_id));
	memset(vm->memory, OLD, VM_PAGE);
	memset(expected, OLD, VM_PAGE);
	assert_true(edu_store(vm->regs, VM_IOVA, VM_PAGE));
	assert_memory_equal(vm->memory, expected, VM_PAGE);

	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	fill(vm->memory, 7);
	assert_copies(vm, VM_IOVA, VM_IOVA + VM_PAGE, vm->memory, vm->memory + VM_PAGE);
}

/* What is mapped before the attachment is reached like what is mapped after it. */
static void test_map_before_attach(void **state)
{
	struct vm *const vm = *state;

	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory + VM_PAGE, VM_PAGE, VM_READ_WRITE,
	                           OTHER_IOVA));
	vm_map_registers(vm);
	fill(vm->memory, 8);
	assert_copies(vm, VM_IOVA, OTHER_IOVA, vm->memory, vm->memory + VM_PAGE);
}

/* A page table of one's own serves like the kernel's, and holds its address space. */
static void test_hwpt(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_hwpt *hwpt;
	uint32_t id, pt_id;

	NEEDS_IOMMUFD(vm);
	OK(libiommu_hwpt_alloc(vm->dev, vm->ioas, NULL, &hwpt));
	OK(libiommu_hwpt_id(hwpt, &id));
	OK(libiommu_device_replace_hwpt(vm->dev, hwpt));
	OK(libiommu_device_pt_id(vm->dev, &pt_id));
	assert_int_equal(id, pt_id);
	fill(vm->memory, 9);
	assert_copies(vm, VM_IOVA, VM_IOVA + VM_PAGE, vm->memory, vm->memory + VM_PAGE);
	FAILS(EBUSY, libiommu_hwpt_destroy(hwpt));
	OK(libiommu_device_replace_ioas(vm->dev, vm->ioas));
	OK(libiommu_hwpt_destroy(hwpt));
	assert_copies(vm, VM_IOVA, VM_IOVA + VM_PAGE, vm->memory, vm->memory + VM_PAGE);
}

/* Two devices in one address space see the same, and closing one leaves the other at work. */
static void test_two_devices(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *nvme;
	char address[16];
	uint32_t pt_edu, pt_nvme;

	if (!vm_find_nvme(address, sizeof(address)))
		SKIP("no NVMe drive in this machine");
	OK(libiommu_device_open_pci(vm->ctx, address, &nvme));
	OK(libiommu_device_bind(nvme, VM_LABEL + 1, NULL, 0));
	OK(libiommu_device_attach_ioas(nvme, vm->ioas));
	OK(libiommu_device_pt_id(vm->dev, &pt_edu));
	OK(libiommu_device_pt_id(nvme, &pt_nvme));
	/* Both are behind the same IOMMU: the kernel shares its page table. */
	assert_int_equal(pt_edu, pt_nvme);
	OK(libiommu_device_destroy(nvme));
	fill(vm->memory, 10);
	assert_copies(vm, VM_IOVA, VM_IOVA + VM_PAGE, vm->memory, vm->memory + VM_PAGE);
}

/* Objects of another context are refused by the library. */
static void test_foreign_objects(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct libiommu_hwpt *hwpt;

	OK(libiommu_ctx_new(NULL, &ctx));
	OK(libiommu_ioas_alloc(ctx, &ioas));
	FAILS(EINVAL, libiommu_device_attach_ioas(vm->dev, ioas));
	EXPLAINED("different contexts");
	FAILS(EINVAL, libiommu_hwpt_alloc(vm->dev, ioas, NULL, &hwpt));
	OK(libiommu_ioas_destroy(ioas));
	OK(libiommu_ctx_destroy(ctx));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_unmap_stops_dma, vm_setup_attached,
	                                        vm_teardown),
		cmocka_unit_test_setup_teardown(test_read_only, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_replace, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_failed_replace, vm_setup_attached,
	                                        vm_teardown),
		cmocka_unit_test_setup_teardown(test_detach, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_map_before_attach, vm_setup_bound,
	                                        vm_teardown),
		cmocka_unit_test_setup_teardown(test_hwpt, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_two_devices, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_foreign_objects, vm_setup_bound, vm_teardown),
	};

	return cmocka_run_group_tests_name("dma", tests, NULL, NULL);
}
