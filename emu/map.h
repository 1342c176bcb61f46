/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Mapping and unmapping in an address space, whoever asks for it. */
#ifndef EMU_MAP_H
#define EMU_MAP_H

#include "ioas.h"

struct emu_pages;

/* A part of some pages. Where they are mapped in the end, they are used by that. */
struct emu_part {
	struct emu_pages *pages;
	uint64_t byte, length;
	struct emu_area *area;
};

/*
 * One behind the other at *@iova, or with @choose where there is room for all of them: 0 or -errno,
 * and nothing is mapped.
 */
int emu_map_parts(struct emu_ioas *ioas, struct emu_part *parts, size_t count, uint64_t *iova,
                  unsigned int access, bool choose);
/* One part, which is charged as the context says. What has made its pages lets them go by this. */
int emu_map_pages(struct emu_ctx *ctx, struct emu_ioas *ioas, struct emu_part *part, uint64_t *iova,
                  unsigned int access, bool choose);
/* All that begins there, whole: 0 or -errno. *@unmapped is how much, also then. */
int emu_unmap_range(struct emu_ioas *ioas, uint64_t start, uint64_t last, uint64_t *unmapped);
/* The same; -EINVAL, -EOVERFLOW: there is no such range. */
int emu_unmap_iova(struct emu_ioas *ioas, uint64_t iova, uint64_t length, uint64_t *unmapped);
/* From an address of the caller's, as MAP does. */
int emu_map_process(struct emu_ctx *ctx, const struct emu_task *task, struct emu_ioas *ioas,
                    uint64_t address, uint64_t length, uint64_t *iova, unsigned int access,
                    bool choose);

/* Where the kernel maps what is at @start of its source: 0 or -errno. */
int emu_iova_choose(struct emu_ioas *ioas, uint64_t start, uint64_t length, uint64_t *iova);
int emu_iova_check(struct emu_ioas *ioas, uint64_t iova, uint64_t length);
/* A list of what is allowed is no longer used. */
void emu_allowed_end(struct emu_ranges *allowed);

#endif
