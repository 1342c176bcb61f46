/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "driver.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>

/* What fails mostly fails again at once: milliseconds until the next attempt. */
#define FIRST_PAUSE 10
#define MAX_PAUSE   160

void li_driver_init(struct driver *driver, const struct driver_work *work)
{
	driver->work = *work;
	pthread_mutex_init(&driver->lock, NULL);
	pthread_cond_init(&driver->idle, NULL);
	driver->state = DRIVER_IDLE;
	driver->bell = -1;
	atomic_init(&driver->ending, false);
}

void li_driver_free(struct driver *driver)
{
	pthread_cond_destroy(&driver->idle);
	pthread_mutex_destroy(&driver->lock);
}

/* Where even waiting fails, @timeout or a little longer is waited in another way. */
static void wait_for(const struct driver *driver, bool work, int timeout)
{
	struct pollfd fds[2] = {
		{.fd = driver->bell, .events = POLLIN},
		{.fd = driver->work.fd, .events = POLLIN},
	};
	const int result = li_sys_poll(driver->work.sys, fds, work ? 2 : 1, timeout);

	if (result >= 0 || result == -EINTR)
		return;
	driver->work.tell(driver->work.self, result);
	li_sys_pause(timeout < 0 ? FIRST_PAUSE : timeout);
}

static void *drive(void *arg)
{
	struct driver *const driver = arg;
	int pause = FIRST_PAUSE;

	pthread_setname_np(pthread_self(), "libiommu-ring");
	for (;;) {
		wait_for(driver, true, -1);
		if (atomic_load(&driver->ending))
			return NULL;
		if (!driver->work.dispatch(driver->work.self)) {
			pause = FIRST_PAUSE;
			continue;
		}
		wait_for(driver, false, pause);
		if (pause < MAX_PAUSE)
			pause *= 2;
	}
}

/*
 * Signals are for the program's own threads. A thread that raises one itself still gets it: what
 * happens to one of these that is blocked is not defined.
 */
static void block_signals(sigset_t *before)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
	sigset_t blocked;

	sigfillset(&blocked);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&blocked, own[i]);
	pthread_sigmask(SIG_SETMASK, &blocked, before);
}

static int start(struct driver *driver)
{
	const int bell = li_sys_eventfd(driver->work.sys);
	sigset_t before;
	int error;

	if (bell < 0)
		return bell;
	driver->bell = bell;
	atomic_store(&driver->ending, false);
	/* It inherits the mask, so that there is no moment in which a signal reaches it. */
	block_signals(&before);
	error = -pthread_create(&driver->thread, NULL, drive, driver);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		li_sys_close(driver->work.sys, bell);
	else
		driver->state = DRIVER_RUNNING;
	return error;
}

int li_driver_start(struct driver *driver)
{
	int error = -EALREADY;

	pthread_mutex_lock(&driver->lock);
	if (driver->state == DRIVER_IDLE)
		error = start(driver);
	pthread_mutex_unlock(&driver->lock);
	return error;
}

/* With the lock held, save while the thread ends: what it calls may ask to stop it. */
static void stop(struct driver *driver)
{
	const uint64_t one = 1;

	driver->state = DRIVER_STOPPING;
	pthread_mutex_unlock(&driver->lock);
	atomic_store(&driver->ending, true);
	li_sys_write(driver->work.sys, driver->bell, &one, sizeof(one));
	pthread_join(driver->thread, NULL);
	li_sys_close(driver->work.sys, driver->bell);
	pthread_mutex_lock(&driver->lock);
	driver->state = DRIVER_IDLE;
	pthread_cond_broadcast(&driver->idle);
}

int li_driver_stop(struct driver *driver)
{
	int error = 0;

	pthread_mutex_lock(&driver->lock);
	if (driver->state != DRIVER_IDLE && pthread_equal(driver->thread, pthread_self())) {
		error = -EDEADLK;
	} else if (driver->state == DRIVER_RUNNING) {
		stop(driver);
	} else {
		error = -ENOENT;
		while (driver->state == DRIVER_STOPPING)
			pthread_cond_wait(&driver->idle, &driver->lock);
	}
	pthread_mutex_unlock(&driver->lock);
	return error;
}
