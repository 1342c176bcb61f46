/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* First-stage tables in a memory of this test's: pages of each size, rights, marks, nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "../../emu/vtd-walk.h"

enum { PAGE = 4096, TABLES = 8, P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, EA = 0x400 };
#define ALL ((uint64_t)P | W | U)

struct memory {
	struct emu_guest guest;
	uint64_t tables[TABLES][PAGE / 8]; /* at PAGE, 2 * PAGE... */
	uint64_t read_only;                /* the table that cannot be marked; 0: none */
};

static int get(const struct emu_guest *guest, uint64_t at, uint64_t *value)
{
	const struct memory *const memory = (const struct memory *)guest;

	if (at < PAGE || at >= (TABLES + 1) * PAGE)
		return -EIO;
	*value = memory->tables[at / PAGE - 1][at % PAGE / 8];
	return 0;
}

static int set(const struct emu_guest *guest, uint64_t at, uint32_t bits)
{
	struct memory *const memory = (struct memory *)(uintptr_t)guest;

	if (at / PAGE == memory->read_only)
		return -EIO;
	memory->tables[at / PAGE - 1][at % PAGE / 8] |= bits;
	return 0;
}

/* 5 levels, or 4 from the second table on; every index is 3. */
static const uint64_t iova4 = UINT64_C(3) << 39 | UINT64_C(3) << 30 | 3U << 21 | 3U << 12 | 0x123;

static int setup(void **state)
{
	static struct memory memory;

	memset(&memory, 0, sizeof(memory));
	memory.guest.get = get;
	memory.guest.set = set;
	for (unsigned int i = 0; i < 4; i++)
		memory.tables[i][3] = (i + 2) * (uint64_t)PAGE | ALL;
	memory.tables[4][3] = UINT64_C(0x77000) | ALL;
	*state = &memory;
	return 0;
}

static const struct emu_vtd_table four = {.root = 2 * PAGE, .levels = 4};
static const struct emu_vtd_table five = {.root = PAGE, .levels = 5, .extended = true};

static void small_pages(void **state)
{
	struct memory *const memory = *state;
	struct emu_vtd_page page;

	assert_int_equal(emu_vtd_walk(&four, &memory->guest, iova4, false, &page), 0);
	assert_int_equal(page.gpa, 0x77000);
	assert_int_equal(page.iova, iova4 & -(uint64_t)PAGE);
	assert_int_equal(page.size, PAGE);
	assert_false(page.writable);
	for (unsigned int i = 1; i < 5; i++)
		assert_int_equal(memory->tables[i][3] & (A | D | EA), A);
	assert_int_equal(memory->tables[0][3] & A, 0);
	assert_int_equal(
		emu_vtd_walk(&five, &memory->guest, iova4 | UINT64_C(3) << 48, true, &page), 0);
	assert_true(page.writable);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(memory->tables[i][3] & (A | EA), A | EA);
	assert_int_equal(memory->tables[3][3] & D, 0);
	assert_int_equal(memory->tables[4][3] & D, D);
}

static void large_pages(void **state)
{
	struct memory *const memory = *state;
	struct emu_vtd_page page;

	memory->tables[3][3] = UINT64_C(0x40200000) | ALL | PS | 1U << 12;
	assert_int_equal(emu_vtd_walk(&four, &memory->guest, iova4, true, &page), 0);
	assert_int_equal(page.size, 2 << 20);
	assert_int_equal(page.gpa, 0x40200000);
	assert_int_equal(page.iova, iova4 & -(UINT64_C(2) << 20));
	assert_int_equal(memory->tables[3][3] & D, D);
	memory->tables[2][3] = UINT64_C(0x80000000) | ALL | PS;
	assert_int_equal(emu_vtd_walk(&four, &memory->guest, iova4, false, &page), 0);
	assert_int_equal(page.size, 1 << 30);
	assert_int_equal(page.gpa, 0x80000000);
}

static void rights(void **state)
{
	struct memory *const memory = *state;
	struct emu_vtd_page page;

	for (unsigned int i = 1; i < 5; i++) {
		memory->tables[i][3] &= ~(uint64_t)W;
		assert_int_equal(emu_vtd_walk(&four, &memory->guest, iova4, true, &page), -EACCES);
		assert_int_equal(memory->tables[i][3] & A, 0);
		assert_int_equal(emu_vtd_walk(&four, &memory->guest, iova4, false, &page), 0);
		memory->tables[i][3] = (memory->tables[i][3] | W) & ~(uint64_t)(U | A);
		assert_int_equal(emu_vtd_walk(&four, &memory->guest, iova4, false, &page), -EACCES);
		memory->tables[i][3] |= U;
		for (unsigned int j = 1; j < 5; j++)
			memory->tables[j][3] &= ~(uint64_t)A;
	}
}

static void nothing_there(void **state)
{
	struct memory *const memory = *state;
	struct emu_vtd_page page;

	for (unsigned int i = 1; i < 5; i++) {
		memory->tables[i][3] &= ~(uint64_t)P;
		assert_int_equal(emu_vtd_walk(&four, &memory->guest, iova4, false, &page), -ENOENT);
		memory->tables[i][3] |= P;
	}
	memory->tables[2][3] = UINT64_C(0x77000) | ALL;
	assert_int_equal(emu_vtd_walk(&four, &memory->guest, iova4, false, &page), -EIO);
}

static void nonsense(void **state)
{
	static const uint64_t wrong[][2] = {
		{1, PS},           {2, PS | 1U << 13},     {3, PS | 1U << 13},
		{3, PS | 1 << 20}, {4, UINT64_C(1) << 63}, {1, UINT64_C(1) << 63},
	};
	struct memory *const memory = *state;
	struct emu_vtd_page page;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const uint64_t kept = memory->tables[wrong[i][0]][3];

		memory->tables[wrong[i][0]][3] |= wrong[i][1];
		assert_int_equal(emu_vtd_walk(&four, &memory->guest, iova4, false, &page), -EINVAL);
		memory->tables[wrong[i][0]][3] = kept;
	}
	/* Addresses between the two halves are none; those of the upper half are. */
	assert_int_equal(emu_vtd_walk(&four, &memory->guest, UINT64_C(1) << 47, false, &page),
	                 -EINVAL);
	assert_int_equal(emu_vtd_walk(&four, &memory->guest, -(uint64_t)PAGE, false, &page),
	                 -ENOENT);
	assert_int_equal(emu_vtd_walk(&five, &memory->guest, UINT64_C(1) << 47, false, &page),
	                 -ENOENT);
	assert_int_equal(emu_vtd_walk(&five, &memory->guest, UINT64_C(1) << 56, false, &page),
	                 -EINVAL);
}

/* What cannot be marked is not used, until it needs no mark. */
static void memory_that_cannot_be_marked(void **state)
{
	struct memory *const memory = *state;
	struct emu_vtd_page page;

	memory->read_only = 5;
	assert_int_equal(emu_vtd_walk(&four, &memory->guest, iova4, false, &page), -EIO);
	memory->tables[4][3] |= A;
	assert_int_equal(emu_vtd_walk(&four, &memory->guest, iova4, false, &page), 0);
	assert_int_equal(emu_vtd_walk(&four, &memory->guest, iova4, true, &page), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(small_pages, setup),
		cmocka_unit_test_setup(large_pages, setup),
		cmocka_unit_test_setup(rights, setup),
		cmocka_unit_test_setup(nothing_there, setup),
		cmocka_unit_test_setup(nonsense, setup),
		cmocka_unit_test_setup(memory_that_cannot_be_marked, setup),
	};

	return cmocka_run_group_tests_name("vtd-walk", tests, NULL, NULL);
}
