/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_NEST_VIOMMU_CONFIG_H
#define LIBIOMMU_NEST_VIOMMU_CONFIG_H

#include <libiommu/viommu.h>

/* The choices, for whoever makes a vIOMMU from them. */
struct libiommu_viommu_config {
	void *data;
	size_t length;
};

#endif
