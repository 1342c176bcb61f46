/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libiommu/dirty.h>

#include "../backend/type1.h"
#include "../base/uapi/iommufd.h"
#include "hwpt.h"
#include "ioas.h"

/* Pieces end at multiples of this: see the header. */
#define PIECE UINT64_C(0x40000000)
/* So that a piece's bits are no more than 128 KiB. */
#define MIN_PAGE_SIZE 1024
#define WORD          64

/* What is asked for, and how far that is done. */
struct reading {
	struct libiommu_hwpt *hwpt;
	uint64_t iova;
	uint64_t length;
	uint64_t page_size;
	uint32_t flags;
	uint64_t *bitmap;
	bool unmap; /* what was read */
	uint64_t done;
};

static const char *const tracking_is_off =
	"dirty tracking is off (libiommu_hwpt_set_dirty_tracking())";

static uint64_t words_of(uint64_t bits)
{
	return bits / WORD + (bits % WORD ? 1 : 0);
}

/* Bits beyond @count are not the range's: the kernel may set some for a large page. */
static void add_bits(uint64_t *bitmap, uint64_t first, const uint64_t *bits, uint64_t count)
{
	const unsigned int shift = first % WORD;
	uint64_t *to = bitmap + first / WORD;

	for (uint64_t i = 0; i < words_of(count); i++, to++) {
		const uint64_t left = count - i * WORD;
		const uint64_t word =
			bits[i] & (left < WORD ? (UINT64_C(1) << left) - 1 : UINT64_MAX);

		if (!word)
			continue;
		to[0] |= word << shift;
		if (shift && word >> (WORD - shift))
			to[1] |= word >> (WORD - shift);
	}
}

static uint64_t piece_length(const struct reading *reading)
{
	const uint64_t piece = reading->page_size > PIECE ? reading->page_size : PIECE;
	const uint64_t left = reading->length - reading->done;
	const uint64_t to_border = piece - (reading->iova + reading->done) % piece;

	return reading->flags & LIBIOMMU_DIRTY_WHOLE || left < to_border ? left : to_border;
}

/* Whatever the kernel says in the end, bits that it has set are bits that it may have cleared. */
static int read_piece(struct reading *reading, uint64_t length, uint64_t *bits, int *hole)
{
	const struct libiommu_ctx *const ctx = li_hwpt_ctx(reading->hwpt);
	const uint32_t ioas = li_hwpt_ioas_id(reading->hwpt);
	const uint64_t pages = length / reading->page_size;
	struct uapi_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = li_hwpt_id(reading->hwpt),
		.flags = reading->flags & LIBIOMMU_DIRTY_NO_CLEAR
	                         ? UAPI_HWPT_GET_DIRTY_BITMAP_NO_CLEAR
	                         : 0,
		.iova = reading->iova + reading->done,
		.length = length,
		.page_size = reading->page_size,
		.data = (uintptr_t)bits,
	};
	int error;

	*hole = ioas ? li_ioas_is_mapped(ctx, ioas, cmd.iova, length) : 0;
	if (*hole)
		return *hole;
	/* Also so that the memory is there: the kernel loses what it cannot write. */
	memset(bits, 0, words_of(pages) * sizeof(*bits));
	error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_HWPT_GET_DIRTY_BITMAP, &cmd);
	add_bits(reading->bitmap, reading->done / reading->page_size, bits, pages);
	if (!error)
		reading->done += length;
	return error;
}

/*
 * Memory for so many bits, in pages that nothing else is in: of a large page that is dirty the
 * kernel sets all bits, also those beyond the range, up to the end of the bitmap's last page.
 */
static uint64_t *alloc_bits(uint64_t count, void **memory)
{
	const size_t page = (size_t)li_sys_page_size();
	/* The last one is for what comes before the first that is used. */
	const uint64_t pages = words_of(count) / (page / sizeof(uint64_t)) + 2;

	*memory = pages < SIZE_MAX ? calloc((size_t)pages, page) : NULL;
	return *memory ? (void *)((char *)*memory + (page - (uintptr_t)*memory % page)) : NULL;
}

static int read_pieces(struct reading *reading, const char *operation)
{
	struct libiommu_ctx *const ctx = li_hwpt_ctx(reading->hwpt);
	struct hwpt_dirty *const dirty = li_hwpt_dirty(reading->hwpt);
	const uint32_t id = li_hwpt_id(reading->hwpt);
	uint64_t longest = reading->page_size > PIECE ? reading->page_size : PIECE;
	uint64_t *bits, length = 0, at = reading->iova;
	int error = 0, hole = 0;
	void *memory;
	bool off;

	if (reading->flags & LIBIOMMU_DIRTY_WHOLE || reading->length < longest)
		longest = reading->length;
	bits = alloc_bits(longest / reading->page_size, &memory);
	if (!bits)
		return FAIL_MEMORY_IN(ctx, operation);
	pthread_rwlock_rdlock(&dirty->lock);
	off = dirty->tracking == TRACKING_OFF;
	while (!off && !error && reading->done < reading->length) {
		at = reading->iova + reading->done;
		length = piece_length(reading);
		error = read_piece(reading, length, bits, &hole);
	}
	pthread_rwlock_unlock(&dirty->lock);
	free(memory);
	if (off)
		return FAIL_LIBRARY(ctx, operation, -ENODATA, tracking_is_off, .id = id);
	if (hole == -ENOENT)
		return FAIL_LIBRARY(ctx, operation, hole,
		                    "a part of this piece of the range is not mapped: the kernel "
		                    "would stop there without a word",
		                    .id = id, .start = at, .length = length,
		                    .amount = reading->done, .unit = "bytes were read before it");
	if (error)
		return FAIL_KERNEL(ctx, operation, error, hole ? CALL_COPY : CALL_DIRTY, .id = id,
		                   .start = at, .length = length, .amount = reading->done,
		                   .unit = "bytes were read before it");
	return 0;
}

/* In a container. */
static bool can_track(const struct hwpt_dirty *dirty)
{
	return dirty->tracking == TRACKING_OFF || dirty->tracking == TRACKING_ON;
}

static int read_container(struct reading *reading, const char *operation)
{
	struct libiommu_hwpt *const hwpt = reading->hwpt;
	struct type1 *const type1 = li_ctx_backend(li_hwpt_ctx(hwpt))->type1;
	struct hwpt_dirty *const dirty = li_hwpt_dirty(hwpt);
	struct type1_reading legacy = {
		.iova = reading->iova,
		.length = reading->length,
		.page_size = reading->page_size,
		.bitmap = reading->bitmap,
		.unmap = reading->unmap,
	};
	struct refusal refusal = {0};
	int error;

	pthread_rwlock_rdlock(&dirty->lock);
	if (!can_track(dirty))
		error = li_refuse(&refusal, -EOPNOTSUPP,
		                  "the page table was made without LIBIOMMU_HWPT_DIRTY_TRACKING");
	else if (dirty->tracking == TRACKING_OFF)
		error = li_refuse(&refusal, -ENODATA, tracking_is_off);
	else if (reading->flags & LIBIOMMU_DIRTY_NO_CLEAR)
		error = li_refuse(&refusal, -EOPNOTSUPP,
		                  "a container's bits are cleared when they are read");
	else
		error = li_type1_read_dirty(type1, li_hwpt_ioas_id(hwpt), &legacy, &refusal);
	pthread_rwlock_unlock(&dirty->lock);
	reading->done = legacy.done;
	if (reading->unmap && legacy.done)
		li_ioas_count_unmapped(li_hwpt_ioas(hwpt), legacy.done, 0);
	return error ? FAIL_REFUSED(li_hwpt_ctx(hwpt), operation, &refusal, .id = li_hwpt_id(hwpt),
	                            .start = reading->iova, .length = reading->length,
	                            .amount = legacy.done, .unit = "bytes were read before it")
	             : 0;
}

static const char *find_fault(const struct reading *reading, size_t words)
{
	const uint64_t page_size = reading->page_size;

	if (reading->flags & ~(uint32_t)(LIBIOMMU_DIRTY_NO_CLEAR | LIBIOMMU_DIRTY_WHOLE))
		return "unknown flag";
	if (page_size < MIN_PAGE_SIZE || page_size & (page_size - 1))
		return "the page size is no power of two from 1024 up";
	if (!reading->length)
		return "the length is 0";
	if (reading->iova % page_size || reading->length % page_size)
		return "IOVA or length is not a multiple of the page size";
	if (words_of(reading->length / page_size) > words)
		return "the bitmap is too short";
	return NULL;
}

/* From the public functions' arguments on. */
static int read_range(struct reading *reading, const char *operation, size_t words, uint64_t *done)
{
	struct libiommu_hwpt *const hwpt = reading->hwpt;
	const char *fault;
	int error;

	if (!hwpt || !reading->bitmap)
		return FAIL_NULL_IN(hwpt ? li_hwpt_ctx(hwpt) : NULL, operation);
	if (done)
		*done = 0;
	fault = find_fault(reading, words);
	if (fault)
		return FAIL_LIBRARY(li_hwpt_ctx(hwpt), operation, -EINVAL, fault,
		                    .id = li_hwpt_id(hwpt), .start = reading->iova,
		                    .length = reading->length, .amount = reading->page_size,
		                    .unit = "bytes a page");
	if (reading->iova > UINT64_MAX - (reading->length - 1))
		return FAIL_LIBRARY(li_hwpt_ctx(hwpt), operation, -EOVERFLOW,
		                    "the range wraps around", .id = li_hwpt_id(hwpt),
		                    .start = reading->iova, .length = reading->length);
	if (li_ctx_backend(li_hwpt_ctx(hwpt))->type1)
		error = read_container(reading, operation);
	else if (reading->unmap)
		error = FAIL_LIBRARY(li_hwpt_ctx(hwpt), operation, -EOPNOTSUPP,
		                     "only a container reads and unmaps in one: read with "
		                     "LIBIOMMU_DIRTY_NO_CLEAR, and unmap then",
		                     .id = li_hwpt_id(hwpt));
	else
		error = read_pieces(reading, operation);
	if (done)
		*done = reading->done;
	return error;
}

int libiommu_hwpt_get_dirty_bitmap(struct libiommu_hwpt *hwpt, uint64_t iova, uint64_t length,
                                   uint64_t page_size, uint32_t flags, uint64_t *bitmap,
                                   size_t words, uint64_t *done)
{
	struct reading reading = {
		.hwpt = hwpt,
		.iova = iova,
		.length = length,
		.page_size = page_size,
		.flags = flags,
		.bitmap = bitmap,
	};

	return read_range(&reading, __func__, words, done);
}

int libiommu_hwpt_unmap_dirty(struct libiommu_hwpt *hwpt, uint64_t iova, uint64_t length,
                              uint64_t page_size, uint64_t *bitmap, size_t words, uint64_t *done)
{
	struct reading reading = {
		.hwpt = hwpt,
		.iova = iova,
		.length = length,
		.page_size = page_size,
		.bitmap = bitmap,
		.unmap = true,
	};

	return read_range(&reading, __func__, words, done);
}

/* Of the kernel or of a container. */
static int set_tracking(struct libiommu_hwpt *hwpt, bool enable, struct refusal *refusal)
{
	const struct backend *const backend = li_ctx_backend(li_hwpt_ctx(hwpt));
	struct uapi_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd),
		.flags = enable ? UAPI_HWPT_DIRTY_TRACKING_ENABLE : 0,
		.hwpt_id = li_hwpt_id(hwpt),
	};
	int error;

	if (backend->type1 && !can_track(li_hwpt_dirty(hwpt)))
		return li_refuse(refusal, -EOPNOTSUPP,
		                 "the page table was made without LIBIOMMU_HWPT_DIRTY_TRACKING");
	if (backend->type1)
		return li_type1_track(backend->type1, li_hwpt_ioas_id(hwpt), enable, refusal);
	error = backend_ioctl(backend, UAPI_IOC_HWPT_SET_DIRTY_TRACKING, &cmd);
	return error ? li_refuse_kernel(refusal, error, CALL_DIRTY) : 0;
}

void li_hwpt_stop_tracking(struct libiommu_hwpt *hwpt)
{
	struct refusal ignored;

	if (li_ctx_backend(li_hwpt_ctx(hwpt))->type1 &&
	    li_hwpt_dirty(hwpt)->tracking == TRACKING_ON)
		set_tracking(hwpt, false, &ignored);
}

int libiommu_hwpt_set_dirty_tracking(struct libiommu_hwpt *hwpt, bool enable)
{
	struct refusal refusal = {0};
	struct hwpt_dirty *dirty;
	struct libiommu_ctx *ctx;
	bool already, off;
	int error = 0;

	if (!hwpt)
		return FAIL_NULL(NULL);
	ctx = li_hwpt_ctx(hwpt);
	dirty = li_hwpt_dirty(hwpt);
	pthread_rwlock_wrlock(&dirty->lock);
	already = enable && dirty->tracking == TRACKING_ON;
	/* The kernel's to say; but a container may be recording for another one. */
	off = !enable && dirty->tracking == TRACKING_OFF && li_ctx_backend(ctx)->type1;
	if (!already && !off)
		error = set_tracking(hwpt, enable, &refusal);
	if (!error)
		dirty->tracking = enable ? TRACKING_ON : TRACKING_OFF;
	pthread_rwlock_unlock(&dirty->lock);
	if (already)
		return FAIL_LIBRARY(ctx, __func__, -EALREADY,
		                    "dirty tracking is on; starting again would forget what it has "
		                    "recorded",
		                    .id = li_hwpt_id(hwpt));
	return error ? FAIL_REFUSED(ctx, __func__, &refusal, .id = li_hwpt_id(hwpt)) : 0;
}
