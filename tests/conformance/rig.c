/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const struct variant shapes[4] = {
	{.name = "no page table"},
	{.name = "a page table", .tables = 1},
	{.name = "two page tables", .tables = 2},
	{.name = "a page table and little memory", .tables = 1, .memory_limit = 16},
};

static struct thing *keep(struct rig *rig, int kind, void *handle)
{
	struct thing *const thing = &rig->things[rig->count];

	assert_true(rig->count < RIG_THINGS);
	*thing = (struct thing){.kind = kind, .handle = handle, .number = -1};
	rig->count++;
	return thing;
}

void rig_keep(struct rig *rig, int kind, void *handle)
{
	keep(rig, kind, handle);
}

void rig_keep_number(struct rig *rig, int kind, int number)
{
	assert_true(number >= 0);
	keep(rig, kind, NULL)->number = number;
}

void rig_keep_fd(struct rig *rig, int fd)
{
	rig_keep_number(rig, THING_FD, fd);
}

static int give_back(struct rig *rig, const struct thing *thing)
{
	switch (thing->kind) {
	case THING_IOAS:
		return libiommu_ioas_destroy(thing->handle);
	case THING_DEVICE:
		return libiommu_device_destroy(thing->handle);
	case THING_HWPT:
		return libiommu_hwpt_destroy(thing->handle);
	case THING_VIOMMU:
		return libiommu_viommu_destroy(thing->handle);
	case THING_VDEVICE:
		return libiommu_vdevice_destroy(thing->handle);
	case THING_VEVENTQ:
		return libiommu_veventq_destroy(thing->handle);
	case THING_HW_QUEUE:
		return libiommu_hw_queue_destroy(thing->handle);
	case THING_FAULT_QUEUE:
		return libiommu_fault_queue_destroy(thing->handle);
	case THING_ACCESS:
		world_access_end(rig->world, thing->number);
		return 0;
	case THING_FD:
		return close(thing->number);
	case THING_MEMORY:
		return munmap(thing->handle, thing->length);
	}
	return -1;
}

static int end(struct rig *rig, size_t index)
{
	const int error = give_back(rig, &rig->things[index]);

	if (!error) {
		rig->count--;
		memmove(&rig->things[index], &rig->things[index + 1],
		        (rig->count - index) * sizeof(rig->things[0]));
	}
	return error;
}

int rig_end(struct rig *rig, const void *handle)
{
	size_t i = 0;

	while (i < rig->count && rig->things[i].handle != handle)
		i++;
	assert_true(i < rig->count);
	return end(rig, i);
}

void rig_end_access(struct rig *rig, int access)
{
	size_t i = 0;

	while (i < rig->count &&
	       (rig->things[i].kind != THING_ACCESS || rig->things[i].number != access))
		i++;
	assert_true(i < rig->count);
	end(rig, i);
}

struct libiommu_ioas *rig_ioas(struct rig *rig)
{
	struct libiommu_ioas *ioas;

	OK(libiommu_ioas_alloc(rig->ctx, &ioas));
	keep(rig, THING_IOAS, ioas);
	return ioas;
}

struct libiommu_device *rig_device(struct rig *rig, uint64_t label, uint32_t kind)
{
	struct libiommu_device *dev;

	OK(libiommu_device_open_node(rig->ctx, world_node(kind), &dev));
	keep(rig, THING_DEVICE, dev);
	OK(libiommu_device_bind(dev, label, NULL, 0));
	return dev;
}

struct libiommu_hwpt *rig_table(struct rig *rig, struct libiommu_device *dev,
                                struct libiommu_ioas *ioas, uint32_t flags)
{
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt = NULL;
	int error;

	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_flags(config, flags));
	error = libiommu_hwpt_alloc(dev, ioas, config, &hwpt);
	libiommu_hwpt_config_free(config);
	OK(error);
	keep(rig, THING_HWPT, hwpt);
	return hwpt;
}

static void *keep_memory(struct rig *rig, void *memory, size_t length)
{
	assert_true(memory != MAP_FAILED);
	keep(rig, THING_MEMORY, memory)->length = length;
	return memory;
}

/* At a multiple of a large page, as the kernel likes addresses to be. */
static void *aligned_memory(struct rig *rig, size_t length)
{
	uint8_t *const room = mmap(NULL, length + HUGE_PAGE, PROT_NONE,
	                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *const at = (uint8_t *)(((uintptr_t)room + HUGE_PAGE - 1) & -(uintptr_t)HUGE_PAGE);

	keep_memory(rig, room, length + HUGE_PAGE);
	assert_true(mmap(at, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
	                 -1, 0) == at);
	return at;
}

void *rig_memory(struct rig *rig, size_t length, bool huge)
{
	const int flags = MAP_SHARED | MAP_ANONYMOUS | (huge ? MAP_HUGETLB | MAP_POPULATE : 0);

	if (huge && !world_wants_huge_pages(rig->world))
		return aligned_memory(rig, length);
	return keep_memory(rig, mmap(NULL, length, PROT_READ | PROT_WRITE, flags, -1, 0), length);
}

void *rig_file(struct rig *rig, size_t length, bool huge, int *fd)
{
	huge = huge && world_wants_huge_pages(rig->world);
	*fd = memfd_create("file", MFD_CLOEXEC | MFD_ALLOW_SEALING | (huge ? MFD_HUGETLB : 0));
	rig_keep_fd(rig, *fd);
	assert_int_equal(ftruncate(*fd, (off_t)length), 0);
	return keep_memory(rig, mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0),
	                   length);
}

int rig_access(struct rig *rig, struct libiommu_ioas *ioas, bool pins)
{
	const int access = world_access(rig->world, ioas, pins);

	rig_keep_number(rig, THING_ACCESS, access);
	return access;
}

void rig_check_map(struct rig *rig, uint64_t iova, const void *memory, uint64_t length)
{
	for (size_t i = 0; i < RIG_TABLES; i++)
		if (rig->tables[i])
			RAW(0, world_check_map(rig->world, hwpt_id(rig->tables[i]), iova, memory,
			                       length));
}

uint32_t ioas_id(const struct libiommu_ioas *ioas)
{
	uint32_t id;

	OK(libiommu_ioas_id(ioas, &id));
	return id;
}

uint32_t hwpt_id(const struct libiommu_hwpt *hwpt)
{
	uint32_t id;

	OK(libiommu_hwpt_id(hwpt, &id));
	return id;
}

uint32_t device_id(const struct libiommu_device *dev)
{
	uint32_t id;

	OK(libiommu_device_id(dev, &id));
	return id;
}

void reserve(struct rig *rig, uint64_t start, uint64_t length)
{
	RAW(0, world_reserve(rig->world, rig->ioas, start, length));
}

void fill_random(void *memory, size_t length)
{
	uint8_t *const bytes = memory;

	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)rand();
}

struct rig *rig_new(struct world *world, const struct variant *variant)
{
	struct rig *const rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->world = world;
	rig->variant = variant;
	rig->fds = vm_count_fds();
	rig->ctx = world_ctx(world);
	RAW(0, world_set_memory_limit(world, variant->memory_limit));
	rig->memory = aligned_memory(rig, LENGTH);
	rig->ioas = rig_ioas(rig);
	if (variant->tables) {
		rig->dev = rig_device(rig, 1, 0);
		rig->base = MOCK_APERTURE;
	}
	for (unsigned int i = 0; i < variant->tables; i++)
		rig->tables[i] = rig_table(rig, rig->dev, rig->ioas, 0);
	if (rig->dev)
		OK(libiommu_device_attach_hwpt(rig->dev, rig->tables[0]));
	return rig;
}

/* A device that is gone holds nothing any more. */
static void revoke_devices(struct rig *rig, size_t from)
{
	for (size_t i = from; i < rig->count; i++)
		if (rig->things[i].kind == THING_DEVICE)
			libiommu_device_revoke(rig->things[i].handle);
}

int rig_unwind(struct rig *rig, size_t count)
{
	char text[256];
	int result = 0;

	revoke_devices(rig, count);
	while (rig->count > count) {
		const struct thing thing = rig->things[rig->count - 1];

		if (end(rig, rig->count - 1)) {
			libiommu_failure_text(text, sizeof(text));
			print_error("a thing of kind %d cannot be given back: %s\n", thing.kind,
			            text);
			rig->count--;
			result = -1;
		}
	}
	return result;
}

/* That a child has gone is seen a little later by whoever serves it. */
static unsigned int count_fds(unsigned int wanted)
{
	unsigned int fds = vm_count_fds();

	for (int i = 0; i < 500 && fds > wanted; i++) {
		usleep(10000);
		fds = vm_count_fds();
	}
	return fds;
}

int rig_free(struct rig *rig)
{
	int result = 0;
	unsigned int fds;

	/* Where a test has ended in the middle. */
	if (geteuid() != getuid() && seteuid(getuid()))
		result = -1;
	world_set_memory_limit(rig->world, 0);
	if (rig_unwind(rig, 0))
		result = -1;
	if (vm_live(rig->ctx)) {
		print_error("%llu objects are left\n", (unsigned long long)vm_live(rig->ctx));
		result = -1;
	}
	if (libiommu_ctx_destroy(rig->ctx))
		result = -1;
	fds = count_fds(rig->fds);
	if (fds != rig->fds) {
		print_error("%u descriptors before the test, %u after it\n", rig->fds, fds);
		result = -1;
	}
	free(rig);
	return result;
}
