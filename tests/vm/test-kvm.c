/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A real virtual machine is told of a real device, and forgets it in time. */
#include "edu.h"
#include "vm.h"

#include "base/uapi/kvm.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* From <linux/kvm.h>, which the system's headers may lack. */
#define CREATE_VM _IO(UAPI_KVMIO, 0x01)

struct machine {
	struct vm *vm;
	int fd;
	struct libiommu_kvm *kvm;
};

static int create_vm(void)
{
	const int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int fd;

	if (kvm < 0)
		return -errno;
	fd = ioctl(kvm, CREATE_VM, 0);
	if (fd < 0)
		fd = -errno;
	close(kvm);
	return fd;
}

static int setup(void **state)
{
	struct machine *const machine = calloc(1, sizeof(*machine));

	if (!machine || vm_setup_empty((void **)&machine->vm))
		return -1;
	machine->fd = create_vm();
	if (machine->fd >= 0)
		OK(libiommu_kvm_new(machine->vm->ctx, machine->fd, &machine->kvm));
	*state = machine;
	return 0;
}

static int teardown(void **state)
{
	struct machine *const machine = *state;
	struct vm *const vm = machine->vm;
	int failed;

	OK(libiommu_bar_map_destroy(vm->bar));
	OK(libiommu_device_destroy(vm->dev));
	OK(libiommu_kvm_destroy(machine->kvm));
	if (machine->fd >= 0)
		close(machine->fd);
	vm->bar = NULL;
	vm->dev = NULL;
	failed = vm_teardown((void **)&machine->vm);
	free(machine);
	return failed;
}

#define NEEDS_KVM(machine)                                                                         \
	do {                                                                                       \
		if ((machine)->fd < 0)                                                             \
			SKIP("no KVM in this machine: %s", strerror(-(machine)->fd));              \
	} while (0)

/* Past the library: 0 or -errno. */
static int set_file(int kvm, uint64_t action, int device)
{
	int32_t value = device;
	struct uapi_kvm_device_attr attr = {
		.group = UAPI_KVM_DEV_VFIO_FILE,
		.attr = action,
		.addr = (uintptr_t)&value,
	};

	return ioctl(kvm, UAPI_IOC_KVM_SET_DEVICE_ATTR, &attr) ? -errno : 0;
}

/* Nobody has the device: it can be bound. */
static void assert_free(struct vm *vm)
{
	struct libiommu_device *dev;

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &dev));
	OK(libiommu_device_bind(dev, VM_LABEL, NULL, 0));
	OK(libiommu_device_destroy(dev));
}

static void attach_and_map(struct vm *vm)
{
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	vm_map_registers(vm);
}

static void assert_dma(struct vm *vm)
{
	memset(vm->memory, 0x4b, VM_PAGE);
	memset(vm->memory + VM_PAGE, 0, VM_PAGE);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	assert_true(edu_store(vm->regs, VM_IOVA + VM_PAGE, VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);
}

/* Told, bound, attached, at work; and with the destroy all of it is undone. */
static void test_life(void **state)
{
	struct machine *const machine = *state;
	struct vm *const vm = machine->vm;

	NEEDS_KVM(machine);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_kvm_add(machine->kvm, vm->dev));
	/* KVM has it. */
	assert_int_equal(set_file(libiommu_kvm_fd(machine->kvm), UAPI_KVM_DEV_VFIO_FILE_ADD,
	                          libiommu_device_fd(vm->dev)),
	                 -EEXIST);
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	attach_and_map(vm);
	assert_dma(vm);
	FAILS(EBUSY, libiommu_kvm_destroy(machine->kvm));
	FAILS(EBUSY, libiommu_kvm_remove(machine->kvm, vm->dev));
	OK(libiommu_bar_map_destroy(vm->bar));
	OK(libiommu_device_destroy(vm->dev));
	vm->bar = NULL;
	vm->dev = NULL;
	assert_free(vm);
}

/* What the library spares a program: KVM keeps a closed device, bound and attached. */
static void test_forgotten(void **state)
{
	struct machine *const machine = *state;
	struct vm *const vm = machine->vm;
	struct libiommu_device *dev;

	NEEDS_KVM(machine);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	assert_int_equal(set_file(libiommu_kvm_fd(machine->kvm), UAPI_KVM_DEV_VFIO_FILE_ADD,
	                          libiommu_device_fd(vm->dev)),
	                 0);
	FAILS(EEXIST, libiommu_kvm_add(machine->kvm, vm->dev));
	EXPLAINED("past this library");
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_device_destroy(vm->dev));
	vm->dev = NULL;
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &dev));
	FAILS(EINVAL, libiommu_device_bind(dev, VM_LABEL, NULL, 0));
	OK(libiommu_device_destroy(dev));
	OK(libiommu_kvm_destroy(machine->kvm));
	machine->kvm = NULL;
	assert_free(vm);
}

/* The kernel takes a bound device's file without a word, and it is of no use. */
static void test_too_late(void **state)
{
	struct machine *const machine = *state;
	struct vm *const vm = machine->vm;
	const int kvm = libiommu_kvm_fd(machine->kvm);
	char group[64];

	NEEDS_KVM(machine);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	FAILS(EALREADY, libiommu_kvm_add(machine->kvm, vm->dev));
	EXPLAINED("too late");
	assert_int_equal(set_file(kvm, UAPI_KVM_DEV_VFIO_FILE_ADD, libiommu_device_fd(vm->dev)), 0);
	assert_int_equal(set_file(kvm, UAPI_KVM_DEV_VFIO_FILE_DEL, libiommu_device_fd(vm->dev)), 0);
	FAILS(ENOENT, libiommu_kvm_remove(machine->kvm, vm->dev));
	OK(libiommu_device_destroy(vm->dev));
	vm->dev = NULL;

	vm_group_of(vm->edu, group, sizeof(group));
	OK(libiommu_device_open_group(vm->ctx, group, vm->edu, NULL, &vm->dev));
	FAILS(EOPNOTSUPP, libiommu_kvm_add(machine->kvm, vm->dev));
	EXPLAINED("too late");
	/* Its address space is the kernel's own, which the context outlives. */
	OK(libiommu_device_destroy(vm->dev));
	vm->dev = NULL;
}

/* By hand, in the order the other way round; and whoever lent the descriptor keeps the device. */
static void test_remove(void **state)
{
	struct machine *const machine = *state;
	struct vm *const vm = machine->vm;
	char node[64];
	int fd;

	NEEDS_KVM(machine);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_kvm_add(machine->kvm, vm->dev));
	OK(libiommu_kvm_remove(machine->kvm, vm->dev));
	FAILS(ENOENT, libiommu_kvm_remove(machine->kvm, vm->dev));
	OK(libiommu_kvm_add(machine->kvm, vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	attach_and_map(vm);
	OK(libiommu_device_detach(vm->dev));
	OK(libiommu_kvm_remove(machine->kvm, vm->dev));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	assert_dma(vm);
	OK(libiommu_bar_map_destroy(vm->bar));
	OK(libiommu_device_destroy(vm->dev));
	vm->bar = NULL;

	vm_node_of(vm->edu, node, sizeof(node));
	fd = open(node, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	OK(libiommu_device_open_fd(vm->ctx, fd, LIBIOMMU_FD_BORROW, &vm->dev));
	OK(libiommu_kvm_add(machine->kvm, vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_device_destroy(vm->dev));
	vm->dev = NULL;
	assert_int_equal(set_file(libiommu_kvm_fd(machine->kvm), UAPI_KVM_DEV_VFIO_FILE_DEL, fd),
	                 -ENOENT);
	close(fd);
	assert_free(vm);
}

/* The host wants the device back: at once, though a virtual machine has it. */
static void test_revoke(void **state)
{
	struct machine *const machine = *state;
	struct vm *const vm = machine->vm;

	NEEDS_KVM(machine);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_kvm_add(machine->kvm, vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	attach_and_map(vm);
	OK(libiommu_device_revoke(vm->dev));
	assert_free(vm);
	FAILS(ENODEV, libiommu_kvm_remove(machine->kvm, vm->dev));
	OK(libiommu_kvm_destroy(machine->kvm));
	machine->kvm = NULL;
}

static void test_descriptors(void **state)
{
	struct machine *const machine = *state;
	struct vm *const vm = machine->vm;
	struct libiommu_kvm *other;

	NEEDS_KVM(machine);
	/* A virtual machine has one. */
	FAILS(EBUSY, libiommu_kvm_new(vm->ctx, machine->fd, &other));
	EXPLAINED("libiommu_kvm_adopt()");
	OK(libiommu_kvm_adopt(vm->ctx, libiommu_kvm_fd(machine->kvm), LIBIOMMU_FD_DUP, &other));
	OK(libiommu_kvm_destroy(machine->kvm));
	machine->kvm = other;
	assert_true(fcntl(libiommu_kvm_fd(other), F_GETFD) & FD_CLOEXEC);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_kvm_add(other, vm->dev));
	OK(libiommu_device_destroy(vm->dev));
	vm->dev = NULL;
	OK(libiommu_kvm_destroy(other));
	OK(libiommu_kvm_new(vm->ctx, machine->fd, &machine->kvm));
	assert_true(fcntl(libiommu_kvm_fd(machine->kvm), F_GETFD) & FD_CLOEXEC);

	/* Neither is a virtual machine, nor a device of one. */
	FAILS(ENOTTY, libiommu_kvm_new(vm->ctx, libiommu_ctx_fd(vm->ctx), &other));
	OK(libiommu_kvm_adopt(vm->ctx, machine->fd, LIBIOMMU_FD_BORROW, &other));
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	FAILS(ENOTTY, libiommu_kvm_add(other, vm->dev));
	EXPLAINED("not one of KVM's devices");
	OK(libiommu_kvm_destroy(other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoke, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors, setup, teardown),
	};

	return cmocka_run_group_tests_name("kvm", tests, NULL, NULL);
}
