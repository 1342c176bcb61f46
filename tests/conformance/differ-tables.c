/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Moves with devices, their page tables, what was written, and page requests. */
#include "differ.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "../../lib/base/uapi/iommufd.h"

/* A page table that PASIDs can have of its own: it is always attached to one. */
static int settle(struct differ *d, struct libiommu_device *dev, uint32_t id)
{
	struct uapi_ioas_alloc ioas = {.size = sizeof(ioas)};
	struct uapi_hwpt_alloc hwpt = {
		.size = sizeof(hwpt), .flags = UAPI_HWPT_ALLOC_PASID, .dev_id = id};
	int error = world_ioctl(d->world, UAPI_IOC_IOAS_ALLOC, &ioas);

	hwpt.pt_id = ioas.out_ioas_id;
	if (!error)
		error = world_ioctl(d->world, UAPI_IOC_HWPT_ALLOC, &hwpt);
	return error ? error : world_attach(d->world, dev, 0, hwpt.out_hwpt_id);
}

static void device(struct differ *d)
{
	struct differ_thing *const place = differ_place(d);
	const uint32_t kind = differ_draw(d, 3) ? WORLD_DEV_PASIDS : differ_draw(d, 4);
	struct libiommu_device *dev;
	uint32_t id;

	for (size_t i = 0, count = 0; i < DIFFER_THINGS; i++)
		if (d->things[i].kind == DIFFER_DEVICE && ++count == 4)
			return;
	if (!place || libiommu_device_open_node(d->ctx, world_node(kind), &dev))
		return;
	if (libiommu_device_bind(dev, (uint64_t)differ_name(d, place), NULL, 0)) {
		libiommu_device_destroy(dev);
		return;
	}
	libiommu_device_id(dev, &id);
	fprintf(d->out, " kind %u", kind);
	differ_keep(d, place, DIFFER_DEVICE, id, -1, 0);
	place->dev = dev;
	place->item = kind;
	fprintf(d->out, " %d", settle(d, dev, id));
}

static void table(struct differ *d)
{
	static const uint32_t all[] = {0,
	                               UAPI_HWPT_ALLOC_DIRTY_TRACKING,
	                               UAPI_HWPT_ALLOC_NEST_PARENT,
	                               UAPI_HWPT_ALLOC_PASID,
	                               UAPI_HWPT_FAULT_ID_VALID,
	                               UAPI_HWPT_FAULT_ID_VALID | UAPI_HWPT_ALLOC_PASID,
	                               UAPI_HWPT_ALLOC_NEST_PARENT | UAPI_HWPT_ALLOC_PASID,
	                               UAPI_HWPT_ALLOC_DIRTY_TRACKING | UAPI_HWPT_ALLOC_PASID};
	struct differ_thing *const place = differ_place(d);
	struct differ_thing *const dev = differ_pick(d, DIFFER_DEVICE);
	struct differ_thing *const ioas = differ_pick(d, DIFFER_IOAS);
	struct differ_thing *const queue = differ_pick(d, DIFFER_FAULTS);
	struct mock_hwpt_data data = {.value = MOCK_CACHED, .huge = !differ_draw(d, 8)};
	struct uapi_hwpt_alloc cmd = {.size = sizeof(cmd),
	                              .flags = all[differ_draw(d, 8)],
	                              .dev_id = dev->id,
	                              .pt_id = ioas->id};
	int error;

	if (!place)
		return;
	if (!differ_draw(d, 8))
		cmd.flags |= all[differ_draw(d, 8)];
	if (!differ_draw(d, 30))
		cmd.flags |= 1U << differ_draw(d, 6);
	if (cmd.flags & UAPI_HWPT_FAULT_ID_VALID)
		cmd.fault_id = queue->id;
	if (!differ_draw(d, 6)) {
		cmd.data_type = differ_draw(d, 8) ? MOCK_HWPT_DATA : 1;
		cmd.data_len = differ_draw(d, 8) ? sizeof(data) : 4;
		cmd.data_uptr = (uintptr_t)&data;
	}
	fprintf(d->out, " %d of %d flags %#x queue %d data %#x+%u", differ_name(d, dev),
	        differ_name(d, ioas), cmd.flags, differ_name(d, queue), cmd.data_type,
	        cmd.data_len);
	error = differ_call(d, UAPI_IOC_HWPT_ALLOC, &cmd);
	differ_keep(d, place, DIFFER_HWPT, cmd.out_hwpt_id, -1, error);
	if (error)
		return;
	place->on = differ_name(d, ioas);
	place->item = cmd.flags;
}

static struct differ_thing *pick_table(struct differ *d)
{
	static const enum differ_kind kinds[] = {DIFFER_HWPT, DIFFER_HWPT, DIFFER_NESTED,
	                                         DIFFER_NESTED, DIFFER_IOAS};

	return differ_pick(d, kinds[differ_draw(d, 5)]);
}

static bool tracks(const struct differ *d, const struct differ_thing *hwpt)
{
	(void)d;
	return hwpt->item & UAPI_HWPT_ALLOC_DIRTY_TRACKING;
}

static bool has_faults(const struct differ *d, const struct differ_thing *dev)
{
	return dev->on >= 0 && d->things[dev->on].item & UAPI_HWPT_FAULT_ID_VALID;
}

static void attach(struct differ *d)
{
	struct differ_thing *const dev = differ_pick(d, DIFFER_DEVICE);
	struct differ_thing *const to = pick_table(d);
	const uint32_t pasid = differ_draw(d, 2) ? 0 : 1 + differ_draw(d, 4);
	int error;

	/* Without PASIDs the door of the test driver does not ask the kernel. */
	if (dev->kind != DIFFER_DEVICE || (pasid && !(dev->item & WORLD_DEV_PASIDS)))
		return;
	error = world_attach(d->world, dev->dev, pasid, to->id);
	fprintf(d->out, " %d pasid %u to %d = %d", differ_name(d, dev), pasid, differ_name(d, to),
	        error);
	if (!error && !pasid)
		dev->on = differ_name(d, to);
}

static void detach(struct differ *d)
{
	struct differ_thing *const dev = differ_pick(d, DIFFER_DEVICE);
	const uint32_t pasid = 1 + differ_draw(d, 4);

	if (dev->kind == DIFFER_DEVICE)
		fprintf(d->out, " %d pasid %u = %d", differ_name(d, dev), pasid,
		        world_detach(d->world, dev->dev, pasid));
}

static void check_map(struct differ *d)
{
	struct differ_thing *const hwpt = differ_pick(d, DIFFER_HWPT);
	const struct differ_mapping *const mapping = differ_mapping(d, differ_base(d, hwpt));
	const bool right[] = {differ_draw(d, 8), differ_draw(d, 8)};
	uint64_t iova = differ_iova(d, -1), page = differ_draw(d, 40);

	if (right[0] && mapping)
		iova = mapping->iova;
	if (right[1] && mapping)
		page = mapping->page;

	fprintf(d->out, " %d %#llx page %d = %d", differ_name(d, hwpt), (unsigned long long)iova,
	        (int)page,
	        world_check_map(d->world, hwpt->id, iova, d->memory + page * DIFFER_PAGE,
	                        DIFFER_PAGE));
}

static void set_dirty(struct differ *d)
{
	struct differ_thing *const hwpt = differ_pick_suited(d, DIFFER_HWPT, tracks);
	struct uapi_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd), .flags = (differ_draw(d, 9) + 1) / 5, .hwpt_id = hwpt->id};

	fprintf(d->out, " %d flags %u = %d", differ_name(d, hwpt), cmd.flags,
	        differ_call(d, UAPI_IOC_HWPT_SET_DIRTY_TRACKING, &cmd));
}

static void write_pages(struct differ *d)
{
	struct differ_thing *const thing = differ_pick_suited(d, DIFFER_HWPT, tracks);
	const struct differ_mapping *const mapping = differ_mapping(d, differ_base(d, thing));
	uint64_t iova = differ_iova(d, -1) & -(uint64_t)DIFFER_PAGE;
	uint64_t bits = differ_draw(d, 65536);
	struct libiommu_hwpt *hwpt;
	int error;

	/* What is not mapped cannot be written. */
	if (differ_draw(d, 8) && mapping) {
		iova = mapping->iova & -(uint64_t)DIFFER_PAGE;
		if (mapping->length / DIFFER_PAGE < 16)
			bits &= (1U << mapping->length / DIFFER_PAGE) - 1;
	}
	if (libiommu_hwpt_adopt(d->ctx, thing->id, LIBIOMMU_ID_BORROW, &hwpt))
		return;
	error = world_write(d->world, hwpt, iova, 16 * DIFFER_PAGE, DIFFER_PAGE, &bits);
	fprintf(d->out, " %d %#llx %#llx = %d", differ_name(d, thing), (unsigned long long)iova,
	        (unsigned long long)bits, error);
	if (!error)
		d->written = (struct differ_mapping){
			.iova = iova, .length = 16 * DIFFER_PAGE, .in = differ_name(d, thing)};
	libiommu_hwpt_destroy(hwpt);
}

static void get_dirty(struct differ *d)
{
	const bool same = differ_draw(d, 2);
	struct differ_thing *const other = differ_pick_suited(d, DIFFER_HWPT, tracks);
	struct differ_thing *const hwpt = same ? &d->things[d->written.in] : other;
	const struct differ_mapping *const mapping =
		same ? &d->written : differ_mapping(d, differ_base(d, hwpt));
	uint64_t bits[16] = {0};
	struct uapi_hwpt_get_dirty_bitmap cmd = {.size = sizeof(cmd),
	                                         .hwpt_id = hwpt->id,
	                                         .flags = differ_draw(d, 8) ? differ_draw(d, 2) : 4,
	                                         .iova = differ_iova(d, -1),
	                                         .length = differ_length(d),
	                                         .page_size = 1024U << differ_draw(d, 6),
	                                         .data = (uintptr_t)bits};

	if (differ_draw(d, 4) && mapping) {
		cmd.iova = mapping->iova;
		cmd.length = mapping->length;
		cmd.page_size = 1024U << differ_draw(d, 3);
	}
	/* More than there is room for is no use. */
	if (cmd.length / cmd.page_size > 1024)
		return;
	fprintf(d->out, " %d flags %u %#llx %#llx by %#llx", differ_name(d, hwpt), cmd.flags,
	        (unsigned long long)cmd.iova, (unsigned long long)cmd.length,
	        (unsigned long long)cmd.page_size);
	fprintf(d->out, " = %d", differ_call(d, UAPI_IOC_HWPT_GET_DIRTY_BITMAP, &cmd));
	/* What is dirty in it depends on its pages. */
	if (differ_base(d, hwpt) >= 0 && !d->things[differ_base(d, hwpt)].item)
		fprintf(d->out, " sum %#x first %#llx", differ_sum(bits, sizeof(bits)),
		        (unsigned long long)bits[0]);
}

static void queue(struct differ *d)
{
	struct uapi_fault_alloc cmd = {.size = sizeof(cmd), .flags = !differ_draw(d, 30)};
	struct differ_thing *const place = differ_place(d);
	int error;

	if (!place)
		return;
	error = differ_call(d, UAPI_IOC_FAULT_QUEUE_ALLOC, &cmd);
	differ_keep(d, place, DIFFER_FAULTS, cmd.out_fault_id, (int)cmd.out_fault_fd, error);
}

static void fault(struct differ *d)
{
	struct differ_thing *const dev = differ_pick_suited(d, DIFFER_DEVICE, has_faults);
	const uint32_t pasid = differ_draw(d, 3) ? 0 : 1 + differ_draw(d, 4);
	const uint64_t address = differ_draw(d, 1000) * (uint64_t)DIFFER_PAGE;
	uint32_t group, perm;

	if (dev->kind != DIFFER_DEVICE)
		return;
	/* Not in the call: compilers differ in what they draw first. */
	perm = 1 + differ_draw(d, 15);
	group = differ_draw(d, 100);
	fprintf(d->out, " %d pasid %u %#llx = %d", differ_name(d, dev), pasid,
	        (unsigned long long)address,
	        world_fault(d->world, dev->dev, pasid, group, perm, address));
}

static void print_fault(struct differ *d, const struct uapi_hwpt_pgfault *fault)
{
	int device = -1;

	for (int i = 0; i < DIFFER_THINGS; i++)
		if (d->things[i].kind == DIFFER_DEVICE && d->things[i].id == fault->dev_id)
			device = i;
	fprintf(d->out, " [device %d flags %u pasid %u group %u perm %u %#llx length %u cookie %u]",
	        device, fault->flags, fault->pasid, fault->grpid, fault->perm,
	        (unsigned long long)fault->addr, fault->length, fault->cookie);
}

static void read_faults(struct differ *d)
{
	struct differ_thing *const thing = differ_pick_suited(d, DIFFER_FAULTS, differ_is_ready);
	struct uapi_hwpt_pgfault faults[3];
	const size_t size = differ_draw(d, 10) ? sizeof(faults) : differ_draw(d, 90);
	ssize_t got;

	if (thing->kind != DIFFER_FAULTS || thing->fd < 0)
		return;
	got = world_read_fd(d->world, thing->fd, faults, size);
	fprintf(d->out, " %d room %d = %d", differ_name(d, thing), (int)size, (int)got);
	for (ssize_t i = 0; i < got / (ssize_t)sizeof(faults[0]); i++) {
		print_fault(d, &faults[i]);
		thing->item = faults[i].cookie;
	}
}

static bool has_given(const struct differ *d, const struct differ_thing *queue)
{
	(void)d;
	return queue->item;
}

static void answer(struct differ *d)
{
	struct differ_thing *const thing = differ_pick_suited(d, DIFFER_FAULTS, has_given);
	struct uapi_hwpt_page_response answers[3];
	const size_t size = differ_draw(d, 10) ? (1 + differ_draw(d, 3)) * sizeof(answers[0])
	                                       : differ_draw(d, 24);

	if (thing->kind != DIFFER_FAULTS || thing->fd < 0)
		return;
	for (size_t i = 0; i < 3; i++)
		answers[i] = (struct uapi_hwpt_page_response){
			.cookie = differ_draw(d, 3) ? thing->item - (uint32_t)i : differ_draw(d, 6),
			.code = differ_draw(d, 10) ? differ_draw(d, 2) : differ_draw(d, 5)};
	fprintf(d->out, " %d size %d cookies %u %u %u = %d", differ_name(d, thing), (int)size,
	        answers[0].cookie, answers[1].cookie, answers[2].cookie,
	        (int)world_write_fd(d->world, thing->fd, answers, size));
}

static void ready(struct differ *d)
{
	struct differ_thing *const thing =
		differ_pick(d, differ_draw(d, 3) ? DIFFER_FAULTS : DIFFER_VEVENTQ);
	struct pollfd pollfd = {.fd = thing->fd, .events = POLLIN | POLLOUT};

	if (thing->fd < 0 || (thing->kind != DIFFER_FAULTS && thing->kind != DIFFER_VEVENTQ))
		return;
	poll(&pollfd, 1, 0);
	fprintf(d->out, " %d = %#x", differ_name(d, thing), pollfd.revents);
}

const struct differ_move differ_tables[] = {
	{"device", device, 1},
	{"table", table, 3},
	{"attach", attach, 12},
	{"detach", detach, 3},
	{"check-map", check_map, 10},
	{"set-dirty", set_dirty, 3},
	{"write", write_pages, 10},
	{"get-dirty", get_dirty, 8},
	{"queue", queue, 1},
	{"fault", fault, 8},
	{"read-faults", read_faults, 6},
	{"answer", answer, 5},
	{"ready", ready, 4},
	{NULL, NULL, 0},
};
