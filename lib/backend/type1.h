/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Address spaces and devices where there is no iommufd: VFIO's groups, and its containers with an
 * IOMMU of type 1, or of PowerPC.
 *
 * An address space is a container. The kernel makes more conditions than iommufd does. A container
 * can have mappings only while it has a group, so that the mappings are kept here too, and put in
 * when the first group comes. A device can be opened only while its group is in a container, so
 * that a group which is attached to nothing has one of its own, with nothing mapped. And a group
 * can change containers only while none of its devices is open. An address space without a
 * container therefore takes over the one that the first device's group has; a group that comes
 * second changes over, its device being closed and opened again, unless something of the open
 * device has been used that would be lost. Failures are explained in @refusal.
 */
#ifndef LIBIOMMU_BACKEND_TYPE1_H
#define LIBIOMMU_BACKEND_TYPE1_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/extents.h"
#include "../base/failure.h"
#include "../base/idmap.h"
#include "../base/sys.h"
#include "backend.h"
#include "container.h"
#include "spapr.h"

/* In the flags of an extent, besides what it was mapped for. */
#define EXTENT_WRITTEN   (1U << 31) /* as far as is known: see type1-dirty.c */
#define EXTENT_FORGOTTEN (1U << 30) /* the kernel does not know where in the process it is */

/* An address space. */
struct space {
	uint32_t id;
	pthread_mutex_t lock; /* for both, and for what is mapped in the container */
	struct extents extents;
	struct container *container; /* NULL while nothing is attached */
	bool tracking;               /* what is written */
};

struct type1 {
	const struct libiommu_sys *sys;
	pthread_mutex_t lock; /* taken before a space's: who is in which container */
	struct idmap spaces;  /* looked up without the lock */
	uint32_t last_id;
	bool spapr; /* PowerPC's IOMMU */
	struct spapr_memory memory;
	char path[];
};

/* A part of whoever opened the group's file. */
struct type1_group {
	int fd;
	bool unsafe;                 /* without an IOMMU */
	struct container *container; /* NULL while none of its devices is open */
	unsigned int open;           /* devices */
	unsigned int attached;       /* and those of them that are */
};

struct type1_device {
	struct type1_group *group;
	int fd; /* -1 while it is not open */
	bool attached;
	/*
	 * Something of the open device was given away or set, and would be lost if it were closed
	 * and opened again.
	 */
	atomic_bool kept;
	char name[128]; /* as the kernel wants to hear it */
};

/* With @path for containers, copied. NULL without memory. */
struct type1 *li_type1_new(const struct libiommu_sys *sys, const char *path, bool spapr);
void li_type1_free(struct type1 *type1);

struct space *li_type1_space(struct type1 *type1, uint32_t id);

/* Open the device, its group being in no container or in whichever it is. */
int li_type1_bind(struct type1 *type1, struct type1_device *dev, struct refusal *refusal);
/* -ENODEV where the device was lost: closed, and impossible to open again. */
int li_type1_attach(struct type1 *type1, struct type1_device *dev, uint32_t id,
                    struct refusal *refusal);
int li_type1_detach(struct type1 *type1, struct type1_device *dev, struct refusal *refusal);
/* Close the device if it is open. The group's last one takes it out of its container. */
void li_type1_unbind(struct type1 *type1, struct type1_device *dev);

/* Whether the device's container can tell what is written; -EOPNOTSUPP if not. */
int li_type1_check_tracking(struct type1 *type1, const struct type1_device *dev,
                            struct refusal *refusal);
int li_type1_track(struct type1 *type1, uint32_t id, bool enable, struct refusal *refusal);

/* What is read, and how far it is. */
struct type1_reading {
	uint64_t iova;
	uint64_t length;
	uint64_t page_size;
	uint64_t *bitmap;
	bool unmap; /* what was read */
	uint64_t done;
};
int li_type1_read_dirty(struct type1 *type1, uint32_t id, struct type1_reading *reading,
                        struct refusal *refusal);

/* What the kernel says to CHECK_EXTENSION. */
int li_type1_extension(const struct backend *backend, uint32_t id, uint32_t extension);
int li_type1_mappings_left(struct type1 *type1, uint32_t id, uint32_t *left,
                           struct refusal *refusal);
/* @iova 0 with @length UINT64_MAX: everything. */
int li_type1_forget(struct type1 *type1, uint32_t id, uint64_t iova, uint64_t length,
                    struct refusal *refusal);
int li_type1_renew(struct type1 *type1, uint32_t id, const struct extent *extent,
                   struct refusal *refusal);

/* With the address space's lock held: */
/* What is written goes unseen from here on, and what was is forgotten. */
void li_type1_bits_are_lost(struct space *space);
uint64_t li_type1_alignment(const struct space *space);
/* The mappings that a range is made of, and no others: -ENOENT, -EINVAL. */
int li_type1_find_whole(const struct space *space, uint64_t iova, uint64_t length, size_t *from,
                        size_t *to, struct refusal *refusal);

#endif
