/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "holder.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/sysfs.h"

static bool is_number(const char *name)
{
	return strspn(name, "0123456789") == strlen(name);
}

/* Whether a process, a number or "self", has the node open through another descriptor than @own. */
static bool holds(const struct libiommu_sys *sys, const char *process, const char *path,
                  const char *own)
{
	char name[SYSFS_PATH_MAX];
	char target[SYSFS_PATH_MAX];
	bool found = false;
	char *fds;

	snprintf(name, sizeof(name), "/proc/%.32s/fd", process);
	if (li_sysfs_names(sys, name, &fds))
		return false;
	for (const char *fd = fds; *fd && !found; fd += strlen(fd) + 1) {
		snprintf(name, sizeof(name), "/proc/%.32s/fd/%.32s", process, fd);
		found = strcmp(fd, own) && li_sys_readlink(sys, name, target, sizeof(target)) > 0 &&
		        !strcmp(target, path);
	}
	free(fds);
	return found;
}

void li_holder_find(const struct libiommu_sys *sys, const char *path, int own, char *text,
                    size_t size)
{
	char self[SYSFS_NAME_MAX] = "";
	char name[SYSFS_PATH_MAX];
	char command[SYSFS_NAME_MAX];
	char own_fd[16];
	char *processes;

	text[0] = '\0';
	snprintf(own_fd, sizeof(own_fd), "%d", own);
	if (holds(sys, "self", path, own_fd)) {
		snprintf(text, size, "this process has %s open already", path);
		return;
	}
	li_sysfs_link(sys, "/proc/self", self, sizeof(self));
	if (li_sysfs_names(sys, "/proc", &processes))
		return;
	for (const char *process = processes; *process && !text[0];
	     process += strlen(process) + 1) {
		if (!is_number(process) || !strcmp(process, self) || !holds(sys, process, path, ""))
			continue;
		snprintf(name, sizeof(name), "/proc/%.32s/comm", process);
		if (li_sysfs_read(sys, name, command, sizeof(command)) < 0)
			command[0] = '\0';
		snprintf(text, size, "process %.32s (%s) has %s open", process, command, path);
	}
	free(processes);
}
