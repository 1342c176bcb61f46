/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "mapping.h"

#include <sys/mman.h>

#include "../base/sys.h"

void li_mapping_list_init(struct mapping_list *list, const struct libiommu_sys *sys)
{
	list->sys = sys;
	list->first = NULL;
	pthread_mutex_init(&list->lock, NULL);
}

void li_mapping_list_free(struct mapping_list *list)
{
	pthread_mutex_destroy(&list->lock);
}

bool li_mapping_list_empty(struct mapping_list *list)
{
	bool empty;

	pthread_mutex_lock(&list->lock);
	empty = !list->first;
	pthread_mutex_unlock(&list->lock);
	return empty;
}

void li_mapping_add(struct mapping_list *list, struct mapping *mapping)
{
	pthread_mutex_lock(&list->lock);
	mapping->prev = NULL;
	mapping->next = list->first;
	if (mapping->next)
		mapping->next->prev = mapping;
	list->first = mapping;
	pthread_mutex_unlock(&list->lock);
}

int li_mapping_remove(struct mapping_list *list, struct mapping *mapping)
{
	int error;

	pthread_mutex_lock(&list->lock);
	error = li_sys_munmap(list->sys, mapping->address, mapping->length);
	if (!error) {
		if (mapping->prev)
			mapping->prev->next = mapping->next;
		else
			list->first = mapping->next;
		if (mapping->next)
			mapping->next->prev = mapping->prev;
	}
	pthread_mutex_unlock(&list->lock);
	return error;
}

int li_mapping_list_replace(struct mapping_list *list)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
	struct mapping *mapping;
	void *address;
	int error = 0;

	pthread_mutex_lock(&list->lock);
	for (mapping = list->first; mapping && !error; mapping = mapping->next)
		error = li_sys_mmap(list->sys, mapping->address, mapping->length,
		                    PROT_READ | PROT_WRITE, flags, -1, 0, &address);
	pthread_mutex_unlock(&list->lock);
	return error;
}
