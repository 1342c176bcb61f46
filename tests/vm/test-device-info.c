/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What vfio-pci says of devices and their regions. */
#include "edu.h"
#include "vm.h"

#include <string.h>
#include <unistd.h>

enum { BARS = 6, CONFIG = 7, REGIONS = 9, IRQS = 5 };

static struct libiommu_device *open_nvme(const struct vm *vm)
{
	struct libiommu_device *nvme;
	char address[16];

	if (!vm_find_nvme(address, sizeof(address)))
		return NULL;
	OK(libiommu_device_open_pci(vm->ctx, address, &nvme));
	OK(libiommu_device_bind(nvme, 1, NULL, 0));
	return nvme;
}

/* A PCI device, which can be reset, with the fixed regions and interrupts, on no other bus. */
static void test_device(void **state)
{
	static const uint32_t others = LIBIOMMU_DEVICE_INFO_PLATFORM | LIBIOMMU_DEVICE_INFO_AMBA |
	                               LIBIOMMU_DEVICE_INFO_CCW | LIBIOMMU_DEVICE_INFO_AP |
	                               LIBIOMMU_DEVICE_INFO_FSL_MC | LIBIOMMU_DEVICE_INFO_CDX;
	struct vm *const vm = *state;
	struct libiommu_device_info *info;
	uint32_t flags, regions, irqs, count;

	OK(libiommu_device_info_get(vm->dev, &info));
	OK(libiommu_device_info_basics(info, &flags, &regions, &irqs));
	assert_true(flags & LIBIOMMU_DEVICE_INFO_PCI);
	assert_true(flags & LIBIOMMU_DEVICE_INFO_RESET);
	assert_false(flags & others);
	assert_int_equal(regions, REGIONS);
	assert_int_equal(irqs, IRQS);
	OK(libiommu_irq_info(vm->dev, (enum libiommu_irq_kind)(irqs - 1), &count, NULL));
	assert_int_equal(count, 1);
	libiommu_device_info_free(info);
	OK(libiommu_reset_function(vm->dev));
}

/* What only s390 has; and whether the root port completes atomic operations. */
static void check_capabilities(struct libiommu_device *dev)
{
	struct libiommu_device_info *info;
	const void *data;
	uint64_t value;
	size_t length;
	uint32_t flags;

	OK(libiommu_device_info_get(dev, &info));
	OK(libiommu_device_info_basics(info, &flags, NULL, NULL));
	FAILS(ENODATA, libiommu_device_info_field(info, LIBIOMMU_ZPCI_FH, &value));
	FAILS(ENODATA, libiommu_device_info_field(info, LIBIOMMU_ZPCI_FLAGS, &value));
	FAILS(ENODATA, libiommu_device_info_bytes(info, LIBIOMMU_DEVICE_CAPABILITY_ZPCI_UTIL, &data,
	                                          &length));
	FAILS(ENODATA, libiommu_device_info_bytes(info, LIBIOMMU_DEVICE_CAPABILITY_ZPCI_PFIP, &data,
	                                          &length));
	if (flags & LIBIOMMU_DEVICE_INFO_CAPABILITIES) {
		OK(libiommu_device_info_field(info, LIBIOMMU_PCI_ATOMIC_COMPLETION, &value));
		assert_true(value);
		assert_int_equal(value & ~(uint64_t)(LIBIOMMU_PCI_ATOMIC_32 |
		                                     LIBIOMMU_PCI_ATOMIC_64 |
		                                     LIBIOMMU_PCI_ATOMIC_128),
		                 0);
		print_message("# atomic operations: %#x\n", (unsigned int)value);
	} else {
		FAILS(ENODATA,
		      libiommu_device_info_field(info, LIBIOMMU_PCI_ATOMIC_COMPLETION, &value));
		print_message("# no atomic operations\n");
	}
	libiommu_device_info_free(info);
}

static void test_capabilities(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *nvme;

	check_capabilities(vm->dev);
	nvme = open_nvme(vm);
	if (!nvme)
		SKIP("no NVMe drive in this machine");
	check_capabilities(nvme);
	OK(libiommu_device_destroy(nvme));
}

/* Each fixed region is as the calls of PCI have it, whether the device has it or not. */
static void check_regions(struct libiommu_device *dev)
{
	struct libiommu_region_info *info;
	uint64_t size, found_size, offset, value;
	uint32_t flags, found_flags;
	const void *data;
	size_t length;

	for (uint32_t i = 0; i <= LIBIOMMU_PCI_ROM; i++) {
		OK(libiommu_region_info_get(dev, i, &info));
		OK(libiommu_region_info_basics(info, &flags, &size, &offset));
		OK(libiommu_pci_bar_info(dev, i, &found_size, &found_flags));
		assert_int_equal(size, found_size);
		assert_int_equal(flags & ~(uint32_t)LIBIOMMU_REGION_CAPABILITIES, found_flags);
		/* Since it may map the MSI-X table too, a BAR has no parts. */
		FAILS(ENODATA,
		      libiommu_region_info_capability(info, LIBIOMMU_REGION_CAPABILITY_SPARSE_MMAP,
		                                      NULL, &data, &length));
		/* What a region is that is not added by a driver is not said. */
		FAILS(ENODATA, libiommu_region_info_field(info, LIBIOMMU_REGION_TYPE, &value));
		FAILS(ENODATA,
		      libiommu_region_info_field(info, LIBIOMMU_REGION_NVLINK2_TARGET, &value));
		FAILS(ENODATA,
		      libiommu_region_info_field(info, LIBIOMMU_REGION_NVLINK2_SPEED, &value));
		libiommu_region_info_free(info);
	}
}

static void test_regions(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_region_info *info;
	struct libiommu_device *nvme;
	uint64_t size, offset;
	const void *data;
	uint32_t flags;
	size_t length;
	uint8_t byte;

	check_regions(vm->dev);
	nvme = open_nvme(vm);
	if (!nvme)
		SKIP("no NVMe drive in this machine");
	check_regions(nvme);
	/* Its BAR holds the table of MSI-X, and can be mapped with it. */
	OK(libiommu_region_info_get(nvme, 0, &info));
	OK(libiommu_region_info_basics(info, &flags, &size, NULL));
	assert_true(flags & LIBIOMMU_REGION_CAPABILITIES);
	OK(libiommu_region_info_capability(info, LIBIOMMU_REGION_CAPABILITY_MSIX_MAPPABLE, NULL,
	                                   &data, &length));
	libiommu_region_info_free(info);
	OK(libiommu_pci_bar_area(nvme, 0, 0, &offset, &length));
	assert_int_equal(offset, 0);
	assert_int_equal(length, size);
	/* No graphics card has VGA registers here. */
	FAILS(EINVAL, libiommu_region_info_get(nvme, LIBIOMMU_PCI_VGA, &info));
	OK(libiommu_pci_bar_info(nvme, LIBIOMMU_PCI_VGA, &size, &flags));
	assert_int_equal(size, 0);
	assert_int_equal(flags, 0);
	FAILS(ERANGE, libiommu_pci_bar_read(nvme, LIBIOMMU_PCI_VGA, 0x3c0, &byte, 1));
	FAILS(EINVAL, libiommu_region_info_get(nvme, REGIONS, &info));
	OK(libiommu_device_destroy(nvme));
}

/* Where a region is in the descriptor. */
static void test_offset(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_region_info *info;
	uint64_t offset;
	uint32_t ids;
	int fd;

	OK(libiommu_region_info_get(vm->dev, CONFIG, &info));
	OK(libiommu_region_info_basics(info, NULL, NULL, &offset));
	libiommu_region_info_free(info);
	fd = libiommu_device_fd(vm->dev);
	SUCCEEDS(fd);
	assert_int_equal(pread(fd, &ids, sizeof(ids), (off_t)offset), sizeof(ids));
	assert_int_equal(ids, 0x11e81234);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_device, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_capabilities, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_regions, vm_setup_bound, vm_teardown),
		cmocka_unit_test_setup_teardown(test_offset, vm_setup_bound, vm_teardown),
	};

	return cmocka_run_group_tests_name("device-info", tests, NULL, NULL);
}
