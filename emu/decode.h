/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Instructions that use memory, as far as programs use them on a device's registers. */
#ifndef EMU_DECODE_H
#define EMU_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

/*
 * The registers of a device at an address that faulted. What fails leaves the instruction undone:
 * the process gets the signal that the failure has set.
 */
struct emu_bus {
	bool (*covers)(struct emu_bus *bus, uintptr_t address);
	bool (*read)(struct emu_bus *bus, uintptr_t address, unsigned int size, uint64_t *value);
	bool (*write)(struct emu_bus *bus, uintptr_t address, unsigned int size, uint64_t value);
};

/* Does the instruction that faulted at @address; false: not done, nothing changed. */
bool emu_decode(ucontext_t *context, uintptr_t address, struct emu_bus *bus);

#endif
