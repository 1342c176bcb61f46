/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What the themes of page requests share: a device that asks for pages, and who is asked. */
#ifndef FAULTS_H
#define FAULTS_H

#include "suite.h"

#define FAULTS_LABEL UINT64_C(0xfeed00000001)

enum { OWN_TAG = 70, TAG = 75, OTHER_TAG = 76, PASID = 5 };

/* Of a variant: its page tables are nested. */
enum { FAULTS_NESTED = 1 };

/* A page table; a nested page table. */
extern const struct variant fault_tables[2];
#define FAULT_TABLES .variants = fault_tables, .count = 2

struct faults {
	struct rig *rig;
	struct libiommu_device *dev;
	struct libiommu_fault_queue *queue, *other_queue;
	struct libiommu_hwpt *parent;              /* NULL where the page tables are not nested */
	struct libiommu_hwpt *own, *table, *other; /* of queue, queue, and other_queue */
	struct libiommu_record last;
};

/* A device on a page table of a queue; and, with PASIDs, at one of them another. */
struct faults faults_begin(struct rig *rig, bool pasids);
struct libiommu_hwpt *faults_table(struct faults *f, struct libiommu_fault_queue *queue,
                                   uint32_t flags);
/* The device asks to write. */
void faults_trigger(struct faults *f, uint32_t pasid, uint64_t address);

#endif
