/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Moves of x86-64's vector registers, which memcpy() is made of. */
#include "decode.h"

#if defined(__x86_64__) && defined(__LP64__)

#include <string.h>

#include "decode-x86.h"

/* Where the frame of a signal has the registers: Intel's manual, volume 1, "XSAVE Area". */
#define MAGIC_AT    464 /* of what the kernel says of the frame */
#define MAGIC       0x46505853U
#define FEATURES_AT (MAGIC_AT + 8)
#define PRESENT_AT  512
#define UPPER_AT    576
#define FEATURE_SSE (1U << 1)
#define FEATURE_AVX (1U << 2)
#define MOST        32

static uint8_t *area(const struct emu_insn *insn)
{
	return (uint8_t *)insn->context->uc_mcontext.fpregs;
}

/* The upper halves; NULL: the frame has none. What was not in use is zero, and is in use now. */
static uint8_t *upper(const struct emu_insn *insn)
{
	uint8_t *const frame = area(insn);
	uint32_t magic;
	uint64_t features, present;

	memcpy(&magic, frame + MAGIC_AT, sizeof(magic));
	memcpy(&features, frame + FEATURES_AT, sizeof(features));
	if (magic != MAGIC || !(features & FEATURE_AVX))
		return NULL;
	memcpy(&present, frame + PRESENT_AT, sizeof(present));
	if (!(present & FEATURE_AVX))
		memset(frame + UPPER_AT, 0, 16 * 16);
	present |= FEATURE_AVX | FEATURE_SSE;
	memcpy(frame + PRESENT_AT, &present, sizeof(present));
	return frame + UPPER_AT + 16 * (size_t)(insn->reg & 15);
}

static uint8_t *lower(const struct emu_insn *insn)
{
	return (uint8_t *)insn->context->uc_mcontext.fpregs->_xmm[insn->reg & 15].element;
}

/* In pieces of 8 bytes, as the processor puts it on a bus that is as wide. */
static bool load(struct emu_insn *insn, uint8_t *bytes, unsigned int size)
{
	const unsigned int piece = size < 8 ? size : 8;
	uint64_t value;

	for (unsigned int i = 0; i < size; i += piece) {
		if (!insn->bus->read(insn->bus, insn->address + i, piece, &value))
			return false;
		memcpy(bytes + i, &value, piece);
	}
	return true;
}

static bool store(struct emu_insn *insn, const uint8_t *bytes, unsigned int size)
{
	const unsigned int piece = size < 8 ? size : 8;

	for (unsigned int i = 0; i < size; i += piece) {
		uint64_t value = 0;

		memcpy(&value, bytes + i, piece);
		if (!insn->bus->write(insn->bus, insn->address + i, piece, value))
			return false;
	}
	return true;
}

/* What a move of this name moves: bytes, 0 for what is none; and whether it is a store. */
static unsigned int size_of(const struct emu_insn *insn, uint8_t opcode, bool *stores)
{
	const bool single = insn->repeat == 0xf3;
	const bool other = insn->repeat == 0xf2;

	*stores = opcode == 0x11 || opcode == 0x29 || opcode == 0x2b || opcode == 0x7f ||
	          opcode == 0xd6 || opcode == 0xe7 || (opcode == 0x7e && !single);
	switch (opcode) {
	case 0x10:
	case 0x11:
		return single ? 4 : other ? 8 : 16;
	case 0x28:
	case 0x29:
	case 0x2b:
		return single || other ? 0 : 16;
	case 0x6f:
	case 0x7f:
		return insn->narrow || single ? 16 : 0;
	case 0xe7:
		return insn->narrow ? 16 : 0;
	case 0x6e:
	case 0x7e:
		if (opcode == 0x7e && single)
			return 8;
		return !insn->narrow ? 0 : insn->rex & 8 ? 8 : 4;
	case 0xd6:
		return insn->narrow ? 8 : 0;
	case 0xf0:
		return other ? 16 : 0;
	default:
		return 0;
	}
}

/* @whole: the register has the upper half too, which a shorter load clears. */
static bool move(struct emu_insn *insn, uint8_t opcode, bool twice, bool whole)
{
	uint8_t bytes[MOST] = {0};
	bool stores;
	unsigned int size = size_of(insn, opcode, &stores);
	uint8_t *high = NULL;

	if (!size || !area(insn))
		return false;
	if (twice)
		size = size == 16 ? 32 : 0;
	if (whole)
		high = upper(insn);
	if (!size || (size == 32 && !high))
		return false;
	if (stores) {
		memcpy(bytes, lower(insn), 16);
		if (high)
			memcpy(bytes + 16, high, 16);
		return store(insn, bytes, size);
	}
	if (!load(insn, bytes, size))
		return false;
	memcpy(lower(insn), bytes, 16);
	if (high)
		memcpy(high, bytes + 16, 16);
	return true;
}

bool emu_decode_vector(struct emu_insn *insn, uint8_t opcode)
{
	return move(insn, opcode, false, false);
}

/* The prefix has what REX and three others say, partly inverted. */
bool emu_decode_vex(struct emu_insn *insn, uint8_t prefix)
{
	static const uint8_t repeats[] = {0, 0, 0xf3, 0xf2};
	const uint8_t first = *insn->at++;
	const uint8_t second = prefix == 0xc4 ? *insn->at++ : first;
	uint8_t opcode, modrm;

	/* Opcodes that begin with 0x0f have the number 1. */
	if (prefix == 0xc4 && (first & 0x1f) != 1)
		return false;
	insn->narrow = (second & 3) == 1;
	insn->repeat = repeats[second & 3];
	insn->rex = (uint8_t)((first & 0x80 ? 0 : 4) | (prefix == 0xc4 && second & 0x80 ? 8 : 0));
	opcode = *insn->at++;
	modrm = *insn->at++;
	insn->reg = (modrm >> 3 & 7) | (insn->rex & 4 ? 8 : 0);
	if (modrm >> 6 == 3)
		return false;
	if ((modrm & 7) == 4)
		modrm = (uint8_t)((modrm & 0xc0) | (*insn->at++ & 7));
	if (modrm >> 6 == 1)
		insn->at += 1;
	else if (modrm >> 6 == 2 || (modrm & 7) == 5)
		insn->at += 4;
	return move(insn, opcode, second & 4, true);
}

#endif
