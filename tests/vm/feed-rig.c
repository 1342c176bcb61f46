/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "feed-rig.h"

#include "../../lib/object/fault-queue.h"

struct mock *mock;
struct feed_rig rig;

void rig_begin(void)
{
	rig = (struct feed_rig){.ctx = mock_ctx(mock)};
	rig.dev = mock_device(mock, rig.ctx, 1, true);
	OK(libiommu_ioas_alloc(rig.ctx, &rig.ioas));
	OK(libiommu_fault_queue_alloc(rig.ctx, &rig.queue));
	rig.table = mock_hwpt_with(rig.dev, rig.ioas, 0, rig.queue);
	OK(libiommu_device_attach_hwpt(rig.dev, rig.table));
	rig.fd = libiommu_fault_queue_fd(rig.queue);
}

void rig_end(void)
{
	li_fault_queue_state(rig.queue)->was_fed = true;
	OK(libiommu_device_destroy(rig.dev));
	OK(libiommu_hwpt_destroy(rig.table));
	OK(libiommu_fault_queue_destroy(rig.queue));
	OK(libiommu_ioas_destroy(rig.ioas));
	OK(libiommu_ctx_destroy(rig.ctx));
}

void rig_fault(uint64_t count)
{
	for (; count; count--)
		OK(mock_fault(mock, rig.dev, 0, 1, LIBIOMMU_FAULT_READ, 4096 * rig.raised++));
}

void rig_check(const struct uapi_hwpt_pgfault *record, uint64_t taken)
{
	if (record->addr != 4096 * taken)
		print_error("%llx came, %llx was to come\n", (unsigned long long)record->addr,
		            4096 * (unsigned long long)taken);
	assert_true(record->addr == 4096 * taken);
	assert_int_equal(record->flags & 3, UAPI_PGFAULT_FLAGS_LAST_PAGE);
}
