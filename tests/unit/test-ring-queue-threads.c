/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Two devices fault through two queues into one ring, and what is attached changes all the while: a
 * thread for each device, one that drives the ring, one that reads it. All sleep whenever they can,
 * so that a wake-up that is lost stops the test. Each group has to get its own answer, and no fault
 * of an attachment comes after its end. What a queue has comes in its order, all of it but what an
 * end has found on its way; and that too where there is room in the ring for all, and nothing is
 * read before the ring asks for it: not by the kernel, nor because faults of a PASID with nothing
 * attached wait in the queue of the device's own page table.
 */
#include <poll.h>
#include <pthread.h>

#include "fault-model.h"

/* Groups that may be out: fewer than faults wait, and more than there ever are. */
enum { PASIDS = 4, EACH = 8000, BATCH = 16, FEW = 128, ENOUGH = 1024 };

static struct libiommu_ctx *ctx;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;
static struct libiommu_fault_queue *queues[2];
static struct libiommu_device *devices[2];
static struct libiommu_hwpt *tables[2][2]; /* two of each queue */
static struct libiommu_hwpt *plain;
static struct libiommu_hwpt *attached[2][PASIDS + 1];
static uint32_t flags; /* of a queue in the ring */
static atomic_uint wrong;
static atomic_uint ends; /* of attachments with a queue */

static uint64_t tag_of(uint32_t device, uint32_t pasid, uint32_t queue)
{
	return device * 100 + pasid * 10 + queue;
}

/* Of one queue, device and PASID: the attachment that ended last. */
static uint32_t ended[2][2][PASIDS + 1];
static atomic_uint seen; /* ends, by the reader */
static atomic_uint came; /* groups of faults, to the reader */
/* Faults come from this PASID on; from 0 on, the devices' own page tables have queues too. */
static uint32_t lowest;
/* Of each queue: one more than the last to come. */
static uint32_t next[2];
/* A queue goes now and then, and what is on its way is answered by the ring. */
static bool queue_goes;

/* What was raised before it is here, or ended when nobody had it yet. */
static void look_in_order(uint32_t queue, uint32_t number)
{
	if (number < next[queue])
		atomic_fetch_add(&wrong, 1);
	for (uint32_t i = next[queue]; i < number; i++) {
		const enum model_state state = model_state(i);

		if (model_queue_of(i) == queue && state != MODEL_ENDED &&
		    !(queue_goes && state == MODEL_ANSWERED))
			atomic_fetch_add(&wrong, 1);
	}
	next[queue] = number + 1;
}

static void look(const struct libiommu_record *record)
{
	const uint32_t queue = (uint32_t)(record->tag % 10);
	const uint32_t device = (uint32_t)(record->tag / 100);
	uint32_t *last;

	if (queue > 1 || device > 1 || record->vpasid > PASIDS ||
	    record->tag != tag_of(device, record->vpasid, queue) || record->label != device) {
		atomic_fetch_add(&wrong, 1);
		return;
	}
	last = &ended[queue][device][record->vpasid];
	if (record->attachment <= *last || record->queue != queue + 1)
		atomic_fetch_add(&wrong, 1);
	if (record->kind == LIBIOMMU_RECORD_DETACHED) {
		*last = record->attachment;
		atomic_fetch_add(&seen, 1);
	} else {
		look_in_order(queue, record->group);
		atomic_fetch_add(&came, 1);
	}
}

/*
 * Where groups have ended whose answers are still to come, there are more answers than places,
 * until the filler has taken some. How many are left, which are the first now.
 */
static size_t complete(struct libiommu_completion *done, size_t count)
{
	const int taken = libiommu_reader_complete(reader, done, count);
	const size_t left = taken > 0 ? count - (size_t)taken : count;

	if (taken < 0 && taken != -EAGAIN)
		atomic_fetch_add(&wrong, 1);
	memmove(done, done + (count - left), left * sizeof(*done));
	return left;
}

static void *read_all(void *arg)
{
	struct libiommu_completion done[BATCH];
	const struct libiommu_record *records;
	size_t held = 0, count;
	int got = 0;

	(void)arg;
	while (got >= 0) {
		got = libiommu_reader_next(reader, &records, &count);
		if (got > 0) {
			look(records);
			if (records->token)
				done[held++] = (struct libiommu_completion){
					.token = records->token,
					.code = records->group % 2,
					.queue = records->queue,
				};
			if (held < BATCH)
				continue;
		}
		if (held || got > 0) {
			libiommu_reader_release(reader);
			while ((held = complete(done, held)) && got >= 0)
				got = libiommu_reader_sleep(reader, -1);
		} else if (!got) {
			libiommu_reader_release(reader);
			got = libiommu_reader_sleep(reader, -1);
		}
	}
	if (got != -EPIPE)
		atomic_fetch_add(&wrong, 1);
	return NULL;
}

static void check(int error)
{
	if (error)
		atomic_fetch_add(&wrong, 1);
}

static void raise_one(uint32_t device, uint32_t pasid, uint32_t number)
{
	while (model_raise(device, pasid, 1 + number % 3) == UINT32_MAX)
		atomic_fetch_add(&wrong, 1);
	/* Changes must not be faster than the reader, or there is nobody to disturb. */
	while (number % 8 == 0 && model_count(MODEL_WAITING) + model_count(MODEL_OUT) >
	                                  (number / 512 % 2 ? 200U : 16U))
		poll(NULL, 0, 1);
}

static void change_own(uint32_t device, uint32_t to)
{
	struct libiommu_device *const dev = devices[device];

	check(libiommu_device_detach(dev));
	check(libiommu_device_set_tag(dev, tag_of(device, 0, to)));
	check(libiommu_device_attach_hwpt(dev, tables[to][0]));
	atomic_fetch_add(&ends, 1);
}

static void replace(uint32_t device, uint32_t pasid, uint32_t queue, uint32_t table)
{
	struct libiommu_hwpt *const hwpt = tables[queue][table];

	/* By itself it is no end. */
	if (attached[device][pasid] != hwpt)
		atomic_fetch_add(&ends, 1);
	attached[device][pasid] = hwpt;
	check(libiommu_pasid_replace(devices[device], pasid, hwpt, tag_of(device, pasid, queue)));
}

static void change(uint32_t device, uint32_t pasid, uint32_t number)
{
	struct libiommu_device *const dev = devices[device];
	const uint32_t to = number / 64 % 2;
	uint32_t found;

	if (!pasid) {
		change_own(device, to);
	} else if (number % 3) {
		replace(device, pasid, 0, 0);
		replace(device, pasid, 1, 1);
		replace(device, pasid, to, 0);
	} else {
		check(libiommu_pasid_detach(dev, pasid));
		check(libiommu_pasid_attach(dev, pasid, tables[to][1], tag_of(device, pasid, to),
		                            &found));
		attached[device][pasid] = tables[to][1];
		atomic_fetch_add(&ends, 1);
	}
}

static void *fault(void *arg)
{
	const uint32_t device = (uint32_t)(uintptr_t)arg;

	for (uint32_t i = 0; i < EACH; i++) {
		const uint32_t pasid = lowest + i / 4 % (PASIDS + 1 - lowest);

		raise_one(device, pasid, i);
		if (i % 64 == 63)
			change(device, pasid, i);
	}
	return NULL;
}

static void set_up(uint32_t add_flags, uint32_t from, uint32_t groups)
{
	uint32_t found;

	flags = add_flags;
	lowest = from;
	ctx = model_ctx();
	door_alias(true);
	ring = ring_make(ctx, 1024, groups, 0);
	for (uint32_t i = 0; i < 2; i++) {
		queues[i] = model_queue(ctx);
		tables[i][0] = model_hwpt(ctx, queues[i]);
		tables[i][1] = model_hwpt(ctx, queues[i]);
		assert_int_equal(libiommu_ring_add_queue(ring, queues[i], flags), flags);
	}
	plain = model_hwpt(ctx, NULL);
	for (uint32_t i = 0; i < 2; i++) {
		devices[i] = model_device(ctx, i);
		assert_int_equal(libiommu_device_set_tag(devices[i], tag_of(i, 0, 0)), 0);
		assert_int_equal(
			libiommu_device_attach_hwpt(devices[i], lowest ? plain : tables[0][0]), 0);
		for (uint32_t pasid = 1; pasid <= PASIDS; pasid++) {
			assert_int_equal(libiommu_pasid_attach(devices[i], pasid, tables[0][1],
			                                       tag_of(i, pasid, 0), &found),
			                 0);
			attached[i][pasid] = tables[0][1];
		}
	}
	memset(ended, 0, sizeof(ended));
	memset(next, 0, sizeof(next));
	atomic_store(&seen, 0);
	atomic_store(&came, 0);
	atomic_store(&wrong, 0);
	atomic_store(&ends, 0);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(libiommu_ring_start(ring), 0);
}

static void wait_for_the_last(void)
{
	while (model_count(MODEL_WAITING) || model_count(MODEL_OUT))
		poll(NULL, 0, 1);
}

static void tear_down(void)
{
	libiommu_reader_free(reader);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(libiommu_device_destroy(devices[i]), 0);
	assert_int_equal(libiommu_hwpt_destroy(plain), 0);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(libiommu_hwpt_destroy(tables[i][0]), 0);
		assert_int_equal(libiommu_hwpt_destroy(tables[i][1]), 0);
		assert_int_equal(libiommu_fault_queue_destroy(queues[i]), 0);
	}
	model_ctx_close(ctx);
}

/* The reader and the kernel have the same to tell. */
static void compare(bool all_come)
{
	const unsigned int answered = model_count(MODEL_ANSWERED);
	const unsigned int ended_by_then = model_count(MODEL_ENDED);
	const unsigned int given = model_given();

	print_message("# %u given, %u came, %u answered, %u ended by the kernel, %u ends\n", given,
	              atomic_load(&came), answered, ended_by_then, atomic_load(&ends));
	assert_int_equal(model_wrong(), 0);
	assert_int_equal(answered + ended_by_then, 2 * EACH);
	/* What had been read when its attachment ended is answered once, and the kernel says no. */
	assert_int_equal(model_refused(), given - answered);
	assert_in_range(atomic_load(&came), all_come ? given : answered, given);
	/* There was something to be got wrong. */
	assert_true(answered > 0 && ended_by_then > 0);
}

static void run_changes(uint32_t add_flags, uint32_t from, uint32_t groups)
{
	pthread_t readers, faulters[2];

	queue_goes = false;
	set_up(add_flags, from, groups);
	assert_int_equal(pthread_create(&readers, NULL, read_all, NULL), 0);
	for (uintptr_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&faulters[i], NULL, fault, (void *)i), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(faulters[i], NULL);
	wait_for_the_last();
	/* The devices go while the ring and its reader are at work. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(libiommu_device_revoke(devices[i]), 0);
	atomic_fetch_add(&ends, 2 * (PASIDS + 1 - lowest));
	while (atomic_load(&seen) < atomic_load(&ends))
		poll(NULL, 0, 1);
	ring_check(ring);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_ERRORS), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_DETACHED), atomic_load(&ends));
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	pthread_join(readers, NULL);
	assert_int_equal(atomic_load(&wrong), 0);
	assert_int_equal(atomic_load(&seen), atomic_load(&ends));
	compare(groups == ENOUGH);
	tear_down();
}

/* A queue goes and comes, under faults and changes; in the end the ring goes under them. */
static void run_queue_comes_and_goes(uint32_t add_flags)
{
	pthread_t readers, faulters[2];

	queue_goes = true;
	set_up(add_flags, 0, FEW);
	assert_int_equal(pthread_create(&readers, NULL, read_all, NULL), 0);
	for (uintptr_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&faulters[i], NULL, fault, (void *)i), 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(libiommu_ring_remove_queue(ring, queues[1]), 0);
		poll(NULL, 0, i % 3);
		assert_int_equal(libiommu_ring_add_queue(ring, queues[1], flags), flags);
		poll(NULL, 0, i % 5);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(faulters[i], NULL);
	wait_for_the_last();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_ERRORS), 0);
	ring_check(ring);
	for (uint32_t i = 0; i < 64; i++)
		model_raise(0, 1 + i % PASIDS, 1);
	assert_int_equal(pthread_create(&faulters[0], NULL, fault, NULL), 0);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	pthread_join(readers, NULL);
	/* Nobody reads it any more: the thread would wait for ever. */
	ring = ring_make(ctx, 1024, FEW, 0);
	assert_int_equal(libiommu_ring_add_queue(ring, queues[0], flags), flags);
	assert_int_equal(libiommu_ring_add_queue(ring, queues[1], flags), flags);
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(libiommu_ring_start(ring), 0);
	memset(ended, 0, sizeof(ended));
	assert_int_equal(pthread_create(&readers, NULL, read_all, NULL), 0);
	pthread_join(faulters[0], NULL);
	wait_for_the_last();
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	pthread_join(readers, NULL);
	assert_int_equal(atomic_load(&wrong), 0);
	assert_int_equal(model_count(MODEL_ANSWERED) + model_count(MODEL_ENDED), 3 * EACH + 64);
	tear_down();
}

static void test_changes(void **state)
{
	(void)state;
	run_changes(0, 0, FEW);
}

static void test_changes_all_seen(void **state)
{
	(void)state;
	run_changes(0, 1, ENOUGH);
}

static void test_changes_fed(void **state)
{
	(void)state;
	run_changes(LIBIOMMU_RING_IO_URING, 0, FEW);
}

static void test_queue_comes_and_goes(void **state)
{
	(void)state;
	run_queue_comes_and_goes(0);
}

static void test_queue_comes_and_goes_fed(void **state)
{
	(void)state;
	run_queue_comes_and_goes(LIBIOMMU_RING_IO_URING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_changes_all_seen),
		cmocka_unit_test(test_changes_fed),
		cmocka_unit_test(test_queue_comes_and_goes),
		cmocka_unit_test(test_queue_comes_and_goes_fed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
