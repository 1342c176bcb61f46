/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Allocations in the kernel that fail, each in its turn: the library says what the kernel says, and
 * then everything is as before.
 */
#include "suite.h"

#include "nest.h"

/* What runs while allocations fail: 0, or the first error. */
typedef int (*scene)(struct rig *rig);

#define TRY(call)                                                                                  \
	do {                                                                                       \
		const int error_ = (call);                                                         \
		if (error_)                                                                        \
			return error_;                                                             \
	} while (0)

/* The call makes it; it is given back after the scene. */
#define TRY_KEEP(kind, call, handle)                                                               \
	do {                                                                                       \
		TRY(call);                                                                         \
		rig_keep(rig, (kind), (handle));                                                   \
	} while (0)

/*
 * Again and again, until there are not so many allocations. Before each time all is given back, and
 * nothing may be left of the library's objects nor of what is pinned.
 */
static void sweep(struct rig *rig, scene play)
{
	const size_t mark = rig->count;
	const uint64_t live = vm_live(rig->ctx);
	unsigned int nth, refused = 0;
	int failed, error;

	for (nth = 1; nth < 4000; nth++) {
		RAW(0, world_fail_allocation(rig->world, nth));
		error = play(rig);
		failed = world_stop_failing(rig->world);
		assert_true(failed == 0 || failed == 1);
		if (rig_unwind(rig, mark))
			fail_msg("allocation %u failed, the call said %d", nth, error);
		assert_true(vm_live(rig->ctx) == live);
		OK(libiommu_ioas_unmap_all(rig->ioas, NULL));
		RAW(0, world_check_pins(rig->world, rig->memory, LENGTH, 0));
		if (!failed)
			break;
		if (error)
			refused++;
	}
	assert_int_equal(failed, 0);
	assert_int_equal(error, 0);
	print_message("# %u allocations failed, %u calls with them\n", nth - 1, refused);
	assert_true(refused);
}

static int play_spaces(struct rig *rig)
{
	const struct libiommu_iova_range range = {MOCK_APERTURE, MOCK_APERTURE + 100 * PAGE};
	struct libiommu_iova_ranges *ranges = NULL;
	struct libiommu_ioas *one = NULL, *two = NULL;
	uint64_t iova;

	TRY_KEEP(THING_IOAS, libiommu_ioas_alloc(rig->ctx, &one), one);
	TRY_KEEP(THING_IOAS, libiommu_ioas_alloc(rig->ctx, &two), two);
	TRY(libiommu_ioas_allow(one, &range, 1));
	TRY(libiommu_ioas_map(one, rig->memory, LENGTH, VM_READ_WRITE, &iova));
	TRY(libiommu_ioas_copy(two, one, iova, LENGTH, VM_READ_WRITE, &iova));
	TRY(libiommu_ioas_ranges(one, &ranges));
	libiommu_iova_ranges_free(ranges);
	TRY(libiommu_ioas_unmap_all(one, NULL));
	return libiommu_ioas_unmap(two, iova, LENGTH);
}

static void spaces(struct rig *rig)
{
	sweep(rig, play_spaces);
}

/* Into two page tables; a third one is filled. */
static int play_tables(struct rig *rig)
{
	struct libiommu_hwpt *table = NULL;
	uint64_t iova;

	TRY(libiommu_ioas_map(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, &iova));
	TRY_KEEP(THING_HWPT, libiommu_hwpt_alloc(rig->dev, rig->ioas, NULL, &table), table);
	TRY(libiommu_ioas_unmap(rig->ioas, iova, LENGTH));
	return libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE,
	                               MOCK_APERTURE + MOCK_PAGE);
}

static void tables(struct rig *rig)
{
	sweep(rig, play_tables);
}

static int file_fd;

static int play_file(struct rig *rig)
{
	struct libiommu_hwpt *table = NULL;
	uint64_t iova;

	TRY(libiommu_ioas_map_file(rig->ioas, file_fd, 0, LENGTH, VM_READ_WRITE, &iova));
	TRY_KEEP(THING_HWPT, libiommu_hwpt_alloc(rig->dev, rig->ioas, NULL, &table), table);
	return libiommu_ioas_unmap(rig->ioas, iova, LENGTH);
}

static void file(struct rig *rig)
{
	rig_file(rig, LENGTH, false, &file_fd);
	sweep(rig, play_file);
}

/* A driver in the kernel reads and writes, one that pins pins; with page tables or without. */
static int play_access(struct rig *rig)
{
	struct libiommu_hwpt *table = NULL;
	char buffer[64] = "";
	uint32_t item;
	int plain, pins;

	TRY(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, MOCK_APERTURE));
	plain = world_access(rig->world, rig->ioas, false);
	if (plain < 0)
		return plain;
	rig_keep_number(rig, THING_ACCESS, plain);
	pins = world_access(rig->world, rig->ioas, true);
	if (pins < 0)
		return pins;
	rig_keep_number(rig, THING_ACCESS, pins);
	for (uint32_t flags = 0; flags < 8; flags++)
		if (!(flags & ~(WORLD_ACCESS_WRITE | WORLD_ACCESS_SLOW)))
			TRY(world_access_rw(rig->world, plain, MOCK_APERTURE + PAGE - 8, buffer,
			                    sizeof(buffer), flags));
	TRY(world_pin(rig->world, pins, MOCK_APERTURE, NULL, LENGTH, 0, &item));
	if (rig->dev)
		TRY_KEEP(THING_HWPT, libiommu_hwpt_alloc(rig->dev, rig->ioas, NULL, &table), table);
	return world_unpin(rig->world, pins, item);
}

static void access_of_drivers(struct rig *rig)
{
	sweep(rig, play_access);
}

static struct libiommu_hwpt_config *plain_config, *parent_config, *nested_config;

/* A device from its node to its end, with all that a guest could want. */
static int play_device(struct rig *rig)
{
	struct libiommu_device *dev = NULL;
	struct libiommu_hw_info *info = NULL;
	struct libiommu_hwpt *plain = NULL, *parent = NULL;
	uint32_t pasid;

	TRY_KEEP(THING_DEVICE,
	         libiommu_device_open_node(rig->ctx, world_node(WORLD_DEV_PASIDS), &dev), dev);
	TRY(libiommu_device_bind(dev, 7, NULL, 0));
	TRY(libiommu_hw_info_get(dev, &info));
	libiommu_hw_info_free(info);
	TRY_KEEP(THING_HWPT, libiommu_hwpt_alloc(dev, rig->ioas, plain_config, &plain), plain);
	TRY_KEEP(THING_HWPT, libiommu_hwpt_alloc(dev, rig->ioas, parent_config, &parent), parent);
	TRY(libiommu_device_attach_ioas(dev, rig->ioas));
	TRY(libiommu_device_replace_hwpt(dev, plain));
	TRY(libiommu_pasid_attach(dev, 200, plain, 1, &pasid));
	TRY(libiommu_pasid_replace(dev, 200, parent, 2));
	return libiommu_pasid_detach(dev, 200);
}

static void make_configs(void)
{
	const struct mock_hwpt_data data = {.value = MOCK_CACHED};

	OK(libiommu_hwpt_config_new(&plain_config));
	OK(libiommu_hwpt_config_set_flags(plain_config, LIBIOMMU_HWPT_PASID));
	OK(libiommu_hwpt_config_new(&parent_config));
	OK(libiommu_hwpt_config_set_flags(parent_config,
	                                  LIBIOMMU_HWPT_PASID | LIBIOMMU_HWPT_NEST_PARENT));
	OK(libiommu_hwpt_config_new(&nested_config));
	OK(libiommu_hwpt_config_set_data(nested_config, MOCK_HWPT_DATA, &data, sizeof(data.value)));
}

static void free_configs(void)
{
	libiommu_hwpt_config_free(plain_config);
	libiommu_hwpt_config_free(parent_config);
	libiommu_hwpt_config_free(nested_config);
}

static void device(struct rig *rig)
{
	make_configs();
	sweep(rig, play_device);
	free_configs();
}

static struct nest nest;

static int play_nesting(struct rig *rig)
{
	struct libiommu_fault_queue *queue = NULL;
	struct libiommu_veventq *events = NULL;
	struct libiommu_hw_queue *commands = NULL;
	struct libiommu_viommu *viommu = NULL;
	struct libiommu_vdevice *vdev = NULL;
	struct libiommu_hwpt *table = NULL, *other = NULL;

	TRY(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, MOCK_APERTURE));
	TRY_KEEP(THING_VIOMMU,
	         libiommu_viommu_alloc(nest.dev, nest.parent, MOCK_VIOMMU, NULL, &viommu), viommu);
	TRY_KEEP(THING_VDEVICE, libiommu_vdevice_alloc(viommu, nest.dev, 0x18, &vdev), vdev);
	TRY_KEEP(THING_HW_QUEUE,
	         libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 0, MOCK_APERTURE, PAGE, &commands),
	         commands);
	TRY_KEEP(THING_FAULT_QUEUE, libiommu_fault_queue_alloc(rig->ctx, &queue), queue);
	TRY_KEEP(THING_VEVENTQ,
	         libiommu_veventq_alloc_raw(viommu, MOCK_VEVENTQ, 2, MOCK_EVENT_LENGTH, 0, 4,
	                                    &events),
	         events);
	TRY_KEEP(THING_HWPT,
	         libiommu_hwpt_alloc_nested(nest.dev, nest.parent, nested_config, &table), table);
	TRY_KEEP(THING_HWPT, libiommu_hwpt_alloc_viommu(nest.dev, viommu, nested_config, &other),
	         other);
	return 0;
}

static void nesting_objects(struct rig *rig)
{
	nest = nest_begin(rig);
	make_configs();
	sweep(rig, play_nesting);
	free_configs();
	nest_end(&nest);
}

/* A variant's memory is little, so that the kernel's work is in many pieces. */
static const struct variant little[] = {
	{.name = "no page table", .memory_limit = 32},
	{.name = "one page table", .tables = 1, .memory_limit = 32},
	{.name = "two page tables", .tables = 2, .memory_limit = 32},
};

#define WITH_TABLES .variants = little + 1, .count = 2

static const struct behaviour behaviours[] = {
	{PROVES("address spaces", spaces), .needs = WORLD_FAILING_MEMORY, VARIANTS(little)},
	{PROVES("page tables", tables), .needs = WORLD_FAILING_MEMORY, WITH_TABLES},
	{PROVES("files", file), .needs = WORLD_FAILING_MEMORY | WORLD_MAP_FILE, WITH_TABLES},
	{PROVES("drivers in the kernel", access_of_drivers), .needs = WORLD_FAILING_MEMORY,
         VARIANTS(little)},
	{PROVES("devices and PASIDs", device), .needs = WORLD_FAILING_MEMORY | WORLD_PASIDS},
	{PROVES("nesting", nesting_objects), .needs = WORLD_FAILING_MEMORY | WORLD_HW_QUEUES},
};

THEME(failing, "allocations that fail");
