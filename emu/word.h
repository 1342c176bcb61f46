/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef EMU_WORD_H
#define EMU_WORD_H

#include <stdint.h>

/*
 * Words, each at a multiple of 4, of this process's memory that may not be there any more. The
 * kernel touches them, on the way to waking nobody up by a futex: one call, and -EFAULT instead of
 * a signal.
 */

/* Is it there to be read? */
int emu_word_read(uintptr_t word);

/* Is it there to be written? The bits, of the lowest 12, are set, at once for everybody; to set
 * none is to write all the same. */
int emu_word_or(uintptr_t word, uint32_t bits);

#endif
