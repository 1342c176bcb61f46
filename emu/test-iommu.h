/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The IOMMU of the kernel's own test driver, up to Linux 7.3: its formats, which no real one has,
 * and what is seen of it from behind.
 */
#ifndef EMU_TEST_IOMMU_H
#define EMU_TEST_IOMMU_H

#include "iommu.h"

#define EMU_TEST_APERTURE      UINT64_C(0x1000000)
#define EMU_TEST_APERTURE_LAST UINT64_C(0x7fffffff)
#define EMU_TEST_PASID_BITS    20U

#define EMU_TEST_HWPT_DATA   0xdeadU
#define EMU_TEST_HW_INFO     0xfeedbeefU
#define EMU_TEST_HW_REGISTER 0xdeadbeefU
#define EMU_TEST_INVALIDATE  0xdeadbeefU
#define EMU_TEST_VIOMMU      0xdeadbeefU
#define EMU_TEST_VEVENTQ     0xbeefbeefU
#define EMU_TEST_HW_QUEUE    0xdeadbeefU
#define EMU_TEST_DEV_CACHED  0x00baddadU
#define EMU_TEST_CACHES      4U
#define EMU_TEST_ALL         1U /* a flag of entries: all four */
#define EMU_TEST_HW_QUEUES   2U
#define EMU_TEST_HUGE        1U

struct emu_test_hwpt_data {
	uint32_t value;
	uint32_t table; /* EMU_TEST_HUGE: pages of 1 MiB and 4 KiB, and no aperture */
};

struct emu_test_hw_info {
	uint32_t flags;
	uint32_t reg;
};

struct emu_test_hwpt_entry {
	uint32_t flags;
	uint32_t index;
};

struct emu_test_viommu_data {
	uint32_t in;
	uint32_t out;
	uint64_t offset;
	uint64_t length;
};

struct emu_test_viommu_entry {
	uint32_t flags;
	uint32_t virt_id;
	uint32_t index;
};

/* What the driver knows of a device. */
struct emu_test_dev {
	struct emu_viommu *viommu; /* of its nested page table; may be NULL */
	uint64_t virt_id;
	bool fails; /* the next page table at the PASID that fails does so */
	uint32_t caches[EMU_TEST_CACHES];
};

bool emu_test_is(const struct emu_iommu *iommu);
/* NULL: the machine has none. */
struct emu_iommu *emu_test_find(const struct libiommu_emu *emu);
struct emu_test_dev *emu_test_dev_of(const struct emu_dev *dev);

int emu_test_paging(struct emu_iommu *iommu, struct emu_dev *dev, uint32_t flags,
                    const struct emu_user_data *data, struct emu_domain **domain);
/* @viommu may be NULL. */
int emu_test_nested(struct emu_domain *parent, struct emu_viommu *viommu, uint32_t flags,
                    const struct emu_user_data *data, struct emu_domain **domain);
int emu_test_viommu(struct emu_iommu *iommu, struct emu_viommu *viommu, uint32_t type,
                    struct emu_domain *parent, const struct emu_user_data *data);

/* The hardware writes the page: 0; -EINVAL: the page table is not such a one, or does not track. */
int emu_test_write(struct emu_domain *domain, uint64_t iova);
/* The same of those that have their bit set, one for each page of the size. */
int emu_test_write_pages(struct emu_domain *domain, uint64_t iova, uint64_t length,
                         uint64_t page_size, const uint8_t *bits);
/* A nested page table's cached values; NULL: it is none. */
const uint32_t *emu_test_cached(const struct emu_domain *domain);
/* An event about the device: 0; -ENOENT: a guest does not have it; or as emu_viommu_event(). */
int emu_test_event(struct emu_dev *dev);

#endif
