/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A word that a forked child finds zeroed: there the memory of rings is not mapped, and their
 * descriptors are the parent's.
 */
#ifndef LIBIOMMU_FAULT_GUARD_H
#define LIBIOMMU_FAULT_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/sys.h"

int li_guard_new(const struct libiommu_sys *sys, const volatile uint32_t **guard);
void li_guard_free(const struct libiommu_sys *sys, const volatile uint32_t *guard);

static inline bool guard_forked(const volatile uint32_t *guard)
{
	return !*guard;
}

#endif
