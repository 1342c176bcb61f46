/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What is mapped of the machine's holds what it is of, until the last of it is unmapped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <libiommu-emu.h>

#include "../../emu/heap.h"
#include "../../emu/machine.h"
#include "../../emu/mapping.h"

static int held;

static void take(void *user)
{
	++*(int *)user;
}

static void let_go(void *user)
{
	--*(int *)user;
}

static const struct emu_hold hold = {.take = take, .let_go = let_go, .user = &held};

static int setup(void **state)
{
	struct libiommu_emu *emu;

	held = 0;
	if (libiommu_emu_new(&emu))
		return -1;
	*state = emu;
	return 0;
}

static int teardown(void **state)
{
	return libiommu_emu_destroy(*state) || held;
}

static void unmapped_in_parts(void **state)
{
	struct libiommu_emu *const emu = *state;

	assert_int_equal(emu_mapping_add(emu, 0x10000, 0x8000, &hold), 0);
	assert_int_equal(held, 1);
	assert_int_equal(emu_mapping_remove(emu, 0x8000, 0x8000), 0);
	assert_int_equal(emu_mapping_remove(emu, 0x18000, 0x8000), 0);
	assert_int_equal(held, 1);
	assert_true(emu_mapping_meets(emu, 0x8000, 0x8001));
	assert_true(emu_mapping_meets(emu, 0x17fff, 1));
	assert_true(emu_mapping_meets(emu, 0, 0x100000));
	assert_false(emu_mapping_meets(emu, 0x8000, 0x8000));
	assert_false(emu_mapping_meets(emu, 0x18000, 0x8000));
	/* From the middle: two pieces now. */
	assert_int_equal(emu_mapping_remove(emu, 0x12000, 0x2000), 0);
	assert_int_equal(held, 2);
	assert_int_equal(emu_mapping_remove(emu, 0x12000, 0x2000), 0);
	assert_int_equal(emu_mapping_remove(emu, 0xf000, 0x2000), 0);
	assert_int_equal(emu_mapping_remove(emu, 0x17000, 0x2000), 0);
	assert_int_equal(held, 2);
	assert_int_equal(emu_mapping_remove(emu, 0x11000, 0x3000), 0);
	assert_int_equal(held, 1);
	assert_int_equal(emu_mapping_remove(emu, 0, UINTPTR_MAX), 0);
	assert_int_equal(held, 0);
}

static void mapped_over(void **state)
{
	struct libiommu_emu *const emu = *state;

	assert_int_equal(emu_mapping_add(emu, 0x10000, 0x8000, &hold), 0);
	assert_int_equal(emu_mapping_add(emu, 0x10000, 0x8000, &hold), 0);
	assert_int_equal(held, 1);
	assert_int_equal(emu_mapping_add(emu, 0x11000, 0x1000, &hold), 0);
	assert_int_equal(held, 3);
	/* The rest goes with the machine. */
}

static void without_memory(void **state)
{
	struct libiommu_emu *const emu = *state;

	emu_heap_fail(1);
	assert_int_equal(emu_mapping_add(emu, 0x10000, 0x8000, &hold), -ENOMEM);
	assert_true(emu_heap_stop());
	assert_int_equal(held, 0);
	assert_int_equal(emu_mapping_add(emu, 0x10000, 0x8000, &hold), 0);
	emu_heap_fail(1);
	assert_int_equal(emu_mapping_remove(emu, 0x11000, 0x1000), -ENOMEM);
	assert_true(emu_heap_stop());
	assert_int_equal(held, 1);
	emu_heap_fail(2);
	assert_int_equal(emu_mapping_add(emu, 0x11000, 0x1000, &hold), -ENOMEM);
	assert_true(emu_heap_stop());
	assert_int_equal(held, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unmapped_in_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(mapped_over, setup, teardown),
		cmocka_unit_test_setup_teardown(without_memory, setup, teardown),
	};

	return cmocka_run_group_tests_name("mappings", tests, NULL, NULL);
}
