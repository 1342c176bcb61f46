/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "uapi/fault.h"
#include "uring.h"

#define RECORDS  64                    /* in a buffer */
#define PATIENCE UINT64_C(30000000000) /* ns */
#define USELESS  16                    /* reads that ended one after the other with nothing */

struct feed {
	const struct libiommu_sys *sys;
	int fd;
	int epoll;
	size_t unit;
	struct uring ring;
	size_t at;  /* taken of the oldest completion, bytes */
	bool armed; /* until the completion that ends the read is the oldest, and popped */
	bool large; /* the next group fits no buffer: it is to be read directly */
	bool paused;
	bool watching; /* the epoll looks at fd itself */
	unsigned int useless;
};

/* Both are in the epoll all the time: to add one needs memory, to change one does not. */
static int add(const struct feed *feed, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return li_sys_epoll_ctl(feed->sys, feed->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void watch(struct feed *feed, bool on)
{
	struct epoll_event event = {.events = on ? EPOLLIN : 0};

	if (feed->watching != on &&
	    !li_sys_epoll_ctl(feed->sys, feed->epoll, EPOLL_CTL_MOD, feed->fd, &event))
		feed->watching = on;
}

static int open_epoll(struct feed *feed)
{
	int error;

	feed->epoll = li_sys_epoll(feed->sys);
	if (feed->epoll < 0)
		return feed->epoll;
	error = add(feed, feed->ring.fd);
	if (!error)
		error = add(feed, feed->fd);
	if (!error)
		error = li_sys_nonblock(feed->sys, feed->fd);
	if (error)
		li_sys_close(feed->sys, feed->epoll);
	return error;
}

int li_feed_new(const struct libiommu_sys *sys, int fd, size_t unit, struct feed **feed)
{
	struct feed *made;
	int error;

	if (unit < sizeof(struct uapi_hwpt_pgfault) || unit % 8)
		return -EINVAL;
	made = malloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	*made = (struct feed){.sys = sys, .fd = fd, .unit = unit, .watching = true};
	error = li_uring_open(&made->ring, sys, RECORDS * unit);
	if (error)
		goto free_feed;
	error = open_epoll(made);
	if (error)
		goto close_ring;
	*feed = made;
	return 0;
close_ring:
	li_uring_close(&made->ring, false);
free_feed:
	free(made);
	return error;
}

/* Until the read has ended, though its last completion may not be the oldest. */
static int settle(struct feed *feed)
{
	uint64_t now, end = 0;
	int error = 0;

	while (!error && !li_uring_ended(&feed->ring)) {
		error = li_sys_clock(feed->sys, &now);
		if (!error && end && now >= end)
			error = -ETIMEDOUT;
		end = end ? end : now + PATIENCE;
		if (!error)
			error = li_uring_cancel(&feed->ring);
		if (!error && !li_uring_ended(&feed->ring))
			error = li_uring_wait(&feed->ring);
	}
	return error;
}

void li_feed_free(struct feed *feed)
{
	bool busy;

	if (!feed)
		return;
	busy = feed->armed && settle(feed);
	/*
	 * The kernel completes first and lets go of the descriptor then, both under a lock that
	 * this has to wait for; or the queue would still be in use when it is to be destroyed.
	 */
	li_uring_cancel(&feed->ring);
	li_sys_close(feed->sys, feed->epoll);
	li_uring_close(&feed->ring, busy);
	free(feed);
}

int li_feed_fd(const struct feed *feed)
{
	return feed->epoll;
}

static const struct uapi_hwpt_pgfault *record(const void *data, size_t at)
{
	return (const void *)((const char *)data + at);
}

/*
 * The bytes of as many whole groups as there is room for. A group is what has one cookie, and what
 * the kernel has filled ends with one.
 */
static size_t whole_groups(const struct feed *feed, const void *data, size_t length, size_t room)
{
	const size_t all = length - length % feed->unit;
	size_t whole = room - room % feed->unit;

	if (all <= whole)
		return all;
	while (whole && record(data, whole - feed->unit)->cookie == record(data, whole)->cookie)
		whole -= feed->unit;
	return whole;
}

static void finish(struct feed *feed, const struct uring_done *done)
{
	li_uring_pop(&feed->ring);
	feed->at = 0;
	if (done->length)
		feed->useless = 0;
	if (!done->end)
		return;
	feed->armed = false;
	feed->large = done->error == -EINVAL;
	feed->useless += !done->length;
}

/* Out of the buffers; -EINVAL where the first group is larger than @size. */
static ssize_t take(struct feed *feed, void *to, size_t size)
{
	struct uring_done done;
	size_t got = 0;

	while (li_uring_peek(&feed->ring, &done)) {
		if (done.length >= feed->at + feed->unit) {
			const void *const from = record(done.data, feed->at);
			size_t whole;

			/*
			 * Where one was answered behind our back the next may have its cookie; in
			 * one result they would look like one group.
			 */
			if (got && record(to, got - feed->unit)->cookie == record(from, 0)->cookie)
				break;
			whole = whole_groups(feed, from, done.length - feed->at, size - got);
			if (!whole)
				return got ? (ssize_t)got : -EINVAL;
			memcpy((char *)to + got, from, whole);
			got += whole;
			feed->at += whole;
			if (feed->at + feed->unit <= done.length)
				break;
		}
		finish(feed, &done);
	}
	return (ssize_t)got;
}

/* What has come directly; before the read is armed, so that the order is kept. */
static ssize_t read_directly(struct feed *feed, void *to, size_t size)
{
	const ssize_t got = li_sys_read(feed->sys, feed->fd, to, size);

	if (got > 0)
		feed->useless = 0;
	if (got >= 0)
		feed->large = false;
	return got == -EAGAIN ? 0 : got;
}

ssize_t li_feed_read(struct feed *feed, void *to, size_t size)
{
	ssize_t got = take(feed, to, size);

	if (feed->armed || feed->paused)
		return got;
	if (!got) {
		got = read_directly(feed, to, size);
		/* While there is more, a large read costs less than buffers do. */
		if (got >= 0 && (size_t)got + feed->unit <= size && !feed->large &&
		    feed->useless < USELESS)
			feed->armed = !li_uring_arm(&feed->ring, feed->fd);
	}
	watch(feed, !feed->armed);
	return got;
}

int li_feed_pause(struct feed *feed)
{
	int error;

	if (feed->paused)
		return 0;
	error = feed->armed ? settle(feed) : 0;
	if (error)
		return error;
	feed->paused = true;
	watch(feed, false);
	return 0;
}

void li_feed_resume(struct feed *feed)
{
	if (!feed->paused)
		return;
	feed->paused = false;
	feed->useless = 0;
	/* With the last completion still to be popped, the ring is readable. */
	if (!feed->armed)
		watch(feed, true);
}

size_t li_feed_capacity(const struct feed *feed)
{
	(void)feed;
	return URING_BUFFERS * (size_t)RECORDS;
}
