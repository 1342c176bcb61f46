/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The host wants its device back while this process drives it. */
#include "edu.h"
#include "vm.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };

/* After a revocation the getters answer, everything else says so, and all can be destroyed. */
static void assert_revoked(struct vm *vm)
{
	struct libiommu_hw_info *info;
	struct libiommu_hwpt *hwpt;
	const int none = -1;
	uint64_t label;
	uint32_t value;

	OK(libiommu_device_label(vm->dev, &label));
	assert_int_equal(label, VM_LABEL);
	FAILS(ENODEV, libiommu_device_fd(vm->dev));
	EXPLAINED("revoked");
	FAILS(ENODEV, libiommu_device_detach(vm->dev));
	FAILS(ENODEV, libiommu_device_attach_ioas(vm->dev, vm->ioas));
	FAILS(ENODEV, libiommu_device_replace_ioas(vm->dev, vm->ioas));
	FAILS(ENODEV, libiommu_device_bind(vm->dev, 1, NULL, 0));
	FAILS(ENODEV, libiommu_hw_info_get(vm->dev, &info));
	FAILS(ENODEV, libiommu_hwpt_alloc(vm->dev, vm->ioas, NULL, &hwpt));
	FAILS(ENODEV, libiommu_pci_config_read(vm->dev, 0, &value, sizeof(value)));
	FAILS(ENODEV, libiommu_pci_set_bus_master(vm->dev, false));
	FAILS(ENODEV, libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_MSI, 0, &none, 1));
	FAILS(ENODEV, libiommu_reset_function(vm->dev));
	OK(libiommu_device_revoke(vm->dev));
}

/* Registers stay readable, as memory; DMA has ended; the address space is free to go. */
static void test_revoke(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *again;

	assert_int_equal(edu_read(vm->regs, EDU_ID) & 0xff, 0xed);
	OK(libiommu_device_revoke(vm->dev));
	assert_int_equal(edu_read(vm->regs, EDU_ID), 0);
	edu_write(vm->regs, EDU_LIVENESS, 5);
	assert_revoked(vm);
	FAILS(EBUSY, libiommu_device_destroy(vm->dev));
	OK(libiommu_ioas_destroy(vm->ioas));
	vm->ioas = NULL;
	/* Somebody else can have the device now, this very context among them. */
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &again));
	OK(libiommu_device_bind(again, VM_LABEL + 1, NULL, 0));
	OK(libiommu_device_destroy(again));
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
}

/* The whole course: the host asks through the interrupt, the process gives way, the host has it. */
static void test_request(void **state)
{
	struct vm *const vm = *state;
	const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct pollfd event = {.fd = fd, .events = POLLIN};
	char command[128];
	pid_t child;
	int status;

	assert_true(fd >= 0);
	snprintf(command, sizeof(command), "echo %s > /sys/bus/pci/drivers/vfio-pci/unbind",
	         vm->edu);
	OK(libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_REQ, 0, &fd, 1));
	child = fork();
	assert_true(child >= 0);
	/* Another program: a mere child would map the registers too, and wait for itself. */
	if (!child) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(poll(&event, 1, PATIENCE_MS), 1);
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	OK(libiommu_device_revoke(vm->dev));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(edu_read(vm->regs, EDU_ID), 0);
	assert_revoked(vm);
	close(fd);
	assert_int_equal(vm_give_to(vm->edu, "vfio-pci"), 0);
}

/* A device that was opened by its group goes the same way. */
static void test_revoke_grouped(void **state)
{
	struct vm *const vm = *state;
	char group[64];

	vm_group_of(vm->edu, group, sizeof(group));
	OK(libiommu_device_open_group(vm->ctx, group, vm->edu, NULL, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	vm_map_registers(vm);
	OK(libiommu_device_revoke(vm->dev));
	assert_int_equal(edu_read(vm->regs, EDU_ID), 0);
	FAILS(ENODEV, libiommu_pci_set_bus_master(vm->dev, true));
	OK(libiommu_bar_map_destroy(vm->bar));
	vm->bar = NULL;
	OK(libiommu_device_destroy(vm->dev));
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
}

/* Not even bound, a device can be given back. */
static void test_revoke_unbound(void **state)
{
	struct vm *const vm = *state;

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_revoke(vm->dev));
	FAILS(ENODEV, libiommu_device_bind(vm->dev, 1, NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_revoke, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_request, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_revoke_grouped, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_revoke_unbound, vm_setup_empty, vm_teardown),
	};

	return cmocka_run_group_tests_name("revoke", tests, NULL, NULL);
}
