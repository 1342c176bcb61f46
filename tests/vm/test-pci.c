/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Registers of real devices: by system call, by mapping, and through config space. */
#include "edu.h"
#include "vm.h"

#include <string.h>

enum { CAPABILITY_MSI = 0x05, CAPABILITY_PCIE = 0x10, CAPABILITY_MSIX = 0x11, COMMAND = 4 };

/* The mapping and the system call reach the same registers. */
static void test_bar(void **state)
{
	struct vm *const vm = *state;
	uint32_t value, flags;
	uint64_t size;

	OK(libiommu_pci_bar_info(vm->dev, 0, &size, &flags));
	assert_int_equal(size, 0x100000);
	assert_int_equal(flags, LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE | LIBIOMMU_BAR_MMAP);
	assert_int_equal(libiommu_bar_map_length(vm->bar), size);
	edu_write(vm->regs, EDU_LIVENESS, 0x12345678);
	OK(libiommu_pci_bar_read(vm->dev, 0, EDU_LIVENESS, &value, sizeof(value)));
	assert_int_equal(edu_order(vm->regs, value), ~UINT32_C(0x12345678));
	value = edu_order(vm->regs, 0xcafe0000);
	OK(libiommu_pci_bar_write(vm->dev, 0, EDU_LIVENESS, &value, sizeof(value)));
	assert_int_equal(edu_read(vm->regs, EDU_LIVENESS), ~UINT32_C(0xcafe0000));
	FAILS(ERANGE, libiommu_pci_bar_read(vm->dev, 0, size, &value, sizeof(value)));
	OK(libiommu_pci_bar_info(vm->dev, 1, &size, NULL));
	assert_int_equal(size, 0);
}

/* A part of a BAR is mapped like the whole. */
static void test_partial_map(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_bar_map *map;
	uint64_t offset, length;

	OK(libiommu_pci_bar_map(vm->dev, 0, 0, VM_PAGE, LIBIOMMU_BAR_READ, &map));
	assert_int_equal(libiommu_bar_map_length(map), VM_PAGE);
	edu_write(vm->regs, EDU_LIVENESS, 1);
	assert_int_equal(edu_read(libiommu_bar_map_address(map), EDU_LIVENESS), ~UINT32_C(1));
	OK(libiommu_bar_map_destroy(map));
	OK(libiommu_pci_bar_area(vm->dev, 0, 0, &offset, &length));
	assert_int_equal(offset, 0);
	assert_int_equal(length, 0x100000);
	FAILS(ENOENT, libiommu_pci_bar_area(vm->dev, 0, 1, &offset, &length));
	FAILS(EINVAL, libiommu_pci_bar_map(vm->dev, 0, 100, 0, LIBIOMMU_BAR_READ, &map));
	FAILS(ERANGE, libiommu_pci_bar_map(vm->dev, 0, 0, 0x200000, LIBIOMMU_BAR_READ, &map));
}

/* Without bus mastering the device's DMA goes nowhere. */
static void test_bus_master(void **state)
{
	struct vm *const vm = *state;
	uint8_t expected[VM_PAGE];
	uint16_t command;

	memset(expected, 0x0d, sizeof(expected));
	memset(vm->memory, 0x0d, VM_PAGE);
	OK(libiommu_pci_set_bus_master(vm->dev, false));
	OK(libiommu_pci_config_read(vm->dev, COMMAND, &command, sizeof(command)));
	assert_false(command & 4);
	assert_true(edu_store(vm->regs, VM_IOVA, VM_PAGE));
	assert_memory_equal(vm->memory, expected, VM_PAGE);
	OK(libiommu_pci_set_bus_master(vm->dev, true));
	OK(libiommu_pci_config_read(vm->dev, COMMAND, &command, sizeof(command)));
	assert_true(command & 4);
	memset(vm->memory, 0x66, VM_PAGE);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	assert_true(edu_store(vm->regs, VM_IOVA + VM_PAGE, VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);
}

/* A conventional device has capabilities, a PCI Express device extended ones too. */
static void test_capabilities(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *nvme;
	uint32_t offset;
	char address[16];
	uint8_t id;

	OK(libiommu_pci_find_capability(vm->dev, CAPABILITY_MSI, &offset));
	OK(libiommu_pci_config_read(vm->dev, offset, &id, 1));
	assert_int_equal(id, CAPABILITY_MSI);
	FAILS(ENOENT, libiommu_pci_find_capability(vm->dev, CAPABILITY_MSIX, &offset));
	if (!vm_find_nvme(address, sizeof(address)))
		SKIP("no NVMe drive in this machine");
	OK(libiommu_device_open_pci(vm->ctx, address, &nvme));
	OK(libiommu_device_bind(nvme, 1, NULL, 0));
	OK(libiommu_pci_find_capability(nvme, CAPABILITY_MSIX, &offset));
	OK(libiommu_pci_find_capability(nvme, CAPABILITY_PCIE, &offset));
	FAILS(ENOENT, libiommu_pci_find_ext_capability(nvme, 0x7777, &offset));
	FAILS(ERANGE, libiommu_pci_config_read(nvme, 4096, &id, 1));
	OK(libiommu_device_destroy(nvme));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bar, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_partial_map, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_bus_master, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_capabilities, vm_setup_bound, vm_teardown),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
