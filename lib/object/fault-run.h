/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A group of records that follow each other, as it is handed on. */
#ifndef LIBIOMMU_OBJECT_FAULT_RUN_H
#define LIBIOMMU_OBJECT_FAULT_RUN_H

#include <stdbool.h>
#include <stdint.h>

struct fault_run {
	uint64_t token; /* what it is answered by */
	uint32_t records;
	bool answer;   /* it must be answered; not so the end of an attachment, for one */
	bool detached; /* not with @answer: some that are out need none any more; ask which */
};

#endif
