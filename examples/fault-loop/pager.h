/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Demand paging: a window of a device's address space with memory behind it, of which nothing is
 * mapped before the device has asked for it.
 */
#ifndef PAGER_H
#define PAGER_H

#include <libiommu.h>

struct pager {
	struct libiommu_ioas *ioas;
	uint8_t *memory;
	uint64_t start; /* of the window */
	uint64_t size;
	uint64_t page;
	uint64_t mapped;  /* pages */
	uint64_t refused; /* requests for what is not in the window */
	uint64_t failed;  /* requests for what is, but cannot be mapped */
};

/* Before anything is mapped there; says why when it fails. */
bool pager_open(struct pager *pager, struct libiommu_ioas *ioas, uint64_t start, uint64_t size);
/* After the address space is gone, or the device could still reach the memory. */
void pager_close(struct pager *pager);

/* The answer to the device: its page is there now, or will never be. */
enum libiommu_fault_code pager_answer(struct pager *pager, const struct libiommu_record *fault);

#endif
