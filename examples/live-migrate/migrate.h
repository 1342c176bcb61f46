/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Memory that a device writes while it is copied to another machine. First all of it is copied,
 * then again and again what was written meanwhile, until so little is left that the device can be
 * stopped for it.
 */
#ifndef MIGRATE_H
#define MIGRATE_H

#include <libiommu.h>

/* Where the pages go: in a virtual machine monitor, to the other host. */
struct target {
	/* Returns false, having said why, if the page does not arrive. */
	bool (*send)(void *user, uint64_t page, const void *bytes);
	void *user;
};

struct migration {
	struct libiommu_hwpt *hwpt; /* with dirty tracking; nothing else tracks it */
	const uint8_t *memory;
	uint64_t iova; /* where the device sees it */
	uint64_t page; /* bytes of one */
	uint64_t pages;
	uint64_t limit; /* pages that may be left when the device is stopped */
	struct target target;
	/* Results. */
	unsigned int rounds;
	uint64_t sent;
	uint64_t left; /* pages that were sent while the device stood still */
	bool converged;
};

/* All of it. Says each round, and why when it fails; the memory stays the program's either way. */
bool migrate(struct migration *migration);

#endif
