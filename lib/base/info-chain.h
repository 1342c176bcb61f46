/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The capabilities that VFIO's INFO calls return behind their fixed part. */
#ifndef LIBIOMMU_BASE_INFO_CHAIN_H
#define LIBIOMMU_BASE_INFO_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "sys.h"

/* One of the INFO calls, and the fixed part of its structure, which begins with argsz. */
struct info_question {
	const struct libiommu_sys *sys;
	int fd;
	unsigned long request;
	enum failure_call call;
	const void *fixed;
	size_t size;
};

/*
 * Ask, at first with room for @room bytes, as often as it takes to have all capabilities. *@info,
 * of *@size bytes, is freed by the caller.
 */
int li_info_read(const struct info_question *question, uint32_t room, void **info, size_t *size,
                 struct refusal *refusal);

/*
 * Where in @info, of @size bytes that begin with @fixed ones of another kind, the capability @id
 * is; 0 where it is not. @at: of the first one, 0 for none. Returns 0, or -EIO for a chain that
 * leaves the buffer or does not go forward: the kernel writes one in ascending order, and whoever
 * else may stand in for it is not trusted to stay inside, or to end.
 */
int li_info_chain_find(const void *info, size_t size, size_t fixed, size_t at, uint16_t id,
                       size_t *found);

/* A capability of the chain. */
struct info_capability {
	uint16_t version;
	const void *data; /* behind its header */
	size_t length;    /* up to the next one, or to the end */
};

/* As li_info_chain_find(); -ENODATA where it is not. */
int li_info_capability(const void *info, size_t size, size_t fixed, size_t at, uint16_t id,
                       struct info_capability *found);

/* One number of a capability's data. -ENODATA before @version, -EIO where the data is too short. */
struct info_field {
	int field; /* the public number */
	uint16_t id;
	uint16_t version;
	uint16_t offset; /* in the whole structure, with the header */
	uint16_t size;   /* 1, 2, 4 or 8 */
};
int li_info_field(const struct info_capability *capability, const struct info_field *field,
                  uint64_t *value);

#endif
