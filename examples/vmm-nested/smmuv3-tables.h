/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What a guest's driver puts into its memory for an SMMUv3: first-stage page tables and context
 * descriptors, and the words of a stream table entry. Addresses are the guest's physical ones, save
 * where they are called IOVA.
 */
#ifndef SMMUV3_TABLES_H
#define SMMUV3_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GUEST_PAGE = 4096 };

/* A guest's memory, handed out from its beginning. */
struct guest {
	uint8_t *memory;
	uint64_t address; /* of the first byte */
	size_t size;
	size_t used;
};

/* A page of zeros; 0 when there is none left. */
uint64_t guest_page(struct guest *guest);

/* Where it is in this process. */
void *guest_at(const struct guest *guest, uint64_t address);

enum smmuv3_access { SMMUV3_NONE, SMMUV3_READ, SMMUV3_READ_WRITE };

/*
 * An empty page table is a page. It translates IOVAs of 39 bits by pages of 4096 bytes. Mapping
 * changes what was mapped before and drops nothing from any cache; it is false without memory.
 */
bool smmuv3_map(struct guest *guest, uint64_t table, uint64_t iova, uint64_t address,
                enum smmuv3_access access);

/* A context descriptor is a page too: which page table, and the number that caches know it by. */
void smmuv3_set_context(const struct guest *guest, uint64_t context, uint64_t table, uint16_t asid);

enum smmuv3_stream { SMMUV3_ABORT = 0, SMMUV3_BYPASS = 4, SMMUV3_TRANSLATE = 5 };

/* The two words of a stream table entry; the context descriptor is for SMMUV3_TRANSLATE. */
void smmuv3_stream_entry(enum smmuv3_stream stream, uint64_t context, uint64_t words[2]);

#endif
