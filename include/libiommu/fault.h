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

/** @brief What a record is. A reader passes over kinds that it does not know. */
enum libiommu_record_kind {
	/** Nothing: the next record is at the beginning of the memory. Never returned. */
	LIBIOMMU_RECORD_PAD = 0,
	/** A page request. */
	LIBIOMMU_RECORD_FAULT = 1,
	/** The last of an attachment: its tag is free, and its groups need no answer any more, but
	   those with LIBIOMMU_RECORD_INJECTED. */
	LIBIOMMU_RECORD_DETACHED = 2,
	/**
	 * An event of a vIOMMU: the label is the device's, the address its virtual id, the length
	 * that of the event in bytes, the attachment its type, the group the kernel's number of it.
	 * With LIBIOMMU_RECORD_UNKNOWN it names no device of the vIOMMU, and the label is 0. The
	 * event itself is in the records of kind LIBIOMMU_RECORD_DATA that follow in the group;
	 * libiommu_record_data() puts it together. No answer is wanted.
	 */
	LIBIOMMU_RECORD_VEVENT = 3,
	/** Events of the type in the attachment were lost, as many as the address says. */
	LIBIOMMU_RECORD_LOST = 4,
	/** Goes on with the event before it: the record's last 32 bytes, from the address on. */
	LIBIOMMU_RECORD_DATA = 5
};

/** @brief The vPASID is valid. */
#define LIBIOMMU_RECORD_PASID (1U << 0)
/** @brief The last record of its group. */
#define LIBIOMMU_RECORD_LAST (1U << 1)
/** @brief The device shares its IOMMU group with others, bridges aside, and any of them may be
 * meant. So it was when the device was bound and where sysfs told; of an adopted device it is not
 * known. */
#define LIBIOMMU_RECORD_SHARED_GROUP (1U << 2)
/** @brief Made by software, not by the kernel. */
#define LIBIOMMU_RECORD_INJECTED (1U << 3)
/** @brief Nothing that the library attached: the tag is 0, the vPASID the hardware's PASID, and the
 * label 0 where the device is not known. Of an event: no device of its vIOMMU. */
#define LIBIOMMU_RECORD_UNKNOWN (1U << 4)

/** @brief One record: 64 bytes, in the machine's byte order. In a ring it is in shared memory. */
struct libiommu_record {
	/** One of enum @ref libiommu_record_kind. */
	uint8_t kind;
	/** LIBIOMMU_RECORD_ flags. */
	uint8_t flags;
	/** LIBIOMMU_FAULT_ permissions. */
	uint16_t permissions;
	/** In a ring: where it comes from, to be repeated in the completion. */
	uint32_t queue;
	/** The device's label. Devices of one group that are attached as one cannot be told apart:
	   it is the label of the first. */
	uint64_t label;
	/** In a ring: when it was published, CLOCK_MONOTONIC in nanoseconds. */
	uint64_t time;
	/** Of the group, the same in all its records: names it in the answer; 0 where none is
	   wanted. */
	uint64_t token;
	/** The address that the device asks for. */
	uint64_t address;
	/** What the attachment was given as its tag. */
	uint64_t tag;
	/** Bytes asked for; 0 is one page. */
	uint32_t length;
	/** The vPASID of the attachment; 0 without LIBIOMMU_RECORD_PASID. A PASID with nothing
	   attached arrives through a nested page table of the device itself, and is the vPASID. */
	uint32_t vpasid;
	/** The device's own number of the group, not unique. */
	uint32_t group;
	/** Another one each time something is attached there, or its tag is changed. */
	uint32_t attachment;
};

/** @brief How a group is answered. */
enum libiommu_fault_code {
	/** What was asked for is mapped: try again. */
	LIBIOMMU_FAULT_SUCCESS = 0,
	/** It will not be. */
	LIBIOMMU_FAULT_INVALID = 1
};

/** @} */
#endif
