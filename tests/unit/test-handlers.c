/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Handlers for page tables: who is called with what, and that every answer comes to be sent. */
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring-door.h"

static struct libiommu_ctx *ctx;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;
static struct libiommu_handlers *handlers;
static struct fake fake;

/* What a handler does and what was done to it. */
struct seen {
	int answer;
	uint32_t handled;
	uint32_t released;
	uint64_t tag;
	size_t records;
	uint32_t group;      /* of the last call */
	uint32_t attachment; /* of the last release */
	struct libiommu_completion kept;
	/* What it does from inside; then it is done. */
	void (*act)(struct seen *seen);
};

static int handle(void *user, const struct libiommu_record *records, size_t count)
{
	struct seen *const seen = user;
	void (*const act)(struct seen * seen) = seen->act;

	seen->handled++;
	seen->tag = records->tag;
	seen->records += count;
	seen->group = records->group;
	seen->kept = (struct libiommu_completion){.token = records->token, .queue = records->queue};
	assert_true(records[count - 1].flags & LIBIOMMU_RECORD_LAST);
	seen->act = NULL;
	if (act)
		act(seen);
	return seen->answer;
}

static void release(void *user, const struct libiommu_record *record)
{
	struct seen *const seen = user;

	assert_int_equal(record->kind, LIBIOMMU_RECORD_DETACHED);
	seen->released++;
	seen->tag = record->tag;
	seen->attachment = record->attachment;
}

static void start(uint32_t outstanding, uint64_t deadline)
{
	ctx = ring_ctx();
	libiommu_failure_clear();
	door_clock(1);
	ring = ring_make(ctx, 1024, outstanding, deadline);
	fake_init(&fake);
	assert_int_equal(li_filler_add(li_ring_filler(ring), &fake.source), 0);
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
	assert_int_equal(libiommu_handlers_new(reader, &handlers), 0);
}

static int setup(void **state)
{
	(void)state;
	start(512, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (ring)
		ring_check(ring);
	libiommu_handlers_free(handlers);
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	fake_check(&fake);
	fake_close(&fake);
	ring_ctx_close(ctx);
	return 0;
}

static void restart(uint32_t outstanding, uint64_t deadline)
{
	void *state = NULL;

	teardown(&state);
	start(outstanding, deadline);
}

static void fill(void)
{
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
}

static uint64_t counted(enum libiommu_handlers_counter which)
{
	uint64_t value = UINT64_MAX;

	assert_int_equal(libiommu_handlers_counter(handlers, which, &value), 0);
	return value;
}

/* Groups of @records records with this tag, as its attachment. */
static uint32_t raise_tag(uint64_t tag, uint32_t records)
{
	const uint32_t number = fake_raise(&fake, records, (uint32_t)tag);

	fake.groups[number].tag = tag;
	return number;
}

static void detach(uint64_t tag, uint32_t attachment)
{
	const uint32_t number = fake_detach(&fake, attachment);

	fake.groups[number].tag = tag;
}

static void set(uint64_t tag, struct seen *seen)
{
	assert_int_equal(libiommu_handlers_set(handlers, tag, handle, release, seen), 0);
}

static void test_each_tag_has_its_own(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS};
	struct seen two = {.answer = LIBIOMMU_FAULT_INVALID};

	(void)state;
	set(0, &one);
	set(UINT64_MAX, &two);
	raise_tag(0, 3);
	raise_tag(UINT64_MAX, 1);
	raise_tag(0, 2);
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 3);
	assert_int_equal(libiommu_handlers_dispatch(handlers), 0);
	assert_int_equal(one.handled, 2);
	assert_int_equal(one.records, 5);
	assert_true(one.tag == 0);
	assert_int_equal(two.handled, 1);
	assert_true(two.tag == UINT64_MAX);
	fill();
	assert_int_equal(fake.groups[0].code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(fake.groups[1].code, LIBIOMMU_FAULT_INVALID);
	assert_int_equal(fake.groups[2].code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OUTSTANDING), 0);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_GROUPS), 3);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_UNHANDLED), 0);
}

static void test_tags_without_a_handler(void **state)
{
	struct seen any = {.answer = LIBIOMMU_FAULT_SUCCESS};

	(void)state;
	raise_tag(5, 1);
	detach(5, 50);
	raise_tag(6, 1);
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 3);
	fill();
	assert_int_equal(fake.groups[2].code, LIBIOMMU_FAULT_INVALID);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_UNHANDLED), 2);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_DETACHED), 1);
	assert_int_equal(libiommu_handlers_set_default(handlers, handle, release, &any), 0);
	raise_tag(7, 1);
	detach(6, 60);
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 2);
	fill();
	assert_int_equal(any.handled, 1);
	assert_int_equal(any.released, 1);
	assert_int_equal(any.attachment, 60);
	assert_int_equal(fake.groups[3].code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_UNHANDLED), 2);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_GROUPS), 3);
	/* And none again. */
	assert_int_equal(libiommu_handlers_set_default(handlers, NULL, release, &any), 0);
	raise_tag(7, 1);
	detach(7, 70);
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 2);
	fill();
	assert_int_equal(any.handled, 1);
	assert_int_equal(any.released, 1);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_UNHANDLED), 3);
}

static void test_the_end_of_attachments(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS}, silent = one;

	(void)state;
	set(9, &one);
	assert_int_equal(libiommu_handlers_set(handlers, 10, handle, NULL, &silent), 0);
	detach(9, 1);
	detach(9, 2);
	detach(10, 3);
	raise_tag(9, 1);
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 4);
	assert_int_equal(one.released, 2);
	assert_int_equal(one.attachment, 2);
	/* It is still there for others with the tag. */
	assert_int_equal(one.handled, 1);
	assert_int_equal(silent.released, 0);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_DETACHED), 3);
	/* What wants no answer gets none: the filler has seen one completion. */
	fill();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 1);
}

static void test_replaced_and_removed(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS}, two = one;

	(void)state;
	set(1, &one);
	set(1, &two);
	raise_tag(1, 1);
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 1);
	assert_int_equal(one.handled, 0);
	assert_int_equal(two.handled, 1);
	raise_tag(1, 1);
	detach(1, 2);
	fill();
	assert_int_equal(libiommu_handlers_remove(handlers, 1), 0);
	assert_int_equal(libiommu_handlers_remove(handlers, 1), -ENOENT);
	assert_string_equal(libiommu_failure_operation(), "libiommu_handlers_remove");
	assert_int_equal(libiommu_handlers_dispatch(handlers), 2);
	assert_int_equal(two.handled, 1);
	assert_int_equal(two.released, 0);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_UNHANDLED), 1);
}

static void test_answered_later(void **state)
{
	struct seen one = {.answer = LIBIOMMU_HANDLERS_LATER};

	(void)state;
	set(1, &one);
	raise_tag(1, 1);
	raise_tag(1, 1);
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 2);
	fill();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OUTSTANDING), 2);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_KEPT), 2);
	/* Its records were released; it can be answered also when the handler is no more. */
	assert_int_equal(reader->released, 2);
	assert_int_equal(libiommu_handlers_remove(handlers, 1), 0);
	assert_int_equal(libiommu_reader_complete(reader, &one.kept, 1), 1);
	fill();
	assert_int_equal(fake.groups[1].answers, 1);
	assert_int_equal(fake.groups[1].code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(fake.groups[0].answers, 0);
}

static void test_what_is_no_answer(void **state)
{
	struct seen one = {.answer = 2}, two = {.answer = -2};

	(void)state;
	set(1, &one);
	set(2, &two);
	raise_tag(1, 1);
	raise_tag(2, 1);
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 2);
	fill();
	assert_int_equal(fake.groups[0].code, LIBIOMMU_FAULT_INVALID);
	assert_int_equal(fake.groups[1].code, LIBIOMMU_FAULT_INVALID);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_BAD_CODE), 2);
	/* The filler is not told of it. */
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_BAD_CODE), 0);
}

static void test_kinds_of_a_later_version(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS};

	(void)state;
	set(1, &one);
	raise_tag(1, 2);
	raise_tag(1, 1);
	raise_tag(1, 1);
	raise_tag(1, 1);
	fake.groups[0].kind = 199;
	fake.groups[1].kind = 200;
	/* One that wants no answer. */
	fake.groups[2].kind = 201;
	fake.groups[2].detached = true;
	fake.groups[2].attachment = 2;
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 4);
	fill();
	assert_int_equal(one.handled, 1);
	assert_int_equal(one.released, 0);
	assert_int_equal(one.group, 3);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_UNKNOWN), 3);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_GROUPS), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_INVALID), 2);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 0);
}

/* As many calls of the kernel as one batch needs, and as much of a batch as was chosen. */
static void test_batches(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS};

	(void)state;
	set(1, &one);
	for (int i = 0; i < 100; i++)
		raise_tag(1, 1);
	fill();
	door_calls();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 64);
	/* The filler sleeps: it is kicked once. */
	assert_int_equal(door_calls(), 1);
	assert_int_equal(reader->released, 64);
	assert_int_equal(reader->made, 64);
	assert_int_equal(libiommu_handlers_dispatch(handlers), 36);
	assert_int_equal(door_calls(), 0);
	assert_int_equal(libiommu_handlers_dispatch(handlers), 0);
	assert_int_equal(libiommu_handlers_set_batch(handlers, 0), -EINVAL);
	assert_int_equal(libiommu_handlers_set_batch(handlers, 257), -EINVAL);
	assert_int_equal(libiommu_handlers_set_batch(handlers, 256), 0);
	fill();
	for (int i = 0; i < 300; i++)
		raise_tag(1, 1);
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 256);
	assert_int_equal(libiommu_handlers_set_batch(handlers, 1), 0);
	assert_int_equal(libiommu_handlers_dispatch(handlers), 1);
	assert_int_equal(one.handled, 357);
}

static struct seen spare;

static void set_many(struct seen *seen)
{
	(void)seen;
	/* The table is another one afterwards. */
	for (uint64_t tag = 100; tag < 200; tag++)
		set(tag, &spare);
	assert_int_equal(libiommu_handlers_set_batch(handlers, 256), 0);
}

static void remove_oneself(struct seen *seen)
{
	assert_int_equal(libiommu_handlers_remove(handlers, seen->tag), 0);
}

static void dispatch_again(struct seen *seen)
{
	(void)seen;
	assert_int_equal(libiommu_handlers_dispatch(handlers), -EBUSY);
	assert_string_equal(libiommu_failure_operation(), "libiommu_handlers_dispatch");
}

static void complete_oneself(struct seen *seen)
{
	assert_int_equal(libiommu_reader_complete(reader, &seen->kept, 1), 1);
	seen->answer = LIBIOMMU_HANDLERS_LATER;
}

static void test_from_inside_a_handler(void **state)
{
	struct seen one = {.act = set_many}, two = {.act = remove_oneself};
	struct seen three = {.act = dispatch_again}, four = {.act = complete_oneself};

	(void)state;
	spare = (struct seen){.answer = LIBIOMMU_FAULT_SUCCESS};
	set(1, &one);
	set(2, &two);
	set(3, &three);
	set(4, &four);
	for (uint64_t tag = 1; tag <= 4; tag++)
		raise_tag(tag, 1);
	raise_tag(150, 1);
	raise_tag(2, 1);
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 6);
	assert_int_equal(one.handled, 1);
	assert_int_equal(two.handled, 1);
	assert_int_equal(three.handled, 1);
	assert_int_equal(spare.handled, 1);
	fill();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_SUCCESS), 5);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 0);
	assert_int_equal(fake.groups[5].code, LIBIOMMU_FAULT_INVALID);
}

/*
 * Answers that there is no room for: groups that a detach has answered leave their places to new
 * ones, and still have completions.
 */
static uint32_t fill_completions(struct seen *seen)
{
	uint32_t number = 0;

	restart(2, 0);
	set(1, seen);
	assert_int_equal(reader->memory.completion_capacity, 4);
	for (uint32_t i = 0; i < 5; i++) {
		number = raise_tag(1, 1);
		fake.groups[number].attachment = i;
		fill();
		if (i == 4)
			break;
		detach(1, i);
		fill();
		fake.groups[number].answers++;
	}
	return number;
}

static void test_answers_that_do_not_fit(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS};
	const uint32_t last = fill_completions(&one);

	(void)state;
	libiommu_failure_clear();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 9);
	/* That was no failure. */
	assert_int_equal(libiommu_failure_error(), 0);
	assert_int_equal(one.handled, 5);
	assert_int_equal(one.released, 4);
	assert_int_equal(reader->made, 4);
	assert_int_equal(libiommu_handlers_dispatch(handlers), -EAGAIN);
	assert_string_equal(libiommu_failure_operation(), "libiommu_handlers_dispatch");
	assert_true(ring_ready(ring));
	fill();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 4);
	assert_int_equal(fake.groups[last].answers, 0);
	assert_int_equal(libiommu_handlers_dispatch(handlers), 0);
	assert_int_equal(reader->made, 5);
	fill();
	assert_int_equal(fake.groups[last].answers, 1);
	assert_int_equal(fake.groups[last].code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(libiommu_handlers_dispatch(handlers), 0);
}

/* Who waits for room is woken by it, and by nothing else that would come to nothing. */
static void test_waiting_for_room(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS};
	struct pollfd fd = {.events = POLLIN};
	const uint32_t last = fill_completions(&one);

	(void)state;
	fd.fd = libiommu_reader_fd(reader);
	assert_int_equal(libiommu_handlers_dispatch(handlers), 9);
	assert_int_equal(libiommu_handlers_dispatch(handlers), -EAGAIN);
	assert_int_equal(libiommu_reader_sleep(reader, 0), 0);
	assert_int_equal(libiommu_reader_arm(reader), 0);
	assert_int_equal(poll(&fd, 1, 0), 0);
	fill();
	assert_int_equal(poll(&fd, 1, 0), 1);
	assert_int_equal(libiommu_reader_disarm(reader), 0);
	/* There is room already; having said so, it waits for groups again. */
	assert_int_equal(libiommu_reader_arm(reader), 1);
	assert_int_equal(libiommu_reader_sleep(reader, 0), 0);
	assert_int_equal(libiommu_handlers_dispatch(handlers), 0);
	assert_int_equal(libiommu_reader_arm(reader), 0);
	fill();
	/* A filler that makes room which nobody waits for wakes nobody. */
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_int_equal(libiommu_reader_disarm(reader), 0);
	assert_int_equal(fake.groups[last].answers, 1);
}

static void test_freed_with_answers_left(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS};
	const uint32_t last = fill_completions(&one);

	(void)state;
	assert_int_equal(libiommu_handlers_dispatch(handlers), 9);
	fill();
	libiommu_handlers_free(handlers);
	handlers = NULL;
	fill();
	assert_int_equal(fake.groups[last].code, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(fake.groups[last].answers, 1);
}

static void test_the_end_with_answers_left(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS};

	(void)state;
	fill_completions(&one);
	assert_int_equal(libiommu_handlers_dispatch(handlers), 9);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	ring = NULL;
	assert_int_equal(libiommu_handlers_dispatch(handlers), -EPIPE);
	assert_string_equal(libiommu_failure_operation(), "libiommu_handlers_dispatch");
	assert_int_equal(libiommu_handlers_dispatch(handlers), -EPIPE);
}

/* One that was killed has said nothing, and will never have room. */
static void test_the_filler_is_gone_with_answers_left(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS};

	(void)state;
	fill_completions(&one);
	assert_int_equal(libiommu_handlers_dispatch(handlers), 9);
	assert_int_equal(libiommu_handlers_dispatch(handlers), -EAGAIN);
	assert_int_equal(shutdown(reader->socket, SHUT_RDWR), 0);
	assert_int_equal(libiommu_handlers_dispatch(handlers), -EAGAIN);
	assert_int_equal(libiommu_reader_sleep(reader, -1), -EPIPE);
	assert_int_equal(libiommu_handlers_dispatch(handlers), -EPIPE);
}

static void test_the_end_behind_groups(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS};

	(void)state;
	set(1, &one);
	raise_tag(1, 1);
	raise_tag(1, 1);
	fill();
	/* Seen by the reader before the end: they are still handled, for nothing. */
	assert_int_equal(libiommu_handlers_set_batch(handlers, 1), 0);
	assert_int_equal(libiommu_handlers_dispatch(handlers), 1);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	ring = NULL;
	assert_int_equal(libiommu_handlers_dispatch(handlers), 1);
	assert_int_equal(libiommu_handlers_dispatch(handlers), -EPIPE);
	assert_int_equal(libiommu_reader_sleep(reader, -1), -EPIPE);
}

static void test_a_filler_of_nonsense(void **state)
{
	struct ring_a *const a = li_ring_filler(ring)->session->memory.a;

	(void)state;
	atomic_store(&a->prod, 1025);
	assert_int_equal(libiommu_handlers_dispatch(handlers), -EPROTO);
	assert_string_equal(libiommu_failure_operation(), "libiommu_handlers_dispatch");
}

static void test_late_groups(void **state)
{
	struct seen one = {.answer = LIBIOMMU_HANDLERS_LATER};

	(void)state;
	restart(64, 1000);
	set(1, &one);
	raise_tag(1, 1);
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 1);
	door_clock(2000);
	/* Its records were released by the dispatch, so that it dies alone. */
	fill();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_EXPIRED), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_CONDEMNED), 0);
	assert_int_equal(libiommu_reader_complete(reader, &one.kept, 1), 1);
	fill();
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_STALE), 1);
}

static void test_null_and_nonsense(void **state)
{
	struct libiommu_handlers *other = NULL;
	uint64_t value;

	(void)state;
	assert_int_equal(libiommu_handlers_new(NULL, &other), -EINVAL);
	assert_int_equal(libiommu_handlers_new(reader, NULL), -EINVAL);
	assert_int_equal(libiommu_handlers_set(handlers, 1, NULL, release, NULL), -EINVAL);
	assert_int_equal(libiommu_handlers_counter(handlers, LIBIOMMU_HANDLERS_GROUPS, NULL),
	                 -EINVAL);
	assert_int_equal(
		libiommu_handlers_counter(handlers, (enum libiommu_handlers_counter)7, &value),
		-EINVAL);
	libiommu_handlers_free(NULL);
	assert_null(other);
}

static void test_without_memory(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS}, two = one;
	struct libiommu_handlers *other = NULL;

	(void)state;
	alloc_fail_nth(1);
	assert_int_equal(libiommu_handlers_new(reader, &other), -ENOMEM);
	assert_true(alloc_restore());
	assert_null(other);
	alloc_fail_nth(1);
	assert_int_equal(libiommu_handlers_set(handlers, 1, handle, release, &one), -ENOMEM);
	assert_true(alloc_restore());
	for (uint64_t tag = 0; tag < 8; tag++)
		set(tag, &one);
	/* Half full: another needs a larger table; one that is there already does not. */
	alloc_fail_nth(1);
	assert_int_equal(libiommu_handlers_set(handlers, 8, handle, release, &two), -ENOMEM);
	assert_int_equal(libiommu_handlers_set(handlers, 7, handle, release, &two), 0);
	alloc_restore();
	for (uint64_t tag = 0; tag < 9; tag++)
		raise_tag(tag, 1);
	fill();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 9);
	assert_int_equal(one.handled, 7);
	assert_int_equal(two.handled, 1);
	assert_int_equal(counted(LIBIOMMU_HANDLERS_UNHANDLED), 1);
}

static void test_a_forked_child_has_no_part_in_it(void **state)
{
	struct seen one = {.answer = LIBIOMMU_FAULT_SUCCESS};
	int status = -1;
	pid_t child;

	(void)state;
	set(1, &one);
	raise_tag(1, 1);
	fill();
	child = fork();
	if (!child) {
		const int result = libiommu_handlers_dispatch(handlers);

		libiommu_handlers_free(handlers);
		_exit(result != -ECHILD);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(libiommu_handlers_dispatch(handlers), 1);
}

#define HANDLERS_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HANDLERS_TEST(test_each_tag_has_its_own),
		HANDLERS_TEST(test_tags_without_a_handler),
		HANDLERS_TEST(test_the_end_of_attachments),
		HANDLERS_TEST(test_replaced_and_removed),
		HANDLERS_TEST(test_answered_later),
		HANDLERS_TEST(test_what_is_no_answer),
		HANDLERS_TEST(test_kinds_of_a_later_version),
		HANDLERS_TEST(test_batches),
		HANDLERS_TEST(test_from_inside_a_handler),
		HANDLERS_TEST(test_answers_that_do_not_fit),
		HANDLERS_TEST(test_waiting_for_room),
		HANDLERS_TEST(test_freed_with_answers_left),
		HANDLERS_TEST(test_the_end_with_answers_left),
		HANDLERS_TEST(test_the_filler_is_gone_with_answers_left),
		HANDLERS_TEST(test_the_end_behind_groups),
		HANDLERS_TEST(test_a_filler_of_nonsense),
		HANDLERS_TEST(test_late_groups),
		HANDLERS_TEST(test_null_and_nonsense),
		HANDLERS_TEST(test_without_memory),
		HANDLERS_TEST(test_a_forked_child_has_no_part_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
