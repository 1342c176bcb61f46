/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What PowerPC's containers say and do when they are asked past the library: the reasons for how
 * the library makes windows and registers memory.
 */
#include "edu.h"
#include "vm.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/uapi/vfio-container.h"
#include "base/uapi/vfio-pci.h"
#include "base/uapi/vfio.h"

#define RAW(wanted, call) vm_expect((call), (wanted), #call, __FILE__, __LINE__)
#define GIB               (UINT64_C(1) << 30)
#define HIGH              (UINT64_C(1) << 59) /* where QEMU puts a device's second window */

enum {
	COMMAND = 4,
	COMMAND_MASTER = 6,
	BAR_SIZE = 1 << 20,
	LEAST = 12,
	ORDINARY = 16,
	HUGE = 21,
	HUGEST = 24
};

/* A container with the edu device's group, and the device. */
struct rig {
	int container, group, device;
	volatile uint32_t *regs;
	uint64_t page;
	uint64_t sizes; /* pages that a window can have, a bit for each */
	uint8_t *memory;
};

static int call(int fd, unsigned long request, void *arg)
{
	const int result = ioctl(fd, request, arg);

	return result < 0 ? -errno : result;
}

static uint64_t region(const struct rig *rig, uint32_t index)
{
	struct uapi_vfio_region_info info = {.argsz = sizeof(info), .index = index};

	RAW(0, call(rig->device, UAPI_IOC_VFIO_DEVICE_GET_REGION_INFO, &info));
	return info.offset;
}

static void open_device(struct rig *rig, char *address)
{
	const uint8_t master[2] = {COMMAND_MASTER, 0};
	off_t at;

	rig->device = ioctl(rig->group, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, address);
	assert_true(rig->device >= 0);
	at = (off_t)region(rig, UAPI_VFIO_PCI_CONFIG_REGION_INDEX) + COMMAND;
	assert_int_equal(pwrite(rig->device, master, sizeof(master), at), sizeof(master));
	rig->regs = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, rig->device,
	                 (off_t)region(rig, UAPI_VFIO_PCI_BAR0_REGION_INDEX));
	assert_true((volatile void *)rig->regs != MAP_FAILED);
}

static void look(struct rig *rig)
{
	struct uapi_vfio_iommu_spapr_tce_info info = {.argsz = sizeof(info)};

	RAW(0, call(rig->container, UAPI_IOC_VFIO_IOMMU_SPAPR_TCE_GET_INFO, &info));
	assert_true(info.flags & UAPI_VFIO_IOMMU_SPAPR_INFO_DDW);
	rig->sizes = info.ddw.pgsizes;
	print_message("# pages of %llu bytes; first window 0x%x bytes at 0x%x, %u windows, pages "
	              "0x%llx\n",
	              (unsigned long long)rig->page, info.dma32_window_size,
	              info.dma32_window_start, info.ddw.max_dynamic_windows_supported,
	              (unsigned long long)info.ddw.pgsizes);
}

static int setup(void **state)
{
	struct rig *const rig = calloc(1, sizeof(*rig));
	char address[16], group[64];

	if (!rig || !vm_find_edu(address, sizeof(address)))
		return -1;
	*state = rig;
	rig->page = (uint64_t)sysconf(_SC_PAGESIZE);
	rig->memory = mmap(NULL, 2 * rig->page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                   -1, 0);
	vm_group_of(address, group, sizeof(group));
	rig->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	rig->group = open(group, O_RDWR | O_CLOEXEC);
	if (rig->memory == MAP_FAILED || rig->container < 0 || rig->group < 0)
		return -1;
	RAW(0, call(rig->group, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, &rig->container));
	RAW(0, ioctl(rig->container, UAPI_IOC_VFIO_SET_IOMMU, UAPI_VFIO_SPAPR_TCE_v2_IOMMU));
	open_device(rig, address);
	look(rig);
	return 0;
}

static int teardown(void **state)
{
	struct rig *const rig = *state;

	munmap((void *)(uintptr_t)rig->regs, BAR_SIZE);
	munmap(rig->memory, 2 * rig->page);
	close(rig->device);
	close(rig->group);
	close(rig->container);
	free(rig);
	return 0;
}

static int on_memory(const struct rig *rig, unsigned long request, const void *memory,
                     uint64_t size)
{
	struct uapi_vfio_iommu_spapr_register_memory cmd = {
		.argsz = sizeof(cmd), .vaddr = (uintptr_t)memory, .size = size};

	return call(rig->container, request, &cmd);
}

static int enroll(const struct rig *rig, const void *memory, uint64_t size)
{
	return on_memory(rig, UAPI_IOC_VFIO_IOMMU_SPAPR_REGISTER_MEMORY, memory, size);
}

static int dismiss(const struct rig *rig, const void *memory, uint64_t size)
{
	return on_memory(rig, UAPI_IOC_VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, memory, size);
}

static int map(const struct rig *rig, const void *memory, uint64_t size, uint64_t iova)
{
	struct uapi_vfio_iommu_type1_dma_map cmd = {.argsz = sizeof(cmd),
	                                            .flags = UAPI_VFIO_DMA_MAP_FLAG_READ |
	                                                     UAPI_VFIO_DMA_MAP_FLAG_WRITE,
	                                            .vaddr = (uintptr_t)memory,
	                                            .iova = iova,
	                                            .size = size};

	return call(rig->container, UAPI_IOC_VFIO_IOMMU_MAP_DMA, &cmd);
}

static int unmap(const struct rig *rig, uint64_t size, uint64_t iova)
{
	struct uapi_vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd), .iova = iova, .size = size};

	return call(rig->container, UAPI_IOC_VFIO_IOMMU_UNMAP_DMA, &cmd);
}

static int create(const struct rig *rig, uint32_t shift, uint64_t size, uint64_t *start)
{
	struct uapi_vfio_iommu_spapr_tce_create cmd = {
		.argsz = sizeof(cmd), .page_shift = shift, .window_size = size, .levels = 1};
	const int error = call(rig->container, UAPI_IOC_VFIO_IOMMU_SPAPR_TCE_CREATE, &cmd);

	*start = cmd.start_addr;
	return error;
}

static int discard(const struct rig *rig, uint64_t start)
{
	struct uapi_vfio_iommu_spapr_tce_remove cmd = {.argsz = sizeof(cmd), .start_addr = start};

	return call(rig->container, UAPI_IOC_VFIO_IOMMU_SPAPR_TCE_REMOVE, &cmd);
}

/* There and back, half of the device's buffer each. */
static void assert_reached(const struct rig *rig, uint8_t *memory, uint64_t iova)
{
	static uint8_t seed;

	seed++;
	memset(memory, seed, EDU_SIZE / 2);
	memset(memory + EDU_SIZE / 2, 0, EDU_SIZE / 2);
	assert_true(edu_load(rig->regs, iova, EDU_SIZE / 2));
	assert_true(edu_store(rig->regs, iova + EDU_SIZE / 2, EDU_SIZE / 2));
	assert_memory_equal(memory, memory + EDU_SIZE / 2, EDU_SIZE / 2);
}

static void test_registered_first(void **state)
{
	const struct rig *const rig = *state;
	const uint64_t page = rig->page;

	RAW(-EPERM, map(rig, rig->memory, page, 0));
	RAW(0, enroll(rig, rig->memory, page));
	RAW(-EINVAL, map(rig, rig->memory, 2 * page, 0));
	RAW(0, map(rig, rig->memory, page, 0));
	assert_reached(rig, rig->memory, 0);
	/* The same once more, and what overlaps. */
	RAW(-EBUSY, enroll(rig, rig->memory, page));
	RAW(-EINVAL, enroll(rig, rig->memory, 2 * page));
	/* Not unregistered before: this kernel would say 0, and keep it for ever. */
	RAW(0, unmap(rig, page, 0));
	RAW(-ENOENT, dismiss(rig, rig->memory, 2 * page));
	RAW(0, dismiss(rig, rig->memory, page));
}

/* A page that cannot be written: the kernel returns how many it had pinned before, or the error. */
static void test_half_registered(void **state)
{
	const struct rig *const rig = *state;
	int result;

	assert_int_equal(mprotect(rig->memory + rig->page, rig->page, PROT_READ), 0);
	result = enroll(rig, rig->memory, 2 * rig->page);
	assert_true(result == 1 || result == -EFAULT);
	RAW(-EFAULT, enroll(rig, rig->memory + rig->page, rig->page));
	RAW(-ENOENT, dismiss(rig, rig->memory, 2 * rig->page));
	RAW(0, enroll(rig, rig->memory, rig->page));
}

/* A window of pages of a size takes what lies in memory in pieces of this size. */
static void check_window(const struct rig *rig, uint32_t shift, uint8_t *memory, uint64_t size,
                         int wanted)
{
	uint64_t start, other;

	print_message("# a window with pages of %llu bytes\n", 1ULL << shift);
	RAW(0, create(rig, shift, GIB, &start));
	assert_true(start >= HIGH);
	RAW(-ENOSPC, create(rig, shift, GIB, &other));
	RAW(wanted, map(rig, memory, size, start));
	if (!wanted) {
		assert_reached(rig, memory, start);
		RAW(0, unmap(rig, size, start));
	}
	RAW(0, discard(rig, start));
	RAW(-ENXIO, map(rig, memory, size, start));
	RAW(-EINVAL, discard(rig, start));
}

static void test_windows(void **state)
{
	const struct rig *const rig = *state;
	const uint64_t size = UINT64_C(1) << ORDINARY;
	uint8_t *const memory = aligned_alloc(size, size);
	uint64_t start;

	assert_non_null(memory);
	RAW(0, enroll(rig, memory, size));
	RAW(-EINVAL, create(rig, LEAST + 1, GIB, &start));
	check_window(rig, LEAST, memory, size, 0);
	check_window(rig, ORDINARY, memory, size, rig->page < size ? -EINVAL : 0);
	RAW(0, dismiss(rig, memory, size));
	free(memory);
}

/* Larger pages than the memory's are refused, however it lies. */
static void test_huge_pages(void **state)
{
	static const char *const reserve = "/proc/sys/vm/nr_hugepages";
	const struct rig *const rig = *state;
	const uint64_t size = UINT64_C(1) << HUGEST;
	uint8_t *memory;

	if (!(rig->sizes & 1 << HUGE) || !(rig->sizes & size))
		SKIP("no windows with pages of 2 and 16 MiB");
	vm_write_file(reserve, "8");
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | HUGE << MAP_HUGE_SHIFT, -1, 0);
	if (memory == MAP_FAILED)
		SKIP("no huge pages of 2 MiB: %s", strerror(errno));
	RAW(0, enroll(rig, memory, size));
	check_window(rig, HUGE, memory, size, 0);
	check_window(rig, HUGEST, memory, size, -EINVAL);
	RAW(0, dismiss(rig, memory, size));
	munmap(memory, size);
	vm_write_file(reserve, "0");
	memory = aligned_alloc(size, size);
	assert_non_null(memory);
	RAW(0, enroll(rig, memory, size));
	check_window(rig, HUGE, memory, size, -EINVAL);
	RAW(0, dismiss(rig, memory, size));
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_registered_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_registered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_windows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_huge_pages, setup, teardown),
	};

	return cmocka_run_group_tests_name("spapr facts", tests, NULL, NULL);
}
