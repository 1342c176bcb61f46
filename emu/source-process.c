/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Memory of the process that the machine is in: it is where it is. */
#include <errno.h>

#include "heap.h"
#include "look.h"
#include "machine.h"
#include "mapping.h"
#include "source-child.h"
#include "source.h"

static int look(struct emu_pages *pages, uint64_t first, uint64_t last)
{
	const uintptr_t address = (uintptr_t)pages->start + first * EMU_PAGE;
	const uint64_t length = (last - first + 1) * EMU_PAGE;

	/* What a device has there is no memory to the kernel. */
	if (emu_mapping_meets(pages->emu, address, length))
		return -EFAULT;
	pages->phys = pages->start;
	return emu_look(pages->emu, address, length, pages->writable);
}

static void free_pages(struct emu_pages *pages)
{
	emu_release(pages);
}

static const struct emu_source own = {
	.look = look,
	.free = free_pages,
};

int emu_source_process(struct libiommu_emu *emu, const struct emu_task *task, uint64_t address,
                       uint64_t length, bool writable, struct emu_pages **pages)
{
	struct emu_pages *made;
	int error;

	if (address + length < address)
		return -EOVERFLOW;
	if (task->pid)
		return emu_source_child(emu, task, address, length, writable, pages);
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	error = emu_pages_begin(made, &own, emu, task, address, length, writable);
	if (error)
		emu_release(made);
	else
		*pages = made;
	return error;
}
