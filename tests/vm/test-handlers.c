/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Page tables that are empty at first, each filled by its own handler as the device asks: the
 * device's own, for faults without a PASID, and those of two PASIDs. A thread of the library's
 * fills the ring, and who handles sleeps in between.
 */
#include <sys/mman.h>

#include "mock.h"
#include "vm.h"

#define PAGE  4096
#define PAGES 64
#define FIRST UINT64_C(0x2000000) /* the driver has nothing below 16 MiB */

enum { OWN_TAG = 70, TAG = 75, STRANGE_TAG = 76, PASID = 5, STRANGE = 6 };

/* An address space, its page table, and what it is filled from. */
struct space {
	struct libiommu_ioas *ioas;
	struct libiommu_hwpt *table;
	unsigned char *memory;
	uint32_t vpasid; /* 0: of faults without one */
	uint32_t handled;
	uint32_t released;
	int wrong;
	struct space *successor; /* whose the tag is from its end on */
};

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_fault_queue *queue;
static struct libiommu_ring *ring;
static struct libiommu_reader *reader;
static struct libiommu_handlers *handlers;
static struct space own, under_pasid, next;

/* The page that is asked for, from the same place of this space's memory; nothing beyond it. */
static int map_it(void *user, const struct libiommu_record *records, size_t count)
{
	struct space *const space = user;
	const uint64_t offset = records->address - FIRST;
	const bool pasid = records->flags & LIBIOMMU_RECORD_PASID;

	space->handled++;
	space->wrong += count != 1 || pasid != !!space->vpasid || records->vpasid != space->vpasid;
	if (offset >= PAGES * PAGE ||
	    libiommu_ioas_map_fixed(space->ioas, space->memory + offset, PAGE,
	                            LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE, records->address))
		return LIBIOMMU_FAULT_INVALID;
	return LIBIOMMU_FAULT_SUCCESS;
}

static void release(void *user, const struct libiommu_record *record)
{
	struct space *const space = user;

	space->released++;
	if (space->successor)
		OK(libiommu_handlers_set(handlers, record->tag, map_it, release, space->successor));
}

static void space_new(struct space *space, uint32_t vpasid)
{
	*space = (struct space){.vpasid = vpasid};
	space->memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
	                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(space->memory != MAP_FAILED);
	OK(libiommu_ioas_alloc(ctx, &space->ioas));
	space->table = mock_hwpt(dev, space->ioas, queue);
}

static void space_free(struct space *space)
{
	assert_int_equal(space->wrong, 0);
	OK(libiommu_hwpt_destroy(space->table));
	OK(libiommu_ioas_destroy(space->ioas));
	munmap(space->memory, PAGES * PAGE);
}

static int setup(void **state)
{
	uint32_t pasid;

	(void)state;
	ctx = mock_ctx(mock);
	dev = mock_device(mock, ctx, 1, true);
	OK(libiommu_fault_queue_alloc(ctx, &queue));
	space_new(&own, 0);
	space_new(&under_pasid, PASID);
	space_new(&next, 0);
	OK(libiommu_device_set_tag(dev, OWN_TAG));
	OK(libiommu_device_attach_hwpt(dev, own.table));
	OK(libiommu_pasid_attach(dev, PASID, under_pasid.table, TAG, &pasid));
	assert_int_equal(pasid, PASID);
	OK(libiommu_ring_new(ctx, NULL, &ring));
	OK(libiommu_ring_add_queue(ring, queue, 0));
	OK(libiommu_ring_open_reader(ring, &reader));
	OK(libiommu_ring_start(ring));
	OK(libiommu_handlers_new(reader, &handlers));
	OK(libiommu_handlers_set(handlers, OWN_TAG, map_it, release, &own));
	OK(libiommu_handlers_set(handlers, TAG, map_it, release, &under_pasid));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	OK(libiommu_device_destroy(dev));
	libiommu_handlers_free(handlers);
	libiommu_reader_free(reader);
	OK(libiommu_ring_destroy(ring));
	space_free(&own);
	space_free(&under_pasid);
	space_free(&next);
	OK(libiommu_fault_queue_destroy(queue));
	OK(libiommu_ctx_destroy(ctx));
	return 0;
}

/* Handle @groups of them, asleep until there are some. */
static void handle(int groups)
{
	while (groups > 0) {
		const int got = libiommu_handlers_dispatch(handlers);

		SUCCEEDS(got);
		groups -= got;
		if (!got)
			SUCCEEDS(libiommu_reader_sleep(reader, -1));
	}
	assert_int_equal(groups, 0);
}

/* What has been handled is answered. */
static void wait_for(enum libiommu_ring_counter which, uint64_t count)
{
	uint64_t value;

	do
		OK(libiommu_ring_counter(ring, which, &value));
	while (value < count);
	assert_int_equal(value, count);
}

static void fault(uint32_t pasid, uint64_t address)
{
	OK(mock_fault(mock, dev, pasid, 1, LIBIOMMU_FAULT_READ, address));
}

static bool is_mapped(const struct space *space, uint32_t page)
{
	uint32_t id;

	OK(libiommu_hwpt_id(space->table, &id));
	return !mock_check_map(mock, dev, id, FIRST + (uint64_t)page * PAGE,
	                       space->memory + (size_t)page * PAGE, PAGE);
}

static void test_each_space_by_its_handler(void **state)
{
	struct mock_answers before, after;

	(void)state;
	mock_get_answers(mock, &before);
	for (uint32_t i = 0; i < PAGES; i++) {
		fault(i % 2 ? PASID : 0, FIRST + (uint64_t)i * PAGE);
		if (i % 8 == 7)
			handle(8);
	}
	/* Beyond what the device's own space has. */
	fault(0, FIRST + PAGES * PAGE);
	handle(1);
	wait_for(LIBIOMMU_RING_INVALID, 1);
	wait_for(LIBIOMMU_RING_SUCCESS, PAGES);
	wait_for(LIBIOMMU_RING_OUTSTANDING, 0);
	mock_get_answers(mock, &after);
	assert_int_equal(after.taken[LIBIOMMU_FAULT_SUCCESS] - before.taken[LIBIOMMU_FAULT_SUCCESS],
	                 PAGES);
	assert_int_equal(after.taken[LIBIOMMU_FAULT_INVALID] - before.taken[LIBIOMMU_FAULT_INVALID],
	                 1);
	assert_int_equal(own.handled, PAGES / 2 + 1);
	assert_int_equal(under_pasid.handled, PAGES / 2);
	for (uint32_t i = 0; i < PAGES; i++) {
		assert_int_equal(is_mapped(&own, i), i % 2 == 0);
		assert_int_equal(is_mapped(&under_pasid, i), i % 2 == 1);
	}
}

/* The device's own page table is changed for another, that of a PASID ends. */
static void test_spaces_come_and_go(void **state)
{
	(void)state;
	own.successor = &next;
	fault(0, FIRST);
	handle(1);
	OK(libiommu_device_replace_hwpt(dev, next.table));
	fault(0, FIRST + PAGE);
	/* The end of the old one, and behind it the fault, whose handler the end has set. */
	handle(2);
	assert_int_equal(own.released, 1);
	assert_int_equal(own.handled, 1);
	assert_int_equal(next.handled, 1);
	assert_int_equal(next.released, 0);
	wait_for(LIBIOMMU_RING_SUCCESS, 2);
	assert_true(is_mapped(&own, 0));
	assert_false(is_mapped(&own, 1));
	assert_true(is_mapped(&next, 1));
	OK(libiommu_pasid_detach(dev, PASID));
	handle(1);
	assert_int_equal(under_pasid.released, 1);
	assert_int_equal(under_pasid.handled, 0);
}

static void test_a_page_table_without_a_handler(void **state)
{
	uint64_t unhandled;
	uint32_t pasid;

	(void)state;
	OK(libiommu_pasid_attach(dev, STRANGE, next.table, STRANGE_TAG, &pasid));
	fault(pasid, FIRST);
	handle(1);
	wait_for(LIBIOMMU_RING_INVALID, 1);
	OK(libiommu_handlers_counter(handlers, LIBIOMMU_HANDLERS_UNHANDLED, &unhandled));
	assert_int_equal(unhandled, 1);
	assert_false(is_mapped(&next, 0));
}

#define HANDLERS_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HANDLERS_TEST(test_each_space_by_its_handler),
		HANDLERS_TEST(test_spaces_come_and_go),
		HANDLERS_TEST(test_a_page_table_without_a_handler),
	};
	int failed;

	mock = mock_new();
	if (!mock)
		return 77;
	failed = cmocka_run_group_tests_name("handlers", tests, NULL, NULL);
	mock_free(mock);
	return failed;
}
