/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Calls about devices, page tables, PASIDs, written pages and page requests while each allocation
 * in the kernel fails in its turn. Whose page table a device is on, its page requests tell.
 */
#include "failing-scene.h"

#include "faults.h"

/* One page request comes from the queue, with this tag; it is answered. */
static void assert_asks(struct faults *f, uint32_t vpasid, struct libiommu_fault_queue *queue,
                        uint64_t tag)
{
	struct libiommu_fault_response response = {.code = LIBIOMMU_FAULT_SUCCESS};
	struct libiommu_fault_batch *batch;
	size_t stale = 9;

	faults_trigger(f, vpasid, MOCK_APERTURE);
	OK(libiommu_fault_batch_new(0, &batch));
	assert_int_equal(libiommu_fault_queue_read(queue, batch), 1);
	assert_int_equal(libiommu_fault_batch_get(batch, 0)->vpasid, vpasid);
	assert_int_equal(libiommu_fault_batch_get(batch, 0)->tag, tag);
	response.token = libiommu_fault_batch_get(batch, 0)->token;
	libiommu_fault_batch_free(batch);
	assert_int_equal(libiommu_fault_queue_respond(queue, &response, 1, &stale), 1);
	assert_int_equal(stale, 0);
}

/* A device, and what is attached to it by now: what the library says, the kernel does. */
struct attached {
	struct faults f;
	struct libiommu_hwpt *own, *at_pasid; /* NULL for none */
	struct libiommu_fault_queue *own_queue, *pasid_queue;
	uint64_t tag; /* at the PASID */
};

static void check_attached(struct scene *s)
{
	struct attached *const a = s->user;
	struct libiommu_hwpt *found = NULL;
	uint32_t id = 0, vpasid = 0;
	uint64_t tag;

	if (a->own) {
		OK(libiommu_device_pt_id(a->f.dev, &id));
		assert_int_equal(id, hwpt_id(a->own));
		assert_asks(&a->f, 0, a->own_queue, OWN_TAG);
	} else {
		FAILS(ENOENT, libiommu_device_pt_id(a->f.dev, &id));
	}
	RAW(0, world_check_pasid(s->rig->world, a->f.dev, PASID,
	                         a->at_pasid ? hwpt_id(a->at_pasid) : 0));
	if (!a->at_pasid) {
		FAILS(ENOENT, libiommu_pasid_find_hwpt(a->f.dev, PASID, &found, &tag));
		return;
	}
	OK(libiommu_pasid_find_hwpt(a->f.dev, PASID, &found, &tag));
	assert_ptr_equal(found, a->at_pasid);
	assert_int_equal(tag, a->tag);
	OK(libiommu_pasid_find_vpasid(a->f.dev, PASID, &vpasid));
	assert_int_equal(vpasid, PASID);
	assert_asks(&a->f, PASID, a->pasid_queue, a->tag);
}

static void at_pasid(struct attached *a, struct libiommu_hwpt *table,
                     struct libiommu_fault_queue *queue, uint64_t tag)
{
	a->at_pasid = table;
	a->pasid_queue = queue;
	a->tag = tag;
}

static void pasids(struct rig *rig)
{
	struct attached a = {.f = faults_begin(rig, true)};
	struct libiommu_device *const dev = a.f.dev;
	struct scene s;
	uint32_t pasid;

	scene_begin(&s, rig);
	s.more = check_attached;
	s.user = &a;
	a.own = a.f.own;
	a.own_queue = a.f.queue;
	at_pasid(&a, a.f.table, a.f.queue, TAG);
	EACH(&s.each, libiommu_pasid_replace(dev, PASID, a.f.other, OTHER_TAG),
	     OK(libiommu_pasid_replace(dev, PASID, a.f.table, TAG)));
	at_pasid(&a, a.f.other, a.f.other_queue, OTHER_TAG);
	EACH(&s.each, libiommu_pasid_detach(dev, PASID),
	     OK(libiommu_pasid_attach(dev, PASID, a.f.other, OTHER_TAG, &pasid)));
	at_pasid(&a, NULL, NULL, 0);
	EACH(&s.each, libiommu_pasid_attach(dev, PASID, a.f.table, TAG, &pasid),
	     OK(libiommu_pasid_detach(dev, PASID)));
	at_pasid(&a, a.f.table, a.f.queue, TAG);
	/* Here the kernel is asked which PASIDs the device has. */
	EACH(&s.each, libiommu_device_replace_hwpt(dev, a.f.other),
	     OK(libiommu_device_replace_hwpt(dev, a.f.own)));
	scene_end(&s);
}

/* The device's own page table, which is that of one queue or of another. */
static void attachments(struct rig *rig)
{
	struct attached a = {.f = faults_begin(rig, false)};
	struct libiommu_device *const dev = a.f.dev;
	struct scene s;

	scene_begin(&s, rig);
	s.more = check_attached;
	s.user = &a;
	a.own = a.f.own;
	a.own_queue = a.f.queue;
	EACH(&s.each, libiommu_device_replace_hwpt(dev, a.f.other),
	     OK(libiommu_device_replace_hwpt(dev, a.f.own)));
	a.own = a.f.other;
	a.own_queue = a.f.other_queue;
	EACH(&s.each, libiommu_device_replace_ioas(dev, rig->ioas),
	     OK(libiommu_device_replace_hwpt(dev, a.f.other)));
	OK(libiommu_device_replace_hwpt(dev, a.f.other));
	EACH(&s.each, libiommu_device_detach(dev), OK(libiommu_device_attach_hwpt(dev, a.f.other)));
	a.own = NULL;
	EACH(&s.each, libiommu_device_attach_ioas(dev, rig->ioas), OK(libiommu_device_detach(dev)));
	OK(libiommu_device_detach(dev));
	EACH(&s.each, libiommu_device_attach_hwpt(dev, a.f.own), OK(libiommu_device_detach(dev)));
	assert_asks(&a.f, 0, a.f.queue, OWN_TAG);
	scene_end(&s);
}

/* A device from its node to its end; without an end of its own, the next one is another. */
static void lives(struct rig *rig)
{
	struct libiommu_hw_info *info;
	struct libiommu_device *dev, *twin;
	struct libiommu_hwpt *table;
	struct scene s;

	scene_begin(&s, rig);
	EACH(&s.each, libiommu_device_open_node(rig->ctx, world_node(0), &dev),
	     OK(libiommu_device_destroy(dev)));
	rig_keep(rig, THING_DEVICE, dev);
	EACH(&s.each,
	     libiommu_device_open_fd(rig->ctx, libiommu_device_fd(dev), LIBIOMMU_FD_BORROW, &twin),
	     OK(libiommu_device_destroy(twin)));
	OK(libiommu_device_destroy(twin));
	EACH(&s.each, libiommu_device_bind(dev, 3, NULL, 0), {
		OK(rig_end(rig, dev));
		OK(libiommu_device_open_node(rig->ctx, world_node(0), &dev));
		rig_keep(rig, THING_DEVICE, dev);
	});
	OK(libiommu_device_by_label(rig->ctx, 3, &twin));
	assert_ptr_equal(twin, dev);
	EACH(&s.each, libiommu_hw_info_get(dev, &info), libiommu_hw_info_free(info));
	libiommu_hw_info_free(info);
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, MOCK_APERTURE));
	EACH(&s.each, libiommu_hwpt_alloc(dev, rig->ioas, NULL, &table),
	     OK(libiommu_hwpt_destroy(table)));
	s.pins = 1;
	EACH(&s.each, libiommu_hwpt_destroy(table),
	     OK(libiommu_hwpt_alloc(dev, rig->ioas, NULL, &table)));
	s.pins = 0;
	EACH(&s.each, libiommu_device_revoke(dev), ENOUGH);
	FAILS(ENODEV, libiommu_device_attach_ioas(dev, rig->ioas));
	scene_end(&s);
}

struct written {
	struct libiommu_hwpt *table;
	uint64_t bits;
};

/* A failing call has cleaned nothing; this one cleans nothing either. */
static void check_written(struct scene *s)
{
	const struct written *const w = s->user;
	uint64_t bits = 0;

	OK(libiommu_hwpt_get_dirty_bitmap(w->table, MOCK_APERTURE, LENGTH, PAGE,
	                                  LIBIOMMU_DIRTY_NO_CLEAR, &bits, 1, NULL));
	assert_int_equal(bits, w->bits);
}

static void write_again(struct scene *s)
{
	const struct written *const w = s->user;

	RAW(0, world_write(s->rig->world, w->table, MOCK_APERTURE, LENGTH, PAGE, &w->bits));
}

static void dirty(struct rig *rig)
{
	struct libiommu_device *const dev = rig_device(rig, 1, 0);
	struct written w = {.bits = 0x8421};
	struct scene s;
	uint64_t bits;

	OK(libiommu_ioas_set_huge_pages(rig->ioas, false));
	w.table = rig_table(rig, dev, rig->ioas, LIBIOMMU_HWPT_DIRTY_TRACKING);
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, MOCK_APERTURE));
	scene_begin(&s, rig);
	s.pins = 1;
	EACH(&s.each, libiommu_hwpt_set_dirty_tracking(w.table, true),
	     OK(libiommu_hwpt_set_dirty_tracking(w.table, false)));
	s.more = check_written;
	s.user = &w;
	write_again(&s);
	bits = 0;
	EACH(&s.each,
	     libiommu_hwpt_get_dirty_bitmap(w.table, MOCK_APERTURE, LENGTH, PAGE,
	                                    LIBIOMMU_DIRTY_NO_CLEAR, &bits, 1, NULL),
	     assert_int_equal(bits, w.bits));
	assert_int_equal(bits, w.bits);
	bits = 0;
	EACH(&s.each,
	     libiommu_hwpt_get_dirty_bitmap(w.table, MOCK_APERTURE, LENGTH, PAGE, 0, &bits, 1,
	                                    NULL),
	     {
		     assert_int_equal(bits, w.bits);
		     write_again(&s);
	     });
	assert_int_equal(bits, w.bits);
	s.more = NULL;
	EACH(&s.each, libiommu_hwpt_set_dirty_tracking(w.table, false),
	     OK(libiommu_hwpt_set_dirty_tracking(w.table, true)));
	scene_end(&s);
}

/* A queue, and one page request from the device to its answer. */
static void requests(struct rig *rig)
{
	struct faults f = faults_begin(rig, false);
	struct libiommu_fault_response response = {.code = LIBIOMMU_FAULT_SUCCESS};
	struct libiommu_fault_queue *queue, *twin;
	struct libiommu_fault_batch *batch;
	struct scene s;
	size_t stale = 9;
	uint32_t id;
	int fd;

	scene_begin(&s, rig);
	EACH(&s.each, libiommu_fault_queue_alloc(rig->ctx, &queue),
	     OK(libiommu_fault_queue_destroy(queue)));
	OK(libiommu_fault_queue_id(queue, &id));
	fd = libiommu_fault_queue_fd(queue);
	EACH(&s.each,
	     libiommu_fault_queue_adopt(rig->ctx, id, LIBIOMMU_ID_BORROW, fd, LIBIOMMU_FD_DUP,
	                                &twin),
	     OK(libiommu_fault_queue_destroy(twin)));
	OK(libiommu_fault_queue_destroy(twin));
	EACH(&s.each, libiommu_fault_queue_destroy(queue),
	     OK(libiommu_fault_queue_alloc(rig->ctx, &queue)));
	OK(libiommu_fault_batch_new(0, &batch));
	faults_trigger(&f, 0, MOCK_APERTURE);
	EACH(&s.each, libiommu_fault_queue_wait(f.queue, 10000), NOTHING);
	EACH(&s.each, libiommu_fault_queue_read(f.queue, batch) == 1 ? 0 : -EIO,
	     faults_trigger(&f, 0, MOCK_APERTURE));
	assert_int_equal(libiommu_fault_batch_count(batch), 1);
	response.token = libiommu_fault_batch_get(batch, 0)->token;
	EACH(&s.each, libiommu_fault_queue_respond(f.queue, &response, 1, &stale), ENOUGH);
	assert_int_equal(stale, 0);
	libiommu_fault_batch_free(batch);
	scene_end(&s);
}

#define NEEDS_PLAIN .needs = WORLD_FAILING_MEMORY | WORLD_PLAIN_FAULTS

static const struct behaviour behaviours[] = {
	{PROVES("a device from its node to its end", lives), .needs = WORLD_FAILING_MEMORY},
	{PROVES("its own page table", attachments), NEEDS_PLAIN},
	{PROVES("page tables of PASIDs", pasids), NEEDS_PLAIN | WORLD_PASIDS},
	{PROVES("pages that were written", dirty), .needs = WORLD_FAILING_MEMORY},
	{PROVES("page requests", requests), NEEDS_PLAIN},
};

THEME(failing_devices, "each allocation of a call about devices fails");
