/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What tests do to the hardware of the test driver's IOMMU. */
#include <errno.h>
#include <libiommu-emu/test-iommu.h>

#include "dev.h"
#include "hwpt.h"
#include "inspect.h"
#include "machine.h"
#include "test-iommu.h"

static bool is_set(const uint8_t *bits, uint64_t index)
{
	return bits[index / 8] >> index % 8 & 1;
}

/* Also where nothing is to be written it is asked whether that could be. */
int emu_test_write_pages(struct emu_domain *domain, uint64_t iova, uint64_t length,
                         uint64_t page_size, const uint8_t *bits)
{
	int error = emu_test_is(domain->iommu) && domain->tracking ? 0 : -EINVAL;

	for (uint64_t at = 0; at < length && !error; at += page_size)
		if (is_set(bits, at / page_size))
			error = emu_test_write(domain, iova + at);
	return error;
}

LIBIOMMU_API int libiommu_emu_test_write(struct libiommu_emu *emu, int iommufd, uint32_t hwpt_id,
                                         uint64_t iova, uint64_t length, uint64_t page_size,
                                         const void *bitmap)
{
	struct emu_object *object;
	int error;

	if (!emu || !page_size || !length || iova % page_size || length % page_size || !bitmap)
		return -EINVAL;
	emu_lock(emu);
	object = emu_inspect(emu, iommufd, hwpt_id, EMU_HWPT_PAGING, &error);
	if (object)
		error = emu_test_write_pages(emu_hwpt_of(object)->domain, iova, length, page_size,
		                             bitmap);
	emu_unlock(emu);
	return error;
}

LIBIOMMU_API int libiommu_emu_test_cached(struct libiommu_emu *emu, int iommufd, uint32_t hwpt_id,
                                          uint32_t index, uint32_t *value)
{
	const uint32_t *values = NULL;
	struct emu_object *object;
	int error;

	if (!emu || index >= EMU_TEST_CACHES || !value)
		return -EINVAL;
	emu_lock(emu);
	object = emu_inspect(emu, iommufd, hwpt_id, EMU_HWPT_NESTED, &error);
	if (object)
		values = emu_test_cached(emu_hwpt_of(object)->domain);
	if (values)
		*value = values[index];
	emu_unlock(emu);
	return error || values ? error : -EINVAL;
}

/* NULL: it is behind another IOMMU. */
static struct emu_dev *test_dev(struct libiommu_emu_device *device)
{
	struct emu_dev *const dev = (struct emu_dev *)device;

	if (!dev || !dev->group || !dev->group->iommu)
		return NULL;
	return emu_test_is(dev->group->iommu) ? dev : NULL;
}

LIBIOMMU_API int libiommu_emu_test_device_cached(struct libiommu_emu_device *device, uint32_t index,
                                                 uint32_t *value)
{
	const struct emu_dev *const dev = test_dev(device);

	if (!dev || index >= EMU_TEST_CACHES || !value)
		return -EINVAL;
	emu_lock(dev->emu);
	*value = emu_test_dev_of(dev)->caches[index];
	emu_unlock(dev->emu);
	return 0;
}

LIBIOMMU_API int libiommu_emu_test_event(struct libiommu_emu_device *device)
{
	struct emu_dev *const dev = test_dev(device);
	int error;

	if (!dev)
		return -EINVAL;
	emu_lock(dev->emu);
	error = emu_test_event(dev);
	emu_unlock(dev->emu);
	return error;
}
