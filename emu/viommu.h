/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What gives a guest an IOMMU: vIOMMUs, virtual devices, queues of events and of hardware. */
#ifndef EMU_VIOMMU_H
#define EMU_VIOMMU_H

#include "ctx.h"
#include "hwpt.h"
#include "iommu.h"

struct emu_access;
struct emu_device;
struct emu_veventq;

struct emu_viommu {
	struct emu_object object;
	const struct emu_viommu_ops *ops;
	struct emu_iommu *iommu;
	struct emu_hwpt *parent;
	uint32_t type;
	void *driver;               /* its own */
	struct emu_vdevice *first;  /* in no order */
	struct emu_veventq *queues; /* one of each type */
};

struct emu_vdevice {
	struct emu_object object;
	struct emu_viommu *viommu;
	struct emu_device *device;
	uint64_t virt_id;
	struct emu_vdevice *next;
};

struct emu_hw_queue {
	struct emu_object object;
	struct emu_viommu *viommu;
	struct emu_access *access; /* that holds its memory */
	uint32_t type;
	uint64_t iova, length; /* in the nesting parent */
	bool started;          /* its driver knows it */
	void *driver;          /* its own */
};

struct emu_viommu *emu_viommu_of(struct emu_object *object);
/* NULL: the id is no vIOMMU's. */
struct emu_viommu *emu_viommu_get(struct emu_ctx *ctx, uint32_t id);
/* The device's name in the guest: 0, or -ENOENT. */
int emu_viommu_virt_id(struct emu_viommu *viommu, const struct emu_dev *dev, uint64_t *virt_id);
/* NULL: no device is called so. */
struct emu_vdevice *emu_viommu_find(struct emu_viommu *viommu, uint64_t virt_id);
/* -EOPNOTSUPP: no queue of the type; -ENOMEM; lost when it is full, which is 0 as in the kernel. */
int emu_viommu_event(struct emu_viommu *viommu, uint32_t type, const void *data, size_t length);
/* The device is unbound while it has a name, whose id nobody gets any more. */
void emu_vdevice_bury(struct emu_device *device);

/*
 * Memory at @fd, whole pages, that programs map through the context's descriptor at *@offset, as
 * long as the vIOMMU lives: 0, -EINVAL or -ENOMEM.
 */
int emu_viommu_publish(struct emu_viommu *viommu, int fd, uint64_t fd_offset, uint64_t length,
                       uint64_t *offset);
int emu_viommu_mmap(struct emu_ctx *ctx, size_t length, int prot, int flags, uint64_t offset,
                    struct emu_backing *backing);

int emu_viommu_alloc(struct emu_call *call);
int emu_vdevice_alloc(struct emu_call *call);
int emu_veventq_alloc(struct emu_call *call);
int emu_hw_queue_alloc(struct emu_call *call);

#endif
