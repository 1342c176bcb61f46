/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The end that takes over. */
#ifndef LIBIOMMU_HANDOVER_IMPORT_H
#define LIBIOMMU_HANDOVER_IMPORT_H

#include <libiommu/takeover.h>

#include "../object/ctx.h"
#include "entries.h"
#include "record.h"
#include "walk.h"

struct libiommu_takeover {
	struct libiommu_ctx *ctx; /* NULL once it is committed */
	struct entries entries;
	bool owns_fds; /* they are closed if it is not committed */
};

/* An image on its way into handles. */
struct import {
	struct libiommu_takeover *to;
	struct walk walk;
	const int *fds;
	uint32_t fd_count;
	bool *fd_used;
	const char *text; /* what is wrong, with an error */
};

/*
 * Makes the handle of one entry, from the record in @walk. 0; -EBADMSG, with the reason in the
 * import; -EOPNOTSUPP for a kind that is not known; -ENOMEM.
 */
int li_import_entry(struct import *in, const struct entry_header *header, struct walk *walk);
int li_import_groups(struct import *in, struct walk *walk);

/* For the makers. -EBADMSG with a reason. */
int li_import_bad(struct import *in, const char *text);
/* A handle of an entry that came before, of this kind; NULL with a reason. */
void *li_import_find(struct import *in, uint32_t number, enum libiommu_object_kind kind);
/* One of the descriptors, which nobody has had; -EBADMSG with a reason. */
int li_import_fd(struct import *in, uint32_t place);
/* 0, or -EBADMSG with a reason, where a number can be no id of the kernel. */
int li_import_check_id(struct import *in, uint32_t id);

int li_import_device(struct import *in, struct walk *walk, void **handle);

/* libiommu_takeover_load() for @operation; with @owns_fds they are the library's if it succeeds. */
int li_takeover_load(const struct libiommu_ctx_config *config, const char *operation,
                     const void *image, size_t size, const int *fds, size_t count, bool owns_fds,
                     struct libiommu_takeover **takeover);

#endif
