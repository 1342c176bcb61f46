/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "edu.h"

#include <stdatomic.h>
#include <time.h>

enum { EDU_START = 1, EDU_TO_HOST = 2 };

uint32_t edu_read(volatile uint32_t *regs, enum edu_register reg)
{
	return regs[reg / 4];
}

void edu_write(volatile uint32_t *regs, enum edu_register reg, uint32_t value)
{
	regs[reg / 4] = value;
}

static bool run(volatile uint32_t *regs, uint64_t source, uint64_t target, size_t length,
                uint32_t command)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	edu_write(regs, EDU_DMA_SOURCE, (uint32_t)source);
	edu_write(regs, EDU_DMA_TARGET, (uint32_t)target);
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
