/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Mapping and unmapping, and registering and unregistering in a DMA space, of 4 KiB, 2 MiB and
 * 1 GiB through the library against the plain ioctls, on the same address space and in one run.
 * Both are measured in pairs, in random order within a pair, so that whatever else the machine does
 * meets both alike; what counts is the ratio of each pair.
 *
 * usage: bench-map [all] [PCI-ADDRESS]
 *
 * Without "all" it is 2 MiB only, which takes seconds in an emulated machine.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <libiommu.h>

#include "../../lib/base/uapi/iommufd.h"
#include "bench.h"

#define MIB   ((size_t)1 << 20)
#define PAIRS 2000 /* at the most */
#define LIMIT 1.02
#define RW    (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)

static const struct amount {
	const char *name;
	size_t length;
	int warm_up;
	int pairs;
} amounts[] = {
	{"4 KiB", 4096, 50, 2000},
	{"2 MiB", 2 * MIB, 50, PAIRS},
	{"1 GiB", 1024 * MIB, 1, 25},
};

struct bench {
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct libiommu_dma_space *space;
	struct libiommu_device *dev;
	char device[64];
	void *memory;
	size_t length;
	uint64_t iova; /* 0: the kernel's choice */
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

static int with_map(const struct bench *bench)
{
	return libiommu_ioas_map_fixed(bench->ioas, bench->memory, bench->length, RW,
	                               bench->iova) ||
	       libiommu_ioas_unmap(bench->ioas, bench->iova, bench->length);
}

static int with_register(const struct bench *bench)
{
	uint64_t iova = 0;

	return libiommu_dma_space_register(bench->space, bench->memory, bench->length, RW, &iova) ||
	       libiommu_dma_space_unregister(bench->space, bench->memory, bench->length);
}

static int with_ioctls(const struct bench *bench)
{
	struct uapi_ioas_map map = {
		.size = sizeof(map),
		.flags = UAPI_IOAS_MAP_READABLE | UAPI_IOAS_MAP_WRITEABLE |
	                 (bench->iova ? UAPI_IOAS_MAP_FIXED_IOVA : 0),
		.ioas_id = bench->ioas_id,
		.user_va = (uintptr_t)bench->memory,
		.length = bench->length,
		.iova = bench->iova,
	};
	struct uapi_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = bench->ioas_id,
		.length = bench->length,
	};

	if (ioctl(bench->fd, UAPI_IOC_IOAS_MAP, &map))
		return 1;
	unmap.iova = map.iova;
	return ioctl(bench->fd, UAPI_IOC_IOAS_UNMAP, &unmap) || unmap.length != bench->length;
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
	return libiommu_dma_space_new(bench->ioas, NULL, &bench->space) ? explain("DMA space") : 0;
}

/* 77 where there is not as much memory. */
static int prepare_memory(struct bench *bench, const struct amount *amount)
{
	const size_t pages = amount->length / (size_t)sysconf(_SC_PAGESIZE);

	if (pages + pages / 8 > (size_t)sysconf(_SC_AVPHYS_PAGES))
		return 77;
	bench->length = amount->length;
	bench->memory = mmap(NULL, bench->length, PROT_READ | PROT_WRITE,
	                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (bench->memory == MAP_FAILED) {
		perror("memory");
		return 1;
	}
	/* Where the kernel finds room there is room. */
	if (libiommu_ioas_map(bench->ioas, bench->memory, bench->length, RW, &bench->iova) ||
	    libiommu_ioas_unmap(bench->ioas, bench->iova, bench->length))
		return explain("first map");
	return 0;
}

static int run(const struct bench *bench, const struct amount *amount,
               int (*with_library)(const struct bench *), double *ratios, double *plain)
{
	for (int i = -amount->warm_up; i < amount->pairs; i++) {
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

static int report(const struct bench *bench, const char *what, const struct amount *amount,
                  double limit, double *ratios, double *plain)
{
	const struct bench_figure ratio = bench_figure(ratios, (size_t)amount->pairs);
	const struct bench_figure alone = bench_figure(plain, (size_t)amount->pairs);

	printf("%s of %s, %s: library/ioctl %.4f, 95 %% interval %.4f to %.4f, middle half of the "
	       "pairs %.3f to %.3f; %d pairs, ioctls alone %.1f us\n",
	       what, amount->name, bench->device[0] ? bench->device : "no device attached",
	       ratio.median, ratio.low, ratio.high, ratios[amount->pairs / 4],
	       ratios[amount->pairs * 3 / 4], amount->pairs, alone.median / 1e3);
	if (limit <= 0 || ratio.low <= limit)
		return 0;
	printf("the interval lies above %.2f\n", limit);
	return 1;
}

static int compare(struct bench *bench, const struct amount *amount)
{
	static double ratios[PAIRS], plain[PAIRS];
	int status = prepare_memory(bench, amount);

	if (status) {
		if (status == 77)
			printf("%s: not enough memory\n", amount->name);
		return status == 77 ? 0 : status;
	}
	status = run(bench, amount, with_map, ratios, plain);
	if (!status)
		status = report(bench, "map+unmap", amount, amount->length == 2 * MIB ? LIMIT : 0,
		                ratios, plain);
	bench->iova = 0;
	if (!status)
		status = run(bench, amount, with_register, ratios, plain);
	if (!status)
		status = report(bench, "register+unregister", amount, 0, ratios, plain);
	munmap(bench->memory, bench->length);
	return status;
}

int main(int argc, char **argv)
{
	const bool all = argc > 1 && !strcmp(argv[1], "all");
	struct bench bench = {.fd = -1};
	char text[512];
	int status;

	if (all)
		argc--, argv++;
	if (argc > 2) {
		fprintf(stderr, "usage: bench-map [all] [PCI-ADDRESS]\n");
		return 2;
	}
	if (libiommu_ctx_new(NULL, &bench.ctx)) {
		libiommu_failure_text(text, sizeof(text));
		printf("skipped: %s\n", text);
		return 77;
	}
	srandom((unsigned int)time(NULL));
	status = prepare(&bench, argc > 1 ? argv[1] : NULL);
	for (size_t i = 0; !status && i < sizeof(amounts) / sizeof(amounts[0]); i++)
		if (all || amounts[i].length == 2 * MIB)
			status = compare(&bench, &amounts[i]);
	libiommu_dma_space_destroy(bench.space);
	libiommu_device_destroy(bench.dev);
	libiommu_ioas_destroy(bench.ioas);
	libiommu_ctx_destroy(bench.ctx);
	return status;
}
