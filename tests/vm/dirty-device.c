/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The device of examples/live-migrate, as the kernel's test driver has it: writes are told to the
 * driver, which marks their pages, and are made here. They get fewer, down to some that it never
 * stops to make, until it is stopped; some come at the last moment. What the memory is then goes to
 * the file "expected".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../examples/live-migrate/device.h"
#include "../random.h"
#include "mock-cmd.h"
#include "mock.h"

enum { PAGE = 4096, ALWAYS = 20 };

static struct mock *mock;
static uint32_t random_state = 0x2545f491;
static int iommufd;
static uint32_t table;
static uint8_t *memory;
static uint64_t iova, pages, writes;
static uint64_t *bitmap;
static uint32_t stamp;

const struct libiommu_sys *device_door(void)
{
	mock = mock_new();
	/* There is nothing to do without it. */
	if (!mock)
		exit(77);
	return mock_door(mock);
}

static bool fail(const char *what)
{
	fprintf(stderr, "dirty-device: %s\n", what);
	return false;
}

/* So many pages, anywhere. */
static bool write_pages(uint64_t count)
{
	struct mock_cmd cmd = {
		.op = MOCK_OP_DIRTY,
		.id = table,
		.u.dirty =
			{
				.iova = iova,
				.length = pages * PAGE,
				.page_size = PAGE,
				.bitmap = (uintptr_t)bitmap,
			},
	};

	memset(bitmap, 0, (pages + 63) / 64 * sizeof(*bitmap));
	for (uint64_t i = 0; i < count; i++) {
		const uint64_t page = next_random(&random_state) % pages;

		stamp++;
		memcpy(memory + page * PAGE + next_random(&random_state) % (PAGE - sizeof(stamp)),
		       &stamp, sizeof(stamp));
		bitmap[page / 64] |= UINT64_C(1) << page % 64;
	}
	return !mock_command(iommufd, &cmd) || fail("the test driver marks no pages");
}

bool device_begin(struct libiommu_device *dev, struct libiommu_hwpt *hwpt, uint8_t *at,
                  uint64_t first, uint64_t size)
{
	memory = at;
	iova = first;
	pages = size / PAGE;
	writes = pages / 2;
	iommufd = mock_iommufd(mock, dev);
	bitmap = malloc((pages + 63) / 64 * sizeof(*bitmap));
	return !libiommu_hwpt_id(hwpt, &table) && bitmap;
}

void device_work(void)
{
	if (!write_pages(writes))
		exit(EXIT_FAILURE);
	writes = writes / 3 > ALWAYS ? writes / 3 : ALWAYS;
}

bool device_stop(void)
{
	FILE *const file = fopen("expected", "we");
	bool done = file && write_pages(ALWAYS) && fwrite(memory, PAGE, pages, file) == pages;

	if (file && fclose(file))
		done = false;
	free(bitmap);
	return done || fail("no file of what is expected");
}
