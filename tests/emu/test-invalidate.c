/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Invalidation: its bounds, what it tells when it fails, and how vendors' entries are taken. */
#include "nest-rig.h"

#include <string.h>
#include <sys/mman.h>

enum { TYPE = 9 };

struct entry {
	uint32_t value, more;
};

/* What the driver was given, and what it makes of it. */
static struct {
	unsigned int calls;
	uint32_t count;
	int error; /* at the entry with the value 13 */
	struct entry entries[4];
	bool whole; /* takes the array at once */
	size_t least;
	uint64_t sum; /* of what came with those that are handled */
} driver;

static int take(struct emu_user_array *array)
{
	int error = 0;

	driver.calls++;
	driver.count = array->count;
	if (!array->count)
		return array->type == TYPE ? 0 : -EINVAL;
	if (driver.whole) {
		error = emu_user_array_get_all(array, TYPE, driver.entries, sizeof(struct entry));
		array->count = error ? 0 : array->count;
		return error;
	}
	driver.sum = 0;
	for (uint32_t i = 0; i < driver.count; i++) {
		struct entry *const entry = &driver.entries[i % 4];

		error = emu_user_array_get(array, i, TYPE, entry, sizeof(*entry), driver.least);
		if (!error && entry->value == 13)
			error = driver.error;
		if (error) {
			array->count = i;
			return error;
		}
		driver.sum += entry->more;
	}
	return emu_user_array_get(array, array->count, TYPE, &driver.entries[0],
	                          sizeof(struct entry), 0) == -EINVAL
	               ? 0
	               : -EIO;
}

static int table_invalidate(struct emu_domain *domain, struct emu_user_array *array)
{
	(void)domain;
	return take(array);
}

static int viommu_invalidate(struct emu_viommu *viommu, struct emu_user_array *array)
{
	(void)viommu;
	return take(array);
}

static const struct emu_domain_ops no_ops, table_ops = {.invalidate = table_invalidate};
static const struct emu_viommu_ops no_viommu_ops, viommu_ops = {.invalidate = viommu_invalidate};

static void nothing(struct emu_object *object)
{
	(void)object;
}

static const struct emu_object_ops nested_ops = {.type = EMU_HWPT_NESTED, .destroy = nothing};

/* With a nested page table, id 6, and a vIOMMU, id 7. */
struct test {
	struct nest_rig *rig;
	struct emu_domain domain;
	struct emu_hwpt nested;
	struct emu_viommu *viommu;
};

static void begin(struct test *t)
{
	memset(&driver, 0, sizeof(driver));
	*t = (struct test){.rig = nest_rig_new(), .domain = {.ops = &table_ops}};
	t->nested.domain = &t->domain;
	assert_int_equal(emu_object_add(t->rig->ctx, &t->nested.object, &nested_ops), 0);
	t->viommu = emu_viommu_get(t->rig->ctx, rig_viommu(t->rig));
	t->viommu->ops = &viommu_ops;
}

static struct uapi_hwpt_invalidate command(uint32_t id, const void *entries, uint32_t length,
                                           uint32_t count)
{
	return (struct uapi_hwpt_invalidate){
		.size = sizeof(struct uapi_hwpt_invalidate),
		.hwpt_id = id,
		.data_uptr = (uintptr_t)entries,
		.data_type = TYPE,
		.entry_len = length,
		.entry_num = count,
	};
}

static int invalidate(struct test *t, struct uapi_hwpt_invalidate cmd, uint32_t *done)
{
	const int error = rig_ioctl(t->rig, UAPI_IOC_HWPT_INVALIDATE, &cmd);

	*done = cmd.entry_num;
	return error;
}

#define FAILS(t, error, ...)                                                                       \
	do {                                                                                       \
		uint32_t done_ = 99;                                                               \
                                                                                                   \
		assert_int_equal(invalidate(t, command(__VA_ARGS__), &done_), -(error));           \
		assert_int_equal(done_, 0);                                                        \
	} while (0)

static void bounds(void **state)
{
	const struct entry entries[4] = {{1, 0}, {2, 0}, {3, 0}, {4, 0}};
	struct uapi_hwpt_invalidate cmd;
	struct test t;
	uint32_t done;

	(void)state;
	begin(&t);
	cmd = command(99, NULL, 0, 1);
	cmd.reserved = 1;
	assert_int_equal(invalidate(&t, cmd, &done), -EOPNOTSUPP);
	assert_int_equal(done, 0);
	FAILS(&t, EINVAL, 99, NULL, 8, 1);
	FAILS(&t, EINVAL, 99, entries, 0, 1);
	FAILS(&t, EINVAL, 99, entries, 4097, 1);
	FAILS(&t, EINVAL, 99, entries, 8, (1 << 19) + 1);
	FAILS(&t, ENOENT, 99, entries, 4096, 1 << 19);
	FAILS(&t, EINVAL, t.rig->parent.object.id, entries, 8, 1);
	FAILS(&t, EINVAL, t.rig->devices[0].object.id, entries, 8, 1);
	assert_int_equal(driver.calls, 0);
	/* None at all: only the type is asked. */
	assert_int_equal(invalidate(&t, command(6, NULL, 0, 0), &done), 0);
	assert_int_equal(invalidate(&t, command(7, NULL, 5000, 0), &done), 0);
	cmd = command(6, NULL, 0, 0);
	cmd.data_type++;
	assert_int_equal(invalidate(&t, cmd, &done), -EINVAL);
	assert_int_equal(driver.calls, 3);
	nest_rig_free(t.rig);
}

static void drivers_without(void **state)
{
	const struct entry entry = {1, 0};
	struct test t;

	(void)state;
	begin(&t);
	t.domain.ops = &no_ops;
	t.viommu->ops = &no_viommu_ops;
	FAILS(&t, EOPNOTSUPP, 6, &entry, sizeof(entry), 1);
	FAILS(&t, EOPNOTSUPP, 7, &entry, sizeof(entry), 1);
	nest_rig_free(t.rig);
}

static void one_by_one(void **state)
{
	const struct entry entries[4] = {{1, 0}, {2, 0}, {13, 0}, {4, 0}};
	struct test t;
	uint32_t done;

	(void)state;
	begin(&t);
	for (uint32_t id = 6; id <= 7; id++) {
		driver.error = -EIO;
		assert_int_equal(invalidate(&t, command(id, entries, 8, 4), &done), -EIO);
		assert_int_equal(done, 2);
		driver.error = 0;
		assert_int_equal(invalidate(&t, command(id, entries, 8, 4), &done), 0);
		assert_int_equal(done, 4);
		assert_int_equal(driver.entries[3].value, 4);
	}
	nest_rig_free(t.rig);
}

/* Where the answer is lost what was done is done. */
static void lost_answer(void **state)
{
	const struct entry entry = {1, 0};
	const struct uapi_hwpt_invalidate cmd = command(6, &entry, sizeof(entry), 1);
	struct test t;

	(void)state;
	begin(&t);
	assert_int_equal(rig_ioctl_lost(t.rig, UAPI_IOC_HWPT_INVALIDATE, &cmd, sizeof(cmd)),
	                 -EFAULT);
	assert_int_equal(driver.calls, 1);
	nest_rig_free(t.rig);
}

/* Of an entry by itself no more may come than the kernel knows, and not less than it needs. */
static void lengths_of_entries(void **state)
{
	const uint32_t words[6] = {1, 2, 0, 3, 4, 0};
	struct uapi_hwpt_invalidate cmd;
	struct test t;
	uint32_t done;

	(void)state;
	begin(&t);
	assert_int_equal(invalidate(&t, command(6, words, 4, 2), &done), 0);
	assert_int_equal(driver.entries[1].value, 2);
	assert_int_equal(driver.entries[1].more, 0);
	FAILS(&t, EINVAL, 6, words, 12, 2);
	driver.least = 8;
	FAILS(&t, EINVAL, 6, words, 4, 2);
	cmd = command(6, words, 8, 2);
	cmd.data_type++;
	assert_int_equal(invalidate(&t, cmd, &done), -EINVAL);
	FAILS(&t, EFAULT, 6, (void *)8, 8, 2);
	nest_rig_free(t.rig);
}

/* Where many are fetched together each is still by itself: those in front of a gap are handled. */
static void entries_up_to_a_gap(void **state)
{
	enum { PAGE = 4096, ALL = 1280, THERE = 1024 }; /* pages of 512 entries */
	struct entry *const entries =
		mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct test t;
	uint32_t done;

	(void)state;
	assert_ptr_not_equal(entries, MAP_FAILED);
	for (uint32_t i = 0; i < ALL; i++)
		entries[i] = (struct entry){100 + i, i};
	begin(&t);
	assert_int_equal(invalidate(&t, command(6, entries + 1, 8, ALL - 1), &done), 0);
	assert_int_equal(done, ALL - 1);
	assert_int_equal(driver.sum, (uint64_t)(ALL - 1) * ALL / 2);
	assert_int_equal(munmap(entries + THERE, PAGE), 0);
	assert_int_equal(invalidate(&t, command(6, entries + 1, 8, ALL - 1), &done), -EFAULT);
	assert_int_equal(done, THERE - 1);
	assert_int_equal(driver.sum, (uint64_t)(THERE - 1) * THERE / 2);
	nest_rig_free(t.rig);
	assert_int_equal(munmap(entries, THERE * sizeof(struct entry)), 0);
}

/* Of all entries at once, more may come if it is zero. */
static void lengths_of_arrays(void **state)
{
	uint32_t words[6] = {1, 2, 0, 3, 4, 0};
	struct uapi_hwpt_invalidate cmd;
	struct test t;
	uint32_t done;

	(void)state;
	begin(&t);
	driver.whole = true;
	assert_int_equal(invalidate(&t, command(6, words, 12, 2), &done), 0);
	assert_int_equal(done, 2);
	assert_int_equal(driver.entries[1].value, 3);
	assert_int_equal(driver.entries[1].more, 4);
	assert_int_equal(invalidate(&t, command(6, words, 8, 3), &done), 0);
	assert_int_equal(driver.entries[1].value, 0);
	assert_int_equal(invalidate(&t, command(6, words, 4, 2), &done), 0);
	assert_int_equal(driver.entries[1].value, 2);
	words[5] = 1;
	FAILS(&t, E2BIG, 6, words, 12, 2);
	FAILS(&t, EFAULT, 6, (void *)8, 8, 2);
	FAILS(&t, EFAULT, 6, (void *)8, 12, 2);
	cmd = command(6, words, 8, 2);
	cmd.data_type++;
	assert_int_equal(invalidate(&t, cmd, &done), -EINVAL);
	nest_rig_free(t.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds),
		cmocka_unit_test(drivers_without),
		cmocka_unit_test(one_by_one),
		cmocka_unit_test(lost_answer),
		cmocka_unit_test(lengths_of_entries),
		cmocka_unit_test(entries_up_to_a_gap),
		cmocka_unit_test(lengths_of_arrays),
	};

	return cmocka_run_group_tests_name("invalidation", tests, NULL, NULL);
}
