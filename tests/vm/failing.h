/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * On a real device: a call with each allocation in the kernel failing in turn. Nothing of the
 * library's, no descriptor and no object of the kernel's may be left of a call that says no.
 */
#ifndef FAILING_H
#define FAILING_H

#include "each.h"

struct failing {
	struct each each; /* for EACH() */
	struct vm *vm;
	/* Before anything is looked at; and more that must be as it was. NULL for nothing. */
	void (*settle)(struct failing *failing);
	void (*more)(struct failing *failing);
	void *user;
	int fail_nth;

	uint64_t live, mapped;
	unsigned int fds;
	uint32_t next_id;
};

/* Skips the test where the kernel's allocations cannot be made to fail. */
void failing_begin(struct failing *failing, struct vm *vm);
/* Says what came of it; something was refused. */
void failing_end(struct failing *failing);
/* The same where there may be nothing that could fail. */
void failing_stop(struct failing *failing);

#endif
