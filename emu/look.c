/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "look.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine.h"
#include "memcheck.h"
#include "word.h"

/* Linux 5.14; what the C library calls it may be newer. */
#define POPULATE_READ  22
#define POPULATE_WRITE 23

/* In pages as the machine under this one has them. */
int emu_look_at(uintptr_t address, uint64_t length, bool write)
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

static uintptr_t *place_of(struct libiommu_emu *emu, uintptr_t page)
{
	const size_t count = sizeof(emu->seen.pages) / sizeof(emu->seen.pages[0]);

	return &emu->seen.pages[page / EMU_PAGE % count];
}

int emu_look(struct libiommu_emu *emu, uintptr_t address, uint64_t length, bool write)
{
	uintptr_t *const seen = place_of(emu, address);
	int error;

	if (length != EMU_PAGE || address % EMU_PAGE || emu_memcheck_watches())
		return emu_look_at(address, length, write);
	/* A page that was memory once is asked in half the time whether it still is. Of memory that
	 * was never looked at this is not done, for it may be a device's. */
	if ((*seen == address + 1 || (!write && *seen == address)) &&
	    !(write ? emu_word_or(address, 0) : emu_word_read(address)))
		return 0;
	error = emu_look_at(address, length, write);
	*seen = error ? 0 : address + write;
	return error;
}
