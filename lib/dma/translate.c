/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Lookups: they wait for nobody and write nothing that others read. */
#include <errno.h>
#include <limits.h>

#include "../object/ctx.h"
#include "table.h"

/* Out of the way of those that find what they look for. */
static __attribute__((noinline, cold)) int fail(const char *operation, int error,
                                                const char *address, uint64_t start,
                                                uint64_t length)
{
	const char *text = "a handle or a result pointer is NULL";

	if (error == -ECHILD)
		text = "this is a forked child: the table stays its parent's";
	else if (error == -ENOENT)
		text = "nothing is registered there";
	else if (error == -ESTALE)
		text = "what was registered there is not any more";
	else if (error == -ERANGE)
		text = "it is not contiguous as far as that";
	else if (error == -EMSGSIZE)
		text = "more segments than there is room for";
	return FAIL_LIBRARY(NULL, operation, error, text, .memory = (uintptr_t)address,
	                    .start = start, .length = length);
}

/* Nothing is at an entry, or too little. */
static int why(uint64_t entry, uint64_t room)
{
	if (room)
		return -ERANGE;
	return entry & ENTRY_GONE ? -ESTALE : -ENOENT;
}

/* How far it goes on from where @room ends, to @length at the most: past what one entry tells. */
static __attribute__((noinline)) uint64_t go_on(unsigned char *base, enum table_root root,
                                                uint64_t key, uint64_t value, uint64_t room,
                                                uint64_t length)
{
	while (room < length) {
		uint64_t more = 0;

		if (table_find(base, root, key + room, &more) != value + room || !more)
			break;
		room += more;
	}
	return room;
}

/* How much follows @key, @length at least if it is as much; 0: the value says why. */
static inline uint64_t look_up(unsigned char *base, enum table_root root, uint64_t key,
                               uint64_t length, uint64_t *value)
{
	uint64_t room;

	*value = table_find(base, root, key, &room);
	if (room < length && room)
		room = go_on(base, root, key, *value, room, length);
	return room;
}

static inline uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int libiommu_dma_table_translate(const struct libiommu_dma_table *table, const void *address,
                                 uint64_t length, uint64_t *iova, uint64_t *contiguous)
{
	uint64_t value, room;

	if (!table || !iova || !table->base)
		return fail(__func__, table && iova ? -ECHILD : -EINVAL, address, 0, length);
	room = look_up(table->base, BY_ADDRESS, (uintptr_t)address, length, &value);
	if (!room || (!contiguous && room < length))
		return fail(__func__, why(value, room), address, 0, length);
	*iova = value;
	if (contiguous)
		*contiguous = least(room, length);
	return 0;
}

int libiommu_dma_table_translate_back(const struct libiommu_dma_table *table, uint64_t iova,
                                      uint64_t length, void **address, uint64_t *contiguous)
{
	uint64_t value, room;

	if (!table || !address || !table->base)
		return fail(__func__, table && address ? -ECHILD : -EINVAL, NULL, iova, length);
	room = look_up(table->base, BY_IOVA, iova, length, &value);
	if (!room || (!contiguous && room < length))
		return fail(__func__, why(value, room), NULL, iova, length);
	*address = (void *)(uintptr_t)value;
	if (contiguous)
		*contiguous = least(room, length);
	return 0;
}

int libiommu_dma_table_translate_many(const struct libiommu_dma_table *table,
                                      void *const *addresses, size_t count, uint64_t length,
                                      uint64_t *iovas)
{
	if (!table || !table->base || (count && (!addresses || !iovas)))
		return fail(__func__, table && !table->base ? -ECHILD : -EINVAL, NULL, 0, length);
	for (size_t i = 0; i < count; i++) {
		uint64_t value, room;

		room = look_up(table->base, BY_ADDRESS, (uintptr_t)addresses[i], length, &value);
		if (!room || room < length)
			return fail(__func__, why(value, room), addresses[i], 0, length);
		iovas[i] = value;
	}
	return 0;
}

/* Whether the last of @used segments ends where @iova is. */
static inline bool goes_on(const struct libiommu_dma_segment *segments, size_t used, uint64_t iova)
{
	return used && segments[used - 1].iova + segments[used - 1].length == iova;
}

int libiommu_dma_table_gather(const struct libiommu_dma_table *table, const struct iovec *buffers,
                              size_t count, struct libiommu_dma_segment *segments, size_t room)
{
	size_t used = 0;

	if (!table || !table->base || (count && !buffers) || (room && !segments))
		return fail(__func__, table && !table->base ? -ECHILD : -EINVAL, NULL, 0, 0);
	for (size_t i = 0; i < count; i++) {
		uint64_t key = (uintptr_t)buffers[i].iov_base;
		uint64_t left = buffers[i].iov_len;

		while (left) {
			uint64_t value;
			const uint64_t found =
				least(look_up(table->base, BY_ADDRESS, key, left, &value), left);

			if (!found)
				return fail(__func__, why(value, 0), buffers[i].iov_base, 0,
				            buffers[i].iov_len);
			if (goes_on(segments, used, value))
				segments[used - 1].length += found;
			else if (used < room && used < INT_MAX)
				segments[used++] = (struct libiommu_dma_segment){value, found};
			else
				return fail(__func__, -EMSGSIZE, buffers[i].iov_base, 0,
				            buffers[i].iov_len);
			key += found;
			left -= found;
		}
	}
	return (int)used;
}
