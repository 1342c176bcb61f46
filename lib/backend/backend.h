/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The few operations that reach the kernel differently depending on what it has: iommufd, or a
 * legacy VFIO container. Everything else is iommufd's own and goes through backend_ioctl().
 * Results are -errno on failure.
 */
#ifndef LIBIOMMU_BACKEND_H
#define LIBIOMMU_BACKEND_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include <libiommu/ioas.h>

#include "../base/failure.h"
#include "../base/sys.h"
#include "../base/uapi/iommufd.h"

struct backend;
struct type1;
struct type1_device;

/* A device, as the two backends know it. */
struct backend_device {
	int fd;
	struct type1_device *legacy; /* NULL with iommufd */
};

/* Those that fail say why in @refusal. */
struct backend_ops {
	int (*ioas_alloc)(const struct backend *backend, uint32_t *id, struct refusal *refusal);
	int (*ioas_destroy)(const struct backend *backend, uint32_t id, struct refusal *refusal);
	/* @iova: in with @fixed, else out. */
	int (*map)(const struct backend *backend, uint32_t ioas, void *address, uint64_t length,
	           uint32_t flags, bool fixed, uint64_t *iova, struct refusal *refusal);
	/* @length: in what to unmap, out what was; UINT64_MAX at @iova 0 is everything. */
	int (*unmap)(const struct backend *backend, uint32_t ioas, uint64_t iova, uint64_t *length,
	             struct refusal *refusal);
	/* @count: in the room, out how many there are, also with -EMSGSIZE when that is more. */
	int (*ranges)(const struct backend *backend, uint32_t ioas,
	              struct libiommu_iova_range *ranges, uint32_t *count, uint64_t *alignment,
	              struct refusal *refusal);
	/*
	 * @pt_id: in an IOAS or HWPT, out the HWPT that the kernel attached. Replaces what is
	 * attached.
	 */
	int (*attach)(const struct backend *backend, const struct backend_device *device,
	              uint32_t *pt_id, struct refusal *refusal);
	int (*detach)(const struct backend *backend, const struct backend_device *device,
	              struct refusal *refusal);
};

struct backend {
	const struct backend_ops *ops;
	const struct libiommu_sys *sys;
	int fd;
	struct type1 *type1; /* NULL with iommufd */
};

extern const struct backend_ops li_backend_type1;
extern const struct backend_ops li_backend_iommufd;

/* The kernel's flags of MAP, MAP_FILE and COPY for the library's. */
static inline uint32_t backend_map_flags(uint32_t flags, bool fixed)
{
	return (flags & LIBIOMMU_MAP_READ ? UAPI_IOAS_MAP_READABLE : 0) |
	       (flags & LIBIOMMU_MAP_WRITE ? UAPI_IOAS_MAP_WRITEABLE : 0) |
	       (fixed ? UAPI_IOAS_MAP_FIXED_IOVA : 0);
}

/* What only iommufd has; -EOPNOTSUPP without it. */
static inline int backend_ioctl(const struct backend *backend, unsigned long request, void *arg)
{
	if (backend->type1)
		return -EOPNOTSUPP;
	return li_sys_ioctl(backend->sys, backend->fd, request, arg);
}

#endif
