/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Invalidation for VT-d: which page table, how few entries and calls, and what is left after one
 * failed. */
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "nest-steps.h"
#include "pasid-steps.h"

#include "../../lib/nest/vtd-merge.h"

#define ALL  UINT64_MAX
#define LEAF LIBIOMMU_INVALIDATE_LEAF

enum { PASID_PT = 42 };

static struct libiommu_hwpt *own;   /* the device's own, NESTED_PT */
static struct libiommu_hwpt *other; /* at vPASID 5, PASID_PT */
static struct libiommu_vtd_batch *batch;

static void attach(struct libiommu_device *dev, int fd, struct libiommu_hwpt *hwpt)
{
	EXPECT_IOCTL(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, .result = 0);
	assert_int_equal(libiommu_device_attach_hwpt(dev, hwpt), 0);
}

static int setup(void **state)
{
	uint32_t pasid;

	nest_setup(state);
	own = script_nested(nest_dev, DEVICE_ID, NESTED_PT);
	other = script_nested(nest_dev, DEVICE_ID, PASID_PT);
	attach(nest_dev, DEVICE_FD, own);
	expect_pasid_width(DEVICE_ID, 20, 0);
	expect_pasid_attach(DEVICE_FD, 5, PASID_PT, 0);
	assert_int_equal(libiommu_pasid_attach(nest_dev, 5, other, 0, &pasid), 0);
	assert_int_equal(libiommu_vtd_batch_new(nest_ctx, &batch), 0);
	script_done();
	return 0;
}

static int teardown(void **state)
{
	libiommu_vtd_batch_free(batch);
	if (nest_dev)
		assert_int_equal(libiommu_device_revoke(nest_dev), 0);
	script_hwpt_close(other, PASID_PT);
	script_hwpt_close(own, NESTED_PT);
	return nest_teardown(state);
}

static void add(uint32_t vpasid, uint64_t address, uint64_t length, uint32_t flags, uint64_t cookie)
{
	assert_int_equal(
		libiommu_vtd_batch_add(batch, nest_dev, vpasid, address, length, flags, cookie), 0);
}

#define ENTRY(address, pages, flag)                                                                \
	(struct uapi_hwpt_vtd_s1_invalidate)                                                       \
	{                                                                                          \
		.addr = (address), .npages = (pages), .flags = (flag)                              \
	}

/* One call for the page table; @told as for expect_entries(). */
static void expect_vtd(uint32_t id, const struct uapi_hwpt_vtd_s1_invalidate *entries,
                       uint32_t count, uint32_t told, int result)
{
	expect_entries(id, UAPI_HWPT_INVALIDATE_DATA_VTD_S1, entries, sizeof(*entries), count, told,
	               result);
}

static void assert_left(const uint64_t *cookies, size_t count)
{
	uint64_t cookie = 0;

	assert_int_equal(libiommu_vtd_batch_count(batch), count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(libiommu_vtd_batch_cookie(batch, i, &cookie), 0);
		assert_int_equal(cookie, cookies[i]);
	}
	assert_int_equal(libiommu_vtd_batch_cookie(batch, count, &cookie), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_vtd_batch_cookie");
}

static void test_one_call_for_each_page_table(void **state)
{
	(void)state;
	assert_int_equal(libiommu_vtd_batch_submit(batch), 0);
	add(5, 0x7000, 0x1000, 0, 0);
	add(0, 0x1000, 0x1000, 0, 1);
	add(5, 0x1000, 0x1000, 0, 2);
	add(0, 0x5000, 0x2000, 0, 3);
	assert_left((const uint64_t[]){0, 1, 2, 3}, 4);
	expect_vtd(NESTED_PT,
	           (const struct uapi_hwpt_vtd_s1_invalidate[]){ENTRY(0x1000, 1, 0),
	                                                        ENTRY(0x5000, 2, 0)},
	           2, 2, 0);
	expect_vtd(PASID_PT,
	           (const struct uapi_hwpt_vtd_s1_invalidate[]){ENTRY(0x1000, 1, 0),
	                                                        ENTRY(0x7000, 1, 0)},
	           2, 2, 0);
	assert_int_equal(libiommu_vtd_batch_submit(batch), 0);
	assert_left(NULL, 0);
}

static void expect_one(struct uapi_hwpt_vtd_s1_invalidate entry)
{
	expect_vtd(NESTED_PT, &entry, 1, 1, 0);
	assert_int_equal(libiommu_vtd_batch_submit(batch), 0);
}

static void test_merging(void **state)
{
	(void)state;
	/* Touching, in any order, and overlapping, and inside. */
	add(0, 0x3000, 0x1000, 0, 0);
	add(0, 0x1000, 0x1000, 0, 0);
	add(0, 0x2000, 0x1000, 0, 0);
	add(0, 0x2000, 0x8000, 0, 0);
	add(0, 0x4000, 0x1000, 0, 0);
	expect_one(ENTRY(0x1000, 9, 0));
	/* Whole pages. */
	add(0, 0x1fff, 2, 0, 0);
	expect_one(ENTRY(0x1000, 2, 0));
	add(0, 0x1001, 1, LEAF, 0);
	expect_one(ENTRY(0x1000, 1, UAPI_VTD_INV_FLAGS_LEAF));
	/* Everything, and what is in it. */
	add(0, 0x5000, 0x1000, LEAF, 0);
	add(0, 0, ALL, 0, 0);
	add(0, 0x9000, 0x1000, 0, 0);
	expect_one(ENTRY(0, UINT64_MAX, 0));
	add(0, 0, ALL, LEAF, 0);
	expect_one(ENTRY(0, UINT64_MAX, UAPI_VTD_INV_FLAGS_LEAF));
	/* To the very end. */
	add(0, UINT64_MAX - 0xfff, 0x1000, 0, 0);
	add(0, UINT64_MAX, 1, 0, 0);
	expect_one(ENTRY(UINT64_MAX - 0xfff, 1, 0));
	/* Two halves. */
	add(0, 0, UINT64_C(1) << 63, 0, 0);
	add(0, UINT64_C(1) << 63, UINT64_C(1) << 63, 0, 0);
	expect_one(ENTRY(0, UINT64_MAX, 0));
}

/* What keeps upper tables does not stand for what drops them, the other way round it does. */
static void test_leaves(void **state)
{
	(void)state;
	add(0, 0x1000, 0x1000, LEAF, 0);
	add(0, 0x2000, 0x1000, 0, 0);
	add(0, 0x3000, 0x1000, LEAF, 0);
	add(0, 0x2000, 0x1000, LEAF, 0);
	add(0, 0x9000, 0x3000, 0, 0);
	add(0, 0xa000, 0x1000, LEAF, 0);
	add(0, 0xb000, 0x2000, LEAF, 0);
	expect_vtd(NESTED_PT,
	           (const struct uapi_hwpt_vtd_s1_invalidate[]){
			   ENTRY(0x2000, 1, 0), ENTRY(0x9000, 3, 0),
			   ENTRY(0x1000, 1, UAPI_VTD_INV_FLAGS_LEAF),
			   ENTRY(0x3000, 1, UAPI_VTD_INV_FLAGS_LEAF),
			   ENTRY(0xb000, 2, UAPI_VTD_INV_FLAGS_LEAF)},
	           5, 5, 0);
	assert_int_equal(libiommu_vtd_batch_submit(batch), 0);
}

static void test_failure(void **state)
{
	const struct uapi_hwpt_vtd_s1_invalidate entries[] = {
		ENTRY(0x1000, 2, 0), ENTRY(0x5000, 1, 0), ENTRY(0x8000, 1, 0)};
	uint32_t id = 0, none;

	(void)state;
	add(0, 0x8000, 0x1000, 0, 10);
	add(5, 0x1000, 0x1000, 0, 11);
	add(0, 0x2000, 0x1000, 0, 12);
	add(0, 0x5000, 0x1000, 0, 13);
	add(0, 0x1000, 0x1000, 0, 14);
	add(0, 0x5000, 0x1000, LEAF, 15);
	expect_vtd(NESTED_PT, entries, 3, 1, -EINVAL);
	/* The other page table is none the worse. */
	expect_vtd(PASID_PT, &ENTRY(0x1000, 1, 0), 1, 1, 0);
	assert_int_equal(libiommu_vtd_batch_submit(batch), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_vtd_batch_submit");
	assert_int_equal(libiommu_failure_ids(&id, &none), 0);
	assert_int_equal(id, NESTED_PT);
	/* In the order in which they came, with the one that was part of another's entry. */
	assert_left((const uint64_t[]){10, 13, 15}, 3);
	/* More may come; what is left goes again. */
	add(0, 0x6000, 0x1000, 0, 16);
	expect_vtd(NESTED_PT,
	           (const struct uapi_hwpt_vtd_s1_invalidate[]){ENTRY(0x5000, 2, 0),
	                                                        ENTRY(0x8000, 1, 0)},
	           2, 0, -ENOMEM);
	assert_int_equal(libiommu_vtd_batch_submit(batch), -ENOMEM);
	assert_left((const uint64_t[]){10, 13, 15, 16}, 4);
	libiommu_vtd_batch_clear(batch);
	libiommu_vtd_batch_clear(NULL);
	assert_left(NULL, 0);
	/* Two fail: the first is told. */
	add(0, 0x1000, 1, 0, 1);
	add(5, 0x1000, 1, 0, 2);
	expect_vtd(NESTED_PT, &ENTRY(0x1000, 1, 0), 1, 1, -ENOTTY);
	expect_vtd(PASID_PT, &ENTRY(0x1000, 1, 0), 1, 0, -EINVAL);
	assert_int_equal(libiommu_vtd_batch_submit(batch), -ENOTTY);
	assert_left((const uint64_t[]){1, 2}, 2);
}

/* The page table is the one that was attached then, and cannot go before it was invalidated. */
static void test_pins(void **state)
{
	struct libiommu_hwpt *third = script_nested(nest_dev, DEVICE_ID, 43);
	uint32_t pasid;

	(void)state;
	expect_pasid_attach(DEVICE_FD, 6, 43, 0);
	assert_int_equal(libiommu_pasid_attach(nest_dev, 6, third, 0, &pasid), 0);
	add(6, 0x1000, 0x1000, 0, 0);
	expect_pasid_detach(DEVICE_FD, 6, 0);
	assert_int_equal(libiommu_pasid_detach(nest_dev, 6), 0);
	assert_int_equal(libiommu_vtd_batch_add(batch, nest_dev, 6, 0, 1, 0, 0), -ENOENT);
	assert_int_equal(libiommu_hwpt_destroy(third), -EBUSY);
	expect_vtd(43, &ENTRY(0x1000, 1, 0), 1, 0, -EINVAL);
	assert_int_equal(libiommu_vtd_batch_submit(batch), -EINVAL);
	assert_int_equal(libiommu_hwpt_destroy(third), -EBUSY);
	expect_vtd(43, &ENTRY(0x1000, 1, 0), 1, 1, 0);
	assert_int_equal(libiommu_vtd_batch_submit(batch), 0);
	script_hwpt_close(third, 43);
}

static void test_vpasid_is_not_the_pasid(void **state)
{
	struct libiommu_device *const one = script_device_as(nest_ctx, 120, 8, 1);
	struct libiommu_device *const two = script_device_as(nest_ctx, 121, 9, 2);
	struct libiommu_pasid_space *space;
	uint32_t first, second;

	(void)state;
	assert_int_equal(libiommu_pasid_space_new(nest_ctx, 0, &space), 0);
	assert_int_equal(libiommu_pasid_space_join(space, one), 0);
	assert_int_equal(libiommu_pasid_space_join(space, two), 0);
	expect_pasid_width(8, 20, 0);
	expect_pasid_attach(120, 1, NESTED_PT, 0);
	assert_int_equal(libiommu_pasid_attach(one, 1, own, 0, &first), 0);
	expect_pasid_width(9, 20, 0);
	expect_pasid_attach(121, 3, PASID_PT, 0);
	assert_int_equal(libiommu_pasid_attach(two, 3, other, 0, &second), 0);
	assert_int_equal(libiommu_vtd_batch_add(batch, one, 1, 0x1000, 1, 0, 0), 0);
	assert_int_equal(libiommu_vtd_batch_add(batch, two, 3, 0x2000, 1, 0, 0), 0);
	assert_int_equal(libiommu_vtd_batch_add(batch, two, 1, 0x2000, 1, 0, 0), -ENOENT);
	expect_vtd(NESTED_PT, &ENTRY(0x1000, 1, 0), 1, 1, 0);
	expect_vtd(PASID_PT, &ENTRY(0x2000, 1, 0), 1, 1, 0);
	assert_int_equal(libiommu_vtd_batch_submit(batch), 0);
	script_device_close(one);
	script_device_close(two);
	assert_int_equal(libiommu_pasid_space_destroy(space), 0);
}

static void test_refused(void **state)
{
	struct libiommu_device *const dev = script_device_as(nest_ctx, 120, 8, 1);
	struct libiommu_hwpt *adopted, *plain;
	uint64_t cookie;

	(void)state;
	assert_int_equal(libiommu_vtd_batch_add(batch, nest_dev, 0, 0, 0, 0, 0), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_vtd_batch_add");
	assert_int_equal(libiommu_vtd_batch_add(batch, nest_dev, 0, 0x1000, ALL, 0, 0), -EINVAL);
	assert_int_equal(libiommu_vtd_batch_add(batch, nest_dev, 0, ALL, 2, 0, 0), -EINVAL);
	assert_int_equal(libiommu_vtd_batch_add(batch, nest_dev, 0, 0, 1, 2, 0), -EINVAL);
	assert_int_equal(libiommu_vtd_batch_add(batch, NULL, 0, 0, 1, 0, 0), -EINVAL);
	assert_int_equal(libiommu_vtd_batch_add(batch, nest_dev, 7, 0, 1, 0, 0), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_vtd_batch_add");
	assert_int_equal(libiommu_vtd_batch_add(batch, nest_dev, 1 << 20, 0, 1, 0, 0), -ENOENT);
	/* Nothing; an address space; a page table that is not nested. */
	assert_int_equal(libiommu_vtd_batch_add(batch, dev, 0, 0, 1, 0, 0), -ENOENT);
	script_attach_ioas(dev, 120, nest_ioas, NEST_IOAS, 90);
	assert_int_equal(libiommu_vtd_batch_add(batch, dev, 0, 0, 1, 0, 0), -ENOENT);
	script_detach(dev, 120);
	plain = script_hwpt(dev, 8, nest_ioas, NEST_IOAS, 91);
	attach(dev, 120, plain);
	assert_int_equal(libiommu_vtd_batch_add(batch, dev, 0, 0, 1, 0, 0), -ENOENT);
	script_detach(dev, 120);
	script_hwpt_close(plain, 91);
	/* Of one that was adopted only the kernel can tell. */
	assert_int_equal(libiommu_hwpt_adopt(nest_ctx, 92, LIBIOMMU_ID_BORROW, &adopted), 0);
	attach(dev, 120, adopted);
	assert_int_equal(libiommu_vtd_batch_add(batch, dev, 0, 0, 1, 0, 0), 0);
	expect_vtd(92, &ENTRY(0, 1, 0), 1, 0, -ENOENT);
	assert_int_equal(libiommu_vtd_batch_submit(batch), -ENOENT);
	libiommu_vtd_batch_clear(batch);
	script_device_close(dev);
	assert_int_equal(libiommu_hwpt_destroy(adopted), 0);
	assert_int_equal(libiommu_vtd_batch_new(nest_ctx, NULL), -EINVAL);
	assert_int_equal(libiommu_vtd_batch_cookie(batch, 0, NULL), -EINVAL);
	assert_int_equal(libiommu_vtd_batch_cookie(batch, 0, &cookie), -ENOENT);
	assert_int_equal(libiommu_vtd_batch_count(NULL), 0);
	libiommu_vtd_batch_free(NULL);
	assert_int_equal(libiommu_device_revoke(nest_dev), 0);
	assert_int_equal(libiommu_vtd_batch_add(batch, nest_dev, 0, 0, 1, 0, 0), -ENODEV);
}

static void test_of_different_contexts(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_vtd_batch *foreign;
	struct libiommu_ctx *ctx;

	(void)state;
	EXPECT_OPEN("/dev/iommu", 300);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_vtd_batch_new(ctx, &foreign), 0);
	assert_int_equal(libiommu_vtd_batch_add(foreign, nest_dev, 0, 0, 1, 0, 0), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_vtd_batch_add");
	libiommu_vtd_batch_free(foreign);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
}

static void test_without_memory(void **state)
{
	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_vtd_batch *made = NULL;

		if (!ALLOC_TRY(libiommu_vtd_batch_new(nest_ctx, &made)))
			libiommu_vtd_batch_free(made);
		else
			assert_null(made);
	}
	for (uint64_t i = 0; i < 64; i++)
		add(0, i << 20, 0x1000, 0, i);
	/* The next one needs room, of two kinds. */
	for (unsigned int nth = 1; nth <= 2; nth++) {
		alloc_fail_nth(nth);
		assert_int_equal(libiommu_vtd_batch_add(batch, nest_dev, 0, 0, 1, 0, 99), -ENOMEM);
		assert_true(alloc_restore());
		assert_int_equal(libiommu_vtd_batch_count(batch), 64);
	}
	add(0, 0x1000, 0x1000, 0, 64);
	expect_invalidate(NESTED_PT, 0, sizeof(struct uapi_hwpt_vtd_s1_invalidate), 64, 64, 0);
	assert_int_equal(libiommu_vtd_batch_submit(batch), 0);
	/* Forgotten with the batch. */
	add(0, 0x1000, 0x1000, 0, 0);
}

/* A guest's 10,000 unmaps: pages of eight buffers at a time, as its allocator hands them out. */
static void test_ten_thousand(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 10000; i++)
		add(i % 2 ? 5 : 0, (i / 8 * 64 + i % 8) << 12, 0x1000, LEAF, i);
	expect_invalidate(NESTED_PT, 0, sizeof(struct uapi_hwpt_vtd_s1_invalidate), 5000, 5000, 0);
	expect_invalidate(PASID_PT, 0, sizeof(struct uapi_hwpt_vtd_s1_invalidate), 5000, 5000, 0);
	assert_int_equal(libiommu_vtd_batch_submit(batch), 0);
	for (uint64_t i = 0; i < 10000; i++)
		add(i / 8 % 2 ? 5 : 0, (i / 8 * 64 + i % 8) << 12, 0x1000, LEAF, i);
	expect_invalidate(NESTED_PT, 0, sizeof(struct uapi_hwpt_vtd_s1_invalidate), 625, 625, 0);
	expect_invalidate(PASID_PT, 0, sizeof(struct uapi_hwpt_vtd_s1_invalidate), 625, 625, 0);
	assert_int_equal(libiommu_vtd_batch_submit(batch), 0);
	print_message("# 10000 requests for 2 page tables: 2 calls instead of 10000\n");
}

enum { PAGES = 40 };

/* Random requests: no page is forgotten, none is added, and no two entries could have been one. */
static void test_random_merges(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		struct vtd_request requests[12];
		struct uapi_hwpt_vtd_s1_invalidate entries[12];
		const size_t count = 1 + (size_t)rand() % 12;
		bool wanted[2][PAGES] = {{false}}, got[2][PAGES] = {{false}};
		size_t used;

		for (size_t i = 0; i < count; i++) {
			const uint64_t first = (uint64_t)rand() % PAGES;
			uint64_t last = first + (uint64_t)rand() % 6;

			last = last < PAGES ? last : PAGES - 1;
			requests[i] = (struct vtd_request){
				.first = first, .last = last, .leaf = rand() % 2};
			for (uint64_t page = first; page <= last; page++)
				wanted[requests[i].leaf][page] = true;
		}
		li_vtd_sort(requests, count);
		used = li_vtd_merge(requests, count, entries);
		assert_in_range(used, 1, count);
		for (size_t i = 0; i < used; i++) {
			const bool leaf = entries[i].flags;
			const uint64_t first = entries[i].addr >> 12;

			for (uint64_t page = first; page < first + entries[i].npages; page++) {
				assert_false(got[leaf][page]);
				assert_true(wanted[leaf][page]);
				got[leaf][page] = true;
			}
			assert_true(!i || leaf != (bool)entries[i - 1].flags ||
			            first > (entries[i - 1].addr >> 12) + entries[i - 1].npages);
		}
		for (size_t page = 0; page < PAGES; page++) {
			assert_int_equal(got[0][page], wanted[0][page]);
			assert_true(got[0][page] || got[1][page] || !wanted[1][page]);
		}
		/* Each is a part of its entry. */
		for (size_t i = 0; i < count; i++) {
			const struct uapi_hwpt_vtd_s1_invalidate *const entry =
				&entries[requests[i].entry];

			assert_true(requests[i].leaf || !entry->flags);
			assert_true(requests[i].first >= entry->addr >> 12 &&
			            requests[i].last < (entry->addr >> 12) + entry->npages);
		}
	}
}

#define VTD_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VTD_TEST(test_one_call_for_each_page_table),
		VTD_TEST(test_merging),
		VTD_TEST(test_leaves),
		VTD_TEST(test_failure),
		VTD_TEST(test_pins),
		VTD_TEST(test_vpasid_is_not_the_pasid),
		VTD_TEST(test_refused),
		VTD_TEST(test_of_different_contexts),
		VTD_TEST(test_without_memory),
		VTD_TEST(test_ten_thousand),
		SCRIPT_TEST(test_random_merges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
