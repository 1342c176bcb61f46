/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "registry.h"

#include <errno.h>
#include <stdlib.h>

#include <libiommu/device.h>

#include "ctx.h"

static const char *const no_device = "no device of this context has the id";

void li_registry_init(struct registry *registry)
{
	pthread_mutex_init(&registry->lock, NULL);
	registry->devices = NULL;
	registry->all_names = NULL;
	li_idmap_init(&registry->ids);
	li_idmap_init(&registry->names);
}

static void free_name(struct name *name)
{
	if (!name)
		return;
	li_table_free(&name->pasids);
	free(name);
}

void li_registry_free(struct registry *registry)
{
	while (registry->all_names) {
		struct name *const name = registry->all_names;

		registry->all_names = name->next;
		free_name(name);
	}
	li_idmap_free(&registry->names);
	li_idmap_free(&registry->ids);
	pthread_mutex_destroy(&registry->lock);
}

int li_registry_spare_alloc(struct registry_spare *spare)
{
	struct name *const name = calloc(1, sizeof(*name));

	*spare = (struct registry_spare){0};
	if (!name || li_idmap_spare_alloc(&spare->ids) || li_idmap_spare_alloc(&spare->names)) {
		free(name);
		li_registry_spare_free(spare);
		return -ENOMEM;
	}
	li_table_init(&name->pasids, sizeof(struct slot));
	spare->name = name;
	return 0;
}

void li_registry_spare_free(struct registry_spare *spare)
{
	li_idmap_spare_free(&spare->ids);
	li_idmap_spare_free(&spare->names);
	free_name(spare->name);
	spare->name = NULL;
}

/* The id is the entry's: take over the name, or make it. */
static void take_name(struct registry *registry, struct device_entry *entry,
                      struct registry_spare *spare)
{
	struct name *name = li_idmap_find(&registry->names, entry->id);
	uint32_t generation;

	/* Adopted by mistake: it keeps the name that it has, out of the way. */
	if (name && atomic_load_explicit(&name->generation, memory_order_relaxed) % 2) {
		li_idmap_remove(&registry->names, entry->id, name);
		name = NULL;
	}
	if (!name) {
		name = spare->name;
		spare->name = NULL;
		name->next = registry->all_names;
		registry->all_names = name;
		li_idmap_insert(&registry->names, entry->id, name, &spare->names);
	}
	generation = atomic_load_explicit(&name->generation, memory_order_relaxed) + 1;
	atomic_store_explicit(&name->label, entry->label, memory_order_release);
	atomic_store_explicit(&name->shared_group, entry->shared_group, memory_order_release);
	atomic_store_explicit(&name->generation, generation, memory_order_release);
	entry->name = name;
	entry->generation = generation;
}

int li_registry_add(struct registry *registry, struct device_entry *entry, bool fresh,
                    struct registry_spare *spare)
{
	int error = 0;

	pthread_mutex_lock(&registry->lock);
	if (fresh)
		li_idmap_remove(&registry->ids, entry->id,
		                li_idmap_find(&registry->ids, entry->id));
	if (entry->id)
		error = li_idmap_insert(&registry->ids, entry->id, entry->dev, &spare->ids);
	if (!error && entry->id)
		take_name(registry, entry, spare);
	if (!error) {
		entry->next = registry->devices;
		registry->devices = entry;
	}
	pthread_mutex_unlock(&registry->lock);
	return error;
}

void li_registry_remove(struct registry *registry, struct device_entry *entry)
{
	struct device_entry **link;

	pthread_mutex_lock(&registry->lock);
	if (entry->id)
		li_idmap_remove(&registry->ids, entry->id, entry->dev);
	if (entry->name)
		atomic_store_explicit(&entry->name->generation, entry->generation + 1,
		                      memory_order_release);
	for (link = &registry->devices; *link; link = &(*link)->next) {
		if (*link != entry)
			continue;
		*link = entry->next;
		break;
	}
	pthread_mutex_unlock(&registry->lock);
}

struct name *li_registry_name(struct registry *registry, uint32_t id)
{
	return li_idmap_find(&registry->names, id);
}

/*
 * A name that changes hands meanwhile was nobody's for a moment, and that is an answer too: no
 * second try.
 */
bool li_name_label(const struct name *name, uint64_t *label, uint32_t *generation,
                   bool *shared_group)
{
	*generation = atomic_load_explicit(&name->generation, memory_order_acquire);
	*label = atomic_load_explicit(&name->label, memory_order_acquire);
	if (shared_group)
		*shared_group = atomic_load_explicit(&name->shared_group, memory_order_acquire);
	return *generation % 2 &&
	       atomic_load_explicit(&name->generation, memory_order_acquire) == *generation;
}

int libiommu_device_label_by_id(struct libiommu_ctx *ctx, uint32_t id, uint64_t *label,
                                uint32_t *generation)
{
	const struct name *name;
	uint32_t found_generation;
	uint64_t found;

	if (!ctx || !label || !generation)
		return FAIL_NULL(ctx);
	name = li_registry_name(li_ctx_registry(ctx), id);
	if (!name || !li_name_label(name, &found, &found_generation, NULL))
		return FAIL_LIBRARY(ctx, __func__, -ENOENT, no_device, .id = id);
	*label = found;
	*generation = found_generation;
	return 0;
}

int libiommu_device_by_label(struct libiommu_ctx *ctx, uint64_t label, struct libiommu_device **dev)
{
	struct libiommu_device *found = NULL;
	struct registry *registry;
	uint64_t matches = 0;

	if (!ctx || !dev)
		return FAIL_NULL(ctx);
	registry = li_ctx_registry(ctx);
	pthread_mutex_lock(&registry->lock);
	for (const struct device_entry *entry = registry->devices; entry; entry = entry->next) {
		if (entry->label != label)
			continue;
		found = entry->dev;
		matches++;
	}
	pthread_mutex_unlock(&registry->lock);
	if (!matches)
		return FAIL_LIBRARY(ctx, __func__, -ENOENT, "no device has this label",
		                    .amount = label, .unit = "is the label");
	if (matches > 1)
		return FAIL_LIBRARY(ctx, __func__, -ENOTUNIQ, "several devices have this label",
		                    .amount = matches, .unit = "devices");
	*dev = found;
	return 0;
}

int libiommu_device_by_id(struct libiommu_ctx *ctx, uint32_t id, struct libiommu_device **dev)
{
	struct libiommu_device *found;

	if (!ctx || !dev)
		return FAIL_NULL(ctx);
	found = li_idmap_find(&li_ctx_registry(ctx)->ids, id);
	if (!found)
		return FAIL_LIBRARY(ctx, __func__, -ENOENT, no_device, .id = id);
	*dev = found;
	return 0;
}
