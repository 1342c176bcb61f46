/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Dirty tracking: who can, when, and that no bit is lost where the kernel would lose it. */
#include "suite.h"

#include <string.h>

#include "../../lib/base/uapi/iommufd.h"

/* A border between two pieces of the library's, inside of what the page tables reach. */
#define BORDER UINT64_C(0x40000000)
#define IOVA   UINT64_C(0x2000000)

enum { WORDS = 16 };

struct tracked {
	struct libiommu_device *dev;
	struct libiommu_hwpt *table;
};

static struct tracked track(struct rig *rig, bool large)
{
	struct tracked t = {.dev = rig_device(rig, 7, 0)};

	OK(libiommu_ioas_set_huge_pages(rig->ioas, large));
	t.table = rig_table(rig, t.dev, rig->ioas, LIBIOMMU_HWPT_DIRTY_TRACKING);
	return t;
}

/* Hardware writes the pages of @bits, each PAGE long, from @iova on. */
static void write_pages(struct rig *rig, const struct libiommu_hwpt *table, uint64_t iova,
                        uint64_t bits)
{
	RAW(0, world_write(rig->world, table, iova, 64 * PAGE, PAGE, &bits));
}

static int read_pages(struct libiommu_hwpt *table, uint64_t iova, uint64_t pages, uint32_t flags,
                      uint64_t *bits)
{
	memset(bits, 0, WORDS * 8);
	return libiommu_hwpt_get_dirty_bitmap(table, iova, pages * PAGE, PAGE, flags, bits, WORDS,
	                                      NULL);
}

/* The kernel's own answer where the library refuses. */
static int get_raw(struct rig *rig, const struct libiommu_hwpt *table, uint64_t iova,
                   uint64_t length, void *at)
{
	struct uapi_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt_id(table),
		.iova = iova,
		.length = length,
		.page_size = PAGE,
		.data = (uintptr_t)at,
	};

	return world_ioctl(rig->world, UAPI_IOC_HWPT_GET_DIRTY_BITMAP, &cmd);
}

/* Mappings that follow each other are one range; a hole is told, and nothing behind it is lost. */
static void holes(struct rig *rig)
{
	const struct tracked t = track(rig, false);
	const uint64_t at[] = {BORDER - 2 * PAGE, BORDER, BORDER + PAGE, BORDER + 3 * PAGE};
	uint64_t bits[WORDS], done = 9;

	for (size_t i = 0; i < COUNT(at); i++)
		OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, i ? PAGE : 2 * PAGE,
		                           VM_READ_WRITE, at[i]));
	OK(libiommu_hwpt_set_dirty_tracking(t.table, true));
	write_pages(rig, t.table, at[0], 1 | 2 | 4 | 8 | 32);
	memset(bits, 0, sizeof(bits));
	FAILS(ENOENT, libiommu_hwpt_get_dirty_bitmap(t.table, at[0], 6 * PAGE, PAGE, 0, bits, WORDS,
	                                             &done));
	EXPLAINED("is not mapped");
	assert_int_equal(done, 2 * PAGE);
	assert_int_equal(bits[0], 3);
	OK(read_pages(t.table, BORDER, 2, 0, bits));
	assert_int_equal(bits[0], 3);
	OK(read_pages(t.table, at[3], 1, 0, bits));
	assert_int_equal(bits[0], 1);
}

/* Asked past the library the kernel may lose bits; either is fine, if it says the truth. */
static void bad_bitmap(struct rig *rig)
{
	const struct tracked t = track(rig, false);
	uint64_t bits[WORDS];
	int error;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, IOVA));
	OK(libiommu_hwpt_set_dirty_tracking(t.table, true));
	write_pages(rig, t.table, IOVA, 1);
	error = get_raw(rig, t.table, IOVA, PAGE, (void *)(uintptr_t)PAGE);
	OK(read_pages(t.table, IOVA, 1, 0, bits));
	print_message("# a bad bitmap: the kernel says %d, and the bit is %s\n", error,
	              bits[0] ? "there" : "lost");
	assert_true(!error || error == -EFAULT);
	assert_true(!error || bits[0]);
	error = get_raw(rig, t.table, IOVA + PAGE, PAGE, bits);
	print_message("# a hole: the kernel says %d\n", error);
	assert_int_equal(bits[0] & 2, 0);
}

static void states(struct rig *rig)
{
	const struct tracked t = track(rig, false);
	uint64_t bits[WORDS], done = 9;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, IOVA));
	FAILS(ENODATA,
	      libiommu_hwpt_get_dirty_bitmap(t.table, IOVA, LENGTH, PAGE, 0, bits, WORDS, &done));
	assert_int_equal(done, 0);
	OK(libiommu_hwpt_set_dirty_tracking(t.table, true));
	write_pages(rig, t.table, IOVA, 1);
	/* Starting again is refused, since it would forget. */
	FAILS(EALREADY, libiommu_hwpt_set_dirty_tracking(t.table, true));
	OK(read_pages(t.table, IOVA, PAGES, 0, bits));
	assert_int_equal(bits[0], 1);
	write_pages(rig, t.table, IOVA, 1);
	OK(libiommu_hwpt_set_dirty_tracking(t.table, false));
	FAILS(ENODATA, read_pages(t.table, IOVA, PAGES, 0, bits));
	OK(libiommu_hwpt_set_dirty_tracking(t.table, true));
	OK(read_pages(t.table, IOVA, PAGES, 0, bits));
	assert_int_equal(bits[0], 0);
	/* Not aligned to the pages of the page table. */
	FAILS(EINVAL, libiommu_hwpt_get_dirty_bitmap(t.table, IOVA + 1024, 1024, 1024, 0, bits,
	                                             WORDS, &done));
}

/* A large page is dirty as a whole, and is clean as a whole once a part of it was read. */
static void large_pages(struct rig *rig)
{
	const struct tracked t = track(rig, true);
	uint8_t *const memory = rig_memory(rig, HUGE_PAGE, true);
	uint64_t bits[WORDS];

	OK(libiommu_ioas_map_fixed(rig->ioas, memory, HUGE_PAGE, VM_READ_WRITE, IOVA));
	OK(libiommu_hwpt_set_dirty_tracking(t.table, true));
	write_pages(rig, t.table, IOVA + 192 * PAGE, 1);
	OK(read_pages(t.table, IOVA, HUGE_PAGE / PAGE, LIBIOMMU_DIRTY_NO_CLEAR, bits));
	for (size_t i = 0; i < HUGE_PAGE / PAGE / 64; i++)
		assert_true(bits[i] == UINT64_MAX);
	/* No more than was asked for. */
	OK(read_pages(t.table, IOVA, 1, 0, bits));
	assert_int_equal(bits[0], 1);
	assert_int_equal(bits[1], 0);
	OK(read_pages(t.table, IOVA + PAGE, HUGE_PAGE / PAGE - 1, 0, bits));
	print_message("# the rest of a large page that was read in part is %s\n",
	              bits[0] ? "dirty" : "clean");
}

static unsigned int count_bits(const uint64_t *bits)
{
	unsigned int count = 0;

	for (size_t i = 0; i < WORDS; i++)
		count += (unsigned int)__builtin_popcountll(bits[i]);
	return count;
}

/*
 * Asked past the library for a part of a large page the kernel may write as many bits as the page
 * has, into memory that nobody gave it; and none where the part is not the beginning, but the page
 * is clean then.
 */
static void parts_of_large_pages(struct rig *rig)
{
	const struct tracked t = track(rig, true);
	uint8_t *const memory = rig_memory(rig, HUGE_PAGE, true);
	uint64_t bits[WORDS] = {0};
	unsigned int count;

	OK(libiommu_ioas_map_fixed(rig->ioas, memory, HUGE_PAGE, VM_READ_WRITE, IOVA));
	OK(libiommu_hwpt_set_dirty_tracking(t.table, true));
	write_pages(rig, t.table, IOVA, 1);
	RAW(0, get_raw(rig, t.table, IOVA, PAGE, bits));
	count = count_bits(bits);
	print_message("# for one page of a large page the kernel sets %u bits\n", count);
	assert_true(count == 1 || count == HUGE_PAGE / PAGE);
	assert_int_equal(bits[0] & 1, 1);
	write_pages(rig, t.table, IOVA, 1);
	memset(bits, 0, sizeof(bits));
	RAW(0, get_raw(rig, t.table, IOVA + PAGE, PAGE, bits));
	count = count_bits(bits);
	OK(read_pages(t.table, IOVA, HUGE_PAGE / PAGE, 0, bits));
	print_message("# for the second one it sets %u, and the large page is %s\n", count,
	              bits[0] ? "dirty" : "clean");
	assert_true(count <= 1);
}

static void without_the_flag(struct rig *rig)
{
	struct libiommu_device *const dev = rig_device(rig, 7, 0);
	struct libiommu_hwpt *const plain = rig_table(rig, dev, rig->ioas, 0);
	struct libiommu_hwpt *adopted;
	uint64_t bits[WORDS];

	FAILS(EOPNOTSUPP, libiommu_hwpt_set_dirty_tracking(plain, true));
	EXPLAINED("made without LIBIOMMU_HWPT_DIRTY_TRACKING");
	OK(libiommu_hwpt_adopt(rig->ctx, hwpt_id(plain), LIBIOMMU_ID_BORROW, &adopted));
	FAILS(EOPNOTSUPP, read_pages(adopted, IOVA, 1, 0, bits));
	OK(libiommu_hwpt_destroy(adopted));
}

/* A page table that tracks takes only devices whose IOMMU can, and those only make one. */
static void devices_that_cannot(struct rig *rig)
{
	const struct tracked t = track(rig, false);
	struct libiommu_device *const dev = rig_device(rig, 8, WORLD_DEV_NO_DIRTY);
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *none = NULL;

	OK(libiommu_device_attach_hwpt(t.dev, t.table));
	FAILS(EINVAL, libiommu_device_attach_hwpt(dev, t.table));
	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_DIRTY_TRACKING));
	FAILS(EOPNOTSUPP, libiommu_hwpt_alloc(dev, rig->ioas, config, &none));
	libiommu_hwpt_config_free(config);
	assert_null(none);
	OK(libiommu_hwpt_set_dirty_tracking(t.table, true));
	OK(libiommu_hwpt_set_dirty_tracking(t.table, false));
}

static enum libiommu_answer can_track(struct libiommu_device *dev)
{
	enum libiommu_answer answer;
	struct libiommu_hw_info *info;

	OK(libiommu_hw_info_get(dev, &info));
	answer = (enum libiommu_answer)libiommu_hw_info_capability(
		info, LIBIOMMU_CAPABILITY_DIRTY_TRACKING, NULL);
	libiommu_hw_info_free(info);
	return answer;
}

static void capability(struct rig *rig)
{
	assert_int_equal(can_track(rig_device(rig, 7, 0)), LIBIOMMU_YES);
	assert_int_equal(can_track(rig_device(rig, 8, WORLD_DEV_NO_DIRTY)), LIBIOMMU_NO);
}

static void at_a_pasid(struct rig *rig)
{
	const uint32_t flags = LIBIOMMU_HWPT_PASID | LIBIOMMU_HWPT_DIRTY_TRACKING;
	struct libiommu_device *const dev = rig_device(rig, 7, WORLD_DEV_PASIDS);
	struct libiommu_hwpt *const table = rig_table(rig, dev, rig->ioas, flags);
	uint32_t pasid;

	OK(libiommu_device_attach_hwpt(dev, table));
	OK(libiommu_pasid_attach(dev, 100, table, 0, &pasid));
	OK(libiommu_hwpt_set_dirty_tracking(table, true));
	OK(libiommu_hwpt_set_dirty_tracking(table, false));
	OK(libiommu_pasid_detach(dev, 100));
}

static const struct behaviour behaviours[] = {
	{PROVES("a hole is told, and nothing behind it is lost", holes)},
	{PROVES("a bad bitmap, past the library", bad_bitmap)},
	{PROVES("what is told while it is off, on, and on again", states)},
	{PROVES("a large page is dirty, and clean, as a whole", large_pages),
         .needs = WORLD_HUGE_MEMORY | WORLD_HUGE_TABLES},
	{PROVES("a part of a large page, past the library", parts_of_large_pages),
         .needs = WORLD_HUGE_MEMORY | WORLD_HUGE_TABLES},
	{PROVES("not in a page table made without", without_the_flag)},
	{PROVES("not for devices that cannot", devices_that_cannot)},
	{PROVES("the device says whether it can", capability)},
	{PROVES("at a PASID", at_a_pasid), .needs = WORLD_PASIDS},
};

THEME(tracking, "dirty bits");
