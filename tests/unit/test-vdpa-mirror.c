/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A vDPA device that mirrors a DMA space, over a model of its IOTLB that fails when told to. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alloc.h"
#include "dma-model.h"

#include "../../lib/base/uapi/vhost.h"

#define PAGE   UINT64_C(4096)
#define AT     UINT64_C(0x40000000)
#define STEP   UINT64_C(0x200000)
#define RW     (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)
#define BATCH  (UINT64_C(1) << UAPI_VHOST_BACKEND_F_IOTLB_BATCH)
#define ALL    (UINT64_C(0x10a) | BATCH)
#define ptr(x) ((void *)(uintptr_t)(x))

enum { MAX_ENTRIES = 64 };

static struct {
	struct uapi_vhost_msg_v2 entries[MAX_ENTRIES];
	size_t count;
	bool batch;
	uint32_t batch_asid;
	char log[256]; /* a letter for each message */
	unsigned int fail_in;
	bool fail_on; /* and what comes then, with another error */
	bool failing;
} iotlb;

static const struct libiommu_iova_range everything = {0, UINT64_MAX};
static struct libiommu_ctx *ctx;
static struct libiommu_ioas *ioas;
static struct libiommu_dma_space *space;
static struct libiommu_vdpa *vdpa;
static int node;

static bool overlap(const struct uapi_vhost_msg_v2 *a, const struct uapi_vhost_msg_v2 *b)
{
	return a->asid == b->asid && a->iotlb.iova < b->iotlb.iova + b->iotlb.size &&
	       b->iotlb.iova < a->iotlb.iova + a->iotlb.size;
}

static int update(const struct uapi_vhost_msg_v2 *message)
{
	for (size_t i = 0; i < iotlb.count; i++)
		if (overlap(&iotlb.entries[i], message))
			return -EFAULT;
	assert_true(iotlb.count < MAX_ENTRIES);
	iotlb.entries[iotlb.count++] = *message;
	return 0;
}

static void invalidate(const struct uapi_vhost_msg_v2 *message)
{
	for (size_t i = iotlb.count; i--;)
		if (overlap(&iotlb.entries[i], message))
			iotlb.entries[i] = iotlb.entries[--iotlb.count];
}

static ssize_t take(int fd, const void *buffer, size_t size)
{
	const struct uapi_vhost_msg_v2 *const message = buffer;
	const size_t used = strlen(iotlb.log);

	if (fd != libiommu_vdpa_fd(vdpa))
		return -ENOSYS;
	assert_int_equal(size, sizeof(*message));
	assert_int_equal(message->type, UAPI_VHOST_IOTLB_MSG_V2);
	assert_true(used + 1 < sizeof(iotlb.log));
	iotlb.log[used] = "??UI?BE"[message->iotlb.type];
	if (iotlb.failing)
		return -EIO;
	if (iotlb.fail_in && !--iotlb.fail_in) {
		iotlb.failing = iotlb.fail_on;
		return -EFAULT;
	}
	if (iotlb.batch && iotlb.batch_asid != message->asid)
		return -EFAULT;
	switch (message->iotlb.type) {
	case UAPI_VHOST_IOTLB_UPDATE:
		return update(message) ? -EFAULT : (ssize_t)size;
	case UAPI_VHOST_IOTLB_INVALIDATE:
		invalidate(message);
		return (ssize_t)size;
	case UAPI_VHOST_IOTLB_BATCH_BEGIN:
		iotlb.batch = true;
		iotlb.batch_asid = message->asid;
		return (ssize_t)size;
	default:
		iotlb.batch = false;
		return (ssize_t)size;
	}
}

/* The messages since the last time this was asked. */
#define expect_messages(wanted)                                                                    \
	do {                                                                                       \
		assert_string_equal(iotlb.log, wanted);                                            \
		memset(iotlb.log, 0, sizeof(iotlb.log));                                           \
	} while (0)

static void fail_in(unsigned int messages)
{
	memset(iotlb.log, 0, sizeof(iotlb.log));
	iotlb.fail_in = messages;
}

static void open_device(uint64_t features, const struct libiommu_iova_range *range)
{
	maps_set_vdpa(features, range);
	assert_int_equal(libiommu_vdpa_adopt(ctx, node, LIBIOMMU_FD_DUP, 0, &vdpa), 0);
}

static void make_space(enum libiommu_dma_policy policy)
{
	struct libiommu_dma_space_config *config;

	assert_int_equal(libiommu_dma_space_config_new(&config), 0);
	assert_int_equal(libiommu_dma_space_config_set_policy(config, policy), 0);
	assert_int_equal(libiommu_dma_space_new(ioas, config, &space), 0);
	libiommu_dma_space_config_free(config);
}

static int setup(void **state)
{
	(void)state;
	memset(&iotlb, 0, sizeof(iotlb));
	ctx = maps_ctx();
	door_on_write(take);
	assert_int_equal(libiommu_ioas_alloc(ctx, &ioas), 0);
	node = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_true(node >= 0);
	open_device(ALL, &everything);
	make_space(LIBIOMMU_DMA_KERNEL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(libiommu_dma_space_destroy(space), 0);
	assert_int_equal(iotlb.count, 0);
	assert_false(iotlb.batch);
	assert_int_equal(maps_count(1), 0);
	assert_int_equal(libiommu_vdpa_destroy(vdpa), 0);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	close(node);
	ring_ctx_close(ctx);
	return 0;
}

static int add(uint64_t address, uint32_t flags, uint64_t *iova)
{
	return libiommu_dma_space_register(space, ptr(address), PAGE, flags, iova);
}

static uint64_t must_add(uint64_t address)
{
	uint64_t iova = 0;

	assert_int_equal(add(address, RW, &iova), 0);
	return iova;
}

static int drop(uint64_t address)
{
	return libiommu_dma_space_unregister(space, ptr(address), PAGE);
}

static int mirror(uint32_t asid)
{
	return libiommu_dma_space_mirror_vdpa(space, vdpa, asid);
}

static int unmirror(uint32_t asid)
{
	return libiommu_dma_space_unmirror_vdpa(space, vdpa, asid);
}

static void test_follows(void **state)
{
	const uint32_t flags[] = {LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE, RW};
	uint64_t iova = 0;

	(void)state;
	assert_int_equal(mirror(1), 0);
	/* Nothing to tell. */
	expect_messages("");
	for (uint8_t i = 0; i < 3; i++) {
		assert_int_equal(add(AT + i * STEP, flags[i], &iova), 0);
		expect_messages("U");
		assert_int_equal(iotlb.entries[i].asid, 1);
		assert_int_equal(iotlb.entries[i].iotlb.iova, iova);
		assert_int_equal(iotlb.entries[i].iotlb.size, PAGE);
		assert_int_equal(iotlb.entries[i].iotlb.uaddr, AT + i * STEP);
		assert_int_equal(iotlb.entries[i].iotlb.perm, i + 1);
	}
	assert_int_equal(mirror(1), -EEXIST);
	assert_failure(-EEXIST, LIBRARY, "libiommu_dma_space_mirror_vdpa");
	assert_int_equal(libiommu_vdpa_destroy(vdpa), -EBUSY);
	assert_explained("1 of them");
	assert_int_equal(drop(AT), 0);
	expect_messages("I");
	assert_int_equal(iotlb.count, 2);
	assert_int_equal(unmirror(0), -ENOENT);
	assert_int_equal(unmirror(1), 0);
	expect_messages("BIIE");
	assert_int_equal(iotlb.count, 0);
	assert_int_equal(unmirror(1), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_dma_space_unmirror_vdpa");
	assert_int_equal(maps_count(1), 2);
	must_add(AT);
	expect_messages("");
}

/* The last one outside of the batch, for the device's verdict. */
static void test_filled(void **state)
{
	(void)state;
	must_add(AT);
	assert_int_equal(mirror(0), 0);
	expect_messages("U");
	assert_int_equal(unmirror(0), 0);
	expect_messages("BIE");
	for (uint64_t i = 1; i < 4; i++)
		must_add(AT + i * STEP);
	assert_int_equal(mirror(0), 0);
	expect_messages("BUUUEU");
	/* The second address space of the same device. */
	assert_int_equal(mirror(1), 0);
	expect_messages("BUUUEU");
	assert_int_equal(iotlb.count, 8);
	assert_int_equal(drop(AT), 0);
	expect_messages("II");
	assert_int_equal(libiommu_dma_space_destroy(space), 0);
	expect_messages("BIIIEBIIIE");
	space = NULL;
}

static void test_without_batches(void **state)
{
	(void)state;
	assert_int_equal(libiommu_vdpa_destroy(vdpa), 0);
	open_device(ALL & ~BATCH, &everything);
	for (uint64_t i = 0; i < 3; i++)
		must_add(AT + i * STEP);
	assert_int_equal(mirror(0), 0);
	expect_messages("UUU");
	assert_int_equal(unmirror(0), 0);
	expect_messages("III");
}

/* Each message of each call fails in turn, and nothing has changed. */
static void test_mirror_fails(void **state)
{
	static const char *const logs[] = {"B", "BUE", "BUUEBIE", "BUUEBIIE", "BUUEUBIIE"};

	(void)state;
	for (uint64_t i = 0; i < 3; i++)
		must_add(AT + i * STEP);
	for (unsigned int nth = 1; nth <= 5; nth++) {
		fail_in(nth);
		assert_int_equal(mirror(0), -EFAULT);
		assert_failure(-EFAULT, KERNEL, "libiommu_dma_space_mirror_vdpa");
		expect_messages(logs[nth - 1]);
		assert_int_equal(iotlb.count, 0);
		assert_int_equal(unmirror(0), -ENOENT);
	}
	alloc_fail_nth(1);
	assert_int_equal(mirror(0), -ENOMEM);
	assert_true(alloc_restore());
	/* Somebody else's stays. */
	assert_int_equal(libiommu_vdpa_map(vdpa, 0, ptr(AT), STEP, RW, 0x100000), 0);
	assert_int_equal(mirror(0), -EFAULT);
	assert_explained("mapped in the range already");
	assert_int_equal(iotlb.count, 1);
	assert_int_equal(libiommu_vdpa_unmap(vdpa, 0, 0x100000, STEP), 0);
	assert_int_equal(mirror(0), 0);
	assert_int_equal(iotlb.count, 3);
}

static void test_register_fails(void **state)
{
	uint64_t iova = 7;

	(void)state;
	assert_int_equal(mirror(0), 0);
	assert_int_equal(mirror(1), 0);
	for (unsigned int nth = 1; nth <= 2; nth++) {
		fail_in(nth);
		assert_int_equal(add(AT, RW, &iova), -EFAULT);
		assert_failure(-EFAULT, KERNEL, "libiommu_dma_space_register");
		expect_messages(nth == 1 ? "U" : "UUI");
		assert_int_equal(iova, 7);
		assert_int_equal(iotlb.count, 0);
		assert_int_equal(maps_count(1), 0);
	}
	must_add(AT);
	expect_messages("UU");
	/* Neither the devices nor the address space let go: what went comes back. */
	for (unsigned int nth = 1; nth <= 2; nth++) {
		fail_in(nth);
		assert_int_equal(drop(AT), -EFAULT);
		assert_failure(-EFAULT, KERNEL, "libiommu_dma_space_unregister");
		expect_messages(nth == 1 ? "I" : "IIU");
		assert_int_equal(iotlb.count, 2);
	}
	maps_fail_nth(UAPI_IOC_IOAS_UNMAP, 1, -EBUSY);
	assert_int_equal(drop(AT), -EBUSY);
	expect_messages("IIUU");
	assert_int_equal(iotlb.count, 2);
	assert_int_equal(drop(AT), 0);
}

static void test_unmirror_fails(void **state)
{
	(void)state;
	must_add(AT);
	must_add(AT + STEP);
	assert_int_equal(mirror(0), 0);
	for (unsigned int nth = 1; nth <= 4; nth++) {
		fail_in(nth);
		assert_int_equal(unmirror(0), -EFAULT);
		assert_failure(-EFAULT, KERNEL, "libiommu_dma_space_unmirror_vdpa");
		assert_int_equal(libiommu_vdpa_destroy(vdpa), -EBUSY);
		iotlb.batch = false;
	}
	fail_in(1);
	assert_int_equal(libiommu_dma_space_destroy(space), -EFAULT);
	assert_failure(-EFAULT, KERNEL, "libiommu_dma_space_destroy");
	assert_int_equal(maps_count(1), 2);
	assert_int_equal(unmirror(0), 0);
}

/* Nothing reaches the device any more: what cannot be undone is not what has failed. */
static void test_the_first_failure_is_told(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 3; i++)
		must_add(AT + i * STEP);
	iotlb.fail_on = true;
	for (unsigned int nth = 2; nth <= 5; nth++) {
		fail_in(nth);
		assert_int_equal(mirror(0), -EFAULT);
		assert_failure(-EFAULT, KERNEL, "libiommu_dma_space_mirror_vdpa");
		iotlb.failing = false;
		iotlb.batch = false;
		iotlb.count = 0;
	}
	iotlb.fail_on = false;
	assert_int_equal(mirror(0), 0);
	iotlb.fail_on = true;
	fail_in(2);
	assert_int_equal(unmirror(0), -EFAULT);
	assert_failure(-EFAULT, KERNEL, "libiommu_dma_space_unmirror_vdpa");
	iotlb.failing = false;
	iotlb.batch = false;
	assert_int_equal(unmirror(0), 0);
}

/* Only what the process has mapped can be given to a vDPA device. */
static void test_files(void **state)
{
	const int memfd = memfd_create("x", MFD_CLOEXEC);
	uint64_t iova = 7;

	(void)state;
	assert_int_equal(ftruncate(memfd, 4096), 0);
	assert_int_equal(mirror(0), 0);
	assert_int_equal(libiommu_dma_space_register_file(space, memfd, 0, PAGE, NULL, RW, &iova),
	                 -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_dma_space_register_file");
	assert_int_equal(maps_count(1), 0);
	assert_int_equal(
		libiommu_dma_space_register_file(space, memfd, 0, PAGE, ptr(AT), RW, &iova), 0);
	expect_messages("U");
	assert_int_equal(iotlb.entries[0].iotlb.uaddr, AT);
	assert_int_equal(unmirror(0), 0);
	assert_int_equal(drop(AT), 0);
	assert_int_equal(libiommu_dma_space_register_file(space, memfd, 0, PAGE, NULL, RW, &iova),
	                 0);
	assert_int_equal(mirror(0), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_dma_space_mirror_vdpa");
	close(memfd);
}

/* The window has what the device can use; without one, the device says no. */
static void test_range(void **state)
{
	const struct libiommu_iova_range high = {UINT64_C(1) << 32, (UINT64_C(1) << 33) - 1};
	uint64_t iova;

	(void)state;
	assert_int_equal(libiommu_vdpa_destroy(vdpa), 0);
	open_device(ALL, &high);
	assert_int_equal(mirror(0), 0);
	assert_int_equal(add(AT, RW, &iova), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_dma_space_register");
	expect_messages("");
	assert_int_equal(libiommu_dma_space_destroy(space), 0);
	make_space(LIBIOMMU_DMA_WINDOW);
	must_add(AT);
	assert_int_equal(mirror(0), -EADDRINUSE);
	assert_int_equal(drop(AT), 0);
	assert_int_equal(mirror(0), 0);
	iova = must_add(AT);
	assert_in_range(iova, high.start, high.last);
	alloc_fail_nth(3);
	assert_int_equal(libiommu_dma_space_revalidate(space), -ENOMEM);
	assert_true(alloc_restore());
}

static void test_arguments(void **state)
{
	int status;
	pid_t child;

	(void)state;
	assert_int_equal(mirror(2), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_dma_space_mirror_vdpa");
	assert_explained("no such address space");
	assert_int_equal(libiommu_dma_space_mirror_vdpa(space, NULL, 0), -EINVAL);
	assert_int_equal(libiommu_dma_space_unmirror_vdpa(NULL, vdpa, 0), -EINVAL);
	child = fork();
	if (!child)
		_exit(mirror(0) == -ECHILD && unmirror(0) == -ECHILD ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_follows),
		TEST(test_filled),
		TEST(test_without_batches),
		TEST(test_mirror_fails),
		TEST(test_register_fails),
		TEST(test_unmirror_fails),
		TEST(test_the_first_failure_is_told),
		TEST(test_files),
		TEST(test_range),
		TEST(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
