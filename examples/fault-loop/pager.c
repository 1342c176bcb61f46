/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "pager.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BOTH = LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE };

/* What can be mapped at a time: a page of the processor's, or of the IOMMU's if that is larger. */
static bool find_page(struct pager *pager)
{
	struct libiommu_iova_ranges *ranges;

	if (libiommu_ioas_ranges(pager->ioas, &ranges))
		return false;
	pager->page = libiommu_iova_ranges_alignment(ranges);
	libiommu_iova_ranges_free(ranges);
	if (pager->page < (uint64_t)sysconf(_SC_PAGESIZE))
		pager->page = (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

bool pager_open(struct pager *pager, struct libiommu_ioas *ioas, uint64_t start, uint64_t size)
{
	char text[512];
	void *memory;

	*pager = (struct pager){.ioas = ioas, .start = start, .size = size};
	if (!find_page(pager)) {
		libiommu_failure_text(text, sizeof(text));
		fprintf(stderr, "fault-loop: %s\n", text);
		return false;
	}
	if (!size || start % pager->page || size % pager->page || start + size < start) {
		fprintf(stderr, "fault-loop: the window must be whole pages of %" PRIu64 " bytes\n",
		        pager->page);
		return false;
	}
	/* Costs nothing yet: the processor pages on demand too. */
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		perror("fault-loop: memory");
		return false;
	}
	pager->memory = memory;
	return true;
}

void pager_close(struct pager *pager)
{
	if (pager->memory)
		munmap(pager->memory, pager->size);
	pager->memory = NULL;
}

enum libiommu_fault_code pager_answer(struct pager *pager, const struct libiommu_record *fault)
{
	const uint64_t offset = (fault->address - pager->start) / pager->page * pager->page;
	char text[512];
	int error;

	if (fault->address - pager->start >= pager->size ||
	    fault->flags & (LIBIOMMU_RECORD_UNKNOWN | LIBIOMMU_RECORD_PASID)) {
		pager->refused++;
		return LIBIOMMU_FAULT_INVALID;
	}
	error = libiommu_ioas_map_fixed(pager->ioas, pager->memory + offset, pager->page, BOTH,
	                                pager->start + offset);
	/* A device may ask twice before it is answered once. */
	if (error == -EEXIST)
		return LIBIOMMU_FAULT_SUCCESS;
	if (error) {
		libiommu_failure_text(text, sizeof(text));
		fprintf(stderr, "fault-loop: %s\n", text);
		pager->failed++;
		return LIBIOMMU_FAULT_INVALID;
	}
	pager->mapped++;
	return LIBIOMMU_FAULT_SUCCESS;
}
