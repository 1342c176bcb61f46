/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "registry.h"

#include <errno.h>

#include <libiommu/device.h>

#include "ctx.h"

void li_registry_init(struct registry *registry)
{
	pthread_mutex_init(&registry->lock, NULL);
	registry->devices = NULL;
	li_idmap_init(&registry->ids);
}

void li_registry_free(struct registry *registry)
{
	li_idmap_free(&registry->ids);
	pthread_mutex_destroy(&registry->lock);
}

int li_registry_add(struct registry *registry, struct device_entry *entry, bool fresh,
                    struct idmap_spare *spare)
{
	int error = 0;

	pthread_mutex_lock(&registry->lock);
	if (fresh)
		li_idmap_remove(&registry->ids, entry->id,
		                li_idmap_find(&registry->ids, entry->id));
	if (entry->id)
		error = li_idmap_insert(&registry->ids, entry->id, entry->dev, spare);
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
	for (link = &registry->devices; *link; link = &(*link)->next) {
		if (*link != entry)
			continue;
		*link = entry->next;
		break;
	}
	pthread_mutex_unlock(&registry->lock);
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
		return FAIL_LIBRARY(ctx, __func__, -ENOENT, "no device of this context has the id",
		                    .id = id);
	*dev = found;
	return 0;
}
