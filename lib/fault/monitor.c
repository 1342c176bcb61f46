/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <libiommu/monitor.h>

#include <errno.h>
#include <stdlib.h>

#include "../base/failure.h"
#include "memory.h"

struct libiommu_monitor {
	struct libiommu_sys *sys;
	const struct ring_a *a;
	int fd; /* the library's to close, or -1 */
};

static_assert((int)LIBIOMMU_MONITOR_OPEN == RING_OPEN &&
                      (int)LIBIOMMU_MONITOR_CONDEMNED == RING_CONDEMNED,
              "states are passed on as they are");

#define FAIL(error, text)                                                                          \
	li_failure_library(NULL, __func__, error, text, &(const struct failure_detail){0})
#define FAIL_NULL() FAIL(-EINVAL, "a handle or a result pointer is NULL")

int libiommu_monitor_open(const struct libiommu_sys *sys, int fd, enum libiommu_fd_mode mode,
                          struct libiommu_monitor **monitor)
{
	struct libiommu_monitor *made;
	int error = -ENOMEM;

	if (!monitor)
		return FAIL_NULL();
	if (fd < 0 || (unsigned int)mode > LIBIOMMU_FD_DUP)
		return FAIL(-EINVAL, "the descriptor is negative, or the mode unknown");
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL(-ENOMEM, "no memory");
	made->sys = li_sys_copy(sys);
	if (made->sys)
		error = li_memory_watch(made->sys, fd, &made->a);
	if (!error) {
		made->fd = mode == LIBIOMMU_FD_OWN ? fd : -1;
		*monitor = made;
		return 0;
	}
	libiommu_sys_free(made->sys);
	free(made);
	if (error == -ENOMEM)
		return FAIL(error, "no memory");
	if (error == -EPROTO)
		return FAIL(error, "the descriptor is no fault ring's, or not sealed");
	if (error == -EPROTONOSUPPORT)
		return FAIL(error, "the ring is of another major version");
	return li_failure_kernel(NULL, __func__, error, CALL_RING,
	                         &(const struct failure_detail){0});
}

void libiommu_monitor_free(struct libiommu_monitor *monitor)
{
	if (!monitor)
		return;
	li_memory_unwatch(monitor->sys, monitor->a);
	if (monitor->fd >= 0)
		li_sys_close(monitor->sys, monitor->fd);
	libiommu_sys_free(monitor->sys);
	free(monitor);
}

int libiommu_monitor_counter(const struct libiommu_monitor *monitor,
                             enum libiommu_ring_counter which, uint64_t *value)
{
	if (!monitor || !value)
		return FAIL_NULL();
	if ((unsigned int)which >= RING_COUNTERS_KNOWN)
		return FAIL(-EINVAL, "unknown counter");
	*value = atomic_load_explicit(&monitor->a->counters[which], memory_order_relaxed);
	return 0;
}

int libiommu_monitor_state(const struct libiommu_monitor *monitor)
{
	uint32_t state;

	if (!monitor)
		return FAIL_NULL();
	/* Before the counters that are read after it: those of the end are there by then. */
	state = atomic_load_explicit(&monitor->a->state, memory_order_acquire);
	if (state != RING_OPEN && state != RING_CONDEMNED)
		return FAIL(-EPROTO, "the ring's state is nonsense");
	return (int)state;
}
