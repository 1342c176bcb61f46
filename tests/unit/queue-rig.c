/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "queue-rig.h"

#include "../../lib/object/fault-queue.h"

struct rig rig;

void rig_attach(uint32_t vpasid, struct libiommu_hwpt *hwpt, uint64_t tag)
{
	uint32_t pasid;

	assert_int_equal(libiommu_pasid_attach(rig.dev, vpasid, hwpt, tag, &pasid), 0);
	assert_int_equal(pasid, vpasid);
}

void rig_add(struct libiommu_fault_queue *queue)
{
	const uint32_t flags = rig.fed ? LIBIOMMU_RING_IO_URING : 0;

	assert_int_equal(libiommu_ring_add_queue(rig.ring, queue, flags), rig.fed);
}

static void end_ring(void)
{
	if (rig.ring)
		ring_check(rig.ring);
	libiommu_reader_free(rig.reader);
	assert_int_equal(libiommu_ring_destroy(rig.ring), 0);
	rig.reader = NULL;
	rig.ring = NULL;
}

void rig_ring(uint32_t records, uint32_t groups, uint64_t deadline)
{
	end_ring();
	rig.ring = ring_make(rig.ctx, records, groups, deadline);
	assert_int_equal(libiommu_ring_open_reader(rig.ring, &rig.reader), 0);
	rig_add(rig.queue[0]);
	rig_dispatch();
	/* What was there already is read directly. */
	if (!model_count(MODEL_OUT))
		assert_int_equal(model_uring_armed(), rig.fed);
}

static int set_up(bool fed)
{
	memset(&rig, 0, sizeof(rig));
	rig.fed = fed;
	rig.ctx = model_ctx();
	rig.dev = model_device(rig.ctx, RIG_LABEL);
	for (int i = 0; i < 2; i++) {
		rig.queue[i] = model_queue(rig.ctx);
		rig.pt[i] = model_hwpt(rig.ctx, rig.queue[i]);
	}
	rig.own = model_hwpt(rig.ctx, rig.queue[0]);
	rig.plain = model_hwpt(rig.ctx, NULL);
	assert_int_equal(libiommu_device_set_tag(rig.dev, RIG_OWN_TAG), 0);
	assert_int_equal(libiommu_device_attach_hwpt(rig.dev, rig.own), 0);
	rig_attach(RIG_PASID, rig.pt[0], RIG_TAG);
	assert_int_equal(rig_reserved(rig.queue[0]), 2);
	rig_ring(1024, 512, 0);
	return 0;
}

int rig_setup(void **state)
{
	(void)state;
	return set_up(false);
}

int rig_setup_fed(void **state)
{
	(void)state;
	return set_up(true);
}

int rig_teardown(void **state)
{
	(void)state;
	end_ring();
	assert_int_equal(libiommu_device_destroy(rig.dev), 0);
	assert_int_equal(libiommu_hwpt_destroy(rig.own), 0);
	assert_int_equal(libiommu_hwpt_destroy(rig.plain), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(libiommu_hwpt_destroy(rig.pt[i]), 0);
		if (rig.queue[i])
			assert_int_equal(rig_reserved(rig.queue[i]), 0);
		assert_int_equal(libiommu_fault_queue_destroy(rig.queue[i]), 0);
	}
	model_ctx_close(rig.ctx);
	return 0;
}

void rig_lose_reader(void)
{
	libiommu_reader_free(rig.reader);
	rig.reader = NULL;
}

void rig_dispatch(void)
{
	for (int i = 0; i < 100; i++) {
		assert_int_equal(libiommu_ring_dispatch(rig.ring), 0);
		if (!model_ready(rig.ring))
			return;
	}
	fail_msg("there is always something to do");
}

struct libiommu_record rig_take(uint32_t records)
{
	const struct libiommu_record *group;
	struct libiommu_record first;
	size_t count = 0;

	assert_int_equal(libiommu_reader_next(rig.reader, &group, &count), 1);
	assert_int_equal(count, records);
	first = group[0];
	assert_int_equal(libiommu_reader_release(rig.reader), 0);
	return first;
}

struct libiommu_record rig_take_fault(uint32_t number)
{
	const struct libiommu_record record = rig_take(1);

	assert_int_equal(record.kind, LIBIOMMU_RECORD_FAULT);
	assert_int_equal(record.group, number);
	return record;
}

struct libiommu_record rig_take_end(uint64_t tag)
{
	const struct libiommu_record record = rig_take(1);

	assert_int_equal(record.kind, LIBIOMMU_RECORD_DETACHED);
	assert_int_equal(record.tag, tag);
	assert_int_equal(record.token, 0);
	return record;
}

void rig_take_none(void)
{
	assert_int_equal(reader_none(rig.reader), 0);
}

void rig_complete(const struct libiommu_record *record)
{
	const struct libiommu_completion completion = {
		.token = record->token,
		.code = record->group % 2,
		.queue = record->queue,
	};

	assert_int_equal(libiommu_reader_complete(rig.reader, &completion, 1), 1);
	rig_dispatch();
}

size_t rig_reserved(struct libiommu_fault_queue *queue)
{
	return li_fault_queue_state(queue)->notices.reserved;
}

uint64_t rig_count(enum libiommu_ring_counter which)
{
	return ring_count(rig.ring, which);
}
