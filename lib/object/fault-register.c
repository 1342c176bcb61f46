/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Registering groups that were read, and translating their faults. */
#include <stddef.h>
#include <string.h>

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

/* Of a record: as much as is copied at once. */
typedef uint64_t quarter
	__attribute__((vector_size(16), aligned(_Alignof(struct libiommu_record)), may_alias));

/* What faults come from. */
struct origin {
	uint64_t source;     /* see source_of() */
	uint32_t pasid_flag; /* UAPI_PGFAULT_FLAGS_PASID_VALID or 0 */
	uint32_t usual;      /* flags of a group of one fault */
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
	origin->usual = origin->pasid_flag | UAPI_PGFAULT_FLAGS_LAST_PAGE;
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

/*
 * What all faults of an origin have in common, and what a fault has to itself. In just this order:
 * of what is written in a row to the same 32 bytes a processor makes one write, and where the lines
 * are the reader's, records that take four writes instead of two take twice as long.
 */
static inline void write_record(struct libiommu_record *restrict to,
                                const struct libiommu_record *restrict common, uint64_t token,
                                const struct uapi_hwpt_pgfault *restrict raw)
{
	const quarter *const from = (const quarter *)common;
	volatile quarter *const quarters = (volatile quarter *)to;
	volatile struct libiommu_record *const fields = to;

	quarters[0] = from[0];
	quarters[1] = from[1];
	fields->permissions = raw->perm & PERMISSIONS;
	fields->token = token;
	quarters[2] = from[2];
	quarters[3] = from[3];
	fields->address = raw->addr;
	fields->length = raw->length;
	fields->group = raw->grpid;
}

/* The group that comes next, whatever it is like: how many faults; they are at @to. */
static size_t register_group(struct fault_groups *groups, const struct origin *origin,
                             const struct uapi_hwpt_pgfault *raw, size_t count,
                             struct libiommu_record *to, uint64_t *token)
{
	size_t i = 0;

	*token = fault_groups_add(groups, raw->cookie, origin->slot);
	for (;;) {
		write_record(&to[i], &origin->record, *token, &raw[i]);
		if (++i == count || raw[i].cookie != raw->cookie ||
		    raw[i - 1].flags & UAPI_PGFAULT_FLAGS_LAST_PAGE)
			return i;
		/* Written, not changed: it can be the ring's, where nothing is read back. */
		to[i - 1].flags = (uint8_t)(origin->record.flags & ~LIBIOMMU_RECORD_LAST);
	}
}

/*
 * Nearly all groups are like the one before: of one fault, from the same origin, and their places
 * are free. These are registered in loops that call nothing, so that what they have in common stays
 * at hand. NULL: this one is not.
 */
static inline struct fault_group *add_usual(struct fault_group *all, uint32_t room,
                                            const struct origin *origin,
                                            const struct uapi_hwpt_pgfault *raw)
{
	const uint32_t index = raw->cookie - 1;

	if (source_of(raw) != origin->source || raw->flags != origin->usual || index >= room ||
	    fault_group_is_outstanding(&all[index]))
		return NULL;
	fault_group_begin(&all[index], origin->slot);
	return &all[index];
}

__attribute__((noinline)) static size_t keep_usual(struct fault_groups *groups,
                                                   const struct origin *origin,
                                                   const struct uapi_hwpt_pgfault *raw,
                                                   size_t count, struct libiommu_fault_batch *batch)
{
	struct fault_group *const all = groups->groups;
	const uint32_t room = fault_groups_plain(groups);
	const struct uapi_hwpt_pgfault *const first = raw, *const end = raw + count;
	struct libiommu_record *to = batch->faults + batch->count;
	struct fault_run *run = batch->runs + batch->groups;
	/* Which nobody else can see, so that it need not be loaded for each. */
	const struct libiommu_record common = origin->record;

	for (; raw != end; raw++) {
		const struct fault_group *const group = add_usual(all, room, origin, raw);

		if (!group)
			break;
		write_record(to++, &common, group->token, raw);
		*run++ = (struct fault_run){group->token, 1};
	}
	count = (size_t)(raw - first);
	groups->used += (uint32_t)count;
	batch->count += count;
	batch->groups += count;
	return count;
}

void li_fault_queue_register(struct libiommu_fault_queue *queue, struct libiommu_fault_batch *batch,
                             size_t count)
{
	struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;
	const struct uapi_hwpt_pgfault *raw = batch->raw + batch->count;
	const struct uapi_hwpt_pgfault *const end = raw + count;
	struct origin origin;

	/* What is attached does not change meanwhile. */
	while (raw != end) {
		find_origin(queue, raw, &origin);
		for (;;) {
			uint64_t token;

			raw += keep_usual(groups, &origin, raw, (size_t)(end - raw), batch);
			if (raw == end || !is_from(raw, &origin))
				break;
			count = register_group(groups, &origin, raw, (size_t)(end - raw),
			                       batch->faults + batch->count, &token);
			batch->runs[batch->groups++] = (struct fault_run){token, (uint32_t)count};
			batch->count += count;
			raw += count;
		}
	}
}

/* Takes groups and places: how many. Nothing is written yet that the reader sees. */
static inline size_t take_usual(struct fault_groups *groups, const struct origin *origin,
                                const struct uapi_hwpt_pgfault *raw, size_t count,
                                struct fault_out *out)
{
	struct fault_group *const all = groups->groups;
	const uint32_t room = fault_groups_plain(groups);
	const struct uapi_hwpt_pgfault *const first = raw, *const end = raw + count;
	struct places_run places = out->places;
	const uint64_t time = out->time, next = place_origin(0, 1);
	uint64_t at = place_origin(out->source, out->end);

	for (; raw != end; raw++) {
		const struct fault_group *const group = add_usual(all, room, origin, raw);

		if (!group)
			break;
		fault_place_take(&places, group->token, time, at += next);
	}
	out->places = places;
	return (size_t)(raw - first);
}

/*
 * The records are written in a loop of their own: their lines were the reader's, and a processor
 * waits for many of them at once only where no other memory is written in between.
 */
__attribute__((noinline)) static size_t send_usual(struct fault_groups *groups,
                                                   const struct origin *origin,
                                                   const struct uapi_hwpt_pgfault *raw,
                                                   size_t count, struct fault_out *out)
{
	const struct libiommu_record common = origin->record;
	const struct place *place = out->places.free;
	struct libiommu_record *to = out->records;

	count = take_usual(groups, origin, raw, count, out);
	for (const struct libiommu_record *const end = to + count; to != end; place = place->newer)
		write_record(to++, &common, place->token, raw++);
	groups->used += (uint32_t)count;
	fault_out_count(out, (uint32_t)count, (uint32_t)count);
	out->answers += (uint32_t)count;
	return count;
}

void li_fault_queue_send(struct libiommu_fault_queue *queue, const struct uapi_hwpt_pgfault *raw,
                         size_t count, struct fault_out *out)
{
	struct fault_groups *const groups = &li_fault_queue_state(queue)->groups;
	const struct uapi_hwpt_pgfault *const end = raw + count;
	struct origin origin;

	while (raw != end) {
		find_origin(queue, raw, &origin);
		origin.record.queue = out->source;
		origin.record.time = out->time;
		for (;;) {
			uint64_t token;

			raw += send_usual(groups, &origin, raw, (size_t)(end - raw), out);
			if (raw == end || !is_from(raw, &origin))
				break;
			count = register_group(groups, &origin, raw, (size_t)(end - raw),
			                       out->records, &token);
			fault_out_put(out, token, (uint32_t)count);
			raw += count;
		}
	}
}
