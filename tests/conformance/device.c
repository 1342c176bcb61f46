/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Devices: what they say of themselves, and the page tables that they are attached to. */
#include "suite.h"

#include <string.h>

#include "../../lib/base/uapi/iommufd.h"

/* Any room for it: nothing, too little, as much as there is, and more. */
static void information(struct rig *rig)
{
	const struct mock_hw_info wanted = {.flags = 0, .reg = MOCK_HW_REGISTER};
	struct libiommu_device *const dev = rig_device(rig, 1, 0);
	struct libiommu_hw_info *info;
	const void *data;
	uint32_t type;
	size_t length;

	OK(libiommu_hw_info_get(dev, &info));
	OK(libiommu_hw_info_raw(info, &type, &data, &length));
	assert_int_equal(type, MOCK_HW_INFO);
	assert_int_equal(length, sizeof(wanted));
	assert_memory_equal(data, &wanted, sizeof(wanted));
	libiommu_hw_info_free(info);
	for (uint32_t room = 0; room <= 16; room += 4) {
		uint8_t buffer[24];
		struct uapi_hw_info cmd = {.size = sizeof(cmd),
		                           .dev_id = device_id(dev),
		                           .data_len = room,
		                           .data_uptr = room ? (uintptr_t)buffer : 0};

		memset(buffer, 0xaa, sizeof(buffer));
		RAW(0, world_ioctl(rig->world, UAPI_IOC_GET_HW_INFO, &cmd));
		assert_int_equal(cmd.data_len, sizeof(wanted));
		assert_memory_equal(buffer, &wanted, room < 8 ? room : 8);
		/* More than there is becomes 0, and nothing beyond is touched. */
		for (uint32_t i = 8; i < sizeof(buffer); i++)
			assert_int_equal(buffer[i], i < room ? 0 : 0xaa);
	}
}

static void width_of_pasids(struct rig *rig)
{
	struct libiommu_device *const plain = rig_device(rig, 1, 0);
	struct libiommu_device *const dev = rig_device(rig, 2, WORLD_DEV_PASIDS);
	struct libiommu_hw_info *info;
	uint64_t bits = 0;

	OK(libiommu_hw_info_get(plain, &info));
	assert_int_equal(libiommu_hw_info_capability(info, LIBIOMMU_CAPABILITY_PASID, &bits),
	                 LIBIOMMU_NO);
	libiommu_hw_info_free(info);
	OK(libiommu_hw_info_get(dev, &info));
	assert_int_equal(libiommu_hw_info_capability(info, LIBIOMMU_CAPABILITY_PASID, &bits),
	                 LIBIOMMU_YES);
	assert_int_equal(bits, MOCK_PASID_BITS);
	libiommu_hw_info_free(info);
}

/* A device goes from a space to a page table, to another, and back. */
static void rotation(struct rig *rig)
{
	struct libiommu_device *const dev = rig_device(rig, 7, 0);
	struct libiommu_device *const other = rig_device(rig, 8, 0);
	struct libiommu_hwpt *const one = rig_table(rig, dev, rig->ioas, 0);
	struct libiommu_hwpt *const two = rig_table(rig, dev, rig->ioas, LIBIOMMU_HWPT_NEST_PARENT);

	OK(libiommu_device_attach_ioas(dev, rig->ioas));
	OK(libiommu_device_replace_hwpt(dev, one));
	FAILS(EBUSY, libiommu_hwpt_destroy(one));
	OK(libiommu_device_replace_hwpt(dev, two));
	FAILS(EBUSY, libiommu_hwpt_destroy(two));
	OK(libiommu_device_replace_ioas(dev, rig->ioas));
	OK(rig_end(rig, two));
	OK(libiommu_device_attach_hwpt(other, one));
	OK(rig_end(rig, other));
	OK(rig_end(rig, one));
	OK(libiommu_device_detach(dev));
}

/* The page table that the kernel has made for a space goes with the last device. */
static void replacement(struct rig *rig)
{
	struct libiommu_device *const dev = rig_device(rig, 7, 0);
	struct libiommu_ioas *const other = rig_ioas(rig);
	struct libiommu_hwpt *old;
	uint32_t pt_id;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, MOCK_APERTURE));
	OK(libiommu_device_attach_ioas(dev, rig->ioas));
	OK(libiommu_device_pt_id(dev, &pt_id));
	RAW(0, world_check_map(rig->world, pt_id, MOCK_APERTURE, rig->memory, LENGTH));
	OK(libiommu_hwpt_adopt(rig->ctx, pt_id, LIBIOMMU_ID_BORROW, &old));
	OK(libiommu_device_replace_ioas(dev, other));
	/* With page tables of its own the space has another one now, or none. */
	FAILS(ENOENT, libiommu_hwpt_set_dirty_tracking(old, true));
	OK(libiommu_hwpt_destroy(old));
	OK(libiommu_device_replace_ioas(dev, other));
	OK(libiommu_device_replace_ioas(dev, rig->ioas));
	OK(libiommu_device_pt_id(dev, &pt_id));
	RAW(0, world_check_map(rig->world, pt_id, MOCK_APERTURE, rig->memory, LENGTH));
}

/* What cannot be attached leaves the device where it is. */
static void replacement_that_fails(struct rig *rig)
{
	struct libiommu_device *const dev = rig_device(rig, 7, 0);
	struct libiommu_ioas *const other = rig_ioas(rig);
	uint32_t before, after;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, MOCK_APERTURE));
	OK(libiommu_device_attach_ioas(dev, rig->ioas));
	OK(libiommu_device_pt_id(dev, &before));
	/* A mapping that no page table reaches. */
	OK(libiommu_ioas_map_fixed(other, rig->memory, PAGE, VM_READ_WRITE, 0));
	FAILS(EADDRINUSE, libiommu_device_replace_ioas(dev, other));
	OK(libiommu_device_pt_id(dev, &after));
	assert_int_equal(before, after);
	RAW(0, world_check_map(rig->world, after, MOCK_APERTURE, rig->memory, PAGE));
	OK(rig_end(rig, other));
	FAILS(EBUSY, libiommu_ioas_destroy(rig->ioas));
}

static void page_tables_to_ask_for(struct rig *rig)
{
	struct uapi_hwpt_alloc cmd = {.size = sizeof(cmd), .pt_id = ioas_id(rig->ioas)};
	struct libiommu_device *const dev = rig_device(rig, 7, 0);
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *none = NULL;
	const uint32_t junk = 1;

	cmd.dev_id = device_id(dev);
	cmd.flags = 1U << 31;
	RAW(-EOPNOTSUPP, world_ioctl(rig->world, UAPI_IOC_HWPT_ALLOC, &cmd));
	cmd.flags = 0;
	cmd.reserved = 1;
	RAW(-EOPNOTSUPP, world_ioctl(rig->world, UAPI_IOC_HWPT_ALLOC, &cmd));
	cmd.reserved = 0;
	/* Data without a type. */
	cmd.data_len = 4;
	RAW(-EINVAL, world_ioctl(rig->world, UAPI_IOC_HWPT_ALLOC, &cmd));
	cmd.data_len = 0;
	/* On nothing, and on something that has no page tables. */
	cmd.pt_id = 12345;
	RAW(-EINVAL, world_ioctl(rig->world, UAPI_IOC_HWPT_ALLOC, &cmd));
	cmd.pt_id = cmd.dev_id;
	RAW(-EINVAL, world_ioctl(rig->world, UAPI_IOC_HWPT_ALLOC, &cmd));
	cmd.pt_id = ioas_id(rig->ioas);
	cmd.dev_id = ioas_id(rig->ioas);
	RAW(-ENOENT, world_ioctl(rig->world, UAPI_IOC_HWPT_ALLOC, &cmd));
	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_data(config, LIBIOMMU_HW_INFO_VTD, &junk, sizeof(junk)));
	FAILS(EOPNOTSUPP, libiommu_hwpt_alloc(dev, rig->ioas, config, &none));
	libiommu_hwpt_config_free(config);
	assert_null(none);
}

/* A page table is filled with what is mapped, and emptied with what is unmapped. */
static void page_table_of_what_is_mapped(struct rig *rig)
{
	struct libiommu_device *const dev = rig_device(rig, 7, 0);
	struct libiommu_hwpt *table;

	for (uint64_t i = 0; i < PAGES; i += 2)
		OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory + i * PAGE, PAGE, VM_READ_WRITE,
		                           MOCK_APERTURE + i * PAGE));
	table = rig_table(rig, dev, rig->ioas, 0);
	for (uint64_t i = 0; i < PAGES; i++)
		RAW(i % 2 ? -EINVAL : 0,
		    world_check_map(rig->world, hwpt_id(table), MOCK_APERTURE + i * PAGE,
		                    rig->memory + i * PAGE, PAGE));
	OK(libiommu_ioas_unmap(rig->ioas, MOCK_APERTURE, PAGE));
	RAW(-EINVAL, world_check_map(rig->world, hwpt_id(table), MOCK_APERTURE, rig->memory, PAGE));
	OK(libiommu_ioas_unmap_all(rig->ioas, NULL));
	RAW(0, world_check_pins(rig->world, rig->memory, LENGTH, 0));
}

/* The device's id is taken as long as its descriptor is open, whatever the library is told. */
static void id_of_an_open_device(struct rig *rig)
{
	struct libiommu_device *const dev = rig_device(rig, 7, 0);
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = device_id(dev)};

	RAW(-EBUSY, world_ioctl(rig->world, UAPI_IOC_DESTROY, &cmd));
	OK(rig_end(rig, dev));
	RAW(-ENOENT, world_ioctl(rig->world, UAPI_IOC_DESTROY, &cmd));
}

static const struct behaviour behaviours[] = {
	{PROVES("information fits in any room", information)},
	{PROVES("the width of PASIDs", width_of_pasids), .needs = WORLD_PASIDS},
	{PROVES("page tables in turn", rotation), SHAPES},
	{PROVES("the kernel's own page tables come and go", replacement)},
	{PROVES("a replacement that fails changes nothing", replacement_that_fails)},
	{PROVES("page tables that are refused", page_tables_to_ask_for)},
	{PROVES("a page table has what is mapped", page_table_of_what_is_mapped), SHAPES},
	{PROVES("its id is taken while it is open", id_of_an_open_device)},
};

THEME(devices, "devices");
