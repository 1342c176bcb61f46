/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Which I/O virtual addresses there are, and which of them the kernel chooses. */
#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "area.h"
#include "heap.h"
#include "map.h"

/* The kernel does not align to more than the processor's large pages. */
#define MOST_ALIGNED (UINT64_C(2) << 20)

/* What is looked for. */
struct wanted {
	uint64_t length;
	uint64_t alignment;
	uint64_t offset; /* into a page */
};

/* The place in what is free, which the kernel takes to be too small where one byte is left. */
static bool place(const struct wanted *wanted, uint64_t start, uint64_t last, uint64_t *iova)
{
	uint64_t at = start + wanted->alignment - 1;

	if (at < start)
		return false;
	at = (at & ~(wanted->alignment - 1)) | wanted->offset;
	if (at >= last || last - at < wanted->length - 1)
		return false;
	*iova = at;
	return true;
}

/* Between two mappings. */
static bool place_unmapped(const struct emu_ioas *ioas, const struct wanted *wanted, uint64_t from,
                           uint64_t last, uint64_t *iova)
{
	uint64_t start, end;

	while (emu_ranges_gap(&ioas->areas, from, last, wanted->length, &start, &end)) {
		if (place(wanted, start, end, iova))
			return true;
		if (end == last)
			return false;
		from = end + 1;
	}
	return false;
}

static bool place_usable(const struct emu_ioas *ioas, const struct wanted *wanted, uint64_t from,
                         uint64_t last, uint64_t *iova)
{
	uint64_t start, end;

	while (emu_ioas_usable(ioas, from, &start, &end) && start <= last) {
		if (place_unmapped(ioas, wanted, start, end < last ? end : last, iova))
			return true;
		if (end >= last)
			return false;
		from = end + 1;
	}
	return false;
}

/* Ranges that touch are one. */
static bool next_allowed(const struct emu_ioas *ioas, uint64_t from, uint64_t *start,
                         uint64_t *last)
{
	const struct emu_range *range = emu_ranges_meet_one(&ioas->allowed, from, UINT64_MAX);

	if (!range)
		return false;
	*start = range->start > from ? range->start : from;
	*last = range->last;
	while ((range = emu_ranges_next(range)) && range->start == *last + 1)
		*last = range->last;
	return true;
}

/* The kernel looks no further down than the first place in what is allowed, used or not. */
static bool place_in(const struct emu_ioas *ioas, const struct wanted *wanted, uint64_t start,
                     uint64_t last, uint64_t *iova)
{
	uint64_t from;

	return place(wanted, start, last, &from) && place_usable(ioas, wanted, from, last, iova);
}

static bool place_allowed(const struct emu_ioas *ioas, const struct wanted *wanted, uint64_t *iova)
{
	const uint64_t highest = UINT64_MAX - EMU_PAGE;
	uint64_t from = EMU_PAGE, start, last;

	if (!ioas->allowed.root)
		return place_in(ioas, wanted, from, highest, iova);
	while (next_allowed(ioas, from, &start, &last) && start <= highest) {
		if (place_in(ioas, wanted, start, last < highest ? last : highest, iova))
			return true;
		if (last >= highest)
			return false;
		from = last + 1;
	}
	return false;
}

static uint64_t power_of_two(uint64_t least)
{
	uint64_t power = 1;

	while (power < least)
		power *= 2;
	return power;
}

int emu_iova_choose(struct emu_ioas *ioas, uint64_t start, uint64_t length, uint64_t *iova)
{
	struct wanted wanted = {.length = length, .offset = start % EMU_PAGE};

	if (!length || length >= UINT64_MAX / 2)
		return -EOVERFLOW;
	/* As the source is, so that large pages meet large pages. */
	wanted.alignment = power_of_two(length);
	if (start && wanted.alignment > (start & -start))
		wanted.alignment = start & -start;
	if (wanted.alignment > MOST_ALIGNED)
		wanted.alignment = MOST_ALIGNED;
	if (wanted.alignment < ioas->alignment)
		return -EINVAL;
	return place_allowed(ioas, &wanted, iova) ? 0 : -ENOSPC;
}

int emu_iova_check(struct emu_ioas *ioas, uint64_t iova, uint64_t length)
{
	const uint64_t last = iova + length - 1;

	if (iova % ioas->alignment)
		return -EINVAL;
	if (last < iova)
		return -EOVERFLOW;
	if (emu_ranges_meet(&ioas->reserved, iova, last))
		return -EINVAL;
	return emu_ranges_meet_one(&ioas->areas, iova, last) ? -EEXIST : 0;
}

/* One after the other to the caller, as far as there is room. */
static int tell_ranges(struct emu_call *call, const struct emu_ioas *ioas, uint32_t room)
{
	struct uapi_ioas_iova_ranges *const cmd = call->cmd;
	struct uapi_iova_range range;
	uint64_t start, last = 0;
	bool more = emu_ioas_usable(ioas, 0, &start, &last);

	while (more) {
		range = (struct uapi_iova_range){.start = start, .last = last};
		if (cmd->num_iovas < room &&
		    emu_put(call->task,
		            (uintptr_t)cmd->allowed_iovas + cmd->num_iovas * sizeof(range), &range,
		            sizeof(range)))
			return -EFAULT;
		cmd->num_iovas++;
		more = last != UINT64_MAX && emu_ioas_usable(ioas, last + 1, &start, &last);
	}
	return 0;
}

int emu_ioas_iova_ranges(struct emu_call *call)
{
	struct uapi_ioas_iova_ranges *const cmd = call->cmd;
	const uint32_t room = cmd->num_iovas;
	const struct emu_ioas *ioas;
	int error;

	if (cmd->reserved)
		return -EOPNOTSUPP;
	ioas = emu_ioas_find(call->ctx, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;
	cmd->num_iovas = 0;
	cmd->out_iova_alignment = ioas->alignment;
	error = tell_ranges(call, ioas, room);
	if (!error)
		error = emu_call_respond(call);
	if (!error && cmd->num_iovas > room)
		error = -EMSGSIZE;
	return error;
}

void emu_allowed_end(struct emu_ranges *allowed)
{
	struct emu_range *range;

	while ((range = emu_ranges_first(allowed))) {
		emu_ranges_remove(allowed, range);
		emu_release(range);
	}
}

static int load(struct emu_call *call, struct emu_ranges *allowed)
{
	const struct uapi_ioas_allow_iovas *const cmd = call->cmd;
	struct uapi_iova_range given;
	struct emu_range *range;

	for (uint32_t i = 0; i < cmd->num_iovas; i++) {
		if (emu_get(call->task, &given, (uintptr_t)cmd->allowed_iovas + i * sizeof(given),
		            sizeof(given)))
			return -EFAULT;
		if (given.start >= given.last || emu_ranges_meet(allowed, given.start, given.last))
			return -EINVAL;
		range = emu_alloc(sizeof(*range));
		if (!range)
			return -ENOMEM;
		range->start = given.start;
		range->last = given.last;
		emu_ranges_add(allowed, range);
	}
	return 0;
}

static bool any_reserved(const struct emu_ioas *ioas, const struct emu_ranges *allowed)
{
	const struct emu_range *range = emu_ranges_first(allowed);

	while (range && !emu_ranges_meet(&ioas->reserved, range->start, range->last))
		range = emu_ranges_next(range);
	return range;
}

int emu_ioas_allow_iovas(struct emu_call *call)
{
	const struct uapi_ioas_allow_iovas *const cmd = call->cmd;
	struct emu_ranges allowed = {NULL, NULL}, old;
	struct emu_ioas *ioas;
	int error;

	if (cmd->reserved)
		return -EOPNOTSUPP;
	ioas = emu_ioas_find(call->ctx, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;
	error = load(call, &allowed);
	if (!error && any_reserved(ioas, &allowed))
		error = -EADDRINUSE;
	old = error ? allowed : ioas->allowed;
	if (!error)
		ioas->allowed = allowed;
	emu_allowed_end(&old);
	return error;
}
