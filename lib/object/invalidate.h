/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_INVALIDATE_H
#define LIBIOMMU_OBJECT_INVALIDATE_H

#include <stddef.h>
#include <stdint.h>

#include "ctx.h"

/* What the kernel takes in one call. */
#define INVALIDATE_MAX ((size_t)1 << 19)

struct invalidation {
	uint32_t id;   /* of a nested page table or a vIOMMU */
	uint32_t type; /* of the entries */
	const void *entries;
	uint32_t entry_len;
	size_t count;
};

/*
 * In as few calls as possible. Returns 0 or the kernel's -errno, which is not recorded, and in
 * @done how many of the first entries are known to be done.
 */
int li_invalidate(const struct backend *backend, const struct invalidation *what, size_t *done);

/*
 * One call, of at most INVALIDATE_MAX entries. @told is what the kernel says it has done, which is
 * not more than there are and, with an error, less: nothing to rely on for a vIOMMU of an SMMUv3.
 */
int li_invalidate_once(const struct backend *backend, const struct invalidation *what,
                       size_t *told);

/* What a public function was given, with its NULLs looked for; failures are recorded. */
struct raw_invalidation {
	uint32_t id;
	uint32_t type;
	const void *entries;
	size_t entry_length;
	size_t count;
};

int li_invalidate_raw(struct libiommu_ctx *ctx, const char *operation,
                      const struct raw_invalidation *raw, size_t *done);

#endif
