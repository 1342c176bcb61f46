/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <fcntl.h>

#include "ctx.h"
#include "ioas.h"
#include "obstacles.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* The part of a file that is to be mapped. */
struct part {
	int fd;
	uint64_t start;
	uint64_t length;
	uint32_t flags;
	bool fixed;
	bool memory; /* not a dma-buf */
};

/*
 * The kernel maps whatever the descriptor names, for reading and writing. Seals tell a file of
 * memory from anything else: nothing else has them.
 */
static int check_file(struct libiommu_ioas *ioas, const char *operation, struct part *part)
{
	struct libiommu_ctx *const ctx = li_ioas_ctx(ioas);
	const struct libiommu_sys *const sys = li_ctx_backend(ctx)->sys;
	const bool writes = part->flags & LIBIOMMU_MAP_WRITE;
	const int opened = li_sys_getfl(sys, part->fd);
	int seals;

	if (opened < 0)
		return FAIL_KERNEL(ctx, operation, opened, CALL_MAP_FILE, .id = li_ioas_id(ioas));
	if ((opened & O_ACCMODE) == O_WRONLY)
		return FAIL_LIBRARY(ctx, operation, -EACCES,
		                    "the descriptor is not open for reading",
		                    .id = li_ioas_id(ioas));
	if (writes && (opened & O_ACCMODE) != O_RDWR)
		return FAIL_LIBRARY(ctx, operation, -EACCES,
		                    "the descriptor is not open for writing, and "
		                    "LIBIOMMU_MAP_WRITE was asked for",
		                    .id = li_ioas_id(ioas));
	seals = li_sys_seal(sys, part->fd, 0);
	if (seals >= 0 && writes && seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return FAIL_LIBRARY(ctx, operation, -EPERM,
		                    "the file is sealed against writing, and "
		                    "LIBIOMMU_MAP_WRITE was asked for",
		                    .id = li_ioas_id(ioas));
	part->memory = seals >= 0;
	return 0;
}

static int map_part(struct libiommu_ioas *ioas, const char *operation, struct part *part,
                    uint64_t *iova)
{
	const struct obstacle like = {.length = part->length, .why = LIBIOMMU_CHANGE_DMABUF};
	struct libiommu_ctx *const ctx = li_ioas_ctx(ioas);
	struct obstacles *obstacles = li_ctx_obstacles(ctx);
	struct obstacle *made;
	struct uapi_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = backend_map_flags(part->flags, part->fixed),
		.ioas_id = li_ioas_id(ioas),
		.fd = part->fd,
		.start = part->start,
		.length = part->length,
		.iova = *iova,
	};
	int error;

	error = li_ioas_check_flags(ioas, operation, part->flags);
	if (!error)
		error = check_file(ioas, operation, part);
	if (error)
		return error;
	if (part->memory)
		obstacles = NULL;
	if (obstacles_begin(obstacles, &like, &made))
		return FAIL_MEMORY_IN(ctx, operation);
	error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_IOAS_MAP_FILE, &cmd);
	obstacles_end(obstacles, made, !error, cmd.ioas_id, cmd.iova);
	if (error)
		return FAIL_KERNEL(ctx, operation, error, CALL_MAP_FILE, .id = li_ioas_id(ioas),
		                   .start = *iova, .length = part->length, .anywhere = !part->fixed,
		                   .amount = li_ctx_mapped(ctx));
	li_ioas_count_mapped(ioas, part->length, part->memory ? 0 : part->length);
	*iova = cmd.iova;
	return 0;
}

int li_ioas_map_file(struct libiommu_ioas *ioas, const char *operation, int fd, uint64_t start,
                     uint64_t length, uint32_t flags, bool fixed, uint64_t *iova)
{
	struct part part = {
		.fd = fd, .start = start, .length = length, .flags = flags, .fixed = fixed};

	return map_part(ioas, operation, &part, iova);
}

int libiommu_ioas_map_file(struct libiommu_ioas *ioas, int fd, uint64_t start, uint64_t length,
                           uint32_t flags, uint64_t *iova)
{
	uint64_t found = 0;
	int error;

	if (!ioas || !iova)
		return FAIL_NULL(ioas ? li_ioas_ctx(ioas) : NULL);
	error = li_ioas_map_file(ioas, __func__, fd, start, length, flags, false, &found);
	if (!error)
		*iova = found;
	return error;
}

int libiommu_ioas_map_file_fixed(struct libiommu_ioas *ioas, int fd, uint64_t start,
                                 uint64_t length, uint32_t flags, uint64_t iova)
{
	if (!ioas)
		return FAIL_NULL(NULL);
	return li_ioas_map_file(ioas, __func__, fd, start, length, flags, true, &iova);
}
