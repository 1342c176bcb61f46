/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "smmuv3-tables.h"

#include <endian.h>
#include <string.h>

#define BIT(n) (UINT64_C(1) << (n))

/* Of a descriptor in a page table: Arm Architecture Reference Manual, VMSAv8-64. */
#define VALID        BIT(0)
#define TABLE        BIT(1) /* in the last level: a page */
#define USER         BIT(6)
#define READ_ONLY    BIT(7)
#define INNER_SHARED (BIT(8) | BIT(9))
#define ACCESSED     BIT(10)
#define NOT_GLOBAL   BIT(11)
#define ADDRESS      (BIT(48) - BIT(12))

enum { PAGE_SHIFT = 12, LEVEL_BITS = 9, LEVELS = 3, IOVA_BITS = PAGE_SHIFT + LEVELS * LEVEL_BITS };

/* Of a context descriptor's words: Arm SMMUv3 specification, 5.4. */
#define CD0_T0SZ(bits) (UINT64_C(64) - (bits))
#define CD0_WRITE_BACK (BIT(8) | BIT(10) | BIT(12) | BIT(13)) /* walks are cached, and shared */
#define CD0_NO_TTB1    BIT(30)
#define CD0_VALID      BIT(31)
#define CD0_IPS_40     (UINT64_C(2) << 32)
#define CD0_AARCH64    BIT(41)
#define CD0_RECORD     BIT(45) /* faults are told */
#define CD0_ABORT      BIT(46) /* faults end the access */
#define CD0_ASID(asid) ((uint64_t)(asid) << 48)
#define CD3_NORMAL     UINT64_C(0xff) /* memory attributes, index 0: write-back */

/* Of a stream table entry's words: 5.2. */
#define STE0_VALID      BIT(0)
#define STE1_WRITE_BACK (BIT(2) | BIT(4) | BIT(6) | BIT(7)) /* context descriptors likewise */

uint64_t guest_page(struct guest *guest)
{
	const uint64_t address = guest->address + guest->used;

	if (guest->size - guest->used < GUEST_PAGE)
		return 0;
	memset(guest->memory + guest->used, 0, GUEST_PAGE);
	guest->used += GUEST_PAGE;
	return address;
}

void *guest_at(const struct guest *guest, uint64_t address)
{
	return guest->memory + (address - guest->address);
}

/* The table of the next level, which is made where there is none. */
static uint64_t next_table(struct guest *guest, uint64_t *entry)
{
	uint64_t next = le64toh(*entry) & ADDRESS;

	if (next)
		return next;
	next = guest_page(guest);
	if (next)
		*entry = htole64(next | TABLE | VALID);
	return next;
}

static uint64_t *entry_of(const struct guest *guest, uint64_t table, uint64_t iova, int level)
{
	const int shift = PAGE_SHIFT + (LEVELS - 1 - level) * LEVEL_BITS;
	uint64_t *const entries = guest_at(guest, table);

	return &entries[iova >> shift & (BIT(LEVEL_BITS) - 1)];
}

bool smmuv3_map(struct guest *guest, uint64_t table, uint64_t iova, uint64_t address,
                enum smmuv3_access access)
{
	uint64_t leaf = address | VALID | TABLE | USER | INNER_SHARED | ACCESSED | NOT_GLOBAL;

	for (int level = 0; level < LEVELS - 1; level++) {
		table = next_table(guest, entry_of(guest, table, iova, level));
		if (!table)
			return false;
	}
	if (access == SMMUV3_READ)
		leaf |= READ_ONLY;
	*entry_of(guest, table, iova, LEVELS - 1) = access == SMMUV3_NONE ? 0 : htole64(leaf);
	return true;
}

void smmuv3_set_context(const struct guest *guest, uint64_t context, uint64_t table, uint16_t asid)
{
	uint64_t *const words = guest_at(guest, context);

	words[1] = htole64(table);
	words[3] = htole64(CD3_NORMAL);
	words[0] = htole64(CD0_T0SZ(IOVA_BITS) | CD0_WRITE_BACK | CD0_NO_TTB1 | CD0_VALID |
	                   CD0_IPS_40 | CD0_AARCH64 | CD0_RECORD | CD0_ABORT | CD0_ASID(asid));
}

void smmuv3_stream_entry(enum smmuv3_stream stream, uint64_t context, uint64_t words[2])
{
	words[0] = STE0_VALID | (uint64_t)stream << 1;
	words[1] = 0;
	if (stream == SMMUV3_TRANSLATE) {
		words[0] |= context;
		words[1] = STE1_WRITE_BACK;
	}
}
