/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Which page tables the devices of a group have. The first that attaches one brings it there. */
#include <errno.h>

#include "device.h"
#include "fault.h"
#include "heap.h"
#include "hwpt.h"
#include "ioas.h"

/* What devices must not use is kept free by their requester ids only. */
static struct emu_ioas *reserving(const struct emu_hwpt *hwpt, const struct emu_device *device,
                                  uint32_t pasid)
{
	return pasid || !device->dev->group->iommu ? NULL : emu_hwpt_ioas(hwpt);
}

static size_t member(const struct emu_attached *attached, const struct emu_device *device)
{
	size_t i = 0;

	while (i < attached->count && attached->members[i] != device)
		i++;
	return i;
}

static int set_one(struct emu_dev *dev, uint32_t pasid, struct emu_domain *domain,
                   struct emu_domain *old)
{
	struct emu_iommu *const iommu = dev->group->iommu;

	if (pasid && !emu_dev_pasid_bits(dev))
		return 0;
	return iommu->ops->attach(iommu, dev, pasid, domain, old);
}

/* All devices of the group, or none. Those without PASIDs have nothing to do with them. */
static int set_all(struct emu_group *group, uint32_t pasid, struct emu_domain *domain,
                   struct emu_domain *old)
{
	for (struct emu_dev *dev = group->first; dev; dev = dev->sibling) {
		const int error = set_one(dev, pasid, domain, old);

		if (!error)
			continue;
		for (struct emu_dev *done = group->first; done != dev; done = done->sibling)
			if (set_one(done, pasid, old, domain))
				set_one(done, pasid, NULL, domain);
		return error;
	}
	return 0;
}

/* A page table and PASIDs must be made for each other, on both sides. */
static bool suits(const struct emu_hwpt *hwpt, const struct emu_device *device, uint32_t pasid)
{
	struct emu_group *const group = device->dev->group;
	const struct emu_attached *without;
	uint32_t other = 1;

	if (hwpt->queue && device->dev->virtual_function && device->dev->page_requests)
		return false;
	if (!pasid)
		return hwpt->pasid || !emu_sparse_next(&group->attached, &other);
	without = emu_sparse_get(&group->attached, 0);
	return hwpt->pasid && (!without || !without->hwpt || without->hwpt->pasid);
}

/* The hardware's side of it. */
static int bring(struct emu_hwpt *hwpt, struct emu_device *device, uint32_t pasid,
                 struct emu_domain *old)
{
	struct emu_group *const group = device->dev->group;

	if (!suits(hwpt, device, pasid))
		return -EINVAL;
	if (!group->iommu)
		return 0;
	if (hwpt->domain->iommu->ops != group->iommu->ops)
		return -EINVAL;
	for (struct emu_dev *dev = group->first; dev && pasid; dev = dev->sibling)
		if (emu_dev_pasid_bits(dev) && pasid >> emu_dev_pasid_bits(dev))
			return -EINVAL;
	return set_all(group, pasid, hwpt->domain, old);
}

/* With room for one member more. */
static struct emu_attached *make_room(struct emu_group *group, uint32_t pasid)
{
	struct emu_attached *attached = emu_sparse_get(&group->attached, pasid);
	struct emu_device **members;

	if (!attached) {
		attached = emu_alloc(sizeof(*attached));
		if (!attached || emu_sparse_set(&group->attached, pasid, attached)) {
			emu_release(attached);
			return NULL;
		}
		attached->pasid = pasid;
	}
	members = emu_grow(attached->members, (attached->count + 1) * sizeof(members[0]));
	if (members)
		attached->members = members;
	return members ? attached : NULL;
}

/* If nobody has it. */
static void end(struct emu_group *group, uint32_t pasid)
{
	struct emu_attached *const attached = emu_sparse_get(&group->attached, pasid);

	if (!attached || attached->count)
		return;
	emu_sparse_set(&group->attached, pasid, NULL);
	emu_release(attached->members);
	emu_release(attached);
}

static int join(struct emu_attached *attached, struct emu_hwpt *hwpt, struct emu_device *device)
{
	struct emu_ioas *const ioas = reserving(hwpt, device, attached->pasid);
	int error = 0;

	if (member(attached, device) < attached->count)
		return -EBUSY;
	if (attached->hwpt && attached->hwpt != hwpt)
		return -EINVAL;
	if (ioas)
		error = emu_ioas_reserve_for(ioas, device->dev);
	if (error)
		return error;
	if (!attached->hwpt) {
		error = bring(hwpt, device, attached->pasid, NULL);
		if (error) {
			if (ioas)
				emu_ioas_unreserve(ioas, device->dev);
			return error;
		}
		attached->hwpt = hwpt;
		attached->domain = hwpt->domain;
		attached->device = device;
	}
	emu_object_use(&hwpt->object);
	attached->members[attached->count++] = device;
	return 0;
}

int emu_hwpt_attach(struct emu_hwpt *hwpt, struct emu_device *device, uint32_t pasid)
{
	struct emu_group *const group = device->dev->group;
	struct emu_attached *const attached = make_room(group, pasid);
	const int error = attached ? join(attached, hwpt, device) : -ENOMEM;

	end(group, pasid);
	return error;
}

/* What came by it, once it is there no more: who is answered asks whoever is there then. */
static void flush(const struct emu_attached *was)
{
	if (was->hwpt->queue)
		emu_fault_flush(was->hwpt->queue, was->device, was->pasid);
}

struct emu_hwpt *emu_hwpt_detach(struct emu_device *device, uint32_t pasid)
{
	struct emu_group *const group = device->dev->group;
	struct emu_attached *const attached = emu_sparse_get(&group->attached, pasid);
	struct emu_attached was;
	struct emu_ioas *ioas;
	size_t i;

	if (!attached)
		return NULL;
	i = member(attached, device);
	if (i == attached->count)
		return NULL;
	attached->members[i] = attached->members[--attached->count];
	was = *attached;
	if (!was.count && group->iommu)
		set_all(group, pasid, NULL, was.domain);
	end(group, pasid);
	if (!was.count && group->iommu)
		flush(&was);
	ioas = reserving(was.hwpt, device, pasid);
	if (ioas)
		emu_ioas_unreserve(ioas, device->dev);
	return was.hwpt;
}

static void unreserve_all(const struct emu_attached *attached, struct emu_ioas *ioas)
{
	for (size_t i = 0; i < attached->count; i++)
		emu_ioas_unreserve(ioas, attached->members[i]->dev);
}

static int reserve_all(const struct emu_attached *attached, struct emu_ioas *ioas)
{
	int error = 0;

	for (size_t i = 0; !error && i < attached->count; i++)
		error = emu_ioas_reserve_for(ioas, attached->members[i]->dev);
	if (error)
		unreserve_all(attached, ioas);
	return error;
}

/*
 * Where it fails after the ranges of the new address space have been reserved they are let go, also
 * where the old page table is of the same one, as the kernel does.
 */
static int exchange(struct emu_attached *attached, struct emu_hwpt *hwpt, struct emu_device *device)
{
	struct emu_ioas *const ioas = reserving(hwpt, device, attached->pasid);
	struct emu_ioas *const before = reserving(attached->hwpt, device, attached->pasid);
	const struct emu_attached was = *attached;
	int error = ioas && ioas != before ? reserve_all(attached, ioas) : 0;

	if (error)
		return error;
	error = bring(hwpt, device, attached->pasid, attached->domain);
	if (error) {
		if (ioas)
			unreserve_all(attached, ioas);
		return error;
	}
	attached->hwpt = hwpt;
	attached->domain = hwpt->domain;
	attached->device = device;
	if (device->dev->group->iommu)
		flush(&was);
	if (before && before != ioas)
		unreserve_all(attached, before);
	return 0;
}

int emu_hwpt_replace(struct emu_hwpt *hwpt, struct emu_device *device, uint32_t pasid,
                     struct emu_hwpt **old)
{
	struct emu_attached *const attached = emu_dev_at(device->dev, pasid);
	struct emu_hwpt *before;
	int error;

	if (!attached || member(attached, device) == attached->count)
		return -EINVAL;
	*old = NULL;
	before = attached->hwpt;
	if (hwpt == before)
		return 0;
	error = exchange(attached, hwpt, device);
	if (error)
		return error;
	/* The caller puts the last of them. */
	for (size_t i = 0; i < attached->count; i++) {
		emu_object_use(&hwpt->object);
		if (i)
			emu_object_unuse(&before->object);
	}
	*old = before;
	return 0;
}
