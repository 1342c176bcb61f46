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

/* A device's group has been answered: UAPI_PAGE_RESP_ code. Called under the machine's lock. */
typedef void (*emu_answer_fn)(void *user, struct emu_dev *dev, uint32_t pasid, uint32_t group,
                              uint32_t code);

struct emu_object *emu_fault_queue_object(struct emu_fault_queue *queue);
struct emu_fault_queue *emu_fault_queue_of(struct emu_object *object);

/* A whole group goes to whoever has its page table, or is answered: 0 or -errno as reported. */
int emu_fault_report(struct emu_dev *dev, const struct emu_page_request *requests, size_t count,
                     emu_answer_fn answer, void *user);
/* What came by this attachment is answered INVALID and forgotten. */
void emu_fault_flush(struct emu_fault_queue *queue, const struct emu_device *device,
                     uint32_t pasid);

int emu_fault_alloc(struct emu_call *call);

#endif
