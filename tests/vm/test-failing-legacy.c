/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * VFIO's containers, and vDPA devices, with each allocation in the kernel failing in turn: a
 * container is attached, changed over and left by several calls of the kernel, each of which can
 * fail.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "failing.h"
#include "vdpa-sim.h"

/* The device finds the memory where it is mapped. */
static void move(const struct vm *vm)
{
	memset(vm->memory, 0x77, 64);
	memset(vm->memory + VM_PAGE, 0, 64);
	assert_true(edu_load(vm->regs, VM_IOVA, 64));
	assert_true(edu_store(vm->regs, VM_IOVA + VM_PAGE, 64));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, 64);
}

static struct libiommu_hwpt *tracked(struct vm *vm)
{
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *hwpt;

	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_DIRTY_TRACKING));
	OK(libiommu_hwpt_alloc(vm->dev, vm->ioas, config, &hwpt));
	libiommu_hwpt_config_free(config);
	return hwpt;
}

static void test_containers(void **state)
{
	struct vm *const vm = *state;
	struct failing f;
	uint32_t flags;

	failing_begin(&f, vm);
	EACH(&f.each, libiommu_container_extension(vm->ioas, LIBIOMMU_CONTAINER_TYPE1V2), NOTHING);
	EACH(&f.each, libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev),
	     OK(libiommu_device_destroy(vm->dev)));
	EACH(&f.each, libiommu_container_group_flags(vm->dev, &flags), NOTHING);
	EACH(&f.each, libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0), {
		OK(libiommu_device_destroy(vm->dev));
		OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	});
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	EACH(&f.each, libiommu_device_attach_ioas(vm->dev, vm->ioas),
	     OK(libiommu_device_detach(vm->dev)));
	vm_map_registers(vm);
	move(vm);
	EACH(&f.each, libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_LENGTH),
	     OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA)));
	EACH(&f.each,
	     libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA),
	     OK(libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_LENGTH)));
	move(vm);
	EACH(&f.each, libiommu_container_mappings_left(vm->ioas, &flags), NOTHING);
	EACH(&f.each, libiommu_device_detach(vm->dev),
	     OK(libiommu_device_attach_ioas(vm->dev, vm->ioas)));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	move(vm);
	failing_end(&f);
}

/* What the kernel calls written is told, or stays: a call that fails has forgotten nothing. */
static void test_tracking(void **state)
{
	const uint64_t all = (UINT64_C(1) << VM_LENGTH / VM_PAGE) - 1;
	struct vm *const vm = *state;
	struct libiommu_hwpt *hwpt;
	struct failing f;
	uint64_t bits = 0;

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	hwpt = tracked(vm);
	OK(libiommu_device_attach_hwpt(vm->dev, hwpt));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	failing_begin(&f, vm);
	EACH(&f.each, libiommu_hwpt_set_dirty_tracking(hwpt, true),
	     OK(libiommu_hwpt_set_dirty_tracking(hwpt, false)));
	EACH(&f.each,
	     libiommu_hwpt_get_dirty_bitmap(hwpt, VM_IOVA, VM_LENGTH, VM_PAGE, 0, &bits, 1, NULL),
	     NOTHING);
	assert_int_equal(bits, all);
	bits = 0;
	EACH(&f.each, libiommu_hwpt_unmap_dirty(hwpt, VM_IOVA, VM_LENGTH, VM_PAGE, &bits, 1, NULL),
	     {
		     assert_int_equal(bits, all);
		     OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE,
		                                VM_IOVA));
	     });
	assert_int_equal(bits, all);
	EACH(&f.each, libiommu_hwpt_set_dirty_tracking(hwpt, false),
	     OK(libiommu_hwpt_set_dirty_tracking(hwpt, true)));
	failing_end(&f);
	OK(libiommu_device_destroy(vm->dev));
	vm->dev = NULL;
	OK(libiommu_hwpt_destroy(hwpt));
}

/* Memory moves in the process. */
static void test_memory(void **state)
{
	struct vm *const vm = *state;
	struct failing f;

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	vm_map_registers(vm);
	failing_begin(&f, vm);
	EACH(&f.each, libiommu_container_forget_memory(vm->ioas, VM_IOVA, VM_LENGTH),
	     OK(libiommu_container_renew_memory(vm->ioas, VM_IOVA, VM_LENGTH, vm->memory)));
	EACH(&f.each, libiommu_container_renew_memory(vm->ioas, VM_IOVA, VM_LENGTH, vm->memory),
	     OK(libiommu_container_forget_memory(vm->ioas, VM_IOVA, VM_LENGTH)));
	move(vm);
	OK(libiommu_ioas_unmap_all(vm->ioas, NULL));
	EACH(&f.each, libiommu_ioas_unmap_all(vm->ioas, NULL), NOTHING);
	failing_stop(&f);
}

static void vdpa_each(struct failing *f, const char *node)
{
	const struct vm *const vm = f->vm;
	struct libiommu_dma_space *space;
	struct libiommu_vdpa *vdpa, *twin;
	uint64_t iova;
	uint32_t group;

	EACH(&f->each, libiommu_vdpa_open(vm->ctx, node, 0, &vdpa),
	     OK(libiommu_vdpa_destroy(vdpa)));
	EACH(&f->each,
	     libiommu_vdpa_adopt(vm->ctx, libiommu_vdpa_fd(vdpa), LIBIOMMU_FD_DUP, 0, &twin),
	     OK(libiommu_vdpa_destroy(twin)));
	OK(libiommu_vdpa_destroy(twin));
	EACH(&f->each, libiommu_vdpa_queue_group(vdpa, 1, &group), NOTHING);
	EACH(&f->each, libiommu_vdpa_set_group(vdpa, 1, 1), NOTHING);
	EACH(&f->each, libiommu_vdpa_map(vdpa, 1, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA),
	     OK(libiommu_vdpa_unmap(vdpa, 1, VM_IOVA, VM_LENGTH)));
	EACH(&f->each, libiommu_vdpa_unmap(vdpa, 1, VM_IOVA, VM_LENGTH),
	     OK(libiommu_vdpa_map(vdpa, 1, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA)));
	OK(libiommu_dma_space_new(vm->ioas, NULL, &space));
	OK(libiommu_dma_space_register(space, vm->memory, VM_LENGTH, VM_READ_WRITE, &iova));
	EACH(&f->each, libiommu_dma_space_mirror_vdpa(space, vdpa, 0),
	     OK(libiommu_dma_space_unmirror_vdpa(space, vdpa, 0)));
	EACH(&f->each, libiommu_dma_space_unmirror_vdpa(space, vdpa, 0),
	     OK(libiommu_dma_space_mirror_vdpa(space, vdpa, 0)));
	OK(libiommu_dma_space_unregister(space, vm->memory, VM_LENGTH));
	OK(libiommu_dma_space_destroy(space));
	EACH(&f->each, libiommu_vdpa_destroy(vdpa),
	     OK(libiommu_vdpa_open(vm->ctx, node, 0, &vdpa)));
}

static void test_vdpa(void **state)
{
	struct vm *const vm = *state;
	struct failing f;
	char node[64];
	int error = sim_create("vdpasim_net", "failing");

	if (error || !sim_node("failing", node, sizeof(node)))
		SKIP("no simulator of vDPA devices: %s", strerror(-error));
	failing_begin(&f, vm);
	vdpa_each(&f, node);
	failing_end(&f);
	assert_int_equal(sim_delete("failing"), 0);
}

#define TEST(function, setup) cmocka_unit_test_setup_teardown(function, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_containers, vm_setup_type1),
		TEST(test_tracking, vm_setup_type1),
		TEST(test_memory, vm_setup_type1),
		TEST(test_vdpa, vm_setup_bound),
	};

	return cmocka_run_group_tests_name("failing-legacy", tests, NULL, NULL);
}
