/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The instruction of arm64 that a signal tells of. */
#include "decode.h"
#include "trap.h"

#if defined(__aarch64__) && defined(__LP64__) && defined(__AARCH64EL__)

#include <string.h>

#include "arm64.h"

/* A record of what is saved; the first without a mark ends them. */
struct record {
	uint32_t mark, size;
};

#define VECTORS_MARK 0x46508001U
#define VECTORS_AT   16U /* in their record */

bool emu_trap_works(void)
{
	return true;
}

static void *find_vectors(ucontext_t *context)
{
	unsigned char *const all = context->uc_mcontext.__reserved;
	const size_t end = sizeof(context->uc_mcontext.__reserved);
	struct record record;

	for (size_t at = 0; at + sizeof(record) <= end; at += record.size) {
		memcpy(&record, all + at, sizeof(record));
		if (record.mark == VECTORS_MARK)
			return all + at + VECTORS_AT;
		if (!record.mark || record.size < sizeof(record))
			break;
	}
	return NULL;
}

bool emu_decode(ucontext_t *context, uintptr_t address, struct emu_bus *bus)
{
	mcontext_t *const saved = &context->uc_mcontext;
	struct emu_arm64_cpu cpu = {.v = find_vectors(context)};
	struct emu_arm64_insn insn;

	/* Where the access begins is in the registers; it may begin before what has faulted. */
	(void)address;
	memcpy(cpu.x, saved->regs, sizeof(saved->regs));
	cpu.x[EMU_ARM64_SP] = saved->sp;
	if (!emu_arm64_decode(*(const uint32_t *)saved->pc, &insn) ||
	    !emu_arm64_run(&insn, &cpu, bus))
		return false;
	memcpy(saved->regs, cpu.x, sizeof(saved->regs));
	saved->sp = cpu.x[EMU_ARM64_SP];
	saved->pc += 4;
	return true;
}

#endif
