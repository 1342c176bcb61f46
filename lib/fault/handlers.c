/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "tags.h"

#define DEFAULT_BATCH 64
#define COUNTERS      (LIBIOMMU_HANDLERS_EVENTS + 1)

struct libiommu_handlers {
	struct libiommu_reader *reader;
	struct tags tags;
	struct handler fallback; /* its handle is NULL where there is none */
	libiommu_handlers_event_fn event;
	void *event_user;
	bool dispatching;
	uint32_t batch;
	uint32_t pending;
	struct libiommu_completion answers[LIBIOMMU_HANDLERS_MAX_BATCH];
	uint64_t counters[COUNTERS];
};

int libiommu_handlers_new(struct libiommu_reader *reader, struct libiommu_handlers **handlers)
{
	struct libiommu_handlers *made;

	if (!reader || !handlers)
		return READER_FAIL_NULL();
	made = calloc(1, sizeof(*made));
	if (!made)
		return READER_FAIL(-ENOMEM, "no memory");
	made->reader = reader;
	made->batch = DEFAULT_BATCH;
	*handlers = made;
	return 0;
}

/* True: all of them are sent. */
static bool send_answers(struct libiommu_handlers *handlers)
{
	int sent;

	if (!handlers->pending)
		return true;
	sent = li_reader_complete(handlers->reader, handlers->answers, handlers->pending);
	if (sent <= 0)
		return false;
	handlers->pending -= (uint32_t)sent;
	memmove(handlers->answers, handlers->answers + sent,
	        handlers->pending * sizeof(handlers->answers[0]));
	return !handlers->pending;
}

void libiommu_handlers_free(struct libiommu_handlers *handlers)
{
	if (!handlers)
		return;
	if (!guard_forked(handlers->reader->guard))
		send_answers(handlers);
	li_tags_free(&handlers->tags);
	free(handlers);
}

int libiommu_handlers_set_batch(struct libiommu_handlers *handlers, uint32_t groups)
{
	if (!handlers)
		return READER_FAIL_NULL();
	if (!groups || groups > LIBIOMMU_HANDLERS_MAX_BATCH)
		return READER_FAIL(-EINVAL, "a batch has 1 to 256 groups");
	handlers->batch = groups;
	return 0;
}

int libiommu_handlers_set(struct libiommu_handlers *handlers, uint64_t tag,
                          libiommu_handlers_handle_fn handle, libiommu_handlers_release_fn release,
                          void *user)
{
	const struct handler handler = {.handle = handle, .release = release, .user = user};

	if (!handlers || !handle)
		return READER_FAIL_NULL();
	if (li_tags_set(&handlers->tags, tag, &handler))
		return READER_FAIL(-ENOMEM, "no memory");
	return 0;
}

int libiommu_handlers_set_default(struct libiommu_handlers *handlers,
                                  libiommu_handlers_handle_fn handle,
                                  libiommu_handlers_release_fn release, void *user)
{
	if (!handlers)
		return READER_FAIL_NULL();
	handlers->fallback = (struct handler){.handle = handle, .release = release, .user = user};
	return 0;
}

int libiommu_handlers_set_events(struct libiommu_handlers *handlers,
                                 libiommu_handlers_event_fn event, void *user)
{
	if (!handlers)
		return READER_FAIL_NULL();
	handlers->event = event;
	handlers->event_user = user;
	return 0;
}

int libiommu_handlers_remove(struct libiommu_handlers *handlers, uint64_t tag)
{
	if (!handlers)
		return READER_FAIL_NULL();
	if (!li_tags_remove(&handlers->tags, tag))
		return READER_FAIL(-ENOENT, "the tag has no handler");
	return 0;
}

/* A copy, whose handle is NULL where nobody feels responsible. */
static struct handler find(const struct libiommu_handlers *handlers, uint64_t tag)
{
	struct handler handler;

	return li_tags_find(&handlers->tags, tag, &handler) ? handler : handlers->fallback;
}

static int handle_faults(struct libiommu_handlers *handlers, uint64_t tag,
                         const struct libiommu_record *records, size_t count)
{
	const struct handler handler = find(handlers, tag);
	int code;

	handlers->counters[LIBIOMMU_HANDLERS_GROUPS]++;
	if (!handler.handle) {
		handlers->counters[LIBIOMMU_HANDLERS_UNHANDLED]++;
		return LIBIOMMU_FAULT_INVALID;
	}
	code = handler.handle(handler.user, records, count);
	switch (code) {
	case LIBIOMMU_FAULT_SUCCESS:
	case LIBIOMMU_FAULT_INVALID:
		return code;
	case LIBIOMMU_HANDLERS_LATER:
		handlers->counters[LIBIOMMU_HANDLERS_KEPT]++;
		return code;
	}
	handlers->counters[LIBIOMMU_HANDLERS_BAD_CODE]++;
	return LIBIOMMU_FAULT_INVALID;
}

static void handle_end(struct libiommu_handlers *handlers, uint64_t tag,
                       const struct libiommu_record *record)
{
	const struct handler handler = find(handlers, tag);

	handlers->counters[LIBIOMMU_HANDLERS_DETACHED]++;
	if (handler.handle && handler.release)
		handler.release(handler.user, record);
}

static void handle_group(struct libiommu_handlers *handlers, const struct libiommu_record *records,
                         size_t count)
{
	/* A copy: what the record says when a callback returns might be something else. */
	const struct libiommu_record first = *records;
	int code = LIBIOMMU_FAULT_INVALID;

	switch (first.kind) {
	case LIBIOMMU_RECORD_FAULT:
		code = handle_faults(handlers, first.tag, records, count);
		break;
	case LIBIOMMU_RECORD_DETACHED:
		handle_end(handlers, first.tag, records);
		break;
	case LIBIOMMU_RECORD_VEVENT:
	case LIBIOMMU_RECORD_LOST:
		handlers->counters[LIBIOMMU_HANDLERS_EVENTS]++;
		if (handlers->event)
			handlers->event(handlers->event_user, records, count);
		break;
	default:
		handlers->counters[LIBIOMMU_HANDLERS_UNKNOWN]++;
	}
	if (!first.token || code == LIBIOMMU_HANDLERS_LATER)
		return;
	handlers->answers[handlers->pending++] = (struct libiommu_completion){
		.token = first.token,
		.code = (uint32_t)code,
		.queue = first.queue,
	};
}

/* How many groups there were; or why there will be none, where there was none. */
static int take(struct libiommu_handlers *handlers)
{
	const struct libiommu_record *records;
	uint32_t taken = 0;
	int result = 1;

	/* Set anew by a callback, it is for the next time: there is room for this batch. */
	for (const uint32_t batch = handlers->batch; taken < batch; taken++) {
		size_t count;

		result = li_reader_next(handlers->reader, &records, &count);
		if (result <= 0)
			break;
		handle_group(handlers, records, count);
	}
	return taken ? (int)taken : result;
}

int libiommu_handlers_dispatch(struct libiommu_handlers *handlers)
{
	int result;

	if (!handlers)
		return READER_FAIL_NULL();
	if (handlers->dispatching)
		return READER_FAIL(-EBUSY, "called from one of its handlers");
	if (guard_forked(handlers->reader->guard))
		return READER_FAIL_FORKED();
	if (!send_answers(handlers)) {
		if (!reader_ended(handlers->reader))
			return READER_FAIL(-EAGAIN, "the filler has no room for earlier answers");
		handlers->pending = 0;
	}
	handlers->dispatching = true;
	result = take(handlers);
	handlers->dispatching = false;
	/* An error comes again the next time. */
	if (result > 0) {
		li_reader_release(handlers->reader);
		send_answers(handlers);
	}
	if (result == -EPIPE)
		return READER_FAIL_END();
	return result < 0 ? READER_FAIL_NONSENSE(result) : result;
}

int libiommu_handlers_counter(const struct libiommu_handlers *handlers,
                              enum libiommu_handlers_counter which, uint64_t *value)
{
	if (!handlers || !value)
		return READER_FAIL_NULL();
	if ((unsigned int)which >= COUNTERS)
		return READER_FAIL(-EINVAL, "unknown counter");
	*value = handlers->counters[which];
	return 0;
}
