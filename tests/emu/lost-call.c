/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "lost-call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libiommu-emu.h>
#include <string.h>
#include <sys/mman.h>

enum { ROOM = 4096 };

int lost_ioctl(struct libiommu_emu *emu, int fd, unsigned long request, const void *cmd,
               size_t size)
{
	void *const page =
		mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int error;

	assert_ptr_not_equal(page, MAP_FAILED);
	memcpy(page, cmd, size);
	assert_int_equal(mprotect(page, ROOM, PROT_READ), 0);
	error = libiommu_emu_ioctl(emu, fd, request, page);
	munmap(page, ROOM);
	return error;
}
