/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The list of usable IOVAs, however long and however often it grows, and the allowed ones. */
#include "alloc.h"
#include "objects.h"

static struct libiommu_ctx *ctx;
static struct libiommu_ioas *ioas;

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	ioas = script_ioas(ctx, 2);
	return 0;
}

static int teardown(void **state)
{
	script_ioas_close(ioas, 2);
	script_ctx_close(ctx);
	return script_teardown(state);
}

/* What the kernel has: this many ranges, the i-th one from i MiB. */
static uint32_t available;

static void answer(void *arg, const void *user)
{
	struct uapi_ioas_iova_ranges *const cmd = arg;
	struct uapi_iova_range *const ranges = (void *)(uintptr_t)cmd->allowed_iovas;
	const uint32_t now = user ? *(const uint32_t *)user : available;

	assert_int_equal(cmd->size, sizeof(*cmd));
	assert_int_equal(cmd->ioas_id, 2);
	assert_int_equal(cmd->reserved, 0);
	for (uint32_t i = 0; i < now && i < cmd->num_iovas; i++) {
		ranges[i].start = (uint64_t)i << 20;
		ranges[i].last = ((uint64_t)i << 20) + 0xffff;
	}
	cmd->num_iovas = now;
	cmd->out_iova_alignment = 4096;
}

static void check_all(struct libiommu_iova_ranges *ranges, uint32_t count)
{
	struct libiommu_iova_range range;

	assert_int_equal(libiommu_iova_ranges_count(ranges), count);
	assert_int_equal(libiommu_iova_ranges_alignment(ranges), 4096);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(libiommu_iova_ranges_get(ranges, i, &range), 0);
		assert_int_equal(range.start, (uint64_t)i << 20);
		assert_int_equal(range.last, ((uint64_t)i << 20) + 0xffff);
	}
}

static void test_at_once(void **state)
{
	struct libiommu_iova_ranges *ranges;

	(void)state;
	for (available = 0; available <= 16; available++) {
		EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer);
		assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), 0);
		check_all(ranges, available);
		libiommu_iova_ranges_free(ranges);
	}
}

static void test_more_than_expected(void **state)
{
	struct libiommu_iova_ranges *ranges;

	(void)state;
	available = 5000;
	EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer, .result = -EMSGSIZE);
	EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer);
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), 0);
	check_all(ranges, 5000);
	libiommu_iova_ranges_free(ranges);
}

/* A door that forgets the error hands out no ranges that nobody wrote. */
static void test_more_than_expected_without_an_error(void **state)
{
	struct libiommu_iova_ranges *ranges;

	(void)state;
	available = 17;
	EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer);
	EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer);
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), 0);
	check_all(ranges, 17);
	libiommu_iova_ranges_free(ranges);
}

static void test_grows_and_shrinks_meanwhile(void **state)
{
	static const uint32_t steps[] = {17, 30, 31, 12};
	struct libiommu_iova_ranges *ranges;

	(void)state;
	EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer, .user = &steps[0],
	             .result = -EMSGSIZE);
	EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer, .user = &steps[1],
	             .result = -EMSGSIZE);
	EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer, .user = &steps[2],
	             .result = -EMSGSIZE);
	EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer, .user = &steps[3]);
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), 0);
	check_all(ranges, 12);
	libiommu_iova_ranges_free(ranges);
}

static void test_grows_for_ever(void **state)
{
	static uint32_t steps[8];
	struct libiommu_iova_ranges *ranges = NULL;

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		steps[i] = 17 + i;
		EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer, .user = &steps[i],
		             .result = -EMSGSIZE);
	}
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), -EAGAIN);
	assert_failure(-EAGAIN, LIBRARY, "libiommu_ioas_ranges");
	assert_null(ranges);
}

static void test_refused(void **state)
{
	struct libiommu_iova_ranges *ranges = NULL;

	(void)state;
	EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .result = -ENOENT);
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), -ENOENT);
	assert_failure(-ENOENT, KERNEL, "libiommu_ioas_ranges");
	/* Also at the second time of asking. */
	available = 20;
	EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer, .result = -EMSGSIZE);
	EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .result = -EFAULT);
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), -EFAULT);
	assert_int_equal(libiommu_ioas_ranges(ioas, NULL), -EINVAL);
	assert_null(ranges);
}

static void test_list_is_asked_wrongly(void **state)
{
	struct libiommu_iova_range range = {1, 2};
	struct libiommu_iova_ranges *ranges;

	(void)state;
	available = 1;
	EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer);
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), 0);
	assert_int_equal(libiommu_iova_ranges_get(ranges, 1, &range), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_iova_ranges_get");
	assert_int_equal(libiommu_iova_ranges_get(ranges, SIZE_MAX, &range), -EINVAL);
	assert_int_equal(libiommu_iova_ranges_get(ranges, 0, NULL), -EINVAL);
	assert_int_equal(libiommu_iova_ranges_get(NULL, 0, &range), -EINVAL);
	assert_int_equal(range.start + range.last, 3);
	assert_int_equal(libiommu_iova_ranges_count(NULL), 0);
	assert_int_equal(libiommu_iova_ranges_alignment(NULL), 0);
	libiommu_iova_ranges_free(ranges);
	libiommu_iova_ranges_free(NULL);
}

static void test_without_memory(void **state)
{
	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_iova_ranges *ranges = NULL;

		available = 20;
		EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer, .result = -EMSGSIZE);
		EXPECT_IOCTL(CTX_FD, IOAS_IOVA_RANGES, .act = answer);
		if (!ALLOC_TRY(libiommu_ioas_ranges(ioas, &ranges)))
			libiommu_iova_ranges_free(ranges);
		else
			assert_null(ranges);
	}
}

static void see_allowed(void *arg, const void *user)
{
	const struct uapi_ioas_allow_iovas *const cmd = arg;
	const struct uapi_iova_range *const ranges = (void *)(uintptr_t)cmd->allowed_iovas;

	(void)user;
	assert_int_equal(ranges[0].start, 0x1000);
	assert_int_equal(ranges[0].last, 0x1fff);
	assert_int_equal(ranges[1].start, 0x8000);
	assert_int_equal(ranges[1].last, UINT64_MAX);
}

static void test_allow(void **state)
{
	const struct libiommu_iova_range allowed[] = {{0x1000, 0x1fff}, {0x8000, UINT64_MAX}};

	(void)state;
	EXPECT_IOCTL(CTX_FD, IOAS_ALLOW_IOVAS,
	             IN(struct uapi_ioas_allow_iovas, .size = sizeof(struct uapi_ioas_allow_iovas),
	                .ioas_id = 2, .num_iovas = 2),
	             IGNORE(struct uapi_ioas_allow_iovas, .allowed_iovas = UINT64_MAX),
	             .act = see_allowed);
	assert_int_equal(libiommu_ioas_allow(ioas, allowed, 2), 0);
	/* None lifts the restriction. */
	EXPECT_IOCTL(CTX_FD, IOAS_ALLOW_IOVAS,
	             IN(struct uapi_ioas_allow_iovas, .size = sizeof(struct uapi_ioas_allow_iovas),
	                .ioas_id = 2));
	assert_int_equal(libiommu_ioas_allow(ioas, NULL, 0), 0);
}

static void test_allow_refused(void **state)
{
	const struct libiommu_iova_range allowed[] = {{0x1000, 0x1fff}};

	(void)state;
	EXPECT_IOCTL(CTX_FD, IOAS_ALLOW_IOVAS, .result = -EADDRINUSE);
	assert_int_equal(libiommu_ioas_allow(ioas, allowed, 1), -EADDRINUSE);
	assert_failure(-EADDRINUSE, KERNEL, "libiommu_ioas_allow");
	assert_int_equal(libiommu_ioas_allow(ioas, NULL, 1), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_ioas_allow");
	if (SIZE_MAX > UINT32_MAX)
		assert_int_equal(libiommu_ioas_allow(ioas, allowed, SIZE_MAX), -EINVAL);
}

#define RANGES_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RANGES_TEST(test_at_once),
		RANGES_TEST(test_more_than_expected),
		RANGES_TEST(test_more_than_expected_without_an_error),
		RANGES_TEST(test_grows_and_shrinks_meanwhile),
		RANGES_TEST(test_grows_for_ever),
		RANGES_TEST(test_refused),
		RANGES_TEST(test_list_is_asked_wrongly),
		RANGES_TEST(test_without_memory),
		RANGES_TEST(test_allow),
		RANGES_TEST(test_allow_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
