/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A DMA engine of a device: where that can ask for the pages that it misses, it does, and waits. */
#ifndef EMU_ENGINE_H
#define EMU_ENGINE_H

#include "dev.h"

struct emu_engine {
	struct emu_dev *dev;
	uint32_t pasid;
	uint64_t iova;
	uint8_t *buffer;
	size_t length, done;
	unsigned int access; /* EMU_WRITE: to memory */
	bool waiting;        /* for a page */
	uint32_t group;      /* of the last page request */
	/* 0, or why not all of it was moved. */
	void (*finished)(struct emu_engine *engine, int error);
};

/* All but what is counted here has been set. It may be finished before this returns. */
void emu_engine_start(struct emu_engine *engine);
/* Nothing more is moved, and nobody is told. */
void emu_engine_stop(struct emu_engine *engine);

#endif
