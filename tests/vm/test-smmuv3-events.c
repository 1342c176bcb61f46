/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What an SMMUv3 has to tell a guest, and what the kernel refuses a guest. */
#include "smmuv3-rig.h"

#include <endian.h>
#include <poll.h>
#include <string.h>

enum { C_BAD_CD = 0x0a, F_TRANSLATION = 0x10, F_PERMISSION = 0x13 };

#define CFGI_CD UINT64_C(0x05)
#define NH_ALL  UINT64_C(0x10)

#define EVENT_READ (UINT64_C(1) << 35)
#define EVENT_S2   (UINT64_C(1) << 39)

enum { DEPTH = 4096, SECONDS_15 = 15000 };

static struct libiommu_veventq *queue;
static struct libiommu_vevent_batch *batch;

static int setup(void **state)
{
	struct rig *rig;

	if (rig_setup(state))
		return -1;
	rig = *state;
	OK(libiommu_veventq_alloc(rig->viommu, LIBIOMMU_VEVENTQ_SMMUV3, DEPTH, &queue));
	OK(libiommu_vevent_batch_new(256, &batch));
	return 0;
}

static int teardown(void **state)
{
	libiommu_vevent_batch_free(batch);
	OK(libiommu_veventq_destroy(queue));
	return rig_teardown(state);
}

static bool readable(int timeout)
{
	struct pollfd wait = {.fd = libiommu_veventq_fd(queue), .events = POLLIN};

	return poll(&wait, 1, timeout) == 1 && wait.revents & POLLIN;
}

/* The first event that there is, in words; all events of the queue are of the same kind. */
static void next_event(uint64_t words[4], int id, uint32_t stream)
{
	const struct libiommu_vevent *event;
	uint64_t lost = 99;
	int count;

	assert_true(readable(SECONDS_15));
	count = libiommu_veventq_read(queue, batch, &lost);
	assert_true(count > 0);
	assert_int_equal(lost, 0);
	for (int i = 0; i < count; i++) {
		event = libiommu_vevent_batch_get(batch, (size_t)i);
		assert_int_equal(event->flags, LIBIOMMU_VEVENT_DEVICE | LIBIOMMU_VEVENT_LABEL);
		assert_int_equal(event->virt_id, stream);
		assert_int_equal(event->label, VM_LABEL);
		assert_int_equal(event->length, 4 * sizeof(words[0]));
		memcpy(words, event->data, event->length);
		for (int j = 0; j < 4; j++)
			words[j] = le64toh(words[j]);
		/* The guest's number is in the event itself. */
		assert_int_equal(words[0] >> 32, stream);
		assert_int_equal(words[0] & 0xff, id);
	}
}

/* A context descriptor that is none: the device reaches nothing, and the guest learns why. */
static void test_bad_context(void **state)
{
	struct rig *const rig = *state;
	const uint64_t page = rig_page(rig, 1);
	uint64_t words[4];

	rig_map(rig, RIG_IOVA, page, SMMUV3_READ_WRITE);
	rig_fill(rig, rig->context, 0);
	rig_stream(rig, SMMUV3_TRANSLATE);
	rig_store_word(rig, RIG_IOVA);
	next_event(words, C_BAD_CD, RIG_STREAM);
	assert_true(rig_page_is(rig, page, 1));
	/* The guest makes it good, and says so. */
	smmuv3_set_context(&rig->guest, rig->context, rig->table, RIG_ASID);
	OK(libiommu_smmuv3_batch_add(rig->batch, CFGI_CD | (uint64_t)RIG_STREAM << 32, 1));
	OK(libiommu_smmuv3_batch_flush(rig->batch));
	rig_load(rig, RIG_IOVA);
	rig_fill(rig, page, 2);
	rig_store(rig, RIG_IOVA);
	assert_true(rig_page_is(rig, page, 1));
	assert_false(readable(0));
}

/* Faults of the guest's own page table tell where and how. */
static void test_faults(void **state)
{
	const uint64_t gap = RIG_IOVA + GUEST_PAGE;
	struct rig *const rig = *state;
	const uint64_t page = rig_page(rig, 1);
	uint64_t words[4];

	rig_map(rig, RIG_IOVA, page, SMMUV3_READ);
	rig_stream(rig, SMMUV3_TRANSLATE);
	rig_load_word(rig, RIG_IOVA);
	assert_false(readable(0));
	rig_store_word(rig, RIG_IOVA);
	next_event(words, F_PERMISSION, RIG_STREAM);
	assert_int_equal(words[2] & ~UINT64_C(0xfff), RIG_IOVA);
	assert_int_equal(words[1] & (EVENT_READ | EVENT_S2), 0);
	rig_store_word(rig, gap);
	next_event(words, F_TRANSLATION, RIG_STREAM);
	assert_int_equal(words[2] & ~UINT64_C(0xfff), gap);
	assert_int_equal(words[1] & (EVENT_READ | EVENT_S2), 0);
	rig_load_word(rig, gap);
	next_event(words, F_TRANSLATION, RIG_STREAM);
	assert_int_equal(words[1] & (EVENT_READ | EVENT_S2), EVENT_READ);
	assert_true(rig_page_is(rig, page, 1));
}

/* A mapping that leads out of the guest's memory is a matter of the host, and not told. */
static void test_host_faults(void **state)
{
	const uint64_t gap = RIG_IOVA + GUEST_PAGE;
	struct rig *const rig = *state;
	uint64_t words[4];

	rig_map(rig, RIG_IOVA, RIG_ADDRESS + RIG_SIZE, SMMUV3_READ_WRITE);
	rig_stream(rig, SMMUV3_TRANSLATE);
	assert_true(vm_write_faults(rig->vm, RIG_IOVA));
	/* What follows arrives, and nothing before it. */
	rig_store_word(rig, gap);
	next_event(words, F_TRANSLATION, RIG_STREAM);
	assert_int_equal(words[2] & ~UINT64_C(0xfff), gap);
}

/* A queue of two holds two; how many it has lost is told, and adds up. */
static void test_lost(void **state)
{
	enum { FAULTS = 6 };
	struct rig *const rig = *state;
	uint64_t lost, all_lost = 0;
	int read = 0, count;

	OK(libiommu_veventq_destroy(queue));
	queue = NULL;
	OK(libiommu_veventq_alloc(rig->viommu, LIBIOMMU_VEVENTQ_SMMUV3, 2, &queue));
	rig_stream(rig, SMMUV3_TRANSLATE);
	for (int i = 0; i < FAULTS; i++)
		rig_store_word(rig, RIG_IOVA);
	/* The last ones may still be on their way. */
	while (read + (int)all_lost < FAULTS && readable(SECONDS_15)) {
		count = libiommu_veventq_read(queue, batch, &lost);
		assert_in_range(count, 0, 2);
		read += count;
		all_lost += lost;
	}
	print_message("# %d events, %llu lost\n", read, (unsigned long long)all_lost);
	assert_int_equal(read + all_lost, FAULTS);
	assert_in_range(all_lost, 1, FAULTS - 2);
}

/* What a guest may not say is refused, and nothing comes of it. */
static void test_refusals(void **state)
{
	struct rig *const rig = *state;
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt = NULL;
	struct libiommu_veventq *second = NULL;
	uint64_t words[2];

	FAILS(EEXIST, libiommu_veventq_alloc(rig->viommu, LIBIOMMU_VEVENTQ_SMMUV3, 1, &second));
	OK(libiommu_hwpt_config_new(&config));
	smmuv3_stream_entry(SMMUV3_TRANSLATE, rig->context, words);
	/* The host's stage, and a stream's privilege, are not the guest's to choose. */
	OK(libiommu_hwpt_config_set_smmuv3(config, words[0] | UINT64_C(3) << 1, words[1]));
	FAILS(EIO, libiommu_hwpt_alloc_viommu(rig->vm->dev, rig->viommu, config, &hwpt));
	OK(libiommu_hwpt_config_set_smmuv3(config, words[0], words[1] | UINT64_C(1) << 49));
	FAILS(EIO, libiommu_hwpt_alloc_viommu(rig->vm->dev, rig->viommu, config, &hwpt));
	libiommu_hwpt_config_free(config);
	assert_null(hwpt);

	/* Without a number a device can be let through or be stopped, and not be translated. */
	OK(libiommu_vdevice_destroy(rig->vdev));
	rig->vdev = NULL;
	hwpt = rig_nested(rig, SMMUV3_TRANSLATE);
	FAILS(ENOENT, libiommu_device_attach_hwpt(rig->vm->dev, hwpt));
	OK(libiommu_hwpt_destroy(hwpt));
	rig_stream(rig, SMMUV3_BYPASS);
}

/* A device has one number, on one vIOMMU; a new one counts from the next attachment on. */
static void test_numbers(void **state)
{
	const uint32_t number = 0x42;
	struct rig *const rig = *state;
	struct libiommu_device *const dev = rig->vm->dev;
	struct libiommu_vdevice *none = NULL;
	struct libiommu_viommu *second;
	uint64_t words[4];

	FAILS(EEXIST, libiommu_vdevice_alloc(rig->viommu, dev, number, &none));
	OK(libiommu_viommu_alloc(dev, rig->parent, LIBIOMMU_VIOMMU_SMMUV3, NULL, &second));
	FAILS(EEXIST, libiommu_vdevice_alloc(second, dev, number, &none));
	assert_null(none);
	OK(libiommu_viommu_destroy(second));
	FAILS(EBUSY, libiommu_viommu_destroy(rig->viommu));
	FAILS(EBUSY, libiommu_hwpt_destroy(rig->parent));
	OK(libiommu_vdevice_destroy(rig->vdev));
	rig->vdev = NULL;
	OK(libiommu_vdevice_alloc(rig->viommu, dev, number, &rig->vdev));
	rig_stream(rig, SMMUV3_TRANSLATE);
	rig_store_word(rig, RIG_IOVA);
	next_event(words, F_TRANSLATION, number);
}

/* Among many commands the one that is wrong is found: those before it are done, and no other. */
static void test_wrong_command(void **state)
{
	enum { COMMANDS = 200, WRONG = 130 };
	struct rig *const rig = *state;
	const uint64_t of_nobody = CFGI_CD | UINT64_C(0xbad) << 32;

	for (int i = 0; i < COMMANDS; i++)
		OK(libiommu_smmuv3_batch_add(rig->batch, i == WRONG ? of_nobody : NH_ALL, 0));
	FAILS(EIO, libiommu_smmuv3_batch_flush(rig->batch));
	assert_int_equal(libiommu_smmuv3_batch_done(rig->batch), WRONG);
	OK(libiommu_smmuv3_batch_add(rig->batch, NH_ALL, 0));
	OK(libiommu_smmuv3_batch_flush(rig->batch));
	assert_int_equal(libiommu_smmuv3_batch_done(rig->batch), WRONG + 1);
}

/* A device's own cache is there only where the IOMMU has ATS. */
static void test_device_cache(void **state)
{
	struct rig *const rig = *state;
	struct libiommu_hw_info *info;
	uint64_t has;

	OK(libiommu_hw_info_get(rig->vm->dev, &info));
	OK(libiommu_hw_info_field(info, LIBIOMMU_SMMUV3_ATS, &has));
	libiommu_hw_info_free(info);
	OK(libiommu_smmuv3_batch_add_atc(rig->batch, RIG_STREAM, 0, RIG_IOVA, GUEST_PAGE));
	if (has)
		OK(libiommu_smmuv3_batch_flush(rig->batch));
	else
		FAILS(EIO, libiommu_smmuv3_batch_flush(rig->batch));
	assert_int_equal(libiommu_smmuv3_batch_done(rig->batch), has);
}

/* The host takes the device while a guest's tables are in use: nothing is in the way. */
static void test_revoke(void **state)
{
	struct rig *const rig = *state;

	rig_stream(rig, SMMUV3_TRANSLATE);
	OK(libiommu_bar_map_destroy(rig->vm->bar));
	rig->vm->bar = NULL;
	FAILS(EBUSY, libiommu_device_destroy(rig->vm->dev));
	OK(libiommu_device_revoke(rig->vm->dev));
	OK(libiommu_hwpt_destroy(rig->nested));
	rig->nested = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bad_context, setup, teardown),
		cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_command, setup, teardown),
		cmocka_unit_test_setup_teardown(test_device_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoke, setup, teardown),
	};

	if (!rig_possible())
		return 77;
	return cmocka_run_group_tests_name("smmuv3-events", tests, NULL, NULL);
}
