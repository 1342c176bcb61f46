/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page requests that a program sends in a device's name. */
#include <errno.h>
#include <libiommu-emu/request.h>

#include "fault.h"
#include "heap.h"
#include "machine.h"

struct waiter {
	libiommu_emu_answer_fn answer;
	void *user;
};

static void answered(void *user, struct emu_dev *dev, uint32_t pasid, uint32_t group, uint32_t code)
{
	struct waiter *const waiter = user;

	(void)dev;
	(void)pasid;
	waiter->answer(waiter->user, group, code);
	emu_release(waiter);
}

LIBIOMMU_API int libiommu_emu_request_page(struct libiommu_emu_device *device, uint32_t flags,
                                           uint32_t pasid, uint32_t group, uint32_t permissions,
                                           uint64_t address, libiommu_emu_answer_fn answer,
                                           void *user)
{
	const struct emu_page_request request = {.address = address,
	                                         .pasid = pasid,
	                                         .group = group,
	                                         .permissions = permissions,
	                                         .has_pasid = flags & LIBIOMMU_EMU_REQUEST_PASID,
	                                         .last = flags & LIBIOMMU_EMU_REQUEST_LAST};
	struct emu_dev *const dev = (struct emu_dev *)device;
	struct waiter *waiter = NULL;
	int error;

	if (!dev || flags & ~(LIBIOMMU_EMU_REQUEST_PASID | LIBIOMMU_EMU_REQUEST_LAST) ||
	    (pasid && !request.has_pasid))
		return -EINVAL;
	if (answer && request.last) {
		waiter = emu_alloc(sizeof(*waiter));
		if (!waiter)
			return -ENOMEM;
		*waiter = (struct waiter){answer, user};
	}
	emu_lock(dev->emu);
	error = emu_fault_report(dev, &request, 1, waiter ? answered : NULL, waiter);
	emu_unlock(dev->emu);
	/* Nobody has the page table, which has been answered. */
	return error == -EINVAL ? 0 : error;
}
