/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "edu.h"

#include <stdatomic.h>
#include <time.h>

enum { EDU_START = 1, EDU_TO_HOST = 2 };

enum { EDU_IDENTITY = 0xed };

/* Its identification tells: the first byte is always the same. */
uint32_t edu_order(volatile uint32_t *regs, uint32_t value)
{
	return (regs[EDU_ID / 4] & 0xff) == EDU_IDENTITY ? value : __builtin_bswap32(value);
}

uint32_t edu_read(volatile uint32_t *regs, enum edu_register reg)
{
	return edu_order(regs, regs[reg / 4]);
}

void edu_write(volatile uint32_t *regs, enum edu_register reg, uint32_t value)
{
	regs[reg / 4] = edu_order(regs, value);
}

/* Of 64 bits. */
static void write_address(volatile uint32_t *regs, enum edu_register reg, uint64_t value)
{
	const uint64_t swapped = edu_order(regs, 1) == 1 ? value : __builtin_bswap64(value);

	if (value > UINT32_MAX)
		*(volatile uint64_t *)(volatile void *)&regs[reg / 4] = swapped;
	else
		edu_write(regs, reg, (uint32_t)value);
}

static bool run(volatile uint32_t *regs, uint64_t source, uint64_t target, size_t length,
                uint32_t command)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	write_address(regs, EDU_DMA_SOURCE, source);
	write_address(regs, EDU_DMA_TARGET, target);
	edu_write(regs, EDU_DMA_COUNT, (uint32_t)length);
	atomic_thread_fence(memory_order_seq_cst);
	edu_write(regs, EDU_DMA_COMMAND, command | EDU_START);
	/* The engine takes 100 ms of the emulated machine's time; a loaded host stretches that. */
	for (int i = 0; i < 4000; i++) {
		if (!(edu_read(regs, EDU_DMA_COMMAND) & EDU_START)) {
			atomic_thread_fence(memory_order_seq_cst);
			return true;
		}
		nanosleep(&pause, NULL);
	}
	return false;
}

bool edu_load(volatile uint32_t *regs, uint64_t iova, size_t length)
{
	return run(regs, iova, EDU_MEMORY, length, 0);
}

bool edu_store(volatile uint32_t *regs, uint64_t iova, size_t length)
{
	return run(regs, EDU_MEMORY, iova, length, EDU_TO_HOST);
}
