/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What vm-ring-race has for each race: an attachment of some kind with a fault queue, which is
 * about to end; another device with the same queue, whose faults go on; and a ring that is fed from
 * it, with its reader here.
 */
#ifndef RACE_RIG_H
#define RACE_RIG_H

#include "mock.h"
#include "vm.h"

#define LABEL       UINT64_C(0xfeed00000001) /* of the device whose attachment ends */
#define OTHER_LABEL UINT64_C(0xfeed00000002)

enum { OWN_TAG = 70, TAG = 75, OTHER_TAG = 76, ENDED_TAG = 77, PASID = 5 };

/* What ends; under a nested page table, faults of a PASID that has none of its own. */
enum subject { OF_PASID, OF_DEVICE, OF_NESTED, SUBJECTS };

struct race {
	enum subject subject;
	bool replaced; /* not detached */
	uint32_t feed; /* 0 or LIBIOMMU_RING_IO_URING */
	bool threaded; /* a thread of the library's drives the ring */
	bool between;  /* read() feeds it, since the kernel does not read after a change */
};

struct rig {
	const struct race *race;
	struct libiommu_ctx *ctx;
	struct libiommu_device *dev, *other_dev;
	struct libiommu_ioas *ioas;
	struct libiommu_fault_queue *queue, *other_queue;
	struct libiommu_hwpt *parent, *own, *table,
		*other; /* of no queue, queue, queue, other_queue */
	struct libiommu_ring *ring;
	struct libiommu_reader *reader;
	int queue_fd;
};

extern struct mock *mock;
extern struct rig rig;

/* A test has its race as its state. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* A fault that comes through the attachment, and one of the other device's. */
int raise_late(uint64_t address);
int raise_next(uint64_t address);
/* The end of the attachment. */
int rig_change(void);
/* The end of another one, after which the kernel does not read by itself. */
void rig_disarm(void);

void pause_a_little(void);
/* Nothing in the queue is left to be read. */
bool is_read(void);

/* The next record, which must come; who drives the ring does that meanwhile. */
struct libiommu_record next_record(void);
struct libiommu_record next_late(uint64_t address);
struct libiommu_record next_other(uint64_t address);
void next_end(uint64_t tag);
/* Answers; how many answers the kernel has taken as what the reader said: 0 or 1. */
uint64_t succeed(const struct libiommu_record *record);
void nothing_is_left(void);

#endif
