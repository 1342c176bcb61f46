/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Reading, with what has to go with it under the queue's lock: registering and translating. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "../base/feed.h"
#include "fault-queue.h"
#include "registry.h"

_Static_assert(LIBIOMMU_RECORD_PASID == UAPI_PGFAULT_FLAGS_PASID_VALID &&
                       LIBIOMMU_FAULT_READ == UAPI_PGFAULT_PERM_READ &&
                       LIBIOMMU_FAULT_WRITE == UAPI_PGFAULT_PERM_WRITE &&
                       LIBIOMMU_FAULT_EXEC == UAPI_PGFAULT_PERM_EXEC &&
                       LIBIOMMU_FAULT_PRIVILEGED == UAPI_PGFAULT_PERM_PRIV,
               "bits are passed on as they are");

#define PERMISSIONS                                                                                \
	(LIBIOMMU_FAULT_READ | LIBIOMMU_FAULT_WRITE | LIBIOMMU_FAULT_EXEC |                        \
	 LIBIOMMU_FAULT_PRIVILEGED)

/* What faults come from. */
struct origin {
	uint64_t source;     /* see source_of() */
	uint32_t pasid_flag; /* UAPI_PGFAULT_FLAGS_PASID_VALID or 0 */
	uint32_t pasid;
	const struct slot *slot;       /* NULL: nothing that the library attached */
	struct libiommu_record record; /* in the caller's terms, as if the last of its group */
};

/*
 * Whether faults of this queue come through what is attached there. That is told by the queue's id
 * and nothing else: what is of another queue may go at any time.
 */
static bool leads_to(const struct slot *slot, uint32_t queue, struct slot_value *value)
{
	return slot_read(slot, value) && (value->queue == queue || value->queue == SLOT_QUEUE_ANY);
}

/*
 * Where the fault came through: the PASID's attachment, else the device's own. It may have waited
 * in the queue of the latter since before the PASID had one.
 */
static const struct slot *find_slot(struct name *name, uint32_t queue, const struct origin *origin,
                                    struct slot_value *value)
{
	const struct slot *slot;

	if (origin->pasid_flag) {
		slot = table_find(&name->pasids, origin->pasid);
		if (slot && leads_to(slot, queue, value))
			return slot;
	}
	if (!leads_to(&name->own, queue, value))
		return NULL;
	value->vpasid = origin->pasid_flag ? origin->pasid : 0;
	/* Of a queue that is not known, it is not ours to guard. */
	if (value->queue == queue)
		name->told = (struct told){.tag = value->tag, .generation = value->generation};
	return &name->own;
}

/* Which device and which PASID, in one: they are side by side. */
static inline uint64_t source_of(const struct uapi_hwpt_pgfault *raw)
{
	uint64_t source;

	_Static_assert(offsetof(struct uapi_hwpt_pgfault, pasid) ==
	                       offsetof(struct uapi_hwpt_pgfault, dev_id) + sizeof(raw->dev_id),
	               "they are not");
	memcpy(&source, (const char *)raw + offsetof(struct uapi_hwpt_pgfault, dev_id),
	       sizeof(source));
	return source;
}

static void find_origin(const struct libiommu_fault_queue *queue,
                        const struct uapi_hwpt_pgfault *raw, struct origin *origin)
{
	struct name *const name =
		li_registry_name(li_ctx_registry(li_fault_queue_ctx(queue)), raw->dev_id);
	struct slot_value value = {0};
	bool shared_group = false;
	uint32_t generation;
	uint64_t label;

	*origin = (struct origin){
		.source = source_of(raw),
		.pasid_flag = raw->flags & UAPI_PGFAULT_FLAGS_PASID_VALID,
		.pasid = raw->pasid,
	};
	if (name && li_name_label(name, &label, &generation, &shared_group)) {
		origin->record.label = label;
		origin->record.flags = shared_group ? LIBIOMMU_RECORD_SHARED_GROUP : 0;
		origin->slot = find_slot(name, li_fault_queue_id(queue), origin, &value);
	}
	if (!origin->slot)
		value = (struct slot_value){.vpasid = origin->pasid_flag ? raw->pasid : 0};
	origin->record.kind = LIBIOMMU_RECORD_FAULT;
	origin->record.flags |= (uint8_t)origin->pasid_flag | LIBIOMMU_RECORD_LAST |
	                        (origin->slot ? 0 : LIBIOMMU_RECORD_UNKNOWN);
	origin->record.tag = value.tag;
	origin->record.vpasid = value.vpasid;
	origin->record.attachment = value.generation;
}

static inline bool is_from(const struct uapi_hwpt_pgfault *raw, const struct origin *origin)
{
	return source_of(raw) == origin->source &&
	       (raw->flags & UAPI_PGFAULT_FLAGS_PASID_VALID) == origin->pasid_flag;
}

/* What all faults of an origin have in common, and what a fault has to itself. */
static inline void write_record(struct libiommu_record *restrict to,
                                const struct libiommu_record *restrict common, uint64_t token,
                                const struct uapi_hwpt_pgfault *restrict raw)
{
	*to = *common;
	to->permissions = raw->perm & PERMISSIONS;
	to->token = token;
	to->address = raw->addr;
	to->length = raw->length;
	to->group = raw->grpid;
}

/* What goes on from one group to the next. */
struct position {
	const struct uapi_hwpt_pgfault *raw;
	const struct uapi_hwpt_pgfault *end;
	struct libiommu_record *to;
	struct fault_run *run;
};

/* The group that comes next, whatever it is like. */
static void register_group(struct fault_groups *groups, const struct origin *origin,
                           struct position *position)
{
	const struct uapi_hwpt_pgfault *const first = position->raw;
	const uint64_t token = fault_groups_add(groups, first->cookie, origin->slot);
	struct libiommu_record *const to = position->to;

	for (;;) {
		write_record(position->to++, &origin->record, token, position->raw++);
		if (position->raw == position->end || position->raw->cookie != first->cookie)
			break;
		position->to[-1].flags &= (uint8_t)~LIBIOMMU_RECORD_LAST;
	}
	*position->run++ = (struct fault_run){token, (uint32_t)(position->to - to), true, false};
}

/*
 * The groups that come next as long as they are like nearly all: of one fault, and their places
 * are free. Nothing is called meanwhile, so that what they have in common stays at hand.
 */
__attribute__((noinline)) static void register_usual(struct fault_groups *groups,
                                                     const struct origin *origin,
                                                     struct position *position)
{
	const struct uapi_hwpt_pgfault *const last = position->end - 1;
	const struct uapi_hwpt_pgfault *raw = position->raw;
	struct libiommu_record *to = position->to;
	struct fault_run *run = position->run;
	struct fault_group *const all = groups->groups;
	const uint32_t room = groups->strays ? 0 : groups->room;

	for (; raw != last && is_from(raw, origin); raw++) {
		const uint32_t cookie = raw->cookie;
		struct fault_group *const group = &all[cookie - 1];

		if (cookie - 1 >= room || group->used || raw[1].cookie == cookie)
			break;
		group->slot = origin->slot;
		group->token += FAULT_GENERATION;
		group->cookie = cookie;
		group->used = true;
		write_record(to++, &origin->record, group->token, raw);
		*run++ = (struct fault_run){group->token, 1, true, false};
	}
	groups->used += (uint32_t)(raw - position->raw);
	position->raw = raw;
	position->to = to;
	position->run = run;
}

size_t li_fault_queue_register(struct libiommu_fault_queue *queue,
                               const struct uapi_hwpt_pgfault *raw, size_t count,
                               struct libiommu_record *to, struct fault_run *runs)
{
	struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;
	struct position position = {.raw = raw, .end = raw + count, .to = to, .run = runs};
	struct origin origin;

	/* What is attached does not change meanwhile. */
	while (position.raw != position.end) {
		find_origin(queue, position.raw, &origin);
		do {
			register_usual(groups, &origin, &position);
			if (is_from(position.raw, &origin))
				register_group(groups, &origin, &position);
		} while (position.raw != position.end && is_from(position.raw, &origin));
	}
	return (size_t)(position.run - runs);
}

static ssize_t read_some(struct libiommu_fault_queue *queue, int fd, struct uapi_hwpt_pgfault *raw,
                         size_t count)
{
	struct feed *const feed = li_fault_queue_state(queue)->feed;

	return feed ? li_feed_read(feed, raw, count * sizeof(*raw))
	            : li_sys_read(li_fault_queue_sys(queue), fd, raw, count * sizeof(*raw));
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
		got = read_some(queue, fd, batch->raw, room);
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

/* What is read goes where it is wanted, if it fits there. */
static struct fault_outcome fetch_new(struct libiommu_fault_queue *queue,
                                      struct fault_intake *intake)
{
	struct libiommu_fault_batch *const batch = intake->batch;
	const struct fault_outcome outcome = fill(queue, batch, intake->limit);

	intake->direct = intake->records && batch->count <= intake->limit;
	batch->groups = li_fault_queue_register(queue, batch->raw, batch->count,
	                                        intake->direct ? intake->records : batch->faults,
	                                        intake->direct ? intake->runs : batch->runs);
	return outcome;
}

struct fault_outcome li_fault_queue_fetch(struct libiommu_fault_queue *queue,
                                          struct fault_intake *intake)
{
	struct fault_state *const state = li_fault_queue_state(queue);
	struct fault_outcome outcome = {0};

	fault_batch_clear(intake->batch);
	intake->direct = false;
	intake->notice_count = 0;
	li_fault_queue_lock(queue, NULL);
	if (!intake->limit)
		li_fault_queue_skip_early(state);
	if (state->notices.count)
		intake->notice_count =
			li_fault_notices_take(&state->notices, li_fault_queue_early_given(state),
		                              intake->notices, intake->max_notices);
	if (intake->limit && !intake->notice_count)
		outcome = state->early.count ? li_fault_queue_fetch_early(queue, intake)
		                             : fetch_new(queue, intake);
	intake->more = state->notices.count || state->early.count;
	li_fault_queue_unlock(queue, NULL);
	return outcome;
}

int libiommu_fault_queue_read(struct libiommu_fault_queue *queue,
                              struct libiommu_fault_batch *batch)
{
	struct fault_intake intake = {.batch = batch};
	struct fault_outcome outcome;
	int error;

	if (!queue || !batch)
		return FAIL_NULL(queue ? li_fault_queue_ctx(queue) : NULL);
	if (li_fault_queue_is_taken(queue))
		return li_fault_queue_tell_taken(queue, __func__);
	/* Of what waits already the kernel would not be asked. */
	error = li_ctx_check_open(li_fault_queue_ctx(queue), __func__, true);
	if (error)
		return error;
	intake.limit = batch->room;
	outcome = li_fault_queue_fetch(queue, &intake);
	return outcome.error ? li_fault_queue_tell(queue, __func__, &outcome) : (int)outcome.done;
}
