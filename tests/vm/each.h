/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A call again and again, with another allocation in the kernel failing each time, until it makes
 * no more of them. Before each time everything must be as it was before the first.
 */
#ifndef EACH_H
#define EACH_H

#include "vm.h"

struct each {
	int (*start)(void *user, unsigned int nth); /* 0, -errno */
	int (*stop)(void *user);                    /* 1: one has failed; 0, -errno */
	void (*note)(void *user);                   /* how everything is */
	void (*check)(void *user);                  /* that it still is so; NULL: nothing besides */
	void *user;

	/* Of the call that is made. */
	const char *call;
	unsigned int nth;
	bool done;
	/* Of all calls. */
	unsigned int calls, refused, borne;
};

void each_begin(struct each *each, const char *call);
bool each_arm(struct each *each);
/* True: something has failed, and the call has succeeded all the same. */
bool each_judge(struct each *each, int result);
/* Says what came of all. */
void each_report(const struct each *each);

/*
 * The call succeeds in the end. Where it has succeeded though an allocation failed, @undo takes it
 * back, so that it can be made again.
 */
#define EACH(each, call, undo)                                                                     \
	do {                                                                                       \
		for (each_begin((each), #call); each_arm(each);)                                   \
			if (each_judge((each), (call))) {                                          \
				undo;                                                              \
			}                                                                          \
	} while (0)
/* It changes nothing that would have to be taken back. */
#define NOTHING ((void)0)
/* It cannot be taken back, and is not made again. */
#define ENOUGH break

#endif
