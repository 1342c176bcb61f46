/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Moves with what a guest has: nested page tables, vIOMMUs, and what stands on them. */
#include "differ.h"

#include <stdio.h>
#include <string.h>

#include "../../lib/base/uapi/iommufd.h"

static void nested(struct differ *d)
{
	struct differ_thing *const place = differ_place(d);
	struct differ_thing *const dev = differ_pick(d, DIFFER_DEVICE);
	struct differ_thing *const on =
		differ_pick(d, differ_draw(d, 2) ? DIFFER_HWPT : DIFFER_VIOMMU);
	struct differ_thing *const queue = differ_pick(d, DIFFER_FAULTS);
	struct mock_hwpt_data data = {.value = MOCK_CACHED};
	struct uapi_hwpt_alloc cmd = {.size = sizeof(cmd),
	                              .dev_id = dev->id,
	                              .pt_id = on->id,
	                              .data_type = MOCK_HWPT_DATA,
	                              .data_len = sizeof(data),
	                              .data_uptr = (uintptr_t)&data};
	int error;

	if (!place)
		return;
	cmd.flags |= differ_draw(d, 2) ? UAPI_HWPT_ALLOC_PASID : 0;
	cmd.flags |= differ_draw(d, 3) ? 0 : UAPI_HWPT_FAULT_ID_VALID;
	cmd.flags |= differ_draw(d, 20) ? 0 : UAPI_HWPT_ALLOC_DIRTY_TRACKING;
	if (cmd.flags & UAPI_HWPT_FAULT_ID_VALID)
		cmd.fault_id = queue->id;
	fprintf(d->out, " %d on %d flags %#x queue %d", differ_name(d, dev), differ_name(d, on),
	        cmd.flags, differ_name(d, queue));
	error = differ_call(d, UAPI_IOC_HWPT_ALLOC, &cmd);
	differ_keep(d, place, DIFFER_NESTED, cmd.out_hwpt_id, -1, error);
	if (error)
		return;
	place->on = differ_name(d, on);
	place->item = cmd.flags;
}

static void viommu(struct differ *d)
{
	struct differ_thing *const place = differ_place(d);
	struct differ_thing *const dev = differ_pick(d, DIFFER_DEVICE);
	struct differ_thing *const on = differ_pick(d, DIFFER_HWPT);
	struct mock_viommu_data data = {.in = 77};
	struct uapi_viommu_alloc cmd = {.size = sizeof(cmd),
	                                .flags = !differ_draw(d, 30),
	                                .type = differ_draw(d, 12) ? MOCK_VIOMMU
	                                                           : differ_draw(d, 3),
	                                .dev_id = dev->id,
	                                .hwpt_id = on->id};
	int error;

	if (!place)
		return;
	if (differ_draw(d, 2)) {
		cmd.data_len = sizeof(data);
		cmd.data_uptr = (uintptr_t)&data;
	}
	fprintf(d->out, " %d on %d type %#x data %u", differ_name(d, dev), differ_name(d, on),
	        cmd.type, cmd.data_len);
	error = differ_call(d, UAPI_IOC_VIOMMU_ALLOC, &cmd);
	differ_keep(d, place, DIFFER_VIOMMU, cmd.out_viommu_id, -1, error);
	if (!error)
		place->on = differ_name(d, on);
	fprintf(d->out, " out %u length %#llx", data.out, (unsigned long long)data.length);
}

/* Through a page table of a vIOMMU. */
static bool is_guest(const struct differ *d, const struct differ_thing *dev)
{
	return dev->on >= 0 && d->things[dev->on].kind == DIFFER_NESTED &&
	       d->things[d->things[dev->on].on].kind == DIFFER_VIOMMU;
}

static void vdevice(struct differ *d)
{
	struct differ_thing *const place = differ_place(d);
	struct differ_thing *const dev = differ_pick_suited(d, DIFFER_DEVICE, is_guest);
	struct differ_thing *const on = differ_draw(d, 2) && is_guest(d, dev)
	                                        ? &d->things[d->things[dev->on].on]
	                                        : differ_pick(d, DIFFER_VIOMMU);
	struct uapi_vdevice_alloc cmd = {.size = sizeof(cmd),
	                                 .viommu_id = on->id,
	                                 .dev_id = dev->id,
	                                 .virt_id = differ_draw(d, 5)};
	int error;

	if (!place)
		return;
	if (!differ_draw(d, 20))
		cmd.virt_id = UINT64_C(1) << 32;
	fprintf(d->out, " %d on %d number %#llx", differ_name(d, dev), differ_name(d, on),
	        (unsigned long long)cmd.virt_id);
	error = differ_call(d, UAPI_IOC_VDEVICE_ALLOC, &cmd);
	differ_keep(d, place, DIFFER_VDEVICE, cmd.out_vdevice_id, -1, error);
}

static void veventq(struct differ *d)
{
	struct differ_thing *const place = differ_place(d);
	struct differ_thing *const on = differ_pick(d, DIFFER_VIOMMU);
	struct uapi_veventq_alloc cmd = {.size = sizeof(cmd),
	                                 .flags = !differ_draw(d, 30),
	                                 .viommu_id = on->id,
	                                 .type = differ_draw(d, 12) ? MOCK_VEVENTQ : 0,
	                                 .veventq_depth = differ_draw(d, 5)};
	int error;

	if (!place)
		return;
	fprintf(d->out, " on %d depth %u type %#x", differ_name(d, on), cmd.veventq_depth,
	        cmd.type);
	error = differ_call(d, UAPI_IOC_VEVENTQ_ALLOC, &cmd);
	differ_keep(d, place, DIFFER_VEVENTQ, cmd.out_veventq_id, (int)cmd.out_veventq_fd, error);
}

static void event(struct differ *d)
{
	struct differ_thing *const dev = differ_pick_suited(d, DIFFER_DEVICE, is_guest);

	if (dev->kind == DIFFER_DEVICE)
		fprintf(d->out, " %d = %d", differ_name(d, dev), world_event(d->world, dev->dev));
}

static void read_events(struct differ *d)
{
	struct differ_thing *const thing = differ_pick_suited(d, DIFFER_VEVENTQ, differ_is_ready);
	uint8_t buffer[40] = {0};
	const size_t size = differ_draw(d, 3) ? sizeof(buffer) : differ_draw(d, 40);
	ssize_t got;

	if (thing->kind != DIFFER_VEVENTQ || thing->fd < 0)
		return;
	got = world_read_fd(d->world, thing->fd, buffer, size);
	fprintf(d->out, " %d room %d = %d sum %#x", differ_name(d, thing), (int)size, (int)got,
	        got > 0 ? differ_sum(buffer, (size_t)got) : 0);
}

static void hw_queue(struct differ *d)
{
	struct differ_thing *const place = differ_place(d);
	struct differ_thing *const on = differ_pick(d, DIFFER_VIOMMU);
	struct uapi_hw_queue_alloc cmd = {.size = sizeof(cmd),
	                                  .viommu_id = on->id,
	                                  .type = differ_draw(d, 12) ? MOCK_HW_QUEUE : 0,
	                                  .index = differ_draw(d, differ_draw(d, 4) ? 2 : 3),
	                                  .nesting_parent_iova = differ_iova(d, differ_base(d, on)),
	                                  .length = differ_length(d)};
	int error;

	/* Pages that follow each other for a process need not do so in a machine's memory. */
	if (cmd.length > DIFFER_PAGE && cmd.length < UINT64_MAX)
		cmd.length = DIFFER_PAGE;
	cmd.nesting_parent_iova &= -(uint64_t)DIFFER_PAGE;
	if (!place)
		return;
	fprintf(d->out, " on %d index %u %#llx %#llx", differ_name(d, on), cmd.index,
	        (unsigned long long)cmd.nesting_parent_iova, (unsigned long long)cmd.length);
	error = differ_call(d, UAPI_IOC_HW_QUEUE_ALLOC, &cmd);
	differ_keep(d, place, DIFFER_HW_QUEUE, cmd.out_hw_queue_id, -1, error);
}

static void invalidate(struct differ *d)
{
	const bool of_viommu = differ_draw(d, 2);
	struct differ_thing *const thing =
		differ_pick(d, of_viommu ? DIFFER_VIOMMU : DIFFER_NESTED);
	uint32_t entries[4][3];
	struct uapi_hwpt_invalidate cmd = {.size = sizeof(cmd),
	                                   .hwpt_id = thing->id,
	                                   .data_uptr = (uintptr_t)entries,
	                                   .data_type = differ_draw(d, 16) ? MOCK_INVALIDATE : 0,
	                                   .entry_len = sizeof(entries[0]),
	                                   .entry_num = differ_draw(d, 5)};

	/* Of page tables: a flag, an index, and nothing; of vIOMMUs: a flag, a number, an index. */
	for (size_t i = 0; i < 4; i++) {
		entries[i][0] = differ_draw(d, 10) ? 0 : 1 + differ_draw(d, 2);
		entries[i][1] = differ_draw(d, 5);
		entries[i][2] = of_viommu ? differ_draw(d, 5) : 0;
	}
	fprintf(d->out, " %d count %u sum %#x", differ_name(d, thing), cmd.entry_num,
	        differ_sum(entries, sizeof(entries)));
	fprintf(d->out, " = %d", differ_call(d, UAPI_IOC_HWPT_INVALIDATE, &cmd));
	fprintf(d->out, " %u", cmd.entry_num);
}

static void cached(struct differ *d)
{
	struct differ_thing *const thing = differ_pick(d, DIFFER_NESTED);
	struct differ_thing *const dev = differ_pick(d, DIFFER_DEVICE);
	struct libiommu_hwpt *hwpt;

	if (libiommu_hwpt_adopt(d->ctx, thing->id, LIBIOMMU_ID_BORROW, &hwpt))
		return;
	fprintf(d->out, " %d", differ_name(d, thing));
	for (uint32_t i = 0; i < MOCK_CACHES; i++)
		fprintf(d->out, " %d", world_check_iotlb(d->world, hwpt, i, MOCK_CACHED));
	libiommu_hwpt_destroy(hwpt);
	for (uint32_t i = 0; i < MOCK_CACHES && dev->kind == DIFFER_DEVICE; i++)
		fprintf(d->out, " %d", world_check_cache(d->world, dev->dev, i, MOCK_DEV_CACHED));
}

const struct differ_move differ_guests[] = {
	{"nested", nested, 3},     {"viommu", viommu, 2},         {"vdevice", vdevice, 3},
	{"veventq", veventq, 3},   {"event", event, 5},           {"read-events", read_events, 4},
	{"hw-queue", hw_queue, 5}, {"invalidate", invalidate, 5}, {"cached", cached, 4},
	{NULL, NULL, 0},
};
