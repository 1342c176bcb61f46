/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "race-rig.h"

#include <poll.h>
#include <time.h>

#include "mock-nest.h"

struct mock *mock;
struct rig rig;

static struct libiommu_hwpt *nested(struct libiommu_fault_queue *queue)
{
	const struct mock_hwpt_data data = {.value = MOCK_CACHED};
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *made;

	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_data(config, MOCK_HWPT_DATA, &data, sizeof(data)));
	OK(libiommu_hwpt_config_set_fault_queue(config, queue));
	OK(libiommu_hwpt_alloc_nested(rig.dev, rig.parent, config, &made));
	libiommu_hwpt_config_free(config);
	return made;
}

static void attach(void)
{
	uint32_t pasid;

	if (rig.race->subject == OF_NESTED) {
		rig.parent = mock_hwpt_with(rig.dev, rig.ioas, LIBIOMMU_HWPT_NEST_PARENT, NULL);
		rig.table = nested(rig.queue);
		rig.other = nested(rig.other_queue);
	} else {
		rig.table = mock_hwpt(rig.dev, rig.ioas, rig.queue);
		rig.other = mock_hwpt(rig.dev, rig.ioas, rig.other_queue);
	}
	if (rig.race->subject == OF_PASID) {
		OK(libiommu_device_attach_hwpt(rig.dev, rig.own));
		OK(libiommu_pasid_attach(rig.dev, PASID, rig.table, TAG, &pasid));
	} else {
		OK(libiommu_device_set_tag(rig.dev, TAG));
		OK(libiommu_device_attach_hwpt(rig.dev, rig.table));
	}
}

int rig_setup(void **state)
{
	const struct race *const race = *state;

	rig = (struct rig){.race = race, .ctx = mock_ctx(mock)};
	rig.dev = mock_device(mock, rig.ctx, LABEL, true);
	rig.other_dev = mock_device(mock, rig.ctx, OTHER_LABEL, true);
	OK(libiommu_ioas_alloc(rig.ctx, &rig.ioas));
	OK(libiommu_fault_queue_alloc(rig.ctx, &rig.queue));
	OK(libiommu_fault_queue_alloc(rig.ctx, &rig.other_queue));
	rig.queue_fd = libiommu_fault_queue_fd(rig.queue);
	rig.own = mock_hwpt(rig.other_dev, rig.ioas, rig.queue);
	OK(libiommu_device_set_tag(rig.other_dev, OWN_TAG));
	OK(libiommu_device_attach_hwpt(rig.other_dev, rig.own));
	attach();
	OK(libiommu_ring_new(rig.ctx, NULL, &rig.ring));
	/* The kernel of the test machine has io_uring. */
	assert_int_equal(libiommu_ring_add_queue(rig.ring, rig.queue, race->feed), !!race->feed);
	assert_int_equal(libiommu_ring_add_queue(rig.ring, rig.other_queue, race->feed),
	                 !!race->feed);
	OK(libiommu_ring_open_reader(rig.ring, &rig.reader));
	if (race->threaded)
		OK(libiommu_ring_start(rig.ring));
	else
		SUCCEEDS(libiommu_ring_dispatch(rig.ring));
	return 0;
}

int rig_teardown(void **state)
{
	(void)state;
	mock_set_read_hook(mock, NULL, NULL, NULL);
	mock_set_cancel_hook(mock, NULL, NULL, NULL);
	OK(libiommu_device_destroy(rig.dev));
	OK(libiommu_device_destroy(rig.other_dev));
	OK(libiommu_ring_destroy(rig.ring));
	libiommu_reader_free(rig.reader);
	OK(libiommu_hwpt_destroy(rig.own));
	OK(libiommu_hwpt_destroy(rig.table));
	OK(libiommu_hwpt_destroy(rig.other));
	OK(libiommu_hwpt_destroy(rig.parent));
	OK(libiommu_fault_queue_destroy(rig.queue));
	OK(libiommu_fault_queue_destroy(rig.other_queue));
	OK(libiommu_ioas_destroy(rig.ioas));
	OK(libiommu_ctx_destroy(rig.ctx));
	return 0;
}

int raise_late(uint64_t address)
{
	return mock_fault(mock, rig.dev, rig.race->subject == OF_DEVICE ? 0 : PASID, 1,
	                  LIBIOMMU_FAULT_READ, address);
}

int raise_next(uint64_t address)
{
	return mock_fault(mock, rig.other_dev, 0, 1, LIBIOMMU_FAULT_READ, address);
}

int rig_change(void)
{
	if (rig.race->subject == OF_PASID)
		return rig.race->replaced
		               ? libiommu_pasid_replace(rig.dev, PASID, rig.other, OTHER_TAG)
		               : libiommu_pasid_detach(rig.dev, PASID);
	return rig.race->replaced ? libiommu_device_replace_hwpt(rig.dev, rig.other)
	                          : libiommu_device_detach(rig.dev);
}

void rig_disarm(void)
{
	uint32_t pasid;

	OK(libiommu_pasid_attach(rig.other_dev, PASID, rig.own, ENDED_TAG, &pasid));
	OK(libiommu_pasid_detach(rig.other_dev, PASID));
}

void pause_a_little(void)
{
	nanosleep(&(const struct timespec){.tv_nsec = 2000000}, NULL);
}

bool is_read(void)
{
	struct pollfd unread = {.fd = rig.queue_fd, .events = POLLIN};

	return poll(&unread, 1, 0) == 0;
}

static void drive(void)
{
	if (rig.race->threaded)
		pause_a_little();
	else
		SUCCEEDS(libiommu_ring_dispatch(rig.ring));
}

struct libiommu_record next_record(void)
{
	const struct libiommu_record *records;
	struct libiommu_record copy;
	size_t count;
	int got;

	for (int i = 0; (got = libiommu_reader_next(rig.reader, &records, &count)) == 0 && i < 5000;
	     i++) {
		pause_a_little();
		drive();
	}
	assert_int_equal(got, 1);
	assert_int_equal(count, 1);
	copy = *records;
	OK(libiommu_reader_release(rig.reader));
	return copy;
}

static struct libiommu_record next_fault(uint64_t address, uint64_t label, uint64_t tag,
                                         uint32_t vpasid)
{
	const struct libiommu_record record = next_record();

	assert_int_equal(record.kind, LIBIOMMU_RECORD_FAULT);
	assert_true(record.address == address);
	assert_true(record.label == label);
	assert_int_equal(record.tag, tag);
	assert_int_equal(record.vpasid, vpasid);
	assert_int_equal(record.flags & LIBIOMMU_RECORD_UNKNOWN, 0);
	assert_true(record.token);
	return record;
}

struct libiommu_record next_late(uint64_t address)
{
	return next_fault(address, LABEL, TAG, rig.race->subject == OF_DEVICE ? 0 : PASID);
}

struct libiommu_record next_other(uint64_t address)
{
	return next_fault(address, OTHER_LABEL, OWN_TAG, 0);
}

void next_end(uint64_t tag)
{
	const struct libiommu_record record = next_record();

	assert_int_equal(record.kind, LIBIOMMU_RECORD_DETACHED);
	assert_int_equal(record.tag, tag);
	assert_true(!record.token);
}

/* Completions that the ring has looked at. */
static uint64_t looked_at(void)
{
	uint64_t success, stale;

	OK(libiommu_ring_counter(rig.ring, LIBIOMMU_RING_SUCCESS, &success));
	OK(libiommu_ring_counter(rig.ring, LIBIOMMU_RING_STALE, &stale));
	return success + stale;
}

uint64_t succeed(const struct libiommu_record *record)
{
	const struct libiommu_completion completion = {
		.token = record->token,
		.queue = record->queue,
		.code = LIBIOMMU_FAULT_SUCCESS,
	};
	const uint64_t done = looked_at();
	struct mock_answers before, after;

	mock_get_answers(mock, &before);
	assert_int_equal(libiommu_reader_complete(rig.reader, &completion, 1), 1);
	for (int i = 0; i < 5000 && looked_at() == done; i++)
		drive();
	assert_int_equal(looked_at(), done + 1);
	mock_get_answers(mock, &after);
	assert_true(after.refused[LIBIOMMU_FAULT_SUCCESS] ==
	            before.refused[LIBIOMMU_FAULT_SUCCESS]);
	return after.taken[LIBIOMMU_FAULT_SUCCESS] - before.taken[LIBIOMMU_FAULT_SUCCESS];
}

void nothing_is_left(void)
{
	size_t count, other_count;

	OK(libiommu_fault_queue_outstanding(rig.queue, &count));
	OK(libiommu_fault_queue_outstanding(rig.other_queue, &other_count));
	assert_int_equal(count + other_count, 0);
}
