/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include <errno.h>
#include <stdio.h>

#include "ring-many.h"

enum { BATCH = 64 };

struct progress {
	struct many *many;
	/* By pair and table, one more than the last epoch that has ended. */
	uint32_t ended[MANY_PAIRS][2];
	uint32_t queue[2]; /* the ring's number of each table's, one more than it */
	uint32_t next[2];  /* of each table's queue, one more than the fault that came last */
	struct libiommu_completion completions[BATCH];
	size_t made;
};

static void say(atomic_uint *what, const char *name, const struct libiommu_record *record)
{
	/* The first few tell what is wrong. */
	if (atomic_fetch_add(what, 1) < 5)
		printf("%s: kind %u, flags %#x, permissions %u, queue %u, label %#llx, address "
		       "%#llx, tag %#llx, vPASID %u, group %u, attachment %u\n",
		       name, record->kind, record->flags, record->permissions, record->queue,
		       (unsigned long long)record->label, (unsigned long long)record->address,
		       (unsigned long long)record->tag, record->vpasid, record->group,
		       record->attachment);
}

static bool is_place(struct progress *progress, const struct libiommu_record *record, uint32_t pair,
                     uint32_t epoch)
{
	uint32_t *const queue = &progress->queue[many_table(pair, epoch)];

	if (!*queue)
		*queue = record->queue + 1;
	return record->label == MANY_LABEL + pair / MANY_PASIDS &&
	       record->vpasid == many_vpasid(pair) && record->tag == many_tag(pair, epoch) &&
	       *queue == record->queue + 1;
}

/*
 * A queue is first in, first out: what was raised into it before this one must have come before,
 * unless its attachment has ended.
 */
static void look_for_lost(struct progress *progress, uint32_t table, uint32_t number)
{
	struct many *const many = progress->many;

	for (uint32_t i = progress->next[table]; i < number; i++) {
		const uint32_t pair = i % MANY_PAIRS;
		const uint32_t epoch = atomic_load(&many->epoch[i]);

		if (many_table(pair, epoch) != table ||
		    (many_is_moved(pair) &&
		     (i >= many->faults || epoch < atomic_load(&many->lasting[pair]))))
			continue;
		if (atomic_fetch_add(&many->lost, 1) < 5)
			printf("lost: %u, with attachment %u of pair %u; %u came behind it\n", i,
			       epoch, pair, number);
	}
}

static void take_fault(struct progress *progress, const struct libiommu_record *record)
{
	struct many *const many = progress->many;
	const uint64_t number = record->address / MANY_PAGE;
	const uint32_t pair = (uint32_t)(number % MANY_PAIRS);
	uint32_t epoch, table;

	progress->completions[progress->made++] = (struct libiommu_completion){
		.token = record->token,
		.queue = record->queue,
		.code = many_is_moved(pair) ? LIBIOMMU_FAULT_INVALID : LIBIOMMU_FAULT_SUCCESS,
	};
	if (number >= many->numbers || !record->token || record->address % MANY_PAGE ||
	    record->flags != (LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_LAST) ||
	    record->permissions != many_permissions((uint32_t)number) ||
	    record->group != (number & 0xffff)) {
		say(&many->untrue, "not what was raised", record);
		return;
	}
	epoch = atomic_load(&many->epoch[number]);
	if (!is_place(progress, record, pair, epoch)) {
		say(&many->untrue, "not from where it was raised", record);
		return;
	}
	table = many_table(pair, epoch);
	if (epoch < progress->ended[pair][table])
		say(&many->late, "after the end of its attachment", record);
	if (number < progress->next[table]) {
		say(&many->twice, "twice, or behind one that was raised later", record);
		return;
	}
	look_for_lost(progress, table, (uint32_t)number);
	progress->next[table] = (uint32_t)number + 1;
	atomic_fetch_add(&many->came[table], 1);
	atomic_fetch_add(many_is_moved(pair) ? &many->moved : &many->alone, 1);
}

/* The ends of a pair in one table come in their order, each once. */
static void take_end(struct progress *progress, const struct libiommu_record *record)
{
	struct many *const many = progress->many;
	const uint32_t pair = record->tag & 0xff;
	const uint32_t epoch = (uint32_t)(record->tag >> 8);

	if (pair >= MANY_PAIRS || !is_place(progress, record, pair, epoch) || record->token ||
	    !many_is_moved(pair)) {
		say(&many->untrue, "no end of ours", record);
		return;
	}
	if (epoch < progress->ended[pair][many_table(pair, epoch)])
		say(&many->twice, "an end twice", record);
	progress->ended[pair][many_table(pair, epoch)] = epoch + 1;
	atomic_fetch_add(&many->ends, 1);
}

/* A batch, answered from the last to the first. */
static int take(struct progress *progress, struct libiommu_reader *reader)
{
	const struct libiommu_record *records;
	size_t count;
	int result = 1;

	progress->made = 0;
	for (int i = 0; i < BATCH && result == 1; i++) {
		result = libiommu_reader_next(reader, &records, &count);
		if (result != 1)
			break;
		if (count == 1 && records->kind == LIBIOMMU_RECORD_FAULT)
			take_fault(progress, records);
		else if (count == 1 && records->kind == LIBIOMMU_RECORD_DETACHED)
			take_end(progress, records);
		else
			say(&progress->many->untrue, "neither a fault nor an end", records);
	}
	for (size_t i = 0; i < progress->made / 2; i++) {
		const struct libiommu_completion one = progress->completions[i];

		progress->completions[i] = progress->completions[progress->made - 1 - i];
		progress->completions[progress->made - 1 - i] = one;
	}
	libiommu_reader_release(reader);
	return result < 0 ? result : (int)progress->made;
}

int many_read(struct many *many, struct libiommu_reader *reader)
{
	struct progress progress = {.many = many};
	int result = 0;

	for (;;) {
		size_t sent = 0;

		result = take(&progress, reader);
		if (result < 0)
			break;
		while (sent < progress.made) {
			result = libiommu_reader_complete(reader, progress.completions + sent,
			                                  progress.made - sent);
			if (result > 0)
				sent += (size_t)result;
			else if (result == -EAGAIN)
				libiommu_reader_sleep(reader, -1);
			else
				return result;
		}
		if (!progress.made)
			result = libiommu_reader_sleep(reader, -1);
		if (result < 0 && result != -EINTR)
			break;
	}
	return result == -EPIPE ? 0 : result;
}
