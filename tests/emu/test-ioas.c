/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Address spaces: what is there, who sees it, and when memory is looked at. */
#include "space.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../emu/noiommu.h"

#define IOVA UINT64_C(0x2000000)

static void *map_some(size_t length)
{
	void *const memory =
		mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

static void tables_come_and_go(void **state)
{
	struct space *const space = space_new();
	uint64_t unmapped;

	(void)state;
	assert_int_equal(
		libiommu_ioas_map_fixed(space->handle, space->memory, 4 * PAGE, BOTH, IOVA), 0);
	assert_true(space_pins(space, space->memory, 4 * PAGE, 0));
	assert_int_equal(space_add(space, 0), 0);
	assert_true(space_has(space, 0, IOVA, space->memory, 4 * PAGE));
	assert_true(space_pins(space, space->memory, 4 * PAGE, 1));
	assert_int_equal(space_add(space, 1), 0);
	assert_true(space_has(space, 1, IOVA, space->memory, 4 * PAGE));
	assert_true(space_pins(space, space->memory, 4 * PAGE, 1));
	space_remove(space, 0);
	assert_false(space_has(space, 0, IOVA, space->memory, 2048));
	assert_true(space_pins(space, space->memory, 4 * PAGE, 1));
	assert_int_equal(libiommu_ioas_map_fixed(space->handle, space->memory + 2048, PAGE, BOTH,
	                                         IOVA - 2 * PAGE),
	                 0);
	assert_true(space_has(space, 1, IOVA - 2 * PAGE, space->memory + 2048, PAGE));
	assert_true(space_pins(space, space->memory, 2 * PAGE, 2));
	space_remove(space, 1);
	assert_true(space_pins(space, space->memory, 4 * PAGE, 0));
	assert_int_equal(libiommu_ioas_unmap_all(space->handle, &unmapped), 0);
	assert_int_equal(unmapped, 5 * PAGE);
	space_free(space);
}

static void memory_is_looked_at_late(void **state)
{
	struct space *const space = space_new();
	uint8_t *const memory = map_some(2 * PAGE);
	uint64_t iova = 7;

	(void)state;
	munmap(memory + PAGE, PAGE);
	assert_int_equal(libiommu_ioas_map_fixed(space->handle, memory, 2 * PAGE, BOTH, IOVA), 0);
	assert_int_equal(space_add(space, 0), -EFAULT);
	assert_int_equal(space->ioas->domain_count, 0);
	assert_int_equal(space->ioas->alignment, 1);
	assert_int_equal(libiommu_ioas_unmap(space->handle, IOVA, 2 * PAGE), 0);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(libiommu_ioas_map(space->handle, memory, 2 * PAGE, BOTH, &iova), -EFAULT);
	assert_int_equal(iova, 7);
	mprotect(memory, PAGE, PROT_READ);
	assert_int_equal(libiommu_ioas_map(space->handle, memory, PAGE, BOTH, &iova), -EFAULT);
	assert_int_equal(
		libiommu_ioas_map_fixed(space->handle, memory, PAGE, LIBIOMMU_MAP_READ, IOVA), 0);
	/* What is pinned already is not looked at again. */
	munmap(memory, PAGE);
	assert_int_equal(libiommu_ioas_copy(space->handle, space->handle, IOVA, PAGE,
	                                    LIBIOMMU_MAP_READ, &iova),
	                 0);
	assert_true(space_has(space, 0, iova, memory, PAGE));
	assert_int_equal(space_add(space, 1), 0);
	assert_int_equal(libiommu_ioas_unmap(space->handle, IOVA, PAGE), 0);
	assert_int_equal(libiommu_ioas_unmap(space->handle, iova, PAGE), 0);
	space_free(space);
}

/* What does not fit a page table keeps it away, and the other way round. */
static void page_tables_have_their_limits(void **state)
{
	struct space *const space = space_new();
	uint64_t iova = 7;

	(void)state;
	assert_int_equal(libiommu_ioas_map_fixed(space->handle, space->memory, PAGE, BOTH, PAGE),
	                 0);
	assert_int_equal(space_add(space, 0), -EADDRINUSE);
	assert_int_equal(libiommu_ioas_unmap(space->handle, PAGE, PAGE), 0);
	assert_int_equal(libiommu_ioas_map_fixed(space->handle, space->memory, 100, BOTH, IOVA), 0);
	assert_int_equal(space_add(space, 0), -EADDRINUSE);
	assert_int_equal(libiommu_ioas_unmap(space->handle, IOVA, 100), 0);
	space->tables[0].domain.page_sizes = 2 * PAGE;
	assert_int_equal(space_add(space, 0), -EINVAL);
	space->tables[0].domain.page_sizes = PAGE;
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(libiommu_ioas_map(space->handle, space->memory + 2048, PAGE, BOTH, &iova),
	                 -EINVAL);
	assert_int_equal(
		libiommu_ioas_map_fixed(space->handle, space->memory + 2048, PAGE, BOTH, IOVA),
		-EINVAL);
	assert_int_equal(libiommu_ioas_map_fixed(space->handle, space->memory, PAGE, BOTH, PAGE),
	                 -EINVAL);
	space_free(space);
}

/* Each allocation of mapping, of filling two page tables, and of a copy of two parts. */
static int play(struct space *space)
{
	uint64_t iova;
	int error;

	error = libiommu_ioas_map_fixed(space->handle, space->memory, 2 * PAGE, BOTH, IOVA);
	if (!error)
		error = libiommu_ioas_map_fixed(space->handle, space->memory + 4 * PAGE, 2 * PAGE,
		                                BOTH, IOVA + 2 * PAGE);
	if (!error)
		error = space_add(space, 1);
	if (!error)
		error = libiommu_ioas_copy(space->handle, space->handle, IOVA + PAGE, 2 * PAGE,
		                           BOTH, &iova);
	if (!error)
		error = emu_ioas_reserve(space->ioas, 0, PAGE, space);
	emu_ioas_unreserve(space->ioas, space);
	return error;
}

static void begin_again(struct space *space)
{
	libiommu_ioas_unmap_all(space->handle, NULL);
	while (space->ioas->domain_count > 1)
		space_remove(space, 1);
	assert_true(space_pins(space, space->memory, 16 * PAGE, 0));
}

static void allocations_fail(void **state)
{
	struct space *const space = space_new();
	unsigned int refused = 0;
	int error;

	(void)state;
	assert_int_equal(space_add(space, 0), 0);
	for (unsigned int nth = 1; nth < 1000; nth++) {
		emu_heap_fail(nth);
		error = play(space);
		if (!emu_heap_stop())
			break;
		assert_int_equal(error, -ENOMEM);
		refused++;
		begin_again(space);
	}
	assert_int_equal(error, 0);
	assert_true(refused > 10);
	space_free(space);
}

/* The second part of a copy, or the second page table, fails. */
static void page_tables_fail(void **state)
{
	struct space *const space = space_new();

	(void)state;
	assert_int_equal(space_add(space, 0), 0);
	for (unsigned int i = 0; i < 2; i++)
		for (unsigned int left = 1; left < 20; left++) {
			space->tables[i].maps_left = left;
			if (!play(space))
				assert_true(left > 3);
			space->tables[i].maps_left = 0;
			begin_again(space);
		}
	space_free(space);
}

static void small_pages(void **state)
{
	struct space *const space = space_new();
	struct emu_page page;

	(void)state;
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(libiommu_ioas_set_huge_pages(space->handle, false), 0);
	assert_int_equal(
		libiommu_ioas_map_fixed(space->handle, space->memory, 16 * PAGE, BOTH, IOVA), 0);
	assert_true(emu_table_find(&space->tables[0].pages, IOVA + 5 * PAGE, &page));
	assert_int_equal(page.size, PAGE);
	space_free(space);
}

/* A device without an IOMMU is told where memory lies; the machine's is where the process's is. */
static void where_memory_lies(void **state)
{
	struct space *const space = space_new();
	uint64_t length = 7, at = 7;

	(void)state;
	if (geteuid()) {
		space_free(space);
		print_message("# needs the right to be told\n");
		skip();
	}
	assert_int_equal(
		libiommu_ioas_map_fixed(space->handle, space->memory, 4 * PAGE, BOTH, IOVA), 0);
	assert_int_equal(libiommu_ioas_map_fixed(space->handle, space->memory + 8 * PAGE, PAGE,
	                                         BOTH, IOVA + 4 * PAGE),
	                 0);
	assert_int_equal(libiommu_ioas_noiommu_get_pa(space->handle, IOVA, PAGE, &at, &length),
	                 -EOPNOTSUPP);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(libiommu_ioas_noiommu_get_pa(space->handle, IOVA, PAGE, &at, &length),
	                 -EOPNOTSUPP);
	space->tables[0].domain.iommu = emu_noiommu();
	assert_int_equal(
		libiommu_ioas_noiommu_get_pa(space->handle, IOVA + 100, 64 * PAGE, &at, &length),
		0);
	assert_true(at == (uintptr_t)space->memory + 100);
	assert_int_equal(length, 4 * PAGE - 100);
	assert_int_equal(libiommu_ioas_noiommu_get_pa(space->handle, IOVA + PAGE, 10, &at, &length),
	                 0);
	assert_true(at == (uintptr_t)space->memory + PAGE);
	assert_int_equal(length, 10);
	assert_int_equal(libiommu_ioas_noiommu_get_pa(space->handle, IOVA - 1, 10, &at, &length),
	                 -ENOENT);
	assert_int_equal(libiommu_ioas_noiommu_get_pa(space->handle, UINT64_MAX, 10, &at, &length),
	                 -EOVERFLOW);
	space_free(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_come_and_go),
		cmocka_unit_test(memory_is_looked_at_late),
		cmocka_unit_test(page_tables_have_their_limits),
		cmocka_unit_test(allocations_fail),
		cmocka_unit_test(page_tables_fail),
		cmocka_unit_test(small_pages),
		cmocka_unit_test(where_memory_lies),
	};

	return cmocka_run_group_tests_name("ioas", tests, NULL, NULL);
}
