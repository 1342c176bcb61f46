/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A device that cannot be had: the failure names who or what is in the way. */
#include "vm.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The drive is left to the host's own driver, as in any machine that has booted. */
static void test_host_driver(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *dev;
	char address[16];

	if (!vm_find_nvme(address, sizeof(address)))
		SKIP("no NVMe drive in this machine");
	assert_int_equal(vm_give_to(address, "nvme"), 0);
	FAILS(ENODEV, libiommu_device_open_pci(vm->ctx, address, &dev));
	EXPLAINED("nvme");
	EXPLAINED(address);
	assert_int_equal(vm_give_to(address, "vfio-pci"), 0);
	OK(libiommu_device_open_pci(vm->ctx, address, &dev));
	OK(libiommu_device_destroy(dev));
}

static void test_no_driver(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *dev;

	assert_int_equal(vm_give_to(vm->edu, NULL), 0);
	FAILS(ENODEV, libiommu_device_open_pci(vm->ctx, vm->edu, &dev));
	EXPLAINED("vfio-pci");
	assert_int_equal(vm_give_to(vm->edu, "vfio-pci"), 0);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &dev));
	OK(libiommu_device_destroy(dev));
}

static void test_no_such_device(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *dev;

	FAILS(ENODEV, libiommu_device_open_pci(vm->ctx, "0000:7f:1f.7", &dev));
	EXPLAINED("0000:7f:1f.7");
	FAILS(EINVAL, libiommu_device_open_pci(vm->ctx, "edu", &dev));
	FAILS(ENODEV, libiommu_device_open_sysfs(vm->ctx, "/sys/bus/pci/devices/none", &dev));
	FAILS(EINVAL, libiommu_device_open_sysfs(vm->ctx, "devices/none", &dev));
	FAILS(ENOENT, libiommu_device_open_node(vm->ctx, "/dev/vfio/devices/vfio999", &dev));
}

/* Another context of this process has the device. */
static void test_bound_here(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *dev;
	struct libiommu_ctx *ctx;

	OK(libiommu_ctx_new(NULL, &ctx));
	OK(libiommu_device_open_pci(ctx, vm->edu, &dev));
	FAILS(EINVAL, libiommu_device_bind(dev, 1, NULL, 0));
	EXPLAINED("this process has /dev/vfio/devices/");
	OK(libiommu_device_destroy(dev));
	OK(libiommu_ctx_destroy(ctx));
}

/* In the child: take the device, say so, hold it until told to go. */
static int hold(const char *address, int said, int told)
{
	struct libiommu_device *dev;
	struct libiommu_ctx *ctx;
	char byte = 1;

	if (libiommu_ctx_new(NULL, &ctx) || libiommu_device_open_pci(ctx, address, &dev) ||
	    libiommu_device_bind(dev, 1, NULL, 0))
		return 1;
	if (write(said, &byte, 1) != 1 || read(told, &byte, 1) != 0)
		return 1;
	libiommu_device_destroy(dev);
	libiommu_ctx_destroy(ctx);
	return 0;
}

/* Another process has the device: the explanation says which. */
static void test_bound_elsewhere(void **state)
{
	struct vm *const vm = *state;
	int said[2], told[2], status;
	struct libiommu_device *dev;
	char byte, text[64];
	pid_t child;

	assert_int_equal(pipe(said), 0);
	assert_int_equal(pipe(told), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		close(told[1]);
		_exit(hold(vm->edu, said[1], told[0]));
	}
	close(said[1]);
	assert_int_equal(read(said[0], &byte, 1), 1);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &dev));
	FAILS(EINVAL, libiommu_device_bind(dev, 1, NULL, 0));
	snprintf(text, sizeof(text), "process %d (", (int)child);
	EXPLAINED(text);
	close(told[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/* The very handle that was refused is good once the other has let go. */
	OK(libiommu_device_bind(dev, 1, NULL, 0));
	OK(libiommu_device_destroy(dev));
	close(said[0]);
	close(told[0]);
}

/* The device's node and its group's file exclude each other, either way round. */
static void test_group_in_use(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *grouped, *dev;
	struct libiommu_ctx *ctx;
	char group[64];

	vm_group_of(vm->edu, group, sizeof(group));
	OK(libiommu_ctx_new(NULL, &ctx));
	OK(libiommu_device_open_group(ctx, group, vm->edu, NULL, &grouped));
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &dev));
	FAILS(EBUSY, libiommu_device_bind(dev, 1, NULL, 0));
	EXPLAINED(group);
	OK(libiommu_device_destroy(grouped));
	OK(libiommu_device_bind(dev, 1, NULL, 0));
	FAILS(EBUSY, libiommu_device_open_group(ctx, group, vm->edu, NULL, &grouped));
	EXPLAINED("has /dev/vfio/devices/");
	OK(libiommu_device_destroy(dev));
	OK(libiommu_ctx_destroy(ctx));
}

/* A device that shares its group with one that a host driver has. */
static void test_group_sibling(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *dev;
	char address[16], group[64];

	if (!vm_find(0x1234, 0x11e8, 1, address, sizeof(address)))
		SKIP("no second edu device behind a bridge in this machine");
	OK(libiommu_device_open_pci(vm->ctx, address, &dev));
	FAILS(EPERM, libiommu_device_bind(dev, 1, NULL, 0));
	EXPLAINED("virtio-pci");
	OK(libiommu_device_destroy(dev));
	vm_group_of(address, group, sizeof(group));
	FAILS(EPERM, libiommu_device_open_group(vm->ctx, group, address, NULL, &dev));
	EXPLAINED("virtio-pci");
}

/* A token where none is needed: the kernel refuses, whether or not it knows tokens. */
static void test_token(void **state)
{
	struct vm *const vm = *state;
	const uint8_t token[16] = {1, 2, 3};
	struct libiommu_device *dev;
	char group[64];

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &dev));
	FAILS(EINVAL, libiommu_device_bind(dev, 1, token, 0));
	EXPLAINED("token");
	OK(libiommu_device_bind(dev, 1, NULL, 0));
	OK(libiommu_device_destroy(dev));
	vm_group_of(vm->edu, group, sizeof(group));
	FAILS(EINVAL, libiommu_device_open_group(vm->ctx, group, vm->edu, token, &dev));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_host_driver, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_no_driver, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_no_such_device, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_bound_here, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_bound_elsewhere, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_group_in_use, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_group_sibling, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_token, vm_setup_empty, vm_teardown),
	};

	return cmocka_run_group_tests_name("obstacle", tests, NULL, NULL);
}
