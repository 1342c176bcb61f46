/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Handles for what the kernel has already, made by another process: what is attached to a device,
 * and which page requests are unanswered. Before anybody else knows of the handles; nothing is
 * recorded.
 */
#ifndef LIBIOMMU_OBJECT_RESTORE_H
#define LIBIOMMU_OBJECT_RESTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry.h"

struct attachment;
struct fault_groups;
struct libiommu_device;
struct libiommu_fault_queue;
struct libiommu_hwpt;
struct libiommu_record;
struct slot;

struct attachment_facts {
	uint32_t generation; /* as its page requests have it */
	struct told told;
	uint32_t ended; /* as in the name */
};

/* 0 or -ENOMEM. */
int li_restore_attachment(struct libiommu_device *dev, const struct attachment *attachment,
                          const struct attachment_facts *facts);

struct pasid_facts {
	uint32_t pasid;
	uint32_t vpasid;
	struct libiommu_hwpt *hwpt;
	uint32_t generation;
	uint64_t tag;
};

/*
 * The device has a PASID space, and its limit. 0; -ENOMEM; -EINVAL for numbers that cannot be, or
 * are not as the space has them.
 */
int li_restore_pasid(struct libiommu_device *dev, const struct pasid_facts *facts);

struct group_facts {
	uint64_t token;
	uint32_t cookie;
	const struct slot *slot; /* what it came through; NULL where that is not known */
};

/*
 * The next group that was read and is not answered; false after the last. @at begins with 0. Nobody
 * reads and answers meanwhile.
 */
bool li_next_group(struct libiommu_fault_queue *queue, uint32_t *at, struct group_facts *facts);
/* No token of the queue has had this generation, nor a later one. */
uint64_t li_next_generation(struct libiommu_fault_queue *queue);
/*
 * For a queue that has none. 0; -ENOMEM; -EINVAL for tokens that cannot be, or are one another's.
 */
int li_restore_groups(struct libiommu_fault_queue *queue, uint64_t generation,
                      const struct group_facts *facts, size_t count);

/* Page requests that were read and that nobody has had yet, in order; NULL for none. */
const struct libiommu_record *li_waiting(struct libiommu_fault_queue *queue, size_t *count);
/* For a queue that has none: 0 or -ENOMEM. */
int li_restore_waiting(struct libiommu_fault_queue *queue, const struct libiommu_record *faults,
                       size_t count);

#endif
