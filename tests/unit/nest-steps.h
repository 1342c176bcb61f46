/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A device and a nesting parent, and what the kernel is asked for about what is made on it. */
#ifndef LIBIOMMU_TESTS_NEST_STEPS_H
#define LIBIOMMU_TESTS_NEST_STEPS_H

#include "objects.h"

enum { NEST_IOAS = 2, PARENT_PT = 40, NESTED_PT = 41, VIOMMU_ID = 50 };

/* Made by the setup. */
extern struct libiommu_ctx *nest_ctx;
extern struct libiommu_device *nest_dev; /* DEVICE_FD, DEVICE_ID, LABEL */
extern struct libiommu_ioas *nest_ioas;
extern struct libiommu_hwpt *nest_parent;

int nest_setup(void **state);
/* Whatever a test has destroyed itself is NULL. */
int nest_teardown(void **state);
#define NEST_TEST(function) cmocka_unit_test_setup_teardown(function, nest_setup, nest_teardown)

/* A page table on the parent, with VT-d data. */
struct libiommu_hwpt *script_nested(struct libiommu_device *dev, uint32_t dev_id, uint32_t id);

enum { SELFTEST = 0x1234beef };

/* A vIOMMU on the parent, of a type that the library knows nothing of. */
struct libiommu_viommu *script_viommu(uint32_t id);
void script_viommu_close(struct libiommu_viommu *viommu, uint32_t id);
/* A virtual device for a device. */
void expect_vdevice(uint32_t viommu_id, uint32_t dev_id, uint64_t virt_id, uint32_t id, int result);
struct libiommu_vdevice *script_vdevice(struct libiommu_viommu *viommu, uint32_t viommu_id,
                                        struct libiommu_device *dev, uint64_t virt_id, uint32_t id);
void script_vdevice_close(struct libiommu_vdevice *vdev, uint32_t id);

/* An invalidation of @count entries of @size bytes; @told is what the kernel says it has done. */
void expect_invalidate(uint32_t id, uint32_t type, uint32_t size, uint32_t count, uint32_t told,
                       int result);
/* The same with the entries that it must have. */
void expect_entries(uint32_t id, uint32_t type, const void *entries, uint32_t size, uint32_t count,
                    uint32_t told, int result);

#endif
