/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Fault queues as objects: made, adopted, waited for, destroyed in the order the kernel demands. */
#include <fcntl.h>
#include <poll.h>

#include "alloc.h"
#include "fault-steps.h"

#include "../../lib/object/fault-queue.h"

static void test_alloc_fails(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_fault_queue *queue = NULL;
	uint64_t count;

	(void)state;
	assert_int_equal(libiommu_fault_queue_alloc(ctx, NULL), -EINVAL);
	EXPECT_IOCTL(CTX_FD, FAULT_QUEUE_ALLOC, .result = -ENOTTY);
	assert_int_equal(libiommu_fault_queue_alloc(ctx, &queue), -ENOTTY);
	assert_failure(-ENOTTY, KERNEL, "libiommu_fault_queue_alloc");
	assert_explained("older than 6.11");
	assert_null(queue);
	assert_int_equal(libiommu_ctx_live(ctx, LIBIOMMU_OBJECT_FAULT_QUEUE, &count), 0);
	assert_int_equal(count, 0);
	script_ctx_close(ctx);
}

static void test_alloc_without_memory(void **state)
{
	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_ctx *const ctx = script_ctx();
		struct libiommu_fault_queue *queue = NULL;

		EXPECT_IOCTL(CTX_FD, FAULT_QUEUE_ALLOC,
		             OUT(struct uapi_fault_alloc, .out_fault_id = 7, .out_fault_fd = 150),
		             .opens = 150);
		if (!ALLOC_TRY(libiommu_fault_queue_alloc(ctx, &queue))) {
			expect_destroy(7, 0);
			assert_int_equal(libiommu_fault_queue_destroy(queue), 0);
		} else {
			assert_null(queue);
		}
		script_ctx_close(ctx);
	}
}

static void test_getters(void **state)
{
	uint32_t id = 0;
	uint64_t count;

	(void)state;
	assert_int_equal(libiommu_fault_queue_fd(fault_queue), QUEUE_FD);
	assert_int_equal(libiommu_fault_queue_id(fault_queue, &id), 0);
	assert_int_equal(id, QUEUE_ID);
	assert_int_equal(libiommu_fault_queue_id(fault_queue, NULL), -EINVAL);
	assert_int_equal(libiommu_fault_queue_outstanding(fault_queue, NULL), -EINVAL);
	assert_int_equal(libiommu_ctx_live(fault_ctx, LIBIOMMU_OBJECT_FAULT_QUEUE, &count), 0);
	assert_int_equal(count, 1);
}

static void test_adopt(void **state)
{
	struct libiommu_ctx *const ctx = script_ctx();
	struct libiommu_fault_queue *queue = NULL;

	(void)state;
	assert_int_equal(
		libiommu_fault_queue_adopt(ctx, 7, LIBIOMMU_ID_OWN, 150, LIBIOMMU_FD_OWN, NULL),
		-EINVAL);
	assert_int_equal(
		libiommu_fault_queue_adopt(ctx, 0, LIBIOMMU_ID_OWN, 150, LIBIOMMU_FD_OWN, &queue),
		-EINVAL);
	assert_int_equal(
		libiommu_fault_queue_adopt(ctx, 7, LIBIOMMU_ID_OWN, -1, LIBIOMMU_FD_OWN, &queue),
		-EINVAL);
	assert_int_equal(libiommu_fault_queue_adopt(ctx, 7, (enum libiommu_id_mode)2, 150,
	                                            LIBIOMMU_FD_OWN, &queue),
	                 -EINVAL);
	assert_int_equal(libiommu_fault_queue_adopt(ctx, 7, LIBIOMMU_ID_OWN, 150,
	                                            (enum libiommu_fd_mode)3, &queue),
	                 -EINVAL);
	script_lend_fd(150);
	EXPECT_DUP(150, -EMFILE);
	assert_int_equal(
		libiommu_fault_queue_adopt(ctx, 7, LIBIOMMU_ID_OWN, 150, LIBIOMMU_FD_DUP, &queue),
		-EMFILE);
	assert_failure(-EMFILE, KERNEL, "libiommu_fault_queue_adopt");
	assert_null(queue);

	/* Nothing of it is the library's. */
	assert_int_equal(libiommu_fault_queue_adopt(ctx, 7, LIBIOMMU_ID_BORROW, 150,
	                                            LIBIOMMU_FD_BORROW, &queue),
	                 0);
	assert_int_equal(libiommu_fault_queue_destroy(queue), 0);
	EXPECT_DUP(150, 151);
	assert_int_equal(
		libiommu_fault_queue_adopt(ctx, 7, LIBIOMMU_ID_OWN, 150, LIBIOMMU_FD_DUP, &queue),
		0);
	assert_int_equal(libiommu_fault_queue_fd(queue), 151);
	EXPECT_CLOSE(151);
	expect_destroy(7, 0);
	assert_int_equal(libiommu_fault_queue_destroy(queue), 0);
	ALLOC_LOOP
	{
		queue = NULL;
		if (!ALLOC_TRY(libiommu_fault_queue_adopt(ctx, 7, LIBIOMMU_ID_BORROW, 150,
		                                          LIBIOMMU_FD_BORROW, &queue)))
			assert_int_equal(libiommu_fault_queue_destroy(queue), 0);
	}
	script_ctx_close(ctx);
}

/* The descriptor goes first; what the kernel says then decides whether the handle goes too. */
static void test_destroy_again(void **state)
{
	struct libiommu_fault_queue *const other = script_fault_queue(fault_ctx, 7, 150);
	const struct libiommu_fault_response response = {0};
	size_t stale;

	(void)state;
	EXPECT_CLOSE(150);
	expect_destroy(7, -EBUSY);
	assert_int_equal(libiommu_fault_queue_destroy(other), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_fault_queue_destroy");
	assert_int_equal(libiommu_fault_queue_fd(other), -EBADF);
	assert_int_equal(libiommu_fault_queue_read(other, fault_batch), -EBADF);
	assert_failure(-EBADF, LIBRARY, "libiommu_fault_queue_read");
	assert_int_equal(libiommu_fault_queue_respond(other, &response, 1, &stale), -EBADF);
	assert_failure(-EBADF, LIBRARY, "libiommu_fault_queue_respond");
	assert_int_equal(libiommu_fault_queue_wait(other, 0), -EBADF);
	assert_failure(-EBADF, LIBRARY, "libiommu_fault_queue_wait");
	expect_destroy(7, 0);
	assert_int_equal(libiommu_fault_queue_destroy(other), 0);
}

static void expect_pause(int ms)
{
	EXPECT(POLL, .fd = -1, .prot = ms);
}

/* What io_uring has read may be in use for a moment longer; and for ever, where others have it. */
static void test_destroy_waits_for_io_uring(void **state)
{
	struct libiommu_fault_queue *const other = script_fault_queue(fault_ctx, 7, 150);

	(void)state;
	li_fault_queue_state(other)->was_fed = true;
	EXPECT_CLOSE(150);
	expect_destroy(7, -EBUSY);
	for (int ms = 1; ms <= 512; ms *= 2) {
		expect_pause(ms);
		expect_destroy(7, -EBUSY);
	}
	assert_int_equal(libiommu_fault_queue_destroy(other), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_fault_queue_destroy");
	expect_destroy(7, -EBUSY);
	expect_pause(1);
	expect_destroy(7, -ENOENT);
	assert_int_equal(libiommu_fault_queue_destroy(other), -ENOENT);
	expect_destroy(7, -EBUSY);
	expect_pause(1);
	expect_destroy(7, -EBUSY);
	expect_pause(2);
	expect_destroy(7, 0);
	assert_int_equal(libiommu_fault_queue_destroy(other), 0);
}

static void test_page_tables_keep_it(void **state)
{
	(void)state;
	assert_int_equal(libiommu_fault_queue_destroy(fault_queue), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_fault_queue_destroy");
	assert_true(script_fd_is_open(QUEUE_FD));
}

static void test_wait(void **state)
{
	(void)state;
	EXPECT(POLL, .fd = QUEUE_FD, .flags = POLLIN, .prot = 250, .result = 0);
	assert_int_equal(libiommu_fault_queue_wait(fault_queue, 250), 0);
	EXPECT(POLL, .fd = QUEUE_FD, .flags = POLLIN, .prot = -1, .result = 1);
	assert_int_equal(libiommu_fault_queue_wait(fault_queue, -1), 1);
	EXPECT(POLL, .fd = QUEUE_FD, .flags = POLLIN, .prot = 0, .result = -EINTR);
	assert_int_equal(libiommu_fault_queue_wait(fault_queue, 0), -EINTR);
	assert_failure(-EINTR, KERNEL, "libiommu_fault_queue_wait");
}

static void test_page_table_with_a_queue(void **state)
{
	struct libiommu_ioas *const ioas = script_ioas(fault_ctx, 40);
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt;

	(void)state;
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_fault_queue(NULL, fault_queue), -EINVAL);
	assert_int_equal(libiommu_hwpt_config_set_fault_queue(config, fault_queue), 0);
	assert_int_equal(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_PASID), 0);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .flags = UAPI_HWPT_FAULT_ID_VALID | UAPI_HWPT_ALLOC_PASID,
	                .dev_id = DEVICE_ID, .pt_id = 40, .fault_id = QUEUE_ID),
	             SET(struct uapi_hwpt_alloc, out_hwpt_id, 41));
	assert_int_equal(libiommu_hwpt_alloc(fault_dev, ioas, config, &hwpt), 0);
	assert_int_equal(libiommu_hwpt_name_fault_queue(hwpt, fault_queue), -EALREADY);
	assert_failure(-EALREADY, LIBRARY, "libiommu_hwpt_name_fault_queue");
	script_hwpt_close(hwpt, 41);
	/* None again. */
	assert_int_equal(libiommu_hwpt_config_set_fault_queue(config, NULL), 0);
	assert_int_equal(libiommu_hwpt_config_set_flags(config, 0), 0);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .dev_id = DEVICE_ID, .pt_id = 40),
	             SET(struct uapi_hwpt_alloc, out_hwpt_id, 41));
	assert_int_equal(libiommu_hwpt_alloc(fault_dev, ioas, config, &hwpt), 0);
	script_hwpt_close(hwpt, 41);
	libiommu_hwpt_config_free(config);
	script_ioas_close(ioas, 40);
}

static void test_queues_of_other_contexts(void **state)
{
	struct libiommu_ctx_config *const ctx_config = script_ctx_config();
	struct libiommu_ioas *const ioas = script_ioas(fault_ctx, 40);
	struct libiommu_hwpt *const free_hwpt = borrowed_hwpt(fault_ctx, 44);
	struct libiommu_hwpt_config *config;
	struct libiommu_fault_queue *foreign;
	struct libiommu_hwpt *hwpt = NULL;
	struct libiommu_ctx *far;
	uint32_t pasid;

	(void)state;
	EXPECT_OPEN("/dev/iommu", 130);
	assert_int_equal(libiommu_ctx_new(ctx_config, &far), 0);
	libiommu_ctx_config_free(ctx_config);
	script_lend_fd(131);
	assert_int_equal(libiommu_fault_queue_adopt(far, 7, LIBIOMMU_ID_BORROW, 131,
	                                            LIBIOMMU_FD_BORROW, &foreign),
	                 0);
	assert_int_equal(libiommu_hwpt_name_fault_queue(free_hwpt, foreign), -EINVAL);
	assert_explained("different contexts");
	assert_int_equal(libiommu_hwpt_name_fault_queue(free_hwpt, NULL), -EINVAL);
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_fault_queue(config, foreign), 0);
	assert_int_equal(libiommu_hwpt_alloc(fault_dev, ioas, config, &hwpt), -EINVAL);
	assert_explained("different contexts");
	assert_null(hwpt);
	libiommu_hwpt_config_free(config);
	assert_int_equal(libiommu_fault_queue_destroy(foreign), 0);
	assert_int_equal(libiommu_ctx_destroy(far), 0);

	expect_pasid_attach(DEVICE_FD, 6, 44, 0);
	assert_int_equal(libiommu_pasid_attach(fault_dev, 6, free_hwpt, 0, &pasid), 0);
	assert_int_equal(libiommu_hwpt_name_fault_queue(free_hwpt, fault_queue), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_hwpt_name_fault_queue");
	expect_pasid_detach(DEVICE_FD, 6, 0);
	assert_int_equal(libiommu_pasid_detach(fault_dev, 6), 0);
	assert_int_equal(libiommu_hwpt_destroy(free_hwpt), 0);
	script_ioas_close(ioas, 40);
}

static void test_batch(void **state)
{
	struct libiommu_fault_batch *batch = NULL;

	(void)state;
	assert_int_equal(libiommu_fault_batch_new(0, NULL), -EINVAL);
	assert_int_equal(libiommu_fault_batch_new(65537, &batch), -EINVAL);
	assert_null(batch);
	libiommu_fault_batch_free(NULL);
	assert_int_equal(libiommu_fault_batch_count(NULL), 0);
	assert_null(libiommu_fault_batch_get(NULL, 0));
	assert_int_equal(libiommu_fault_batch_count(fault_batch), 0);
	assert_null(libiommu_fault_batch_get(fault_batch, 0));
	ALLOC_LOOP
	{
		batch = NULL;
		if (!ALLOC_TRY(libiommu_fault_batch_new(0, &batch)))
			libiommu_fault_batch_free(batch);
		else
			assert_null(batch);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_alloc_fails),
		SCRIPT_TEST(test_alloc_without_memory),
		FAULT_TEST(test_getters),
		SCRIPT_TEST(test_adopt),
		FAULT_TEST(test_destroy_again),
		FAULT_TEST(test_destroy_waits_for_io_uring),
		FAULT_TEST(test_page_tables_keep_it),
		FAULT_TEST(test_wait),
		FAULT_TEST(test_page_table_with_a_queue),
		FAULT_TEST(test_queues_of_other_contexts),
		FAULT_TEST(test_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
