/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Handles from records; those of devices are in import-device.c. */
#include <errno.h>

#include "../nest/hw-queue.h"
#include "../nest/vdevice.h"
#include "../nest/veventq.h"
#include "../nest/viommu.h"
#include "../object/fault-queue.h"
#include "../object/hwpt.h"
#include "../object/ioas.h"
#include "../object/pasid-space.h"
#include "import.h"

static enum libiommu_id_mode id_mode(uint32_t own)
{
	return own ? LIBIOMMU_ID_OWN : LIBIOMMU_ID_BORROW;
}

/* What is read is whole, and the id one of the kernel's. */
static int check(struct import *in, const struct walk *walk, uint32_t id, uint32_t own)
{
	if (walk->failed)
		return li_import_bad(in, "a record ends too early");
	if (own > 1)
		return li_import_bad(in, "a value that is neither yes nor no");
	return li_import_check_id(in, id);
}

static int make_ioas(struct import *in, struct walk *walk, void **handle)
{
	struct ioas_record record = {0};
	struct libiommu_ioas *ioas;
	int error;

	li_ioas_record(walk, &record);
	error = check(in, walk, record.id, record.own);
	if (!error && (record.mapped > INT64_MAX || record.others > record.mapped))
		error = li_import_bad(in, "more is mapped than can be");
	if (!error)
		error = libiommu_ioas_adopt(in->to->ctx, record.id, id_mode(record.own), &ioas);
	if (error)
		return error;
	li_ioas_count_mapped(ioas, record.mapped, record.others);
	*handle = ioas;
	return 0;
}

static int make_fault_queue(struct import *in, struct walk *walk, void **handle)
{
	struct libiommu_fault_queue *queue;
	struct queue_record record = {0};
	int error;
	int fd = -1;

	li_queue_record(walk, &record);
	error = check(in, walk, record.id, record.own);
	if (!error)
		fd = li_import_fd(in, record.fd);
	if (!error && fd < 0)
		error = fd;
	if (!error)
		error = libiommu_fault_queue_adopt(in->to->ctx, record.id, id_mode(record.own), fd,
		                                   LIBIOMMU_FD_OWN, &queue);
	if (!error)
		*handle = queue;
	return error;
}

/* What a page table was made on: an address space, a parent or a vIOMMU. */
static int find_base(struct import *in, uint32_t number, struct hwpt_base *base)
{
	const struct entries *const entries = &in->to->entries;
	void *const handle = number < entries->count ? entries->list[number].handle : NULL;

	switch (handle ? entries->list[number].kind : LIBIOMMU_OBJECT_DEVICE) {
	case LIBIOMMU_OBJECT_IOAS:
		*base = li_hwpt_base_ioas(handle);
		return 0;
	case LIBIOMMU_OBJECT_HWPT:
		*base = li_hwpt_base_parent(handle);
		return 0;
	case LIBIOMMU_OBJECT_VIOMMU:
		*base = li_viommu_base(handle);
		return 0;
	default:
		return li_import_bad(in, "a page table on something that can have none");
	}
}

static int make_hwpt(struct import *in, struct walk *walk, void **handle)
{
	struct libiommu_fault_queue *queue = NULL;
	struct hwpt_record record = {0};
	struct libiommu_hwpt *hwpt;
	struct hwpt_base base;
	int error;

	li_hwpt_record(walk, &record);
	error = check(in, walk, record.id, record.own);
	if (!error && record.tracking > TRACKING_ON)
		error = li_import_bad(in, "a page table in a state that there is not");
	if (!error && record.base != ENTRY_NONE)
		error = find_base(in, record.base, &base);
	if (!error && record.queue != ENTRY_NONE) {
		queue = li_import_find(in, record.queue, LIBIOMMU_OBJECT_FAULT_QUEUE);
		error = queue ? 0 : -EBADMSG;
	}
	if (!error)
		error = libiommu_hwpt_adopt(in->to->ctx, record.id, id_mode(record.own), &hwpt);
	if (error)
		return error;
	if (queue)
		libiommu_hwpt_name_fault_queue(hwpt, queue);
	li_hwpt_set_origin(hwpt, record.base == ENTRY_NONE ? NULL : &base, record.data_type);
	li_hwpt_dirty(hwpt)->tracking = (enum tracking)record.tracking;
	*handle = hwpt;
	return 0;
}

static int make_viommu(struct import *in, struct walk *walk, void **handle)
{
	struct libiommu_hwpt *parent = NULL;
	struct viommu_record record = {0};
	struct libiommu_viommu *viommu;
	unsigned char *data;
	int error;

	li_viommu_record(walk, &record);
	error = check(in, walk, record.id, record.own);
	if (!error && record.length > li_walk_left(walk))
		error = li_import_bad(in, "a record ends too early");
	if (!error && record.parent != ENTRY_NONE) {
		parent = li_import_find(in, record.parent, LIBIOMMU_OBJECT_HWPT);
		error = parent ? 0 : -EBADMSG;
	}
	if (!error)
		error = libiommu_viommu_adopt(in->to->ctx, record.id, id_mode(record.own), &viommu);
	if (error)
		return error;
	*handle = viommu;
	data = li_viommu_set_origin(viommu, record.type, parent, record.length);
	if (record.length && !data)
		return -ENOMEM;
	li_walk_bytes(walk, data, record.length);
	return 0;
}

static int make_pasid_space(struct import *in, struct walk *walk, void **handle)
{
	struct libiommu_pasid_space *space;
	struct space_record record = {0};
	int error;

	li_space_record(walk, &record);
	if (record.flags & ~LIBIOMMU_PASID_IDENTITY_ONLY)
		return li_import_bad(in, "a PASID space with unknown flags");
	error = libiommu_pasid_space_new(in->to->ctx, record.flags, &space);
	if (!error)
		*handle = space;
	return error;
}

static int make_vdevice(struct import *in, struct walk *walk, void **handle)
{
	struct vdevice_record record = {0};
	struct libiommu_viommu *viommu;
	struct libiommu_device *dev;
	struct libiommu_vdevice *vdev;
	int error;

	li_vdevice_record(walk, &record);
	error = check(in, walk, record.id, 0);
	if (error)
		return error;
	viommu = li_import_find(in, record.viommu, LIBIOMMU_OBJECT_VIOMMU);
	dev = li_import_find(in, record.device, LIBIOMMU_OBJECT_DEVICE);
	if (!viommu || !dev)
		return -EBADMSG;
	error = li_vdevice_restore(viommu, dev, record.virt_id, record.id, &vdev);
	if (error == -EEXIST)
		return li_import_bad(in, "a second virtual device for a device");
	if (!error)
		*handle = vdev;
	return error;
}

static int make_veventq(struct import *in, struct walk *walk, void **handle)
{
	struct veventq_record record = {0};
	struct libiommu_veventq *queue;
	struct libiommu_veventq like;
	int error;

	li_veventq_record(walk, &record);
	error = check(in, walk, record.id, record.own);
	if (!error && (record.little_endian > 1 || record.counts > 1))
		error = li_import_bad(in, "a value that is neither yes nor no");
	if (error)
		return error;
	like = (struct libiommu_veventq){
		.viommu = li_import_find(in, record.viommu, LIBIOMMU_OBJECT_VIOMMU),
		.id = record.id,
		.type = record.type,
		.own_id = record.own,
		.layout = {record.length, record.id_offset, record.id_length, record.little_endian},
		.counts = record.counts,
		.expected = record.expected,
		.lost = record.lost,
	};
	if (!like.viommu)
		return -EBADMSG;
	like.fd = li_import_fd(in, record.fd);
	if (like.fd < 0)
		return like.fd;
	error = li_veventq_restore(&like, &queue);
	if (error == -EINVAL)
		return li_import_bad(in, "an event queue that cannot be");
	if (!error)
		*handle = queue;
	return error;
}

static int make_hw_queue(struct import *in, struct walk *walk, void **handle)
{
	struct hw_queue_record record = {0};
	struct libiommu_hw_queue *queue;
	struct libiommu_viommu *viommu;
	int error;

	li_hw_queue_record(walk, &record);
	error = check(in, walk, record.id, 0);
	if (error)
		return error;
	viommu = li_import_find(in, record.viommu, LIBIOMMU_OBJECT_VIOMMU);
	if (!viommu)
		return -EBADMSG;
	error = li_hw_queue_restore(viommu, record.id, &queue);
	if (!error)
		*handle = queue;
	return error;
}

static int (*const makers[ENTRY_KINDS])(struct import *, struct walk *, void **) = {
	[LIBIOMMU_OBJECT_IOAS] = make_ioas,
	[LIBIOMMU_OBJECT_DEVICE] = li_import_device,
	[LIBIOMMU_OBJECT_HWPT] = make_hwpt,
	[LIBIOMMU_OBJECT_PASID_SPACE] = make_pasid_space,
	[LIBIOMMU_OBJECT_FAULT_QUEUE] = make_fault_queue,
	[LIBIOMMU_OBJECT_VIOMMU] = make_viommu,
	[LIBIOMMU_OBJECT_VDEVICE] = make_vdevice,
	[LIBIOMMU_OBJECT_HW_QUEUE] = make_hw_queue,
	[LIBIOMMU_OBJECT_VEVENTQ] = make_veventq,
};

int li_import_entry(struct import *in, const struct entry_header *header, struct walk *walk)
{
	const enum libiommu_object_kind kind = (enum libiommu_object_kind)header->kind;
	void *handle = NULL;
	int error;

	if (!li_entries_has_kind(header->kind)) {
		in->text = "it has a kind of object that this library does not know";
		return -EOPNOTSUPP;
	}
	error = li_entries_reserve(&in->to->entries, kind, header->key);
	if (error == -EEXIST)
		return li_import_bad(in, "two objects of a kind have the same key");
	if (error)
		return error;
	error = makers[kind](in, walk, &handle);
	/* One that is not complete, too: while the context is held nothing can be destroyed. */
	if (handle)
		li_entries_add(&in->to->entries, kind, header->key, handle);
	return error;
}
