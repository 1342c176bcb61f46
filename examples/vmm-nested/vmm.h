/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The VMM: it has a device, gives it to a guest, and is the SMMUv3 that the guest sees in front of
 * it. vmm.c makes what that takes, commands.c does what the guest says, inject.c tells the guest
 * what the device and the host's IOMMU say; host.h is what differs from one IOMMU to another.
 */
#ifndef VMM_H
#define VMM_H

#include <libiommu.h>

#include "smmu.h"

enum {
	VMM_ADDRESS = 0x1000000, /* the guest's first byte of memory */
	VMM_SIZE = 0x100000,
	VMM_STREAM = 0x18,  /* the guest's number of the device */
	VMM_LABEL = 0x1abe1 /* the VMM's own; a pointer would do */
};

/* A group of page requests that the guest has; its place is the guest's number of it. */
struct vmm_group {
	uint64_t token; /* 0: none */
	uint32_t queue;
	uint32_t attachment;
	uint32_t vpasid;
};

struct vmm {
	struct guest memory;
	int memory_fd;
	struct smmu smmu;
	struct libiommu_ctx *ctx;
	struct libiommu_device *dev;
	struct libiommu_pasid_space *pasids;
	struct libiommu_ioas *ioas;
	struct libiommu_hwpt *parent; /* the guest's memory, and nothing else */
	struct libiommu_viommu *viommu;
	struct libiommu_vdevice *vdev;
	struct libiommu_fault_queue *faults;
	struct libiommu_veventq *events;
	struct libiommu_ring *ring; /* of both */
	struct libiommu_reader *reader;
	struct vmm_group groups[SMMU_GROUPS];
	/* For those who want to know. */
	uint64_t commands, flushes, answers, lost;
};

/* False after saying why; vmm_close() either way. */
bool vmm_open(struct vmm *vmm, const char *device);
bool vmm_close(struct vmm *vmm);
bool vmm_complain(void);

/* The guest's write to its command queue's register: all commands that there are. */
void vmm_doorbell(void *vmm);

/* Faults and events to the guest; waits for the first of them up to so many milliseconds. */
bool vmm_inject(struct vmm *vmm, int timeout);
/* An event of the VMM's own making. */
void vmm_inject_event(struct vmm *vmm, const uint64_t words[SMMU_MOST_WORDS]);
/* How many groups the guest has. */
unsigned int vmm_outstanding(const struct vmm *vmm);
/* The guest's answer to a group. */
bool vmm_answer(struct vmm *vmm, uint32_t group, enum libiommu_fault_code code);

#endif
