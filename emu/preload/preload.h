/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A library that is loaded into a program before all others (LD_PRELOAD), and has the program's
 * system calls on IOMMUs and devices done by an emulated machine.
 */
#ifndef EMU_PRELOAD_H
#define EMU_PRELOAD_H

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct libiommu_emu;

#define PRELOAD __attribute__((visibility("default")))

/* What comes after this library: the C library's own. */
#define REAL(name)                                                                                 \
	({                                                                                         \
		static __typeof__(name) *next_one;                                                 \
		if (!next_one)                                                                     \
			*(void **)&next_one = dlsym(RTLD_NEXT, #name);                             \
		next_one;                                                                          \
	})

/* A second name, of the same meaning where offsets have 64 bits anyway. */
#define ALSO(name, other)                                                                          \
	extern __typeof__(name) also_##other __asm__(#other)                                       \
		__attribute__((alias(#name), visibility("default")))

/* The machine, once a path of it has been used; NULL: not yet, or this is its own call. */
struct libiommu_emu *emu_preload_machine(void);
/* For a path: makes the machine if the path is its; NULL: the path is not. */
struct libiommu_emu *emu_preload_path(const char *path);
/* What is called between these is not the program's. */
void emu_preload_enter(void);
void emu_preload_leave(void);

/* /proc/PID/status of a process that the machine holds memory of; false: as it is. */
bool emu_preload_status(struct libiommu_emu *emu, const char *path, int flags, int *fd);

/* A result as system calls have it: -1 with errno, or what it is. */
long emu_preload_result(long result);

/* What the environment asks for: LIBIOMMU_EMU_MACHINE. Says what is wrong with it, and ends. */
void emu_preload_describe(struct libiommu_emu *emu, const char *text);

#endif
