/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Physical memory: this process's, and windows to what is elsewhere. */
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

static void own_memory(void **state)
{
	char *const memory = mmap(NULL, 2 * EMU_PAGE, PROT_READ | PROT_WRITE,
	                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const emu_phys at = (uintptr_t)memory + EMU_PAGE - 4;
	char buffer[8] = "";

	(void)state;
	assert_int_equal(emu_phys_write(&emu, at, "12345678", 8), 0);
	assert_memory_equal(memory + EMU_PAGE - 4, "12345678", 8);
	assert_int_equal(emu_phys_read(&emu, at, buffer, 8), 0);
	assert_memory_equal(buffer, "12345678", 8);
	assert_int_equal(emu_phys_read(&emu, at, NULL, 0), 0);
	munmap(memory + EMU_PAGE, EMU_PAGE);
	assert_int_equal(emu_phys_read(&emu, at, buffer, 8), -EFAULT);
	assert_int_equal(emu_phys_write(&emu, at, buffer, 8), -EFAULT);
	assert_int_equal(emu_phys_write(&emu, at, buffer, 4), 0);
	munmap(memory, EMU_PAGE);
}

static char behind[16];

static int access(struct emu_window *window, uint64_t offset, void *to, const void *from,
                  size_t size)
{
	(void)window;
	if (offset + size > sizeof(behind))
		return -EFAULT;
	memcpy(to ? to : behind + offset, to ? behind + offset : from, size);
	return 0;
}

static void windows(void **state)
{
	struct emu_window first = {.access = access}, second = {.access = access};
	char buffer[8] = "";
	emu_phys place;

	(void)state;
	assert_int_equal(emu_phys_read(&emu, EMU_PHYS_WINDOW - 4, buffer, 8), -EFAULT);
	assert_int_equal(emu_phys_read(&emu, EMU_PHYS_WINDOW, buffer, 8), -EFAULT);
	assert_int_equal(emu_window_add(&emu, &first, 0), -ENOSPC);
	assert_int_equal(emu_window_add(&emu, &first, UINT64_MAX), -ENOSPC);
	assert_int_equal(emu_window_add(&emu, &first, 16), 0);
	assert_int_equal(emu_window_add(&emu, &second, 16), 0);
	assert_true(first.range.start == EMU_PHYS_WINDOW);
	place = second.range.start;
	assert_true(place > first.range.last);
	assert_int_equal(emu_phys_write(&emu, place + 8, "12345678", 8), 0);
	assert_memory_equal(behind + 8, "12345678", 8);
	assert_int_equal(emu_phys_read(&emu, place + 9, buffer, 4), 0);
	assert_memory_equal(buffer, "2345", 4);
	assert_int_equal(emu_phys_read(&emu, place + 9, buffer, 8), -EFAULT);
	/* From one into the next. */
	assert_int_equal(emu_phys_read(&emu, first.range.last, buffer, 8), -EFAULT);
	emu_window_remove(&emu, &first);
	assert_int_equal(emu_phys_read(&emu, EMU_PHYS_WINDOW, buffer, 8), -EFAULT);
	assert_int_equal(emu_window_add(&emu, &first, 16), 0);
	assert_true(first.range.start == EMU_PHYS_WINDOW);
	emu_window_remove(&emu, &first);
	emu_window_remove(&emu, &second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_memory),
		cmocka_unit_test(windows),
	};

	return cmocka_run_group_tests_name("phys", tests, NULL, NULL);
}
