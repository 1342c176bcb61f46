/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What it costs to find what is attached at a PASID among 2^20, with a thousand devices around,
 * over a bare array of the same slots; how many instructions that takes, which must not depend on
 * how many there are (bench-lookup-instructions); and what memory a PASID takes.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libiommu.h>

#include "../../lib/base/uapi/iommufd.h"
#include "../../lib/base/uapi/vfio.h"
#include "../../lib/object/slot.h"
#include "../must.h"
#include "bench.h"

#define ALL     (UINT32_C(1) << 20)
#define DEVICES 1000
#define LOOKUPS (UINT32_C(1) << 22)
#define ROUNDS  5

static int fake_open(void *user, const char *path, int flags)
{
	(void)user, (void)path, (void)flags;
	return 100;
}

static int fake_close(void *user, int fd)
{
	(void)user, (void)fd;
	return 0;
}

static int fake_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	static uint32_t id = 1;

	(void)user, (void)fd;
	if (request == UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD)
		((struct uapi_vfio_device_bind_iommufd *)arg)->out_devid = id++;
	if (request == UAPI_IOC_GET_HW_INFO)
		((struct uapi_hw_info *)arg)->out_max_pasid_log2 = 20;
	return 0;
}

static struct libiommu_ctx *ctx;
static struct libiommu_hwpt *hwpt;

static void make_ctx(void)
{
	struct libiommu_ctx_config *config;
	struct libiommu_sys *sys;

	MUST(libiommu_sys_new(&sys));
	libiommu_sys_set_open(sys, fake_open);
	libiommu_sys_set_close(sys, fake_close);
	libiommu_sys_set_ioctl(sys, fake_ioctl);
	MUST(libiommu_ctx_config_new(&config));
	MUST(libiommu_ctx_config_set_sys(config, sys));
	MUST(libiommu_ctx_new(config, &ctx));
	MUST(libiommu_hwpt_adopt(ctx, 0x7fffffff, LIBIOMMU_ID_BORROW, &hwpt));
	libiommu_ctx_config_free(config);
	libiommu_sys_free(sys);
}

static struct libiommu_device *make_device(uint64_t label)
{
	struct libiommu_device *dev;

	MUST(libiommu_device_open_node(ctx, "x", &dev));
	MUST(libiommu_device_bind(dev, label, NULL, 0));
	return dev;
}

static void attach(struct libiommu_device *dev, uint32_t first, uint32_t last)
{
	for (uint32_t vpasid = first; vpasid <= last; vpasid++) {
		uint32_t pasid;

		MUST(libiommu_pasid_attach(dev, vpasid, hwpt, vpasid * UINT64_C(3), &pasid));
	}
}

/* The same scattered order for both, each depending on what was found before, as faults come. */
static uint32_t next_pasid(uint32_t *seed, uint32_t mask)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) & mask;
}

static uint64_t sum;

static double time_library(const struct libiommu_device *dev, uint32_t mask)
{
	const double start = bench_now();
	uint32_t seed = 1;

	for (uint32_t i = 0; i < LOOKUPS; i++) {
		struct libiommu_hwpt *found;
		uint64_t tag = 0;

		if (!libiommu_pasid_find_hwpt(dev, next_pasid(&seed, mask) | !mask, &found, &tag))
			sum += tag;
		seed += (uint32_t)(tag >> 40);
	}
	return (bench_now() - start) / LOOKUPS;
}

/* Not inlined: the library's is a call, too. */
__attribute__((noinline)) static int find_bare(const struct slot *all, uint32_t pasid,
                                               struct libiommu_hwpt **found, uint64_t *tag)
{
	struct slot_value value;

	if (!slot_read(&all[pasid], &value))
		return -1;
	*found = value.hwpt;
	*tag = value.tag;
	return 0;
}

static double time_bare(const struct slot *all, uint32_t mask)
{
	const double start = bench_now();
	uint32_t seed = 1;

	for (uint32_t i = 0; i < LOOKUPS; i++) {
		struct libiommu_hwpt *found;
		uint64_t tag = 0;

		if (!find_bare(all, next_pasid(&seed, mask) | !mask, &found, &tag))
			sum += tag;
		seed += (uint32_t)(tag >> 40);
	}
	return (bench_now() - start) / LOOKUPS;
}

/* The best of some rounds each, taken in turns: other load hits both. */
static int compare(const char *what, const struct libiommu_device *dev, const struct slot *all,
                   uint32_t mask, double limit)
{
	double library = 1e9, bare = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		const double one = time_library(dev, mask);
		const double two = time_bare(all, mask);

		library = one < library ? one : library;
		bare = two < bare ? two : bare;
	}
	printf("%s: %.1f ns a lookup, %.1f ns in a bare array: %.2f times, at most %.2f\n", what,
	       library, bare, library / bare, limit);
	return library / bare > limit;
}

/* 0 where the C library does not tell. */
static size_t used(void)
{
#if HAVE_MALLINFO2
	const struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#else
	return 0;
#endif
}

/* What callgrind counts: the same instructions whatever the population. */
void count_lookups(const struct libiommu_device *dev, uint32_t count, uint32_t population);

__attribute__((noinline)) void count_lookups(const struct libiommu_device *dev, uint32_t count,
                                             uint32_t population)
{
	for (uint32_t i = 0; i < count; i++) {
		struct libiommu_hwpt *found;
		uint64_t tag;

		if (!libiommu_pasid_find_hwpt(dev, i * 347 % population + 1, &found, &tag))
			sum += tag;
	}
}

static int measure(void)
{
	struct slot *const all = calloc(ALL, sizeof(*all));
	struct libiommu_device *alone, *dense;
	size_t before, lone, first;
	int failed;

	for (uint32_t i = 0; i < ALL; i++)
		li_slot_set(&all[i], &(const struct slot_value){
					     .vpasid = i, .hwpt = hwpt, .tag = i * UINT64_C(3)});
	alone = make_device(1);
	before = used();
	attach(alone, 1, 1);
	lone = used() - before;
	before = used();
	attach(alone, 2, 2);
	first = used() - before;
	printf("the first PASID of a device: %zu bytes; one more in its leaf: %zu\n", lone, first);
	dense = make_device(2);
	before = used();
	attach(dense, 1, ALL - 1);
	before = used() - before;
	printf("2^20 PASIDs: %.1f bytes each, at most 64\n", (double)before / (ALL - 1));
	failed = before > (size_t)64 * ALL;
	for (uint64_t i = 0; i < DEVICES; i++)
		attach(make_device(i + 3), 1, 16);
	failed |= compare("2^20 PASIDs", dense, all, ALL - 1, 1.5);
	compare("1 PASID (not limited: both are in the cache)", alone, all, 0, 99);
	/* Not a result: the compiler must not find out that nobody looks. */
	return failed + (sum == 1);
}

int main(int argc, char **argv)
{
	make_ctx();
	if (argc == 3) {
		const uint32_t population = (uint32_t)strtoul(argv[2], NULL, 10);
		struct libiommu_device *const dev = make_device(1);

		attach(dev, 1, population);
		count_lookups(dev, (uint32_t)strtoul(argv[1], NULL, 10), population);
		return 0;
	}
	return measure();
}
