/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "nest-steps.h"

struct libiommu_ctx *nest_ctx;
struct libiommu_device *nest_dev;
struct libiommu_ioas *nest_ioas;
struct libiommu_hwpt *nest_parent;

/* What the listed invalidations must have, for as long as the test runs. */
struct expected {
	unsigned char bytes[1024];
	size_t size;
};

static struct expected expected[64];
static size_t expectations;

int nest_setup(void **state)
{
	struct libiommu_hwpt_config *config;

	script_setup(state);
	expectations = 0;
	nest_ctx = script_ctx();
	nest_dev = script_device(nest_ctx);
	nest_ioas = script_ioas(nest_ctx, NEST_IOAS);
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_NEST_PARENT), 0);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .flags = UAPI_HWPT_ALLOC_NEST_PARENT, .dev_id = DEVICE_ID,
	                .pt_id = NEST_IOAS),
	             SET(struct uapi_hwpt_alloc, out_hwpt_id, PARENT_PT));
	assert_int_equal(libiommu_hwpt_alloc(nest_dev, nest_ioas, config, &nest_parent), 0);
	libiommu_hwpt_config_free(config);
	return 0;
}

int nest_teardown(void **state)
{
	if (nest_parent)
		script_hwpt_close(nest_parent, PARENT_PT);
	if (nest_ioas)
		script_ioas_close(nest_ioas, NEST_IOAS);
	script_device_close(nest_dev);
	script_ctx_close(nest_ctx);
	return script_teardown(state);
}

struct libiommu_hwpt *script_nested(struct libiommu_device *dev, uint32_t dev_id, uint32_t id)
{
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt;

	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_vtd_s1(config, 0x1000, 48, 0), 0);
	EXPECT_IOCTL(CTX_FD, HWPT_ALLOC,
	             IN(struct uapi_hwpt_alloc, .size = sizeof(struct uapi_hwpt_alloc),
	                .dev_id = dev_id, .pt_id = PARENT_PT, .data_type = UAPI_HWPT_DATA_VTD_S1,
	                .data_len = sizeof(struct uapi_hwpt_vtd_s1)),
	             IGNORE(struct uapi_hwpt_alloc, .data_uptr = UINT64_MAX),
	             SET(struct uapi_hwpt_alloc, out_hwpt_id, id));
	assert_int_equal(libiommu_hwpt_alloc_nested(dev, nest_parent, config, &hwpt), 0);
	libiommu_hwpt_config_free(config);
	return hwpt;
}

struct libiommu_viommu *script_viommu(uint32_t id)
{
	struct libiommu_viommu *viommu;

	EXPECT_IOCTL(CTX_FD, VIOMMU_ALLOC,
	             IN(struct uapi_viommu_alloc, .size = sizeof(struct uapi_viommu_alloc),
	                .type = SELFTEST, .dev_id = DEVICE_ID, .hwpt_id = PARENT_PT),
	             SET(struct uapi_viommu_alloc, out_viommu_id, id));
	assert_int_equal(libiommu_viommu_alloc(nest_dev, nest_parent, SELFTEST, NULL, &viommu), 0);
	return viommu;
}

void script_viommu_close(struct libiommu_viommu *viommu, uint32_t id)
{
	expect_destroy(id, 0);
	assert_int_equal(libiommu_viommu_destroy(viommu), 0);
}

void expect_vdevice(uint32_t viommu_id, uint32_t dev_id, uint64_t virt_id, uint32_t id, int result)
{
	EXPECT_IOCTL(CTX_FD, VDEVICE_ALLOC,
	             IN(struct uapi_vdevice_alloc, .size = sizeof(struct uapi_vdevice_alloc),
	                .viommu_id = viommu_id, .dev_id = dev_id, .virt_id = virt_id),
	             SET(struct uapi_vdevice_alloc, out_vdevice_id, id), .result = result);
}

struct libiommu_vdevice *script_vdevice(struct libiommu_viommu *viommu, uint32_t viommu_id,
                                        struct libiommu_device *dev, uint64_t virt_id, uint32_t id)
{
	struct libiommu_vdevice *vdev;
	uint32_t dev_id;

	assert_int_equal(libiommu_device_id(dev, &dev_id), 0);
	expect_vdevice(viommu_id, dev_id, virt_id, id, 0);
	assert_int_equal(libiommu_vdevice_alloc(viommu, dev, virt_id, &vdev), 0);
	return vdev;
}

void script_vdevice_close(struct libiommu_vdevice *vdev, uint32_t id)
{
	expect_destroy(id, 0);
	assert_int_equal(libiommu_vdevice_destroy(vdev), 0);
}

static void see_entries(void *arg, const void *user)
{
	const struct uapi_hwpt_invalidate *const cmd = arg;
	const struct expected *const wanted = user;

	assert_memory_equal((void *)(uintptr_t)cmd->data_uptr, wanted->bytes, wanted->size);
}

static void expect(uint32_t id, uint32_t type, uint32_t size, uint32_t count, uint32_t told,
                   int result, const struct expected *wanted)
{
	EXPECT_IOCTL(CTX_FD, HWPT_INVALIDATE,
	             IN(struct uapi_hwpt_invalidate, .size = sizeof(struct uapi_hwpt_invalidate),
	                .hwpt_id = id, .data_type = type, .entry_len = size, .entry_num = count),
	             IGNORE(struct uapi_hwpt_invalidate, .data_uptr = UINT64_MAX),
	             .act = wanted ? see_entries : NULL, .user = wanted,
	             SET(struct uapi_hwpt_invalidate, entry_num, told), .result = result);
}

void expect_invalidate(uint32_t id, uint32_t type, uint32_t size, uint32_t count, uint32_t told,
                       int result)
{
	expect(id, type, size, count, told, result, NULL);
}

void expect_entries(uint32_t id, uint32_t type, const void *entries, uint32_t size, uint32_t count,
                    uint32_t told, int result)
{
	struct expected *const wanted = &expected[expectations++];

	assert_in_range(expectations, 1, sizeof(expected) / sizeof(expected[0]));
	wanted->size = (size_t)size * count;
	assert_in_range(wanted->size, 0, sizeof(wanted->bytes));
	memcpy(wanted->bytes, entries, wanted->size);
	expect(id, type, size, count, told, result, wanted);
}
