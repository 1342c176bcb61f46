/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The page tables of IOMMUs, and pointers by sparse numbers; against a plain model of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../emu/heap.h"
#include "../../emu/sparse.h"
#include "../../emu/table.h"

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)
#define RW     (EMU_READ | EMU_WRITE)

/* Every power of two from 2 KiB to 128 GiB, in 38 bits. */
static struct emu_table all_sizes(void)
{
	struct emu_table table = {0};

	assert_int_equal(emu_table_init(&table, 11, 3, GIB(256) - 1 - (KIB(2) - 1)), 0);
	assert_true(emu_table_last(&table) == GIB(256) - 1);
	return table;
}

static struct emu_page page_at(const struct emu_table *table, uint64_t iova)
{
	struct emu_page page = {0};

	assert_true(emu_table_find(table, iova, &page));
	return page;
}

static void takes_the_largest_page(void **state)
{
	struct emu_table table = all_sizes();
	struct emu_page page;

	(void)state;
	/* The address, the memory and what is left say how large. */
	assert_int_equal(emu_table_map(&table, MIB(1), MIB(5) + KIB(64), MIB(1), RW), 0);
	page = page_at(&table, MIB(1) + KIB(65));
	assert_true(page.iova == MIB(1) + KIB(64) && page.size == KIB(64));
	assert_true(page.phys == MIB(5) + KIB(128) && page.access == RW);
	assert_int_equal(emu_table_map(&table, GIB(128), 0, GIB(128), EMU_READ), 0);
	page = page_at(&table, GIB(256) - 1);
	assert_true(page.size == GIB(128) && page.iova == GIB(128) && page.access == EMU_READ);
	assert_true(emu_table_unmap(&table, GIB(128), GIB(128)) == GIB(128));
	assert_false(emu_table_find(&table, GIB(200), &page));
	emu_table_end(&table);
	/* Only what the hardware has. */
	assert_int_equal(emu_table_init(&table, 12, 4, KIB(4) | MIB(2)), 0);
	assert_int_equal(emu_table_map(&table, 0, GIB(1), MIB(4) + KIB(4), RW), 0);
	assert_true(page_at(&table, MIB(3)).size == MIB(2));
	assert_true(page_at(&table, MIB(4)).size == KIB(4));
	assert_int_equal(emu_table_map(&table, GIB(1), KIB(2), KIB(4), RW), -EINVAL);
	emu_table_end(&table);
}

static void refuses_what_is_taken_or_outside(void **state)
{
	struct emu_table table = all_sizes();
	struct emu_page page;

	(void)state;
	assert_int_equal(emu_table_map(&table, MIB(2) + KIB(4), 0, KIB(2), RW), 0);
	/* From before it, page by page; around it, as a large page; inside of one. */
	assert_int_equal(emu_table_map(&table, MIB(2), KIB(2), KIB(8), RW), -EADDRINUSE);
	assert_false(emu_table_find(&table, MIB(2), &page));
	assert_int_equal(emu_table_map(&table, MIB(2), 0, MIB(2), RW), -EADDRINUSE);
	assert_int_equal(emu_table_map(&table, MIB(4), 0, MIB(2), RW), 0);
	assert_int_equal(emu_table_map(&table, MIB(5), 0, KIB(2), RW), -EADDRINUSE);
	assert_int_equal(emu_table_map(&table, GIB(256), 0, KIB(2), RW), -ERANGE);
	assert_int_equal(emu_table_map(&table, GIB(256) - KIB(2), 0, KIB(4), RW), -ERANGE);
	assert_int_equal(emu_table_map(&table, 0, 0, 0, RW), -ERANGE);
	assert_true(emu_table_unmap(&table, GIB(256), KIB(2)) == 0);
	/* A large page in the place of small ones that have been. */
	assert_true(emu_table_unmap(&table, MIB(2) + KIB(4), KIB(2)) == KIB(2));
	assert_int_equal(emu_table_map(&table, MIB(2), 0, MIB(2), RW), 0);
	assert_true(page_at(&table, MIB(2) + KIB(4)).size == MIB(2));
	emu_table_end(&table);
}

static void marks_pages_as_a_whole(void **state)
{
	struct emu_table table = all_sizes();
	struct emu_page page;

	(void)state;
	assert_int_equal(emu_table_map(&table, MIB(16), MIB(16), MIB(16), RW), 0);
	assert_int_equal(emu_table_map(&table, MIB(64), MIB(2), KIB(2), RW), 0);
	emu_table_set_dirty(&table, MIB(24) + 5, true);
	emu_table_set_dirty(&table, MIB(48), true);
	assert_true(page_at(&table, MIB(16)).dirty && page_at(&table, MIB(32) - 1).dirty);
	assert_false(page_at(&table, MIB(64)).dirty);
	assert_true(emu_table_next(&table, 0, UINT64_MAX, &page));
	assert_true(page.iova == MIB(16) && page.dirty);
	assert_true(emu_table_next(&table, MIB(32), MIB(64), &page));
	assert_true(page.iova == MIB(64) && !page.dirty);
	assert_false(emu_table_next(&table, MIB(32), MIB(64) - 1, &page));
	assert_false(emu_table_next(&table, MIB(65), UINT64_MAX, &page));
	emu_table_set_dirty(&table, MIB(31), false);
	assert_false(page_at(&table, MIB(20)).dirty);
	emu_table_end(&table);
}

/* All 64 bits of an address. */
static void reaches_the_last_address(void **state)
{
	struct emu_table table = {0};
	struct emu_page page;

	(void)state;
	assert_int_equal(emu_table_init(&table, 12, 6, ~UINT64_C(0xfff)), 0);
	assert_true(emu_table_last(&table) == UINT64_MAX);
	assert_int_equal(emu_table_map(&table, UINT64_MAX - KIB(8) + 1, KIB(8), KIB(8), RW), 0);
	assert_true(emu_table_next(&table, 0, UINT64_MAX, &page));
	assert_true(page.iova == UINT64_MAX - KIB(8) + 1);
	assert_false(emu_table_next(&table, 0, page.iova - 1, &page));
	assert_true(emu_table_unmap(&table, page.iova, KIB(8)) == KIB(8));
	assert_false(emu_table_next(&table, 0, UINT64_MAX, &page));
	emu_table_end(&table);
}

static void fails_without_memory(void **state)
{
	const uint64_t iova = GIB(1) - KIB(2);
	struct emu_table table;
	struct emu_page page;
	unsigned int nth = 1;

	(void)state;
	emu_heap_fail(1);
	assert_int_equal(emu_table_init(&table, 11, 3, KIB(2)), -ENOMEM);
	assert_true(emu_heap_stop());
	/* Two tables to the end of one range, two to the next one's beginning. */
	for (;; nth++) {
		int error;

		table = all_sizes();
		emu_heap_fail(nth);
		error = emu_table_map(&table, iova, KIB(2), KIB(4), RW);
		if (!emu_heap_stop())
			break;
		assert_int_equal(error, -ENOMEM);
		assert_false(emu_table_next(&table, 0, UINT64_MAX, &page));
		emu_table_end(&table);
	}
	assert_int_equal(nth, 5);
	assert_int_equal(page_at(&table, iova + KIB(2)).phys, KIB(4));
	emu_table_end(&table);
}

/* What a byte for each 2 KiB says, whatever has been done before. */
static void is_as_the_model(void **state)
{
	enum { UNITS = 4096 };
	static uint16_t model[UNITS]; /* the unit of memory plus one; 0: none */
	struct emu_table table = all_sizes();

	(void)state;
	srand(7);
	for (int step = 0; step < 20000; step++) {
		const uint64_t size = UINT64_C(1) << rand() % 9;
		const uint64_t at = (uint64_t)rand() % (UNITS / size) * size;
		const uint64_t phys = (uint64_t)rand() % (UNITS / size) * size;
		bool all = true, none = true;

		for (uint64_t i = at; i < at + size; i++) {
			all &= model[i] != 0;
			none &= model[i] == 0;
		}
		if (none) {
			assert_int_equal(emu_table_map(&table, KIB(2) * at, KIB(2) * phys,
			                               KIB(2) * size, RW),
			                 0);
			for (uint64_t i = 0; i < size; i++)
				model[at + i] = (uint16_t)(phys + i + 1);
		} else if (all) {
			const uint64_t gone =
				emu_table_unmap(&table, KIB(2) * at, KIB(2) * size) / KIB(2);

			/* A page that reaches further has gone as a whole. */
			assert_true(gone >= size);
			for (uint64_t i = 0; i < UNITS; i++) {
				struct emu_page page;

				if (!emu_table_find(&table, KIB(2) * i, &page)) {
					assert_true(!model[i] || i < at + gone);
					model[i] = 0;
				}
			}
		} else {
			assert_int_equal(emu_table_map(&table, KIB(2) * at, KIB(2) * phys,
			                               KIB(2) * size, RW),
			                 -EADDRINUSE);
		}
		for (uint64_t i = at; i < at + size; i++) {
			struct emu_page page;
			const bool found = emu_table_find(&table, KIB(2) * i, &page);

			assert_int_equal(found, model[i] != 0);
			if (found)
				assert_true(page.phys + (KIB(2) * i - page.iova) ==
				            KIB(2) * (model[i] - 1U));
		}
	}
	emu_table_end(&table);
}

static void sparse_numbers(void **state)
{
	static const uint32_t numbers[] = {0, 1, 255, 256, 65535, 65536, 1U << 24, UINT32_MAX};
	struct emu_sparse sparse = {0};
	uint32_t at;

	(void)state;
	assert_null(emu_sparse_get(&sparse, 5));
	assert_int_equal(emu_sparse_set(&sparse, 5, NULL), 0);
	assert_null(sparse.root);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(
			emu_sparse_set(&sparse, numbers[i], (void *)(uintptr_t)&numbers[i]), 0);
	at = 0;
	for (size_t i = 0; i < 8; i++) {
		assert_ptr_equal(emu_sparse_next(&sparse, &at), &numbers[i]);
		assert_int_equal(at, numbers[i]);
		at++;
	}
	assert_int_equal(at, 0);
	at = 257;
	assert_ptr_equal(emu_sparse_next(&sparse, &at), &numbers[4]);
	assert_int_equal(at, 65535);
	assert_int_equal(emu_sparse_set(&sparse, 256, state), 0);
	assert_ptr_equal(emu_sparse_get(&sparse, 256), state);
	for (size_t i = 0; i < 8; i++) {
		assert_non_null(sparse.root);
		assert_int_equal(emu_sparse_set(&sparse, numbers[i], NULL), 0);
		assert_null(emu_sparse_get(&sparse, numbers[i]));
	}
	assert_null(sparse.root);
	/* Four nodes, each of which cannot be had. */
	for (unsigned int nth = 1; nth <= 4; nth++) {
		emu_heap_fail(nth);
		assert_int_equal(emu_sparse_set(&sparse, 9, state), -ENOMEM);
		assert_true(emu_heap_stop());
		assert_null(sparse.root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_largest_page),
		cmocka_unit_test(refuses_what_is_taken_or_outside),
		cmocka_unit_test(marks_pages_as_a_whole),
		cmocka_unit_test(reaches_the_last_address),
		cmocka_unit_test(fails_without_memory),
		cmocka_unit_test(is_as_the_model),
		cmocka_unit_test(sparse_numbers),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
