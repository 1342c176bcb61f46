/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Address spaces: what is in use, which IOVAs there are, how long they live. */
#include "suite.h"

#include <string.h>

#include "../../lib/base/uapi/iommufd.h"

static int raw_destroy(struct rig *rig, uint32_t id)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = id};

	return world_ioctl(rig->world, UAPI_IOC_DESTROY, &cmd);
}

/* The library says so before the kernel does; the kernel says so too. */
static void destroyed_unless_used(struct rig *rig)
{
	if (rig->dev) {
		FAILS(EBUSY, libiommu_ioas_destroy(rig->ioas));
		RAW(-EBUSY, raw_destroy(rig, ioas_id(rig->ioas)));
	} else {
		OK(rig_end(rig, rig->ioas));
	}
}

static void mappings_do_not_count(struct rig *rig)
{
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, rig->base));
	destroyed_unless_used(rig);
}

static void ends_with_its_mappings(struct rig *rig)
{
	for (uint64_t i = 0; i < 10; i++)
		OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE,
		                           rig->base + i * PAGE));
	RAW(0, world_check_pins(rig->world, rig->memory, PAGE, rig->dev ? 10 : 0));
	if (rig->dev) {
		OK(libiommu_device_detach(rig->dev));
		for (unsigned int i = 0; i < rig->variant->tables; i++) {
			OK(rig_end(rig, rig->tables[i]));
			rig->tables[i] = NULL;
		}
	}
	OK(rig_end(rig, rig->ioas));
	RAW(0, world_check_pins(rig->world, rig->memory, PAGE, 0));
}

/* Without a page table every IOVA is there; with one those that it reaches, in its pages. */
static void ranges(struct rig *rig)
{
	const struct libiommu_iova_range wanted = {
		rig->dev ? MOCK_APERTURE : 0,
		rig->dev ? MOCK_APERTURE_LAST : UINT64_MAX,
	};
	struct libiommu_iova_ranges *found;
	struct libiommu_iova_range range;

	OK(libiommu_ioas_ranges(rig->ioas, &found));
	assert_int_equal(libiommu_iova_ranges_count(found), 1);
	OK(libiommu_iova_ranges_get(found, 0, &range));
	assert_true(!memcmp(&range, &wanted, sizeof(range)));
	assert_int_equal(libiommu_iova_ranges_alignment(found), rig->dev ? MOCK_PAGE : 1);
	libiommu_iova_ranges_free(found);
	/* A reserved page divides it, where that is inside. */
	reserve(rig, PAGE, PAGE);
	OK(libiommu_ioas_ranges(rig->ioas, &found));
	assert_int_equal(libiommu_iova_ranges_count(found), rig->dev ? 1 : 2);
	OK(libiommu_iova_ranges_get(found, 0, &range));
	assert_int_equal(range.last, rig->dev ? MOCK_APERTURE_LAST : PAGE - 1);
	if (!rig->dev) {
		OK(libiommu_iova_ranges_get(found, 1, &range));
		assert_int_equal(range.start, 2 * PAGE);
		assert_true(range.last == UINT64_MAX);
	}
	libiommu_iova_ranges_free(found);
}

/* Told how many there are, and given as many as there is room for. */
static void ranges_without_room(struct rig *rig)
{
	struct uapi_iova_range room[3] = {{0, 0}, {7, 7}, {7, 7}};
	struct uapi_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas_id(rig->ioas),
		.allowed_iovas = (uintptr_t)room,
	};

	RAW(-EMSGSIZE, world_ioctl(rig->world, UAPI_IOC_IOAS_IOVA_RANGES, &cmd));
	assert_int_equal(cmd.num_iovas, 1);
	assert_true(room[0].last == 0);
	reserve(rig, MOCK_APERTURE + PAGE, PAGE);
	reserve(rig, MOCK_APERTURE + 3 * PAGE, PAGE);
	cmd.num_iovas = 1;
	RAW(-EMSGSIZE, world_ioctl(rig->world, UAPI_IOC_IOAS_IOVA_RANGES, &cmd));
	assert_int_equal(cmd.num_iovas, 3);
	assert_true(room[0].last == MOCK_APERTURE + PAGE - 1);
	assert_int_equal(room[1].start, 7);
	cmd.num_iovas = 3;
	RAW(0, world_ioctl(rig->world, UAPI_IOC_IOAS_IOVA_RANGES, &cmd));
	assert_true(room[2].start == MOCK_APERTURE + 4 * PAGE);
}

static size_t count_ranges(struct libiommu_ioas *ioas, uint64_t *start)
{
	struct libiommu_iova_ranges *found;
	struct libiommu_iova_range range;
	size_t count;

	OK(libiommu_ioas_ranges(ioas, &found));
	count = libiommu_iova_ranges_count(found);
	OK(libiommu_iova_ranges_get(found, 0, &range));
	*start = range.start;
	libiommu_iova_ranges_free(found);
	return count;
}

static void ranges_follow_devices(struct rig *rig)
{
	struct libiommu_device *const dev = rig_device(rig, 2, 0);
	struct libiommu_ioas *const ioas = rig_ioas(rig);
	uint64_t start;

	assert_int_equal(count_ranges(ioas, &start), 1);
	assert_int_equal(start, 0);
	OK(libiommu_device_attach_ioas(dev, ioas));
	assert_int_equal(count_ranges(ioas, &start), 1);
	assert_int_equal(start, MOCK_APERTURE);
	OK(libiommu_device_detach(dev));
	assert_int_equal(count_ranges(ioas, &start), 1);
	assert_int_equal(start, 0);
	/* A mapping outside of what the page table reaches keeps it away. */
	OK(libiommu_ioas_map_fixed(ioas, rig->memory, PAGE, VM_READ_WRITE, PAGE));
	FAILS(EADDRINUSE, libiommu_device_attach_ioas(dev, ioas));
	OK(libiommu_ioas_unmap(ioas, PAGE, PAGE));
	OK(libiommu_device_attach_ioas(dev, ioas));
}

/* What is reserved and what is allowed must not meet, whichever comes first. */
static void allowed_and_reserved(struct rig *rig)
{
	const struct libiommu_iova_range some = {rig->base, rig->base + 600 * PAGE};
	const struct libiommu_iova_range two[] = {{rig->base, rig->base + PAGE - 1}, some};
	const struct libiommu_iova_range reversed = {some.last, some.start};
	const struct libiommu_iova_range single = {some.start, some.start};

	OK(libiommu_ioas_allow(rig->ioas, &some, 1));
	RAW(-EADDRINUSE, world_reserve(rig->world, rig->ioas, rig->base + PAGE, PAGE));
	OK(libiommu_ioas_allow(rig->ioas, NULL, 0));
	reserve(rig, rig->base + PAGE, PAGE);
	FAILS(EADDRINUSE, libiommu_ioas_allow(rig->ioas, &some, 1));
	/* Each replaces the whole list; no two may meet. */
	OK(libiommu_ioas_allow(rig->ioas, two, 1));
	FAILS(EINVAL, libiommu_ioas_allow(rig->ioas, two, 2));
	FAILS(EINVAL, libiommu_ioas_allow(rig->ioas, &reversed, 1));
	FAILS(EINVAL, libiommu_ioas_allow(rig->ioas, &single, 1));
}

/* As the kernel's own regression test has it: a hole of 6 bytes, and one at the other end. */
static void reserved_to_the_end(struct rig *rig)
{
	uint64_t iova = 7;

	reserve(rig, 6, UINT64_C(0xffffffffffff8001));
	FAILS(ENOSPC, libiommu_ioas_map(rig->ioas, rig->memory, 5 * PAGE, VM_READ_WRITE, &iova));
	assert_int_equal(iova, 7);
}

static void assert_aligned(uint64_t iova, uint64_t length)
{
	assert_true(iova);
	assert_int_equal(iova & ((length & -length) - 1), 0);
}

/* Ten of them, unmapped again; none touches what is reserved, all are where it is allowed. */
static void map_ten(struct rig *rig, const struct libiommu_iova_range *reserved,
                    const struct libiommu_iova_range *allowed)
{
	uint64_t iova[10];

	for (uint64_t i = 0; i < 10; i++) {
		const uint64_t length = (i + 1) * PAGE;

		OK(libiommu_ioas_map(rig->ioas, rig->memory, length, VM_READ_WRITE, &iova[i]));
		assert_aligned(iova[i], length);
		if (reserved)
			assert_true(iova[i] + length - 1 < reserved->start ||
			            iova[i] > reserved->last);
		if (allowed)
			assert_true(iova[i] >= allowed->start &&
			            iova[i] + length - 1 <= allowed->last);
		rig_check_map(rig, iova[i], rig->memory, length);
	}
	for (uint64_t i = 0; i < 10; i++)
		OK(libiommu_ioas_unmap(rig->ioas, iova[i], (i + 1) * PAGE));
}

static void found_iovas(struct rig *rig)
{
	const struct libiommu_iova_range reserved = {rig->base + 4 * PAGE,
	                                             rig->base + 104 * PAGE - 1};
	const struct libiommu_iova_range over = {rig->base + PAGE, rig->base + 600 * PAGE};
	const struct libiommu_iova_range allowed = {rig->base + 200 * PAGE,
	                                            rig->base + 600 * PAGE - 1};

	map_ten(rig, NULL, NULL);
	reserve(rig, reserved.start, reserved.last - reserved.start + 1);
	map_ten(rig, &reserved, NULL);
	FAILS(EADDRINUSE, libiommu_ioas_allow(rig->ioas, &over, 1));
	OK(libiommu_ioas_allow(rig->ioas, &allowed, 1));
	map_ten(rig, &reserved, &allowed);
}

/* Every length in bytes up to two pages: with a page table only those that it can map. */
static void every_length(struct rig *rig)
{
	uint64_t iova;

	for (uint64_t length = 1; length < 2 * PAGE; length++) {
		if (rig->dev && length % MOCK_PAGE) {
			FAILS(EINVAL, libiommu_ioas_map(rig->ioas, rig->memory, length,
			                                VM_READ_WRITE, &iova));
			continue;
		}
		OK(libiommu_ioas_map(rig->ioas, rig->memory, length, VM_READ_WRITE, &iova));
		OK(libiommu_ioas_unmap(rig->ioas, iova, length));
	}
}

static void large_pages(struct rig *rig)
{
	struct uapi_option cmd = {.size = sizeof(cmd),
	                          .option_id = UAPI_OPTION_HUGE_PAGES,
	                          .op = UAPI_OPTION_OP_SET,
	                          .object_id = ioas_id(rig->ioas),
	                          .val64 = 2};
	bool allowed = false;

	OK(libiommu_ioas_get_huge_pages(rig->ioas, &allowed));
	assert_true(allowed);
	OK(libiommu_ioas_set_huge_pages(rig->ioas, false));
	OK(libiommu_ioas_get_huge_pages(rig->ioas, &allowed));
	assert_false(allowed);
	RAW(-EINVAL, world_ioctl(rig->world, UAPI_IOC_OPTION, &cmd));
	OK(libiommu_ioas_set_huge_pages(rig->ioas, true));
	OK(libiommu_ioas_get_huge_pages(rig->ioas, &allowed));
	assert_true(allowed);
}

/* Without large pages all is in whole pages; what is there must be already. */
static void large_pages_and_alignment(struct rig *rig)
{
	const uint64_t iova = MOCK_APERTURE;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, iova));
	OK(libiommu_ioas_set_huge_pages(rig->ioas, false));
	FAILS(EINVAL, libiommu_ioas_map_fixed(rig->ioas, rig->memory + MOCK_PAGE, PAGE,
	                                      VM_READ_WRITE, iova + PAGE));
	OK(libiommu_ioas_set_huge_pages(rig->ioas, false));
	OK(libiommu_ioas_set_huge_pages(rig->ioas, true));
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory + MOCK_PAGE, PAGE, VM_READ_WRITE,
	                           iova + PAGE));
	FAILS(EADDRINUSE, libiommu_ioas_set_huge_pages(rig->ioas, false));
	OK(libiommu_ioas_unmap(rig->ioas, iova + PAGE, PAGE));
	OK(libiommu_ioas_unmap(rig->ioas, iova, PAGE));
}

/* Where there is a page table, what is mapped forbids the change. */
static void large_pages_while_mapped(struct rig *rig)
{
	bool allowed = false;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, rig->base));
	FAILS(EINVAL, libiommu_ioas_set_huge_pages(rig->ioas, false));
	EXPLAINED("choose before mapping");
	OK(libiommu_ioas_get_huge_pages(rig->ioas, &allowed));
	assert_true(allowed);
	OK(libiommu_ioas_unmap(rig->ioas, rig->base, PAGE));
	OK(libiommu_ioas_set_huge_pages(rig->ioas, false));
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, rig->base));
	rig_check_map(rig, rig->base, rig->memory, LENGTH);
	/* Allowing them again is no matter of what is mapped. */
	OK(libiommu_ioas_set_huge_pages(rig->ioas, true));
	OK(libiommu_ioas_get_huge_pages(rig->ioas, &allowed));
	assert_true(allowed);
}

static const struct behaviour behaviours[] = {
	{PROVES("destroyed unless it is used", destroyed_unless_used), SHAPES},
	{PROVES("mappings do not keep it", mappings_do_not_count), SHAPES},
	{PROVES("ends with its mappings, and unpins", ends_with_its_mappings), SHAPES},
	{PROVES("the ranges that can be used", ranges), SHAPES},
	{PROVES("ranges that there is no room for are counted", ranges_without_room)},
	{PROVES("the ranges change with the devices", ranges_follow_devices)},
	{PROVES("what is allowed and what is reserved never meet", allowed_and_reserved), SHAPES},
	{PROVES("all reserved but the ends leaves no room", reserved_to_the_end), SHAPES},
	{PROVES("IOVAs that the kernel finds are aligned, allowed and not reserved", found_iovas),
         SHAPES},
	{PROVES("every length up to two pages", every_length), SHAPES},
	{PROVES("large pages can be forbidden", large_pages), SHAPES},
	{PROVES("without large pages all is in whole pages", large_pages_and_alignment)},
	{PROVES("large pages cannot be forbidden while mapped", large_pages_while_mapped),
         TABLE_SHAPES},
};

THEME(address_space, "address spaces");
