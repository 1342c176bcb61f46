/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A ring with a reader, fed from a fault queue of the model, and what faults into it. */
#ifndef LIBIOMMU_TESTS_QUEUE_RIG_H
#define LIBIOMMU_TESTS_QUEUE_RIG_H

#include "fault-model.h"
#include "model-uring.h"
#include "objects.h"

#define RIG_LABEL UINT64_C(0xfeedface00000001)

enum { RIG_OWN_TAG = 70, RIG_TAG = 75, RIG_PASID = 5 };

/*
 * Device 0 has two page tables of queue 0: own at itself, with RIG_OWN_TAG, and pt[0] at RIG_PASID,
 * with RIG_TAG. pt[1] is of queue 1, which is not in the ring, and plain of none.
 */
struct rig {
	bool fed; /* queues are read ahead by the kernel */
	struct libiommu_ctx *ctx;
	struct libiommu_ring *ring;
	struct libiommu_reader *reader;
	struct libiommu_device *dev;
	struct libiommu_fault_queue *queue[2];
	struct libiommu_hwpt *own;
	struct libiommu_hwpt *pt[2];
	struct libiommu_hwpt *plain;
};

extern struct rig rig;

int rig_setup(void **state);
/* What a test has ended itself is NULL. Nothing may be left, nor set aside for ends to come. */
int rig_teardown(void **state);
#define RIG_TEST(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)
/* Once as above, and once with the kernel reading the queues ahead. */
int rig_setup_fed(void **state);
#define RIG_TEST_FED(function)                                                                     \
	{                                                                                          \
#function "_fed", function, rig_setup_fed, rig_teardown, NULL                      \
	}
#define RIG_TEST_BOTH(function) RIG_TEST(function), RIG_TEST_FED(function)

/* Another ring in place of the rig's, with its reader and queue 0. */
void rig_ring(uint32_t records, uint32_t groups, uint64_t deadline);
void rig_add(struct libiommu_fault_queue *queue);
/* Its reader goes, and nobody has noticed yet. */
void rig_lose_reader(void);
void rig_attach(uint32_t vpasid, struct libiommu_hwpt *hwpt, uint64_t tag);

/* Dispatch, until there is nothing more to do. */
void rig_dispatch(void);
/* The first record of the next group, which has so many, and which is released. */
struct libiommu_record rig_take(uint32_t records);
/* The same for a group of one fault: that it is this one. */
struct libiommu_record rig_take_fault(uint32_t number);
struct libiommu_record rig_take_end(uint64_t tag);
/* There is nothing to take. */
void rig_take_none(void);
/* Completed as the model wants it, and dispatched. */
void rig_complete(const struct libiommu_record *record);
/* Ends of attachments that a queue has memory for. */
size_t rig_reserved(struct libiommu_fault_queue *queue);
uint64_t rig_count(enum libiommu_ring_counter which);

#endif
