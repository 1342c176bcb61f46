/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Page requests from the kernel's test driver, whose attachment ends while they are read. All else
 * of them is in tests/conformance.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "mock.h"
#include "vm.h"

#define LABEL UINT64_C(0xfeed00000001)

enum { OWN_TAG = 70, TAG = 75, OTHER_TAG = 76 };

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *ioas;
static struct libiommu_fault_queue *queue, *other_queue;
static struct libiommu_fault_batch *batch;
static struct libiommu_hwpt *own, *table, *other; /* of queue, queue, and other_queue */

static int setup(void **state)
{
	uint32_t pasid;

	(void)state;
	ctx = mock_ctx(mock);
	dev = mock_device(mock, ctx, LABEL, true);
	OK(libiommu_ioas_alloc(ctx, &ioas));
	OK(libiommu_fault_queue_alloc(ctx, &queue));
	OK(libiommu_fault_queue_alloc(ctx, &other_queue));
	OK(libiommu_fault_batch_new(0, &batch));
	own = mock_hwpt(dev, ioas, queue);
	table = mock_hwpt(dev, ioas, queue);
	other = mock_hwpt(dev, ioas, other_queue);
	OK(libiommu_device_set_tag(dev, OWN_TAG));
	OK(libiommu_device_attach_hwpt(dev, own));
	OK(libiommu_pasid_attach(dev, 5, table, TAG, &pasid));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	OK(libiommu_device_destroy(dev));
	OK(libiommu_hwpt_destroy(own));
	OK(libiommu_hwpt_destroy(table));
	OK(libiommu_hwpt_destroy(other));
	OK(libiommu_fault_queue_destroy(queue));
	OK(libiommu_fault_queue_destroy(other_queue));
	OK(libiommu_ioas_destroy(ioas));
	OK(libiommu_ctx_destroy(ctx));
	libiommu_fault_batch_free(batch);
	return 0;
}

static uint64_t trigger_and_read(struct libiommu_fault_queue *from, uint32_t pasid,
                                 uint64_t address)
{
	OK(mock_fault(mock, dev, pasid, 1, LIBIOMMU_FAULT_READ, address));
	assert_int_equal(libiommu_fault_queue_wait(from, 10000), 1);
	assert_int_equal(libiommu_fault_queue_read(from, batch), 1);
	assert_true(libiommu_fault_batch_get(batch, 0)->address == address);
	return libiommu_fault_batch_get(batch, 0)->token;
}

static size_t respond(struct libiommu_fault_queue *to, uint64_t token, uint32_t code)
{
	const struct libiommu_fault_response response = {.token = token, .code = code};
	size_t stale;

	assert_int_equal(libiommu_fault_queue_respond(to, &response, 1, &stale), 1);
	return stale;
}

/*
 * The race that the queue's lock is for. A reader has a fault from the kernel and is held before
 * the library knows of it. Meanwhile its attachment ends, and the kernel frees the cookie; the next
 * fault gets it, and the held reader's answer must not be taken for an answer to that.
 */
static atomic_bool held, next_read;

static void pause_a_little(void)
{
	nanosleep(&(const struct timespec){.tv_nsec = 2000000}, NULL);
}

static void hold(void *user)
{
	(void)user;
	if (atomic_exchange(&held, true))
		return;
	/* Without the lock the other thread comes through at once; with it, it cannot. */
	for (int i = 0; i < 100 && !atomic_load(&next_read); i++)
		pause_a_little();
}

static void *read_and_be_held(void *arg)
{
	struct libiommu_fault_batch *mine = arg;

	return libiommu_fault_queue_read(queue, mine) == 1 ? arg : NULL;
}

static void race(int (*change)(void))
{
	struct libiommu_fault_batch *mine;
	pthread_t reader;
	uint64_t late, next;
	void *read;

	OK(libiommu_fault_batch_new(0, &mine));
	atomic_store(&held, false);
	atomic_store(&next_read, false);
	OK(mock_fault(mock, dev, 5, 1, LIBIOMMU_FAULT_READ, 0x1000));
	mock_set_read_hook(mock, NULL, hold, NULL);
	OK(pthread_create(&reader, NULL, read_and_be_held, mine));
	while (!atomic_load(&held))
		pause_a_little();
	OK(change());
	next = trigger_and_read(queue, 0, 0x2000);
	atomic_store(&next_read, true);
	OK(pthread_join(reader, &read));
	mock_set_read_hook(mock, NULL, NULL, NULL);
	assert_non_null(read);
	late = libiommu_fault_batch_get(mine, 0)->token;
	/* The kernel has given the number again. */
	assert_int_not_equal(mock_cookie(mock, queue, 0x1000), 0);
	assert_int_equal(mock_cookie(mock, queue, 0x2000), mock_cookie(mock, queue, 0x1000));
	assert_int_equal(respond(queue, late, LIBIOMMU_FAULT_SUCCESS), 1);
	assert_int_equal(respond(queue, next, LIBIOMMU_FAULT_SUCCESS), 0);
	libiommu_fault_batch_free(mine);
}

static int detach(void)
{
	return libiommu_pasid_detach(dev, 5);
}

static int replace(void)
{
	return libiommu_pasid_replace(dev, 5, other, OTHER_TAG);
}

static void test_detach_between_read_and_register(void **state)
{
	(void)state;
	race(detach);
}

static void test_replace_between_read_and_register(void **state)
{
	(void)state;
	race(replace);
}

#define FAULT_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(test_detach_between_read_and_register),
		FAULT_TEST(test_replace_between_read_and_register),
	};
	int failed;

	mock = mock_new();
	if (!mock)
		return 77;
	failed = cmocka_run_group_tests_name("fault-queue", tests, NULL, NULL);
	mock_free(mock);
	return failed;
}
