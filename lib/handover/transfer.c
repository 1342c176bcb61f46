/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* An image and its descriptors on their way, over a socket or through exec. */
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "export.h"
#include "record.h"

void li_transfer_hello(struct walk *walk, struct hello *hello)
{
	li_walk_u64(walk, &hello->magic);
	li_walk_u64(walk, &hello->size);
	li_walk_u64(walk, &hello->fds);
}

/* The image in a file that nobody can change any more: the descriptor or -errno. */
static int make_file(const struct libiommu_sys *door, const struct walk *image)
{
	const int fd = li_sys_memfd(door, "libiommu-handover", image->size);
	size_t done = 0;
	int error = 0;

	if (fd < 0)
		return fd;
	while (done < image->size && !error) {
		const ssize_t put =
			li_sys_pwrite(door, fd, image->bytes + done, image->size - done, done);

		if (put > 0)
			done += (size_t)put;
		else if (put != -EINTR)
			error = put ? (int)put : -EIO;
	}
	if (!error)
		error = li_sys_seal(door, fd,
		                    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	if (error >= 0)
		return fd;
	li_sys_close(door, fd);
	return error;
}

/* 0 or -errno. */
static int send_message(const struct libiommu_sys *door, int socket, const void *bytes, size_t size,
                        const int *fds, unsigned int count)
{
	ssize_t sent;

	do
		sent = li_sys_send(door, socket, bytes, size, fds, count, 0);
	while (sent == -EINTR);
	if (sent < 0)
		return (int)sent;
	return (size_t)sent == size ? 0 : -EMSGSIZE;
}

static int send_all(const struct libiommu_handover *handover, const struct libiommu_sys *door,
                    int socket, int file)
{
	struct hello hello = {IMAGE_MAGIC, handover->image.size, handover->fd_count};
	struct walk walk = li_walk_writer();
	int error = -ENOMEM;

	li_transfer_hello(&walk, &hello);
	if (!walk.failed)
		error = send_message(door, socket, walk.bytes, walk.size, &file, 1);
	li_walk_free(&walk);
	for (uint32_t i = 0; i < handover->fd_count && !error; i += MESSAGE_FDS) {
		const uint32_t left = handover->fd_count - i;
		const unsigned char count =
			(unsigned char)(left < MESSAGE_FDS ? left : MESSAGE_FDS);

		error = send_message(door, socket, &count, 1, handover->fds + i, count);
	}
	return error;
}

int libiommu_handover_send(struct libiommu_handover *handover, int socket)
{
	const struct libiommu_sys *door;
	int error;
	int file;

	error = li_handover_seal(handover, __func__);
	if (error)
		return error;
	door = li_ctx_held_door(handover->ctx);
	file = make_file(door, &handover->image);
	error = file;
	if (file >= 0) {
		error = send_all(handover, door, socket, file);
		li_sys_close(door, file);
	}
	return error ? FAIL_KERNEL(handover->ctx, __func__, error, CALL_HANDOVER, .id = 0) : 0;
}

/* Of all that goes over; what cannot be changed the successor will find missing. */
static int set_cloexec(const struct libiommu_handover *handover, bool on)
{
	const struct libiommu_sys *const door = li_ctx_held_door(handover->ctx);
	int error = li_sys_cloexec(door, handover->memfd, on);

	for (uint32_t i = 0; i < handover->fd_count && !error; i++)
		error = li_sys_cloexec(door, handover->fds[i], on);
	return error;
}

void li_handover_unkeep(struct libiommu_handover *handover)
{
	if (handover->memfd < 0)
		return;
	set_cloexec(handover, true);
	li_sys_close(li_ctx_held_door(handover->ctx), handover->memfd);
	handover->memfd = -1;
}

int libiommu_handover_keep(struct libiommu_handover *handover, int *fd)
{
	int error;

	if (!handover || !fd)
		return FAIL_NULL(handover ? handover->ctx : NULL);
	error = li_handover_seal(handover, __func__);
	if (error)
		return error;
	if (handover->memfd < 0) {
		error = make_file(li_ctx_held_door(handover->ctx), &handover->image);
		if (error >= 0) {
			handover->memfd = error;
			error = set_cloexec(handover, false);
		}
		if (error) {
			li_handover_unkeep(handover);
			return FAIL_KERNEL(handover->ctx, __func__, error, CALL_HANDOVER, .id = 0);
		}
	}
	*fd = handover->memfd;
	return 0;
}
