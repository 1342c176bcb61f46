/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A vDPA device: who owns it, what it has, and the messages that give it memory. */
#include "alloc.h"
#include "objects.h"

#include "../../lib/base/uapi/vhost.h"

#define NODE    "/dev/vhost-vdpa-0"
#define VDPA_FD 200
#define PAGE    UINT64_C(4096)
#define RW      (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)
#define ptr(x)  ((void *)(uintptr_t)(x))

/* What the simulator of 7.3 has, and what the library takes of that. */
#define OFFERED  UINT64_C(0x17e)
#define ACCEPTED UINT64_C(0x10e)
#define NO_ASID  (OFFERED & ~(UINT64_C(1) << UAPI_VHOST_BACKEND_F_IOTLB_ASID))

static struct libiommu_ctx *ctx;
static struct libiommu_vdpa *vdpa;

/* The steps of a set-up, of which number @failing fails; from 6 on, none. */
static void expect_set_up(int fd, uint64_t offered, uint64_t accepted, unsigned int failing,
                          int error)
{
	EXPECT_IOCTL(fd, VHOST_SET_OWNER, .result = failing == 0 ? error : 0);
	if (failing < 1)
		return;
	EXPECT_IOCTL(fd, VHOST_GET_BACKEND_FEATURES, OUT(uint64_t, offered),
	             .result = failing == 1 ? error : 0);
	if (failing < 2)
		return;
	EXPECT_IOCTL(fd, VHOST_SET_BACKEND_FEATURES, IN(uint64_t, accepted),
	             .result = failing == 2 ? error : 0);
	if (failing < 3)
		return;
	EXPECT_IOCTL(fd, VHOST_VDPA_GET_IOVA_RANGE,
	             OUT(struct uapi_vhost_vdpa_iova_range, .first = PAGE, .last = 0xffffffff),
	             .result = failing == 3 ? error : 0);
	if (failing < 4 || !(accepted & 1 << UAPI_VHOST_BACKEND_F_IOTLB_ASID))
		return;
	EXPECT_IOCTL(fd, VHOST_VDPA_GET_AS_NUM, OUT(uint32_t, 3),
	             .result = failing == 4 ? error : 0);
	if (failing < 5)
		return;
	EXPECT_IOCTL(fd, VHOST_VDPA_GET_GROUP_NUM, OUT(uint32_t, 2),
	             .result = failing == 5 ? error : 0);
}

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	EXPECT_OPEN(NODE, VDPA_FD);
	expect_set_up(VDPA_FD, OFFERED, ACCEPTED, 6, 0);
	assert_int_equal(libiommu_vdpa_open(ctx, NODE, 0, &vdpa), 0);
	return 0;
}

static int teardown(void **state)
{
	EXPECT_CLOSE(VDPA_FD);
	assert_int_equal(libiommu_vdpa_destroy(vdpa), 0);
	script_ctx_close(ctx);
	return script_teardown(state);
}

/* All of it is compared, to the last byte. */
static void expect_message(uint32_t asid, uint8_t type, uint8_t perm, ssize_t result)
{
	struct uapi_vhost_msg_v2 message;

	memset(&message, 0, sizeof(message));
	message.type = UAPI_VHOST_IOTLB_MSG_V2;
	message.asid = asid;
	message.iotlb.iova = 2 * PAGE;
	message.iotlb.size = 3 * PAGE;
	message.iotlb.uaddr = type == UAPI_VHOST_IOTLB_UPDATE ? 7 * PAGE : 0;
	message.iotlb.perm = perm;
	message.iotlb.type = type;
	EXPECT(WRITE, .fd = VDPA_FD, IN_BYTES(&message, sizeof(message)),
	       .result = result ? result : (ssize_t)sizeof(message));
}

static void expect_update(uint32_t asid, uint8_t perm, ssize_t result)
{
	expect_message(asid, UAPI_VHOST_IOTLB_UPDATE, perm, result);
}

static void expect_invalidate(uint32_t asid, ssize_t result)
{
	expect_message(asid, UAPI_VHOST_IOTLB_INVALIDATE, 0, result);
}

static void test_open(void **state)
{
	struct libiommu_iova_range range;
	uint64_t features, live;
	uint32_t count;

	(void)state;
	assert_int_equal(libiommu_vdpa_fd(vdpa), VDPA_FD);
	assert_int_equal(libiommu_vdpa_features(vdpa, &features), 0);
	assert_int_equal(features, ACCEPTED);
	assert_int_equal(libiommu_vdpa_iova_range(vdpa, &range), 0);
	assert_int_equal(range.start, PAGE);
	assert_int_equal(range.last, 0xffffffff);
	assert_int_equal(libiommu_vdpa_address_spaces(vdpa, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(libiommu_vdpa_groups(vdpa, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(libiommu_ctx_live(ctx, LIBIOMMU_OBJECT_VDPA, &live), 0);
	assert_int_equal(live, 1);
	assert_int_equal(libiommu_ctx_destroy(ctx), -EBUSY);
	assert_explained("1 vDPA device");
}

static void test_open_refused(void **state)
{
	struct libiommu_vdpa *other = NULL;

	(void)state;
	EXPECT_OPEN(NODE, -EBUSY);
	assert_int_equal(libiommu_vdpa_open(ctx, NODE, 0, &other), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_vdpa_open");
	for (unsigned int step = 0; step < 6; step++) {
		EXPECT_OPEN(NODE, 210);
		expect_set_up(210, OFFERED, ACCEPTED, step, -ENOTTY);
		EXPECT_CLOSE(210);
		assert_int_equal(libiommu_vdpa_open(ctx, NODE, 0, &other), -ENOTTY);
		assert_failure(-ENOTTY, KERNEL, "libiommu_vdpa_open");
		assert_explained("not that of a vhost-vdpa device");
		script_done();
	}
	/* That this process owns it is an error where it has just opened it. */
	EXPECT_OPEN(NODE, 210);
	expect_set_up(210, OFFERED, ACCEPTED, 0, -EBUSY);
	assert_int_equal(libiommu_vdpa_open(ctx, NODE, 0, &other), -EBUSY);
	/* No messages of version 2. */
	EXPECT_OPEN(NODE, 210);
	EXPECT_IOCTL(210, VHOST_SET_OWNER, .result = 0);
	EXPECT_IOCTL(210, VHOST_GET_BACKEND_FEATURES, OUT(uint64_t, 0xc));
	assert_int_equal(libiommu_vdpa_open(ctx, NODE, 0, &other), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_vdpa_open");
	assert_explained("2 as bits");
	assert_int_equal(libiommu_vdpa_open(ctx, NULL, 0, &other), -EINVAL);
	assert_null(other);
}

static void test_features(void **state)
{
	struct libiommu_vdpa *other = NULL;
	uint64_t features;
	uint32_t count;

	(void)state;
	/* More than the library wants, and fewer. */
	EXPECT_OPEN(NODE, 210);
	expect_set_up(210, NO_ASID, (ACCEPTED & NO_ASID) | 0x30, 6, 0);
	assert_int_equal(libiommu_vdpa_open(ctx, NODE, 0x30, &other), 0);
	assert_int_equal(libiommu_vdpa_features(other, &features), 0);
	assert_int_equal(features, 0x136);
	/* One of each, without being asked. */
	assert_int_equal(libiommu_vdpa_address_spaces(other, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(libiommu_vdpa_groups(other, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(libiommu_vdpa_destroy(other), 0);
	EXPECT_OPEN(NODE, 210);
	EXPECT_IOCTL(210, VHOST_SET_OWNER, .result = 0);
	EXPECT_IOCTL(210, VHOST_GET_BACKEND_FEATURES, OUT(uint64_t, OFFERED));
	assert_int_equal(libiommu_vdpa_open(ctx, NODE, 0x80, &other), -EOPNOTSUPP);
	assert_explained("128 as bits");
}

static void test_adopt(void **state)
{
	struct libiommu_vdpa *other = NULL;

	(void)state;
	expect_set_up(VDPA_FD, OFFERED, ACCEPTED, 6, 0);
	assert_int_equal(libiommu_vdpa_adopt(ctx, VDPA_FD, LIBIOMMU_FD_BORROW, 0, &other), 0);
	assert_int_equal(libiommu_vdpa_destroy(other), 0);
	assert_true(script_fd_is_open(VDPA_FD));
	EXPECT_DUP(VDPA_FD, 211);
	expect_set_up(211, OFFERED, ACCEPTED, 6, 0);
	assert_int_equal(libiommu_vdpa_adopt(ctx, VDPA_FD, LIBIOMMU_FD_DUP, 0, &other), 0);
	EXPECT_CLOSE(211);
	assert_int_equal(libiommu_vdpa_destroy(other), 0);
	/* The program had made itself the owner. */
	script_give_fd(212);
	EXPECT_IOCTL(212, VHOST_SET_OWNER, .result = -EBUSY);
	EXPECT_IOCTL(212, VHOST_GET_BACKEND_FEATURES, OUT(uint64_t, 2));
	EXPECT_IOCTL(212, VHOST_SET_BACKEND_FEATURES, IN(uint64_t, 2));
	EXPECT_IOCTL(212, VHOST_VDPA_GET_IOVA_RANGE);
	assert_int_equal(libiommu_vdpa_adopt(ctx, 212, LIBIOMMU_FD_OWN, 0, &other), 0);
	EXPECT_CLOSE(212);
	assert_int_equal(libiommu_vdpa_destroy(other), 0);

	other = NULL;
	for (unsigned int step = 0; step < 6; step++) {
		script_give_fd(213);
		expect_set_up(213, OFFERED, ACCEPTED, step, -EPERM);
		assert_int_equal(libiommu_vdpa_adopt(ctx, 213, LIBIOMMU_FD_OWN, 0, &other), -EPERM);
		assert_true(script_fd_is_open(213));
		script_take_back_fd(213);
		EXPECT_DUP(VDPA_FD, 214);
		expect_set_up(214, OFFERED, ACCEPTED, step, -EPERM);
		EXPECT_CLOSE(214);
		assert_int_equal(libiommu_vdpa_adopt(ctx, VDPA_FD, LIBIOMMU_FD_DUP, 0, &other),
		                 -EPERM);
	}
	EXPECT_DUP(VDPA_FD, -EMFILE);
	assert_int_equal(libiommu_vdpa_adopt(ctx, VDPA_FD, LIBIOMMU_FD_DUP, 0, &other), -EMFILE);
	assert_int_equal(libiommu_vdpa_adopt(ctx, -1, LIBIOMMU_FD_OWN, 0, &other), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_vdpa_adopt");
	assert_null(other);
}

static void test_groups(void **state)
{
	uint32_t group = 9;

	(void)state;
	EXPECT_IOCTL(VDPA_FD, VHOST_VDPA_GET_VRING_GROUP,
	             IN(struct uapi_vhost_vring_state, .index = 2),
	             SET(struct uapi_vhost_vring_state, num, 1));
	assert_int_equal(libiommu_vdpa_queue_group(vdpa, 2, &group), 0);
	assert_int_equal(group, 1);
	EXPECT_IOCTL(VDPA_FD, VHOST_VDPA_GET_VRING_GROUP, .result = -ENOBUFS);
	assert_int_equal(libiommu_vdpa_queue_group(vdpa, 3, &group), -ENOBUFS);
	assert_failure(-ENOBUFS, KERNEL, "libiommu_vdpa_queue_group");
	assert_explained("no such virtqueue");
	assert_int_equal(group, 1);
	EXPECT_IOCTL(VDPA_FD, VHOST_VDPA_SET_GROUP_ASID,
	             IN(struct uapi_vhost_vring_state, .index = 1, .num = 2));
	assert_int_equal(libiommu_vdpa_set_group(vdpa, 1, 2), 0);
	EXPECT_IOCTL(VDPA_FD, VHOST_VDPA_SET_GROUP_ASID, .result = -EBUSY);
	assert_int_equal(libiommu_vdpa_set_group(vdpa, 1, 2), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_vdpa_set_group");
	assert_explained("at work");
	/* The kernel would look at the wrong thing, or at none. */
	assert_int_equal(libiommu_vdpa_set_group(vdpa, 2, 0), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_vdpa_set_group");
	assert_int_equal(libiommu_vdpa_set_group(vdpa, 0, 3), -EINVAL);
	assert_explained("no such address space");
}

static int map(uint32_t asid, uint32_t flags)
{
	return libiommu_vdpa_map(vdpa, asid, ptr(7 * PAGE), 3 * PAGE, flags, 2 * PAGE);
}

static void test_map(void **state)
{
	(void)state;
	expect_update(0, 3, 0);
	assert_int_equal(map(0, RW), 0);
	expect_update(2, 1, 0);
	assert_int_equal(map(2, LIBIOMMU_MAP_READ), 0);
	expect_update(1, 2, 0);
	assert_int_equal(map(1, LIBIOMMU_MAP_WRITE), 0);
	expect_invalidate(1, 0);
	assert_int_equal(libiommu_vdpa_unmap(vdpa, 1, 2 * PAGE, 3 * PAGE), 0);
}

static void test_map_refused(void **state)
{
	(void)state;
	expect_update(0, 3, -EFAULT);
	assert_int_equal(map(0, RW), -EFAULT);
	assert_failure(-EFAULT, KERNEL, "libiommu_vdpa_map");
	assert_explained("the kernel says no more");
	expect_invalidate(0, -EFAULT);
	assert_int_equal(libiommu_vdpa_unmap(vdpa, 0, 2 * PAGE, 3 * PAGE), -EFAULT);
	assert_failure(-EFAULT, KERNEL, "libiommu_vdpa_unmap");
	assert_explained("another process");
	/* A part of a message is none. */
	expect_update(0, 3, 40);
	assert_int_equal(map(0, RW), -EIO);
	expect_invalidate(0, 40);
	assert_int_equal(libiommu_vdpa_unmap(vdpa, 0, 2 * PAGE, 3 * PAGE), -EIO);
}

/* What never reaches the kernel. */
static void test_arguments(void **state)
{
	static const struct {
		uint64_t address, length, iova;
	} bad[] = {
		{PAGE, 0, PAGE},
		{PAGE + 1, PAGE, PAGE},
		{PAGE, PAGE + 1, PAGE},
		{PAGE, PAGE, 1},
		{PAGE, PAGE, 0},
		{PAGE, PAGE, UINT64_C(1) << 32},
		{PAGE, 2 * PAGE, 0},
		{PAGE, 2 * PAGE, 0xfffff000},
		{PAGE, 0 - PAGE, 2 * PAGE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(libiommu_vdpa_map(vdpa, 0, ptr(bad[i].address), bad[i].length, RW,
		                                   bad[i].iova),
		                 -EINVAL);
		assert_failure(-EINVAL, LIBRARY, "libiommu_vdpa_map");
	}
	assert_int_equal(map(0, 0), -EINVAL);
	assert_int_equal(map(0, RW | 1U << 7), -EINVAL);
	assert_int_equal(map(3, RW), -EINVAL);
	assert_int_equal(libiommu_vdpa_unmap(vdpa, 3, PAGE, PAGE), -EINVAL);
	assert_int_equal(libiommu_vdpa_unmap(vdpa, 0, PAGE, 0), -EINVAL);
	assert_int_equal(libiommu_vdpa_unmap(vdpa, 0, PAGE + 1, PAGE), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_vdpa_unmap");
}

static void test_without_memory(void **state)
{
	struct libiommu_vdpa *made;

	(void)state;
	ALLOC_LOOP
	{
		made = NULL;
		EXPECT_OPEN(NODE, 220);
		expect_set_up(220, OFFERED, ACCEPTED, 6, 0);
		if (!ALLOC_TRY(libiommu_vdpa_open(ctx, NODE, 0, &made)))
			assert_int_equal(libiommu_vdpa_destroy(made), 0);
		else
			assert_null(made);
	}
	ALLOC_LOOP
	{
		made = NULL;
		EXPECT_DUP(VDPA_FD, 221);
		expect_set_up(221, OFFERED, ACCEPTED, 6, 0);
		if (!ALLOC_TRY(libiommu_vdpa_adopt(ctx, VDPA_FD, LIBIOMMU_FD_DUP, 0, &made)))
			assert_int_equal(libiommu_vdpa_destroy(made), 0);
		else
			assert_null(made);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open),        TEST(test_open_refused), TEST(test_features),
		TEST(test_adopt),       TEST(test_groups),       TEST(test_map),
		TEST(test_map_refused), TEST(test_arguments),    TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
