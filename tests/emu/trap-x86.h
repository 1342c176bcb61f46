/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Instructions of x86-64 on memory, for test-trap.c alone. */
#ifndef TRAP_X86_H
#define TRAP_X86_H

#include <stdint.h>

/* What an instruction has to do with; the vector register is xmm9 or ymm9. */
struct machine {
	uint64_t rax, rcx, r9, flags;
	uint8_t vector[32];
	uint8_t memory[BYTES];
};

typedef void (*instruction_fn)(struct machine *machine, volatile uint8_t *at, uint8_t *other);

/*
 * rdi is the memory, rsi and rdx are other memory, rax, rcx and r9 can be operands. A sanitizer's
 * calls between r9 and the instruction would change r9.
 */
#define INSTRUCTION(name, text)                                                                    \
	__attribute__((no_sanitize("thread"))) static void name(                                   \
		struct machine *machine, volatile uint8_t *at, uint8_t *other)                     \
	{                                                                                          \
		register uint64_t r9 __asm__("r9") = machine->r9;                                  \
                                                                                                   \
		__asm__ volatile("movdqu %[vector], %%xmm9\n\t"                                    \
		                 "pushq %[flags]\n\tpopfq\n\t" text "\n\t"                         \
		                 "pushfq\n\tpopq %[flags]\n\tcld\n\t"                              \
		                 "movdqu %%xmm9, %[vector]"                                        \
		                 : [vector] "+m"(machine->vector), "+a"(machine->rax),             \
		                   "+c"(machine->rcx), "+r"(r9), [flags] "+r"(machine->flags),     \
		                   "+D"(at), "+S"(other)                                           \
		                 :                                                                 \
		                 : "xmm9", "memory", "cc");                                        \
		machine->r9 = r9;                                                                  \
	}

INSTRUCTION(mov_load_8, "movb 3(%%rdi), %%al")
INSTRUCTION(mov_load_high, "movb (%%rdi), %%ah")
INSTRUCTION(mov_load_rex, "movb (%%rdi), %%r9b")
INSTRUCTION(mov_load_16, "movw 2(%%rdi), %%ax")
INSTRUCTION(mov_load_32, "movl 4(%%rdi), %%eax")
INSTRUCTION(mov_load_64, "movq 8(%%rdi), %%r9")
INSTRUCTION(mov_store_8, "movb %%cl, (%%rdi)")
INSTRUCTION(mov_store_high, "movb %%ch, 5(%%rdi)")
INSTRUCTION(mov_store_16, "movw %%cx, 6(%%rdi)")
INSTRUCTION(mov_store_32, "movl %%r9d, 8(%%rdi)")
INSTRUCTION(mov_store_64, "movq %%rcx, 16(%%rdi)")
INSTRUCTION(mov_crooked, "movl 3(%%rdi), %%eax\n\tmovl %%ecx, 17(%%rdi)")
INSTRUCTION(mov_index, "xorl %%eax, %%eax\n\tincl %%eax\n\tmovl %%ecx, 4(%%rdi,%%rax,8)")
INSTRUCTION(mov_far, "leaq -4096(%%rdi), %%rsi\n\tmovl 4096(%%rsi), %%ecx")
INSTRUCTION(mov_constant_8, "movb $0x5a, 1(%%rdi)")
INSTRUCTION(mov_constant_16, "movw $0x1234, 2(%%rdi)")
INSTRUCTION(mov_constant_32, "movl $0x12345678, 4(%%rdi)")
INSTRUCTION(mov_constant_64, "movq $-2, 8(%%rdi)")
INSTRUCTION(mov_past_cache, "movnti %%ecx, 4(%%rdi)\n\tmovnti %%rcx, 8(%%rdi)")
INSTRUCTION(zero_8, "movzbl 1(%%rdi), %%eax")
INSTRUCTION(zero_16, "movzwq 2(%%rdi), %%r9")
INSTRUCTION(sign_8, "movsbl 1(%%rdi), %%eax")
INSTRUCTION(sign_8_16, "movsbw 1(%%rdi), %%ax")
INSTRUCTION(sign_16, "movswq 2(%%rdi), %%r9")
INSTRUCTION(sign_32, "movslq 4(%%rdi), %%rax")
INSTRUCTION(add_to, "addl %%ecx, (%%rdi)")
INSTRUCTION(add_from, "addq (%%rdi), %%rax")
INSTRUCTION(add_constant, "addb $0x7f, (%%rdi)")
INSTRUCTION(or_to, "orb %%cl, (%%rdi)")
INSTRUCTION(or_constant, "orl $0x80000001, (%%rdi)")
INSTRUCTION(or_locked, "lock orl %%ecx, (%%rdi)")
INSTRUCTION(adc_to, "adcw %%cx, (%%rdi)")
INSTRUCTION(adc_from, "adcb (%%rdi), %%al")
INSTRUCTION(sbb_to, "sbbq %%rcx, (%%rdi)")
INSTRUCTION(sbb_from, "sbbl (%%rdi), %%eax")
INSTRUCTION(and_constant, "andl $-2, (%%rdi)")
INSTRUCTION(and_from, "andw (%%rdi), %%ax")
INSTRUCTION(sub_to, "subl %%ecx, (%%rdi)")
INSTRUCTION(sub_from, "subq (%%rdi), %%rax")
INSTRUCTION(xor_to, "xorq %%rcx, (%%rdi)")
INSTRUCTION(cmp_to, "cmpl %%ecx, (%%rdi)")
INSTRUCTION(cmp_from, "cmpb (%%rdi), %%al")
INSTRUCTION(cmp_constant, "cmpw $0x1234, (%%rdi)")
INSTRUCTION(test_register, "testl %%ecx, (%%rdi)")
INSTRUCTION(test_constant, "testb $1, (%%rdi)")
INSTRUCTION(test_wide, "testq $0x12345678, (%%rdi)")
INSTRUCTION(inc_8, "incb (%%rdi)")
INSTRUCTION(inc_64, "incq (%%rdi)")
INSTRUCTION(dec_32, "decl (%%rdi)")
INSTRUCTION(not_32, "notl (%%rdi)")
INSTRUCTION(neg_16, "negw (%%rdi)")
INSTRUCTION(neg_8, "negb (%%rdi)")
INSTRUCTION(exchange, "xchgl %%ecx, (%%rdi)")
INSTRUCTION(copy_in, "movl $11, %%ecx\n\txchgq %%rsi, %%rdi\n\trep movsb")
INSTRUCTION(copy_out, "movl $3, %%ecx\n\trep movsq")
INSTRUCTION(copy_one, "movsl")
INSTRUCTION(copy_down,
            "std\n\tleaq 8(%%rdi), %%rdi\n\tleaq 8(%%rsi), %%rsi\n\tmovl $2, %%ecx\n\trep movsl")
INSTRUCTION(copy_none, "xorl %%ecx, %%ecx\n\trep movsb")
INSTRUCTION(fill, "movl $5, %%ecx\n\trep stosw")
INSTRUCTION(read_string, "xchgq %%rsi, %%rdi\n\tlodsl")
INSTRUCTION(vector_load, "movdqu 1(%%rdi), %%xmm9")
INSTRUCTION(vector_aligned, "movdqa 16(%%rdi), %%xmm9")
INSTRUCTION(vector_floats, "movups 16(%%rdi), %%xmm9\n\tmovaps %%xmm9, 32(%%rdi)")
INSTRUCTION(vector_store, "movdqu %%xmm9, 3(%%rdi)")
INSTRUCTION(vector_past_cache, "movntdq %%xmm9, 16(%%rdi)\n\tmovntps %%xmm9, 32(%%rdi)")
INSTRUCTION(vector_load_64, "movq 8(%%rdi), %%xmm9")
INSTRUCTION(vector_store_64, "movq %%xmm9, 8(%%rdi)")
INSTRUCTION(vector_load_32, "movd 8(%%rdi), %%xmm9")
INSTRUCTION(vector_store_32, "movd %%xmm9, 8(%%rdi)")
INSTRUCTION(vector_single, "movss 8(%%rdi), %%xmm9\n\tmovss %%xmm9, (%%rdi)")
INSTRUCTION(vector_double, "movsd 8(%%rdi), %%xmm9\n\tmovsd %%xmm9, (%%rdi)")

static const struct {
	const char *name;
	instruction_fn run;
} instructions[] = {
#define ONE(name)                                                                                  \
	{                                                                                          \
#name, name                                                                        \
	}
	ONE(mov_load_8),
	ONE(mov_load_high),
	ONE(mov_load_rex),
	ONE(mov_load_16),
	ONE(mov_load_32),
	ONE(mov_load_64),
	ONE(mov_store_8),
	ONE(mov_store_high),
	ONE(mov_store_16),
	ONE(mov_store_32),
	ONE(mov_store_64),
	ONE(mov_crooked),
	ONE(mov_index),
	ONE(mov_far),
	ONE(mov_constant_8),
	ONE(mov_constant_16),
	ONE(mov_constant_32),
	ONE(mov_constant_64),
	ONE(mov_past_cache),
	ONE(zero_8),
	ONE(zero_16),
	ONE(sign_8),
	ONE(sign_8_16),
	ONE(sign_16),
	ONE(sign_32),
	ONE(add_to),
	ONE(add_from),
	ONE(add_constant),
	ONE(or_to),
	ONE(or_constant),
	ONE(or_locked),
	ONE(adc_to),
	ONE(adc_from),
	ONE(sbb_to),
	ONE(sbb_from),
	ONE(and_constant),
	ONE(and_from),
	ONE(sub_to),
	ONE(sub_from),
	ONE(xor_to),
	ONE(cmp_to),
	ONE(cmp_from),
	ONE(cmp_constant),
	ONE(test_register),
	ONE(test_constant),
	ONE(test_wide),
	ONE(inc_8),
	ONE(inc_64),
	ONE(dec_32),
	ONE(not_32),
	ONE(neg_16),
	ONE(neg_8),
	ONE(exchange),
	ONE(copy_in),
	ONE(copy_out),
	ONE(copy_one),
	ONE(copy_down),
	ONE(copy_none),
	ONE(fill),
	ONE(read_string),
	ONE(vector_load),
	ONE(vector_aligned),
	ONE(vector_floats),
	ONE(vector_store),
	ONE(vector_past_cache),
	ONE(vector_load_64),
	ONE(vector_store_64),
	ONE(vector_load_32),
	ONE(vector_store_32),
	ONE(vector_single),
	ONE(vector_double),
};

/* Carry, parity, zero, sign and overflow; what logic leaves of the sixth is not defined. */
#define FLAGS 0x8c5U

static void prepare(struct machine *machine)
{
	machine->flags = 0x202 | (machine->flags & FLAGS);
}

static void finish(struct machine *machine)
{
	machine->flags &= FLAGS;
}

#endif
