/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The machine that programs find, and when they find it. */
#include "preload.h"

#include <libiommu-emu/machine.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../machine.h"

static const char *const prefixes[] = {
	"/dev/iommu",       "/dev/vfio",           "/sys/bus/pci",     "/sys/kernel/iommu_groups",
	"/sys/class/iommu", "/sys/class/vfio-dev", "/sys/devices/pci", "/sys/devices/virtual/iommu",
};

static _Atomic(struct libiommu_emu *) machine;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local unsigned int inside;

void emu_preload_enter(void)
{
	inside++;
}

void emu_preload_leave(void)
{
	inside--;
}

/* With a lock of the machine's held, it is the machine that calls. */
static bool is_own(void)
{
	return inside || emu_locks_held();
}

struct libiommu_emu *emu_preload_machine(void)
{
	struct libiommu_emu *const made = atomic_load(&machine);

	/* Sanitizers call before they are ready for what they watch: nothing more until then. */
	return made && !is_own() ? made : NULL;
}

static void make(void)
{
	struct libiommu_emu *made;

	emu_preload_enter();
	if (libiommu_emu_new(&made)) {
		fprintf(stderr, "libiommu-emu: no memory for a machine\n");
		_exit(127);
	}
	emu_preload_describe(made, getenv("LIBIOMMU_EMU_MACHINE"));
	libiommu_emu_serve(made);
	emu_preload_leave();
	atomic_store(&machine, made);
}

struct libiommu_emu *emu_preload_path(const char *path)
{
	if (!path || path[0] != '/' || is_own())
		return NULL;
	/* Who has a device open. */
	if (!strncmp(path, "/proc/", 6))
		return atomic_load(&machine);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(path, prefixes[i], strlen(prefixes[i]))) {
			pthread_once(&once, make);
			return atomic_load(&machine);
		}
	return NULL;
}

long emu_preload_result(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}
