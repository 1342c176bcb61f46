/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Moves in address spaces, with drivers that use them. */
#include "differ.h"

#include <stdio.h>
#include <string.h>

#include "../../lib/base/uapi/iommufd.h"

/*
 * Pages that follow each other for a process do so in a machine's memory by chance only, and then
 * page tables have larger ones, which are dirty as a whole: mostly without those.
 */
static void alloc(struct differ *d)
{
	struct uapi_ioas_alloc cmd = {.size = sizeof(cmd), .flags = !differ_draw(d, 30)};
	struct differ_thing *const place = differ_place(d);
	struct uapi_option small = {.size = sizeof(small),
	                            .option_id = UAPI_OPTION_HUGE_PAGES,
	                            .op = UAPI_OPTION_OP_SET};
	const bool large = !differ_draw(d, 6);
	int error;

	if (!place)
		return;
	error = differ_call(d, UAPI_IOC_IOAS_ALLOC, &cmd);
	differ_keep(d, place, DIFFER_IOAS, cmd.out_ioas_id, -1, error);
	if (error)
		return;
	place->item = large;
	small.object_id = place->id;
	if (!large)
		fprintf(d->out, " %d", world_ioctl(d->world, UAPI_IOC_OPTION, &small));
}

/* A driver is let go; a device is closed; a queue's descriptor is closed or not. */
static void destroy(struct differ *d)
{
	struct differ_thing *const thing = differ_pick(d, 1 + differ_draw(d, DIFFER_KINDS - 1));
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = thing->id};
	int error = 0;

	if (thing->kind == DIFFER_DEVICE && differ_draw(d, 4))
		return;
	fprintf(d->out, " %d", differ_name(d, thing));
	if (thing->kind == DIFFER_DRIVER)
		world_access_end(d->world, thing->fd);
	else if (thing->kind == DIFFER_DEVICE)
		error = libiommu_device_destroy(thing->dev);
	else if (thing->fd > 0 && differ_draw(d, 2)) {
		world_close(d->world, thing->fd);
		thing->fd = -1;
	}
	if (thing->kind != DIFFER_DRIVER && thing->kind != DIFFER_DEVICE)
		error = differ_call(d, UAPI_IOC_DESTROY, &cmd);
	fprintf(d->out, " = %d", error);
	if (!error && thing->kind)
		*thing = (struct differ_thing){.fd = -1};
}

static uint32_t draw_flags(struct differ *d)
{
	uint32_t flags = UAPI_IOAS_MAP_READABLE;

	if (differ_draw(d, 5))
		flags |= UAPI_IOAS_MAP_WRITEABLE;
	if (differ_draw(d, 3))
		flags |= UAPI_IOAS_MAP_FIXED_IOVA;
	if (!differ_draw(d, 30))
		flags ^= 1U << differ_draw(d, 5);
	return flags;
}

static void map(struct differ *d)
{
	struct differ_thing *const ioas = differ_pick(d, DIFFER_IOAS);
	struct uapi_ioas_map cmd = {.size = sizeof(cmd),
	                            .flags = draw_flags(d),
	                            .reserved = !differ_draw(d, 60),
	                            .ioas_id = ioas->id,
	                            .length = differ_length(d),
	                            .iova = differ_iova(d, -1)};
	const uint64_t page = differ_draw(d, DIFFER_PAGES);
	const uint64_t offset = differ_draw(d, 12) ? 0 : MOCK_PAGE;
	int error;

	cmd.user_va = (uintptr_t)d->memory + page * DIFFER_PAGE + offset;
	fprintf(d->out, " %d flags %#x page %d+%d length %#llx iova %#llx", differ_name(d, ioas),
	        cmd.flags, (int)page, (int)offset, (unsigned long long)cmd.length,
	        (unsigned long long)cmd.iova);
	error = differ_call(d, UAPI_IOC_IOAS_MAP, &cmd);
	fprintf(d->out, " = %d", error);
	if (error)
		return;
	fprintf(d->out, " at %#llx", (unsigned long long)cmd.iova);
	differ_remember(d, differ_name(d, ioas), cmd.iova, cmd.length, page);
}

static void unmap(struct differ *d)
{
	struct differ_thing *const ioas = differ_pick(d, DIFFER_IOAS);
	struct uapi_ioas_unmap cmd = {.size = sizeof(cmd),
	                              .ioas_id = ioas->id,
	                              .iova = differ_iova(d, -1),
	                              .length = differ_length(d) * (1 + differ_draw(d, 4))};
	const struct differ_mapping *const mapping = differ_mapping(d, differ_name(d, ioas));
	const bool exact = differ_draw(d, 2);
	int error;

	if (exact && mapping) {
		cmd.iova = mapping->iova;
		cmd.length = mapping->length;
	}
	if (!differ_draw(d, 20)) {
		cmd.iova = 0;
		cmd.length = UINT64_MAX;
	}
	fprintf(d->out, " %d iova %#llx length %#llx", differ_name(d, ioas),
	        (unsigned long long)cmd.iova, (unsigned long long)cmd.length);
	error = differ_call(d, UAPI_IOC_IOAS_UNMAP, &cmd);
	fprintf(d->out, " = %d", error);
	if (!error)
		fprintf(d->out, " %#llx", (unsigned long long)cmd.length);
}

static void copy(struct differ *d)
{
	struct differ_thing *const from = differ_pick(d, DIFFER_IOAS);
	struct differ_thing *const to = differ_pick(d, DIFFER_IOAS);
	struct uapi_ioas_copy cmd = {.size = sizeof(cmd),
	                             .flags = draw_flags(d),
	                             .dst_ioas_id = to->id,
	                             .src_ioas_id = from->id,
	                             .length = differ_length(d),
	                             .dst_iova = differ_iova(d, -1),
	                             .src_iova = differ_iova(d, differ_name(d, from))};
	const struct differ_mapping *const mapping = differ_mapping(d, differ_name(d, from));
	int error;

	if (differ_draw(d, 3) && mapping) {
		cmd.src_iova = mapping->iova;
		cmd.length = mapping->length;
	}
	fprintf(d->out, " %d %#llx to %d %#llx length %#llx flags %#x", differ_name(d, from),
	        (unsigned long long)cmd.src_iova, differ_name(d, to),
	        (unsigned long long)cmd.dst_iova, (unsigned long long)cmd.length, cmd.flags);
	error = differ_call(d, UAPI_IOC_IOAS_COPY, &cmd);
	fprintf(d->out, " = %d", error);
	if (!error)
		fprintf(d->out, " at %#llx", (unsigned long long)cmd.dst_iova);
}

static void ranges(struct differ *d)
{
	struct differ_thing *const ioas = differ_pick(d, DIFFER_IOAS);
	struct uapi_iova_range room[8] = {{0, 0}};
	struct uapi_ioas_iova_ranges cmd = {.size = sizeof(cmd),
	                                    .ioas_id = ioas->id,
	                                    .num_iovas = differ_draw(d, 9),
	                                    .allowed_iovas = (uintptr_t)room};
	int error;

	fprintf(d->out, " %d room %u", differ_name(d, ioas), cmd.num_iovas);
	error = differ_call(d, UAPI_IOC_IOAS_IOVA_RANGES, &cmd);
	fprintf(d->out, " = %d count %u alignment %#llx sum %#x", error, error ? 0 : cmd.num_iovas,
	        error ? 0 : (unsigned long long)cmd.out_iova_alignment,
	        differ_sum(room, sizeof(room)));
}

static void allow(struct differ *d)
{
	struct differ_thing *const ioas = differ_pick(d, DIFFER_IOAS);
	const uint64_t start = differ_iova(d, -1);
	struct uapi_iova_range list[2] = {{start, start + differ_length(d) * 8 - 1},
	                                  {UINT64_C(0x2000000), UINT64_C(0x2ffffff)}};
	struct uapi_ioas_allow_iovas cmd = {.size = sizeof(cmd),
	                                    .ioas_id = ioas->id,
	                                    .num_iovas = differ_draw(d, 3),
	                                    .allowed_iovas = (uintptr_t)list};

	fprintf(d->out, " %d count %u %#llx %#llx = %d", differ_name(d, ioas), cmd.num_iovas,
	        (unsigned long long)list[0].start, (unsigned long long)list[0].last,
	        differ_call(d, UAPI_IOC_IOAS_ALLOW_IOVAS, &cmd));
}

static void option(struct differ *d)
{
	struct differ_thing *const ioas = differ_pick(d, DIFFER_IOAS);
	struct uapi_option cmd = {.size = sizeof(cmd),
	                          .option_id = differ_draw(d, 10) ? UAPI_OPTION_HUGE_PAGES : 7,
	                          .op = (uint16_t)differ_draw(d, 2),
	                          .object_id = ioas->id,
	                          .val64 = differ_draw(d, 3)};
	int error;

	fprintf(d->out, " %d op %u value %llu", differ_name(d, ioas), cmd.op,
	        (unsigned long long)cmd.val64);
	error = differ_call(d, UAPI_IOC_OPTION, &cmd);
	fprintf(d->out, " = %d %llu", error, error ? 0 : (unsigned long long)cmd.val64);
	if (!error && cmd.val64 && ioas->kind == DIFFER_IOAS)
		ioas->item = 1;
}

static int raw_reserve(struct differ *d, uint32_t id, uint64_t start, uint64_t length)
{
	struct libiommu_ioas *ioas;
	int error;

	if (libiommu_ioas_adopt(d->ctx, id, LIBIOMMU_ID_BORROW, &ioas))
		return 1;
	error = world_reserve(d->world, ioas, start, length);
	libiommu_ioas_destroy(ioas);
	return error;
}

static void reserve(struct differ *d)
{
	struct differ_thing *const ioas = differ_pick(d, DIFFER_IOAS);
	const uint64_t start = MOCK_APERTURE + (uint64_t)(40 + differ_draw(d, 96)) * DIFFER_PAGE;

	fprintf(d->out, " %d %#llx = %d", differ_name(d, ioas), (unsigned long long)start,
	        raw_reserve(d, ioas->id, start, DIFFER_PAGE));
}

static void pins(struct differ *d)
{
	const uint64_t page = differ_draw(d, 40);
	uint32_t count = 0;

	/* How often it is held. */
	while (count < 40 &&
	       world_check_pins(d->world, d->memory + page * DIFFER_PAGE, DIFFER_PAGE, count))
		count++;
	fprintf(d->out, " page %d: %u", (int)page, count);
}

static void driver(struct differ *d)
{
	struct differ_thing *const ioas = differ_pick(d, DIFFER_IOAS);
	struct differ_thing *const place = differ_place(d);
	const bool pin = differ_draw(d, 4);
	struct libiommu_ioas *handle;
	int made;

	if (!place || libiommu_ioas_adopt(d->ctx, ioas->id, LIBIOMMU_ID_BORROW, &handle))
		return;
	fprintf(d->out, " %d %d", differ_name(d, ioas), pin);
	made = world_access(d->world, handle, pin);
	libiommu_ioas_destroy(handle);
	differ_keep(d, place, DIFFER_DRIVER, 0, made, made);
	place->on = differ_name(d, ioas);
}

static void driver_rw(struct differ *d)
{
	struct differ_thing *const thing = differ_pick(d, DIFFER_DRIVER);
	const uint64_t iova = differ_iova(d, differ_base(d, thing)) + differ_draw(d, 4096);
	const uint32_t flags =
		differ_draw(d, 2) * WORLD_ACCESS_WRITE + differ_draw(d, 2) * WORLD_ACCESS_SLOW;
	const uint64_t length = 1 + differ_draw(d, 3000);
	uint8_t buffer[3000];
	int error;

	if (thing->kind != DIFFER_DRIVER)
		return;
	memset(buffer, (int)differ_draw(d, 256), sizeof(buffer));
	error = world_access_rw(d->world, thing->fd, iova, buffer, length, flags);
	fprintf(d->out, " %d %#llx %d flags %#x = %d sum %#x memory %#x", differ_name(d, thing),
	        (unsigned long long)iova, (int)length, flags, error,
	        error ? 0 : differ_sum(buffer, length),
	        flags & WORLD_ACCESS_WRITE ? differ_sum_memory(d) : 0);
}

static void driver_pin(struct differ *d)
{
	struct differ_thing *const thing = differ_pick(d, DIFFER_DRIVER);
	const struct differ_mapping *const mapping = differ_mapping(d, differ_base(d, thing));
	uint64_t iova = differ_iova(d, differ_base(d, thing)), length = differ_length(d);
	const bool writes = differ_draw(d, 2);
	uint32_t item = 0;
	int error;

	if (differ_draw(d, 2) && mapping) {
		iova = mapping->iova;
		length = mapping->length;
	}
	/* The kernel's own test driver has no more room. */
	if (thing->kind != DIFFER_DRIVER || length > 16 << 20)
		return;
	error = world_pin(d->world, thing->fd, iova, NULL, length, writes, &item);
	fprintf(d->out, " %d %#llx %#llx writes %d = %d", differ_name(d, thing),
	        (unsigned long long)iova, (unsigned long long)length, writes, error);
	if (!error)
		thing->item = item;
}

static void driver_unpin(struct differ *d)
{
	struct differ_thing *const thing = differ_pick(d, DIFFER_DRIVER);

	if (thing->kind == DIFFER_DRIVER)
		fprintf(d->out, " %d item %u = %d", differ_name(d, thing), thing->item,
		        world_unpin(d->world, thing->fd, thing->item));
}

static void driver_move(struct differ *d)
{
	struct differ_thing *const thing = differ_pick(d, DIFFER_DRIVER);
	struct differ_thing *const ioas = differ_pick(d, DIFFER_IOAS);
	struct libiommu_ioas *handle;
	int error;

	if (thing->kind != DIFFER_DRIVER ||
	    libiommu_ioas_adopt(d->ctx, ioas->id, LIBIOMMU_ID_BORROW, &handle))
		return;
	error = world_access_replace(d->world, handle, thing->fd);
	fprintf(d->out, " %d to %d = %d", differ_name(d, thing), differ_name(d, ioas), error);
	if (!error)
		thing->on = differ_name(d, ioas);
	libiommu_ioas_destroy(handle);
}

const struct differ_move differ_spaces[] = {
	{"alloc", alloc, 1},
	{"destroy", destroy, 4},
	{"map", map, 24},
	{"unmap", unmap, 12},
	{"copy", copy, 12},
	{"ranges", ranges, 5},
	{"allow", allow, 2},
	{"option", option, 1},
	{"reserve", reserve, 1},
	{"pins", pins, 6},
	{"driver", driver, 1},
	{"driver-rw", driver_rw, 8},
	{"driver-pin", driver_pin, 6},
	{"driver-unpin", driver_unpin, 2},
	{"driver-move", driver_move, 1},
	{NULL, NULL, 0},
};
