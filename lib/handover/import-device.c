/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Devices with what is attached to them, and the page requests that came through it. */
#include <errno.h>
#include <stdlib.h>

#include "../object/device.h"
#include "../object/fault-queue.h"
#include "../object/hwpt.h"
#include "../object/ioas.h"
#include "../object/pasid-space.h"
#include "../object/registry.h"
#include "../object/restore.h"
#include "import.h"

static int check(struct import *in, const struct walk *walk, const struct device_record *record)
{
	if (walk->failed)
		return li_import_bad(in, "a record ends too early");
	if (record->shared_group > 1 || record->used > 1)
		return li_import_bad(in, "a value that is neither yes nor no");
	if (record->limit > TABLE_KEYS)
		return li_import_bad(in, "a device with more PASIDs than there are");
	if (record->target != ENTRY_NONE || record->pt_id)
		if (li_import_check_id(in, record->pt_id))
			return -EBADMSG;
	return li_import_check_id(in, record->id);
}

static int find_target(struct import *in, uint32_t number, struct attachment *attachment)
{
	const struct entries *const entries = &in->to->entries;

	if (number == ENTRY_NONE)
		return 0;
	if (number < entries->count && entries->list[number].kind == LIBIOMMU_OBJECT_IOAS) {
		attachment->ioas = entries->list[number].handle;
		return 0;
	}
	attachment->hwpt = li_import_find(in, number, LIBIOMMU_OBJECT_HWPT);
	if (!attachment->hwpt)
		return -EBADMSG;
	if (li_hwpt_id(attachment->hwpt) != attachment->pt_id)
		return li_import_bad(in, "a page table under two ids");
	return 0;
}

static int enter_space(struct import *in, struct libiommu_device *dev, uint32_t number)
{
	struct libiommu_pasid_space *space;

	if (number == ENTRY_NONE)
		return 0;
	if (number != ENTRY_PRIVATE) {
		space = li_import_find(in, number, LIBIOMMU_OBJECT_PASID_SPACE);
		if (!space)
			return -EBADMSG;
		li_pasid_space_enter(space);
		li_pasid_set_space(dev, space);
		return 0;
	}
	space = li_pasid_space_private(in->to->ctx);
	if (!space)
		return -ENOMEM;
	li_pasid_set_space(dev, space);
	return 0;
}

static int read_pasids(struct import *in, struct walk *walk, struct libiommu_device *dev,
                       uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct pasid_record record = {0};
		struct pasid_facts facts;
		int error;

		li_pasid_record(walk, &record);
		if (walk->failed)
			return li_import_bad(in, "a record ends too early");
		facts = (struct pasid_facts){
			.pasid = record.pasid,
			.vpasid = record.vpasid,
			.hwpt = li_import_find(in, record.hwpt, LIBIOMMU_OBJECT_HWPT),
			.generation = record.generation,
			.tag = record.tag,
		};
		if (!facts.hwpt)
			return -EBADMSG;
		error = li_restore_pasid(dev, &facts);
		if (error == -EINVAL)
			return li_import_bad(in, "a PASID that cannot be, or is another one's");
		if (error)
			return error;
	}
	return 0;
}

/* A device that is bound, with nothing attached. */
static int make(struct import *in, const struct device_record *record, struct libiommu_device **dev)
{
	const struct device_binding binding = {
		.id = record->id,
		.label = record->label,
		.shared_group = record->shared_group,
	};
	struct registry_spare spare;
	int error;
	int fd;

	fd = li_import_fd(in, record->fd);
	if (fd < 0)
		return fd;
	if (li_registry_spare_alloc(&spare))
		return -ENOMEM;
	error = li_device_new(in->to->ctx, fd, true, dev);
	if (!error) {
		error = li_device_set_bound(*dev, &binding, &spare);
		if (error) {
			li_device_discard(*dev, false);
			error = li_import_bad(in, "two devices have the same id");
		}
	}
	li_registry_spare_free(&spare);
	return error;
}

int li_import_device(struct import *in, struct walk *walk, void **handle)
{
	struct device_record record = {0};
	struct attachment attachment = {0};
	struct attachment_facts facts;
	struct libiommu_device *dev;
	int error;

	li_device_record(walk, &record);
	error = check(in, walk, &record);
	facts = (struct attachment_facts){
		.generation = record.generation,
		.told = {record.told_tag, record.told_generation},
		.ended = record.ended,
	};
	attachment.pt_id = record.pt_id;
	attachment.tag = record.tag;
	if (!error)
		error = find_target(in, record.target, &attachment);
	if (!error)
		error = make(in, &record, &dev);
	if (error)
		return error;
	*handle = dev;
	li_device_set_taken_over(dev);
	li_device_pasids(dev)->limit = record.limit;
	error = li_restore_attachment(dev, &attachment, &facts);
	if (!error)
		error = enter_space(in, dev, record.space);
	li_device_pasids(dev)->is_used = record.used;
	if (!error)
		error = read_pasids(in, walk, dev, record.pasids);
	return error;
}

/* The slot that a group came through; false with a reason. */
static bool find_slot(struct import *in, const struct group_record *group, const struct slot **slot)
{
	const struct libiommu_device *dev;
	uint32_t vpasid;

	*slot = NULL;
	if (group->device == ENTRY_NONE)
		return true;
	dev = li_import_find(in, group->device, LIBIOMMU_OBJECT_DEVICE);
	if (!dev)
		return false;
	*slot = group->pasid ? table_find(&li_device_name(dev)->pasids, group->pasid)
	                     : &li_device_name(dev)->own;
	if (*slot && slot_vpasid(*slot, &vpasid))
		return true;
	in->text = "a page request that came through nothing";
	return false;
}

static int read_groups(struct import *in, struct walk *walk, const struct groups_record *record,
                       struct libiommu_fault_queue *queue)
{
	struct group_facts *const facts = calloc(record->count + 1, sizeof(*facts));
	int error = facts ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < record->count && !error; i++) {
		struct group_record group = {0};

		li_group_record(walk, &group);
		facts[i].token = group.token;
		facts[i].cookie = group.cookie;
		error = find_slot(in, &group, &facts[i].slot) ? 0 : -EBADMSG;
	}
	if (!error)
		error = li_restore_groups(queue, record->generation, facts, record->count);
	if (error == -EINVAL)
		error = li_import_bad(in, "page requests that cannot be, or are each other's");
	free(facts);
	return error;
}

static int read_waiting(struct import *in, struct walk *walk, uint32_t count,
                        struct libiommu_fault_queue *queue)
{
	struct libiommu_record *const faults = calloc(count + 1, sizeof(*faults));
	int error = faults ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < count && !error; i++) {
		struct waiting_record record = {0};

		li_waiting_record(walk, &record);
		if (record.flags > UINT8_MAX || record.permissions > UINT16_MAX)
			error = li_import_bad(in, "page requests that cannot be");
		faults[i] = (struct libiommu_record){
			.kind = LIBIOMMU_RECORD_FAULT,
			.flags = (uint8_t)record.flags,
			.permissions = (uint16_t)record.permissions,
			.label = record.label,
			.token = record.token,
			.address = record.address,
			.tag = record.tag,
			.length = record.length,
			.vpasid = record.vpasid,
			.group = record.group,
			.attachment = record.attachment,
		};
	}
	if (!error)
		error = li_restore_waiting(queue, faults, count);
	free(faults);
	return error;
}

int li_import_groups(struct import *in, struct walk *walk)
{
	struct groups_record record = {0};
	struct libiommu_fault_queue *queue;
	size_t queued = 0;
	size_t waiting;
	int error;

	li_groups_record(walk, &record);
	if (walk->failed || record.count > li_walk_left(walk) / GROUP_RECORD_SIZE ||
	    record.waiting > li_walk_left(walk) / WAITING_RECORD_SIZE)
		return li_import_bad(in, "a record ends too early");
	queue = li_import_find(in, record.queue, LIBIOMMU_OBJECT_FAULT_QUEUE);
	if (!queue)
		return -EBADMSG;
	libiommu_fault_queue_outstanding(queue, &queued);
	li_waiting(queue, &waiting);
	if (queued || waiting)
		return li_import_bad(in, "the page requests of a queue twice");
	error = read_groups(in, walk, &record, queue);
	if (!error)
		error = read_waiting(in, walk, record.waiting, queue);
	return error;
}
