/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A machine without an IOMMU: what can be done there, and what is said of what cannot. */
#include "edu.h"
#include "vm.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Without the kernel's permission for unsafe DMA the list names the obstacle. */
static void test_obstacle(void **state)
{
	struct libiommu_device_list *list;
	size_t count, seen = 0;
	uint32_t ids[3];

	(void)state;
	OK(libiommu_device_list_new(NULL, &list));
	count = libiommu_device_list_count(list);
	for (size_t i = 0; i < count; i++) {
		OK(libiommu_device_list_ids(list, i, &ids[0], &ids[1], &ids[2]));
		if (ids[0] != 0x1234 || ids[1] != 0x11e8)
			continue;
		assert_int_equal(libiommu_device_list_obstacle(list, i),
		                 LIBIOMMU_OBSTACLE_NO_IOMMU);
		assert_int_equal(libiommu_device_list_group(list, i), -ENODEV);
		assert_string_not_equal(libiommu_device_list_advice(list, i), "");
		seen++;
	}
	assert_int_equal(seen, 1);
	libiommu_device_list_free(list);
}

static void give_to_vfio(const struct vm *vm)
{
	const char *const mode = "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode";

	if (access(mode, F_OK))
		SKIP("this kernel was built without VFIO_NOIOMMU");
	assert_int_equal(vm_write_file(mode, "1"), 0);
	assert_int_equal(vm_give_to(vm->edu, "vfio-pci"), 0);
}

/* What the kernel says of a page of this process. */
static uint64_t physical(const void *at)
{
	FILE *const map = fopen("/proc/self/pagemap", "r");
	uint64_t entry = 0;

	assert_non_null(map);
	assert_int_equal(fseek(map, (long)((uintptr_t)at / VM_PAGE * 8), SEEK_SET), 0);
	assert_int_equal(fread(&entry, 8, 1, map), 1);
	fclose(map);
	return (entry & ((UINT64_C(1) << 55) - 1)) * VM_PAGE;
}

static void check_physical(struct vm *vm)
{
	struct libiommu_ioas *other;
	uint64_t address = 7, length = 7;

	FAILS(ENOENT, libiommu_ioas_noiommu_get_pa(vm->ioas, VM_IOVA, VM_PAGE, &address, &length));
	memset(vm->memory, 1, VM_LENGTH);
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	for (uint64_t i = 0; i < VM_LENGTH; i += VM_PAGE) {
		OK(libiommu_ioas_noiommu_get_pa(vm->ioas, VM_IOVA + i + 8, VM_LENGTH, &address,
		                                &length));
		assert_int_equal(address, physical(vm->memory + i) + 8);
		assert_in_range(length, VM_PAGE - 8, VM_LENGTH - i - 8);
	}
	OK(libiommu_ioas_noiommu_get_pa(vm->ioas, VM_IOVA, 5, &address, &length));
	assert_int_equal(length, 5);
	/* Attached to nothing it has no page table to look into. */
	OK(libiommu_ioas_alloc(vm->ctx, &other));
	OK(libiommu_ioas_map_fixed(other, vm->memory, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	FAILS(EOPNOTSUPP, libiommu_ioas_noiommu_get_pa(other, VM_IOVA, 5, &address, &length));
	OK(libiommu_ioas_destroy(other));
	assert_int_equal(seteuid(65534), 0);
	FAILS(EPERM, libiommu_ioas_noiommu_get_pa(vm->ioas, VM_IOVA, 5, &address, &length));
	EXPLAINED("CAP_SYS_RAWIO");
	assert_int_equal(seteuid(0), 0);
	OK(libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_LENGTH));
}

/* Where the kernel has nodes for such devices they are found, bound and "attached". */
static void test_node(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_hw_info *info;
	char node[64];

	NEEDS_IOMMUFD(vm);
	give_to_vfio(vm);
	if (!vm_kernel_at_least(7, 3)) {
		FAILS(ENOENT, libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
		EXPLAINED("/dev/vfio/noiommu-");
		return;
	}
	vm_node_of(vm->edu, node, sizeof(node));
	assert_non_null(strstr(node, "noiommu-vfio"));
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	FAILS(EOPNOTSUPP, libiommu_hw_info_get(vm->dev, &info));
	EXPLAINED("no IOMMU behind the device");
	vm_map_registers(vm);
	assert_int_equal(edu_read(vm->regs, EDU_ID) & 0xff, 0xed);
	check_physical(vm);
	OK(libiommu_device_detach(vm->dev));
}

/* By the group's file it works on every kernel. */
static void test_group(void **state)
{
	struct vm *const vm = *state;
	const bool iommufd = libiommu_ctx_backend(vm->ctx) == LIBIOMMU_BACKEND_IOMMUFD;
	struct libiommu_ioas *ioas;
	char group[64], path[80];

	give_to_vfio(vm);
	vm_group_of(vm->edu, group, sizeof(group));
	snprintf(path, sizeof(path), "/dev/vfio/noiommu-%s", group + strlen("/dev/vfio/"));
	OK(libiommu_device_open_group(vm->ctx, path, vm->edu, NULL, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	FAILS(iommufd ? ENODEV : EOPNOTSUPP, libiommu_ioas_get_compat(vm->ctx, &ioas));
	vm_map_registers(vm);
	assert_int_equal(edu_read(vm->regs, EDU_ID) & 0xff, 0xed);
}

/* In a legacy container: the device can be used, and nothing is mapped for it. */
static void test_container(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_hw_info *info;
	char group[64], path[80];
	uint64_t iova;

	give_to_vfio(vm);
	vm_group_of(vm->edu, group, sizeof(group));
	snprintf(path, sizeof(path), "/dev/vfio/noiommu-%s", group + strlen("/dev/vfio/"));
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(seteuid(65534), 0);
	FAILS(EPERM, libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	EXPLAINED("CAP_SYS_RAWIO");
	assert_int_equal(seteuid(0), 0);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	assert_int_equal(seteuid(65534), 0);
	FAILS(EPERM, libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	EXPLAINED("CAP_SYS_RAWIO");
	assert_int_equal(seteuid(0), 0);
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	FAILS(EOPNOTSUPP, libiommu_hw_info_get(vm->dev, &info));
	EXPLAINED("no IOMMU behind the device");
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	FAILS(EOPNOTSUPP, libiommu_ioas_map(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE, &iova));
	EXPLAINED("no IOMMU behind what is attached");
	vm_map_registers(vm);
	assert_int_equal(edu_read(vm->regs, EDU_ID) & 0xff, 0xed);
	OK(libiommu_device_detach(vm->dev));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_obstacle),
		cmocka_unit_test_setup_teardown(test_node, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_group, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_container, vm_setup_type1, vm_teardown),
	};

	return cmocka_run_group_tests_name("noiommu", tests, NULL, NULL);
}
