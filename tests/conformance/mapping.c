/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Memory of the process in address spaces: what is mapped there, and what is pinned for it. */
#include "suite.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ON_FILES = 1, ON_LARGE_PAGES = 2 };

static void unmap_nothing(struct rig *rig)
{
	uint64_t unmapped = 7;

	for (uint64_t i = 0; i < 10; i++)
		FAILS(ENOENT, libiommu_ioas_unmap(rig->ioas, i * PAGE, PAGE));
	OK(libiommu_ioas_unmap_all(rig->ioas, &unmapped));
	assert_int_equal(unmapped, 0);
}

static void whole_mappings(struct rig *rig)
{
	const uint64_t at = rig->base + 16 * PAGE;
	uint64_t unmapped;

	for (uint64_t i = 0; i < 10; i++)
		OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE,
		                           rig->base + i * PAGE));
	for (uint64_t i = 0; i < 10; i++)
		OK(libiommu_ioas_unmap(rig->ioas, rig->base + i * PAGE, PAGE));
	/* None is cut. */
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, 2 * PAGE, VM_READ_WRITE, at));
	FAILS(ENOENT, libiommu_ioas_unmap(rig->ioas, at, PAGE));
	FAILS(ENOENT, libiommu_ioas_unmap(rig->ioas, at + PAGE, PAGE));
	rig_check_map(rig, at, rig->memory, 2 * PAGE);
	OK(libiommu_ioas_unmap_all(rig->ioas, &unmapped));
	assert_int_equal(unmapped, 2 * PAGE);
}

static void no_overlap(struct rig *rig)
{
	const uint64_t at = rig->base + 16 * PAGE;
	const struct {
		int from, pages;
	} over[] = {{0, 2}, {0, 1}, {1, 1}, {-1, 2}, {-1, 4}, {1, 2}};

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, 2 * PAGE, VM_READ_WRITE, at));
	for (size_t i = 0; i < COUNT(over); i++)
		FAILS(EEXIST,
		      libiommu_ioas_map_fixed(rig->ioas, rig->memory,
		                              (uint64_t)over[i].pages * PAGE, VM_READ_WRITE,
		                              at + (uint64_t)((int64_t)over[i].from * PAGE)));
	rig_check_map(rig, at, rig->memory, 2 * PAGE);
	OK(libiommu_ioas_unmap(rig->ioas, at, 2 * PAGE));
}

/* Four mappings with holes between them. */
static void ranges_around_mappings(struct rig *rig)
{
	const uint64_t first = rig->base + 4 * PAGE;
	const uint64_t last = first + 3 * 16 * PAGE;
	uint64_t unmapped = 0;

	for (uint64_t i = 0; i < 4; i++)
		OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, 8 * PAGE, VM_READ_WRITE,
		                           first + i * 16 * PAGE));
	FAILS(ENOENT, libiommu_ioas_unmap_range(rig->ioas, first - 4 * PAGE, 8 * PAGE, &unmapped));
	FAILS(ENOENT, libiommu_ioas_unmap_range(rig->ioas, last + 4 * PAGE, 8 * PAGE, &unmapped));
	FAILS(ENOENT, libiommu_ioas_unmap_range(rig->ioas, last + 8 * PAGE, 8 * PAGE, &unmapped));
	assert_int_equal(unmapped, 0);
	OK(libiommu_ioas_unmap_range(rig->ioas, first - 4 * PAGE,
	                             last - first + 8 * PAGE + 4 * PAGE, &unmapped));
	assert_int_equal(unmapped, 4 * 8 * PAGE);
}

static void refused_arguments(struct rig *rig)
{
	const uint64_t iova = MOCK_APERTURE;
	uint64_t found = 7;

	FAILS(EINVAL, libiommu_ioas_map(rig->ioas, rig->memory, PAGE, 0, &found));
	FAILS(EINVAL, libiommu_ioas_map(rig->ioas, rig->memory, 0, VM_READ_WRITE, &found));
	FAILS(EINVAL, libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, 1U << 31, iova));
	FAILS(EOVERFLOW, libiommu_ioas_map_fixed(rig->ioas, rig->memory, 2 * PAGE, VM_READ_WRITE,
	                                         -(uint64_t)PAGE));
	FAILS(EOVERFLOW, libiommu_ioas_map(rig->ioas, (void *)-(uintptr_t)PAGE, 2 * PAGE,
	                                   VM_READ_WRITE, &found));
	if (rig->dev) {
		FAILS(EINVAL, libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE,
		                                      iova + 100));
		FAILS(EINVAL, libiommu_ioas_map_fixed(rig->ioas, rig->memory + 100, PAGE,
		                                      VM_READ_WRITE, iova));
		FAILS(EINVAL, libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE,
		                                      MOCK_APERTURE - PAGE));
		FAILS(EINVAL, libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE,
		                                      MOCK_APERTURE_LAST + 1));
	}
	reserve(rig, iova + 8 * PAGE, PAGE);
	FAILS(EINVAL, libiommu_ioas_map_fixed(rig->ioas, rig->memory, 2 * PAGE, VM_READ_WRITE,
	                                      iova + 7 * PAGE));
	assert_int_equal(found, 7);
	OK(libiommu_ioas_unmap_all(rig->ioas, &found));
	assert_int_equal(found, 0);
}

/* Memory for a variant: of the process or of a file, in large pages or not. */
struct source {
	uint8_t *memory;
	uint64_t length;
	int fd;
};

static struct source make_source(struct rig *rig)
{
	const bool large = rig->variant->flags & ON_LARGE_PAGES;
	struct source made = {.length = large ? 2 * HUGE_PAGE : 8 * PAGE, .fd = -1};

	made.memory = rig->variant->flags & ON_FILES ? rig_file(rig, made.length, large, &made.fd)
	                                             : rig_memory(rig, made.length, large);
	RAW(0, world_check_pins(rig->world, made.memory, made.length, 0));
	return made;
}

static uint64_t map_source(struct rig *rig, const struct source *from, uint64_t start,
                           uint64_t length)
{
	uint64_t iova;

	if (from->fd >= 0)
		OK(libiommu_ioas_map_file(rig->ioas, from->fd, start, length, VM_READ_WRITE,
		                          &iova));
	else
		OK(libiommu_ioas_map(rig->ioas, from->memory + start, length, VM_READ_WRITE,
		                     &iova));
	return iova;
}

/* Each page that is whole between the two is pinned once. */
static void assert_pinned(struct rig *rig, const struct source *from, uint64_t start, uint64_t end)
{
	const uint64_t first = start / PAGE * PAGE;

	RAW(0, world_check_pins(rig->world, from->memory + first, end / PAGE * PAGE - first, 1));
}

/* Every part of it at every alignment to pages of the page table; of large pages, to eighths. */
static void sweep(struct rig *rig,
                  void (*use)(struct rig *, const struct source *, uint64_t, uint64_t))
{
	const struct source from = make_source(rig);
	const bool large = rig->variant->flags & ON_LARGE_PAGES;
	const uint64_t step = large ? from.length / 16 : MOCK_PAGE;

	for (uint64_t start = 0; start < from.length; start += step)
		for (uint64_t end = start + step; end <= from.length; end += step)
			use(rig, &from, start, end);
	RAW(0, world_check_pins(rig->world, from.memory, from.length, 0));
}

static void map_part(struct rig *rig, const struct source *from, uint64_t start, uint64_t end)
{
	const uint64_t iova = map_source(rig, from, start, end - start);

	rig_check_map(rig, iova, from->memory + start, end - start);
	assert_pinned(rig, from, start, end);
	OK(libiommu_ioas_unmap(rig->ioas, iova, end - start));
}

static void every_alignment(struct rig *rig)
{
	sweep(rig, map_part);
}

/* A page table that comes and goes while the part is mapped; it is pinned once all the while. */
static void map_part_for_another(struct rig *rig, const struct source *from, uint64_t start,
                                 uint64_t end)
{
	const uint64_t iova = map_source(rig, from, start, end - start);
	struct libiommu_hwpt *const later = rig_table(rig, rig->dev, rig->ioas, 0);

	rig_check_map(rig, iova, from->memory + start, end - start);
	RAW(0,
	    world_check_map(rig->world, hwpt_id(later), iova, from->memory + start, end - start));
	assert_pinned(rig, from, start, end);
	OK(rig_end(rig, later));
	rig_check_map(rig, iova, from->memory + start, end - start);
	assert_pinned(rig, from, start, end);
	OK(libiommu_ioas_unmap(rig->ioas, iova, end - start));
}

static void every_alignment_for_another(struct rig *rig)
{
	sweep(rig, map_part_for_another);
}

/* Half of it is missing, then all. */
static void memory_that_is_missing(struct rig *rig)
{
	const bool large = rig->variant->flags & ON_LARGE_PAGES;
	const size_t length = large ? 2 * HUGE_PAGE : 8 * PAGE;
	uint8_t *const memory = rig_memory(rig, length, large);
	uint64_t iova = 7;

	assert_int_equal(munmap(memory + length / 2, length / 2), 0);
	FAILS(EFAULT, libiommu_ioas_map(rig->ioas, memory, length, VM_READ_WRITE, &iova));
	RAW(0, world_check_pins(rig->world, memory, length / 2, 0));
	assert_int_equal(munmap(memory, length / 2), 0);
	FAILS(EFAULT, libiommu_ioas_map(rig->ioas, memory, length, VM_READ_WRITE, &iova));
	assert_int_equal(iova, 7);
	OK(libiommu_ioas_unmap_all(rig->ioas, &iova));
	assert_int_equal(iova, 0);
}

/* Nobody looks at the memory before there is a page table, and that then fails. */
static void lazy_without_table(struct rig *rig)
{
	uint8_t *const memory = rig_memory(rig, 2 * PAGE, false);
	struct libiommu_device *const dev = rig_device(rig, 2, 0);
	struct libiommu_hwpt *none = NULL;

	/* Not unmapped: another thread's memory could come there. */
	assert_int_equal(mprotect(memory, 2 * PAGE, PROT_NONE), 0);
	OK(libiommu_ioas_map_fixed(rig->ioas, memory, 2 * PAGE, VM_READ_WRITE, MOCK_APERTURE));
	FAILS(EFAULT, libiommu_device_attach_ioas(dev, rig->ioas));
	FAILS(EFAULT, libiommu_hwpt_alloc(dev, rig->ioas, NULL, &none));
	assert_null(none);
	OK(libiommu_ioas_unmap(rig->ioas, MOCK_APERTURE, 2 * PAGE));
	OK(libiommu_device_attach_ioas(dev, rig->ioas));
}

/* The device's page stays the process's, though the process writes to it for the first time. */
static void private_page_read_only(struct rig *rig)
{
	const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint8_t *memory;
	uint64_t iova;

	assert_true(fd >= 0);
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	assert_true(memory != MAP_FAILED);
	OK(libiommu_ioas_map(rig->ioas, memory, PAGE, LIBIOMMU_MAP_READ, &iova));
	rig_check_map(rig, iova, memory, PAGE);
	memset(memory, 1, PAGE);
	rig_check_map(rig, iova, memory, PAGE);
	OK(libiommu_ioas_unmap(rig->ioas, iova, PAGE));
	munmap(memory, PAGE);
}

static void read_only_memory(struct rig *rig)
{
	uint8_t *const memory = rig_memory(rig, PAGE, false);
	uint64_t iova;

	assert_int_equal(mprotect(memory, PAGE, PROT_READ), 0);
	FAILS(EFAULT, libiommu_ioas_map(rig->ioas, memory, PAGE, VM_READ_WRITE, &iova));
	OK(libiommu_ioas_map(rig->ioas, memory, PAGE, LIBIOMMU_MAP_READ, &iova));
}

static const struct variant sources[] = {
	{.name = "one page table", .tables = 1},
	{.name = "two page tables", .tables = 2},
	{.name = "one, large pages",
         .tables = 1,
         .needs = WORLD_HUGE_MEMORY,
         .flags = ON_LARGE_PAGES},
	{.name = "two, large pages",
         .tables = 2,
         .needs = WORLD_HUGE_MEMORY,
         .flags = ON_LARGE_PAGES},
	{.name = "one, a file", .tables = 1, .needs = WORLD_MAP_FILE, .flags = ON_FILES},
	{.name = "one, a file of large pages",
         .tables = 1,
         .needs = WORLD_MAP_FILE | WORLD_HUGE_MEMORY,
         .flags = ON_FILES | ON_LARGE_PAGES},
};

/* Those that are memory of the process. */
#define OWN_MEMORY .variants = sources, .count = 4

static const struct behaviour behaviours[] = {
	{PROVES("what is not mapped cannot be unmapped", unmap_nothing), SHAPES},
	{PROVES("mappings are unmapped whole", whole_mappings), SHAPES},
	{PROVES("none overlaps another", no_overlap), SHAPES},
	{PROVES("a range is unmapped that cuts none", ranges_around_mappings), SHAPES},
	{PROVES("what is wrong is refused, and nothing is mapped", refused_arguments), SHAPES},
	{PROVES("any part at any alignment, pinned once", every_alignment), VARIANTS(sources)},
	{PROVES("a page table that comes later has the same", every_alignment_for_another),
         VARIANTS(sources)},
	{PROVES("memory that is missing is not mapped in part", memory_that_is_missing),
         OWN_MEMORY},
	{PROVES("without a page table nobody looks at the memory", lazy_without_table)},
	{PROVES("a private page stays the process's", private_page_read_only), TABLE_SHAPES},
	{PROVES("memory that is read only is mapped for reading only", read_only_memory),
         TABLE_SHAPES},
};

THEME(mapping, "mappings");
