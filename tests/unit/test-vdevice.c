/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Virtual devices: their numbers both ways, and that they go before their device does. */
#include <pthread.h>
#include <stdatomic.h>

#include "alloc.h"
#include "nest-steps.h"

static struct libiommu_viommu *viommu;

static int setup(void **state)
{
	nest_setup(state);
	viommu = script_viommu(VIOMMU_ID);
	return 0;
}

static int teardown(void **state)
{
	script_viommu_close(viommu, VIOMMU_ID);
	return nest_teardown(state);
}

static uint64_t live(void)
{
	uint64_t count;

	assert_int_equal(libiommu_ctx_live(nest_ctx, LIBIOMMU_OBJECT_VDEVICE, &count), 0);
	return count;
}

static void test_both_ways(void **state)
{
	struct libiommu_device *const other = script_device_as(nest_ctx, 120, 8, 5);
	struct libiommu_vdevice *one, *two;
	uint64_t found = 99;
	uint32_t id;

	(void)state;
	assert_int_equal(libiommu_vdevice_find_label(viommu, 0x18, &found), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_vdevice_find_label");
	assert_int_equal(libiommu_vdevice_find_virt_id(viommu, 5, &found), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_vdevice_find_virt_id");
	assert_int_equal(found, 99);
	one = script_vdevice(viommu, VIOMMU_ID, nest_dev, 0x18, 70);
	two = script_vdevice(viommu, VIOMMU_ID, other, UINT64_MAX, 71);
	assert_int_equal(live(), 2);
	assert_int_equal(libiommu_vdevice_id(two, &id), 0);
	assert_int_equal(id, 71);
	assert_int_equal(libiommu_vdevice_id(two, NULL), -EINVAL);
	assert_int_equal(libiommu_vdevice_find_label(viommu, 0x18, &found), 0);
	assert_true(found == LABEL);
	assert_int_equal(libiommu_vdevice_find_label(viommu, UINT64_MAX, &found), 0);
	assert_int_equal(found, 5);
	assert_int_equal(libiommu_vdevice_find_virt_id(viommu, LABEL, &found), 0);
	assert_int_equal(found, 0x18);
	assert_int_equal(libiommu_vdevice_find_virt_id(viommu, 5, &found), 0);
	assert_true(found == UINT64_MAX);
	assert_int_equal(libiommu_vdevice_find_label(viommu, 1, NULL), -EINVAL);
	assert_int_equal(libiommu_vdevice_find_virt_id(viommu, 1, NULL), -EINVAL);
	assert_int_equal(libiommu_viommu_destroy(viommu), -EBUSY);
	script_vdevice_close(one, 70);
	assert_int_equal(libiommu_vdevice_find_label(viommu, 0x18, &found), -ENOENT);
	assert_int_equal(libiommu_vdevice_find_label(viommu, UINT64_MAX, &found), 0);
	script_vdevice_close(two, 71);
	assert_int_equal(libiommu_vdevice_destroy(NULL), 0);
	assert_int_equal(live(), 0);
	script_device_close(other);
}

/* Two devices may have one label, where whoever numbers them sees only one of them. */
static void test_label_twice(void **state)
{
	struct libiommu_device *const other = script_device_as(nest_ctx, 120, 8, LABEL);
	struct libiommu_vdevice *const one = script_vdevice(viommu, VIOMMU_ID, nest_dev, 1, 70);
	struct libiommu_vdevice *const two = script_vdevice(viommu, VIOMMU_ID, other, 2, 71);
	uint64_t found = 99;

	(void)state;
	assert_int_equal(libiommu_vdevice_find_virt_id(viommu, LABEL, &found), -ENOTUNIQ);
	assert_failure(-ENOTUNIQ, LIBRARY, "libiommu_vdevice_find_virt_id");
	assert_int_equal(found, 99);
	script_vdevice_close(one, 70);
	assert_int_equal(libiommu_vdevice_find_virt_id(viommu, LABEL, &found), 0);
	assert_int_equal(found, 2);
	script_vdevice_close(two, 71);
	script_device_close(other);
}

static void test_exists(void **state)
{
	struct libiommu_device *const other = script_device_as(nest_ctx, 120, 8, 5);
	struct libiommu_vdevice *const one = script_vdevice(viommu, VIOMMU_ID, nest_dev, 1, 70);
	struct libiommu_vdevice *vdev = NULL;
	uint64_t found;

	(void)state;
	/* The library knows that of the device, the kernel that of the number. */
	assert_int_equal(libiommu_vdevice_alloc(viommu, nest_dev, 2, &vdev), -EEXIST);
	assert_failure(-EEXIST, LIBRARY, "libiommu_vdevice_alloc");
	expect_vdevice(VIOMMU_ID, 8, 1, 0, -EEXIST);
	assert_int_equal(libiommu_vdevice_alloc(viommu, other, 1, &vdev), -EEXIST);
	assert_failure(-EEXIST, KERNEL, "libiommu_vdevice_alloc");
	assert_int_equal(libiommu_vdevice_alloc(viommu, NULL, 1, &vdev), -EINVAL);
	assert_int_equal(libiommu_vdevice_alloc(viommu, other, 1, NULL), -EINVAL);
	assert_null(vdev);
	assert_int_equal(libiommu_vdevice_find_label(viommu, 1, &found), 0);
	assert_true(found == LABEL);
	assert_int_equal(live(), 1);
	script_vdevice_close(one, 70);
	script_device_close(other);
}

static void test_before_its_device(void **state)
{
	struct libiommu_vdevice *const vdev = script_vdevice(viommu, VIOMMU_ID, nest_dev, 1, 70);
	uint64_t found;

	(void)state;
	assert_int_equal(libiommu_device_destroy(nest_dev), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_device_destroy");
	assert_explained("virtual device");
	expect_destroy(70, -EBUSY);
	assert_int_equal(libiommu_vdevice_destroy(vdev), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_vdevice_destroy");
	/* It is all still there. */
	assert_int_equal(libiommu_vdevice_find_label(viommu, 1, &found), 0);
	assert_int_equal(libiommu_device_destroy(nest_dev), -EBUSY);
	script_vdevice_close(vdev, 70);
}

static void revoke(int result)
{
	struct libiommu_vdevice *vdev = script_vdevice(viommu, VIOMMU_ID, nest_dev, 1, 70);
	uint64_t found;
	uint32_t id = 99;

	expect_destroy(70, result);
	EXPECT_CLOSE(DEVICE_FD);
	assert_int_equal(libiommu_device_revoke(nest_dev), 0);
	script_done();
	assert_int_equal(libiommu_device_revoke(nest_dev), 0);
	assert_int_equal(libiommu_vdevice_id(vdev, &id), -ENODEV);
	assert_failure(-ENODEV, LIBRARY, "libiommu_vdevice_id");
	assert_int_equal(id, 99);
	assert_int_equal(libiommu_vdevice_find_label(viommu, 1, &found), -ENOENT);
	/* Its handle still names the device. */
	assert_int_equal(libiommu_device_destroy(nest_dev), -EBUSY);
	assert_int_equal(libiommu_vdevice_destroy(vdev), 0);
	assert_int_equal(live(), 0);
	assert_int_equal(libiommu_vdevice_alloc(viommu, nest_dev, 1, &vdev), -ENODEV);
	assert_failure(-ENODEV, LIBRARY, "libiommu_vdevice_alloc");
}

static void test_revoked(void **state)
{
	(void)state;
	revoke(0);
}

/* The host gets its device all the same. */
static void test_revoked_while_busy(void **state)
{
	(void)state;
	revoke(-EBUSY);
}

/* More than there are buckets at first, with numbers and labels that differ in few bits. */
static void test_many(void **state)
{
	enum { MANY = 100 };
	struct libiommu_device *devices[MANY];
	struct libiommu_vdevice *vdevs[MANY];
	uint64_t found;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		devices[i] =
			script_device_as(nest_ctx, (int)(200 + i), 1000 + i, (uint64_t)i << 48);
		vdevs[i] = script_vdevice(viommu, VIOMMU_ID, devices[i], i * 0x100, 2000 + i);
	}
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < MANY; i++) {
			const int expected = round && i % 2 ? -ENOENT : 0;

			assert_int_equal(libiommu_vdevice_find_label(viommu, i * 0x100, &found),
			                 expected);
			if (!expected)
				assert_true(found == (uint64_t)i << 48);
			assert_int_equal(
				libiommu_vdevice_find_virt_id(viommu, (uint64_t)i << 48, &found),
				expected);
			if (!expected)
				assert_int_equal(found, i * 0x100);
		}
		for (uint32_t i = !round; i < MANY; i += 2)
			script_vdevice_close(vdevs[i], 2000 + i);
	}
	for (uint32_t i = 0; i < MANY; i++)
		script_device_close(devices[i]);
}

static void test_without_memory(void **state)
{
	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_vdevice *vdev = NULL;

		expect_vdevice(VIOMMU_ID, DEVICE_ID, 1, 70, 0);
		if (!ALLOC_TRY(libiommu_vdevice_alloc(viommu, nest_dev, 1, &vdev)))
			script_vdevice_close(vdev, 70);
		else
			assert_null(vdev);
		assert_int_equal(live(), 0);
	}
}

/* No memory for more buckets is no failure. */
static void test_without_memory_for_buckets(void **state)
{
	enum { MANY = 40 };
	struct libiommu_device *devices[MANY];
	struct libiommu_vdevice *vdevs[MANY];
	uint64_t found;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		devices[i] = script_device_as(nest_ctx, (int)(200 + i), 1000 + i, i);
		expect_vdevice(VIOMMU_ID, 1000 + i, i, 2000 + i, 0);
		/* The first one is the handle. */
		alloc_fail_nth(2);
		assert_int_equal(libiommu_vdevice_alloc(viommu, devices[i], i, &vdevs[i]), 0);
		assert_int_equal(alloc_restore(), i >= 16);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(libiommu_vdevice_find_label(viommu, i, &found), 0);
		assert_int_equal(found, i);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		script_vdevice_close(vdevs[i], 2000 + i);
		script_device_close(devices[i]);
	}
}

/* Numbers are looked up while others come and go: what is found is right, or nothing is. */
static atomic_bool over;
static atomic_uint wrong;
static atomic_uint right;

static void *look_up(void *arg)
{
	uint64_t found;

	(void)arg;
	for (uint32_t i = 0; !atomic_load(&over); i = (i + 1) % 40) {
		if (!libiommu_vdevice_find_label(viommu, i, &found))
			atomic_fetch_add(found == i + 1000 ? &right : &wrong, 1);
		if (!libiommu_vdevice_find_virt_id(viommu, i + 1000, &found))
			atomic_fetch_add(found == i ? &right : &wrong, 1);
	}
	return NULL;
}

static void test_looked_up_meanwhile(void **state)
{
	enum { MANY = 40 };
	struct libiommu_device *devices[MANY];
	struct libiommu_vdevice *vdevs[MANY];
	pthread_t threads[2];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		devices[i] = script_device_as(nest_ctx, (int)(200 + i), 1000 + i, 1000 + i);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_up, NULL), 0);
	/* A machine with one processor may take its time to begin. */
	for (int round = 0; round < 20 || !atomic_load(&right); round++) {
		for (uint32_t i = 0; i < MANY; i++)
			vdevs[i] = script_vdevice(viommu, VIOMMU_ID, devices[i], i, 2000 + i);
		for (uint32_t i = 0; i < MANY; i++)
			script_vdevice_close(vdevs[i], 2000 + i);
	}
	atomic_store(&over, true);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&wrong), 0);
	for (uint32_t i = 0; i < MANY; i++)
		script_device_close(devices[i]);
}

#define VDEVICE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VDEVICE_TEST(test_both_ways),
		VDEVICE_TEST(test_label_twice),
		VDEVICE_TEST(test_exists),
		VDEVICE_TEST(test_before_its_device),
		VDEVICE_TEST(test_revoked),
		VDEVICE_TEST(test_revoked_while_busy),
		VDEVICE_TEST(test_many),
		VDEVICE_TEST(test_without_memory),
		VDEVICE_TEST(test_without_memory_for_buckets),
		VDEVICE_TEST(test_looked_up_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
