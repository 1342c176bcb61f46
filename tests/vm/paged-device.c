/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The device of examples/fault-loop, as the kernel's test driver has it: a device that asks for
 * pages, in and around the window, and after each round looks into the page table whether those
 * that were promised are there, each with the memory that belongs there, and no others.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../examples/fault-loop/device.h"
#include "../random.h"
#include "mock.h"

enum { ROUNDS = 40, ROUND = 50 };

static struct mock *mock;
static uint32_t random_state = 0x2545f491;
static struct libiommu_device *device;
static const struct pager *pages;
static uint32_t table;
static uint64_t asked[ROUND];
static uint64_t touched, outside, wrong;
static uint8_t *is_touched;
static int rounds;

const struct libiommu_sys *device_door(void)
{
	mock = mock_new();
	/* There is nothing to do without it. */
	if (!mock)
		exit(77);
	return mock_door(mock);
}

/* Of ten, nine are in the window, and one just before or behind it. */
static uint64_t choose(void)
{
	const uint64_t offset = next_random(&random_state) % pages->size;

	if (next_random(&random_state) % 10)
		return pages->start + offset;
	return next_random(&random_state) % 2 ? pages->start - 1 - offset % pages->page
	                                      : pages->start + pages->size + offset;
}

static bool is_inside(uint64_t address)
{
	return address - pages->start < pages->size;
}

static bool is_mapped(uint64_t address)
{
	const uint64_t at = address / pages->page * pages->page;
	const uint8_t *const memory =
		is_inside(at) ? pages->memory + (at - pages->start) : pages->memory;

	return !mock_check_map(mock, device, table, at, memory, pages->page);
}

int device_begin(struct libiommu_device *dev, const struct libiommu_hwpt *hwpt,
                 const struct pager *pager)
{
	device = dev;
	pages = pager;
	libiommu_hwpt_id(hwpt, &table);
	is_touched = calloc(1, pager->size / pager->page);
	return is_touched ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The driver's page requests are in the queue when it returns: they are answered in one round. */
static void look(void)
{
	for (int i = 0; i < ROUND; i++)
		if (is_mapped(asked[i]) != is_inside(asked[i])) {
			fprintf(stderr, "%#llx is %s\n", (unsigned long long)asked[i],
			        is_inside(asked[i]) ? "not mapped" : "mapped");
			wrong++;
		}
}

bool device_goes_on(void)
{
	if (rounds)
		look();
	if (rounds++ == ROUNDS)
		return false;
	for (int i = 0; i < ROUND; i++) {
		const uint64_t offset = (asked[i] = choose()) - pages->start;

		if (is_inside(asked[i]) && !is_touched[offset / pages->page]) {
			is_touched[offset / pages->page] = 1;
			touched++;
			/* That is what the request is for. */
			wrong += is_mapped(asked[i]);
		}
		outside += !is_inside(asked[i]);
		if (mock_fault(mock, device, 0, (uint32_t)i, LIBIOMMU_FAULT_READ, asked[i]))
			wrong++;
	}
	return true;
}

int device_end(void)
{
	struct mock_answers answers;
	uint64_t mapped = 0;

	mock_get_answers(mock, &answers);
	for (uint64_t at = 0; at < pages->size; at += pages->page)
		mapped += is_mapped(pages->start + at);
	printf("%llu pages touched, %llu mapped; %d requests, %llu of them outside\n",
	       (unsigned long long)touched, (unsigned long long)mapped, ROUNDS * ROUND,
	       (unsigned long long)outside);
	free(is_touched);
	return wrong || mapped != touched || mapped != pages->mapped || outside != pages->refused ||
	                       answers.taken[LIBIOMMU_FAULT_INVALID] != outside ||
	                       answers.taken[LIBIOMMU_FAULT_SUCCESS] != ROUNDS * ROUND - outside
	               ? EXIT_FAILURE
	               : EXIT_SUCCESS;
}
