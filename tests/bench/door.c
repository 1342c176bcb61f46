/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "door.h"

#include <unistd.h>

#include "../must.h"

#define DOOR_FD 100000

static int door_open(void *user, const char *path, int flags)
{
	(void)user, (void)path, (void)flags;
	return DOOR_FD;
}

/* A ring has descriptors that are real. */
static int door_close(void *user, int fd)
{
	(void)user;
	return fd == DOOR_FD ? 0 : close(fd);
}

struct libiommu_ctx *bench_ctx(libiommu_sys_ioctl_fn ioctl)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *ctx;
	struct libiommu_sys *sys;

	MUST(libiommu_sys_new(&sys));
	libiommu_sys_set_open(sys, door_open);
	libiommu_sys_set_close(sys, door_close);
	libiommu_sys_set_ioctl(sys, ioctl);
	MUST(libiommu_ctx_config_new(&config));
	MUST(libiommu_ctx_config_set_sys(config, sys));
	MUST(libiommu_ctx_new(config, &ctx));
	libiommu_ctx_config_free(config);
	libiommu_sys_free(sys);
	return ctx;
}
