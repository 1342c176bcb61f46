/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What a forked child finds zeroed: there the memory of rings and of tables is not mapped, and
 * their descriptors are the parent's.
 */
#ifndef LIBIOMMU_BASE_GUARD_H
#define LIBIOMMU_BASE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "sys.h"

/* A page of it. */
int li_guard_page_new(const struct libiommu_sys *sys, void **page);
void li_guard_page_free(const struct libiommu_sys *sys, void *page);

/* A word of it, which is not zero in the parent. */
int li_guard_new(const struct libiommu_sys *sys, const volatile uint32_t **guard);
void li_guard_free(const struct libiommu_sys *sys, const volatile uint32_t *guard);

static inline bool guard_forked(const volatile uint32_t *guard)
{
	return !*guard;
}

#endif
