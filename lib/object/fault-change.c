/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Changes of what is attached, as steps that those who read and answer faults see whole. */
#include <errno.h>

#include "../base/feed.h"
#include "fault-queue.h"
#include "registry.h"

static struct feed *feed_of(struct libiommu_fault_queue *queue)
{
	return queue ? li_fault_queue_state(queue)->feed : NULL;
}

/*
 * The kernel has nothing in flight any more: what it had read ahead is registered. Otherwise it
 * could free a cookie that nobody knows of yet, and give it to another fault.
 */
static int quiesce(struct libiommu_fault_queue *queue)
{
	struct feed *const feed = feed_of(queue);
	int error;

	if (!feed)
		return 0;
	error = li_feed_pause(feed);
	if (!error)
		error = li_fault_queue_take_early(queue);
	if (error)
		li_feed_resume(feed);
	return error;
}

/* If it was paused. */
static void resume(struct libiommu_fault_queue *queue)
{
	if (feed_of(queue))
		li_feed_resume(feed_of(queue));
}

/*
 * A page table that something was attached to is free in the middle of the change, and so might be
 * its queue: neither goes before the lock is given back.
 */
static void enter(struct libiommu_fault_queue *from, struct libiommu_fault_queue *to)
{
	li_fault_queue_pin(from);
	li_fault_queue_pin(to);
	li_fault_queue_lock(from, to);
}

static void leave(struct libiommu_fault_queue *from, struct libiommu_fault_queue *to)
{
	li_fault_queue_unlock(from, to);
	li_fault_queue_unpin(to);
	li_fault_queue_unpin(from);
}

/* Who does not read must not make attachments that come and go take more and more memory. */
static int reserve(struct fault_notices *notices)
{
	if (notices->count >= FAULT_NOTICES_MAX)
		return -ENOBUFS;
	return li_fault_notices_reserve(notices) ? 0 : -ENOMEM;
}

int li_fault_queue_change_begin(struct libiommu_fault_queue *from, struct libiommu_fault_queue *to)
{
	int error = 0;

	enter(from, to);
	if (to)
		error = reserve(&li_fault_queue_state(to)->notices);
	if (!error) {
		error = quiesce(from);
		if (error && to)
			li_fault_notices_unreserve(&li_fault_queue_state(to)->notices);
	}
	if (error)
		leave(from, to);
	return error;
}

int li_fault_queue_change_settle(struct libiommu_fault_queue *to)
{
	int error = quiesce(to);

	if (!error)
		error = li_fault_queue_take_waiting(to);
	if (error)
		li_fault_queue_change_end(NULL, to, false);
	return error;
}

void li_fault_queue_change_end(struct libiommu_fault_queue *from, struct libiommu_fault_queue *to,
                               bool changed)
{
	if (to && !changed)
		li_fault_notices_unreserve(&li_fault_queue_state(to)->notices);
	resume(from);
	resume(to);
	leave(from, to);
}

void li_fault_queue_leave_begin(struct libiommu_fault_queue *from)
{
	struct feed *feed;

	enter(from, NULL);
	feed = feed_of(from);
	/* Where the kernel does not let go in half a minute, there is nothing to wait for. */
	if (!feed || li_feed_pause(feed))
		return;
	/* Without memory what was read ahead is not handed on, but it is answered. */
	if (li_fault_queue_take_early(from))
		li_fault_queue_refuse_feed(from);
}

struct fault_notice li_fault_notice(const struct name *name, const struct slot *slot)
{
	struct fault_notice notice = {
		.label = atomic_load_explicit(&name->label, memory_order_relaxed),
		.pasid = slot != &name->own,
	};
	struct slot_value value;

	if (!notice.pasid) {
		notice.tag = name->told.tag;
		notice.attachment = name->told.generation;
	} else if (slot_read(slot, &value)) {
		notice.tag = value.tag;
		notice.attachment = value.generation;
		notice.vpasid = value.vpasid;
	}
	return notice;
}

/* Where io_uring is not to be had, for whatever reason, read(2) does the same. */
static void make_feed(struct libiommu_fault_queue *queue, struct fault_state *state)
{
	struct feed *feed;

	if (!li_feed_new(li_fault_queue_sys(queue), li_fault_queue_descriptor(queue),
	                 sizeof(struct uapi_hwpt_pgfault), &feed))
		state->feed = feed;
}

int li_fault_queue_listen(struct libiommu_fault_queue *queue, const struct fault_listener *listener,
                          bool feed)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	int error = 0;

	li_fault_queue_lock(queue, NULL);
	if (state->listener.notify)
		error = -EBUSY;
	else if (li_fault_queue_descriptor(queue) < 0)
		error = -EBADF;
	if (!error) {
		state->listener = *listener;
		atomic_store_explicit(&state->taken, true, memory_order_relaxed);
		if (feed)
			make_feed(queue, state);
	}
	li_fault_queue_unlock(queue, NULL);
	if (!error)
		li_fault_queue_pin(queue);
	return error;
}

int li_fault_queue_input(struct libiommu_fault_queue *queue, bool *fed)
{
	int fd;

	li_fault_queue_lock(queue, NULL);
	*fed = feed_of(queue);
	fd = *fed ? li_feed_fd(feed_of(queue)) : li_fault_queue_descriptor(queue);
	li_fault_queue_unlock(queue, NULL);
	return fd;
}

void li_fault_queue_forget_ends(struct libiommu_fault_queue *queue)
{
	struct fault_state *const state = li_fault_queue_state(queue);

	li_fault_queue_lock(queue, NULL);
	if (state->notices.count)
		li_fault_queue_drop_early(state);
	li_fault_notices_clear(&state->notices);
	li_fault_queue_unlock(queue, NULL);
}

void li_fault_queue_unlisten(struct libiommu_fault_queue *queue)
{
	struct fault_state *const state = li_fault_queue_state(queue);

	li_fault_queue_lock(queue, NULL);
	state->listener = (struct fault_listener){0};
	atomic_store_explicit(&state->taken, false, memory_order_relaxed);
	li_fault_notices_clear(&state->notices);
	li_fault_queue_refuse_early(queue);
	if (state->feed) {
		if (!li_feed_pause(state->feed))
			li_fault_queue_refuse_feed(queue);
		li_feed_free(state->feed);
		state->feed = NULL;
		state->was_fed = true;
	}
	li_fault_queue_unlock(queue, NULL);
	li_fault_queue_unpin(queue);
}

bool li_fault_queue_is_taken(struct libiommu_fault_queue *queue)
{
	return atomic_load_explicit(&li_fault_queue_state(queue)->taken, memory_order_relaxed);
}
