/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "guard.h"

#include <sys/mman.h>

int li_guard_new(const struct libiommu_sys *sys, const volatile uint32_t **guard)
{
	const size_t size = (size_t)li_sys_page_size();
	void *at = NULL;
	int error;

	error = li_sys_mmap(sys, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                    -1, 0, &at);
	if (error)
		return error;
	error = li_sys_madvise(sys, at, size, MADV_WIPEONFORK);
	if (error) {
		li_sys_munmap(sys, at, size);
		return error;
	}
	*(volatile uint32_t *)at = 1;
	*guard = at;
	return 0;
}

void li_guard_free(const struct libiommu_sys *sys, const volatile uint32_t *guard)
{
	li_sys_munmap(sys, (void *)(uintptr_t)guard, (size_t)li_sys_page_size());
}
