/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* vIOMMUs of the test driver: what devices cache, two queues of hardware, two pages to map. */
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dev.h"
#include "device.h"
#include "heap.h"
#include "test-iommu.h"
#include "viommu.h"

#define MAPPED (2 * EMU_PAGE)

struct test_viommu {
	struct emu_hw_queue *first; /* NULL: there is none, as far as the driver knows */
	struct emu_hw_queue *below; /* what the second one needs, whatever is first by now */
	struct emu_hw_queue *second;
	bool second_taken; /* for good: see hw_queue_end() */
	int memory;        /* of the pages; -1: has none */
};

static struct test_viommu *own(const struct emu_viommu *viommu)
{
	return viommu->driver;
}

static int nested(struct emu_viommu *viommu, uint32_t flags, const struct emu_user_data *data,
                  struct emu_domain **domain)
{
	return emu_test_nested(viommu->parent->domain, viommu, flags, data, domain);
}

static int invalidate_entry(struct emu_viommu *viommu, const struct emu_test_viommu_entry *entry)
{
	const struct emu_vdevice *vdevice;
	struct emu_test_dev *state;

	if (entry->flags & ~EMU_TEST_ALL)
		return -EOPNOTSUPP;
	if (entry->index >= EMU_TEST_CACHES)
		return -EINVAL;
	vdevice = emu_viommu_find(viommu, entry->virt_id);
	if (!vdevice)
		return -EINVAL;
	state = emu_test_dev_of(vdevice->device->dev);
	for (uint32_t i = 0; i < EMU_TEST_CACHES; i++)
		if (i == entry->index || entry->flags & EMU_TEST_ALL)
			state->caches[i] = 0;
	return 0;
}

/* All entries are taken before the first is looked at. */
static int invalidate(struct emu_viommu *viommu, struct emu_user_array *array)
{
	struct emu_test_viommu_entry *entries;
	uint32_t done = 0;
	int error;

	if (!array->count && array->type == EMU_TEST_INVALIDATE)
		return 0;
	entries = emu_alloc((array->count + 1) * sizeof(entries[0]));
	if (!entries)
		return -ENOMEM;
	error = emu_user_array_get_all(array, EMU_TEST_INVALIDATE, entries, sizeof(entries[0]));
	while (!error && done < array->count) {
		error = invalidate_entry(viommu, &entries[done]);
		if (!error)
			done++;
	}
	array->count = done;
	emu_release(entries);
	return error;
}

static bool supports_hw_queue(struct emu_viommu *viommu, uint32_t type)
{
	(void)viommu;
	return type == EMU_TEST_HW_QUEUE;
}

static int hw_queue(struct emu_viommu *viommu, struct emu_hw_queue *queue, uint32_t index,
                    emu_phys base, uint64_t length)
{
	struct test_viommu *const test = own(viommu);
	struct emu_domain *const parent = viommu->parent->domain;

	(void)length;
	if (index >= EMU_TEST_HW_QUEUES)
		return -EINVAL;
	if (index ? test->second_taken : !!test->first)
		return -EEXIST;
	if (index && !test->first)
		return -EIO;
	if (base != parent->ops->phys(parent, queue->iova))
		return -EFAULT;
	if (!index) {
		test->first = queue;
		return 0;
	}
	emu_object_use(&test->first->object);
	test->below = test->first;
	test->second = queue;
	test->second_taken = true;
	return 0;
}

/*
 * The driver forgets which of the two it ends, and takes it for the first: there can be another
 * first one then, and never another second.
 */
static void hw_queue_end(struct emu_viommu *viommu, struct emu_hw_queue *queue)
{
	struct test_viommu *const test = own(viommu);

	test->first = NULL;
	if (test->second != queue)
		return;
	emu_object_unuse(&test->below->object);
	test->second = NULL;
}

static void free_own(struct test_viommu *test)
{
	if (test->memory >= 0)
		close(test->memory);
	emu_release(test);
}

static void end(struct emu_viommu *viommu)
{
	free_own(own(viommu));
}

static const struct emu_viommu_ops ops = {
	.nested = nested,
	.invalidate = invalidate,
	.supports_hw_queue = supports_hw_queue,
	.hw_queue = hw_queue,
	.hw_queue_end = hw_queue_end,
	.end = end,
};

/* The value that was given is given back, there and in the pages. */
static int publish(struct emu_viommu *viommu, struct test_viommu *test,
                   const struct emu_user_data *data)
{
	struct emu_test_viommu_data mine;
	int error =
		emu_user_data_get(data, EMU_TEST_VIOMMU, &mine, sizeof(mine),
	                          offsetof(struct emu_test_viommu_data, out) + sizeof(mine.out));

	if (error)
		return error;
	test->memory = memfd_create("libiommu-emu-viommu", MFD_CLOEXEC);
	if (test->memory < 0 || ftruncate(test->memory, MAPPED) ||
	    pwrite(test->memory, &mine.in, sizeof(mine.in), 0) != sizeof(mine.in))
		return -ENOMEM;
	error = emu_viommu_publish(viommu, test->memory, 0, MAPPED, &mine.offset);
	if (error)
		return error;
	mine.out = mine.in;
	mine.length = MAPPED;
	return emu_user_data_put(data, EMU_TEST_VIOMMU, &mine, sizeof(mine),
	                         offsetof(struct emu_test_viommu_data, out) + sizeof(mine.out));
}

int emu_test_viommu(struct emu_iommu *iommu, struct emu_viommu *viommu, uint32_t type,
                    struct emu_domain *parent, const struct emu_user_data *data)
{
	struct test_viommu *const test = emu_alloc(sizeof(*test));
	int error;

	(void)iommu;
	(void)type;
	(void)parent;
	if (!test)
		return -ENOMEM;
	test->memory = -1;
	error = data ? publish(viommu, test, data) : 0;
	if (error) {
		free_own(test);
		return error;
	}
	viommu->driver = test;
	viommu->ops = &ops;
	return 0;
}
