/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Address spaces: which IOVA has what memory, and the domains and accesses that see it. All rules
 * of the kernel's io_pagetable: reserved and allowed ranges, alignment, areas that are unmapped
 * whole only, pinning when there is somebody to see it and not before.
 */
#ifndef EMU_IOAS_H
#define EMU_IOAS_H

#include "ctx.h"
#include "iommu.h"
#include "range.h"

struct emu_access;
struct emu_area;
struct emu_dev;
struct emu_hwpt;

/* An object of type EMU_IOAS. */
struct emu_ioas {
	struct emu_object object;
	struct emu_ranges areas;    /* of IOVAs: struct emu_area */
	struct emu_ranges allowed;  /* where the kernel may choose; none: everywhere */
	struct emu_ranges reserved; /* may overlap */
	struct emu_domain **domains;
	size_t domain_count, domain_room;
	struct emu_access *accesses;
	struct emu_hwpt *hwpts;
	uint64_t alignment; /* of all that is mapped */
	bool small_pages;   /* of the processor's size, so that mappings may be cut */
};

int emu_ioas_new(struct emu_ctx *ctx, struct emu_ioas **ioas);
struct emu_object *emu_ioas_object(struct emu_ioas *ioas);
struct emu_ioas *emu_ioas_of(struct emu_object *object);
/* NULL: there is none with this id. */
struct emu_ioas *emu_ioas_find(struct emu_ctx *ctx, uint32_t id);

/* A domain sees all of it from now on, filled: 0 or -errno, nothing done. */
int emu_ioas_add_domain(struct emu_ioas *ioas, struct emu_domain *domain);
void emu_ioas_remove_domain(struct emu_ioas *ioas, struct emu_domain *domain);
/* What addresses are a multiple of: the largest of the smallest pages of its domains. */
uint64_t emu_ioas_alignment(const struct emu_ioas *ioas);
/* Whether all that is mapped is a multiple of it. */
bool emu_ioas_is_aligned(const struct emu_ioas *ioas, uint64_t alignment);
/* What it must be after a domain or an access came or went: 0, or -EADDRINUSE and it is not. */
int emu_ioas_align(struct emu_ioas *ioas);
/* What is mapped may be cut from now on: 0 or -errno. */
int emu_ioas_set_small_pages(struct emu_ioas *ioas);
/* Whether the IOMMU's large pages are to be used. */
bool emu_ioas_huge(const struct emu_ioas *ioas);

/* Nobody may use the range until @owner lets go: 0, -EADDRINUSE where something is mapped. */
int emu_ioas_reserve(struct emu_ioas *ioas, uint64_t start, uint64_t last, const void *owner);
void emu_ioas_unreserve(struct emu_ioas *ioas, const void *owner);
/* What a device must not use (emu_dev_reserved()), all of it or nothing: 0 or -errno. */
int emu_ioas_reserve_for(struct emu_ioas *ioas, struct emu_dev *dev);
/* The next range from @from on that is not reserved; false: none. */
bool emu_ioas_usable(const struct emu_ioas *ioas, uint64_t from, uint64_t *start, uint64_t *last);

/* Page tables that the kernel made itself for devices of this address space. */
struct emu_hwpt **emu_ioas_hwpts(struct emu_ioas *ioas);

/* Commands. */
int emu_ioas_alloc(struct emu_call *call);
int emu_ioas_iova_ranges(struct emu_call *call);
int emu_ioas_allow_iovas(struct emu_call *call);
int emu_ioas_map(struct emu_call *call);
int emu_ioas_map_file(struct emu_call *call);
int emu_ioas_copy(struct emu_call *call);
int emu_ioas_unmap(struct emu_call *call);
int emu_ioas_change_process(struct emu_call *call);
int emu_ioas_noiommu_get_pa(struct emu_call *call);
int emu_option(struct emu_call *call);

#endif
