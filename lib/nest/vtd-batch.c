/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <stdlib.h>

#include <libiommu/invalidate.h>

#include "../object/device.h"
#include "../object/hwpt.h"
#include "../object/invalidate.h"
#include "../object/slot.h"
#include "vtd-merge.h"

struct libiommu_vtd_batch {
	struct libiommu_ctx *ctx;
	size_t count;
	size_t room;
	struct vtd_request *requests;
	struct uapi_hwpt_vtd_s1_invalidate *entries; /* as many, so that submitting needs none */
};

int libiommu_vtd_batch_new(struct libiommu_ctx *ctx, struct libiommu_vtd_batch **batch)
{
	struct libiommu_vtd_batch *made;

	if (!ctx || !batch)
		return FAIL_NULL(ctx);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(ctx);
	made->ctx = ctx;
	*batch = made;
	return 0;
}

void libiommu_vtd_batch_clear(struct libiommu_vtd_batch *batch)
{
	for (size_t i = 0; batch && i < batch->count; i++)
		li_hwpt_unpin(batch->requests[i].hwpt);
	if (batch)
		batch->count = 0;
}

void libiommu_vtd_batch_free(struct libiommu_vtd_batch *batch)
{
	if (!batch)
		return;
	libiommu_vtd_batch_clear(batch);
	free(batch->requests);
	free(batch->entries);
	free(batch);
}

static int make_room(struct libiommu_vtd_batch *batch)
{
	const size_t room = batch->room ? 2 * batch->room : 64;
	struct uapi_hwpt_vtd_s1_invalidate *entries;
	struct vtd_request *requests;

	if (batch->count < batch->room)
		return 0;
	if (room > UINT32_MAX)
		return -ENOMEM;
	requests = realloc(batch->requests, room * sizeof(*requests));
	if (!requests)
		return -ENOMEM;
	batch->requests = requests;
	entries = realloc(batch->entries, room * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	batch->entries = entries;
	batch->room = room;
	return 0;
}

/* With the device entered, so that nothing is detached meanwhile; pinned, or NULL. */
static struct libiommu_hwpt *find(struct libiommu_device *dev, uint32_t vpasid)
{
	struct libiommu_hwpt *hwpt = li_device_attachment(dev)->hwpt;
	struct slot_value value = {0};
	const struct slot *slot;
	uint32_t pasid;

	if (vpasid) {
		slot = li_pasid_slot(dev, vpasid, &pasid);
		hwpt = slot && slot_read(slot, &value) ? value.hwpt : NULL;
	}
	if (!hwpt || !li_hwpt_may_be(hwpt, UAPI_HWPT_DATA_VTD_S1))
		return NULL;
	li_hwpt_pin(hwpt);
	return hwpt;
}

int libiommu_vtd_batch_add(struct libiommu_vtd_batch *batch, struct libiommu_device *dev,
                           uint32_t vpasid, uint64_t address, uint64_t length, uint32_t flags,
                           uint64_t cookie)
{
	struct libiommu_hwpt *hwpt;
	int error;

	if (!batch || !dev)
		return FAIL_NULL(batch ? batch->ctx : NULL);
	if (li_device_ctx(dev) != batch->ctx)
		return FAIL_LIBRARY(batch->ctx, __func__, -EINVAL,
		                    "the device is of another context", .id = li_device_id(dev));
	if (!length || length - 1 > UINT64_MAX - address ||
	    flags & ~(uint32_t)LIBIOMMU_INVALIDATE_LEAF)
		return FAIL_LIBRARY(batch->ctx, __func__, -EINVAL,
		                    "the range is empty or wraps around, or a flag is unknown",
		                    .id = li_device_id(dev), .start = address, .length = length);
	if (make_room(batch))
		return FAIL_MEMORY(batch->ctx);
	error = li_device_enter(dev, __func__, DEVICE_NODE);
	if (error)
		return error;
	hwpt = find(dev, vpasid);
	li_device_leave(dev);
	if (!hwpt)
		return FAIL_LIBRARY(
			batch->ctx, __func__, -ENOENT, "no nested page table is attached there",
			.id = li_device_id(dev), .amount = vpasid, .unit = "is the vPASID");
	batch->requests[batch->count] = (struct vtd_request){
		.hwpt = hwpt,
		.first = address >> VTD_PAGE_SHIFT,
		.last = (address + (length - 1)) >> VTD_PAGE_SHIFT,
		.cookie = cookie,
		.hwpt_id = li_hwpt_id(hwpt),
		.order = (uint32_t)batch->count,
		.leaf = flags & LIBIOMMU_INVALIDATE_LEAF,
	};
	batch->count++;
	return 0;
}

/* Those of one page table; what was not done is moved to @left. */
static int submit(struct libiommu_vtd_batch *batch, struct vtd_request *requests, size_t count,
                  struct vtd_request **left)
{
	const struct invalidation what = {
		.id = requests->hwpt_id,
		.type = UAPI_HWPT_INVALIDATE_DATA_VTD_S1,
		.entries = batch->entries,
		.entry_len = sizeof(*batch->entries),
		.count = li_vtd_merge(requests, count, batch->entries),
	};
	size_t done;
	const int error = li_invalidate(li_ctx_backend(batch->ctx), &what, &done);

	for (size_t i = 0; i < count; i++)
		if (requests[i].entry < done)
			li_hwpt_unpin(requests[i].hwpt);
		else
			*(*left)++ = requests[i];
	return error;
}

int libiommu_vtd_batch_submit(struct libiommu_vtd_batch *batch)
{
	struct vtd_request *left;
	uint32_t failed = 0;
	int error = 0;

	if (!batch)
		return FAIL_NULL(NULL);
	if (!batch->count)
		return 0;
	left = batch->requests;
	li_vtd_sort(batch->requests, batch->count);
	for (size_t begin = 0, end; begin < batch->count; begin = end) {
		const uint32_t id = batch->requests[begin].hwpt_id;
		int result;

		for (end = begin; end < batch->count && batch->requests[end].hwpt_id == id; end++)
			;
		result = submit(batch, &batch->requests[begin], end - begin, &left);
		if (result && !error) {
			error = result;
			failed = id;
		}
	}
	batch->count = (size_t)(left - batch->requests);
	if (!error)
		return 0;
	li_vtd_sort_by_order(batch->requests, batch->count);
	for (size_t i = 0; i < batch->count; i++)
		batch->requests[i].order = (uint32_t)i;
	return FAIL_KERNEL(batch->ctx, __func__, error, CALL_INVALIDATE, .id = failed,
	                   .amount = batch->count, .unit = "requests are not done");
}

size_t libiommu_vtd_batch_count(const struct libiommu_vtd_batch *batch)
{
	return batch ? batch->count : 0;
}

int libiommu_vtd_batch_cookie(const struct libiommu_vtd_batch *batch, size_t index,
                              uint64_t *cookie)
{
	if (!batch || !cookie)
		return FAIL_NULL(batch ? batch->ctx : NULL);
	if (index >= batch->count)
		return FAIL_LIBRARY(batch->ctx, __func__, -ENOENT, "there are not so many",
		                    .amount = batch->count, .unit = "requests");
	*cookie = batch->requests[index].cookie;
	return 0;
}
