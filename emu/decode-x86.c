/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Instructions of x86-64: moves, and arithmetic as compilers use it on a register of a device. */
#include "decode.h"
#include "trap.h"

#if defined(__x86_64__) && defined(__LP64__)

#include "../lib/base/array.h"
#include "decode-x86.h"
#include "user.h"

#define PREFIX_OPERAND 0x66
#define PREFIX_REPNE   0xf2
#define PREFIX_REP     0xf3
#define PREFIX_LOCK    0xf0

static const int registers[16] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

bool emu_trap_works(void)
{
	return true;
}

static uint8_t next(struct emu_insn *insn)
{
	return *insn->at++;
}

static greg_t *slot(const struct emu_insn *insn, unsigned int number)
{
	return &insn->context->uc_mcontext.gregs[registers[number & 15]];
}

/* Without a REX prefix the numbers 4 to 7 are the second bytes of the first four registers. */
static bool is_second_byte(const struct emu_insn *insn, unsigned int number, unsigned int size)
{
	return size == 1 && !insn->rex && number >= 4 && number < 8;
}

static uint64_t mask(unsigned int size)
{
	return UINT64_MAX >> (64 - 8 * size);
}

static uint64_t get_register(const struct emu_insn *insn, unsigned int number, unsigned int size)
{
	if (is_second_byte(insn, number, size))
		return (uint64_t)*slot(insn, number - 4) >> 8 & 0xff;
	return (uint64_t)*slot(insn, number) & mask(size);
}

static void set_register(const struct emu_insn *insn, unsigned int number, unsigned int size,
                         uint64_t value)
{
	greg_t *to;

	if (is_second_byte(insn, number, size)) {
		to = slot(insn, number - 4);
		*to = (greg_t)(((uint64_t)*to & ~UINT64_C(0xff00)) | (value & 0xff) << 8);
		return;
	}
	to = slot(insn, number);
	/* What is 4 bytes wide clears the upper half. */
	if (size == 4)
		*to = (greg_t)(value & mask(4));
	else
		*to = (greg_t)(((uint64_t)*to & ~mask(size)) | (value & mask(size)));
}

static uint64_t extend(uint64_t value, unsigned int size)
{
	const uint64_t sign = UINT64_C(1) << (8 * size - 1);

	value &= mask(size);
	return (value ^ sign) - sign;
}

static uint64_t immediate(struct emu_insn *insn, unsigned int size)
{
	const unsigned int bytes = size == 8 ? 4 : size;
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)next(insn) << 8 * i;
	return extend(value, bytes);
}

/* Steps over what says where the memory is: that is known already. False: it is no memory. */
static bool skip_address(struct emu_insn *insn)
{
	const uint8_t modrm = next(insn);
	const unsigned int mode = modrm >> 6;
	uint8_t base = modrm & 7;

	insn->reg = (modrm >> 3 & 7) | (insn->rex & 4 ? 8 : 0);
	if (mode == 3)
		return false;
	if (base == 4)
		base = next(insn) & 7;
	if (mode == 1)
		insn->at += 1;
	else if (mode == 2 || base == 5)
		insn->at += 4;
	return true;
}

static void read_prefixes(struct emu_insn *insn)
{
	for (;; insn->at++) {
		const uint8_t byte = *insn->at;

		if (byte == PREFIX_OPERAND)
			insn->narrow = true;
		else if (byte == PREFIX_REP || byte == PREFIX_REPNE)
			insn->repeat = byte;
		else if (byte != PREFIX_LOCK && byte != 0x2e && byte != 0x36 && byte != 0x3e &&
		         byte != 0x26 && byte != 0x64 && byte != 0x65)
			break;
	}
	if ((*insn->at & 0xf0) == 0x40)
		insn->rex = next(insn);
	insn->wide = insn->rex & 8 ? 8 : insn->narrow ? 2 : 4;
}

static bool load(struct emu_insn *insn, unsigned int size, uint64_t *value)
{
	return insn->bus->read(insn->bus, insn->address, size, value);
}

static bool store(struct emu_insn *insn, unsigned int size, uint64_t value)
{
	return insn->bus->write(insn->bus, insn->address, size, value & mask(size));
}

/* Memory and a second operand; what comes of it goes to memory where @back, else to a register. */
static bool combine(struct emu_insn *insn, enum emu_alu op, unsigned int size, uint64_t operand,
                    bool back)
{
	greg_t *const flags = &insn->context->uc_mcontext.gregs[REG_EFL];
	uint64_t memory;
	uint64_t result;

	if (!load(insn, size, &memory))
		return false;
	result = back ? emu_alu(op, memory, operand, size, flags)
	              : emu_alu(op, operand, memory, size, flags);
	if (op == EMU_ALU_CMP || op == EMU_ALU_TEST)
		return true;
	if (back)
		return store(insn, size, result);
	set_register(insn, insn->reg, size, result);
	return true;
}

/* One operand is an immediate, or the instruction has only the memory. */
static bool group(struct emu_insn *insn, uint8_t opcode, unsigned int size)
{
	const unsigned int which = insn->reg & 7;

	switch (opcode) {
	case 0x80:
	case 0x81:
		return combine(insn, (enum emu_alu)which, size, immediate(insn, size), true);
	case 0x83:
		return combine(insn, (enum emu_alu)which, size, immediate(insn, 1), true);
	case 0xc6:
	case 0xc7:
		return !which && store(insn, size, immediate(insn, size));
	case 0xf6:
	case 0xf7:
		if (which < 2)
			return combine(insn, EMU_ALU_TEST, size, immediate(insn, size), true);
		return (which == 2 || which == 3) &&
		       combine(insn, which == 2 ? EMU_ALU_NOT : EMU_ALU_NEG, size, 0, true);
	default: /* 0xfe, 0xff */
		return which < 2 && combine(insn, which ? EMU_ALU_DEC : EMU_ALU_INC, size, 1, true);
	}
}

static bool exchange(struct emu_insn *insn, unsigned int size)
{
	uint64_t value;

	if (!load(insn, size, &value) || !store(insn, size, get_register(insn, insn->reg, size)))
		return false;
	set_register(insn, insn->reg, size, value);
	return true;
}

static bool move_in(struct emu_insn *insn, unsigned int from, unsigned int to, bool sign)
{
	uint64_t value;

	if (!load(insn, from, &value))
		return false;
	set_register(insn, insn->reg, to, sign ? extend(value, from) : value);
	return true;
}

/* Opcodes of one byte that have an address. */
static bool one_byte(struct emu_insn *insn, uint8_t opcode)
{
	const unsigned int size = opcode & 1 ? insn->wide : 1;

	if (!skip_address(insn))
		return false;
	if (opcode < 0x40)
		return combine(insn, (enum emu_alu)(opcode >> 3), size,
		               get_register(insn, insn->reg, size), !(opcode & 2));
	switch (opcode) {
	case 0x63:
		return move_in(insn, 4, insn->wide, true);
	case 0x84:
	case 0x85:
		return combine(insn, EMU_ALU_TEST, size, get_register(insn, insn->reg, size), true);
	case 0x86:
	case 0x87:
		return exchange(insn, size);
	case 0x88:
	case 0x89:
		return store(insn, size, get_register(insn, insn->reg, size));
	case 0x8a:
	case 0x8b:
		return move_in(insn, size, size, false);
	case 0x80:
	case 0x81:
	case 0xc6:
	case 0xc7:
	case 0xf6:
	case 0xf7:
	case 0xfe:
	case 0xff:
		return group(insn, opcode, size);
	case 0x83:
		return group(insn, opcode, insn->wide);
	default:
		return false;
	}
}

static bool two_bytes(struct emu_insn *insn)
{
	const uint8_t opcode = next(insn);
	const bool memory = skip_address(insn);

	if (!memory)
		return false;
	switch (opcode) {
	case 0xb6:
	case 0xb7:
		return move_in(insn, opcode & 1 ? 2 : 1, insn->wide, false);
	case 0xbe:
	case 0xbf:
		return move_in(insn, opcode & 1 ? 2 : 1, insn->wide, true);
	case 0xc3: /* past the caches */
		return store(insn, insn->wide, get_register(insn, insn->reg, insn->wide));
	default:
		return emu_decode_vector(insn, opcode);
	}
}

/* To and from the accumulator, with the address in the instruction. */
static bool absolute(struct emu_insn *insn, uint8_t opcode)
{
	const unsigned int size = opcode & 1 ? insn->wide : 1;

	insn->at += 8;
	insn->reg = 0;
	return opcode < 0xa2 ? move_in(insn, size, size, false)
	                     : store(insn, size, get_register(insn, 0, size));
}

static bool fetch(struct emu_insn *insn, uintptr_t from, unsigned int size, uint64_t *value)
{
	const struct emu_task task = {0};

	*value = 0;
	return insn->bus->covers(insn->bus, from) ? insn->bus->read(insn->bus, from, size, value)
	                                          : !emu_get(&task, value, from, size);
}

static bool put(struct emu_insn *insn, uintptr_t to, unsigned int size, uint64_t value)
{
	const struct emu_task task = {0};

	return insn->bus->covers(insn->bus, to) ? insn->bus->write(insn->bus, to, size, value)
	                                        : !emu_put(&task, to, &value, size);
}

/* What is done stays done, as in the processor, if a later element faults. */
static bool string(struct emu_insn *insn, uint8_t opcode)
{
	greg_t *const gregs = insn->context->uc_mcontext.gregs;
	const unsigned int size = opcode & 1 ? insn->wide : 1;
	const greg_t step = gregs[REG_EFL] & 0x400 ? -(greg_t)size : (greg_t)size;
	const bool from_memory = opcode != 0xaa && opcode != 0xab;
	const bool to_memory = opcode != 0xac && opcode != 0xad;

	while (!insn->repeat || gregs[REG_RCX]) {
		uint64_t value = get_register(insn, 0, size);

		if (from_memory && !fetch(insn, (uintptr_t)gregs[REG_RSI], size, &value))
			return false;
		if (to_memory && !put(insn, (uintptr_t)gregs[REG_RDI], size, value))
			return false;
		if (!to_memory)
			set_register(insn, 0, size, value);
		gregs[REG_RSI] += from_memory ? step : 0;
		gregs[REG_RDI] += to_memory ? step : 0;
		if (!insn->repeat)
			break;
		gregs[REG_RCX]--;
	}
	return true;
}

static bool run(struct emu_insn *insn)
{
	const uint8_t opcode = next(insn);

	if (opcode == 0x0f)
		return two_bytes(insn);
	if (opcode == 0xc5 || opcode == 0xc4)
		return emu_decode_vex(insn, opcode);
	if (opcode >= 0xa0 && opcode <= 0xa3)
		return absolute(insn, opcode);
	if (opcode == 0xa4 || opcode == 0xa5 || (opcode >= 0xaa && opcode <= 0xad))
		return string(insn, opcode);
	/* Those below 0x40 with these ends have no address. */
	if (opcode < 0x40 && (opcode & 7) > 3)
		return false;
	return one_byte(insn, opcode);
}

bool emu_decode(ucontext_t *context, uintptr_t address, struct emu_bus *bus)
{
	greg_t *const rip = &context->uc_mcontext.gregs[REG_RIP];
	struct emu_insn insn = {
		.context = context,
		.bus = bus,
		.address = address,
		.at = (const uint8_t *)*rip,
	};

	read_prefixes(&insn);
	if (!run(&insn))
		return false;
	*rip = (greg_t)insn.at;
	return true;
}

#endif
