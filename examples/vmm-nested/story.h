/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What happens, from the guest's boot on: each step is told, with whether it went as it must. */
#ifndef STORY_H
#define STORY_H

#include "guest.h"
#include "vmm.h"

struct story {
	struct vmm vmm;
	struct guest_driver driver;
	uint64_t pattern; /* a page: what the device writes */
	uint64_t pages[3];
	unsigned int wrong;
};

/* In this order. */
void story_boot(struct story *story);
void story_streams(struct story *story);
void story_invalidation(struct story *story);
void story_refusals(struct story *story);
void story_pasids(struct story *story);
void story_page_requests(struct story *story);
void story_events(struct story *story);

/* A step; without it the story makes no sense any further. */
bool story_step(struct story *story, bool good, const char *text);

#endif
