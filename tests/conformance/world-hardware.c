/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The world of the emulated kernel: what is done behind the IOMMU. */
#include "world-emulated.h"

#include <errno.h>

int world_reserve(struct world *world, const struct libiommu_ioas *ioas, uint64_t start,
                  uint64_t length)
{
	uint32_t id = 0;

	libiommu_ioas_id(ioas, &id);
	return libiommu_emu_reserve(world->emu, world->fd, id, start, start + (length - 1));
}

int world_check_map(struct world *world, uint32_t pt_id, uint64_t iova, const void *memory,
                    uint64_t length)
{
	return libiommu_emu_check_map(world->emu, world->fd, pt_id, iova, memory, length);
}

int world_check_pins(struct world *world, const void *memory, uint64_t length, uint32_t count)
{
	return libiommu_emu_check_pins(world->emu, memory, length, count);
}

int world_write(struct world *world, const struct libiommu_hwpt *hwpt, uint64_t iova,
                uint64_t length, uint64_t page_size, const void *bitmap)
{
	uint32_t id = 0;

	libiommu_hwpt_id(hwpt, &id);
	return libiommu_emu_test_write(world->emu, world->fd, id, iova, length, page_size, bitmap);
}

int world_access(struct world *world, const struct libiommu_ioas *ioas, bool pins)
{
	uint32_t id = 0;
	int free = 0, error;

	while (free < WORLD_DRIVERS && world->drivers[free])
		free++;
	if (free == WORLD_DRIVERS)
		return -EMFILE;
	libiommu_ioas_id(ioas, &id);
	error = libiommu_emu_driver_new(world->emu, world->fd, id,
	                                pins ? LIBIOMMU_EMU_DRIVER_PINS : 0, &world->drivers[free]);
	return error ? error : free;
}

void world_access_end(struct world *world, int access)
{
	libiommu_emu_driver_free(world->drivers[access]);
	world->drivers[access] = NULL;
}

int world_access_replace(struct world *world, const struct libiommu_ioas *ioas, int access)
{
	uint32_t id = 0;

	libiommu_ioas_id(ioas, &id);
	return libiommu_emu_driver_move(world->drivers[access], id);
}

int world_access_rw(struct world *world, int access, uint64_t iova, void *buffer, uint64_t length,
                    uint32_t flags)
{
	struct libiommu_emu_driver *const driver = world->drivers[access];
	const uint32_t slow = flags & WORLD_ACCESS_SLOW ? LIBIOMMU_EMU_DRIVER_SLOW : 0;

	return flags & WORLD_ACCESS_WRITE
	               ? libiommu_emu_driver_write(driver, iova, buffer, length, slow)
	               : libiommu_emu_driver_read(driver, iova, buffer, length, slow);
}

int world_pin(struct world *world, int access, uint64_t iova, const void *memory, uint64_t length,
              uint32_t flags, uint32_t *item)
{
	return libiommu_emu_driver_pin(world->drivers[access], iova, length,
	                               flags & WORLD_ACCESS_WRITE ? LIBIOMMU_EMU_DRIVER_WRITE : 0,
	                               memory, item);
}

int world_unpin(struct world *world, int access, uint32_t item)
{
	return libiommu_emu_driver_unpin(world->drivers[access], item);
}

/* NULL: the library has it not bound. */
static struct libiommu_emu_device *find(struct world *world, const struct libiommu_device *dev)
{
	struct libiommu_emu_device *device = NULL;
	uint32_t id = 0;

	libiommu_device_id(dev, &id);
	libiommu_emu_find_device(world->emu, world->fd, id, &device);
	return device;
}

int world_device_ioctl(struct world *world, const struct libiommu_device *dev,
                       unsigned long request, void *arg)
{
	return libiommu_emu_ioctl(world->emu, libiommu_device_fd(dev), request, arg);
}

int world_check_pasid(struct world *world, struct libiommu_device *dev, uint32_t pasid,
                      uint32_t hwpt_id)
{
	uint32_t found;
	const int error = libiommu_emu_find_attached(find(world, dev), pasid, &found);

	if (error)
		return error;
	return found == hwpt_id ? 0 : -EINVAL;
}

int world_fault(struct world *world, struct libiommu_device *dev, uint32_t pasid, uint32_t group,
                uint32_t permissions, uint64_t address)
{
	/* Permissions have the numbers of the kernel's. */
	const uint32_t flags =
		permissions | LIBIOMMU_EMU_REQUEST_LAST | (pasid ? LIBIOMMU_EMU_REQUEST_PASID : 0);

	return libiommu_emu_request_page(find(world, dev), flags, pasid, group, address);
}

int world_check_iotlb(struct world *world, const struct libiommu_hwpt *hwpt, uint32_t index,
                      uint32_t value)
{
	uint32_t id = 0, cached = 0;
	int error;

	libiommu_hwpt_id(hwpt, &id);
	error = libiommu_emu_test_cached(world->emu, world->fd, id, index, &cached);
	return error || cached == value ? error : -EINVAL;
}

int world_check_cache(struct world *world, struct libiommu_device *dev, uint32_t index,
                      uint32_t value)
{
	uint32_t cached = 0;
	const int error = libiommu_emu_test_device_cached(find(world, dev), index, &cached);

	return error || cached == value ? error : -EINVAL;
}

int world_event(struct world *world, struct libiommu_device *dev)
{
	return libiommu_emu_test_event(find(world, dev));
}

int world_dmabuf(struct world *world, uint32_t length)
{
	return libiommu_emu_export(world->emu, length);
}

int world_dmabuf_revoke(struct world *world, int fd, bool revoked)
{
	return libiommu_emu_export_revoke(world->emu, fd, revoked);
}
