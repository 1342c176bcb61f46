/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_DMA_WINDOW_H
#define LIBIOMMU_DMA_WINDOW_H

#include <libiommu/iova.h>

#include "../base/iova.h"

/* The same as the public functions, without a record of failures. */
int li_window_new(uint64_t granule, struct libiommu_iova_window **window);
int li_window_set_ranges(struct libiommu_iova_window *window,
                         const struct libiommu_iova_range *ranges, size_t count,
                         struct libiommu_iova_range *conflict);
/*
 * For memory at @address, so that large pages of both sides begin in the same places as far as
 * there is room for that. 0, -EINVAL, -ENOSPC or -ENOMEM.
 */
int li_window_take_for(struct libiommu_iova_window *window, uint64_t address, uint64_t length,
                       uint64_t *iova);
int li_window_take_at(struct libiommu_iova_window *window, uint64_t iova, uint64_t length);
int li_window_give(struct libiommu_iova_window *window, uint64_t iova, uint64_t length);
/* Records that the window is full, and how; @memory: what was to be mapped. Returns -ENOSPC. */
int li_window_full(const struct libiommu_ctx *ctx, struct libiommu_iova_window *window,
                   const char *operation, uint64_t memory, uint64_t length);
/* One figure of what a window's account says; false where there is no such figure. */
bool li_window_figure(const struct iova_usage *usage, enum libiommu_iova_usage which,
                      uint64_t *value);
/* Whether another window is a part of it. */
bool li_window_is_cut(struct libiommu_iova_window *window);
/* It is not the program's to destroy. */
void li_window_keep(struct libiommu_iova_window *window);
/* Whatever is taken. */
void li_window_free(struct libiommu_iova_window *window);

#endif
