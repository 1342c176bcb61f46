/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "nest.h"

struct nest nest_begin(struct rig *rig)
{
	const bool pasids = !world_lacks(rig->world, WORLD_PASIDS);
	const struct mock_hwpt_data data = {.value = MOCK_CACHED};
	struct nest n = {.rig = rig};

	n.dev = rig_device(rig, 1, pasids ? WORLD_DEV_PASIDS : 0);
	n.parent = rig_table(rig, n.dev, rig->ioas,
	                     LIBIOMMU_HWPT_NEST_PARENT | (pasids ? LIBIOMMU_HWPT_PASID : 0));
	OK(libiommu_hwpt_config_new(&n.config));
	OK(libiommu_hwpt_config_set_data(n.config, MOCK_HWPT_DATA, &data, sizeof(data.value)));
	return n;
}

void nest_end(struct nest *n)
{
	libiommu_hwpt_config_free(n->config);
}

struct libiommu_hwpt *nest_table(struct nest *n)
{
	struct libiommu_hwpt *table;

	OK(libiommu_hwpt_alloc_nested(n->dev, n->parent, n->config, &table));
	rig_keep(n->rig, THING_HWPT, table);
	return table;
}

struct libiommu_viommu *nest_viommu(struct nest *n)
{
	struct libiommu_viommu *viommu;

	OK(libiommu_viommu_alloc(n->dev, n->parent, MOCK_VIOMMU, NULL, &viommu));
	rig_keep(n->rig, THING_VIOMMU, viommu);
	return viommu;
}

struct libiommu_hwpt *nest_viommu_table(struct nest *n, struct libiommu_viommu *viommu)
{
	struct libiommu_hwpt *table;

	OK(libiommu_hwpt_alloc_viommu(n->dev, viommu, n->config, &table));
	rig_keep(n->rig, THING_HWPT, table);
	return table;
}

struct libiommu_vdevice *nest_vdevice(struct nest *n, struct libiommu_viommu *viommu,
                                      struct libiommu_device *dev, uint64_t virt_id)
{
	struct libiommu_vdevice *vdev;

	OK(libiommu_vdevice_alloc(viommu, dev, virt_id, &vdev));
	rig_keep(n->rig, THING_VDEVICE, vdev);
	return vdev;
}

void nest_check_iotlb(struct nest *n, const struct libiommu_hwpt *table, const char *values)
{
	for (uint32_t i = 0; i < MOCK_CACHES; i++)
		RAW(0,
		    world_check_iotlb(n->rig->world, table, i, values[i] == '1' ? MOCK_CACHED : 0));
}

void nest_check_cache(struct nest *n, struct libiommu_device *dev, const char *values)
{
	for (uint32_t i = 0; i < MOCK_CACHES; i++)
		RAW(0, world_check_cache(n->rig->world, dev, i,
		                         values[i] == '1' ? MOCK_DEV_CACHED : 0));
}
