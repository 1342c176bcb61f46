/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Where a ring's faults come from: a fault queue of the kernel, or software that makes its own.
 *
 * The ring calls a source with the ring's lock held, one call at a time; the source may take its
 * own lock inside. It therefore never calls the ring with that lock held, save li_filler_poke(),
 * which takes none.
 */
#ifndef LIBIOMMU_FAULT_SOURCE_H
#define LIBIOMMU_FAULT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libiommu/fault-queue.h>
#include <libiommu/reader.h>

#include "../object/fault-out.h"

struct source_ops {
	/*
	 * Puts as many whole groups as there are and as fit, each with what its answer is to be
	 * given back for; where there is no place, only such as need no answer, and only if they
	 * come first. Writes all of a record but token, queue and time; the last record of a group
	 * has LIBIOMMU_RECORD_LAST. -ENOBUFS where the first does not fit, or another -errno, with
	 * which none went. Never blocks.
	 */
	int (*fetch)(void *self, struct fault_out *out);
	/*
	 * Answers groups that were fetched, each token a group's and each code a valid one; how
	 * many were known no more, or -errno: then what was not given is tried again in the next
	 * call, which may have no more.
	 */
	int (*answer)(void *self, const struct libiommu_fault_response *answers, size_t count);
	/* Whether the group still needs an answer; asked after a detach only. */
	bool (*wants)(void *self, uint64_t cookie);
	/*
	 * Takes groups that nobody will read and answers them INVALID, @max of them; how many.
	 * With 0, and with more as far as they come first, ends are forgotten.
	 */
	int (*refuse)(void *self, size_t max);
};

struct source {
	const struct source_ops *ops;
	void *self;
	int fd; /* readable while there is something to fetch; -1: li_filler_poke() says so */
	/* No group ever needs an answer, nor a place; without a reader they are left alone. */
	bool events;
};

#endif
