/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The table of a DMA space: what is found in it, by whom, and while it changes. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "objects.h"
#include "ring-door.h"

#include "../../lib/dma/table.h"
#include "../random.h"

#define PAGE  TABLE_PAGE
#define BLOCK TABLE_BLOCK
#define AT    UINT64_C(0x40000000)

static struct libiommu_ctx *ctx;
static struct libiommu_dma_table *table;

static int setup(void **state)
{
	(void)state;
	ctx = ring_ctx();
	assert_int_equal(li_table_memory_new(ring_door(), &table), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (table)
		li_table_memory_free(table);
	table = NULL;
	ring_ctx_close(ctx);
	return 0;
}

static void *address(uint64_t key)
{
	return (void *)(uintptr_t)key;
}

/* As a DMA space would. */
static void add(uint64_t key, uint64_t iova, uint64_t length)
{
	assert_int_equal(li_table_prepare(table, BY_ADDRESS, key, length), 0);
	assert_int_equal(li_table_prepare(table, BY_IOVA, iova, length), 0);
	li_table_set(table, BY_ADDRESS, key, iova, length);
	li_table_set(table, BY_IOVA, iova, key, length);
	li_table_tell(table);
}

static void take_out(uint64_t key, uint64_t iova, uint64_t length)
{
	li_table_clear(table, BY_ADDRESS, key, length);
	li_table_clear(table, BY_IOVA, iova, length);
	li_table_tell(table);
}

static void expect(uint64_t key, uint64_t length, uint64_t iova, uint64_t contiguous)
{
	uint64_t found = 0, room = 0;
	void *back = NULL;

	assert_int_equal(libiommu_dma_table_translate(table, address(key), length, &found, &room),
	                 0);
	assert_int_equal(found, iova);
	assert_int_equal(room, contiguous);
	assert_int_equal(libiommu_dma_table_translate_back(table, iova, 1, &back, &room), 0);
	assert_ptr_equal(back, address(key));
}

static void expect_error(uint64_t key, uint64_t length, int error)
{
	uint64_t found = 7, room = 7;

	assert_int_equal(libiommu_dma_table_translate(table, address(key), length, &found, &room),
	                 error);
	assert_int_equal(found, 7);
	assert_int_equal(room, 7);
	assert_int_equal(libiommu_failure_error(), error);
}

static void test_pages_and_blocks(void **state)
{
	(void)state;
	expect_error(AT, 1, -ENOENT);
	add(AT + PAGE, 0x10000, 3 * PAGE);
	expect(AT + PAGE, 1, 0x10000, 1);
	expect(AT + PAGE + 5, 100000, 0x10005, 3 * PAGE - 5);
	expect(AT + 4 * PAGE - 1, 2, 0x12fff, 1);
	expect_error(AT + PAGE - 1, 1, -ENOENT);
	expect_error(AT + 4 * PAGE, 1, -ENOENT);
	/* Half a block, two whole ones, a page. */
	add(AT + 5 * BLOCK / 2, 0x800000, 5 * BLOCK / 2 + PAGE);
	expect(AT + 5 * BLOCK / 2, BLOCK * 9, 0x800000, 5 * BLOCK / 2 + PAGE);
	expect(AT + 4 * BLOCK - 1, 2, 0x800000 + 3 * BLOCK / 2 - 1, 2);
	expect(AT + 5 * BLOCK, 8192, 0x800000 + 5 * BLOCK / 2, PAGE);
	take_out(AT + PAGE, 0x10000, 3 * PAGE);
	expect_error(AT + 2 * PAGE, 1, -ESTALE);
	assert_explained("not any more");
	take_out(AT + 5 * BLOCK / 2, 0x800000, 5 * BLOCK / 2 + PAGE);
	expect_error(AT + 3 * BLOCK, 1, -ESTALE);
	/* A block that is gone, and now has a page: the others are still gone. */
	add(AT + 3 * BLOCK + PAGE, 0x70000, PAGE);
	expect(AT + 3 * BLOCK + PAGE, 1, 0x70000, 1);
	expect_error(AT + 3 * BLOCK, 1, -ESTALE);
	/* What has pages once keeps them, and is a block all the same. */
	take_out(AT + 3 * BLOCK + PAGE, 0x70000, PAGE);
	add(AT + 3 * BLOCK, 0x600000, BLOCK);
	expect(AT + 3 * BLOCK + 77, BLOCK, 0x600000 + 77, BLOCK - 77);
}

static void test_edges(void **state)
{
	uint64_t top = (UINT64_C(1) << TABLE_KEY_BITS) - BLOCK;
	uint64_t iova = 7;

	(void)state;
	if (sizeof(void *) < 8)
		top = UINT32_MAX - (BLOCK - 1);
	add(top, (UINT64_C(1) << TABLE_KEY_BITS) - 2 * BLOCK, BLOCK);
	expect(top + BLOCK - 1, 100, (UINT64_C(1) << TABLE_KEY_BITS) - BLOCK - 1, 1);
	add(0, 0, PAGE);
	expect(0, PAGE, 0, PAGE);
	if (sizeof(void *) == 8) {
		/* The bits that no key has do not make it another one. */
		expect_error(UINT64_C(1) << TABLE_KEY_BITS, 1, -ENOENT);
		expect_error(UINT64_MAX, 1, -ENOENT);
	}
	assert_int_equal(libiommu_dma_table_translate(table, NULL, PAGE, &iova, NULL), 0);
	assert_int_equal(libiommu_dma_table_translate(table, NULL, PAGE + 1, &iova, NULL), -ERANGE);
	assert_explained("not contiguous");
}

/* More than an entry can say, and two registrations that go on from each other. */
static void test_long(void **state)
{
	const uint64_t key = UINT64_C(0x80000000), length = (2 * ENTRY_MOST + 7) * PAGE;

	(void)state;
	add(key, 0x12345000, length);
	expect(key, UINT64_MAX, 0x12345000, length);
	expect(key + 5, length, 0x12345005, length - 5);
	expect(key + 5, length - 6, 0x12345005, length - 6);
	add(key + length, 0x12345000 + length, PAGE);
	expect(key + 5, UINT64_MAX, 0x12345005, length + PAGE - 5);
	add(key + length + PAGE, 0x1000, PAGE);
	expect(key + 5, UINT64_MAX, 0x12345005, length + PAGE - 5);
}

static void test_many(void **state)
{
	void *const addresses[] = {address(AT + 8), address(AT + PAGE), address(AT + 3 * PAGE)};
	uint64_t iovas[3] = {0};

	(void)state;
	add(AT, 0x10000, 2 * PAGE);
	add(AT + 3 * PAGE, 0x20000, PAGE);
	assert_int_equal(libiommu_dma_table_translate_many(table, addresses, 3, PAGE, iovas), 0);
	assert_int_equal(iovas[0], 0x10008);
	assert_int_equal(iovas[1], 0x11000);
	assert_int_equal(iovas[2], 0x20000);
	assert_int_equal(libiommu_dma_table_translate_many(table, NULL, 0, PAGE, NULL), 0);
	assert_int_equal(libiommu_dma_table_translate_many(table, NULL, 1, PAGE, iovas), -EINVAL);
	assert_int_equal(libiommu_dma_table_translate_many(table, addresses, 3, PAGE + 1, iovas),
	                 -ERANGE);
	take_out(AT + 3 * PAGE, 0x20000, PAGE);
	assert_int_equal(libiommu_dma_table_translate_many(table, addresses, 3, PAGE, iovas),
	                 -ESTALE);
}

static void test_gather(void **state)
{
	const struct iovec buffers[] = {
		{address(AT + 0x10), 0x20},
		{address(AT + 0x30), 0x10},
		{NULL, 0},
		{address(AT + 3 * PAGE), PAGE},
		{address(AT + PAGE), 3 * PAGE},
		{address(AT + 2 * BLOCK), 5},
	};
	struct libiommu_dma_segment segments[8];

	(void)state;
	add(AT, 0x10000, 2 * PAGE);
	add(AT + 2 * PAGE, 0x50000, 2 * PAGE);
	assert_int_equal(libiommu_dma_table_gather(table, buffers, 5, segments, 8), 4);
	/* The first two are one. */
	assert_int_equal(segments[0].iova, 0x10010);
	assert_int_equal(segments[0].length, 0x30);
	assert_int_equal(segments[1].iova, 0x51000);
	assert_int_equal(segments[1].length, PAGE);
	assert_int_equal(segments[2].iova, 0x11000);
	assert_int_equal(segments[2].length, PAGE);
	assert_int_equal(segments[3].iova, 0x50000);
	assert_int_equal(segments[3].length, 2 * PAGE);
	assert_int_equal(libiommu_dma_table_gather(table, buffers, 5, segments, 4), 4);
	assert_int_equal(libiommu_dma_table_gather(table, buffers, 5, segments, 3), -EMSGSIZE);
	assert_int_equal(libiommu_dma_table_gather(table, buffers, 1, NULL, 0), -EMSGSIZE);
	assert_int_equal(libiommu_dma_table_gather(table, buffers, 6, segments, 8), -ENOENT);
	assert_int_equal(libiommu_dma_table_gather(table, NULL, 0, NULL, 0), 0);
	assert_int_equal(libiommu_dma_table_gather(table, buffers, 1, NULL, 1), -EINVAL);
	take_out(AT + 2 * PAGE, 0x50000, 2 * PAGE);
	assert_int_equal(libiommu_dma_table_gather(table, buffers, 5, segments, 8), -ESTALE);
}

#define MODEL 3000 /* pages */

/* Registrations come and go; after each the table says what an array of pages says. */
static void test_random(void **state)
{
	static uint64_t to[MODEL];
	static size_t lengths[MODEL];
	uint32_t seed = 4;

	(void)state;
	for (uint32_t round = 0; round < 6000; round++) {
		const size_t page = next_random(&seed) % MODEL;
		size_t pages = 1 + next_random(&seed) % (next_random(&seed) % 4 ? 40 : 1600);
		const uint64_t iova = (1 + round % 1000) * UINT64_C(0x1000000);
		uint64_t room = 0, found = 0;
		size_t at = page;

		for (size_t i = page; i < page + pages; i++)
			if (i >= MODEL || to[i])
				pages = i - page;
		if (pages) {
			add(AT + page * PAGE, iova, pages * PAGE);
			for (size_t i = 0; i < pages; i++)
				to[page + i] = iova + i * PAGE;
			lengths[page] = pages;
		} else if (lengths[page]) {
			take_out(AT + page * PAGE, to[page], lengths[page] * PAGE);
			for (size_t i = 0; i < lengths[page]; i++)
				to[page + i] = 0;
			lengths[page] = 0;
		}
		at = next_random(&seed) % MODEL;
		for (pages = 0;
		     at + pages < MODEL && to[at] && to[at + pages] == to[at] + pages * PAGE;
		     pages++)
			;
		if (libiommu_dma_table_translate(table, address(AT + at * PAGE + 3), UINT64_MAX,
		                                 &found, &room))
			assert_int_equal(to[at], 0);
		else
			assert_int_equal(found, to[at] + 3);
		assert_int_equal(room, pages ? pages * PAGE - 3 : 0);
	}
}

/* A process that only reads. */
static void test_open(void **state)
{
	struct libiommu_dma_table *other = NULL, *const own = table;
	const int fd = libiommu_dma_table_fd(table);
	uint64_t generation = 0;
	bool closed = true;
	void *at;

	(void)state;
	assert_true(fd >= 0);
	add(AT, 0x10000, PAGE);
	assert_int_equal(libiommu_dma_table_open(ring_door(), fd, &other), 0);
	table = other;
	expect(AT, PAGE, 0x10000, PAGE);
	assert_int_equal(libiommu_dma_table_generation(other, &generation, &closed), 0);
	assert_int_equal(generation, 1);
	assert_false(closed);
	table = own;
	/* Registered after it was opened. */
	add(AT + 512 * BLOCK, 0x8000000, 3 * BLOCK + PAGE);
	table = other;
	expect(AT + 512 * BLOCK, UINT64_MAX, 0x8000000, 3 * BLOCK + PAGE);
	assert_int_equal(libiommu_dma_table_generation(other, &generation, &closed), 0);
	assert_int_equal(generation, 2);
	assert_int_equal(libiommu_dma_table_fd(other), -EBADF);
	assert_int_equal(libiommu_dma_table_destroy(own), -EBUSY);
	/* Nobody but the owner can write. */
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(at == MAP_FAILED);
	assert_true(ftruncate(fd, 0) < 0);
	assert_true(pwrite(fd, "x", 1, 0) < 0);
	li_table_memory_free(own);
	assert_int_equal(libiommu_dma_table_generation(other, &generation, &closed), 0);
	assert_true(closed);
	assert_int_equal(libiommu_dma_table_destroy(other), 0);
	assert_int_equal(libiommu_dma_table_destroy(NULL), 0);
	table = NULL;
}

/* What is no table. */
static void test_open_refuses(void **state)
{
	static const struct {
		uint64_t magic;
		uint32_t version;
		uint32_t page_shift;
		uint64_t size;
		int error;
	} headers[] = {
		{TABLE_MAGIC + 1, TABLE_VERSION, 12, TABLE_SIZE, -EPROTO},
		{TABLE_MAGIC, TABLE_VERSION + 1, 12, TABLE_SIZE, -EPROTONOSUPPORT},
		{TABLE_MAGIC, TABLE_VERSION, 14, TABLE_SIZE, -EPROTONOSUPPORT},
		{TABLE_MAGIC, TABLE_VERSION, 12, TABLE_SIZE / 2, -EPROTO},
		{TABLE_MAGIC, TABLE_VERSION, 12, TABLE_SIZE, 0},
	};
	struct libiommu_dma_table *other = NULL;
	int fd;

	(void)state;
	assert_int_equal(libiommu_dma_table_open(NULL, -1, &other), -EINVAL);
	assert_int_equal(libiommu_dma_table_open(NULL, 0, NULL), -EINVAL);
	/* /dev/null has no seals. */
	assert_int_equal(libiommu_dma_table_open(NULL, libiommu_ctx_fd(ctx), &other), -EPROTO);
	assert_explained("not a table");
	fd = li_sys_memfd(li_sys_libc(), "x", TABLE_SIZE);
	assert_int_equal(libiommu_dma_table_open(NULL, fd, &other), -EPROTO);
	assert_true(li_sys_seal(li_sys_libc(), fd, F_SEAL_SHRINK) > 0);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		assert_int_equal(pwrite(fd, &headers[i], 24, TABLE_HEADER), 24);
		assert_int_equal(libiommu_dma_table_open(NULL, fd, &other), headers[i].error);
		assert_int_equal(!other, !!headers[i].error);
	}
	/* Whatever the words in it are, nothing beside the table is read. */
	for (uint64_t i = 0; i < 1000; i++) {
		uint32_t seed = (uint32_t)i + 1;
		uint64_t iova, room, wild[64];

		for (size_t j = 0; j < 64; j++)
			wild[j] = (uint64_t)next_random(&seed) << 32 | next_random(&seed);
		assert_int_equal(pwrite(fd, wild, sizeof(wild), BY_ADDRESS), sizeof(wild));
		assert_int_equal(pwrite(fd, wild, sizeof(wild), (off_t)(wild[0] & ENTRY_OFFSET)),
		                 sizeof(wild));
		for (uint64_t key = 0; key < 64; key++)
			libiommu_dma_table_translate(other, address(key << 30 | (i & 63) << 21),
			                             PAGE, &iova, &room);
	}
	assert_int_equal(libiommu_dma_table_destroy(other), 0);
	close(fd);
	fd = li_sys_memfd(li_sys_libc(), "x", PAGE);
	assert_true(li_sys_seal(li_sys_libc(), fd, F_SEAL_SHRINK) > 0);
	assert_int_equal(libiommu_dma_table_open(NULL, fd, &other), -EPROTO);
	close(fd);
}

/* Each call of making and of opening a table fails in turn, and each allocation. */
static void test_failing(void **state)
{
	struct libiommu_dma_table *made = NULL;
	const int fd = libiommu_dma_table_fd(table);
	unsigned int nth = 0;
	int error;

	(void)state;
	do {
		door_fail_nth(++nth);
		error = li_table_memory_new(ring_door(), &made);
	} while (door_failed() && error == -EIO);
	assert_int_equal(error, 0);
	assert_true(nth > 6);
	li_table_memory_free(made);
	nth = 0;
	do {
		door_fail_nth(++nth);
		error = libiommu_dma_table_open(ring_door(), fd, &made);
	} while (door_failed() && error == -EIO);
	assert_int_equal(error, 0);
	assert_true(nth > 6);
	assert_int_equal(libiommu_dma_table_destroy(made), 0);
	alloc_fail_nth(1);
	assert_int_equal(li_table_memory_new(ring_door(), &made), -ENOMEM);
	assert_true(alloc_restore());
	alloc_fail_nth(1);
	assert_int_equal(libiommu_dma_table_open(ring_door(), fd, &made), -ENOMEM);
	assert_true(alloc_restore());
}

/* No memory for a node is told, not found out by a signal; what is there is found. */
static void test_no_memory_for_nodes(void **state)
{
	(void)state;
	add(AT, 0x10000, PAGE);
	table->next = table->populated;
	door_fail_nth(1);
	assert_int_equal(li_table_prepare(table, BY_ADDRESS, AT + BLOCK, PAGE), -ENOMEM);
	assert_true(door_failed());
	door_fail_nth(1);
	assert_int_equal(li_table_prepare(table, BY_ADDRESS, AT * 3, PAGE), -ENOMEM);
	assert_true(door_failed());
	expect_error(AT + BLOCK, 1, -ENOENT);
	expect(AT, PAGE, 0x10000, PAGE);
	table->next = table->populated = TABLE_SIZE;
	assert_int_equal(li_table_prepare(table, BY_ADDRESS, AT * 3, PAGE), -ENOMEM);
}

static void test_child_is_told(void **state)
{
	uint64_t iova, room;
	void *back;
	bool closed;
	int status = 0;
	pid_t child;

	(void)state;
	add(AT, 0x10000, PAGE);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		const struct iovec buffer = {address(AT), 1};
		void *const one = address(AT);
		struct libiommu_dma_segment segment;
		bool ok = true;

		ok &= libiommu_dma_table_translate(table, one, 1, &iova, &room) == -ECHILD;
		ok &= libiommu_dma_table_translate_back(table, 0x10000, 1, &back, &room) == -ECHILD;
		ok &= libiommu_dma_table_translate_many(table, &one, 1, 1, &iova) == -ECHILD;
		ok &= libiommu_dma_table_gather(table, &buffer, 1, &segment, 1) == -ECHILD;
		ok &= libiommu_dma_table_fd(table) == -ECHILD;
		ok &= libiommu_dma_table_destroy(table) == -ECHILD;
		ok &= libiommu_dma_table_generation(table, &iova, &closed) == -ECHILD;
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	expect(AT, PAGE, 0x10000, PAGE);
}

#define READERS 2
#define STAYS   (AT + 4 * PAGE)

static atomic_bool stop;
static atomic_uint wrong;

/* What stays is found, what comes and goes is found right or not at all. */
static void *read_all(void *user)
{
	(void)user;
	while (!atomic_load(&stop)) {
		for (uint64_t i = 0; i < 64; i++) {
			uint64_t iova = 0, room = 0;
			const uint64_t key = AT + BLOCK * (1 + i / 8) + i % 8 * PAGE;

			if (libiommu_dma_table_translate(table, address(STAYS), PAGE, &iova,
			                                 &room) ||
			    iova != 0x7000 || room != PAGE)
				atomic_fetch_add(&wrong, 1);
			if (!libiommu_dma_table_translate(table, address(key), 1, &iova, &room) &&
			    iova != key - AT + 0x10000000)
				atomic_fetch_add(&wrong, 1);
		}
	}
	return NULL;
}

/* Nor does a reader believe that it goes on for nearly 2^64 bytes. */
static void test_runs_that_no_owner_makes(void **state)
{
	const uint64_t one = ENTRY_VALID | UINT64_C(1) << ENTRY_RUN_SHIFT;
	const uint64_t two = ENTRY_VALID | UINT64_C(2) << ENTRY_RUN_SHIFT;

	(void)state;
	assert_int_equal(table_room(two, TABLE_PAGE), TABLE_PAGE);
	assert_int_equal(table_room(one, TABLE_PAGE), 0);
	assert_int_equal(table_room(one, 2 * TABLE_PAGE), 0);
}

static void test_readers_beside_a_writer(void **state)
{
	pthread_t readers[READERS];
	uint32_t seed = 11;

	(void)state;
	add(STAYS, 0x7000, PAGE);
	atomic_store(&stop, false);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_all, NULL), 0);
	for (int round = 0; round < 3000; round++) {
		const uint64_t block = 1 + next_random(&seed) % 8;
		const uint64_t length = next_random(&seed) % 2 ? BLOCK : 8 * PAGE;

		add(AT + block * BLOCK, 0x10000000 + block * BLOCK, length);
		take_out(AT + block * BLOCK, 0x10000000 + block * BLOCK, length);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	assert_int_equal(atomic_load(&wrong), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_pages_and_blocks),
		TEST(test_edges),
		TEST(test_long),
		TEST(test_many),
		TEST(test_gather),
		TEST(test_random),
		TEST(test_open),
		TEST(test_open_refuses),
		TEST(test_failing),
		TEST(test_no_memory_for_nodes),
		TEST(test_child_is_told),
		TEST(test_runs_that_no_owner_makes),
		TEST(test_readers_beside_a_writer),
	};

	return cmocka_run_group_tests_name("translate", tests, NULL, NULL);
}
