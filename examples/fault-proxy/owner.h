/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The process that has the device, the page table and the fault queue. It passes page requests on
 * to a handler, a process of its own without any rights, and starts another one whenever that dies:
 * what the dead one had in hand is answered INVALID, and what comes meanwhile waits for the next.
 */
#ifndef OWNER_H
#define OWNER_H

#include <libiommu.h>

struct owner {
	struct libiommu_ctx *ctx;
	struct libiommu_device *dev;
	struct libiommu_ioas *ioas;
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *hwpt;
	struct libiommu_ring *ring;
	char *const *handler; /* its arguments; its standard input is the socket */
	pid_t pid;            /* 0: there is none */
	unsigned long started;
	int signals;
};

/*
 * Blocks SIGCHLD, SIGINT and SIGTERM, which are waited for from here on; threads that are made
 * later inherit that. @door is the way to the kernel, NULL for libc. Says why when it fails.
 */
bool owner_open(struct owner *owner, const struct libiommu_sys *door, const char *node,
                char *const *handler);
/* Children before parents. The handler sees the end of the ring, and is waited for. */
void owner_close(struct owner *owner);

enum owner_state { OWNER_GOES_ON, OWNER_INTERRUPTED, OWNER_FAILED };

/* Waits for something to do, so many milliseconds at most, and does it. Says why when it fails. */
enum owner_state owner_step(struct owner *owner, int timeout);

#endif
