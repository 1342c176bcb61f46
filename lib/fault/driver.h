/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The only thread that the library ever makes: it does what a program's own loop would do. */
#ifndef LIBIOMMU_FAULT_DRIVER_H
#define LIBIOMMU_FAULT_DRIVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "../base/sys.h"

struct driver_work {
	const struct libiommu_sys *sys;
	int fd; /* readable when there is something to do */
	/* All there is to do; -errno, which it has told to whom it concerns. */
	int (*dispatch)(void *self);
	/* Waiting for the descriptor failed. */
	void (*tell)(void *self, int error);
	void *self;
};

enum driver_state {
	DRIVER_IDLE,
	DRIVER_RUNNING,
	DRIVER_STOPPING,
};

struct driver {
	struct driver_work work;
	pthread_mutex_t lock;
	pthread_cond_t idle; /* no longer stopping */
	enum driver_state state;
	pthread_t thread;
	int bell;           /* rung once, to end it */
	atomic_bool ending; /* the same, should waiting for the bell fail */
};

void li_driver_init(struct driver *driver, const struct driver_work *work);
/* It must be stopped. */
void li_driver_free(struct driver *driver);

/* -EALREADY where it runs or is being stopped, else what the kernel says: then nothing is left. */
int li_driver_start(struct driver *driver);
/*
 * Returns when the thread is gone: -ENOENT if it was somebody else's doing, -EDEADLK, with nothing
 * done, in the thread itself.
 */
int li_driver_stop(struct driver *driver);

#endif
