/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A mapping in an address space: which part of what pages is there, and who sees it. */
#ifndef EMU_AREA_H
#define EMU_AREA_H

#include "ioas.h"
#include "pages.h"

struct emu_area {
	struct emu_range iova;  /* of the address space */
	struct emu_range index; /* what it has of the pages */
	struct emu_ioas *ioas;  /* NULL: is in none yet */
	struct emu_pages *pages;
	uint32_t offset;     /* into the first page */
	unsigned int access; /* EMU_READ, EMU_WRITE */
	bool filled;         /* domains have it */
	bool closed;         /* it is about to go: no new access */
	unsigned int accesses, locks;
};

/* The lowest that has one of these addresses; the next of one. NULL: none. */
struct emu_area *emu_area_at(const struct emu_ioas *ioas, uint64_t start, uint64_t last);
struct emu_area *emu_area_next(const struct emu_area *area);
uint64_t emu_area_length(const struct emu_area *area);
/* Where in its pages the address is, in bytes. */
uint64_t emu_area_byte(const struct emu_area *area, uint64_t iova);

/* A walk over areas with no hole between them. */
struct emu_walk {
	const struct emu_ioas *ioas;
	uint64_t next, last; /* what is left, unless all is done */
	bool done;
	/* The part of an area that it has come to. */
	struct emu_area *area;
	uint64_t iova, length;
	uint64_t first_page, last_page; /* of its pages */
};

/* @last is not below @iova. */
struct emu_walk emu_walk_begin(const struct emu_ioas *ioas, uint64_t iova, uint64_t last);
/* False at the end, or at a hole, which is where all is not done. */
bool emu_walk_next(struct emu_walk *walk);

/* All domains see it: 0 or -errno, and then none does. */
int emu_area_fill(struct emu_area *area);
void emu_area_unfill(struct emu_area *area);
/* One domain that comes, or goes. The first one, or the last, pins or unpins. */
int emu_area_fill_domain(struct emu_area *area, struct emu_domain *domain);
void emu_area_unfill_domain(struct emu_area *area, struct emu_domain *domain, bool last);

/* No domain has it any more, though it is still filled. */
void emu_area_unmap_domains(const struct emu_area *area);
/* It ends with @last, and another one goes on behind it: 0 or -errno. Its pages are small. */
int emu_area_split(struct emu_area *area, uint64_t last);

#endif
