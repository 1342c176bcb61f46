/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * DMA spaces on a real kernel: what the table says is where the edu device finds memory, in one
 * address space or in another that mirrors it, until it is unregistered.
 */
#include "dma-rig.h"
#include "edu.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void check_dma(struct vm *vm, enum libiommu_dma_policy policy)
{
	uint8_t *const one = new_memory(MIB), *const other = new_memory(MIB);
	uint64_t iova, count, bytes;
	void *back = NULL;

	make_space(vm, policy, 0);
	attach_edu(vm);
	OK(libiommu_dma_space_register(space, one, MIB, VM_READ_WRITE, &iova));
	assert_true(iova >= reach.start && iova + MIB - 1 <= reach.last);
	OK(libiommu_dma_space_register(space, other, MIB, LIBIOMMU_MAP_WRITE, &iova));
	OK(libiommu_dma_space_register(space, one + page, page, VM_READ_WRITE, &iova));
	move(vm, one + 5000, other + MIB - BYTES);
	OK(libiommu_dma_table_translate_back(libiommu_dma_space_table(space), look(other + 77, 1),
	                                     1, &back, NULL));
	assert_ptr_equal(back, other + 77);
	FAILS(EEXIST, libiommu_dma_space_register(space, one + page, MIB, VM_READ_WRITE, &iova));
	/* The part keeps the whole, for the device too. */
	OK(libiommu_dma_space_unregister(space, one, MIB));
	move(vm, one + MIB - BYTES, other);
	iova = look(one, page);
	OK(libiommu_dma_space_unregister(space, one + page, page));
	FAILS(ESTALE,
	      libiommu_dma_table_translate(libiommu_dma_space_table(space), one, 1, &iova, &bytes));
	OK(libiommu_dma_space_registered(space, &count, &bytes));
	assert_int_equal(count, 1);
	assert_int_equal(bytes, MIB);
	OK(libiommu_ctx_mapped(vm->ctx, &bytes));
	assert_int_equal(bytes, MIB);
	munmap(one, MIB);
	munmap(other, MIB);
}

static void test_kernel_chooses(void **state)
{
	check_dma(*state, LIBIOMMU_DMA_KERNEL);
}

static void test_window(void **state)
{
	check_dma(*state, LIBIOMMU_DMA_WINDOW);
}

/* What a legacy container cannot do is said when it is asked for. */
static void test_legacy(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_dma_space_config *config;
	struct libiommu_ioas *mirror;

	if (!is_legacy(vm))
		SKIP("this is of kernels without iommufd");
	OK(libiommu_dma_space_config_new(&config));
	OK(libiommu_dma_space_config_set_allowed(config, &reach, 1));
	FAILS(EOPNOTSUPP, libiommu_dma_space_new(vm->ioas, config, &space));
	EXPLAINED("this takes iommufd");
	libiommu_dma_space_config_free(config);
	make_space(vm, LIBIOMMU_DMA_WINDOW, 0);
	OK(libiommu_ioas_alloc(vm->ctx, &mirror));
	FAILS(EOPNOTSUPP, libiommu_dma_space_mirror(space, mirror));
	EXPLAINED("this takes iommufd");
	OK(libiommu_ioas_destroy(mirror));
}

/* At the address itself, where the device can reach that. */
static void test_identity(void **state)
{
	struct vm *const vm = *state;
	uint8_t *const low = mmap((void *)0x4000000, MIB, PROT_READ | PROT_WRITE,
	                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	uint64_t iova;

	assert_ptr_equal(low, (void *)0x4000000);
	make_space(vm, LIBIOMMU_DMA_IDENTITY, 0);
	attach_edu(vm);
	OK(libiommu_dma_space_register(space, low, MIB, VM_READ_WRITE, &iova));
	assert_int_equal(iova, 0x4000000);
	move(vm, low, low + MIB / 2);
	munmap(low, MIB);
}

/* Pages that are pinned for this process, by the kernel's count. */
static long pinned_kib(void)
{
	FILE *const file = fopen("/proc/self/status", "r");
	char line[128];
	long kib = -1;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "VmPin: %ld", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

static void test_mirror(void **state)
{
	struct vm *const vm = *state;
	uint8_t *const one = new_memory(4 * MIB), *const late = new_memory(MIB);
	struct libiommu_ioas *mirror;
	const long before = pinned_kib();
	uint64_t iova, gone;

	NEEDS_IOMMUFD(vm);
	OK(libiommu_ioas_alloc(vm->ctx, &mirror));
	make_space(vm, LIBIOMMU_DMA_WINDOW, 0);
	attach_edu(vm);
	OK(libiommu_dma_space_register(space, one, 4 * MIB, VM_READ_WRITE, &iova));
	assert_int_equal(pinned_kib() - before, 4096);
	OK(libiommu_dma_space_mirror(space, mirror));
	/* The device goes over, and finds the memory where it was. */
	OK(libiommu_device_detach(vm->dev));
	OK(libiommu_dma_space_attach(space, vm->dev, mirror));
	move(vm, one + 100, one + 3 * MIB);
	OK(libiommu_dma_space_register(space, late, MIB, VM_READ_WRITE, &iova));
	move(vm, one, late);
	/* Pinned, and charged, once. */
	assert_int_equal(pinned_kib() - before, 5120);
	gone = look(late, 1);
	OK(libiommu_dma_space_unregister(space, late, MIB));
	assert_true(is_out_of_reach(vm, gone, late));
	OK(libiommu_dma_space_unregister(space, one, 4 * MIB));
	assert_int_equal(pinned_kib(), before);
	OK(libiommu_device_detach(vm->dev));
	FAILS(EBUSY, libiommu_ioas_destroy(mirror));
	OK(libiommu_dma_space_unmirror(space, mirror));
	OK(libiommu_ioas_destroy(mirror));
	munmap(one, 4 * MIB);
	munmap(late, MIB);
}

static void test_split(void **state)
{
	struct vm *const vm = *state;
	uint8_t *const all = new_memory(12 * MIB);
	uint8_t *const at = (uint8_t *)(((uintptr_t)all + LARGE - 1) / LARGE * LARGE);
	uint64_t iova, gone;

	make_space(vm, LIBIOMMU_DMA_WINDOW, LARGE);
	attach_edu(vm);
	OK(libiommu_dma_space_register(space, at, 6 * MIB, VM_READ_WRITE, &iova));
	OK(libiommu_dma_space_register(space, at + 3 * MIB, 6 * MIB, VM_READ_WRITE, &iova));
	assert_int_equal(iova, look(at + 3 * MIB, 3 * MIB));
	move(vm, at, at + 9 * MIB - BYTES);
	/* Over the border of two pieces. */
	move(vm, at + LARGE - 8, at + 6 * MIB);
	gone = look(at, 1);
	OK(libiommu_dma_space_unregister(space, at, 6 * MIB));
	move(vm, at + 3 * MIB, at + 5 * MIB);
	/* The piece that the second one has a part of is there still, the one before it is not. */
	assert_int_equal(look(at + LARGE, 1), gone + LARGE);
	assert_true(is_out_of_reach(vm, gone, at));
	munmap(all, 12 * MIB);
}

/* What no device reaches: where interrupts are written to, or on PowerPC all behind the windows. */
static uint64_t reserved_place(const struct vm *vm)
{
	if (libiommu_ctx_backend(vm->ctx) == LIBIOMMU_BACKEND_SPAPR)
		return UINT64_C(1) << 47;
	return vm_iommu(vm->dev)->msi_first;
}

/* What an attach takes away is not handed out any more; what is in use stands in its way. */
static void test_attach(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_dma_space_config *config;
	const uint64_t place = reserved_place(vm);
	struct libiommu_iova_window *window;
	uint32_t id;

	OK(libiommu_dma_space_config_new(&config));
	OK(libiommu_dma_space_config_set_policy(config, LIBIOMMU_DMA_WINDOW));
	OK(libiommu_dma_space_new(vm->ioas, config, &space));
	libiommu_dma_space_config_free(config);
	window = libiommu_dma_space_window(space);
	OK(libiommu_iova_window_take_at(window, place, page));
	FAILS(EADDRINUSE, libiommu_dma_space_attach(space, vm->dev, NULL));
	EXPLAINED("cannot map any more");
	FAILS(ENOENT, libiommu_device_pt_id(vm->dev, &id));
	OK(libiommu_iova_window_give(window, place, page));
	attach_edu(vm);
	OK(libiommu_dma_space_revalidate(space));
	FAILS(EADDRNOTAVAIL, libiommu_iova_window_take_at(window, place, page));
	if (libiommu_ctx_backend(vm->ctx) != LIBIOMMU_BACKEND_SPAPR) {
		OK(libiommu_iova_window_take_at(window, place - page, page));
		OK(libiommu_iova_window_give(window, place - page, page));
	}
}

/* Another process looks up what this one registers, before and after it was told of the table. */
static void test_other_process(void **state)
{
	struct vm *const vm = *state;
	uint8_t *const at = new_memory(64 * page);
	int ready[2], status = -1;
	uint64_t iova;
	pid_t child;
	char byte;

	assert_int_equal(pipe(ready), 0);
	make_space(vm, LIBIOMMU_DMA_KERNEL, 0);
	OK(libiommu_dma_space_register(space, at, page, VM_READ_WRITE, &iova));
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		const struct libiommu_dma_table *const parents = libiommu_dma_space_table(space);
		const int fd = libiommu_dma_table_fd(parents);
		struct libiommu_dma_table *table;
		uint64_t found[3], room;
		bool ok;

		/* What it inherited it is told to leave alone; the table it may open. */
		ok = fd == -ECHILD &&
		     libiommu_dma_table_translate(parents, at, 1, found, &room) == -ECHILD &&
		     libiommu_dma_space_unregister(space, at, page) == -ECHILD;
		ok = ok && read(ready[0], found, sizeof(found)) == (ssize_t)sizeof(found);
		ok = ok && !libiommu_dma_table_open(NULL, (int)found[0], &table);
		ok = ok && !libiommu_dma_table_translate(table, at, 1, &room, NULL) &&
		     room == found[1];
		ok = ok &&
		     !libiommu_dma_table_translate(table, at + 5 * page + 3, 1, &room, NULL) &&
		     room == found[2] + 3;
		_exit(ok ? 0 : 1);
	} else {
		const int fd = libiommu_dma_table_fd(libiommu_dma_space_table(space));
		uint64_t message[3] = {(uint64_t)fd, iova, 0};

		OK(libiommu_dma_space_register(space, at + 5 * page, page, VM_READ_WRITE,
		                               &message[2]));
		assert_int_equal(write(ready[1], message, sizeof(message)), sizeof(message));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	munmap(at, 64 * page);
}

/* Thousands of pages, each a registration of its own, in two address spaces where that can be. */
static void test_thousands(void **state)
{
	struct vm *const vm = *state;
	/* As much as a window of 128 MiB has room for. */
	const size_t pages = page > VM_PAGE ? 400 : 4000;
	struct libiommu_ioas *mirror;
	uint8_t *const at = new_memory(pages * 2 * page);
	uint64_t *const iovas = calloc(pages, sizeof(*iovas));
	struct iovec *const ranges = calloc(pages, sizeof(*ranges));
	struct libiommu_dma_segment *const segments = calloc(pages, sizeof(*segments));
	uint64_t count, bytes;
	size_t done = 0;

	assert_true(iovas && ranges && segments);
	for (size_t i = 0; i < pages; i++)
		ranges[i] = (struct iovec){at + 2 * i * page, page};
	make_space(vm, LIBIOMMU_DMA_WINDOW, 0);
	attach_edu(vm);
	OK(libiommu_ioas_alloc(vm->ctx, &mirror));
	if (!is_legacy(vm))
		OK(libiommu_dma_space_mirror(space, mirror));
	OK(libiommu_dma_space_register_many(space, ranges, pages, VM_READ_WRITE, iovas));
	SUCCEEDS(libiommu_dma_table_gather(libiommu_dma_space_table(space), ranges, pages, segments,
	                                   pages));
	for (size_t i = 0; i < pages; i += 97)
		assert_int_equal(look(at + 2 * i * page + 9, 1), iovas[i] + 9);
	move(vm, ranges[pages / 3].iov_base, ranges[pages - 1].iov_base);
	OK(libiommu_dma_space_unregister_many(space, ranges, pages / 2, &done));
	OK(libiommu_dma_space_registered(space, &count, &bytes));
	assert_int_equal(count, pages / 2);
	move(vm, ranges[pages / 2].iov_base, ranges[pages - 1].iov_base);
	/* The rest goes with the mirror and the space. */
	if (!is_legacy(vm))
		OK(libiommu_dma_space_unmirror(space, mirror));
	OK(libiommu_ioas_destroy(mirror));
	free(iovas);
	free(ranges);
	free(segments);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, dma_setup, dma_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_kernel_chooses), TEST(test_window),        TEST(test_identity),
		TEST(test_legacy),         TEST(test_mirror),        TEST(test_split),
		TEST(test_attach),         TEST(test_other_process), TEST(test_thousands),
	};

	return cmocka_run_group_tests_name("dma-space", tests, NULL, NULL);
}
