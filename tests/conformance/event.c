/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Virtual events: in the guest's terms, whole, in their order; what was lost is counted. */
#include "nest.h"

#include <poll.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"

enum { DEPTH = 3, VIRT_ID = 0x18 };

struct events {
	struct nest nest;
	struct libiommu_viommu *viommu;
	struct libiommu_veventq *queue;
	uint64_t lost; /* of the last read */
};

static struct libiommu_veventq *make_queue(struct events *e, uint32_t depth)
{
	struct libiommu_veventq *queue;

	OK(libiommu_veventq_alloc_raw(e->viommu, MOCK_VEVENTQ, depth, MOCK_EVENT_LENGTH, 0, 4,
	                              &queue));
	rig_keep(e->nest.rig, THING_VEVENTQ, queue);
	return queue;
}

/* A device that reports events: attached to a page table on the vIOMMU, and numbered there. */
static struct events begin(struct rig *rig, uint32_t depth)
{
	struct events e = {.nest = nest_begin(rig)};
	struct libiommu_hwpt *table;

	e.viommu = nest_viommu(&e.nest);
	e.queue = make_queue(&e, depth);
	table = nest_viommu_table(&e.nest, e.viommu);
	/* The driver wants the number before the page table. */
	FAILS(ENOENT, libiommu_device_attach_hwpt(e.nest.dev, table));
	nest_vdevice(&e.nest, e.viommu, e.nest.dev, VIRT_ID);
	OK(libiommu_device_attach_hwpt(e.nest.dev, table));
	return e;
}

static void report(struct events *e, int count)
{
	for (int i = 0; i < count; i++)
		RAW(0, world_event(e->nest.rig->world, e->nest.dev));
}

/* With room for @room of them; the last one is left for the caller to look at. */
static struct libiommu_vevent read_events(struct events *e, size_t room, int wanted)
{
	struct libiommu_vevent last = {.sequence = UINT32_MAX};
	struct libiommu_vevent_batch *batch;

	OK(libiommu_vevent_batch_new(room, &batch));
	assert_int_equal(libiommu_veventq_read(e->queue, batch, &e->lost), wanted);
	if (wanted)
		last = *libiommu_vevent_batch_get(batch, (size_t)wanted - 1);
	libiommu_vevent_batch_free(batch);
	return last;
}

static void end(struct events *e)
{
	OK(libiommu_device_detach(e->nest.dev));
	nest_end(&e->nest);
}

static void one_queue_of_a_type(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct events e = {.nest = n, .viommu = nest_viommu(&n)};
	struct libiommu_veventq *none = NULL;

	FAILS(EINVAL, libiommu_veventq_alloc_raw(e.viommu, MOCK_VEVENTQ, 0, MOCK_EVENT_LENGTH, 0, 4,
	                                         &none));
	FAILS(EINVAL, libiommu_veventq_alloc_raw(e.viommu, MOCK_VEVENTQ, (1 << 19) + 1,
	                                         MOCK_EVENT_LENGTH, 0, 4, &none));
	FAILS(EOPNOTSUPP, libiommu_veventq_alloc_raw(e.viommu, LIBIOMMU_VEVENTQ_DEFAULT, DEPTH,
	                                             MOCK_EVENT_LENGTH, 0, 4, &none));
	FAILS(EOPNOTSUPP, libiommu_veventq_alloc(e.viommu, LIBIOMMU_VEVENTQ_DEFAULT, DEPTH, &none));
	make_queue(&e, 1 << 19);
	FAILS(EEXIST, libiommu_veventq_alloc_raw(e.viommu, MOCK_VEVENTQ, DEPTH, MOCK_EVENT_LENGTH,
	                                         0, 4, &none));
	assert_null(none);
	FAILS(EBUSY, libiommu_viommu_destroy(e.viommu));
	nest_end(&n);
}

static void in_the_guests_terms(struct rig *rig)
{
	struct events e = begin(rig, DEPTH);
	struct pollfd ready = {.fd = libiommu_veventq_fd(e.queue), .events = POLLIN};
	struct libiommu_vevent event;

	read_events(&e, 4, 0);
	assert_int_equal(e.lost, 0);
	assert_int_equal(poll(&ready, 1, 0), 0);
	report(&e, 2);
	assert_int_equal(poll(&ready, 1, 0), 1);
	event = read_events(&e, 4, 2);
	assert_int_equal(e.lost, 0);
	assert_int_equal(event.virt_id, VIRT_ID);
	assert_int_equal(event.label, 1);
	assert_int_equal(event.sequence, 1);
	assert_int_equal(event.flags, LIBIOMMU_VEVENT_DEVICE | LIBIOMMU_VEVENT_LABEL);
	assert_int_equal(poll(&ready, 1, 0), 0);
	end(&e);
}

/* Two more than there is room for and nothing behind: the mark that the kernel leaves tells. */
static void lost_at_the_end(struct rig *rig)
{
	struct events e = begin(rig, DEPTH);
	struct libiommu_vevent event;

	report(&e, DEPTH + 2);
	event = read_events(&e, 9, DEPTH);
	assert_int_equal(e.lost, 2);
	assert_int_equal(event.lost, 0);
	report(&e, 1);
	event = read_events(&e, 9, 1);
	assert_int_equal(e.lost, 0);
	assert_int_equal(event.lost, 2);
	assert_int_equal(event.sequence, DEPTH + 2);
	end(&e);
}

/* One that follows takes the mark away: the gap in the sequence tells. */
static void lost_in_the_middle(struct rig *rig)
{
	struct events e = begin(rig, DEPTH);
	struct libiommu_vevent event;

	report(&e, DEPTH + 1);
	event = read_events(&e, 1, 1);
	assert_int_equal(e.lost, 0);
	report(&e, 1);
	event = read_events(&e, 9, DEPTH);
	assert_int_equal(e.lost, 1);
	assert_int_equal(event.lost, 1);
	assert_int_equal(event.sequence, DEPTH + 1);
	end(&e);
}

/* A queue of one event, past the library: the mark is a header, and goes when an event comes. */
static void mark_of_what_is_lost(struct rig *rig)
{
	struct events e = begin(rig, 1);
	const int fd = libiommu_veventq_fd(e.queue);
	struct {
		struct uapi_vevent_header header;
		uint32_t virt_id;
		struct uapi_vevent_header mark;
		uint8_t room[32];
	} got;

	report(&e, 2);
	assert_int_equal(world_read_fd(rig->world, fd, &got, sizeof(got)),
	                 sizeof(got) - sizeof(got.room));
	assert_int_equal(got.header.flags, 0);
	assert_int_equal(got.header.sequence, 0);
	assert_int_equal(got.virt_id, VIRT_ID);
	assert_int_equal(got.mark.flags, UAPI_VEVENTQ_FLAG_LOST_EVENTS);
	assert_int_equal(got.mark.sequence, 1);
	report(&e, 2);
	assert_int_equal(
		world_read_fd(rig->world, fd, &got, sizeof(got.header) + sizeof(got.virt_id)),
		sizeof(got.header) + sizeof(got.virt_id));
	assert_int_equal(got.header.sequence, 2);
	report(&e, 1);
	assert_int_equal(world_read_fd(rig->world, fd, &got, sizeof(got)),
	                 sizeof(got.header) + sizeof(got.virt_id));
	assert_int_equal(got.header.flags, 0);
	assert_int_equal(got.header.sequence, 4);
	assert_int_equal(world_read_fd(rig->world, fd, &got, sizeof(got)), 0);
	end(&e);
}

/* The last event of the device, and nobody who could report another. */
static void none_without_a_number(struct rig *rig)
{
	struct events e = begin(rig, DEPTH);

	OK(libiommu_device_detach(e.nest.dev));
	RAW(-ENOENT, world_event(rig->world, e.nest.dev));
	read_events(&e, 9, 0);
	nest_end(&e.nest);
}

static const struct behaviour behaviours[] = {
	{PROVES("one queue of each type, of one event to 2^19", one_queue_of_a_type),
         .needs = WORLD_VEVENTQS},
	{PROVES("they come in the guest's terms", in_the_guests_terms), .needs = WORLD_VEVENTQS},
	{PROVES("those lost at the end are counted", lost_at_the_end), .needs = WORLD_VEVENTQS},
	{PROVES("those lost in the middle are counted", lost_in_the_middle),
         .needs = WORLD_VEVENTQS},
	{PROVES("what is lost leaves a mark, until there is an event", mark_of_what_is_lost),
         .needs = WORLD_VEVENTQS},
	{PROVES("none comes when the device is gone", none_without_a_number),
         .needs = WORLD_VEVENTQS},
};

THEME(events, "virtual events");
