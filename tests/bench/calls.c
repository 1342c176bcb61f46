/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What bench-instructions counts: the same map and unmap over a door that does nothing, through the
 * library and without it. Each of the four loops is a function of its own, so that callgrind can
 * collect it alone.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <libiommu.h>

#include "../../lib/base/uapi/iommufd.h"
#include "../must.h"
#include "door.h"

#define LENGTH (UINT64_C(2) << 20)
#define IOVA   (UINT64_C(1) << 30)

#ifdef __clang__
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noinline, noclone))
#endif

NOINLINE void direct_map(unsigned int count);
NOINLINE void direct_unmap(unsigned int count);
NOINLINE void library_map(unsigned int count);
NOINLINE void library_unmap(unsigned int count);

static struct libiommu_ioas *ioas;
static char memory[16];
static unsigned int failures;

NOINLINE static int door_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	(void)user, (void)fd, (void)request, (void)arg;
	/* The caller must not see that nothing happens here. */
	__asm__ volatile("" : : "r"(arg) : "memory");
	return 0;
}

/*
 * As a program without the library has it: the command filled in, the call, the result looked at.
 */
void direct_map(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct uapi_ioas_map cmd = {
			.size = sizeof(cmd),
			.flags = UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE |
		                 UAPI_IOAS_MAP_WRITEABLE,
			.ioas_id = 2,
			.user_va = (uintptr_t)memory,
			.length = LENGTH,
			.iova = IOVA,
		};

		failures += door_ioctl(NULL, 100, UAPI_IOC_IOAS_MAP, &cmd) != 0;
	}
}

void direct_unmap(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct uapi_ioas_unmap cmd = {
			.size = sizeof(cmd),
			.ioas_id = 2,
			.iova = IOVA,
			.length = LENGTH,
		};

		failures += door_ioctl(NULL, 100, UAPI_IOC_IOAS_UNMAP, &cmd) != 0;
		failures += cmd.length != LENGTH;
	}
}

void library_map(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		failures +=
			libiommu_ioas_map_fixed(ioas, memory, LENGTH,
		                                LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE, IOVA) != 0;
}

void library_unmap(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		failures += libiommu_ioas_unmap(ioas, IOVA, LENGTH) != 0;
}

int main(int argc, char **argv)
{
	const unsigned int count = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 1000;
	struct libiommu_ctx *ctx;

	ctx = bench_ctx(door_ioctl);
	MUST(libiommu_ioas_adopt(ctx, 2, LIBIOMMU_ID_BORROW, &ioas));
	direct_map(count);
	direct_unmap(count);
	library_map(count);
	library_unmap(count);
	libiommu_ioas_destroy(ioas);
	libiommu_ctx_destroy(ctx);
	if (failures)
		fprintf(stderr, "%u calls failed\n", failures);
	return failures != 0;
}
