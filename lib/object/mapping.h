/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Memory of a device that is mapped into the process. It must go before the device; when the
 * device is revoked it is replaced in place, so that nobody faults on it and the kernel can let
 * go of the device.
 */
#ifndef LIBIOMMU_OBJECT_MAPPING_H
#define LIBIOMMU_OBJECT_MAPPING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct libiommu_sys;

/* Part of the owner's own structure. */
struct mapping {
	struct mapping *next;
	struct mapping *prev;
	void *address;
	size_t length;
};

struct mapping_list {
	const struct libiommu_sys *sys;
	pthread_mutex_t lock;
	struct mapping *first;
};

void li_mapping_list_init(struct mapping_list *list, const struct libiommu_sys *sys);
void li_mapping_list_free(struct mapping_list *list);
bool li_mapping_list_empty(struct mapping_list *list);

void li_mapping_add(struct mapping_list *list, struct mapping *mapping);
/*
 * Unmap and forget, as one step with regard to a replacement. A failure, of munmap(), changes
 * nothing.
 */
int li_mapping_remove(struct mapping_list *list, struct mapping *mapping);
/*
 * Put plain memory that reads zero in the place of each. After a failure some are replaced and
 * some not; to be repeated.
 */
int li_mapping_list_replace(struct mapping_list *list);

#endif
