/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The end of an address space that no page table bounds: its last page is one like all others,
 * though what follows it has no number.
 */
#include "suite.h"

#define LAST (-(uint64_t)PAGE)

static void map_last(struct rig *rig)
{
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, LAST));
}

static void mapped(struct rig *rig)
{
	uint8_t *const memory = rig->memory;

	map_last(rig);
	FAILS(EEXIST,
	      libiommu_ioas_map_fixed(rig->ioas, memory, 2 * PAGE, VM_READ_WRITE, LAST - PAGE));
	FAILS(EOVERFLOW, libiommu_ioas_map_fixed(rig->ioas, memory, 2 * PAGE, VM_READ_WRITE, LAST));
	OK(libiommu_ioas_unmap(rig->ioas, LAST, PAGE));
	OK(libiommu_ioas_map_fixed(rig->ioas, memory, 2 * PAGE, VM_READ_WRITE, LAST - PAGE));
	OK(libiommu_ioas_unmap(rig->ioas, LAST - PAGE, 2 * PAGE));
}

/* The kernel takes its number for none: no mapping begins there. */
static void last_byte(struct rig *rig)
{
	const int access = rig_access(rig, rig->ioas, false);
	char byte = 0;

	FAILS(EOVERFLOW,
	      libiommu_ioas_map_fixed(rig->ioas, rig->memory, 1, VM_READ_WRITE, UINT64_MAX));
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, 2, VM_READ_WRITE, UINT64_MAX - 1));
	rig->memory[1] = 'z';
	RAW(0, world_access_rw(rig->world, access, UINT64_MAX, &byte, 1, 0));
	assert_int_equal(byte, 'z');
	RAW(-EOVERFLOW, world_access_rw(rig->world, access, UINT64_MAX, &byte, 2, 0));
	FAILS(EOVERFLOW, libiommu_ioas_unmap(rig->ioas, UINT64_MAX, 1));
	OK(libiommu_ioas_unmap(rig->ioas, UINT64_MAX - 1, 2));
}

static void copied(struct rig *rig)
{
	struct libiommu_ioas *const to = rig_ioas(rig);

	map_last(rig);
	OK(libiommu_ioas_copy_fixed(to, rig->ioas, LAST, PAGE, VM_READ_WRITE, LAST));
	FAILS(EEXIST, libiommu_ioas_copy_fixed(to, rig->ioas, LAST, PAGE, VM_READ_WRITE, LAST));
	FAILS(EOVERFLOW,
	      libiommu_ioas_copy_fixed(to, rig->ioas, LAST, 2 * PAGE, VM_READ_WRITE, PAGE));
	FAILS(ENOENT,
	      libiommu_ioas_copy_fixed(to, rig->ioas, LAST - PAGE, 2 * PAGE, VM_READ_WRITE, PAGE));
}

static void unmapped(struct rig *rig)
{
	uint64_t bytes = 7;

	map_last(rig);
	FAILS(EOVERFLOW, libiommu_ioas_unmap_range(rig->ioas, LAST, 2 * PAGE, &bytes));
	FAILS(ENOENT, libiommu_ioas_unmap_range(rig->ioas, LAST - PAGE, PAGE, &bytes));
	assert_int_equal(bytes, 7);
	OK(libiommu_ioas_unmap_range(rig->ioas, LAST - PAGE, 2 * PAGE, &bytes));
	assert_int_equal(bytes, PAGE);
	map_last(rig);
	OK(libiommu_ioas_unmap_all(rig->ioas, &bytes));
	assert_int_equal(bytes, PAGE);
	OK(libiommu_ioas_unmap_all(rig->ioas, &bytes));
	assert_int_equal(bytes, 0);
}

/* Nobody is given the last page who does not ask for it. */
static void found(struct rig *rig)
{
	const struct libiommu_iova_range allowed = {LAST - PAGE, UINT64_MAX};
	uint64_t iova;

	OK(libiommu_ioas_allow(rig->ioas, &allowed, 1));
	OK(libiommu_ioas_map(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, &iova));
	assert_true(iova == LAST - PAGE);
	FAILS(ENOSPC, libiommu_ioas_map(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, &iova));
	map_last(rig);
}

static uint64_t last_usable(struct libiommu_ioas *ioas)
{
	struct libiommu_iova_ranges *ranges;
	struct libiommu_iova_range range;

	OK(libiommu_ioas_ranges(ioas, &ranges));
	OK(libiommu_iova_ranges_get(ranges, libiommu_iova_ranges_count(ranges) - 1, &range));
	libiommu_iova_ranges_free(ranges);
	return range.last;
}

static void reserved(struct rig *rig)
{
	map_last(rig);
	assert_true(last_usable(rig->ioas) == UINT64_MAX);
	RAW(-EADDRINUSE, world_reserve(rig->world, rig->ioas, LAST, PAGE));
	OK(libiommu_ioas_unmap(rig->ioas, LAST, PAGE));
	reserve(rig, LAST, PAGE);
	assert_true(last_usable(rig->ioas) == LAST - 1);
	FAILS(EINVAL, libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, LAST));
}

/* A page table ends earlier: beyond it all is reserved, and what is mapped there keeps it away. */
static void beyond_a_page_table(struct rig *rig)
{
	struct libiommu_device *const dev = rig_device(rig, 2, 0);

	map_last(rig);
	FAILS(EADDRINUSE, libiommu_device_attach_ioas(dev, rig->ioas));
	OK(libiommu_ioas_unmap(rig->ioas, LAST, PAGE));
	OK(libiommu_device_attach_ioas(dev, rig->ioas));
	FAILS(EINVAL, libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, LAST));
	OK(rig_end(rig, dev));
	map_last(rig);
}

static const struct behaviour behaviours[] = {
	{PROVES("mapped", mapped)},
	{PROVES("the last byte, with another one", last_byte)},
	{PROVES("copied", copied)},
	{PROVES("unmapped", unmapped)},
	{PROVES("not found by itself", found)},
	{PROVES("reserved", reserved)},
	{PROVES("beyond a page table", beyond_a_page_table)},
};

THEME(end_of_space, "the last page of an address space");
