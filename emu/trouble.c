/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "trouble.h"

#include <errno.h>
#include <stdbool.h>

#include "heap.h"
#include "machine.h"

#define ALL_CALLS  ((LIBIOMMU_EMU_MMAP << 1) - 1)
#define ERRORS     8U
#define LAST_ERRNO 4095

struct libiommu_emu_trouble {
	struct libiommu_emu_trouble *next;
	int number; /* in the machine */
	uint32_t calls;
	bool one_request;
	unsigned long request;
	uint64_t first, count;
	uint64_t seed;
	uint32_t one_in;
	int errors[ERRORS];
	unsigned int error_count;
	uint64_t delay;
	uint32_t allocation;
	uint64_t seen, struck;
};

LIBIOMMU_API int libiommu_emu_trouble_new(struct libiommu_emu_trouble **trouble)
{
	struct libiommu_emu_trouble *made;

	if (!trouble)
		return -EINVAL;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->calls = ALL_CALLS;
	made->first = 1;
	made->one_in = 1;
	*trouble = made;
	return 0;
}

LIBIOMMU_API void libiommu_emu_trouble_free(struct libiommu_emu_trouble *trouble)
{
	emu_release(trouble);
}

LIBIOMMU_API int libiommu_emu_trouble_set_calls(struct libiommu_emu_trouble *trouble,
                                                uint32_t calls)
{
	if (!trouble || !calls || calls & ~ALL_CALLS)
		return -EINVAL;
	trouble->calls = calls;
	trouble->one_request = false;
	return 0;
}

LIBIOMMU_API int libiommu_emu_trouble_set_request(struct libiommu_emu_trouble *trouble,
                                                  unsigned long request)
{
	if (!trouble)
		return -EINVAL;
	trouble->calls = LIBIOMMU_EMU_IOCTL;
	trouble->one_request = true;
	trouble->request = request;
	return 0;
}

LIBIOMMU_API int libiommu_emu_trouble_set_at(struct libiommu_emu_trouble *trouble, uint64_t first,
                                             uint64_t count)
{
	if (!trouble || !first)
		return -EINVAL;
	trouble->first = first;
	trouble->count = count;
	return 0;
}

LIBIOMMU_API int libiommu_emu_trouble_set_chance(struct libiommu_emu_trouble *trouble,
                                                 uint64_t seed, uint32_t one_in)
{
	if (!trouble || !one_in)
		return -EINVAL;
	trouble->seed = seed;
	trouble->one_in = one_in;
	return 0;
}

LIBIOMMU_API int libiommu_emu_trouble_add_error(struct libiommu_emu_trouble *trouble, int error)
{
	if (!trouble || error < 1 || error > LAST_ERRNO)
		return -EINVAL;
	if (trouble->error_count == ERRORS)
		return -ENOSPC;
	trouble->errors[trouble->error_count++] = error;
	return 0;
}

LIBIOMMU_API int libiommu_emu_trouble_set_delay(struct libiommu_emu_trouble *trouble, uint64_t ns)
{
	if (!trouble)
		return -EINVAL;
	trouble->delay = ns;
	return 0;
}

LIBIOMMU_API int libiommu_emu_trouble_set_allocation(struct libiommu_emu_trouble *trouble,
                                                     uint32_t nth)
{
	if (!trouble)
		return -EINVAL;
	trouble->allocation = nth;
	return 0;
}

LIBIOMMU_API int libiommu_emu_add_trouble(struct libiommu_emu *emu,
                                          const struct libiommu_emu_trouble *trouble)
{
	struct libiommu_emu_trouble **link, *made;
	int number = 0;

	if (!emu || !trouble || (!trouble->error_count && !trouble->delay && !trouble->allocation))
		return -EINVAL;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	*made = *trouble;
	emu_lock(emu);
	for (link = &emu->troubles; *link; link = &(*link)->next)
		number++;
	made->number = number;
	*link = made;
	emu_unlock(emu);
	return number;
}

LIBIOMMU_API int libiommu_emu_count_trouble(struct libiommu_emu *emu, int number, uint64_t *calls,
                                            uint64_t *struck)
{
	const struct libiommu_emu_trouble *trouble;

	if (!emu)
		return -EINVAL;
	emu_lock(emu);
	trouble = emu->troubles;
	while (trouble && trouble->number != number)
		trouble = trouble->next;
	if (trouble && calls)
		*calls = trouble->seen;
	if (trouble && struck)
		*struck = trouble->struck;
	emu_unlock(emu);
	return trouble ? 0 : -ENOENT;
}

LIBIOMMU_API void libiommu_emu_end_trouble(struct libiommu_emu *emu)
{
	struct libiommu_emu_trouble *trouble;

	if (!emu)
		return;
	emu_lock(emu);
	while ((trouble = emu->troubles)) {
		emu->troubles = trouble->next;
		emu_release(trouble);
	}
	emu_unlock(emu);
}

LIBIOMMU_API void libiommu_emu_fail_allocation(uint32_t nth)
{
	emu_heap_fail(nth);
}

LIBIOMMU_API int libiommu_emu_stop_failing(void)
{
	return emu_heap_stop();
}

/* One of those numbers that look like chance: of the seed, the call's number, and what for. */
static uint64_t draw(const struct libiommu_emu_trouble *trouble, uint64_t what)
{
	uint64_t x = trouble->seed + (trouble->seen * 4 + what) * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static bool strikes(struct libiommu_emu_trouble *trouble)
{
	if (trouble->seen < trouble->first ||
	    (trouble->count && trouble->seen - trouble->first >= trouble->count))
		return false;
	return draw(trouble, 0) % trouble->one_in == 0;
}

static struct emu_strike strike_with(struct libiommu_emu_trouble *trouble)
{
	struct emu_strike strike = {.allocation = trouble->allocation, .delay = trouble->delay};

	if (trouble->error_count)
		strike.error = trouble->errors[draw(trouble, 1) % trouble->error_count];
	if (trouble->one_in > 1 && strike.delay)
		strike.delay = draw(trouble, 2) % strike.delay + 1;
	if (trouble->one_in > 1 && strike.allocation)
		strike.allocation = (uint32_t)(draw(trouble, 3) % strike.allocation) + 1;
	trouble->struck++;
	return strike;
}

struct emu_strike emu_trouble_strike(struct libiommu_emu *emu, uint32_t call, unsigned long request)
{
	struct libiommu_emu_trouble *striking = NULL;

	for (struct libiommu_emu_trouble *t = emu->troubles; t; t = t->next) {
		if (!(t->calls & call) || (t->one_request && t->request != request))
			continue;
		t->seen++;
		if (!striking && strikes(t))
			striking = t;
	}
	return striking ? strike_with(striking) : (struct emu_strike){0};
}
