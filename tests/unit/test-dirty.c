/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Dirty tracking: which pieces the kernel is asked for, and that no bit it gives is lost. */
#include <stdlib.h>

#include "alloc.h"
#include "objects.h"

#define GIB     UINT64_C(0x40000000)
#define PAGE    UINT64_C(0x1000)
#define IOAS_ID 2
#define HWPT_ID 3

static struct libiommu_ctx *ctx;
static struct libiommu_ioas *ioas;
static struct libiommu_device *dev;
static struct libiommu_hwpt *hwpt;

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	ioas = script_ioas(ctx, IOAS_ID);
	dev = script_device(ctx);
	hwpt = script_hwpt(dev, DEVICE_ID, ioas, IOAS_ID, HWPT_ID);
	return 0;
}

static int teardown(void **state)
{
	script_hwpt_close(hwpt, HWPT_ID);
	script_device_close(dev);
	script_ioas_close(ioas, IOAS_ID);
	script_ctx_close(ctx);
	return script_teardown(state);
}

static void expect_set(bool enable, int result)
{
	EXPECT_IOCTL(CTX_FD, HWPT_SET_DIRTY_TRACKING,
	             IN(struct uapi_hwpt_set_dirty_tracking,
	                .size = sizeof(struct uapi_hwpt_set_dirty_tracking), .flags = enable,
	                .hwpt_id = HWPT_ID),
	             .result = result);
}

static void start(void)
{
	expect_set(true, 0);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, true), 0);
}

/* The question for holes, which is never granted. */
static void expect_mapped(uint64_t iova, uint64_t length, int result)
{
	EXPECT_IOCTL(CTX_FD, IOAS_COPY,
	             IN(struct uapi_ioas_copy, .size = sizeof(struct uapi_ioas_copy),
	                .flags = UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE,
	                .dst_ioas_id = IOAS_ID, .src_ioas_id = IOAS_ID, .length = length,
	                .dst_iova = 1, .src_iova = iova),
	             .result = result);
}

/* Bits that the kernel sets. */
struct dirty {
	uint64_t words;
	struct {
		uint64_t index, value;
	} word[3];
};

static void set_bits(void *arg, const void *user)
{
	const struct uapi_hwpt_get_dirty_bitmap *const cmd = arg;
	uint64_t *const bitmap = (uint64_t *)(uintptr_t)cmd->data;
	const struct dirty *const dirty = user;
	uint64_t words;

	for (uint64_t i = 0; i < cmd->length / cmd->page_size / 64; i++)
		assert_int_equal(bitmap[i], 0);
	for (uint64_t i = 0; dirty && i < dirty->words; i++)
		bitmap[dirty->word[i].index] |= dirty->word[i].value;
	/* A large page at the end of the range: all bits to the end of the bitmap's last page. */
	assert_int_equal(cmd->data % PAGE, 0);
	words = (cmd->length / cmd->page_size + 63) / 64;
	while (words % (PAGE / sizeof(*bitmap)))
		bitmap[words++] = UINT64_MAX;
}

static void expect_get(uint64_t iova, uint64_t length, uint64_t page_size, uint32_t flags,
                       const struct dirty *dirty, int result)
{
	EXPECT_IOCTL(CTX_FD, HWPT_GET_DIRTY_BITMAP,
	             IN(struct uapi_hwpt_get_dirty_bitmap,
	                .size = sizeof(struct uapi_hwpt_get_dirty_bitmap), .hwpt_id = HWPT_ID,
	                .flags = flags, .iova = iova, .length = length, .page_size = page_size),
	             IGNORE(struct uapi_hwpt_get_dirty_bitmap, .data = UINT64_MAX), .act = set_bits,
	             .user = dirty, .result = result);
}

static void expect_piece(uint64_t iova, uint64_t length, uint64_t page_size,
                         const struct dirty *dirty)
{
	expect_mapped(iova, length, -EINVAL);
	expect_get(iova, length, page_size, 0, dirty, 0);
}

static void test_switch(void **state)
{
	(void)state;
	start();
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, true), -EALREADY);
	assert_failure(-EALREADY, LIBRARY, "libiommu_hwpt_set_dirty_tracking");
	expect_set(false, -EIO);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, false), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_hwpt_set_dirty_tracking");
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, true), -EALREADY);
	expect_set(false, 0);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, false), 0);
	expect_set(false, 0);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, false), 0);
	start();
}

static void test_switch_refused(void **state)
{
	static const struct {
		int error;
		const char *words;
	} refusals[] = {
		{-EOPNOTSUPP, "made without LIBIOMMU_HWPT_DIRTY_TRACKING"},
		{-ENOENT, "its parent has the dirty bits"},
		{-ENOTTY, "older than 6.7"},
	};
	uint64_t bitmap = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		expect_set(true, refusals[i].error);
		assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, true), refusals[i].error);
		assert_explained(refusals[i].words);
	}
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(hwpt, 0, PAGE, PAGE, 0, &bitmap, 1, NULL),
	                 -ENODATA);
}

/* Off, the kernel would say that nothing is dirty. */
static void test_not_while_it_is_off(void **state)
{
	uint64_t bitmap = 5, done = 9;

	(void)state;
	for (int i = 0; i < 2; i++) {
		done = 9;
		assert_int_equal(
			libiommu_hwpt_get_dirty_bitmap(hwpt, 0, PAGE, PAGE, 0, &bitmap, 1, &done),
			-ENODATA);
		assert_failure(-ENODATA, LIBRARY, "libiommu_hwpt_get_dirty_bitmap");
		assert_int_equal(done, 0);
		start();
		expect_set(false, 0);
		assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, false), 0);
	}
	assert_int_equal(bitmap, 5);
}

/* Bits are added; those past the end, which large pages leave, are not. */
static void test_one_piece(void **state)
{
	static const struct dirty dirty = {2, {{0, UINT64_C(1) << 63 | 2}, {1, 0xff}}};
	uint64_t bitmap[3] = {0x100, 0, 0x55}, done = 9;

	(void)state;
	start();
	expect_piece(0x10000, 66 * PAGE, PAGE, &dirty);
	assert_int_equal(
		libiommu_hwpt_get_dirty_bitmap(hwpt, 0x10000, 66 * PAGE, PAGE, 0, bitmap, 2, &done),
		0);
	assert_int_equal(bitmap[0], UINT64_C(1) << 63 | 0x102);
	assert_int_equal(bitmap[1], 3);
	assert_int_equal(bitmap[2], 0x55);
	assert_int_equal(done, 66 * PAGE);
}

static void test_flags(void **state)
{
	const uint64_t length = 3 * GIB;
	uint64_t *const bitmap = calloc(length / (2 << 20) / 64, 8);
	static const struct dirty dirty = {1, {{23, UINT64_C(1) << 63}}};

	(void)state;
	start();
	expect_mapped(GIB / 2, PAGE, -EINVAL);
	expect_get(GIB / 2, PAGE, PAGE, UAPI_HWPT_GET_DIRTY_BITMAP_NO_CLEAR, NULL, 0);
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(hwpt, GIB / 2, PAGE, PAGE,
	                                                LIBIOMMU_DIRTY_NO_CLEAR, bitmap, 1, NULL),
	                 0);
	expect_piece(GIB / 2, length, 2 << 20, &dirty);
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(hwpt, GIB / 2, length, 2 << 20,
	                                                LIBIOMMU_DIRTY_WHOLE, bitmap, 24, NULL),
	                 0);
	assert_int_equal(bitmap[23], UINT64_C(1) << 63);
	free(bitmap);
}

/* Pieces end at multiples of 1 GiB, wherever that is in the bitmap. */
static void test_pieces(void **state)
{
	static const struct dirty first = {1, {{0, 1 | 4}}};
	static const struct dirty second = {
		3, {{0, 1 | UINT64_C(1) << 63}, {1, UINT64_C(1) << 60}, {4095, UINT64_C(3) << 62}}};
	static const struct dirty third = {1, {{0, 3}}};
	const uint64_t pages = 3 + GIB / PAGE + 2;
	uint64_t *const bitmap = calloc(pages / 64 + 1, 8);
	uint64_t done = 0;

	(void)state;
	start();
	expect_piece(5 * GIB - 3 * PAGE, 3 * PAGE, PAGE, &first);
	expect_piece(5 * GIB, GIB, PAGE, &second);
	expect_piece(6 * GIB, 2 * PAGE, PAGE, &third);
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(hwpt, 5 * GIB - 3 * PAGE, pages * PAGE,
	                                                PAGE, 0, bitmap, pages / 64 + 1, &done),
	                 0);
	assert_int_equal(done, pages * PAGE);
	assert_int_equal(bitmap[0], 5 | 8);
	assert_int_equal(bitmap[1], 4 | UINT64_C(1) << 63);
	for (uint64_t i = 2; i < 4096; i++)
		assert_int_equal(bitmap[i], 0);
	/* The last two of the second piece, and the third. */
	assert_int_equal(bitmap[4096], 2 | 4 | 8 | 16);
	free(bitmap);
}

/* A page of the bitmap that is larger than a piece. */
static void test_pages_larger_than_a_piece(void **state)
{
	static const struct dirty dirty = {1, {{0, 1}}};
	uint64_t bitmap = 0;

	(void)state;
	start();
	expect_piece(8 * GIB, 4 * GIB, 4 * GIB, NULL);
	expect_piece(12 * GIB, 4 * GIB, 4 * GIB, &dirty);
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(hwpt, 8 * GIB, 8 * GIB, 4 * GIB, 0, &bitmap,
	                                                1, NULL),
	                 0);
	assert_int_equal(bitmap, 2);
	expect_piece(UINT64_C(1) << 63, UINT64_C(1) << 63, UINT64_C(1) << 63, &dirty);
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(hwpt, UINT64_C(1) << 63, UINT64_C(1) << 63,
	                                                UINT64_C(1) << 63, 0, &bitmap, 1, NULL),
	                 0);
	assert_int_equal(bitmap, 3);
}

static void test_hole(void **state)
{
	static const struct dirty dirty = {1, {{0, 1}}};
	uint64_t bitmap[2] = {0, 0}, done = 9, start_of = 0, length = 0;

	(void)state;
	start();
	expect_piece(GIB - PAGE, PAGE, PAGE, &dirty);
	expect_mapped(GIB, 5 * PAGE, -ENOENT);
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(hwpt, GIB - PAGE, 6 * PAGE, PAGE, 0, bitmap,
	                                                2, &done),
	                 -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_hwpt_get_dirty_bitmap");
	assert_explained("is not mapped");
	assert_explained("4096 bytes were read before it");
	libiommu_failure_range(&start_of, &length);
	assert_int_equal(start_of, GIB);
	assert_int_equal(length, 5 * PAGE);
	assert_int_equal(done, PAGE);
	assert_int_equal(bitmap[0], 1);
	/* Whatever else it says: nothing was read. */
	expect_mapped(0, PAGE, -ENOMEM);
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(hwpt, 0, PAGE, PAGE, 0, bitmap, 2, &done),
	                 -ENOMEM);
	assert_failure(-ENOMEM, KERNEL, "libiommu_hwpt_get_dirty_bitmap");
	assert_int_equal(done, 0);
}

/* What a failing call has set is added all the same: it may be cleared where it was. */
static void test_failure_in_the_middle(void **state)
{
	static const struct dirty first = {1, {{0, 1}}}, second = {1, {{0, 4}}};
	uint64_t bitmap[2] = {0, 0}, done = 9;

	(void)state;
	start();
	expect_piece(GIB - PAGE, PAGE, PAGE, &first);
	expect_mapped(GIB, 5 * PAGE, -EINVAL);
	expect_get(GIB, 5 * PAGE, PAGE, 0, &second, -EINVAL);
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(hwpt, GIB - PAGE, 6 * PAGE, PAGE, 0, bitmap,
	                                                2, &done),
	                 -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_hwpt_get_dirty_bitmap");
	assert_explained("libiommu_iova_ranges_alignment()");
	assert_int_equal(done, PAGE);
	assert_int_equal(bitmap[0], 1 | 8);
}

/* Neither its address space nor its state is known: it is simply read. */
static void test_adopted(void **state)
{
	static const struct dirty dirty = {1, {{0, 6}}};
	struct libiommu_hwpt *adopted;
	uint64_t bitmap = 0;

	(void)state;
	assert_int_equal(libiommu_hwpt_adopt(ctx, HWPT_ID, LIBIOMMU_ID_BORROW, &adopted), 0);
	expect_get(0, 4 * PAGE, PAGE, 0, &dirty, 0);
	assert_int_equal(
		libiommu_hwpt_get_dirty_bitmap(adopted, 0, 4 * PAGE, PAGE, 0, &bitmap, 1, NULL), 0);
	assert_int_equal(bitmap, 6);
	expect_get(0, PAGE, PAGE, 0, NULL, -EOPNOTSUPP);
	assert_int_equal(
		libiommu_hwpt_get_dirty_bitmap(adopted, 0, PAGE, PAGE, 0, &bitmap, 1, NULL),
		-EOPNOTSUPP);
	expect_set(false, 0);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(adopted, false), 0);
	assert_int_equal(
		libiommu_hwpt_get_dirty_bitmap(adopted, 0, PAGE, PAGE, 0, &bitmap, 1, NULL),
		-ENODATA);
	assert_int_equal(libiommu_hwpt_destroy(adopted), 0);
}

static void test_arguments_are_checked(void **state)
{
	static const struct {
		uint64_t iova, length, page_size;
		uint32_t flags;
		size_t words;
		int error;
	} wrong[] = {
		{0, PAGE, PAGE, 4, 1, -EINVAL},
		{0, PAGE, 0, 0, 1, -EINVAL},
		{0, PAGE, 512, 0, 1, -EINVAL},
		{0, 3 * PAGE, 3 * PAGE, 0, 1, -EINVAL},
		{0, 0, PAGE, 0, 1, -EINVAL},
		{512, PAGE, PAGE, 0, 1, -EINVAL},
		{0, PAGE + 1024, PAGE, 0, 2, -EINVAL},
		{0, PAGE, PAGE, 0, 0, -EINVAL},
		{0, 65 * PAGE, PAGE, 0, 1, -EINVAL},
		{0, UINT64_C(1) << 63, PAGE, 0, 1, -EINVAL},
		{-PAGE, 2 * PAGE, PAGE, 0, 1, -EOVERFLOW},
	};
	uint64_t bitmap = 5, done;

	(void)state;
	start();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		done = 9;
		assert_int_equal(libiommu_hwpt_get_dirty_bitmap(
					 hwpt, wrong[i].iova, wrong[i].length, wrong[i].page_size,
					 wrong[i].flags, &bitmap, wrong[i].words, &done),
		                 wrong[i].error);
		assert_failure(wrong[i].error, LIBRARY, "libiommu_hwpt_get_dirty_bitmap");
		assert_int_equal(done, 0);
	}
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(hwpt, 0, PAGE, PAGE, 0, NULL, 1, NULL),
	                 -EINVAL);
	assert_int_equal(bitmap, 5);
	/* The last page of all is none of these. */
	expect_piece(-PAGE, PAGE, PAGE, NULL);
	assert_int_equal(
		libiommu_hwpt_get_dirty_bitmap(hwpt, -PAGE, PAGE, PAGE, 0, &bitmap, 1, NULL), 0);
}

static void test_without_memory(void **state)
{
	static const struct dirty dirty = {1, {{0, 1}}};

	(void)state;
	start();
	ALLOC_LOOP
	{
		uint64_t bitmap = 0, done = 9;

		expect_piece(0, PAGE, PAGE, &dirty);
		if (ALLOC_TRY(libiommu_hwpt_get_dirty_bitmap(hwpt, 0, PAGE, PAGE, 0, &bitmap, 1,
		                                             &done)))
			assert_true(!bitmap && !done);
		else
			assert_true(bitmap == 1 && done == PAGE);
	}
}

#define DIRTY_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIRTY_TEST(test_switch),
		DIRTY_TEST(test_switch_refused),
		DIRTY_TEST(test_not_while_it_is_off),
		DIRTY_TEST(test_one_piece),
		DIRTY_TEST(test_flags),
		DIRTY_TEST(test_pieces),
		DIRTY_TEST(test_pages_larger_than_a_piece),
		DIRTY_TEST(test_hole),
		DIRTY_TEST(test_failure_in_the_middle),
		DIRTY_TEST(test_adopted),
		DIRTY_TEST(test_arguments_are_checked),
		DIRTY_TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
