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

struct emu_ioas;
struct emu_access;

/* An object of type EMU_IOAS. */
int emu_ioas_new(struct emu_ctx *ctx, struct emu_ioas **ioas);
struct emu_object *emu_ioas_object(struct emu_ioas *ioas);
struct emu_ioas *emu_ioas_of(struct emu_object *object);

/* A domain sees all of it from now on, filled: 0 or -errno, nothing done. */
int emu_ioas_add_domain(struct emu_ioas *ioas, struct emu_domain *domain);
void emu_ioas_remove_domain(struct emu_ioas *ioas, struct emu_domain *domain);
/* What addresses are a multiple of: the largest of the smallest pages of its domains. */
uint64_t emu_ioas_alignment(const struct emu_ioas *ioas);
/* Whether the IOMMU's large pages are to be used. */
bool emu_ioas_huge(const struct emu_ioas *ioas);

/* Nobody may use the range until @owner lets go: 0, -EADDRINUSE where something is mapped. */
int emu_ioas_reserve(struct emu_ioas *ioas, uint64_t start, uint64_t last, const void *owner);
void emu_ioas_unreserve(struct emu_ioas *ioas, const void *owner);
/* What a device must not use (emu_dev_reserved()), all of it or nothing: 0 or -errno. */
int emu_ioas_reserve_for(struct emu_ioas *ioas, struct emu_dev *dev);

/* Page tables that the kernel made itself for devices of this address space. */
struct emu_hwpt **emu_ioas_hwpts(struct emu_ioas *ioas);

/*
 * A driver in the kernel that has no IOMMU. @revoke is called for what it has pinned when that is
 * unmapped, and it must unpin at once; NULL: it does not pin.
 */
typedef void (*emu_revoke_fn)(void *user, uint64_t iova, uint64_t length);
int emu_access_new(struct emu_ctx *ctx, emu_revoke_fn revoke, void *user,
                   struct emu_access **access);
void emu_access_free(struct emu_access *access);
int emu_access_attach(struct emu_access *access, struct emu_ioas *ioas); /* NULL: detach */
/* UAPI-like flags: EMU_ACCESS_WRITE. Every page, at @pages, of (iova, length). */
#define EMU_ACCESS_WRITE 1U
#define EMU_ACCESS_SLOW  4U
int emu_access_pin(struct emu_access *access, uint64_t iova, uint64_t length, unsigned int flags,
                   emu_phys *pages);
void emu_access_unpin(struct emu_access *access, uint64_t iova, uint64_t length);
int emu_access_rw(struct emu_access *access, uint64_t iova, void *buffer, uint64_t length,
                  unsigned int flags);

/* How often the kernel holds this page of the caller's memory. */
unsigned int emu_pins_of(struct libiommu_emu *emu, uintptr_t page);

/* The legacy calls of VFIO on the context's descriptor. */
int emu_compat_ioctl(struct emu_ctx *ctx, const struct emu_task *task, unsigned long request,
                     uintptr_t arg);

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
int emu_vfio_ioas(struct emu_call *call);

#endif
