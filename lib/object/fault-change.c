/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Changes of what is attached, as steps that those who read and answer faults see whole. */
#include <errno.h>

#include "fault-queue.h"
#include "registry.h"

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

int li_fault_queue_change_begin(struct libiommu_fault_queue *from, struct libiommu_fault_queue *to)
{
	enter(from, to);
	if (!to || li_fault_notices_reserve(&li_fault_queue_state(to)->notices))
		return 0;
	leave(from, to);
	return -ENOMEM;
}

void li_fault_queue_change_end(struct libiommu_fault_queue *from, struct libiommu_fault_queue *to,
                               bool changed)
{
	if (to && !changed)
		li_fault_notices_unreserve(&li_fault_queue_state(to)->notices);
	leave(from, to);
}

void li_fault_queue_leave_begin(struct libiommu_fault_queue *from)
{
	enter(from, NULL);
}

struct fault_notice li_fault_notice(const struct name *name, const struct slot *slot)
{
	struct slot_value value = {0};

	slot_read(slot, &value);
	return (struct fault_notice){
		.label = atomic_load_explicit(&name->label, memory_order_relaxed),
		.tag = value.tag,
		.vpasid = value.vpasid,
		.attachment = value.generation,
		.pasid = slot != &name->own,
	};
}

int li_fault_queue_listen(struct libiommu_fault_queue *queue, const struct fault_listener *listener)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	int error = 0;

	li_fault_queue_lock(queue, NULL);
	if (state->listener.notify)
		error = -EBUSY;
	else if (li_fault_queue_descriptor(queue) < 0)
		error = -EBADF;
	else
		state->listener = *listener;
	atomic_store_explicit(&state->taken, state->listener.notify, memory_order_relaxed);
	li_fault_queue_unlock(queue, NULL);
	if (!error)
		li_fault_queue_pin(queue);
	return error;
}

void li_fault_queue_unlisten(struct libiommu_fault_queue *queue)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	struct fault_notice none;

	li_fault_queue_lock(queue, NULL);
	state->listener = (struct fault_listener){0};
	atomic_store_explicit(&state->taken, false, memory_order_relaxed);
	while (li_fault_notices_take(&state->notices, &none, 1))
		;
	li_fault_queue_unlock(queue, NULL);
	li_fault_queue_unpin(queue);
}

bool li_fault_queue_is_taken(struct libiommu_fault_queue *queue)
{
	return atomic_load_explicit(&li_fault_queue_state(queue)->taken, memory_order_relaxed);
}
