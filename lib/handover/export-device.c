/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Devices with what is attached to them, and the page requests that came through it. */
#include <errno.h>
#include <stdlib.h>

#include "../object/device.h"
#include "../object/fault-queue.h"
#include "../object/hwpt.h"
#include "../object/pasid-space.h"
#include "../object/registry.h"
#include "../object/restore.h"
#include "addition.h"
#include "record.h"

static uint32_t number_of_space(struct addition *new, const struct libiommu_device *dev)
{
	const struct libiommu_pasid_space *const space = li_device_pasid_space(dev);

	return space && li_pasid_space_is_private(space) ? ENTRY_PRIVATE
	                                                 : li_addition_number(new, space);
}

static void write_pasids(struct addition *new, struct libiommu_device *dev)
{
	const struct name *const name = li_device_name(dev);
	struct slot_value value = {0};

	for (uint32_t pasid = 0; (pasid = li_pasid_next(dev, pasid));) {
		struct pasid_record record = {.pasid = pasid};

		slot_read(table_find(&name->pasids, pasid), &value);
		record.vpasid = value.vpasid;
		record.hwpt = li_addition_number(new, value.hwpt);
		record.generation = value.generation;
		record.tag = value.tag;
		li_pasid_record(&new->to->body, &record);
	}
}

/* Entered. */
static int write(struct addition *new, struct libiommu_device *dev)
{
	const struct attachment *const attachment = li_device_attachment(dev);
	const struct device_pasids *const pasids = li_device_pasids(dev);
	const struct name *const name = li_device_name(dev);
	struct device_record record = {
		.id = li_device_id(dev),
		.label = atomic_load(&name->label),
		.shared_group = atomic_load(&name->shared_group),
		.pt_id = attachment->pt_id,
		.generation = slot_generation(&name->own),
		.tag = attachment->tag,
		.told_tag = name->told.tag,
		.told_generation = name->told.generation,
		.ended = name->ended,
		.used = pasids->is_used,
		.limit = pasids->limit,
		.pasids = pasids->attached,
	};
	const int error = li_addition_fd(new, li_device_fd(dev), &record.fd);

	record.target = li_addition_number(new, attachment->hwpt ? (const void *)attachment->hwpt
	                                                         : attachment->ioas);
	record.space = number_of_space(new, dev);
	li_device_record(&new->to->body, &record);
	write_pasids(new, dev);
	return error;
}

int libiommu_handover_add_device(struct libiommu_handover *handover, uint64_t key,
                                 struct libiommu_device *dev)
{
	struct addition new = ADDITION(DEVICE, dev);
	int error;

	if (!handover || !dev)
		return FAIL_NULL(handover ? handover->ctx : NULL);
	error = li_device_enter(dev, __func__, DEVICE_NODE);
	if (error)
		return error;
	error = li_addition_begin(&new, li_device_ctx(dev));
	if (!error)
		error = li_addition_end(&new, write(&new, dev));
	li_device_leave(dev);
	return error;
}

/* Where the page requests came through: slots, each with a place in the list. */
struct origins {
	struct index index; /* (0, address) -> place */
	struct origin {
		uint32_t device;
		uint32_t pasid;
	} * list;
	uint32_t count;
};

/* Those of all groups of all queues. */
static int collect(const struct entries *entries, struct origins *origins)
{
	struct group_facts facts;

	for (uint32_t i = 0; i < entries->count; i++) {
		if (entries->list[i].kind != LIBIOMMU_OBJECT_FAULT_QUEUE)
			continue;
		for (uint32_t at = 0; li_next_group(entries->list[i].handle, &at, &facts);) {
			if (!facts.slot ||
			    li_index_find(&origins->index, 0, (uintptr_t)facts.slot) != INDEX_NONE)
				continue;
			if (!li_index_reserve(&origins->index))
				return -ENOMEM;
			li_index_add(&origins->index, 0, (uintptr_t)facts.slot, origins->count++);
		}
	}
	return 0;
}

static void found(struct origins *origins, const struct slot *slot, uint32_t device, uint32_t pasid)
{
	const uint32_t place = li_index_find(&origins->index, 0, (uintptr_t)slot);

	if (place != INDEX_NONE)
		origins->list[place] = (struct origin){device, pasid};
}

/* Looks for them on all devices. */
static int find_origins(const struct entries *entries, struct origins *origins)
{
	origins->list = malloc((origins->count + 1) * sizeof(*origins->list));
	if (!origins->list)
		return -ENOMEM;
	for (uint32_t i = 0; i < origins->count; i++)
		origins->list[i] = (struct origin){ENTRY_NONE, 0};
	for (uint32_t i = 0; i < entries->count && origins->count; i++) {
		struct libiommu_device *const dev = entries->list[i].handle;
		const struct name *name;

		if (entries->list[i].kind != LIBIOMMU_OBJECT_DEVICE)
			continue;
		name = li_device_name(dev);
		found(origins, &name->own, i, 0);
		for (uint32_t pasid = 0; (pasid = li_pasid_next(dev, pasid));)
			found(origins, table_find(&name->pasids, pasid), i, pasid);
	}
	return 0;
}

static uint32_t write_waiting(struct walk *body, struct libiommu_fault_queue *queue)
{
	size_t count;
	const struct libiommu_record *const faults = li_waiting(queue, &count);

	for (size_t i = 0; i < count; i++) {
		struct waiting_record record = {
			.label = faults[i].label,
			.token = faults[i].token,
			.address = faults[i].address,
			.tag = faults[i].tag,
			.flags = faults[i].flags,
			.permissions = faults[i].permissions,
			.length = faults[i].length,
			.vpasid = faults[i].vpasid,
			.group = faults[i].group,
			.attachment = faults[i].attachment,
		};

		li_waiting_record(body, &record);
	}
	return (uint32_t)count;
}

static void write_queue(struct walk *body, const struct entries *entries, uint32_t number,
                        const struct origins *origins)
{
	struct libiommu_fault_queue *const queue = entries->list[number].handle;
	struct groups_record record = {.generation = li_next_generation(queue), .queue = number};
	struct entry_header header = {.kind = ENTRY_GROUPS};
	const size_t start = body->size;
	struct group_facts facts;

	li_entry_header(body, &header);
	li_groups_record(body, &record);
	for (uint32_t at = 0; li_next_group(queue, &at, &facts); record.count++) {
		const uint32_t place =
			facts.slot ? li_index_find(&origins->index, 0, (uintptr_t)facts.slot)
				   : INDEX_NONE;
		struct group_record group = {facts.token, facts.cookie, ENTRY_NONE, 0};

		if (place != INDEX_NONE) {
			group.device = origins->list[place].device;
			group.pasid = origins->list[place].pasid;
		}
		li_group_record(body, &group);
	}
	record.waiting = write_waiting(body, queue);
	li_walk_patch_u32(body, start + 4, (uint32_t)(body->size - start - ENTRY_HEADER_SIZE));
	li_walk_patch_u32(body, start + ENTRY_HEADER_SIZE + 12, record.count);
	li_walk_patch_u32(body, start + ENTRY_HEADER_SIZE + 16, record.waiting);
}

int li_handover_write_groups(struct libiommu_handover *handover)
{
	const struct entries *const entries = &handover->entries;
	struct origins origins = {0};
	int written = 0;

	if (collect(entries, &origins) || find_origins(entries, &origins)) {
		written = -ENOMEM;
		goto free_origins;
	}
	for (uint32_t i = 0; i < entries->count; i++) {
		if (entries->list[i].kind != LIBIOMMU_OBJECT_FAULT_QUEUE)
			continue;
		write_queue(&handover->body, entries, i, &origins);
		written++;
	}
free_origins:
	li_index_free(&origins.index);
	free(origins.list);
	return handover->body.failed ? -ENOMEM : written;
}
