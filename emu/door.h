/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The machine's door: the library's system calls, sorted into the machine's and libc's. */
#ifndef EMU_DOOR_H
#define EMU_DOOR_H

struct libiommu_emu;
struct libiommu_sys;

int emu_door_new(struct libiommu_emu *emu, struct libiommu_sys **door);

#endif
