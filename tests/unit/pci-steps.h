/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the tests of PCI devices share: a bound device, and the calls that each access begins with.
 */
#ifndef LIBIOMMU_TESTS_PCI_STEPS_H
#define LIBIOMMU_TESTS_PCI_STEPS_H

#include "objects.h"

/* Made and destroyed around each PCI_TEST(). */
extern struct libiommu_ctx *pci_ctx;
extern struct libiommu_device *pci_dev;

int pci_setup(void **state);
int pci_teardown(void **state);
#define PCI_TEST(function) cmocka_unit_test_setup_teardown(function, pci_setup, pci_teardown)

#define CONFIG UAPI_VFIO_PCI_CONFIG_REGION_INDEX
#define RW     (UAPI_VFIO_REGION_INFO_FLAG_READ | UAPI_VFIO_REGION_INFO_FLAG_WRITE)
#define RWM    (RW | UAPI_VFIO_REGION_INFO_FLAG_MMAP)
#define RWMC   (RWM | UAPI_VFIO_REGION_INFO_FLAG_CAPS)

/* Where the kernel puts a region into the descriptor. */
#define AT(index, offset) (((uint64_t)(index) << 40) + (offset))

/* The device says that it is a PCI one, and describes the region, in @argsz bytes with all. */
void expect_is_pci(void);
void expect_describe(uint32_t index, uint32_t flags, uint64_t size, uint32_t argsz);
void expect_find(uint32_t index, uint32_t flags, uint64_t size);

/* A read that finds these bytes; or what it returns instead. */
void expect_read(uint32_t index, uint64_t offset, const void *bytes, size_t length);
void expect_read_fails(uint32_t index, uint64_t offset, size_t length, ssize_t result);
void expect_write(uint32_t index, uint64_t offset, const void *bytes, size_t length,
                  ssize_t result);

/* One public function with arguments that are right, all but the device. */
struct pci_call {
	const char *name;
	int (*call)(struct libiommu_device *dev);
	bool node; /* also refused to a device opened by its group */
};

/* No handle, a device not bound, revoked, or opened by its group: nothing is asked. */
void assert_needs_device(const struct pci_call *calls, size_t count);

/* Errors that the kernel may answer with; each is passed on as it is. */
extern const int pci_errors[];
extern const size_t pci_error_count;

#endif
