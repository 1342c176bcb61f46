/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What hardware has written: it is told, whatever the size and the page size, and told once. */
#include "suite.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"

/* The page table's largest page in a variant with large ones. */
#define HUGE_IO_PAGE (512 * MOCK_PAGE)

/* A border between two pieces of the library's, inside of what the page tables reach. */
#define BORDER UINT64_C(0x40000000)

struct tracked {
	struct rig *rig;
	struct libiommu_device *dev;
	struct libiommu_hwpt *table;
	uint8_t *memory;
	uint64_t iova;
	uint64_t length;
	uint64_t page;     /* what a dirty bit stands for in the page table, or more */
	uint64_t *written; /* a bit for each page; room for one for each 1024 bytes */
	uint64_t *bitmap;
};

static struct libiommu_hwpt *make_table(struct tracked *t, bool huge)
{
	const struct mock_hwpt_data data = {.huge = huge};
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *table;
	int error;

	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_DIRTY_TRACKING));
	if (huge)
		OK(libiommu_hwpt_config_set_data(config, MOCK_HWPT_DATA, &data, sizeof(data)));
	error = libiommu_hwpt_alloc(t->dev, t->rig->ioas, config, &table);
	libiommu_hwpt_config_free(config);
	OK(error);
	rig_keep(t->rig, THING_HWPT, table);
	return table;
}

/* Memory, mapped, in a page table that tracks. */
static struct tracked track(struct rig *rig, uint64_t iova, uint64_t length, bool huge)
{
	const size_t room = length / 1024 / 8 + PAGE;
	struct tracked t = {.rig = rig, .iova = iova, .length = length};
	int error;

	t.page = huge ? HUGE_IO_PAGE : PAGE;
	t.dev = rig_device(rig, 7, 0);
	OK(libiommu_ioas_set_huge_pages(rig->ioas, huge));
	t.table = make_table(&t, huge);
	t.memory = rig_memory(rig, length, huge);
	t.written = rig_memory(rig, room, false);
	t.bitmap = rig_memory(rig, room, false);
	error = libiommu_ioas_map_fixed(rig->ioas, t.memory, length, VM_READ_WRITE, iova);
	/* Others than the superuser have a limit of locked memory. */
	if (error == -ENOMEM && geteuid())
		SKIP("this user may not lock %" PRIu64 " MiB of memory", length >> 20);
	OK(error);
	OK(libiommu_hwpt_set_dirty_tracking(t.table, true));
	return t;
}

static void write_pages(const struct tracked *t)
{
	RAW(0, world_write(t->rig->world, t->table, t->iova, t->length, t->page, t->written));
}

/* One page in @some, and the first and the last. */
static void choose(struct tracked *t, int some)
{
	const uint64_t pages = t->length / t->page;

	memset(t->written, 0, t->length / 1024 / 8 + 8);
	for (uint64_t i = 0; i < pages; i++)
		if (!i || i == pages - 1 || rand() % some == 0)
			t->written[i / 64] |= UINT64_C(1) << i % 64;
	write_pages(t);
}

static bool is_set(const uint64_t *bits, uint64_t index)
{
	return bits[index / 64] >> index % 64 & 1;
}

/* One of the pages between the two, of which the page table marks @unit bytes, was written. */
static bool was_written(const struct tracked *t, uint64_t from, uint64_t to, uint64_t unit)
{
	for (uint64_t at = from / t->page; at * t->page < to; at++)
		if (is_set(t->written, at) && at * t->page + unit > from)
			return true;
	return false;
}

/*
 * Page by page from @first on: dirty, if something in it was written. A page table can have two
 * pages for one of the processor, and mark the one or both.
 */
static void assert_bitmap(const struct tracked *t, uint64_t first, uint64_t length,
                          uint64_t page_size, bool dirty)
{
	for (uint64_t at = 0; at < length; at += page_size) {
		const uint64_t from = first + at;
		const bool got = is_set(t->bitmap, at / page_size);
		const bool must = dirty && was_written(t, from, from + page_size,
		                                       t->page == PAGE ? MOCK_PAGE : t->page);
		const bool may = dirty && was_written(t, from, from + page_size, t->page);

		if ((must && !got) || (got && !may))
			fail_msg("page %#llx of %#llx bytes: %d", (unsigned long long)from,
			         (unsigned long long)page_size, got);
	}
	for (uint64_t i = length / page_size; i < t->length / 1024; i++)
		assert_false(is_set(t->bitmap, i));
}

static void read_pages(const struct tracked *t, uint64_t first, uint64_t length, uint64_t page_size,
                       uint32_t flags)
{
	const size_t words = t->length / 1024 / 64 + 1;
	uint64_t done = 0;

	memset(t->bitmap, 0, words * 8);
	OK(libiommu_hwpt_get_dirty_bitmap(t->table, t->iova + first, length, page_size, flags,
	                                  t->bitmap, words, &done));
	assert_int_equal(done, length);
}

/* The sizes: a variant's is of the memory. */
static void told_once(struct rig *rig)
{
	const bool huge = rig->variant->flags;
	struct tracked t = track(rig, MOCK_APERTURE, rig->variant->size, huge);
	uint64_t *const bitmap = t.bitmap;

	/* Into a bitmap at the beginning of a page, and at one that begins anywhere. */
	for (size_t offset = 0; offset < PAGE / 8; offset += 255) {
		t.bitmap = bitmap + offset;
		choose(&t, 5);
		read_pages(&t, 0, t.length, t.page, 0);
		assert_bitmap(&t, 0, t.length, t.page, true);
		read_pages(&t, 0, t.length, t.page, 0);
		assert_bitmap(&t, 0, t.length, t.page, false);
	}
}

static void told_again(struct rig *rig)
{
	const bool huge = rig->variant->flags;
	struct tracked t = track(rig, MOCK_APERTURE, rig->variant->size, huge);

	choose(&t, 5);
	for (int i = 0; i < 2; i++) {
		read_pages(&t, 0, t.length, t.page, LIBIOMMU_DIRTY_NO_CLEAR);
		assert_bitmap(&t, 0, t.length, t.page, true);
	}
	read_pages(&t, 0, t.length, t.page, LIBIOMMU_DIRTY_WHOLE);
	assert_bitmap(&t, 0, t.length, t.page, true);
	read_pages(&t, 0, t.length, t.page, 0);
	assert_bitmap(&t, 0, t.length, t.page, false);
}

/* From half a page of the page table to a large page of the processor. */
static void any_page_size(struct rig *rig)
{
	struct tracked t = track(rig, rig->variant->size, 2 * HUGE_PAGE, false);

	for (uint64_t size = 1024; size <= HUGE_PAGE; size *= 2) {
		choose(&t, size < 65536 ? 7 : 500);
		if (t.iova % size) {
			FAILS(EINVAL,
			      libiommu_hwpt_get_dirty_bitmap(t.table, t.iova, t.length, size, 0,
			                                     t.bitmap, t.length / 65536, NULL));
			read_pages(&t, 0, t.length, PAGE, 0);
			assert_bitmap(&t, 0, t.length, PAGE, true);
			continue;
		}
		read_pages(&t, 0, t.length, size, LIBIOMMU_DIRTY_NO_CLEAR);
		assert_bitmap(&t, 0, t.length, size, true);
		read_pages(&t, 0, t.length, size, size & 0x5000 ? LIBIOMMU_DIRTY_WHOLE : 0);
		assert_bitmap(&t, 0, t.length, size, true);
		read_pages(&t, 0, t.length, PAGE, 0);
		assert_bitmap(&t, 0, t.length, PAGE, false);
	}
}

/* Parts, at every alignment to a word of the bitmap; what is outside of them stays dirty. */
static void parts(struct rig *rig)
{
	struct tracked t = track(rig, BORDER - HUGE_PAGE, 2 * HUGE_PAGE, false);

	for (uint64_t first = 0; first < 70; first += 3) {
		const uint64_t from = t.length / 2 - (100 + first) * PAGE;
		const uint64_t length = (100 + 2 * first + 1) * PAGE;
		const uint64_t end = from + length;

		choose(&t, 3);
		read_pages(&t, from, length, PAGE, 0);
		assert_bitmap(&t, from, length, PAGE, true);
		read_pages(&t, from, length, PAGE, 0);
		assert_bitmap(&t, from, length, PAGE, false);
		read_pages(&t, 0, from, PAGE, 0);
		assert_bitmap(&t, 0, from, PAGE, true);
		read_pages(&t, end, t.length - end, PAGE, 0);
		assert_bitmap(&t, end, t.length - end, PAGE, true);
	}
}

static void bits_are_added(struct rig *rig)
{
	struct tracked t = track(rig, MOCK_APERTURE, 1 << 20, false);

	for (int i = 0; i < 2; i++) {
		memset(t.written, 0, PAGE);
		t.written[i] = UINT64_C(0xf0);
		write_pages(&t);
		OK(libiommu_hwpt_get_dirty_bitmap(t.table, t.iova, t.length, PAGE, 0, t.bitmap, 4,
		                                  NULL));
	}
	assert_int_equal(t.bitmap[0], 0xf0);
	assert_int_equal(t.bitmap[1], 0xf0);
}

static const struct variant sizes[] = {
	{.name = "8 KiB", .size = 8 << 10},
	{.name = "16 KiB", .size = 16 << 10},
	{.name = "64 KiB", .size = 64 << 10},
	{.name = "128 KiB", .size = 128 << 10},
	{.name = "320 KiB", .size = 320 << 10},
	{.name = "64 MiB", .size = 64 << 20},
	{.name = "64 MiB in large pages",
         .size = 64 << 20,
         .flags = 1,
         .needs = WORLD_HUGE_MEMORY | WORLD_HUGE_TABLES},
	{.name = "128 MiB", .size = 128 << 20},
	{.name = "128 MiB in large pages",
         .size = 128 << 20,
         .flags = 1,
         .needs = WORLD_HUGE_MEMORY | WORLD_HUGE_TABLES},
};

/* A variant's size is where the memory is. */
static const struct variant places[] = {
	{.name = "at 16 MiB", .size = MOCK_APERTURE},
	{.name = "at three pages behind", .size = MOCK_APERTURE + 3 * PAGE},
	{.name = "a border in the middle", .size = BORDER - HUGE_PAGE},
	{.name = "a border at 64 KiB", .size = BORDER - 65536},
	{.name = "a border at five pages", .size = BORDER - 5 * PAGE},
	{.name = "a border at 69 pages", .size = BORDER - 69 * PAGE},
};

static const struct behaviour behaviours[] = {
	{PROVES("what was written is told once", told_once), VARIANTS(sizes)},
	{PROVES("what is not cleared is told again", told_again), VARIANTS(sizes)},
	{PROVES("a bitmap of any page size", any_page_size), VARIANTS(places)},
	{PROVES("parts of a range", parts)},
	{PROVES("bits are added to those that are there", bits_are_added)},
};

THEME(dirty, "dirty tracking");
