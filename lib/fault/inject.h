/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The source for devices that are software: what they ask for is put in, the answer called back. */
#ifndef LIBIOMMU_FAULT_INJECT_H
#define LIBIOMMU_FAULT_INJECT_H

#include <libiommu/ring.h>

#include "source.h"

struct inject;

/* At most @limit groups wait for room. */
int li_inject_new(size_t limit, struct inject **inject);
/* Whoever was not answered is called back with LIBIOMMU_FAULT_INVALID. */
void li_inject_free(struct inject *inject);
struct source *li_inject_source(struct inject *inject);

/* A group; -EAGAIN where too many wait already. */
int li_inject_add(struct inject *inject, const struct libiommu_record *records, size_t count,
                  libiommu_ring_answer_fn answer, void *user);
/* Call back those that were answered; with no lock held. */
void li_inject_settle(struct inject *inject);

#endif
