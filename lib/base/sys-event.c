/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "sys-event.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"

#define NS          UINT64_C(1000000000)
#define MAX_MESSAGE 16 /* descriptors */

int li_libc_eventfd(void *user)
{
	const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	(void)user;
	return fd < 0 ? -errno : fd;
}

int li_libc_timer(void *user)
{
	const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	(void)user;
	return fd < 0 ? -errno : fd;
}

/* The last second that fits: a time_t may have 32 bits. It has a sign on all that Linux runs on. */
#define LAST_SECOND ((UINT64_C(1) << (8 * sizeof(time_t) - 1)) - 1)

int li_libc_timer_set(void *user, int fd, uint64_t ns)
{
	const uint64_t seconds = ns / NS < LAST_SECOND ? ns / NS : LAST_SECOND;
	const struct itimerspec at = {
		.it_value = {.tv_sec = (time_t)seconds, .tv_nsec = (long)(ns % NS)}};

	(void)user;
	return timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL) ? -errno : 0;
}

int li_libc_clock(void *user, uint64_t *ns)
{
	struct timespec now;

	(void)user;
	if (clock_gettime(CLOCK_MONOTONIC, &now))
		return -errno;
	*ns = (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
	return 0;
}

int li_libc_epoll(void *user)
{
	const int fd = epoll_create1(EPOLL_CLOEXEC);

	(void)user;
	return fd < 0 ? -errno : fd;
}

int li_libc_epoll_ctl(void *user, int epoll, int operation, int fd, struct epoll_event *event)
{
	(void)user;
	return epoll_ctl(epoll, operation, fd, event) ? -errno : 0;
}

int li_libc_epoll_wait(void *user, int epoll, struct epoll_event *events, int count, int timeout)
{
	const int ready = epoll_wait(epoll, events, count, timeout);

	(void)user;
	return ready < 0 ? -errno : ready;
}

int li_libc_socketpair(void *user, int ends[2])
{
	(void)user;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) ? -errno : 0;
}

/* Room for ancillary data with descriptors, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(MAX_MESSAGE * sizeof(int))];
};

ssize_t li_libc_send(void *user, int fd, const void *data, size_t size, const int *fds,
                     unsigned int count, int flags)
{
	struct iovec part = {.iov_len = size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	union control control;
	struct cmsghdr *header;
	ssize_t sent;

	(void)user;
	if (count > MAX_MESSAGE)
		return -EINVAL;
	memcpy(&part.iov_base, &data, sizeof(data)); /* the type has no const */
	if (count) {
		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	}
	sent = sendmsg(fd, &message, flags | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

/* Takes the descriptors out of a message; false where there are more than asked for. */
static bool take_fds(struct msghdr *message, int *fds, unsigned int *count)
{
	const unsigned int room = *count;
	unsigned int extra = 0;

	*count = 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= header->cmsg_len; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
			if (*count < room)
				fds[(*count)++] = fd;
			else if (++extra)
				close(fd);
		}
	}
	return !extra;
}

ssize_t li_libc_receive(void *user, int fd, void *data, size_t size, int *fds, unsigned int *count,
                        int flags)
{
	struct iovec part = {.iov_base = data, .iov_len = size};
	union control control;
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const ssize_t got = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
	bool fit;

	(void)user;
	if (got < 0)
		return -errno;
	fit = take_fds(&message, fds, count);
	if (fit && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return got;
	while (*count)
		close(fds[--*count]);
	return -EMSGSIZE;
}

void li_sys_pause(int ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&time, NULL);
}
