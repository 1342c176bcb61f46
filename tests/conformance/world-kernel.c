/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The world of the kernel's own test driver: what it has, and contexts in it. */
#include "world-kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../vm/fail-nth.h"
#include "../vm/mock-cmd.h"

/* What the driver begins with. */
#define MEMORY_LIMIT 65536

static const struct {
	uint32_t need;
	const char *what;
} features[] = {
	{WORLD_PASIDS, "this kernel's test driver has no PASIDs"},
	{WORLD_MAP_FILE, "this kernel maps no files (6.13)"},
	{WORLD_CHANGE_PROCESS, "this kernel hands no context on (6.14)"},
	{WORLD_VIOMMUS, "this kernel has no vIOMMUs (6.13)"},
	{WORLD_VEVENTQS, "this kernel has no queues of virtual events (6.15)"},
	{WORLD_HW_QUEUES, "this kernel has no hardware queues (6.17)"},
	{WORLD_DMABUFS, "this kernel's test driver has no dma-bufs (6.19)"},
	{WORLD_HUGE_TABLES, "this kernel's test driver has no page tables with large pages (7.0)"},
	{WORLD_FAILING_MEMORY, "this kernel cannot make its allocations fail"},
	{WORLD_HUGE_MEMORY, "no large pages in this machine"},
	{WORLD_ROOT, "not the superuser"},
	{WORLD_PLAIN_FAULTS,
         "this kernel's test driver has page requests in nested page tables only"},
};

static int write_file(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t put;

	if (fd < 0)
		return -errno;
	put = write(fd, text, strlen(text));
	close(fd);
	return put < 0 ? -EIO : 0;
}

/* Enough for 128 MiB and a little. */
static bool prepare_huge(void)
{
	char text[16] = "";
	FILE *file;

	if (write_file("/proc/sys/vm/nr_hugepages", "70"))
		return false;
	file = fopen("/proc/sys/vm/nr_hugepages", "r");
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return atoi(text) >= 70;
}

/* The commands of the driver that a kernel has in the order in which it learned them. */
static uint32_t find_features(int fd)
{
	struct {
		enum libiommu_feature feature;
		uint32_t need;
	} const asked[] = {
		{LIBIOMMU_FEATURE_IOAS_MAP_FILE, WORLD_MAP_FILE},
		{LIBIOMMU_FEATURE_IOAS_CHANGE_PROCESS, WORLD_CHANGE_PROCESS},
		{LIBIOMMU_FEATURE_VIOMMU_ALLOC, WORLD_VIOMMUS},
		{LIBIOMMU_FEATURE_VEVENTQ_ALLOC, WORLD_VEVENTQS},
		{LIBIOMMU_FEATURE_HW_QUEUE_ALLOC, WORLD_HW_QUEUES},
	};
	struct mock_cmd pasid = {.op = MOCK_OP_PASID_CHECK};
	struct mock_cmd revoke = {.op = MOCK_OP_DMABUF_REVOKE, .u.dmabuf_revoke.fd = -1};
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *ctx;
	uint32_t has = 0;

	if (libiommu_ctx_config_new(&config) ||
	    libiommu_ctx_config_set_fd(config, fd, LIBIOMMU_FD_BORROW) ||
	    libiommu_ctx_new(config, &ctx))
		abort();
	libiommu_ctx_config_free(config);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (libiommu_ctx_probe(ctx, asked[i].feature) == 1)
			has |= asked[i].need;
	libiommu_ctx_destroy(ctx);
	/* It learned of both in 6.15. */
	if (mock_command(fd, &pasid) == -ENOENT)
		has |= WORLD_PASIDS | WORLD_PLAIN_FAULTS;
	/* Both came with the driver's new page tables. */
	if (mock_command(fd, &revoke) == -EBADF)
		has |= WORLD_DMABUFS | WORLD_HUGE_TABLES;
	return has;
}

struct world *world_new(void)
{
	struct mock *const mock = mock_new_plain();
	struct world *world;
	int fd;

	if (!mock)
		return NULL;
	world = calloc(1, sizeof(*world));
	fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (!world || fd < 0)
		abort();
	world->mock = mock;
	world->fd = -1;
	world->has = find_features(fd);
	close(fd);
	world->has |= geteuid() ? 0 : WORLD_ROOT;
	world->has |= prepare_huge() ? WORLD_HUGE_MEMORY : 0;
	world->fail_nth = fail_nth_open();
	world->has |= world->fail_nth >= 0 ? WORLD_FAILING_MEMORY : 0;
	return world;
}

void world_free(struct world *world)
{
	if (!world)
		return;
	if (world->fail_nth >= 0)
		close(world->fail_nth);
	mock_free(world->mock);
	free(world);
}

const char *world_lacks(const struct world *world, uint32_t needs)
{
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if (needs & features[i].need & ~world->has)
			return features[i].what;
	return NULL;
}

bool world_wants_huge_pages(const struct world *world)
{
	(void)world;
	return true;
}

struct libiommu_ctx *world_ctx(struct world *world)
{
	struct libiommu_ctx *const ctx = mock_ctx(world->mock);

	world->fd = libiommu_ctx_fd(ctx);
	return ctx;
}

struct libiommu_ctx *world_ctx_again(struct world *world)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *ctx = NULL;

	if (libiommu_ctx_config_new(&config))
		return NULL;
	if (!libiommu_ctx_config_set_fd(config, world->fd, LIBIOMMU_FD_BORROW) &&
	    !libiommu_ctx_config_set_remember(config, true))
		libiommu_ctx_new(config, &ctx);
	libiommu_ctx_config_free(config);
	return ctx;
}

const char *world_node(uint32_t kind)
{
	static const char *const names[] = {"mock", "mock-pasids", "mock-no-dirty",
	                                    "mock-pasids-no-dirty"};

	return names[kind & 3];
}

int world_ioctl(struct world *world, unsigned long request, void *arg)
{
	const int result = ioctl(world->fd, request, arg);

	return result < 0 ? -errno : result;
}

ssize_t world_read_fd(struct world *world, int fd, void *buffer, size_t size)
{
	const ssize_t got = read(fd, buffer, size);

	(void)world;
	return got < 0 ? -errno : got;
}

ssize_t world_write_fd(struct world *world, int fd, const void *buffer, size_t size)
{
	const ssize_t put = write(fd, buffer, size);

	(void)world;
	return put < 0 ? -errno : put;
}

void world_close(struct world *world, int fd)
{
	(void)world;
	close(fd);
}

void *world_mmap(struct world *world, size_t length, int prot, int flags, uint64_t offset)
{
	return mmap(NULL, length, prot, flags, world->fd, (off_t)offset);
}

void world_munmap(struct world *world, void *address, size_t length)
{
	(void)world;
	munmap(address, length);
}

long world_charged(struct world *world, pid_t pid, bool locked)
{
	const char *const name = locked ? "VmLck:" : "VmPin:";
	char path[64], line[128];
	long result = -1;
	FILE *file;

	(void)world;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			result = strtol(line + strlen(name), NULL, 10);
	fclose(file);
	return result;
}

int world_set_memory_limit(struct world *world, uint32_t bytes)
{
	struct mock_cmd cmd = {.op = MOCK_OP_MEMORY_LIMIT,
	                       .u.limit.bytes = bytes ? bytes : MEMORY_LIMIT};

	return mock_command(world->fd, &cmd);
}

int world_fail_allocation(struct world *world, unsigned int nth)
{
	return fail_nth_start(world->fail_nth, nth);
}

int world_stop_failing(struct world *world)
{
	return fail_nth_stop(world->fail_nth);
}
