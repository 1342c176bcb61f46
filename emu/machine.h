/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The machine: what is in it, and the one lock that all of it is under. */
#ifndef EMU_MACHINE_H
#define EMU_MACHINE_H

#include <pthread.h>
#include <time.h>

#include <libiommu-emu/machine.h>

#include "file.h"
#include "look.h"
#include "phys.h"

struct emu_account;
struct emu_dev;
struct emu_group;
struct emu_iommu;
struct emu_mapping;
struct emu_memfile;
struct emu_pages;
struct emu_server;
struct emu_watcher;
struct libiommu_emu_trouble;
struct libiommu_sys;

struct libiommu_emu {
	pthread_mutex_t lock; /* recursive, for models of devices that use the machine */
	unsigned int depth;
	pthread_cond_t changed; /* a transfer has ended, an answer is there; by CLOCK_MONOTONIC */
	struct libiommu_sys *door;
	struct emu_files files;
	struct emu_mapping *mappings;
	struct emu_watcher *watcher;
	uint64_t next_port, next_narrow, next_wide; /* where the next BARs of each kind lie */
	struct emu_ranges windows;                  /* of physical addresses */
	struct libiommu_emu_trouble *troubles;
	bool heap_fails;            /* while a call is done */
	bool may_lock;              /* this process, when it was last looked at */
	unsigned int drivers;       /* that are played */
	struct emu_server *server;  /* of children; may be NULL */
	pthread_mutex_t child_lock; /* of a child's copy */
	struct emu_iommu *iommus;
	struct emu_group *groups, *inner_groups;
	struct emu_dev *devs, *inner_devs;
	struct emu_dev *gone;    /* what the user may still ask of */
	struct emu_pages *pages; /* all that is mapped */
	struct emu_memfile *memfiles;
	struct emu_seen seen;
	struct emu_account *accounts;
};

void emu_lock(struct libiommu_emu *emu);
void emu_unlock(struct libiommu_emu *emu);
/* With the lock: whether this is inside of something that the machine does. */
bool emu_is_nested(const struct libiommu_emu *emu);
/* Whether this thread has any machine's. */
bool emu_locks_held(void);

/* Milliseconds from now; 0 and less are now. */
void emu_deadline(int timeout, struct timespec *deadline);
/* Until something has changed, the lock meanwhile given away; false: the deadline
 * has come, or a model cannot wait. */
bool emu_wait(struct libiommu_emu *emu, int timeout, const struct timespec *deadline);

#endif
