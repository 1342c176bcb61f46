/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Parts of the decoder for x86-64. */
#ifndef EMU_DECODE_X86_H
#define EMU_DECODE_X86_H

#include "decode.h"

/* An instruction that is being read. */
struct emu_insn {
	ucontext_t *context;
	struct emu_bus *bus;
	uintptr_t address; /* of the memory that it uses */
	const uint8_t *at; /* what is not read yet */
	uint8_t rex, repeat;
	bool narrow;       /* has the prefix for 16 bits */
	unsigned int wide; /* bytes that an operand has which is not a byte */
	unsigned int reg;  /* the operand that is a register */
};

/* The first eight as instructions number them. */
enum emu_alu {
	EMU_ALU_ADD,
	EMU_ALU_OR,
	EMU_ALU_ADC,
	EMU_ALU_SBB,
	EMU_ALU_AND,
	EMU_ALU_SUB,
	EMU_ALU_XOR,
	EMU_ALU_CMP,
	EMU_ALU_TEST,
	EMU_ALU_INC,
	EMU_ALU_DEC,
	EMU_ALU_NOT,
	EMU_ALU_NEG
};

/* The result, of @size bytes, and the processor's flags for it. */
uint64_t emu_alu(enum emu_alu op, uint64_t a, uint64_t b, unsigned int size, greg_t *flags);

/* Moves of the vector registers: past the address; and from the prefix on. */
bool emu_decode_vector(struct emu_insn *insn, uint8_t opcode);
bool emu_decode_vex(struct emu_insn *insn, uint8_t prefix);

#endif
