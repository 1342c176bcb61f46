/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vdpa.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "../base/uapi/vhost.h"
#include "../object/adopt.h"

#define FEATURE(name) (UINT64_C(1) << UAPI_VHOST_BACKEND_F_##name)

static const uint64_t wanted =
	FEATURE(IOTLB_MSG_V2) | FEATURE(IOTLB_BATCH) | FEATURE(IOTLB_ASID) | FEATURE(IOTLB_PERSIST);

/*
 * Nothing of the device goes over with a context: it belongs to the process, whose memory it has.
 */
static int call(const struct libiommu_vdpa *vdpa, unsigned long request, void *arg)
{
	return li_sys_ioctl(li_ctx_own_door(vdpa->ctx), vdpa->fd, request, arg);
}

static struct libiommu_vdpa *new_handle(struct libiommu_ctx *ctx)
{
	struct libiommu_vdpa *const vdpa = calloc(1, sizeof(*vdpa));

	if (!vdpa)
		return NULL;
	vdpa->ctx = ctx;
	vdpa->spaces = 1;
	vdpa->groups = 1;
	atomic_init(&vdpa->mirrors, 0);
	pthread_mutex_init(&vdpa->lock, NULL);
	return vdpa;
}

static void free_handle(struct libiommu_vdpa *vdpa)
{
	if (vdpa->own_fd)
		li_sys_close(li_ctx_own_door(vdpa->ctx), vdpa->fd);
	pthread_mutex_destroy(&vdpa->lock);
	free(vdpa);
}

static int ask(const struct libiommu_vdpa *vdpa, const char *operation, unsigned long request,
               void *arg)
{
	const int error = call(vdpa, request, arg);

	return error ? FAIL_KERNEL(vdpa->ctx, operation, error, CALL_VDPA, .id = 0) : 0;
}

/* @taken: this process may own it already. Another owner shows when something is mapped. */
static int own(const struct libiommu_vdpa *vdpa, const char *operation, bool taken)
{
	const int error = call(vdpa, UAPI_IOC_VHOST_SET_OWNER, NULL);

	if (!error || (taken && error == -EBUSY))
		return 0;
	return FAIL_KERNEL(vdpa->ctx, operation, error, CALL_VDPA, .id = 0);
}

static int acknowledge(struct libiommu_vdpa *vdpa, const char *operation, uint64_t more)
{
	const uint64_t needed = more | FEATURE(IOTLB_MSG_V2);
	uint64_t offered;
	int error;

	error = ask(vdpa, operation, UAPI_IOC_VHOST_GET_BACKEND_FEATURES, &offered);
	if (error)
		return error;
	if (needed & ~offered)
		return FAIL_LIBRARY(vdpa->ctx, operation, -EOPNOTSUPP,
		                    "the device does not have a backend feature that is needed",
		                    .amount = needed & ~offered, .unit = "as bits, are missing");
	vdpa->features = (wanted & offered) | more;
	return ask(vdpa, operation, UAPI_IOC_VHOST_SET_BACKEND_FEATURES, &vdpa->features);
}

static int measure(struct libiommu_vdpa *vdpa, const char *operation)
{
	struct uapi_vhost_vdpa_iova_range range;
	int error;

	error = ask(vdpa, operation, UAPI_IOC_VHOST_VDPA_GET_IOVA_RANGE, &range);
	if (error)
		return error;
	vdpa->range = (struct libiommu_iova_range){range.first, range.last};
	/* The kernel that has the feature has the questions too. */
	if (!(vdpa->features & FEATURE(IOTLB_ASID)))
		return 0;
	error = ask(vdpa, operation, UAPI_IOC_VHOST_VDPA_GET_AS_NUM, &vdpa->spaces);
	if (!error)
		error = ask(vdpa, operation, UAPI_IOC_VHOST_VDPA_GET_GROUP_NUM, &vdpa->groups);
	return error;
}

/* With its descriptor; on failure the handle is freed. */
static int set_up(struct libiommu_vdpa *made, const char *operation, uint64_t features, bool taken,
                  struct libiommu_vdpa **vdpa)
{
	int error;

	error = own(made, operation, taken);
	if (!error)
		error = acknowledge(made, operation, features);
	if (!error)
		error = measure(made, operation);
	if (error) {
		free_handle(made);
		return error;
	}
	li_ctx_count(made->ctx, LIBIOMMU_OBJECT_VDPA, 1);
	*vdpa = made;
	return 0;
}

int libiommu_vdpa_open(struct libiommu_ctx *ctx, const char *path, uint64_t features,
                       struct libiommu_vdpa **vdpa)
{
	struct libiommu_vdpa *made;

	if (!ctx || !path || !vdpa)
		return FAIL_NULL(ctx);
	made = new_handle(ctx);
	if (!made)
		return FAIL_MEMORY(ctx);
	made->fd = li_sys_open(li_ctx_own_door(ctx), path, O_RDWR);
	if (made->fd < 0) {
		const int error = made->fd;

		free_handle(made);
		return FAIL_KERNEL(ctx, __func__, error, CALL_OPEN, .subject = path);
	}
	made->own_fd = true;
	return set_up(made, __func__, features, false, vdpa);
}

int libiommu_vdpa_adopt(struct libiommu_ctx *ctx, int fd, enum libiommu_fd_mode mode,
                        uint64_t features, struct libiommu_vdpa **vdpa)
{
	struct libiommu_vdpa *made;
	int error;

	if (!ctx || !vdpa)
		return FAIL_NULL(ctx);
	error = li_adopt_check_fd(ctx, __func__, fd, mode);
	if (error)
		return error;
	made = new_handle(ctx);
	if (!made)
		return FAIL_MEMORY(ctx);
	made->fd = li_adopt_fd(ctx, __func__, fd, mode);
	if (made->fd < 0) {
		error = made->fd;
		free_handle(made);
		return error;
	}
	/* A failure closes nothing of the program's. */
	made->own_fd = mode == LIBIOMMU_FD_DUP;
	error = set_up(made, __func__, features, true, vdpa);
	if (!error)
		(*vdpa)->own_fd = mode != LIBIOMMU_FD_BORROW;
	return error;
}

void li_vdpa_pin(struct libiommu_vdpa *vdpa)
{
	atomic_fetch_add(&vdpa->mirrors, 1);
}

void li_vdpa_unpin(struct libiommu_vdpa *vdpa)
{
	atomic_fetch_sub(&vdpa->mirrors, 1);
}

int libiommu_vdpa_destroy(struct libiommu_vdpa *vdpa)
{
	struct libiommu_ctx *ctx;

	if (!vdpa)
		return 0;
	ctx = vdpa->ctx;
	if (atomic_load(&vdpa->mirrors))
		return FAIL_LIBRARY(ctx, __func__, -EBUSY, "it mirrors DMA spaces",
		                    .amount = atomic_load(&vdpa->mirrors), .unit = "of them");
	free_handle(vdpa);
	li_ctx_count(ctx, LIBIOMMU_OBJECT_VDPA, -1);
	return 0;
}

int libiommu_vdpa_fd(const struct libiommu_vdpa *vdpa)
{
	return vdpa ? vdpa->fd : FAIL_NULL(NULL);
}

int libiommu_vdpa_features(const struct libiommu_vdpa *vdpa, uint64_t *features)
{
	if (!vdpa || !features)
		return FAIL_NULL(vdpa ? vdpa->ctx : NULL);
	*features = vdpa->features;
	return 0;
}

int libiommu_vdpa_iova_range(const struct libiommu_vdpa *vdpa, struct libiommu_iova_range *range)
{
	if (!vdpa || !range)
		return FAIL_NULL(vdpa ? vdpa->ctx : NULL);
	*range = vdpa->range;
	return 0;
}

int libiommu_vdpa_address_spaces(const struct libiommu_vdpa *vdpa, uint32_t *count)
{
	if (!vdpa || !count)
		return FAIL_NULL(vdpa ? vdpa->ctx : NULL);
	*count = vdpa->spaces;
	return 0;
}

int libiommu_vdpa_groups(const struct libiommu_vdpa *vdpa, uint32_t *count)
{
	if (!vdpa || !count)
		return FAIL_NULL(vdpa ? vdpa->ctx : NULL);
	*count = vdpa->groups;
	return 0;
}

int libiommu_vdpa_queue_group(struct libiommu_vdpa *vdpa, uint32_t queue, uint32_t *group)
{
	struct uapi_vhost_vring_state state = {.index = queue};
	int error;

	if (!vdpa || !group)
		return FAIL_NULL(vdpa ? vdpa->ctx : NULL);
	error = call(vdpa, UAPI_IOC_VHOST_VDPA_GET_VRING_GROUP, &state);
	if (error)
		return FAIL_KERNEL(vdpa->ctx, __func__, error, CALL_VDPA_GROUP, .id = queue);
	*group = state.num;
	return 0;
}

int libiommu_vdpa_set_group(struct libiommu_vdpa *vdpa, uint32_t group, uint32_t asid)
{
	struct uapi_vhost_vring_state state = {.index = group, .num = asid};
	int error;

	if (!vdpa)
		return FAIL_NULL(NULL);
	/* The kernel takes the group for a virtqueue when it looks whether there is one. */
	if (group >= vdpa->groups)
		return FAIL_LIBRARY(vdpa->ctx, __func__, -EINVAL, "the device has no such group",
		                    .id = group);
	error = li_vdpa_check_space(vdpa, __func__, asid);
	if (error)
		return error;
	error = call(vdpa, UAPI_IOC_VHOST_VDPA_SET_GROUP_ASID, &state);
	return error ? FAIL_KERNEL(vdpa->ctx, __func__, error, CALL_VDPA_GROUP, .id = group,
	                           .other = asid)
	             : 0;
}
