/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* An image and its descriptors as they come, over a socket or through exec. */
#include <errno.h>
#include <stdlib.h>

#include "../object/ctx-config.h"
#include "import.h"
#include "record.h"
#include "transfer.h"

/* Whoever sent it says how long the image is. 0 or -errno. */
static int find_length(const struct libiommu_sys *door, int fd, uint64_t *length)
{
	const int error = li_sys_size(door, fd, length);

	return !error && *length > IMAGE_SIZE_MAX ? -EFBIG : error;
}

/* The whole of a file, which is not too long: 0 or -errno. */
static int read_file(const struct libiommu_sys *door, int fd, uint64_t length, void **image)
{
	unsigned char *const bytes = malloc((size_t)length + 1);
	size_t done = 0;
	int error = 0;

	if (!bytes)
		return -ENOMEM;
	while (done < length && !error) {
		const ssize_t got =
			li_sys_pread(door, fd, bytes + done, (size_t)length - done, done);

		if (got > 0)
			done += (size_t)got;
		else if (got != -EINTR)
			error = got ? (int)got : -EBADMSG;
	}
	if (error) {
		free(bytes);
		return error;
	}
	*image = bytes;
	return 0;
}

int libiommu_takeover_inherit(const struct libiommu_ctx_config *config, int fd,
                              struct libiommu_takeover **takeover)
{
	const struct ctx_choices choices = li_ctx_choices(config);
	const struct libiommu_sys *const door = choices.sys ? choices.sys : li_sys_libc();
	uint64_t size = 0;
	void *image;
	int error;

	if (!takeover)
		return FAIL_NULL(NULL);
	error = find_length(door, fd, &size);
	if (!error)
		error = read_file(door, fd, size, &image);
	if (error)
		return li_failure_kernel(&choices.log, __func__, error, CALL_HANDOVER,
		                         &(const struct failure_detail){0});
	error = li_takeover_load(config, __func__, image, (size_t)size, NULL, 0, false, takeover);
	free(image);
	return error;
}

/* One message of this size and with this many descriptors: 0 or -errno, with none of them open. */
static int receive(const struct libiommu_sys *door, int socket, void *bytes, size_t size, int *fds,
                   unsigned int count)
{
	unsigned int got_fds;
	ssize_t got;

	do {
		got_fds = count;
		got = li_sys_receive(door, socket, bytes, size, fds, &got_fds, 0);
	} while (got == -EINTR);
	if (got < 0)
		return (int)got;
	if ((size_t)got == size && got_fds == count)
		return 0;
	while (got_fds)
		li_sys_close(door, fds[--got_fds]);
	return got ? -EBADMSG : -EPIPE;
}

static void close_all(const struct libiommu_sys *door, const int *fds, size_t count)
{
	while (count)
		li_sys_close(door, fds[--count]);
}

/* The descriptors behind the first message: 0, or -errno with none of them open. */
static int receive_fds(const struct libiommu_sys *door, int socket, int *fds, size_t count)
{
	size_t done = 0;
	int error = 0;

	while (done < count && !error) {
		const size_t left = count - done;
		const unsigned int next = left < MESSAGE_FDS ? (unsigned int)left : MESSAGE_FDS;
		unsigned char said;

		error = receive(door, socket, &said, 1, fds + done, next);
		if (!error)
			done += next;
		if (!error && said != next)
			error = -EBADMSG;
	}
	if (error)
		close_all(door, fds, done);
	return error;
}

/* The image's file, and how many descriptors follow: 0 or -errno. */
static int receive_hello(const struct libiommu_sys *door, int socket, int *file,
                         struct hello *hello)
{
	unsigned char bytes[HELLO_SIZE];
	struct walk walk = li_walk_reader(bytes, sizeof(bytes));
	const int error = receive(door, socket, bytes, sizeof(bytes), file, 1);

	if (error)
		return error;
	li_transfer_hello(&walk, hello);
	if (hello->magic == IMAGE_MAGIC && hello->fds && hello->fds <= hello->size / 4)
		return 0;
	li_sys_close(door, *file);
	return -EBADMSG;
}

/* What came in: 0 or -errno, with nothing left. */
static int receive_all(const struct libiommu_sys *door, int socket, void **image, size_t *size,
                       int **fds, size_t *count)
{
	struct hello hello = {0};
	uint64_t length = 0;
	int error;
	int file;

	error = receive_hello(door, socket, &file, &hello);
	if (error)
		return error;
	error = find_length(door, file, &length);
	if (!error && length != hello.size)
		error = -EBADMSG;
	if (!error)
		error = read_file(door, file, length, image);
	li_sys_close(door, file);
	if (error)
		return error;
	*size = (size_t)length;
	*count = (size_t)hello.fds;
	*fds = malloc(*count * sizeof(**fds));
	error = *fds ? receive_fds(door, socket, *fds, *count) : -ENOMEM;
	if (error) {
		free(*fds);
		free(*image);
	}
	return error;
}

int libiommu_takeover_receive(const struct libiommu_ctx_config *config, int socket,
                              struct libiommu_takeover **takeover)
{
	const struct ctx_choices choices = li_ctx_choices(config);
	const struct libiommu_sys *const door = choices.sys ? choices.sys : li_sys_libc();
	size_t size, count;
	void *image;
	int error;
	int *fds;

	if (!takeover)
		return FAIL_NULL(NULL);
	error = receive_all(door, socket, &image, &size, &fds, &count);
	if (error)
		return li_failure_kernel(&choices.log, __func__, error, CALL_HANDOVER,
		                         &(const struct failure_detail){0});
	error = li_takeover_load(config, __func__, image, size, fds, count, true, takeover);
	if (error)
		close_all(door, fds, count);
	free(fds);
	free(image);
	return error;
}
