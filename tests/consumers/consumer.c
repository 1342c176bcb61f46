/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A program that is no part of the project, in C and in C++: proves that the headers are found, the
 * library is linked and loaded, and its calls, callbacks and failures work. It needs no IOMMU.
 */
#include <libiommu.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int opened;

static int refuse(void *user, const char *path, int flags)
{
	(void)path;
	(void)flags;
	++*(int *)user;
	return -EACCES;
}

int main(void)
{
	struct libiommu_sys *sys = NULL;
	struct libiommu_ctx_config *config = NULL;
	struct libiommu_ctx *ctx = NULL;
	struct libiommu_device_list *list = NULL;
	char why[512] = "";

	if (libiommu_sys_new(&sys) || libiommu_sys_set_user(sys, &opened) ||
	    libiommu_sys_set_open(sys, refuse) || libiommu_ctx_config_new(&config) ||
	    libiommu_ctx_config_set_sys(config, sys)) {
		fprintf(stderr, "cannot make a configuration\n");
		return 1;
	}
	if (libiommu_ctx_new(config, &ctx) != -EACCES || opened != 1 || ctx) {
		fprintf(stderr, "the door is not used\n");
		return 1;
	}
	libiommu_ctx_config_free(config);
	libiommu_sys_free(sys);
	if (libiommu_failure_error() != -EACCES || libiommu_failure_text(why, sizeof(why)) <= 0 ||
	    !strstr(why, "libiommu_ctx_new")) {
		fprintf(stderr, "no explanation: %s\n", why);
		return 1;
	}
	if (!libiommu_device_list_new(NULL, &list))
		printf("%u PCI devices\n", (unsigned)libiommu_device_list_count(list));
	libiommu_device_list_free(list);
	printf("libiommu %s: %s\n", libiommu_version(), why);
	return 0;
}
