/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "serve.h"

#include <errno.h>
#include <libiommu-emu/trouble.h>
#include <sys/socket.h>
#include <unistd.h>

#include "account.h"
#include "calls.h"
#include "channel.h"
#include "heap.h"
#include "machine.h"
#include "thread.h"

struct emu_server {
	struct libiommu_emu *emu;
	pthread_t thread;
	pid_t pid;
	int gate; /* where children send to */
	int ear;  /* the other end */
};

pid_t emu_server_pid(const struct emu_server *server)
{
	return server->pid;
}

int emu_server_gate(const struct emu_server *server)
{
	return server->gate;
}

/* A path that is not the machine's has the number 0 in its answer. */
static void open_for(struct libiommu_emu *emu, struct emu_message *message, char *path)
{
	int result = -ENOENT;

	path[message->length - 1] = '\0';
	message->number = emu_open_path(emu, path, message->flags, &result);
	message->result = result;
}

static int call_for(struct libiommu_emu *emu, struct emu_message *message)
{
	const struct emu_task task = {.pid = message->pid, .uid = message->uid};
	struct emu_backing backing = {.fd = -1};
	const struct emu_request request = {
		.call = message->call,
		.fd = message->number,
		.request = message->request,
		.address = message->address,
		.size = message->size,
		.offset = message->offset,
		.prot = message->prot,
		.flags = message->flags,
		.backing = &backing,
	};
	ssize_t result;

	if (!emu_call(emu, &task, &request, &result))
		result = -EBADF;
	message->result = result;
	message->offset = backing.offset;
	return result < 0 ? -1 : backing.fd;
}

static void count_for(struct libiommu_emu *emu, struct emu_message *message)
{
	emu_lock(emu);
	emu_account_of(emu, message->number, &message->size, &message->offset);
	emu_unlock(emu);
	message->result = 0;
}

static void serve(struct libiommu_emu *emu, int socket, struct emu_message *message, void *data)
{
	int fd = -1;

	emu_channel_use(socket, message->pid);
	if (message->kind == EMU_SAYS_CALL && message->call == LIBIOMMU_EMU_OPEN && message->length)
		open_for(emu, message, data);
	else if (message->kind == EMU_SAYS_CALL)
		fd = call_for(emu, message);
	else if (message->kind == EMU_SAYS_COUNT)
		count_for(emu, message);
	else
		message->result = -ENOSYS;
	emu_channel_use(-1, 0);
	message->kind = EMU_SAYS_RESULT;
	message->length = 0;
	emu_message_send(socket, message, NULL, fd);
}

/* Until the machine itself sends something without a connection. */
static void *run(void *user)
{
	const struct emu_server *const server = user;
	unsigned char data[EMU_CHANNEL_ROOM];
	struct emu_message message;
	int socket;

	for (;;) {
		if (emu_message_receive(server->ear, &message, data, &socket))
			continue;
		if (socket < 0)
			return NULL;
		serve(server->emu, socket, &message, data);
		close(socket);
	}
}

LIBIOMMU_API int libiommu_emu_serve(struct libiommu_emu *emu)
{
	struct emu_server *server;
	int ends[2], error;

	if (!emu)
		return -EINVAL;
	if (emu->server)
		return -EALREADY;
	server = emu_alloc(sizeof(*server));
	if (!server)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		error = -errno;
		emu_release(server);
		return error;
	}
	*server = (struct emu_server){.emu = emu, .pid = getpid(), .gate = ends[0], .ear = ends[1]};
	error = emu_thread_start(&server->thread, run, server);
	if (error) {
		close(ends[0]);
		close(ends[1]);
		emu_release(server);
		return error;
	}
	/* The thread may be at work already, and looks whether there is a server. */
	emu_lock(emu);
	emu->server = server;
	emu_unlock(emu);
	return 0;
}

void emu_server_end(struct libiommu_emu *emu)
{
	const struct emu_message last = {.kind = EMU_SAYS_RESULT};
	struct emu_server *const server = emu->server;

	if (!server)
		return;
	emu_message_send(server->gate, &last, NULL, -1);
	pthread_join(server->thread, NULL);
	close(server->gate);
	close(server->ear);
	emu->server = NULL;
	emu_release(server);
}
