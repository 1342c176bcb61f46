/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What a child has mapped of a file, or shares with its parent, is this process's too, and stays
 * when the child is gone. The rest is reached through a window, as long as there is a child.
 */
#include "source-child.h"

#include <errno.h>

#include "heap.h"
#include "look.h"
#include "machine.h"
#include "maps.h"
#include "source.h"

struct child_pages {
	struct emu_pages pages;
	struct emu_window window;
	bool has_window;
};

static struct child_pages *child_of(struct emu_pages *pages)
{
	return (struct child_pages *)pages;
}

static int access_child(struct emu_window *window, uint64_t offset, void *to, const void *from,
                        size_t size)
{
	struct child_pages *const child = EMU_OF(struct child_pages, window, window);
	const struct emu_task *const task = &child->pages.payer.task;
	const uintptr_t address = (uintptr_t)(child->pages.start + offset);

	return to ? emu_get(task, to, address, size) : emu_put(task, address, from, size);
}

/* What the child has mapped from an address on, one mapping after the other. */
struct survey {
	uint64_t next, last;
	bool write;
	bool shared;          /* all of it, and of one file in order */
	struct emu_home home; /* of the first byte */
	uint64_t first;
};

static bool survey_vma(void *user, const struct emu_vma *vma)
{
	struct survey *const survey = user;
	struct emu_home home = vma->home;

	if (vma->last < survey->next)
		return false;
	if (vma->start > survey->next || (survey->write ? !vma->write : !vma->read))
		return true;
	home.offset += survey->next - vma->start;
	if (survey->next == survey->first)
		survey->home = home;
	if (!vma->shared || !emu_home_is_same(&home, &survey->home) ||
	    home.offset - survey->home.offset != survey->next - survey->first)
		survey->shared = false;
	survey->next = vma->last + 1;
	return vma->last >= survey->last;
}

/* The child has all of it, and may do with it what it is mapped for. */
static bool survey_child(const struct emu_pages *pages, uint64_t first, uint64_t last,
                         struct survey *survey)
{
	const uint64_t start = pages->start + first * EMU_PAGE;

	*survey = (struct survey){.next = start,
	                          .first = start,
	                          .last = pages->start + last * EMU_PAGE + EMU_PAGE - 1,
	                          .write = pages->writable,
	                          .shared = true};
	emu_maps_search(pages->payer.task.pid, survey_vma, survey);
	return survey->next > survey->last;
}

static int open_window(struct child_pages *child)
{
	int error;

	if (!child->has_window) {
		child->window.access = access_child;
		error = emu_window_add(child->pages.emu, &child->window,
		                       child->pages.count * EMU_PAGE);
		if (error)
			return error;
		child->has_window = true;
	}
	child->pages.phys = child->window.range.start;
	return 0;
}

/* In this process, or behind a window. */
static int locate(struct emu_pages *pages)
{
	const uint64_t length = pages->count * EMU_PAGE;
	struct survey survey;
	uintptr_t here = 0;

	if (survey_child(pages, 0, pages->count - 1, &survey) && survey.shared)
		here = emu_maps_locate(&survey.home, length);
	pages->home = here ? survey.home : (struct emu_home){0};
	if (!here)
		return open_window(child_of(pages));
	pages->phys = here;
	return 0;
}

static int look(struct emu_pages *pages, uint64_t first, uint64_t last)
{
	struct survey survey;
	int error = 0;

	if (!survey_child(pages, first, last, &survey))
		return -EFAULT;
	if (!pages->pinned)
		error = locate(pages);
	if (!error && pages->phys < EMU_PHYS_WINDOW)
		error = emu_look_at((uintptr_t)pages->phys + first * EMU_PAGE,
		                    (last - first + 1) * EMU_PAGE, pages->writable);
	return error;
}

static void free_pages(struct emu_pages *pages)
{
	struct child_pages *const child = child_of(pages);

	if (child->has_window)
		emu_window_remove(pages->emu, &child->window);
	emu_release(child);
}

static const struct emu_source source = {
	.look = look,
	.free = free_pages,
};

int emu_source_child(struct libiommu_emu *emu, const struct emu_task *task, uint64_t address,
                     uint64_t length, bool writable, struct emu_pages **pages)
{
	struct child_pages *const made = emu_alloc(sizeof(*made));
	int error;

	if (!made)
		return -ENOMEM;
	error = emu_pages_begin(&made->pages, &source, emu, task, address, length, writable);
	if (error)
		emu_release(made);
	else
		*pages = &made->pages;
	return error;
}
