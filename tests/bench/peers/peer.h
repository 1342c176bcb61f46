/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Another library's table from addresses to IOVAs, as bench-peers.c fills and asks it. */
#ifndef LIBIOMMU_BENCH_PEER_H
#define LIBIOMMU_BENCH_PEER_H

#include <stdbool.h>
#include <stdint.h>

struct peer {
	const char *name;
	/* At most so many times the peer's time; @only: with so many registrations, 0 is any. */
	double limit;
	uint32_t only;
	/* With more registrations it takes minutes. */
	uint32_t most;
	/* False where it cannot be had, and why was printed. */
	bool (*open)(void);
	bool (*add)(void *address, uint64_t length, uint64_t iova);
	uint64_t (*find)(void *address);
};

extern const struct peer peer;

#endif
