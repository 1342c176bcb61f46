/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

static void close_fds(const struct libiommu_sys *sys, const int *fds, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		li_sys_close(sys, fds[i]);
}

static int receive_hello(const struct libiommu_sys *sys, int socket, int fds[HELLO_FDS])
{
	unsigned int count = HELLO_FDS;
	struct ring_hello hello = {0};
	ssize_t got;

	do
		got = li_sys_receive(sys, socket, &hello, sizeof(hello), fds, &count, 0);
	while (got == -EINTR);
	if (got < 0)
		return got == -EMSGSIZE ? -EPROTO : (int)got;
	if (got == sizeof(hello) && hello.magic == RING_MAGIC && hello.major == RING_MAJOR &&
	    count == HELLO_FDS)
		return 0;
	close_fds(sys, fds, count);
	if (!got)
		return -EPIPE;
	if (got == sizeof(hello) && hello.magic == RING_MAGIC && hello.major != RING_MAJOR)
		return -EPROTONOSUPPORT;
	return -EPROTO;
}

static int open_epoll(struct libiommu_reader *reader)
{
	struct epoll_event event = {.events = EPOLLIN};
	int error;

	reader->epoll = li_sys_epoll(reader->sys);
	if (reader->epoll < 0)
		return reader->epoll;
	error = li_sys_epoll_ctl(reader->sys, reader->epoll, EPOLL_CTL_ADD, reader->bell, &event);
	event.events = EPOLLIN | EPOLLRDHUP;
	if (!error)
		error = li_sys_epoll_ctl(reader->sys, reader->epoll, EPOLL_CTL_ADD, reader->socket,
		                         &event);
	if (error)
		li_sys_close(reader->sys, reader->epoll);
	return error;
}

/* With the socket in place and the system calls known. */
static int open_reader(struct libiommu_reader *reader)
{
	const struct libiommu_sys *const sys = reader->sys;
	int fds[HELLO_FDS];
	int error;

	error = li_guard_new(sys, &reader->guard);
	if (error)
		return error;
	error = receive_hello(sys, reader->socket, fds);
	if (error)
		goto free_guard;
	reader->bell = fds[HELLO_BELL];
	reader->kick = fds[HELLO_KICK];
	error = li_memory_open(sys, fds[HELLO_A], fds[HELLO_B], &reader->memory);
	if (error)
		goto close_all;
	error = open_epoll(reader);
	if (error)
		goto free_memory;
	close_fds(sys, fds, HELLO_BELL);
	reader->mask = reader->memory.capacity - 1;
	return 0;

free_memory:
	li_memory_free(sys, &reader->memory);
close_all:
	close_fds(sys, fds, HELLO_FDS);
free_guard:
	li_guard_free(sys, reader->guard);
	return error;
}

static int refuse(int error)
{
	const struct failure_detail none = {0};
	const char *const operation = "libiommu_reader_open";

	switch (error) {
	case -ENOMEM:
		return li_failure_library(NULL, operation, error, "no memory", &none);
	case -EPIPE:
		return li_failure_library(NULL, operation, error, "the other end is closed", &none);
	case -EPROTO:
		return li_failure_library(NULL, operation, error,
		                          "what came is no fault ring, or not sealed", &none);
	case -EPROTONOSUPPORT:
		return li_failure_library(NULL, operation, error,
		                          "the ring is of another major version", &none);
	}
	return li_failure_kernel(NULL, operation, error, CALL_RING, &none);
}

int libiommu_reader_open(const struct libiommu_sys *sys, int socket, enum libiommu_fd_mode mode,
                         struct libiommu_reader **reader)
{
	struct libiommu_reader *made;
	int error;

	if (!reader)
		return READER_FAIL_NULL();
	if (socket < 0 || (unsigned int)mode > LIBIOMMU_FD_DUP)
		return READER_FAIL(-EINVAL, "the socket is negative, or the mode unknown");
	made = calloc(1, sizeof(*made));
	if (!made)
		return READER_FAIL(-ENOMEM, "no memory");
	made->sys = li_sys_copy(sys);
	if (!made->sys) {
		error = -ENOMEM;
		goto free_reader;
	}
	made->own_socket = mode != LIBIOMMU_FD_BORROW;
	made->socket = mode == LIBIOMMU_FD_DUP ? li_sys_dup(made->sys, socket) : socket;
	if (made->socket < 0) {
		error = made->socket;
		goto free_sys;
	}
	error = open_reader(made);
	if (error)
		goto close_socket;
	*reader = made;
	return 0;

close_socket:
	if (mode == LIBIOMMU_FD_DUP)
		li_sys_close(made->sys, made->socket);
free_sys:
	libiommu_sys_free(made->sys);
free_reader:
	free(made);
	return refuse(error);
}

void libiommu_reader_free(struct libiommu_reader *reader)
{
	const struct libiommu_sys *sys;

	if (!reader)
		return;
	sys = reader->sys;
	/* In a forked child the memory is not there; the descriptors are its own copies. */
	if (!guard_forked(reader->guard))
		li_memory_free(sys, &reader->memory);
	li_sys_close(sys, reader->epoll);
	li_sys_close(sys, reader->bell);
	li_sys_close(sys, reader->kick);
	if (reader->own_socket)
		li_sys_close(sys, reader->socket);
	li_guard_free(sys, reader->guard);
	libiommu_sys_free(reader->sys);
	free(reader);
}
