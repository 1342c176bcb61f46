/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A call with each allocation in the kernel failing in turn: what must be as before it. */
#ifndef FAILING_SCENE_H
#define FAILING_SCENE_H

#include "../vm/each.h"
#include "suite.h"

struct scene {
	struct each each; /* for EACH() */
	struct rig *rig;
	/* More that must be as it was; NULL for nothing. */
	void (*more)(struct scene *scene);
	void *user;
	/* Where the rig's memory is mapped in its page tables; 0 nowhere. */
	uint64_t shown;
	/* How often the kernel has it pinned, once it has been asked for. */
	uint32_t pins;

	/* Of the library, and of the kernel. */
	uint64_t live, mapped, others;
	uint32_t next_id;
};

void scene_begin(struct scene *scene, struct rig *rig);
/* Says what came of it; something was refused. */
void scene_end(struct scene *scene);

#endif
