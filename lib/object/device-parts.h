/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A device from within: for device.c, which lives with it, and device-end.c, which ends it. */
#ifndef LIBIOMMU_OBJECT_DEVICE_PARTS_H
#define LIBIOMMU_OBJECT_DEVICE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "device.h"
#include "registry.h"

/*
 * How far a device's life has come. The getters read these without the lock, so what they guard
 * is written before.
 */
enum device_state {
	STATE_BOUND = 1,
	STATE_GROUPED = 2,
	STATE_LABELLED = 4,
	STATE_REVOKED = 8,
	STATE_TAKEN_OVER = 16,
	STATE_LOST = 32,
};

struct libiommu_device {
	struct libiommu_ctx *ctx;
	struct group *group;
	struct type1_device *legacy; /* NULL with iommufd; it has the descriptor */
	int fd;
	bool own_fd;
	atomic_uint state;
	_Atomic uint32_t pt_id;
	/*
	 * Held for reading by whoever uses the descriptor, for writing by whoever changes the
	 * fields around it. The turn is held while waiting for the lock: C libraries let readers
	 * pass a writer that waits, and a revoke must not wait for as long as others come.
	 */
	pthread_mutex_t turn;
	pthread_rwlock_t lock;
	struct device_entry entry;
	struct attachment attachment;
	struct device_pasids pasids;
	struct mapping_list mappings;
	struct region_cache regions;
	struct device_child *child;   /* NULL for none */
	struct device_keeper *keeper; /* NULL for none */
};

static inline unsigned int state_of(const struct libiommu_device *dev)
{
	return atomic_load_explicit(&dev->state, memory_order_acquire);
}

static inline void add_state(struct libiommu_device *dev, unsigned int state)
{
	atomic_fetch_or_explicit(&dev->state, state, memory_order_release);
}

#endif
