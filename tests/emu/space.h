/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* An address space of a machine, and page tables that belong to no device. */
#ifndef SPACE_H
#define SPACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libiommu-emu.h>
#include <libiommu.h>

#include "../../emu/area.h"
#include "../../emu/heap.h"
#include "../../emu/machine.h"
#include "../../emu/table.h"

enum { PAGE = 4096 };

#define BOTH (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)

/* Pages of 2 KiB and more, from 16 MiB to 2 GiB. */
struct table {
	struct emu_domain domain;
	struct emu_table pages;
	unsigned int maps_left; /* before one fails; 0: none does */
};

struct space {
	struct libiommu_emu *emu;
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *handle;
	struct emu_ioas *ioas;
	struct table tables[2];
	uint8_t *memory; /* 16 pages */
};

struct space *space_new(void);
/* Nothing is left of it. */
void space_free(struct space *space);
struct emu_ioas *space_ioas(const struct space *space, const struct libiommu_ioas *handle);
/* The page table comes: 0 or -errno. */
int space_add(struct space *space, unsigned int table);
void space_remove(struct space *space, unsigned int table);
/* It has this memory there, and the memory is held so often. */
bool space_has(const struct space *space, unsigned int table, uint64_t iova, const void *memory,
               uint64_t length);
bool space_pins(const struct space *space, const void *memory, uint64_t length, unsigned int count);

#endif
