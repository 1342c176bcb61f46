/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Which PASID stands for which vPASID. One device's private spaces and shared ones are alike. */
#ifndef LIBIOMMU_OBJECT_PASID_SPACE_H
#define LIBIOMMU_OBJECT_PASID_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include <libiommu/pasid.h>

/* A space that nobody but one device knows; NULL without memory. */
struct libiommu_pasid_space *li_pasid_space_private(struct libiommu_ctx *ctx);
struct libiommu_ctx *li_pasid_space_ctx(const struct libiommu_pasid_space *space);
void li_pasid_space_enter(struct libiommu_pasid_space *space);
/* Frees a private one. NULL does nothing. */
void li_pasid_space_leave(struct libiommu_pasid_space *space);

/*
 * A PASID below @limit for one more use of the vPASID. Returns 0, or -ENOMEM, -ERANGE, -EADDRINUSE
 * or -ENOSPC as libiommu_pasid_attach(), with nothing changed and nothing recorded.
 */
int li_pasid_space_take(struct libiommu_pasid_space *space, uint32_t vpasid, uint32_t limit,
                        bool identity, uint32_t *pasid);
/*
 * This PASID for one more use of the vPASID: 0; -ENOMEM; -EEXIST where it has another one, or the
 * PASID another vPASID; -ENOSPC where there are too many uses. Nothing is recorded.
 */
int li_pasid_space_take_exactly(struct libiommu_pasid_space *space, uint32_t vpasid,
                                uint32_t pasid);
uint32_t li_pasid_space_flags(const struct libiommu_pasid_space *space);
bool li_pasid_space_is_private(const struct libiommu_pasid_space *space);
/* One use less. */
void li_pasid_space_put(struct libiommu_pasid_space *space, uint32_t vpasid);

/* The PASID that stands for the vPASID, 0 for none. Waits for nobody. */
uint32_t li_pasid_space_find(const struct libiommu_pasid_space *space, uint32_t vpasid);

#endif
