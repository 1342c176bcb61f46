/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Lookups: they wait for nobody and write nothing that others read. */
#include <errno.h>
#include <limits.h>

#include "../object/ctx.h"
#include "table.h"

#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

static int fail(const char *operation, int error, enum table_root root, uint64_t key,
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
	return FAIL_LIBRARY(NULL, operation, error, text, .memory = root == BY_ADDRESS ? key : 0,
	                    .start = root == BY_IOVA ? key : 0, .length = length);
}

/* The entry that has any number at all. */
static uint64_t find_any(unsigned char *base, enum table_root root, uint64_t key, uint64_t *in)
{
	*in = 0;
	return key >> TABLE_KEY_BITS ? 0 : table_find(base, root, key, in);
}

/* As much as is asked for, where one entry says so: what nearly every lookup is. */
static inline bool find_all(const struct libiommu_dma_table *table, enum table_root root,
                            uint64_t key, uint64_t length, uint64_t *value)
{
	uint64_t entry, in;

	if (UNLIKELY(!table || !table->base || key >> TABLE_KEY_BITS))
		return false;
	entry = table_find(table->base, root, key, &in);
	if (UNLIKELY(!(entry & ENTRY_VALID) || table_run(entry) - in < length))
		return false;
	*value = table_value(entry, in);
	return true;
}

/* How much goes on from @key, @length at the most; 0, -ENOENT or -ESTALE. */
static int find_part(unsigned char *base, enum table_root root, uint64_t key, uint64_t length,
                     uint64_t *value, uint64_t *contiguous)
{
	uint64_t in, room;
	uint64_t entry = find_any(base, root, key, &in);

	room = table_room(entry, in);
	if (!room)
		return entry & ENTRY_GONE ? -ESTALE : -ENOENT;
	*value = table_value(entry, in);
	while (room < length) {
		uint64_t more;

		entry = find_any(base, root, key + room, &in);
		more = table_room(entry, in);
		if (!more || table_value(entry, in) != *value + room)
			break;
		room += more;
	}
	*contiguous = room < length ? room : length;
	return 0;
}

/* All that is not as it mostly is. */
static __attribute__((noinline)) int look_up(const struct libiommu_dma_table *table,
                                             enum table_root root, uint64_t key, uint64_t length,
                                             uint64_t *value, uint64_t *contiguous,
                                             const char *operation)
{
	uint64_t found, room;
	int error;

	if (!table || !value)
		return fail(operation, -EINVAL, root, key, length);
	if (!table->base)
		return fail(operation, -ECHILD, root, key, length);
	error = find_part(table->base, root, key, length, &found, &room);
	if (!error && !contiguous && room < length)
		error = -ERANGE;
	if (error)
		return fail(operation, error, root, key, length);
	*value = found;
	if (contiguous)
		*contiguous = room;
	return 0;
}

/* With the same arguments, so that they can stay where they are. */
static __attribute__((noinline)) int translate_slowly(const struct libiommu_dma_table *table,
                                                      const void *address, uint64_t length,
                                                      uint64_t *iova, uint64_t *contiguous)
{
	return look_up(table, BY_ADDRESS, (uintptr_t)address, length, iova, contiguous,
	               "libiommu_dma_table_translate");
}

int libiommu_dma_table_translate(const struct libiommu_dma_table *table, const void *address,
                                 uint64_t length, uint64_t *iova, uint64_t *contiguous)
{
	const uint64_t key = (uintptr_t)address;

	if (UNLIKELY(!iova || !find_all(table, BY_ADDRESS, key, length, iova)))
		return translate_slowly(table, address, length, iova, contiguous);
	if (contiguous)
		*contiguous = length;
	return 0;
}

int libiommu_dma_table_translate_back(const struct libiommu_dma_table *table, uint64_t iova,
                                      uint64_t length, void **address, uint64_t *contiguous)
{
	uint64_t value = 0;
	int error;

	error = look_up(table, BY_IOVA, iova, length, address ? &value : NULL, contiguous,
	                __func__);
	if (!error)
		*address = (void *)(uintptr_t)value;
	return error;
}

int libiommu_dma_table_translate_many(const struct libiommu_dma_table *table,
                                      void *const *addresses, size_t count, uint64_t length,
                                      uint64_t *iovas)
{
	if (!table || (count && (!addresses || !iovas)))
		return fail(__func__, -EINVAL, BY_ADDRESS, 0, length);
	for (size_t i = 0; i < count; i++) {
		const uint64_t key = (uintptr_t)addresses[i];
		int error;

		if (!UNLIKELY(!find_all(table, BY_ADDRESS, key, length, &iovas[i])))
			continue;
		error = look_up(table, BY_ADDRESS, key, length, &iovas[i], NULL, __func__);
		if (error)
			return error;
	}
	return 0;
}

/* Segments that are being collected. */
struct segments {
	struct libiommu_dma_segment *list;
	size_t used;
	size_t room;
};

static inline bool append(struct segments *segments, uint64_t iova, uint64_t length)
{
	struct libiommu_dma_segment *const next = segments->list + segments->used;

	if (segments->used && next[-1].iova + next[-1].length == iova) {
		next[-1].length += length;
		return true;
	}
	if (UNLIKELY(segments->used == segments->room))
		return false;
	*next = (struct libiommu_dma_segment){iova, length};
	segments->used++;
	return true;
}

/* A buffer that is in parts, or that something is wrong with. */
static __attribute__((noinline)) int gather_parts(const struct libiommu_dma_table *table,
                                                  const struct iovec *buffer,
                                                  struct segments *segments, const char *operation)
{
	uint64_t key = (uintptr_t)buffer->iov_base;
	uint64_t left = buffer->iov_len;

	while (left) {
		uint64_t value, found;
		int error;

		error = find_part(table->base, BY_ADDRESS, key, left, &value, &found);
		if (!error && !append(segments, value, found))
			error = -EMSGSIZE;
		if (error)
			return fail(operation, error, BY_ADDRESS, (uintptr_t)buffer->iov_base,
			            buffer->iov_len);
		key += found;
		left -= found;
	}
	return 0;
}

static __attribute__((noinline)) int gather_all(const struct libiommu_dma_table *table,
                                                const struct iovec *buffers, size_t count,
                                                struct libiommu_dma_segment *segments, size_t room,
                                                const char *operation)
{
	struct segments all = {segments, 0, room < INT_MAX ? room : INT_MAX};

	if (!table || (count && !buffers) || (room && !segments))
		return fail(operation, -EINVAL, BY_ADDRESS, 0, 0);
	if (!table->base)
		return fail(operation, -ECHILD, BY_ADDRESS, 0, 0);
	for (size_t i = 0; i < count; i++) {
		const uint64_t key = (uintptr_t)buffers[i].iov_base;
		uint64_t iova;
		int error;

		if (buffers[i].iov_len &&
		    find_all(table, BY_ADDRESS, key, buffers[i].iov_len, &iova) &&
		    append(&all, iova, buffers[i].iov_len))
			continue;
		error = gather_parts(table, &buffers[i], &all, operation);
		if (error)
			return error;
	}
	return (int)all.used;
}

int libiommu_dma_table_gather(const struct libiommu_dma_table *table, const struct iovec *buffers,
                              size_t count, struct libiommu_dma_segment *segments, size_t room)
{
	uint64_t iova;

	/* What a request mostly is: one buffer, in one piece. */
	if (UNLIKELY(count != 1 || !buffers || !segments || !room || !buffers->iov_len ||
	             !find_all(table, BY_ADDRESS, (uintptr_t)buffers->iov_base, buffers->iov_len,
	                       &iova)))
		return gather_all(table, buffers, count, segments, room, __func__);
	*segments = (struct libiommu_dma_segment){iova, buffers->iov_len};
	return 1;
}
