/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "failure.h"
#include "sys-event.h"
#include "sys-file.h"
#include "sys-uring.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

struct libiommu_sys {
	void *user;
	libiommu_sys_open_fn open;
	libiommu_sys_close_fn close;
	libiommu_sys_dup_fn dup;
	libiommu_sys_ioctl_fn ioctl;
	libiommu_sys_read_fn read;
	libiommu_sys_pread_fn pread;
	libiommu_sys_pwrite_fn pwrite;
	libiommu_sys_mmap_fn mmap;
	libiommu_sys_munmap_fn munmap;
	libiommu_sys_readlink_fn readlink;
	libiommu_sys_list_fn list;
	libiommu_sys_write_fn write;
	libiommu_sys_poll_fn poll;
	libiommu_sys_memfd_fn memfd;
	libiommu_sys_seal_fn seal;
	libiommu_sys_getfl_fn getfl;
	libiommu_sys_size_fn size;
	libiommu_sys_madvise_fn madvise;
	libiommu_sys_mprotect_fn mprotect;
	libiommu_sys_mbind_fn mbind;
	libiommu_sys_eventfd_fn eventfd;
	libiommu_sys_timer_fn timer;
	libiommu_sys_timer_set_fn timer_set;
	libiommu_sys_clock_fn clock;
	libiommu_sys_epoll_fn epoll;
	libiommu_sys_epoll_ctl_fn epoll_ctl;
	libiommu_sys_epoll_wait_fn epoll_wait;
	libiommu_sys_socketpair_fn socketpair;
	libiommu_sys_send_fn send;
	libiommu_sys_receive_fn receive;
	libiommu_sys_nonblock_fn nonblock;
	libiommu_sys_cloexec_fn cloexec;
	libiommu_sys_uring_setup_fn uring_setup;
	libiommu_sys_uring_enter_fn uring_enter;
	libiommu_sys_uring_register_fn uring_register;
};

static const struct libiommu_sys libc_sys = {
	.open = li_libc_open,
	.close = li_libc_close,
	.dup = li_libc_dup,
	.ioctl = li_libc_ioctl,
	.read = li_libc_read,
	.pread = li_libc_pread,
	.pwrite = li_libc_pwrite,
	.mmap = li_libc_mmap,
	.munmap = li_libc_munmap,
	.readlink = li_libc_readlink,
	.list = li_libc_list,
	.write = li_libc_write,
	.poll = li_libc_poll,
	.memfd = li_libc_memfd,
	.seal = li_libc_seal,
	.getfl = li_libc_getfl,
	.size = li_libc_size,
	.madvise = li_libc_madvise,
	.mprotect = li_libc_mprotect,
	.mbind = li_libc_mbind,
	.eventfd = li_libc_eventfd,
	.timer = li_libc_timer,
	.timer_set = li_libc_timer_set,
	.clock = li_libc_clock,
	.epoll = li_libc_epoll,
	.epoll_ctl = li_libc_epoll_ctl,
	.epoll_wait = li_libc_epoll_wait,
	.socketpair = li_libc_socketpair,
	.send = li_libc_send,
	.receive = li_libc_receive,
	.nonblock = li_libc_nonblock,
	.cloexec = li_libc_cloexec,
	.uring_setup = li_libc_uring_setup,
	.uring_enter = li_libc_uring_enter,
	.uring_register = li_libc_uring_register,
};

const struct libiommu_sys *li_sys_libc(void)
{
	return &libc_sys;
}

struct libiommu_sys *li_sys_copy(const struct libiommu_sys *sys)
{
	struct libiommu_sys *const copy = malloc(sizeof(*copy));

	if (copy)
		*copy = sys ? *sys : libc_sys;
	return copy;
}

void li_sys_assign(struct libiommu_sys *to, const struct libiommu_sys *from)
{
	*to = *from;
}

static int refuse(const char *operation, int error, const char *text)
{
	return li_failure_library(NULL, operation, error, text, &(const struct failure_detail){0});
}

static int refuse_null(const char *operation)
{
	return refuse(operation, -EINVAL, "a handle or a result pointer is NULL");
}

int libiommu_sys_new(struct libiommu_sys **sys)
{
	struct libiommu_sys *made;

	if (!sys)
		return refuse_null(__func__);
	made = li_sys_copy(NULL);
	if (!made)
		return refuse(__func__, -ENOMEM, "no memory");
	*sys = made;
	return 0;
}

void libiommu_sys_free(struct libiommu_sys *sys)
{
	free(sys);
}

int libiommu_sys_set_user(struct libiommu_sys *sys, void *user)
{
	if (!sys)
		return refuse_null(__func__);
	sys->user = user;
	return 0;
}

/* The setters differ in nothing but their name and type. */
#define DEFINE_SETTER(operation)                                                                   \
	int libiommu_sys_set_##operation(struct libiommu_sys *sys,                                 \
	                                 libiommu_sys_##operation##_fn fn)                         \
	{                                                                                          \
		if (!sys)                                                                          \
			return refuse_null(__func__);                                              \
		sys->operation = fn ? fn : libc_sys.operation;                                     \
		return 0;                                                                          \
	}

DEFINE_SETTER(open)
DEFINE_SETTER(close)
DEFINE_SETTER(dup)
DEFINE_SETTER(ioctl)
DEFINE_SETTER(read)
DEFINE_SETTER(pread)
DEFINE_SETTER(pwrite)
DEFINE_SETTER(mmap)
DEFINE_SETTER(munmap)
DEFINE_SETTER(readlink)
DEFINE_SETTER(list)
DEFINE_SETTER(write)
DEFINE_SETTER(poll)
DEFINE_SETTER(memfd)
DEFINE_SETTER(seal)
DEFINE_SETTER(getfl)
DEFINE_SETTER(size)
DEFINE_SETTER(madvise)
DEFINE_SETTER(mprotect)
DEFINE_SETTER(mbind)

int li_sys_open(const struct libiommu_sys *sys, const char *path, int flags)
{
	return sys->open(sys->user, path, flags | O_CLOEXEC);
}

int li_sys_close(const struct libiommu_sys *sys, int fd)
{
	return sys->close(sys->user, fd);
}

int li_sys_dup(const struct libiommu_sys *sys, int fd)
{
	return sys->dup(sys->user, fd);
}

int li_sys_ioctl(const struct libiommu_sys *sys, int fd, unsigned long request, void *arg)
{
	return sys->ioctl(sys->user, fd, request, arg);
}

ssize_t li_sys_read(const struct libiommu_sys *sys, int fd, void *buffer, size_t size)
{
	return sys->read(sys->user, fd, buffer, size);
}

ssize_t li_sys_pread(const struct libiommu_sys *sys, int fd, void *buffer, size_t size,
                     uint64_t offset)
{
	return sys->pread(sys->user, fd, buffer, size, offset);
}

ssize_t li_sys_pwrite(const struct libiommu_sys *sys, int fd, const void *buffer, size_t size,
                      uint64_t offset)
{
	return sys->pwrite(sys->user, fd, buffer, size, offset);
}

int li_sys_mmap(const struct libiommu_sys *sys, void *address, size_t length, int prot, int flags,
                int fd, uint64_t offset, void **result)
{
	return sys->mmap(sys->user, address, length, prot, flags, fd, offset, result);
}

int li_sys_munmap(const struct libiommu_sys *sys, void *address, size_t length)
{
	return sys->munmap(sys->user, address, length);
}

int li_sys_readlink(const struct libiommu_sys *sys, const char *path, char *buffer, size_t size)
{
	return sys->readlink(sys->user, path, buffer, size);
}

ssize_t li_sys_list(const struct libiommu_sys *sys, const char *path, char *buffer, size_t size)
{
	return sys->list(sys->user, path, buffer, size);
}

ssize_t li_sys_write(const struct libiommu_sys *sys, int fd, const void *buffer, size_t size)
{
	return sys->write(sys->user, fd, buffer, size);
}

int li_sys_poll(const struct libiommu_sys *sys, struct pollfd *fds, unsigned int count, int timeout)
{
	return sys->poll(sys->user, fds, count, timeout);
}

int li_sys_memfd(const struct libiommu_sys *sys, const char *name, uint64_t size)
{
	return sys->memfd(sys->user, name, size);
}

int li_sys_seal(const struct libiommu_sys *sys, int fd, int seals)
{
	return sys->seal(sys->user, fd, seals);
}

int li_sys_getfl(const struct libiommu_sys *sys, int fd)
{
	return sys->getfl(sys->user, fd);
}

int li_sys_size(const struct libiommu_sys *sys, int fd, uint64_t *size)
{
	return sys->size(sys->user, fd, size);
}

int li_sys_madvise(const struct libiommu_sys *sys, void *address, size_t length, int advice)
{
	return sys->madvise(sys->user, address, length, advice);
}

int li_sys_populate(const struct libiommu_sys *sys, void *address, size_t length)
{
	const int error = li_sys_madvise(sys, address, length, MADV_POPULATE_WRITE);

	/* An older kernel does not know it. */
	return error && error != -EINVAL ? -ENOMEM : 0;
}

int li_sys_mprotect(const struct libiommu_sys *sys, void *address, size_t length, int prot)
{
	return sys->mprotect(sys->user, address, length, prot);
}

int li_sys_mbind(const struct libiommu_sys *sys, void *address, size_t length, int node)
{
	return sys->mbind(sys->user, address, length, node);
}

DEFINE_SETTER(eventfd)
DEFINE_SETTER(timer)
DEFINE_SETTER(timer_set)
DEFINE_SETTER(clock)
DEFINE_SETTER(epoll)
DEFINE_SETTER(epoll_ctl)
DEFINE_SETTER(epoll_wait)
DEFINE_SETTER(socketpair)
DEFINE_SETTER(send)
DEFINE_SETTER(receive)

int li_sys_eventfd(const struct libiommu_sys *sys)
{
	return sys->eventfd(sys->user);
}

int li_sys_timer(const struct libiommu_sys *sys)
{
	return sys->timer(sys->user);
}

int li_sys_timer_set(const struct libiommu_sys *sys, int fd, uint64_t ns)
{
	return sys->timer_set(sys->user, fd, ns);
}

int li_sys_clock(const struct libiommu_sys *sys, uint64_t *ns)
{
	return sys->clock(sys->user, ns);
}

int li_sys_epoll(const struct libiommu_sys *sys)
{
	return sys->epoll(sys->user);
}

int li_sys_epoll_ctl(const struct libiommu_sys *sys, int epoll, int operation, int fd,
                     struct epoll_event *event)
{
	return sys->epoll_ctl(sys->user, epoll, operation, fd, event);
}

int li_sys_epoll_wait(const struct libiommu_sys *sys, int epoll, struct epoll_event *events,
                      int count, int timeout)
{
	return sys->epoll_wait(sys->user, epoll, events, count, timeout);
}

int li_sys_socketpair(const struct libiommu_sys *sys, int ends[2])
{
	return sys->socketpair(sys->user, ends);
}

ssize_t li_sys_send(const struct libiommu_sys *sys, int fd, const void *data, size_t size,
                    const int *fds, unsigned int count, int flags)
{
	return sys->send(sys->user, fd, data, size, fds, count, flags);
}

ssize_t li_sys_receive(const struct libiommu_sys *sys, int fd, void *data, size_t size, int *fds,
                       unsigned int *count, int flags)
{
	return sys->receive(sys->user, fd, data, size, fds, count, flags);
}

DEFINE_SETTER(nonblock)
DEFINE_SETTER(cloexec)
DEFINE_SETTER(uring_setup)
DEFINE_SETTER(uring_enter)
DEFINE_SETTER(uring_register)

int li_sys_nonblock(const struct libiommu_sys *sys, int fd)
{
	return sys->nonblock(sys->user, fd);
}

int li_sys_cloexec(const struct libiommu_sys *sys, int fd, bool on)
{
	return sys->cloexec(sys->user, fd, on);
}

int li_sys_uring_setup(const struct libiommu_sys *sys, unsigned int entries, void *params)
{
	return sys->uring_setup(sys->user, entries, params);
}

int li_sys_uring_enter(const struct libiommu_sys *sys, int ring, unsigned int submit,
                       unsigned int wait, unsigned int flags, const void *arg, size_t size)
{
	return sys->uring_enter(sys->user, ring, submit, wait, flags, arg, size);
}

int li_sys_uring_register(const struct libiommu_sys *sys, int ring, unsigned int operation,
                          void *arg, unsigned int count)
{
	return sys->uring_register(sys->user, ring, operation, arg, count);
}
