/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Drivers in the kernel that use an address space without an IOMMU, as mediated devices do. */
#ifndef EMU_ACCESS_H
#define EMU_ACCESS_H

#include "ioas.h"

/* What was pinned there is unmapped; it must be unpinned at once. */
typedef void (*emu_revoke_fn)(void *user, uint64_t iova, uint64_t length);

/* An object of type EMU_ACCESS, which no command names. */
struct emu_access {
	struct emu_object object;
	struct emu_ioas *ioas;   /* NULL: none */
	struct emu_access *next; /* of the address space */
	uint64_t alignment;      /* that it needs */
	emu_revoke_fn revoke;
	void *user;
	bool internal; /* what it has pinned cannot be unmapped */
};

/* One that pins. @revoke NULL: what it has pinned cannot be unmapped. */
int emu_access_new(struct emu_ctx *ctx, emu_revoke_fn revoke, void *user,
                   struct emu_access **access);
/* One that reads and writes only. */
int emu_access_new_plain(struct emu_ctx *ctx, struct emu_access **access);
void emu_access_free(struct emu_access *access);
/* NULL: none. What it has pinned in the one before is revoked: 0 or -errno, nothing done. */
int emu_access_attach(struct emu_access *access, struct emu_ioas *ioas);

#define EMU_ACCESS_WRITE 1U
#define EMU_ACCESS_SLOW  4U /* not through the caller's own memory */

/* Every page of the range, at @pages, which may be NULL: 0 or -errno. */
int emu_access_pin(struct emu_access *access, uint64_t iova, uint64_t length, unsigned int flags,
                   emu_phys *pages);
/* Exactly what was pinned. */
void emu_access_unpin(struct emu_access *access, uint64_t iova, uint64_t length);
int emu_access_rw(struct emu_access *access, uint64_t iova, void *buffer, uint64_t length,
                  unsigned int flags);

#endif
