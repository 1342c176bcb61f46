/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A ring as one reader has it: memory of its own, two eventfds and a socket. It ends with the
 * reader; the next one gets another. All calls are made with the ring's lock held, save those that
 * say otherwise.
 */
#ifndef LIBIOMMU_FAULT_SESSION_H
#define LIBIOMMU_FAULT_SESSION_H

#include <errno.h>
#include <stdbool.h>

#include "memory.h"

struct session {
	struct apart before;
	const struct libiommu_sys *sys;
	struct ring_memory memory;
	int socket;
	bool own_socket;
	int bell;
	int kick;
	atomic_uint users;
	/* Private copies: what is in A is never read back. */
	uint32_t prod;
	uint32_t taken;
	uint32_t cons; /* as last loaded */
	uint32_t woken;
	uint32_t seq;
	uint32_t waiting; /* the wait word */
	struct apart behind;
};

struct session_choices {
	struct ring_shape shape;
	int socket;
	bool own_socket;
};

/* Makes all of it and tells the reader; the socket is the session's only when this succeeds. */
int li_session_new(const struct libiommu_sys *sys, const struct session_choices *choices,
                   struct session **session);
/* The last one frees it. Needs no lock. */
void li_session_put(struct session *session);
struct session *li_session_get(struct session *session);

/* Tell the reader of its end; true: it must be woken. */
bool li_session_condemn(struct session *session);
/* Without the lock, but with a reference. Never blocks. */
void li_session_wake(const struct session *session);

/* Load what the reader has released; -EPROTO where that cannot be. */
int li_session_look_room(struct session *session);
/* Whether it has done something that matters since. */
bool li_session_moved(const struct session *session, bool scarce);
/* Ask to be kicked; true: something has happened meanwhile that nobody will kick for. */
bool li_session_wait(struct session *session, bool scarce);
/* After that: true: the reader waits for room for completions, which there is by now. */
bool li_session_give_room(struct session *session);
/* Whether the reader is gone. Also takes in what it has sent, which means nothing. */
bool li_session_dead(const struct session *session);

/* Inline, as each round goes through these: */

/* Load what the reader has completed; -EPROTO where that cannot be. */
static inline int session_look(const struct session *session, uint32_t *made)
{
	*made = atomic_load_explicit(&session->memory.b->made, memory_order_acquire);
	return *made - session->taken > session->memory.completion_capacity ? -EPROTO : 0;
}

/* No need to be kicked any more: the filler is at work. */
static inline void session_busy(struct session *session)
{
	/* A store that changes nothing would still take the line away from the reader. */
	if (!session->waiting)
		return;
	atomic_store_explicit(&session->memory.a->wait, 0, memory_order_relaxed);
	session->waiting = 0;
}

/* Once for each time that the reader lies down; @only where it waits for that. */
static inline bool session_must_wake(struct session *session, uint32_t only)
{
	const uint32_t wait = atomic_load(&session->memory.b->wait);

	if (!wait || wait == session->woken || (wait & only) != only)
		return false;
	session->woken = wait;
	return true;
}

/* Make visible what was written up to @prod; true: the reader must be woken. */
static inline bool session_publish(struct session *session, uint32_t prod)
{
	session->prod = prod;
	atomic_store(&session->memory.a->prod, prod);
	return session_must_wake(session, 0);
}

#endif
