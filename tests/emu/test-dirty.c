/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What devices have written: who can tell, the rules, and the kernel's ways with a bitmap. */
#include "hw-rig.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NO_CLEAR UAPI_HWPT_GET_DIRTY_BITMAP_NO_CLEAR

static uint32_t tracking;

/* A page table that tracks, with large pages or not, and two megabytes in the place of memory. */
static int begin(void **state, bool large)
{
	struct uapi_option option = {.size = sizeof(option),
	                             .option_id = UAPI_OPTION_HUGE_PAGES,
	                             .op = UAPI_OPTION_OP_SET};
	struct hw_rig *const rig = hw_new();

	hw_bind(rig, HW_PLAIN);
	option.object_id = rig->ioas;
	option.val64 = large;
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_OPTION, &option), 0);
	tracking = (uint32_t)hw_table(rig, HW_PLAIN, rig->ioas, UAPI_HWPT_ALLOC_DIRTY_TRACKING);
	assert_int_equal(hw_attach(rig, HW_PLAIN, tracking), 0);
	*state = rig;
	return 0;
}

static int setup(void **state)
{
	return begin(state, false);
}

static int setup_large(void **state)
{
	return begin(state, true);
}

static int teardown(void **state)
{
	hw_free(*state);
	return 0;
}

static int track(struct hw_rig *rig, uint32_t id, bool on)
{
	struct uapi_hwpt_set_dirty_tracking cmd = {.size = sizeof(cmd), .hwpt_id = id, .flags = on};

	return hw_ioctl(rig, UAPI_IOC_HWPT_SET_DIRTY_TRACKING, &cmd);
}

static int get(struct hw_rig *rig, uint64_t iova, uint64_t length, uint64_t page_size,
               uint32_t flags, void *bitmap)
{
	struct uapi_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = tracking,
		.flags = flags,
		.iova = iova,
		.length = length,
		.page_size = page_size,
		.data = (uintptr_t)bitmap,
	};

	return hw_ioctl(rig, UAPI_IOC_HWPT_GET_DIRTY_BITMAP, &cmd);
}

/* The device writes a byte of that page. */
static void touch(struct hw_rig *rig, uint64_t page)
{
	const uint64_t iova = HW_IOVA + page * EMU_PAGE + 77;
	char byte = 'w';

	assert_int_equal(emu_dev_dma(rig->devs[HW_PLAIN], 0, iova, &byte, 1, EMU_WRITE, NULL), 0);
}

static uint64_t bits_of(struct hw_rig *rig, uint32_t flags)
{
	uint64_t bits = 0;

	assert_int_equal(get(rig, HW_IOVA, 16 * EMU_PAGE, EMU_PAGE, flags, &bits), 0);
	return bits;
}

static void told_and_forgotten(void **state)
{
	struct hw_rig *const rig = *state;
	uint64_t bits;
	char byte;

	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	touch(rig, 0);
	assert_int_equal(track(rig, tracking, true), 0);
	assert_true(bits_of(rig, 0) == 0);
	touch(rig, 2);
	touch(rig, 15);
	assert_int_equal(emu_dev_dma(rig->devs[HW_PLAIN], 0, HW_IOVA, &byte, 1, EMU_READ, NULL), 0);
	assert_true(bits_of(rig, NO_CLEAR) == 0x8004);
	assert_true(bits_of(rig, 0) == 0x8004);
	assert_true(bits_of(rig, 0) == 0);
	/* A part of it; what was there in the bitmap stays. */
	touch(rig, 2);
	touch(rig, 3);
	bits = UINT64_C(1) << 63;
	assert_int_equal(get(rig, HW_IOVA + 2 * EMU_PAGE, EMU_PAGE, EMU_PAGE, 0, &bits), 0);
	assert_true(bits == (UINT64_C(1) << 63 | 1));
	assert_true(bits_of(rig, 0) == 8);
	/* Larger and smaller pages than there are; sizes that are no power of two count as one. */
	touch(rig, 5);
	bits = 0;
	assert_int_equal(get(rig, HW_IOVA, 16 * EMU_PAGE, 4 * EMU_PAGE, NO_CLEAR, &bits), 0);
	assert_true(bits == 2);
	bits = 0;
	assert_int_equal(get(rig, HW_IOVA, 8 * EMU_PAGE, EMU_PAGE / 2, NO_CLEAR, &bits), 0);
	assert_true(bits == 0xc00);
	/* On again is clean; off keeps what there is. */
	assert_int_equal(track(rig, tracking, true), 0);
	assert_true(bits_of(rig, 0) == 0);
}

static void refused(void **state)
{
	struct hw_rig *const rig = *state;
	const uint32_t plain = (uint32_t)hw_table(rig, HW_PLAIN, rig->ioas, 0);
	const uint32_t id = tracking;
	uint64_t bits = 0;

	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	assert_int_equal(track(rig, plain, true), -EOPNOTSUPP);
	assert_int_equal(track(rig, plain, false), -EOPNOTSUPP);
	assert_int_equal(track(rig, rig->ioas, true), -ENOENT);
	assert_int_equal(get(rig, HW_IOVA, EMU_PAGE, EMU_PAGE, 2, &bits), -EOPNOTSUPP);
	assert_int_equal(get(rig, HW_IOVA, 0, EMU_PAGE, 0, &bits), -EINVAL);
	assert_int_equal(get(rig, HW_IOVA, EMU_PAGE, 0, 0, &bits), -EINVAL);
	assert_int_equal(get(rig, HW_IOVA + 1, EMU_PAGE, EMU_PAGE, 0, &bits), -EINVAL);
	assert_int_equal(get(rig, HW_IOVA, EMU_PAGE, 2 * EMU_PAGE, 0, &bits), -EINVAL);
	assert_int_equal(get(rig, HW_IOVA, EMU_PAGE / 4, EMU_PAGE / 4, 0, &bits), -EINVAL);
	assert_int_equal(get(rig, -EMU_PAGE, 2 * EMU_PAGE, EMU_PAGE, 0, &bits), -EOVERFLOW);
	assert_int_equal(get(rig, -EMU_PAGE, EMU_PAGE, EMU_PAGE, 0, &bits), 0);
	tracking = plain;
	assert_int_equal(get(rig, HW_IOVA, EMU_PAGE, EMU_PAGE, 0, &bits), -EOPNOTSUPP);
	/* What is wrong with the range is said first. */
	assert_int_equal(get(rig, HW_IOVA, 0, EMU_PAGE, 0, &bits), -EINVAL);
	tracking = rig->ioas;
	assert_int_equal(get(rig, HW_IOVA, EMU_PAGE, EMU_PAGE, 0, &bits), -ENOENT);
	tracking = id;
	emu_heap_fail(1);
	assert_int_equal(get(rig, HW_IOVA, EMU_PAGE, EMU_PAGE, 0, &bits), -ENOMEM);
	emu_heap_stop();
	assert_true(bits == 0);
}

/* Up to a hole, without a word. */
static void holes(void **state)
{
	struct hw_rig *const rig = *state;
	uint64_t bits = 0;

	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA + 17 * EMU_PAGE), 0);
	assert_int_equal(track(rig, tracking, true), 0);
	touch(rig, 1);
	touch(rig, 17);
	assert_int_equal(get(rig, HW_IOVA - EMU_PAGE, 34 * EMU_PAGE, EMU_PAGE, 0, &bits), 0);
	assert_true(bits == 0);
	assert_int_equal(get(rig, HW_IOVA, 33 * EMU_PAGE, EMU_PAGE, 0, &bits), 0);
	assert_true(bits == 2);
	bits = 0;
	assert_int_equal(get(rig, HW_IOVA + 17 * EMU_PAGE, EMU_PAGE, EMU_PAGE, 0, &bits), 0);
	assert_true(bits == 1);
}

/* Bits for memory that is not there are lost, and the pages are clean all the same. */
static void bitmaps_that_are_not_there(void **state)
{
	struct hw_rig *const rig = *state;
	uint8_t *const pages = mmap(NULL, 2 * EMU_PAGE, PROT_READ | PROT_WRITE,
	                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(pages != MAP_FAILED);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	assert_int_equal(track(rig, tracking, true), 0);
	touch(rig, 1);
	assert_int_equal(get(rig, HW_IOVA, 16 * EMU_PAGE, EMU_PAGE, 0, NULL), 0);
	assert_true(bits_of(rig, 0) == 0);
	/* Half of it is there; one that can only be read is not. */
	mprotect(pages + EMU_PAGE, EMU_PAGE, PROT_READ);
	touch(rig, 1);
	touch(rig, 9);
	assert_int_equal(get(rig, HW_IOVA, 16 * EMU_PAGE, EMU_PAGE, NO_CLEAR, pages + EMU_PAGE - 1),
	                 0);
	assert_int_equal(pages[EMU_PAGE - 1], 2);
	assert_int_equal(pages[EMU_PAGE], 0);
	mprotect(pages, EMU_PAGE, PROT_READ);
	mprotect(pages + EMU_PAGE, EMU_PAGE, PROT_READ | PROT_WRITE);
	assert_int_equal(get(rig, HW_IOVA, 16 * EMU_PAGE, EMU_PAGE, NO_CLEAR, pages + EMU_PAGE - 1),
	                 0);
	assert_int_equal(pages[EMU_PAGE - 1], 2);
	assert_int_equal(pages[EMU_PAGE], 2);
	assert_true(bits_of(rig, 0) == 0x202);
	munmap(pages, 2 * EMU_PAGE);
}

/*
 * A large page is one bit's for all of it: what is asked for of it makes all of it clean, and bits
 * go as far as it does; where the beginning is not asked for, there are none.
 */
static void large_pages(void **state)
{
	struct hw_rig *const rig = *state;
	struct uapi_ioas_map map = {
		.size = sizeof(map),
		.flags =
			UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE | UAPI_IOAS_MAP_WRITEABLE,
		.ioas_id = rig->ioas,
		.length = 2 << 20,
		.iova = HW_IOVA,
	};
	const size_t size = 4 << 20;
	uint8_t bits[80] = {0};
	char *const memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	map.user_va = ((uintptr_t)memory + map.length - 1) & -map.length;
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_IOAS_MAP, &map), 0);
	assert_int_equal(track(rig, tracking, true), 0);
	touch(rig, 300);
	assert_int_equal(get(rig, HW_IOVA + EMU_PAGE, EMU_PAGE, EMU_PAGE, NO_CLEAR, bits), 0);
	assert_int_equal(bits[0], 0);
	assert_int_equal(get(rig, HW_IOVA, EMU_PAGE, EMU_PAGE, 0, bits), 0);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(bits[i], 0xff);
	assert_int_equal(bits[64], 0);
	memset(bits, 0, sizeof(bits));
	assert_int_equal(get(rig, HW_IOVA, map.length, EMU_PAGE, 0, bits), 0);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(bits[i], 0);
	munmap(memory, size);
}

/* More than the kernel has at hand at a time, which is 512 pages of a bitmap. */
static void long_bitmaps(void **state)
{
	const uint64_t length = UINT64_C(1) << 30; /* 4 MiB of bits, each for 32 bytes */
	struct hw_rig *const rig = *state;
	uint8_t *const bitmap = mmap(NULL, 5 << 20, PROT_READ | PROT_WRITE,
	                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *const start = bitmap + 100;
	uint64_t set = 0;

	assert_true(bitmap != MAP_FAILED);
	for (uint64_t at = 0; at < length; at += 16 * EMU_PAGE) {
		const int error = hw_map(rig, rig->ioas, HW_IOVA + at);

		if (error == -ENOMEM && geteuid()) {
			munmap(bitmap, 5 << 20);
			print_message("# skipped: this user may not lock so much memory\n");
			skip();
		}
		assert_int_equal(error, 0);
	}
	assert_int_equal(track(rig, tracking, true), 0);
	touch(rig, 3);
	/* Across the border of what is at hand: 511 pages and a little, at 32 bytes a bit. */
	touch(rig, (UINT64_C(512) * 4096 - 100) * 8 * 32 / EMU_PAGE);
	touch(rig, length / EMU_PAGE - 1);
	assert_int_equal(get(rig, HW_IOVA, length, 32, 0, start), 0);
	for (uint64_t i = 0; i < length / 32 / 8; i++)
		set += start[i] ? 1 : 0;
	assert_int_equal(set, 3 * EMU_PAGE / 32 / 8);
	assert_int_equal(start[3 * EMU_PAGE / 32 / 8], 0xff);
	assert_int_equal(start[length / 32 / 8 - 1], 0xff);
	assert_int_equal(start[length / 32 / 8], 0);
	munmap(bitmap, 5 << 20);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(told_and_forgotten),
		TEST(refused),
		TEST(holes),
		TEST(bitmaps_that_are_not_there),
		TEST(long_bitmaps),
		cmocka_unit_test_setup_teardown(large_pages, setup_large, teardown),
	};

	return cmocka_run_group_tests_name("dirty", tests, NULL, NULL);
}
