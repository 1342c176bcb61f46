/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The end that gives away. */
#ifndef LIBIOMMU_HANDOVER_EXPORT_H
#define LIBIOMMU_HANDOVER_EXPORT_H

#include <libiommu/handover.h>

#include "../object/ctx.h"
#include "entries.h"
#include "walk.h"

struct libiommu_handover {
	struct libiommu_ctx *ctx; /* NULL once it is given away */
	struct entries entries;
	struct index by_handle; /* handles, and descriptors: what they are in the image */
	struct walk body;       /* the entries */
	struct walk image;      /* all of it, when it is sealed */
	int *fds;
	uint32_t fd_count;
	uint32_t fd_room;
	int memfd; /* of libiommu_handover_keep(); -1 */
	bool sealed;
};

/*
 * Completes the image, if it is not: 0, or an error that is recorded under @operation; also where
 * the handover is NULL, or the context is given away.
 */
int li_handover_seal(struct libiommu_handover *handover, const char *operation);

/* The page requests that are unanswered, behind the entries: 0 or -ENOMEM. */
int li_handover_write_groups(struct libiommu_handover *handover);

#endif
