/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The test driver's events, through a ring: with the label, in order, and each loss told once. */
#include <poll.h>

#include "mock-nest.h"
#include "vm.h"

enum { STREAM = 0x18, LABEL = 0x1abe1, TAG = 5, DEPTH = 3 };

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_ioas *ioas;
static struct libiommu_device *dev;
static struct libiommu_hwpt *parent, *nested;
static struct libiommu_viommu *viommu;
static struct libiommu_vdevice *vdev;
static struct libiommu_veventq *queue;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;

static void make_tables(void)
{
	const struct mock_hwpt_data data = {.value = MOCK_CACHED};
	struct libiommu_hwpt_config *config;

	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_NEST_PARENT));
	OK(libiommu_hwpt_alloc(dev, ioas, config, &parent));
	OK(libiommu_viommu_alloc(dev, parent, MOCK_VIOMMU, NULL, &viommu));
	OK(libiommu_hwpt_config_set_flags(config, 0));
	OK(libiommu_hwpt_config_set_data(config, MOCK_HWPT_DATA, &data, sizeof(data)));
	OK(libiommu_hwpt_alloc_viommu(dev, viommu, config, &nested));
	libiommu_hwpt_config_free(config);
}

static int setup(void **state)
{
	(void)state;
	ctx = mock_ctx(mock);
	dev = mock_device(mock, ctx, LABEL, true);
	OK(libiommu_ioas_alloc(ctx, &ioas));
	make_tables();
	OK(libiommu_vdevice_alloc(viommu, dev, STREAM, &vdev));
	OK(libiommu_device_attach_hwpt(dev, nested));
	OK(libiommu_veventq_alloc_raw(viommu, MOCK_VEVENTQ, DEPTH, MOCK_EVENT_LENGTH, 0, 4,
	                              &queue));
	OK(libiommu_ring_new(ctx, NULL, &ring));
	OK(libiommu_ring_add_veventq(ring, queue, TAG));
	OK(libiommu_ring_open_reader(ring, &reader));
	OK(libiommu_ring_dispatch(ring));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	libiommu_reader_free(reader);
	FAILS(EBUSY, libiommu_veventq_destroy(queue));
	OK(libiommu_ring_destroy(ring));
	OK(libiommu_veventq_destroy(queue));
	OK(libiommu_device_detach(dev));
	OK(libiommu_vdevice_destroy(vdev));
	OK(libiommu_hwpt_destroy(nested));
	OK(libiommu_viommu_destroy(viommu));
	OK(libiommu_device_destroy(dev));
	OK(libiommu_hwpt_destroy(parent));
	OK(libiommu_ioas_destroy(ioas));
	OK(libiommu_ctx_destroy(ctx));
	return 0;
}

static bool ring_ready(void)
{
	struct pollfd fd = {.fd = libiommu_ring_fd(ring), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static void check_event(uint32_t sequence)
{
	const struct libiommu_record *records;
	uint32_t stream = 0;
	size_t count;

	assert_int_equal(libiommu_reader_next(reader, &records, &count), 1);
	assert_int_equal(records->kind, LIBIOMMU_RECORD_VEVENT);
	assert_int_equal(records->flags, 0);
	assert_true(records->label == LABEL);
	assert_int_equal(records->address, STREAM);
	assert_int_equal(records->tag, TAG);
	assert_int_equal(records->group, sequence);
	assert_int_equal(libiommu_record_data(records, count, &stream, sizeof(stream)),
	                 MOCK_EVENT_LENGTH);
	assert_int_equal(stream, STREAM);
}

static void check_lost(uint64_t lost)
{
	const struct libiommu_record *record;
	size_t count;

	assert_int_equal(libiommu_reader_next(reader, &record, &count), 1);
	assert_int_equal(record->kind, LIBIOMMU_RECORD_LOST);
	assert_int_equal(record->address, lost);
	assert_int_equal(record->tag, TAG);
}

static void check_none(void)
{
	const struct libiommu_record *records;
	size_t count;

	assert_int_equal(libiommu_reader_next(reader, &records, &count), 0);
}

static void test_events_come_with_their_label(void **state)
{
	(void)state;
	assert_false(ring_ready());
	OK(mock_event(ctx, dev));
	OK(mock_event(ctx, dev));
	assert_true(ring_ready());
	OK(libiommu_ring_dispatch(ring));
	check_event(0);
	check_event(1);
	check_none();
	assert_false(ring_ready());
}

static void test_what_overflows_is_told_in_its_place(void **state)
{
	(void)state;
	for (int i = 0; i < DEPTH + 2; i++)
		OK(mock_event(ctx, dev));
	OK(libiommu_ring_dispatch(ring));
	for (uint32_t i = 0; i < DEPTH; i++)
		check_event(i);
	check_lost(2);
	check_none();
	OK(mock_event(ctx, dev));
	OK(libiommu_ring_dispatch(ring));
	check_event(DEPTH + 2);
	check_none();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_events_come_with_their_label, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_overflows_is_told_in_its_place, setup,
	                                        teardown),
	};
	int status;

	mock = mock_new();
	if (!mock)
		return 77;
	status = cmocka_run_group_tests(tests, NULL, NULL);
	mock_free(mock);
	return status;
}
