/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the headers call "shared", from several threads at once, over a door that answers
 * everything: the counts come out even, nothing is closed while it is used, and ThreadSanitizer
 * finds nothing to say.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "script.h"

#define THREADS 4
#define ROUNDS  300

static struct libiommu_sys *door;
static struct libiommu_ctx *ctx;
static struct libiommu_ioas *shared_ioas;
static atomic_int next_fd;
static atomic_uint next_id;
static atomic_int open_fds;
/* Calls that found their descriptor closed. */
static atomic_uint late;
static atomic_bool closed[1 << 14];

/* How many wait for a device alone. */
static atomic_uint writers;

/*
 * In the place of the C library's: readers come before a writer that waits, as its default may have
 * it.
 */
int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
	atomic_fetch_add(&writers, 1);
	while (pthread_rwlock_trywrlock(lock))
		sched_yield();
	atomic_fetch_sub(&writers, 1);
	return 0;
}

/* A reset that lasts until it is told to end, and whether a second one came meanwhile. */
static atomic_uint resets;
static atomic_bool reset_ends;

static void slow_reset(void)
{
	atomic_fetch_add(&resets, 1);
	while (!atomic_load(&reset_ends))
		sched_yield();
}

static int any_open(void *user, const char *path, int flags)
{
	(void)user, (void)path, (void)flags;
	atomic_fetch_add(&open_fds, 1);
	return atomic_fetch_add(&next_fd, 1) % (1 << 14);
}

static int any_close(void *user, int fd)
{
	(void)user;
	atomic_fetch_sub(&open_fds, 1);
	if (atomic_exchange(&closed[fd], true))
		atomic_fetch_add(&late, 1);
	return 0;
}

static int any_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	(void)user;
	if (atomic_load(&closed[fd]))
		atomic_fetch_add(&late, 1);
	switch (request) {
	case UAPI_IOC_IOAS_ALLOC:
		((struct uapi_ioas_alloc *)arg)->out_ioas_id = atomic_fetch_add(&next_id, 1);
		break;
	case UAPI_IOC_HWPT_ALLOC:
		((struct uapi_hwpt_alloc *)arg)->out_hwpt_id = atomic_fetch_add(&next_id, 1);
		break;
	case UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD:
		((struct uapi_vfio_device_bind_iommufd *)arg)->out_devid =
			atomic_fetch_add(&next_id, 1);
		break;
	case UAPI_IOC_VFIO_GROUP_GET_STATUS:
		((struct uapi_vfio_group_status *)arg)->flags = UAPI_VFIO_GROUP_FLAGS_VIABLE;
		break;
	case UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD:
		return any_open(NULL, NULL, 0);
	case UAPI_IOC_VFIO_DEVICE_RESET:
		slow_reset();
		break;
	default:
		break;
	}
	return 0;
}

static int setup(void **state)
{
	struct libiommu_ctx_config *config;

	(void)state;
	alloc_start();
	atomic_store(&next_fd, 10);
	atomic_store(&next_id, 1);
	atomic_store(&open_fds, 0);
	atomic_store(&late, 0);
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
		atomic_store(&closed[i], false);
	assert_int_equal(libiommu_sys_new(&door), 0);
	libiommu_sys_set_open(door, any_open);
	libiommu_sys_set_close(door, any_close);
	libiommu_sys_set_ioctl(door, any_ioctl);
	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, door), 0);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	libiommu_sys_free(door);
	assert_int_equal(libiommu_ioas_alloc(ctx, &shared_ioas), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(libiommu_ioas_destroy(shared_ioas), 0);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
	assert_int_equal(atomic_load(&open_fds), 0);
	assert_int_equal(atomic_load(&late), 0);
	alloc_check();
	return 0;
}

/*
 * Assertions end a test by a jump, which no other thread may do: the threads count what is wrong.
 */
static atomic_uint wrong;

#define CHECK(condition) ((condition) ? (void)0 : (void)atomic_fetch_add(&wrong, 1))

static void run(void *(*work)(void *), void *arg)
{
	pthread_t threads[THREADS];

	atomic_store(&wrong, 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, arg), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&wrong), 0);
}

static void *map_and_unmap(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(!libiommu_ioas_map_fixed(shared_ioas, NULL, 0x3000, LIBIOMMU_MAP_READ, 0));
		CHECK(!libiommu_ioas_unmap(shared_ioas, 0, 0x3000));
		CHECK(libiommu_ioas_unmap(shared_ioas, 0, 0) == -EINVAL);
		CHECK(libiommu_failure_error() == -EINVAL);
	}
	return NULL;
}

static void test_maps(void **state)
{
	uint64_t bytes = 99;

	(void)state;
	run(map_and_unmap, NULL);
	assert_int_equal(libiommu_ctx_mapped(ctx, &bytes), 0);
	assert_int_equal(bytes, 0);
}

static void *come_and_go(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		struct libiommu_device *dev, *found;
		struct libiommu_hwpt *hwpt;
		struct libiommu_ioas *ioas;
		uint32_t id;

		CHECK(!libiommu_device_open_node(ctx, "/dev/vfio/devices/vfio0", &dev));
		CHECK(!libiommu_device_bind(dev, (uintptr_t)&dev, NULL, 0));
		CHECK(!libiommu_device_id(dev, &id));
		CHECK(!libiommu_device_by_id(ctx, id, &found) && found == dev);
		CHECK(!libiommu_device_by_label(ctx, (uintptr_t)&dev, &found) && found == dev);
		CHECK(!libiommu_ioas_alloc(ctx, &ioas));
		CHECK(!libiommu_hwpt_alloc(dev, ioas, NULL, &hwpt));
		CHECK(!libiommu_device_attach_ioas(dev, shared_ioas));
		CHECK(!libiommu_device_replace_hwpt(dev, hwpt));
		CHECK(libiommu_hwpt_destroy(hwpt) == -EBUSY);
		CHECK(!libiommu_device_detach(dev));
		CHECK(!libiommu_hwpt_destroy(hwpt));
		CHECK(!libiommu_ioas_destroy(ioas));
		CHECK(!libiommu_device_destroy(dev));
	}
	return NULL;
}

static void test_objects(void **state)
{
	(void)state;
	run(come_and_go, NULL);
	for (int kind = LIBIOMMU_OBJECT_IOAS; kind <= LIBIOMMU_OBJECT_BAR_MAP; kind++) {
		uint64_t count;

		assert_int_equal(libiommu_ctx_live(ctx, (enum libiommu_object_kind)kind, &count),
		                 0);
		assert_int_equal(count, kind == LIBIOMMU_OBJECT_IOAS);
	}
}

static void *use_group(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		struct libiommu_device *dev;

		CHECK(!libiommu_device_open_group(ctx, "/dev/vfio/1", "0000:00:01.0", NULL, &dev));
		CHECK(!libiommu_device_bind(dev, 7, NULL, 0));
		CHECK(!libiommu_device_destroy(dev));
	}
	return NULL;
}

static void test_groups(void **state)
{
	(void)state;
	run(use_group, NULL);
}

static atomic_int turn;

/* One thread revokes, the others attach and detach: each of their calls works, or says why not. */
static void *use_or_revoke(void *arg)
{
	struct libiommu_device *const dev = arg;
	const bool revokes = atomic_fetch_add(&turn, 1) == 0;
	uint32_t pt_id;

	for (int i = 0; i < ROUNDS / 10; i++) {
		int error = libiommu_device_attach_ioas(dev, shared_ioas);

		CHECK(!error || error == -EEXIST || error == -ENODEV);
		error = libiommu_device_replace_ioas(dev, shared_ioas);
		CHECK(!error || error == -ENOENT || error == -ENODEV);
		error = libiommu_device_pt_id(dev, &pt_id);
		CHECK(!error || error == -ENOENT);
		error = libiommu_device_fd(dev);
		CHECK(error >= 0 || error == -ENODEV);
		error = libiommu_device_detach(dev);
		CHECK(!error || error == -ENOENT || error == -ENODEV);
		if (revokes && i == ROUNDS / 20)
			CHECK(!libiommu_device_revoke(dev));
	}
	return NULL;
}

static void test_revoke_while_others_use_it(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct libiommu_device *dev;

		atomic_store(&turn, 0);
		assert_int_equal(libiommu_device_open_node(ctx, "/dev/vfio/devices/vfio0", &dev),
		                 0);
		assert_int_equal(libiommu_device_bind(dev, 1, NULL, 0), 0);
		run(use_or_revoke, dev);
		assert_int_equal(libiommu_device_fd(dev), -ENODEV);
		assert_int_equal(libiommu_device_destroy(dev), 0);
	}
}

static void *reset_it(void *arg)
{
	return (void *)(intptr_t)libiommu_reset_function(arg);
}

static void *revoke_it(void *arg)
{
	return (void *)(intptr_t)libiommu_device_revoke(arg);
}

static void test_nobody_overtakes_a_revoke(void **state)
{
	struct libiommu_device *dev;
	pthread_t threads[3];
	void *results[3];

	(void)state;
	atomic_store(&resets, 0);
	atomic_store(&reset_ends, false);
	assert_int_equal(libiommu_device_open_node(ctx, "/dev/vfio/devices/vfio0", &dev), 0);
	assert_int_equal(libiommu_device_bind(dev, 1, NULL, 0), 0);
	assert_int_equal(pthread_create(&threads[0], NULL, reset_it, dev), 0);
	while (!atomic_load(&resets))
		sched_yield();
	assert_int_equal(pthread_create(&threads[1], NULL, revoke_it, dev), 0);
	while (!atomic_load(&writers))
		sched_yield();
	assert_int_equal(pthread_create(&threads[2], NULL, reset_it, dev), 0);
	/* Time for it to come through where it must not; were it too short, nothing would fail. */
	for (int i = 0; i < 50 && atomic_load(&resets) < 2; i++)
		usleep(1000);
	atomic_store(&reset_ends, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], &results[i]), 0);
	assert_int_equal((intptr_t)results[0], 0);
	assert_int_equal((intptr_t)results[1], 0);
	assert_int_equal((intptr_t)results[2], -ENODEV);
	assert_int_equal(atomic_load(&resets), 1);
	assert_int_equal(libiommu_device_destroy(dev), 0);
}

/* Two threads that bind the same handle: one of them does. */
static atomic_uint bound;

static void *bind_it(void *arg)
{
	const int error = libiommu_device_bind(arg, 1, NULL, 0);

	CHECK(!error || error == -EALREADY);
	if (!error)
		atomic_fetch_add(&bound, 1);
	return NULL;
}

static void test_bind_once(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		struct libiommu_device *dev;

		assert_int_equal(libiommu_device_open_node(ctx, "/dev/vfio/devices/vfio0", &dev),
		                 0);
		atomic_store(&bound, 0);
		run(bind_it, dev);
		assert_int_equal(atomic_load(&bound), 1);
		assert_int_equal(libiommu_device_destroy(dev), 0);
	}
}

#define THREAD_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		THREAD_TEST(test_maps),      THREAD_TEST(test_objects),
		THREAD_TEST(test_groups),    THREAD_TEST(test_revoke_while_others_use_it),
		THREAD_TEST(test_bind_once), THREAD_TEST(test_nobody_overtakes_a_revoke),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
