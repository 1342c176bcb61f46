/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Memory that was mapped in one go, page after page, wherever it comes from. Mappings and copies of
 * them share it. A page is pinned as long as somebody covers it, once; it is pinned and charged
 * when the first one comes, and not looked at before.
 */
#ifndef EMU_PAGES_H
#define EMU_PAGES_H

#include "account.h"
#include "maps.h"
#include "phys.h"
#include "range.h"

struct libiommu_emu;

/* The larger thing that a range is part of. */
#define EMU_OF(type, member, range) ((type *)(void *)((char *)(range)-offsetof(type, member)))

struct emu_source;

struct emu_pages {
	struct libiommu_emu *emu;
	struct emu_pages *next, **link; /* all of the machine */
	const struct emu_source *source;
	unsigned int users;
	bool writable;
	bool revoked;   /* what a dma-buf had is its exporter's again */
	uint64_t start; /* of the first page: an address, or an offset */
	uint64_t count;
	emu_phys phys;        /* of the first page, as long as one is pinned */
	struct emu_home home; /* of the first page, where others can have it too */
	struct emu_payer payer;
	uint64_t pinned, charged;   /* pages; they differ within a call, and in a defect */
	struct emu_ranges mapped;   /* by domains: parts of areas, in pages from the first one */
	struct emu_ranges accessed; /* by drivers without one */
};

/* The process is charged for it, not the user, unless nobody is. */
void emu_pages_charge_process(struct emu_pages *pages);
void emu_pages_use(struct emu_pages *pages);
void emu_pages_let_go(struct emu_pages *pages);

/* Before somebody covers these, what nobody does yet is pinned and charged: 0 or -errno. */
int emu_pages_pin(struct emu_pages *pages, uint64_t first, uint64_t last);
/* After somebody has covered them, what nobody does any more is not. */
void emu_pages_unpin(struct emu_pages *pages, uint64_t first, uint64_t last);
/* A driver covers these, once for each call; as long as that is so they are pinned. 0 or -errno. */
int emu_pages_hold(struct emu_pages *pages, uint64_t first, uint64_t last);
void emu_pages_let_loose(struct emu_pages *pages, uint64_t first, uint64_t last);

/* As the processor does it, through what is pinned or, with @direct, the process: 0 or -errno. */
int emu_pages_read(struct emu_pages *pages, uint64_t byte, void *to, uint64_t length, bool direct);
int emu_pages_write(struct emu_pages *pages, uint64_t byte, const void *from, uint64_t length,
                    bool direct);

bool emu_pages_has_pinned(const struct emu_pages *pages, uint64_t index);

/* The kernel holds each page of this process's memory there so often. */
bool emu_pins_are(struct libiommu_emu *emu, uintptr_t address, uint64_t length, unsigned int count);

#endif
