/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fail-nth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_switch(const char *name, const char *file, const char *text)
{
	char path[96];
	ssize_t put;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", name, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	put = write(fd, text, strlen(text));
	close(fd);
	return put < 0 ? -EIO : 0;
}

/* Allocations that may wait, too. */
int fail_nth_open(void)
{
	static const char *const quiet[] = {"failslab", "fail_page_alloc", "fail_iommufd"};

	if (write_switch("failslab", "ignore-gfp-wait", "N"))
		return -1;
	write_switch("fail_page_alloc", "ignore-gfp-wait", "N");
	write_switch("fail_page_alloc", "ignore-gfp-highmem", "N");
	for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
		write_switch(quiet[i], "verbose", "0");
	return open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

int fail_nth_start(int fd, unsigned int nth)
{
	char text[16];
	const int length = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(fd, text, (size_t)length, 0) == length ? 0 : -errno;
}

/* What counts down is 0 after it has failed something; asking can be what fails. */
int fail_nth_stop(int fd)
{
	char text[16] = "";
	const ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
	const int failed = got > 0 && atoi(text) == 0;

	while (pwrite(fd, "0", 1, 0) != 1)
		if (errno != EFAULT && errno != ENOMEM)
			return -errno;
	return failed;
}
