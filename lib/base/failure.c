/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "failure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sys.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)

struct record {
	int error;
	int origin;
	enum failure_call call;
	const char *operation;
	const char *text;
	const char *unit;
	uint32_t id;
	uint32_t other;
	uint64_t start;
	uint64_t length;
	bool anywhere;
	uint64_t memory;
	uint64_t amount;
	char subject[256];
};

static _Thread_local struct record last;

/* How often it is not the moment to call anybody, and who is to be told then. */
static _Thread_local struct {
	unsigned int depth;
	struct failure_log log;
} held;

static _Thread_local unsigned int undoing;

/* Text that is built up piece by piece, counting what does not fit. */
struct line {
	char *text;
	size_t size;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
	const size_t room = line->used < line->size ? line->size - line->used : 0;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(room ? line->text + line->used : NULL, room, format, args);
	va_end(args);
	if (length > 0)
		line->used += (size_t)length;
}

/* In the unit that people set limits in, where it says all. */
static void add_bytes(struct line *line, const char *words, uint64_t bytes)
{
	const uint64_t unit = bytes % MIB ? KIB : MIB;

	add(line, "%s %" PRIu64 " %s", words, bytes / unit, unit == MIB ? "MiB" : "KiB");
}

/*
 * The limit counts against all of the user's processes, so that only a part of what fills it can
 * be known here.
 */
static void add_memory(struct line *line)
{
	const uint64_t limit = li_sys_memlock_limit();

	if (limit == UINT64_MAX) {
		add(line, "; the locked-memory limit of this process is unlimited, so either the "
		          "limit of another process of this user counts or the kernel has no "
		          "memory left");
		return;
	}
	add_bytes(line, "; locked-memory limit", limit);
	add_bytes(line, ", this context has mapped", last.amount);
	add_bytes(line, ", asked for", last.length);
	if (last.call == CALL_CONTAINER_MAP || last.call == CALL_REGISTER_MEMORY)
		add(line, " more; each container counts what it has for itself: raise "
		          "RLIMIT_MEMLOCK (ulimit -l)");
	else
		add(line, " more; the kernel counts all processes of the user together: raise "
		          "RLIMIT_MEMLOCK (ulimit -l), or choose LIBIOMMU_RLIMIT_PER_PROCESS");
}

static void add_range(struct line *line)
{
	add(line, "; %" PRIu64 " bytes", last.length);
	if (last.memory)
		add(line, " of memory at 0x%" PRIx64, last.memory);
	if (!last.anywhere)
		add(line, last.memory ? ", to 0x%" PRIx64 : " at 0x%" PRIx64, last.start);
}

static int explain(char *text, size_t size)
{
	struct line line = {text, size, 0};
	const bool memory = last.error == -ENOMEM &&
	                    (last.call == CALL_MAP || last.call == CALL_MAP_FILE ||
	                     last.call == CALL_CONTAINER_MAP || last.call == CALL_REGISTER_MEMORY);

	if (!last.error)
		return 0;
	add(&line, "%s: %s from the %s", last.operation, li_hint_errno_name(last.error),
	    last.origin == LIBIOMMU_FAILURE_KERNEL ? "kernel" : "library");
	if (last.text)
		add(&line, ": %s", last.text);
	if (last.subject[0])
		add(&line, ": %s", last.subject);
	if (last.id && last.other)
		add(&line, "; ids %" PRIu32 " and %" PRIu32, last.id, last.other);
	else if (last.id || last.other)
		add(&line, "; id %" PRIu32, last.id ? last.id : last.other);
	if (last.length)
		add_range(&line);
	if (last.unit && !memory)
		add(&line, "; %" PRIu64 " %s", last.amount, last.unit);
	if (memory)
		add_memory(&line);
	else if (li_hint_find(last.call, last.error)[0])
		add(&line, "; %s", li_hint_find(last.call, last.error));
	return (int)line.used;
}

static void tell(const struct failure_log *log)
{
	char text[1024];

	explain(text, sizeof(text));
	log->log(log->user, LIBIOMMU_LOG_ERROR, text);
}

static int record(const struct failure_log *log, int origin, const char *operation, int error,
                  const struct failure_detail *detail)
{
	last.error = error;
	last.origin = origin;
	last.operation = operation;
	last.id = detail->id;
	last.other = detail->other;
	last.start = detail->start;
	last.length = detail->length;
	last.anywhere = detail->anywhere;
	last.memory = detail->memory;
	last.amount = detail->amount;
	last.unit = detail->unit;
	last.subject[0] = '\0';
	if (detail->subject)
		snprintf(last.subject, sizeof(last.subject), "%s", detail->subject);
	if (log && log->log && held.depth)
		held.log = *log;
	else if (log && log->log)
		tell(log);
	return error;
}

void li_failure_hold(void)
{
	held.depth++;
}

void li_failure_release(void)
{
	const struct failure_log log = held.log;

	if (--held.depth || !log.log)
		return;
	held.log.log = NULL;
	tell(&log);
}

void li_failure_undo(void)
{
	undoing++;
}

void li_failure_undone(void)
{
	undoing--;
}

int li_failure_library(const struct failure_log *log, const char *operation, int error,
                       const char *text, const struct failure_detail *detail)
{
	if (undoing)
		return error;
	last.text = text;
	last.call = CALL_NONE;
	return record(log, LIBIOMMU_FAILURE_LIBRARY, operation, error, detail);
}

int li_failure_kernel(const struct failure_log *log, const char *operation, int error,
                      enum failure_call call, const struct failure_detail *detail)
{
	if (undoing)
		return error;
	last.text = NULL;
	last.call = call;
	return record(log, LIBIOMMU_FAILURE_KERNEL, operation, error, detail);
}

int li_refuse(struct refusal *refusal, int error, const char *text)
{
	refusal->error = error;
	refusal->call = CALL_NONE;
	refusal->text = text;
	return error;
}

int li_refuse_kernel(struct refusal *refusal, int error, enum failure_call call)
{
	refusal->error = error;
	refusal->call = call;
	return error;
}

int libiommu_failure_error(void)
{
	return last.error;
}

int libiommu_failure_origin(void)
{
	return last.origin;
}

const char *libiommu_failure_operation(void)
{
	return last.error ? last.operation : "";
}

int libiommu_failure_ids(uint32_t *object, uint32_t *other)
{
	if (!object || !other)
		return -EINVAL;
	if (!last.error)
		return -ENODATA;
	*object = last.id;
	*other = last.other;
	return 0;
}

int libiommu_failure_range(uint64_t *start, uint64_t *length)
{
	if (!start || !length)
		return -EINVAL;
	if (!last.error)
		return -ENODATA;
	*start = last.start;
	*length = last.length;
	return 0;
}

int libiommu_failure_text(char *text, size_t size)
{
	if (!text && size)
		return -EINVAL;
	if (size)
		text[0] = '\0';
	return explain(text, size);
}

void libiommu_failure_clear(void)
{
	memset(&last, 0, sizeof(last));
}
