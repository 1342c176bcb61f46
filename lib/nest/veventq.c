/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../base/uapi/iommufd.h"
#include "vevent-batch.h"
#include "viommu.h"

_Static_assert(LIBIOMMU_VEVENTQ_SMMUV3 == UAPI_VEVENTQ_TYPE_ARM_SMMUV3 &&
                       LIBIOMMU_VEVENTQ_TEGRA241_CMDQV == UAPI_VEVENTQ_TYPE_TEGRA241_CMDQV,
               "types are passed on as they are");

#define SEQUENCE_MASK UINT32_C(0x7fffffff)

struct layout {
	uint32_t length;
	uint32_t id_offset;
	uint32_t id_length; /* 0, 4 or 8 */
	bool little_endian;
};

struct libiommu_veventq {
	struct libiommu_viommu *viommu;
	uint32_t id;
	int fd; /* -1 once it is closed */
	bool own_fd;
	bool own_id;
	struct layout layout;
	pthread_mutex_t lock; /* of what follows, and of reading */
	bool counts;          /* false until the first event of one that was adopted */
	uint32_t expected;
	uint64_t lost; /* since the last event */
};

/* The stream id is in the upper half of the first word. */
static const struct layout smmuv3 = {sizeof(struct uapi_vevent_arm_smmuv3), 4, 4, true};
static const struct layout cmdqv = {sizeof(struct uapi_vevent_tegra241_cmdqv), 0, 0, true};

static const struct layout *layout_of(uint32_t type)
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
                                           const struct layout *layout)
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
                 uint32_t depth, const struct layout *layout, struct libiommu_veventq **queue)
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
	const struct layout *layout;

	if (!viommu || !queue)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	layout = layout_of(type);
	if (!layout)
		return unknown(viommu, __func__, type);
	return alloc(viommu, __func__, type, depth, layout, queue);
}

int libiommu_veventq_alloc_raw(struct libiommu_viommu *viommu, uint32_t type, uint32_t depth,
                               uint32_t length, uint32_t id_offset, uint32_t id_length,
                               struct libiommu_veventq **queue)
{
	const struct layout layout = {length, id_offset, id_length, false};

	if (!viommu || !queue)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	if (!length || length > 4096 || (id_length && id_length != 4 && id_length != 8) ||
	    id_offset > length || id_length > length - id_offset)
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
	const struct layout *const layout = layout_of(type);
	struct libiommu_veventq *made;
	struct libiommu_ctx *ctx;

	if (!viommu || !queue)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	ctx = li_viommu_ctx(viommu);
	if (!layout)
		return unknown(viommu, __func__, type);
	if (!id || (unsigned int)id_mode > LIBIOMMU_ID_BORROW || fd < 0 ||
	    (unsigned int)fd_mode > LIBIOMMU_FD_DUP)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL,
		                    "the id is 0, there is no descriptor, or a mode is unknown",
		                    .id = id);
	made = new_handle(viommu, layout);
	if (!made)
		return FAIL_MEMORY(ctx);
	if (fd_mode == LIBIOMMU_FD_DUP)
		fd = li_sys_dup(li_ctx_backend(ctx)->sys, fd);
	if (fd < 0) {
		free_handle(made);
		return FAIL_KERNEL(ctx, __func__, fd, CALL_DUP, .id = id);
	}
	made->id = id;
	made->fd = fd;
	made->own_fd = fd_mode != LIBIOMMU_FD_BORROW;
	made->own_id = id_mode == LIBIOMMU_ID_OWN;
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

static int closed(const struct libiommu_veventq *queue, const char *operation)
{
	return FAIL_LIBRARY(li_viommu_ctx(queue->viommu), operation, -EBADF,
	                    "the queue's descriptor was closed by a destroy that failed",
	                    .id = queue->id);
}

int libiommu_veventq_fd(const struct libiommu_veventq *queue)
{
	if (!queue)
		return FAIL_NULL(NULL);
	return queue->fd >= 0 ? queue->fd : closed(queue, __func__);
}

int libiommu_veventq_id(const struct libiommu_veventq *queue, uint32_t *id)
{
	if (!queue || !id)
		return FAIL_NULL(queue ? li_viommu_ctx(queue->viommu) : NULL);
	*id = queue->id;
	return 0;
}

static uint64_t id_of(const struct layout *layout, const unsigned char *data)
{
	uint64_t wide = 0;
	uint32_t narrow = 0;

	if (layout->id_length == sizeof(wide)) {
		memcpy(&wide, data + layout->id_offset, sizeof(wide));
		return layout->little_endian ? le64toh(wide) : wide;
	}
	memcpy(&narrow, data + layout->id_offset, sizeof(narrow));
	return layout->little_endian ? le32toh(narrow) : narrow;
}

static void add(struct libiommu_veventq *queue, struct libiommu_vevent_batch *batch,
                uint32_t sequence, const unsigned char *data)
{
	struct libiommu_vevent *const event = &batch->events[batch->count++];

	*event = (struct libiommu_vevent){
		.lost = queue->lost,
		.data = data,
		.length = queue->layout.length,
		.sequence = sequence,
	};
	queue->lost = 0;
	if (!queue->layout.id_length)
		return;
	event->flags = LIBIOMMU_VEVENT_DEVICE;
	event->virt_id = id_of(&queue->layout, data);
	if (li_vdevice_table_find(li_viommu_vdevices(queue->viommu), VDEVICE_VIRT_ID,
	                          event->virt_id, &event->label))
		event->flags |= LIBIOMMU_VEVENT_LABEL;
}

/*
 * A header that tells of a loss has the number of the last event that was lost, and disappears when
 * an event follows: the gap in the numbers is what counts in either case.
 */
static int take_apart(struct libiommu_veventq *queue, struct libiommu_vevent_batch *batch,
                      size_t size, uint64_t *lost)
{
	const unsigned char *at = batch->data;
	struct uapi_vevent_header header;

	while (size >= sizeof(header)) {
		uint64_t gap;
		bool is_loss;

		memcpy(&header, at, sizeof(header));
		is_loss = header.flags & UAPI_VEVENTQ_FLAG_LOST_EVENTS;
		at += sizeof(header);
		size -= sizeof(header);
		if (header.sequence > SEQUENCE_MASK || (!is_loss && size < queue->layout.length))
			return -EPROTO;
		if (!queue->counts)
			queue->expected = header.sequence;
		queue->counts = true;
		gap = ((header.sequence - queue->expected) & SEQUENCE_MASK) + is_loss;
		queue->expected = (header.sequence + 1) & SEQUENCE_MASK;
		queue->lost += gap;
		*lost += gap;
		if (is_loss)
			continue;
		add(queue, batch, header.sequence, at);
		at += queue->layout.length;
		size -= queue->layout.length;
	}
	return size ? -EPROTO : 0;
}

int libiommu_veventq_read(struct libiommu_veventq *queue, struct libiommu_vevent_batch *batch,
                          uint64_t *lost)
{
	struct libiommu_ctx *ctx;
	uint64_t found = 0;
	size_t length;
	ssize_t got;
	int error;

	if (!queue || !batch)
		return FAIL_NULL(queue ? li_viommu_ctx(queue->viommu) : NULL);
	ctx = li_viommu_ctx(queue->viommu);
	length = sizeof(struct uapi_vevent_header) + queue->layout.length;
	if (li_vevent_batch_prepare(batch, length))
		return FAIL_MEMORY(ctx);
	if (queue->fd < 0)
		return closed(queue, __func__);
	pthread_mutex_lock(&queue->lock);
	got = li_sys_read(li_ctx_backend(ctx)->sys, queue->fd, batch->data, batch->max * length);
	error = got < 0 ? (int)got : take_apart(queue, batch, (size_t)got, &found);
	pthread_mutex_unlock(&queue->lock);
	if (got < 0)
		return FAIL_KERNEL(ctx, __func__, error, CALL_VEVENTQ, .id = queue->id);
	if (lost)
		*lost = found;
	if (error)
		return FAIL_LIBRARY(ctx, __func__, error,
		                    "the events have not the format that the queue was made with",
		                    .id = queue->id, .amount = (uint64_t)got, .unit = "bytes");
	return (int)batch->count;
}
