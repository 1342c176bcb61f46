/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Events of vIOMMUs through a ring: each once, in order, with its losses, whatever else is on. */
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/nest/veventq.h"
#include "../../lib/nest/viommu.h"
#include "ring-door.h"

enum { QUEUE_ID = 7, TAG = 0x7a9, STREAM = 0x18, OTHER = 0x19, EVENT = 32, SPACE = 1 << 20 };

#define STREAM_LABEL UINT64_C(0x1abe100000001)

static struct libiommu_ctx *ctx;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;
static struct libiommu_viommu *viommu;
static struct libiommu_veventq *queue;
static struct vdevice_entry entry;

/* The kernel's queue: whole events, of which it gives as many as fit. */
static struct {
	int fd;
	unsigned char bytes[SPACE];
	size_t at;
	size_t end;
	uint32_t sequence;
	ssize_t error; /* of the next read */
	unsigned int reads;
} kernel;

static size_t header_at(size_t at, struct uapi_vevent_header *header)
{
	memcpy(header, kernel.bytes + at, sizeof(*header));
	return sizeof(*header) +
	       (header->flags & UAPI_VEVENTQ_FLAG_LOST_EVENTS ? 0 : queue->layout.length);
}

static ssize_t kernel_read(int fd, void *buffer, size_t size)
{
	struct uapi_vevent_header header;
	const ssize_t error = kernel.error;
	uint64_t value;
	size_t got = 0;

	if (fd != kernel.fd)
		return -ENOSYS;
	kernel.reads++;
	kernel.error = 0;
	if (error)
		return error;
	while (kernel.at < kernel.end) {
		const size_t length = header_at(kernel.at, &header);

		if (length > size - got)
			break;
		memcpy((char *)buffer + got, kernel.bytes + kernel.at, length);
		got += length;
		kernel.at += length;
	}
	if (kernel.at == kernel.end) {
		kernel.at = kernel.end = 0;
		assert_true(read(kernel.fd, &value, sizeof(value)) == 8 || errno == EAGAIN);
	}
	return (ssize_t)got;
}

static void put(uint32_t flags, const void *data, size_t length)
{
	const struct uapi_vevent_header header = {.flags = flags, .sequence = kernel.sequence++};
	const uint64_t one = 1;

	assert_true(kernel.end + sizeof(header) + length <= SPACE);
	memcpy(kernel.bytes + kernel.end, &header, sizeof(header));
	if (length)
		memcpy(kernel.bytes + kernel.end + sizeof(header), data, length);
	kernel.end += sizeof(header) + length;
	assert_int_equal(write(kernel.fd, &one, sizeof(one)), 8);
}

/* An SMMUv3's event: the stream id is in the upper half of the first word. */
static void put_event(uint32_t stream, uint32_t number)
{
	const uint64_t words[4] = {0x0a | (uint64_t)stream << 32, number, ~UINT64_C(0), number + 1};

	put(0, words, sizeof(words));
}

/* Lost are those whose numbers are left out; with @told the kernel says so by itself. */
static void lose(uint32_t count, bool told)
{
	kernel.sequence += count - told;
	if (told)
		put(UAPI_VEVENTQ_FLAG_LOST_EVENTS, NULL, 0);
}

static void open_reader(void)
{
	assert_int_equal(libiommu_ring_open_reader(ring, &reader), 0);
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
}

static void start(uint32_t outstanding)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(kernel.fd >= 0);
	ctx = ring_ctx();
	libiommu_failure_clear();
	door_on_read(kernel_read);
	ring = ring_make(ctx, 1024, outstanding, 0);
	assert_int_equal(libiommu_viommu_adopt(ctx, 3, LIBIOMMU_ID_BORROW, &viommu), 0);
	entry = (struct vdevice_entry){.keys = {STREAM, STREAM_LABEL}};
	li_vdevice_table_add(li_viommu_vdevices(viommu), &entry);
	assert_int_equal(libiommu_veventq_adopt(viommu, LIBIOMMU_VEVENTQ_SMMUV3, QUEUE_ID,
	                                        LIBIOMMU_ID_BORROW, kernel.fd, LIBIOMMU_FD_BORROW,
	                                        &queue),
	                 0);
	queue->counts = true;
	assert_int_equal(libiommu_ring_add_veventq(ring, queue, TAG), 0);
	reader = NULL;
}

static int setup(void **state)
{
	(void)state;
	start(64);
	open_reader();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ring_check(ring);
	libiommu_reader_free(reader);
	assert_int_equal(libiommu_ring_destroy(ring), 0);
	assert_int_equal(libiommu_veventq_destroy(queue), 0);
	li_vdevice_table_remove(li_viommu_vdevices(viommu), &entry);
	assert_int_equal(libiommu_viommu_destroy(viommu), 0);
	ring_ctx_close(ctx);
	close(kernel.fd);
	return 0;
}

static void dispatch(void)
{
	assert_int_equal(libiommu_ring_dispatch(ring), 0);
}

static const struct libiommu_record *take(size_t *count)
{
	const struct libiommu_record *records;

	assert_int_equal(libiommu_reader_next(reader, &records, count), 1);
	for (size_t i = 0; i < *count; i++)
		assert_true(records[i].token == 0);
	return records;
}

static void check_event(uint32_t stream, uint32_t number)
{
	uint64_t words[5] = {0, 0, 0, 0, 77};
	size_t count;
	const struct libiommu_record *const records = take(&count);
	const bool known = stream == STREAM;

	assert_int_equal(count, 2);
	assert_int_equal(records->kind, LIBIOMMU_RECORD_VEVENT);
	assert_int_equal(records->flags, known ? 0 : LIBIOMMU_RECORD_UNKNOWN);
	assert_true(records->label == (known ? STREAM_LABEL : 0));
	assert_int_equal(records->address, stream);
	assert_int_equal(records->tag, TAG);
	assert_int_equal(records->length, EVENT);
	assert_int_equal(records->attachment, LIBIOMMU_VEVENTQ_SMMUV3);
	assert_int_equal(records[1].kind, LIBIOMMU_RECORD_DATA);
	assert_int_equal(records[1].flags, LIBIOMMU_RECORD_LAST);
	assert_int_equal(libiommu_record_data(records, count, words, sizeof(words)), EVENT);
	assert_true(words[0] == (0x0a | (uint64_t)stream << 32));
	assert_int_equal(words[1], number);
	assert_true(words[2] == ~UINT64_C(0));
	assert_int_equal(words[3], number + 1);
	assert_int_equal(words[4], 77);
}

static void check_lost(uint64_t lost)
{
	size_t count;
	const struct libiommu_record *const record = take(&count);

	assert_int_equal(count, 1);
	assert_int_equal(record->kind, LIBIOMMU_RECORD_LOST);
	assert_int_equal(record->flags, LIBIOMMU_RECORD_LAST);
	assert_int_equal(record->address, lost);
	assert_int_equal(record->tag, TAG);
	assert_int_equal(record->attachment, LIBIOMMU_VEVENTQ_SMMUV3);
}

static void test_an_event_comes_as_it_was(void **state)
{
	(void)state;
	assert_false(ring_ready(ring));
	put_event(STREAM, 1);
	put_event(OTHER, 2);
	assert_true(ring_ready(ring));
	dispatch();
	check_event(STREAM, 1);
	check_event(OTHER, 2);
	assert_int_equal(reader_none(reader), 0);
	assert_false(ring_ready(ring));
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_EVENTS), 2);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_RECORDS), 4);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_OUTSTANDING), 0);
}

static void test_a_loss_has_its_place(void **state)
{
	(void)state;
	put_event(STREAM, 1);
	lose(3, false);
	put_event(STREAM, 2);
	dispatch();
	check_event(STREAM, 1);
	check_lost(3);
	check_event(STREAM, 2);
	/* Told at once, and not again with the event that follows. */
	lose(5, true);
	dispatch();
	check_lost(5);
	put_event(STREAM, 3);
	dispatch();
	check_event(STREAM, 3);
	assert_int_equal(reader_none(reader), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_EVENTS_LOST), 8);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_EVENTS), 5);
}

static void test_events_need_no_place_among_the_groups_that_are_out(void **state)
{
	struct libiommu_completion completion;
	struct fake fake;
	void *none = NULL;

	(void)state;
	teardown(&none);
	start(1);
	open_reader();
	fake_init(&fake);
	assert_int_equal(li_filler_add(li_ring_filler(ring), &fake.source), 0);
	fake_raise(&fake, 1, 0);
	fake_raise(&fake, 1, 0);
	dispatch();
	put_event(STREAM, 1);
	assert_true(ring_ready(ring));
	dispatch();
	reader_take(reader, &completion);
	check_event(STREAM, 1);
	assert_int_equal(reader_none(reader), 0);
	/* Neither the group that waits nor the queue keeps the ring busy. */
	assert_false(ring_ready(ring));
	assert_int_equal(libiommu_reader_complete(reader, &completion, 1), 1);
	dispatch();
	reader_take(reader, &completion);
	assert_int_equal(libiommu_reader_complete(reader, &completion, 1), 1);
	dispatch();
	fake_check(&fake);
	assert_int_equal(li_filler_remove(li_ring_filler(ring), &fake.source), 0);
	fake_close(&fake);
}

static void test_what_has_no_room_waits(void **state)
{
	enum { COUNT = 2000 }; /* 4000 records and 400 losses, in a ring of 1024 */
	uint32_t seen = 0;

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		if (i % 5 == 4)
			lose(1, false);
		put_event(STREAM, i);
	}
	while (seen < COUNT) {
		const uint32_t before = seen;

		dispatch();
		while (seen < COUNT && libiommu_reader_sleep(reader, 0) == 1) {
			if (seen % 5 == 4)
				check_lost(1);
			/* Its loss can be the last that found room. */
			if (libiommu_reader_sleep(reader, 0) != 1) {
				libiommu_reader_release(reader);
				dispatch();
			}
			check_event(STREAM, seen++);
		}
		assert_true(seen > before);
		assert_int_equal(libiommu_reader_release(reader), 0);
	}
	dispatch();
	assert_int_equal(reader_none(reader), 0);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_EVENTS_LOST), COUNT / 5);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_EVENTS), COUNT + COUNT / 5);
	assert_true(ring_count(ring, LIBIOMMU_RING_FULL) > 0);
}

static void test_a_long_event_is_put_together_again(void **state)
{
	enum { LENGTH = 4096 - 5, COUNT = 40 };
	const struct libiommu_record *records;
	unsigned char out[LENGTH], in[LENGTH + 1];
	size_t count;

	(void)state;
	queue->layout = (struct veventq_layout){.length = LENGTH};
	for (uint32_t n = 0; n < COUNT; n++) {
		for (uint32_t i = 0; i < LENGTH; i++)
			out[i] = (unsigned char)(i * 7 + i / 32 + n);
		put(0, out, LENGTH);
		in[LENGTH] = 99;
		dispatch();
		records = take(&count);
		assert_int_equal(libiommu_record_data(records, count, in, sizeof(in)), LENGTH);
		assert_int_equal(count, 1 + 128);
		assert_memory_equal(in, out, LENGTH);
		assert_int_equal(in[LENGTH], 99);
		assert_int_equal(libiommu_reader_release(reader), 0);
	}
	/* They need not fit whole. */
	put(0, out, LENGTH);
	dispatch();
	memset(in, 0, sizeof(in));
	records = take(&count);
	assert_int_equal(libiommu_record_data(records, count, in, 33), LENGTH);
	assert_memory_equal(in, out, 33);
	assert_int_equal(in[33], 0);
}

static void test_events_wait_for_a_reader(void **state)
{
	void *none = NULL;

	(void)state;
	teardown(&none);
	start(64);
	put_event(STREAM, 1);
	dispatch();
	assert_false(ring_ready(ring));
	open_reader();
	check_event(STREAM, 1);
	/* Without one that was there faults are refused; events have nobody who waits. */
	libiommu_reader_free(reader);
	dispatch();
	put_event(STREAM, 2);
	dispatch();
	assert_false(ring_ready(ring));
	open_reader();
	check_event(STREAM, 2);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_REFUSED), 0);
}

static void fail_read(int error, int wanted)
{
	put_event(STREAM, 1);
	kernel.error = error;
	assert_int_equal(libiommu_ring_dispatch(ring), wanted);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_ERRORS), 1);
	assert_int_equal(ring_count(ring, LIBIOMMU_RING_FULL), 0);
	assert_int_equal(reader_none(reader), 0);
	dispatch();
	check_event(STREAM, 1);
}

static void test_a_failing_read_loses_nothing(void **state)
{
	(void)state;
	fail_read(-EIO, -EIO);
}

/* A source says that of a group for which there is not enough room. */
static void test_no_buffers_is_not_about_room(void **state)
{
	(void)state;
	fail_read(-ENOBUFS, -ENOSPC);
}

static void test_nonsense_from_the_kernel(void **state)
{
	(void)state;
	put_event(STREAM, 1);
	/* A number that there cannot be. */
	kernel.sequence = UINT32_MAX;
	put_event(STREAM, 2);
	kernel.sequence = 2;
	/* What came before is delivered; then it is told. */
	assert_int_equal(libiommu_ring_dispatch(ring), -EPROTO);
	check_event(STREAM, 1);
	assert_int_equal(reader_none(reader), 0);
	put_event(STREAM, 3);
	dispatch();
	check_lost(1);
	check_event(STREAM, 3);
}

static void test_a_read_is_not_made_for_nothing(void **state)
{
	(void)state;
	kernel.reads = 0;
	put_event(STREAM, 1);
	dispatch();
	assert_int_equal(kernel.reads, 1);
	check_event(STREAM, 1);
}

static void test_the_ring_reads_it_alone(void **state)
{
	struct libiommu_ring *const other = ring_make(ctx, 1024, 8, 0);
	struct libiommu_vevent_batch *batch;

	(void)state;
	assert_int_equal(libiommu_vevent_batch_new(4, &batch), 0);
	assert_int_equal(libiommu_ring_add_veventq(other, queue, 0), -EBUSY);
	assert_int_equal(libiommu_ring_add_veventq(ring, queue, 0), -EBUSY);
	assert_int_equal(libiommu_veventq_read(queue, batch, NULL), -EBUSY);
	assert_int_equal(libiommu_veventq_destroy(queue), -EBUSY);
	assert_int_equal(libiommu_ring_remove_veventq(other, queue), -ENOENT);
	put_event(STREAM, 1);
	assert_int_equal(libiommu_ring_remove_veventq(ring, queue), 0);
	assert_int_equal(libiommu_ring_remove_veventq(ring, queue), -ENOENT);
	dispatch();
	assert_false(ring_ready(ring));
	assert_int_equal(libiommu_veventq_read(queue, batch, NULL), 1);
	/* The destruction of a ring gives it back too. */
	assert_int_equal(libiommu_ring_add_veventq(other, queue, 0), 0);
	assert_int_equal(libiommu_ring_destroy(other), 0);
	assert_int_equal(libiommu_ring_add_veventq(ring, queue, TAG), 0);
	libiommu_vevent_batch_free(batch);
}

static void test_what_cannot_be_added(void **state)
{
	unsigned int nth, failed = 0;
	int fd;

	(void)state;
	assert_int_equal(libiommu_ring_remove_veventq(ring, queue), 0);
	for (nth = 1;; nth++) {
		int error;

		door_fail_nth(nth);
		error = libiommu_ring_add_veventq(ring, queue, TAG);
		if (!door_failed())
			break;
		assert_int_equal(error, -EIO);
		failed++;
	}
	assert_int_equal(failed, 1);
	assert_int_equal(libiommu_ring_remove_veventq(ring, queue), 0);
	ALLOC_LOOP
	{
		if (!ALLOC_TRY(libiommu_ring_add_veventq(ring, queue, TAG)))
			assert_int_equal(libiommu_ring_remove_veventq(ring, queue), 0);
	}
	fd = queue->fd;
	queue->fd = -1;
	assert_int_equal(libiommu_ring_add_veventq(ring, queue, TAG), -EBADF);
	queue->fd = fd;
}

static void test_another_context(void **state)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *second;
	struct libiommu_ring *foreign;

	(void)state;
	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	libiommu_ctx_config_set_sys(config, ring_door());
	libiommu_ctx_config_set_fd(config, kernel.fd, LIBIOMMU_FD_BORROW);
	assert_int_equal(libiommu_ctx_new(config, &second), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_ring_new(second, NULL, &foreign), 0);
	assert_int_equal(libiommu_ring_add_veventq(foreign, queue, 0), -EINVAL);
	assert_int_equal(libiommu_ring_destroy(foreign), 0);
	assert_int_equal(libiommu_ctx_destroy(second), 0);
}

static void test_a_forked_child(void **state)
{
	int status;
	pid_t child;

	(void)state;
	child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit(libiommu_ring_add_veventq(ring, queue, 0) != -ECHILD ||
		      libiommu_ring_remove_veventq(ring, queue) != -ECHILD);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_data_is_checked(void **state)
{
	struct libiommu_record records[3] = {
		{.kind = LIBIOMMU_RECORD_VEVENT, .length = 33},
		{.kind = LIBIOMMU_RECORD_DATA},
		{.kind = LIBIOMMU_RECORD_DATA, .flags = LIBIOMMU_RECORD_LAST},
	};
	char buffer[64];

	(void)state;
	assert_int_equal(libiommu_record_data(records, 3, buffer, sizeof(buffer)), 33);
	assert_int_equal(libiommu_record_data(records, 3, NULL, 0), 33);
	assert_int_equal(libiommu_record_data(records, 2, buffer, sizeof(buffer)), -EPROTO);
	records[0].length = UINT32_MAX;
	assert_int_equal(libiommu_record_data(records, 3, buffer, sizeof(buffer)), -EPROTO);
	assert_int_equal(libiommu_record_data(records, 0, buffer, sizeof(buffer)), -EINVAL);
	assert_int_equal(libiommu_record_data(records + 1, 2, buffer, sizeof(buffer)), -EINVAL);
	assert_int_equal(libiommu_record_data(records, 3, NULL, 1), -EINVAL);
	records[0].length = 0;
	assert_int_equal(libiommu_record_data(records, 1, buffer, sizeof(buffer)), 0);
}

static unsigned int handled[2];

static void handle_event(void *user, const struct libiommu_record *records, size_t count)
{
	assert_ptr_equal(user, handled);
	assert_true(records[count - 1].flags & LIBIOMMU_RECORD_LAST);
	handled[records->kind == LIBIOMMU_RECORD_LOST]++;
}

static void test_handlers_get_events(void **state)
{
	struct libiommu_handlers *handlers;
	uint64_t value;

	(void)state;
	handled[0] = handled[1] = 0;
	assert_int_equal(libiommu_handlers_new(reader, &handlers), 0);
	put_event(STREAM, 1);
	dispatch();
	/* Nobody wants it. */
	assert_int_equal(libiommu_handlers_dispatch(handlers), 1);
	assert_int_equal(libiommu_handlers_set_events(handlers, handle_event, handled), 0);
	lose(2, false);
	put_event(STREAM, 2);
	dispatch();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 2);
	assert_int_equal(handled[0], 1);
	assert_int_equal(handled[1], 1);
	assert_int_equal(libiommu_handlers_set_events(handlers, NULL, NULL), 0);
	put_event(STREAM, 3);
	dispatch();
	assert_int_equal(libiommu_handlers_dispatch(handlers), 1);
	assert_int_equal(handled[0], 1);
	assert_int_equal(libiommu_handlers_counter(handlers, LIBIOMMU_HANDLERS_EVENTS, &value), 0);
	assert_int_equal(value, 4);
	assert_int_equal(libiommu_handlers_counter(handlers, LIBIOMMU_HANDLERS_UNKNOWN, &value), 0);
	assert_int_equal(value, 0);
	libiommu_handlers_free(handlers);
}

#define EVENT_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EVENT_TEST(test_an_event_comes_as_it_was),
		EVENT_TEST(test_a_loss_has_its_place),
		EVENT_TEST(test_events_need_no_place_among_the_groups_that_are_out),
		EVENT_TEST(test_what_has_no_room_waits),
		EVENT_TEST(test_a_long_event_is_put_together_again),
		EVENT_TEST(test_events_wait_for_a_reader),
		EVENT_TEST(test_a_failing_read_loses_nothing),
		EVENT_TEST(test_no_buffers_is_not_about_room),
		EVENT_TEST(test_nonsense_from_the_kernel),
		EVENT_TEST(test_a_read_is_not_made_for_nothing),
		EVENT_TEST(test_the_ring_reads_it_alone),
		EVENT_TEST(test_what_cannot_be_added),
		EVENT_TEST(test_another_context),
		EVENT_TEST(test_a_forked_child),
		EVENT_TEST(test_data_is_checked),
		EVENT_TEST(test_handlers_get_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
