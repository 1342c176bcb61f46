/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Where instructions are not known registers cannot be mapped; read() and write() work. */
#include "decode.h"
#include "trap.h"

#if !defined(__LP64__) || !(defined(__x86_64__) || defined(__AARCH64EL__))

bool emu_trap_works(void)
{
	return false;
}

bool emu_decode(ucontext_t *context, uintptr_t address, struct emu_bus *bus)
{
	(void)context;
	(void)address;
	(void)bus;
	return false;
}

#endif
