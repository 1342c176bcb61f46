/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Vendor data in a set of choices: a copy of the caller's. */
#ifndef LIBIOMMU_OBJECT_CONFIG_DATA_H
#define LIBIOMMU_OBJECT_CONFIG_DATA_H

#include <stdbool.h>
#include <stddef.h>

/* In place of what was there; a @length of 0 is none. False without memory: that stays. */
bool li_config_data_set(void **data, const void *from, size_t length);

#endif
