/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The capabilities that VFIO's INFO calls return behind their fixed part. */
#ifndef LIBIOMMU_BASE_INFO_CHAIN_H
#define LIBIOMMU_BASE_INFO_CHAIN_H

#include <stddef.h>
#include <stdint.h>

/*
 * Where in @info, of @size bytes that begin with @fixed ones of another kind, the capability @id
 * is; 0 where it is not. @at: of the first one, 0 for none. Returns 0, or -EIO for a chain that
 * leaves the buffer or does not go forward: the kernel writes one in ascending order, and whoever
 * else may stand in for it is not trusted to stay inside, or to end.
 */
int li_info_chain_find(const void *info, size_t size, size_t fixed, size_t at, uint16_t id,
                       size_t *found);

#endif
