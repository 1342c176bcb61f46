/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Reading and answering, each with what has to go with it under the queue's lock. */
#include <errno.h>
#include <limits.h>

#include "fault-queue.h"
#include "registry.h"

_Static_assert(LIBIOMMU_FAULT_PASID == UAPI_PGFAULT_FLAGS_PASID_VALID &&
                       LIBIOMMU_FAULT_LAST == UAPI_PGFAULT_FLAGS_LAST_PAGE &&
                       LIBIOMMU_FAULT_READ == UAPI_PGFAULT_PERM_READ &&
                       LIBIOMMU_FAULT_WRITE == UAPI_PGFAULT_PERM_WRITE &&
                       LIBIOMMU_FAULT_EXEC == UAPI_PGFAULT_PERM_EXEC &&
                       LIBIOMMU_FAULT_PRIVILEGED == UAPI_PGFAULT_PERM_PRIV &&
                       (int)LIBIOMMU_FAULT_SUCCESS == UAPI_PAGE_RESP_SUCCESS &&
                       (int)LIBIOMMU_FAULT_INVALID == UAPI_PAGE_RESP_INVALID,
               "bits and codes are passed on as they are");

#define PERMISSIONS                                                                                \
	(LIBIOMMU_FAULT_READ | LIBIOMMU_FAULT_WRITE | LIBIOMMU_FAULT_EXEC |                        \
	 LIBIOMMU_FAULT_PRIVILEGED)

static const struct libiommu_sys *sys_of(const struct libiommu_fault_queue *queue)
{
	return li_ctx_backend(li_fault_queue_ctx(queue))->sys;
}

/* Where the fault came through: the PASID's attachment, else the device's own. */
static const struct slot *find_slot(const struct name *name, const struct uapi_hwpt_pgfault *raw,
                                    struct slot_value *value)
{
	const struct slot *slot;

	if (raw->flags & UAPI_PGFAULT_FLAGS_PASID_VALID) {
		slot = table_find(&name->pasids, raw->pasid);
		if (slot && slot_read(slot, value))
			return slot;
	}
	if (!slot_read(&name->own, value))
		return NULL;
	value->vpasid = raw->flags & UAPI_PGFAULT_FLAGS_PASID_VALID ? raw->pasid : 0;
	return &name->own;
}

/* All but the token. The kernel lets a driver's own bits through: keep those that are defined. */
static const struct slot *translate(const struct libiommu_fault_queue *queue,
                                    const struct uapi_hwpt_pgfault *raw,
                                    struct libiommu_fault *fault)
{
	const struct name *const name =
		li_registry_name(li_ctx_registry(li_fault_queue_ctx(queue)), raw->dev_id);
	const struct slot *slot = NULL;
	struct slot_value value = {0};
	bool shared_group = false;
	uint32_t generation;
	uint64_t label = 0;

	if (name && li_name_label(name, &label, &generation, &shared_group)) {
		slot = find_slot(name, raw, &value);
	} else {
		label = 0;
		shared_group = false;
	}
	if (!slot && raw->flags & UAPI_PGFAULT_FLAGS_PASID_VALID)
		value.vpasid = raw->pasid;
	*fault = (struct libiommu_fault){
		.label = label,
		.tag = slot ? value.tag : 0,
		.address = raw->addr,
		.length = raw->length,
		.vpasid = value.vpasid,
		.group = raw->grpid,
		.flags = (raw->flags & (LIBIOMMU_FAULT_PASID | LIBIOMMU_FAULT_LAST)) |
	                 (slot ? 0 : LIBIOMMU_FAULT_UNKNOWN) |
	                 (shared_group ? LIBIOMMU_FAULT_SHARED_GROUP : 0),
		.permissions = raw->perm & PERMISSIONS,
		.generation = value.generation,
	};
	return slot;
}

/* A group is what has one cookie: those that were read and not answered all have different ones. */
static void take_in(struct libiommu_fault_queue *queue, struct libiommu_fault_batch *batch)
{
	struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;

	for (size_t i = 0; i < batch->count; i++) {
		const struct slot *const slot = translate(queue, &batch->raw[i], &batch->faults[i]);

		if (i && batch->raw[i].cookie == batch->raw[i - 1].cookie)
			batch->faults[i].token = batch->faults[i - 1].token;
		else
			batch->faults[i].token =
				li_fault_groups_add(groups, batch->raw[i].cookie, slot);
	}
}

/* Everything that needs memory comes before the read: what was read cannot be put back. */
static struct fault_outcome fill(struct libiommu_fault_queue *queue,
                                 struct libiommu_fault_batch *batch, size_t limit)
{
	struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;
	struct fault_outcome outcome = {0};
	const int fd = li_fault_queue_descriptor(queue);
	size_t size = limit < batch->room ? limit : batch->room;
	ssize_t got;

	if (fd < 0)
		return (struct fault_outcome){.error = -EBADF, .text = "the queue is closed"};
	for (;;) {
		const size_t room = li_fault_groups_reserve(groups, (uint32_t)size);

		if (!room && groups->used == FAULT_GROUPS_MAX)
			return (struct fault_outcome){.error = -ENOBUFS,
			                              .text = "2^20 groups are unanswered"};
		if (!room)
			break;
		got = li_sys_read(sys_of(queue), fd, batch->raw, room * sizeof(*batch->raw));
		if (got != -EINVAL || size >= FAULT_BATCH_MAX) {
			outcome.error = got < 0 ? (int)got : 0;
			outcome.call = CALL_FAULT_QUEUE;
			batch->count = got < 0 ? 0 : (size_t)got / sizeof(*batch->raw);
			outcome.done = batch->count;
			return outcome;
		}
		/* The first group does not fit. */
		size *= 2;
		if (room < size / 2 || (size > batch->room && !li_fault_batch_grow(batch, size)))
			break;
	}
	return (struct fault_outcome){.error = -ENOMEM, .text = "no memory"};
}

struct fault_outcome li_fault_queue_fetch(struct libiommu_fault_queue *queue,
                                          struct fault_intake *intake)
{
	struct fault_outcome outcome = {0};
	struct fault_notices *notices;

	intake->batch->count = 0;
	li_fault_queue_lock(queue, NULL);
	notices = &li_fault_queue_state(queue)->notices;
	intake->notice_count = li_fault_notices_take(notices, intake->notices, intake->max_notices);
	if (!notices->count) {
		outcome = fill(queue, intake->batch, intake->limit);
		take_in(queue, intake->batch);
	}
	li_fault_queue_unlock(queue, NULL);
	return outcome;
}

bool li_fault_queue_wants(struct libiommu_fault_queue *queue, uint64_t token)
{
	bool wanted;

	li_fault_queue_lock(queue, NULL);
	wanted = li_fault_groups_wants(&li_fault_queue_state(queue)->groups, token);
	li_fault_queue_unlock(queue, NULL);
	return wanted;
}

/*
 * With the lock: writes the answers that are made up, and retires their groups, also those whose
 * cookie the kernel no longer knows, which count as stale. Returns how many it came to.
 */
static uint32_t write_answers(struct libiommu_fault_queue *queue, uint32_t count,
                              struct fault_outcome *outcome)
{
	struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;
	const size_t size = sizeof(*groups->answers);
	uint32_t done = 0;

	while (done < count) {
		const ssize_t put = li_sys_write(sys_of(queue), li_fault_queue_descriptor(queue),
		                                 groups->answers + done, (count - done) * size);
		uint32_t taken = put > 0 ? (uint32_t)((size_t)put / size) : 0;

		if (put == -EINTR)
			continue;
		if (put == -EINVAL) {
			taken = 1;
			outcome->stale++;
		} else if (!taken || taken > count - done) {
			outcome->error = put < 0 ? (int)put : -EIO;
			outcome->call = CALL_FAULT_QUEUE;
			break;
		}
		for (; taken; taken--)
			li_fault_groups_retire(groups, groups->answered[done++]);
	}
	for (uint32_t i = done; i < count; i++)
		li_fault_groups_give_back(groups, groups->answered[i]);
	return done;
}

static void make_up(struct fault_groups *groups, uint32_t at, uint32_t index, uint32_t code)
{
	groups->answered[at] = index;
	groups->answers[at] = (struct uapi_hwpt_page_response){
		.cookie = groups->groups[index].cookie,
		.code = code,
	};
}

struct fault_outcome li_fault_queue_answer(struct libiommu_fault_queue *queue,
                                           const struct libiommu_fault_response *responses,
                                           size_t count)
{
	struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;
	struct fault_outcome outcome = {0};
	uint32_t made = 0, written;

	li_fault_queue_lock(queue, NULL);
	if (li_fault_queue_descriptor(queue) < 0) {
		outcome.error = -EBADF;
		outcome.text = "the queue is closed";
	}
	for (size_t i = 0; i < count && !outcome.error; i++) {
		const int32_t index = li_fault_groups_take(groups, responses[i].token);

		if (index < 0)
			outcome.stale++;
		else
			make_up(groups, made++, (uint32_t)index, responses[i].code);
	}
	outcome.done = outcome.stale;
	written = made ? write_answers(queue, made, &outcome) : 0;
	outcome.done += written;
	li_fault_queue_unlock(queue, NULL);
	return outcome;
}

static void end_groups(struct libiommu_fault_queue *queue, struct fault_groups *groups,
                       const struct slot *slot)
{
	struct fault_outcome ignored = {0};
	uint32_t made = 0;

	for (uint32_t i = 0; i < groups->room; i++) {
		if (!groups->groups[i].outstanding || groups->groups[i].slot != slot)
			continue;
		groups->groups[i].outstanding = false;
		make_up(groups, made++, i, LIBIOMMU_FAULT_INVALID);
	}
	/* The kernel has answered them, all but those of devices that share an attachment. */
	if (made)
		write_answers(queue, made, &ignored);
	/* Whatever the kernel said: their attachment is gone, and with it their tokens. */
	for (uint32_t i = 0; i < made; i++)
		if (groups->groups[groups->answered[i]].outstanding)
			li_fault_groups_retire(groups, groups->answered[i]);
}

void li_fault_queue_purge(struct libiommu_fault_queue *queue, const struct slot *slot,
                          const struct fault_notice *notice)
{
	struct fault_state *state;

	if (!queue)
		return;
	state = li_fault_queue_state(queue);
	end_groups(queue, &state->groups, slot);
	if (!state->listener.notify) {
		li_fault_notices_unreserve(&state->notices);
		return;
	}
	li_fault_notices_add(&state->notices, notice);
	state->listener.notify(state->listener.self);
}
static int tell(const struct libiommu_fault_queue *queue, const char *operation,
                const struct fault_outcome *outcome)
{
	struct libiommu_ctx *const ctx = li_fault_queue_ctx(queue);

	if (outcome->call == CALL_NONE)
		return FAIL_LIBRARY(ctx, operation, outcome->error, outcome->text,
		                    .id = li_fault_queue_id(queue));
	return FAIL_KERNEL(ctx, operation, outcome->error, outcome->call,
	                   .id = li_fault_queue_id(queue));
}

#define FAIL_TAKEN(queue)                                                                          \
	FAIL_LIBRARY(li_fault_queue_ctx(queue), __func__, -EBUSY, "a ring reads the queue",        \
	             .id = li_fault_queue_id(queue))

int libiommu_fault_queue_read(struct libiommu_fault_queue *queue,
                              struct libiommu_fault_batch *batch)
{
	struct fault_intake intake = {.batch = batch};
	struct fault_outcome outcome;

	if (!queue || !batch)
		return FAIL_NULL(queue ? li_fault_queue_ctx(queue) : NULL);
	if (li_fault_queue_is_taken(queue))
		return FAIL_TAKEN(queue);
	intake.limit = batch->room;
	outcome = li_fault_queue_fetch(queue, &intake);
	return outcome.error ? tell(queue, __func__, &outcome) : (int)outcome.done;
}

int libiommu_fault_queue_respond(struct libiommu_fault_queue *queue,
                                 const struct libiommu_fault_response *responses, size_t count,
                                 size_t *stale)
{
	struct fault_outcome outcome;

	if (!queue || (!responses && count))
		return FAIL_NULL(queue ? li_fault_queue_ctx(queue) : NULL);
	if (count > FAULT_GROUPS_MAX)
		return FAIL_LIBRARY(li_fault_queue_ctx(queue), __func__, -EINVAL,
		                    "more answers than there can be groups",
		                    .id = li_fault_queue_id(queue), .amount = count,
		                    .unit = "answers");
	for (size_t i = 0; i < count; i++)
		if (responses[i].code > LIBIOMMU_FAULT_INVALID)
			return FAIL_LIBRARY(li_fault_queue_ctx(queue), __func__, -EINVAL,
			                    "unknown code", .id = li_fault_queue_id(queue),
			                    .amount = responses[i].code, .unit = "is the code");
	if (li_fault_queue_is_taken(queue))
		return FAIL_TAKEN(queue);
	outcome = li_fault_queue_answer(queue, responses, count);
	if (outcome.error && !outcome.done)
		return tell(queue, __func__, &outcome);
	if (stale)
		*stale = outcome.stale;
	return (int)outcome.done;
}
