/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "machine.h"

#include <errno.h>
#include <libiommu/sys.h>

#include "account.h"
#include "dev.h"
#include "door.h"
#include "heap.h"
#include "mapping.h"
#include "serve.h"
#include "trap.h"
#include "trouble.h"
#include "watch.h"

/* Where the firmware of a machine puts BARs. */
#define FIRST_PORT   UINT64_C(0x1000)
#define FIRST_NARROW UINT64_C(0x80000000)
#define FIRST_WIDE   UINT64_C(0x4000000000)

static _Thread_local unsigned int held;

void emu_lock(struct libiommu_emu *emu)
{
	pthread_mutex_lock(&emu->lock);
	held++;
	emu->depth++;
}

void emu_unlock(struct libiommu_emu *emu)
{
	emu->depth--;
	held--;
	pthread_mutex_unlock(&emu->lock);
}

bool emu_is_nested(const struct libiommu_emu *emu)
{
	return emu->depth > 1;
}

bool emu_locks_held(void)
{
	return held;
}

void emu_deadline(int timeout, struct timespec *deadline)
{
	clock_gettime(CLOCK_MONOTONIC, deadline);
	if (timeout <= 0)
		return;
	deadline->tv_sec += timeout / 1000;
	deadline->tv_nsec += timeout % 1000 * 1000000L;
	if (deadline->tv_nsec >= 1000000000L) {
		deadline->tv_nsec -= 1000000000L;
		deadline->tv_sec++;
	}
}

bool emu_wait(struct libiommu_emu *emu, int timeout, const struct timespec *deadline)
{
	int error;

	if (emu_is_nested(emu))
		return false;
	emu->depth = 0;
	error = timeout < 0 ? pthread_cond_wait(&emu->changed, &emu->lock)
	                    : pthread_cond_timedwait(&emu->changed, &emu->lock, deadline);
	emu->depth = 1;
	return !error;
}

LIBIOMMU_API int libiommu_emu_new(struct libiommu_emu **emu)
{
	struct libiommu_emu *made;
	pthread_mutexattr_t recursive;
	pthread_condattr_t by_clock;
	int error;

	if (!emu)
		return -EINVAL;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	error = emu_door_new(made, &made->door);
	if (!error)
		error = emu_files_init(&made->files);
	if (!error) {
		error = emu_watches_init(made);
		if (error)
			emu_files_end(&made->files);
	}
	if (error) {
		libiommu_sys_free(made->door);
		emu_release(made);
		return error;
	}
	made->next_port = FIRST_PORT;
	made->next_narrow = FIRST_NARROW;
	made->next_wide = FIRST_WIDE;
	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&made->lock, &recursive);
	pthread_mutexattr_destroy(&recursive);
	pthread_condattr_init(&by_clock);
	pthread_condattr_setclock(&by_clock, CLOCK_MONOTONIC);
	pthread_cond_init(&made->changed, &by_clock);
	pthread_condattr_destroy(&by_clock);
	pthread_mutex_init(&made->child_lock, NULL);
	*emu = made;
	return 0;
}

LIBIOMMU_API int libiommu_emu_destroy(struct libiommu_emu *emu)
{
	if (!emu)
		return 0;
	emu_lock(emu);
	emu_files_sweep(emu);
	emu_unlock(emu);
	if (emu->files.first || emu->drivers)
		return -EBUSY;
	emu_server_end(emu);
	libiommu_emu_end_trouble(emu);
	emu_trap_remove(emu);
	emu_mappings_end(emu);
	emu_watches_end(emu);
	emu_devs_end(emu);
	emu_accounts_end(emu);
	emu_files_end(&emu->files);
	pthread_mutex_destroy(&emu->child_lock);
	pthread_cond_destroy(&emu->changed);
	pthread_mutex_destroy(&emu->lock);
	libiommu_sys_free(emu->door);
	emu_release(emu);
	return 0;
}

LIBIOMMU_API const struct libiommu_sys *libiommu_emu_door(const struct libiommu_emu *emu)
{
	return emu ? emu->door : NULL;
}
