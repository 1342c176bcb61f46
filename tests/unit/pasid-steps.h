/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What the kernel is asked for about PASIDs, for tests that list it. */
#ifndef LIBIOMMU_TESTS_PASID_STEPS_H
#define LIBIOMMU_TESTS_PASID_STEPS_H

#include "objects.h"

/* The device's first attach asks for the width. */
void expect_pasid_width(uint32_t dev_id, uint8_t width, int result);
void expect_pasid_attach(int fd, uint32_t pasid, uint32_t pt_id, int result);
void expect_pasid_detach(int fd, uint32_t pasid, int result);

/* A page table handle of its own, with no kernel behind it. */
struct libiommu_hwpt *borrowed_hwpt(struct libiommu_ctx *ctx, uint32_t id);

#endif
