/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Groups that devices were opened through. The kernel lets a group's file be open once, so that
 * all devices of a group in one context share it.
 */
#ifndef LIBIOMMU_OBJECT_GROUP_H
#define LIBIOMMU_OBJECT_GROUP_H

#include <pthread.h>

struct group;
struct libiommu_ctx;

struct group_list {
	pthread_mutex_t lock;
	struct group *groups;
};

void li_group_list_init(struct group_list *list);
void li_group_list_free(struct group_list *list);

/* One use less; the last closes the group's file. */
void li_group_put(struct libiommu_ctx *ctx, struct group *group);

#endif
