/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A fault queue of the kernel's test driver and a device that asks for pages through it, for tests
 * of who reads the queue's descriptor. Each page request is a group of one, and the next page.
 */
#ifndef FEED_RIG_H
#define FEED_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/base/uapi/iommufd.h"
#include "mock.h"

#define RECORD sizeof(struct uapi_hwpt_pgfault)
#define OK(call)                                                                                   \
	do {                                                                                       \
		const int result = (call);                                                         \
		if (result)                                                                        \
			print_error("%s is %d\n", #call, result);                                  \
		assert_int_equal(result, 0);                                                       \
	} while (0)

struct feed_rig {
	struct libiommu_ctx *ctx;
	struct libiommu_device *dev;
	struct libiommu_ioas *ioas;
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *table;
	int fd; /* the queue's */
	uint64_t raised;
};

extern struct mock *mock;
extern struct feed_rig rig;

void rig_begin(void);
/* Nothing reads the queue any more. */
void rig_end(void);
/* So many page requests. */
void rig_fault(uint64_t count);
/* Is the next one after @taken others. */
void rig_check(const struct uapi_hwpt_pgfault *record, uint64_t taken);

#endif
