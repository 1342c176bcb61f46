/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What this process has mapped of the machine's, and what is held by that. */
#ifndef EMU_MAPPING_H
#define EMU_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file.h"

struct libiommu_emu;

struct emu_mapping {
	struct emu_mapping *next;
	uintptr_t address;
	size_t length;
	struct emu_hold hold;
};

/* Where a mapping came to lie: 0, or -ENOMEM and nothing is held. */
int emu_mapping_add(struct libiommu_emu *emu, uintptr_t address, size_t length,
                    const struct emu_hold *hold);
/* Nothing is mapped there any more: 0, or -ENOMEM and nothing is changed. */
int emu_mapping_remove(struct libiommu_emu *emu, uintptr_t address, size_t length);
/* Whether any of it is the machine's. */
bool emu_mapping_meets(const struct libiommu_emu *emu, uintptr_t address, size_t length);
/* The machine ends. */
void emu_mappings_end(struct libiommu_emu *emu);

#endif
