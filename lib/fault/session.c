/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A reader that floods its socket is not listened to for longer than this at a time. */
#define MAX_MESSAGES 16

static int say_hello(const struct session *session)
{
	const struct ring_hello hello = {
		.magic = RING_MAGIC,
		.major = RING_MAJOR,
		.minor = RING_MINOR,
		.descriptors = HELLO_FDS,
	};
	const int fds[HELLO_FDS] = {
		[HELLO_A] = session->memory.a_fd,
		[HELLO_B] = session->memory.b_fd,
		[HELLO_BELL] = session->bell,
		[HELLO_KICK] = session->kick,
	};
	const ssize_t sent = li_sys_send(session->sys, session->socket, &hello, sizeof(hello), fds,
	                                 HELLO_FDS, MSG_DONTWAIT);

	return sent < 0 ? (int)sent : 0;
}

int li_session_new(const struct libiommu_sys *sys, const struct session_choices *choices,
                   struct session **session)
{
	struct session *const made = calloc(1, sizeof(*made));
	int error;

	if (!made)
		return -ENOMEM;
	made->sys = sys;
	made->socket = choices->socket;
	made->own_socket = choices->own_socket;
	atomic_init(&made->users, 1);
	error = li_memory_new(sys, &choices->shape, &made->memory);
	if (error)
		goto free_session;
	made->bell = li_sys_eventfd(sys);
	if (made->bell < 0) {
		error = made->bell;
		goto free_memory;
	}
	made->kick = li_sys_eventfd(sys);
	if (made->kick < 0) {
		error = made->kick;
		goto close_bell;
	}
	error = say_hello(made);
	if (error)
		goto close_kick;
	/* The reader has its own; this one would only be a way to touch B. */
	li_sys_close(sys, made->memory.b_fd);
	made->memory.b_fd = -1;
	*session = made;
	return 0;

close_kick:
	li_sys_close(sys, made->kick);
close_bell:
	li_sys_close(sys, made->bell);
free_memory:
	li_memory_free(sys, &made->memory);
free_session:
	free(made);
	return error;
}

struct session *li_session_get(struct session *session)
{
	atomic_fetch_add(&session->users, 1);
	return session;
}

void li_session_put(struct session *session)
{
	if (atomic_fetch_sub(&session->users, 1) > 1)
		return;
	li_sys_close(session->sys, session->bell);
	li_sys_close(session->sys, session->kick);
	if (session->own_socket)
		li_sys_close(session->sys, session->socket);
	li_memory_free(session->sys, &session->memory);
	free(session);
}

bool li_session_condemn(struct session *session)
{
	atomic_store(&session->memory.a->state, RING_CONDEMNED);
	return session_must_wake(session, 0);
}

void li_session_wake(const struct session *session)
{
	const uint64_t one = 1;

	/*
	 * A reader holds the same eventfd and could fill it and make it block; a message that does
	 * not fit in the socket need not be sent, as there are others for the reader to wake up to.
	 */
	if (session->memory.a->features & RING_FEATURE_SOCKET_BELL)
		li_sys_send(session->sys, session->socket, "", 1, NULL, 0, MSG_DONTWAIT);
	else
		li_sys_write(session->sys, session->bell, &one, sizeof(one));
}

int li_session_look_room(struct session *session)
{
	const uint32_t k = atomic_load_explicit(&session->memory.b->cons, memory_order_acquire);

	if (k - session->cons > session->prod - session->cons)
		return -EPROTO;
	session->cons = k;
	return 0;
}

bool li_session_moved(const struct session *session, bool scarce)
{
	const struct ring_b *const b = session->memory.b;

	if (atomic_load(&b->made) != session->taken)
		return true;
	return scarce && atomic_load(&b->cons) != session->cons;
}

bool li_session_wait(struct session *session, bool scarce)
{
	const uint32_t flag = scarce ? RING_WAIT_SCARCE : 0;

	/* Neither a kick nor news since the last time: that wait holds. */
	if (session->waiting && (session->waiting & RING_WAIT_SCARCE) == flag)
		return false;
	/* Never 0, and never twice the same in a row: the reader tells waits apart by it. */
	session->seq = (session->seq + 2) & ~RING_WAIT_SCARCE;
	if (!session->seq)
		session->seq = 2;
	session->waiting = session->seq | flag;
	atomic_store(&session->memory.a->wait, session->waiting);
	return li_session_moved(session, scarce);
}

bool li_session_give_room(struct session *session)
{
	return session_must_wake(session, RING_WAIT_SCARCE);
}

bool li_session_dead(const struct session *session)
{
	for (int i = 0; i < MAX_MESSAGES; i++) {
		unsigned int none = 0;
		char message[64];
		const ssize_t got = li_sys_receive(session->sys, session->socket, message,
		                                   sizeof(message), NULL, &none, MSG_DONTWAIT);

		if (got == -EAGAIN || got == -EINTR)
			return false;
		if (got <= 0)
			return true;
	}
	return false;
}
