/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "test-iommu.h"

#include <errno.h>
#include <libiommu-emu/iommu.h>

#include "../lib/base/uapi/iommufd.h"
#include "dev.h"
#include "heap.h"
#include "machine.h"
#include "viommu.h"

/* There the second page table, without an end in between, fails once. */
#define FAILING_PASID 1024

struct emu_test_dev *emu_test_dev_of(const struct emu_dev *dev)
{
	return dev->iommu_data;
}

static int test_hw_info(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t *type,
                        const void **data, size_t *length)
{
	static const struct emu_test_hw_info info = {.reg = EMU_TEST_HW_REGISTER};

	(void)iommu;
	(void)dev;
	if (*type != UAPI_HW_INFO_TYPE_DEFAULT && *type != EMU_TEST_HW_INFO)
		return -EOPNOTSUPP;
	*type = EMU_TEST_HW_INFO;
	*data = &info;
	*length = sizeof(info);
	return 0;
}

static int nested(struct emu_iommu *iommu, struct emu_domain *parent, uint32_t flags,
                  const struct emu_user_data *data, struct emu_domain **domain)
{
	(void)iommu;
	return emu_test_nested(parent, NULL, flags, data, domain);
}

static int attach_device(struct emu_dev *dev, const struct emu_domain *domain)
{
	struct emu_viommu *const viommu = domain ? domain->viommu : NULL;
	struct emu_test_dev *const state = emu_test_dev_of(dev);
	uint64_t virt_id = 0;

	if (domain && domain->dirty_supported && dev->no_dirty)
		return -EINVAL;
	if (viommu && emu_viommu_virt_id(viommu, dev, &virt_id))
		return -ENOENT;
	/* Its name stays what it was when it came to the vIOMMU. */
	if (viommu != state->viommu) {
		state->viommu = viommu;
		state->virt_id = virt_id;
	}
	return 0;
}

static int test_attach(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t pasid,
                       struct emu_domain *domain, struct emu_domain *old)
{
	struct emu_test_dev *const state = emu_test_dev_of(dev);
	bool fails;

	(void)iommu;
	(void)old;
	if (!pasid)
		return attach_device(dev, domain);
	if (pasid != FAILING_PASID)
		return 0;
	fails = domain && state->fails;
	state->fails = domain && !fails;
	return fails ? -ENOMEM : 0;
}

static bool supports_viommu(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t type)
{
	(void)iommu;
	(void)dev;
	return type == EMU_TEST_VIOMMU;
}

static int probe(struct emu_iommu *iommu, struct emu_dev *dev)
{
	struct emu_test_dev *const state = emu_alloc(sizeof(*state));

	(void)iommu;
	if (!state)
		return -ENOMEM;
	for (size_t i = 0; i < EMU_TEST_CACHES; i++)
		state->caches[i] = EMU_TEST_DEV_CACHED;
	dev->iommu_data = state;
	return 0;
}

static void release(struct emu_iommu *iommu, struct emu_dev *dev)
{
	(void)iommu;
	emu_release(dev->iommu_data);
}

static void free_iommu(struct emu_iommu *iommu)
{
	emu_release(iommu);
}

static const struct emu_iommu_ops ops = {
	.hw_info = test_hw_info,
	.paging = emu_test_paging,
	.nested = nested,
	.attach = test_attach,
	.supports_viommu = supports_viommu,
	.viommu = emu_test_viommu,
	.probe = probe,
	.release = release,
	.free = free_iommu,
};

bool emu_test_is(const struct emu_iommu *iommu)
{
	return iommu && iommu->ops == &ops;
}

struct emu_iommu *emu_test_find(const struct libiommu_emu *emu)
{
	struct emu_iommu *iommu = emu->iommus;

	while (iommu && !emu_test_is(iommu))
		iommu = iommu->next;
	return iommu;
}

static int new_iommu(struct emu_iommu **iommu)
{
	struct emu_iommu *const made = emu_alloc(sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->ops = &ops;
	made->dirty = true;
	made->guest_pasids = true;
	made->asks_always = true;
	made->pasid_bits = EMU_TEST_PASID_BITS;
	*iommu = made;
	return 0;
}

int emu_test_event(struct emu_dev *dev)
{
	const struct emu_test_dev *const state = emu_test_dev_of(dev);
	uint32_t virt_id;

	if (!state->viommu || !state->virt_id)
		return -ENOENT;
	virt_id = (uint32_t)state->virt_id;
	return emu_viommu_event(state->viommu, EMU_TEST_VEVENTQ, &virt_id, sizeof(virt_id));
}

LIBIOMMU_API int libiommu_emu_iommu_add_test(struct libiommu_emu *emu,
                                             struct libiommu_emu_iommu **iommu)
{
	struct emu_iommu *made;
	int error;

	if (!emu || !iommu)
		return -EINVAL;
	emu_lock(emu);
	error = new_iommu(&made);
	if (!error)
		emu_iommu_add(emu, made);
	emu_unlock(emu);
	if (!error)
		*iommu = (struct libiommu_emu_iommu *)made;
	return error;
}
