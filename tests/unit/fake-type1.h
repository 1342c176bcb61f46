/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A kernel with VFIO's containers and groups, a device in each group, as far as their rules go:
 * drivers/vfio/container.c, group.c and vfio_iommu_type1.c. Calls may come from several threads.
 */
#ifndef LIBIOMMU_TESTS_FAKE_TYPE1_H
#define LIBIOMMU_TESTS_FAKE_TYPE1_H

#include <stdbool.h>
#include <stdint.h>

#include <libiommu.h>

enum { FAKE_GROUPS = 5, FAKE_PAGES = 32 }; /* of 4096 bytes, the first at 4096 */

/* The only one at a time. Groups are "/dev/vfio/0" and so on, their devices "d0" and so on. */
struct libiommu_sys *fake_type1_new(void);
/* Fails the test if anything is left open. */
void fake_type1_end(void);

/* Of so many calls that can fail one does, by @seed; 0: none. */
void fake_type1_fail(unsigned int one_in, uint32_t seed);

/* Whether the group's device is open. */
bool fake_type1_is_open(int group);
/* The descriptor of the container that the group is in, and its IOMMU chosen; -1 for none. */
int fake_type1_container(int group);
/* A bit for each page that is mapped in a container. */
uint32_t fake_type1_mapped(int container);
unsigned int fake_type1_containers(void);

#endif
