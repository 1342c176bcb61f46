/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * As many address spaces in one context as the argument says, all of them the kernel's; a device
 * works in the last. Says what each takes of the kernel's memory and of the process's.
 */
#include "edu.h"
#include "vm.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t count = 100000;
static struct libiommu_ioas **all;

/* A figure of the kernel's about its memory, or about this process's, in KiB. */
static long figure(const char *path, const char *name)
{
	FILE *const file = fopen(path, "r");
	char line[128];
	long value = -1;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = strtol(line + strlen(name), NULL, 10);
	fclose(file);
	assert_true(value >= 0);
	return value;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Microseconds each. */
static double allocate(struct libiommu_ctx *ctx, size_t from, size_t to)
{
	const double start = seconds();

	for (size_t i = from; i < to; i++)
		OK(libiommu_ioas_alloc(ctx, &all[i]));
	return (seconds() - start) * 1e6 / (double)(to - from);
}

static double destroy(size_t from, size_t to)
{
	const double start = seconds();

	for (size_t i = from; i < to; i++)
		OK(libiommu_ioas_destroy(all[i]));
	return (seconds() - start) * 1e6 / (double)(to - from);
}

/* A device in one of so many is attached, and works, as in one of one. */
static void work_in(struct vm *vm, struct libiommu_ioas *ioas)
{
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_device_attach_ioas(vm->dev, ioas));
	OK(libiommu_ioas_map_fixed(ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	vm_map_registers(vm);
	memset(vm->memory, 0x1d, VM_PAGE);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	assert_true(edu_store(vm->regs, VM_IOVA + VM_PAGE, VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);
	OK(libiommu_bar_map_destroy(vm->bar));
	OK(libiommu_device_destroy(vm->dev));
	vm->bar = NULL;
	vm->dev = NULL;
}

static void test_many(void **state)
{
	struct vm *const vm = *state;
	const size_t tenth = count / 10;
	long available, resident;
	double first, last;
	uint32_t id, highest = 0;
	uint64_t live;

	all = calloc(count, sizeof(*all));
	assert_non_null(all);
	memset(all, 0xff, count * sizeof(*all)); /* so that it is there before the first look */
	available = figure("/proc/meminfo", "MemAvailable:");
	resident = figure("/proc/self/status", "VmRSS:");
	first = allocate(vm->ctx, 0, tenth);
	allocate(vm->ctx, tenth, count - tenth);
	last = allocate(vm->ctx, count - tenth, count);
	resident = figure("/proc/self/status", "VmRSS:") - resident;
	available -= figure("/proc/meminfo", "MemAvailable:");
	OK(libiommu_ctx_live(vm->ctx, LIBIOMMU_OBJECT_IOAS, &live));
	assert_int_equal(live, count);
	/* Distinct: the kernel gives the lowest that is free, and so the last is the highest. */
	for (size_t i = 0; i < count; i++) {
		OK(libiommu_ioas_id(all[i], &id));
		assert_true(id > highest);
		highest = id;
	}
	assert_int_equal(highest, count);
	print_message("# %zu address spaces: each %ld bytes of the process and %ld of the kernel; "
	              "%.1f us to make the first tenth, %.1f us the last\n",
	              count, resident * 1024 / (long)count,
	              (available - resident) * 1024 / (long)count, first, last);
	/* The handle, and what the C library adds to it: a small process rounds to pages. */
	assert_true(resident <= 128 * (long)count / 1024 + 256);

	work_in(vm, all[count - 1]);
	FAILS(EBUSY, libiommu_ctx_destroy(vm->ctx));
	first = destroy(0, tenth);
	destroy(tenth, count - tenth);
	last = destroy(count - tenth, count);
	OK(libiommu_ctx_live(vm->ctx, LIBIOMMU_OBJECT_IOAS, &live));
	assert_int_equal(live, 0);
	print_message("# %.1f us to destroy the first tenth, %.1f us the last\n", first, last);
	free(all);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_many, vm_setup_empty, vm_teardown),
	};

	if (argc > 1)
		count = strtoul(argv[1], NULL, 10);
	if (count < 10) {
		fprintf(stderr, "usage: vm-scale [COUNT, 10 at the least]\n");
		return 2;
	}
	return cmocka_run_group_tests_name("scale", tests, NULL, NULL);
}
