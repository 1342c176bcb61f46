/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Pointers by a number of 32 bits. A lookup costs four loads, whatever the numbers are. */
#ifndef EMU_SPARSE_H
#define EMU_SPARSE_H

#include <stddef.h>
#include <stdint.h>

struct emu_sparse_node;

/* All zero is empty. */
struct emu_sparse {
	struct emu_sparse_node *root;
};

/* NULL: none. */
void *emu_sparse_get(const struct emu_sparse *sparse, uint32_t at);
/* 0 or -ENOMEM. In the place of another, or with NULL for none, it does not fail. */
int emu_sparse_set(struct emu_sparse *sparse, uint32_t at, void *value);
/* The first from *@at on, which becomes its number; NULL: none. */
void *emu_sparse_next(const struct emu_sparse *sparse, uint32_t *at);

#endif
