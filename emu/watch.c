/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "heap.h"
#include "machine.h"
#include "thread.h"

/* Some systems' headers are without it. */
#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

struct emu_watch {
	struct emu_watch *next, **link;
	struct libiommu_emu *emu;
	int fd;
	bool pending; /* was written to before, which is left as it is */
	emu_watch_fn fn;
	void *user;
};

struct emu_watcher {
	struct libiommu_emu *emu;
	pthread_t thread;
	pid_t runs_in; /* the process that has the thread; 0: none yet */
	int epoll;
	int stop; /* an eventfd: the thread ends */
	struct emu_watch *first;
};

/* It may have gone while the lock was waited for. */
static struct emu_watch *find(const struct emu_watcher *watcher, const void *wanted)
{
	struct emu_watch *watch = watcher->first;

	while (watch && watch != wanted)
		watch = watch->next;
	return watch;
}

/* The program may read it too, and must not leave the machine waiting. */
static bool read_back(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	uint64_t count;
	const struct iovec to = {&count, sizeof(count)};

	/* Not every libc has preadv2(). */
	if (syscall(SYS_preadv2, fd, &to, 1, -1L, -1L, RWF_NOWAIT) == sizeof(count))
		return true;
	return errno == EOPNOTSUPP && poll(&ready, 1, 0) == 1 &&
	       read(fd, &count, sizeof(count)) == sizeof(count);
}

static void *run(void *argument)
{
	struct emu_watcher *const watcher = argument;
	struct epoll_event event;
	int got;

	for (;;) {
		struct emu_watch *watch;

		got = epoll_wait(watcher->epoll, &event, 1, -1);
		if (got < 0 && errno != EINTR)
			return NULL;
		if (got < 1)
			continue;
		if (event.data.ptr == watcher)
			return NULL;
		emu_lock(watcher->emu);
		watch = find(watcher, event.data.ptr);
		if (watch && (watch->pending || read_back(watch->fd))) {
			watch->pending = false;
			watch->fn(watch->user);
		}
		emu_unlock(watcher->emu);
	}
}

static int start(struct emu_watcher *watcher)
{
	const int error = emu_thread_start(&watcher->thread, run, watcher);

	watcher->runs_in = error ? 0 : getpid();
	return error;
}

int emu_watches_init(struct libiommu_emu *emu)
{
	struct emu_watcher *const watcher = emu_alloc(sizeof(*watcher));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = watcher};
	int error = 0;

	if (!watcher)
		return -ENOMEM;
	watcher->emu = emu;
	watcher->epoll = epoll_create1(EPOLL_CLOEXEC);
	watcher->stop = watcher->epoll < 0 ? -1 : eventfd(0, EFD_CLOEXEC);
	if (watcher->stop < 0 || epoll_ctl(watcher->epoll, EPOLL_CTL_ADD, watcher->stop, &event))
		error = -errno;
	emu->watcher = watcher;
	if (error)
		emu_watches_end(emu);
	return error;
}

static int take_up(struct libiommu_emu *emu, struct emu_watch *watch)
{
	/* Each time that it is written to, and once if it has been before. */
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = watch};
	struct pollfd now = {.fd = watch->fd, .events = POLLIN};
	struct emu_watcher *const watcher = emu->watcher;
	const int error = watcher->runs_in ? 0 : start(watcher);

	if (error)
		return error;
	watch->next = watcher->first;
	watch->link = &watcher->first;
	if (watch->next)
		watch->next->link = &watch->next;
	watcher->first = watch;
	watch->pending = poll(&now, 1, 0) == 1;
	if (!epoll_ctl(watcher->epoll, EPOLL_CTL_ADD, watch->fd, &event))
		return 0;
	*watch->link = watch->next;
	if (watch->next)
		watch->next->link = watch->link;
	return -errno;
}

int emu_watch_add(struct libiommu_emu *emu, int fd, emu_watch_fn fn, void *user,
                  struct emu_watch **watch)
{
	struct emu_watch *const made = emu_alloc(sizeof(*made));
	int error;

	if (!made)
		return -ENOMEM;
	made->emu = emu;
	made->fd = fd;
	made->fn = fn;
	made->user = user;
	error = take_up(emu, made);
	if (error)
		emu_release(made);
	else
		*watch = made;
	return error;
}

void emu_watch_remove(struct emu_watch *watch)
{
	epoll_ctl(watch->emu->watcher->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	*watch->link = watch->next;
	if (watch->next)
		watch->next->link = watch->link;
	close(watch->fd);
	emu_release(watch);
}

void emu_watches_end(struct libiommu_emu *emu)
{
	struct emu_watcher *const watcher = emu->watcher;
	const uint64_t one = 1;

	/* A child has the memory, but not the thread. */
	if (watcher->runs_in == getpid() && write(watcher->stop, &one, sizeof(one)) == sizeof(one))
		pthread_join(watcher->thread, NULL);
	if (watcher->epoll >= 0)
		close(watcher->epoll);
	if (watcher->stop >= 0)
		close(watcher->stop);
	emu_release(watcher);
}
