/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "source.h"

#include <errno.h>

#include "heap.h"
#include "machine.h"

int emu_pages_begin(struct emu_pages *pages, const struct emu_source *source,
                    struct libiommu_emu *emu, const struct emu_task *task, uint64_t start,
                    uint64_t length, bool writable)
{
	if (!length || length > UINT64_MAX - EMU_PAGE)
		return -EINVAL;
	pages->source = source;
	pages->emu = emu;
	pages->users = 1;
	pages->writable = writable;
	pages->start = start & ~(EMU_PAGE - 1);
	pages->count = (start % EMU_PAGE + length - 1) / EMU_PAGE + 1;
	pages->phys = EMU_PHYS_NONE;
	pages->payer.task = (struct emu_task){task->pid, emu_task_uid(task)};
	pages->payer.mode = emu_task_locks_freely(emu, &pages->payer.task) ? EMU_CHARGE_NOBODY
	                                                                   : EMU_CHARGE_USER;
	pages->next = emu->pages;
	pages->link = &emu->pages;
	if (pages->next)
		pages->next->link = &pages->next;
	emu->pages = pages;
	return 0;
}

void emu_pages_charge_process(struct emu_pages *pages)
{
	if (pages->payer.mode == EMU_CHARGE_USER)
		pages->payer.mode = EMU_CHARGE_PROCESS;
}

void emu_pages_use(struct emu_pages *pages)
{
	pages->users++;
}

void emu_pages_let_go(struct emu_pages *pages)
{
	if (--pages->users)
		return;
	*pages->link = pages->next;
	if (pages->next)
		pages->next->link = pages->link;
	pages->source->free(pages);
}

static bool is_covered(const struct emu_pages *pages, uint64_t at, uint64_t *reach)
{
	return emu_ranges_cover(&pages->mapped, at, reach) ||
	       emu_ranges_cover(&pages->accessed, at, reach);
}

bool emu_pages_has_pinned(const struct emu_pages *pages, uint64_t index)
{
	uint64_t reach;

	return index < pages->count && is_covered(pages, index, &reach);
}

static uint64_t next_cover(const struct emu_ranges *set, uint64_t at, uint64_t last)
{
	const struct emu_range *const above = emu_ranges_above(set, at);

	return above && above->start - 1 < last ? above->start - 1 : last;
}

/* The first pages from @first to @last that nobody covers. */
static bool next_hole(const struct emu_pages *pages, uint64_t first, uint64_t last, uint64_t *from,
                      uint64_t *to)
{
	uint64_t reach;

	*from = first;
	*to = last;
	if (!pages->mapped.root && !pages->accessed.root)
		return true;
	while (is_covered(pages, first, &reach)) {
		if (reach >= last)
			return false;
		first = reach + 1;
	}
	*from = first;
	*to = next_cover(&pages->accessed, first, next_cover(&pages->mapped, first, last));
	return true;
}

/* All that is not pinned already. */
static int look_at(struct emu_pages *pages, uint64_t first, uint64_t last)
{
	uint64_t from, to;
	int error = 0;

	for (; !error && next_hole(pages, first, last, &from, &to); first = to + 1) {
		error = pages->source->look(pages, from, to);
		if (to == last)
			break;
	}
	return error;
}

static uint64_t count_holes(const struct emu_pages *pages, uint64_t first, uint64_t last)
{
	uint64_t from, to, count = 0;

	for (; next_hole(pages, first, last, &from, &to); first = to + 1) {
		count += to - from + 1;
		if (to == last)
			break;
	}
	return count;
}

int emu_pages_pin(struct emu_pages *pages, uint64_t first, uint64_t last)
{
	const uint64_t before = pages->pinned;
	int error;

	if (pages->source->is_device)
		return 0;
	error = look_at(pages, first, last);
	if (error)
		return error;
	pages->pinned += count_holes(pages, first, last);
	if (pages->pinned > pages->charged)
		error = emu_account_add(pages->emu, &pages->payer, pages->pinned - pages->charged);
	if (error)
		pages->pinned = before;
	else
		pages->charged = pages->pinned;
	return error;
}

void emu_pages_unpin(struct emu_pages *pages, uint64_t first, uint64_t last)
{
	if (pages->source->is_device)
		return;
	pages->pinned -= count_holes(pages, first, last);
	if (pages->pinned < pages->charged &&
	    !emu_account_take(pages->emu, &pages->payer, pages->charged - pages->pinned))
		pages->charged = pages->pinned;
}

/* By a driver, as often as it says. */
struct held {
	struct emu_range range;
	unsigned int times;
};

static struct held *find_held(const struct emu_pages *pages, uint64_t first, uint64_t last)
{
	struct emu_range *const range = emu_ranges_find(&pages->accessed, first, last);

	return range ? EMU_OF(struct held, range, range) : NULL;
}

int emu_pages_hold(struct emu_pages *pages, uint64_t first, uint64_t last)
{
	struct held *held = find_held(pages, first, last);
	int error;

	if (held) {
		held->times++;
		return 0;
	}
	held = emu_alloc(sizeof(*held));
	if (!held)
		return -ENOMEM;
	error = emu_pages_pin(pages, first, last);
	if (error) {
		emu_release(held);
		return error;
	}
	held->range.start = first;
	held->range.last = last;
	held->times = 1;
	emu_ranges_add(&pages->accessed, &held->range);
	return 0;
}

void emu_pages_let_loose(struct emu_pages *pages, uint64_t first, uint64_t last)
{
	struct held *const held = find_held(pages, first, last);

	if (!held || --held->times)
		return;
	emu_ranges_remove(&pages->accessed, &held->range);
	emu_release(held);
	emu_pages_unpin(pages, first, last);
}

int emu_pages_read(struct emu_pages *pages, uint64_t byte, void *to, uint64_t length, bool direct)
{
	int error;

	if (direct)
		return emu_get(&pages->payer.task, to, pages->start + byte, length);
	error = look_at(pages, byte / EMU_PAGE, (byte + length - 1) / EMU_PAGE);
	return error ? error : emu_phys_read(pages->emu, pages->phys + byte, to, length);
}

int emu_pages_write(struct emu_pages *pages, uint64_t byte, const void *from, uint64_t length,
                    bool direct)
{
	int error;

	if (direct)
		return emu_put(&pages->payer.task, pages->start + byte, from, length);
	error = look_at(pages, byte / EMU_PAGE, (byte + length - 1) / EMU_PAGE);
	return error ? error : emu_phys_write(pages->emu, pages->phys + byte, from, length);
}
