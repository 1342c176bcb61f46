/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Calls about guests' IOMMUs while each allocation in the kernel fails in its turn. */
#include "failing-scene.h"

#include "nest.h"

enum { VIRT_ID = 0x18 };

/* What is made on a vIOMMU, and its end. */
static void objects(struct rig *rig)
{
	struct mock_viommu_data data = {.in = 1};
	struct nest n = nest_begin(rig);
	struct libiommu_viommu_config *config;
	struct libiommu_viommu_map *map;
	struct libiommu_veventq *events, *twin;
	struct libiommu_hw_queue *commands;
	struct libiommu_viommu *viommu;
	struct libiommu_vdevice *vdev;
	struct libiommu_hwpt *table;
	struct scene s;
	size_t length;
	uint32_t id;

	OK(libiommu_viommu_config_new(&config));
	OK(libiommu_viommu_config_set_data(config, &data, sizeof(data)));
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, MOCK_APERTURE));
	scene_begin(&s, rig);
	s.pins = 1;
	EACH(&s.each, libiommu_viommu_alloc(n.dev, n.parent, MOCK_VIOMMU, config, &viommu),
	     OK(libiommu_viommu_destroy(viommu)));
	OK(libiommu_viommu_data(viommu, &data, sizeof(data), &length));
	EACH(&s.each, libiommu_viommu_map(viommu, data.offset, data.length, &map),
	     OK(libiommu_viommu_map_destroy(map)));
	EACH(&s.each, libiommu_viommu_map_destroy(map),
	     OK(libiommu_viommu_map(viommu, data.offset, data.length, &map)));
	EACH(&s.each, libiommu_vdevice_alloc(viommu, n.dev, VIRT_ID, &vdev),
	     OK(libiommu_vdevice_destroy(vdev)));
	EACH(&s.each, libiommu_vdevice_destroy(vdev),
	     OK(libiommu_vdevice_alloc(viommu, n.dev, VIRT_ID, &vdev)));
	EACH(&s.each,
	     libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 0, MOCK_APERTURE, PAGE, &commands),
	     OK(libiommu_hw_queue_destroy(commands)));
	EACH(&s.each, libiommu_hw_queue_destroy(commands),
	     OK(libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 0, MOCK_APERTURE, PAGE, &commands)));
	EACH(&s.each,
	     libiommu_veventq_alloc_raw(viommu, MOCK_VEVENTQ, 2, MOCK_EVENT_LENGTH, 0, 4, &events),
	     OK(libiommu_veventq_destroy(events)));
	OK(libiommu_veventq_id(events, &id));
	EACH(&s.each,
	     libiommu_veventq_adopt(viommu, LIBIOMMU_VEVENTQ_SMMUV3, id, LIBIOMMU_ID_BORROW,
	                            libiommu_veventq_fd(events), LIBIOMMU_FD_DUP, &twin),
	     OK(libiommu_veventq_destroy(twin)));
	OK(libiommu_veventq_destroy(twin));
	EACH(&s.each, libiommu_veventq_destroy(events),
	     OK(libiommu_veventq_alloc_raw(viommu, MOCK_VEVENTQ, 2, MOCK_EVENT_LENGTH, 0, 4,
	                                   &events)));
	EACH(&s.each, libiommu_hwpt_alloc_nested(n.dev, n.parent, n.config, &table),
	     OK(libiommu_hwpt_destroy(table)));
	OK(libiommu_hwpt_destroy(table));
	EACH(&s.each, libiommu_hwpt_alloc_viommu(n.dev, viommu, n.config, &table),
	     OK(libiommu_hwpt_destroy(table)));
	OK(libiommu_hwpt_destroy(table));
	EACH(&s.each, libiommu_viommu_destroy(viommu),
	     OK(libiommu_viommu_alloc(n.dev, n.parent, MOCK_VIOMMU, config, &viommu)));
	libiommu_viommu_config_free(config);
	nest_end(&n);
	scene_end(&s);
}

struct caches {
	struct nest n;
	struct libiommu_hwpt *table;
	const char *of_table, *of_device;
};

static void check_caches(struct scene *s)
{
	struct caches *const c = s->user;

	nest_check_iotlb(&c->n, c->table, c->of_table);
	nest_check_cache(&c->n, c->n.dev, c->of_device);
}

/* Nothing is invalidated, and said to be done, where the call says no. */
static void invalidations(struct rig *rig)
{
	const struct mock_hwpt_entry entries[] = {{0, 0}, {0, 2}};
	const struct mock_viommu_entry commands[] = {{0, VIRT_ID, 1}, {0, VIRT_ID, 3}};
	struct caches c = {.n = nest_begin(rig), .of_table = "1111", .of_device = "1111"};
	struct libiommu_viommu *const viommu = nest_viommu(&c.n);
	struct scene s;
	size_t done = 9;

	c.table = nest_table(&c.n);
	nest_vdevice(&c.n, viommu, c.n.dev, VIRT_ID);
	scene_begin(&s, rig);
	s.more = check_caches;
	s.user = &c;
	EACH(&s.each,
	     libiommu_hwpt_invalidate(c.table, MOCK_INVALIDATE, entries, sizeof(entries[0]), 2,
	                              &done),
	     ENOUGH);
	assert_int_equal(done, 2);
	c.of_table = "0101";
	check_caches(&s);
	EACH(&s.each,
	     libiommu_viommu_invalidate(viommu, MOCK_INVALIDATE, commands, sizeof(commands[0]), 2,
	                                &done),
	     ENOUGH);
	assert_int_equal(done, 2);
	c.of_device = "1010";
	check_caches(&s);
	nest_end(&c.n);
	scene_end(&s);
}

/* Read by the program, and by a ring. */
static void events(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_viommu *const viommu = nest_viommu(&n);
	struct libiommu_vevent_batch *batch;
	struct libiommu_veventq *queue;
	struct libiommu_ring *ring;
	struct libiommu_hwpt *table;
	struct scene s;
	uint64_t lost = 9;

	OK(libiommu_veventq_alloc_raw(viommu, MOCK_VEVENTQ, 4, MOCK_EVENT_LENGTH, 0, 4, &queue));
	rig_keep(rig, THING_VEVENTQ, queue);
	table = nest_viommu_table(&n, viommu);
	nest_vdevice(&n, viommu, n.dev, VIRT_ID);
	OK(libiommu_device_attach_hwpt(n.dev, table));
	OK(libiommu_vevent_batch_new(0, &batch));
	RAW(0, world_event(rig->world, n.dev));
	OK(libiommu_ring_new(rig->ctx, NULL, &ring));
	scene_begin(&s, rig);
	EACH(&s.each, libiommu_ring_add_veventq(ring, queue, 5),
	     OK(libiommu_ring_remove_veventq(ring, queue)));
	EACH(&s.each, libiommu_ring_remove_veventq(ring, queue),
	     OK(libiommu_ring_add_veventq(ring, queue, 5)));
	OK(libiommu_ring_destroy(ring));
	EACH(&s.each, libiommu_veventq_read(queue, batch, &lost) == 1 ? 0 : -EIO, ENOUGH);
	assert_int_equal(libiommu_vevent_batch_count(batch), 1);
	assert_int_equal(lost, 0);
	libiommu_vevent_batch_free(batch);
	OK(libiommu_device_detach(n.dev));
	nest_end(&n);
}

static const struct behaviour behaviours[] = {
	{PROVES("what stands on a vIOMMU", objects),
         .needs = WORLD_FAILING_MEMORY | WORLD_HW_QUEUES},
	{PROVES("invalidations", invalidations), .needs = WORLD_FAILING_MEMORY | WORLD_HW_QUEUES},
	{PROVES("events", events), .needs = WORLD_FAILING_MEMORY | WORLD_HW_QUEUES},
};

THEME(failing_guests, "each allocation of a call about guests fails");
