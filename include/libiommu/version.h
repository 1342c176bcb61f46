/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup version Version
 * @brief Which libiommu a program was compiled against, and which it runs with.
 * @{
 */
#ifndef LIBIOMMU_VERSION_H
#define LIBIOMMU_VERSION_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief Major version of these headers. */
#define LIBIOMMU_VERSION_MAJOR 0
/** @brief Minor version of these headers. */
#define LIBIOMMU_VERSION_MINOR 1
/** @brief Patch version of these headers. */
#define LIBIOMMU_VERSION_PATCH 0

/**
 * @brief The version of the library that is running.
 *
 * @return "major.minor.patch"; a constant, never freed.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const char *libiommu_version(void);

LIBIOMMU_END_DECLS

/** @} */
#endif
