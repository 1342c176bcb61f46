/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Random calls on devices and address spaces without iommufd, against a model of the kernel's
 * containers: after each of them every device is where it was said to be, with exactly what was
 * said to be mapped, also where one kernel call in so many fails. And from several threads.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "fake-type1.h"
#include "script.h"

#include "../random.h"

enum { SPACES = 3, STEPS = 4000, PAGE = 4096, BOTH = LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE };

static struct libiommu_ctx *ctx;
static struct libiommu_device *devs[FAKE_GROUPS];
static bool bound[FAKE_GROUPS];
static int attached[FAKE_GROUPS]; /* -1 for nothing */
static struct libiommu_ioas *spaces[SPACES];
static uint32_t mapped[SPACES], starts[SPACES];
static uint32_t random_state;

static uint32_t below(uint32_t limit)
{
	return next_random(&random_state) % limit;
}

static void open_ctx(void)
{
	struct libiommu_sys *const sys = fake_type1_new();
	struct libiommu_ctx_config *config;

	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, sys), 0);
	assert_int_equal(libiommu_ctx_config_set_backend(config, LIBIOMMU_BACKEND_TYPE1), 0);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	libiommu_sys_free(sys);
	for (int i = 0; i < FAKE_GROUPS; i++) {
		devs[i] = NULL;
		bound[i] = false;
		attached[i] = -1;
	}
	for (int i = 0; i < SPACES; i++) {
		assert_int_equal(libiommu_ioas_alloc(ctx, &spaces[i]), 0);
		mapped[i] = starts[i] = 0;
	}
}

static void close_ctx(void)
{
	fake_type1_fail(0, 0);
	for (int i = 0; i < FAKE_GROUPS; i++)
		assert_int_equal(libiommu_device_destroy(devs[i]), 0);
	for (int i = 0; i < SPACES; i++)
		assert_int_equal(libiommu_ioas_destroy(spaces[i]), 0);
	assert_int_equal(fake_type1_containers(), 1);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
	fake_type1_end();
}

/* Each bound device is open, in a container that holds what it is attached to, or nothing. */
static void check_devices(void)
{
	unsigned int containers = 1;
	int of[SPACES];

	for (int i = 0; i < SPACES; i++)
		of[i] = -1;
	for (int i = 0; i < FAKE_GROUPS; i++) {
		const int container = fake_type1_container(i);
		const int space = attached[i];

		assert_int_equal(fake_type1_is_open(i), bound[i]);
		assert_int_equal(container >= 0, bound[i]);
		if (!bound[i])
			continue;
		assert_int_equal(fake_type1_mapped(container), space >= 0 ? mapped[space] : 0);
		if (space < 0 || of[space] < 0)
			containers++;
		for (int other = 0; other < i; other++)
			assert_int_equal(container == fake_type1_container(other),
			                 bound[other] && space >= 0 && attached[other] == space);
		if (space >= 0)
			of[space] = container;
	}
	assert_int_equal(fake_type1_containers(), containers);
}

static void change_device(int i)
{
	char path[32], name[8];
	const int space = (int)below(SPACES);
	int error;

	snprintf(path, sizeof(path), "/dev/vfio/%d", i);
	snprintf(name, sizeof(name), "d%d", i);
	if (!devs[i]) {
		if (libiommu_device_open_group(ctx, path, name, NULL, &devs[i]))
			devs[i] = NULL;
	} else if (!bound[i]) {
		bound[i] = !libiommu_device_bind(devs[i], 0, NULL, 0);
	} else if (attached[i] >= 0 && below(3)) {
		error = libiommu_device_detach(devs[i]);
		if (error != -ENODEV && error)
			return;
		attached[i] = -1;
		bound[i] = !error;
	} else if (attached[i] < 0 && below(4)) {
		error = libiommu_device_attach_ioas(devs[i], spaces[space]);
		if (!error)
			attached[i] = space;
		/* Lost, and good for nothing but its end. */
		if (error == -ENODEV)
			bound[i] = false;
	}
	if ((devs[i] && !bound[i] && below(2)) || !below(8)) {
		assert_int_equal(libiommu_device_destroy(devs[i]), 0);
		devs[i] = NULL;
		bound[i] = false;
		attached[i] = -1;
	}
}

static uint32_t bits(uint32_t first, uint32_t count)
{
	return (uint32_t)(((UINT64_C(1) << count) - 1) << first);
}

static void change_mappings(int i)
{
	const uint32_t first = below(FAKE_PAGES);
	const uint32_t count = 1 + below(FAKE_PAGES - first < 6 ? FAKE_PAGES - first : 6);
	const uint64_t iova = (first + 1) * (uint64_t)PAGE;
	const uint32_t pages = bits(first, count);
	const uint32_t next = first + count < FAKE_PAGES ? 1U << (first + count) : 0;
	bool cut;
	int error;

	if (below(2)) {
		error = libiommu_ioas_map_fixed(spaces[i], (void *)(uintptr_t)PAGE,
		                                count * (uint64_t)PAGE, BOTH, iova);
		assert_int_equal(error == -EEXIST, (mapped[i] & pages) != 0);
		if (error)
			return;
		mapped[i] |= pages;
		starts[i] |= 1U << first;
	} else {
		cut = (mapped[i] & 1U << first && !(starts[i] & 1U << first)) ||
		      (mapped[i] & next && !(starts[i] & next));
		error = libiommu_ioas_unmap_range(spaces[i], iova, count * (uint64_t)PAGE, NULL);
		assert_int_equal(error == -ENOENT, cut || !(mapped[i] & pages));
		if (error)
			return;
		mapped[i] &= ~pages;
		starts[i] &= ~pages;
	}
}

static void walk(uint32_t seed, unsigned int one_in)
{
	random_state = seed;
	open_ctx();
	fake_type1_fail(one_in, seed);
	for (int step = 0; step < STEPS; step++) {
		if (below(2))
			change_device((int)below(FAKE_GROUPS));
		else
			change_mappings((int)below(SPACES));
		check_devices();
	}
	close_ctx();
}

static void test_a_kernel_that_works(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 5; seed++)
		walk(seed, 0);
}

static void test_a_kernel_that_fails(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++)
		walk(seed, 2 + seed);
}

static void *map_and_unmap(void *space)
{
	uint64_t iova;

	for (int i = 0; i < STEPS; i++)
		if (!libiommu_ioas_map(space, (void *)(uintptr_t)PAGE, PAGE, BOTH, &iova) &&
		    libiommu_ioas_unmap(space, iova, PAGE))
			return space;
	return NULL;
}

/* Devices come and go while others map, and these find what they have mapped all the same. */
static void test_threads(void **state)
{
	pthread_t threads[4];
	void *result;

	(void)state;
	open_ctx();
	for (int i = 0; i < 2; i++) {
		while (!bound[i]) {
			devs[i] = NULL;
			assert_int_equal(
				libiommu_device_open_group(ctx, i ? "/dev/vfio/1" : "/dev/vfio/0",
			                                   i ? "d1" : "d0", NULL, &devs[i]),
				0);
			bound[i] = !libiommu_device_bind(devs[i], 0, NULL, 0);
		}
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, map_and_unmap, spaces[i / 2]),
		                 0);
	for (int i = 0; i < 200; i++)
		for (int d = 0; d < 2; d++) {
			assert_int_equal(libiommu_device_attach_ioas(devs[d], spaces[(i + d) % 2]),
			                 0);
			assert_int_equal(libiommu_device_detach(devs[d]), 0);
		}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
	check_devices();
	close_ctx();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_kernel_that_works),
		cmocka_unit_test(test_a_kernel_that_fails),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("type1-model", tests, NULL, NULL);
}
