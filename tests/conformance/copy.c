/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Copies of mappings: the same memory, pinned and charged once, at another place. */
#include "suite.h"

#include "../../lib/base/uapi/iommufd.h"

#define OTHER UINT64_C(0x8000000)

static void assert_counts(struct libiommu_ioas *of, uint64_t bytes, uint64_t others)
{
	uint64_t got, got_others;

	OK(libiommu_ioas_mapped(of, &got, &got_others));
	assert_int_equal(got, bytes);
	assert_int_equal(got_others, others);
}

static void check_other(struct rig *rig, const struct libiommu_hwpt *table, uint64_t iova,
                        const void *memory, uint64_t length)
{
	RAW(0, world_check_map(rig->world, hwpt_id(table), iova, memory, length));
}

static void within_and_between(struct rig *rig)
{
	struct libiommu_ioas *const other = rig_ioas(rig);

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, rig->base));
	OK(libiommu_ioas_copy_fixed(rig->ioas, rig->ioas, rig->base, PAGE, VM_READ_WRITE,
	                            rig->base + PAGE));
	rig_check_map(rig, rig->base + PAGE, rig->memory, PAGE);
	OK(libiommu_ioas_copy_fixed(other, rig->ioas, rig->base, PAGE, VM_READ_WRITE, 0));
	RAW(0, world_check_pins(rig->world, rig->memory, PAGE, rig->dev ? 1 : 0));
}

/* A whole mapping, a part of one, and the end of one with the beginning of the next. */
static void any_part(struct rig *rig)
{
	struct libiommu_ioas *const other = rig_ioas(rig);
	struct libiommu_hwpt *const table = rig_table(rig, rig->dev, other, 0);
	const uint64_t from = MOCK_APERTURE;
	uint64_t iova, bytes;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, 4 * PAGE, VM_READ_WRITE, from));
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory + 8 * PAGE, 4 * PAGE, VM_READ_WRITE,
	                           from + 4 * PAGE));
	OK(libiommu_ioas_copy(other, rig->ioas, from, 4 * PAGE, VM_READ_WRITE, &iova));
	check_other(rig, table, iova, rig->memory, 4 * PAGE);
	OK(libiommu_ioas_copy_fixed(other, rig->ioas, from + PAGE, 2 * PAGE, LIBIOMMU_MAP_READ,
	                            OTHER));
	check_other(rig, table, OTHER, rig->memory + PAGE, 2 * PAGE);
	OK(libiommu_ioas_copy_fixed(other, rig->ioas, from + 3 * PAGE, 2 * PAGE, VM_READ_WRITE,
	                            OTHER + LENGTH));
	check_other(rig, table, OTHER + LENGTH, rig->memory + 3 * PAGE, PAGE);
	check_other(rig, table, OTHER + LENGTH + PAGE, rig->memory + 8 * PAGE, PAGE);
	OK(libiommu_ioas_copy_fixed(rig->ioas, rig->ioas, from, 8 * PAGE, VM_READ_WRITE, OTHER));
	rig_check_map(rig, OTHER, rig->memory, 4 * PAGE);
	assert_counts(rig->ioas, 16 * PAGE, 16 * PAGE);
	RAW(0, world_check_pins(rig->world, rig->memory, 4 * PAGE, 1));
	/* The copy stays when the original goes. */
	OK(libiommu_ioas_unmap_all(rig->ioas, &bytes));
	assert_int_equal(bytes, 16 * PAGE);
	check_other(rig, table, iova, rig->memory, 4 * PAGE);
	/* It is as many mappings as it was. */
	FAILS(ENOENT, libiommu_ioas_unmap(other, OTHER, PAGE));
	OK(libiommu_ioas_unmap(other, OTHER + LENGTH, PAGE));
	OK(libiommu_ioas_unmap(other, OTHER + LENGTH + PAGE, PAGE));
	assert_counts(other, 6 * PAGE, 6 * PAGE);
}

static void refused(struct rig *rig)
{
	struct libiommu_ioas *const other = rig_ioas(rig);
	const uint64_t from = MOCK_APERTURE;
	struct libiommu_ioas *none;
	uint64_t iova = 7;

	rig_table(rig, rig->dev, other, 0);
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, LIBIOMMU_MAP_READ, from));
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, from + 2 * PAGE));
	FAILS(ENOENT,
	      libiommu_ioas_copy(other, rig->ioas, from, 3 * PAGE, LIBIOMMU_MAP_READ, &iova));
	EXPLAINED("a part of the source range is not mapped");
	FAILS(ENOENT,
	      libiommu_ioas_copy(other, rig->ioas, from + PAGE, PAGE, LIBIOMMU_MAP_READ, &iova));
	FAILS(EPERM, libiommu_ioas_copy(other, rig->ioas, from, PAGE, VM_READ_WRITE, &iova));
	EXPLAINED("mapped without LIBIOMMU_MAP_WRITE");
	FAILS(EEXIST, libiommu_ioas_copy_fixed(rig->ioas, rig->ioas, from, PAGE, LIBIOMMU_MAP_READ,
	                                       from + 2 * PAGE));
	FAILS(EINVAL, libiommu_ioas_copy(other, rig->ioas, from, 100, LIBIOMMU_MAP_READ, &iova));
	FAILS(EINVAL, libiommu_ioas_copy(other, rig->ioas, from, 0, LIBIOMMU_MAP_READ, &iova));
	FAILS(EOVERFLOW, libiommu_ioas_copy(other, rig->ioas, -(uint64_t)PAGE, 2 * PAGE,
	                                    LIBIOMMU_MAP_READ, &iova));
	FAILS(EINVAL,
	      libiommu_ioas_copy_fixed(other, rig->ioas, from, PAGE, LIBIOMMU_MAP_READ, PAGE));
	OK(libiommu_ioas_adopt(rig->ctx, 12345, LIBIOMMU_ID_BORROW, &none));
	FAILS(ENOENT, libiommu_ioas_copy(none, rig->ioas, from, PAGE, LIBIOMMU_MAP_READ, &iova));
	FAILS(ENOENT, libiommu_ioas_copy(other, none, from, PAGE, LIBIOMMU_MAP_READ, &iova));
	OK(libiommu_ioas_destroy(none));
	assert_int_equal(iova, 7);
	assert_counts(other, 0, 0);
}

/* From one page before to one behind, at odd places; all that is mapped is found, nothing else. */
static void odd_places(struct rig *rig)
{
	const uint64_t last = MOCK_APERTURE + LENGTH - (rig->dev ? 1 : 2);
	struct libiommu_ioas *const other = rig_ioas(rig);
	uint64_t iova;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, last - MOCK_APERTURE + 1, VM_READ_WRITE,
	                           MOCK_APERTURE));
	for (iova = MOCK_APERTURE - PAGE; iova <= last; iova += 511) {
		if (iova < MOCK_APERTURE || iova + MOCK_PAGE - 1 > last) {
			FAILS(ENOENT, libiommu_ioas_copy_fixed(other, rig->ioas, iova, MOCK_PAGE,
			                                       VM_READ_WRITE, MOCK_APERTURE));
			continue;
		}
		OK(libiommu_ioas_copy_fixed(other, rig->ioas, iova, MOCK_PAGE, VM_READ_WRITE,
		                            MOCK_APERTURE));
		OK(libiommu_ioas_unmap(other, MOCK_APERTURE, MOCK_PAGE));
	}
}

/* Reading is asked for where only writing was: the rule is about writing alone. */
static void reading_what_was_for_writing(struct rig *rig)
{
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, LIBIOMMU_MAP_WRITE,
	                           MOCK_APERTURE));
	OK(libiommu_ioas_copy_fixed(rig->ioas, rig->ioas, MOCK_APERTURE, PAGE, LIBIOMMU_MAP_READ,
	                            OTHER));
}

static const struct behaviour behaviours[] = {
	{PROVES("within one and between two", within_and_between), SHAPES},
	{PROVES("any part, also of several", any_part), .variants = shapes + 1, .count = 1},
	{PROVES("what cannot be copied is refused", refused), .variants = shapes + 1, .count = 1},
	{PROVES("at odd places", odd_places), SHAPES},
	{PROVES("reading what was mapped for writing", reading_what_was_for_writing), SHAPES},
};

THEME(copying, "copies");
