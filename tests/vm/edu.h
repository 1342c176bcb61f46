/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* QEMU's edu device: a DMA engine with a page of memory of its own, and an interrupt. */
#ifndef EDU_H
#define EDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum edu_register {
	EDU_ID = 0x00,
	EDU_LIVENESS = 0x04, /* reads the complement of what was written */
	EDU_INTERRUPT_STATUS = 0x24,
	EDU_INTERRUPT_RAISE = 0x60,
	EDU_INTERRUPT_ACK = 0x64,
	EDU_DMA_SOURCE = 0x80,
	EDU_DMA_TARGET = 0x88,
	EDU_DMA_COUNT = 0x90,
	EDU_DMA_COMMAND = 0x98
};

enum { EDU_MEMORY = 0x40000, EDU_SIZE = 4096 };

/* Its registers have the byte order of the machine that QEMU is, which on PowerPC is not the
 * kernel's: a value of one, as the processor has it, or the other way. */
uint32_t edu_order(volatile uint32_t *regs, uint32_t value);
uint32_t edu_read(volatile uint32_t *regs, enum edu_register reg);
void edu_write(volatile uint32_t *regs, enum edu_register reg, uint32_t value);

/* Move bytes between the device's memory and an IOVA. False if the engine does not finish. */
bool edu_load(volatile uint32_t *regs, uint64_t iova, size_t length);
bool edu_store(volatile uint32_t *regs, uint64_t iova, size_t length);

#endif
