/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctx.h"
#include "discover.h"

#define DEVICES "/sys/bus/pci/devices"

struct listed {
	char address[SYSFS_NAME_MAX];
	uint64_t order;
	struct discover_facts facts;
};

struct libiommu_device_list {
	struct listed *devices;
	size_t count;
};

/* As text addresses do not sort: a domain has four digits or more. */
static uint64_t order_of(const char *address)
{
	uint32_t domain;
	uint32_t bus;
	uint32_t slot;
	uint32_t function;

	if (sscanf(address, "%8" SCNx32 ":%2" SCNx32 ":%2" SCNx32 ".%1" SCNx32, &domain, &bus,
	           &slot, &function) != 4)
		return UINT64_MAX;
	return (uint64_t)domain << 16 | bus << 8 | slot << 3 | function;
}

static int compare(const void *a, const void *b)
{
	const struct listed *const left = a;
	const struct listed *const right = b;

	if (left->order != right->order)
		return left->order < right->order ? -1 : 1;
	return strcmp(left->address, right->address);
}

static size_t count_names(const char *names)
{
	size_t count = 0;

	for (; *names; names += strlen(names) + 1)
		count++;
	return count;
}

static int look_at(const struct libiommu_sys *sys, const char *address, struct listed *listed)
{
	char dir[sizeof(DEVICES "/") + SYSFS_NAME_MAX];
	const int length = snprintf(listed->address, sizeof(listed->address), "%s", address);

	if (length >= (int)sizeof(listed->address))
		return -ENAMETOOLONG;
	snprintf(dir, sizeof(dir), DEVICES "/%s", listed->address);
	listed->order = order_of(address);
	return li_discover_examine(sys, dir, &listed->facts);
}

static int look_at_all(const struct libiommu_sys *sys, const char *names,
                       struct libiommu_device_list *list)
{
	for (; *names; names += strlen(names) + 1) {
		const int error = look_at(sys, names, &list->devices[list->count]);

		/* It was there when the directory was read, and has been unplugged since. */
		if (error == -ENODEV)
			continue;
		if (error)
			return error;
		list->count++;
	}
	if (list->count)
		qsort(list->devices, list->count, sizeof(*list->devices), compare);
	return 0;
}

int libiommu_device_list_new(const struct libiommu_sys *sys, struct libiommu_device_list **list)
{
	const struct libiommu_sys *const door = sys ? sys : li_sys_libc();
	struct libiommu_device_list *made;
	char *names = NULL;
	int error;

	if (!list)
		return FAIL_NULL(NULL);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(NULL);
	error = li_sysfs_names(door, DEVICES, &names);
	if (!error) {
		/* One more than there are, since calloc() of nothing may return NULL. */
		made->devices = calloc(count_names(names) + 1, sizeof(*made->devices));
		error = made->devices ? look_at_all(door, names, made) : -ENOMEM;
		free(names);
	} else if (error == -ENOENT) {
		error = 0;
	}
	if (error) {
		libiommu_device_list_free(made);
		if (error == -ENOMEM)
			return FAIL_MEMORY(NULL);
		return FAIL_KERNEL(NULL, __func__, error, CALL_SYSFS, .subject = DEVICES);
	}
	*list = made;
	return 0;
}

void libiommu_device_list_free(struct libiommu_device_list *list)
{
	if (!list)
		return;
	free(list->devices);
	free(list);
}

size_t libiommu_device_list_count(const struct libiommu_device_list *list)
{
	return list ? list->count : 0;
}

static const struct listed *find(const struct libiommu_device_list *list, size_t index)
{
	return list && index < list->count ? &list->devices[index] : NULL;
}

static int no_such(const struct libiommu_device_list *list, const char *operation)
{
	return FAIL_LIBRARY(NULL, operation, -EINVAL,
	                    list ? "no device has this index" : "the list is NULL",
	                    .amount = libiommu_device_list_count(list), .unit = "devices");
}

const char *libiommu_device_list_address(const struct libiommu_device_list *list, size_t index)
{
	const struct listed *const found = find(list, index);

	return found ? found->address : NULL;
}

const char *libiommu_device_list_driver(const struct libiommu_device_list *list, size_t index)
{
	const struct listed *const found = find(list, index);

	return found ? found->facts.driver : NULL;
}

const char *libiommu_device_list_iommu(const struct libiommu_device_list *list, size_t index)
{
	const struct listed *const found = find(list, index);

	return found ? found->facts.iommu : NULL;
}

const char *libiommu_device_list_node(const struct libiommu_device_list *list, size_t index)
{
	const struct listed *const found = find(list, index);

	return found ? found->facts.node : NULL;
}

int libiommu_device_list_group(const struct libiommu_device_list *list, size_t index)
{
	const struct listed *const found = find(list, index);

	if (!found)
		return no_such(list, __func__);
	if (found->facts.group < 0)
		return FAIL_LIBRARY(NULL, __func__, -ENODEV, "the device is in no group",
		                    .subject = found->address);
	return found->facts.group;
}

int libiommu_device_list_ids(const struct libiommu_device_list *list, size_t index,
                             uint32_t *vendor, uint32_t *device, uint32_t *class_code)
{
	const struct listed *const found = find(list, index);

	if (!found)
		return no_such(list, __func__);
	if (!vendor || !device || !class_code)
		return FAIL_NULL(NULL);
	*vendor = found->facts.vendor;
	*device = found->facts.device;
	*class_code = found->facts.class_code;
	return 0;
}

int libiommu_device_list_obstacle(const struct libiommu_device_list *list, size_t index)
{
	const struct listed *const found = find(list, index);

	return found ? (int)found->facts.obstacle : no_such(list, __func__);
}

const char *libiommu_device_list_advice(const struct libiommu_device_list *list, size_t index)
{
	const struct listed *const found = find(list, index);

	return found ? found->facts.advice : NULL;
}
