/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Devices of a machine: what is described, where they are, and their DMA through a page table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <libiommu-emu.h>
#include <stdlib.h>
#include <string.h>

#include "../../emu/dev.h"
#include "../../emu/heap.h"
#include "../../emu/machine.h"

enum { PAGE = 4096 };

/* An IOMMU whose one domain has two pages at IOVA 0; it says what became of it. */
struct rig {
	struct emu_iommu iommu;
	struct libiommu_emu *emu;
	struct emu_domain domain;
	struct emu_attached attached;
	int probe_error;
	unsigned int probed, freed;
	char memory[2 * PAGE];
};

static struct rig *rig_of(struct emu_iommu *iommu)
{
	return (struct rig *)iommu;
}

static int probe(struct emu_iommu *iommu, struct emu_dev *dev)
{
	dev->iommu_data = iommu;
	rig_of(iommu)->probed++;
	return rig_of(iommu)->probe_error;
}

static void release(struct emu_iommu *iommu, struct emu_dev *dev)
{
	assert_ptr_equal(dev->iommu_data, iommu);
	rig_of(iommu)->probed--;
}

static bool reserved(struct emu_iommu *iommu, struct emu_dev *dev, size_t i,
                     struct emu_reserved *range)
{
	(void)iommu;
	(void)dev;
	*range = (struct emu_reserved){100, 200};
	return i == 0;
}

static void end(struct emu_iommu *iommu)
{
	assert_int_equal(rig_of(iommu)->probed, 0);
	rig_of(iommu)->freed++;
}

static const struct emu_iommu_ops ops = {
	.probe = probe,
	.release = release,
	.reserved = reserved,
	.free = end,
};

/* Page by page; the second can only be read. */
static int translate(struct emu_domain *domain, uint64_t iova, unsigned int access, emu_phys *phys,
                     uint64_t *length)
{
	struct rig *const rig = rig_of(domain->iommu);

	if (iova >= sizeof(rig->memory) || (iova >= PAGE && access & EMU_WRITE))
		return -EFAULT;
	*phys = (uintptr_t)rig->memory + iova;
	if (*length > PAGE - iova % PAGE)
		*length = PAGE - iova % PAGE;
	return 0;
}

static const struct emu_domain_ops domain_ops = {.translate = translate};

static int setup(void **state)
{
	struct rig *const rig = calloc(1, sizeof(*rig));

	if (!rig || libiommu_emu_new(&rig->emu))
		return -1;
	rig->iommu.ops = &ops;
	rig->iommu.pasid_bits = 16;
	rig->domain.ops = &domain_ops;
	rig->domain.iommu = &rig->iommu;
	rig->attached.domain = &rig->domain;
	emu_iommu_add(rig->emu, &rig->iommu);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *const rig = *state;
	const int error = libiommu_emu_destroy(rig->emu);
	const unsigned int freed = rig->freed;

	free(rig);
	return error || freed != 1 ? -1 : 0;
}

static struct libiommu_emu_device_config *behind(struct rig *rig)
{
	struct libiommu_emu_device_config *config;

	assert_int_equal(libiommu_emu_device_config_new(&config), 0);
	assert_int_equal(libiommu_emu_device_config_set_iommu(
				 config, (struct libiommu_emu_iommu *)&rig->iommu),
	                 0);
	return config;
}

static struct emu_dev *add(struct rig *rig, struct libiommu_emu_device_config *config)
{
	struct libiommu_emu_device *device;

	assert_int_equal(libiommu_emu_device_add(rig->emu, config, &device), 0);
	libiommu_emu_device_config_free(config);
	return (struct emu_dev *)device;
}

static void descriptions(void **state)
{
	static const char *const wrong[] = {"",
	                                    "0000:00:01",
	                                    "00:01.0",
	                                    "0000:00:20.0",
	                                    "0000:00:01.8",
	                                    "0000:00:01.0 ",
	                                    "0000:0g:01.0"};
	struct libiommu_emu_device_config *config;
	struct libiommu_emu_device *device = NULL;
	struct rig *const rig = *state;
	struct libiommu_emu *other;

	assert_int_equal(libiommu_emu_device_config_new(NULL), -EINVAL);
	libiommu_emu_device_config_free(NULL);
	assert_int_equal(libiommu_emu_device_config_set_iommu(NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_device_config_set_group(NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_device_config_set_address(NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_device_config_set_pasid_bits(NULL, 1), -EINVAL);
	assert_int_equal(libiommu_emu_device_config_set_flags(NULL, 0), -EINVAL);
	assert_int_equal(libiommu_emu_device_config_add_reserved(NULL, 0, 1), -EINVAL);
	assert_int_equal(libiommu_emu_device_add(NULL, NULL, &device), -EINVAL);
	assert_int_equal(libiommu_emu_device_add(rig->emu, NULL, NULL), -EINVAL);
	assert_null(libiommu_emu_device_address(NULL));
	config = behind(rig);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(libiommu_emu_device_config_set_address(config, wrong[i]), -EINVAL);
	assert_int_equal(libiommu_emu_device_config_set_pasid_bits(config, 21), -EINVAL);
	assert_int_equal(libiommu_emu_device_config_set_flags(config, 1U << 7), -EINVAL);
	assert_int_equal(libiommu_emu_device_config_add_reserved(config, 2, 1), -EINVAL);
	/* An IOMMU, and a group, of another machine. */
	assert_int_equal(libiommu_emu_new(&other), 0);
	assert_int_equal(libiommu_emu_device_add(other, config, &device), -EINVAL);
	assert_int_equal(libiommu_emu_device_add(rig->emu, config, &device), 0);
	assert_int_equal(libiommu_emu_device_config_set_iommu(config, NULL), 0);
	assert_int_equal(libiommu_emu_device_config_set_group(config, device), 0);
	assert_int_equal(libiommu_emu_device_add(other, config, &device), -EINVAL);
	assert_int_equal(libiommu_emu_destroy(other), 0);
	libiommu_emu_device_config_free(config);
}

static void what_is_described(void **state)
{
	struct rig *const rig = *state;
	struct libiommu_emu_device_config *const config = behind(rig);
	struct emu_reserved range;
	struct emu_dev *dev;

	assert_int_equal(libiommu_emu_device_config_set_address(config, "00ab:cd:1f.7"), 0);
	assert_int_equal(libiommu_emu_device_config_set_pasid_bits(config, 20), 0);
	assert_int_equal(libiommu_emu_device_config_set_flags(config, 0x55), 0);
	assert_int_equal(libiommu_emu_device_config_add_reserved(config, 1, 2), 0);
	assert_int_equal(libiommu_emu_device_config_add_reserved(config, 5, 5), 0);
	dev = add(rig, config);
	assert_string_equal(libiommu_emu_device_address((struct libiommu_emu_device *)dev),
	                    "00ab:cd:1f.7");
	assert_ptr_equal(emu_dev_find(rig->emu, "00ab:cd:1f.7"), dev);
	assert_true(dev->no_dirty && dev->ats && dev->pasid_privileged && dev->host);
	assert_false(dev->page_requests || dev->pasid_exec || dev->virtual_function);
	/* The IOMMU has fewer bits; without one there are none. */
	assert_int_equal(emu_dev_pasid_bits(dev), 16);
	assert_int_equal(emu_dev_pasid_bits(add(rig, NULL)), 0);
	/* Its own ranges, and its IOMMU's. */
	assert_true(emu_dev_reserved(dev, 1, &range) && range.start == 5 && range.last == 5);
	assert_true(emu_dev_reserved(dev, 2, &range) && range.start == 100);
	assert_false(emu_dev_reserved(dev, 3, &range));
}

static void addresses_and_groups(void **state)
{
	struct rig *const rig = *state;
	struct emu_dev *const one = add(rig, behind(rig));
	struct libiommu_emu_device_config *config;
	struct libiommu_emu_device *device;
	struct emu_dev *two, *three;

	assert_string_equal(one->address, "0000:00:01.0");
	assert_int_equal(libiommu_emu_device_config_new(&config), 0);
	assert_int_equal(libiommu_emu_device_config_set_address(config, one->address), 0);
	assert_int_equal(libiommu_emu_device_add(rig->emu, config, &device), -EEXIST);
	assert_int_equal(libiommu_emu_device_config_set_address(config, NULL), 0);
	assert_int_equal(
		libiommu_emu_device_config_set_group(config, (struct libiommu_emu_device *)one), 0);
	two = add(rig, config);
	three = add(rig, NULL);
	assert_ptr_equal(two->group, one->group);
	assert_ptr_equal(two->iommu_data, rig);
	assert_ptr_equal(one->sibling, two);
	assert_null(three->group->iommu);
	assert_int_equal(three->group->number, 1);
	assert_string_equal(three->address, "0000:00:03.0");
	assert_int_equal(three->node, 2);
	/* What has gone is given to the next, a group with its last device only. */
	emu_dev_free(one);
	three = add(rig, behind(rig));
	assert_string_equal(three->address, "0000:00:01.0");
	assert_int_equal(three->node, 0);
	assert_int_equal(three->group->number, 2);
	emu_dev_free(two);
	assert_int_equal(add(rig, NULL)->group->number, 0);
}

static void allocations(void **state)
{
	struct rig *const rig = *state;
	struct libiommu_emu_device_config *config = NULL;
	struct libiommu_emu_device *device;
	unsigned int nth = 1;

	emu_heap_fail(1);
	assert_int_equal(libiommu_emu_device_config_new(&config), -ENOMEM);
	emu_heap_stop();
	config = behind(rig);
	emu_heap_fail(1);
	assert_int_equal(libiommu_emu_device_config_add_reserved(config, 1, 2), -ENOMEM);
	emu_heap_stop();
	assert_int_equal(libiommu_emu_device_config_add_reserved(config, 1, 2), 0);
	for (;; nth++) {
		int error;

		emu_heap_fail(nth);
		error = libiommu_emu_device_add(rig->emu, config, &device);
		if (!emu_heap_stop())
			break;
		assert_int_equal(error, -ENOMEM);
		assert_null(rig->emu->devs);
		assert_null(rig->emu->groups);
	}
	assert_int_equal(nth, 5);
	/* The IOMMU's own. */
	rig->probe_error = -EIO;
	assert_int_equal(libiommu_emu_device_add(rig->emu, config, &device), -EIO);
	assert_int_equal(rig->probed, 1);
	libiommu_emu_device_config_free(config);
}

static void dma(void **state)
{
	struct rig *const rig = *state;
	struct emu_dev *const dev = add(rig, behind(rig));
	struct libiommu_emu_device *const device = (struct libiommu_emu_device *)dev;
	char buffer[3 * PAGE];
	size_t done = 9;

	assert_int_equal(libiommu_emu_device_read(NULL, 0, 0, buffer, 1, &done), -EINVAL);
	assert_int_equal(libiommu_emu_device_write(device, 0, 0, NULL, 1, &done), -EINVAL);
	assert_int_equal(done, 9);
	/* Nothing is attached. */
	assert_int_equal(libiommu_emu_device_read(device, 0, 0, buffer, 1, &done), -EFAULT);
	assert_int_equal(done, 0);
	assert_int_equal(emu_sparse_set(&dev->group->attached, 0, &rig->attached), 0);
	memset(rig->memory, 'm', sizeof(rig->memory));
	assert_int_equal(libiommu_emu_device_read(device, 0, 5, buffer, 2 * PAGE - 5, &done), 0);
	assert_int_equal(done, 2 * PAGE - 5);
	assert_memory_equal(buffer, rig->memory, done);
	/* As far as it goes. */
	assert_int_equal(libiommu_emu_device_read(device, 0, 1, buffer, sizeof(buffer), &done),
	                 -EFAULT);
	assert_int_equal(done, 2 * PAGE - 1);
	memset(buffer, 'b', sizeof(buffer));
	assert_int_equal(libiommu_emu_device_write(device, 0, PAGE - 3, buffer, 10, &done),
	                 -EFAULT);
	assert_int_equal(done, 3);
	assert_memory_equal(rig->memory + PAGE - 4, "mbbbm", 5);
	assert_int_equal(libiommu_emu_device_write(device, 0, 0, NULL, 0, NULL), 0);
	assert_int_equal(emu_dev_dma(dev, 0, UINT64_MAX, buffer, 2, EMU_READ, NULL), -EFAULT);
	/* At a PASID there is nothing, or all that the guest has. Without PASIDs there is none. */
	dev->pasid_bits = 4;
	assert_int_equal(libiommu_emu_device_read(device, 7, 0, buffer, 1, NULL), -EFAULT);
	rig->iommu.guest_pasids = true;
	assert_int_equal(libiommu_emu_device_read(device, 7, 0, buffer, 1, NULL), -EFAULT);
	rig->domain.parent = &rig->domain;
	assert_int_equal(libiommu_emu_device_read(device, 7, 0, buffer, 1, NULL), 0);
	dev->pasid_bits = 0;
	assert_int_equal(libiommu_emu_device_read(device, 7, 0, buffer, 1, NULL), -EFAULT);
	dev->removed = true;
	assert_int_equal(libiommu_emu_device_read(device, 0, 0, buffer, 1, NULL), -ENODEV);
	assert_int_equal(emu_sparse_set(&dev->group->attached, 0, NULL), 0);
}

static void dma_without_an_iommu(void **state)
{
	struct rig *const rig = *state;
	struct emu_dev *const dev = add(rig, NULL);
	struct libiommu_emu_device *const device = (struct libiommu_emu_device *)dev;
	char buffer[4];
	int error;

	memcpy(rig->memory, "abcd", 4);
	error = libiommu_emu_device_read(device, 0, (uintptr_t)rig->memory, buffer, 4, NULL);
	assert_int_equal(error, 0);
	assert_memory_equal(buffer, "abcd", 4);
	assert_int_equal(libiommu_emu_device_read(device, 0, 4, buffer, 4, NULL), -EFAULT);
	assert_int_equal(emu_dev_translate(dev, 0, 77, EMU_READ, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(descriptions, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_described, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses_and_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(allocations, setup, teardown),
		cmocka_unit_test_setup_teardown(dma, setup, teardown),
		cmocka_unit_test_setup_teardown(dma_without_an_iommu, setup, teardown),
	};

	return cmocka_run_group_tests_name("dev", tests, NULL, NULL);
}
