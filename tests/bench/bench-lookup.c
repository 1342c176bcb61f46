/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What it costs to find what is attached at a PASID, on a device with 2^20 of them and on a
 * thousand devices with as many together, over a bare array of the same population.
 *
 * usage: bench-lookup
 *        bench-lookup memory
 *        bench-lookup LOOKUPS DEVICES PASIDS FIRST
 *
 * The second checks what memory a PASID takes. The third is for bench-lookup-instructions, as the
 * instructions and loads of a lookup must not depend on how many devices and PASIDs there are:
 * vPASIDs from FIRST on, which the library moves where the devices have no such PASIDs.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libiommu.h>

#include "../../lib/base/table.h"
#include "../../lib/base/uapi/iommufd.h"
#include "../../lib/base/uapi/vfio.h"
#include "../../lib/object/slot.h"
#include "../must.h"
#include "bench.h"
#include "counting.h"
#include "door.h"

#define ALL     (UINT32_C(1) << 20)
#define FEW     (UINT32_C(1) << 19) /* PASIDs of a device that has not all */
#define LOOKUPS (UINT32_C(1) << 16) /* in a round */
#define ROUNDS  61
#define LIMIT   1.5

/* The header of a piece of memory, and what rounds it up. */
#define MALLOC_ADDS 32
/* What a device has once for all vPASIDs that are not their PASIDs, and for 4096 taken PASIDs. */
#define MOVED_ADDS 3072

static uint8_t pasid_bits = 20;

static int fake_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	static uint32_t id = 1;

	(void)user, (void)fd;
	if (request == UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD)
		((struct uapi_vfio_device_bind_iommufd *)arg)->out_devid = id++;
	if (request == UAPI_IOC_GET_HW_INFO)
		((struct uapi_hw_info *)arg)->out_max_pasid_log2 = pasid_bits;
	return 0;
}

static struct libiommu_ctx *ctx;
static struct libiommu_hwpt *hwpt;

static void make_ctx(void)
{
	ctx = bench_ctx(fake_ioctl);
	MUST(libiommu_hwpt_adopt(ctx, 0x7fffffff, LIBIOMMU_ID_BORROW, &hwpt));
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
static uint32_t next_number(uint32_t *seed, uint32_t bits)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> (32 - bits);
}

static uint64_t sum;

/* As many devices as it takes for a number of this many bits, the low ones being the PASID. */
struct population {
	const char *name;
	struct libiommu_device **devs;
	struct slot *bare; /* the same in an array */
	uint32_t pasid_bits;
	uint32_t bits;
};

static double time_library(const struct population *all)
{
	const uint32_t pasids = (UINT32_C(1) << all->pasid_bits) - 1;
	const double start = bench_now();
	uint32_t seed = 1;

	for (uint32_t i = 0; i < LOOKUPS; i++) {
		const uint32_t number = next_number(&seed, all->bits);
		struct libiommu_hwpt *found;
		uint64_t tag = 0;

		if (!libiommu_pasid_find_hwpt(all->devs[number >> all->pasid_bits], number & pasids,
		                              &found, &tag))
			sum += tag;
		seed += (uint32_t)(tag >> 40);
	}
	return (bench_now() - start) / LOOKUPS;
}

/* Not inlined: the library's is a call, too. */
__attribute__((noinline)) static int find_bare(const struct slot *slot,
                                               struct libiommu_hwpt **found, uint64_t *tag)
{
	struct slot_value value;

	if (!slot_read(slot, &value))
		return -1;
	*found = value.hwpt;
	*tag = value.tag;
	return 0;
}

static double time_bare(const struct population *all)
{
	const double start = bench_now();
	uint32_t seed = 1;

	for (uint32_t i = 0; i < LOOKUPS; i++) {
		struct libiommu_hwpt *found;
		uint64_t tag = 0;

		if (!find_bare(&all->bare[next_number(&seed, all->bits)], &found, &tag))
			sum += tag;
		seed += (uint32_t)(tag >> 40);
	}
	return (bench_now() - start) / LOOKUPS;
}

/* In turns, so that what else the machine does meets both; what counts is the ratio in a round. */
static int compare(const struct population *all)
{
	double library[ROUNDS], bare[ROUNDS], ratios[ROUNDS];
	struct bench_figure ratio;

	for (int i = 0; i < ROUNDS; i++) {
		library[i] = time_library(all);
		bare[i] = time_bare(all);
		ratios[i] = library[i] / bare[i];
	}
	ratio = bench_figure(ratios, ROUNDS);
	printf("%s: %.1f ns a lookup, %.1f ns in a bare array: %.2f times, 95 %% interval %.2f to "
	       "%.2f, at most %.2f\n",
	       all->name, bench_figure(library, ROUNDS).median, bench_figure(bare, ROUNDS).median,
	       ratio.median, ratio.low, ratio.high, LIMIT);
	return ratio.low > LIMIT;
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

/* The @nth lookup is of one of them. */
struct places {
	struct libiommu_device **devs;
	uint32_t devices;
	uint32_t first;
	uint32_t pasids; /* on each device, from the first on */
	uint32_t lookups;
};

static struct libiommu_device *device_of(const struct places *places, uint32_t nth)
{
	return places->devs[nth % places->devices];
}

static uint32_t vpasid_of(const struct places *places, uint32_t nth)
{
	return nth * 347 % places->pasids + places->first;
}

/* Calls that have a count each; what is found serves the next. */
static int count_lookups(const struct places *places)
{
	uint32_t *const pasids = calloc(places->lookups, sizeof(*pasids));
	uint32_t wrong = 0;

	if (!pasids)
		return 1;
	counting_begins();
	for (uint32_t i = 0; i < places->lookups; i++)
		wrong |= libiommu_pasid_find(device_of(places, i), vpasid_of(places, i),
		                             &pasids[i]) != 0;
	counting_ends("PASID");
	for (uint32_t i = 0; i < places->lookups; i++) {
		uint32_t vpasid = 0;

		wrong |= libiommu_pasid_find_vpasid(device_of(places, i), pasids[i], &vpasid) != 0;
		wrong |= vpasid != vpasid_of(places, i);
	}
	counting_ends("vPASID");
	for (uint32_t i = 0; i < places->lookups; i++) {
		struct libiommu_hwpt *found = NULL;
		uint64_t tag;

		wrong |= libiommu_pasid_find_hwpt(device_of(places, i), pasids[i], &found, &tag) !=
		         0;
		wrong |= found != hwpt || tag != vpasid_of(places, i) * UINT64_C(3);
	}
	counting_ends("page table");
	for (uint32_t i = 0; i < places->lookups; i++) {
		uint64_t label = ALL;
		uint32_t generation;

		wrong |= libiommu_device_label_by_id(ctx, i % places->devices + 1, &label,
		                                     &generation) != 0;
		wrong |= label != i % places->devices;
	}
	counting_ends("label");
	free(pasids);
	return (int)wrong;
}

static struct libiommu_device **make_devices(uint32_t count, uint32_t first, uint32_t pasids)
{
	struct libiommu_device **const devs = calloc(count, sizeof(struct libiommu_device *));

	for (uint32_t i = 0; devs && i < count; i++) {
		devs[i] = make_device(i);
		attach(devs[i], first, first + pasids - 1);
	}
	return devs;
}

/* One that is alone, whichever it is, takes a leaf and no more than malloc() adds to it. */
static int weigh_lone(const char *what, uint32_t vpasid, size_t limit)
{
	struct libiommu_device *const dev = make_device(vpasid);
	const size_t before = used();
	size_t lone, more;

	attach(dev, vpasid, vpasid);
	lone = used() - before;
	attach(dev, vpasid ^ 1, vpasid ^ 1);
	more = used() - before - lone;
	printf("%s, %" PRIu32 ": %zu bytes, at most %zu; one more in its leaf: %zu\n", what, vpasid,
	       lone, limit, more);
	return lone > limit || more;
}

static int weigh_dense(const char *what, uint32_t first, uint32_t count)
{
	struct libiommu_device *const dev = make_device(first);
	size_t before = used();

	attach(dev, first, first + count - 1);
	before = used() - before;
	printf("%s: %.1f bytes each, at most 64\n", what, (double)before / count);
	return before > (size_t)64 * count;
}

static int weigh(void)
{
	const size_t leaf = TABLE_LEAF * sizeof(struct slot) + MALLOC_ADDS;
	/* Besides, a leaf that says which PASID stands for it. */
	const size_t moved = leaf + TABLE_LEAF * sizeof(uint32_t) + MOVED_ADDS;
	int failed;

	if (!used()) {
		printf("skipped: this C library does not tell what is allocated\n");
		return 77;
	}
	failed = weigh_lone("the first PASID of a device", 2, leaf);
	failed |= weigh_lone("the first PASID of a device", 0x12345, leaf);
	failed |= weigh_lone("the first PASID of a device", ALL - 1, leaf);
	failed |= weigh_dense("2^20 PASIDs", 1, ALL - 1);
	pasid_bits = 19;
	failed |= weigh_lone("the first vPASID that is moved", FEW, moved);
	failed |= weigh_lone("the first vPASID that is moved", ALL - 2, moved);
	failed |= weigh_dense("2^19 vPASIDs that are moved", FEW, FEW - 1);
	return failed;
}

static struct slot *make_bare(uint32_t count)
{
	struct slot *const bare = calloc(count, sizeof(*bare));

	for (uint32_t i = 0; bare && i < count; i++)
		li_slot_set(&bare[i], &(const struct slot_value){
					      .vpasid = i, .hwpt = hwpt, .tag = i * UINT64_C(3)});
	return bare;
}

static int measure(void)
{
	struct slot *const bare = make_bare(ALL);
	const struct population one = {
		.name = "2^20 PASIDs",
		.devs = make_devices(1, 1, ALL - 1),
		.bare = bare,
		.pasid_bits = 20,
		.bits = 20,
	};
	const struct population thousand = {
		.name = "1024 devices with 1023 PASIDs each",
		.devs = make_devices(1024, 1, 1023),
		.bare = bare,
		.pasid_bits = 10,
		.bits = 20,
	};
	int failed;

	if (!bare || !one.devs || !thousand.devs)
		return 1;
	failed = compare(&one);
	failed |= compare(&thousand);
	/* Not a result: the compiler must not find out that nobody looks. */
	return failed + (sum == 1);
}

static uint32_t number(const char *text)
{
	return (uint32_t)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
	make_ctx();
	if (argc == 2 && !strcmp(argv[1], "memory"))
		return weigh();
	if (argc == 5) {
		struct places places = {
			.lookups = number(argv[1]),
			.devices = number(argv[2]),
			.pasids = number(argv[3]),
			.first = number(argv[4]),
		};

		pasid_bits = places.first < FEW ? 20 : 19;
		places.devs = make_devices(places.devices, places.first, places.pasids);
		return !places.devs || count_lookups(&places);
	}
	return measure();
}
