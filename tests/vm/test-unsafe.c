/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * In a machine whose interrupts are not isolated, since a device could send any of them by DMA: no
 * device is bound, unless who runs the machine accepts that.
 */
#include <string.h>

#include "edu.h"
#include "vm.h"

#define SWITCH "/sys/module/iommufd/parameters/allow_unsafe_interrupts"

static void test_bind(void **state)
{
	struct vm *const vm = *state;

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	FAILS(EPERM, libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
	EXPLAINED("interrupts are not isolated (iommufd.allow_unsafe_interrupts=1");
	OK(vm_write_file(SWITCH, "Y"));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	vm_map_registers(vm);
	memset(vm->memory, 0x3a, VM_PAGE);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	assert_true(edu_store(vm->regs, VM_IOVA + VM_PAGE, VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);
	OK(vm_write_file(SWITCH, "N"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bind, vm_setup_empty, vm_teardown),
	};

	return cmocka_run_group_tests_name("unsafe", tests, NULL, NULL);
}
