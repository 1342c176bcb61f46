/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The ways of a machine from one process to the next. Each says why when it fails. */
#ifndef WAYS_H
#define WAYS_H

#include "machine.h"

enum way { BY_EXEC, BY_SOCKET };

/* What the program knows itself: goes along, by its own means. */
struct baton {
	enum way way;
	unsigned int generation;
	unsigned int last;
};

/*
 * Gives the machine to a successor. exec() returns only if it fails, and then the machine is as
 * before; over a socket the machine is given away when this succeeds, and as before when not.
 */
bool pass_by_exec(const struct machine *machine, const struct baton *baton, char *program);
bool pass_by_socket(const struct machine *machine, const struct baton *baton, char *program,
                    pid_t *successor);

/* The machine from a predecessor: @word is what that has put on the command line. */
bool take_by_exec(struct machine *machine, struct baton *baton, const char *word);
/* ... or at the other end of standard input. */
bool take_by_socket(struct machine *machine, struct baton *baton);

#endif
