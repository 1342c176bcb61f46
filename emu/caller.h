/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Descriptors of whoever calls the emulated kernel. */
#ifndef EMU_CALLER_H
#define EMU_CALLER_H

#include <stdbool.h>

/* Whether there is anything open. */
bool emu_caller_has(int fd);
/* The machine's own descriptor for an eventfd: -EBADF, or -EINVAL where it is none. */
int emu_caller_eventfd(int fd);

#endif
