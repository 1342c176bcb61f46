/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../base/uapi/iommufd.h"
#include "../object/adopt.h"
#include "veventq.h"
#include "viommu.h"

_Static_assert(LIBIOMMU_VEVENTQ_DEFAULT == UAPI_VEVENTQ_TYPE_DEFAULT &&
                       LIBIOMMU_VEVENTQ_SMMUV3 == UAPI_VEVENTQ_TYPE_ARM_SMMUV3 &&
                       LIBIOMMU_VEVENTQ_TEGRA241_CMDQV == UAPI_VEVENTQ_TYPE_TEGRA241_CMDQV,
               "types are passed on as they are");

/* The stream id is in the upper half of the first word. */
static const struct veventq_layout smmuv3 = {sizeof(struct uapi_vevent_arm_smmuv3), 4, 4, true};
static const struct veventq_layout cmdqv = {sizeof(struct uapi_vevent_tegra241_cmdqv), 0, 0, true};

static const struct veventq_layout *layout_of(uint32_t type)
{
	switch (type) {
	case UAPI_VEVENTQ_TYPE_ARM_SMMUV3:
		return &smmuv3;
	case UAPI_VEVENTQ_TYPE_TEGRA241_CMDQV:
		return &cmdqv;
	}
	return NULL;
}

static int unknown(const struct libiommu_viommu *viommu, const char *operation, uint32_t type)
{
	return FAIL_LIBRARY(
		li_viommu_ctx(viommu), operation, -EOPNOTSUPP,
		"the format of these events is not known (libiommu_veventq_alloc_raw())",
		.id = li_viommu_id(viommu), .amount = type, .unit = "is the type");
}

static struct libiommu_veventq *new_handle(struct libiommu_viommu *viommu,
                                           const struct veventq_layout *layout)
{
	struct libiommu_veventq *const queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->viommu = viommu;
	queue->layout = *layout;
	pthread_mutex_init(&queue->lock, NULL);
	li_viommu_pin(viommu);
	li_ctx_count(li_viommu_ctx(viommu), LIBIOMMU_OBJECT_VEVENTQ, 1);
	return queue;
}

static void free_handle(struct libiommu_veventq *queue)
{
	li_ctx_count(li_viommu_ctx(queue->viommu), LIBIOMMU_OBJECT_VEVENTQ, -1);
	li_viommu_unpin(queue->viommu);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

static int alloc(struct libiommu_viommu *viommu, const char *operation, uint32_t type,
                 uint32_t depth, const struct veventq_layout *layout,
                 struct libiommu_veventq **queue)
{
	struct libiommu_ctx *const ctx = li_viommu_ctx(viommu);
	struct uapi_veventq_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = li_viommu_id(viommu),
		.type = type,
		.veventq_depth = depth,
	};
	struct libiommu_veventq *const made = new_handle(viommu, layout);
	int error;

	if (!made)
		return FAIL_MEMORY_IN(ctx, operation);
	error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_VEVENTQ_ALLOC, &cmd);
	if (error) {
		free_handle(made);
		return FAIL_KERNEL(ctx, operation, error, CALL_VEVENTQ, .id = cmd.viommu_id,
		                   .amount = depth, .unit = "is the depth");
	}
	made->id = cmd.out_veventq_id;
	made->type = type;
	made->fd = (int)cmd.out_veventq_fd;
	made->own_fd = true;
	made->own_id = true;
	made->counts = true;
	*queue = made;
	return 0;
}

int libiommu_veventq_alloc(struct libiommu_viommu *viommu, uint32_t type, uint32_t depth,
                           struct libiommu_veventq **queue)
{
	const struct veventq_layout *layout;

	if (!viommu || !queue)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	layout = layout_of(type);
	if (!layout)
		return unknown(viommu, __func__, type);
	return alloc(viommu, __func__, type, depth, layout, queue);
}

static bool is_right(const struct veventq_layout *layout)
{
	const uint32_t id_length = layout->id_length;

	return layout->length && layout->length <= 4096 &&
	       (!id_length || id_length == 4 || id_length == 8) &&
	       layout->id_offset <= layout->length &&
	       id_length <= layout->length - layout->id_offset;
}

int libiommu_veventq_alloc_raw(struct libiommu_viommu *viommu, uint32_t type, uint32_t depth,
                               uint32_t length, uint32_t id_offset, uint32_t id_length,
                               struct libiommu_veventq **queue)
{
	const struct veventq_layout layout = {length, id_offset, id_length, false};

	if (!viommu || !queue)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	if (!is_right(&layout))
		return FAIL_LIBRARY(li_viommu_ctx(viommu), __func__, -EINVAL,
		                    "a length is out of range, or the virtual id not inside the "
		                    "event",
		                    .id = li_viommu_id(viommu));
	return alloc(viommu, __func__, type, depth, &layout, queue);
}

int libiommu_veventq_adopt(struct libiommu_viommu *viommu, uint32_t type, uint32_t id,
                           enum libiommu_id_mode id_mode, int fd, enum libiommu_fd_mode fd_mode,
                           struct libiommu_veventq **queue)
{
	const struct veventq_layout *const layout = layout_of(type);
	struct libiommu_veventq *made;
	struct libiommu_ctx *ctx;
	int error;

	if (!viommu || !queue)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	ctx = li_viommu_ctx(viommu);
	if (!layout)
		return unknown(viommu, __func__, type);
	error = li_adopt_check_id(ctx, __func__, id, id_mode);
	if (!error)
		error = li_adopt_check_fd(ctx, __func__, fd, fd_mode);
	if (error)
		return error;
	made = new_handle(viommu, layout);
	if (!made)
		return FAIL_MEMORY(ctx);
	fd = li_adopt_fd(ctx, __func__, fd, fd_mode);
	if (fd < 0) {
		free_handle(made);
		return fd;
	}
	made->id = id;
	made->type = type;
	made->fd = fd;
	made->own_fd = fd_mode != LIBIOMMU_FD_BORROW;
	made->own_id = id_mode == LIBIOMMU_ID_OWN;
	*queue = made;
	return 0;
}

int li_veventq_restore(const struct libiommu_veventq *like, struct libiommu_veventq **queue)
{
	struct libiommu_veventq *made;

	if (!is_right(&like->layout) || like->expected > INT32_MAX)
		return -EINVAL;
	made = new_handle(like->viommu, &like->layout);
	if (!made)
		return -ENOMEM;
	made->id = like->id;
	made->type = like->type;
	made->fd = like->fd;
	made->own_fd = true;
	made->own_id = like->own_id;
	made->counts = like->counts;
	made->expected = like->expected;
	made->lost = like->lost;
	*queue = made;
	return 0;
}

int libiommu_veventq_destroy(struct libiommu_veventq *queue)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd)};
	const struct backend *backend;
	struct libiommu_ctx *ctx;
	int error = 0;

	if (!queue)
		return 0;
	ctx = li_viommu_ctx(queue->viommu);
	if (queue->taken)
		return FAIL_LIBRARY(ctx, __func__, -EBUSY, "a ring reads it", .id = queue->id);
	backend = li_ctx_backend(ctx);
	if (queue->fd >= 0 && queue->own_fd)
		li_sys_close(backend->sys, queue->fd);
	queue->fd = -1;
	cmd.id = queue->id;
	if (queue->own_id)
		error = backend_ioctl(backend, UAPI_IOC_DESTROY, &cmd);
	if (error)
		return FAIL_KERNEL(ctx, __func__, error, CALL_DESTROY, .id = queue->id);
	free_handle(queue);
	return 0;
}

int libiommu_veventq_fd(const struct libiommu_veventq *queue)
{
	if (!queue)
		return FAIL_NULL(NULL);
	return queue->fd >= 0 ? queue->fd : FAIL_VEVENTQ_CLOSED(queue);
}

int libiommu_veventq_id(const struct libiommu_veventq *queue, uint32_t *id)
{
	if (!queue || !id)
		return FAIL_NULL(queue ? li_viommu_ctx(queue->viommu) : NULL);
	*id = queue->id;
	return 0;
}

int li_veventq_take(struct libiommu_veventq *queue)
{
	int error = 0;

	pthread_mutex_lock(&queue->lock);
	if (queue->taken)
		error = -EBUSY;
	else if (queue->fd < 0)
		error = -EBADF;
	else
		queue->taken = true;
	pthread_mutex_unlock(&queue->lock);
	return error;
}

void li_veventq_give_back(struct libiommu_veventq *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->taken = false;
	pthread_mutex_unlock(&queue->lock);
}
