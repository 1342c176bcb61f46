/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static _Thread_local int current = -1;
static _Thread_local pid_t child;

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

int emu_message_send(int socket, const struct emu_message *message, const void *data, int fd)
{
	struct iovec parts[2] = {{(void *)(uintptr_t)message, sizeof(*message)},
	                         {(void *)(uintptr_t)data, message->length}};
	struct msghdr header = {.msg_iov = parts, .msg_iovlen = message->length ? 2 : 1};
	union control control;
	struct cmsghdr *rights;
	ssize_t sent;

	memset(&control, 0, sizeof(control));
	if (fd >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(rights), &fd, sizeof(int));
	}
	do
		sent = sendmsg(socket, &header, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -EIO : 0;
}

int emu_message_receive(int socket, struct emu_message *message, void *data, int *fd)
{
	struct iovec parts[2] = {{message, sizeof(*message)}, {data, EMU_CHANNEL_ROOM}};
	union control control;
	struct msghdr header = {.msg_iov = parts,
	                        .msg_iovlen = 2,
	                        .msg_control = &control,
	                        .msg_controllen = sizeof(control)};
	const struct cmsghdr *rights;
	ssize_t got;

	do
		got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	*fd = -1;
	if (got < 0)
		return -EIO;
	rights = CMSG_FIRSTHDR(&header);
	if (rights && rights->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(rights), sizeof(int));
	if ((size_t)got >= sizeof(*message) && message->length == (size_t)got - sizeof(*message))
		return 0;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return -EIO;
}

void emu_channel_use(int socket, pid_t pid)
{
	current = socket;
	child = pid;
}

bool emu_channel_is(pid_t pid)
{
	return current >= 0 && (!pid || pid == child);
}

/* Asks the child; what comes with the answer is at @data. */
static int64_t ask(struct emu_message *message, const void *along, int fd, void *data, int *got)
{
	if (emu_message_send(current, message, along, fd) ||
	    emu_message_receive(current, message, data, got))
		return -EIO;
	return message->result;
}

static int move(uintptr_t there, void *to, const void *from, size_t size)
{
	struct emu_message message = {.kind = to ? EMU_SAYS_READ : EMU_SAYS_WRITE,
	                              .address = there,
	                              .size = size,
	                              .length = to ? 0 : (uint32_t)size};
	unsigned char data[EMU_CHANNEL_ROOM];
	int fd;

	if (ask(&message, from, -1, data, &fd) || (to && message.length != size))
		return -EFAULT;
	if (to)
		memcpy(to, data, size);
	return 0;
}

static int move_all(uintptr_t there, char *to, const char *from, size_t size)
{
	int error = 0;

	for (size_t at = 0; at < size && !error; at += EMU_CHANNEL_ROOM) {
		const size_t part = size - at < EMU_CHANNEL_ROOM ? size - at : EMU_CHANNEL_ROOM;

		error = move(there + at, to ? to + at : NULL, from ? from + at : NULL, part);
	}
	return error;
}

int emu_channel_read(void *to, uintptr_t from, size_t size)
{
	return move_all(from, to, NULL, size);
}

int emu_channel_write(uintptr_t to, const void *from, size_t size)
{
	return move_all(to, NULL, from, size);
}

int emu_channel_give(int fd)
{
	struct emu_message message = {.kind = EMU_SAYS_GIVE};
	unsigned char data[EMU_CHANNEL_ROOM];
	int none;

	return (int)ask(&message, NULL, fd, data, &none);
}

void emu_channel_close(int number)
{
	struct emu_message message = {.kind = EMU_SAYS_CLOSE, .number = number};
	unsigned char data[EMU_CHANNEL_ROOM];
	int none;

	ask(&message, NULL, -1, data, &none);
}

int emu_caller_fd(int number)
{
	struct emu_message message = {.kind = EMU_SAYS_SHOW, .number = number};
	unsigned char data[EMU_CHANNEL_ROOM];
	int fd = -1;

	if (current >= 0)
		ask(&message, NULL, -1, data, &fd);
	else
		fd = fcntl(number, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -EBADF : fd;
}
