/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What VFIO's containers have besides mappings, on kernels with iommufd and without. */
#include "edu.h"
#include "vm.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGES = VM_LENGTH / VM_PAGE, ALL = (1 << PAGES) - 1 };

static struct libiommu_hwpt *tracked(struct vm *vm)
{
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt;

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_DIRTY_TRACKING));
	OK(libiommu_hwpt_alloc(vm->dev, vm->ioas, config, &hwpt));
	OK(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_NEST_PARENT));
	FAILS(EOPNOTSUPP, libiommu_hwpt_alloc(vm->dev, vm->ioas, config, &hwpt));
	libiommu_hwpt_config_free(config);
	return hwpt;
}

static uint64_t read_bits(struct libiommu_hwpt *hwpt)
{
	uint64_t bits = 0, done;

	OK(libiommu_hwpt_get_dirty_bitmap(hwpt, VM_IOVA, VM_LENGTH, VM_PAGE, 0, &bits, 1, &done));
	assert_int_equal(done, VM_LENGTH);
	return bits;
}

/*
 * With a device behind an IOMMU the kernel calls all that is mapped written, each time. That it is
 * the kernel's answer and not the library's guess a tracking that is off tells.
 */
static void test_dirty(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_hwpt *const hwpt = tracked(vm);
	uint64_t bits = 0, done;

	OK(libiommu_device_attach_hwpt(vm->dev, hwpt));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory + VM_PAGE, VM_LENGTH - VM_PAGE,
	                           VM_READ_WRITE, VM_IOVA + VM_PAGE));
	FAILS(ENODATA,
	      libiommu_hwpt_get_dirty_bitmap(hwpt, VM_IOVA, VM_LENGTH, VM_PAGE, 0, &bits, 1, NULL));
	OK(libiommu_hwpt_set_dirty_tracking(hwpt, true));
	vm_map_registers(vm);
	memset(vm->memory, 0x42, VM_PAGE);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	assert_true(edu_store(vm->regs, VM_IOVA + VM_PAGE, VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);
	assert_int_equal(read_bits(hwpt), ALL);
	assert_int_equal(read_bits(hwpt), ALL);
	FAILS(EINVAL, libiommu_hwpt_get_dirty_bitmap(hwpt, VM_IOVA, 2 * VM_PAGE, VM_PAGE, 0, &bits,
	                                             1, NULL));
	FAILS(EOPNOTSUPP, libiommu_hwpt_get_dirty_bitmap(hwpt, VM_IOVA, VM_LENGTH, VM_PAGE,
	                                                 LIBIOMMU_DIRTY_NO_CLEAR, &bits, 1, NULL));
	/* Unmapped with its bits. */
	OK(libiommu_hwpt_unmap_dirty(hwpt, VM_IOVA, VM_PAGE, VM_PAGE, &bits, 1, &done));
	assert_int_equal(done, VM_PAGE);
	assert_int_equal(bits, 1);
	FAILS(ENOENT, libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_PAGE));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	/* The device goes, and what it may have written is told once. */
	OK(libiommu_device_detach(vm->dev));
	assert_int_equal(read_bits(hwpt), ALL);
	assert_int_equal(read_bits(hwpt), 0);
	OK(libiommu_device_attach_hwpt(vm->dev, hwpt));
	assert_int_equal(read_bits(hwpt), ALL);
	OK(libiommu_hwpt_set_dirty_tracking(hwpt, false));
	OK(libiommu_bar_map_destroy(vm->bar));
	vm->bar = NULL;
	OK(libiommu_device_destroy(vm->dev));
	vm->dev = NULL;
	OK(libiommu_hwpt_destroy(hwpt));
}

static void test_extensions(void **state)
{
	struct vm *const vm = *state;
	uint32_t flags;
	int coherent;

	assert_int_equal(libiommu_container_extension(vm->ioas, LIBIOMMU_CONTAINER_TYPE1V2), 1);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_container_group_flags(vm->dev, &flags));
	assert_int_equal(flags, LIBIOMMU_GROUP_VIABLE);
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_container_group_flags(vm->dev, &flags));
	assert_int_equal(flags, LIBIOMMU_GROUP_VIABLE | LIBIOMMU_GROUP_CONTAINER_SET);
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	assert_int_equal(libiommu_container_extension(vm->ioas, LIBIOMMU_CONTAINER_TYPE1), 1);
	assert_int_equal(libiommu_container_extension(vm->ioas, LIBIOMMU_CONTAINER_UNMAP_ALL), 1);
	assert_int_equal(libiommu_container_extension(vm->ioas, LIBIOMMU_CONTAINER_UPDATE_VADDR),
	                 1);
	assert_int_equal(libiommu_container_extension(vm->ioas, LIBIOMMU_CONTAINER_SPAPR_TCE), 0);
	assert_int_equal(libiommu_container_extension(vm->ioas, LIBIOMMU_CONTAINER_SPAPR_TCE_V2),
	                 0);
	assert_int_equal(libiommu_container_extension(vm->ioas, LIBIOMMU_CONTAINER_EEH), 0);
	coherent = libiommu_container_extension(vm->ioas, LIBIOMMU_CONTAINER_DMA_CC);
	/* The machine's VT-d cannot force it; an SMMUv3 can. */
#ifdef __aarch64__
	assert_int_equal(coherent, 1);
#else
	assert_int_equal(coherent, 0);
#endif
}

static void test_mappings_left(void **state)
{
	struct vm *const vm = *state;
	uint32_t left, after;
	uint64_t bytes;

	FAILS(ENODATA, libiommu_container_mappings_left(vm->ioas, &left));
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	OK(libiommu_container_mappings_left(vm->ioas, &left));
	for (int i = 0; i < PAGES; i++)
		OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory + i * VM_PAGE, VM_PAGE,
		                           VM_READ_WRITE, VM_IOVA + (uint64_t)i * 2 * VM_PAGE));
	OK(libiommu_container_mappings_left(vm->ioas, &after));
	assert_int_equal(after, left - PAGES);
	/* All at once. */
	OK(libiommu_ioas_unmap_all(vm->ioas, &bytes));
	assert_int_equal(bytes, VM_LENGTH);
	OK(libiommu_container_mappings_left(vm->ioas, &after));
	assert_int_equal(after, left);
}

/* A file's memory moves in the process; the device reaches it all the while. */
static void test_memory_moves(void **state)
{
	struct vm *const vm = *state;
	const int file = memfd_create("memory", MFD_CLOEXEC);
	uint8_t *here, *there;

	assert_true(file >= 0 && !ftruncate(file, VM_LENGTH));
	here = mmap(NULL, VM_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_true(here != MAP_FAILED);
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	OK(libiommu_ioas_map_fixed(vm->ioas, here, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	vm_map_registers(vm);
	memset(here, 0x77, VM_PAGE);
	FAILS(EINVAL, libiommu_container_renew_memory(vm->ioas, VM_IOVA, VM_LENGTH, here));
	OK(libiommu_container_forget_memory(vm->ioas, VM_IOVA, VM_LENGTH));
	FAILS(EALREADY, libiommu_container_forget_memory(vm->ioas, VM_IOVA, VM_LENGTH));
	assert_int_equal(munmap(here, VM_LENGTH), 0);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	assert_true(edu_store(vm->regs, VM_IOVA + VM_PAGE, VM_PAGE));
	there = mmap(NULL, VM_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_true(there != MAP_FAILED);
	assert_int_equal(there[VM_PAGE], 0x77);
	assert_memory_equal(there, there + VM_PAGE, VM_PAGE);
	OK(libiommu_container_renew_memory(vm->ioas, VM_IOVA, VM_LENGTH, there));
	/* And once more, all of it; the new place is where it is mapped from again. */
	OK(libiommu_container_forget_memory(vm->ioas, 0, UINT64_MAX));
	OK(libiommu_container_renew_memory(vm->ioas, VM_IOVA, VM_LENGTH, there));
	OK(libiommu_device_detach(vm->dev));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	memset(there, 0x11, VM_PAGE);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	assert_true(edu_store(vm->regs, VM_IOVA + 2 * VM_PAGE, VM_PAGE));
	assert_memory_equal(there, there + 2 * VM_PAGE, VM_PAGE);
	OK(libiommu_ioas_unmap_all(vm->ioas, NULL));
	munmap(there, VM_LENGTH);
	close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dirty, vm_setup_type1, vm_teardown),
		cmocka_unit_test_setup_teardown(test_extensions, vm_setup_type1, vm_teardown),
		cmocka_unit_test_setup_teardown(test_mappings_left, vm_setup_type1, vm_teardown),
		cmocka_unit_test_setup_teardown(test_memory_moves, vm_setup_type1, vm_teardown),
	};

	return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
