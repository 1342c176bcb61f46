/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Calls and allocations that fail, or take their time: those that were meant, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <libiommu-emu.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"

enum { CALLS = 1000 };

struct fixture {
	struct libiommu_emu *emu;
	struct libiommu_emu_trouble *trouble;
	int fd;
};

static int setup(void **state)
{
	struct fixture *const f = calloc(1, sizeof(*f));

	if (!f || libiommu_emu_new(&f->emu) || libiommu_emu_trouble_new(&f->trouble))
		return -1;
	f->fd = libiommu_emu_open(f->emu, "/dev/iommu", O_RDWR | O_CLOEXEC);
	*state = f;
	return f->fd < 0;
}

static int teardown(void **state)
{
	struct fixture *const f = *state;
	int error;

	libiommu_emu_trouble_free(f->trouble);
	close(f->fd);
	error = libiommu_emu_destroy(f->emu);
	free(f);
	return error;
}

/* What the machine says where it is asked: there is no such object. */
static int call(const struct fixture *f)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = 7};

	return libiommu_emu_ioctl(f->emu, f->fd, UAPI_IOC_DESTROY, &cmd);
}

static void counted(const struct fixture *f, int number, uint64_t calls, uint64_t struck)
{
	uint64_t got = 0;

	assert_int_equal(libiommu_emu_count_trouble(f->emu, number, &got, NULL), 0);
	assert_int_equal(got, calls);
	assert_int_equal(libiommu_emu_count_trouble(f->emu, number, NULL, &got), 0);
	assert_int_equal(got, struck);
}

static void the_nth_fails(void **state)
{
	struct fixture *const f = *state;

	assert_int_equal(libiommu_emu_trouble_add_error(f->trouble, EINTR), 0);
	assert_int_equal(libiommu_emu_trouble_set_at(f->trouble, 3, 2), 0);
	assert_int_equal(libiommu_emu_add_trouble(f->emu, f->trouble), 0);
	for (int i = 1; i < 7; i++)
		assert_int_equal(call(f), i == 3 || i == 4 ? -EINTR : -ENOENT);
	counted(f, 0, 6, 2);
	assert_int_equal(libiommu_emu_count_trouble(f->emu, 1, NULL, NULL), -ENOENT);
	libiommu_emu_end_trouble(f->emu);
	assert_int_equal(libiommu_emu_count_trouble(f->emu, 0, NULL, NULL), -ENOENT);
}

/* Only what is the machine's is counted, and only what was asked for. */
static void calls_of_a_kind(void **state)
{
	struct fixture *const f = *state;
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct uapi_destroy cmd = {.size = sizeof(cmd)};
	void *at;
	char byte = 0;
	int fd;

	assert_int_equal(libiommu_emu_trouble_set_request(f->trouble, UAPI_IOC_IOAS_ALLOC), 0);
	assert_int_equal(libiommu_emu_trouble_add_error(f->trouble, ENOMEM), 0);
	assert_int_equal(libiommu_emu_add_trouble(f->emu, f->trouble), 0);
	assert_int_equal(call(f), -ENOENT);
	assert_int_equal(libiommu_emu_ioctl(f->emu, f->fd, UAPI_IOC_IOAS_ALLOC, &cmd), -ENOMEM);
	counted(f, 0, 1, 1);
	assert_int_equal(libiommu_emu_trouble_set_calls(f->trouble, ~0U & ((1U << 8) - 1) &
	                                                                    ~LIBIOMMU_EMU_IOCTL),
	                 0);
	assert_int_equal(libiommu_emu_add_trouble(f->emu, f->trouble), 1);
	assert_int_equal(libiommu_emu_open(f->emu, "/dev/iommu", O_RDWR | O_CLOEXEC), -ENOMEM);
	assert_int_equal(libiommu_emu_read(f->emu, f->fd, &byte, 1), -ENOMEM);
	assert_int_equal(libiommu_emu_write(f->emu, f->fd, &byte, 1), -ENOMEM);
	assert_int_equal(
		libiommu_emu_mmap(f->emu, NULL, 4096, PROT_READ, MAP_SHARED, f->fd, 0, &at),
		-ENOMEM);
	assert_int_equal(call(f), -ENOENT);
	counted(f, 1, 4, 4);
	assert_int_equal(libiommu_emu_read(f->emu, null, &byte, 1), 0);
	assert_int_equal(libiommu_emu_close(f->emu, null), 0);
	counted(f, 1, 4, 4);
	/* What cannot be closed is closed. */
	fd = f->fd;
	assert_int_equal(libiommu_emu_close(f->emu, fd), -ENOMEM);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	libiommu_emu_end_trouble(f->emu);
	f->fd = libiommu_emu_open(f->emu, "/dev/iommu", O_RDWR | O_CLOEXEC);
	assert_true(f->fd >= 0);
}

/* Results of many calls that meet a trouble by chance. */
static void play(struct fixture *f, uint64_t seed, int *results)
{
	assert_int_equal(libiommu_emu_trouble_set_chance(f->trouble, seed, 10), 0);
	assert_int_equal(libiommu_emu_add_trouble(f->emu, f->trouble), 0);
	for (int i = 0; i < CALLS; i++)
		results[i] = call(f);
	libiommu_emu_end_trouble(f->emu);
}

static void a_seed_is_a_schedule(void **state)
{
	struct fixture *const f = *state;
	int first[CALLS], again[CALLS], other[CALLS];
	int interrupted = 0, busy = 0;

	assert_int_equal(libiommu_emu_trouble_add_error(f->trouble, EINTR), 0);
	assert_int_equal(libiommu_emu_trouble_add_error(f->trouble, EBUSY), 0);
	play(f, 1, first);
	play(f, 1, again);
	play(f, 2, other);
	assert_memory_equal(first, again, sizeof(first));
	assert_memory_not_equal(first, other, sizeof(first));
	for (int i = 0; i < CALLS; i++) {
		interrupted += first[i] == -EINTR;
		busy += first[i] == -EBUSY;
		assert_true(first[i] == -EINTR || first[i] == -EBUSY || first[i] == -ENOENT);
	}
	assert_in_range(interrupted, 20, 100);
	assert_in_range(busy, 20, 100);
}

static void the_first_given_strikes(void **state)
{
	struct fixture *const f = *state;

	assert_int_equal(libiommu_emu_trouble_add_error(f->trouble, EIO), 0);
	assert_int_equal(libiommu_emu_trouble_set_at(f->trouble, 2, 1), 0);
	assert_int_equal(libiommu_emu_add_trouble(f->emu, f->trouble), 0);
	assert_int_equal(libiommu_emu_trouble_set_at(f->trouble, 1, 0), 0);
	assert_int_equal(libiommu_emu_add_trouble(f->emu, f->trouble), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(call(f), -EIO);
	counted(f, 0, 3, 1);
	counted(f, 1, 3, 2);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static void *call_in_thread(void *user)
{
	assert_int_equal(call(user), -ENOENT);
	return NULL;
}

/* One call takes its time, and others do not wait for it. */
static void delayed(void **state)
{
	struct fixture *const f = *state;
	const uint64_t ns = 200000000, start = now();
	uint64_t got = 0;
	pthread_t thread;

	assert_int_equal(libiommu_emu_trouble_set_delay(f->trouble, ns), 0);
	assert_int_equal(libiommu_emu_trouble_set_at(f->trouble, 1, 1), 0);
	assert_int_equal(libiommu_emu_add_trouble(f->emu, f->trouble), 0);
	assert_int_equal(pthread_create(&thread, NULL, call_in_thread, f), 0);
	while (!got)
		libiommu_emu_count_trouble(f->emu, 0, &got, NULL);
	assert_int_equal(call(f), -ENOENT);
	pthread_join(thread, NULL);
	assert_true(now() - start >= ns);
	counted(f, 0, 2, 1);
}

/* Closed by another thread while it takes its time: the number is nothing's any more. */
static void closed_meanwhile(void **state)
{
	struct fixture *const f = *state;
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = 7};
	const int fd = libiommu_emu_open(f->emu, "/dev/iommu", O_RDWR | O_CLOEXEC);
	uint64_t got = 0;
	pthread_t thread;

	assert_int_equal(libiommu_emu_trouble_set_delay(f->trouble, 100000000), 0);
	assert_int_equal(libiommu_emu_trouble_set_at(f->trouble, 1, 1), 0);
	assert_int_equal(libiommu_emu_add_trouble(f->emu, f->trouble), 0);
	assert_int_equal(pthread_create(&thread, NULL, call_in_thread, f), 0);
	while (!got)
		libiommu_emu_count_trouble(f->emu, 0, &got, NULL);
	assert_int_equal(libiommu_emu_close(f->emu, fd), 0);
	assert_int_equal(libiommu_emu_ioctl(f->emu, fd, UAPI_IOC_DESTROY, &cmd), -EBADF);
	pthread_join(thread, NULL);
}

static void allocations(void **state)
{
	struct fixture *const f = *state;
	int fd;

	assert_int_equal(libiommu_emu_trouble_set_calls(f->trouble, LIBIOMMU_EMU_OPEN), 0);
	assert_int_equal(libiommu_emu_trouble_set_at(f->trouble, 1, 1), 0);
	assert_int_equal(libiommu_emu_trouble_set_allocation(f->trouble, 1), 0);
	assert_int_equal(libiommu_emu_add_trouble(f->emu, f->trouble), 0);
	assert_int_equal(libiommu_emu_open(f->emu, "/dev/iommu", O_RDWR), -ENOMEM);
	fd = libiommu_emu_open(f->emu, "/dev/iommu", O_RDWR);
	assert_true(fd >= 0);
	libiommu_emu_close(f->emu, fd);
	libiommu_emu_fail_allocation(1);
	assert_int_equal(libiommu_emu_open(f->emu, "/dev/iommu", O_RDWR), -ENOMEM);
	assert_int_equal(libiommu_emu_stop_failing(), 1);
	libiommu_emu_fail_allocation(100);
	assert_int_equal(call(f), -ENOENT);
	assert_int_equal(libiommu_emu_stop_failing(), 0);
}

static void wrong(void **state)
{
	struct fixture *const f = *state;
	struct libiommu_emu_trouble *const trouble = f->trouble;
	struct libiommu_emu_trouble *none = NULL;

	libiommu_emu_fail_allocation(1);
	assert_int_equal(libiommu_emu_trouble_new(&none), -ENOMEM);
	assert_null(none);
	assert_int_equal(libiommu_emu_stop_failing(), 1);
	assert_int_equal(libiommu_emu_trouble_new(NULL), -EINVAL);
	libiommu_emu_trouble_free(NULL);
	libiommu_emu_end_trouble(NULL);
	assert_int_equal(libiommu_emu_trouble_set_calls(NULL, 1), -EINVAL);
	assert_int_equal(libiommu_emu_trouble_set_calls(trouble, 0), -EINVAL);
	assert_int_equal(libiommu_emu_trouble_set_calls(trouble, 1U << 8), -EINVAL);
	assert_int_equal(libiommu_emu_trouble_set_request(NULL, 1), -EINVAL);
	assert_int_equal(libiommu_emu_trouble_set_at(NULL, 1, 1), -EINVAL);
	assert_int_equal(libiommu_emu_trouble_set_at(trouble, 0, 1), -EINVAL);
	assert_int_equal(libiommu_emu_trouble_set_chance(NULL, 1, 1), -EINVAL);
	assert_int_equal(libiommu_emu_trouble_set_chance(trouble, 1, 0), -EINVAL);
	assert_int_equal(libiommu_emu_trouble_set_delay(NULL, 1), -EINVAL);
	assert_int_equal(libiommu_emu_trouble_set_allocation(NULL, 1), -EINVAL);
	assert_int_equal(libiommu_emu_add_trouble(NULL, trouble), -EINVAL);
	assert_int_equal(libiommu_emu_add_trouble(f->emu, NULL), -EINVAL);
	/* Without any effect. */
	assert_int_equal(libiommu_emu_add_trouble(f->emu, trouble), -EINVAL);
	assert_int_equal(libiommu_emu_count_trouble(NULL, 0, NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_trouble_add_error(NULL, EIO), -EINVAL);
	assert_int_equal(libiommu_emu_trouble_add_error(trouble, 0), -EINVAL);
	assert_int_equal(libiommu_emu_trouble_add_error(trouble, 4096), -EINVAL);
	for (int i = 0; i < 8; i++)
		assert_int_equal(libiommu_emu_trouble_add_error(trouble, EIO), 0);
	assert_int_equal(libiommu_emu_trouble_add_error(trouble, EIO), -ENOSPC);
	libiommu_emu_fail_allocation(1);
	assert_int_equal(libiommu_emu_add_trouble(f->emu, trouble), -ENOMEM);
	assert_int_equal(libiommu_emu_stop_failing(), 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_nth_fails),
		TEST(calls_of_a_kind),
		TEST(a_seed_is_a_schedule),
		TEST(the_first_given_strikes),
		TEST(delayed),
		TEST(closed_meanwhile),
		TEST(allocations),
		TEST(wrong),
	};

	return cmocka_run_group_tests_name("trouble", tests, NULL, NULL);
}
