/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Whether memory is there, asked for the first time and again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../../emu/machine.h"

static struct libiommu_emu emu;

enum { PAGE = 4096 };

static uint8_t *map(int flags)
{
	uint8_t *const memory =
		mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

static void assert_there(const uint8_t *memory, int reads, int writes)
{
	/* The second time what is known of the page is used. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(emu_look(&emu, (uintptr_t)memory, PAGE, true), writes);
		assert_int_equal(emu_look(&emu, (uintptr_t)memory, PAGE, false), reads);
	}
	assert_int_equal(emu_look_at((uintptr_t)memory, PAGE, true), writes);
	assert_int_equal(emu_look_at((uintptr_t)memory, PAGE, false), reads);
}

static void changes(int flags)
{
	uint8_t *const memory = map(flags);
	uint8_t wanted[PAGE];

	memset(memory, 0xff, PAGE);
	memory[1] = 0xf8;
	memcpy(wanted, memory, PAGE);
	assert_there(memory, 0, 0);
	assert_memory_equal(memory, wanted, PAGE);
	mprotect(memory, PAGE, PROT_READ);
	assert_there(memory, 0, -EFAULT);
	mprotect(memory, PAGE, PROT_NONE);
	assert_there(memory, -EFAULT, -EFAULT);
	mprotect(memory, PAGE, PROT_READ | PROT_WRITE);
	assert_there(memory, 0, 0);
	munmap(memory, PAGE);
	assert_there(memory, -EFAULT, -EFAULT);
	/* Never used so far. */
	assert_there(memory + PAGE, 0, 0);
	assert_int_equal(memory[PAGE], 0);
	munmap(memory + PAGE, 3 * PAGE);
}

static void private_memory(void **state)
{
	(void)state;
	changes(MAP_PRIVATE);
}

static void shared_memory(void **state)
{
	(void)state;
	changes(MAP_SHARED);
}

/* For reading at first; and more than a page, or a part of one. */
static void lengths(void **state)
{
	uint8_t *const memory = map(MAP_PRIVATE);
	const uintptr_t at = (uintptr_t)memory;

	(void)state;
	assert_int_equal(emu_look(&emu, at, PAGE, false), 0);
	assert_int_equal(emu_look(&emu, at, PAGE, false), 0);
	mprotect(memory, PAGE, PROT_READ);
	assert_int_equal(emu_look(&emu, at, PAGE, true), -EFAULT);
	assert_int_equal(emu_look(&emu, at, 2 * PAGE, false), 0);
	assert_int_equal(emu_look(&emu, at, 2 * PAGE, true), -EFAULT);
	assert_int_equal(emu_look(&emu, at + PAGE, 3 * PAGE, true), 0);
	assert_int_equal(emu_look(&emu, at + 100, PAGE, false), 0);
	munmap(memory + 3 * PAGE, PAGE);
	assert_int_equal(emu_look(&emu, at + PAGE, 3 * PAGE, true), -EFAULT);
	assert_int_equal(emu_look(&emu, at + 2 * PAGE + 100, PAGE, false), -EFAULT);
	/* Nothing has such an address. */
	assert_int_equal(emu_look(&emu, UINTPTR_MAX - PAGE + 1, PAGE, false), -EFAULT);
	munmap(memory, 3 * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_memory),
		cmocka_unit_test(shared_memory),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests_name("look", tests, NULL, NULL);
}
