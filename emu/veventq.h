/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Inside of a queue of events. */
#ifndef EMU_VEVENTQ_H
#define EMU_VEVENTQ_H

#include "queue.h"
#include "viommu.h"

struct emu_event {
	struct emu_event *next;
	uint32_t sequence;
	size_t length;
	unsigned char data[];
};

struct emu_veventq {
	struct emu_queue queue;
	struct emu_viommu *viommu;
	struct emu_veventq *next; /* of the vIOMMU */
	uint32_t type;
	uint32_t depth, count;
	uint32_t sequence; /* of the next */
	struct emu_event *first, **last;
	bool lost; /* a mark behind all of them, with a sequence of its own */
	uint32_t lost_sequence;
};

#endif
