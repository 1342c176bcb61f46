/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "dma-model.h"

#include "../../lib/base/uapi/vhost.h"

#define MAX_MAPPINGS 2048
#define MAX_RANGES   4
#define FIRST_IOVA   UINT64_C(0x100000)

struct space {
	struct maps_mapping mappings[MAX_MAPPINGS];
	struct libiommu_iova_range ranges[MAX_RANGES];
	size_t range_count;
	uint64_t next; /* where the next automatic mapping goes */
};

static struct space spaces[MAPS_IOAS + 1];
static unsigned long fail_request;
static unsigned int fail_countdown;
static int fail_error;
static bool fail_happened;
static unsigned long fail_always;
static int always_error;
static uint32_t next_id;
static unsigned int calls;
static uint64_t alignment;
static void (*on_map)(uint64_t iova);
static uint64_t vdpa_features;
static struct libiommu_iova_range vdpa_range;

static bool overlaps(const struct maps_mapping *mapping, uint64_t iova, uint64_t length)
{
	return mapping->used && mapping->iova < iova + length &&
	       iova < mapping->iova + mapping->length;
}

static bool is_allowed(const struct space *space, uint64_t iova, uint64_t length)
{
	for (size_t i = 0; i < space->range_count; i++)
		if (iova >= space->ranges[i].start && iova + (length - 1) <= space->ranges[i].last)
			return true;
	return false;
}

static int add(uint32_t id, uint32_t flags, uint64_t *iova, uint64_t length, uint64_t memory,
               bool copied)
{
	struct space *const space = &spaces[id];
	struct maps_mapping *at = NULL;

	assert_true(id && id <= MAPS_IOAS);
	if (!(flags & UAPI_IOAS_MAP_FIXED_IOVA)) {
		*iova = space->next;
		space->next += length;
	}
	if (!length || (*iova | length) & (alignment - 1) || !is_allowed(space, *iova, length))
		return -EINVAL;
	for (size_t i = 0; i < MAX_MAPPINGS; i++) {
		if (overlaps(&space->mappings[i], *iova, length))
			return -EEXIST;
		if (!space->mappings[i].used && !at)
			at = &space->mappings[i];
	}
	assert_non_null(at);
	*at = (struct maps_mapping){*iova, length, memory, flags & 6, copied, true};
	return 0;
}

const struct maps_mapping *maps_find(uint32_t ioas, uint64_t iova)
{
	for (size_t i = 0; i < MAX_MAPPINGS; i++)
		if (overlaps(&spaces[ioas].mappings[i], iova, 1))
			return &spaces[ioas].mappings[i];
	return NULL;
}

size_t maps_count(uint32_t ioas)
{
	size_t count = 0;

	for (size_t i = 0; i < MAX_MAPPINGS; i++)
		count += spaces[ioas].mappings[i].used;
	return count;
}

static int copy(struct uapi_ioas_copy *cmd)
{
	const struct maps_mapping *const from = maps_find(cmd->src_ioas_id, cmd->src_iova);

	if (!from || from->iova + from->length < cmd->src_iova + cmd->length)
		return -ENOENT;
	if (cmd->flags & UAPI_IOAS_MAP_WRITEABLE && !(from->flags & UAPI_IOAS_MAP_WRITEABLE))
		return -EPERM;
	return add(cmd->dst_ioas_id, cmd->flags, &cmd->dst_iova, cmd->length,
	           from->memory + (cmd->src_iova - from->iova), true);
}

/* Whole mappings only. */
static int unmap(struct uapi_ioas_unmap *cmd)
{
	struct space *const space = &spaces[cmd->ioas_id];
	uint64_t done = 0;

	for (size_t i = 0; i < MAX_MAPPINGS; i++)
		if (overlaps(&space->mappings[i], cmd->iova, cmd->length) &&
		    (space->mappings[i].iova < cmd->iova ||
		     space->mappings[i].iova + space->mappings[i].length > cmd->iova + cmd->length))
			return -ENOENT;
	for (size_t i = 0; i < MAX_MAPPINGS; i++)
		if (overlaps(&space->mappings[i], cmd->iova, cmd->length)) {
			space->mappings[i].used = false;
			done += space->mappings[i].length;
		}
	cmd->length = done;
	return done ? 0 : -ENOENT;
}

static int give_ranges(struct uapi_ioas_iova_ranges *cmd)
{
	const struct space *const space = &spaces[cmd->ioas_id];
	const uint32_t room = cmd->num_iovas;

	cmd->num_iovas = (uint32_t)space->range_count;
	cmd->out_iova_alignment = alignment;
	if (room < space->range_count)
		return -EMSGSIZE;
	memcpy((void *)(uintptr_t)cmd->allowed_iovas, space->ranges,
	       space->range_count * sizeof(space->ranges[0]));
	return 0;
}

/* Of a vDPA device, whose messages are the test's own. */
static int vdpa_ioctl(unsigned long request, void *arg)
{
	switch (request) {
	case UAPI_IOC_VHOST_GET_BACKEND_FEATURES:
		*(uint64_t *)arg = vdpa_features;
		return 0;
	case UAPI_IOC_VHOST_VDPA_GET_IOVA_RANGE:
		*(struct uapi_vhost_vdpa_iova_range *)arg =
			(struct uapi_vhost_vdpa_iova_range){vdpa_range.start, vdpa_range.last};
		return 0;
	case UAPI_IOC_VHOST_VDPA_GET_AS_NUM:
	case UAPI_IOC_VHOST_VDPA_GET_GROUP_NUM:
		*(uint32_t *)arg = 2;
		return 0;
	default:
		return 0;
	}
}

static int maps_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	struct uapi_ioas_map *const map = arg;
	struct uapi_ioas_map_file *const file = arg;

	(void)user, (void)fd;
	calls++;
	if (request == fail_request && fail_countdown && !--fail_countdown) {
		fail_happened = true;
		return fail_error;
	}
	if (request == fail_always)
		return always_error;
	switch (request) {
	case UAPI_IOC_IOAS_ALLOC:
		((struct uapi_ioas_alloc *)arg)->out_ioas_id = next_id++;
		return 0;
	case UAPI_IOC_IOAS_MAP:
		if (on_map)
			on_map(map->iova);
		return add(map->ioas_id, map->flags, &map->iova, map->length, map->user_va, false);
	case UAPI_IOC_IOAS_MAP_FILE:
		return add(file->ioas_id, file->flags, &file->iova, file->length, file->start,
		           false);
	case UAPI_IOC_IOAS_COPY:
		return copy(arg);
	case UAPI_IOC_IOAS_UNMAP:
		return unmap(arg);
	case UAPI_IOC_IOAS_IOVA_RANGES:
		return give_ranges(arg);
	case UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD:
		((struct uapi_vfio_device_bind_iommufd *)arg)->out_devid = 77;
		return 0;
	default:
		return vdpa_ioctl(request, arg);
	}
}

void maps_set_vdpa(uint64_t features, const struct libiommu_iova_range *range)
{
	vdpa_features = features;
	vdpa_range = *range;
}

void maps_set_alignment(uint64_t bytes)
{
	alignment = bytes;
}

void maps_on_map(void (*function)(uint64_t iova))
{
	on_map = function;
}

void maps_set_ranges(uint32_t ioas, const struct libiommu_iova_range *ranges, size_t count)
{
	assert_true(count <= MAX_RANGES);
	memcpy(spaces[ioas].ranges, ranges, count * sizeof(*ranges));
	spaces[ioas].range_count = count;
}

struct libiommu_ctx *maps_ctx(void)
{
	static const struct libiommu_iova_range all = {0, (UINT64_C(1) << 48) - 1};
	struct libiommu_ctx *const ctx = ring_ctx();

	memset(spaces, 0, sizeof(spaces));
	for (uint32_t i = 1; i <= MAPS_IOAS; i++) {
		maps_set_ranges(i, &all, 1);
		spaces[i].next = FIRST_IOVA;
	}
	next_id = 1;
	alignment = 4096;
	on_map = NULL;
	maps_fail_nth(0, 0, 0);
	maps_fail_all(0, 0);
	door_on_ioctl(maps_ioctl);
	maps_calls();
	return ctx;
}

void maps_fail_nth(unsigned long request, unsigned int nth, int error)
{
	fail_request = request;
	fail_countdown = nth;
	fail_error = error;
	fail_happened = false;
}

void maps_fail_all(unsigned long request, int error)
{
	fail_always = request;
	always_error = error;
}

bool maps_failed(void)
{
	fail_countdown = 0;
	return fail_happened;
}

unsigned int maps_calls(void)
{
	const unsigned int made = calls;

	calls = 0;
	return made;
}
