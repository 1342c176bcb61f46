/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "filler.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

static int watch(const struct filler *filler, int fd, uint64_t about, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = about};

	return li_sys_epoll_ctl(filler->sys, filler->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void unwatch(const struct filler *filler, int fd)
{
	struct epoll_event event = {0};

	li_sys_epoll_ctl(filler->sys, filler->epoll, EPOLL_CTL_DEL, fd, &event);
}

static int open_all(struct filler *filler)
{
	const struct libiommu_sys *const sys = filler->sys;
	int error;

	filler->epoll = li_sys_epoll(sys);
	if (filler->epoll < 0)
		return filler->epoll;
	filler->timer = li_sys_timer(sys);
	if (filler->timer < 0) {
		error = filler->timer;
		goto close_epoll;
	}
	filler->poke = li_sys_eventfd(sys);
	if (filler->poke < 0) {
		error = filler->poke;
		goto close_timer;
	}
	/* At the edge: neither is ever read, which spares calls and cannot block. */
	error = watch(filler, filler->timer, ABOUT_TIMER, EPOLLIN | EPOLLET);
	if (!error)
		error = watch(filler, filler->poke, ABOUT_POKE, EPOLLIN | EPOLLET);
	if (!error)
		return 0;
	li_sys_close(sys, filler->poke);
close_timer:
	li_sys_close(sys, filler->timer);
close_epoll:
	li_sys_close(sys, filler->epoll);
	return error;
}

int li_filler_new(const struct libiommu_sys *sys, const struct filler_choices *choices,
                  struct filler **filler)
{
	struct filler *const made = calloc(1, sizeof(*made));
	int error;

	if (!made)
		return -ENOMEM;
	made->sys = sys;
	made->choices = *choices;
	error = li_places_init(&made->places, choices->max_outstanding);
	if (error)
		goto free_filler;
	error = li_guard_new(sys, &made->guard);
	if (error)
		goto free_places;
	error = li_sys_clock(sys, &made->now);
	if (!error)
		error = open_all(made);
	if (error)
		goto free_guard;
	pthread_mutex_init(&made->lock, NULL);
	atomic_init(&made->asleep, true);
	*filler = made;
	return 0;

free_guard:
	li_guard_free(sys, made->guard);
free_places:
	li_places_free(&made->places);
free_filler:
	free(made);
	return error;
}

void li_filler_free(struct filler *filler)
{
	if (filler->session)
		li_filler_condemn(filler);
	li_filler_flush(filler);
	for (uint32_t i = 0; i < filler->used; i++)
		free(filler->inputs[i]);
	li_sys_close(filler->sys, filler->poke);
	li_sys_close(filler->sys, filler->timer);
	li_sys_close(filler->sys, filler->epoll);
	pthread_mutex_destroy(&filler->lock);
	li_guard_free(filler->sys, filler->guard);
	li_places_free(&filler->places);
	free(filler);
}

/* Poll a source only while something can be done with what it has: it would be ready all along. */
static int set_polled(struct filler *filler, uint32_t number, bool polled)
{
	struct filler_input *const input = filler->inputs[number];
	struct epoll_event event = {.events = polled ? EPOLLIN : 0, .data.u64 = number};
	int error;

	if (input->source->fd < 0 || input->polled == polled)
		return 0;
	error = li_sys_epoll_ctl(filler->sys, filler->epoll, EPOLL_CTL_MOD, input->source->fd,
	                         &event);
	if (!error)
		input->polled = polled;
	return error;
}

int li_filler_set_polled(struct filler *filler)
{
	const bool faults = filler->session ? !filler->scarce : filler->refusing;
	const bool events = filler->session && !filler->full;
	int first = 0;

	for (uint32_t i = 0; i < filler->used; i++) {
		const struct filler_input *const input = filler->inputs[i];
		const int error =
			input ? set_polled(filler, i, input->source->events ? events : faults) : 0;

		if (!first)
			first = error;
	}
	return first;
}

int li_filler_add(struct filler *filler, struct source *source)
{
	struct filler_input *const made = calloc(1, sizeof(*made));
	uint32_t i = 0;
	int error = 0;

	if (!made)
		return -ENOMEM;
	made->source = source;
	pthread_mutex_lock(&filler->lock);
	while (i < FILLER_SOURCES && filler->inputs[i])
		i++;
	if (i == FILLER_SOURCES)
		error = -ENOSPC;
	if (!error && source->fd >= 0)
		error = watch(filler, source->fd, i, 0);
	if (!error) {
		filler->inputs[i] = made;
		filler->ready |= filler_bit(i);
	}
	if (!error && i >= filler->used)
		filler->used = i + 1;
	pthread_mutex_unlock(&filler->lock);
	if (error)
		free(made);
	else
		li_filler_poke(filler);
	return error;
}

int li_filler_remove(struct filler *filler, const struct source *source)
{
	struct filler_input *found = NULL;
	int error = -ENOENT;

	pthread_mutex_lock(&filler->lock);
	for (uint32_t i = 0; i < filler->used && !found; i++) {
		if (!filler->inputs[i] || filler->inputs[i]->source != source)
			continue;
		found = filler->inputs[i];
		li_filler_drop_source(filler, i);
		error = li_filler_flush(filler);
		if (source->fd >= 0)
			unwatch(filler, source->fd);
		filler->inputs[i] = NULL;
		filler->ready &= ~filler_bit(i);
		filler->due &= ~filler_bit(i);
		filler->owing &= ~filler_bit(i);
		while (filler->used && !filler->inputs[filler->used - 1])
			filler->used--;
	}
	pthread_mutex_unlock(&filler->lock);
	/* Others may have waited for its places. */
	if (found)
		li_filler_poke(filler);
	free(found);
	return error;
}

void li_filler_poke(struct filler *filler)
{
	const uint64_t one = 1;

	atomic_store(&filler->poked, true);
	if (atomic_load(&filler->asleep))
		li_sys_write(filler->sys, filler->poke, &one, sizeof(one));
}

void li_filler_give_up(struct filler *filler)
{
	unwatch(filler, filler->session->socket);
	unwatch(filler, filler->session->kick);
	li_filler_condemn(filler);
	/* There are answers to give, and nothing else may tell of it. */
	li_filler_poke(filler);
}

int li_filler_join(struct filler *filler, int socket, bool own, uint64_t features)
{
	const struct session_choices choices = {
		.shape = {.capacity = filler->choices.capacity,
	                  .completion_capacity = 2 * filler->choices.max_outstanding,
	                  .max_outstanding = filler->choices.max_outstanding,
	                  .features = features,
	                  .epoch = filler->epoch + 1},
		.socket = socket,
		.own_socket = own,
	};
	struct session *made;
	int error = 0;

	pthread_mutex_lock(&filler->lock);
	if (filler->session && li_session_dead(filler->session))
		li_filler_give_up(filler);
	if (filler->session)
		error = -EBUSY;
	/* Watched first: once the reader has been told, nothing may fail any more. */
	if (!error)
		error = watch(filler, socket, ABOUT_SOCKET, EPOLLIN | EPOLLRDHUP);
	if (error)
		goto unlock;
	error = li_session_new(filler->sys, &choices, &made);
	if (error) {
		unwatch(filler, socket);
		goto unlock;
	}
	error = watch(filler, made->kick, ABOUT_KICK, EPOLLIN | EPOLLET);
	if (error) {
		unwatch(filler, socket);
		made->own_socket = false;
		li_session_condemn(made);
		li_session_put(made);
		goto unlock;
	}
	filler->epoch++;
	filler->session = made;
	filler->refusing = false;
	filler->scarce = false;
	filler->full = false;
	li_filler_set_polled(filler);
	li_filler_poke(filler);
unlock:
	pthread_mutex_unlock(&filler->lock);
	return error;
}

/* What is so now, rather than counted. */
static void gauge(struct filler *filler)
{
	struct session *const session = filler->session;
	const struct place *const oldest = places_oldest(&filler->places);
	uint64_t *const counters = filler->counters;

	/* What cannot be is left to the next dispatch, which condemns. */
	if (session)
		li_session_look_room(session);
	counters[LIBIOMMU_RING_OUTSTANDING] = filler->places.busy;
	counters[LIBIOMMU_RING_UNRELEASED] = session ? session->prod - session->cons : 0;
	counters[LIBIOMMU_RING_WAITING] = session && filler->scarce;
	counters[LIBIOMMU_RING_OLDEST] = oldest ? oldest->published : 0;
}

void li_filler_show_counters(struct filler *filler)
{
	gauge(filler);
	if (!filler->session)
		return;
	for (unsigned int i = 0; i < RING_COUNTERS; i++)
		atomic_store_explicit(&filler->session->memory.a->counters[i], filler->counters[i],
		                      memory_order_relaxed);
}

uint64_t li_filler_counter(struct filler *filler, unsigned int which)
{
	uint64_t value;

	pthread_mutex_lock(&filler->lock);
	gauge(filler);
	value = filler->counters[which];
	pthread_mutex_unlock(&filler->lock);
	return value;
}

int li_filler_monitor(struct filler *filler)
{
	int fd = -ENODATA;

	pthread_mutex_lock(&filler->lock);
	if (filler->session)
		fd = li_sys_dup(filler->sys, filler->session->memory.a_fd);
	pthread_mutex_unlock(&filler->lock);
	return fd;
}
