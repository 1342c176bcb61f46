/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Drivers in the kernel that use an address space without an IOMMU, as mediated devices do: they
 * find in it what the process has mapped, with page tables or without.
 */
#include "suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"

static uint32_t pin(struct rig *rig, int access, uint64_t iova, const void *memory, uint64_t length)
{
	uint32_t item = 0;

	RAW(0, world_pin(rig->world, access, iova, memory, length, 0, &item));
	return item;
}

static void unpin(struct rig *rig, int access, uint32_t item)
{
	RAW(0, world_unpin(rig->world, access, item));
}

/* A device comes, finds the same memory, and goes again. */
static void come_and_go(struct rig *rig, uint64_t length)
{
	struct libiommu_device *const dev = rig_device(rig, 9, 0);
	uint32_t pt_id;

	OK(libiommu_device_attach_ioas(dev, rig->ioas));
	OK(libiommu_device_pt_id(dev, &pt_id));
	RAW(0, world_check_map(rig->world, pt_id, MOCK_APERTURE, rig->memory, length));
	OK(rig_end(rig, dev));
}

static void pins_any_length(struct rig *rig)
{
	const int access = rig_access(rig, rig->ioas, true);
	uint32_t item, other;

	for (uint64_t pages = 1; pages < PAGES; pages++) {
		const uint64_t length = pages * PAGE;

		OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE,
		                           MOCK_APERTURE));
		item = pin(rig, access, MOCK_APERTURE, rig->memory, length);
		RAW(0, world_check_pins(rig->world, rig->memory, length, 1));
		unpin(rig, access, item);
		/* Twice. */
		other = pin(rig, access, MOCK_APERTURE, rig->memory, length);
		item = pin(rig, access, MOCK_APERTURE, rig->memory, length);
		unpin(rig, access, item);
		RAW(0, world_check_pins(rig->world, rig->memory, length, 1));
		unpin(rig, access, other);
		RAW(0, world_check_pins(rig->world, rig->memory, length, rig->dev ? 1 : 0));
		item = pin(rig, access, MOCK_APERTURE, rig->memory, length);
		come_and_go(rig, LENGTH);
		unpin(rig, access, item);
		OK(libiommu_ioas_unmap(rig->ioas, MOCK_APERTURE, LENGTH));
		RAW(0, world_check_pins(rig->world, rig->memory, LENGTH, 0));
	}
}

static void unmap_makes_it_unpin(struct rig *rig)
{
	const int access = rig_access(rig, rig->ioas, true);
	uint32_t item;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, MOCK_APERTURE));
	item = pin(rig, access, MOCK_APERTURE, rig->memory, LENGTH);
	OK(libiommu_ioas_unmap(rig->ioas, MOCK_APERTURE, LENGTH));
	RAW(0, world_check_pins(rig->world, rig->memory, LENGTH, 0));
	RAW(-ENOENT, world_unpin(rig->world, access, item));
}

static void must_be_mapped_as_asked(struct rig *rig)
{
	const int access = rig_access(rig, rig->ioas, true);
	const int plain = rig_access(rig, rig->ioas, false);
	char buffer[8] = "";
	uint32_t item;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, 2 * PAGE, LIBIOMMU_MAP_READ,
	                           MOCK_APERTURE));
	RAW(-ENOENT, world_pin(rig->world, access, MOCK_APERTURE, NULL, 3 * PAGE, 0, &item));
	RAW(-EPERM,
	    world_pin(rig->world, access, MOCK_APERTURE, NULL, PAGE, WORLD_ACCESS_WRITE, &item));
	RAW(-ENOENT,
	    world_access_rw(rig->world, plain, MOCK_APERTURE + 2 * PAGE - 4, buffer, 8, 0));
	RAW(-EPERM,
	    world_access_rw(rig->world, plain, MOCK_APERTURE, buffer, 8, WORLD_ACCESS_WRITE));
	RAW(0, world_access_rw(rig->world, plain, MOCK_APERTURE, buffer, 8, 0));
	RAW(0, world_check_pins(rig->world, rig->memory, 2 * PAGE, rig->dev ? 1 : 0));
}

/* The page table goes while a page in the middle of a large one is held. */
static void table_goes_while_pinned(struct rig *rig)
{
	uint8_t *const memory = rig_memory(rig, 2 * HUGE_PAGE, true);
	const int access = rig_access(rig, rig->ioas, true);
	uint32_t item;

	OK(libiommu_ioas_map_fixed(rig->ioas, memory, 2 * HUGE_PAGE, VM_READ_WRITE, rig->base));
	item = pin(rig, access, rig->base + PAGE, memory + PAGE, PAGE);
	if (rig->dev)
		OK(rig_end(rig, rig->dev));
	for (unsigned int i = 0; i < rig->variant->tables; i++)
		OK(rig_end(rig, rig->tables[i]));
	unpin(rig, access, item);
	rig_end_access(rig, access);
}

/* One transfer of each direction: what the device finds is what the process has. */
static void transfer(struct rig *rig, int access, uint64_t iova, const uint8_t *memory,
                     uint64_t length, uint32_t flags)
{
	uint8_t buffer[64];

	memset(buffer, 0, sizeof(buffer));
	RAW(0, world_access_rw(rig->world, access, iova, buffer, length, flags));
	assert_memory_equal(buffer, memory, length);
	fill_random(buffer, sizeof(buffer));
	RAW(0,
	    world_access_rw(rig->world, access, iova, buffer, length, flags | WORLD_ACCESS_WRITE));
	assert_memory_equal(buffer, memory, length);
}

/* Everything up to 63 bytes around the end of a page, and all at once. */
static void check_transfers(struct rig *rig, int access, uint64_t iova, uint32_t flags)
{
	uint8_t *const all = malloc(LENGTH);

	assert_non_null(all);
	fill_random(rig->memory, LENGTH);
	for (uint64_t at = PAGE - 50; at < PAGE + 50; at++)
		for (uint64_t length = 1; length < 64; length += at % 3 + 1)
			transfer(rig, access, iova + at, rig->memory + at, length, flags);
	RAW(0, world_access_rw(rig->world, access, iova, all, LENGTH, flags));
	assert_memory_equal(all, rig->memory, LENGTH);
	free(all);
}

static void reads_and_writes(struct rig *rig)
{
	const int access = rig_access(rig, rig->ioas, false);
	uint64_t iova;

	OK(libiommu_ioas_map(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, &iova));
	check_transfers(rig, access, iova, 0);
	check_transfers(rig, access, iova, WORLD_ACCESS_SLOW);
	OK(libiommu_ioas_unmap(rig->ioas, iova, LENGTH));
	/* Across the parts of pages. */
	iova = rig->base + MOCK_PAGE;
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, iova));
	check_transfers(rig, access, iova, 0);
}

/* Pinned by a driver in a space without a page table, copied to one with; then another space. */
static void moves_to_another_space(struct rig *rig)
{
	struct libiommu_ioas *const first = rig_ioas(rig);
	struct libiommu_ioas *const second = rig_ioas(rig);
	const int access = rig_access(rig, first, true);
	uint64_t iova;
	uint32_t item;

	OK(libiommu_ioas_map(first, rig->memory, LENGTH, VM_READ_WRITE, &iova));
	item = pin(rig, access, iova, rig->memory, LENGTH);
	OK(libiommu_ioas_copy_fixed(rig->ioas, first, iova, LENGTH, VM_READ_WRITE, MOCK_APERTURE));
	rig_check_map(rig, MOCK_APERTURE, rig->memory, LENGTH);
	OK(libiommu_ioas_map_fixed(second, rig->memory, LENGTH, VM_READ_WRITE, iova));
	RAW(0, world_access_replace(rig->world, second, access));
	/* What was pinned belongs to the old one. */
	RAW(-ENOENT, world_unpin(rig->world, access, item));
	OK(libiommu_ioas_unmap(rig->ioas, MOCK_APERTURE, LENGTH));
	OK(rig_end(rig, first));
	item = pin(rig, access, iova, rig->memory, LENGTH);
	OK(libiommu_ioas_copy_fixed(rig->ioas, second, iova, LENGTH, VM_READ_WRITE, MOCK_APERTURE));
	rig_check_map(rig, MOCK_APERTURE, rig->memory, LENGTH);
	RAW(-EBUSY, rig_end(rig, second));
	unpin(rig, access, item);
	rig_end_access(rig, access);
}

/*
 * The child maps, says so, and lives until the parent has closed its end. The parent's context is
 * not the child's to use, its descriptor is.
 */
static pid_t fork_mapper(struct rig *rig, const int *said, const int *lives)
{
	struct uapi_ioas_map map = {.size = sizeof(map),
	                            .flags = UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE |
	                                     UAPI_IOAS_MAP_WRITEABLE,
	                            .ioas_id = ioas_id(rig->ioas),
	                            .user_va = (uintptr_t)rig->memory,
	                            .length = LENGTH,
	                            .iova = MOCK_APERTURE};
	const pid_t pid = fork();
	char byte = 'x';

	assert_true(pid >= 0);
	if (pid)
		return pid;
	close(lives[1]);
	if (world_ioctl(rig->world, UAPI_IOC_IOAS_MAP, &map))
		_exit(1);
	if (write(said[1], &byte, 1) != 1 || read(lives[0], &byte, 1) != 0)
		_exit(2);
	_exit(0);
}

/* The kernel is asked for a device in the name of whoever mapped: the child, gone or not. */
static void mapped_by_another(struct rig *rig, bool gone)
{
	const int access = rig_access(rig, rig->ioas, false);
	struct libiommu_device *const dev = rig_device(rig, 2, 0);
	int said[2], lives[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(said), 0);
	assert_int_equal(pipe(lives), 0);
	pid = fork_mapper(rig, said, lives);
	assert_int_equal(read(said[0], &byte, 1), 1);
	if (gone) {
		close(lives[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	/* Pinned already, or by somebody who is there; else nobody can pin it any more. */
	if (rig->dev || !gone) {
		OK(libiommu_device_attach_ioas(dev, rig->ioas));
		check_transfers(rig, access, MOCK_APERTURE, 0);
	} else {
		FAILS(EFAULT, libiommu_device_attach_ioas(dev, rig->ioas));
	}
	if (!gone) {
		close(lives[1]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	close(lives[0]);
	close(said[0]);
	close(said[1]);
}

static void mapped_by_one_who_is_gone(struct rig *rig)
{
	mapped_by_another(rig, true);
}

static void mapped_by_one_who_lives(struct rig *rig)
{
	mapped_by_another(rig, false);
}

static const struct behaviour behaviours[] = {
	{PROVES("pins any number of pages, twice, while devices come and go", pins_any_length),
         SHAPES},
	{PROVES("unmapping makes it unpin", unmap_makes_it_unpin), SHAPES},
	{PROVES("finds no more than is mapped", must_be_mapped_as_asked), SHAPES},
	{PROVES("a page table goes while a part of a large page is held", table_goes_while_pinned),
         .needs = WORLD_HUGE_MEMORY, SHAPES},
	{PROVES("reads and writes what the process has", reads_and_writes), SHAPES},
	{PROVES("moves to another address space", moves_to_another_space), SHAPES},
	{PROVES("what a process mapped that is gone", mapped_by_one_who_is_gone), SHAPES},
	{PROVES("what a process mapped that lives", mapped_by_one_who_lives), SHAPES},
};

THEME(access_to_memory, "drivers in the kernel");
