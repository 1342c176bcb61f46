/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The world of the emulated kernel, and contexts in it. */
#include "world-emulated.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* One at a time; the names of devices are of it. */
static struct world the_world;

struct world *world_new(void)
{
	struct world *const world = &the_world;

	world->fd = -1;
	if (libiommu_emu_new(&world->emu) || libiommu_emu_serve(world->emu) ||
	    libiommu_emu_iommu_add_test(world->emu, &world->iommu))
		abort();
	return world;
}

void world_free(struct world *world)
{
	if (world && libiommu_emu_destroy(world->emu)) {
		printf("# something of the machine is still open\n");
		abort();
	}
}

/* It has all that there is; the host decides about one thing only. */
const char *world_lacks(const struct world *world, uint32_t needs)
{
	(void)world;
	return needs & WORLD_ROOT && geteuid() ? "not the superuser" : NULL;
}

bool world_wants_huge_pages(const struct world *world)
{
	(void)world;
	return false;
}

/* On a descriptor, or on a new one where that is negative; NULL: it cannot be made. */
static struct libiommu_ctx *make_ctx(struct world *world, int fd)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *ctx = NULL;

	if (libiommu_ctx_config_new(&config))
		return NULL;
	if (!libiommu_ctx_config_set_sys(config, libiommu_emu_door(world->emu)) &&
	    (fd < 0 || !(libiommu_ctx_config_set_fd(config, fd, LIBIOMMU_FD_BORROW) ||
	                 libiommu_ctx_config_set_remember(config, true))))
		libiommu_ctx_new(config, &ctx);
	libiommu_ctx_config_free(config);
	return ctx;
}

struct libiommu_ctx *world_ctx(struct world *world)
{
	struct libiommu_ctx *const ctx = make_ctx(world, -1);
	char text[256];

	if (!ctx) {
		libiommu_failure_text(text, sizeof(text));
		printf("# no context: %s\n", text);
		fflush(stdout);
		abort();
	}
	world->fd = libiommu_ctx_fd(ctx);
	return ctx;
}

struct libiommu_ctx *world_ctx_again(struct world *world)
{
	return make_ctx(world, world->fd);
}

static int add_device(struct world *world, uint32_t kind)
{
	struct libiommu_emu_device_config *config;
	struct libiommu_emu_device *device;
	uint32_t flags = LIBIOMMU_EMU_DEVICE_PAGE_REQUESTS;
	int error = libiommu_emu_device_config_new(&config);

	if (error)
		return error;
	if (kind & WORLD_DEV_NO_DIRTY)
		flags |= LIBIOMMU_EMU_DEVICE_NO_DIRTY;
	libiommu_emu_device_config_set_iommu(config, world->iommu);
	libiommu_emu_device_config_set_flags(config, flags);
	if (kind & WORLD_DEV_PASIDS)
		libiommu_emu_device_config_set_pasid_bits(config, MOCK_PASID_BITS);
	error = libiommu_emu_device_add(world->emu, config, &device);
	libiommu_emu_device_config_free(config);
	return error;
}

/* Another device for each that is opened; there is no node of one for which memory has failed. */
const char *world_node(uint32_t kind)
{
	static char name[48];
	struct world *const world = &the_world;

	snprintf(name, sizeof(name), "/dev/vfio/devices/vfio%u", world->devices);
	world->devices += !add_device(world, kind);
	return name;
}

int world_ioctl(struct world *world, unsigned long request, void *arg)
{
	return libiommu_emu_ioctl(world->emu, world->fd, request, arg);
}

ssize_t world_read_fd(struct world *world, int fd, void *buffer, size_t size)
{
	return libiommu_emu_read(world->emu, fd, buffer, size);
}

ssize_t world_write_fd(struct world *world, int fd, const void *buffer, size_t size)
{
	return libiommu_emu_write(world->emu, fd, buffer, size);
}

void world_close(struct world *world, int fd)
{
	libiommu_emu_close(world->emu, fd);
}

void *world_mmap(struct world *world, size_t length, int prot, int flags, uint64_t offset)
{
	void *at;
	const int error =
		libiommu_emu_mmap(world->emu, NULL, length, prot, flags, world->fd, offset, &at);

	errno = -error;
	return error ? MAP_FAILED : at;
}

void world_munmap(struct world *world, void *address, size_t length)
{
	libiommu_emu_munmap(world->emu, address, length);
}

long world_charged(struct world *world, pid_t pid, bool locked)
{
	uint64_t pages[2];
	const int error = libiommu_emu_count_pinned(world->emu, pid, &pages[0], &pages[1]);

	return error ? error : (long)pages[locked] * 4;
}

/* It does its work in one piece, with the memory that it has. */
int world_set_memory_limit(struct world *world, uint32_t bytes)
{
	(void)world;
	(void)bytes;
	return 0;
}

int world_fail_allocation(struct world *world, unsigned int nth)
{
	(void)world;
	libiommu_emu_fail_allocation(nth);
	return 0;
}

int world_stop_failing(struct world *world)
{
	(void)world;
	return libiommu_emu_stop_failing();
}
