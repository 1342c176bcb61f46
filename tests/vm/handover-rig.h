/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A context of the kernel's test driver that goes to another process: what it has before, and what
 * the other one makes of it.
 */
#ifndef HANDOVER_RIG_H
#define HANDOVER_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "mock.h"

enum {
	LENGTH = 16 * 4096,
	IOVA = 0x2000000, /* inside the test driver's aperture */
	KEY = 1,
	OWN_KEY = 2,
	GUEST_KEY = 3,
	NOBODY = 65534
};

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			rig_fail(#condition, __FILE__, __LINE__);                                  \
	} while (0)
#define OK(call) CHECK(!(call))

/* Ends the process, with the last failure in words. */
void rig_fail(const char *what, const char *file, int line);

/*
 * A guest's IOMMU: a device on a page table that is nested on it, its number, a queue of events and
 * one that hardware reads.
 */
struct guest {
	struct libiommu_device *dev; /* NULL where this kernel has no such queues */
	struct libiommu_hwpt *parent;
	struct libiommu_viommu *viommu;
	struct libiommu_hwpt *table;
	struct libiommu_vdevice *vdev;
	struct libiommu_veventq *events;
	struct libiommu_hw_queue *commands;
};

/* What the program knows itself, and passes on by its own means. */
struct letter {
	struct mock_facts device;
	struct mock_facts guest; /* its device */
	uint64_t token;          /* of the page request that was read */
};

struct world {
	struct mock *mock;
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *own;
	struct libiommu_hwpt *table; /* at the PASID */
	struct libiommu_device *dev;
	struct guest guest;
};

extern int rig_memory; /* the file that is mapped */

/* KiB that the kernel counts as pinned for a process. */
long rig_pinned(pid_t pid);
/* What is mapped and attached is there. */
void rig_see_memory(const struct world *world);

void rig_begin(struct world *world, struct letter *letter);
struct libiommu_handover *rig_hand_over(struct world *world);
/* The devices are another process's from now on; or this one's again. */
void rig_give_devices(struct world *world, struct letter *letter);
void rig_take_devices(struct world *world, const struct letter *letter);
/* All of it, up to the commit. */
void rig_take_over(struct world *world, struct libiommu_takeover *takeover,
                   const struct letter *letter);
/* The successor does all that the predecessor could have done, and destroys it. */
void rig_go_on(struct world *world, const struct letter *letter);
void rig_destroy(struct world *world);

/* The same for the guest's part. */
void guest_begin(struct world *world);
void guest_hand_over(struct world *world, struct libiommu_handover *handover);
void guest_take_over(struct world *world, struct libiommu_takeover *takeover);
void guest_go_on(struct world *world);
void guest_destroy(struct guest *guest);

#endif
