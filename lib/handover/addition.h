/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* One object on its way into the image. */
#ifndef LIBIOMMU_HANDOVER_ADDITION_H
#define LIBIOMMU_HANDOVER_ADDITION_H

#include "export.h"

struct addition {
	struct libiommu_handover *to;
	const char *operation;
	enum libiommu_object_kind kind;
	uint64_t key;
	void *handle;
	size_t start; /* of the entry */
	uint32_t fds; /* before it */
	bool orphan;  /* something that it stands on is not there */
};

/* For the function that this stands in. */
#define ADDITION(kind_, handle_)                                                                   \
	{                                                                                          \
		.to = handover, .operation = __func__, .kind = LIBIOMMU_OBJECT_##kind_,            \
		.key = key, .handle = (handle_)                                                    \
	}

/* The record is written next. 0, or an error that is recorded. */
int li_addition_begin(struct addition *new, const struct libiommu_ctx *ctx);
/*
 * What was written is an entry; or is not there, for @error or one that was found meanwhile, which
 * is returned and recorded.
 */
int li_addition_end(struct addition *new, int error);
/* The number of an object that was added before; ENTRY_NONE for NULL. */
uint32_t li_addition_number(struct addition *new, const void *handle);
/* A place among the descriptors: 0, -ENOMEM or -ENOTUNIQ. */
int li_addition_fd(struct addition *new, int fd, uint32_t *place);

#endif
