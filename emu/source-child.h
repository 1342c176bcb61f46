/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Memory of children of the process that the machine is in. */
#ifndef EMU_SOURCE_CHILD_H
#define EMU_SOURCE_CHILD_H

#include "pages.h"

int emu_source_child(struct libiommu_emu *emu, const struct emu_task *task, uint64_t address,
                     uint64_t length, bool writable, struct emu_pages **pages);

#endif
