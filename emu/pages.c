/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "heap.h"
#include "machine.h"

/* Linux 5.14; what the C library calls it may be newer. */
#define POPULATE_READ  22
#define POPULATE_WRITE 23

static int pages_new(struct libiommu_emu *emu, const struct emu_task *task, uint64_t start,
                     uint64_t length, bool writable, struct emu_pages **pages)
{
	struct emu_pages *made;

	if (!length || length > UINT64_MAX - EMU_PAGE)
		return -EINVAL;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->emu = emu;
	made->users = 1;
	made->writable = writable;
	made->start = start & ~(EMU_PAGE - 1);
	made->count = (start % EMU_PAGE + length - 1) / EMU_PAGE + 1;
	made->payer.task = *task;
	made->payer.mode = emu_task_is_root(task) ? EMU_CHARGE_NOBODY : EMU_CHARGE_USER;
	made->next = emu->pages;
	made->link = &emu->pages;
	if (made->next)
		made->next->link = &made->next;
	emu->pages = made;
	*pages = made;
	return 0;
}

int emu_pages_of_process(struct libiommu_emu *emu, const struct emu_task *task, uint64_t address,
                         uint64_t length, bool writable, struct emu_pages **pages)
{
	int error;

	if (address + length < address)
		return -EOVERFLOW;
	error = pages_new(emu, task, address, length, writable, pages);
	if (error)
		return error;
	(*pages)->source = EMU_OF_PROCESS;
	(*pages)->phys = (*pages)->start;
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
	emu_release(pages);
}

static bool is_covered(const struct emu_pages *pages, uint64_t at, uint64_t *reach)
{
	return emu_ranges_cover(&pages->mapped, at, reach) ||
	       emu_ranges_cover(&pages->accessed, at, reach);
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

	while (is_covered(pages, first, &reach)) {
		if (reach >= last)
			return false;
		first = reach + 1;
	}
	*from = first;
	*to = next_cover(&pages->accessed, first, next_cover(&pages->mapped, first, last));
	return true;
}

/* In pages as the machine under this one has them. */
static int populate(uintptr_t address, uint64_t length, bool write)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	const uintptr_t start = address & ~page;
	int error;

	do
		error = madvise((void *)start, address + length - start,
		                write ? POPULATE_WRITE : POPULATE_READ);
	while (error && (errno == EINTR || errno == EAGAIN));
	return error ? -EFAULT : 0;
}

/* The memory is there now, and allows what it is mapped for. */
static int look_at_part(const struct emu_pages *pages, uint64_t first, uint64_t last)
{
	return populate(pages->start + first * EMU_PAGE, (last - first + 1) * EMU_PAGE,
	                pages->writable);
}

/* All that is not pinned already. */
static int look_at(const struct emu_pages *pages, uint64_t first, uint64_t last)
{
	uint64_t from, to;
	int error = 0;

	for (; !error && next_hole(pages, first, last, &from, &to); first = to + 1) {
		error = look_at_part(pages, from, to);
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

	if (pages->source == EMU_OF_DMABUF)
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
	if (pages->source == EMU_OF_DMABUF)
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

	if (direct && pages->source == EMU_OF_PROCESS)
		return emu_get(&pages->payer.task, to, pages->start + byte, length);
	error = look_at(pages, byte / EMU_PAGE, (byte + length - 1) / EMU_PAGE);
	return error ? error : emu_phys_read(pages->emu, pages->phys + byte, to, length);
}

int emu_pages_write(struct emu_pages *pages, uint64_t byte, const void *from, uint64_t length,
                    bool direct)
{
	int error;

	if (direct && pages->source == EMU_OF_PROCESS)
		return emu_put(&pages->payer.task, pages->start + byte, from, length);
	error = look_at(pages, byte / EMU_PAGE, (byte + length - 1) / EMU_PAGE);
	return error ? error : emu_phys_write(pages->emu, pages->phys + byte, from, length);
}

unsigned int emu_pins_of(struct libiommu_emu *emu, uintptr_t page)
{
	unsigned int count = 0;
	uint64_t reach;

	for (const struct emu_pages *pages = emu->pages; pages; pages = pages->next) {
		const uint64_t index = (page - pages->start) / EMU_PAGE;

		if (pages->source == EMU_OF_PROCESS && !pages->payer.task.pid &&
		    page >= pages->start && index < pages->count)
			count += is_covered(pages, index, &reach);
	}
	return count;
}
