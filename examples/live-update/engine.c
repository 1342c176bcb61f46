/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "machine.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The engine's registers, and the address that the device's own page has for it. */
enum { SOURCE = 0x80 / 4, TARGET = 0x88 / 4, COUNT = 0x90 / 4, COMMAND = 0x98 / 4 };
enum { START = 1, TO_MEMORY = 2, OWN_PAGE = 0x40000, IOVA = 0x100000 };

/* A long time on a machine that is emulated on a busy one. */
enum { PATIENCE_MS = 20000 };

static bool is_busy(const struct machine *machine)
{
	return machine->regs[COMMAND] & START;
}

static void order(const struct machine *machine, uint32_t from, uint32_t to, uint32_t command)
{
	machine->regs[SOURCE] = from;
	machine->regs[TARGET] = to;
	machine->regs[COUNT] = PAGE;
	atomic_thread_fence(memory_order_seq_cst); /* the memory before the command */
	machine->regs[COMMAND] = command | START;
}

static bool wait_for_engine(const struct machine *machine)
{
	const struct timespec ms = {.tv_nsec = 1000000};

	for (int i = 0; i < PATIENCE_MS && is_busy(machine); i++)
		nanosleep(&ms, NULL);
	atomic_thread_fence(memory_order_seq_cst); /* the command before the memory */
	return !is_busy(machine);
}

void machine_begin_copy(const struct machine *machine, unsigned int page, uint8_t value)
{
	uint8_t *const at = machine->memory + page * PAGE;

	memset(at, value, PAGE);
	order(machine, IOVA + page * PAGE, OWN_PAGE, 0);
	wait_for_engine(machine);
	memset(at, 0, PAGE);
	order(machine, OWN_PAGE, IOVA + page * PAGE, TO_MEMORY);
}

bool machine_end_copy(const struct machine *machine, unsigned int page, uint8_t value)
{
	const uint8_t *const at = machine->memory + page * PAGE;
	const bool was_busy = is_busy(machine);
	bool right = wait_for_engine(machine);

	for (size_t i = 0; i < PAGE && right; i++)
		right = at[i] == value;
	if (!right)
		fprintf(stderr, "live-update: the device has not written page %u\n", page);
	else
		printf("  the device %s page %u\n",
		       was_busy ? "was writing, and finished" : "wrote", page);
	return right;
}
