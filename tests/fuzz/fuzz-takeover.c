/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Bytes as the image of a context, as a predecessor could write it that means no good: the first
 * byte says how many descriptors come with it, none for those that the image names. Whatever they
 * are, no memory is touched that should not be, nothing loops or is left, no descriptor is closed,
 * and the kernel is not asked for anything.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libiommu.h>

enum { FDS = 16, FIRST_FD = 100 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int close_nothing(void *user, int fd)
{
	(void)user;
	(void)fd;
	abort();
}

static int ask_nothing(void *user, int fd, unsigned long request, void *arg)
{
	(void)user;
	(void)fd;
	(void)request;
	(void)arg;
	abort();
}

static ssize_t write_nothing(void *user, int fd, const void *buffer, size_t size)
{
	(void)user;
	(void)fd;
	(void)buffer;
	(void)size;
	abort();
}

static int set_cloexec(void *user, int fd, bool on)
{
	(void)user;
	(void)fd;
	(void)on;
	return 0;
}

static struct libiommu_ctx_config *make_config(void)
{
	struct libiommu_ctx_config *config;
	struct libiommu_sys *door;

	if (libiommu_sys_new(&door) || libiommu_ctx_config_new(&config))
		abort();
	libiommu_sys_set_close(door, close_nothing);
	libiommu_sys_set_ioctl(door, ask_nothing);
	libiommu_sys_set_write(door, write_nothing);
	libiommu_sys_set_cloexec(door, set_cloexec);
	if (libiommu_ctx_config_set_sys(config, door))
		abort();
	libiommu_sys_free(door);
	return config;
}

/* Every key that is told of can be had. */
static void take_all(struct libiommu_takeover *takeover)
{
	struct libiommu_fault_queue *queue;
	struct libiommu_device *dev;
	size_t count, tokens;
	uint64_t key;

	if (libiommu_takeover_count(takeover, LIBIOMMU_OBJECT_FAULT_QUEUE, &count))
		abort();
	for (size_t i = 0; i < count; i++)
		if (libiommu_takeover_key(takeover, LIBIOMMU_OBJECT_FAULT_QUEUE, i, &key) ||
		    libiommu_takeover_fault_queue(takeover, key, &queue) ||
		    libiommu_fault_queue_tokens(queue, NULL, 0, &tokens))
			abort();
	if (libiommu_takeover_count(takeover, LIBIOMMU_OBJECT_DEVICE, &count))
		abort();
	for (size_t i = 0; i < count; i++)
		if (libiommu_takeover_key(takeover, LIBIOMMU_OBJECT_DEVICE, i, &key) ||
		    libiommu_takeover_device(takeover, key, &dev) ||
		    libiommu_device_label(dev, &key))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct libiommu_ctx_config *config;
	struct libiommu_takeover *takeover = NULL;
	uint64_t length = size ? size - 1 : 0;
	uint8_t *image;
	int fds[FDS];
	int error;

	if (!config)
		config = make_config();
	if (!size)
		return 0;
	for (int i = 0; i < FDS; i++)
		fds[i] = FIRST_FD + i;
	image = malloc(size);
	if (!image)
		return 0;
	memcpy(image, data + 1, size - 1);
	/* The length that the header says would stop all others. */
	for (size_t i = 0; i < 8 && size > 32; i++, length >>= 8)
		image[24 + i] = (uint8_t)length;
	error = libiommu_takeover_load(config, image, size - 1, data[0] ? fds : NULL,
	                               data[0] % (FDS + 1), &takeover);
	if (!error)
		take_all(takeover);
	else if (takeover)
		abort();
	libiommu_takeover_free(takeover);
	free(image);
	return 0;
}
