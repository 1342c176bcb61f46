/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <libiommu-emu/trouble.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel.h"
#include "heap.h"
#include "machine.h"
#include "serve.h"

#define OUT_OF_THE_WAY 512

static const struct emu_task self = {.pid = 0};

bool emu_is_child(const struct libiommu_emu *emu)
{
	return emu->server && emu_server_pid(emu->server) != getpid();
}

static void lock(struct libiommu_emu *emu)
{
	pthread_mutex_lock(&emu->child_lock);
}

static void unlock(struct libiommu_emu *emu)
{
	pthread_mutex_unlock(&emu->child_lock);
}

/* What the copy of the machine knows: of its files no more than which they are. */
static bool is_ours(struct libiommu_emu *emu, int fd)
{
	bool ours;

	lock(emu);
	ours = emu_file_find(emu, fd, false);
	unlock(emu);
	return ours;
}

/* A descriptor that the machine has given: its number, or -errno. */
static int have(struct libiommu_emu *emu, int fd)
{
	struct emu_file *const file = emu_alloc(sizeof(*file));
	int error = file ? 0 : -ENOMEM;

	lock(emu);
	if (!error)
		error = emu_file_know(emu, fd, file);
	unlock(emu);
	if (!error)
		return fd;
	emu_release(file);
	close(fd);
	return error;
}

static int64_t answer(struct libiommu_emu *emu, struct emu_message *message, void *data, int fd,
                      int *shown)
{
	const size_t size = message->size < EMU_CHANNEL_ROOM ? message->size : EMU_CHANNEL_ROOM;
	int error;

	switch (message->kind) {
	case EMU_SAYS_READ:
		error = emu_get(&self, data, message->address, size);
		message->length = error ? 0 : (uint32_t)size;
		return error;
	case EMU_SAYS_WRITE:
		error = emu_put(&self, message->address, data, message->length);
		break;
	case EMU_SAYS_GIVE:
		error = fd < 0 ? -EMFILE : have(emu, fd);
		break;
	case EMU_SAYS_CLOSE:
		error = emu_child_close(emu, message->number);
		break;
	case EMU_SAYS_SHOW:
		*shown = message->number;
		error = fcntl(message->number, F_GETFD) < 0 ? -EBADF : 0;
		break;
	default:
		error = -ENOSYS;
	}
	message->length = 0;
	return error;
}

/* Until the machine says what has become of the call: 0 or -EIO. */
static int converse(struct libiommu_emu *emu, int socket, struct emu_message *message, int *fd)
{
	unsigned char data[EMU_CHANNEL_ROOM];

	for (;;) {
		int shown = -1;

		if (emu_message_receive(socket, message, data, fd))
			return -EIO;
		if (message->kind == EMU_SAYS_RESULT)
			return 0;
		message->result = answer(emu, message, data, *fd, &shown);
		message->kind = EMU_SAYS_RESULT;
		if (message->result < 0)
			shown = -1;
		if (emu_message_send(socket, message, data, shown))
			return -EIO;
	}
}

/* Out of the way: what the machine gives has the lowest number that is free, as from a kernel. */
static int move_up(int fd)
{
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);

	if (copy < 0)
		return fd;
	close(fd);
	return copy;
}

/* A connection for one call. What came with the answer, a descriptor, is the caller's. */
static int ask(struct libiommu_emu *emu, struct emu_message *message, const void *data, int *fd)
{
	int ends[2], error;

	*fd = -1;
	message->pid = getpid();
	message->uid = geteuid();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	error = emu_message_send(emu_server_gate(emu->server), message, data, ends[1]);
	close(ends[1]);
	ends[0] = move_up(ends[0]);
	if (!error)
		error = converse(emu, ends[0], message, fd);
	close(ends[0]);
	return error;
}

bool emu_child_open(struct libiommu_emu *emu, const char *path, int flags, int *result)
{
	struct emu_message message = {.kind = EMU_SAYS_CALL,
	                              .call = LIBIOMMU_EMU_OPEN,
	                              .flags = flags,
	                              .length = (uint32_t)strlen(path) + 1};
	int none;

	if (message.length > EMU_CHANNEL_ROOM)
		return false;
	*result = ask(emu, &message, path, &none);
	if (*result)
		return true;
	*result = (int)message.result;
	/* The machine says so in the number. */
	return message.number;
}

int emu_child_close(struct libiommu_emu *emu, int fd)
{
	int error;

	lock(emu);
	emu_file_forget(emu, fd);
	error = close(fd) ? -errno : 0;
	unlock(emu);
	return error;
}

void emu_child_dup(struct libiommu_emu *emu, int fd, int copy)
{
	struct emu_file *file;

	lock(emu);
	file = emu_file_find(emu, fd, false);
	if (file)
		emu_file_learn(emu, copy, file);
	else
		emu_file_forget(emu, copy);
	unlock(emu);
}

bool emu_child_call(struct libiommu_emu *emu, const struct emu_request *request, ssize_t *result)
{
	struct emu_message message = {
		.kind = EMU_SAYS_CALL,
		.call = request->call,
		.number = request->fd,
		.flags = request->flags,
		.prot = request->prot,
		.request = request->request,
		.address = request->address,
		.size = request->size,
		.offset = request->offset,
	};
	int fd;

	if (!is_ours(emu, request->fd))
		return false;
	*result = ask(emu, &message, NULL, &fd);
	if (!*result)
		*result = (ssize_t)message.result;
	if (request->backing)
		*request->backing =
			(struct emu_backing){.fd = fd, .offset = message.offset, .given = true};
	return true;
}

int emu_child_count(struct libiommu_emu *emu, pid_t pid, uint64_t *pinned, uint64_t *locked)
{
	struct emu_message message = {.kind = EMU_SAYS_COUNT, .number = pid};
	int none;
	const int error = ask(emu, &message, NULL, &none);

	if (error)
		return error;
	*pinned = message.size;
	*locked = message.offset;
	return 0;
}
