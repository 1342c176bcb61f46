/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What an IOMMU of the machine is to the emulated kernel: what its driver is in a real one. A
 * domain is a page table in the hardware's own terms. Every call is made under the machine's lock.
 */
#ifndef EMU_IOMMU_H
#define EMU_IOMMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "phys.h"
#include "user.h"

struct emu_dev;
struct emu_domain;
struct emu_hw_queue;
struct emu_iommu;
struct emu_reserved;
struct emu_vdevice;
struct emu_viommu;

/* A vendor's data as the caller gave it. */
struct emu_user_data {
	const struct emu_task *task;
	uint32_t type;
	uint32_t length;
	uintptr_t address;
};

/* Vendor's data of @least to @size bytes, into a structure of @size: 0 or -errno as the kernel. */
int emu_user_data_get(const struct emu_user_data *data, uint32_t type, void *to, size_t size,
                      size_t least);

/* The driver's answer in the same place. */
int emu_user_data_put(const struct emu_user_data *data, uint32_t type, const void *from,
                      size_t size, size_t least);

#define EMU_USER_ENTRY_MAX 4096U /* bytes of an entry */

/* An array of vendor's entries; @count is what was handled, also when one fails. */
struct emu_user_array {
	const struct emu_task *task;
	uint32_t type;
	uint32_t entry_length;
	uint32_t count;
	uintptr_t address;
	/* Entries that are at hand: a system call for each would take most of the time. */
	uint32_t first, held;
	unsigned char bytes[EMU_USER_ENTRY_MAX];
};

int emu_user_array_get(struct emu_user_array *array, uint32_t index, uint32_t type, void *to,
                       size_t size, size_t least);

#define EMU_USER_KNOWN_MAX 64U /* bytes of an entry, as far as a driver knows it */

typedef int (*emu_entry_fn)(void *user, const void *entry);

/* Each in its turn until one fails; the type is wrong also where there are none. */
int emu_user_array_each(struct emu_user_array *array, uint32_t type, size_t size, size_t least,
                        emu_entry_fn fn, void *user);
/* All entries, each into a structure of @size. */
int emu_user_array_get_all(const struct emu_user_array *array, uint32_t type, void *to,
                           size_t size);

#define EMU_READ  1U
#define EMU_WRITE 2U

#define EMU_PASID_BITS_MAX 20U /* as PCI has them */

/* For each page that was written, as a whole, also where only a part of it was asked for. */
typedef int (*emu_dirty_fn)(void *user, uint64_t iova, uint64_t size);

struct emu_domain_ops {
	/* As far as "length" goes it is free and aligned: 0 or -errno, and then nothing is done. */
	int (*map)(struct emu_domain *domain, uint64_t iova, emu_phys phys, uint64_t length,
	           unsigned int access);
	/* Bytes that were mapped and are not any more. */
	uint64_t (*unmap)(struct emu_domain *domain, uint64_t iova, uint64_t length);
	/* Where @iova lies, EMU_PHYS_NONE where nothing is. */
	emu_phys (*phys)(struct emu_domain *domain, uint64_t iova);
	/*
	 * A device's access: where @iova lies and, in *@length (in: wanted; out: not more), how far
	 * that goes on; -EFAULT where it is not mapped so. A write marks the page.
	 */
	int (*translate)(struct emu_domain *domain, uint64_t iova, unsigned int access,
	                 emu_phys *phys, uint64_t *length);
	/* NULL: has no dirty tracking. When it is turned on all pages become clean. */
	int (*set_dirty)(struct emu_domain *domain, bool on);
	/* Pages that were written, up to the first address that is not mapped. */
	int (*read_dirty)(struct emu_domain *domain, uint64_t iova, uint64_t length, bool clear,
	                  emu_dirty_fn fn, void *user);
	/* Of a nested one: NULL: cannot. */
	int (*invalidate)(struct emu_domain *domain, struct emu_user_array *array);
	void (*free)(struct emu_domain *domain);
};

/* The first member of each driver's own. */
struct emu_domain {
	const struct emu_domain_ops *ops;
	struct emu_iommu *iommu;
	struct emu_domain *parent; /* of a nested one */
	struct emu_viommu *viommu; /* that it was made through; may be NULL */
	uint64_t page_sizes;       /* a bit for each */
	uint64_t first, last;      /* what can be mapped */
	bool dirty_supported;      /* devices without it cannot have the domain */
	bool coherent;             /* DMA never goes past the processor's caches */
	bool tracking;             /* what is written, now */
	bool faults;               /* somebody answers page requests that miss */
};

struct emu_viommu_ops {
	/* NULL: cannot. @flags are UAPI_HWPT_ flags that are left to the driver. */
	int (*nested)(struct emu_viommu *viommu, uint32_t flags, const struct emu_user_data *data,
	              struct emu_domain **domain);
	int (*invalidate)(struct emu_viommu *viommu, struct emu_user_array *array);
	int (*vdevice)(struct emu_viommu *viommu, struct emu_vdevice *vdevice);
	/* 0 or -errno; @base is where the queue's memory lies. */
	int (*hw_queue)(struct emu_viommu *viommu, struct emu_hw_queue *queue, uint32_t index,
	                emu_phys base, uint64_t length);
	void (*hw_queue_end)(struct emu_viommu *viommu, struct emu_hw_queue *queue);
	bool (*supports_hw_queue)(struct emu_viommu *viommu, uint32_t type);
	void (*end)(struct emu_viommu *viommu);
};

struct emu_iommu_ops {
	/*
	 * What GET_HW_INFO says: the data of *@type, UAPI_HW_INFO_TYPE_DEFAULT the driver's own
	 * choice, is put at *@data (the driver's, constant), its length and type where the pointers
	 * are. NULL: says nothing of itself.
	 */
	int (*hw_info)(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t *type,
	               const void **data, size_t *length);
	/* A page table that the kernel fills. @flags as UAPI_HWPT_ALLOC; unknown: -EOPNOTSUPP. */
	int (*paging)(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t flags,
	              const struct emu_user_data *data, struct emu_domain **domain);
	/* Of a guest, over one of the kernel's. NULL: cannot. */
	int (*nested)(struct emu_iommu *iommu, struct emu_domain *parent, uint32_t flags,
	              const struct emu_user_data *data, struct emu_domain **domain);
	/*
	 * From now on the device has the domain (NULL: nothing, which cannot fail) at the PASID: 0
	 * or -errno. Only for devices that have PASIDs, except at 0.
	 */
	int (*attach)(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t pasid,
	              struct emu_domain *domain, struct emu_domain *old);
	/* Whether it has vIOMMUs of the type, which is asked before all else. NULL: has none. */
	bool (*supports_viommu)(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t type);
	/* Sets the vIOMMU's ops where it succeeds; answers through @data, which may be NULL. */
	int (*viommu)(struct emu_iommu *iommu, struct emu_viommu *viommu, uint32_t type,
	              struct emu_domain *parent, const struct emu_user_data *data);
	/* The i-th range that devices must not use; false: no more. NULL: none. */
	bool (*reserved)(struct emu_iommu *iommu, struct emu_dev *dev, size_t i,
	                 struct emu_reserved *range);
	/* A device is behind it; or is not any more, also where probe failed. Both may be NULL. */
	int (*probe)(struct emu_iommu *iommu, struct emu_dev *dev);
	void (*release)(struct emu_iommu *iommu, struct emu_dev *dev);
	void (*free)(struct emu_iommu *iommu);
};

/* The first member of each driver's own. */
struct emu_iommu {
	const struct emu_iommu_ops *ops;
	struct libiommu_emu *emu;
	struct emu_iommu *next; /* of the machine */
	char name[16];          /* in /sys/class/iommu */
	bool dirty;             /* devices behind it can track */
	bool ats;               /* it knows what devices cache */
	bool guest_pasids;      /* a guest with a nested page table has the table of PASIDs */
	bool asks_always;       /* its devices ask for pages, whether or not PCI says so of them */
	bool unsafe_interrupts; /* a device's DMA can raise any: it cannot be bound */
	unsigned int pasid_bits;
};

/* Adds it to the machine, which frees it. Its ops, and what is not of the machine, is set. */
void emu_iommu_add(struct libiommu_emu *emu, struct emu_iommu *iommu);

#endif
