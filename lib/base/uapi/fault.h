/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Part of iommufd.h: page requests. A fault queue's fd is read in whole groups of
 * uapi_hwpt_pgfault and written in uapi_hwpt_page_response, one for each group.
 */
#ifndef LIBIOMMU_UAPI_FAULT_H
#define LIBIOMMU_UAPI_FAULT_H

#include "types.h"

struct uapi_fault_alloc {
	uint32_t size;
	uint32_t flags; /* none defined */
	uint32_t out_fault_id;
	uint32_t out_fault_fd;
};

/* Flags of uapi_hwpt_pgfault. The kernel may leave bits of its own in the others: mask them off. */
#define UAPI_PGFAULT_FLAGS_PASID_VALID (1U << 0) /* 6.11 */
#define UAPI_PGFAULT_FLAGS_LAST_PAGE   (1U << 1) /* 6.11; the last of its group */

/* Permissions that a uapi_hwpt_pgfault asks for. */
#define UAPI_PGFAULT_PERM_READ  (1U << 0) /* 6.11 */
#define UAPI_PGFAULT_PERM_WRITE (1U << 1) /* 6.11 */
#define UAPI_PGFAULT_PERM_EXEC  (1U << 2) /* 6.11 */
#define UAPI_PGFAULT_PERM_PRIV  (1U << 3) /* 6.11 */

struct uapi_hwpt_pgfault {
	uint32_t flags;
	uint32_t dev_id;
	uint32_t pasid; /* with PASID_VALID */
	uint32_t grpid; /* the device's number for the group, not unique */
	uint32_t perm;
	uint32_t reserved;
	uapi_u64 addr;
	uint32_t length; /* a hint; 0 when there is none */
	uint32_t cookie; /* the same throughout a group; goes into the response */
};

/* Values of uapi_hwpt_page_response.code. */
#define UAPI_PAGE_RESP_SUCCESS 0 /* 6.11; the device tries again */
#define UAPI_PAGE_RESP_INVALID 1 /* 6.11; the device gives up */

struct uapi_hwpt_page_response {
	uint32_t cookie;
	uint32_t code;
};

#endif
