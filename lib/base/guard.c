/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "guard.h"

#include <sys/mman.h>

int li_guard_page_new(const struct libiommu_sys *sys, void **page)
{
	const size_t size = (size_t)li_sys_page_size();
	int error;

	error = li_sys_mmap(sys, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                    -1, 0, page);
	if (error)
		return error;
	error = li_sys_madvise(sys, *page, size, MADV_WIPEONFORK);
	if (error)
		li_sys_munmap(sys, *page, size);
	return error;
}

void li_guard_page_free(const struct libiommu_sys *sys, void *page)
{
	li_sys_munmap(sys, page, (size_t)li_sys_page_size());
}

int li_guard_new(const struct libiommu_sys *sys, const volatile uint32_t **guard)
{
	void *page = NULL;
	const int error = li_guard_page_new(sys, &page);

	if (error)
		return error;
	*(volatile uint32_t *)page = 1;
	*guard = page;
	return 0;
}

void li_guard_free(const struct libiommu_sys *sys, const volatile uint32_t *guard)
{
	li_guard_page_free(sys, (void *)(uintptr_t)guard);
}
