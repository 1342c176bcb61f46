/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* After the Arm architecture reference manual, "Loads and Stores" in the encodings of A64. */
#include "arm64.h"

#include <string.h>

#define OPTION_UXTW 2U
#define OPTION_SXTW 6U

/* What the program may have in the top byte is no part of an address. */
#define ADDRESS (UINT64_MAX >> 8)

static unsigned int bits(uint32_t word, unsigned int low, unsigned int count)
{
	return word >> low & (UINT32_MAX >> (32 - count));
}

static uint64_t extend(uint64_t value, unsigned int width)
{
	const uint64_t sign = UINT64_C(1) << (width - 1);

	value &= UINT64_MAX >> (64 - width);
	return (value ^ sign) - sign;
}

/* By the two fields that most have: which register, how much of it, and in which direction. */
static bool read_kind(uint32_t word, struct emu_arm64_insn *insn)
{
	const unsigned int size = bits(word, 30, 2);
	const unsigned int opcode = bits(word, 22, 2);

	insn->size = 1U << size;
	insn->load = opcode;
	if (insn->vector) {
		insn->load = opcode & 1;
		if (opcode & 2)
			insn->size = 16;
		return !(opcode & 2) || !size;
	}
	insn->sign = opcode & 2;
	insn->wide = opcode == 2;
	insn->prefetch = opcode == 2 && size == 3;
	return opcode != 3 || size < 2;
}

static bool read_indexed(uint32_t word, struct emu_arm64_insn *insn)
{
	insn->indexed = true;
	insn->rm = bits(word, 16, 5);
	insn->option = bits(word, 13, 3);
	if (bits(word, 12, 1))
		for (unsigned int size = insn->size; size > 1; size /= 2)
			insn->shift++;
	return insn->option & 2;
}

/* With nine bits of an offset, which is not scaled. */
static bool read_near(uint32_t word, struct emu_arm64_insn *insn)
{
	const unsigned int how = bits(word, 10, 2);

	insn->offset = (int64_t)extend(bits(word, 12, 9), 9);
	insn->after = how == 1;
	insn->back = how & 1;
	/* Unprivileged ones are the same, of general registers. */
	return how != 2 ? !(insn->back && insn->prefetch) : !insn->vector && !insn->prefetch;
}

static bool read_single(uint32_t word, struct emu_arm64_insn *insn)
{
	insn->vector = bits(word, 26, 1);
	if (!read_kind(word, insn))
		return false;
	if (bits(word, 24, 1)) {
		insn->offset = (int64_t)bits(word, 10, 12) * insn->size;
		return true;
	}
	if (!bits(word, 21, 1))
		return read_near(word, insn);
	return bits(word, 10, 2) == 2 && read_indexed(word, insn);
}

static bool read_pair(uint32_t word, struct emu_arm64_insn *insn)
{
	const unsigned int opcode = bits(word, 30, 2);
	const unsigned int how = bits(word, 23, 2);

	insn->vector = bits(word, 26, 1);
	insn->load = bits(word, 22, 1);
	insn->count = 2;
	insn->rt[1] = bits(word, 10, 5);
	if (insn->vector)
		insn->size = 4U << opcode;
	else
		insn->size = opcode & 2 ? 8 : 4;
	insn->sign = insn->wide = !insn->vector && opcode == 1;
	insn->offset = (int64_t)extend(bits(word, 15, 7), 7) * (int64_t)insn->size;
	insn->after = how == 1;
	insn->back = how & 1;
	return opcode != 3 && (!insn->sign || (insn->load && how));
}

bool emu_arm64_decode(uint32_t word, struct emu_arm64_insn *insn)
{
	*insn = (struct emu_arm64_insn){
		.size = 1U << bits(word, 30, 2),
		.count = 1,
		.rt = {bits(word, 0, 5)},
		.rn = bits(word, 5, 5),
	};
	/* LDAR, STLR, and their kind that has less order. */
	if ((word & 0x3fa00000) == 0x08800000) {
		insn->load = bits(word, 22, 1);
		return true;
	}
	/* LDAPR. */
	if ((word & 0x3ffffc00) == 0x38bfc000) {
		insn->load = true;
		return true;
	}
	/* LDAPUR, STLUR. */
	if ((word & 0x3f200c00) == 0x19000000)
		return read_kind(word, insn) && !insn->prefetch && read_near(word, insn);
	if ((word & 0x3a000000) == 0x28000000)
		return read_pair(word, insn);
	if ((word & 0x3a000000) == 0x38000000)
		return read_single(word, insn);
	return false;
}

static uint64_t index_of(const struct emu_arm64_insn *insn, const struct emu_arm64_cpu *cpu)
{
	uint64_t value = insn->rm == 31 ? 0 : cpu->x[insn->rm];

	if (insn->option == OPTION_UXTW)
		value &= UINT32_MAX;
	else if (insn->option == OPTION_SXTW)
		value = extend(value, 32);
	return value << insn->shift;
}

static bool access_part(const struct emu_arm64_insn *insn, struct emu_bus *bus, uintptr_t address,
                        unsigned int size, uint64_t *value)
{
	return insn->load ? bus->read(bus, address, size, value)
	                  : bus->write(bus, address, size, *value & UINT64_MAX >> (64 - 8 * size));
}

/* A register of 16 bytes is moved in halves. */
static bool access_bus(const struct emu_arm64_insn *insn, struct emu_bus *bus, uintptr_t address,
                       uint64_t value[2])
{
	const unsigned int part = insn->size > 8 ? 8 : insn->size;

	if (insn->load)
		value[0] = value[1] = 0;
	return access_part(insn, bus, address, part, &value[0]) &&
	       (insn->size == part || access_part(insn, bus, address + part, part, &value[1]));
}

static void get_register(const struct emu_arm64_insn *insn, const struct emu_arm64_cpu *cpu,
                         unsigned int number, uint64_t value[2])
{
	value[1] = 0;
	if (insn->vector)
		memcpy(value, cpu->v[number], 16);
	else
		value[0] = number == 31 ? 0 : cpu->x[number];
}

static void set_register(const struct emu_arm64_insn *insn, struct emu_arm64_cpu *cpu,
                         unsigned int number, const uint64_t value[2])
{
	uint64_t whole = value[0];

	if (insn->vector) {
		memcpy(cpu->v[number], value, 16);
		return;
	}
	if (insn->sign) {
		whole = extend(whole, 8 * insn->size);
		whole = insn->wide ? whole : whole & UINT32_MAX;
	}
	if (number != 31)
		cpu->x[number] = whole;
}

bool emu_arm64_run(const struct emu_arm64_insn *insn, struct emu_arm64_cpu *cpu,
                   struct emu_bus *bus)
{
	const uint64_t base = cpu->x[insn->rn];
	const uint64_t moved =
		base + (insn->indexed ? index_of(insn, cpu) : (uint64_t)insn->offset);
	const uintptr_t address = (uintptr_t)((insn->after ? base : moved) & ADDRESS);
	uint64_t values[2][2];

	if (insn->prefetch)
		return true;
	if (insn->vector && !cpu->v)
		return false;
	for (unsigned int i = 0; i < insn->count; i++) {
		if (!insn->load)
			get_register(insn, cpu, insn->rt[i], values[i]);
		if (!access_bus(insn, bus, address + i * insn->size, values[i]))
			return false;
	}
	for (unsigned int i = 0; i < insn->count && insn->load; i++)
		set_register(insn, cpu, insn->rt[i], values[i]);
	if (insn->back)
		cpu->x[insn->rn] = moved;
	return true;
}
