/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a program opens of a device: its node or its group, and what VFIO does with it. */
#ifndef EMU_VFIO_H
#define EMU_VFIO_H

#include "ctx.h"
#include "device.h"
#include "pci.h"
#include "vfio-config.h"
#include "vfio-irq.h"

struct emu_vfio_dmabuf;
struct emu_vfio_group;

/* A device that is bound, or was opened by its group. */
struct emu_vfio {
	struct emu_dev *dev;
	struct emu_pci *pci;
	struct emu_ctx *ctx;
	struct emu_device *device; /* NULL: opened by its group, and no IOMMU */
	unsigned int files;        /* more than one only by the group */
	bool by_node;
	bool resets;                          /* the function can be reset by itself */
	bool low_power;                       /* on the program's wish */
	int wake;                             /* eventfd that tells that it is over; -1: none */
	uint8_t before[EMU_PCI_EXPRESS_SIZE]; /* its registers as they were found */
	struct emu_vfio_config config;
	struct emu_vfio_irqs irqs;
	struct emu_vfio_dmabuf *dmabufs; /* of its BARs */
};

/* An open device. */
struct emu_vfio_file {
	struct emu_file file;
	struct emu_dev *dev;
	struct emu_vfio *vfio;        /* NULL: nothing else than to bind it is allowed yet */
	struct emu_vfio_group *group; /* that it was opened by; NULL: by its node */
	unsigned int holders;         /* descriptors count as one, and each mapping */
	uint64_t position;            /* of read() and write() */
};

/* VFIO has a region's index in these bits of an offset. */
#define EMU_VFIO_SHIFT 40

/* That a mapping is of; NULL: it is of something else. */
struct emu_vfio_file *emu_vfio_file_of(const struct emu_hold *holds);

/* New descriptors, or -errno. */
int emu_vfio_open_node(struct libiommu_emu *emu, struct emu_dev *dev);
int emu_vfio_open_group(struct libiommu_emu *emu, struct emu_group *group);
/* As GET_DEVICE_FD. */
int emu_vfio_open_member(struct emu_vfio_group *group, struct emu_dev *dev);
/* The group's open file; NULL: the descriptor is none. */
struct emu_vfio_group *emu_vfio_group_of(struct libiommu_emu *emu, int fd);

/* The first that opens a device, and the last that closes it. */
int emu_vfio_start(struct emu_dev *dev, struct emu_ctx *ctx, bool by_node, struct emu_vfio **vfio);
void emu_vfio_stop(struct emu_vfio *vfio);

/* Commands. */
int emu_vfio_bind(struct emu_vfio_file *file, const struct emu_task *task, uintptr_t arg);
int emu_vfio_attach(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg);
int emu_vfio_detach(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg);
int emu_vfio_get_info(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg);
int emu_vfio_get_region_info(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg);
int emu_vfio_get_irq_info(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg);
int emu_vfio_set_irqs(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg);
int emu_vfio_feature(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg);
/* Every command wakes a device that sleeps, and tells so who asked for it. */
void emu_vfio_wake(struct emu_vfio *vfio);
int emu_vfio_reset(struct emu_vfio *vfio);
int emu_vfio_hot_reset_info(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg);
int emu_vfio_hot_reset(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t arg);

/* Regions: as pread(), pwrite() and mmap(). */
ssize_t emu_vfio_region_read(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t buffer,
                             size_t size, uint64_t offset);
ssize_t emu_vfio_region_write(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t buffer,
                              size_t size, uint64_t offset);
int emu_vfio_region_mmap(struct emu_vfio *vfio, size_t length, int flags, uint64_t offset,
                         struct emu_backing *backing);
bool emu_vfio_has_rom(const struct emu_pci *pci);
bool emu_vfio_can_map(const struct emu_pci *pci, unsigned int bar);
/* Nothing is to be seen in what is mapped, or is again, as the command register now is. */
void emu_vfio_region_show(struct emu_vfio *vfio);

/* Whether the function can be reset by itself; and what the host does when it is given back. */
bool emu_vfio_can_reset(const struct emu_dev *dev);
void emu_vfio_reset_set(struct emu_dev *dev);

/* The host wants the device back, or has found an error; false: nobody wants to be told. */
bool emu_vfio_request(struct emu_vfio *vfio);
bool emu_vfio_error(struct emu_vfio *vfio);

#endif
