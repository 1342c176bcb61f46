/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The filler: takes groups from its sources, publishes them to a reader, and takes the reader's
 * completions back to the sources. It knows nothing of devices, page tables or contexts.
 */
#ifndef LIBIOMMU_FAULT_FILLER_H
#define LIBIOMMU_FAULT_FILLER_H

#include <pthread.h>
#include <stdbool.h>

#include <libiommu/ring.h>

#include "../base/guard.h"
#include "../base/places.h"
#include "../base/sys.h"
#include "session.h"
#include "source.h"

#define FILLER_GROUPS  256 /* groups fetched, and answers collected, at a time */
#define FILLER_SOURCES 64  /* as many as a word has bits */

/* What an event is about; below FILLER_SOURCES, which source. */
enum { ABOUT_KICK = FILLER_SOURCES, ABOUT_POKE, ABOUT_TIMER, ABOUT_SOCKET };

/* A source that calls the kernel takes as long as so many groups of one that does not. */
#define FILLER_CALL 128
/* With fewer groups a round fetches again, if nothing that was called took long. */
#define FILLER_FETCH 8

struct filler_choices {
	uint32_t capacity;
	uint32_t max_outstanding;
	uint64_t deadline; /* ns, 0 for none */
};

struct filler_input {
	struct source *source;
	bool polled;    /* its descriptor is in the epoll set */
	size_t pending; /* answers not given yet */
	struct libiommu_fault_response answers[FILLER_GROUPS];
};

struct filler {
	struct apart before;
	const struct libiommu_sys *sys;
	const volatile uint32_t *guard;
	pthread_mutex_t lock;
	struct filler_choices choices;
	int epoll;
	int timer;
	int poke;
	uint64_t now;      /* of this dispatch */
	uint64_t timer_at; /* 0: not set */
	uint64_t epoch;
	struct session *session; /* NULL: no reader */
	bool refusing;           /* the last reader was given up, and there is no new one */
	bool scarce;             /* room ran out, or places did */
	bool full;               /* room did */
	bool waking;
	uint32_t home;      /* the source of the last completion that was looked at closely */
	uint64_t ready;     /* inputs that may have something, a bit each */
	uint64_t due;       /* those with answers that are not given yet */
	uint64_t owing;     /* those whose source has answers that it is to try again */
	atomic_bool poked;  /* some source has something, whatever its descriptor says */
	atomic_bool asleep; /* no dispatch is at work: the poke must be heard */
	uint32_t done;      /* in this round: groups fetched, completions taken, calls */
	uint32_t age;       /* work in this turn, in small rounds */
	uint32_t turn;      /* the source that comes first when there is not room for all */
	struct places places;
	uint32_t used; /* inputs from here on are NULL */
	struct filler_input *inputs[FILLER_SOURCES];
	uint64_t counters[RING_COUNTERS];
	struct apart behind;
};

static inline uint64_t filler_bit(uint32_t number)
{
	return UINT64_C(1) << number;
}

/* The lowest of some inputs, which there must be. */
static inline uint32_t filler_first(uint64_t inputs)
{
	return (uint32_t)__builtin_ctzll(inputs);
}

int li_filler_new(const struct libiommu_sys *sys, const struct filler_choices *choices,
                  struct filler **filler);
/* Gives up on the reader, answers all that is out, lets go of the sources. */
void li_filler_free(struct filler *filler);

/* -ENOSPC: there are as many sources as there can be. The source stays the caller's. */
int li_filler_add(struct filler *filler, struct source *source);
/* Its groups that are out are answered INVALID; -ENOENT where it was not added. */
int li_filler_remove(struct filler *filler, const struct source *source);
/* There is something to fetch that no descriptor tells of. Takes no lock, and never waits. */
void li_filler_poke(struct filler *filler);

/* A new reader at the other end of @socket; -EBUSY while there is one. */
int li_filler_join(struct filler *filler, int socket, bool own, uint64_t features);
/* All there is to do now. Never blocks, save for the lock. */
int li_filler_dispatch(struct filler *filler);
uint64_t li_filler_counter(struct filler *filler, unsigned int which);
/* A descriptor of the reader's memory A, the caller's to close; -ENODATA without a reader. */
int li_filler_monitor(struct filler *filler);

/* With the lock held (answer.c): what the reader has completed, what is late, what is given up. */
int li_filler_take(struct filler *filler, uint32_t made);
/* False: a group is late that the reader has not even released, or what it says cannot be. */
bool li_filler_expire(struct filler *filler);
void li_filler_condemn(struct filler *filler);
void li_filler_drop_unwanted(struct filler *filler, uint32_t source);
void li_filler_drop_source(struct filler *filler, uint32_t source);
int li_filler_flush(struct filler *filler);
/* With the lock held (filler.c). */
void li_filler_show_counters(struct filler *filler);
void li_filler_give_up(struct filler *filler);
int li_filler_set_polled(struct filler *filler);
/* With the lock held (publish.c): what each source that is ready has now. */
int li_filler_fetch(struct filler *filler);
int li_filler_refuse(struct filler *filler);

#endif
