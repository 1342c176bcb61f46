/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_HANDOVER_TRANSFER_H
#define LIBIOMMU_HANDOVER_TRANSFER_H

#include "walk.h"

struct libiommu_handover;

/* Descriptors in a message: what a door takes. */
#define MESSAGE_FDS 16
#define HELLO_SIZE  24

/*
 * The first message, with the image as a file of memory. Then come the descriptors, in messages of
 * one byte, which says how many there are.
 */
struct hello {
	uint64_t magic;
	uint64_t size; /* of the image */
	uint64_t fds;
};

void li_transfer_hello(struct walk *walk, struct hello *hello);

/* Undoes libiommu_handover_keep(), if it was called. */
void li_handover_unkeep(struct libiommu_handover *handover);

#endif
