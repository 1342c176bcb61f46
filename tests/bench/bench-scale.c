/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The life of address spaces, from the first to the last, over a door that does nothing: what
 * callgrind counts of it must not depend on how many there are (bench-scale-instructions).
 *
 * usage: bench-scale COUNT
 */
#include <stdio.h>
#include <stdlib.h>

#include <libiommu.h>

#include "../../lib/base/uapi/iommufd.h"
#include "../must.h"
#include "door.h"

static int fake_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	static uint32_t id = 1;

	(void)user, (void)fd;
	if (request == UAPI_IOC_IOAS_ALLOC)
		((struct uapi_ioas_alloc *)arg)->out_ioas_id = id++;
	return 0;
}

/* What callgrind counts: all of them made, then all of them destroyed. */
void count_allocated(struct libiommu_ctx *ctx, struct libiommu_ioas **all, size_t count);
void count_adopted(struct libiommu_ctx *ctx, struct libiommu_ioas **all, size_t count);

__attribute__((noinline)) void count_allocated(struct libiommu_ctx *ctx, struct libiommu_ioas **all,
                                               size_t count)
{
	for (size_t i = 0; i < count; i++)
		MUST(libiommu_ioas_alloc(ctx, &all[i]));
	for (size_t i = 0; i < count; i++)
		MUST(libiommu_ioas_destroy(all[i]));
}

__attribute__((noinline)) void count_adopted(struct libiommu_ctx *ctx, struct libiommu_ioas **all,
                                             size_t count)
{
	for (size_t i = 0; i < count; i++)
		MUST(libiommu_ioas_adopt(ctx, (uint32_t)i + 1, LIBIOMMU_ID_BORROW, &all[i]));
	for (size_t i = 0; i < count; i++)
		MUST(libiommu_ioas_destroy(all[i]));
}

int main(int argc, char **argv)
{
	const size_t count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct libiommu_ioas **const all = calloc(count + 1, sizeof(*all));
	struct libiommu_ctx *ctx;

	if (!count || !all) {
		fprintf(stderr, "usage: bench-scale COUNT\n");
		return 2;
	}
	ctx = bench_ctx(fake_ioctl);
	count_allocated(ctx, all, count);
	count_adopted(ctx, all, count);
	MUST(libiommu_ctx_destroy(ctx));
	free(all);
	return 0;
}
