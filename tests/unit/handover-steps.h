/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A context with one of each thing that can be handed over, and its ways to the other process,
 * which is this one: there the same descriptors have other numbers.
 */
#ifndef LIBIOMMU_TESTS_HANDOVER_STEPS_H
#define LIBIOMMU_TESTS_HANDOVER_STEPS_H

#include "objects.h"

/* How much further on the other side's numbers are. */
enum { OTHER_SIDE = 100 };

enum {
	H_IOAS = 2,
	H_QUEUE = 60,
	H_PARENT = 40,
	H_NESTED = 41,
	H_PASID_PT = 42,
	H_VIOMMU = 50,
	H_VDEVICE = 51,
	H_VEVENTQ = 52,
	H_HW_QUEUE = 53,
	H_SECOND = 8, /* a device without a PASID space, attached to the address space */
	H_SECOND_PT = 43,
	H_QUEUE_FD = 160,
	H_SECOND_FD = 161,
	H_VEVENTQ_FD = 162,
	H_FDS = 5 /* with the context's and the first device's */
};

#define H_VIRT_ID UINT64_C(0x77)
#define H_KEY     UINT64_C(0x1000) /* the first of each kind */

struct world {
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *parent;
	struct libiommu_viommu *viommu;
	struct libiommu_hwpt *nested;   /* on the vIOMMU; the first device's own */
	struct libiommu_hwpt *pasid_pt; /* of the queue; at vPASID 5 and, elsewhere, 70000 */
	struct libiommu_pasid_space *space;
	struct libiommu_device *dev;
	struct libiommu_device *second;
	struct libiommu_vdevice *vdev;
	struct libiommu_veventq *veventq;
	struct libiommu_hw_queue *hw_queue;
};

/* The first side, as it is before a handover. */
void world_make(struct world *world);
/* Reads a page request for the vPASID of PASID @pasid: its token. */
uint64_t world_fault(struct world *world, int fd, uint32_t pasid, uint32_t cookie);
/* Answers it, and the kernel takes that. */
void world_answer(struct world *world, int fd, uint64_t token, uint32_t cookie);
/* All of it: 0, or the first error. */
int world_add(const struct world *world, struct libiommu_handover *handover);
/* A handover of all, complete. */
struct libiommu_handover *world_hand_over(const struct world *world);

/* Their numbers on the other side, in the order of the image. */
void world_fds(int fds[H_FDS]);
/* The other side's descriptors are there; what the image and they make, with the result. */
void world_give_fds(void);
void world_take_back_fds(void);
int world_load(const void *image, size_t size, struct libiommu_takeover **takeover);
/* Takes everything, and looks at all that can be seen of it. */
void world_take(struct libiommu_takeover *takeover, struct world *world);

/* Destroys all of it. @ask: the kernel is asked, on the descriptors that are @side further on. */
void world_close(struct world *world, bool ask, int side);

#endif
