/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup monitor Watching a fault ring
 * @brief A ring's counters, for a process that does nothing but watch.
 *
 * It needs no context, no device and no rights: only the descriptor that libiommu_ring_monitor()
 * gives, sent over a socket or inherited. With it the ring's records can be looked at, and nothing
 * be written, taken or answered; neither side notices that somebody looks.
 *
 * A descriptor is of one reader of the ring. When the ring gives that reader up, the counters stand
 * still at what they came to, and libiommu_monitor_state() says so: what the ring counts from then
 * on is seen through the next reader's descriptor.
 * @{
 */
#ifndef LIBIOMMU_MONITOR_H
#define LIBIOMMU_MONITOR_H

#include <libiommu/ring.h>

LIBIOMMU_BEGIN_DECLS

/** @brief How a ring stands with its reader. */
enum libiommu_monitor_state {
	/** It has this reader; whether that is alive, its deadlines tell. */
	LIBIOMMU_MONITOR_OPEN = 1,
	/** It has given this reader up, or was destroyed. */
	LIBIOMMU_MONITOR_CONDEMNED = 2
};

/**
 * @brief Begin to watch a ring.
 *
 * @param sys           The way to the kernel, copied; NULL is libc.
 * @param fd            What libiommu_ring_monitor() returned, or a copy of it.
 * @param mode          Whether the library closes it. It is needed during this call only.
 * @param[out] monitor  The monitor; freed with libiommu_monitor_free().
 * @return 0.
 * @retval -EINVAL           @p monitor is NULL, @p fd is negative or @p mode is unknown.
 * @retval -ENOMEM           No memory.
 * @retval -EPROTO           It is not a fault ring's memory, or not sealed as it must be.
 * @retval -EPROTONOSUPPORT  A fault ring's of another major version.
 * @retval -errno            Whatever else the kernel says.
 * @threads Free.
 * @syscalls fcntl, fstat, mmap, munmap.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_monitor_open(const struct libiommu_sys *sys, int fd,
                                       enum libiommu_fd_mode mode,
                                       struct libiommu_monitor **monitor);

/**
 * @brief Stop watching. A forked child that has inherited a monitor frees its own.
 *
 * @param monitor  The monitor; NULL does nothing.
 * @threads Owner.
 * @syscalls munmap, close.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_monitor_free(struct libiommu_monitor *monitor);

/**
 * @brief What the ring has counted, as of its last dispatch.
 *
 * Each counter is read for itself: two of them may be of different dispatches.
 *
 * @param monitor     The monitor.
 * @param which       The counter. One that the ring's library does not have is 0.
 * @param[out] value  Its value. It is the ring's, which may have written anything.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p which is unknown.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_monitor_counter(const struct libiommu_monitor *monitor,
                                          enum libiommu_ring_counter which, uint64_t *value);

/**
 * @brief How the ring stands with the reader that the descriptor is of.
 *
 * A process that is killed leaves LIBIOMMU_MONITOR_OPEN behind.
 *
 * @param monitor  The monitor.
 * @return One of enum @ref libiommu_monitor_state.
 * @retval -EINVAL  @p monitor is NULL.
 * @retval -EPROTO  What is there is neither.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_monitor_state(const struct libiommu_monitor *monitor);

LIBIOMMU_END_DECLS

/** @} */
#endif
