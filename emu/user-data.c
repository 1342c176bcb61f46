/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <string.h>

#include "iommu.h"

/* More than the kernel knows is refused, whatever it is. */
static int check(const struct emu_user_data *data, uint32_t type, size_t size, size_t least)
{
	return data->type == type && data->length >= least && data->length <= size ? 0 : -EINVAL;
}

int emu_user_data_get(const struct emu_user_data *data, uint32_t type, void *to, size_t size,
                      size_t least)
{
	const int error = check(data, type, size, least);

	return error ? error : emu_get_struct(data->task, to, size, data->address, data->length);
}

int emu_user_data_put(const struct emu_user_data *data, uint32_t type, const void *from,
                      size_t size, size_t least)
{
	const int error = check(data, type, size, least);

	return error ? error : emu_put(data->task, data->address, from, data->length);
}

static uintptr_t entry_at(const struct emu_user_array *array, uint32_t index)
{
	return array->address + (uintptr_t)index * array->entry_length;
}

/* Fetches the entry and those behind it that fit; false where they are not all there. */
static bool fetch(struct emu_user_array *array, uint32_t index)
{
	const uint32_t room = sizeof(array->bytes) / array->entry_length;
	const uint32_t left = array->count - index;

	array->first = index;
	array->held = left < room ? left : room;
	if (!emu_get(array->task, array->bytes, entry_at(array, index),
	             (size_t)array->held * array->entry_length))
		return true;
	array->held = 0;
	return false;
}

static bool is_held(const struct emu_user_array *array, uint32_t index)
{
	return index >= array->first && index - array->first < array->held;
}

int emu_user_array_get(struct emu_user_array *array, uint32_t index, uint32_t type, void *to,
                       size_t size, size_t least)
{
	const struct emu_user_data entry = {
		.task = array->task,
		.type = array->type,
		.length = array->entry_length,
		.address = entry_at(array, index),
	};
	const int error = index < array->count ? check(&entry, type, size, least) : -EINVAL;

	if (error)
		return error;
	if (!is_held(array, index) && !fetch(array, index))
		return emu_user_data_get(&entry, type, to, size, least);
	memset(to, 0, size);
	memcpy(to, array->bytes + (size_t)(index - array->first) * array->entry_length,
	       array->entry_length);
	return 0;
}

int emu_user_array_each(struct emu_user_array *array, uint32_t type, size_t size, size_t least,
                        emu_entry_fn fn, void *user)
{
	uint64_t entry[EMU_USER_KNOWN_MAX / sizeof(uint64_t)];
	int error = array->type == type && size <= sizeof(entry) ? 0 : -EINVAL;
	uint32_t done = 0;

	while (!error && done < array->count) {
		error = emu_user_array_get(array, done, type, entry, size, least);
		if (!error)
			error = fn(user, entry);
		if (!error)
			done++;
	}
	array->count = done;
	return error;
}

/* Here entries may be longer, if what the kernel does not know is zero. */
int emu_user_array_get_all(const struct emu_user_array *array, uint32_t type, void *to, size_t size)
{
	if (array->type != type || !array->count)
		return -EINVAL;
	if (array->entry_length == size)
		return emu_get(array->task, to, array->address, array->count * size);
	for (uint32_t i = 0; i < array->count; i++) {
		const int error = emu_get_struct(array->task, (char *)to + i * size, size,
		                                 entry_at(array, i), array->entry_length);

		if (error)
			return error;
	}
	return 0;
}
