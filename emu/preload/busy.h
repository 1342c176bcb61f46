/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Devices that work by themselves, with a thread in the place of their hardware. */
#ifndef EMU_PRELOAD_BUSY_H
#define EMU_PRELOAD_BUSY_H

#include <stdbool.h>
#include <stdint.h>

struct libiommu_emu_device;

struct emu_preload_busy {
	uint64_t start, size; /* the window of its addresses, whole pages; size 0: it is not busy */
	uint64_t count;       /* of accesses; 0: until it is stopped, or the program ends */
	bool requests;        /* for pages that are missing */
	bool asks;            /* for pages, and uses none */
	const char *tell;     /* the file for what came of it; NULL: none */
	const char *image;    /* the file for what the memory should be; NULL: none */
};

/* From now on, as soon as it is attached and may master the bus. */
int emu_preload_busy(struct libiommu_emu_device *device, const struct emu_preload_busy *how);

#endif
