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
#include "../base/table.h"
#include "slot.h"

struct libiommu_device;

/*
 * The tag that the end of the device's own attachment has: what its last fault had, or else what
 * it began with. A tag can be set ahead of a replacement, and is not the old one's for that.
 * Guarded by the attachment's fault queue.
 */
struct told {
	uint64_t tag;
	uint32_t generation;
};

/*
 * What an id of the kernel stands for, by value. It outlives the device, and is the next one's that
 * gets the same id, so that whoever translates an id may look at it at any time.
 */
struct name {
	_Atomic uint32_t generation; /* odd while a device has the id; another one for each */
	_Atomic uint64_t label;
	_Atomic bool shared_group;
	struct slot own; /* of faults without a PASID */
	struct told told;
	struct table pasids; /* of struct slot */
	/*
	 * The latest generation of any slot of them that has nothing attached: one that is used for
	 * the first time begins behind it. So no more than this need be known of those that are
	 * empty by who takes the device over.
	 */
	uint32_t ended;
	struct name *next; /* all of the registry's */
};

/* Part of the device; it is the device's to fill in before it is added. */
struct device_entry {
	struct libiommu_device *dev;
	struct device_entry *next;
	uint64_t label;
	bool shared_group; /* the device is not alone in its IOMMU group, as far as is known */
	/* 0 for a device that the kernel gives none; failures tell it while it may be set. */
	_Atomic uint32_t id;
	struct name *name;   /* NULL likewise; filled in by adding */
	uint32_t generation; /* of the name */
};

struct registry {
	pthread_mutex_t lock; /* for writers, and for the list; lookups by id need none */
	struct device_entry *devices;
	struct name *all_names;
	struct idmap ids;
	struct idmap names;
};

/* Memory set aside, so that adding cannot fail for want of it. */
struct registry_spare {
	struct idmap_spare ids;
	struct idmap_spare names;
	struct name *name;
};

void li_registry_init(struct registry *registry);
void li_registry_free(struct registry *registry);

/* Returns 0, or -ENOMEM with nothing to free. */
int li_registry_spare_alloc(struct registry_spare *spare);
/* What adding did not need. */
void li_registry_spare_free(struct registry_spare *spare);

/*
 * Returns 0, -EEXIST where another device has the id, or -EINVAL for an id that no kernel gives.
 * @fresh: the id comes from the kernel just now, so that whoever has it here was adopted under it
 * by mistake, and is no longer found by it.
 */
int li_registry_add(struct registry *registry, struct device_entry *entry, bool fresh,
                    struct registry_spare *spare);
/* Does nothing for an entry that was not added. */
void li_registry_remove(struct registry *registry, struct device_entry *entry);

/* NULL where no device ever had the id. Waits for nobody. */
struct name *li_registry_name(struct registry *registry, uint32_t id);
/* Returns whether a device has the name. Waits for nobody. @shared_group may be NULL. */
bool li_name_label(const struct name *name, uint64_t *label, uint32_t *generation,
                   bool *shared_group);

#endif
