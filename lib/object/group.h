/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Groups that devices were opened through. The kernel lets a group's file be open once, so that
 * all devices of a group in one context share it.
 */
#ifndef LIBIOMMU_OBJECT_GROUP_H
#define LIBIOMMU_OBJECT_GROUP_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/sysfs.h"

/* A device's name and a token. */
#define GROUP_NAME_MAX (SYSFS_NAME_MAX + 64)

struct group;
struct libiommu_ctx;
struct type1_group;

struct group_list {
	pthread_mutex_t lock;
	struct group *groups;
};

void li_group_list_init(struct group_list *list);
void li_group_list_free(struct group_list *list);

/*
 * The group's file, opened, or open already and used once more. An error is recorded; @name: of the
 * device that it is for, to find out what is in the way.
 */
int li_group_get(struct libiommu_ctx *ctx, const char *operation, const char *path,
                 const char *name, struct group **group);
struct type1_group *li_group_legacy(struct group *group);
/* The kernel takes a virtual function's token as a part of the name. Returns whether it fits. */
bool li_group_write_name(char *text, size_t size, const char *name, const uint8_t *token);
/* One use less; the last closes the group's file. */
void li_group_put(struct libiommu_ctx *ctx, struct group *group);

#endif
