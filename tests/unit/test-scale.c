/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A million address spaces in one context, from the first to the last, and what they take. */
#include <stdlib.h>

#include "alloc.h"
#include "objects.h"

#define MANY 1000000
/* Of the library's memory, malloc()'s rounding in it. */
#define BYTES_EACH 128

/* The kernel, as far as this goes: ids from 1 on, each destroyed once. The script has no end. */
static uint32_t next_id;
static uint32_t destroyed;
static unsigned char alive[MANY + 1];

static int fake_open(void *user, const char *path, int flags)
{
	(void)user, (void)path, (void)flags;
	return CTX_FD;
}

static int fake_close(void *user, int fd)
{
	(void)user, (void)fd;
	return 0;
}

static int fake_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	(void)user, (void)fd;
	if (request == UAPI_IOC_IOAS_ALLOC) {
		((struct uapi_ioas_alloc *)arg)->out_ioas_id = ++next_id;
		alive[next_id] = 1;
		return 0;
	}
	if (request == UAPI_IOC_DESTROY) {
		const uint32_t id = ((const struct uapi_destroy *)arg)->id;

		if (!id || id > MANY || !alive[id])
			return -ENOENT;
		alive[id] = 0;
		destroyed++;
		return 0;
	}
	return -ENOTTY;
}

static struct libiommu_ctx *ctx;
static struct libiommu_ioas **all;
static size_t bytes_before;

static int setup(void **state)
{
	struct libiommu_ctx_config *config;
	struct libiommu_sys *sys;

	script_setup(state);
	next_id = 0;
	destroyed = 0;
	all = calloc(MANY, sizeof(*all));
	assert_non_null(all);
	assert_int_equal(libiommu_sys_new(&sys), 0);
	libiommu_sys_set_open(sys, fake_open);
	libiommu_sys_set_close(sys, fake_close);
	libiommu_sys_set_ioctl(sys, fake_ioctl);
	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, sys), 0);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	libiommu_sys_free(sys);
	bytes_before = alloc_bytes();
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
	free(all);
	return script_teardown(state);
}

static uint64_t live(void)
{
	uint64_t count;

	assert_int_equal(libiommu_ctx_live(ctx, LIBIOMMU_OBJECT_IOAS, &count), 0);
	return count;
}

static void assert_small(void)
{
	const size_t bytes = alloc_bytes() - bytes_before;

	print_message("# %zu bytes a handle\n", bytes / MANY);
	assert_in_range(bytes, 1, (size_t)BYTES_EACH * MANY);
}

/* Every other one first: the order is the program's. */
static void destroy_all(void)
{
	for (size_t start = 0; start < 2; start++)
		for (size_t i = start; i < MANY; i += 2)
			if (libiommu_ioas_destroy(all[i]))
				fail_msg("address space %zu stays", i);
	assert_int_equal(live(), 0);
	assert_int_equal(alloc_bytes(), bytes_before);
}

static void test_allocated(void **state)
{
	uint32_t id;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		if (libiommu_ioas_alloc(ctx, &all[i]))
			fail_msg("no address space %zu", i);
	assert_int_equal(live(), MANY);
	assert_small();
	for (size_t i = 0; i < MANY; i++)
		if (libiommu_ioas_id(all[i], &id) || id != i + 1)
			fail_msg("address space %zu has id %u", i, id);
	assert_int_equal(libiommu_ctx_destroy(ctx), -EBUSY);
	assert_explained("1000000 IOAS");
	destroy_all();
	assert_int_equal(destroyed, MANY);
}

/* Half of them are the library's to destroy. */
static void test_adopted(void **state)
{
	(void)state;
	memset(alive, 1, sizeof(alive));
	for (size_t i = 0; i < MANY; i++)
		if (libiommu_ioas_adopt(ctx, (uint32_t)i + 1,
		                        i % 2 ? LIBIOMMU_ID_OWN : LIBIOMMU_ID_BORROW, &all[i]))
			fail_msg("no handle %zu", i);
	assert_int_equal(live(), MANY);
	assert_small();
	destroy_all();
	assert_int_equal(destroyed, MANY / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_allocated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_adopted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
