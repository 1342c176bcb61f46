/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Arithmetic of x86-64, with the flags that it leaves. */
#include "decode.h"

#if defined(__x86_64__) && defined(__LP64__)

#include "decode-x86.h"

#define CARRY    0x001
#define PARITY   0x004
#define ADJUST   0x010
#define ZERO     0x040
#define SIGN     0x080
#define OVERFLOW 0x800

/* The result, and the bits that were carried into each place. */
static uint64_t calculate(enum emu_alu op, uint64_t a, uint64_t b, bool carry)
{
	switch (op) {
	case EMU_ALU_ADD:
	case EMU_ALU_INC:
		return a + b;
	case EMU_ALU_ADC:
		return a + b + carry;
	case EMU_ALU_SBB:
		return a - b - carry;
	case EMU_ALU_SUB:
	case EMU_ALU_CMP:
	case EMU_ALU_DEC:
		return a - b;
	case EMU_ALU_NEG:
		return 0 - a;
	case EMU_ALU_OR:
		return a | b;
	case EMU_ALU_XOR:
		return a ^ b;
	case EMU_ALU_NOT:
		return ~a;
	default:
		return a & b;
	}
}

static bool adds(enum emu_alu op)
{
	return op == EMU_ALU_ADD || op == EMU_ALU_ADC || op == EMU_ALU_INC;
}

static bool is_arithmetic(enum emu_alu op)
{
	return adds(op) || op == EMU_ALU_SUB || op == EMU_ALU_SBB || op == EMU_ALU_CMP ||
	       op == EMU_ALU_DEC || op == EMU_ALU_NEG;
}

uint64_t emu_alu(enum emu_alu op, uint64_t a, uint64_t b, unsigned int size, greg_t *flags)
{
	const unsigned int top = 8 * size - 1;
	const uint64_t mask = UINT64_MAX >> (63 - top);
	const bool carry = *flags & CARRY;
	uint64_t result, carries, overflow;
	greg_t set = 0;

	if (op == EMU_ALU_NEG) {
		b = a;
		a = 0;
	}
	a &= mask;
	b &= mask;
	result = calculate(op == EMU_ALU_NEG ? EMU_ALU_SUB : op, a, b, carry) & mask;
	if (op == EMU_ALU_NOT)
		return result;
	if (is_arithmetic(op)) {
		/* What went out of each place: for a difference, what was borrowed. */
		carries = adds(op) ? (a & b) | ((a | b) & ~result) : (~a & b) | ((~a | b) & result);
		overflow = adds(op) ? (a ^ result) & (b ^ result) : (a ^ b) & (a ^ result);
		set |= carries >> top & 1 ? CARRY : 0;
		set |= carries >> 3 & 1 ? ADJUST : 0;
		set |= overflow >> top & 1 ? OVERFLOW : 0;
	}
	/* These leave the carry as it was. */
	if (op == EMU_ALU_INC || op == EMU_ALU_DEC)
		set = (set & ~(greg_t)CARRY) | (carry ? CARRY : 0);
	set |= __builtin_parity((unsigned int)result & 0xff) ? 0 : PARITY;
	set |= result ? 0 : ZERO;
	set |= result >> top & 1 ? SIGN : 0;
	*flags = (*flags & ~(greg_t)(CARRY | PARITY | ADJUST | ZERO | SIGN | OVERFLOW)) | set;
	return result;
}

#endif
