/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Small attribute files, links and directories, read through the door. */
#ifndef LIBIOMMU_BASE_SYSFS_H
#define LIBIOMMU_BASE_SYSFS_H

#include <stddef.h>
#include <stdint.h>

#include "sys.h"

#define SYSFS_PATH_MAX 512
#define SYSFS_NAME_MAX 64

/*
 * The attribute's text without its last newline. Returns the length, -ENAMETOOLONG where it does
 * not fit, or -errno.
 */
int li_sysfs_read(const struct libiommu_sys *sys, const char *path, char *text, size_t size);
/* The attribute as a number, decimal or 0x. Returns 0, -EINVAL where it is none, or -errno. */
int li_sysfs_number(const struct libiommu_sys *sys, const char *path, uint64_t *number);
/* The last part of what a link points to. Returns its length, or -errno. */
int li_sysfs_link(const struct libiommu_sys *sys, const char *path, char *name, size_t size);
/*
 * The names in a directory, each ended by a NUL, an empty one after the last; freed by the
 * caller. Returns 0, -ENOMEM or -errno.
 */
int li_sysfs_names(const struct libiommu_sys *sys, const char *path, char **names);

#endif
