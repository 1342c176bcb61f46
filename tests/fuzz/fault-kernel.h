/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A kernel with fault queues that keeps none of its promises, and that knows which cookies it has
 * given out: an answer to one that is not out, or not a second time, ends the program.
 */
#ifndef LIBIOMMU_TESTS_FAULT_KERNEL_H
#define LIBIOMMU_TESTS_FAULT_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <libiommu.h>

struct input {
	const uint8_t *data;
	size_t size;
};

static inline void check(bool right)
{
	if (!right)
		__builtin_trap();
}

/* So many bytes, fewer at the end. */
uint32_t input_take(struct input *input, size_t bytes);

enum { KERNEL_QUEUES = 2 };

/* As at the beginning, with this door to it. */
void kernel_init(struct libiommu_sys *sys);
/* All of it works from now on. */
void kernel_mend(void);

/* Likely values, unlikely ones, and bytes that are no record at all: for the queue to be read. */
void kernel_raise(struct input *input, unsigned int queue);
/* A read, a write or an ioctl, the next one, will not do what it should. */
void kernel_fail_next(struct input *input);
void kernel_wait(uint64_t ns);

/* Writes of answers, and records that were read. */
unsigned int kernel_writes(void);
size_t kernel_records(void);
/* Whether one of them has ever failed. */
bool kernel_has_failed(void);
/* None is out of those cookies of the queue of which the library surely knows whose they are. */
bool kernel_is_answered(unsigned int queue);

#endif
