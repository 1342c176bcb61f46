/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Groups of devices that are software, for what a device has attached: they reach the handler of
 * that page table, and what it says comes back to whoever put them in; also where something else is
 * attached there meanwhile.
 */
#include "queue-rig.h"

enum { OTHER_TAG = 80, ADDRESS = 0x123000 };

static struct libiommu_handlers *handlers;

/* The handler of a tag. */
struct table {
	uint64_t tag;
	int answer;  /* to what was injected; the model knows what it wants itself */
	bool leaves; /* with the end of its attachment */
	uint32_t handled;
	uint32_t released;
	struct libiommu_record last;
};

struct injected {
	uint32_t answers;
	enum libiommu_fault_code code;
};

static int handle(void *user, const struct libiommu_record *records, size_t count)
{
	struct table *const table = user;

	assert_int_equal(count, 1);
	assert_int_equal(records->tag, table->tag);
	table->handled++;
	table->last = *records;
	if (records->flags & LIBIOMMU_RECORD_INJECTED || table->answer == LIBIOMMU_HANDLERS_LATER)
		return table->answer;
	return (int)(records->group % 2);
}

static void release(void *user, const struct libiommu_record *record)
{
	struct table *const table = user;

	assert_int_equal(record->tag, table->tag);
	table->released++;
	if (table->leaves)
		assert_int_equal(libiommu_handlers_remove(handlers, table->tag), 0);
}

static void answered(void *user, enum libiommu_fault_code code)
{
	struct injected *const it = user;

	it->answers++;
	it->code = code;
}

static void set(struct table *table)
{
	assert_int_equal(libiommu_handlers_set(handlers, table->tag, handle, release, table), 0);
}

static int setup(void **state)
{
	rig_setup(state);
	assert_int_equal(libiommu_handlers_new(rig.reader, &handlers), 0);
	return 0;
}

static int teardown(void **state)
{
	libiommu_handlers_free(handlers);
	return rig_teardown(state);
}

/* What is asked for at a vPASID of a device: 0, or that nothing is attached there. */
static int make(uint32_t vpasid, struct libiommu_record *record)
{
	struct libiommu_hwpt *hwpt;
	uint32_t pasid;
	int error;

	*record = (struct libiommu_record){
		.flags = LIBIOMMU_RECORD_PASID,
		.permissions = LIBIOMMU_FAULT_READ,
		.address = ADDRESS,
		.vpasid = vpasid,
	};
	assert_int_equal(libiommu_device_label(rig.dev, &record->label), 0);
	error = libiommu_pasid_find(rig.dev, vpasid, &pasid);
	return error ? error : libiommu_pasid_find_hwpt(rig.dev, pasid, &hwpt, &record->tag);
}

static void put(const struct libiommu_record *record, struct injected *it)
{
	*it = (struct injected){.code = 99};
	assert_int_equal(libiommu_ring_inject(rig.ring, record, 1, answered, it), 0);
}

static void inject(struct injected *it)
{
	struct libiommu_record record;

	assert_int_equal(make(RIG_PASID, &record), 0);
	put(&record, it);
}

/* Both sides, until all that there is has been handled. */
static void run(void)
{
	rig_dispatch();
	while (libiommu_handlers_dispatch(handlers) > 0)
		;
	rig_dispatch();
}

static void check(const struct injected *it, enum libiommu_fault_code code)
{
	assert_int_equal(it->answers, 1);
	assert_int_equal(it->code, code);
}

static void test_for_a_vpasid(void **state)
{
	struct table table = {.tag = RIG_TAG, .answer = LIBIOMMU_FAULT_SUCCESS};
	struct table own = {.tag = RIG_OWN_TAG, .answer = LIBIOMMU_FAULT_INVALID};
	struct libiommu_record record;
	struct injected it;
	uint32_t number;

	(void)state;
	set(&table);
	set(&own);
	assert_int_equal(make(RIG_PASID + 1, &record), -ENOENT);
	inject(&it);
	run();
	assert_int_equal(table.handled, 1);
	assert_int_equal(own.handled, 0);
	assert_int_equal(table.last.kind, LIBIOMMU_RECORD_FAULT);
	assert_int_equal(table.last.flags,
	                 LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_INJECTED);
	assert_int_equal(table.last.label, RIG_LABEL);
	assert_int_equal(table.last.vpasid, RIG_PASID);
	assert_int_equal(table.last.address, ADDRESS);
	check(&it, LIBIOMMU_FAULT_SUCCESS);
	/* What the hardware asks for there comes to the same handler. */
	number = model_raise(0, RIG_PASID, 1);
	run();
	assert_int_equal(table.handled, 2);
	assert_int_equal(model_state(number), MODEL_ANSWERED);
	assert_int_equal(model_wrong(), 0);
	check(&it, LIBIOMMU_FAULT_SUCCESS);
}

static void test_for_the_device_itself(void **state)
{
	struct table table = {.tag = RIG_TAG, .answer = LIBIOMMU_FAULT_SUCCESS};
	struct table own = {.tag = RIG_OWN_TAG, .answer = LIBIOMMU_FAULT_INVALID};
	/* The tag is what the device was given as its own. */
	struct libiommu_record record = {.address = ADDRESS, .tag = RIG_OWN_TAG};
	struct injected it;

	(void)state;
	set(&table);
	set(&own);
	assert_int_equal(libiommu_device_label(rig.dev, &record.label), 0);
	put(&record, &it);
	run();
	assert_int_equal(table.handled, 0);
	assert_int_equal(own.handled, 1);
	assert_int_equal(own.last.flags, LIBIOMMU_RECORD_LAST | LIBIOMMU_RECORD_INJECTED);
	check(&it, LIBIOMMU_FAULT_INVALID);
}

/* The ring does not know what is attached: the group is handled and answered as before. */
static void test_detached_before_it_is_read(void **state)
{
	struct table table = {.tag = RIG_TAG, .answer = LIBIOMMU_FAULT_SUCCESS};
	struct libiommu_record record;
	struct injected it;

	(void)state;
	set(&table);
	inject(&it);
	assert_int_equal(libiommu_pasid_detach(rig.dev, RIG_PASID), 0);
	assert_int_equal(make(RIG_PASID, &record), -ENOENT);
	run();
	assert_int_equal(table.handled, 1);
	assert_int_equal(table.released, 1);
	check(&it, LIBIOMMU_FAULT_SUCCESS);
}

/* Behind the end, the tag may be nobody's. */
static void test_injected_behind_the_end(void **state)
{
	struct table table = {.tag = RIG_TAG, .leaves = true};
	struct libiommu_record record;
	struct injected it;

	(void)state;
	set(&table);
	assert_int_equal(make(RIG_PASID, &record), 0);
	assert_int_equal(libiommu_pasid_detach(rig.dev, RIG_PASID), 0);
	run();
	assert_int_equal(table.released, 1);
	put(&record, &it);
	run();
	assert_int_equal(table.handled, 0);
	check(&it, LIBIOMMU_FAULT_INVALID);
}

/* Those of the kernel's need no answer then; one that was injected still does. */
static void test_detached_while_it_is_kept(void **state)
{
	struct table table = {.tag = RIG_TAG, .answer = LIBIOMMU_HANDLERS_LATER};
	const uint32_t number = model_raise(0, RIG_PASID, 1);
	struct libiommu_completion kept;
	struct injected it;

	(void)state;
	set(&table);
	run();
	inject(&it);
	run();
	assert_int_equal(table.handled, 2);
	kept = (struct libiommu_completion){.token = table.last.token, .queue = table.last.queue};
	assert_int_equal(libiommu_pasid_detach(rig.dev, RIG_PASID), 0);
	run();
	assert_int_equal(table.released, 1);
	assert_int_equal(model_state(number), MODEL_ENDED);
	assert_int_equal(rig_count(LIBIOMMU_RING_DROPPED), 1);
	assert_int_equal(rig_count(LIBIOMMU_RING_OUTSTANDING), 1);
	assert_int_equal(it.answers, 0);
	assert_int_equal(libiommu_reader_complete(rig.reader, &kept, 1), 1);
	run();
	check(&it, LIBIOMMU_FAULT_SUCCESS);
	assert_int_equal(rig_count(LIBIOMMU_RING_STALE), 0);
}

static void test_replaced_before_it_is_read(void **state)
{
	struct table table = {.tag = RIG_TAG, .answer = LIBIOMMU_FAULT_INVALID};
	struct table next = {.tag = OTHER_TAG, .answer = LIBIOMMU_FAULT_SUCCESS};
	struct injected before, behind;

	(void)state;
	set(&table);
	set(&next);
	inject(&before);
	assert_int_equal(libiommu_pasid_replace(rig.dev, RIG_PASID, rig.pt[1], OTHER_TAG), 0);
	inject(&behind);
	run();
	assert_int_equal(table.handled, 1);
	assert_int_equal(table.released, 1);
	assert_int_equal(next.handled, 1);
	check(&before, LIBIOMMU_FAULT_INVALID);
	check(&behind, LIBIOMMU_FAULT_SUCCESS);
}

#define INJECT_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INJECT_TEST(test_for_a_vpasid),
		INJECT_TEST(test_for_the_device_itself),
		INJECT_TEST(test_detached_before_it_is_read),
		INJECT_TEST(test_injected_behind_the_end),
		INJECT_TEST(test_detached_while_it_is_kept),
		INJECT_TEST(test_replaced_before_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
