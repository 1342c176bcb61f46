/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Commands, some of them such as no program would send. */
#include "differ.h"

#include <string.h>
#include <sys/mman.h>

#include "../../lib/base/uapi/iommufd.h"

enum { SHORT, LONG, TAIL, WORD, NOWHERE, CUT, READ_ONLY, WAYS };

/*
 * The words of each command that stay as they are: ids, since the worlds have different ones;
 * addresses, and the lengths of what is there.
 */
#define WORDS(from, count) (((UINT32_C(1) << (count)) - 1) << (from))

static const uint32_t fixed[] = {
	[UAPI_CMD_DESTROY - UAPI_CMD_BASE] = WORDS(1, 1),
	[UAPI_CMD_IOAS_ALLOW_IOVAS - UAPI_CMD_BASE] = WORDS(1, 2) | WORDS(4, 2),
	[UAPI_CMD_IOAS_COPY - UAPI_CMD_BASE] = WORDS(2, 2),
	[UAPI_CMD_IOAS_IOVA_RANGES - UAPI_CMD_BASE] = WORDS(1, 2) | WORDS(4, 2),
	[UAPI_CMD_IOAS_MAP - UAPI_CMD_BASE] = WORDS(2, 1) | WORDS(4, 2),
	[UAPI_CMD_IOAS_UNMAP - UAPI_CMD_BASE] = WORDS(1, 1),
	[UAPI_CMD_OPTION - UAPI_CMD_BASE] = WORDS(3, 1),
	[UAPI_CMD_VFIO_IOAS - UAPI_CMD_BASE] = WORDS(1, 1),
	[UAPI_CMD_HWPT_ALLOC - UAPI_CMD_BASE] = WORDS(2, 2) | WORDS(7, 4),
	[UAPI_CMD_GET_HW_INFO - UAPI_CMD_BASE] = WORDS(2, 4),
	[UAPI_CMD_HWPT_SET_DIRTY_TRACKING - UAPI_CMD_BASE] = WORDS(2, 1),
	[UAPI_CMD_HWPT_GET_DIRTY_BITMAP - UAPI_CMD_BASE] = WORDS(1, 1) | WORDS(6, 6),
	[UAPI_CMD_HWPT_INVALIDATE - UAPI_CMD_BASE] = WORDS(1, 3) | WORDS(5, 2),
	[UAPI_CMD_FAULT_QUEUE_ALLOC - UAPI_CMD_BASE] = 0,
	[UAPI_CMD_IOAS_MAP_FILE - UAPI_CMD_BASE] = WORDS(2, 2),
	[UAPI_CMD_VIOMMU_ALLOC - UAPI_CMD_BASE] = WORDS(3, 2) | WORDS(6, 1) | WORDS(8, 2),
	[UAPI_CMD_VDEVICE_ALLOC - UAPI_CMD_BASE] = WORDS(1, 2),
	[UAPI_CMD_VEVENTQ_ALLOC - UAPI_CMD_BASE] = WORDS(2, 1),
	[UAPI_CMD_HW_QUEUE_ALLOC - UAPI_CMD_BASE] = WORDS(2, 1) | WORDS(8, 2),
	[UAPI_CMD_IOAS_NOIOMMU_GET_PA - UAPI_CMD_BASE] = WORDS(2, 1),
};

static uint32_t draw_word(struct differ *d)
{
	static const uint32_t odd[] = {0, 1, 2, 4096, 0x7fffffff, 0x80000000, UINT32_MAX};
	const uint32_t drawn = differ_draw(d, 9);

	return drawn < 7 ? odd[drawn] : UINT32_C(1) << differ_draw(d, 32);
}

static uint32_t size_of(const void *cmd)
{
	uint32_t size;

	memcpy(&size, cmd, sizeof(size));
	return size;
}

/* The size that is told, which is a command's first word. */
static void tell_size(struct differ *d, uint8_t *at, uint32_t size)
{
	memcpy(at, &size, sizeof(size));
	fprintf(d->out, " told %u", size);
}

static void spoil_word(struct differ *d, unsigned long request, uint8_t *at, uint32_t size)
{
	const uint32_t index = (uint32_t)(request & 0xff) - UAPI_CMD_BASE;
	const uint32_t word = 1 + differ_draw(d, size / 4), value = draw_word(d);

	if (word >= size / 4 || fixed[index] >> word & 1)
		return;
	memcpy(at + (size_t)word * 4, &value, sizeof(value));
	fprintf(d->out, " word %u is %#x", word, value);
}

static void spoil(struct differ *d, uint32_t way, unsigned long request, uint8_t *at, uint32_t size)
{
	if (way == SHORT)
		tell_size(d, at, differ_draw(d, size + 1));
	if (way == LONG)
		tell_size(d, at, size + differ_draw(d, 400));
	if (way == TAIL) {
		const uint32_t behind = differ_draw(d, 400);

		at[size + behind] = 1;
		tell_size(d, at, size + differ_draw(d, 400));
		fprintf(d->out, " not zero at %u", size + behind);
	}
	if (way == WORD)
		spoil_word(d, request, at, size);
	if (way == CUT && differ_draw(d, 2))
		tell_size(d, at, differ_draw(d, 4) ? size + differ_draw(d, 64) : UINT32_MAX);
}

/* Of one that is cut, as many bytes as there are. */
static uint8_t *place_of(struct differ *d, uint32_t way, uint32_t size, uint32_t *there)
{
	*there = size;
	if (way == NOWHERE)
		return d->page + DIFFER_PAGE;
	if (way != CUT)
		return d->page;
	*there = 1 + differ_draw(d, size);
	fprintf(d->out, " cut at %u", *there);
	return d->page + DIFFER_PAGE - *there;
}

int differ_call(struct differ *d, unsigned long request, void *cmd)
{
	const uint32_t way = differ_draw(d, differ_draw(d, 20) ? 1 : WAYS + 1);
	const uint32_t size = size_of(cmd);
	uint32_t there;
	uint8_t *at;
	int error;

	if (!way)
		return world_ioctl(d->world, request, cmd);
	at = place_of(d, way - 1, size, &there);
	memset(d->page, 0, DIFFER_PAGE);
	if (way - 1 != NOWHERE)
		memcpy(at, cmd, there);
	if (there >= sizeof(uint32_t) && way - 1 != NOWHERE)
		spoil(d, way - 1, request, at, size);
	fprintf(d->out, " way %u", way - 1);
	if (way - 1 == READ_ONLY)
		mprotect(d->page, DIFFER_PAGE, PROT_READ);
	error = world_ioctl(d->world, request, at);
	if (way - 1 == READ_ONLY)
		mprotect(d->page, DIFFER_PAGE, PROT_READ | PROT_WRITE);
	if (way - 1 != NOWHERE)
		memcpy(cmd, at, there);
	/* Whoever reads what was answered reads what it has asked. */
	memcpy(cmd, &size, sizeof(size));
	return error;
}
