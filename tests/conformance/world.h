/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the behaviours need beyond the public API: a kernel to run on, and somebody behind the IOMMU
 * who does what hardware does. The kernel's own test driver is one such world; any other has an
 * IOMMU of the same formats, which mock-format.h has.
 *
 * Calls return 0, or what else they say, or -errno. None of them takes part in the library's
 * bookkeeping of failures.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <libiommu.h>

#include "../vm/mock-format.h"

struct world;

/* What not every world has. */
enum world_needs {
	WORLD_PASIDS = 1U << 0,
	WORLD_MAP_FILE = 1U << 1,
	WORLD_CHANGE_PROCESS = 1U << 2,
	WORLD_VIOMMUS = 1U << 3,
	WORLD_VEVENTQS = 1U << 4,
	WORLD_HW_QUEUES = 1U << 5,
	WORLD_DMABUFS = 1U << 6,
	WORLD_HUGE_TABLES = 1U << 7,
	WORLD_FAILING_MEMORY = 1U << 8,
	WORLD_HUGE_MEMORY = 1U << 9, /* large pages of the processor */
	WORLD_ROOT = 1U << 10,
	WORLD_PLAIN_FAULTS = 1U << 11 /* page requests through tables that are not nested */
};

/* Kinds of devices. */
#define WORLD_DEV_PASIDS   (1U << 0)
#define WORLD_DEV_NO_DIRTY (1U << 1)

/* NULL where there is none; says why. One at a time. */
struct world *world_new(void);
void world_free(struct world *world);
/* Why not, for the first of these that it has not; NULL if it has them all. */
const char *world_lacks(const struct world *world, uint32_t needs);

/* What is large and aligned to it must be a large page of the processor, to be large to it. */
bool world_wants_huge_pages(const struct world *world);

/* A context of the library in this world. All that follows is about the one that was made last. */
struct libiommu_ctx *world_ctx(struct world *world);
/*
 * Another on the same descriptor, as a child has, which remembers where something is mapped that
 * cannot go to another process; NULL: it cannot be made.
 */
struct libiommu_ctx *world_ctx_again(struct world *world);
/* A name for libiommu_device_open_node(); each time it is opened it is another device. */
const char *world_node(uint32_t kind);
/* A call past the library on that descriptor. */
int world_ioctl(struct world *world, unsigned long request, void *arg);
/* The same on a descriptor of it, or of something in it. */
ssize_t world_read_fd(struct world *world, int fd, void *buffer, size_t size);
ssize_t world_write_fd(struct world *world, int fd, const void *buffer, size_t size);
void world_close(struct world *world, int fd);
void *world_mmap(struct world *world, size_t length, int prot, int flags, uint64_t offset);
void world_munmap(struct world *world, void *address, size_t length);
/* KiB that are pinned for a process and, where @locked, charged as locked memory. */
long world_charged(struct world *world, pid_t pid, bool locked);

/* A call past the library on a device's descriptor. */
int world_device_ioctl(struct world *world, const struct libiommu_device *dev,
                       unsigned long request, void *arg);
/* The same, to attach; PASID 0 is without one. */
int world_attach(struct world *world, const struct libiommu_device *dev, uint32_t pasid,
                 uint32_t pt_id);
/* Only a PASID can be detached. */
int world_detach(struct world *world, const struct libiommu_device *dev, uint32_t pasid);

/* The memory that the kernel has for the work of one call; 0 is as much as normally. */
int world_set_memory_limit(struct world *world, uint32_t bytes);
/* From now on the @nth allocation of this thread in the kernel fails, counted from 1. */
int world_fail_allocation(struct world *world, unsigned int nth);
/* No longer; 1 if one has failed, 0 if there were not so many. */
int world_stop_failing(struct world *world);

/* An address space gets a range that nobody may use, as devices bring them. */
int world_reserve(struct world *world, const struct libiommu_ioas *ioas, uint64_t start,
                  uint64_t length);
/* The page table @pt_id has this memory at @iova, page by page. */
int world_check_map(struct world *world, uint32_t pt_id, uint64_t iova, const void *memory,
                    uint64_t length);
/* The kernel holds each page of this memory @count times; -EIO: it does not. */
int world_check_pins(struct world *world, const void *memory, uint64_t length, uint32_t count);
/* The hardware writes the pages of a page table that @bitmap has; 0 or -errno. */
int world_write(struct world *world, const struct libiommu_hwpt *hwpt, uint64_t iova,
                uint64_t length, uint64_t page_size, const void *bitmap);

/*
 * A driver in the kernel that uses an address space without an IOMMU, as mediated devices do: named
 * by a number of its own, which is 0 or more.
 */
int world_access(struct world *world, const struct libiommu_ioas *ioas, bool pins);
void world_access_end(struct world *world, int access);
int world_access_replace(struct world *world, const struct libiommu_ioas *ioas, int access);
#define WORLD_ACCESS_WRITE (1U << 0)
#define WORLD_ACCESS_SLOW  (1U << 2) /* not through the page that is pinned already */
int world_access_rw(struct world *world, int access, uint64_t iova, void *buffer, uint64_t length,
                    uint32_t flags);
/* Pins, and compares with @memory unless that is NULL; -EBADE: it is other memory. */
int world_pin(struct world *world, int access, uint64_t iova, const void *memory, uint64_t length,
              uint32_t flags, uint32_t *item);
int world_unpin(struct world *world, int access, uint32_t item);

/* The page table at the PASID, 0 for none, is this one. */
int world_check_pasid(struct world *world, struct libiommu_device *dev, uint32_t pasid,
                      uint32_t hwpt_id);
/* The device asks for a page; PASID 0 is without one. */
int world_fault(struct world *world, struct libiommu_device *dev, uint32_t pasid, uint32_t group,
                uint32_t permissions, uint64_t address);

/* What a nested page table, or a device, has cached there is this. */
int world_check_iotlb(struct world *world, const struct libiommu_hwpt *hwpt, uint32_t index,
                      uint32_t value);
int world_check_cache(struct world *world, struct libiommu_device *dev, uint32_t index,
                      uint32_t value);
/* An event about a device that is attached to a page table of a vIOMMU. */
int world_event(struct world *world, struct libiommu_device *dev);

/* A descriptor of memory of a device. */
int world_dmabuf(struct world *world, uint32_t length);
int world_dmabuf_revoke(struct world *world, int fd, bool revoked);

#endif
