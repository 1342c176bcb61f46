/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A dispatch: asks the kernel what has happened, then works in rounds over shared memory alone for
 * as long as there is something to do, and last asks to be told of more. What costs a system call
 * is paid once for all rounds.
 */
#include "filler.h"

#include <errno.h>

#include <sys/epoll.h>

#define MAX_EVENTS 32
#define RETRY      UINT64_C(10000000) /* ns: what the kernel refused, if nothing else happens */
/*
 * Work is counted in rounds of one group, and what takes as long, some 50 ns. After so much of it
 * the clock is read anew; after so much, the program's loop has its turn.
 */
#define MAX_AGE    32
#define MAX_TURN   2048
#define GROUPS_AGE 8 /* groups and completions that count as one round more */
/* After so many rounds the reader is known to be fast, and waited for this often before a sleep. */
#define FAST_ROUNDS 16
#define MAX_LOOKS   256

static void keep(int *first, int error)
{
	if (!*first)
		*first = error;
}

/* What has happened; true: the socket has something to say. */
static int collect_events(struct filler *filler, bool *socket)
{
	struct epoll_event events[MAX_EVENTS];
	const int count = li_sys_epoll_wait(filler->sys, filler->epoll, events, MAX_EVENTS, 0);

	*socket = false;
	for (int i = 0; i < count; i++) {
		const uint64_t about = events[i].data.u64;

		if (about < filler->used && filler->inputs[about])
			filler->ready |= filler_bit((uint32_t)about);
		if (about == ABOUT_TIMER)
			filler->timer_at = 0;
		if (about == ABOUT_SOCKET)
			*socket = true;
		/* It is spent, perhaps on what had been seen before. */
		if (about == ABOUT_KICK && filler->session)
			session_busy(filler->session);
	}
	return count < 0 && count != -EINTR ? count : 0;
}

/* Whoever did it, and whatever for: all are asked. */
static void collect_pokes(struct filler *filler)
{
	if (!atomic_load_explicit(&filler->poked, memory_order_relaxed) ||
	    !atomic_exchange(&filler->poked, false))
		return;
	for (uint32_t i = 0; i < filler->used; i++)
		if (filler->inputs[i])
			filler->ready |= filler_bit(i);
}

/* Whether the reader is where it can be, and what it has completed is taken. */
static bool hear(struct filler *filler, bool begins, int *first)
{
	struct session *const session = filler->session;
	uint32_t made = 0;

	if (session_look(session, &made))
		return false;
	/* Later on, room is looked for where it may be short: its line stays the reader's. */
	if ((begins || filler->scarce ||
	     session->prod - session->cons > filler->choices.capacity / 2) &&
	    li_session_look_room(session))
		return false;
	/* What it has completed counts, also when it is the last it did. */
	if (made != session->taken)
		keep(first, li_filler_take(filler, made));
	return true;
}

/* A round; @gone is of the first one. */
static void work(struct filler *filler, bool begins, bool fresh, bool gone, int *first)
{
	filler->done = 0;
	collect_pokes(filler);
	/* Nothing is later than it was when the clock was read. */
	if (filler->session && (!hear(filler, begins, first) || (begins && gone) ||
	                        (fresh && !li_filler_expire(filler))))
		li_filler_give_up(filler);
	if (filler->due)
		keep(first, li_filler_flush(filler));
	if (filler->session)
		keep(first, li_filler_fetch(filler));
	else
		keep(first, li_filler_refuse(filler));
	filler->age += 1 + filler->done / GROUPS_AGE;
}

/* At once, as there may be many rounds to come, and without the lock. */
static void wake(struct filler *filler)
{
	struct session *const woken = filler->session ? li_session_get(filler->session) : NULL;

	filler->waking = false;
	if (!woken)
		return;
	pthread_mutex_unlock(&filler->lock);
	li_session_wake(woken);
	li_session_put(woken);
	pthread_mutex_lock(&filler->lock);
}

/* Whether a reader that has been fast does something soon: a sleep costs both sides a call. */
static bool more_soon(const struct filler *filler)
{
	if (!filler->session || !filler->places.busy)
		return false;
	for (int i = 0; i < MAX_LOOKS; i++)
		if (li_session_moved(filler->session, filler->scarce))
			return true;
	return false;
}

/* Ask to be told of more; false: there is something already. */
static bool lie_down(struct filler *filler)
{
	atomic_store(&filler->asleep, true);
	if (!atomic_load(&filler->poked) &&
	    (!filler->session || !li_session_wait(filler->session, filler->scarce))) {
		if (filler->session && li_session_give_room(filler->session))
			wake(filler);
		return true;
	}
	atomic_store_explicit(&filler->asleep, false, memory_order_relaxed);
	return false;
}

static int work_in_rounds(struct filler *filler, bool gone)
{
	uint32_t read_at = 0;
	int first = 0;

	filler->age = 0;
	for (int round = 1;; round++) {
		const bool fresh = round == 1 || filler->age - read_at >= MAX_AGE;
		uint32_t done;

		if (fresh) {
			/* Without an answer it is still what it was. */
			keep(&first, li_sys_clock(filler->sys, &filler->now));
			read_at = filler->age;
		}
		work(filler, round == 1, fresh, gone, &first);
		done = filler->done;
		if (filler->waking)
			wake(filler);
		if (!done && !(round > FAST_ROUNDS && more_soon(filler)) && lie_down(filler))
			return first;
		if (filler->age < MAX_TURN)
			continue;
		atomic_store(&filler->asleep, true);
		li_filler_poke(filler);
		return first;
	}
}

/* When there is something to do whatever happens; 0 for never. */
static uint64_t next_time(const struct filler *filler)
{
	const struct place *const oldest = places_oldest(&filler->places);
	const uint64_t retry = filler->now + RETRY;
	uint64_t at = 0;

	if (filler->choices.deadline && oldest)
		at = oldest->published + filler->choices.deadline;
	return filler->owing && (!at || at > retry) ? retry : at;
}

static int set_timer(struct filler *filler)
{
	const uint64_t at = next_time(filler);
	int error;

	if (!at)
		return 0;
	/* One that is early does no harm and is set anew then: that is cheaper than each time. */
	if (filler->timer_at && filler->timer_at <= at)
		return 0;
	error = li_sys_timer_set(filler->sys, filler->timer, at);
	if (!error)
		filler->timer_at = at;
	return error;
}

int li_filler_dispatch(struct filler *filler)
{
	int first;
	bool gone;

	pthread_mutex_lock(&filler->lock);
	atomic_store_explicit(&filler->asleep, false, memory_order_relaxed);
	filler->due |= filler->owing;
	first = collect_events(filler, &gone);
	gone = gone && filler->session && li_session_dead(filler->session);
	keep(&first, work_in_rounds(filler, gone));
	keep(&first, set_timer(filler));
	keep(&first, li_filler_set_polled(filler));
	if (first)
		filler->counters[LIBIOMMU_RING_ERRORS]++;
	li_filler_show_counters(filler);
	pthread_mutex_unlock(&filler->lock);
	return first;
}
