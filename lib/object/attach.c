/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>

#include "device.h"
#include "fault-queue.h"
#include "hwpt.h"
#include "ioas.h"
#include "registry.h"

static const char *const not_attached = "the device is not attached";

static bool is_same(const struct attachment *a, const struct attachment *b)
{
	return a->ioas == b->ioas && a->hwpt == b->hwpt && (a->ioas || a->hwpt);
}

/* As one step for those who read and answer its faults. */
static void set_attachment(struct libiommu_device *dev, const struct attachment *target,
                           struct libiommu_fault_queue *from)
{
	struct name *const name = li_device_name(dev);
	struct fault_notice notice;

	if (name) {
		notice = li_fault_notice(name, &name->own);
		li_fault_queue_purge(from, &name->own, &notice);
	}
	li_device_set_attachment(dev, target);
}

/* Changes what is attached. @target without a page table detaches. */
static int change(struct libiommu_device *dev, const struct backend *backend,
                  struct attachment *target, struct refusal *refusal)
{
	const struct backend_device device = li_device_backend(dev);
	struct libiommu_fault_queue *const from =
		li_hwpt_fault_queue(li_device_attachment(dev)->hwpt);
	struct libiommu_fault_queue *const to = li_hwpt_fault_queue(target->hwpt);
	int error;

	error = li_fault_queue_change_begin(from, to);
	if (error) {
		li_refuse(refusal, error, error == -ENOBUFS ? FAULT_CHANGE_UNTOLD : "no memory");
		refusal->call = fault_change_call(error);
		return error;
	}
	error = target->pt_id ? backend->ops->attach(backend, &device, &target->pt_id, refusal)
	                      : backend->ops->detach(backend, &device, refusal);
	if (!error)
		set_attachment(dev, target, from);
	li_fault_queue_change_end(from, to, !error);
	if (error && li_device_fd(dev) < 0) {
		li_device_set_attachment(dev, &(const struct attachment){0});
		li_device_set_lost(dev);
	}
	return error;
}

/*
 * What is attached once more. The kernel moves all devices of a group with the one that is
 * replaced, and tells of no other: where this one was taken along it comes back, else nothing is
 * done.
 */
static int renew(struct libiommu_device *dev, const struct backend *backend,
                 struct attachment *target, struct refusal *refusal)
{
	const struct backend_device device = li_device_backend(dev);
	const uint32_t pt_id = li_device_attachment(dev)->pt_id;
	const struct name *const name = li_device_name(dev);
	int error;

	if (!name || !atomic_load(&name->shared_group))
		return 0;
	error = backend->ops->attach(backend, &device, &target->pt_id, refusal);
	if (!error && target->pt_id != pt_id)
		li_device_set_attachment(dev, target);
	return error;
}

static int tell(const struct libiommu_device *dev, const char *operation, int error,
                const struct refusal *refusal, uint32_t target_id)
{
	if (!error)
		return 0;
	return FAIL_REFUSED(li_device_ctx(dev), operation, refusal, .id = li_device_id(dev),
	                    .other = target_id);
}

/*
 * The kernel knows one operation, which replaces what is attached; that the caller meant it is
 * checked here.
 */
static int attach(struct libiommu_device *dev, const char *operation, struct libiommu_ctx *ctx,
                  struct attachment target, bool replace)
{
	const struct backend *const backend = li_ctx_backend(ctx);
	const uint32_t target_id = target.pt_id;
	struct refusal refusal;
	bool attached;
	bool moved;
	bool same;
	int error;

	if (dev && li_device_ctx(dev) != ctx)
		return FAIL_LIBRARY(ctx, operation, -EINVAL,
		                    "the device and the target are of different contexts",
		                    .id = li_device_id(dev), .other = target_id);
	error = li_device_enter_alone(dev, operation, DEVICE_ATTACHABLE);
	if (error)
		return error;
	target.tag = li_device_attachment(dev)->tag;
	attached = li_device_attachment(dev)->pt_id;
	same = is_same(li_device_attachment(dev), &target);
	moved = target.hwpt && li_hwpt_guest_owns_pasids(target.hwpt) && !li_pasid_is_identity(dev);
	if (attached == replace && !moved)
		error = attached && same ? renew(dev, backend, &target, &refusal)
		                         : change(dev, backend, &target, &refusal);
	li_device_leave(dev);
	if (attached && !replace)
		return FAIL_LIBRARY(ctx, operation, -EEXIST,
		                    "the device is attached already: replace instead",
		                    .id = li_device_id(dev), .other = target_id);
	if (!attached && replace)
		return FAIL_LIBRARY(ctx, operation, -ENOENT, not_attached, .id = li_device_id(dev),
		                    .other = target_id);
	if (moved)
		return FAIL_LIBRARY(
			ctx, operation, -EBUSY,
			"with this page table the guest owns the PASIDs, and one that is "
			"attached is not its vPASID",
			.id = li_device_id(dev), .other = target_id);
	return tell(dev, operation, error, &refusal, target_id);
}

static int attach_ioas(struct libiommu_device *dev, const char *operation,
                       struct libiommu_ioas *ioas, bool replace)
{
	if (!ioas)
		return FAIL_NULL_IN(dev ? li_device_ctx(dev) : NULL, operation);
	return attach(dev, operation, li_ioas_ctx(ioas),
	              (struct attachment){.ioas = ioas, .pt_id = li_ioas_id(ioas)}, replace);
}

static int attach_hwpt(struct libiommu_device *dev, const char *operation,
                       struct libiommu_hwpt *hwpt, bool replace)
{
	if (!hwpt)
		return FAIL_NULL_IN(dev ? li_device_ctx(dev) : NULL, operation);
	return attach(dev, operation, li_hwpt_ctx(hwpt),
	              (struct attachment){.hwpt = hwpt, .pt_id = li_hwpt_id(hwpt)}, replace);
}

int libiommu_device_attach_ioas(struct libiommu_device *dev, struct libiommu_ioas *ioas)
{
	return attach_ioas(dev, __func__, ioas, false);
}

int libiommu_device_replace_ioas(struct libiommu_device *dev, struct libiommu_ioas *ioas)
{
	return attach_ioas(dev, __func__, ioas, true);
}

int libiommu_device_attach_hwpt(struct libiommu_device *dev, struct libiommu_hwpt *hwpt)
{
	return attach_hwpt(dev, __func__, hwpt, false);
}

int libiommu_device_replace_hwpt(struct libiommu_device *dev, struct libiommu_hwpt *hwpt)
{
	return attach_hwpt(dev, __func__, hwpt, true);
}

int libiommu_device_detach(struct libiommu_device *dev)
{
	const struct backend *backend;
	struct refusal refusal;
	bool attached;
	int error;

	error = li_device_enter_alone(dev, __func__, DEVICE_ATTACHABLE);
	if (error)
		return error;
	backend = li_ctx_backend(li_device_ctx(dev));
	attached = li_device_attachment(dev)->pt_id;
	if (attached)
		error = change(dev, backend,
		               &(struct attachment){.tag = li_device_attachment(dev)->tag},
		               &refusal);
	li_device_leave(dev);
	if (!attached)
		return FAIL_LIBRARY(li_device_ctx(dev), __func__, -ENOENT, not_attached,
		                    .id = li_device_id(dev));
	return tell(dev, __func__, error, &refusal, 0);
}

int libiommu_device_set_tag(struct libiommu_device *dev, uint64_t tag)
{
	struct attachment attachment;
	int error;

	error = li_device_enter_alone(dev, __func__, DEVICE_NODE);
	if (error)
		return error;
	attachment = *li_device_attachment(dev);
	attachment.tag = tag;
	li_device_set_attachment(dev, &attachment);
	li_device_leave(dev);
	return 0;
}
