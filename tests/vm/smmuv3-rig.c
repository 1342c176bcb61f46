/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "smmuv3-rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int alloc_parent(struct vm *vm, struct libiommu_hwpt **parent)
{
	struct libiommu_hwpt_config *config;
	int err;

	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_NEST_PARENT));
	err = libiommu_hwpt_alloc(vm->dev, vm->ioas, config, parent);
	libiommu_hwpt_config_free(config);
	return err;
}

bool rig_possible(void)
{
	struct libiommu_hwpt *parent = NULL;
	struct libiommu_viommu *viommu = NULL;
	char text[512];
	struct vm *vm;
	void *state;
	int err;

	if (vm_setup_bound(&state))
		return false;
	vm = state;
	err = vm_iommu(vm->dev)->type == LIBIOMMU_HW_INFO_SMMUV3 ? 0 : -EOPNOTSUPP;
	if (err)
		snprintf(text, sizeof(text), "the IOMMU is no SMMUv3");
	else
		err = alloc_parent(vm, &parent);
	if (!err)
		err = libiommu_viommu_alloc(vm->dev, parent, LIBIOMMU_VIOMMU_SMMUV3, NULL, &viommu);
	if (parent || (err && vm_iommu(vm->dev)->type == LIBIOMMU_HW_INFO_SMMUV3))
		libiommu_failure_text(text, sizeof(text));
	OK(libiommu_viommu_destroy(viommu));
	OK(libiommu_hwpt_destroy(parent));
	vm_teardown(&state);
	if (err)
		printf("skipped: %s\n", text);
	return !err;
}

int rig_setup(void **state)
{
	struct rig *const rig = calloc(1, sizeof(*rig));
	struct vm *vm;
	void *memory;

	assert_non_null(rig);
	if (vm_setup_bound(state))
		return -1;
	rig->vm = vm = *state;
	*state = rig;
	memory = mmap(NULL, RIG_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	OK(alloc_parent(vm, &rig->parent));
	OK(libiommu_viommu_alloc(vm->dev, rig->parent, LIBIOMMU_VIOMMU_SMMUV3, NULL, &rig->viommu));
	OK(libiommu_vdevice_alloc(rig->viommu, vm->dev, RIG_STREAM, &rig->vdev));
	OK(libiommu_smmuv3_batch_new(rig->viommu, &rig->batch));
	OK(libiommu_ioas_map_fixed(vm->ioas, memory, RIG_SIZE, VM_READ_WRITE, RIG_ADDRESS));
	vm_map_registers(vm);
	rig->guest = (struct guest){.memory = memory, .address = RIG_ADDRESS, .size = RIG_SIZE};
	rig->table = guest_page(&rig->guest);
	rig->context = guest_page(&rig->guest);
	smmuv3_set_context(&rig->guest, rig->context, rig->table, RIG_ASID);
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *const rig = *state;

	libiommu_smmuv3_batch_free(rig->batch);
	if (rig->nested)
		OK(libiommu_device_detach(rig->vm->dev));
	OK(libiommu_hwpt_destroy(rig->nested));
	OK(libiommu_vdevice_destroy(rig->vdev));
	OK(libiommu_viommu_destroy(rig->viommu));
	OK(libiommu_hwpt_destroy(rig->parent));
	munmap(rig->guest.memory, RIG_SIZE);
	*state = rig->vm;
	free(rig);
	return vm_teardown(state);
}

struct libiommu_hwpt *rig_nested(const struct rig *rig, enum smmuv3_stream stream)
{
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt;
	uint64_t words[2];

	smmuv3_stream_entry(stream, rig->context, words);
	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_smmuv3(config, words[0], words[1]));
	OK(libiommu_hwpt_alloc_viommu(rig->vm->dev, rig->viommu, config, &hwpt));
	libiommu_hwpt_config_free(config);
	return hwpt;
}

void rig_stream(struct rig *rig, enum smmuv3_stream stream)
{
	struct libiommu_hwpt *const hwpt = rig_nested(rig, stream);

	if (rig->nested)
		OK(libiommu_device_replace_hwpt(rig->vm->dev, hwpt));
	else
		OK(libiommu_device_attach_hwpt(rig->vm->dev, hwpt));
	OK(libiommu_hwpt_destroy(rig->nested));
	rig->nested = hwpt;
}

uint64_t rig_page(struct rig *rig, uint8_t value)
{
	const uint64_t page = guest_page(&rig->guest);

	assert_int_not_equal(page, 0);
	rig_fill(rig, page, value);
	return page;
}

void rig_fill(const struct rig *rig, uint64_t page, uint8_t value)
{
	memset(guest_at(&rig->guest, page), value, GUEST_PAGE);
}

bool rig_page_is(const struct rig *rig, uint64_t page, uint8_t value)
{
	const uint8_t *const bytes = guest_at(&rig->guest, page);

	for (size_t i = 0; i < GUEST_PAGE; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

void rig_map(struct rig *rig, uint64_t iova, uint64_t page, enum smmuv3_access access)
{
	assert_true(smmuv3_map(&rig->guest, rig->table, iova, page, access));
}

void rig_load(const struct rig *rig, uint64_t iova)
{
	assert_true(edu_load(rig->vm->regs, iova, GUEST_PAGE));
}

void rig_store(const struct rig *rig, uint64_t iova)
{
	assert_true(edu_store(rig->vm->regs, iova, GUEST_PAGE));
}

void rig_load_word(const struct rig *rig, uint64_t iova)
{
	assert_true(edu_load(rig->vm->regs, iova, sizeof(uint32_t)));
}

void rig_store_word(const struct rig *rig, uint64_t iova)
{
	assert_true(edu_store(rig->vm->regs, iova, sizeof(uint32_t)));
}
