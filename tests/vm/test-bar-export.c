/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * One device reaches the registers of another: a dma-buf of the drive's BAR in the edu device's
 * address space. And which features the devices have.
 */
#include "edu.h"
#include "vm.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BAR_IOVA UINT64_C(0x800000)

/* PCI's command register. */
enum { COMMAND = 4, COMMAND_MEMORY = 2 };

static struct libiommu_device *drive;

static int setup(void **state)
{
	char address[16];
	struct vm *vm;

	if (vm_setup_attached(state) || !vm_find_nvme(address, sizeof(address)))
		return -1;
	vm = *state;
	OK(libiommu_device_open_pci(vm->ctx, address, &drive));
	OK(libiommu_device_bind(drive, 2, NULL, 0));
	return 0;
}

static int teardown(void **state)
{
	OK(libiommu_device_destroy(drive));
	drive = NULL;
	return vm_teardown(state);
}

static bool can_export(void)
{
	return libiommu_device_feature_probe(drive, LIBIOMMU_DEVICE_FEATURE_DMA_BUF,
	                                     LIBIOMMU_DEVICE_FEATURE_GET) == 1;
}

static int export_pages(uint64_t pages)
{
	const struct libiommu_bar_range range = {0, pages * VM_PAGE};
	int fd = -1;

	OK(libiommu_pci_bar_export(drive, 0, &range, 1, &fd));
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	return fd;
}

static void set_memory(bool enable)
{
	uint16_t command;

	OK(libiommu_pci_config_read(drive, COMMAND, &command, sizeof(command)));
	command = (uint16_t)((command & ~COMMAND_MEMORY) | (enable ? COMMAND_MEMORY : 0));
	OK(libiommu_pci_config_write(drive, COMMAND, &command, sizeof(command)));
}

/* The edu device reads the drive's first registers, as the processor sees them. */
static void test_reach(void **state)
{
	struct vm *const vm = *state;
	uint64_t bytes, others;
	uint8_t registers[16];
	int fd;

	if (!can_export()) {
		const struct libiommu_bar_range range = {0, VM_PAGE};

		FAILS(EOPNOTSUPP, libiommu_pci_bar_export(drive, 0, &range, 1, &fd));
		EXPLAINED("no such feature");
		return;
	}
	fd = export_pages(1);
	OK(libiommu_ioas_map_file_fixed(vm->ioas, fd, 0, VM_PAGE, VM_READ_WRITE, BAR_IOVA));
	close(fd);
	OK(libiommu_pci_bar_read(drive, 0, 0, registers, 8));
	OK(libiommu_pci_bar_read(drive, 0, 8, registers + 8, 8));
	memset(vm->memory, 0x55, VM_PAGE);
	assert_true(edu_load(vm->regs, BAR_IOVA, sizeof(registers)));
	assert_true(edu_store(vm->regs, VM_IOVA, sizeof(registers)));
	assert_memory_equal(vm->memory, registers, sizeof(registers));
	/* Not memory of files, so that the context cannot be handed on. */
	OK(libiommu_ioas_mapped(vm->ioas, &bytes, &others));
	assert_int_equal(bytes, VM_LENGTH + VM_PAGE);
	assert_int_equal(others, VM_LENGTH + VM_PAGE);
	OK(libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_LENGTH));
	FAILS(EINVAL, libiommu_ctx_change_process(vm->ctx));
	OK(libiommu_ioas_unmap(vm->ioas, BAR_IOVA, VM_PAGE));
	OK(libiommu_ctx_change_process(vm->ctx));
}

static void test_what_is_refused(void **state)
{
	struct vm *const vm = *state;
	const struct libiommu_bar_range two[] = {{VM_PAGE, VM_PAGE}, {0, VM_PAGE}};
	const struct libiommu_bar_range far = {UINT64_C(1) << 40, VM_PAGE};
	uint64_t iova = 7;
	int fd;

	if (!can_export())
		return;
	FAILS(ERANGE, libiommu_pci_bar_export(drive, 0, &far, 1, &fd));
	FAILS(ERANGE, libiommu_pci_bar_export(drive, 3, two, 2, &fd));
	fd = export_pages(2);
	FAILS(EINVAL, libiommu_ioas_map_file(vm->ioas, fd, 0, 3 * VM_PAGE, VM_READ_WRITE, &iova));
	FAILS(EINVAL, libiommu_ioas_map_file(vm->ioas, fd, 8, VM_PAGE, VM_READ_WRITE, &iova));
	OK(libiommu_ioas_map_file_fixed(vm->ioas, fd, VM_PAGE, VM_PAGE, LIBIOMMU_MAP_READ,
	                                BAR_IOVA));
	close(fd);
	/* Several ranges are for other importers. */
	OK(libiommu_pci_bar_export(drive, 0, two, 2, &fd));
	FAILS(EOPNOTSUPP,
	      libiommu_ioas_map_file(vm->ioas, fd, 0, 2 * VM_PAGE, VM_READ_WRITE, &iova));
	EXPLAINED("more than one range");
	close(fd);
	assert_int_equal(iova, 7);
}

/* The BAR goes away, and comes back. */
static void test_revoked(void **state)
{
	struct vm *const vm = *state;
	uint64_t iova;
	uint8_t version[8];
	int fd;

	if (!can_export())
		return;
	fd = export_pages(1);
	OK(libiommu_ioas_map_file_fixed(vm->ioas, fd, 0, VM_PAGE, VM_READ_WRITE, BAR_IOVA));
	set_memory(false);
	FAILS(ENODEV, libiommu_ioas_map_file(vm->ioas, fd, 0, VM_PAGE, VM_READ_WRITE, &iova));
	EXPLAINED("unmap what was mapped of it, and map it again");
	set_memory(true);
	OK(libiommu_ioas_unmap(vm->ioas, BAR_IOVA, VM_PAGE));
	OK(libiommu_ioas_map_file_fixed(vm->ioas, fd, 0, VM_PAGE, VM_READ_WRITE, BAR_IOVA));
	OK(libiommu_pci_bar_read(drive, 0, 8, version, sizeof(version)));
	assert_true(edu_load(vm->regs, BAR_IOVA + 8, sizeof(version)));
	assert_true(edu_store(vm->regs, VM_IOVA, sizeof(version)));
	assert_memory_equal(vm->memory, version, sizeof(version));
	/* For good, when the device is closed. */
	OK(libiommu_device_destroy(drive));
	drive = NULL;
	FAILS(ENODEV, libiommu_ioas_map_file(vm->ioas, fd, 0, VM_PAGE, VM_READ_WRITE, &iova));
	OK(libiommu_ioas_unmap(vm->ioas, BAR_IOVA, VM_PAGE));
	close(fd);
}

static void test_features(void **state)
{
	struct vm *const vm = *state;
	uint64_t flags = 0;

	for (uint32_t i = 0; i <= LIBIOMMU_DEVICE_FEATURE_ZPCI_ERROR; i++)
		print_message("# feature %u: edu %d, drive %d\n", i,
		              libiommu_device_feature_probe(vm->dev, i, 0),
		              libiommu_device_feature_probe(drive, i, 0));
	assert_int_equal(libiommu_device_feature_probe(vm->dev, LIBIOMMU_DEVICE_FEATURE_MIGRATION,
	                                               LIBIOMMU_DEVICE_FEATURE_GET),
	                 0);
	FAILS(EOPNOTSUPP, libiommu_device_feature_get(vm->dev, LIBIOMMU_DEVICE_FEATURE_MIGRATION,
	                                              &flags, sizeof(flags)));
	EXPLAINED("no such feature");
	FAILS(EOPNOTSUPP, libiommu_device_feature_set(
				  vm->dev, LIBIOMMU_DEVICE_FEATURE_DMA_LOGGING_STOP, NULL, 0));
	FAILS(EOPNOTSUPP, libiommu_device_feature_set(vm->dev, 0xffff, NULL, 0));
}

#define EXPORT_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXPORT_TEST(test_reach),
		EXPORT_TEST(test_what_is_refused),
		EXPORT_TEST(test_revoked),
		EXPORT_TEST(test_features),
	};

	return cmocka_run_group_tests_name("bar-export", tests, NULL, NULL);
}
