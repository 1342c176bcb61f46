/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * VFIO's legacy containers, chosen by the program, on kernels with iommufd and without: who shares
 * a container, what moves, how much fits. What is as with iommufd the other programs show, which
 * run on kernels without it too.
 */
#include "edu.h"
#include "vm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NOBODY = 65534, MANY = 65535 };

static const char *const limit = "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit";

static void open_device(struct vm *vm, const char *address, struct libiommu_device **dev)
{
	OK(libiommu_device_open_pci(vm->ctx, address, dev));
	OK(libiommu_device_bind(*dev, VM_LABEL, NULL, 0));
}

static void attach_edu(struct vm *vm)
{
	open_device(vm, vm->edu, &vm->dev);
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
}

static bool round_trip(const struct vm *vm, uint64_t from, uint64_t to)
{
	return edu_load(vm->regs, from, VM_PAGE) && edu_store(vm->regs, to, VM_PAGE);
}

static void test_backend(void **state)
{
	const bool iommufd = !access("/dev/iommu", F_OK);
	struct vm *const vm = *state;
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *ctx;

	assert_int_equal(libiommu_ctx_backend(vm->ctx), LIBIOMMU_BACKEND_TYPE1);
	OK(libiommu_ctx_new(NULL, &ctx));
	assert_int_equal(libiommu_ctx_backend(ctx),
	                 iommufd ? LIBIOMMU_BACKEND_IOMMUFD : LIBIOMMU_BACKEND_TYPE1);
	OK(libiommu_ctx_destroy(ctx));
	OK(libiommu_ctx_config_new(&config));
	OK(libiommu_ctx_config_set_backend(config, LIBIOMMU_BACKEND_IOMMUFD));
	if (iommufd)
		OK(libiommu_ctx_new(config, &ctx));
	else
		FAILS(ENOENT, libiommu_ctx_new(config, &ctx));
	if (iommufd)
		OK(libiommu_ctx_destroy(ctx));
	libiommu_ctx_config_free(config);
}

static void test_round_trip(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_hw_info *info;
	uint64_t iova;

	open_device(vm, vm->edu, &vm->dev);
	OK(libiommu_hw_info_get(vm->dev, &info));
	libiommu_hw_info_free(info);
	/* The library chooses, from below; the device has 28 bits. */
	OK(libiommu_ioas_map(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, &iova));
	assert_int_not_equal(iova, 0);
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	vm_map_registers(vm);
	memset(vm->memory, 0x5a, VM_PAGE);
	assert_true(round_trip(vm, iova, iova + VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);
	/* Taken out, and put in again, with the device in use: it is alone. */
	OK(libiommu_device_detach(vm->dev));
	memset(vm->memory, 0, VM_PAGE);
	assert_true(edu_store(vm->regs, iova, VM_PAGE));
	for (size_t i = 0; i < VM_PAGE; i++)
		assert_int_equal(vm->memory[i], 0);
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	assert_true(edu_store(vm->regs, iova, VM_PAGE));
	assert_int_equal(vm->memory[0], 0x5a);
	FAILS(EOPNOTSUPP,
	      libiommu_ioas_copy(vm->ioas, vm->ioas, iova, VM_PAGE, VM_READ_WRITE, &iova));
}

/* The group that comes second moves into the container, and out of it, if its device is unused. */
static void test_two_groups(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *nvme;
	char address[16];
	uint32_t vendor = 0;

	if (!vm_find_nvme(address, sizeof(address)))
		SKIP("no NVMe drive in this machine");
	attach_edu(vm);
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	vm_map_registers(vm);
	open_device(vm, address, &nvme);
	/* Reading leaves no trace in the device. */
	OK(libiommu_pci_config_read(nvme, 0, &vendor, 4));
	assert_int_equal(vendor, 0x00101b36);
	OK(libiommu_device_attach_ioas(nvme, vm->ioas));
	OK(libiommu_pci_config_read(nvme, 0, &vendor, 4));
	assert_int_equal(vendor, 0x00101b36);
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE, 2 * VM_IOVA));
	OK(libiommu_device_detach(nvme));
	OK(libiommu_device_attach_ioas(nvme, vm->ioas));
	SUCCEEDS(libiommu_device_fd(nvme));
	FAILS(EBUSY, libiommu_device_detach(nvme));
	EXPLAINED("change containers");
	/* The first one's mappings are as they were, whoever came and went. */
	memset(vm->memory, 0x33, VM_PAGE);
	assert_true(round_trip(vm, 2 * VM_IOVA, VM_IOVA + VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);
	FAILS(EBUSY, libiommu_ioas_destroy(vm->ioas));
	OK(libiommu_device_destroy(nvme));
	open_device(vm, address, &nvme);
	SUCCEEDS(libiommu_device_fd(nvme));
	FAILS(EBUSY, libiommu_device_attach_ioas(nvme, vm->ioas));
	OK(libiommu_device_destroy(nvme));
	assert_true(round_trip(vm, VM_IOVA, VM_IOVA + 2 * VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + 2 * VM_PAGE, VM_PAGE);
}

/*
 * Two devices of one group are where the group is. That their DMA arrives is not shown: it comes
 * under the name of the bridge that they share.
 */
static void test_one_group(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_ioas *other;
	struct libiommu_device *devs[2];
	char address[2][16], groups[2][64];
	bool found = false;

	for (size_t i = 1; !found && vm_find(0x1234, 0x11e8, i + 1, address[1], 16); i++) {
		vm_find(0x1234, 0x11e8, i, address[0], 16);
		vm_group_of(address[0], groups[0], sizeof(groups[0]));
		vm_group_of(address[1], groups[1], sizeof(groups[1]));
		found = groups[0][0] && !strcmp(groups[0], groups[1]);
	}
	if (!found)
		SKIP("no two edu devices in one group in this machine");
	for (int i = 0; i < 2; i++)
		assert_int_equal(vm_give_to(address[i], "vfio-pci"), 0);
	for (int i = 0; i < 2; i++)
		open_device(vm, address[i], &devs[i]);
	OK(libiommu_ioas_alloc(vm->ctx, &other));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	OK(libiommu_device_attach_ioas(devs[0], vm->ioas));
	FAILS(EINVAL, libiommu_device_attach_ioas(devs[1], other));
	OK(libiommu_device_attach_ioas(devs[1], vm->ioas));
	for (int i = 0; i < 2; i++) {
		OK(libiommu_pci_bar_map(devs[i], 0, 0, 0, LIBIOMMU_BAR_READ, &vm->bar));
		vm->regs = libiommu_bar_map_address(vm->bar);
		assert_int_equal(edu_read(vm->regs, EDU_ID) & 0xff, 0xed);
		OK(libiommu_bar_map_destroy(vm->bar));
		vm->bar = NULL;
	}
	OK(libiommu_device_detach(devs[0]));
	OK(libiommu_device_detach(devs[1]));
	OK(libiommu_device_attach_ioas(devs[1], other));
	OK(libiommu_device_destroy(devs[0]));
	OK(libiommu_device_destroy(devs[1]));
	OK(libiommu_ioas_destroy(other));
}

/* What stands in the way is found out when the group is opened, and when the device is. */
static void test_obstacles(void **state)
{
	static const uint8_t token[16] = {1};
	struct vm *const vm = *state;
	struct libiommu_device *dev;
	char address[16];

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	FAILS(EINVAL, libiommu_device_bind(vm->dev, VM_LABEL, token, 0));
	EXPLAINED("token");
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	if (!vm_find(0x1234, 0x11e8, 1, address, sizeof(address)))
		SKIP("no second edu device behind a bridge in this machine");
	FAILS(EPERM, libiommu_device_open_pci(vm->ctx, address, &dev));
	EXPLAINED("virtio-pci");
}

/* As many as the kernel says, by default 65535, and what is said of one more. */
static void test_limit(void **state)
{
	struct vm *const vm = *state;
#ifdef __aarch64__
	const uint64_t doorbell = 0x100000; /* nothing is mapped where interrupts are written to */
#else
	const uint64_t doorbell = 0;
#endif
	uint64_t unmapped, iova = 0, first;

	attach_edu(vm);
	OK(libiommu_ioas_map(vm->ioas, vm->memory, VM_PAGE, LIBIOMMU_MAP_READ, &first));
	for (int i = 1; i < MANY; i++)
		OK(libiommu_ioas_map(vm->ioas, vm->memory, VM_PAGE, LIBIOMMU_MAP_READ, &iova));
	assert_int_equal(iova, first + (MANY - 1) * (uint64_t)VM_PAGE + doorbell);
	FAILS(ENOSPC, libiommu_ioas_map(vm->ioas, vm->memory, VM_PAGE, LIBIOMMU_MAP_READ, &iova));
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
	EXPLAINED("65535 mappings are in it");
	EXPLAINED("dma_entry_limit");
	OK(libiommu_ioas_unmap(vm->ioas, first + 7 * VM_PAGE, VM_PAGE));
	OK(libiommu_ioas_map(vm->ioas, vm->memory, VM_PAGE, LIBIOMMU_MAP_READ, &iova));
	assert_int_equal(iova, first + 7 * VM_PAGE);
	OK(libiommu_ioas_unmap_all(vm->ioas, &unmapped));
	assert_int_equal(unmapped, MANY * (uint64_t)VM_PAGE);
}

/* More than fits, mapped while nothing is attached: nothing is left in the container. */
static void test_limit_at_attach(void **state)
{
	struct vm *const vm = *state;
	uint64_t iova;

	assert_int_equal(vm_write_file(limit, "2"), 0);
	open_device(vm, vm->edu, &vm->dev);
	for (int i = 0; i < 3; i++)
		OK(libiommu_ioas_map(vm->ioas, vm->memory, VM_PAGE, LIBIOMMU_MAP_READ, &iova));
	FAILS(ENOSPC, libiommu_device_attach_ioas(vm->dev, vm->ioas));
	EXPLAINED("dma_entry_limit");
	OK(libiommu_ioas_unmap(vm->ioas, iova, VM_PAGE));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	assert_int_equal(vm_write_file(limit, "65535"), 0);
}

static void test_locked_memory(void **state)
{
	const struct rlimit small = {3 * VM_PAGE, 3 * VM_PAGE};
	struct vm *const vm = *state;
	struct rlimit old;

	attach_edu(vm);
	memset(vm->memory, 1, VM_LENGTH);
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &old), 0);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &small), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	FAILS(ENOMEM,
	      libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	EXPLAINED("locked-memory limit 12 KiB");
	EXPLAINED("each container");
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, 2 * VM_PAGE, VM_READ_WRITE, VM_IOVA));
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &old), 0);
}

/* A group is one context's, of whichever process. */
static void test_in_use(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *dev;
	struct libiommu_ctx *ctx;

	attach_edu(vm);
	OK(vm_open_type1(&ctx));
	FAILS(EBUSY, libiommu_device_open_pci(ctx, vm->edu, &dev));
	EXPLAINED("this process has");
	OK(libiommu_ctx_destroy(ctx));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_backend, vm_setup_type1, vm_teardown),
		cmocka_unit_test_setup_teardown(test_round_trip, vm_setup_type1, vm_teardown),
		cmocka_unit_test_setup_teardown(test_two_groups, vm_setup_type1, vm_teardown),
		cmocka_unit_test_setup_teardown(test_one_group, vm_setup_type1, vm_teardown),
		cmocka_unit_test_setup_teardown(test_obstacles, vm_setup_type1, vm_teardown),
		cmocka_unit_test_setup_teardown(test_limit, vm_setup_type1, vm_teardown),
		cmocka_unit_test_setup_teardown(test_limit_at_attach, vm_setup_type1, vm_teardown),
		cmocka_unit_test_setup_teardown(test_locked_memory, vm_setup_type1, vm_teardown),
		cmocka_unit_test_setup_teardown(test_in_use, vm_setup_type1, vm_teardown),
	};

	return cmocka_run_group_tests_name("type1", tests, NULL, NULL);
}
