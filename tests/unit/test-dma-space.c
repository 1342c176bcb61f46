/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* DMA spaces over a model of the kernel: what is registered is mapped, found and counted. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma-model.h"

#include "../random.h"

#define PAGE   UINT64_C(4096)
#define MIB2   UINT64_C(0x200000)
#define AT     UINT64_C(0x40000000)
#define RW     (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)
#define ptr(x) ((void *)(uintptr_t)(x))

static struct libiommu_ctx *ctx;
static struct libiommu_ioas *ioas, *second, *third;
static struct libiommu_dma_space *space;

static int setup(void **state)
{
	(void)state;
	ctx = maps_ctx();
	assert_int_equal(libiommu_ioas_alloc(ctx, &ioas), 0);
	assert_int_equal(libiommu_ioas_alloc(ctx, &second), 0);
	assert_int_equal(libiommu_ioas_alloc(ctx, &third), 0);
	space = NULL;
	return 0;
}

static int teardown(void **state)
{
	uint64_t live;

	(void)state;
	assert_int_equal(libiommu_dma_space_destroy(space), 0);
	assert_int_equal(libiommu_ctx_live(ctx, LIBIOMMU_OBJECT_DMA_SPACE, &live), 0);
	assert_int_equal(live, 0);
	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(maps_count(i), 0);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	assert_int_equal(libiommu_ioas_destroy(second), 0);
	assert_int_equal(libiommu_ioas_destroy(third), 0);
	ring_ctx_close(ctx);
	return 0;
}

static void make(enum libiommu_dma_policy policy, uint64_t split)
{
	struct libiommu_dma_space_config *config;

	assert_int_equal(libiommu_dma_space_config_new(&config), 0);
	assert_int_equal(libiommu_dma_space_config_set_policy(config, policy), 0);
	assert_int_equal(libiommu_dma_space_config_set_split(config, split), 0);
	assert_int_equal(libiommu_dma_space_new(ioas, config, &space), 0);
	libiommu_dma_space_config_free(config);
}

static int add(uint64_t address, uint64_t length, uint64_t *iova)
{
	return libiommu_dma_space_register(space, ptr(address), length, RW, iova);
}

static uint64_t must_add(uint64_t address, uint64_t length)
{
	uint64_t iova = 0;

	assert_int_equal(add(address, length, &iova), 0);
	return iova;
}

static int drop(uint64_t address, uint64_t length)
{
	return libiommu_dma_space_unregister(space, ptr(address), length);
}

static void expect_count(uint64_t wanted, uint64_t wanted_bytes)
{
	uint64_t count = 0, bytes = 0;

	assert_int_equal(libiommu_dma_space_registered(space, &count, &bytes), 0);
	assert_int_equal(count, wanted);
	assert_int_equal(bytes, wanted_bytes);
}

/* Where the table has an address, 0 for nowhere. */
static uint64_t look(uint64_t address)
{
	uint64_t iova = 0, room;

	libiommu_dma_table_translate(libiommu_dma_space_table(space), ptr(address), 1, &iova,
	                             &room);
	return iova;
}

static void test_counted(void **state)
{
	const uint64_t whole = 8 * PAGE;
	uint64_t iova;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	iova = must_add(AT, whole);
	assert_int_equal(must_add(AT, whole), iova);
	assert_int_equal(must_add(AT + 2 * PAGE, PAGE), iova + 2 * PAGE);
	assert_int_equal(must_add(AT + 2 * PAGE, PAGE), iova + 2 * PAGE);
	assert_int_equal(maps_count(1), 1);
	expect_count(4, whole);
	assert_int_equal(drop(AT, whole), 0);
	assert_int_equal(drop(AT, whole), 0);
	/* The part keeps all of it. */
	assert_int_equal(drop(AT, whole), -ENOENT);
	assert_int_equal(look(AT + 7 * PAGE + 5), iova + 7 * PAGE + 5);
	assert_int_equal(drop(AT + 2 * PAGE, 2 * PAGE), -ENOENT);
	assert_int_equal(drop(AT + 2 * PAGE, PAGE), 0);
	expect_count(1, whole);
	assert_int_equal(drop(AT + 2 * PAGE, PAGE), 0);
	assert_int_equal(maps_count(1), 0);
	assert_int_equal(look(AT), 0);
	assert_int_equal(libiommu_failure_error(), -ESTALE);
	assert_int_equal(drop(AT + 2 * PAGE, PAGE), -ENOENT);
	expect_count(0, 0);
}

static void test_overlap_is_refused(void **state)
{
	uint64_t iova = 7;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	must_add(AT + 4 * PAGE, 4 * PAGE);
	assert_int_equal(add(AT, 5 * PAGE, &iova), -EEXIST);
	assert_explained("set_split");
	assert_int_equal(add(AT + 7 * PAGE, 2 * PAGE, &iova), -EEXIST);
	assert_int_equal(add(AT, 16 * PAGE, &iova), -EEXIST);
	assert_int_equal(iova, 7);
	assert_int_equal(maps_count(1), 1);
	must_add(AT, 4 * PAGE);
	must_add(AT + 8 * PAGE, PAGE);
	/* Two that touch are not one. */
	assert_int_equal(add(AT, 8 * PAGE, &iova), -EEXIST);
	expect_count(3, 9 * PAGE);
}

static void test_access(void **state)
{
	uint64_t iova;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	assert_int_equal(
		libiommu_dma_space_register(space, ptr(AT), 2 * PAGE, LIBIOMMU_MAP_READ, &iova), 0);
	assert_int_equal(add(AT, PAGE, &iova), -EPERM);
	assert_int_equal(
		libiommu_dma_space_register(space, ptr(AT), PAGE, LIBIOMMU_MAP_READ, &iova), 0);
	expect_count(2, 2 * PAGE);
}

static void test_wrong_arguments(void **state)
{
	uint64_t iova = 7;

	(void)state;
	make(LIBIOMMU_DMA_IDENTITY, 0);
	assert_int_equal(add(AT + 1, PAGE, &iova), -EINVAL);
	assert_int_equal(add(AT, PAGE - 1, &iova), -EINVAL);
	assert_int_equal(add(AT, 0, &iova), -EINVAL);
	assert_int_equal(libiommu_dma_space_register(space, ptr(AT), PAGE, 0, &iova), -EINVAL);
	assert_int_equal(libiommu_dma_space_register(space, ptr(AT), PAGE, 8, &iova), -EINVAL);
	assert_int_equal(libiommu_dma_space_register_file(space, -1, 0, PAGE, NULL, RW, &iova),
	                 -EBADF);
	assert_int_equal(libiommu_dma_space_register_file(space, 0, 0, PAGE, NULL, RW, &iova),
	                 -EINVAL);
	assert_explained("no IOVA that is the same");
	assert_int_equal(libiommu_dma_space_register_in(space, NULL, ptr(AT), PAGE, RW, &iova),
	                 -EINVAL);
	if (sizeof(void *) == 8) {
		assert_int_equal(add((uint64_t)1 << 48, PAGE, &iova), -ERANGE);
		assert_int_equal(add(((uint64_t)1 << 48) - PAGE, 2 * PAGE, &iova), -ERANGE);
		assert_int_equal(add(UINT64_MAX - PAGE + 1, PAGE, &iova), -ERANGE);
	}
	assert_int_equal(iova, 7);
	assert_int_equal(maps_count(1), 0);
}

static void test_identity(void **state)
{
	uint64_t iova;

	(void)state;
	make(LIBIOMMU_DMA_IDENTITY, 0);
	assert_int_equal(must_add(AT, 3 * PAGE), AT);
	assert_int_equal(must_add(AT + 3 * PAGE, PAGE), AT + 3 * PAGE);
	/* What touches goes on. */
	assert_int_equal(libiommu_dma_table_translate(libiommu_dma_space_table(space), ptr(AT + 5),
	                                              4 * PAGE - 5, &iova, NULL),
	                 0);
	assert_int_equal(iova, AT + 5);
	assert_null(libiommu_dma_space_window(space));
	assert_int_equal(libiommu_dma_space_revalidate(space), 0);
}

static void test_window(void **state)
{
	struct libiommu_iova_window *const none = NULL, *window, *client;
	uint64_t iova;

	(void)state;
	assert_ptr_equal(libiommu_dma_space_window(NULL), none);
	make(LIBIOMMU_DMA_WINDOW, 0);
	window = libiommu_dma_space_window(space);
	/* Large pages of both sides begin in the same places. */
	iova = must_add(AT + 0x5000, 2 * MIB2);
	assert_int_equal(iova % MIB2, 0x5000);
	iova = must_add(UINT64_C(0x100000000) + 0x3000, UINT64_C(0x40000000));
	assert_int_equal(iova % 0x40000000, 0x3000);
	assert_int_equal(libiommu_iova_window_cut(window, 16 * PAGE, PAGE, &client), 0);
	assert_int_equal(libiommu_dma_space_destroy(space), -EBUSY);
	assert_int_equal(libiommu_iova_window_destroy(window), -EBUSY);
	assert_int_equal(libiommu_dma_space_register_in(space, client, ptr(AT + 64 * MIB2),
	                                                16 * PAGE, RW, &iova),
	                 0);
	assert_int_equal(
		libiommu_dma_space_register_in(space, client, ptr(AT + 65 * MIB2), PAGE, RW, &iova),
		-ENOSPC);
	assert_int_equal(libiommu_iova_window_destroy(client), -EBUSY);
	assert_int_equal(drop(AT + 64 * MIB2, 16 * PAGE), 0);
	assert_int_equal(libiommu_iova_window_destroy(client), 0);
	/* What is given back is found again. */
	iova = look(AT + 0x5000);
	assert_int_equal(drop(AT + 0x5000, 2 * MIB2), 0);
	assert_int_equal(must_add(AT + 0x5000, 2 * MIB2), iova);
}

static void test_window_of_another_space(void **state)
{
	const struct libiommu_iova_range range = {0x5000, 0x6fff};
	struct libiommu_iova_window *window;
	uint64_t iova;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	assert_int_equal(libiommu_iova_window_new(&range, 1, PAGE, &window), 0);
	assert_int_equal(libiommu_dma_space_register_in(space, window, ptr(AT), PAGE, RW, &iova),
	                 0);
	assert_int_equal(iova, 0x5000);
	maps_fail_nth(UAPI_IOC_IOAS_MAP, 1, -EFAULT);
	assert_int_equal(
		libiommu_dma_space_register_in(space, window, ptr(AT + PAGE), PAGE, RW, &iova),
		-EFAULT);
	assert_failure(-EFAULT, KERNEL, "libiommu_dma_space_register_in");
	/* What failed has taken nothing. */
	assert_int_equal(
		libiommu_dma_space_register_in(space, window, ptr(AT + PAGE), PAGE, RW, &iova), 0);
	assert_int_equal(iova, 0x6000);
	assert_int_equal(drop(AT, PAGE), 0);
	assert_int_equal(drop(AT + PAGE, PAGE), 0);
	assert_int_equal(libiommu_iova_window_destroy(window), 0);
}

static void test_allowed(void **state)
{
	static const struct libiommu_iova_range ranges[] = {{0x10000, 0x1ffff}, {0x30000, 0x3ffff}};
	static const struct libiommu_iova_range wrong[] = {{0x30000, 0x3ffff}, {0x10000, 0x1ffff}};
	static const struct libiommu_iova_range usable = {0x18000, 0x37fff};
	struct libiommu_dma_space_config *config;
	uint64_t iova;

	(void)state;
	maps_set_ranges(1, &usable, 1);
	assert_int_equal(libiommu_dma_space_config_new(&config), 0);
	assert_int_equal(libiommu_dma_space_config_set_policy(config, (enum libiommu_dma_policy)3),
	                 -EINVAL);
	assert_int_equal(libiommu_dma_space_config_set_split(config, 2048), -EINVAL);
	assert_int_equal(libiommu_dma_space_config_set_split(config, 3 * PAGE), -EINVAL);
	assert_int_equal(libiommu_dma_space_config_set_allowed(config, wrong, 2), -EINVAL);
	assert_int_equal(libiommu_dma_space_config_set_allowed(config, ranges, 2), 0);
	assert_int_equal(libiommu_dma_space_config_set_policy(config, LIBIOMMU_DMA_WINDOW), 0);
	assert_int_equal(libiommu_dma_space_new(ioas, config, &space), 0);
	assert_int_equal(must_add(AT, 8 * PAGE), 0x18000);
	assert_int_equal(add(AT + MIB2, 9 * PAGE, &iova), -ENOSPC);
	assert_explained("32768 bytes in 1 ranges, the longest 32768 bytes");
	assert_int_equal(must_add(AT + MIB2, 8 * PAGE), 0x30000);
	assert_int_equal(add(AT + 2 * MIB2, PAGE, &iova), -ENOSPC);
	assert_int_equal(libiommu_dma_space_destroy(space), 0);
	/* The kernel is told where it chooses. */
	assert_int_equal(libiommu_dma_space_config_set_policy(config, LIBIOMMU_DMA_KERNEL), 0);
	maps_fail_nth(UAPI_IOC_IOAS_ALLOW_IOVAS, 1, -EADDRINUSE);
	assert_int_equal(libiommu_dma_space_new(ioas, config, &space), -EADDRINUSE);
	assert_true(maps_failed());
	assert_int_equal(libiommu_dma_space_new(ioas, config, &space), 0);
	assert_int_equal(libiommu_dma_space_config_set_allowed(config, NULL, 0), 0);
	libiommu_dma_space_config_free(config);
	libiommu_dma_space_config_free(NULL);
}

static void test_split(void **state)
{
	uint64_t iova, room;

	(void)state;
	make(LIBIOMMU_DMA_WINDOW, MIB2);
	iova = must_add(AT + MIB2 / 2, 2 * MIB2);
	assert_int_equal(maps_count(1), 3);
	/* The pieces follow each other. */
	assert_int_equal(look(AT + 5 * MIB2 / 2 - 1), iova + 2 * MIB2 - 1);
	assert_int_equal(must_add(AT + MIB2, 4 * MIB2), iova + MIB2 / 2);
	assert_int_equal(maps_count(1), 3 + 1 + 2);
	expect_count(2, 9 * MIB2 / 2);
	assert_int_equal(drop(AT + MIB2, MIB2), -ENOENT);
	assert_int_equal(drop(AT + MIB2 / 2, 2 * MIB2), 0);
	assert_int_equal(look(AT + MIB2 / 2), 0);
	assert_int_equal(look(AT + MIB2), iova + MIB2 / 2);
	expect_count(1, 4 * MIB2);
	/* One piece, whole, and all of it besides. */
	must_add(AT + MIB2, MIB2);
	assert_int_equal(drop(AT + MIB2, 4 * MIB2), 0);
	expect_count(1, MIB2);
	assert_int_equal(libiommu_dma_table_translate(libiommu_dma_space_table(space),
	                                              ptr(AT + MIB2), UINT64_MAX, &iova, &room),
	                 0);
	assert_int_equal(room, MIB2);
}

/* Where no free range is as long, pieces do, and are found. */
static void test_split_in_fragments(void **state)
{
	static const struct libiommu_iova_range ranges[] = {{0x200000, 0x3fffff},
	                                                    {0x800000, 0x9fffff}};
	uint64_t iova, room;

	(void)state;
	maps_set_ranges(1, ranges, 2);
	make(LIBIOMMU_DMA_WINDOW, MIB2);
	assert_int_equal(must_add(AT, 2 * MIB2), 0x200000);
	assert_int_equal(look(AT + MIB2), 0x800000);
	assert_int_equal(libiommu_dma_table_translate(libiommu_dma_space_table(space), ptr(AT),
	                                              2 * MIB2, &iova, &room),
	                 0);
	assert_int_equal(room, MIB2);
	assert_int_equal(libiommu_dma_table_translate(libiommu_dma_space_table(space), ptr(AT),
	                                              2 * MIB2, &iova, NULL),
	                 -ERANGE);
}

static void test_mirrors(void **state)
{
	const struct maps_mapping *mapping;
	uint64_t iova, other;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	iova = must_add(AT, 4 * PAGE);
	assert_int_equal(libiommu_dma_space_mirror(space, second), 0);
	assert_int_equal(libiommu_dma_space_mirror(space, second), -EEXIST);
	assert_int_equal(libiommu_dma_space_mirror(space, ioas), -EEXIST);
	assert_int_equal(libiommu_ioas_destroy(second), -EBUSY);
	other = must_add(AT + MIB2, PAGE);
	assert_int_equal(libiommu_dma_space_mirror(space, third), 0);
	for (uint32_t id = 2; id <= 3; id++) {
		mapping = maps_find(id, iova);
		assert_non_null(mapping);
		assert_true(mapping->copied);
		assert_int_equal(mapping->memory, AT);
		assert_non_null(maps_find(id, other));
	}
	assert_int_equal(drop(AT, 4 * PAGE), 0);
	assert_null(maps_find(2, iova));
	assert_int_equal(libiommu_dma_space_unmirror(space, second), 0);
	assert_int_equal(libiommu_dma_space_unmirror(space, second), -ENOENT);
	assert_int_equal(maps_count(2), 0);
	assert_int_equal(maps_count(3), 1);
	assert_int_equal(maps_count(1), 1);
}

/* A copy that fails, the first or a later one, leaves all as it was. */
static void test_mirror_fails(void **state)
{
	uint64_t iova = 7, before;
	int memfd;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	memfd = memfd_create("x", MFD_CLOEXEC);
	assert_int_equal(ftruncate(memfd, 4096), 0);
	must_add(AT, PAGE);
	must_add(AT + MIB2, PAGE);
	assert_int_equal(libiommu_dma_space_register_file(space, memfd, 0, PAGE, NULL, RW, &before),
	                 0);
	for (unsigned int nth = 1; nth <= 3; nth++) {
		maps_fail_nth(UAPI_IOC_IOAS_COPY, nth, -ENOMEM);
		assert_int_equal(libiommu_dma_space_mirror(space, second), -ENOMEM);
		assert_true(maps_failed());
		assert_failure(-ENOMEM, KERNEL, "libiommu_dma_space_mirror");
		assert_int_equal(maps_count(2), 0);
	}
	/* What is somebody else's there stays. */
	assert_int_equal(libiommu_ioas_map_fixed(second, ptr(AT), PAGE, RW, before), 0);
	assert_int_equal(libiommu_dma_space_mirror(space, second), -EEXIST);
	assert_int_equal(maps_count(2), 1);
	assert_int_equal(libiommu_ioas_unmap(second, before, PAGE), 0);
	alloc_fail_nth(1);
	assert_int_equal(libiommu_dma_space_mirror(space, second), -ENOMEM);
	assert_true(alloc_restore());
	assert_int_equal(libiommu_dma_space_mirror(space, second), 0);
	assert_int_equal(libiommu_dma_space_mirror(space, third), 0);
	for (unsigned int nth = 1; nth <= 2; nth++) {
		maps_fail_nth(UAPI_IOC_IOAS_COPY, nth, -EINVAL);
		assert_int_equal(add(AT + 2 * MIB2, PAGE, &iova), -EINVAL);
		assert_true(maps_failed());
		assert_int_equal(iova, 7);
		for (uint32_t id = 1; id <= 3; id++)
			assert_int_equal(maps_count(id), 3);
	}
	/* The first, the second and the last address space do not let go. */
	for (unsigned int nth = 1; nth <= 3; nth++) {
		maps_fail_nth(UAPI_IOC_IOAS_UNMAP, nth, -EBUSY);
		assert_int_equal(drop(AT, PAGE), -EBUSY);
		assert_true(maps_failed());
		assert_failure(-EBUSY, KERNEL, "libiommu_dma_space_unregister");
		for (uint32_t id = 1; id <= 3; id++)
			assert_int_equal(maps_count(id), 3);
		assert_true(look(AT));
	}
	maps_fail_nth(UAPI_IOC_IOAS_UNMAP, 2, -EBUSY);
	assert_int_equal(libiommu_dma_space_unmirror(space, third), -EBUSY);
	assert_int_equal(libiommu_dma_space_unmirror(space, third), 0);
	assert_int_equal(maps_count(3), 0);
	assert_int_equal(drop(AT, PAGE), 0);
	assert_int_equal(libiommu_dma_space_unregister_iova(space, before, 2 * PAGE), -ENOENT);
	maps_fail_nth(UAPI_IOC_IOAS_UNMAP, 1, -EBUSY);
	assert_int_equal(libiommu_dma_space_unregister_iova(space, before, PAGE), -EBUSY);
	assert_int_equal(libiommu_dma_space_unregister_iova(space, before, PAGE), 0);
	maps_fail_nth(UAPI_IOC_IOAS_UNMAP, 1, -EBUSY);
	assert_int_equal(libiommu_dma_space_destroy(space), -EBUSY);
	close(memfd);
}

static void test_mirror_of_another_context(void **state)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *foreign;
	struct libiommu_ioas *abroad;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	libiommu_ctx_config_set_sys(config, ring_door());
	libiommu_ctx_config_set_fd(config, libiommu_ctx_fd(ctx), LIBIOMMU_FD_BORROW);
	assert_int_equal(libiommu_ctx_new(config, &foreign), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_ioas_adopt(foreign, 1, LIBIOMMU_ID_BORROW, &abroad), 0);
	assert_int_equal(libiommu_dma_space_mirror(space, abroad), -EINVAL);
	assert_int_equal(libiommu_ioas_destroy(abroad), 0);
	assert_int_equal(libiommu_ctx_destroy(foreign), 0);
}

/* The space's memory is not for a successor. */
static void test_not_handed_over(void **state)
{
	struct libiommu_handover *handover;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	assert_int_equal(libiommu_handover_new(ctx, &handover), -EBUSY);
	assert_explained("DMA spaces");
}

/* A copy that undoes a failed unregistration fails as well: what is left can be unregistered. */
static void test_mirror_fails_twice(void **state)
{
	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	assert_int_equal(libiommu_dma_space_mirror(space, second), 0);
	must_add(AT, PAGE);
	maps_fail_nth(UAPI_IOC_IOAS_UNMAP, 1, -EBUSY);
	assert_int_equal(drop(AT, PAGE), -EBUSY);
	assert_int_equal(maps_count(2), 1);
	assert_int_equal(libiommu_ioas_unmap_all(second, NULL), 0);
	assert_int_equal(drop(AT, PAGE), 0);
	assert_int_equal(maps_count(1), 0);
}

static void test_split_fails(void **state)
{
	uint64_t iova = 7;

	(void)state;
	make(LIBIOMMU_DMA_WINDOW, MIB2);
	assert_int_equal(libiommu_dma_space_mirror(space, second), 0);
	must_add(AT + MIB2, MIB2);
	/* Each mapping and each copy of the six pieces fails in turn. */
	for (unsigned int nth = 1; nth <= 5; nth++) {
		maps_fail_nth(nth % 2 ? UAPI_IOC_IOAS_MAP : UAPI_IOC_IOAS_COPY, nth, -EFAULT);
		assert_int_equal(add(AT, 6 * MIB2, &iova), -EFAULT);
		assert_true(maps_failed());
		assert_int_equal(maps_count(1), 1);
		assert_int_equal(maps_count(2), 1);
		expect_count(1, MIB2);
	}
	for (unsigned int nth = 1;; nth++) {
		int error;

		alloc_fail_nth(nth);
		error = add(AT, 6 * MIB2, &iova);
		if (!alloc_restore())
			break;
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(maps_count(1), 1);
		expect_count(1, MIB2);
	}
	expect_count(2, 6 * MIB2);
	/* The kernel holds on in the middle: before it all is gone; the rest can be repeated. */
	maps_fail_nth(UAPI_IOC_IOAS_UNMAP, 7, -EBUSY);
	assert_int_equal(drop(AT, 6 * MIB2), -EBUSY);
	assert_true(maps_failed());
	assert_int_equal(look(AT), 0);
	assert_true(look(AT + MIB2));
	assert_true(look(AT + 5 * MIB2));
	assert_int_equal(add(AT, 6 * MIB2, &iova), -EBUSY);
	/* Somebody else may come where it is gone. */
	must_add(AT, MIB2);
	assert_int_equal(drop(AT, 6 * MIB2), 0);
	expect_count(2, 2 * MIB2);
	assert_true(look(AT));
	assert_true(look(AT + MIB2));
	assert_int_equal(drop(AT, MIB2), 0);
	assert_int_equal(drop(AT + MIB2, MIB2), 0);
	expect_count(0, 0);
}

static void test_without_memory(void **state)
{
	struct libiommu_dma_space_config *config = NULL;
	struct libiommu_dma_space *made = NULL;
	const struct libiommu_iova_range range = {0, 0xffffff};
	unsigned int nth = 0;
	uint64_t iova = 7;
	int error;

	(void)state;
	alloc_fail_nth(1);
	assert_int_equal(libiommu_dma_space_config_new(&config), -ENOMEM);
	assert_true(alloc_restore());
	assert_int_equal(libiommu_dma_space_config_new(&config), 0);
	alloc_fail_nth(1);
	assert_int_equal(libiommu_dma_space_config_set_allowed(config, &range, 1), -ENOMEM);
	assert_true(alloc_restore());
	assert_int_equal(libiommu_dma_space_config_set_allowed(config, &range, 1), 0);
	libiommu_dma_space_config_set_policy(config, LIBIOMMU_DMA_WINDOW);
	for (;;) {
		alloc_fail_nth(++nth);
		error = libiommu_dma_space_new(ioas, config, &made);
		if (!alloc_restore())
			break;
		assert_int_equal(error, -ENOMEM);
		assert_null(made);
	}
	assert_int_equal(error, 0);
	assert_true(nth > 8);
	assert_int_equal(libiommu_dma_space_destroy(made), 0);
	made = NULL;
	nth = 0;
	for (;;) {
		door_fail_nth(++nth);
		error = libiommu_dma_space_new(ioas, config, &made);
		if (!door_failed())
			break;
		assert_int_equal(error, -EIO);
		assert_null(made);
	}
	assert_int_equal(libiommu_dma_space_destroy(made), 0);
	maps_fail_nth(UAPI_IOC_IOAS_IOVA_RANGES, 1, -ENOENT);
	assert_int_equal(libiommu_dma_space_new(ioas, config, &made), -ENOENT);
	maps_fail_nth(UAPI_IOC_IOAS_IOVA_RANGES, 2, -ENOENT);
	assert_int_equal(libiommu_dma_space_new(ioas, config, &made), -ENOENT);
	assert_true(maps_failed());
	libiommu_dma_space_config_free(config);
	make(LIBIOMMU_DMA_KERNEL, 0);
	alloc_fail_nth(1);
	assert_int_equal(add(AT, 2 * PAGE, &iova), -ENOMEM);
	assert_true(alloc_restore());
	must_add(AT, 2 * PAGE);
	alloc_fail_nth(1);
	assert_int_equal(add(AT, PAGE, &iova), -ENOMEM);
	assert_true(alloc_restore());
	/* The table has no memory for a node: what was mapped is unmapped. */
	for (nth = 1;; nth++) {
		door_fail_nth(nth);
		error = add(AT + nth * 64 * MIB2, PAGE, &iova);
		if (!door_failed())
			break;
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(maps_count(1), 1);
	}
	assert_int_equal(error, 0);
}

static void test_files(void **state)
{
	const int memfd = memfd_create("x", MFD_CLOEXEC);
	uint64_t iova, other;
	void *back;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	assert_int_equal(ftruncate(memfd, 64 * 4096), 0);
	assert_int_equal(
		libiommu_dma_space_register_file(space, memfd, PAGE, 4 * PAGE, ptr(AT), RW, &iova),
		0);
	assert_int_equal(maps_find(1, iova)->memory, PAGE);
	assert_int_equal(look(AT + 5), iova + 5);
	assert_int_equal(must_add(AT + PAGE, PAGE), iova + PAGE);
	assert_int_equal(libiommu_dma_space_register_file(space, memfd, 0, PAGE, NULL, RW, &other),
	                 0);
	assert_int_equal(libiommu_dma_table_translate_back(libiommu_dma_space_table(space), other,
	                                                   1, &back, NULL),
	                 -ENOENT);
	assert_int_equal(libiommu_dma_space_unregister_iova(space, iova, 4 * PAGE), -ENOENT);
	expect_count(3, 5 * PAGE);
	assert_int_equal(drop(AT, 4 * PAGE), 0);
	assert_int_equal(drop(AT + PAGE, PAGE), 0);
	expect_count(1, PAGE);
	close(memfd);
	assert_int_equal(libiommu_dma_space_register_file(space, memfd, 0, PAGE, NULL, RW, &other),
	                 -EBADF);
	assert_failure(-EBADF, KERNEL, "libiommu_dma_space_register_file");
}

/* A file in pieces: each from its own place. */
static void test_file_split(void **state)
{
	const int memfd = memfd_create("x", MFD_CLOEXEC);
	uint64_t iova;

	(void)state;
	make(LIBIOMMU_DMA_WINDOW, MIB2);
	assert_int_equal(ftruncate(memfd, 1 << 24), 0);
	assert_int_equal(libiommu_dma_space_register_file(space, memfd, 4 * PAGE, 2 * MIB2,
	                                                  ptr(AT + MIB2 / 2), RW, &iova),
	                 0);
	assert_int_equal(maps_count(1), 3);
	assert_int_equal(maps_find(1, iova)->memory, 4 * PAGE);
	assert_int_equal(maps_find(1, iova + MIB2 / 2)->memory, 4 * PAGE + MIB2 / 2);
	assert_int_equal(maps_find(1, iova + 3 * MIB2 / 2)->memory, 4 * PAGE + 3 * MIB2 / 2);
	close(memfd);
}

static void test_many(void **state)
{
	const struct iovec ranges[] = {
		{ptr(AT), PAGE}, {ptr(AT + MIB2), 2 * PAGE}, {ptr(AT + 2 * MIB2), PAGE}};
	uint64_t iovas[3] = {0};
	size_t done = 7;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	maps_fail_nth(UAPI_IOC_IOAS_MAP, 3, -ENOMEM);
	assert_int_equal(libiommu_dma_space_register_many(space, ranges, 3, RW, iovas), -ENOMEM);
	assert_failure(-ENOMEM, KERNEL, "libiommu_dma_space_register_many");
	expect_count(0, 0);
	assert_int_equal(libiommu_dma_space_register_many(space, ranges, 3, RW, iovas), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(look((uintptr_t)ranges[i].iov_base), iovas[i]);
	assert_int_equal(libiommu_dma_space_register_many(space, NULL, 0, RW, NULL), 0);
	maps_fail_nth(UAPI_IOC_IOAS_UNMAP, 3, -EBUSY);
	assert_int_equal(libiommu_dma_space_unregister_many(space, ranges, 3, &done), -EBUSY);
	assert_int_equal(done, 2);
	assert_int_equal(libiommu_dma_space_unregister_many(space, ranges + done, 1, &done), 0);
	assert_int_equal(done, 1);
	expect_count(0, 0);
}

/* The ranges that can be mapped change with what is attached. */
static void test_attach(void **state)
{
	static const struct libiommu_iova_range low = {0x10000, 0x1ffff}, high = {0x18000, 0xfffff};
	struct libiommu_device *dev;

	(void)state;
	make(LIBIOMMU_DMA_WINDOW, 0);
	assert_int_equal(
		libiommu_device_open_fd(ctx, libiommu_ctx_fd(ctx), LIBIOMMU_FD_BORROW, &dev), 0);
	assert_int_equal(libiommu_device_bind(dev, 1, NULL, 0), 0);
	maps_set_ranges(1, &low, 1);
	assert_int_equal(libiommu_dma_space_attach(space, dev, second), -ENOENT);
	assert_int_equal(libiommu_dma_space_attach(space, dev, NULL), 0);
	assert_int_equal(must_add(AT, PAGE), 0x10000);
	maps_set_ranges(2, &high, 1);
	/* What is taken is not usable in the mirror. */
	assert_int_equal(libiommu_dma_space_mirror(space, second), -EADDRINUSE);
	assert_int_equal(maps_count(2), 0);
	assert_int_equal(libiommu_device_detach(dev), 0);
	maps_set_ranges(1, &high, 1);
	assert_int_equal(libiommu_dma_space_attach(space, dev, ioas), -EADDRINUSE);
	assert_explained("0x10000");
	assert_int_equal(libiommu_dma_space_revalidate(space), -EADDRINUSE);
	assert_int_equal(drop(AT, PAGE), 0);
	assert_int_equal(libiommu_dma_space_revalidate(space), 0);
	assert_int_equal(libiommu_dma_space_mirror(space, second), 0);
	assert_int_equal(libiommu_dma_space_attach(space, dev, second), 0);
	assert_int_equal(must_add(AT, PAGE), 0x18000);
	assert_int_equal(libiommu_device_detach(dev), 0);
	assert_int_equal(libiommu_device_destroy(dev), 0);
}

static unsigned int told;

/* What a program may do when it is told of a failure. */
static void look_around(const char *message)
{
	uint64_t iova;

	expect_count(1, PAGE);
	assert_non_null(strstr(message, "libiommu_dma_space_"));
	if (!told++)
		assert_int_equal(add(AT + 1, PAGE, &iova), -EINVAL);
}

static void test_failures_are_told_without_the_lock(void **state)
{
	uint64_t iova;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	must_add(AT, PAGE);
	told = 0;
	door_on_log(look_around);
	maps_fail_nth(UAPI_IOC_IOAS_MAP, 1, -EFAULT);
	assert_int_equal(add(AT + MIB2, PAGE, &iova), -EFAULT);
	/* This one, and the one that was made when it was told. */
	assert_int_equal(told, 2);
	assert_int_equal(drop(AT + MIB2, PAGE), -ENOENT);
	maps_fail_nth(UAPI_IOC_IOAS_UNMAP, 1, -EBUSY);
	assert_int_equal(drop(AT, PAGE), -EBUSY);
	assert_int_equal(told, 4);
	door_on_log(NULL);
}

static void hear(const char *message)
{
	told++;
	assert_non_null(strstr(message, "EINVAL"));
}

/* What cannot be undone is not what has failed. */
static void test_the_first_failure_is_told(void **state)
{
	const struct iovec ranges[] = {{ptr(AT), PAGE}, {ptr(AT + MIB2), PAGE}};
	uint64_t iovas[2];

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	told = 0;
	door_on_log(hear);
	must_add(AT + 2 * MIB2, PAGE);
	must_add(AT + 3 * MIB2, PAGE);
	maps_fail_all(UAPI_IOC_IOAS_UNMAP, -EBUSY);
	maps_fail_nth(UAPI_IOC_IOAS_COPY, 2, -EINVAL);
	assert_int_equal(libiommu_dma_space_mirror(space, second), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_dma_space_mirror");
	maps_fail_all(0, 0);
	assert_int_equal(maps_count(2), 1);
	assert_int_equal(libiommu_ioas_unmap_all(second, NULL), 0);
	assert_int_equal(libiommu_dma_space_mirror(space, second), 0);
	assert_int_equal(libiommu_dma_space_mirror(space, third), 0);
	maps_fail_all(UAPI_IOC_IOAS_COPY, -ENOMEM);
	maps_fail_nth(UAPI_IOC_IOAS_UNMAP, 3, -EINVAL);
	assert_int_equal(drop(AT + 2 * MIB2, PAGE), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_dma_space_unregister");
	assert_int_equal(drop(AT + 3 * MIB2, PAGE), 0);
	maps_fail_all(UAPI_IOC_IOAS_UNMAP, -EBUSY);
	maps_fail_nth(UAPI_IOC_IOAS_COPY, 4, -EINVAL);
	assert_int_equal(libiommu_dma_space_register_many(space, ranges, 2, RW, iovas), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_dma_space_register_many");
	assert_int_equal(told, 3);
	door_on_log(NULL);
	maps_fail_all(0, 0);
	assert_int_equal(drop(AT, PAGE), 0);
	assert_int_equal(drop(AT + 2 * MIB2, PAGE), 0);
	assert_int_equal(maps_count(1), 1);
	assert_int_equal(maps_count(2), 1);
	assert_int_equal(libiommu_ioas_unmap_all(ioas, NULL), 0);
	assert_int_equal(libiommu_ioas_unmap_all(second, NULL), 0);
}

static void test_iova_that_cannot_be_looked_up(void **state)
{
	static const struct libiommu_iova_range far = {UINT64_C(1) << 48, UINT64_C(1) << 56};
	struct libiommu_iova_window *window;
	uint64_t iova = 7;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	maps_set_ranges(1, &far, 1);
	assert_int_equal(libiommu_iova_window_new(&far, 1, PAGE, &window), 0);
	assert_int_equal(libiommu_dma_space_register_in(space, window, ptr(AT), PAGE, RW, &iova),
	                 -ERANGE);
	assert_int_equal(maps_count(1), 0);
	assert_int_equal(libiommu_iova_window_destroy(window), 0);
}

static void test_failed_mirror_leaves_the_window(void **state)
{
	static const struct libiommu_iova_range narrow = {0x1000, 0x4fff};

	(void)state;
	make(LIBIOMMU_DMA_WINDOW, 0);
	must_add(AT, PAGE);
	maps_set_ranges(2, &narrow, 1);
	maps_fail_nth(UAPI_IOC_IOAS_COPY, 1, -ENOMEM);
	assert_int_equal(libiommu_dma_space_mirror(space, second), -ENOMEM);
	assert_failure(-ENOMEM, KERNEL, "libiommu_dma_space_mirror");
	must_add(AT + MIB2, 16 * PAGE);
}

static void test_window_of_larger_granules(void **state)
{
	static const struct libiommu_iova_range range = {0x100000, 0x1fffff};
	struct libiommu_iova_window *window;
	uint64_t iova = 7;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, PAGE);
	assert_int_equal(libiommu_iova_window_new(&range, 1, 16 * PAGE, &window), 0);
	assert_int_equal(libiommu_dma_space_register_in(space, window, ptr(AT), PAGE, RW, &iova),
	                 -EINVAL);
	assert_explained("granule is larger");
	assert_int_equal(libiommu_iova_window_destroy(window), 0);
}

static void test_split_of_less_than_a_page(void **state)
{
	uint64_t iova = 7;

	(void)state;
	maps_set_alignment(16 * PAGE);
	make(LIBIOMMU_DMA_KERNEL, PAGE);
	must_add(AT, 32 * PAGE);
	assert_int_equal(maps_count(1), 2);
	assert_int_equal(add(AT + 64 * PAGE, PAGE, &iova), -EINVAL);
}

/* Another thread of the program, which has the window too. */
static void take_next(uint64_t iova)
{
	maps_on_map(NULL);
	assert_int_equal(
		libiommu_iova_window_take_at(libiommu_dma_space_window(space), iova + MIB2, MIB2),
		0);
}

static void test_window_taken_from_meanwhile(void **state)
{
	uint64_t first;

	(void)state;
	make(LIBIOMMU_DMA_WINDOW, MIB2);
	maps_on_map(take_next);
	first = must_add(AT, 2 * MIB2);
	assert_int_equal(look(AT), first);
	assert_true(look(AT + MIB2));
	assert_int_not_equal(look(AT + MIB2), first + MIB2);
	assert_int_equal(drop(AT, 2 * MIB2), 0);
}

/* 0: what is mapped there takes no memory; 1: it does; 2: this program may not lock so much. */
static int open_locked(int fd)
{
	struct libiommu_dma_table *table;
	struct stat before, after;

	if (fstat(fd, &before) || mlockall(MCL_FUTURE) || libiommu_dma_table_open(NULL, fd, &table))
		return 2;
	return fstat(fd, &after) || after.st_blocks != before.st_blocks;
}

static void test_locked_memory(void **state)
{
	int fd, status = 0;
	pid_t child;

	(void)state;
	make(LIBIOMMU_DMA_KERNEL, 0);
	fd = libiommu_dma_table_fd(libiommu_dma_space_table(space));
	must_add(AT, PAGE);
	child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit(open_locked(fd));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2) {
		print_message("locked memory is limited to less than a table here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_child_is_told(void **state)
{
	int status = 0;
	pid_t child;

	(void)state;
	make(LIBIOMMU_DMA_WINDOW, 0);
	must_add(AT, PAGE);
	child = fork();
	if (!child) {
		const struct iovec range = {ptr(AT), PAGE};
		uint64_t a = 0, b = 0;
		size_t done = 0;
		bool ok = true;

		ok &= add(AT, PAGE, &a) == -ECHILD;
		ok &= drop(AT, PAGE) == -ECHILD;
		ok &= libiommu_dma_space_register_many(space, &range, 1, RW, &a) == -ECHILD;
		ok &= libiommu_dma_space_unregister_many(space, &range, 1, &done) == -ECHILD;
		ok &= libiommu_dma_space_unregister_iova(space, AT, PAGE) == -ECHILD;
		ok &= libiommu_dma_space_mirror(space, second) == -ECHILD;
		ok &= libiommu_dma_space_unmirror(space, second) == -ECHILD;
		ok &= libiommu_dma_space_attach(space, ptr(8), NULL) == -ECHILD;
		ok &= libiommu_dma_space_revalidate(space) == -ECHILD;
		ok &= libiommu_dma_space_registered(space, &a, &b) == -ECHILD;
		ok &= libiommu_dma_space_destroy(space) == -ECHILD;
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(drop(AT, PAGE), 0);
}

#define MODEL_PAGES 96
#define GRANULE     (8 * PAGE)
#define CLAIMS      200

struct registered {
	uint64_t page;
	uint64_t pages;
};

/* Whether a page should be mapped: something that is registered has it. */
static bool is_wanted(const struct registered *all, size_t count, uint64_t page)
{
	for (size_t i = 0; i < count; i++)
		if (page >= all[i].page && page < all[i].page + all[i].pages)
			return true;
	return false;
}

/*
 * What is registered is mapped, in each address space, to the right memory, and found; and when
 * nothing has a page of a piece any more, it is not.
 */
static void check_pages(const struct registered *all, size_t count, bool exact)
{
	for (uint64_t page = 0; page < MODEL_PAGES; page++) {
		const uint64_t address = AT + page * PAGE;
		const bool wanted = is_wanted(all, count, page);
		const uint64_t iova = look(address);

		if (wanted || exact)
			assert_int_equal(!iova, !wanted);
		for (uint32_t id = 1; iova && id <= 2; id++) {
			const struct maps_mapping *const mapping = maps_find(id, iova);

			assert_non_null(mapping);
			assert_int_equal(mapping->memory + (iova - mapping->iova), address);
		}
	}
}

static void play(enum libiommu_dma_policy policy, uint64_t split, uint32_t seed)
{
	static struct registered all[CLAIMS];
	size_t count = 0, refused = 0;

	make(policy, split);
	assert_int_equal(libiommu_dma_space_mirror(space, second), 0);
	for (int round = 0; round < 4000; round++) {
		const uint64_t page = next_random(&seed) % MODEL_PAGES;
		const uint64_t pages = 1 + next_random(&seed) % (MODEL_PAGES - page) % 20;
		uint64_t iova;

		if (next_random(&seed) % 64 == 0)
			maps_fail_nth(next_random(&seed) % 2 ? UAPI_IOC_IOAS_MAP
			                                     : UAPI_IOC_IOAS_COPY,
			              1 + next_random(&seed) % 3, -ENOMEM);
		if (count < CLAIMS && next_random(&seed) % 100 < 52) {
			if (add(AT + page * PAGE, pages * PAGE, &iova)) {
				refused++;
			} else {
				all[count++] = (struct registered){page, pages};
				assert_int_equal(look(AT + page * PAGE), iova);
			}
		} else if (count) {
			const size_t which = next_random(&seed) % count;

			assert_int_equal(drop(AT + all[which].page * PAGE, all[which].pages * PAGE),
			                 0);
			all[which] = all[--count];
		}
		/* Whole pieces stay, so that with a page as granule it is exact. */
		if (round % 8 == 0)
			check_pages(all, count, split == PAGE);
	}
	assert_true(refused > 0);
	while (count--)
		assert_int_equal(drop(AT + all[count].page * PAGE, all[count].pages * PAGE), 0);
	check_pages(all, 0, true);
	expect_count(0, 0);
	assert_int_equal(libiommu_dma_space_destroy(space), 0);
	space = NULL;
}

static void test_random(void **state)
{
	(void)state;
	play(LIBIOMMU_DMA_KERNEL, 0, 3);
	play(LIBIOMMU_DMA_WINDOW, 0, 4);
	play(LIBIOMMU_DMA_WINDOW, PAGE, 5);
	play(LIBIOMMU_DMA_IDENTITY, GRANULE, 6);
	play(LIBIOMMU_DMA_WINDOW, GRANULE, 7);
	play(LIBIOMMU_DMA_KERNEL, GRANULE, 8);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_counted),
		TEST(test_overlap_is_refused),
		TEST(test_access),
		TEST(test_wrong_arguments),
		TEST(test_identity),
		TEST(test_window),
		TEST(test_window_of_another_space),
		TEST(test_allowed),
		TEST(test_split),
		TEST(test_split_in_fragments),
		TEST(test_mirrors),
		TEST(test_mirror_fails),
		TEST(test_mirror_of_another_context),
		TEST(test_not_handed_over),
		TEST(test_mirror_fails_twice),
		TEST(test_split_fails),
		TEST(test_without_memory),
		TEST(test_files),
		TEST(test_file_split),
		TEST(test_many),
		TEST(test_attach),
		TEST(test_failures_are_told_without_the_lock),
		TEST(test_the_first_failure_is_told),
		TEST(test_iova_that_cannot_be_looked_up),
		TEST(test_failed_mirror_leaves_the_window),
		TEST(test_window_of_larger_granules),
		TEST(test_split_of_less_than_a_page),
		TEST(test_window_taken_from_meanwhile),
		TEST(test_locked_memory),
		TEST(test_child_is_told),
		TEST(test_random),
	};

	return cmocka_run_group_tests_name("dma-space", tests, NULL, NULL);
}
