/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The host's IOMMU: how it is told what the guest's SMMU has been told. host-smmuv3.c has an SMMUv3
 * of its own, which takes the guest's tables and commands as they are;
 * tests/vm/vmm-mock-host.c has the kernel's test driver, for which they are translated, one page
 * table for each of the guest's address spaces.
 */
#ifndef HOST_H
#define HOST_H

#include "vmm.h"

/* The way to the kernel; NULL is libc. */
const struct libiommu_sys *host_door(void);

struct host_choices {
	uint32_t parent_flags; /* LIBIOMMU_HWPT_ */
	uint32_t viommu_type;
};

/* The device is bound. Sets what the guest's SMMU has, too. */
int host_choose(struct vmm *vmm, struct host_choices *choices);

int host_alloc_events(struct libiommu_viommu *viommu, struct libiommu_veventq **events);

/* All objects are there. After host_end() nothing is attached. */
int host_begin(struct vmm *vmm);
int host_end(struct vmm *vmm);

/* The device goes through what this stream table entry says. */
int host_set_stream(struct vmm *vmm, const uint64_t entry[2]);
/* A context descriptor has changed, where those are not collected. */
int host_set_context(struct vmm *vmm, uint32_t ssid);

/* Whether a command is for the host's IOMMU, and can wait for a synchronization. */
bool host_collects(enum smmu_opcode opcode);
int host_collect(struct vmm *vmm, const uint64_t command[2]);
/* What was collected is done, and forgotten; of it so many commands when one of them fails. */
int host_flush(struct vmm *vmm, uint32_t *done);

/* An event of the host's in the guest's words. */
void host_event(const void *data, size_t length, uint32_t stream, uint64_t words[SMMU_MOST_WORDS]);

#endif
