/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Instructions of arm64 on memory, for test-trap.c alone. */
#ifndef TRAP_ARM64_H
#define TRAP_ARM64_H

#include <stdint.h>

/* What an instruction has to do with; x2 is the memory, and x4 other memory. */
struct machine {
	uint64_t x1, x3;
	uint64_t moved; /* how far x2 is */
	uint8_t v1[16], v3[16];
	uint8_t memory[BYTES];
};

typedef void (*instruction_fn)(struct machine *machine, volatile uint8_t *at, uint8_t *other);

#define INSTRUCTION(name, text)                                                                    \
	__attribute__((no_sanitize("thread"))) static void name(                                   \
		struct machine *machine, volatile uint8_t *at, uint8_t *other)                     \
	{                                                                                          \
		register uint64_t x1 __asm__("x1") = machine->x1;                                  \
		register uint64_t x3 __asm__("x3") = machine->x3;                                  \
		register volatile uint8_t *x2 __asm__("x2") = at;                                  \
		register uint8_t *x4 __asm__("x4") = other;                                        \
                                                                                                   \
		__asm__ volatile("ldr q1, %[v1]\n\tldr q3, %[v3]\n\t" text                         \
		                 "\n\tstr q1, %[v1]\n\tstr q3, %[v3]"                              \
		                 : [v1] "+Q"(machine->v1), [v3] "+Q"(machine->v3), "+r"(x1),       \
		                   "+r"(x2), "+r"(x3), "+r"(x4)                                    \
		                 :                                                                 \
		                 : "v1", "v3", "memory", "cc");                                    \
		machine->x1 = x1;                                                                  \
		machine->x3 = x3;                                                                  \
		machine->moved = (uint64_t)(x2 - at);                                              \
	}

INSTRUCTION(load_8, "ldrb w1, [x2, #3]")
INSTRUCTION(load_16, "ldrh w1, [x2, #2]")
INSTRUCTION(load_32, "ldr w1, [x2, #4]")
INSTRUCTION(load_64, "ldr x1, [x2, #8]")
INSTRUCTION(load_sign_8, "ldrsb w1, [x2, #1]\n\tldrsb x3, [x2, #2]")
INSTRUCTION(load_sign_16, "ldrsh w1, [x2, #2]\n\tldrsh x3, [x2, #4]")
INSTRUCTION(load_sign_32, "ldrsw x1, [x2, #4]")
INSTRUCTION(load_crooked, "ldur w1, [x2, #3]\n\tldur x3, [x2, #17]")
INSTRUCTION(load_unprivileged, "ldtr w1, [x2, #4]")
INSTRUCTION(load_after, "ldrb w1, [x2], #1\n\tldr x3, [x2], #7")
INSTRUCTION(load_before, "ldr w1, [x2, #12]!\n\tldrsw x3, [x2, #-4]!")
INSTRUCTION(load_index, "mov x3, #2\n\tldr x1, [x2, x3, lsl #3]")
INSTRUCTION(load_index_narrow, "mov w3, #-4\n\tadd x2, x2, #8\n\tldrh w1, [x2, w3, sxtw #1]")
INSTRUCTION(load_pair, "ldp w1, w3, [x2, #8]")
INSTRUCTION(load_pair_64, "ldp x1, x3, [x2, #16]")
INSTRUCTION(load_pair_sign, "ldpsw x1, x3, [x2], #8")
INSTRUCTION(load_pair_past_cache, "ldnp x1, x3, [x2]")
INSTRUCTION(load_ordered, "ldarb w1, [x2]\n\tldar x3, [x2]")
INSTRUCTION(store_8, "strb w1, [x2, #3]")
INSTRUCTION(store_16, "strh w1, [x2, #2]")
INSTRUCTION(store_32, "str w1, [x2, #4]")
INSTRUCTION(store_64, "str x1, [x2, #8]")
INSTRUCTION(store_zero, "str wzr, [x2]\n\tstr xzr, [x2, #8]")
INSTRUCTION(store_crooked, "stur w1, [x2, #3]\n\tstur x3, [x2, #17]")
INSTRUCTION(store_after, "strb w1, [x2], #1\n\tstr x3, [x2], #7")
INSTRUCTION(store_before, "str w1, [x2, #12]!\n\tstrh w3, [x2, #-4]!")
INSTRUCTION(store_index, "mov x3, #2\n\tstr w1, [x2, x3, lsl #2]")
INSTRUCTION(store_pair, "stp w1, w3, [x2, #8]")
INSTRUCTION(store_pair_64, "stp x1, xzr, [x2, #16]!")
INSTRUCTION(store_pair_past_cache, "stnp x1, x3, [x2]")
INSTRUCTION(store_ordered, "stlrh w1, [x2]\n\tstlr w3, [x2, #0]")
INSTRUCTION(vector_load, "ldr q1, [x2, #16]\n\tldr d3, [x2, #8]")
INSTRUCTION(vector_load_small, "ldr b1, [x2, #3]\n\tldr h3, [x2, #2]")
INSTRUCTION(vector_load_32, "ldr s1, [x2, #4]")
INSTRUCTION(vector_crooked, "ldur q1, [x2, #1]\n\tstur q1, [x2, #19]")
INSTRUCTION(vector_store, "str q1, [x2, #16]\n\tstr d3, [x2, #8]")
INSTRUCTION(vector_store_small, "str b1, [x2, #3]\n\tstr h3, [x2, #4]\n\tstr s1, [x2, #8]")
INSTRUCTION(vector_pair, "ldp q1, q3, [x2], #32\n\tstp q1, q3, [x2, #-32]!")
INSTRUCTION(vector_pair_64, "ldp d1, d3, [x2]\n\tstp s1, s3, [x2, #16]")
INSTRUCTION(vector_index, "mov x3, #1\n\tldr q1, [x2, x3, lsl #4]\n\tstr d1, [x2, x3, lsl #3]")
INSTRUCTION(prefetch, "prfm pldl1keep, [x2]")
INSTRUCTION(with_stack, "sub sp, sp, #16\n\tstr x1, [sp]\n\tldr x3, [x2]\n\tldr x1, [sp], #16")

static const struct {
	const char *name;
	instruction_fn run;
} instructions[] = {
#define ONE(name)                                                                                  \
	{                                                                                          \
#name, name                                                                        \
	}
	ONE(load_8),
	ONE(load_16),
	ONE(load_32),
	ONE(load_64),
	ONE(load_sign_8),
	ONE(load_sign_16),
	ONE(load_sign_32),
	ONE(load_crooked),
	ONE(load_unprivileged),
	ONE(load_after),
	ONE(load_before),
	ONE(load_index),
	ONE(load_index_narrow),
	ONE(load_pair),
	ONE(load_pair_64),
	ONE(load_pair_sign),
	ONE(load_pair_past_cache),
	ONE(load_ordered),
	ONE(store_8),
	ONE(store_16),
	ONE(store_32),
	ONE(store_64),
	ONE(store_zero),
	ONE(store_crooked),
	ONE(store_after),
	ONE(store_before),
	ONE(store_index),
	ONE(store_pair),
	ONE(store_pair_64),
	ONE(store_pair_past_cache),
	ONE(store_ordered),
	ONE(vector_load),
	ONE(vector_load_small),
	ONE(vector_load_32),
	ONE(vector_crooked),
	ONE(vector_store),
	ONE(vector_store_small),
	ONE(vector_pair),
	ONE(vector_pair_64),
	ONE(vector_index),
	ONE(prefetch),
	ONE(with_stack),
};

static void prepare(struct machine *machine)
{
	(void)machine;
}

static void finish(struct machine *machine)
{
	(void)machine;
}

#endif
