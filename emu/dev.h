/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Devices of the machine: PCI functions with an IOMMU in front of them, in groups that share their
 * page table. What programs open of them is in vfio.h.
 */
#ifndef EMU_DEV_H
#define EMU_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iommu.h"
#include "sparse.h"

struct emu_answer;
struct emu_device;
struct emu_fault_part;
struct emu_hwpt;
struct emu_vfio;
struct emu_vfio_group;
struct libiommu_emu_transfer;

/* What a group has at a PASID; 0 is none, the requester id alone. */
struct emu_attached {
	uint32_t pasid;
	struct emu_domain *domain;
	struct emu_hwpt *hwpt;       /* in the owner's terms */
	struct emu_device *device;   /* that attached it, or replaced what was there */
	struct emu_device **members; /* all that have attached it; the last that detaches ends it */
	size_t count;
};

/*
 * Devices that the IOMMU cannot tell from one another. PASIDs are the whole group's too: each
 * device of it that has PASIDs gets the page table.
 */
struct emu_group {
	struct emu_group *next; /* of the machine */
	bool inner;             /* of a device that nobody sees */
	uint32_t number;
	struct emu_iommu *iommu;       /* NULL: none in front of them */
	struct emu_sparse attached;    /* struct emu_attached, by PASID */
	struct emu_ctx *owner;         /* the one context that has devices of it; NULL: none */
	unsigned int owned;            /* devices that are bound */
	unsigned int nodes;            /* of them, those bound by their nodes */
	struct emu_vfio_group *opened; /* its own file; NULL: nobody has it */
	struct emu_dev *first;
};

/* A range that DMA must not use. */
struct emu_reserved {
	uint64_t start, last;
};

struct emu_dev {
	struct libiommu_emu *emu;
	struct emu_group *group;           /* NULL: it is gone */
	struct emu_dev *next;              /* of the machine */
	struct emu_dev *sibling;           /* of the group */
	char address[16];                  /* 0000:00:03.0 */
	unsigned int node;                 /* N of /dev/vfio/devices/vfioN */
	unsigned int pasid_bits;           /* 0: no PASIDs */
	bool pasid_exec, pasid_privileged; /* what its PASIDs can ask for */
	bool ats;
	bool no_dirty; /* its IOMMU cannot track for it */
	bool page_requests;
	bool virtual_function;
	bool host;  /* a driver of the host's has it: nobody can have its group */
	bool inner; /* part of a context, with which it ends; nobody else sees it */
	bool removed;
	bool hangs; /* and has been there before */
	struct emu_reserved *reserved;
	size_t reserved_count;
	struct emu_fault_part *parts;            /* of groups of page requests that are not whole */
	struct libiommu_emu_transfer *transfers; /* that have not ended */
	struct emu_answer *answers;              /* to page requests by hand, the oldest first */
	struct emu_answer *last_answer;          /* where there is any */
	uint32_t next_group;                     /* of page requests */
	void *iommu_data;                        /* its IOMMU's own */
	struct emu_vfio *vfio;                   /* who has it in use; NULL: nobody */
	unsigned int files;                      /* that are open of it */
	void *model;                             /* of what kind it is: pci.h */
};

/* What a new device is; all zero is a device without an IOMMU in a group of its own. */
struct emu_dev_spec {
	struct emu_iommu *iommu;
	struct emu_dev *group_with; /* in this one's group, behind its IOMMU */
	const char *address;        /* NULL: the next one that is free */
	unsigned int pasid_bits;
	bool pasid_exec, pasid_privileged, ats, no_dirty, page_requests, virtual_function, host;
	bool inner; /* it has no address, and is not PCI's */
	const struct emu_reserved *reserved;
	size_t reserved_count;
};

/* -EINVAL, -EEXIST: the address is taken; -ENOMEM; or what its IOMMU says. */
int emu_dev_new(struct libiommu_emu *emu, const struct emu_dev_spec *spec, struct emu_dev **dev);
/* Nobody has it bound. */
void emu_dev_free(struct emu_dev *dev);
/* Nobody has it open any more: nothing of it is left but that it is gone. */
void emu_dev_retire(struct emu_dev *dev);
/* False: what reads its registers reads all ones, and what writes them is lost. */
bool emu_dev_responds(const struct emu_dev *dev);
/* Programs that have it open; with the last of them it retires where it has been removed. */
void emu_dev_use(struct emu_dev *dev);
void emu_dev_unuse(struct emu_dev *dev);
/* Frees a group that has no devices any more, and that nobody has open. */
void emu_group_put(struct libiommu_emu *emu, struct emu_group *group);
/* All devices, then all IOMMUs. */
void emu_devs_end(struct libiommu_emu *emu);
/* NULL: none. */
struct emu_dev *emu_dev_find(struct libiommu_emu *emu, const char *address);

/* How many bits its PASIDs have, which is what its IOMMU has too; 0: no PASIDs. */
unsigned int emu_dev_pasid_bits(const struct emu_dev *dev);
/* Whether it can ask for pages, which is more than having PCI's capability for it. */
bool emu_dev_asks(const struct emu_dev *dev);
/* The i-th range that its DMA must not use; false: no more. */
bool emu_dev_reserved(struct emu_dev *dev, size_t i, struct emu_reserved *range);
/* What is attached; NULL: nothing. */
struct emu_attached *emu_dev_at(struct emu_dev *dev, uint32_t pasid);
/*
 * What serves the PASID: as emu_dev_at(), or the nested page table without a PASID where guests
 * have the tables of PASIDs.
 */
struct emu_attached *emu_dev_serving(struct emu_dev *dev, uint32_t pasid);

/*
 * Where a device's access goes and, in *@length (in: wanted; out: not more), how far that goes on;
 * both may be NULL. -EFAULT: it is not mapped so, which a page request could mend; -ENODEV: the
 * device has gone; or what the IOMMU says.
 */
int emu_dev_translate(struct emu_dev *dev, uint32_t pasid, uint64_t iova, unsigned int access,
                      emu_phys *phys, uint64_t *length);
/*
 * DMA: 0, or the error of the first byte that fails, with what lies before it done; how much that
 * is, is in *@done, which may be NULL. With EMU_WRITE the memory is written.
 */
int emu_dev_dma(struct emu_dev *dev, uint32_t pasid, uint64_t iova, void *buffer, size_t length,
                unsigned int access, size_t *done);

#endif
