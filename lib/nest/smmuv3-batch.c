/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include <libiommu/invalidate.h>

#include "../base/uapi/iommufd.h"
#include "../object/invalidate.h"
#include "viommu.h"

#define ROOM 1024

/* Of a command's first word. */
#define OPCODE(cmd0) ((cmd0)&0xff)
#define SSV          (UINT64_C(1) << 11)
#define SSID_SHIFT   12
#define SSID_MASK    (UINT64_C(0xfffff) << SSID_SHIFT)
#define SID_SHIFT    32
#define ASID_SHIFT   48

enum opcode {
	CFGI_CD = 0x05,
	CFGI_CD_ALL = 0x06,
	TLBI_NH_ALL = 0x10,
	TLBI_NH_ASID = 0x11,
	TLBI_NH_VA = 0x12,
	TLBI_NH_VAA = 0x13,
	TLBI_NSNH_ALL = 0x30,
	ATC_INV = 0x40,
	SYNC = 0x46,
};

/* From here on one command for a whole ASID is cheaper. */
#define MANY_PAGES 65
/* The size that is everything: 2^52 pages. */
#define ATC_ALL 52

struct libiommu_smmuv3_batch {
	struct libiommu_viommu *viommu;
	bool repeat;
	uint64_t done;
	size_t count;
	struct uapi_viommu_arm_smmuv3_invalidate commands[ROOM];
};

int libiommu_smmuv3_batch_new(struct libiommu_viommu *viommu, struct libiommu_smmuv3_batch **batch)
{
	struct libiommu_smmuv3_batch *made;

	if (!viommu || !batch)
		return FAIL_NULL(viommu ? li_viommu_ctx(viommu) : NULL);
	made = malloc(sizeof(*made));
	if (!made)
		return FAIL_MEMORY(li_viommu_ctx(viommu));
	made->viommu = viommu;
	made->repeat = false;
	made->done = 0;
	made->count = 0;
	li_viommu_pin(viommu);
	*batch = made;
	return 0;
}

void libiommu_smmuv3_batch_free(struct libiommu_smmuv3_batch *batch)
{
	if (!batch)
		return;
	li_viommu_unpin(batch->viommu);
	free(batch);
}

/* Commands from @first to before @end; it fails where one of them does. */
static int give(struct libiommu_smmuv3_batch *batch, size_t first, size_t end)
{
	const struct invalidation what = {
		.id = li_viommu_id(batch->viommu),
		.type = UAPI_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
		.entries = &batch->commands[first],
		.entry_len = sizeof(batch->commands[0]),
		.count = end - first,
	};
	const struct backend *const backend = li_ctx_backend(li_viommu_ctx(batch->viommu));
	size_t told;
	int error = li_invalidate_once(backend, &what, &told);

	if (!error && batch->repeat)
		error = li_invalidate_once(backend, &what, &told);
	return error;
}

/*
 * The kernel gives commands to the hardware in groups. One that it does not like fails its group;
 * what it then says is done differs from kernel to kernel, and is not always true. So the one that
 * failed is looked for by halves, which leaves all before it done and none behind it: to drop again
 * what was dropped already does no harm.
 */
static int flush(struct libiommu_smmuv3_batch *batch, const char *operation)
{
	const size_t count = batch->count;
	size_t end = count;
	size_t done = 0;
	size_t bad = 0; /* what failed ended here */
	int error = 0;

	while (done < count) {
		error = give(batch, done, end);
		if (error && end - done == 1)
			break;
		if (error)
			bad = end;
		else
			done = end;
		end = bad > done ? done + (bad - done + 1) / 2 : count;
	}
	batch->done += done;
	batch->count = 0;
	if (!error)
		return 0;
	return FAIL_KERNEL(li_viommu_ctx(batch->viommu), operation, error, CALL_INVALIDATE,
	                   .id = li_viommu_id(batch->viommu), .amount = done,
	                   .unit = "commands were done before");
}

void libiommu_smmuv3_batch_set_repeat(struct libiommu_smmuv3_batch *batch, bool repeat)
{
	if (batch)
		batch->repeat = repeat;
}

static uint64_t with_pasid(struct libiommu_smmuv3_batch *batch, uint64_t cmd0)
{
	const uint32_t vpasid = (uint32_t)((cmd0 & SSID_MASK) >> SSID_SHIFT);
	uint32_t pasid;

	if (!li_vdevice_table_pasid(li_viommu_vdevices(batch->viommu), cmd0 >> SID_SHIFT, vpasid,
	                            &pasid))
		return cmd0;
	return (cmd0 & ~SSID_MASK) | (uint64_t)pasid << SSID_SHIFT;
}

static int add(struct libiommu_smmuv3_batch *batch, const char *operation, uint64_t cmd0,
               uint64_t cmd1)
{
	int error;

	switch (OPCODE(cmd0)) {
	case SYNC:
		error = flush(batch, operation);
		batch->done += !error;
		return error;
	case ATC_INV:
		if (cmd0 & SSV)
			cmd0 = with_pasid(batch, cmd0);
		break;
	case CFGI_CD:
		cmd0 = with_pasid(batch, cmd0);
		break;
	case CFGI_CD_ALL:
	case TLBI_NH_ALL:
	case TLBI_NH_ASID:
	case TLBI_NH_VA:
	case TLBI_NH_VAA:
	case TLBI_NSNH_ALL:
		break;
	default:
		return FAIL_LIBRARY(li_viommu_ctx(batch->viommu), operation, -EOPNOTSUPP,
		                    "not a command that the kernel takes from a guest",
		                    .id = li_viommu_id(batch->viommu), .amount = OPCODE(cmd0),
		                    .unit = "is the opcode");
	}
	if (batch->count == ROOM) {
		error = flush(batch, operation);
		if (error)
			return error;
	}
	batch->commands[batch->count].cmd[0] = htole64(cmd0);
	batch->commands[batch->count].cmd[1] = htole64(cmd1);
	batch->count++;
	return 0;
}

int libiommu_smmuv3_batch_add(struct libiommu_smmuv3_batch *batch, uint64_t cmd0, uint64_t cmd1)
{
	if (!batch)
		return FAIL_NULL(NULL);
	return add(batch, __func__, cmd0, cmd1);
}

int libiommu_smmuv3_batch_flush(struct libiommu_smmuv3_batch *batch)
{
	if (!batch)
		return FAIL_NULL(NULL);
	return flush(batch, __func__);
}

uint64_t libiommu_smmuv3_batch_done(const struct libiommu_smmuv3_batch *batch)
{
	return batch ? batch->done : 0;
}

static int wrong_range(struct libiommu_smmuv3_batch *batch, const char *operation, uint64_t address,
                       uint64_t length)
{
	return FAIL_LIBRARY(li_viommu_ctx(batch->viommu), operation, -EINVAL,
	                    "the range is empty or wraps around, or another argument is out of "
	                    "range",
	                    .id = li_viommu_id(batch->viommu), .start = address, .length = length);
}

int libiommu_smmuv3_batch_add_range(struct libiommu_smmuv3_batch *batch, uint16_t asid,
                                    uint64_t address, uint64_t length, unsigned int page_shift,
                                    uint32_t flags)
{
	const uint64_t of_asid = (uint64_t)asid << ASID_SHIFT;
	uint64_t first, last;
	int error = 0;

	if (!batch)
		return FAIL_NULL(NULL);
	if (!length || length - 1 > UINT64_MAX - address ||
	    (page_shift != 12 && page_shift != 14 && page_shift != 16) ||
	    flags & ~(uint32_t)LIBIOMMU_INVALIDATE_LEAF)
		return wrong_range(batch, __func__, address, length);
	first = address >> page_shift;
	last = (address + (length - 1)) >> page_shift;
	if (last - first >= MANY_PAGES - 1)
		return add(batch, __func__, TLBI_NH_ASID | of_asid, 0);
	for (uint64_t page = first; page <= last && !error; page++)
		error = add(batch, __func__, TLBI_NH_VA | of_asid,
		            page << page_shift | (flags & LIBIOMMU_INVALIDATE_LEAF));
	return error;
}

int libiommu_smmuv3_batch_add_atc(struct libiommu_smmuv3_batch *batch, uint32_t virt_id,
                                  uint32_t vpasid, uint64_t address, uint64_t length)
{
	uint64_t cmd0 = ATC_INV | (uint64_t)virt_id << SID_SHIFT;
	uint64_t first, last;
	unsigned int size = 0;

	if (!batch)
		return FAIL_NULL(NULL);
	if (!length || length - 1 > UINT64_MAX - address || vpasid > SSID_MASK >> SSID_SHIFT)
		return wrong_range(batch, __func__, address, length);
	if (vpasid)
		cmd0 |= SSV | (uint64_t)vpasid << SSID_SHIFT;
	first = address >> 12;
	last = (address + (length - 1)) >> 12;
	/* A size above the smallest has its address aligned to it. */
	while (size < ATC_ALL && first >> size != last >> size)
		size++;
	return add(batch, __func__, cmd0, first >> size << size << 12 | size);
}
