/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The world of the kernel's own test driver: what is done behind the IOMMU. */
#include "world-kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../vm/mock-cmd.h"

int world_reserve(struct world *world, const struct libiommu_ioas *ioas, uint64_t start,
                  uint64_t length)
{
	struct mock_cmd cmd = {.op = MOCK_OP_RESERVE, .u.reserve = {start, length}};

	libiommu_ioas_id(ioas, &cmd.id);
	return mock_command(world->fd, &cmd);
}

int world_check_map(struct world *world, uint32_t pt_id, uint64_t iova, const void *memory,
                    uint64_t length)
{
	struct mock_cmd cmd = {
		.op = MOCK_OP_CHECK_MAP, .id = pt_id, .u.map = {iova, length, (uintptr_t)memory}};

	return mock_command(world->fd, &cmd);
}

int world_check_pins(struct world *world, const void *memory, uint64_t length, uint32_t count)
{
	struct mock_cmd cmd = {.op = MOCK_OP_CHECK_PINS,
	                       .u.pins = {length, (uintptr_t)memory, count}};

	return mock_command(world->fd, &cmd);
}

/* Older drivers understand pages of their own size only: the first of each is written. */
int world_write(struct world *world, const struct libiommu_hwpt *hwpt, uint64_t iova,
                uint64_t length, uint64_t page_size, const void *bitmap)
{
	uint8_t *const bits = calloc(1, length / MOCK_PAGE / 8 + 1);
	struct mock_cmd cmd = {.op = MOCK_OP_DIRTY,
	                       .u.dirty = {.iova = iova,
	                                   .length = length,
	                                   .page_size = MOCK_PAGE,
	                                   .bitmap = (uintptr_t)bits}};
	int error;

	if (!bits)
		return -ENOMEM;
	for (uint64_t at = 0; at < length; at += page_size)
		if (((const uint8_t *)bitmap)[at / page_size / 8] >> at / page_size % 8 & 1)
			bits[at / MOCK_PAGE / 8] |= (uint8_t)(1U << at / MOCK_PAGE % 8);
	libiommu_hwpt_id(hwpt, &cmd.id);
	error = mock_command(world->fd, &cmd);
	free(bits);
	return error;
}

/* The driver gives out descriptors. */
int world_access(struct world *world, const struct libiommu_ioas *ioas, bool pins)
{
	struct mock_cmd cmd = {.op = MOCK_OP_ACCESS, .u.access.flags = pins};
	int error;

	libiommu_ioas_id(ioas, &cmd.id);
	error = mock_command(world->fd, &cmd);
	return error ? error : (int)cmd.u.access.out_fd;
}

void world_access_end(struct world *world, int access)
{
	(void)world;
	close(access);
}

int world_access_replace(struct world *world, const struct libiommu_ioas *ioas, int access)
{
	struct mock_cmd cmd = {.op = MOCK_OP_ACCESS_REPLACE, .id = (uint32_t)access};

	libiommu_ioas_id(ioas, &cmd.u.access_replace.ioas);
	return mock_command(world->fd, &cmd);
}

int world_access_rw(struct world *world, int access, uint64_t iova, void *buffer, uint64_t length,
                    uint32_t flags)
{
	struct mock_cmd cmd = {.op = MOCK_OP_READ_WRITE,
	                       .id = (uint32_t)access,
	                       .u.rw = {iova, length, (uintptr_t)buffer, flags}};

	return mock_command(world->fd, &cmd);
}

int world_pin(struct world *world, int access, uint64_t iova, const void *memory, uint64_t length,
              uint32_t flags, uint32_t *item)
{
	struct mock_cmd cmd = {.op = MOCK_OP_PIN,
	                       .id = (uint32_t)access,
	                       .u.pin = {.flags = flags,
	                                 .iova = iova,
	                                 .length = length,
	                                 .memory = (uintptr_t)memory}};
	const int error = mock_command(world->fd, &cmd);

	if (!error)
		*item = cmd.u.pin.out_item;
	return error;
}

int world_unpin(struct world *world, int access, uint32_t item)
{
	struct mock_cmd cmd = {.op = MOCK_OP_UNPIN, .id = (uint32_t)access, .u.unpin.item = item};

	return mock_command(world->fd, &cmd);
}

int world_device_ioctl(struct world *world, const struct libiommu_device *dev,
                       unsigned long request, void *arg)
{
	return mock_device_ioctl(world->mock, libiommu_device_fd(dev), request, arg);
}

int world_check_pasid(struct world *world, struct libiommu_device *dev, uint32_t pasid,
                      uint32_t hwpt_id)
{
	return mock_check_pasid(world->mock, dev, pasid, hwpt_id);
}

int world_fault(struct world *world, struct libiommu_device *dev, uint32_t pasid, uint32_t group,
                uint32_t permissions, uint64_t address)
{
	return mock_fault(world->mock, dev, pasid, group, permissions, address);
}

static int check(struct world *world, uint32_t op, uint32_t id, uint32_t index, uint32_t value)
{
	struct mock_cmd cmd = {.op = op, .id = id, .u.check = {index, value}};

	return mock_command(world->fd, &cmd);
}

int world_check_iotlb(struct world *world, const struct libiommu_hwpt *hwpt, uint32_t index,
                      uint32_t value)
{
	uint32_t id = 0;

	libiommu_hwpt_id(hwpt, &id);
	return check(world, MOCK_OP_CHECK_IOTLB, id, index, value);
}

int world_check_cache(struct world *world, struct libiommu_device *dev, uint32_t index,
                      uint32_t value)
{
	uint32_t id = 0;

	libiommu_device_id(dev, &id);
	return check(world, MOCK_OP_CHECK_CACHE, id, index, value);
}

int world_event(struct world *world, struct libiommu_device *dev)
{
	struct mock_cmd cmd = {.op = MOCK_OP_EVENT};

	libiommu_device_id(dev, &cmd.u.event.dev_id);
	return mock_command(world->fd, &cmd);
}

/* Some kernels return 0 and not the descriptor, which is the lowest that is free. */
int world_dmabuf(struct world *world, uint32_t length)
{
	struct mock_cmd cmd = {.op = MOCK_OP_DMABUF, .u.dmabuf = {length, O_RDWR | O_CLOEXEC}};
	const int lowest = fcntl(world->fd, F_DUPFD_CLOEXEC, 0);
	int result;

	if (lowest < 0)
		return -errno;
	close(lowest);
	cmd.size = sizeof(cmd);
	result = world_ioctl(world, MOCK_CMD, &cmd);
	return result ? result : lowest;
}

int world_dmabuf_revoke(struct world *world, int fd, bool revoked)
{
	struct mock_cmd cmd = {.op = MOCK_OP_DMABUF_REVOKE, .u.dmabuf_revoke = {fd, revoked}};

	return mock_command(world->fd, &cmd);
}
