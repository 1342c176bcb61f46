/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup fault Page requests
 * @brief What a device asks for and how it is answered, in the words that queues and rings share.
 * @{
 */
#ifndef LIBIOMMU_FAULT_H
#define LIBIOMMU_FAULT_H

#include <libiommu/types.h>

/** @brief The device wants to read. */
#define LIBIOMMU_FAULT_READ (1U << 0)
/** @brief The device wants to write. */
#define LIBIOMMU_FAULT_WRITE (1U << 1)
/** @brief The device wants to execute. */
#define LIBIOMMU_FAULT_EXEC (1U << 2)
/** @brief The device has privileged access in mind. */
#define LIBIOMMU_FAULT_PRIVILEGED (1U << 3)

/** @brief How a group is answered. */
enum libiommu_fault_code {
	/** What was asked for is mapped: try again. */
	LIBIOMMU_FAULT_SUCCESS = 0,
	/** It will not be. */
	LIBIOMMU_FAULT_INVALID = 1
};

/** @} */
#endif
