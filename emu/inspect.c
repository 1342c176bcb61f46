/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a test wants to see of the machine, and what only a device could have brought. */
#include "inspect.h"

#include <errno.h>
#include <libiommu-emu/inspect.h>
#include <unistd.h>

#include "account.h"
#include "child.h"
#include "device.h"
#include "hwpt.h"
#include "ioas.h"
#include "look.h"
#include "machine.h"
#include "pages.h"
#include "phys-same.h"

struct emu_object *emu_inspect(struct libiommu_emu *emu, int iommufd, uint32_t id,
                               enum emu_type type, int *error)
{
	struct emu_ctx *const ctx = emu_ctx_of(emu, iommufd);
	struct emu_object *const object = ctx ? emu_object_find(ctx, id, type) : NULL;

	*error = ctx ? -ENOENT : -EBADF;
	if (object)
		*error = 0;
	return object;
}

LIBIOMMU_API int libiommu_emu_find_device(struct libiommu_emu *emu, int iommufd, uint32_t dev_id,
                                          struct libiommu_emu_device **device)
{
	const struct emu_device *found;
	int error;

	if (!emu || !device)
		return -EINVAL;
	emu_lock(emu);
	found = (const struct emu_device *)emu_inspect(emu, iommufd, dev_id, EMU_DEVICE, &error);
	if (found)
		*device = (struct libiommu_emu_device *)found->dev;
	emu_unlock(emu);
	return error;
}

LIBIOMMU_API int libiommu_emu_find_attached(struct libiommu_emu_device *device, uint32_t pasid,
                                            uint32_t *hwpt_id)
{
	struct emu_dev *const dev = (struct emu_dev *)device;
	const struct emu_attached *attached;

	if (!device || !hwpt_id)
		return -EINVAL;
	emu_lock(dev->emu);
	attached = emu_dev_at(dev, pasid);
	*hwpt_id = attached && attached->hwpt ? attached->hwpt->object.id : 0;
	emu_unlock(dev->emu);
	return 0;
}

int emu_inspect_map(const struct emu_domain *domain, uint64_t iova, uintptr_t address,
                    uint64_t length)
{
	const uint64_t page = domain->page_sizes & -domain->page_sizes;
	struct emu_sight sight = {0};

	if ((iova | address | length) & (page - 1) || address + length < address)
		return -EINVAL;
	if (length && emu_look_at(address, length, false))
		return -EFAULT;
	for (uint64_t at = 0; at < length; at += page) {
		const emu_phys phys =
			domain->ops->phys((struct emu_domain *)(uintptr_t)domain, iova + at);

		if (phys == EMU_PHYS_NONE || !emu_phys_is(phys, address + at, &sight))
			return -EINVAL;
	}
	return 0;
}

LIBIOMMU_API int libiommu_emu_check_map(struct libiommu_emu *emu, int iommufd, uint32_t hwpt_id,
                                        uint64_t iova, const void *memory, uint64_t length)
{
	struct emu_object *object;
	int error;

	if (!emu || !memory)
		return -EINVAL;
	emu_lock(emu);
	object = emu_inspect(emu, iommufd, hwpt_id, EMU_HWPT_PAGING, &error);
	if (object)
		error = emu_inspect_map(emu_hwpt_of(object)->domain, iova, (uintptr_t)memory,
		                        length);
	emu_unlock(emu);
	return error;
}

LIBIOMMU_API int libiommu_emu_check_pins(struct libiommu_emu *emu, const void *memory,
                                         uint64_t length, uint32_t count)
{
	const uintptr_t address = (uintptr_t)memory;
	bool are;

	if (!emu || (address | length) % EMU_PAGE || address + length < address)
		return -EINVAL;
	emu_lock(emu);
	are = emu_pins_are(emu, address, length, count);
	emu_unlock(emu);
	return are ? 0 : -EIO;
}

LIBIOMMU_API int libiommu_emu_count_pinned(struct libiommu_emu *emu, pid_t pid, uint64_t *pinned,
                                           uint64_t *locked)
{
	uint64_t pages = 0, limited = 0;
	int error = 0;

	if (!emu)
		return -EINVAL;
	if (!pid)
		pid = getpid();
	if (emu_is_child(emu)) {
		error = emu_child_count(emu, pid, &pages, &limited);
	} else {
		emu_lock(emu);
		emu_account_of(emu, pid, &pages, &limited);
		emu_unlock(emu);
	}
	if (!error && pinned)
		*pinned = pages;
	if (!error && locked)
		*locked = limited;
	return error;
}

LIBIOMMU_API int libiommu_emu_reserve(struct libiommu_emu *emu, int iommufd, uint32_t ioas_id,
                                      uint64_t start, uint64_t last)
{
	struct emu_object *object;
	int error;

	if (!emu || last < start)
		return -EINVAL;
	emu_lock(emu);
	object = emu_inspect(emu, iommufd, ioas_id, EMU_IOAS, &error);
	if (object)
		error = emu_ioas_reserve(emu_ioas_of(object), start, last, NULL);
	emu_unlock(emu);
	return error;
}
