/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "map-call.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"
#include "memcheck.h"

int emu_map_call(struct libiommu_emu *emu, void *address, size_t length, int prot, int flags,
                 int fd, uint64_t offset, void **result)
{
	struct emu_backing backing = {.fd = fd, .offset = offset};
	const int error = emu_mmap(emu, fd, length, prot, flags, offset, &backing);
	void *mapped;
	int failed;

	if (error < 0)
		return error;
	if (backing.trapped)
		mapped = mmap(address, length, PROT_NONE, flags | MAP_ANONYMOUS, -1, 0);
	else
		mapped = mmap(address, length, prot, flags, backing.fd, (off_t)backing.offset);
	failed = mapped == MAP_FAILED ? -errno : 0;
	if (backing.given)
		close(backing.fd);
	if (failed)
		return failed;
	/* In the place of something of the machine's, it may be. */
	if (!error && flags & MAP_FIXED)
		emu_unmapped(emu, (uintptr_t)mapped, length);
	if (error > 0 && emu_mapped(emu, (uintptr_t)mapped, length, &backing)) {
		munmap(mapped, length);
		return -ENOMEM;
	}
	if (backing.trapped)
		emu_memcheck_defined((uintptr_t)mapped, length);
	*result = mapped;
	return 0;
}
