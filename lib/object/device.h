/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_DEVICE_H
#define LIBIOMMU_OBJECT_DEVICE_H

#include <libiommu/device.h>

#include "ctx.h"
#include "mapping.h"
#include "pasid.h"
#include "region-cache.h"

struct group;
struct name;
struct registry_spare;

/*
 * What a call needs of the device; it is refused with the documented error where that is missing.
 */
enum device_need {
	DEVICE_OPEN = 0,           /* not revoked */
	DEVICE_BOUND = 1,          /* bound, also by the kernel through its group */
	DEVICE_NODE = 2 | 1,       /* bound through its own node, so that it has a kernel id */
	DEVICE_ATTACHABLE = 4 | 1, /* such a one, or one in a legacy container */
};

/*
 * Every call that uses the device's descriptor is between these two, so that a revoke waits for
 * it and none comes after. li_device_enter() checks for NULL too. It returns 0, or an error that
 * it has recorded under @operation, and then li_device_leave() is not called. Such calls run side
 * by side.
 */
int li_device_enter(struct libiommu_device *dev, const char *operation, enum device_need need);
void li_device_leave(struct libiommu_device *dev);
/*
 * The same for a call that changes what the device is attached to: alone, and -ESHUTDOWN while the
 * context is held.
 */
int li_device_enter_alone(struct libiommu_device *dev, const char *operation,
                          enum device_need need);

/* Between the two: */
int li_device_ioctl(struct libiommu_device *dev, unsigned long request, void *arg);
/* Of VFIO_DEVICE_FEATURE: a feature that the kernel does not know is as one that it cannot do. */
int li_device_feature_error(int error);
int li_device_fd(const struct libiommu_device *dev);
/* For the backend's operations. */
struct backend_device li_device_backend(const struct libiommu_device *dev);
/*
 * Something of the open device is set, or given away, and has to stay; said before it is. Without
 * it a device in a legacy container may be closed and opened again when it is attached.
 */
void li_device_keep_open(const struct libiommu_device *dev);
/* Alone on the device: it is closed, and cannot be opened any more. */
void li_device_set_lost(struct libiommu_device *dev);

/* Any time: */
struct libiommu_ctx *li_device_ctx(const struct libiommu_device *dev);
/* 0 where the kernel has given none. */
uint32_t li_device_id(const struct libiommu_device *dev);

/* What the device is attached to. The kernel's id of it is 0 while there is none. */
struct attachment {
	struct libiommu_ioas
		*ioas; /* one of the two, or neither when all that is known is the id */
	struct libiommu_hwpt *hwpt;
	uint32_t pt_id;
	uint64_t tag; /* stays when nothing is attached */
};

/*
 * Between li_device_enter_alone() and li_device_leave(), and to look at between li_device_enter()
 * and that; put in, it pins what it names, and
 * unpins what was there.
 */
const struct attachment *li_device_attachment(const struct libiommu_device *dev);
void li_device_set_attachment(struct libiommu_device *dev, const struct attachment *attachment);

/*
 * Its PASIDs, to change between li_device_enter_alone() and li_device_leave(), and what the
 * kernel's id stands for, which is NULL for a device without one.
 */
struct device_pasids *li_device_pasids(struct libiommu_device *dev);
struct name *li_device_name(const struct libiommu_device *dev);
/* To look at any time, with what is no longer the device's told apart afterwards. */
const struct libiommu_pasid_space *li_device_pasid_space(const struct libiommu_device *dev);
bool li_device_has_name(const struct libiommu_device *dev);

/*
 * What is mapped of it into the process. Add between li_device_enter() and li_device_leave(),
 * remove outside of them.
 */
struct mapping_list *li_device_mappings(struct libiommu_device *dev);

/*
 * What a service has made of the device and must go before it: one at most. A revoke calls @end,
 * once, alone on the device and with the descriptor still open; the device keeps its child, and
 * cannot be destroyed, until li_device_set_child(dev, NULL).
 */
struct device_child {
	void (*end)(struct device_child *child);
};

/* Between li_device_enter_alone() and li_device_leave(). */
struct device_child *li_device_child(const struct libiommu_device *dev);
void li_device_set_child(struct libiommu_device *dev, struct device_child *child);
/* As li_device_enter_alone(), whatever has become of the device. */
void li_device_hold(struct libiommu_device *dev);

/*
 * Who keeps the device's file open besides, one at most. When the device is let go it is detached,
 * then @let_go is called, once and alone on the device, and then the descriptor is closed.
 */
struct device_keeper {
	void (*let_go)(struct device_keeper *keeper, int device_fd);
};

/* Between li_device_enter_alone() and li_device_leave(); NULL for none. */
struct device_keeper *li_device_keeper(const struct libiommu_device *dev);
void li_device_set_keeper(struct libiommu_device *dev, struct device_keeper *keeper);

/* What is known of its regions: between li_device_enter() and li_device_leave(). */
struct region_cache *li_device_regions(struct libiommu_device *dev);

/*
 * A device that is open, or one that the kernel has bound through its group. @fd belongs to it
 * afterwards, closed at the end if @own says so. Returns 0 or -ENOMEM, which is not recorded and
 * closes nothing.
 */
int li_device_new(struct libiommu_ctx *ctx, int fd, bool own, struct libiommu_device **dev);
/*
 * One that is not open yet, nor bound: both come with libiommu_device_bind(). @name: what the
 * kernel wants to hear, copied; for a group that was opened for a legacy container.
 */
int li_device_new_legacy(struct libiommu_ctx *ctx, struct group *group, const char *name,
                         struct libiommu_device **dev);
int li_device_new_grouped(struct libiommu_ctx *ctx, int fd, struct group *group,
                          struct libiommu_device **dev);

/*
 * Undo li_device_new() where the open fails after all: a failing call closes nothing of the
 * caller's.
 */
void li_device_discard(struct libiommu_device *dev, bool close_fd);

struct device_binding {
	uint32_t id; /* 0 for a device opened by its group */
	bool fresh;  /* as for li_registry_add() */
	uint64_t label;
	bool shared_group; /* its IOMMU group has others, as far as is known */
};

/* Alone on the device, or before anybody else knows it: it is bound. */
int li_device_set_bound(struct libiommu_device *dev, const struct device_binding *binding,
                        struct registry_spare *spare);
bool li_device_is_grouped(const struct libiommu_device *dev);
/* What it was opened through, until it is revoked; NULL for a node of its own. */
struct group *li_device_group(const struct libiommu_device *dev);
bool li_device_is_legacy(const struct libiommu_device *dev);
bool li_device_is_labelled(const struct libiommu_device *dev);
/* It was bound by another process, and came from there. */
bool li_device_is_taken_over(const struct libiommu_device *dev);
void li_device_set_taken_over(struct libiommu_device *dev);

#endif
