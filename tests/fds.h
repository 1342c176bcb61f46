/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* How many descriptors this process has open, the one that counts them among them. */
#ifndef LIBIOMMU_TESTS_FDS_H
#define LIBIOMMU_TESTS_FDS_H

#include <dirent.h>
#include <stdlib.h>

static inline unsigned int count_fds(void)
{
	DIR *const dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	if (!dir)
		abort();
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

#endif
