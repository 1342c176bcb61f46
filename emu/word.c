/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "word.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* futex(2), within a process; the system's headers may be without them. */
#define PRIVATE     128
#define CMP_REQUEUE (4 | PRIVATE)
#define WAKE_OP     (5 | PRIVATE)
#define OP_OR       (2U << 28) /* with the bits from bit 12 on */

/* Who waits here? */
static uint32_t nobody;

int emu_word_read(uintptr_t word)
{
	return syscall(SYS_futex, word, CMP_REQUEUE, 0, NULL, &nobody, 0) >= 0 || errno == EAGAIN
	               ? 0
	               : -EFAULT;
}

int emu_word_or(uintptr_t word, uint32_t bits)
{
	return syscall(SYS_futex, &nobody, WAKE_OP, 0, NULL, word, OP_OR | bits << 12) >= 0
	               ? 0
	               : -EFAULT;
}
