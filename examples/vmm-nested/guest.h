/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The guest: a driver of its SMMUv3, as small as can be. It sees its memory and the SMMU's
 * registers, and nothing of the VMM.
 */
#ifndef GUEST_H
#define GUEST_H

#include "smmu.h"

enum { GUEST_SPACES = 4 }; /* address spaces: without an SSID, and SSIDs 1 to 3 */

struct guest_driver {
	struct guest *memory;
	struct smmu *smmu;
	/* A write to the command queue's register: the guest stops, and the VMM goes on. */
	void (*doorbell)(void *vmm);
	void *vmm;
	uint32_t stream; /* the device's number */
	uint64_t contexts;
	uint64_t tables[GUEST_SPACES];
};

/* Queues and tables; the device is let through. False without memory. */
bool guest_boot(struct guest_driver *driver);

/* What the device's accesses are to go through, from now on. False if the SMMU refused it. */
bool guest_set_stream(struct guest_driver *driver, enum smmuv3_stream stream);
/* A stream table entry that is none. */
bool guest_set_bad_stream(struct guest_driver *driver);

/* An address space of the device's begins, empty, or ends. */
bool guest_begin_space(struct guest_driver *driver, uint32_t ssid);
bool guest_end_space(struct guest_driver *driver, uint32_t ssid);

/* Change the page table; nothing is dropped from caches. */
bool guest_map(struct guest_driver *driver, uint32_t ssid, uint64_t iova, uint64_t page,
               enum smmuv3_access access);

/* Commands that wait for the next synchronization: drop a translation, here and in the device. */
void guest_drop(struct guest_driver *driver, uint32_t ssid, uint64_t iova);
/* One that names a stream which is none of the guest's. */
void guest_drop_of_nobody(struct guest_driver *driver);
/* All commands are done when this returns true. */
bool guest_sync(struct guest_driver *driver);
/* What was refused is skipped, and what stands behind it is done. */
bool guest_skip_error(struct guest_driver *driver);

/* What the SMMU tells: false if there is nothing. */
bool guest_next_event(struct guest_driver *driver, uint64_t words[SMMU_MOST_WORDS]);
bool guest_next_request(struct guest_driver *driver, uint64_t words[SMMU_MOST_WORDS]);
/* To the group that the request is of. */
bool guest_answer(struct guest_driver *driver, const uint64_t *request, enum smmu_answer answer);

#endif
