/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Nesting on an SMMUv3: a device goes through a guest's tables and the host's, and the guest's
 * commands reach the hardware's caches. */
#include "smmuv3-rig.h"

#include <string.h>
#include <sys/ioctl.h>

#include "../../lib/base/uapi/iommufd.h"

#define SYNC UINT64_C(0x46)

/* What guests give to a queue: the opcode, and the number of a stream or of an address space. */
#define CFGI_CD     UINT64_C(0x05)
#define CFGI_CD_ALL UINT64_C(0x06)
#define NH_ALL      UINT64_C(0x10)
#define NH_ASID     UINT64_C(0x11)
#define NH_VA       UINT64_C(0x12)
#define NH_VAA      UINT64_C(0x13)
#define NSNH_ALL    UINT64_C(0x30)
#define STREAM(sid) ((uint64_t)(sid) << 32)
#define ASID(asid)  ((uint64_t)(asid) << 48)
#define LEAF        UINT64_C(1)

/* The guest's addresses first, then the host's: neither alone would lead to these pages. */
static void test_translate(void **state)
{
	struct rig *const rig = *state;
	const uint64_t first = rig_page(rig, 1), second = rig_page(rig, 2),
		       third = rig_page(rig, 3);

	rig_map(rig, RIG_IOVA, third, SMMUV3_READ);
	rig_map(rig, RIG_IOVA + GUEST_PAGE, first, SMMUV3_READ_WRITE);
	/* In another of the guest's tables. */
	rig_map(rig, 2 * RIG_IOVA, second, SMMUV3_READ_WRITE);
	rig_stream(rig, SMMUV3_TRANSLATE);
	rig_load(rig, RIG_IOVA);
	rig_store(rig, 2 * RIG_IOVA);
	assert_true(rig_page_is(rig, first, 1));
	assert_true(rig_page_is(rig, second, 3));
	rig_fill(rig, second, 4);
	rig_load(rig, 2 * RIG_IOVA);
	rig_store(rig, RIG_IOVA + GUEST_PAGE);
	assert_true(rig_page_is(rig, first, 4));
	/* What the guest maps for reading, and what it does not map, stay as they are. */
	rig_store_word(rig, RIG_IOVA);
	rig_store_word(rig, RIG_IOVA + 2 * GUEST_PAGE);
	assert_true(rig_page_is(rig, third, 3));
	/* The guest's mapping leads out of its memory: nothing is there. */
	rig_map(rig, RIG_IOVA + 3 * GUEST_PAGE, RIG_ADDRESS + RIG_SIZE, SMMUV3_READ_WRITE);
	assert_true(vm_write_faults(rig->vm, RIG_IOVA + 3 * GUEST_PAGE));
}

/* As a guest starts: nothing passes, then all does, then what its tables say; and back. */
static void test_streams(void **state)
{
	struct rig *const rig = *state;
	const uint64_t page = rig_page(rig, 1), other = rig_page(rig, 2);

	rig_map(rig, RIG_IOVA, other, SMMUV3_READ_WRITE);
	rig_stream(rig, SMMUV3_ABORT);
	rig_store(rig, page);
	assert_true(rig_page_is(rig, page, 1));
	for (uint8_t value = 10; value < 12; value++) {
		rig_stream(rig, SMMUV3_BYPASS);
		rig_fill(rig, page, value);
		rig_fill(rig, other, 0);
		rig_load(rig, page);
		rig_store(rig, RIG_IOVA);
		assert_true(rig_page_is(rig, other, 0));
		rig_store(rig, other);
		assert_true(rig_page_is(rig, other, value));
		rig_stream(rig, SMMUV3_TRANSLATE);
		rig_fill(rig, other, 0);
		rig_store(rig, page);
		assert_true(rig_page_is(rig, other, 0));
		rig_store(rig, RIG_IOVA);
		assert_true(rig_page_is(rig, other, value));
	}
	rig_stream(rig, SMMUV3_ABORT);
	rig_fill(rig, other, 0);
	rig_store(rig, RIG_IOVA);
	assert_true(rig_page_is(rig, other, 0));
}

/* Where a store at an IOVA arrives; both pages have been another value before. */
static uint64_t arrives(const struct rig *rig, uint64_t iova, uint64_t one, uint64_t two)
{
	rig_fill(rig, one, 0);
	rig_fill(rig, two, 0);
	rig_store(rig, iova);
	assert_true(rig_page_is(rig, one, 9) != rig_page_is(rig, two, 9));
	return rig_page_is(rig, one, 9) ? one : two;
}

/* The device gets the value to write. */
static void prepare(struct rig *rig, uint64_t page)
{
	rig_fill(rig, page, 9);
	rig_map(rig, 2 * RIG_IOVA, page, SMMUV3_READ_WRITE);
	rig_stream(rig, SMMUV3_TRANSLATE);
	rig_load(rig, 2 * RIG_IOVA);
}

/* A translation is used until the guest drops it, and by whatever command it drops it. */
static void test_drop_translations(void **state)
{
	static const uint64_t commands[][2] = {
		{NH_VA | ASID(RIG_ASID), RIG_IOVA | LEAF},
		{NH_VA | ASID(RIG_ASID), RIG_IOVA},
		{NH_VAA, RIG_IOVA},
		{NH_ASID | ASID(RIG_ASID), 0},
		{NH_ALL, 0},
		{NSNH_ALL, 0},
	};
	struct rig *const rig = *state;
	uint64_t now = rig_page(rig, 0), next = rig_page(rig, 0), before;

	rig_map(rig, RIG_IOVA, now, SMMUV3_READ_WRITE);
	prepare(rig, rig_page(rig, 0));
	assert_int_equal(arrives(rig, RIG_IOVA, now, next), now);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		rig_map(rig, RIG_IOVA, next, SMMUV3_READ_WRITE);
		assert_int_equal(arrives(rig, RIG_IOVA, now, next), now);
		/* Of another page, and of another address space: not this one. */
		OK(libiommu_smmuv3_batch_add(rig->batch, NH_VA | ASID(RIG_ASID),
		                             RIG_IOVA + GUEST_PAGE));
		OK(libiommu_smmuv3_batch_add(rig->batch, NH_VA | ASID(RIG_ASID + 1), RIG_IOVA));
		OK(libiommu_smmuv3_batch_add(rig->batch, NH_ASID | ASID(RIG_ASID + 1), 0));
		OK(libiommu_smmuv3_batch_add(rig->batch, SYNC, 0));
		assert_int_equal(arrives(rig, RIG_IOVA, now, next), now);
		/* Not before the sync. */
		OK(libiommu_smmuv3_batch_add(rig->batch, commands[i][0], commands[i][1]));
		assert_int_equal(arrives(rig, RIG_IOVA, now, next), now);
		OK(libiommu_smmuv3_batch_add(rig->batch, SYNC, 0));
		assert_int_equal(arrives(rig, RIG_IOVA, now, next), next);
		assert_int_equal(libiommu_smmuv3_batch_done(rig->batch), 6 * (i + 1));
		before = now;
		now = next;
		next = before;
	}
}

/*
 * A command that is dropped, and one of a stream that nobody has: the kernel counts the first as
 * done, and has not issued it (defect 9). The library's batch knows.
 */
static void test_count_of_an_error(void **state)
{
	const uint64_t of_nobody = CFGI_CD | STREAM(0xbad);
	const uint64_t commands[2][2] = {{NH_VA | ASID(RIG_ASID), RIG_IOVA | LEAF}, {of_nobody, 0}};
	struct rig *const rig = *state;
	const uint64_t now = rig_page(rig, 0), next = rig_page(rig, 0);
	struct uapi_hwpt_invalidate cmd = {.size = sizeof(cmd),
	                                   .data_type = UAPI_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
	                                   .entry_len = sizeof(commands[0]),
	                                   .entry_num = 2};
	bool dropped;

	rig_map(rig, RIG_IOVA, now, SMMUV3_READ_WRITE);
	prepare(rig, rig_page(rig, 0));
	assert_int_equal(arrives(rig, RIG_IOVA, now, next), now);
	rig_map(rig, RIG_IOVA, next, SMMUV3_READ_WRITE);
	assert_int_equal(arrives(rig, RIG_IOVA, now, next), now);
	cmd.data_uptr = (uintptr_t)commands;
	OK(libiommu_viommu_id(rig->viommu, &cmd.hwpt_id));
	assert_int_equal(ioctl(libiommu_ctx_fd(rig->vm->ctx), UAPI_IOC_HWPT_INVALIDATE, &cmd), -1);
	assert_int_equal(errno, EIO);
	dropped = arrives(rig, RIG_IOVA, now, next) == next;
	print_message("# %u of 2 commands are done, says the kernel; the first one %s\n",
	              cmd.entry_num, dropped ? "is" : "is not");
	assert_true(cmd.entry_num <= 1);
	for (size_t i = 0; i < 2; i++)
		OK(libiommu_smmuv3_batch_add(rig->batch, commands[i][0], commands[i][1]));
	FAILS(EIO, libiommu_smmuv3_batch_flush(rig->batch));
	assert_int_equal(libiommu_smmuv3_batch_done(rig->batch), 1);
	assert_int_equal(arrives(rig, RIG_IOVA, now, next), next);
}

/* The same for a program without a guest, by ranges. */
static void test_drop_ranges(void **state)
{
	static const struct {
		uint64_t address, length;
	} ranges[] = {
		{RIG_IOVA, 1},
		{RIG_IOVA - 3 * GUEST_PAGE, 4 * GUEST_PAGE},
		{RIG_IOVA, 65 * GUEST_PAGE},
		{0, UINT64_MAX},
	};
	struct rig *const rig = *state;
	uint64_t now = rig_page(rig, 0), next = rig_page(rig, 0), before;

	rig_map(rig, RIG_IOVA, now, SMMUV3_READ_WRITE);
	prepare(rig, rig_page(rig, 0));
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		assert_int_equal(arrives(rig, RIG_IOVA, now, next), now);
		rig_map(rig, RIG_IOVA, next, SMMUV3_READ_WRITE);
		OK(libiommu_smmuv3_batch_add_range(rig->batch, RIG_ASID, RIG_IOVA + GUEST_PAGE,
		                                   GUEST_PAGE, 12, 0));
		OK(libiommu_smmuv3_batch_flush(rig->batch));
		assert_int_equal(arrives(rig, RIG_IOVA, now, next), now);
		OK(libiommu_smmuv3_batch_add_range(rig->batch, RIG_ASID, ranges[i].address,
		                                   ranges[i].length, 12, LIBIOMMU_INVALIDATE_LEAF));
		OK(libiommu_smmuv3_batch_flush(rig->batch));
		assert_int_equal(arrives(rig, RIG_IOVA, now, next), next);
		before = now;
		now = next;
		next = before;
	}
}

/* A context descriptor is cached too; the guest's number of the stream names whose it is. */
static void test_drop_contexts(void **state)
{
	static const uint64_t commands[][2] = {{CFGI_CD, LEAF}, {CFGI_CD_ALL, 0}};
	struct rig *const rig = *state;
	uint64_t now = rig_page(rig, 0), next = rig_page(rig, 0), before;
	const uint64_t value = rig_page(rig, 0);
	uint16_t asid = RIG_ASID;

	rig_map(rig, RIG_IOVA, now, SMMUV3_READ_WRITE);
	prepare(rig, value);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		assert_int_equal(arrives(rig, RIG_IOVA, now, next), now);
		rig->table = guest_page(&rig->guest);
		rig_map(rig, RIG_IOVA, next, SMMUV3_READ_WRITE);
		smmuv3_set_context(&rig->guest, rig->context, rig->table, ++asid);
		assert_int_equal(arrives(rig, RIG_IOVA, now, next), now);
		OK(libiommu_smmuv3_batch_add(rig->batch, commands[i][0] | STREAM(RIG_STREAM),
		                             commands[i][1]));
		OK(libiommu_smmuv3_batch_add(rig->batch, SYNC, 0));
		assert_int_equal(arrives(rig, RIG_IOVA, now, next), next);
		before = now;
		now = next;
		next = before;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_translate, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_streams, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_drop_translations, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_count_of_an_error, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_drop_ranges, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_drop_contexts, rig_setup, rig_teardown),
	};

	if (!rig_possible())
		return 77;
	return cmocka_run_group_tests_name("smmuv3", tests, NULL, NULL);
}
