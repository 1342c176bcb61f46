/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "reader.h"

#include <errno.h>

/* Once for each time that the filler lies down. */
static void kick(struct libiommu_reader *reader, bool room_only)
{
	const uint64_t one = 1;
	const uint32_t wait = atomic_load(&reader->memory.a->wait);

	if (!wait || wait == reader->kicked || (room_only && !(wait & RING_WAIT_SCARCE)))
		return;
	reader->kicked = wait;
	li_sys_write(reader->sys, reader->kick, &one, sizeof(one));
}

void li_reader_release(struct libiommu_reader *reader)
{
	if (reader->released == reader->next)
		return;
	reader->released = reader->next;
	atomic_store(&reader->memory.b->cons, reader->released);
	kick(reader, true);
}

/* Find out what there is: 1, 0 or why there never will be. */
static int look(struct libiommu_reader *reader)
{
	reader->seen = atomic_load_explicit(&reader->memory.a->prod, memory_order_acquire);
	if (reader_ended(reader))
		return -EPIPE;
	if (reader->seen - reader->released > reader->mask + 1 ||
	    reader->seen - reader->next > reader->seen - reader->released)
		return -EPROTO;
	return reader->seen != reader->next;
}

/* Padding reaches to the end of the memory. It is nobody's, and so released by itself. */
static int skip_padding(struct libiommu_reader *reader)
{
	const bool alone = reader->released == reader->next;
	const uint32_t length = reader->mask + 1 - (reader->next & reader->mask);

	if (length > reader->seen - reader->next)
		return -EPROTO;
	reader->next += length;
	if (alone)
		li_reader_release(reader);
	return 0;
}

/* How long the group is; one that does not end before what is published does is nonsense. */
static int measure(const struct libiommu_reader *reader, size_t *count)
{
	const uint32_t place = reader->next & reader->mask;
	uint32_t most = reader->seen - reader->next;

	if (most > reader->mask + 1 - place)
		most = reader->mask + 1 - place;
	for (uint32_t i = 0; i < most; i++) {
		if (!(reader->memory.records[place + i].flags & LIBIOMMU_RECORD_LAST))
			continue;
		*count = i + 1;
		return 0;
	}
	return -EPROTO;
}

__attribute__((noinline)) static int find_next(struct libiommu_reader *reader,
                                               const struct libiommu_record **records,
                                               size_t *count)
{
	size_t length = 0;
	int result;

	for (;;) {
		const struct libiommu_record *const first =
			&reader->memory.records[reader->next & reader->mask];

		result = reader->seen == reader->next ? look(reader) : 1;
		if (result <= 0)
			return result;
		if (first->kind == LIBIOMMU_RECORD_PAD) {
			result = skip_padding(reader);
			if (result)
				return result;
			continue;
		}
		result = measure(reader, &length);
		if (result)
			return result;
		reader->next += (uint32_t)length;
		*records = first;
		*count = length;
		return 1;
	}
}

/* Mostly, the next group is of one record. */
static inline int take_next(struct libiommu_reader *reader, const struct libiommu_record **records,
                            size_t *count)
{
	const struct libiommu_record *const first =
		&reader->memory.records[reader->next & reader->mask];

	if (reader->seen == reader->next) {
		const int result = look(reader);

		if (result <= 0)
			return result;
	}
	if (first->kind == LIBIOMMU_RECORD_PAD || !(first->flags & LIBIOMMU_RECORD_LAST))
		return find_next(reader, records, count);
	reader->next++;
	*records = first;
	*count = 1;
	return 1;
}

int li_reader_next(struct libiommu_reader *reader, const struct libiommu_record **records,
                   size_t *count)
{
	return take_next(reader, records, count);
}

int libiommu_reader_next(struct libiommu_reader *reader, const struct libiommu_record **records,
                         size_t *count)
{
	int result;

	if (!reader || !records || !count)
		return READER_FAIL_NULL();
	if (guard_forked(reader->guard))
		return READER_FAIL_FORKED();
	result = take_next(reader, records, count);
	if (result >= 0)
		return result;
	return result == -EPIPE ? READER_FAIL_END() : READER_FAIL_NONSENSE(result);
}

/*
 * How many of the records that follow each other in memory, at most @most, are whole groups. 0 is
 * for find_next() to look into.
 */
static size_t measure_span(const struct libiommu_reader *reader, size_t most)
{
	const uint32_t place = reader->next & reader->mask;
	const struct libiommu_record *const records = &reader->memory.records[place];
	const uint32_t seen = reader->seen - reader->next, here = reader->mask + 1 - place;
	size_t whole = 0;

	if (most > seen)
		most = seen;
	/* Padding goes on to the end of the memory: where that is not reached, there is none. */
	if (seen < here) {
		while (most && !(records[most - 1].flags & LIBIOMMU_RECORD_LAST))
			most--;
		return most;
	}
	if (most > here)
		most = here;
	for (size_t i = 0; i < most && records[i].kind != LIBIOMMU_RECORD_PAD; i++)
		if (records[i].flags & LIBIOMMU_RECORD_LAST)
			whole = i + 1;
	return whole;
}

static int take_span(struct libiommu_reader *reader, size_t most,
                     const struct libiommu_record **records, size_t *count)
{
	const int result = reader->seen == reader->next ? look(reader) : 1;
	size_t whole;

	if (result <= 0)
		return result;
	whole = measure_span(reader, most);
	if (!whole)
		return find_next(reader, records, count);
	*records = &reader->memory.records[reader->next & reader->mask];
	*count = whole;
	reader->next += (uint32_t)whole;
	return 1;
}

int libiommu_reader_next_span(struct libiommu_reader *reader, size_t most,
                              const struct libiommu_record **records, size_t *count)
{
	int result;

	if (!reader || !records || !count)
		return READER_FAIL_NULL();
	if (guard_forked(reader->guard))
		return READER_FAIL_FORKED();
	result = take_span(reader, most, records, count);
	if (result >= 0)
		return result;
	return result == -EPIPE ? READER_FAIL_END() : READER_FAIL_NONSENSE(result);
}

int libiommu_reader_release(struct libiommu_reader *reader)
{
	if (!reader)
		return READER_FAIL_NULL();
	if (guard_forked(reader->guard))
		return READER_FAIL_FORKED();
	li_reader_release(reader);
	return 0;
}

/* The filler's line is left alone while what was seen there the last time is enough. */
static uint32_t find_room(struct libiommu_reader *reader, size_t count)
{
	const uint32_t room = reader->memory.completion_capacity - (reader->made - reader->taken);

	return room >= count ? room : reader_room(reader);
}

static void copy_completions(struct libiommu_completion *to, const struct libiommu_completion *from,
                             uint32_t count)
{
	for (const struct libiommu_completion *const end = from + count; from != end; from++)
		*to++ = *from;
}

/*
 * Where the memory ends, they go on at its beginning. Nobody looks at them yet: that they are there
 * is not said yet.
 */
static void write_completions(const struct libiommu_reader *reader,
                              const struct libiommu_completion *from, uint32_t count)
{
	const uint32_t capacity = reader->memory.completion_capacity;
	const uint32_t place = reader->made & (capacity - 1);
	const uint32_t here = count < capacity - place ? count : capacity - place;

	struct libiommu_completion *const to = (void *)reader->memory.completions;

	copy_completions(to + place, from, here);
	copy_completions(to, from + here, count - here);
}

int li_reader_complete(struct libiommu_reader *reader,
                       const struct libiommu_completion *completions, size_t count)
{
	const uint32_t room = find_room(reader, count);
	const uint32_t done = count < room ? (uint32_t)count : room;

	if (done) {
		write_completions(reader, completions, done);
		reader->made += done;
		atomic_store(&reader->memory.b->made, reader->made);
	}
	kick(reader, false);
	reader->scarce = done < count;
	return done ? (int)done : -EAGAIN;
}

int libiommu_reader_complete(struct libiommu_reader *reader,
                             const struct libiommu_completion *completions, size_t count)
{
	int done;

	if (!reader || (!completions && count))
		return READER_FAIL_NULL();
	if (guard_forked(reader->guard))
		return READER_FAIL_FORKED();
	if (!count)
		return 0;
	done = li_reader_complete(reader, completions, count);
	return done < 0 ? READER_FAIL(done, "the filler has not taken the earlier completions yet")
	                : done;
}
