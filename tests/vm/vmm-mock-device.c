/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A device for examples/vmm-nested behind the kernel's test driver, which moves no bytes: that is
 * done here, as far as the driver says that it could be. A translation is used until the driver
 * says that both the page table's cache and the device's have dropped it; only then the guest's
 * table is walked again. And where that leads to, the driver must have the guest's memory.
 */
#include <errno.h>
#include <string.h>

#include "../../examples/vmm-nested/device.h"
#include "vmm-mock.h"

enum { LEVELS = 3, PAGE_SHIFT = 12, LEVEL_BITS = 9 };

#define VALID   UINT64_C(1)
#define ADDRESS (((UINT64_C(1) << 48) - 1) & SMMU_ADDRESS)

/* What was cached of the nested page table with this number. */
static struct {
	uint64_t number;
	uint64_t pages[MOCK_CACHES]; /* 0: nothing yet */
} cached[GUEST_SPACES];

static uint8_t pattern[GUEST_PAGE];

int device_open(struct libiommu_ctx *ctx, const char *name, struct libiommu_device **dev)
{
	return libiommu_device_open_node(ctx, name, dev);
}

/* The guest's table; 0 is nothing. */
static uint64_t walk(const struct vmm *vmm, uint64_t table, uint64_t iova)
{
	for (int level = LEVELS - 1; level >= 0; level--) {
		const uint64_t index = iova >> (PAGE_SHIFT + level * LEVEL_BITS) & 511;
		uint64_t entry;

		if (!smmu_read(&vmm->memory, table + index * 8, &entry, 1) || !(entry & VALID))
			return 0;
		table = entry & ADDRESS;
	}
	return table;
}

static uint64_t translate(struct vmm *vmm, uint32_t ssid, uint64_t iova)
{
	const struct vmm_mock_space *const space = &vmm_mock.spaces[ssid];
	const uint32_t index = (uint32_t)(iova >> PAGE_SHIFT) % MOCK_CACHES;
	uint64_t *const page = &cached[ssid].pages[index];

	if (!space->hwpt)
		return 0;
	if (cached[ssid].number != space->number)
		memset(&cached[ssid], 0, sizeof(cached[ssid]));
	cached[ssid].number = space->number;
	/* Both have to have dropped it. The driver's values are there once, and never again. */
	if (!*page || (mock_check_iotlb(vmm->ctx, space->hwpt, index, MOCK_CACHED) &&
	               mock_check_cache(vmm->ctx, vmm->dev, index, MOCK_DEV_CACHED)))
		*page = walk(vmm, space->table, iova);
	return *page;
}

/* Where it leads to in the end, as the page table says that the guest's memory is in. */
static uint8_t *find(struct vmm *vmm, uint32_t ssid, uint64_t iova)
{
	uint64_t page = 0;
	uint32_t id;
	void *at;

	if (vmm_mock.stream == VMM_MOCK_TRANSLATED)
		page = translate(vmm, ssid, iova);
	else if (vmm_mock.stream == VMM_MOCK_LET_THROUGH && !ssid)
		page = iova;
	at = page ? smmu_at(&vmm->memory, page, GUEST_PAGE) : NULL;
	if (!at || libiommu_hwpt_id(vmm->parent, &id) ||
	    mock_check_map(vmm_mock.mock, vmm->dev, id, page, at, GUEST_PAGE))
		return NULL;
	return at;
}

bool device_begin(struct vmm *vmm, uint64_t page)
{
	const uint8_t *const at = find(vmm, 0, page);

	if (at)
		memcpy(pattern, at, sizeof(pattern));
	return at;
}

void device_end(void)
{
}

/* What is attached must be what the host says is. */
static bool check(struct vmm *vmm, uint32_t ssid)
{
	const struct libiommu_hwpt *hwpt = vmm_mock.spaces[ssid].hwpt;
	uint32_t wanted = 0, got = 0;

	if (!ssid && vmm_mock.stream == VMM_MOCK_LET_THROUGH)
		hwpt = vmm->parent;
	if (hwpt)
		libiommu_hwpt_id(hwpt, &wanted);
	if (ssid)
		return !mock_check_pasid(vmm_mock.mock, vmm->dev, ssid, wanted);
	if (!hwpt)
		return libiommu_device_pt_id(vmm->dev, &got) == -ENOENT;
	return !libiommu_device_pt_id(vmm->dev, &got) && got == wanted;
}

bool device_write(struct vmm *vmm, uint32_t ssid, uint64_t iova)
{
	uint8_t *const at = find(vmm, ssid, iova);

	if (at)
		memcpy(at, pattern, sizeof(pattern));
	return check(vmm, ssid);
}

bool device_offend(struct vmm *vmm, uint64_t iova)
{
	(void)iova;
	return !mock_event(vmm->ctx, vmm->dev);
}

bool device_ask(struct vmm *vmm, uint32_t ssid, uint32_t group, uint64_t iova)
{
	return !mock_fault(vmm_mock.mock, vmm->dev, ssid, group, LIBIOMMU_FAULT_WRITE, iova);
}

void device_get_answers(uint64_t *yes, uint64_t *no)
{
	struct mock_answers answers;

	mock_get_answers(vmm_mock.mock, &answers);
	*yes = answers.taken[LIBIOMMU_FAULT_SUCCESS];
	*no = answers.taken[LIBIOMMU_FAULT_INVALID];
}
