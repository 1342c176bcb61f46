/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Loads and stores of arm64, of general and of vector registers. Not those of SVE, and not what is
 * atomic beyond one access: on registers of a device no processor has to do that.
 */
#ifndef EMU_ARM64_H
#define EMU_ARM64_H

#include "decode.h"

#define EMU_ARM64_SP 31 /* as a base; as an operand it is zero */

struct emu_arm64_cpu {
	uint64_t x[32];
	uint8_t (*v)[16]; /* 32 of them; NULL: they are not known */
};

/* What an instruction does. */
struct emu_arm64_insn {
	bool load, vector;
	bool prefetch;      /* and nothing else */
	bool sign, wide;    /* what is loaded is extended by its sign; to 64 bits */
	unsigned int size;  /* bytes for each register */
	unsigned int count; /* of registers, 1 or 2 */
	unsigned int rt[2], rn;
	int64_t offset;   /* from rn */
	bool indexed;     /* or by rm: extended as option says, and shifted */
	bool after, back; /* the offset is added after the access; and written to rn */
	unsigned int rm, option, shift;
};

/* False: it is none of these. */
bool emu_arm64_decode(uint32_t word, struct emu_arm64_insn *insn);
/* False: an access has failed, and no register has changed. */
bool emu_arm64_run(const struct emu_arm64_insn *insn, struct emu_arm64_cpu *cpu,
                   struct emu_bus *bus);

#endif
