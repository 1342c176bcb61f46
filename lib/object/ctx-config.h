/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_CTX_CONFIG_H
#define LIBIOMMU_OBJECT_CTX_CONFIG_H

#include <libiommu/ctx.h>

#include "../base/failure.h"

struct ctx_choices {
	const char *path; /* NULL for the default */
	int fd;           /* -1 for none */
	enum libiommu_fd_mode mode;
	enum libiommu_backend backend;
	const struct libiommu_sys *sys; /* NULL for libc */
	struct failure_log log;
	bool remember; /* what keeps it from going to another process */
};

/* What was chosen; the defaults for NULL. What it points to belongs to @config. */
struct ctx_choices li_ctx_choices(const struct libiommu_ctx_config *config);

#endif
