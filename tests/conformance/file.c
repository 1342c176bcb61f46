/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Files of memory and dma-bufs in address spaces. */
#include "suite.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"

#define IOVA UINT64_C(0x2000000)

static void assert_mapped(struct rig *rig, uint64_t bytes)
{
	uint64_t got, others;

	OK(libiommu_ioas_mapped(rig->ioas, &got, &others));
	assert_int_equal(got, bytes);
	assert_int_equal(others, 0);
}

static void parts(struct rig *rig)
{
	uint64_t iova = 0;
	uint8_t *memory;
	int fd;

	memory = rig_file(rig, LENGTH, false, &fd);
	OK(libiommu_ioas_map_file(rig->ioas, fd, 0, LENGTH, VM_READ_WRITE, &iova));
	rig_check_map(rig, iova, memory, LENGTH);
	/* A part of it elsewhere, and no more. */
	OK(libiommu_ioas_map_file_fixed(rig->ioas, fd, 3 * PAGE, 2 * PAGE, LIBIOMMU_MAP_READ,
	                                IOVA));
	rig_check_map(rig, IOVA, memory + 3 * PAGE, 2 * PAGE);
	if (rig->dev)
		RAW(-EINVAL, world_check_map(rig->world, hwpt_id(rig->tables[0]), IOVA + 2 * PAGE,
		                             memory + 5 * PAGE, PAGE));
	assert_mapped(rig, LENGTH + 2 * PAGE);
	OK(libiommu_ioas_unmap(rig->ioas, iova, LENGTH));
	OK(libiommu_ioas_unmap(rig->ioas, IOVA, 2 * PAGE));
	assert_mapped(rig, 0);
	RAW(0, world_check_pins(rig->world, memory, LENGTH, 0));
}

static void refused(struct rig *rig)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint64_t iova = 7;
	int fd;

	rig_file(rig, LENGTH, false, &fd);
	OK(libiommu_ioas_map_file_fixed(rig->ioas, fd, 0, PAGE, VM_READ_WRITE, IOVA));
	FAILS(EEXIST, libiommu_ioas_map_file_fixed(rig->ioas, fd, 0, PAGE, VM_READ_WRITE, IOVA));
	FAILS(EINVAL, libiommu_ioas_map_file(rig->ioas, fd, 0, 0, VM_READ_WRITE, &iova));
	FAILS(EINVAL, libiommu_ioas_map_file(rig->ioas, fd, 100, PAGE, VM_READ_WRITE, &iova));
	FAILS(EINVAL, libiommu_ioas_map_file(rig->ioas, fd, PAGE, LENGTH, VM_READ_WRITE, &iova));
	EXPLAINED("inside the file");
	FAILS(EOVERFLOW, libiommu_ioas_map_file(rig->ioas, fd, UINT64_MAX - PAGE + 1, 2 * PAGE,
	                                        VM_READ_WRITE, &iova));
	FAILS(EINVAL, libiommu_ioas_map_file(rig->ioas, null, 0, PAGE, VM_READ_WRITE, &iova));
	close(null);
	FAILS(EBADF, libiommu_ioas_map_file(rig->ioas, null, 0, PAGE, VM_READ_WRITE, &iova));
	/* A file that has become shorter. */
	assert_int_equal(ftruncate(fd, 0), 0);
	FAILS(EINVAL, libiommu_ioas_map_file(rig->ioas, fd, 0, LENGTH, VM_READ_WRITE, &iova));
	assert_int_equal(iova, 7);
	assert_mapped(rig, PAGE);
}

/* The library keeps the promises of descriptors and seals, whether the kernel does or not. */
static void access_and_seals(struct rig *rig)
{
	char path[64];
	uint64_t iova = 7;
	int reads, writes, fd;

	rig_file(rig, LENGTH, false, &fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reads = open(path, O_RDONLY | O_CLOEXEC);
	rig_keep_fd(rig, reads);
	writes = open(path, O_WRONLY | O_CLOEXEC);
	rig_keep_fd(rig, writes);
	FAILS(EACCES, libiommu_ioas_map_file(rig->ioas, reads, 0, PAGE, VM_READ_WRITE, &iova));
	EXPLAINED("not open for writing");
	FAILS(EACCES,
	      libiommu_ioas_map_file(rig->ioas, writes, 0, PAGE, LIBIOMMU_MAP_WRITE, &iova));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	FAILS(EPERM, libiommu_ioas_map_file(rig->ioas, fd, 0, PAGE, VM_READ_WRITE, &iova));
	assert_int_equal(iova, 7);
	OK(libiommu_ioas_map_file(rig->ioas, reads, 0, PAGE, LIBIOMMU_MAP_READ, &iova));
}

/* Two large pages, and the end of the first with the beginning of the second. */
static void large_pages(struct rig *rig)
{
	uint8_t *memory;
	uint64_t iova;
	int fd;

	memory = rig_file(rig, 2 * HUGE_PAGE, true, &fd);
	OK(libiommu_ioas_map_file(rig->ioas, fd, 0, 2 * HUGE_PAGE, VM_READ_WRITE, &iova));
	rig_check_map(rig, iova, memory, 2 * HUGE_PAGE);
	OK(libiommu_ioas_map_file_fixed(rig->ioas, fd, HUGE_PAGE - PAGE, 2 * PAGE, VM_READ_WRITE,
	                                IOVA));
	rig_check_map(rig, IOVA, memory + HUGE_PAGE - PAGE, 2 * PAGE);
	assert_mapped(rig, 2 * HUGE_PAGE + 2 * PAGE);
}

static void outlives_its_descriptor(struct rig *rig)
{
	const int fd = memfd_create("gone", MFD_CLOEXEC);
	uint8_t *memory;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(memory != MAP_FAILED);
	OK(libiommu_ioas_map_file_fixed(rig->ioas, fd, 0, PAGE, VM_READ_WRITE, IOVA));
	close(fd);
	rig_check_map(rig, IOVA, memory, PAGE);
	munmap(memory, PAGE);
}

static int dmabuf(struct rig *rig, uint32_t length)
{
	const int fd = world_dmabuf(rig->world, length);

	assert_true(fd >= 0);
	rig_keep_fd(rig, fd);
	return fd;
}

/* An old kernel does not know the command, and the library says since when others do. */
static void old_kernel(struct rig *rig)
{
	uint64_t iova = 7;
	int fd;

	rig_file(rig, LENGTH, false, &fd);
	if (world_lacks(rig->world, WORLD_MAP_FILE)) {
		FAILS(ENOTTY,
		      libiommu_ioas_map_file(rig->ioas, fd, 0, LENGTH, VM_READ_WRITE, &iova));
		EXPLAINED("older than 6.13");
		assert_int_equal(iova, 7);
	} else {
		OK(libiommu_ioas_map_file(rig->ioas, fd, 0, LENGTH, VM_READ_WRITE, &iova));
	}
}

static void dmabuf_is_mapped(struct rig *rig)
{
	const int fd = dmabuf(rig, 4 * PAGE);
	uint64_t iova = 7;

	FAILS(EINVAL, libiommu_ioas_map_file(rig->ioas, fd, 0, 0, VM_READ_WRITE, &iova));
	FAILS(EINVAL,
	      libiommu_ioas_map_file(rig->ioas, fd, 4 * PAGE, 4 * PAGE, VM_READ_WRITE, &iova));
	FAILS(EINVAL,
	      libiommu_ioas_map_file(rig->ioas, fd, 0, 4 * PAGE + MOCK_PAGE, VM_READ_WRITE, &iova));
	assert_int_equal(iova, 7);
	OK(libiommu_ioas_map_file(rig->ioas, fd, 0, 4 * PAGE, VM_READ_WRITE, &iova));
	OK(libiommu_ioas_map_file_fixed(rig->ioas, fd, PAGE, 2 * PAGE, VM_READ_WRITE, IOVA));
}

/* What is revoked cannot be mapped; what was mapped comes back when it is mapped again. */
static void dmabuf_is_revoked(struct rig *rig)
{
	const int fd = dmabuf(rig, 4 * PAGE);
	uint64_t iova, other = 7;

	OK(libiommu_ioas_map_file(rig->ioas, fd, 0, 4 * PAGE, VM_READ_WRITE, &iova));
	RAW(0, world_dmabuf_revoke(rig->world, fd, true));
	if (rig->dev)
		rig_table(rig, rig->dev, rig->ioas, 0);
	FAILS(ENODEV, libiommu_ioas_map_file(rig->ioas, fd, 0, 4 * PAGE, VM_READ_WRITE, &other));
	assert_int_equal(other, 7);
	RAW(0, world_dmabuf_revoke(rig->world, fd, false));
	OK(libiommu_ioas_map_file(rig->ioas, fd, 0, 4 * PAGE, VM_READ_WRITE, &other));
	OK(libiommu_ioas_unmap(rig->ioas, iova, 4 * PAGE));
	OK(libiommu_ioas_map_file_fixed(rig->ioas, fd, 0, 4 * PAGE, VM_READ_WRITE, iova));
}

/* Nobody in the kernel can read or pin what is a device's. */
static void dmabuf_is_not_memory(struct rig *rig)
{
	const int access = rig_access(rig, rig->ioas, true);
	const int fd = dmabuf(rig, PAGE);
	uint32_t item;

	OK(libiommu_ioas_map_file_fixed(rig->ioas, fd, 0, PAGE, VM_READ_WRITE, IOVA));
	RAW(-EINVAL, world_pin(rig->world, access, IOVA, NULL, PAGE, 0, &item));
}

static const struct behaviour behaviours[] = {
	{PROVES("a file is mapped, and a part of it", parts), .needs = WORLD_MAP_FILE, SHAPES},
	{PROVES("what is no memory, or not there, is refused", refused), .needs = WORLD_MAP_FILE,
         TABLE_SHAPES},
	{PROVES("access modes and seals are kept", access_and_seals), .needs = WORLD_MAP_FILE,
         TABLE_SHAPES},
	{PROVES("large pages", large_pages), .needs = WORLD_MAP_FILE | WORLD_HUGE_MEMORY,
         TABLE_SHAPES},
	{PROVES("a mapping outlives the descriptor", outlives_its_descriptor),
         .needs = WORLD_MAP_FILE, TABLE_SHAPES},
	{PROVES("mapped, or the kernel is too old", old_kernel)},
	{PROVES("a dma-buf is mapped", dmabuf_is_mapped), .needs = WORLD_DMABUFS, SHAPES},
	{PROVES("a dma-buf is revoked, and comes back", dmabuf_is_revoked), .needs = WORLD_DMABUFS,
         SHAPES},
	{PROVES("a dma-buf is not memory", dmabuf_is_not_memory), .needs = WORLD_DMABUFS, SHAPES},
};

THEME(files, "files");
