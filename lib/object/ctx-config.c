/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ctx-config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/sys.h"
#include "ctx.h"

struct libiommu_ctx_config {
	char *path;
	int fd;
	enum libiommu_fd_mode mode;
	enum libiommu_backend backend;
	struct libiommu_sys *sys;
	struct failure_log log;
	bool remember;
};

int libiommu_ctx_config_new(struct libiommu_ctx_config **config)
{
	struct libiommu_ctx_config *made;

	if (!config)
		return FAIL_NULL(NULL);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(NULL);
	made->fd = -1;
	*config = made;
	return 0;
}

void libiommu_ctx_config_free(struct libiommu_ctx_config *config)
{
	if (!config)
		return;
	libiommu_sys_free(config->sys);
	free(config->path);
	free(config);
}

int libiommu_ctx_config_set_path(struct libiommu_ctx_config *config, const char *path)
{
	char *copy = NULL;

	if (!config)
		return FAIL_NULL(NULL);
	if (path) {
		copy = strdup(path);
		if (!copy)
			return FAIL_MEMORY(NULL);
	}
	free(config->path);
	config->path = copy;
	config->fd = -1;
	return 0;
}

int libiommu_ctx_config_set_fd(struct libiommu_ctx_config *config, int fd,
                               enum libiommu_fd_mode mode)
{
	if (!config)
		return FAIL_NULL(NULL);
	if (fd < -1 || (unsigned int)mode > LIBIOMMU_FD_DUP)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "no descriptor, or an unknown mode",
		                    .id = 0);
	config->fd = fd;
	config->mode = mode;
	return 0;
}

int libiommu_ctx_config_set_backend(struct libiommu_ctx_config *config,
                                    enum libiommu_backend backend)
{
	if (!config)
		return FAIL_NULL(NULL);
	if ((unsigned int)backend > LIBIOMMU_BACKEND_SPAPR)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "unknown backend", .id = 0);
	config->backend = backend;
	return 0;
}

int libiommu_ctx_config_set_sys(struct libiommu_ctx_config *config, const struct libiommu_sys *sys)
{
	struct libiommu_sys *copy = NULL;

	if (!config)
		return FAIL_NULL(NULL);
	if (sys) {
		copy = li_sys_copy(sys);
		if (!copy)
			return FAIL_MEMORY(NULL);
	}
	libiommu_sys_free(config->sys);
	config->sys = copy;
	return 0;
}

int libiommu_ctx_config_set_log(struct libiommu_ctx_config *config, libiommu_log_fn log, void *user)
{
	if (!config)
		return FAIL_NULL(NULL);
	config->log = (struct failure_log){log, user};
	return 0;
}

int libiommu_ctx_config_set_remember(struct libiommu_ctx_config *config, bool remember)
{
	if (!config)
		return FAIL_NULL(NULL);
	config->remember = remember;
	return 0;
}

struct ctx_choices li_ctx_choices(const struct libiommu_ctx_config *config)
{
	if (!config)
		return (struct ctx_choices){.fd = -1};
	return (struct ctx_choices){
		.path = config->path,
		.fd = config->fd,
		.mode = config->mode,
		.backend = config->backend,
		.sys = config->sys,
		.log = config->log,
		.remember = config->remember,
	};
}
