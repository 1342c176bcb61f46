/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "faults.h"

const struct variant fault_tables[2] = {
	{.name = "a page table", .needs = WORLD_PLAIN_FAULTS},
	{.name = "a nested page table", .flags = FAULTS_NESTED},
};

static struct libiommu_fault_queue *make_queue(struct rig *rig)
{
	struct libiommu_fault_queue *queue;

	OK(libiommu_fault_queue_alloc(rig->ctx, &queue));
	rig_keep(rig, THING_FAULT_QUEUE, queue);
	return queue;
}

struct libiommu_hwpt *faults_table(struct faults *f, struct libiommu_fault_queue *queue,
                                   uint32_t flags)
{
	const struct mock_hwpt_data data = {.value = MOCK_CACHED};
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *table;
	int error;

	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_flags(config, flags));
	OK(libiommu_hwpt_config_set_fault_queue(config, queue));
	if (f->parent)
		OK(libiommu_hwpt_config_set_data(config, MOCK_HWPT_DATA, &data,
		                                 sizeof(data.value)));
	error = f->parent ? libiommu_hwpt_alloc_nested(f->dev, f->parent, config, &table)
	                  : libiommu_hwpt_alloc(f->dev, f->rig->ioas, config, &table);
	libiommu_hwpt_config_free(config);
	OK(error);
	rig_keep(f->rig, THING_HWPT, table);
	return table;
}

struct faults faults_begin(struct rig *rig, bool pasids)
{
	const uint32_t flags = pasids ? LIBIOMMU_HWPT_PASID : 0;
	struct faults f = {.rig = rig};
	uint32_t pasid;

	f.dev = rig_device(rig, FAULTS_LABEL, pasids ? WORLD_DEV_PASIDS : 0);
	if (rig->variant->flags & FAULTS_NESTED)
		f.parent = rig_table(rig, f.dev, rig->ioas, LIBIOMMU_HWPT_NEST_PARENT | flags);
	f.queue = make_queue(rig);
	f.other_queue = make_queue(rig);
	f.own = faults_table(&f, f.queue, flags);
	f.table = faults_table(&f, f.queue, flags);
	f.other = faults_table(&f, f.other_queue, flags);
	OK(libiommu_device_set_tag(f.dev, OWN_TAG));
	OK(libiommu_device_attach_hwpt(f.dev, f.own));
	if (pasids)
		OK(libiommu_pasid_attach(f.dev, PASID, f.table, TAG, &pasid));
	return f;
}

void faults_trigger(struct faults *f, uint32_t pasid, uint64_t address)
{
	RAW(0, world_fault(f->rig->world, f->dev, pasid, 17, LIBIOMMU_FAULT_WRITE, address));
}
