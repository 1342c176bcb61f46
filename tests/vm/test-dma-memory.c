/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What a DMA space registers besides ordinary memory: files, registers of other devices, large
 * pages, and arenas of the pages and from the node that were chosen. The edu device finds them all.
 */
#include "dma-rig.h"
#include "edu.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Large pages of 2 MiB, as many as the machine has memory for. */
static bool have_large(const char *count)
{
	return !vm_write_file("/proc/sys/vm/nr_hugepages", count);
}

static uint64_t free_large(void)
{
	FILE *const file = fopen("/proc/meminfo", "r");
	unsigned long long count = 0;
	char line[128];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) && sscanf(line, "HugePages_Free: %llu", &count) != 1)
		;
	fclose(file);
	return count;
}

/* Whether so many come to be free: PowerPC's kernel unpins a little after it has answered. */
static bool come_free(uint64_t count)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	for (int i = 0; i < 1000 && free_large() != count; i++)
		nanosleep(&pause, NULL);
	return free_large() == count;
}

/* What the kernel says of a file: 0 or an error. */
static int files_error(const struct vm *vm)
{
	if (is_legacy(vm))
		return EOPNOTSUPP;
	return vm_kernel_at_least(6, 13) ? 0 : ENOTTY;
}

/* Registered by the file, in two parts, of which one has an address here. */
static void check_by_file(struct vm *vm, int fd, uint8_t *at)
{
	const int error = files_error(vm);
	uint64_t iova, nameless;

	if (error) {
		FAILS(error, libiommu_dma_space_register_file(space, fd, LARGE, LARGE, at,
		                                              VM_READ_WRITE, &iova));
		return;
	}
	OK(libiommu_dma_space_register_file(space, fd, LARGE, LARGE, at, VM_READ_WRITE, &iova));
	OK(libiommu_dma_space_register_file(space, fd, 0, MIB, NULL, VM_READ_WRITE, &nameless));
	move(vm, at + 12345, at + LARGE - BYTES);
	assert_true(edu_load(vm->regs, look(at + 12345, BYTES), BYTES));
	assert_true(edu_store(vm->regs, nameless + 64, BYTES));
	assert_memory_equal(at + 12345, at - LARGE + 64, BYTES);
	OK(libiommu_dma_space_unregister_iova(space, nameless, MIB));
	OK(libiommu_dma_space_unregister(space, at, LARGE));
}

/* By the file, and by the address of where it is mapped, as any memory. */
static void check_file(struct vm *vm, unsigned int flags)
{
	const int fd = memfd_create("buffers", MFD_CLOEXEC | flags);
	uint64_t iova;
	uint8_t *at;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 2 * LARGE), 0);
	at = mmap(NULL, 2 * LARGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(at != MAP_FAILED);
	make_space(vm, LIBIOMMU_DMA_WINDOW, 0);
	attach_edu(vm);
	check_by_file(vm, fd, at + LARGE);
	OK(libiommu_dma_space_register(space, at, 2 * LARGE, VM_READ_WRITE, &iova));
	move(vm, at + LARGE - 16, at + 2 * LARGE - BYTES);
	OK(libiommu_dma_space_unregister(space, at, 2 * LARGE));
	munmap(at, 2 * LARGE);
	close(fd);
}

static void test_file(void **state)
{
	check_file(*state, 0);
}

static void test_large_file(void **state)
{
	uint64_t free;

	if (!have_large("8") || free_large() < 2)
		SKIP("the kernel has no large pages to give away");
	free = free_large();
	check_file(*state, MFD_HUGETLB);
	assert_true(come_free(free));
	have_large("0");
}

/* The program's own large pages: the device has them for as long as they are registered. */
static void test_large_pages(void **state)
{
	struct vm *const vm = *state;
	uint64_t iova, part, free;
	uint8_t *at;

	if (!have_large("8") || free_large() < 2)
		SKIP("the kernel has no large pages to give away");
	free = free_large();
	at = mmap(NULL, 2 * LARGE, PROT_READ | PROT_WRITE,
	          MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	assert_true(at != MAP_FAILED);
	make_space(vm, LIBIOMMU_DMA_WINDOW, 0);
	attach_edu(vm);
	OK(libiommu_dma_space_register(space, at, 2 * LARGE, VM_READ_WRITE, &iova));
	assert_int_equal(iova % LARGE, 0);
	/* Nobody has written to them: the kernel took them to pin them. */
	assert_int_equal(free - free_large(), 2);
	move(vm, at, at + 2 * LARGE - BYTES);
	move(vm, at + LARGE - BYTES / 2, at + page + 12);
	OK(libiommu_dma_space_register(space, at + LARGE / 2, LARGE, VM_READ_WRITE, &part));
	assert_int_equal(part, iova + LARGE / 2);
	OK(libiommu_dma_space_unregister(space, at, 2 * LARGE));
	move(vm, at + LARGE / 2, at + LARGE);
	munmap(at, 2 * LARGE);
	assert_int_equal(free - free_large(), 2);
	OK(libiommu_dma_space_unregister(space, at + LARGE / 2, LARGE));
	assert_true(come_free(free));
	have_large("0");
}

/* The drive's registers, for the edu device, without an address in this process. */
static void test_bar(void **state)
{
	struct vm *const vm = *state;
	const struct libiommu_bar_range range = {0, page};
	struct libiommu_device *drive;
	uint8_t registers[16], *const to = new_memory(page);
	uint64_t iova, bar;
	char address[16];
	int fd;

	assert_true(vm_find_nvme(address, sizeof(address)));
	OK(libiommu_device_open_pci(vm->ctx, address, &drive));
	OK(libiommu_device_bind(drive, 2, NULL, 0));
	make_space(vm, LIBIOMMU_DMA_WINDOW, 0);
	attach_edu(vm);
	OK(libiommu_dma_space_register(space, to, page, VM_READ_WRITE, &iova));
	if (libiommu_pci_bar_export(drive, 0, &range, 1, &fd)) {
		print_message("# the kernel exports no BARs\n");
	} else {
		OK(libiommu_dma_space_register_file(space, fd, 0, page, NULL, VM_READ_WRITE, &bar));
		close(fd);
		OK(libiommu_pci_bar_read(drive, 0, 0, registers, 8));
		OK(libiommu_pci_bar_read(drive, 0, 8, registers + 8, 8));
		assert_true(edu_load(vm->regs, bar, sizeof(registers)));
		assert_true(edu_store(vm->regs, iova, sizeof(registers)));
		assert_memory_equal(to, registers, sizeof(registers));
		OK(libiommu_dma_space_unregister_iova(space, bar, page));
	}
	OK(libiommu_device_destroy(drive));
	munmap(to, page);
}

static void check_arena(struct vm *vm, uint64_t page_size)
{
	struct libiommu_dma_arena_config *config;
	struct libiommu_dma_arena *arena;
	const uint64_t free = free_large();
	void *one, *other;
	uint64_t iova, found, length;
	int err;

	OK(libiommu_dma_arena_config_new(&config));
	OK(libiommu_dma_arena_config_set_page_size(config, page_size));
	OK(libiommu_dma_arena_config_set_node(config, 0));
	err = libiommu_dma_arena_new(space, 4 * MIB, config, &arena);
	if (err == -ENOSYS) {
		OK(libiommu_dma_arena_config_set_node(config, -1));
		err = libiommu_dma_arena_new(space, 4 * MIB, config, &arena);
	}
	libiommu_dma_arena_config_free(config);
	OK(err);
	for (int i = 0; i < 1000; i++)
		OK(libiommu_dma_arena_alloc(arena, 100, 64, &one, &found));
	OK(libiommu_dma_arena_alloc(arena, page, page, &other, &iova));
	assert_int_equal(look(one, 100), found);
	move(vm, one, other);
	if (page_size) {
		OK(libiommu_dma_arena_memory(arena, &one, &length, &iova));
		assert_int_equal(iova % page_size, 0);
		assert_int_equal(free - free_large(), length / page_size);
	}
	OK(libiommu_dma_arena_destroy(arena));
	assert_true(come_free(free));
}

static void test_arena(void **state)
{
	struct vm *const vm = *state;

	make_space(vm, LIBIOMMU_DMA_WINDOW, 0);
	attach_edu(vm);
	check_arena(vm, 0);
	if (!have_large("8") || free_large() < 2)
		print_message("# the kernel has no large pages to give away\n");
	else
		check_arena(vm, LARGE);
	have_large("0");
}

/* What a NUMA machine has; 0 nodes where the kernel knows none. */
static unsigned int nodes(void)
{
	char path[64];

	for (unsigned int count = 0;; count++) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%u", count);
		if (access(path, F_OK))
			return count;
	}
}

static void choose(struct libiommu_dma_arena_config **config, int node, uint64_t page_size)
{
	OK(libiommu_dma_arena_config_new(config));
	OK(libiommu_dma_arena_config_set_node(*config, node));
	OK(libiommu_dma_arena_config_set_page_size(*config, page_size));
}

/* Whether each page is there, and on the node, by the kernel's account. */
static bool is_on(int node, uint8_t *at, size_t length)
{
	for (size_t i = 0; i < length; i += page) {
		void *const address = at + i;
		int where = -1;

		assert_int_equal(syscall(SYS_move_pages, 0, 1L, &address, NULL, &where, 0), 0);
		if (where != node)
			return false;
	}
	return true;
}

static void check_node(struct vm *vm, int node, uint64_t page_size)
{
	struct libiommu_dma_arena_config *config;
	struct libiommu_dma_arena *arena;
	uint64_t length, iova;
	void *at;

	choose(&config, node, page_size);
	OK(libiommu_dma_arena_new(space, 2 * LARGE, config, &arena));
	libiommu_dma_arena_config_free(config);
	OK(libiommu_dma_arena_memory(arena, &at, &length, &iova));
	assert_int_equal(length, 2 * LARGE);
	assert_true(is_on(node, at, length));
	move(vm, at, (uint8_t *)at + length - BYTES);
	OK(libiommu_dma_arena_destroy(arena));
}

static void refuse_node(int error, int node, uint64_t page_size)
{
	struct libiommu_dma_arena_config *config;
	struct libiommu_dma_arena *arena;

	choose(&config, node, page_size);
	FAILS(error, libiommu_dma_arena_new(space, 2 * LARGE, config, &arena));
	EXPLAINED(error == ENOSYS ? "without NUMA" : "node");
	libiommu_dma_arena_config_free(config);
}

/* Memory is from the node that was chosen, large pages too, or there is none. */
static void test_nodes(void **state)
{
	static const char *const count = "/sys/devices/system/node/node%d/hugepages/"
					 "hugepages-2048kB/nr_hugepages";
	struct vm *const vm = *state;
	const unsigned int have = nodes();
	char path[96];

	make_space(vm, LIBIOMMU_DMA_WINDOW, 0);
	attach_edu(vm);
	refuse_node(have ? EINVAL : ENOSYS, (int)have, 0);
	if (have < 2)
		SKIP("a machine of two NUMA nodes is wanted, and this has %u", have);
	for (int node = 0; node < 2; node++)
		check_node(vm, node, 0);
	for (int node = 0; node < 2; node++) {
		snprintf(path, sizeof(path), count, node);
		assert_int_equal(vm_write_file(path, "4"), 0);
		check_node(vm, node, LARGE);
		refuse_node(ENOMEM, !node, LARGE);
		assert_int_equal(vm_write_file(path, "0"), 0);
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, dma_setup, dma_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_file), TEST(test_large_file), TEST(test_large_pages),
		TEST(test_bar),  TEST(test_arena),      TEST(test_nodes),
	};

	return cmocka_run_group_tests_name("dma-memory", tests, NULL, NULL);
}
