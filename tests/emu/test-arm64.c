/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What arm64's loads and stores are taken for, and what they then do: on whatever processor this
 * runs. The numbers are what an assembler makes of the text beside them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "../../emu/arm64.h"

static const struct {
	uint32_t word;
	const char *text;
	const char *means;
} known[] = {
	{0x397ffc41, "ldrb w1, [x2, #4095]", "load 1: 1 at 2 +4095"},
	{0x797ffc41, "ldrh w1, [x2, #8190]", "load 2: 1 at 2 +8190"},
	{0xb97ffc41, "ldr w1, [x2, #16380]", "load 4: 1 at 2 +16380"},
	{0xf97fffe1, "ldr x1, [sp, #32760]", "load 8: 1 at 31 +32760"},
	{0x3900005f, "strb wzr, [x2]", "store 1: 31 at 2 +0"},
	{0x7900045e, "strh w30, [x2, #2]", "store 2: 30 at 2 +2"},
	{0xb9000441, "str w1, [x2, #4]", "store 4: 1 at 2 +4"},
	{0xf9000441, "str x1, [x2, #8]", "store 8: 1 at 2 +8"},
	{0x39c00441, "ldrsb w1, [x2, #1]", "load 1 by sign: 1 at 2 +1"},
	{0x39800441, "ldrsb x1, [x2, #1]", "load 1 by sign, wide: 1 at 2 +1"},
	{0x79c00441, "ldrsh w1, [x2, #2]", "load 2 by sign: 1 at 2 +2"},
	{0x79800441, "ldrsh x1, [x2, #2]", "load 2 by sign, wide: 1 at 2 +2"},
	{0xb9800441, "ldrsw x1, [x2, #4]", "load 4 by sign, wide: 1 at 2 +4"},
	{0x38500041, "ldurb w1, [x2, #-256]", "load 1: 1 at 2 -256"},
	{0x784ff041, "ldurh w1, [x2, #255]", "load 2: 1 at 2 +255"},
	{0xb85fd041, "ldur w1, [x2, #-3]", "load 4: 1 at 2 -3"},
	{0xf85ff041, "ldur x1, [x2, #-1]", "load 8: 1 at 2 -1"},
	{0x381ff041, "sturb w1, [x2, #-1]", "store 1: 1 at 2 -1"},
	{0x781ff041, "sturh w1, [x2, #-1]", "store 2: 1 at 2 -1"},
	{0xb81ff041, "stur w1, [x2, #-1]", "store 4: 1 at 2 -1"},
	{0xf8001041, "stur x1, [x2, #1]", "store 8: 1 at 2 +1"},
	{0x38dff041, "ldursb w1, [x2, #-1]", "load 1 by sign: 1 at 2 -1"},
	{0x789ff041, "ldursh x1, [x2, #-1]", "load 2 by sign, wide: 1 at 2 -1"},
	{0xb89ff041, "ldursw x1, [x2, #-1]", "load 4 by sign, wide: 1 at 2 -1"},
	{0xf8408841, "ldtr x1, [x2, #8]", "load 8: 1 at 2 +8"},
	{0x38008841, "sttrb w1, [x2, #8]", "store 1: 1 at 2 +8"},
	{0x38401441, "ldrb w1, [x2], #1", "load 1: 1 at 2 +1 after"},
	{0xf85f8441, "ldr x1, [x2], #-8", "load 8: 1 at 2 -8 after"},
	{0xb85fcc41, "ldr w1, [x2, #-4]!", "load 4: 1 at 2 -4 before"},
	{0xb8804c41, "ldrsw x1, [x2, #4]!", "load 4 by sign, wide: 1 at 2 +4 before"},
	{0xf81f0fe1, "str x1, [sp, #-16]!", "store 8: 1 at 31 -16 before"},
	{0x78002441, "strh w1, [x2], #2", "store 2: 1 at 2 +2 after"},
	{0xb8636841, "ldr w1, [x2, x3]", "load 4: 1 at 2 by 3, 3, 0"},
	{0xf8637841, "ldr x1, [x2, x3, lsl #3]", "load 8: 1 at 2 by 3, 3, 3"},
	{0x38634841, "ldrb w1, [x2, w3, uxtw]", "load 1: 1 at 2 by 3, 2, 0"},
	{0x7863d841, "ldrh w1, [x2, w3, sxtw #1]", "load 2: 1 at 2 by 3, 6, 1"},
	{0x38a3e841, "ldrsb x1, [x2, x3, sxtx]", "load 1 by sign, wide: 1 at 2 by 3, 7, 0"},
	{0xb83f5841, "str w1, [x2, wzr, uxtw #2]", "store 4: 1 at 2 by 31, 2, 2"},
	{0x38236841, "strb w1, [x2, x3]", "store 1: 1 at 2 by 3, 3, 0"},
	{0x295f8c41, "ldp w1, w3, [x2, #252]", "load 4: 1 and 3 at 2 +252"},
	{0xa9600c41, "ldp x1, x3, [x2, #-512]", "load 8: 1 and 3 at 2 -512"},
	{0x69408c41, "ldpsw x1, x3, [x2, #4]", "load 4 by sign, wide: 1 and 3 at 2 +4"},
	{0x29017c41, "stp w1, wzr, [x2, #8]", "store 4: 1 and 31 at 2 +8"},
	{0xa9be7bfd, "stp x29, x30, [sp, #-32]!", "store 8: 29 and 30 at 31 -32 before"},
	{0xa8c27bfd, "ldp x29, x30, [sp], #32", "load 8: 29 and 30 at 31 +32 after"},
	{0x68c10c41, "ldpsw x1, x3, [x2], #8", "load 4 by sign, wide: 1 and 3 at 2 +8 after"},
	{0xa8410c41, "ldnp x1, x3, [x2, #16]", "load 8: 1 and 3 at 2 +16"},
	{0x283f0c41, "stnp w1, w3, [x2, #-8]", "store 4: 1 and 3 at 2 -8"},
	{0x08dffc41, "ldarb w1, [x2]", "load 1: 1 at 2 +0"},
	{0x48dffc41, "ldarh w1, [x2]", "load 2: 1 at 2 +0"},
	{0x88dffc41, "ldar w1, [x2]", "load 4: 1 at 2 +0"},
	{0xc8dfffe1, "ldar x1, [sp]", "load 8: 1 at 31 +0"},
	{0x089ffc41, "stlrb w1, [x2]", "store 1: 1 at 2 +0"},
	{0x489ffc41, "stlrh w1, [x2]", "store 2: 1 at 2 +0"},
	{0x889ffc41, "stlr w1, [x2]", "store 4: 1 at 2 +0"},
	{0xc89ffc5f, "stlr xzr, [x2]", "store 8: 31 at 2 +0"},
	{0x88df7c41, "ldlar w1, [x2]", "load 4: 1 at 2 +0"},
	{0xc89f7c41, "stllr x1, [x2]", "store 8: 1 at 2 +0"},
	{0x38bfc041, "ldaprb w1, [x2]", "load 1: 1 at 2 +0"},
	{0xf8bfc041, "ldapr x1, [x2]", "load 8: 1 at 2 +0"},
	{0x995fc041, "ldapur w1, [x2, #-4]", "load 4: 1 at 2 -4"},
	{0x59806041, "ldapursh x1, [x2, #6]", "load 2 by sign, wide: 1 at 2 +6"},
	{0x19c06041, "ldapursb w1, [x2, #6]", "load 1 by sign: 1 at 2 +6"},
	{0x59006041, "stlurh w1, [x2, #6]", "store 2: 1 at 2 +6"},
	{0x3d400441, "ldr b1, [x2, #1]", "load vector 1: 1 at 2 +1"},
	{0x7d400441, "ldr h1, [x2, #2]", "load vector 2: 1 at 2 +2"},
	{0xbd400441, "ldr s1, [x2, #4]", "load vector 4: 1 at 2 +4"},
	{0xfd400441, "ldr d1, [x2, #8]", "load vector 8: 1 at 2 +8"},
	{0x3dc00441, "ldr q1, [x2, #16]", "load vector 16: 1 at 2 +16"},
	{0x3d00005f, "str b31, [x2]", "store vector 1: 31 at 2 +0"},
	{0xfd000441, "str d1, [x2, #8]", "store vector 8: 1 at 2 +8"},
	{0x3dbffc41, "str q1, [x2, #65520]", "store vector 16: 1 at 2 +65520"},
	{0x3cdf0041, "ldur q1, [x2, #-16]", "load vector 16: 1 at 2 -16"},
	{0xbc1fd041, "stur s1, [x2, #-3]", "store vector 4: 1 at 2 -3"},
	{0x3cc10441, "ldr q1, [x2], #16", "load vector 16: 1 at 2 +16 after"},
	{0x3c9f0c41, "str q1, [x2, #-16]!", "store vector 16: 1 at 2 -16 before"},
	{0x3ce37841, "ldr q1, [x2, x3, lsl #4]", "load vector 16: 1 at 2 by 3, 3, 4"},
	{0x7c235841, "str h1, [x2, w3, uxtw #1]", "store vector 2: 1 at 2 by 3, 2, 1"},
	{0x2d408c41, "ldp s1, s3, [x2, #4]", "load vector 4: 1 and 3 at 2 +4"},
	{0x6dc08c41, "ldp d1, d3, [x2, #8]!", "load vector 8: 1 and 3 at 2 +8 before"},
	{0xacc10c41, "ldp q1, q3, [x2], #32", "load vector 16: 1 and 3 at 2 +32 after"},
	{0xad200c41, "stp q1, q3, [x2, #-1024]", "store vector 16: 1 and 3 at 2 -1024"},
	{0xac1f8c41, "stnp q1, q3, [x2, #1008]", "store vector 16: 1 and 3 at 2 +1008"},
	{0xf9800440, "prfm pldl1keep, [x2, #8]", "prefetch 8 by sign, wide: 0 at 2 +8"},
	{0xf89f8053, "prfum pstl2strm, [x2, #-8]", "prefetch 8 by sign, wide: 19 at 2 -8"},
	{0xf8a36840, "prfm pldl1keep, [x2, x3]", "prefetch 8 by sign, wide: 0 at 2 by 3, 3, 0"},
};

static const struct {
	uint32_t word;
	const char *text;
} unknown[] = {
	{0x8b030041, "add x1, x2, x3"},
	{0xd503201f, "nop"},
	{0xd65f03c0, "ret"},
	{0x14000000, "b ."},
	{0xc85f7c41, "ldxr x1, [x2]"},
	{0xc8037c41, "stxr w3, x1, [x2]"},
	{0x885ffc41, "ldaxr w1, [x2]"},
	{0xc8239041, "stlxp w3, x1, x4, [x2]"},
	{0xc87f0c41, "ldxp x1, x3, [x2]"},
	{0xc8a17c43, "cas x1, x3, [x2]"},
	{0x48227cc4, "casp x2, x3, x4, x5, [x6]"},
	{0xf8210043, "ldadd x1, x3, [x2]"},
	{0xb8e18043, "swpal w1, w3, [x2]"},
	{0xb821005f, "stadd w1, [x2]"},
	{0x58000001, "ldr x1, ."},
	{0x98000001, "ldrsw x1, ."},
	{0x9c000001, "ldr q1, ."},
	{0xd8000000, "prfm pldl1keep, ."},
	{0x4c407041, "ld1 {v1.16b}, [x2]"},
	{0x4c9fa041, "st1 {v1.16b, v2.16b}, [x2], #32"},
	{0x4d40c841, "ld1r {v1.4s}, [x2]"},
	{0x4c400841, "ld4 {v1.4s, v2.4s, v3.4s, v4.4s}, [x2]"},
	{0xd50b7421, "dc zva, x1"},
	{0xf8201441, "ldraa x1, [x2, #8]"},
	{0xd9600041, "ldg x1, [x2]"},
	{0xd9200841, "stg x1, [x2]"},
	{0x69000c41, "stgp x1, x3, [x2]"},
	{0xd9e01441, "stz2g x1, [x2], #16"},
	{0xa41f6441, "ldff1b z1.b, p1/z, [x2]"},
	{0x85804041, "ldr z1, [x2]"},
	{0xe5800041, "str p1, [x2]"},
	{0xa400a441, "ld1b z1.b, p1/z, [x2]"},
	{0xb9c00041, "not allocated: 4 bytes, by their sign, to 4"},
	{0xf9c00041, "not allocated: 8 bytes, by their sign, to 4"},
	{0x7d800041, "not allocated: a vector of 32 bytes"},
	{0xf8808441, "not allocated: a prefetch that moves its base"},
	{0xf8800841, "not allocated: an unprivileged prefetch"},
	{0x7c400841, "not allocated: an unprivileged vector"},
	{0xe9400c41, "not allocated: a pair, size 3"},
	{0xed400c41, "not allocated: a pair of vectors, size 3"},
	{0x68400c41, "not allocated: a pair past the caches, by their sign"},
	{0xf8630841, "not allocated: an index of bytes"},
	{0xd9800041, "not allocated: ordered, 8 bytes by their sign"},
};

/* Those that are done. */
#define LDRSB_W        0x39c00441U /* ldrsb w1, [x2, #1] */
#define LDRSB_X        0x39800441U /* ldrsb x1, [x2, #1] */
#define LDRSW          0xb9800441U /* ldrsw x1, [x2, #4] */
#define LDPSW          0x69408c41U /* ldpsw x1, x3, [x2, #4] */
#define LDAR_SP        0xc8dfffe1U /* ldar x1, [sp] */
#define STR_W          0xb9000441U /* str w1, [x2, #4] */
#define STLR_ZERO      0xc89ffc5fU /* stlr xzr, [x2] */
#define STP_ZERO       0x29017c41U /* stp w1, wzr, [x2, #8] */
#define STP_DOWN       0xa9be7bfdU /* stp x29, x30, [sp, #-32]! */
#define LDP_UP         0xa8c27bfdU /* ldp x29, x30, [sp], #32 */
#define LDRB_AFTER     0x38401441U /* ldrb w1, [x2], #1 */
#define LDR_BEFORE     0xb85fcc41U /* ldr w1, [x2, #-4]! */
#define LDRH_SXTW      0x7863d841U /* ldrh w1, [x2, w3, sxtw #1] */
#define LDR_LSL        0xf8637841U /* ldr x1, [x2, x3, lsl #3] */
#define STR_ZERO_INDEX 0xb83f5841U /* str w1, [x2, wzr, uxtw #2] */
#define LDR_Q          0x3dc00441U /* ldr q1, [x2, #16] */
#define LDR_S          0xbd400441U /* ldr s1, [x2, #4] */
#define LDP_Q          0xacc10c41U /* ldp q1, q3, [x2], #32 */
#define STR_B31        0x3d00005fU /* str b31, [x2] */
#define PRFM           0xf9800440U /* prfm pldl1keep, [x2, #8] */
#define LDP_D_BEFORE   0x6dc08c41U /* ldp d1, d3, [x2, #8]! */
#define LDRH           0x78406041U /* ldurh w1, [x2, #6] */

static void tell(const struct emu_arm64_insn *insn, char *text, size_t size)
{
	int at = snprintf(text, size, "%s%s %u%s%s: %u",
	                  insn->prefetch ? "prefetch"
	                  : insn->load   ? "load"
	                                 : "store",
	                  insn->vector ? " vector" : "", insn->size, insn->sign ? " by sign" : "",
	                  insn->wide ? ", wide" : "", insn->rt[0]);

	if (insn->count == 2)
		at += snprintf(text + at, size - (size_t)at, " and %u", insn->rt[1]);
	if (insn->indexed)
		at += snprintf(text + at, size - (size_t)at, " at %u by %u, %u, %u", insn->rn,
		               insn->rm, insn->option, insn->shift);
	else
		at += snprintf(text + at, size - (size_t)at, " at %u %+d", insn->rn,
		               (int)insn->offset);
	if (insn->back)
		snprintf(text + at, size - (size_t)at, insn->after ? " after" : " before");
}

static void is_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct emu_arm64_insn insn;
		char text[100];

		if (!emu_arm64_decode(known[i].word, &insn))
			fail_msg("%s: not known", known[i].text);
		tell(&insn, text, sizeof(text));
		if (strcmp(text, known[i].means) != 0)
			fail_msg("%s: %s", known[i].text, text);
	}
}

static void is_not_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		struct emu_arm64_insn insn;

		if (emu_arm64_decode(unknown[i].word, &insn))
			fail_msg("%s: taken for something", unknown[i].text);
	}
}

enum { HERE = 0x10000, BYTES = 64 };

struct memory {
	struct emu_bus bus;
	uint8_t bytes[BYTES];
	unsigned int reads, writes, widest;
};

static uint8_t *place(struct memory *memory, uintptr_t address, unsigned int size)
{
	if (address < HERE || address + size > HERE + BYTES)
		return NULL;
	memory->widest = size > memory->widest ? size : memory->widest;
	return memory->bytes + (address - HERE);
}

static bool read_memory(struct emu_bus *bus, uintptr_t address, unsigned int size, uint64_t *value)
{
	struct memory *const memory = (struct memory *)bus;
	const uint8_t *const from = place(memory, address, size);

	*value = 0;
	if (from)
		memcpy(value, from, size);
	memory->reads++;
	return from;
}

static bool write_memory(struct emu_bus *bus, uintptr_t address, unsigned int size, uint64_t value)
{
	struct memory *const memory = (struct memory *)bus;
	uint8_t *const to = place(memory, address, size);

	if (to)
		memcpy(to, &value, size);
	memory->writes++;
	return to;
}

static struct memory memory;
static struct emu_arm64_cpu cpu;
static uint8_t vectors[32][16];

/* Bytes that are their place, above 0x80; registers that are their number. */
static int setup(void **state)
{
	(void)state;
	memset(&memory, 0, sizeof(memory));
	memory.bus = (struct emu_bus){.read = read_memory, .write = write_memory};
	for (unsigned int i = 0; i < BYTES; i++)
		memory.bytes[i] = (uint8_t)(0x80 + i);
	for (unsigned int i = 0; i < 32; i++) {
		cpu.x[i] = UINT64_C(0x1111111100000000) + i;
		memset(vectors[i], (int)i, 16);
	}
	cpu.v = vectors;
	cpu.x[2] = HERE;
	cpu.x[31] = HERE + 16;
	return 0;
}

static bool run(uint32_t word)
{
	struct emu_arm64_insn insn;

	assert_true(emu_arm64_decode(word, &insn));
	return emu_arm64_run(&insn, &cpu, &memory.bus);
}

static uint64_t bytes_at(unsigned int at, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, memory.bytes + at, size);
	return value;
}

static void loads(void **state)
{
	(void)state;
	assert_true(run(LDRSB_W));
	assert_int_equal(cpu.x[1], 0xffffff81);
	assert_true(run(LDRSB_X));
	assert_int_equal(cpu.x[1], UINT64_C(0xffffffffffffff81));
	assert_true(run(LDRSW));
	assert_int_equal(cpu.x[1], UINT64_C(0xffffffff87868584));
	/* What is narrow clears the rest. */
	assert_true(run(LDRH));
	assert_int_equal(cpu.x[1], 0x8786);
	assert_true(run(LDPSW));
	assert_int_equal(cpu.x[1], UINT64_C(0xffffffff87868584));
	assert_int_equal(cpu.x[3], UINT64_C(0xffffffff8b8a8988));
	assert_true(run(LDAR_SP));
	assert_int_equal(cpu.x[1], UINT64_C(0x9796959493929190));
	assert_int_equal(memory.writes, 0);
}

static void stores(void **state)
{
	(void)state;
	assert_true(run(STR_W));
	assert_int_equal(bytes_at(4, 8), UINT64_C(0x8b8a898800000001));
	assert_true(run(STLR_ZERO));
	assert_int_equal(bytes_at(0, 8), 0);
	assert_true(run(STP_ZERO));
	assert_int_equal(bytes_at(8, 8), 1);
	assert_int_equal(memory.reads, 0);
}

static void moves_its_base(void **state)
{
	(void)state;
	cpu.x[29] = 29;
	cpu.x[30] = 30;
	cpu.x[31] = HERE + 48;
	assert_true(run(STP_DOWN));
	assert_int_equal(cpu.x[31], HERE + 16);
	assert_int_equal(bytes_at(16, 8), 29);
	assert_int_equal(bytes_at(24, 8), 30);
	cpu.x[29] = cpu.x[30] = 0;
	assert_true(run(LDP_UP));
	assert_int_equal(cpu.x[31], HERE + 48);
	assert_int_equal(cpu.x[29], 29);
	assert_int_equal(cpu.x[30], 30);
	/* The other order. */
	assert_true(run(LDRB_AFTER));
	assert_int_equal(cpu.x[1], 0x80);
	assert_int_equal(cpu.x[2], HERE + 1);
	cpu.x[2] = HERE + 8;
	assert_true(run(LDR_BEFORE));
	assert_int_equal(cpu.x[1], 0x87868584);
	assert_int_equal(cpu.x[2], HERE + 4);
}

static void is_indexed(void **state)
{
	(void)state;
	cpu.x[2] = HERE + 8;
	cpu.x[3] = UINT64_C(0x12345678fffffffe); /* -2 of half words, without what is above */
	assert_true(run(LDRH_SXTW));
	assert_int_equal(cpu.x[1], 0x8584);
	cpu.x[3] = 2;
	assert_true(run(LDR_LSL));
	assert_int_equal(cpu.x[1], UINT64_C(0x9f9e9d9c9b9a9998));
	/* The last register as an index is zero. */
	cpu.x[1] = 0x55;
	assert_true(run(STR_ZERO_INDEX));
	assert_int_equal(bytes_at(8, 4), 0x55);
}

static void has_vectors(void **state)
{
	static const uint8_t zero[16];

	(void)state;
	assert_true(run(LDR_Q));
	assert_memory_equal(vectors[1], memory.bytes + 16, 16);
	assert_int_equal(memory.reads, 2);
	assert_int_equal(memory.widest, 8);
	assert_true(run(LDR_S));
	assert_memory_equal(vectors[1], memory.bytes + 4, 4);
	assert_memory_equal(vectors[1] + 4, zero, 12);
	assert_true(run(LDP_Q));
	assert_memory_equal(vectors[1], memory.bytes, 16);
	assert_memory_equal(vectors[3], memory.bytes + 16, 16);
	assert_int_equal(cpu.x[2], HERE + 32);
	assert_true(run(STR_B31));
	assert_int_equal(memory.bytes[32], 31);
	assert_int_equal(memory.bytes[33], 0x80 + 33);
	assert_int_equal(cpu.x[31], HERE + 16);
	cpu.v = NULL;
	assert_false(run(LDR_S));
}

/* What fails leaves the registers alone, those too that it had read for. */
static void fails_whole(void **state)
{
	struct emu_arm64_cpu before;

	(void)state;
	cpu.x[31] = HERE + BYTES - 8;
	before = cpu;
	assert_false(run(LDP_UP));
	assert_int_equal(memory.reads, 2);
	assert_memory_equal(&cpu, &before, sizeof(cpu));
	cpu.x[2] = HERE + BYTES - 4;
	before = cpu;
	assert_false(run(LDR_S));
	assert_false(run(LDR_Q));
	assert_false(run(LDP_D_BEFORE));
	assert_memory_equal(&cpu, &before, sizeof(cpu));
	assert_int_equal(vectors[1][0], 1);
}

static void sees_through_tags(void **state)
{
	(void)state;
	cpu.x[2] |= UINT64_C(0xab) << 56;
	assert_true(run(LDRB_AFTER));
	assert_int_equal(cpu.x[1], 0x80);
	assert_int_equal(cpu.x[2], UINT64_C(0xab) << 56 | (HERE + 1));
}

static void prefetches_nothing(void **state)
{
	(void)state;
	assert_true(run(PRFM));
	assert_int_equal(memory.reads, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_known),
		cmocka_unit_test(is_not_known),
		cmocka_unit_test_setup(loads, setup),
		cmocka_unit_test_setup(stores, setup),
		cmocka_unit_test_setup(moves_its_base, setup),
		cmocka_unit_test_setup(is_indexed, setup),
		cmocka_unit_test_setup(has_vectors, setup),
		cmocka_unit_test_setup(fails_whole, setup),
		cmocka_unit_test_setup(sees_through_tags, setup),
		cmocka_unit_test_setup(prefetches_nothing, setup),
	};

	return cmocka_run_group_tests_name("arm64", tests, NULL, NULL);
}
