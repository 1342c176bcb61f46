/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* vIOMMUs: their data both ways, what they pin, page tables on them, mapped memory, queues. */
#include <sys/mman.h>

#include "alloc.h"
#include "nest-steps.h"

static uint64_t live(enum libiommu_object_kind kind)
{
	uint64_t count;

	assert_int_equal(libiommu_ctx_live(nest_ctx, kind, &count), 0);
	return count;
}

static void test_defaults(void **state)
{
	struct libiommu_viommu *const viommu = script_viommu(VIOMMU_ID);
	unsigned char byte = 7;
	size_t length = 99;
	uint32_t id = 0;

	(void)state;
	assert_int_equal(libiommu_viommu_id(viommu, &id), 0);
	assert_int_equal(id, VIOMMU_ID);
	assert_int_equal(libiommu_viommu_id(viommu, NULL), -EINVAL);
	assert_int_equal(libiommu_viommu_data(viommu, &byte, 1, &length), 0);
	assert_int_equal(length, 0);
	assert_int_equal(byte, 7);
	assert_int_equal(libiommu_viommu_data(viommu, NULL, 1, &length), -EINVAL);
	assert_int_equal(libiommu_viommu_data(viommu, &byte, 1, NULL), -EINVAL);
	assert_int_equal(live(LIBIOMMU_OBJECT_VIOMMU), 1);
	/* The parent cannot go before. */
	assert_int_equal(libiommu_hwpt_destroy(nest_parent), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_hwpt_destroy");
	expect_destroy(VIOMMU_ID, -EBUSY);
	assert_int_equal(libiommu_viommu_destroy(viommu), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_viommu_destroy");
	script_viommu_close(viommu, VIOMMU_ID);
	assert_int_equal(live(LIBIOMMU_OBJECT_VIOMMU), 0);
	assert_int_equal(libiommu_viommu_destroy(NULL), 0);
}

static const uint32_t in_data[] = {0xaabbccdd, 0};
static const uint32_t out_data[] = {0xaabbccdd, 0xaabbccdd};

static void answer(void *arg, const void *user)
{
	const struct uapi_viommu_alloc *const cmd = arg;
	void *const data = (void *)(uintptr_t)cmd->data_uptr;

	(void)user;
	assert_memory_equal(data, in_data, sizeof(in_data));
	memcpy(data, out_data, sizeof(out_data));
}

static void test_data(void **state)
{
	struct libiommu_viommu_config *config;
	struct libiommu_viommu *viommu;
	uint32_t given[] = {0xaabbccdd, 0};
	uint32_t got[3] = {1, 2, 3};
	size_t length;

	(void)state;
	assert_int_equal(libiommu_viommu_config_new(NULL), -EINVAL);
	assert_int_equal(libiommu_viommu_config_new(&config), 0);
	assert_int_equal(libiommu_viommu_config_set_data(config, NULL, 1), -EINVAL);
	assert_int_equal(libiommu_viommu_config_set_data(config, given, 65537), -EINVAL);
	assert_int_equal(libiommu_viommu_config_set_data(config, given, sizeof(given)), 0);
	/* It is a copy. */
	given[0] = 0;
	EXPECT_IOCTL(CTX_FD, VIOMMU_ALLOC,
	             IN(struct uapi_viommu_alloc, .size = sizeof(struct uapi_viommu_alloc),
	                .type = SELFTEST, .dev_id = DEVICE_ID, .hwpt_id = PARENT_PT,
	                .data_len = sizeof(in_data)),
	             IGNORE(struct uapi_viommu_alloc, .data_uptr = UINT64_MAX), .act = answer,
	             SET(struct uapi_viommu_alloc, out_viommu_id, VIOMMU_ID));
	assert_int_equal(libiommu_viommu_alloc(nest_dev, nest_parent, SELFTEST, config, &viommu),
	                 0);
	assert_int_equal(libiommu_viommu_data(viommu, NULL, 0, &length), 0);
	assert_int_equal(length, sizeof(out_data));
	assert_int_equal(libiommu_viommu_data(viommu, got, 4, &length), 0);
	assert_int_equal(got[0], out_data[0]);
	assert_int_equal(got[1], 2);
	assert_int_equal(libiommu_viommu_data(viommu, got, sizeof(got), &length), 0);
	assert_memory_equal(got, out_data, sizeof(out_data));
	assert_int_equal(got[2], 3);
	script_viommu_close(viommu, VIOMMU_ID);
	/* The kernel's answer is not the next one's question. */
	assert_int_equal(libiommu_viommu_config_set_data(config, NULL, 0), 0);
	EXPECT_IOCTL(CTX_FD, VIOMMU_ALLOC,
	             IN(struct uapi_viommu_alloc, .size = sizeof(struct uapi_viommu_alloc),
	                .type = SELFTEST, .dev_id = DEVICE_ID, .hwpt_id = PARENT_PT),
	             SET(struct uapi_viommu_alloc, out_viommu_id, VIOMMU_ID));
	assert_int_equal(libiommu_viommu_alloc(nest_dev, nest_parent, SELFTEST, config, &viommu),
	                 0);
	libiommu_viommu_config_free(config);
	libiommu_viommu_config_free(NULL);
	script_viommu_close(viommu, VIOMMU_ID);
}

static void test_refused(void **state)
{
	struct libiommu_viommu *viommu = NULL;
	struct libiommu_device *unbound;
	uint32_t id = 0, other = 0;

	(void)state;
	EXPECT_IOCTL(CTX_FD, VIOMMU_ALLOC, .result = -EOPNOTSUPP);
	assert_int_equal(libiommu_viommu_alloc(nest_dev, nest_parent, SELFTEST, NULL, &viommu),
	                 -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, KERNEL, "libiommu_viommu_alloc");
	assert_int_equal(libiommu_failure_ids(&id, &other), 0);
	assert_int_equal(id, DEVICE_ID);
	assert_int_equal(other, PARENT_PT);
	unbound = script_device_open(nest_ctx, 120);
	assert_int_equal(libiommu_viommu_alloc(unbound, nest_parent, 1, NULL, &viommu), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_viommu_alloc");
	script_device_close(unbound);
	EXPECT_IOCTL(CTX_FD, VIOMMU_ALLOC,
	             IN(struct uapi_viommu_alloc, .size = sizeof(struct uapi_viommu_alloc),
	                .type = UAPI_VIOMMU_TYPE_ARM_SMMUV3, .dev_id = DEVICE_ID,
	                .hwpt_id = PARENT_PT),
	             .result = -ENOTTY);
	assert_int_equal(
		libiommu_viommu_alloc(nest_dev, nest_parent, LIBIOMMU_VIOMMU_SMMUV3, NULL, &viommu),
		-ENOTTY);
	/* No type is the kernel's to refuse, too. */
	EXPECT_IOCTL(CTX_FD, VIOMMU_ALLOC,
	             IN(struct uapi_viommu_alloc, .size = sizeof(struct uapi_viommu_alloc),
	                .type = UAPI_VIOMMU_TYPE_DEFAULT, .dev_id = DEVICE_ID,
	                .hwpt_id = PARENT_PT),
	             .result = -EOPNOTSUPP);
	assert_int_equal(libiommu_viommu_alloc(nest_dev, nest_parent, LIBIOMMU_VIOMMU_DEFAULT, NULL,
	                                       &viommu),
	                 -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, KERNEL, "libiommu_viommu_alloc");
	assert_int_equal(libiommu_viommu_alloc(nest_dev, NULL, 1, NULL, &viommu), -EINVAL);
	assert_int_equal(libiommu_viommu_alloc(nest_dev, nest_parent, 1, NULL, NULL), -EINVAL);
	assert_null(viommu);
	assert_int_equal(live(LIBIOMMU_OBJECT_VIOMMU), 0);
}

static void test_of_different_contexts(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_viommu *viommu, *foreign;
	struct libiommu_vdevice *vdev = NULL;
	struct libiommu_hwpt *parent, *hwpt = NULL;
	struct libiommu_ctx *other;

	(void)state;
	EXPECT_OPEN("/dev/iommu", 300);
	assert_int_equal(libiommu_ctx_new(config, &other), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_hwpt_adopt(other, 5, LIBIOMMU_ID_BORROW, &parent), 0);
	assert_int_equal(libiommu_viommu_alloc(nest_dev, parent, 1, NULL, &viommu), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_viommu_alloc");
	assert_int_equal(libiommu_viommu_adopt(other, 6, LIBIOMMU_ID_BORROW, &foreign), 0);
	assert_int_equal(libiommu_hwpt_alloc_viommu(nest_dev, foreign, NULL, &hwpt), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_hwpt_alloc_viommu");
	assert_int_equal(libiommu_vdevice_alloc(foreign, nest_dev, 1, &vdev), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_vdevice_alloc");
	assert_null(hwpt);
	assert_null(vdev);
	assert_int_equal(libiommu_viommu_destroy(foreign), 0);
	assert_int_equal(libiommu_hwpt_destroy(parent), 0);
	assert_int_equal(libiommu_ctx_destroy(other), 0);
}

static void test_adopt(void **state)
{
	struct libiommu_viommu *viommu = NULL;
	uint32_t id;

	(void)state;
	assert_int_equal(libiommu_viommu_adopt(nest_ctx, 0, LIBIOMMU_ID_OWN, &viommu), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_viommu_adopt");
	assert_int_equal(libiommu_viommu_adopt(nest_ctx, 5, (enum libiommu_id_mode)2, &viommu),
	                 -EINVAL);
	assert_int_equal(libiommu_viommu_adopt(nest_ctx, 5, LIBIOMMU_ID_OWN, NULL), -EINVAL);
	assert_null(viommu);
	assert_int_equal(libiommu_viommu_adopt(nest_ctx, 5, LIBIOMMU_ID_OWN, &viommu), 0);
	assert_int_equal(libiommu_viommu_id(viommu, &id), 0);
	assert_int_equal(id, 5);
	script_viommu_close(viommu, 5);
	assert_int_equal(libiommu_viommu_adopt(nest_ctx, 5, LIBIOMMU_ID_BORROW, &viommu), 0);
	assert_int_equal(libiommu_viommu_destroy(viommu), 0);
}

static void test_page_table(void **state)
{
	struct libiommu_viommu *const viommu = script_viommu(VIOMMU_ID);
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt = NULL;

	(void)state;
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_smmuv3(config, 1, 0), 0);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .dev_id = DEVICE_ID, .pt_id = VIOMMU_ID,
	                .data_type = UAPI_HWPT_DATA_ARM_SMMUV3,
	                .data_len = sizeof(struct uapi_hwpt_arm_smmuv3)),
	             IGNORE(struct uapi_hwpt_alloc, .data_uptr = UINT64_MAX),
	             SET(struct uapi_hwpt_alloc, out_hwpt_id, NESTED_PT));
	assert_int_equal(libiommu_hwpt_alloc_viommu(nest_dev, viommu, config, &hwpt), 0);
	assert_int_equal(libiommu_viommu_destroy(viommu), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_viommu_destroy");
	script_hwpt_close(hwpt, NESTED_PT);
	hwpt = NULL;
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC, .result = -EIO);
	assert_int_equal(libiommu_hwpt_alloc_viommu(nest_dev, viommu, config, &hwpt), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_hwpt_alloc_viommu");
	assert_int_equal(libiommu_hwpt_alloc_viommu(nest_dev, NULL, config, &hwpt), -EINVAL);
	assert_int_equal(libiommu_hwpt_alloc_viommu(nest_dev, viommu, config, NULL), -EINVAL);
	assert_null(hwpt);
	libiommu_hwpt_config_free(config);
	script_viommu_close(viommu, VIOMMU_ID);
}

static void test_invalidate(void **state)
{
	static const unsigned char entries[36] = {1, 2, 3};
	struct libiommu_viommu *const viommu = script_viommu(VIOMMU_ID);
	size_t done = 99;

	(void)state;
	expect_entries(VIOMMU_ID, 0xdeadbeef, entries, 12, 3, 3, 0);
	assert_int_equal(libiommu_viommu_invalidate(viommu, 0xdeadbeef, entries, 12, 3, &done), 0);
	assert_int_equal(done, 3);
	expect_invalidate(VIOMMU_ID, 0xdeadbeef, 12, 3, 1, -EINVAL);
	assert_int_equal(libiommu_viommu_invalidate(viommu, 0xdeadbeef, entries, 12, 3, &done),
	                 -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_viommu_invalidate");
	assert_int_equal(done, 1);
	/* Of an SMMUv3's commands nothing is known, whatever the kernel says. */
	expect_invalidate(VIOMMU_ID, UAPI_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3, 16, 2, 1, -EIO);
	assert_int_equal(libiommu_viommu_invalidate(viommu, UAPI_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
	                                            entries, 16, 2, &done),
	                 -EIO);
	assert_int_equal(done, 0);
	done = 99;
	assert_int_equal(libiommu_viommu_invalidate(viommu, 1, entries, 0, 2, &done), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_viommu_invalidate");
	assert_int_equal(libiommu_viommu_invalidate(viommu, 1, NULL, 1, 2, &done), -EINVAL);
	assert_int_equal(libiommu_viommu_invalidate(viommu, 1, entries, 1, 2, NULL), -EINVAL);
	assert_int_equal(done, 99);
	script_viommu_close(viommu, VIOMMU_ID);
}

static unsigned char page[8192];

static void test_map(void **state)
{
	struct libiommu_viommu *const viommu = script_viommu(VIOMMU_ID);
	struct libiommu_viommu_map *map = NULL;

	(void)state;
	EXPECT(MMAP, .fd = CTX_FD, .length = 8192, .prot = PROT_READ | PROT_WRITE,
	       .flags = MAP_SHARED, .offset = 0x7000, .address = page);
	assert_int_equal(libiommu_viommu_map(viommu, 0x7000, 8192, &map), 0);
	assert_ptr_equal(libiommu_viommu_map_address(map), page);
	assert_int_equal(libiommu_viommu_map_length(map), 8192);
	assert_null(libiommu_viommu_map_address(NULL));
	assert_int_equal(live(LIBIOMMU_OBJECT_VIOMMU_MAP), 1);
	assert_int_equal(libiommu_viommu_destroy(viommu), -EBUSY);
	EXPECT(MUNMAP, .address = page, .length = 8192, .result = -EINVAL);
	assert_int_equal(libiommu_viommu_map_destroy(map), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_viommu_map_destroy");
	assert_int_equal(libiommu_viommu_map_destroy(map), 0);
	assert_int_equal(libiommu_viommu_map_destroy(NULL), 0);
	map = NULL;
	EXPECT(MMAP, .fd = CTX_FD, .length = 4096, .prot = PROT_READ | PROT_WRITE,
	       .flags = MAP_SHARED, .offset = 0x7000, .result = -ENXIO);
	assert_int_equal(libiommu_viommu_map(viommu, 0x7000, 4096, &map), -ENXIO);
	assert_failure(-ENXIO, KERNEL, "libiommu_viommu_map");
	assert_int_equal(libiommu_viommu_map(viommu, 0x7000, 0, &map), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_viommu_map");
	assert_int_equal(libiommu_viommu_map(viommu, 0x7001, 4096, &map), -EINVAL);
	assert_int_equal(libiommu_viommu_map(viommu, UINT64_C(1) << 63, 4096, &map), -ERANGE);
	assert_int_equal(libiommu_viommu_map(viommu, 0, 4096, NULL), -EINVAL);
	/* Nothing says where it would be. */
	assert_int_equal(libiommu_viommu_map_cmdqv(viommu, &map), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_viommu_map_cmdqv");
	assert_int_equal(libiommu_viommu_map_cmdqv(viommu, NULL), -EINVAL);
	assert_null(map);
	assert_int_equal(live(LIBIOMMU_OBJECT_VIOMMU_MAP), 0);
	script_viommu_close(viommu, VIOMMU_ID);
}

static void answer_cmdqv(void *arg, const void *user)
{
	const struct uapi_viommu_alloc *const cmd = arg;
	struct uapi_viommu_tegra241_cmdqv *const data = (void *)(uintptr_t)cmd->data_uptr;

	(void)user;
	assert_int_equal(data->out_vintf_mmap_offset | data->out_vintf_mmap_length, 0);
	data->out_vintf_mmap_offset = 0x5000;
	data->out_vintf_mmap_length = 8192;
}

static void test_cmdqv(void **state)
{
	struct libiommu_hw_queue *queue = NULL;
	struct libiommu_viommu_config *config;
	struct libiommu_viommu *viommu;
	struct libiommu_viommu_map *map;

	(void)state;
	EXPECT_IOCTL(CTX_FD, VIOMMU_ALLOC,
	             IN(struct uapi_viommu_alloc, .size = sizeof(struct uapi_viommu_alloc),
	                .type = UAPI_VIOMMU_TYPE_TEGRA241_CMDQV, .dev_id = DEVICE_ID,
	                .hwpt_id = PARENT_PT,
	                .data_len = sizeof(struct uapi_viommu_tegra241_cmdqv)),
	             IGNORE(struct uapi_viommu_alloc, .data_uptr = UINT64_MAX), .act = answer_cmdqv,
	             SET(struct uapi_viommu_alloc, out_viommu_id, VIOMMU_ID));
	assert_int_equal(libiommu_viommu_alloc(nest_dev, nest_parent,
	                                       LIBIOMMU_VIOMMU_TEGRA241_CMDQV, NULL, &viommu),
	                 0);
	EXPECT(MMAP, .fd = CTX_FD, .length = 8192, .prot = PROT_READ | PROT_WRITE,
	       .flags = MAP_SHARED, .offset = 0x5000, .address = page);
	assert_int_equal(libiommu_viommu_map_cmdqv(viommu, &map), 0);
	assert_int_equal(libiommu_viommu_map_destroy(map), 0);
	EXPECT_IOCTL(CTX_FD, HW_QUEUE_ALLOC,
	             IN(struct uapi_hw_queue_alloc, .size = sizeof(struct uapi_hw_queue_alloc),
	                .viommu_id = VIOMMU_ID, .type = UAPI_HW_QUEUE_TYPE_TEGRA241_CMDQV,
	                .nesting_parent_iova = 0x40000, .length = 0x10000),
	             .result = -ENOENT);
	assert_int_equal(libiommu_hw_queue_alloc(viommu, LIBIOMMU_HW_QUEUE_TEGRA241_CMDQV, 0,
	                                         0x40000, 0x10000, &queue),
	                 -ENOENT);
	assert_null(queue);
	script_viommu_close(viommu, VIOMMU_ID);
	/* Room for less than the whole answer. */
	assert_int_equal(libiommu_viommu_config_new(&config), 0);
	assert_int_equal(libiommu_viommu_config_set_data(config, "1234567", 8), 0);
	EXPECT_IOCTL(CTX_FD, VIOMMU_ALLOC, SET(struct uapi_viommu_alloc, out_viommu_id, VIOMMU_ID));
	assert_int_equal(libiommu_viommu_alloc(nest_dev, nest_parent,
	                                       LIBIOMMU_VIOMMU_TEGRA241_CMDQV, config, &viommu),
	                 0);
	libiommu_viommu_config_free(config);
	assert_int_equal(libiommu_viommu_map_cmdqv(viommu, &map), -EOPNOTSUPP);
	script_viommu_close(viommu, VIOMMU_ID);
}

static void expect_hw_queue(uint32_t index, uint64_t address, uint64_t length, uint32_t id,
                            int result)
{
	EXPECT_IOCTL(CTX_FD, HW_QUEUE_ALLOC,
	             IN(struct uapi_hw_queue_alloc, .size = sizeof(struct uapi_hw_queue_alloc),
	                .viommu_id = VIOMMU_ID, .type = SELFTEST, .index = index,
	                .nesting_parent_iova = address, .length = length),
	             SET(struct uapi_hw_queue_alloc, out_hw_queue_id, id), .result = result);
}

static void test_hw_queue(void **state)
{
	struct libiommu_viommu *const viommu = script_viommu(VIOMMU_ID);
	struct libiommu_hw_queue *queue = NULL;
	uint64_t start, length;
	uint32_t id = 0;

	(void)state;
	expect_hw_queue(3, 0x123000, 0x1000, 0, -EFAULT);
	assert_int_equal(libiommu_hw_queue_alloc(viommu, SELFTEST, 3, 0x123000, 0x1000, &queue),
	                 -EFAULT);
	assert_failure(-EFAULT, KERNEL, "libiommu_hw_queue_alloc");
	assert_explained("not contiguous");
	assert_int_equal(libiommu_failure_range(&start, &length), 0);
	assert_int_equal(start, 0x123000);
	assert_int_equal(length, 0x1000);
	assert_int_equal(libiommu_hw_queue_alloc(viommu, 1, 0, 0, 1, NULL), -EINVAL);
	EXPECT_IOCTL(CTX_FD, HW_QUEUE_ALLOC,
	             IN(struct uapi_hw_queue_alloc, .size = sizeof(struct uapi_hw_queue_alloc),
	                .viommu_id = VIOMMU_ID, .type = UAPI_HW_QUEUE_TYPE_DEFAULT, .length = 1),
	             .result = -EOPNOTSUPP);
	assert_int_equal(
		libiommu_hw_queue_alloc(viommu, LIBIOMMU_HW_QUEUE_DEFAULT, 0, 0, 1, &queue),
		-EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, KERNEL, "libiommu_hw_queue_alloc");
	assert_null(queue);
	expect_hw_queue(0, 0x123000, 0x1000, 77, 0);
	assert_int_equal(libiommu_hw_queue_alloc(viommu, SELFTEST, 0, 0x123000, 0x1000, &queue), 0);
	assert_int_equal(libiommu_hw_queue_id(queue, &id), 0);
	assert_int_equal(id, 77);
	assert_int_equal(libiommu_hw_queue_id(queue, NULL), -EINVAL);
	assert_int_equal(live(LIBIOMMU_OBJECT_HW_QUEUE), 1);
	assert_int_equal(libiommu_viommu_destroy(viommu), -EBUSY);
	expect_destroy(77, -EBUSY);
	assert_int_equal(libiommu_hw_queue_destroy(queue), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_hw_queue_destroy");
	expect_destroy(77, 0);
	assert_int_equal(libiommu_hw_queue_destroy(queue), 0);
	assert_int_equal(libiommu_hw_queue_destroy(NULL), 0);
	assert_int_equal(live(LIBIOMMU_OBJECT_HW_QUEUE), 0);
	script_viommu_close(viommu, VIOMMU_ID);
}

static void test_without_memory(void **state)
{
	struct libiommu_viommu *viommu;
	struct libiommu_viommu_config *config;

	(void)state;
	ALLOC_LOOP
	{
		config = NULL;
		if (!ALLOC_TRY(libiommu_viommu_config_new(&config)))
			libiommu_viommu_config_free(config);
		else
			assert_null(config);
	}
	assert_int_equal(libiommu_viommu_config_new(&config), 0);
	assert_int_equal(libiommu_viommu_config_set_data(config, in_data, sizeof(in_data)), 0);
	ALLOC_LOOP
	{
		viommu = NULL;
		EXPECT_IOCTL(CTX_FD, VIOMMU_ALLOC, .act = answer,
		             SET(struct uapi_viommu_alloc, out_viommu_id, VIOMMU_ID));
		if (!ALLOC_TRY(libiommu_viommu_alloc(nest_dev, nest_parent, SELFTEST, config,
		                                     &viommu)))
			script_viommu_close(viommu, VIOMMU_ID);
		else
			assert_null(viommu);
		assert_int_equal(live(LIBIOMMU_OBJECT_VIOMMU), 0);
	}
	libiommu_viommu_config_free(config);
	ALLOC_LOOP
	{
		viommu = NULL;
		if (!ALLOC_TRY(libiommu_viommu_adopt(nest_ctx, 5, LIBIOMMU_ID_OWN, &viommu)))
			script_viommu_close(viommu, 5);
		else
			assert_null(viommu);
	}
	viommu = script_viommu(VIOMMU_ID);
	ALLOC_LOOP
	{
		struct libiommu_viommu_map *map = NULL;

		EXPECT(MMAP, .fd = CTX_FD, .length = 4096, .prot = PROT_READ | PROT_WRITE,
		       .flags = MAP_SHARED, .address = page);
		if (!ALLOC_TRY(libiommu_viommu_map(viommu, 0, 4096, &map)))
			assert_int_equal(libiommu_viommu_map_destroy(map), 0);
		else
			assert_null(map);
	}
	ALLOC_LOOP
	{
		struct libiommu_hw_queue *queue = NULL;

		expect_hw_queue(0, 0, 1, 77, 0);
		if (!ALLOC_TRY(libiommu_hw_queue_alloc(viommu, SELFTEST, 0, 0, 1, &queue))) {
			expect_destroy(77, 0);
			assert_int_equal(libiommu_hw_queue_destroy(queue), 0);
		} else {
			assert_null(queue);
		}
	}
	script_viommu_close(viommu, VIOMMU_ID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NEST_TEST(test_defaults),       NEST_TEST(test_data),
		NEST_TEST(test_refused),        NEST_TEST(test_of_different_contexts),
		NEST_TEST(test_adopt),          NEST_TEST(test_page_table),
		NEST_TEST(test_invalidate),     NEST_TEST(test_map),
		NEST_TEST(test_cmdqv),          NEST_TEST(test_hw_queue),
		NEST_TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
