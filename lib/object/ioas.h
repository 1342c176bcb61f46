/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_IOAS_H
#define LIBIOMMU_OBJECT_IOAS_H

#include <libiommu/ioas.h>

struct libiommu_ctx *li_ioas_ctx(const struct libiommu_ioas *ioas);
uint32_t li_ioas_id(const struct libiommu_ioas *ioas);
/* Whether destroying the handle destroys it. */
bool li_ioas_is_own(const struct libiommu_ioas *ioas);
/* Count mapped bytes in; @others: at most so many of them do not come from files of memory. */
void li_ioas_count_mapped(struct libiommu_ioas *ioas, uint64_t bytes, uint64_t others);
/* Out; @known: so many of these, and none besides that are known, did not. */
void li_ioas_count_unmapped(struct libiommu_ioas *ioas, uint64_t bytes, uint64_t known);
/* Which flags a mapping may have; 0, or -EINVAL recorded under @operation. */
int li_ioas_check_flags(const struct libiommu_ioas *ioas, const char *operation, uint32_t flags);
/*
 * 0 if a range is mapped from end to end, -ENOENT if not; for one that has a page table. Nothing is
 * recorded.
 */
int li_ioas_is_mapped(const struct libiommu_ctx *ctx, uint32_t id, uint64_t iova, uint64_t length);
/*
 * What the public functions of these names do, recorded under @operation. @iova: in with @fixed,
 * else out.
 */
int li_ioas_map(struct libiommu_ioas *ioas, const char *operation, void *address, uint64_t length,
                uint32_t flags, bool fixed, uint64_t *iova);
int li_ioas_map_file(struct libiommu_ioas *ioas, const char *operation, int fd, uint64_t start,
                     uint64_t length, uint32_t flags, bool fixed, uint64_t *iova);
int li_ioas_copy_fixed(struct libiommu_ioas *ioas, const char *operation,
                       const struct libiommu_ioas *from, uint64_t from_iova, uint64_t length,
                       uint32_t flags, uint64_t iova);
int li_ioas_unmap(struct libiommu_ioas *ioas, const char *operation, uint64_t iova,
                  uint64_t length);
/* Something that must go before the address space: an attachment, a page table. */
void li_ioas_pin(struct libiommu_ioas *ioas);
void li_ioas_unpin(struct libiommu_ioas *ioas);

#endif
