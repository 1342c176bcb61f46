/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* VFIO's own ioctls on the descriptor of a context: what old programs find there. */
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#include "../../lib/base/uapi/iommufd.h"
#include "../../lib/base/uapi/vfio-container.h"

static int call(struct rig *rig, unsigned long request, void *arg)
{
	return world_ioctl(rig->world, request, arg);
}

static int call_value(struct rig *rig, unsigned long request, uintptr_t value)
{
	return world_ioctl(rig->world, request, (void *)value);
}

static void versions(struct rig *rig)
{
	assert_int_equal(call(rig, UAPI_IOC_VFIO_GET_API_VERSION, NULL), UAPI_VFIO_API_VERSION);
	RAW(1, call_value(rig, UAPI_IOC_VFIO_CHECK_EXTENSION, UAPI_VFIO_TYPE1_IOMMU));
	RAW(1, call_value(rig, UAPI_IOC_VFIO_CHECK_EXTENSION, UAPI_VFIO_TYPE1v2_IOMMU));
	RAW(1, call_value(rig, UAPI_IOC_VFIO_CHECK_EXTENSION, UAPI_VFIO_UNMAP_ALL));
	RAW(0, call_value(rig, UAPI_IOC_VFIO_CHECK_EXTENSION, UAPI_VFIO_UPDATE_VADDR));
	RAW(0, call_value(rig, UAPI_IOC_VFIO_CHECK_EXTENSION, UAPI_VFIO_SPAPR_TCE_IOMMU));
}

/* Wrong arguments are refused first; what is right, because there is no address space. */
static void without_space(struct rig *rig)
{
	struct uapi_vfio_iommu_type1_dma_unmap unmap = {
		.argsz = 1, .iova = MOCK_APERTURE, .size = PAGE};
	struct uapi_vfio_iommu_type1_dma_map map = {
		.argsz = 1, .iova = MOCK_APERTURE, .size = PAGE, .vaddr = (uintptr_t)rig->memory};
	struct uapi_vfio_iommu_type1_info info = {.argsz = 1};

	RAW(-EINVAL, call(rig, UAPI_IOC_VFIO_IOMMU_UNMAP_DMA, &unmap));
	unmap.argsz = sizeof(unmap);
	unmap.flags = 1U << 31;
	RAW(-EINVAL, call(rig, UAPI_IOC_VFIO_IOMMU_UNMAP_DMA, &unmap));
	unmap.flags = 0;
	RAW(-ENODEV, call(rig, UAPI_IOC_VFIO_IOMMU_UNMAP_DMA, &unmap));
	RAW(-EINVAL, call(rig, UAPI_IOC_VFIO_IOMMU_MAP_DMA, &map));
	map.argsz = sizeof(map);
	map.flags = 1U << 31;
	RAW(-EINVAL, call(rig, UAPI_IOC_VFIO_IOMMU_MAP_DMA, &map));
	map.flags = UAPI_VFIO_DMA_MAP_FLAG_READ | UAPI_VFIO_DMA_MAP_FLAG_WRITE;
	RAW(-ENODEV, call(rig, UAPI_IOC_VFIO_IOMMU_MAP_DMA, &map));
	RAW(-EINVAL, call(rig, UAPI_IOC_VFIO_IOMMU_GET_INFO, &info));
	info.argsz = sizeof(info);
	RAW(-ENODEV, call(rig, UAPI_IOC_VFIO_IOMMU_GET_INFO, &info));
	RAW(-ENODEV, call_value(rig, UAPI_IOC_VFIO_SET_IOMMU, UAPI_VFIO_TYPE1v2_IOMMU));
	RAW(-ENODEV, call_value(rig, UAPI_IOC_VFIO_SET_IOMMU, UAPI_VFIO_TYPE1_IOMMU));
}

static void choosing_the_space(struct rig *rig)
{
	struct libiommu_ioas *found, *none;
	struct libiommu_ioas *const other = rig_ioas(rig);

	FAILS(ENODEV, libiommu_ioas_get_compat(rig->ctx, &found));
	OK(libiommu_ioas_adopt(rig->ctx, 12345, LIBIOMMU_ID_BORROW, &none));
	FAILS(ENOENT, libiommu_ioas_set_compat(none));
	OK(libiommu_ioas_destroy(none));
	OK(libiommu_ioas_set_compat(rig->ioas));
	OK(libiommu_ioas_get_compat(rig->ctx, &found));
	assert_int_equal(ioas_id(found), ioas_id(rig->ioas));
	OK(libiommu_ioas_destroy(found));
	OK(libiommu_ioas_clear_compat(rig->ctx));
	OK(libiommu_ioas_clear_compat(rig->ctx));
	FAILS(ENODEV, libiommu_ioas_get_compat(rig->ctx, &found));
	/* It goes with the space. */
	OK(libiommu_ioas_set_compat(other));
	OK(rig_end(rig, other));
	FAILS(ENODEV, libiommu_ioas_get_compat(rig->ctx, &found));
}

/* A variant's flags are the type of the container. */
static void begin(struct rig *rig)
{
	OK(libiommu_ioas_set_compat(rig->ioas));
	RAW(0, call_value(rig, UAPI_IOC_VFIO_SET_IOMMU, rig->variant->flags));
}

/* The first type cuts mappings, and so has none that is large. */
static void large_pages(struct rig *rig)
{
	bool allowed;

	begin(rig);
	OK(libiommu_ioas_get_huge_pages(rig->ioas, &allowed));
	assert_int_equal(allowed, rig->variant->flags == UAPI_VFIO_TYPE1v2_IOMMU);
}

/* The capabilities: one at a time, each where the one before says; nothing beyond the end. */
static void check_capabilities(const uint8_t *buffer, uint32_t offset, uint32_t size)
{
	const struct uapi_vfio_iommu_type1_info_cap_iova_range *ranges;
	const struct uapi_vfio_info_cap_header *cap;
	const struct uapi_vfio_iova_range *range;

	while (offset) {
		assert_true(offset + sizeof(*cap) <= size);
		cap = (const void *)(buffer + offset);
		assert_int_equal(cap->version, 1);
		assert_true(!cap->next || cap->next > offset);
		if (cap->id == UAPI_VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE) {
			ranges = (const void *)cap;
			assert_int_equal(ranges->nr_iovas, 1);
			range = ranges->iova_ranges;
			assert_int_equal(range->start, MOCK_APERTURE);
			assert_int_equal(range->end, MOCK_APERTURE_LAST);
		} else {
			assert_int_equal(cap->id, UAPI_VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
		}
		offset = cap->next;
	}
}

/* With room for @argsz bytes; what is behind them stays as it was. */
static struct uapi_vfio_iommu_type1_info *get_info(struct rig *rig, uint8_t *buffer, size_t room,
                                                   uint32_t argsz)
{
	struct uapi_vfio_iommu_type1_info *const info = (void *)buffer;

	memset(buffer, 0xaa, room);
	memset(buffer, 0, argsz);
	info->argsz = argsz;
	RAW(0, call(rig, UAPI_IOC_VFIO_IOMMU_GET_INFO, info));
	for (size_t i = argsz; i < room; i++)
		assert_int_equal(buffer[i], 0xaa);
	assert_int_equal(info->flags, UAPI_VFIO_IOMMU_INFO_PGSIZES | UAPI_VFIO_IOMMU_INFO_CAPS);
	return info;
}

static void information(struct rig *rig)
{
	_Alignas(8) uint8_t buffer[512];
	const uint32_t old = offsetof(struct uapi_vfio_iommu_type1_info, cap_offset);
	const struct uapi_vfio_iommu_type1_info *info;
	uint32_t size;

	begin(rig);
	info = get_info(rig, buffer, sizeof(buffer), old);
	assert_true(info->iova_pgsizes);
	info = get_info(rig, buffer, sizeof(buffer), sizeof(*info));
	assert_int_equal(info->cap_offset, 0);
	size = info->argsz;
	assert_true(size > sizeof(*info) && size < sizeof(buffer));
	for (uint32_t argsz = sizeof(*info); argsz <= size; argsz++) {
		info = get_info(rig, buffer, sizeof(buffer), argsz);
		check_capabilities(buffer, info->cap_offset, info->argsz);
	}
	assert_true(info->cap_offset);
}

static int map_dma(struct rig *rig, uint64_t iova, void *memory, uint64_t length)
{
	struct uapi_vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = UAPI_VFIO_DMA_MAP_FLAG_READ | UAPI_VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = length,
	};

	return call(rig, UAPI_IOC_VFIO_IOMMU_MAP_DMA, &map);
}

static int unmap_dma(struct rig *rig, uint64_t iova, uint64_t length, uint32_t flags,
                     uint64_t *unmapped)
{
	struct uapi_vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .flags = flags, .iova = iova, .size = length};
	const int error = call(rig, UAPI_IOC_VFIO_IOMMU_UNMAP_DMA, &unmap);

	*unmapped = unmap.size;
	return error;
}

static void map_and_unmap(struct rig *rig)
{
	uint64_t unmapped;

	begin(rig);
	RAW(0, map_dma(rig, MOCK_APERTURE, rig->memory, LENGTH));
	rig_check_map(rig, MOCK_APERTURE, rig->memory, LENGTH);
	RAW(0, unmap_dma(rig, MOCK_APERTURE, LENGTH, 0, &unmapped));
	assert_int_equal(unmapped, LENGTH);
	/* Nothing there is no error here. */
	RAW(0, unmap_dma(rig, MOCK_APERTURE, LENGTH, 0, &unmapped));
	RAW(0, map_dma(rig, MOCK_APERTURE, rig->memory, LENGTH));
	RAW(-EINVAL,
	    unmap_dma(rig, MOCK_APERTURE, LENGTH, UAPI_VFIO_DMA_UNMAP_FLAG_ALL, &unmapped));
	RAW(0, unmap_dma(rig, 0, 0, UAPI_VFIO_DMA_UNMAP_FLAG_ALL, &unmapped));
	assert_int_equal(unmapped, LENGTH);
	/* Page by page, in another order than they came. */
	for (uint64_t i = 0; i < PAGES; i++)
		RAW(0, map_dma(rig, MOCK_APERTURE + i * PAGE, rig->memory + i * PAGE, PAGE));
	for (uint64_t i = 0; i < PAGES; i++) {
		RAW(0, unmap_dma(rig, MOCK_APERTURE + i * 7 % PAGES * PAGE, PAGE, 0, &unmapped));
		assert_int_equal(unmapped, PAGE);
	}
	RAW(0, world_check_pins(rig->world, rig->memory, LENGTH, 0));
}

/* The first type cuts what is mapped as it likes; the second never does. */
static void cutting(struct rig *rig)
{
	const uint64_t length = 2 * HUGE_PAGE;
	uint8_t *const memory = rig_memory(rig, length, true);
	const uint64_t piece = length / 16;
	uint64_t unmapped;

	begin(rig);
	RAW(0, map_dma(rig, MOCK_APERTURE, memory, length));
	for (uint64_t i = 0; i < 16; i++) {
		const uint64_t at = i * 5 % 16 * piece;

		if (rig->variant->flags == UAPI_VFIO_TYPE1v2_IOMMU) {
			RAW(-ENOENT, unmap_dma(rig, MOCK_APERTURE + at, piece, 0, &unmapped));
			continue;
		}
		RAW(0, unmap_dma(rig, MOCK_APERTURE + at, piece, 0, &unmapped));
		assert_int_equal(unmapped, piece);
	}
	RAW(0, unmap_dma(rig, 0, 0, UAPI_VFIO_DMA_UNMAP_FLAG_ALL, &unmapped));
	assert_int_equal(unmapped, rig->variant->flags == UAPI_VFIO_TYPE1v2_IOMMU ? length : 0);
}

static const struct variant types[] = {
	{.name = "type 1", .tables = 1, .flags = UAPI_VFIO_TYPE1_IOMMU},
	{.name = "type 1 v2", .tables = 1, .flags = UAPI_VFIO_TYPE1v2_IOMMU},
};

static const struct behaviour behaviours[] = {
	{PROVES("what there is of VFIO", versions)},
	{PROVES("nothing is done without an address space", without_space)},
	{PROVES("the address space is chosen, and goes", choosing_the_space)},
	{PROVES("large pages are for the second type", large_pages), VARIANTS(types)},
	{PROVES("information fits in any room", information), VARIANTS(types)},
	{PROVES("maps and unmaps", map_and_unmap), VARIANTS(types)},
	{PROVES("mappings are cut by the first type only", cutting), .needs = WORLD_HUGE_MEMORY,
         VARIANTS(types)},
};

THEME(compat, "VFIO's own calls");
