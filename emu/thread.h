/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_EMU_THREAD_H
#define LIBIOMMU_EMU_THREAD_H

#include <pthread.h>

/* A thread of the machine's: the program's signals are for its own. 0 or -errno. */
int emu_thread_start(pthread_t *thread, void *(*run)(void *user), void *user);

#endif
