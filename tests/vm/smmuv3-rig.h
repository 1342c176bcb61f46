/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A guest with the edu device behind an SMMUv3 that nests: memory with tables in it, a vIOMMU, a
 * number for the device. What vm.h sets up is below it.
 */
#ifndef SMMUV3_RIG_H
#define SMMUV3_RIG_H

#include "edu.h"
#include "../../examples/vmm-nested/smmuv3-tables.h"
#include "vm.h"

enum {
	RIG_ADDRESS = 0x1000000, /* of the guest's memory, which edu reaches through a bypass too */
	RIG_PAGES = 64,
	RIG_SIZE = RIG_PAGES * GUEST_PAGE,
	RIG_IOVA = 0x500000,
	RIG_STREAM = 0x4711, /* the guest's number of the device; the host's is another */
	RIG_ASID = 5
};

struct rig {
	struct vm *vm;
	struct guest guest;
	uint64_t table, context;
	struct libiommu_hwpt *parent;
	struct libiommu_viommu *viommu;
	struct libiommu_vdevice *vdev;
	struct libiommu_smmuv3_batch *batch;
	struct libiommu_hwpt *nested; /* attached, if any */
};

/* Whether the machine has such an IOMMU; says what it lacks if not. */
bool rig_possible(void);

/* A setup and its teardown: nothing is attached, the context descriptor is the table's. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* What the guest has its device's stream do, by a nested page table. */
struct libiommu_hwpt *rig_nested(const struct rig *rig, enum smmuv3_stream stream);

/* The same, attached in the place of what was attached. */
void rig_stream(struct rig *rig, enum smmuv3_stream stream);

/* A page of the guest's memory, full of a value; and whether it is. */
uint64_t rig_page(struct rig *rig, uint8_t value);
void rig_fill(const struct rig *rig, uint64_t page, uint8_t value);
bool rig_page_is(const struct rig *rig, uint64_t page, uint8_t value);

/* The guest maps a page of its memory, and drops nothing from caches. */
void rig_map(struct rig *rig, uint64_t iova, uint64_t page, enum smmuv3_access access);

/* The device reads a page, or writes what it has read last. */
void rig_load(const struct rig *rig, uint64_t iova);
void rig_store(const struct rig *rig, uint64_t iova);

/* Or one word only: where that fails there is one event, and not one for each word of a page. */
void rig_load_word(const struct rig *rig, uint64_t iova);
void rig_store_word(const struct rig *rig, uint64_t iova);

#endif
