/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ctx-open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../backend/container.h"
#include "../backend/type1.h"

#define CONTAINER "/dev/vfio/vfio"

static int refuse(const struct ctx_choices *choices, const char *operation, int error,
                  enum failure_call call, const char *subject)
{
	return li_failure_kernel(&choices->log, operation, error, call,
	                         &(const struct failure_detail){.subject = subject});
}

static int take_fd(const struct libiommu_sys *sys, const struct ctx_choices *choices,
                   const char *operation)
{
	int fd;

	if (choices->mode != LIBIOMMU_FD_DUP)
		return choices->fd;
	fd = li_sys_dup(sys, choices->fd);
	return fd < 0 ? refuse(choices, operation, fd, CALL_DUP, NULL) : fd;
}

/* A container to know that there are any, and as the context's descriptor. Nothing is recorded. */
static int open_type1(const struct libiommu_sys *sys, enum libiommu_backend wanted,
                      const char *path, struct backend *backend, enum failure_call *call)
{
	const int fd = li_sys_open(sys, path, O_RDWR);
	bool spapr;
	int error;

	*call = CALL_OPEN_CONTAINER;
	if (fd < 0)
		return fd;
	*call = CALL_CONTAINER;
	error = li_container_check(sys, fd, &spapr);
	if (!error && wanted != LIBIOMMU_BACKEND_AUTO &&
	    spapr != (wanted == LIBIOMMU_BACKEND_SPAPR))
		error = -ENODEV;
	if (!error) {
		*backend = (struct backend){&li_backend_type1, sys, fd,
		                            li_type1_new(sys, path, spapr)};
		if (backend->type1)
			return 0;
		*call = CALL_NONE;
		error = -ENOMEM;
	}
	li_sys_close(sys, fd);
	return error;
}

static int choose_type1(const struct libiommu_sys *sys, const struct ctx_choices *choices,
                        const char *operation, struct backend *backend)
{
	const char *const path = choices->path ? choices->path : CONTAINER;
	enum failure_call call;
	int error;

	if (choices->fd >= 0)
		return li_failure_library(&choices->log, operation, -EOPNOTSUPP,
		                          "each address space opens a container of its own: "
		                          "give a path, not a descriptor",
		                          &(const struct failure_detail){0});
	error = open_type1(sys, choices->backend, path, backend, &call);
	if (error && call == CALL_NONE)
		return FAIL_MEMORY_IN(NULL, operation);
	return error ? refuse(choices, operation, error, call, path) : 0;
}

/* What was said of /dev/iommu counts; what was tried besides is told. */
static int fall_back(const struct libiommu_sys *sys, const struct ctx_choices *choices,
                     const char *operation, const char *path, int error, struct backend *backend)
{
	enum failure_call call;
	char tried[160];
	int other;

	other = open_type1(sys, choices->backend, CONTAINER, backend, &call);
	if (!other)
		return 0;
	if (call == CALL_NONE)
		return FAIL_MEMORY_IN(NULL, operation);
	snprintf(tried, sizeof(tried), "%s, and instead of it " CONTAINER ": %s%s", path,
	         li_hint_errno_name(other),
	         call == CALL_CONTAINER ? " (it has no IOMMU that is known)" : "");
	return refuse(choices, operation, error, CALL_OPEN_CTX, tried);
}

int li_ctx_open(const struct libiommu_sys *sys, const struct ctx_choices *choices,
                const char *operation, struct backend *backend)
{
	const char *const path = choices->path ? choices->path : "/dev/iommu";
	int fd;

	if (choices->backend == LIBIOMMU_BACKEND_TYPE1 ||
	    choices->backend == LIBIOMMU_BACKEND_SPAPR)
		return choose_type1(sys, choices, operation, backend);
	if (choices->fd >= 0) {
		fd = take_fd(sys, choices, operation);
		if (fd < 0)
			return fd;
	} else {
		fd = li_sys_open(sys, path, O_RDWR);
		if ((fd == -ENOENT || fd == -ENODEV) && !choices->path &&
		    choices->backend == LIBIOMMU_BACKEND_AUTO)
			return fall_back(sys, choices, operation, path, fd, backend);
		if (fd < 0)
			return refuse(choices, operation, fd,
			              choices->path ? CALL_OPEN : CALL_OPEN_CTX, path);
	}
	*backend = (struct backend){&li_backend_iommufd, sys, fd, NULL};
	return 0;
}
