/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Another way to read a fault queue's descriptor: the kernel reads by itself, through an io_uring,
 * into buffers that are kept for it, and li_feed_read() takes records out of them without a system
 * call. What is taken is what read(2) would have given, in the same order; between the kernel's
 * reading and the taking, though, the cookies of the records are nobody's, so that attachments must
 * not change without li_feed_pause() and li_feed_read() until it gives nothing.
 *
 * The kernel reads in the thread that called li_feed_read() when there was nothing to take: that is
 * interrupted for it, and its epoll_wait(2) then ends with EINTR though there was no signal (its
 * poll(2) and most other calls go on). While that thread is in a long system call the kernel does
 * not read; when it ends, the next caller takes over.
 *
 * As long as the kernel does not read by itself (before the first li_feed_read(), after
 * li_feed_resume(), while there is more than buffers or what is asked for, where it refuses to)
 * li_feed_read() reads directly, and li_feed_fd() is readable when the descriptor is. Nobody ever
 * waits for what nobody reads.
 *
 * One caller at a time, in any thread. An armed read keeps the fault queue from being destroyed:
 * the feed goes first.
 */
#ifndef LIBIOMMU_BASE_FEED_H
#define LIBIOMMU_BASE_FEED_H

#include "sys.h"

struct feed;

/*
 * For @fd, which stays the caller's and becomes O_NONBLOCK; without that the kernel would never
 * read by itself. Records are @unit bytes, a multiple of 8, and begin with uapi_hwpt_pgfault.
 * -errno where io_uring cannot be had, and nothing is left behind: -EOPNOTSUPP before Linux 6.7;
 * -ENOSYS, -EPERM and the like from kernels and sandboxes without it; -ENOMEM.
 */
int li_feed_new(const struct libiommu_sys *sys, int fd, size_t unit, struct feed **feed);
/*
 * What was filled and not taken is lost. NULL does nothing. Where the kernel does not let go for
 * half a minute the buffers stay mapped for ever.
 */
void li_feed_free(struct feed *feed);

/*
 * Readable as long as li_feed_read() has something to do; it may then give nothing. An epoll, so it
 * counts where epolls are nested, and is of no use to a child of a fork.
 */
int li_feed_fd(const struct feed *feed);

/*
 * As read(2) on the descriptor: as many whole groups as fit, 0 for none; -EINVAL where the first is
 * larger, and it stays; else -errno. It may give less than there is: what follows is then had by
 * calling again.
 */
ssize_t li_feed_read(struct feed *feed, void *to, size_t size);

/*
 * The kernel stops to read by itself, and has nothing in hand when this returns; what it has filled
 * is still to be taken, and li_feed_read() reads no more than that. Paused already: 0. -ETIMEDOUT
 * where the kernel does not let go for half a minute, because the thread it reads in is in a system
 * call for as long; like any other -errno that changes nothing, but the kernel may stop later,
 * which li_feed_read() finds out.
 */
int li_feed_pause(struct feed *feed);
/*
 * The next li_feed_read() that finds nothing to take reads directly, and arms again if nothing is
 * left then. Not paused: does nothing.
 */
void li_feed_resume(struct feed *feed);

/* The most records that can be there to be taken while it is paused. */
size_t li_feed_capacity(const struct feed *feed);

#endif
