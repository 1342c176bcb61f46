/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Memory of vIOMMUs that is mapped through the context's descriptor. */
#ifndef EMU_VIOMMU_MAP_H
#define EMU_VIOMMU_MAP_H

#include "viommu.h"

struct emu_published {
	struct emu_published *next; /* of the context, by offset */
	struct emu_viommu *viommu;
	uint64_t offset; /* on the context's descriptor */
	uint64_t length;
	int fd;
	uint64_t fd_offset;
};

/* All that is the vIOMMU's, which nobody has mapped. */
void emu_viommu_unpublish(struct emu_viommu *viommu);

#endif
