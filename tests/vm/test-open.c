/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Every way to a device, and what the library says of what stands in the way. */
#include "edu.h"
#include "vm.h"

#include "base/uapi/vfio.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_edu(struct libiommu_device *dev)
{
	uint32_t ids;

	OK(libiommu_pci_config_read(dev, 0, &ids, sizeof(ids)));
	return ids == 0x11e81234;
}

static void bind_and_destroy(struct libiommu_device *dev)
{
	OK(libiommu_device_bind(dev, VM_LABEL, NULL, 0));
	assert_true(is_edu(dev));
	OK(libiommu_device_destroy(dev));
}

/* By address, long and short; by directory; by node: each is the same device. */
static void test_paths(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *dev;
	char path[64];

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &dev));
	bind_and_destroy(dev);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu + strlen("0000:"), &dev));
	bind_and_destroy(dev);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", vm->edu);
	OK(libiommu_device_open_sysfs(vm->ctx, path, &dev));
	bind_and_destroy(dev);
	vm_node_of(vm->edu, path, sizeof(path));
	OK(libiommu_device_open_node(vm->ctx, path, &dev));
	bind_and_destroy(dev);
}

/* A descriptor of the caller's: owned, borrowed, duplicated. */
static void test_descriptors(void **state)
{
	struct vm *const vm = *state;
	const enum libiommu_fd_mode modes[] = {LIBIOMMU_FD_BORROW, LIBIOMMU_FD_DUP,
	                                       LIBIOMMU_FD_OWN};
	struct libiommu_device *dev;
	char node[64];
	int fd;

	vm_node_of(vm->edu, node, sizeof(node));
	for (size_t i = 0; i < 3; i++) {
		fd = open(node, O_RDWR | O_CLOEXEC);
		assert_true(fd >= 0);
		OK(libiommu_device_open_fd(vm->ctx, fd, modes[i], &dev));
		assert_int_equal(libiommu_device_fd(dev) == fd, modes[i] != LIBIOMMU_FD_DUP);
		bind_and_destroy(dev);
		assert_int_equal(fcntl(fd, F_GETFD) >= 0, modes[i] != LIBIOMMU_FD_OWN);
		if (modes[i] != LIBIOMMU_FD_OWN)
			close(fd);
	}
}

/* A device that was bound and attached elsewhere is taken over as it is, at work. */
static void test_adopt(void **state)
{
	struct vm *const vm = *state;
	struct uapi_vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
	struct uapi_vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach)};
	struct libiommu_device *twin;
	char node[64];
	uint32_t id;
	int fd;

	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	OK(libiommu_ioas_id(vm->ioas, &attach.pt_id));
	vm_node_of(vm->edu, node, sizeof(node));
	fd = open(node, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	bind.iommufd = libiommu_ctx_fd(vm->ctx);
	assert_int_equal(ioctl(fd, UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD, &bind), 0);
	assert_int_equal(ioctl(fd, UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), 0);
	OK(libiommu_device_adopt(vm->ctx, fd, LIBIOMMU_FD_OWN, bind.out_devid, attach.pt_id,
	                         VM_LABEL, &vm->dev));
	OK(libiommu_device_id(vm->dev, &id));
	assert_int_equal(id, bind.out_devid);
	FAILS(EEXIST,
	      libiommu_device_adopt(vm->ctx, fd, LIBIOMMU_FD_BORROW, bind.out_devid, 0, 0, &twin));
	FAILS(EALREADY, libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	FAILS(EEXIST, libiommu_device_attach_ioas(vm->dev, vm->ioas));

	vm_map_registers(vm);
	memset(vm->memory, 0x77, VM_PAGE);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	assert_true(edu_store(vm->regs, VM_IOVA + VM_PAGE, VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);
	OK(libiommu_device_detach(vm->dev));
}

/* By its group the device lives on the compatibility address space, and does DMA there. */
static void test_group(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_hw_info *info;
	struct libiommu_hwpt *hwpt;
	struct libiommu_ioas *own;
	char group[64];
	uint32_t id;

	FAILS(ENODEV, libiommu_ioas_get_compat(vm->ctx, &vm->ioas));
	vm_group_of(vm->edu, group, sizeof(group));
	OK(libiommu_device_open_group(vm->ctx, group, vm->edu, NULL, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_ioas_get_compat(vm->ctx, &vm->ioas));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	vm_map_registers(vm);
	memset(vm->memory, 0x44, VM_PAGE);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	assert_true(edu_store(vm->regs, VM_IOVA + VM_PAGE, VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);

	OK(libiommu_ioas_alloc(vm->ctx, &own));
	FAILS(EOPNOTSUPP, libiommu_device_attach_ioas(vm->dev, own));
	EXPLAINED("opened by its group");
	FAILS(EOPNOTSUPP, libiommu_device_detach(vm->dev));
	FAILS(EOPNOTSUPP, libiommu_device_id(vm->dev, &id));
	FAILS(EOPNOTSUPP, libiommu_hw_info_get(vm->dev, &info));
	FAILS(EOPNOTSUPP, libiommu_hwpt_alloc(vm->dev, own, NULL, &hwpt));
	FAILS(EOPNOTSUPP, libiommu_reset_hot(vm->dev));
	OK(libiommu_ioas_destroy(own));
	OK(libiommu_ioas_unmap_all(vm->ioas, NULL));
}

static void test_group_errors(void **state)
{
	struct vm *const vm = *state;
	char group[64];

	vm_group_of(vm->edu, group, sizeof(group));
	FAILS(ENOENT,
	      libiommu_device_open_group(vm->ctx, "/dev/vfio/9999", vm->edu, NULL, &vm->dev));
	FAILS(ENODEV, libiommu_device_open_group(vm->ctx, group, "0000:00:1f.7", NULL, &vm->dev));
	EXPLAINED("no such device");
}

/* Labels may repeat: the handle and the kernel's id tell devices apart, a shared label does not. */
static void test_labels(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *found, *nvme;
	uint64_t label;
	char address[16];
	uint32_t id;

	if (!vm_find_nvme(address, sizeof(address)))
		SKIP("no NVMe drive in this machine");
	OK(libiommu_device_open_pci(vm->ctx, address, &nvme));
	FAILS(EINVAL, libiommu_device_label(nvme, &label));
	OK(libiommu_device_by_label(vm->ctx, VM_LABEL, &found));
	assert_ptr_equal(found, vm->dev);
	FAILS(ENOENT, libiommu_device_by_label(vm->ctx, VM_LABEL + 1, &found));
	OK(libiommu_device_bind(nvme, VM_LABEL, NULL, 0));
	OK(libiommu_device_label(nvme, &label));
	assert_int_equal(label, VM_LABEL);
	FAILS(ENOTUNIQ, libiommu_device_by_label(vm->ctx, VM_LABEL, &found));
	OK(libiommu_device_id(nvme, &id));
	OK(libiommu_device_by_id(vm->ctx, id, &found));
	assert_ptr_equal(found, nvme);
	OK(libiommu_device_destroy(nvme));
	FAILS(ENOENT, libiommu_device_by_id(vm->ctx, id, &found));
	OK(libiommu_device_by_label(vm->ctx, VM_LABEL, &found));
	assert_ptr_equal(found, vm->dev);
}

/* A context over a descriptor of the caller's, and over what is no /dev/iommu at all. */
static void test_context_descriptors(void **state)
{
	const enum libiommu_fd_mode modes[] = {LIBIOMMU_FD_BORROW, LIBIOMMU_FD_DUP,
	                                       LIBIOMMU_FD_OWN};
	struct vm *const vm = *state;
	struct libiommu_ctx_config *config;
	struct libiommu_device *dev;
	struct libiommu_ctx *ctx;
	int fd;

	OK(libiommu_ctx_config_new(&config));
	for (size_t i = 0; i < 3; i++) {
		fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
		assert_true(fd >= 0);
		OK(libiommu_ctx_config_set_fd(config, fd, modes[i]));
		OK(libiommu_ctx_new(config, &ctx));
		OK(libiommu_device_open_pci(ctx, vm->edu, &dev));
		bind_and_destroy(dev);
		OK(libiommu_ctx_destroy(ctx));
		assert_int_equal(fcntl(fd, F_GETFD) >= 0, modes[i] != LIBIOMMU_FD_OWN);
		if (modes[i] != LIBIOMMU_FD_OWN)
			close(fd);
	}
	OK(libiommu_ctx_config_set_path(config, "/dev/nothing-here"));
	FAILS(ENOENT, libiommu_ctx_new(config, &ctx));
	OK(libiommu_ctx_config_set_path(config, "/dev/null"));
	OK(libiommu_ctx_new(config, &ctx));
	OK(libiommu_device_open_pci(ctx, vm->edu, &dev));
	FAILS(EBADFD, libiommu_device_bind(dev, 1, NULL, 0));
	EXPLAINED("not /dev/iommu");
	OK(libiommu_device_destroy(dev));
	OK(libiommu_ctx_destroy(ctx));
	libiommu_ctx_config_free(config);
}

/* What a device cannot do before it is bound, and not twice. */
static void test_states(void **state)
{
	struct vm *const vm = *state;
	uint32_t id;

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	FAILS(EINVAL, libiommu_device_attach_ioas(vm->dev, vm->ioas));
	EXPLAINED("not bound");
	FAILS(EINVAL, libiommu_device_id(vm->dev, &id));
	FAILS(EINVAL, libiommu_reset_function(vm->dev));
	FAILS(EINVAL, libiommu_pci_set_bus_master(vm->dev, true));
	FAILS(EINVAL, libiommu_device_bind(vm->dev, 1, NULL, 1));
	OK(libiommu_device_bind(vm->dev, 1, NULL, 0));
	FAILS(EALREADY, libiommu_device_bind(vm->dev, 1, NULL, 0));
	FAILS(ENOENT, libiommu_device_detach(vm->dev));
	FAILS(ENOENT, libiommu_device_replace_ioas(vm->dev, vm->ioas));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	FAILS(EEXIST, libiommu_device_attach_ioas(vm->dev, vm->ioas));
	OK(libiommu_device_detach(vm->dev));
	FAILS(ENOENT, libiommu_device_detach(vm->dev));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_paths, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_descriptors, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_adopt, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_group, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_group_errors, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_labels, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_context_descriptors, vm_setup_empty,
	                                        vm_teardown),
		cmocka_unit_test_setup_teardown(test_states, vm_setup_empty, vm_teardown),
	};

	return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
