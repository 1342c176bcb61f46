/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Event queues: what is read, whose it is, and that each lost event is counted once. */
#include <endian.h>

#include "alloc.h"
#include "nest-steps.h"

enum { VEVENTQ_ID = 80, VEVENTQ_FD = 180 };

static struct libiommu_viommu *viommu;
static struct libiommu_veventq *queue;
static struct libiommu_vevent_batch *batch;

/* What the kernel gives, put together piece by piece. */
static unsigned char bytes[4096];
static size_t used;

static void put(uint32_t flags, uint32_t sequence, const void *data, size_t length)
{
	const struct uapi_vevent_header header = {.flags = flags, .sequence = sequence};

	memcpy(bytes + used, &header, sizeof(header));
	used += sizeof(header);
	if (length)
		memcpy(bytes + used, data, length);
	used += length;
}

static void put_event(uint32_t sequence, uint32_t virt_id)
{
	put(0, sequence, &virt_id, sizeof(virt_id));
}

static void put_lost(uint32_t sequence)
{
	put(UAPI_VEVENTQ_FLAG_LOST_EVENTS, sequence, NULL, 0);
}

/* What was put together comes with the next read, of a room of @room bytes. */
static void expect_read(size_t room)
{
	EXPECT(READ, .fd = VEVENTQ_FD, .length = room, .out = bytes, .out_size = used,
	       .result = (ssize_t)used);
	used = 0;
}

static void expect_alloc(uint32_t type, uint32_t depth, int result)
{
	EXPECT_IOCTL(CTX_FD, VEVENTQ_ALLOC,
	             IN(struct uapi_veventq_alloc, .size = sizeof(struct uapi_veventq_alloc),
	                .viommu_id = VIOMMU_ID, .type = type, .veventq_depth = depth),
	             OUT(struct uapi_veventq_alloc, .size = sizeof(struct uapi_veventq_alloc),
	                 .out_veventq_id = VEVENTQ_ID, .out_veventq_fd = VEVENTQ_FD),
	             .opens = VEVENTQ_FD, .result = result);
}

static void close_queue(void)
{
	EXPECT_CLOSE(VEVENTQ_FD);
	expect_destroy(VEVENTQ_ID, 0);
	assert_int_equal(libiommu_veventq_destroy(queue), 0);
	queue = NULL;
}

#define ROOM ((size_t)4 * 12) /* the batch's, for raw events */

static int setup(void **state)
{
	nest_setup(state);
	used = 0;
	viommu = script_viommu(VIOMMU_ID);
	expect_alloc(SELFTEST, 9, 0);
	assert_int_equal(libiommu_veventq_alloc_raw(viommu, SELFTEST, 9, 4, 0, 4, &queue), 0);
	assert_int_equal(libiommu_vevent_batch_new(4, &batch), 0);
	return 0;
}

static int teardown(void **state)
{
	libiommu_vevent_batch_free(batch);
	if (queue)
		close_queue();
	script_viommu_close(viommu, VIOMMU_ID);
	return nest_teardown(state);
}

static const struct libiommu_vevent *get(size_t index)
{
	return libiommu_vevent_batch_get(batch, index);
}

static void test_read(void **state)
{
	struct libiommu_vdevice *const vdev = script_vdevice(viommu, VIOMMU_ID, nest_dev, 0x18, 70);
	const uint32_t virt_id = 0x18;
	uint64_t lost = 99;
	uint32_t id;

	(void)state;
	assert_int_equal(libiommu_veventq_id(queue, &id), 0);
	assert_int_equal(id, VEVENTQ_ID);
	assert_int_equal(libiommu_veventq_fd(queue), VEVENTQ_FD);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), 0);
	assert_int_equal(lost, 0);
	put_event(0, 0x18);
	put_event(1, 0x19);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), 2);
	assert_int_equal(libiommu_vevent_batch_count(batch), 2);
	assert_int_equal(lost, 0);
	assert_int_equal(get(0)->flags, LIBIOMMU_VEVENT_DEVICE | LIBIOMMU_VEVENT_LABEL);
	assert_int_equal(get(0)->virt_id, 0x18);
	assert_true(get(0)->label == LABEL);
	assert_int_equal(get(0)->lost, 0);
	assert_int_equal(get(0)->length, 4);
	assert_int_equal(get(0)->sequence, 0);
	assert_memory_equal(get(0)->data, &virt_id, sizeof(virt_id));
	/* A number that no device of this vIOMMU has. */
	assert_int_equal(get(1)->flags, LIBIOMMU_VEVENT_DEVICE);
	assert_int_equal(get(1)->virt_id, 0x19);
	assert_int_equal(get(1)->label, 0);
	assert_int_equal(get(1)->sequence, 1);
	assert_null(get(2));
	script_vdevice_close(vdev, 70);
	put_event(2, 0x18);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, NULL), 1);
	assert_int_equal(get(0)->flags, LIBIOMMU_VEVENT_DEVICE);
}

static void test_lost_before_an_event(void **state)
{
	uint64_t lost;

	(void)state;
	put_event(0, 1);
	put_event(5, 1);
	put_event(6, 1);
	put_event(8, 1);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), 4);
	assert_int_equal(lost, 5);
	assert_int_equal(get(0)->lost, 0);
	assert_int_equal(get(1)->lost, 4);
	assert_int_equal(get(2)->lost, 0);
	assert_int_equal(get(3)->lost, 1);
	/* The very first ones count as well. */
	close_queue();
	expect_alloc(SELFTEST, 9, 0);
	assert_int_equal(libiommu_veventq_alloc_raw(viommu, SELFTEST, 9, 4, 0, 4, &queue), 0);
	put_event(3, 1);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), 1);
	assert_int_equal(lost, 3);
	assert_int_equal(get(0)->lost, 3);
}

static void test_lost_and_nothing_follows(void **state)
{
	uint64_t lost;

	(void)state;
	put_event(0, 1);
	put_lost(3);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), 1);
	assert_int_equal(lost, 3);
	assert_int_equal(get(0)->lost, 0);
	put_lost(5);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), 0);
	assert_int_equal(lost, 2);
	/* Each is told once to who counts, and all of them with the next event. */
	put_event(8, 1);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), 1);
	assert_int_equal(lost, 2);
	assert_int_equal(get(0)->lost, 7);
	/* More headers than the batch has places need none. */
	for (uint32_t i = 9; i < 15; i++)
		put_lost(i);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), 0);
	assert_int_equal(lost, 6);
}

static void test_sequence_wraps(void **state)
{
	uint64_t lost;

	(void)state;
	put_event(INT32_MAX - 1, 1);
	put_event(INT32_MAX, 1);
	put_event(0, 1);
	put_event(1, 1);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), 4);
	assert_int_equal(lost, INT32_MAX - 1);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(get(i)->lost, 0);
	/* Lost around the turn. */
	put_event(INT32_MAX - 2, 1);
	put_lost(0);
	put_event(2, 1);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), 2);
	assert_int_equal(get(1)->lost, 4);
	assert_int_equal(lost, (uint64_t)INT32_MAX - 4 + 4);
	put_lost(INT32_MAX);
	put_event(0, 1);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), 1);
	assert_int_equal(get(0)->lost, (uint64_t)INT32_MAX - 2);
}

static void test_smmuv3(void **state)
{
	const uint64_t event[4] = {htole64(UINT64_C(0x18) << 32 | 0x0a), 1, 2, 3};
	struct libiommu_vdevice *const vdev = script_vdevice(viommu, VIOMMU_ID, nest_dev, 0x18, 70);

	(void)state;
	close_queue();
	expect_alloc(UAPI_VEVENTQ_TYPE_ARM_SMMUV3, 100, 0);
	assert_int_equal(libiommu_veventq_alloc(viommu, LIBIOMMU_VEVENTQ_SMMUV3, 100, &queue), 0);
	put(0, 0, event, sizeof(event));
	expect_read((size_t)4 * 40);
	assert_int_equal(libiommu_veventq_read(queue, batch, NULL), 1);
	assert_int_equal(get(0)->virt_id, 0x18);
	assert_true(get(0)->label == LABEL);
	assert_int_equal(get(0)->length, 32);
	assert_memory_equal(get(0)->data, event, sizeof(event));
	script_vdevice_close(vdev, 70);
}

static void test_cmdqv(void **state)
{
	const uint64_t event[2] = {5, 6};

	(void)state;
	close_queue();
	expect_alloc(UAPI_VEVENTQ_TYPE_TEGRA241_CMDQV, 1, 0);
	assert_int_equal(libiommu_veventq_alloc(viommu, LIBIOMMU_VEVENTQ_TEGRA241_CMDQV, 1, &queue),
	                 0);
	put(0, 0, event, sizeof(event));
	expect_read((size_t)4 * 24);
	assert_int_equal(libiommu_veventq_read(queue, batch, NULL), 1);
	assert_int_equal(get(0)->flags, 0);
	assert_int_equal(get(0)->virt_id, 0);
	assert_memory_equal(get(0)->data, event, sizeof(event));
}

static void test_wide_id(void **state)
{
	const uint64_t event[2] = {5, UINT64_C(0x123456789abc)};

	(void)state;
	close_queue();
	expect_alloc(SELFTEST, 1, 0);
	assert_int_equal(libiommu_veventq_alloc_raw(viommu, SELFTEST, 1, 16, 8, 8, &queue), 0);
	put(0, 0, event, sizeof(event));
	expect_read((size_t)4 * 24);
	assert_int_equal(libiommu_veventq_read(queue, batch, NULL), 1);
	assert_true(get(0)->virt_id == event[1]);
}

static void test_alloc_refused(void **state)
{
	struct libiommu_veventq *other = NULL;
	uint64_t count;

	(void)state;
	expect_alloc(UAPI_VEVENTQ_TYPE_ARM_SMMUV3, 1, -EEXIST);
	assert_int_equal(libiommu_veventq_alloc(viommu, 1, 1, &other), -EEXIST);
	assert_failure(-EEXIST, KERNEL, "libiommu_veventq_alloc");
	assert_int_equal(libiommu_veventq_alloc(viommu, LIBIOMMU_VEVENTQ_DEFAULT, 1, &other),
	                 -EOPNOTSUPP);
	assert_int_equal(libiommu_veventq_alloc(viommu, SELFTEST, 1, &other), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_veventq_alloc");
	expect_alloc(SELFTEST, 1 << 20, -EINVAL);
	assert_int_equal(libiommu_veventq_alloc_raw(viommu, SELFTEST, 1 << 20, 4, 0, 4, &other),
	                 -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_veventq_alloc_raw");
	assert_int_equal(libiommu_veventq_alloc_raw(viommu, 3, 1, 0, 0, 0, &other), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_veventq_alloc_raw");
	assert_int_equal(libiommu_veventq_alloc_raw(viommu, 3, 1, 4097, 0, 0, &other), -EINVAL);
	assert_int_equal(libiommu_veventq_alloc_raw(viommu, 3, 1, 8, 0, 2, &other), -EINVAL);
	assert_int_equal(libiommu_veventq_alloc_raw(viommu, 3, 1, 8, 5, 4, &other), -EINVAL);
	assert_int_equal(libiommu_veventq_alloc_raw(viommu, 3, 1, 8, UINT32_MAX, 4, &other),
	                 -EINVAL);
	assert_int_equal(libiommu_veventq_alloc(viommu, 1, 1, NULL), -EINVAL);
	assert_int_equal(libiommu_veventq_alloc_raw(viommu, 3, 1, 8, 0, 4, NULL), -EINVAL);
	assert_null(other);
	assert_int_equal(libiommu_ctx_live(nest_ctx, LIBIOMMU_OBJECT_VEVENTQ, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(libiommu_viommu_destroy(viommu), -EBUSY);
}

static void test_read_refused(void **state)
{
	uint64_t lost = 99;

	(void)state;
	put_event(0, 1);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), 1);
	EXPECT(READ, .fd = VEVENTQ_FD, .length = ROOM, .result = -EINVAL);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_veventq_read");
	assert_int_equal(libiommu_vevent_batch_count(batch), 0);
	assert_int_equal(lost, 0);
	assert_int_equal(libiommu_veventq_read(queue, NULL, &lost), -EINVAL);
	assert_int_equal(libiommu_veventq_id(queue, NULL), -EINVAL);
	/* Events of another length; those before are kept. */
	put_event(1, 1);
	put(0, 2, "ab", 2);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), -EPROTO);
	assert_failure(-EPROTO, LIBRARY, "libiommu_veventq_read");
	assert_int_equal(libiommu_vevent_batch_count(batch), 1);
	put_event(2, 1);
	used += 3;
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), -EPROTO);
	assert_int_equal(libiommu_vevent_batch_count(batch), 1);
	put_event(0x80000000, 1);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, &lost), -EPROTO);
	assert_int_equal(libiommu_vevent_batch_count(batch), 0);
}

static void test_destroy_refused(void **state)
{
	(void)state;
	EXPECT_CLOSE(VEVENTQ_FD);
	expect_destroy(VEVENTQ_ID, -EBUSY);
	assert_int_equal(libiommu_veventq_destroy(queue), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_veventq_destroy");
	assert_int_equal(libiommu_veventq_fd(queue), -EBADF);
	assert_failure(-EBADF, LIBRARY, "libiommu_veventq_fd");
	assert_int_equal(libiommu_veventq_read(queue, batch, NULL), -EBADF);
	assert_failure(-EBADF, LIBRARY, "libiommu_veventq_read");
	expect_destroy(VEVENTQ_ID, 0);
	assert_int_equal(libiommu_veventq_destroy(queue), 0);
	assert_int_equal(libiommu_veventq_destroy(NULL), 0);
	queue = NULL;
}

static void put_smmuv3(uint32_t sequence)
{
	const uint64_t event[4] = {0};

	put(0, sequence, event, sizeof(event));
}

static void test_adopt(void **state)
{
	const size_t room = (size_t)4 * 40;
	struct libiommu_veventq *made = NULL;
	uint64_t lost;

	(void)state;
	script_lend_fd(VEVENTQ_FD + 1);
	assert_int_equal(libiommu_veventq_adopt(viommu, 1, 0, LIBIOMMU_ID_OWN, VEVENTQ_FD + 1,
	                                        LIBIOMMU_FD_BORROW, &made),
	                 -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_veventq_adopt");
	assert_int_equal(libiommu_veventq_adopt(viommu, 1, 81, (enum libiommu_id_mode)2,
	                                        VEVENTQ_FD + 1, LIBIOMMU_FD_BORROW, &made),
	                 -EINVAL);
	assert_int_equal(libiommu_veventq_adopt(viommu, 1, 81, LIBIOMMU_ID_OWN, -1,
	                                        LIBIOMMU_FD_BORROW, &made),
	                 -EINVAL);
	assert_int_equal(libiommu_veventq_adopt(viommu, 1, 81, LIBIOMMU_ID_OWN, VEVENTQ_FD + 1,
	                                        (enum libiommu_fd_mode)3, &made),
	                 -EINVAL);
	assert_int_equal(libiommu_veventq_adopt(viommu, 1, 81, LIBIOMMU_ID_OWN, VEVENTQ_FD + 1,
	                                        LIBIOMMU_FD_BORROW, NULL),
	                 -EINVAL);
	assert_int_equal(libiommu_veventq_adopt(viommu, SELFTEST, 81, LIBIOMMU_ID_OWN,
	                                        VEVENTQ_FD + 1, LIBIOMMU_FD_BORROW, &made),
	                 -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_veventq_adopt");
	EXPECT_DUP(VEVENTQ_FD + 1, -EMFILE);
	assert_int_equal(libiommu_veventq_adopt(viommu, 1, 81, LIBIOMMU_ID_OWN, VEVENTQ_FD + 1,
	                                        LIBIOMMU_FD_DUP, &made),
	                 -EMFILE);
	assert_failure(-EMFILE, KERNEL, "libiommu_veventq_adopt");
	assert_null(made);
	/* Neither is the handle's. */
	assert_int_equal(libiommu_veventq_adopt(viommu, 1, 81, LIBIOMMU_ID_BORROW, VEVENTQ_FD + 1,
	                                        LIBIOMMU_FD_BORROW, &made),
	                 0);
	assert_int_equal(libiommu_viommu_destroy(viommu), -EBUSY);
	/* What came before is not known to be lost; from there on it is. */
	put_smmuv3(1000);
	put_smmuv3(1002);
	EXPECT(READ, .fd = VEVENTQ_FD + 1, .length = room, .out = bytes, .out_size = used,
	       .result = (ssize_t)used);
	assert_int_equal(libiommu_veventq_read(made, batch, &lost), 2);
	assert_int_equal(lost, 1);
	assert_int_equal(get(0)->lost, 0);
	assert_int_equal(get(1)->lost, 1);
	assert_int_equal(libiommu_veventq_destroy(made), 0);
	/* Both are. */
	EXPECT_DUP(VEVENTQ_FD + 1, VEVENTQ_FD + 2);
	assert_int_equal(libiommu_veventq_adopt(viommu, 1, 81, LIBIOMMU_ID_OWN, VEVENTQ_FD + 1,
	                                        LIBIOMMU_FD_DUP, &made),
	                 0);
	assert_int_equal(libiommu_veventq_fd(made), VEVENTQ_FD + 2);
	EXPECT_CLOSE(VEVENTQ_FD + 2);
	expect_destroy(81, 0);
	assert_int_equal(libiommu_veventq_destroy(made), 0);
	ALLOC_LOOP
	{
		made = NULL;
		if (!ALLOC_TRY(libiommu_veventq_adopt(viommu, 1, 81, LIBIOMMU_ID_BORROW,
		                                      VEVENTQ_FD + 1, LIBIOMMU_FD_BORROW, &made)))
			assert_int_equal(libiommu_veventq_destroy(made), 0);
		else
			assert_null(made);
	}
}

static void test_without_memory(void **state)
{
	struct libiommu_vevent_batch *other;

	(void)state;
	assert_int_equal(libiommu_vevent_batch_new(0, NULL), -EINVAL);
	assert_int_equal(libiommu_vevent_batch_new(65537, &other), -EINVAL);
	assert_int_equal(libiommu_vevent_batch_count(NULL), 0);
	assert_null(libiommu_vevent_batch_get(NULL, 0));
	ALLOC_LOOP
	{
		other = NULL;
		if (!ALLOC_TRY(libiommu_vevent_batch_new(0, &other)))
			libiommu_vevent_batch_free(other);
		else
			assert_null(other);
	}
	libiommu_vevent_batch_free(NULL);
	close_queue();
	ALLOC_LOOP
	{
		expect_alloc(SELFTEST, 9, 0);
		if (!ALLOC_TRY(libiommu_veventq_alloc_raw(viommu, SELFTEST, 9, 4, 0, 4, &queue)))
			close_queue();
		else
			assert_null(queue);
	}
	expect_alloc(SELFTEST, 9, 0);
	assert_int_equal(libiommu_veventq_alloc_raw(viommu, SELFTEST, 9, 4, 0, 4, &queue), 0);
	/* The room for the data is made by the first read, and nothing was read without it. */
	alloc_fail_nth(1);
	assert_int_equal(libiommu_veventq_read(queue, batch, NULL), -ENOMEM);
	assert_true(alloc_restore());
	put_event(0, 1);
	expect_read(ROOM);
	assert_int_equal(libiommu_veventq_read(queue, batch, NULL), 1);
}

#define VEVENTQ_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VEVENTQ_TEST(test_read),
		VEVENTQ_TEST(test_lost_before_an_event),
		VEVENTQ_TEST(test_lost_and_nothing_follows),
		VEVENTQ_TEST(test_sequence_wraps),
		VEVENTQ_TEST(test_smmuv3),
		VEVENTQ_TEST(test_cmdqv),
		VEVENTQ_TEST(test_wide_id),
		VEVENTQ_TEST(test_alloc_refused),
		VEVENTQ_TEST(test_read_refused),
		VEVENTQ_TEST(test_destroy_refused),
		VEVENTQ_TEST(test_adopt),
		VEVENTQ_TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
