/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A made-up sysfs behind the scripted door: texts, links and directories that are answered at any
 * time without being listed in the script. What is not here is -ENOENT below /sys and /proc, and
 * the script's business elsewhere.
 */
#ifndef LIBIOMMU_TESTS_PATHS_H
#define LIBIOMMU_TESTS_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

void path_text(const char *path, const char *text);
void path_link(const char *path, const char *target);
/* @names: separated by blanks; "" is an empty directory. */
void path_list(const char *path, const char *names);
/*
 * Whatever is done with the path fails with this -errno. A later call for the same path replaces an
 * earlier.
 */
void path_error(const char *path, int error);
/* Reading it fails once it is open. */
void path_read_error(const char *path, int error);
void path_remove(const char *path);

/* For the door. */
void paths_reset(void);
bool paths_know(const char *path);
int paths_open(const char *path);
bool paths_is_fd(int fd);
int paths_close(int fd);
ssize_t paths_read(int fd, void *buffer, size_t size);
int paths_readlink(const char *path, char *buffer, size_t size);
ssize_t paths_list(const char *path, char *buffer, size_t size);
/* Texts that are open. */
unsigned int paths_open_fds(void);

#endif
