/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The process that decides about page requests. It has a socket and nothing else. */
#ifndef HANDLER_H
#define HANDLER_H

#include <stdint.h>

/* What the device may use. */
struct window {
	uint64_t start;
	uint64_t size;
};

/*
 * Answers the page requests of the ring at the other end of the socket until the ring is at its
 * end: an exit status.
 */
int handler_run(int socket, const struct window *window);

#endif
