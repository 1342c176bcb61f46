/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "reader.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* As many messages of the filler are taken in at a time; it sends one for each sleep. */
#define MAX_MESSAGES 16

/* Announce the sleep, then look once more: 0: sleep; 1: there is something; or the end. */
static int announce(struct libiommu_reader *reader)
{
	const struct ring_a *const a = reader->memory.a;

	/* Never 0, and never twice the same in a row: the filler tells waits apart by it. */
	reader->seq = (reader->seq + 2) & ~RING_WAIT_SCARCE;
	if (!reader->seq)
		reader->seq = 2;
	atomic_store(&reader->memory.b->wait,
	             reader->seq | (reader->scarce ? RING_WAIT_SCARCE : 0));
	if (reader->gone || atomic_load(&a->state) != RING_OPEN)
		return -EPIPE;
	if (!reader->scarce)
		return atomic_load(&a->prod) != reader->next;
	/* Orders what follows behind the filler's last look at B.wait, and so behind its taking. */
	atomic_load(&a->wait);
	reader->scarce = !reader_room(reader);
	return !reader->scarce;
}

static void up(struct libiommu_reader *reader)
{
	atomic_store_explicit(&reader->memory.b->wait, 0, memory_order_relaxed);
}

/* False: the other end of the socket is closed, which it is for good. */
static bool drain(struct libiommu_reader *reader, bool bell, bool socket)
{
	uint64_t rung;

	if (bell)
		li_sys_read(reader->sys, reader->bell, &rung, sizeof(rung));
	for (int i = 0; socket && i < MAX_MESSAGES; i++) {
		unsigned int none = 0;
		char message[64];
		const ssize_t got = li_sys_receive(reader->sys, reader->socket, message,
		                                   sizeof(message), NULL, &none, MSG_DONTWAIT);

		if (got == -EAGAIN || got == -EINTR)
			return true;
		reader->gone = got <= 0;
		if (reader->gone)
			return false;
	}
	return true;
}

int libiommu_reader_arm(struct libiommu_reader *reader)
{
	int result;

	if (!reader)
		return READER_FAIL_NULL();
	if (guard_forked(reader->guard))
		return READER_FAIL_FORKED();
	result = announce(reader);
	if (result)
		up(reader);
	return result < 0 ? READER_FAIL_END() : result;
}

int libiommu_reader_disarm(struct libiommu_reader *reader)
{
	if (!reader)
		return READER_FAIL_NULL();
	if (guard_forked(reader->guard))
		return READER_FAIL_FORKED();
	up(reader);
	return drain(reader, true, true) ? 0 : READER_FAIL_END();
}

int libiommu_reader_sleep(struct libiommu_reader *reader, int timeout)
{
	struct pollfd fds[2];
	bool alive = true;
	int result;

	if (!reader)
		return READER_FAIL_NULL();
	if (guard_forked(reader->guard))
		return READER_FAIL_FORKED();
	result = announce(reader);
	if (result) {
		up(reader);
		return result < 0 ? READER_FAIL_END() : result;
	}
	fds[0] = (struct pollfd){.fd = reader->bell, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = reader->socket, .events = POLLIN};
	result = li_sys_poll(reader->sys, fds, 2, timeout);
	if (result > 0)
		alive = drain(reader, fds[0].revents, fds[1].revents);
	up(reader);
	if (!alive)
		return READER_FAIL_END();
	if (result < 0)
		return li_failure_kernel(NULL, __func__, result, CALL_RING,
		                         &(const struct failure_detail){0});
	return result > 0;
}

int libiommu_reader_fd(const struct libiommu_reader *reader)
{
	return reader ? reader->epoll : READER_FAIL_NULL();
}
