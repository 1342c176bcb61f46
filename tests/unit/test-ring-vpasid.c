/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A ring's records of PASIDs that are not their vPASIDs: the kernel's numbers are in none of them,
 * not even where one is the vPASID of something else.
 */
#include "queue-rig.h"

/* The model's devices have 1024 PASIDs. */
enum { TOP = 1023, VPASID = 70000, TAG = 80, NEXT_TAG = 81, TOP_TAG = 82 };

static void attach(uint32_t vpasid, uint64_t tag, uint32_t expected)
{
	uint32_t pasid = 0;

	assert_int_equal(libiommu_pasid_attach(rig.dev, vpasid, rig.pt[0], tag, &pasid), 0);
	assert_int_equal(pasid, expected);
}

/* Of a fault or an end. */
static void check(const struct libiommu_record *record, uint32_t vpasid, uint64_t tag)
{
	assert_int_equal(record->vpasid, vpasid);
	assert_int_equal(record->tag, tag);
	assert_true(record->label == RIG_LABEL);
	assert_int_equal(record->flags, LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_LAST);
}

static void fault(uint32_t pasid, uint32_t vpasid, uint64_t tag)
{
	const uint32_t number = model_raise(0, pasid, 1);
	struct libiommu_record record;

	rig_dispatch();
	record = rig_take_fault(number);
	check(&record, vpasid, tag);
	rig_complete(&record);
	assert_int_equal(model_state(number), MODEL_ANSWERED);
}

static void end(uint32_t vpasid, uint64_t tag)
{
	const struct libiommu_record record = rig_take_end(tag);

	check(&record, vpasid, tag);
}

static void test_faults_and_ends(void **state)
{
	struct libiommu_record record;
	uint32_t unread;

	(void)state;
	attach(VPASID, TAG, TOP);
	attach(TOP, TOP_TAG, TOP - 1);
	fault(TOP, VPASID, TAG);
	fault(TOP - 1, TOP, TOP_TAG);
	fault(RIG_PASID, RIG_PASID, RIG_TAG);
	assert_int_equal(libiommu_pasid_replace(rig.dev, VPASID, rig.own, NEXT_TAG), 0);
	rig_dispatch();
	end(VPASID, TAG);
	fault(TOP, VPASID, NEXT_TAG);
	unread = model_raise(0, TOP, 1);
	assert_int_equal(libiommu_pasid_detach(rig.dev, VPASID), 0);
	assert_int_equal(libiommu_pasid_detach(rig.dev, TOP), 0);
	rig_dispatch();
	if (rig.fed) {
		record = rig_take_fault(unread);
		check(&record, VPASID, NEXT_TAG);
	}
	end(VPASID, NEXT_TAG);
	end(TOP, TOP_TAG);
	rig_take_none();
	assert_int_equal(model_wrong(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {RIG_TEST_BOTH(test_faults_and_ends)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
