/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A guest's IOMMU on its way: what is cached, which events were read, and what is held. */
#include "handover-rig.h"
#include "mock-nest.h"

#include <errno.h>

enum { GUEST_LABEL = 0xdef, VIRT_ID = 0x18, OTHER_VIRT_ID = 0x19, DEPTH = 2, PAGE = 4096 };

#define SECRET UINT32_C(0x5eed)

static void make_viommu(struct world *world)
{
	struct mock_viommu_data data = {.in = SECRET};
	struct guest *const guest = &world->guest;
	struct libiommu_viommu_config *config;

	OK(libiommu_viommu_config_new(&config));
	OK(libiommu_viommu_config_set_data(config, &data, sizeof(data)));
	OK(libiommu_viommu_alloc(guest->dev, guest->parent, MOCK_VIOMMU, config, &guest->viommu));
	libiommu_viommu_config_free(config);
}

static void make_table(struct guest *guest)
{
	const struct mock_hwpt_data data = {.value = MOCK_CACHED};
	struct libiommu_hwpt_config *config;

	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_data(config, MOCK_HWPT_DATA, &data, sizeof(data.value)));
	OK(libiommu_hwpt_alloc_viommu(guest->dev, guest->viommu, config, &guest->table));
	libiommu_hwpt_config_free(config);
}

/* Of what the device has cached. */
static void invalidate(struct guest *guest, uint32_t index)
{
	const struct mock_viommu_entry entry = {0, VIRT_ID, index};
	size_t done;

	OK(libiommu_viommu_invalidate(guest->viommu, MOCK_INVALIDATE, &entry, sizeof(entry), 1,
	                              &done));
	CHECK(done == 1);
}

static void report(struct world *world, unsigned int count)
{
	while (count--)
		OK(mock_event(world->ctx, world->guest.dev));
}

/* All that there is: the last one, and how many were lost behind it. */
static struct libiommu_vevent read_events(struct guest *guest, int wanted, uint64_t lost)
{
	struct libiommu_vevent last = {0};
	struct libiommu_vevent_batch *batch;
	uint64_t at_the_end;

	OK(libiommu_vevent_batch_new(DEPTH + 1, &batch));
	CHECK(libiommu_veventq_read(guest->events, batch, &at_the_end) == wanted);
	CHECK(at_the_end == lost);
	last = *libiommu_vevent_batch_get(batch, (size_t)wanted - 1);
	libiommu_vevent_batch_free(batch);
	CHECK(last.virt_id == VIRT_ID && last.label == GUEST_LABEL);
	return last;
}

/* One event has been read; of three that nobody has read there is room for two. */
void guest_begin(struct world *world)
{
	struct guest *const guest = &world->guest;

	*guest = (struct guest){0};
	if (libiommu_ctx_probe(world->ctx, LIBIOMMU_FEATURE_HW_QUEUE_ALLOC) != 1) {
		printf("# this kernel has no hardware queues: without a guest\n");
		return;
	}
	guest->dev = mock_device(world->mock, world->ctx, GUEST_LABEL, true);
	guest->parent = mock_hwpt_with(guest->dev, world->ioas,
	                               LIBIOMMU_HWPT_NEST_PARENT | LIBIOMMU_HWPT_PASID, NULL);
	make_viommu(world);
	make_table(guest);
	OK(libiommu_vdevice_alloc(guest->viommu, guest->dev, VIRT_ID, &guest->vdev));
	OK(libiommu_device_attach_hwpt(guest->dev, guest->table));
	OK(libiommu_veventq_alloc_raw(guest->viommu, MOCK_VEVENTQ, DEPTH, MOCK_EVENT_LENGTH, 0, 4,
	                              &guest->events));
	OK(libiommu_hw_queue_alloc(guest->viommu, MOCK_HW_QUEUE, 0, IOVA, PAGE, &guest->commands));
	invalidate(guest, 0);
	report(world, 1);
	CHECK(read_events(guest, 1, 0).sequence == 0);
	report(world, DEPTH + 1);
}

void guest_hand_over(struct world *world, struct libiommu_handover *handover)
{
	struct guest *const guest = &world->guest;

	OK(libiommu_handover_add_hwpt(handover, GUEST_KEY, guest->parent));
	OK(libiommu_handover_add_viommu(handover, GUEST_KEY, guest->viommu));
	OK(libiommu_handover_add_hwpt(handover, GUEST_KEY + 1, guest->table));
	OK(libiommu_handover_add_device(handover, GUEST_KEY, guest->dev));
	OK(libiommu_handover_add_vdevice(handover, GUEST_KEY, guest->vdev));
	OK(libiommu_handover_add_veventq(handover, GUEST_KEY, guest->events));
	OK(libiommu_handover_add_hw_queue(handover, GUEST_KEY, guest->commands));
}

void guest_take_over(struct world *world, struct libiommu_takeover *takeover)
{
	struct guest *const guest = &world->guest;

	OK(libiommu_takeover_hwpt(takeover, GUEST_KEY, &guest->parent));
	OK(libiommu_takeover_viommu(takeover, GUEST_KEY, &guest->viommu));
	OK(libiommu_takeover_hwpt(takeover, GUEST_KEY + 1, &guest->table));
	OK(libiommu_takeover_device(takeover, GUEST_KEY, &guest->dev));
	OK(libiommu_takeover_vdevice(takeover, GUEST_KEY, &guest->vdev));
	OK(libiommu_takeover_veventq(takeover, GUEST_KEY, &guest->events));
	OK(libiommu_takeover_hw_queue(takeover, GUEST_KEY, &guest->commands));
}

/* What the driver said of itself when the vIOMMU was made: a page to map. */
static void see_page(struct guest *guest)
{
	struct mock_viommu_data data = {0};
	struct libiommu_viommu_map *map;
	size_t length;

	OK(libiommu_viommu_data(guest->viommu, &data, sizeof(data), &length));
	CHECK(length == sizeof(data) && data.out == SECRET);
	OK(libiommu_viommu_map(guest->viommu, data.offset, data.length, &map));
	CHECK(*(volatile uint32_t *)libiommu_viommu_map_address(map) == SECRET);
	OK(libiommu_viommu_map_destroy(map));
}

static void see_cache(struct world *world)
{
	for (uint32_t i = 0; i < MOCK_CACHES; i++)
		OK(mock_check_cache(world->ctx, world->guest.dev, i, i < 2 ? 0 : MOCK_DEV_CACHED));
}

/* The device gets another number on the vIOMMU, as a guest does that starts again. */
static void renumber(struct guest *guest)
{
	uint64_t label;

	OK(libiommu_vdevice_find_label(guest->viommu, VIRT_ID, &label));
	CHECK(label == GUEST_LABEL);
	OK(libiommu_device_detach(guest->dev));
	OK(libiommu_vdevice_destroy(guest->vdev));
	CHECK(libiommu_vdevice_find_label(guest->viommu, VIRT_ID, &label) == -ENOENT);
	OK(libiommu_vdevice_alloc(guest->viommu, guest->dev, OTHER_VIRT_ID, &guest->vdev));
	OK(libiommu_device_attach_hwpt(guest->dev, guest->table));
}

/* The queue of the hardware is left to be destroyed: until then its memory stays. */
void guest_go_on(struct world *world)
{
	struct guest *const guest = &world->guest;
	struct libiommu_vevent event;

	event = read_events(guest, DEPTH, 1);
	CHECK(event.sequence == DEPTH && !event.lost);
	report(world, 1);
	event = read_events(guest, 1, 0);
	CHECK(event.sequence == DEPTH + 2 && event.lost == 1);
	invalidate(guest, 1);
	see_cache(world);
	see_page(guest);
	renumber(guest);
	CHECK(libiommu_ioas_unmap(world->ioas, IOVA, LENGTH) == -EBUSY);
	OK(libiommu_hw_queue_destroy(guest->commands));
	guest->commands = NULL;
}

void guest_destroy(struct guest *guest)
{
	OK(libiommu_hw_queue_destroy(guest->commands));
	OK(libiommu_veventq_destroy(guest->events));
	OK(libiommu_vdevice_destroy(guest->vdev));
	OK(libiommu_device_destroy(guest->dev));
	OK(libiommu_hwpt_destroy(guest->table));
	OK(libiommu_viommu_destroy(guest->viommu));
	OK(libiommu_hwpt_destroy(guest->parent));
}
