/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What stands for a virtual machine here: memory in a file, and a device that works on it, QEMU's
 * "edu", whose engine copies a page between itself and the memory and takes a tenth of a second.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <libiommu.h>

enum { PAGE = 4096, PAGES = 16 };

struct machine {
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct libiommu_device *dev;
	struct libiommu_bar_map *bar;
	volatile uint32_t *regs;
	int file; /* the memory */
	uint8_t *memory;
};

/* Each says why when it fails; what there is then is for machine_close(). */

/* A new machine. @address NULL: the first edu there is. */
bool machine_open(struct machine *machine, const char *address);
/* What goes over to the successor. */
bool machine_add(const struct machine *machine, struct libiommu_handover *handover);
/* What has come from the predecessor, with the memory, which is the machine's then. */
bool machine_take(struct machine *machine, struct libiommu_takeover *takeover, int file);
/* Registers and memory, which each process maps for itself. */
bool machine_resume(struct machine *machine);
void machine_print(const struct machine *machine);
/* Children before parents. If the machine was given away, its handles only. */
void machine_close(struct machine *machine);

/* The device begins to write a page that is all @value; and has done so. */
void machine_begin_copy(const struct machine *machine, unsigned int page, uint8_t value);
bool machine_end_copy(const struct machine *machine, unsigned int page, uint8_t value);

bool complain(const char *what);
bool complain_of(const char *what, int error);

#endif
