/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A context's devices: by the kernel's id for programs, by label for people. All of it may be
 * called with a device's lock held, and calls nothing back.
 */
#ifndef LIBIOMMU_OBJECT_REGISTRY_H
#define LIBIOMMU_OBJECT_REGISTRY_H

#include <pthread.h>
#include <stdbool.h>

#include "../base/idmap.h"

struct libiommu_device;

/* Part of the device; it is the device's to fill in before it is added. */
struct device_entry {
	struct libiommu_device *dev;
	struct device_entry *next;
	uint64_t label;
	/* 0 for a device that the kernel gives none; failures tell it while it may be set. */
	_Atomic uint32_t id;
};

struct registry {
	pthread_mutex_t lock; /* for writers, and for the list; lookups by id need none */
	struct device_entry *devices;
	struct idmap ids;
};

void li_registry_init(struct registry *registry);
void li_registry_free(struct registry *registry);

/*
 * Returns 0, -EEXIST where another device has the id, or -EINVAL for an id that no kernel gives.
 * @fresh: the id comes from the kernel just now, so that whoever has it here was adopted under it
 * by mistake, and is no longer found by it.
 */
int li_registry_add(struct registry *registry, struct device_entry *entry, bool fresh,
                    struct idmap_spare *spare);
/* Does nothing for an entry that was not added. */
void li_registry_remove(struct registry *registry, struct device_entry *entry);

#endif
