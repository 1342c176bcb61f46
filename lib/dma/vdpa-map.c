/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The messages by which a vDPA device gets memory: each is one write. */
#include <errno.h>
#include <string.h>

#include <libiommu/ioas.h>

#include "../base/uapi/vhost.h"
#include "vdpa.h"

/* What the permission of a message is made of, and nothing besides. */
#define FLAGS ((uint32_t)(LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE))

/* Field by field: what lies between them would come from the stack. */
static int send(const struct libiommu_vdpa *vdpa, uint32_t asid,
                const struct uapi_vhost_iotlb_msg *iotlb)
{
	struct uapi_vhost_msg_v2 message;
	ssize_t done;

	memset(&message, 0, sizeof(message));
	message.type = UAPI_VHOST_IOTLB_MSG_V2;
	message.asid = asid;
	message.iotlb.iova = iotlb->iova;
	message.iotlb.size = iotlb->size;
	message.iotlb.uaddr = iotlb->uaddr;
	message.iotlb.perm = iotlb->perm;
	message.iotlb.type = iotlb->type;
	done = li_sys_write(li_ctx_own_door(vdpa->ctx), vdpa->fd, &message, sizeof(message));
	if (done < 0)
		return (int)done;
	return done == sizeof(message) ? 0 : -EIO;
}

static bool in_range(const struct libiommu_iova_range *range, uint64_t iova, uint64_t length)
{
	return iova >= range->start && iova <= range->last && length - 1 <= range->last - iova;
}

int li_vdpa_update(struct libiommu_vdpa *vdpa, const char *operation, uint32_t asid, uint64_t iova,
                   uint64_t length, uint64_t address, uint32_t flags)
{
	const struct uapi_vhost_iotlb_msg iotlb = {
		.iova = iova,
		.size = length,
		.uaddr = address,
		.perm = (uint8_t)((flags & LIBIOMMU_MAP_READ ? UAPI_VHOST_ACCESS_RO : 0) |
	                          (flags & LIBIOMMU_MAP_WRITE ? UAPI_VHOST_ACCESS_WO : 0)),
		.type = UAPI_VHOST_IOTLB_UPDATE,
	};
	int error;

	/* The kernel has one word for all that it refuses. */
	if (!in_range(&vdpa->range, iova, length))
		return FAIL_LIBRARY(
			vdpa->ctx, operation, -EINVAL,
			"the device cannot use these IOVAs (libiommu_vdpa_iova_range())",
			.id = asid, .start = iova, .length = length);
	error = send(vdpa, asid, &iotlb);
	return error ? FAIL_KERNEL(vdpa->ctx, operation, error, CALL_VDPA_MAP, .id = asid,
	                           .start = iova, .length = length, .memory = address)
	             : 0;
}

int li_vdpa_invalidate(struct libiommu_vdpa *vdpa, const char *operation, uint32_t asid,
                       uint64_t iova, uint64_t length)
{
	const int error = send(vdpa, asid,
	                       &(const struct uapi_vhost_iotlb_msg){
				       .iova = iova,
				       .size = length,
				       .type = UAPI_VHOST_IOTLB_INVALIDATE,
			       });

	return error ? FAIL_KERNEL(vdpa->ctx, operation, error, CALL_VDPA_UNMAP, .id = asid,
	                           .start = iova, .length = length)
	             : 0;
}

static int batch(struct libiommu_vdpa *vdpa, const char *operation, uint32_t asid, uint8_t type)
{
	int error = 0;

	if (vdpa->features & UINT64_C(1) << UAPI_VHOST_BACKEND_F_IOTLB_BATCH)
		error = send(vdpa, asid, &(const struct uapi_vhost_iotlb_msg){.type = type});
	return error ? FAIL_KERNEL(vdpa->ctx, operation, error, CALL_VDPA_UNMAP, .id = asid) : 0;
}

int li_vdpa_begin(struct libiommu_vdpa *vdpa, const char *operation, uint32_t asid)
{
	return batch(vdpa, operation, asid, UAPI_VHOST_IOTLB_BATCH_BEGIN);
}

int li_vdpa_end(struct libiommu_vdpa *vdpa, const char *operation, uint32_t asid)
{
	return batch(vdpa, operation, asid, UAPI_VHOST_IOTLB_BATCH_END);
}

int li_vdpa_check_space(const struct libiommu_vdpa *vdpa, const char *operation, uint32_t asid)
{
	return asid < vdpa->spaces
	               ? 0
	               : FAIL_LIBRARY(vdpa->ctx, operation, -EINVAL,
	                              "the device has no such address space", .id = asid);
}

/* The kernel rounds to pages what is none, and maps more than was asked for. */
static int check_range(const struct libiommu_vdpa *vdpa, const char *operation, uint64_t iova,
                       uint64_t length, uint64_t address)
{
	if (length && !((iova | length | address) & (li_sys_page_size() - 1)))
		return 0;
	return FAIL_LIBRARY(
		vdpa->ctx, operation, -EINVAL,
		"addresses and length must be multiples of a page, and the length not 0",
		.start = iova, .length = length, .memory = address);
}

int libiommu_vdpa_map(struct libiommu_vdpa *vdpa, uint32_t asid, void *address, uint64_t length,
                      uint32_t flags, uint64_t iova)
{
	int error;

	if (!vdpa)
		return FAIL_NULL(NULL);
	if (!flags || flags & ~FLAGS)
		return FAIL_LIBRARY(vdpa->ctx, __func__, -EINVAL,
		                    "reading, writing or both, and nothing else", .id = asid);
	error = li_vdpa_check_space(vdpa, __func__, asid);
	if (!error)
		error = check_range(vdpa, __func__, iova, length, (uintptr_t)address);
	if (error)
		return error;
	vdpa_lock(vdpa);
	error = li_vdpa_update(vdpa, __func__, asid, iova, length, (uintptr_t)address, flags);
	vdpa_unlock(vdpa);
	return error;
}

int libiommu_vdpa_unmap(struct libiommu_vdpa *vdpa, uint32_t asid, uint64_t iova, uint64_t length)
{
	int error;

	if (!vdpa)
		return FAIL_NULL(NULL);
	error = li_vdpa_check_space(vdpa, __func__, asid);
	if (!error)
		error = check_range(vdpa, __func__, iova, length, 0);
	if (error)
		return error;
	vdpa_lock(vdpa);
	error = li_vdpa_invalidate(vdpa, __func__, asid, iova, length);
	vdpa_unlock(vdpa);
	return error;
}
