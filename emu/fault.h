/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Queues of page requests, read and answered through their own descriptors. */
#ifndef EMU_FAULT_H
#define EMU_FAULT_H

#include "ctx.h"
#include "dev.h"

struct emu_fault_queue;

/* One page request of a device, as PCI has it. */
struct emu_page_request {
	uint64_t address;
	uint32_t pasid; /* 0 with !has_pasid */
	uint32_t group;
	uint32_t permissions; /* UAPI_PGFAULT_PERM_ */
	uint32_t internal;    /* flags of the IOMMU's driver, which the kernel does not mask */
	bool has_pasid;
	bool last; /* of its group */
};

/* No answer of a program's: the kernel had no memory. */
#define EMU_ANSWER_FAILURE 2U

/*
 * A device's group has been answered: UAPI_PAGE_RESP_ code, or EMU_ANSWER_FAILURE. Called under the
 * machine's lock; it may report what the device asks for next.
 */
typedef void (*emu_answer_fn)(void *user, struct emu_dev *dev, uint32_t pasid, uint32_t group,
                              uint32_t code);

struct emu_object *emu_fault_queue_object(struct emu_fault_queue *queue);
struct emu_fault_queue *emu_fault_queue_of(struct emu_object *object);

/*
 * Page requests as a device sends them: each waits until the last of its group is there, and the
 * whole group goes to whoever has its page table. The last is always answered, by @answer, which
 * may be NULL. 0; -EINVAL: there is nobody, as the answer says; -ENOMEM: one that is not the last
 * is lost.
 */
int emu_fault_report(struct emu_dev *dev, const struct emu_page_request *requests, size_t count,
                     emu_answer_fn answer, void *user);
/*
 * What came by this attachment, which was of @device at @pasid, is answered INVALID and forgotten.
 * To be called when it is there no more, or has another queue: who is answered may ask again.
 */
void emu_fault_flush(struct emu_fault_queue *queue, const struct emu_device *device,
                     uint32_t pasid);
/* The device ends. */
void emu_fault_forget(struct emu_dev *dev);

int emu_fault_alloc(struct emu_call *call);

#endif
