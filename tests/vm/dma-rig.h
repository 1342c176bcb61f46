/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What the tests of DMA spaces share: a space, memory, and a device that moves bytes between. */
#ifndef DMA_RIG_H
#define DMA_RIG_H

#include "vm.h"

enum { MIB = 1 << 20, LARGE = 2 << 20, BYTES = 64 };

/* What the edu device's DMA engine reaches. */
extern const struct libiommu_iova_range reach;

/* Of the test that runs; gone at its end. */
extern struct libiommu_dma_space *space;
/* The kernel's. */
extern size_t page;

/* Each test's; the edu device is bound. */
int dma_setup(void **state);
int dma_teardown(void **state);

/* VFIO's containers, which have no lists of what is allowed, no files and no copies. */
bool is_legacy(const struct vm *vm);

void make_space(struct vm *vm, enum libiommu_dma_policy policy, uint64_t split);
/* The edu device to the space's own address space. */
void attach_edu(struct vm *vm);
uint8_t *new_memory(size_t length);

/* The IOVA that the table has; all of @length follows there. */
uint64_t look(const void *address, uint64_t length);
/* The device moves bytes from one address to another, at the IOVAs that the table has for them. */
void move(const struct vm *vm, const uint8_t *from, uint8_t *to);
/*
 * What the device writes there does not reach this memory, which it did once, and the kernel's log
 * tells of it, on IOMMUs for which it does.
 */
bool is_out_of_reach(const struct vm *vm, uint64_t iova, uint8_t *at);

#endif
