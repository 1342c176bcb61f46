/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "space.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

static struct table *table_of(struct emu_domain *domain)
{
	return (struct table *)domain;
}

static int map(struct emu_domain *domain, uint64_t iova, emu_phys phys, uint64_t length,
               unsigned int access)
{
	struct table *const table = table_of(domain);

	if (table->maps_left && !--table->maps_left)
		return -ENOMEM;
	return emu_table_map(&table->pages, iova, phys, length, access);
}

static uint64_t unmap(struct emu_domain *domain, uint64_t iova, uint64_t length)
{
	const uint64_t unmapped = emu_table_unmap(&table_of(domain)->pages, iova, length);

	/* Whoever unmaps knows what is there. */
	assert_int_equal(unmapped, length);
	return unmapped;
}

static emu_phys phys(struct emu_domain *domain, uint64_t iova)
{
	struct emu_page page;

	return emu_table_find(&table_of(domain)->pages, iova, &page)
	               ? page.phys + (iova - page.iova)
	               : EMU_PHYS_NONE;
}

static const struct emu_domain_ops ops = {.map = map, .unmap = unmap, .phys = phys};

static void table_begin(struct table *table)
{
	const uint64_t sizes = UINT64_C(0x7ffff) << 11;

	*table = (struct table){.domain = {
					.ops = &ops,
					.page_sizes = sizes,
					.first = UINT64_C(0x1000000),
					.last = UINT64_C(0x7fffffff),
				}};
	assert_int_equal(emu_table_init(&table->pages, 11, 4, sizes), 0);
}

struct emu_ioas *space_ioas(const struct space *space, const struct libiommu_ioas *handle)
{
	struct emu_ctx *const ctx = emu_ctx_of(space->emu, libiommu_ctx_fd(space->ctx));
	uint32_t id = 0;

	assert_int_equal(libiommu_ioas_id(handle, &id), 0);
	return emu_ioas_find(ctx, id);
}

struct space *space_new(void)
{
	struct space *const space = calloc(1, sizeof(*space));
	struct libiommu_ctx_config *config;

	assert_non_null(space);
	assert_int_equal(libiommu_emu_new(&space->emu), 0);
	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, libiommu_emu_door(space->emu)), 0);
	assert_int_equal(libiommu_ctx_new(config, &space->ctx), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_ioas_alloc(space->ctx, &space->handle), 0);
	space->ioas = space_ioas(space, space->handle);
	table_begin(&space->tables[0]);
	table_begin(&space->tables[1]);
	space->memory =
		mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(space->memory != MAP_FAILED);
	return space;
}

void space_free(struct space *space)
{
	struct emu_page page;

	for (unsigned int i = 0; i < 2; i++) {
		if (space->ioas->domain_count)
			emu_ioas_remove_domain(space->ioas, space->ioas->domains[0]);
		assert_false(emu_table_next(&space->tables[i].pages, 0, UINT64_MAX / 2, &page));
		emu_table_end(&space->tables[i].pages);
	}
	assert_int_equal(libiommu_ioas_destroy(space->handle), 0);
	assert_int_equal(libiommu_ctx_destroy(space->ctx), 0);
	assert_null(space->emu->pages);
	assert_int_equal(libiommu_emu_destroy(space->emu), 0);
	munmap(space->memory, 16 * PAGE);
	free(space);
}

int space_add(struct space *space, unsigned int table)
{
	return emu_ioas_add_domain(space->ioas, &space->tables[table].domain);
}

void space_remove(struct space *space, unsigned int table)
{
	emu_ioas_remove_domain(space->ioas, &space->tables[table].domain);
}

bool space_has(const struct space *space, unsigned int table, uint64_t iova, const void *memory,
               uint64_t length)
{
	struct emu_page page;

	for (uint64_t at = 0; at < length; at += 2048)
		if (!emu_table_find(&space->tables[table].pages, iova + at, &page) ||
		    page.phys + (iova + at - page.iova) != (uintptr_t)memory + at)
			return false;
	return true;
}

bool space_pins(const struct space *space, const void *memory, uint64_t length, unsigned int count)
{
	return emu_pins_are(space->emu, (uintptr_t)memory, length, count);
}
