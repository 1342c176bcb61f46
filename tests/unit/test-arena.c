/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Arenas: memory that is registered once, and buffers of it that cost no system call. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma-model.h"

#define PAGE UINT64_C(4096)
#define MIB2 UINT64_C(0x200000)
#define RW   (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)

static struct libiommu_ctx *ctx;
static struct libiommu_ioas *ioas;
static struct libiommu_dma_space *space;

static int setup(void **state)
{
	(void)state;
	ctx = maps_ctx();
	assert_int_equal(libiommu_ioas_alloc(ctx, &ioas), 0);
	assert_int_equal(libiommu_dma_space_new(ioas, NULL, &space), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(libiommu_dma_space_destroy(space), 0);
	assert_int_equal(maps_count(1), 0);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	ring_ctx_close(ctx);
	return 0;
}

static uint64_t usage(struct libiommu_dma_arena *arena, enum libiommu_iova_usage which)
{
	uint64_t value = 77;

	assert_int_equal(libiommu_dma_arena_usage(arena, which, &value), 0);
	return value;
}

static void test_buffers(void **state)
{
	struct libiommu_dma_arena *arena;
	uint64_t length, base, iova, found;
	void *memory, *buffers[64], *large;

	(void)state;
	assert_int_equal(libiommu_dma_arena_new(space, 60000, NULL, &arena), 0);
	assert_int_equal(libiommu_dma_space_destroy(space), -EBUSY);
	assert_explained("arenas");
	assert_int_equal(libiommu_dma_arena_memory(arena, &memory, &length, &base), 0);
	assert_int_equal(length, 15 * PAGE);
	assert_int_equal(maps_count(1), 1);
	maps_calls();
	door_calls();
	for (size_t i = 0; i < 64; i++) {
		assert_int_equal(libiommu_dma_arena_alloc(arena, 65, 1, &buffers[i], &iova), 0);
		assert_int_equal((uintptr_t)buffers[i] % 64, 0);
		assert_int_equal(iova - base, (uintptr_t)buffers[i] - (uintptr_t)memory);
		memset(buffers[i], (int)i, 65);
		assert_int_equal(libiommu_dma_table_translate(libiommu_dma_space_table(space),
		                                              buffers[i], 65, &found, NULL),
		                 0);
		assert_int_equal(found, iova);
	}
	assert_int_equal(usage(arena, LIBIOMMU_IOVA_TAKEN), 64 * 128);
	assert_int_equal(usage(arena, LIBIOMMU_IOVA_TAKEN_RANGES), 64);
	assert_int_equal(libiommu_dma_arena_alloc(arena, PAGE, PAGE, &large, &iova), 0);
	assert_int_equal((uintptr_t)large % PAGE, 0);
	assert_int_equal(iova % PAGE, 0);
	for (size_t i = 0; i < 64; i++) {
		assert_int_equal(*(unsigned char *)buffers[i], i);
		assert_int_equal(libiommu_dma_arena_give(arena, buffers[i]), 0);
	}
	assert_int_equal(libiommu_dma_arena_give(arena, buffers[0]), -ENOENT);
	assert_int_equal(libiommu_dma_arena_give(arena, (char *)large + 64), -ENOENT);
	assert_int_equal(libiommu_dma_arena_alloc(arena, 65, 1, &large, &iova), 0);
	assert_ptr_equal(large, buffers[0]);
	/* All that without the kernel. */
	assert_int_equal(maps_calls(), 0);
	assert_int_equal(door_calls(), 0);
	assert_int_equal(libiommu_dma_arena_alloc(arena, 15 * PAGE, 1, &large, &iova), -ENOSPC);
	assert_int_equal(libiommu_dma_arena_alloc(arena, 0, 1, &large, &iova), -EINVAL);
	assert_int_equal(libiommu_dma_arena_alloc(arena, UINT64_MAX, 1, &large, &iova), -EINVAL);
	assert_int_equal(libiommu_dma_arena_alloc(arena, 1, 3, &large, &iova), -EINVAL);
	assert_int_equal(libiommu_dma_arena_alloc(arena, 1, 0, &large, &iova), -EINVAL);
	assert_int_equal(libiommu_dma_arena_usage(arena, (enum libiommu_iova_usage)5, &length),
	                 -EINVAL);
	assert_int_equal(libiommu_dma_arena_destroy(arena), 0);
	assert_int_equal(libiommu_dma_arena_destroy(NULL), 0);
	assert_int_equal(maps_count(1), 0);
}

static void test_over(void **state)
{
	static _Alignas(4096) unsigned char memory[4 * 4096];
	struct libiommu_dma_arena_config *config;
	struct libiommu_dma_arena *arena = NULL;
	uint64_t iova, base;
	void *buffer;

	(void)state;
	assert_int_equal(libiommu_dma_arena_new_over(space, memory, sizeof(memory), NULL, &arena),
	                 -ENOENT);
	assert_int_equal(libiommu_dma_space_register(space, memory, sizeof(memory), RW, &base), 0);
	assert_int_equal(libiommu_dma_arena_config_new(&config), 0);
	assert_int_equal(libiommu_dma_arena_config_set_granule(config, 2048), 0);
	assert_int_equal(libiommu_dma_arena_new_over(space, memory + 1, 2048, config, &arena),
	                 -EINVAL);
	assert_int_equal(libiommu_dma_arena_new_over(space, NULL, 2048, config, &arena), -EINVAL);
	alloc_fail_nth(1);
	assert_int_equal(libiommu_dma_arena_new_over(space, memory, 4096, config, &arena), -ENOMEM);
	assert_true(alloc_restore());
	/* Whole granules of what there is. */
	assert_int_equal(
		libiommu_dma_arena_new_over(space, memory + 8, sizeof(memory) - 8, config, &arena),
		0);
	libiommu_dma_arena_config_free(config);
	assert_int_equal(usage(arena, LIBIOMMU_IOVA_FREE), sizeof(memory) - 2048);
	assert_int_equal(libiommu_dma_arena_alloc(arena, 2048, 1, &buffer, &iova), 0);
	assert_ptr_equal(buffer, memory + 2048);
	assert_int_equal(iova, base + 2048);
	assert_int_equal(libiommu_dma_arena_destroy(arena), 0);
	/* The registration is the program's. */
	assert_int_equal(maps_count(1), 1);
	assert_int_equal(libiommu_dma_space_unregister(space, memory, sizeof(memory)), 0);
	assert_int_equal(libiommu_dma_arena_new_over(space, memory, sizeof(memory), NULL, &arena),
	                 -ESTALE);
}

/* Pieces whose IOVAs the kernel chooses, each somewhere else. */
static void test_in_pieces(void **state)
{
	static const struct libiommu_iova_range ranges[] = {{0x200000, 0x3fffff},
	                                                    {0x800000, 0x9fffff}};
	struct libiommu_dma_space_config *config;
	struct libiommu_dma_space *split;
	struct libiommu_dma_arena *arena;

	(void)state;
	maps_set_ranges(1, ranges, 2);
	assert_int_equal(libiommu_dma_space_config_new(&config), 0);
	libiommu_dma_space_config_set_split(config, MIB2);
	libiommu_dma_space_config_set_policy(config, LIBIOMMU_DMA_WINDOW);
	assert_int_equal(libiommu_dma_space_new(ioas, config, &split), 0);
	libiommu_dma_space_config_free(config);
	assert_int_equal(libiommu_dma_arena_new(split, 2 * MIB2, NULL, &arena), -ERANGE);
	assert_explained("do not follow");
	assert_int_equal(maps_count(1), 0);
	assert_int_equal(libiommu_dma_space_destroy(split), 0);
}

static void test_choices(void **state)
{
	struct libiommu_dma_arena_config *config = NULL;
	struct libiommu_dma_arena *arena = NULL;
	uint64_t length, iova;
	unsigned char there;
	void *memory;
	int error;

	(void)state;
	alloc_fail_nth(1);
	assert_int_equal(libiommu_dma_arena_config_new(&config), -ENOMEM);
	assert_true(alloc_restore());
	assert_int_equal(libiommu_dma_arena_config_new(&config), 0);
	assert_int_equal(libiommu_dma_arena_config_set_page_size(config, 2048), -EINVAL);
	assert_int_equal(libiommu_dma_arena_config_set_page_size(config, 3 * PAGE), -EINVAL);
	assert_int_equal(libiommu_dma_arena_config_set_node(config, -2), -EINVAL);
	assert_int_equal(libiommu_dma_arena_config_set_node(config, 1024), -EINVAL);
	assert_int_equal(libiommu_dma_arena_config_set_granule(config, 8), -EINVAL);
	assert_int_equal(libiommu_dma_arena_config_set_granule(config, 24), -EINVAL);
	assert_int_equal(libiommu_dma_arena_new(space, 0, config, &arena), -EINVAL);
	assert_int_equal(libiommu_dma_arena_new(space, UINT64_MAX, config, &arena), -EINVAL);
	assert_int_equal(libiommu_dma_arena_config_set_node(config, 1), 0);
	assert_int_equal(libiommu_dma_arena_new(space, PAGE, config, &arena), 0);
	/* The node's page is there, by a call that kernels have from 5.14 on. */
	assert_int_equal(libiommu_dma_arena_memory(arena, &memory, &length, &iova), 0);
	assert_int_equal(mincore(memory, PAGE, &there), 0);
	if (!madvise(memory, PAGE, 23))
		assert_int_equal(there & 1, 1);
	assert_int_equal(libiommu_dma_arena_destroy(arena), 0);
	assert_int_equal(libiommu_dma_arena_config_set_node(config, 7), 0);
	assert_int_equal(libiommu_dma_arena_new(space, PAGE, config, &arena), -EINVAL);
	assert_explained("no such NUMA node");
	assert_int_equal(libiommu_dma_arena_config_set_node(config, -1), 0);
	/* A page of 4096 bytes is no large one. */
	assert_int_equal(libiommu_dma_arena_config_set_page_size(config, PAGE), 0);
	assert_int_equal(libiommu_dma_arena_new(space, 1, config, &arena), 0);
	assert_int_equal(libiommu_dma_arena_destroy(arena), 0);
	/* No machine has pages of 8 TiB; one of 2 MiB may be there or not. */
	assert_int_equal(libiommu_dma_arena_config_set_page_size(config, UINT64_C(1) << 43), 0);
	if (sizeof(void *) == 8) {
		error = libiommu_dma_arena_new(space, 1, config, &arena);
		assert_true(error == -EINVAL || error == -ENOMEM);
		assert_failure(error, KERNEL, "libiommu_dma_arena_new");
	}
	libiommu_dma_arena_config_free(config);
}

/* Each call of the kernel fails in turn, and each allocation. */
static void test_failing(void **state)
{
	struct libiommu_dma_arena_config *config;
	struct libiommu_dma_arena *arena = NULL;
	unsigned int nth;
	int error;

	(void)state;
	assert_int_equal(libiommu_dma_arena_config_new(&config), 0);
	assert_int_equal(libiommu_dma_arena_config_set_node(config, 0), 0);
	for (nth = 1;; nth++) {
		const int maps = door_maps();

		door_fail_nth(nth);
		error = libiommu_dma_arena_new(space, 64 * MIB2 + nth, config, &arena);
		if (!door_failed())
			break;
		/* The table's memory is not the arena's. */
		assert_true(error == -EIO || error == -ENOMEM);
		assert_int_equal(door_maps(), maps);
		assert_int_equal(maps_count(1), 0);
	}
	assert_int_equal(error, 0);
	assert_true(nth > 3);
	maps_fail_nth(UAPI_IOC_IOAS_UNMAP, 1, -EBUSY);
	assert_int_equal(libiommu_dma_arena_destroy(arena), -EBUSY);
	assert_int_equal(libiommu_dma_arena_destroy(arena), 0);
	for (nth = 1;; nth++) {
		const int maps = door_maps();

		alloc_fail_nth(nth);
		error = libiommu_dma_arena_new(space, MIB2, NULL, &arena);
		if (!alloc_restore())
			break;
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(door_maps(), maps);
		assert_int_equal(maps_count(1), 0);
	}
	assert_int_equal(error, 0);
	assert_true(nth > 3);
	assert_int_equal(libiommu_dma_arena_destroy(arena), 0);
	maps_fail_nth(UAPI_IOC_IOAS_MAP, 1, -ENOMEM);
	assert_int_equal(libiommu_dma_arena_new(space, MIB2, NULL, &arena), -ENOMEM);
	assert_failure(-ENOMEM, KERNEL, "libiommu_dma_arena_new");
	libiommu_dma_arena_config_free(config);
}

static void test_child_is_told(void **state)
{
	struct libiommu_dma_arena *arena, *other;
	int status = 0;
	pid_t child;

	(void)state;
	assert_int_equal(libiommu_dma_arena_new(space, MIB2, NULL, &arena), 0);
	child = fork();
	if (!child) {
		uint64_t value;
		void *buffer;
		bool ok = true;

		ok &= libiommu_dma_arena_alloc(arena, 1, 1, &buffer, &value) == -ECHILD;
		ok &= libiommu_dma_arena_give(arena, &ok) == -ECHILD;
		ok &= libiommu_dma_arena_usage(arena, LIBIOMMU_IOVA_FREE, &value) == -ECHILD;
		ok &= libiommu_dma_arena_destroy(arena) == -ECHILD;
		ok &= libiommu_dma_arena_new(space, 1, NULL, &other) == -ECHILD;
		ok &= libiommu_dma_arena_new_over(space, &ok, 1, NULL, &other) == -ECHILD;
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(libiommu_dma_arena_destroy(arena), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_buffers), TEST(test_over),    TEST(test_in_pieces),
		TEST(test_choices), TEST(test_failing), TEST(test_child_is_told),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
