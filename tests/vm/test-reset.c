/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Resets of real devices: the registers start anew, the attachment stays. */
#include "edu.h"
#include "vm.h"

#include <string.h>

enum { NVME_CC = 0x14 / 4, COMMAND = 4 };

static void assert_dma_works(struct vm *vm)
{
	OK(libiommu_pci_set_bus_master(vm->dev, true));
	memset(vm->memory, 0x21, VM_PAGE);
	memset(vm->memory + VM_PAGE, 0, VM_PAGE);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	assert_true(edu_store(vm->regs, VM_IOVA + VM_PAGE, VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);
}

/* The drive has a function level reset, which clears its configuration register. */
static void test_function(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_bar_map *bar;
	struct libiommu_device *nvme;
	volatile uint32_t *regs;
	char address[16];

	if (!vm_find_nvme(address, sizeof(address)))
		SKIP("no NVMe drive in this machine");
	OK(libiommu_device_open_pci(vm->ctx, address, &nvme));
	OK(libiommu_device_bind(nvme, 1, NULL, 0));
	OK(libiommu_pci_bar_map(nvme, 0, 0, VM_PAGE, LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE, &bar));
	regs = libiommu_bar_map_address(bar);
	regs[NVME_CC] = 0x460000;
	assert_int_equal(regs[NVME_CC], 0x460000);
	OK(libiommu_reset_function(nvme));
	assert_int_equal(regs[NVME_CC], 0);
	OK(libiommu_bar_map_destroy(bar));
	OK(libiommu_device_destroy(nvme));
}

/* A function reset keeps the attachment and what is mapped. */
static void test_attachment_stays(void **state)
{
	struct vm *const vm = *state;
	uint32_t before, after;

	OK(libiommu_device_pt_id(vm->dev, &before));
	OK(libiommu_reset_function(vm->dev));
	OK(libiommu_device_pt_id(vm->dev, &after));
	assert_int_equal(before, after);
	assert_dma_works(vm);
}

/* Alone on its bus the device is the only one on the list, under the id it is known by. */
static void test_hot(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_reset_list *list;
	unsigned int domain, bus, slot, function;
	uint16_t segment;
	uint8_t number, devfn;
	uint32_t id, own;

	NEEDS_IOMMUFD(vm);
	OK(libiommu_reset_list_new(vm->dev, &list));
	assert_int_equal(libiommu_reset_list_count(list), 1);
	assert_int_equal(libiommu_reset_list_allowed(list), 1);
	OK(libiommu_reset_list_address(list, 0, &segment, &number, &devfn));
	assert_int_equal(sscanf(vm->edu, "%x:%x:%x.%x", &domain, &bus, &slot, &function), 4);
	assert_int_equal(segment, domain);
	assert_int_equal(number, bus);
	assert_int_equal(devfn, slot << 3 | function);
	OK(libiommu_reset_list_id(list, 0, &id));
	OK(libiommu_device_id(vm->dev, &own));
	assert_int_equal(id, own);
	FAILS(EINVAL, libiommu_reset_list_id(list, 1, &id));
	libiommu_reset_list_free(list);
	OK(libiommu_reset_hot(vm->dev));
	assert_dma_works(vm);
}

/* Devices on one bus are reset together, so all must be in the same hands. */
static void test_hot_with_company(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_reset_list *list;
	struct libiommu_device *one, *two;
	char first[16], second[16];

	NEEDS_IOMMUFD(vm);
	if (!vm_find(0x1234, 0x11e8, 2, first, sizeof(first)) ||
	    !vm_find(0x1234, 0x11e8, 3, second, sizeof(second)))
		SKIP("no two edu devices behind one bridge in this machine");
	OK(libiommu_device_open_pci(vm->ctx, first, &one));
	OK(libiommu_device_bind(one, 1, NULL, 0));
	OK(libiommu_reset_list_new(one, &list));
	assert_int_equal(libiommu_reset_list_count(list), 2);
	assert_int_equal(libiommu_reset_list_allowed(list), 1);
	libiommu_reset_list_free(list);
	OK(libiommu_device_open_pci(vm->ctx, second, &two));
	OK(libiommu_device_bind(two, 2, NULL, 0));
	OK(libiommu_reset_hot(one));
	OK(libiommu_device_destroy(two));
	OK(libiommu_device_destroy(one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_function, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_attachment_stays, vm_setup_attached,
	                                        vm_teardown),
		cmocka_unit_test_setup_teardown(test_hot, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_hot_with_company, vm_setup_empty, vm_teardown),
	};

	return cmocka_run_group_tests_name("reset", tests, NULL, NULL);
}
