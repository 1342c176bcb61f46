/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Instructions on registers that are mapped do what they do on memory. */
#include "model-rig.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../emu/memcheck.h"
#include "../random.h"

enum { BYTES = 64, AT = 0x100 };

static struct model_rig rig;

static int setup(void **state)
{
	(void)state;
	return model_setup(&rig, NULL);
}

static int teardown(void **state)
{
	(void)state;
	model_teardown(&rig);
	return 0;
}

static void need_all(void)
{
	model_need_traps();
	if (emu_memcheck_watches()) {
		print_message("skipped: valgrind drops what a handler does to flags and vectors\n");
		skip();
	}
}

#if defined(__x86_64__) || defined(__aarch64__)

#if defined(__x86_64__)
#include "trap-x86.h"
#else
#include "trap-arm64.h"
#endif

static void as_on_memory(void **state)
{
	uint32_t random = 1;
	uint8_t *registers;

	(void)state;
	need_all();
	registers = model_map(&rig, 0, PROT_READ | PROT_WRITE, 0, MODEL_SIZE);
	assert_non_null(registers);
	for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++)
		for (int turn = 0; turn < 40; turn++) {
			_Alignas(32) uint8_t memory[BYTES];
			uint8_t other[2][BYTES];
			struct machine there, here;

			for (size_t byte = 0; byte < sizeof(here); byte++)
				((uint8_t *)&here)[byte] = (uint8_t)next_random(&random);
			/* Often enough, what carries. */
			if (turn % 4 == 0)
				memset(here.memory, turn % 8 ? 0xff : 0, BYTES);
			prepare(&here);
			memcpy(memory, here.memory, BYTES);
			memcpy(rig.model->registers + AT, here.memory, BYTES);
			memset(other, turn, sizeof(other));
			there = here;
			instructions[i].run(&here, memory, other[0]);
			instructions[i].run(&there, registers + AT, other[1]);
			memcpy(here.memory, memory, BYTES);
			memcpy(there.memory, rig.model->registers + AT, BYTES);
			finish(&here);
			finish(&there);
			if (memcmp(&here, &there, sizeof(here)) ||
			    memcmp(other[0], other[1], BYTES))
				fail_msg("%s, turn %d", instructions[i].name, turn);
		}
	assert_int_equal(libiommu_emu_munmap(rig.emu, registers, MODEL_SIZE), 0);
}

#else

static void as_on_memory(void **state)
{
	(void)state;
	need_all();
}

#endif

#if defined(__x86_64__)

__attribute__((target("avx"))) static void wide_vectors(void **state)
{
	_Alignas(32) uint8_t from[32], to[32];
	uint8_t *registers;

	(void)state;
	need_all();
	if (!__builtin_cpu_supports("avx"))
		skip();
	registers = model_map(&rig, 0, PROT_READ | PROT_WRITE, 0, MODEL_SIZE);
	assert_non_null(registers);
	for (int i = 0; i < 32; i++)
		from[i] = (uint8_t)(i + 1);
	__asm__ volatile("vmovdqu %1, %%ymm9\n\tvmovdqu %%ymm9, (%0)"
	                 :
	                 : "r"(registers), "m"(from)
	                 : "xmm9", "memory");
	assert_memory_equal(rig.model->registers, from, 32);
	__asm__ volatile(
		"vpxor %%ymm9, %%ymm9, %%ymm9\n\tvmovdqu (%1), %%ymm9\n\tvmovdqu %%ymm9, %0"
		: "=m"(to)
		: "r"(registers)
		: "xmm9", "memory");
	assert_memory_equal(to, from, 32);
	/* A shorter load clears the rest. */
	__asm__ volatile("vmovdqu 16(%1), %%xmm9\n\tvmovdqu %%ymm9, %0"
	                 : "=m"(to)
	                 : "r"(registers)
	                 : "xmm9", "memory");
	memset(from + 16, 0, 16);
	for (int i = 0; i < 16; i++)
		from[i] = (uint8_t)(i + 17);
	assert_memory_equal(to, from, 32);
	__asm__ volatile("vzeroupper" ::: "memory");
	libiommu_emu_munmap(rig.emu, registers, MODEL_SIZE);
}

#else

static void wide_vectors(void **state)
{
	(void)state;
	need_all();
}

#endif

/* Whatever they are made of, these are programs' ways to copy. */
static void library_functions(void **state)
{
	uint8_t there[1000], here[1000];
	uint8_t *registers;

	(void)state;
	need_all();
	registers = model_map(&rig, 0, PROT_READ | PROT_WRITE, 0, MODEL_SIZE);
	assert_non_null(registers);
	for (size_t i = 0; i < sizeof(here); i++)
		here[i] = (uint8_t)(i * 7);
	for (size_t size = 0; size < sizeof(here); size += 37) {
		memset(rig.model->registers, 0, MODEL_SIZE);
		memset(there, 0, sizeof(there));
		memcpy(registers, here, size);
		assert_memory_equal(rig.model->registers, here, size);
		memcpy(there, registers, size);
		assert_memory_equal(there, here, size);
		assert_int_equal(rig.model->registers[size], 0);
	}
	libiommu_emu_munmap(rig.emu, registers, MODEL_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(as_on_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(wide_vectors, setup, teardown),
		cmocka_unit_test_setup_teardown(library_functions, setup, teardown),
	};

	return cmocka_run_group_tests_name("trap", tests, NULL, NULL);
}
