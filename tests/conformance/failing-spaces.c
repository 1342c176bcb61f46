/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Calls about contexts and address spaces while each allocation in the kernel fails in its turn. */
#include "failing-scene.h"

/* Where the rig's memory is mapped; and where copies and files are. */
#define AT    MOCK_APERTURE
#define THERE (MOCK_APERTURE + 16 * LENGTH)

/* Every page table has it, and each page is pinned once, whatever the number of page tables. */
static void show(struct scene *s, uint64_t iova)
{
	s->shown = iova;
	s->pins = iova && s->rig->variant->tables ? 1 : 0;
}

static void maps(struct rig *rig)
{
	struct scene s;
	uint64_t iova;

	scene_begin(&s, rig);
	EACH(&s.each, libiommu_ioas_map(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, &iova),
	     OK(libiommu_ioas_unmap(rig->ioas, iova, LENGTH)));
	show(&s, iova);
	EACH(&s.each, libiommu_ioas_unmap(rig->ioas, iova, LENGTH),
	     OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, iova)));
	show(&s, 0);
	EACH(&s.each, libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, AT),
	     OK(libiommu_ioas_unmap(rig->ioas, AT, LENGTH)));
	show(&s, AT);
	EACH(&s.each, libiommu_ioas_unmap_range(rig->ioas, AT, LENGTH, NULL),
	     OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, AT)));
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, AT));
	EACH(&s.each, libiommu_ioas_unmap_all(rig->ioas, NULL),
	     OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, AT)));
	scene_end(&s);
}

/* From another address space, where nothing is pinned. */
static void copies(struct rig *rig)
{
	struct libiommu_ioas *const from = rig_ioas(rig);
	struct scene s;
	uint64_t iova;

	OK(libiommu_ioas_map_fixed(from, rig->memory, LENGTH, VM_READ_WRITE, THERE));
	scene_begin(&s, rig);
	EACH(&s.each, libiommu_ioas_copy(rig->ioas, from, THERE, LENGTH, VM_READ_WRITE, &iova),
	     OK(libiommu_ioas_unmap(rig->ioas, iova, LENGTH)));
	show(&s, iova);
	OK(libiommu_ioas_unmap(rig->ioas, iova, LENGTH));
	show(&s, 0);
	EACH(&s.each, libiommu_ioas_copy_fixed(rig->ioas, from, THERE, LENGTH, VM_READ_WRITE, AT),
	     OK(libiommu_ioas_unmap(rig->ioas, AT, LENGTH)));
	show(&s, AT);
	EACH(&s.each, libiommu_ioas_unmap_all(from, NULL),
	     OK(libiommu_ioas_copy_fixed(from, rig->ioas, AT, LENGTH, VM_READ_WRITE, THERE)));
	scene_end(&s);
}

/* Of the file's pages the kernel keeps count in another way. */
static void files(struct rig *rig)
{
	struct scene s;
	uint64_t iova;
	void *memory;
	int fd;

	memory = rig_file(rig, LENGTH, false, &fd);
	fill_random(memory, LENGTH);
	scene_begin(&s, rig);
	EACH(&s.each, libiommu_ioas_map_file(rig->ioas, fd, 0, LENGTH, VM_READ_WRITE, &iova),
	     OK(libiommu_ioas_unmap(rig->ioas, iova, LENGTH)));
	rig_check_map(rig, iova, memory, LENGTH);
	EACH(&s.each, libiommu_ioas_map_file_fixed(rig->ioas, fd, 0, LENGTH, VM_READ_WRITE, THERE),
	     OK(libiommu_ioas_unmap(rig->ioas, THERE, LENGTH)));
	rig_check_map(rig, THERE, memory, LENGTH);
	if (!world_lacks(rig->world, WORLD_CHANGE_PROCESS))
		EACH(&s.each, libiommu_ctx_change_process(rig->ctx), NOTHING);
	rig_check_map(rig, iova, memory, LENGTH);
	scene_end(&s);
}

/* Before there is any object. */
static void account(struct rig *rig, struct scene *s)
{
	enum libiommu_rlimit_mode mode;

	EACH(&s->each, libiommu_ctx_get_rlimit_mode(rig->ctx, &mode), NOTHING);
	assert_int_equal(mode, LIBIOMMU_RLIMIT_PER_USER);
	if (rig->variant->tables || world_lacks(rig->world, WORLD_ROOT))
		return;
	OK(rig_end(rig, rig->ioas));
	rig->ioas = NULL;
	EACH(&s->each, libiommu_ctx_set_rlimit_mode(rig->ctx, LIBIOMMU_RLIMIT_PER_USER), NOTHING);
	rig->ioas = rig_ioas(rig);
}

/* What is asked and chosen, with something mapped. */
static void choices(struct rig *rig)
{
	const struct libiommu_iova_range range = {MOCK_APERTURE, MOCK_APERTURE + 100 * PAGE};
	struct libiommu_change_list *list;
	struct libiommu_ioas *one, *compat;
	struct libiommu_iova_ranges *ranges;
	struct scene s;
	uint64_t iova;
	bool allowed;

	scene_begin(&s, rig);
	account(rig, &s);
	EACH(&s.each, libiommu_ioas_alloc(rig->ctx, &one), OK(libiommu_ioas_destroy(one)));
	EACH(&s.each, libiommu_ioas_destroy(one), OK(libiommu_ioas_alloc(rig->ctx, &one)));
	EACH(&s.each, libiommu_ioas_set_huge_pages(rig->ioas, false),
	     OK(libiommu_ioas_set_huge_pages(rig->ioas, true)));
	EACH(&s.each, libiommu_ioas_get_huge_pages(rig->ioas, &allowed), NOTHING);
	assert_false(allowed);
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, AT));
	show(&s, AT);
	EACH(&s.each, libiommu_ioas_allow(rig->ioas, &range, 1), NOTHING);
	OK(libiommu_ioas_map(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, &iova));
	assert_in_range(iova, range.start, range.last);
	OK(libiommu_ioas_unmap(rig->ioas, iova, PAGE));
	EACH(&s.each, libiommu_ioas_ranges(rig->ioas, &ranges), libiommu_iova_ranges_free(ranges));
	libiommu_iova_ranges_free(ranges);
	EACH(&s.each, libiommu_ioas_set_compat(rig->ioas), NOTHING);
	EACH(&s.each, libiommu_ioas_get_compat(rig->ctx, &compat),
	     OK(libiommu_ioas_destroy(compat)));
	assert_int_equal(ioas_id(compat), ioas_id(rig->ioas));
	OK(libiommu_ioas_destroy(compat));
	EACH(&s.each, libiommu_ioas_clear_compat(rig->ctx),
	     OK(libiommu_ioas_set_compat(rig->ioas)));
	EACH(&s.each, libiommu_change_list_new(rig->ctx, &list), libiommu_change_list_free(list));
	libiommu_change_list_free(list);
	EACH(&s.each, libiommu_ctx_probe(rig->ctx, LIBIOMMU_FEATURE_IOAS_ALLOW_IOVAS), NOTHING);
	scene_end(&s);
}

/* A variant's memory is little, so that the kernel's work is in many pieces. */
static const struct variant little[] = {
	{.name = "no page table", .memory_limit = 32},
	{.name = "one page table", .tables = 1, .memory_limit = 32},
	{.name = "two page tables", .tables = 2, .memory_limit = 32},
};

static const struct behaviour behaviours[] = {
	{PROVES("maps and unmaps", maps), .needs = WORLD_FAILING_MEMORY, VARIANTS(little)},
	{PROVES("copies", copies), .needs = WORLD_FAILING_MEMORY, VARIANTS(little)},
	{PROVES("files", files), .needs = WORLD_FAILING_MEMORY | WORLD_MAP_FILE, VARIANTS(little)},
	{PROVES("questions and choices", choices), .needs = WORLD_FAILING_MEMORY, VARIANTS(little)},
};

THEME(failing_spaces, "each allocation of a call about address spaces fails");
