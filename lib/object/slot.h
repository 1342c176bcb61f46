/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * One place where a page table can be attached, a device's own or one of its PASIDs, and what is
 * there, by value: readers hold nothing that could be freed under them. A reader waits for nobody,
 * also where a writer was interrupted in the middle; it starts again only after a whole change of
 * this very slot has gone by. Writers are alone.
 */
#ifndef LIBIOMMU_OBJECT_SLOT_H
#define LIBIOMMU_OBJECT_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct libiommu_hwpt;

/* All zero: nothing attached. */
struct slot {
	/* Bit 0: attached; bit 1: the copy that counts; 8 to 27: vPASID; 32 to 63: generation. */
	_Atomic uint64_t word;
	struct slot_copy {
		_Atomic(struct libiommu_hwpt *) hwpt;
		_Atomic uint64_t tag;
	} copies[2];
};

struct slot_value {
	struct libiommu_hwpt
		*hwpt; /* NULL for an address space, or what the library does not know */
	uint64_t tag;
	uint32_t vpasid;
	uint32_t generation; /* another one after each change */
};

/* Returns whether anything is attached. */
bool li_slot_read(const struct slot *slot, struct slot_value *value);
/* The same in one load, without the values of attach time. */
bool li_slot_vpasid(const struct slot *slot, uint32_t *vpasid);

void li_slot_set(struct slot *slot, uint32_t vpasid, struct libiommu_hwpt *hwpt, uint64_t tag);
void li_slot_clear(struct slot *slot);

#endif
