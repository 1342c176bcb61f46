/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "dev.h"

#include <errno.h>
#include <libiommu-emu/iommu.h>
#include <stdio.h>
#include <string.h>

#include "fault.h"
#include "heap.h"
#include "machine.h"
#include "pci.h"
#include "request.h"

void emu_iommu_add(struct libiommu_emu *emu, struct emu_iommu *iommu)
{
	struct emu_iommu **link = &emu->iommus;
	unsigned int number = 0;

	for (; *link; link = &(*link)->next)
		number++;
	iommu->emu = emu;
	*link = iommu;
	if (!iommu->name[0])
		snprintf(iommu->name, sizeof(iommu->name), "emu%u", number);
}

LIBIOMMU_API int libiommu_emu_iommu_set_unsafe_interrupts(struct libiommu_emu_iommu *iommu,
                                                          bool unsafe)
{
	struct emu_iommu *const mine = (struct emu_iommu *)iommu;

	if (!mine)
		return -EINVAL;
	emu_lock(mine->emu);
	mine->unsafe_interrupts = unsafe;
	emu_unlock(mine->emu);
	return 0;
}

struct emu_dev *emu_dev_find(struct libiommu_emu *emu, const char *address)
{
	struct emu_dev *dev = emu->devs;

	while (dev && strcmp(dev->address, address))
		dev = dev->next;
	return dev;
}

/* 0000:00:01.0 and so on; what is taken is left out. */
static int set_address(struct emu_dev *dev, const char *wanted)
{
	for (unsigned int i = 1; !wanted && i < 0x2000; i++) {
		snprintf(dev->address, sizeof(dev->address), "0000:%02x:%02x.0", i / 32, i % 32);
		if (!emu_dev_find(dev->emu, dev->address))
			return 0;
	}
	if (!wanted)
		return -ENOSPC;
	if (strlen(wanted) >= sizeof(dev->address))
		return -EINVAL;
	memcpy(dev->address, wanted, strlen(wanted) + 1);
	return emu_dev_find(dev->emu, wanted) ? -EEXIST : 0;
}

static int copy_reserved(struct emu_dev *dev, const struct emu_dev_spec *spec)
{
	const size_t size = spec->reserved_count * sizeof(struct emu_reserved);

	if (!size)
		return 0;
	dev->reserved = emu_alloc(size);
	if (!dev->reserved)
		return -ENOMEM;
	memcpy(dev->reserved, spec->reserved, size);
	dev->reserved_count = spec->reserved_count;
	return 0;
}

static struct emu_group **groups_of(struct libiommu_emu *emu, bool inner)
{
	return inner ? &emu->inner_groups : &emu->groups;
}

static struct emu_dev **devs_of(const struct emu_dev *dev)
{
	return dev->inner ? &dev->emu->inner_devs : &dev->emu->devs;
}

static struct emu_group *new_group(struct libiommu_emu *emu, const struct emu_dev_spec *spec)
{
	struct emu_group *const group = emu_alloc(sizeof(*group));
	struct emu_group **link = groups_of(emu, spec->inner);

	if (!group)
		return NULL;
	group->iommu = spec->iommu;
	group->inner = spec->inner;
	/* The lowest number that is free; they are in order. */
	for (; *link && (*link)->number == group->number; link = &(*link)->next)
		group->number++;
	group->next = *link;
	*link = group;
	return group;
}

void emu_group_put(struct libiommu_emu *emu, struct emu_group *group)
{
	struct emu_group **link;

	if (!group || group->first || group->opened)
		return;
	link = groups_of(emu, group->inner);
	while (*link != group)
		link = &(*link)->next;
	*link = group->next;
	emu_release(group);
}

static void empty(struct emu_dev *dev)
{
	emu_group_put(dev->emu, dev->group);
	if (dev->model)
		emu_pci_free(dev->model);
	emu_fault_forget(dev);
	emu_requests_forget(dev);
	emu_release(dev->reserved);
	dev->group = NULL;
	dev->model = NULL;
	dev->reserved = NULL;
	dev->reserved_count = 0;
}

/* The number of its node is the lowest that is free; devices are in the order of theirs. */
static void link_in(struct emu_dev *dev)
{
	struct emu_dev **link = devs_of(dev);

	for (; *link && (*link)->node == dev->node; link = &(*link)->next)
		dev->node++;
	dev->next = *link;
	*link = dev;
	for (link = &dev->group->first; *link; link = &(*link)->sibling)
		;
	*link = dev;
}

static int fill_in(struct emu_dev *dev, const struct emu_dev_spec *spec)
{
	int error = spec->inner ? 0 : set_address(dev, spec->address);

	if (!error)
		error = copy_reserved(dev, spec);
	if (error)
		return error;
	dev->pasid_bits = spec->pasid_bits;
	dev->pasid_exec = spec->pasid_exec;
	dev->pasid_privileged = spec->pasid_privileged;
	dev->ats = spec->ats;
	dev->no_dirty = spec->no_dirty;
	dev->page_requests = spec->page_requests;
	dev->virtual_function = spec->virtual_function;
	dev->host = spec->host;
	dev->inner = spec->inner;
	dev->group = spec->group_with ? spec->group_with->group : new_group(dev->emu, spec);
	if (!dev->group)
		return -ENOMEM;
	return spec->inner ? 0 : emu_pci_plain(dev);
}

int emu_dev_new(struct libiommu_emu *emu, const struct emu_dev_spec *spec, struct emu_dev **dev)
{
	struct emu_dev *made;
	struct emu_iommu *iommu;
	int error;

	if (spec->pasid_bits > EMU_PASID_BITS_MAX ||
	    (spec->group_with && spec->group_with->removed))
		return -EINVAL;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->emu = emu;
	error = fill_in(made, spec);
	if (error) {
		empty(made);
		emu_release(made);
		return error;
	}
	link_in(made);
	iommu = made->group->iommu;
	error = iommu && iommu->ops->probe ? iommu->ops->probe(iommu, made) : 0;
	if (error) {
		emu_dev_free(made);
		return error;
	}
	*dev = made;
	return 0;
}

static void unplug(struct emu_dev *dev)
{
	struct emu_iommu *const iommu = dev->group->iommu;
	struct emu_dev **link = devs_of(dev);

	if (iommu && iommu->ops->release)
		iommu->ops->release(iommu, dev);
	while (*link != dev)
		link = &(*link)->next;
	*link = dev->next;
	link = &dev->group->first;
	while (*link != dev)
		link = &(*link)->sibling;
	*link = dev->sibling;
	empty(dev);
}

void emu_dev_free(struct emu_dev *dev)
{
	unplug(dev);
	emu_release(dev);
}

void emu_dev_retire(struct emu_dev *dev)
{
	unplug(dev);
	dev->next = dev->emu->gone;
	dev->emu->gone = dev;
}

void emu_dev_use(struct emu_dev *dev)
{
	dev->files++;
}

void emu_dev_unuse(struct emu_dev *dev)
{
	if (!--dev->files && dev->removed)
		emu_dev_retire(dev);
}

void emu_devs_end(struct libiommu_emu *emu)
{
	while (emu->devs)
		emu_dev_free(emu->devs);
	while (emu->gone) {
		struct emu_dev *const dev = emu->gone;

		emu->gone = dev->next;
		emu_release(dev);
	}
	while (emu->iommus) {
		struct emu_iommu *const iommu = emu->iommus;

		emu->iommus = iommu->next;
		iommu->ops->free(iommu);
	}
}

unsigned int emu_dev_pasid_bits(const struct emu_dev *dev)
{
	const struct emu_iommu *const iommu = dev->group->iommu;

	if (!iommu)
		return 0;
	return dev->pasid_bits < iommu->pasid_bits ? dev->pasid_bits : iommu->pasid_bits;
}

bool emu_dev_asks(const struct emu_dev *dev)
{
	const struct emu_iommu *const iommu = dev->group->iommu;

	return dev->page_requests || (iommu && iommu->asks_always);
}

bool emu_dev_reserved(struct emu_dev *dev, size_t i, struct emu_reserved *range)
{
	struct emu_iommu *const iommu = dev->group->iommu;

	if (i >= dev->reserved_count)
		return iommu && iommu->ops->reserved &&
		       iommu->ops->reserved(iommu, dev, i - dev->reserved_count, range);
	*range = dev->reserved[i];
	return true;
}

struct emu_attached *emu_dev_at(struct emu_dev *dev, uint32_t pasid)
{
	return dev->group ? emu_sparse_get(&dev->group->attached, pasid) : NULL;
}

bool emu_dev_responds(const struct emu_dev *dev)
{
	return !dev->removed && !dev->hangs;
}

struct emu_attached *emu_dev_serving(struct emu_dev *dev, uint32_t pasid)
{
	struct emu_attached *const attached = emu_dev_at(dev, pasid);
	struct emu_attached *without;

	if (attached || !dev->group->iommu || !dev->group->iommu->guest_pasids)
		return attached;
	without = emu_dev_at(dev, 0);
	return without && without->domain->parent ? without : NULL;
}
