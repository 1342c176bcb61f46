/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "look.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine.h"

/* Linux 5.14; what the C library calls it may be newer. */
#define POPULATE_READ  22
#define POPULATE_WRITE 23

/* The kernel's numbers, which not every C library comes with. */
#define REQUEUE_PRIVATE (4 | 128)
#define WAKE_OP_PRIVATE (5 | 128)
#define OR_NOTHING      (2 << 28 | 0x800) /* and compare with what wakes nobody */

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

/*
 * A page that was memory once is asked in half the time whether it is there: by a call on a futex
 * that has nobody to wake, and either reads the page's first word or adds no bit to it. Of memory
 * that was never looked at this is not done, for it may be a device's.
 */
static bool is_still_there(uintptr_t page, bool write)
{
	static uint32_t nobody;
	long result;

	if (write)
		result = syscall(SYS_futex, &nobody, WAKE_OP_PRIVATE, 0, NULL, page, OR_NOTHING);
	else
		result = syscall(SYS_futex, page, REQUEUE_PRIVATE, 0, NULL, &nobody, 0);
	return result >= 0 || errno == EAGAIN;
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

	if (length != EMU_PAGE || address % EMU_PAGE)
		return emu_look_at(address, length, write);
	if ((*seen == address + 1 || (!write && *seen == address)) &&
	    is_still_there(address, write))
		return 0;
	error = emu_look_at(address, length, write);
	*seen = error ? 0 : address + write;
	return error;
}
