/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Mapping and unmapping 2 MiB through the library against the plain ioctls, on the same address
 * space and in one run. Both are measured in pairs, in random order within a pair, so that whatever
 * else the machine does meets both alike; what counts is the ratio of each pair.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include <libiommu.h>

#include "../../lib/base/uapi/iommufd.h"
#include "bench.h"

#define LENGTH  ((size_t)2 << 20)
#define WARM_UP 50
#define PAIRS   2000
#define LIMIT   1.02
#define RW      (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)

struct bench {
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct libiommu_device *dev;
	char device[64];
	void *memory;
	uint64_t iova;
	uint32_t ioas_id;
	int fd;
};

static int explain(const char *what)
{
	char text[512];

	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "%s: %s\n", what, text);
	return 1;
}

static int with_library(const struct bench *bench)
{
	return libiommu_ioas_map_fixed(bench->ioas, bench->memory, LENGTH, RW, bench->iova) ||
	       libiommu_ioas_unmap(bench->ioas, bench->iova, LENGTH);
}

static int with_ioctls(const struct bench *bench)
{
	struct uapi_ioas_map map = {
		.size = sizeof(map),
		.flags =
			UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE | UAPI_IOAS_MAP_WRITEABLE,
		.ioas_id = bench->ioas_id,
		.user_va = (uintptr_t)bench->memory,
		.length = LENGTH,
		.iova = bench->iova,
	};
	struct uapi_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = bench->ioas_id,
		.iova = bench->iova,
		.length = LENGTH,
	};

	return ioctl(bench->fd, UAPI_IOC_IOAS_MAP, &map) ||
	       ioctl(bench->fd, UAPI_IOC_IOAS_UNMAP, &unmap) || unmap.length != LENGTH;
}

/* Nanoseconds, or below 0 for a failure. */
static double measure(const struct bench *bench, int (*call)(const struct bench *))
{
	const double start = bench_now();
	const int error = call(bench);
	const double end = bench_now();

	return error ? -1 : end - start;
}

/*
 * Attach what is named, or the first device that can be, so that a page table is filled for real.
 */
static int attach(struct bench *bench, const char *address)
{
	struct libiommu_device_list *list = NULL;
	int error;

	if (!address) {
		if (libiommu_device_list_new(NULL, &list))
			return explain("devices");
		for (size_t i = 0; !address && i < libiommu_device_list_count(list); i++)
			if (libiommu_device_list_obstacle(list, i) == LIBIOMMU_OBSTACLE_NONE)
				address = libiommu_device_list_address(list, i);
	}
	if (address)
		snprintf(bench->device, sizeof(bench->device), "%s", address);
	libiommu_device_list_free(list);
	if (!bench->device[0])
		return 0;
	error = libiommu_device_open_pci(bench->ctx, bench->device, &bench->dev);
	if (!error)
		error = libiommu_device_bind(bench->dev, 0, NULL, 0);
	if (!error)
		error = libiommu_device_attach_ioas(bench->dev, bench->ioas);
	return error ? explain(bench->device) : 0;
}

static int prepare(struct bench *bench, const char *address)
{
	if (libiommu_ioas_alloc(bench->ctx, &bench->ioas) ||
	    libiommu_ioas_id(bench->ioas, &bench->ioas_id))
		return explain("address space");
	bench->fd = libiommu_ctx_fd(bench->ctx);
	if (attach(bench, address))
		return 1;
	bench->memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
	                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (bench->memory == MAP_FAILED) {
		perror("memory");
		return 1;
	}
	/* Where the kernel finds room there is room. */
	if (libiommu_ioas_map(bench->ioas, bench->memory, LENGTH, RW, &bench->iova) ||
	    libiommu_ioas_unmap(bench->ioas, bench->iova, LENGTH))
		return explain("first map");
	return 0;
}

static int run(const struct bench *bench, double *ratios, double *plain)
{
	for (int i = -WARM_UP; i < PAIRS; i++) {
		const int first = random() & 1;
		double time[2];

		for (int turn = 0; turn < 2; turn++) {
			const int which = turn ^ first;

			time[which] = measure(bench, which ? with_library : with_ioctls);
			if (time[which] < 0)
				return which ? explain("library") : (perror("ioctl"), 1);
		}
		if (i < 0)
			continue;
		ratios[i] = time[1] / time[0];
		plain[i] = time[0];
	}
	return 0;
}

static int report(const struct bench *bench, double *ratios, double *plain)
{
	const struct bench_figure ratio = bench_figure(ratios, PAIRS);
	const struct bench_figure alone = bench_figure(plain, PAIRS);

	printf("map+unmap of 2 MiB, %s: library/ioctl %.4f, 95 %% interval %.4f to %.4f, middle "
	       "half "
	       "of the pairs %.3f to %.3f; %d pairs, ioctls alone %.1f us\n",
	       bench->device[0] ? bench->device : "no device attached", ratio.median, ratio.low,
	       ratio.high, ratios[PAIRS / 4], ratios[PAIRS * 3 / 4], PAIRS, alone.median / 1e3);
	if (ratio.low > LIMIT)
		printf("the interval lies above %.2f\n", LIMIT);
	return ratio.low > LIMIT;
}

int main(int argc, char **argv)
{
	static double ratios[PAIRS], plain[PAIRS];
	struct bench bench = {.fd = -1};
	char text[512];
	int status;

	if (argc > 2) {
		fprintf(stderr, "usage: bench-map [PCI-ADDRESS]\n");
		return 2;
	}
	if (libiommu_ctx_new(NULL, &bench.ctx)) {
		libiommu_failure_text(text, sizeof(text));
		printf("skipped: %s\n", text);
		return 77;
	}
	srandom((unsigned int)time(NULL));
	status = prepare(&bench, argc > 1 ? argv[1] : NULL);
	if (!status)
		status = run(&bench, ratios, plain);
	if (!status)
		status = report(&bench, ratios, plain);
	libiommu_device_destroy(bench.dev);
	libiommu_ioas_destroy(bench.ioas);
	libiommu_ctx_destroy(bench.ctx);
	return status;
}
