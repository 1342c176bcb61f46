/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup types Common types
 * @brief The opaque handles and the few plain values that every header shares.
 *
 * @par Conventions
 * Every function that can fail returns 0 or a non-negative count on success and a negative errno
 * value on failure; `errno` itself is not part of the contract. Results come through trailing
 * out-parameters, which a failing call leaves untouched. A NULL handle is -EINVAL, except that
 * destroying or freeing NULL does nothing. After a failure the same thread may ask
 * @ref failure what happened. Enumerations grow: a newer library may return values, and a newer
 * kernel give numbers, that these headers do not have.
 *
 * @par Threads
 * Each function names one of three rules. **Shared**: may run at the same time as any other call,
 * also on the same handle, except the one that destroys it. **Owner**: one thread at a time for one
 * handle. **Free**: touches no handle.
 *
 * No function may be called from a signal handler: they take locks and allocate memory.
 *
 * @par After fork()
 * Only the process that opened a context uses it and what was made from it. In a child another
 * thread's lock may be held for ever, mapping would mean the child's memory, and destroying would
 * destroy the parent's objects. Descriptors are close-on-exec, so that a child that calls exec()
 * holds none of them, save those that were lent or given to the library without the flag.
 *
 * @par System calls
 * Each function lists the system calls it makes, for those who write seccomp filters. They go
 * through @ref sys, so that a program can replace them. The names are those of one C library and
 * machine: others have open for openat, newfstatat for fstat, readlinkat for readlink. What the C
 * library calls for locks and memory (futex, brk, mmap and the like) is not listed.
 * @{
 */
#ifndef LIBIOMMU_TYPES_H
#define LIBIOMMU_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** @cond */
#ifdef __cplusplus
#define LIBIOMMU_BEGIN_DECLS extern "C" {
#define LIBIOMMU_END_DECLS   }
#else
#define LIBIOMMU_BEGIN_DECLS
#define LIBIOMMU_END_DECLS
#endif

#if defined(__GNUC__)
#define LIBIOMMU_API __attribute__((visibility("default")))
#else
#define LIBIOMMU_API
#endif
/** @endcond */

/** @brief The door to the kernel: one replaceable function per system call. See @ref sys. */
struct libiommu_sys;
/** @brief Choices for a new context. See @ref ctx. */
struct libiommu_ctx_config;
/** @brief A context: one open `/dev/iommu`. See @ref ctx. */
struct libiommu_ctx;
/** @brief An I/O address space (IOAS). See @ref ioas. */
struct libiommu_ioas;
/** @brief A list of usable IOVA ranges. See @ref ioas. */
struct libiommu_iova_ranges;
/** @brief A device. See @ref device. */
struct libiommu_device;
/** @brief A list of the machine's PCI devices and what stands in their way. See @ref discover. */
struct libiommu_device_list;
struct libiommu_device_info;
struct libiommu_region_info;
/** @brief What the IOMMU behind a device can do. See @ref hw_info. */
struct libiommu_hw_info;
/** @brief Choices for a new HWPT. See @ref hwpt. */
struct libiommu_hwpt_config;
/** @brief A hardware page table (HWPT). See @ref hwpt. */
struct libiommu_hwpt;
/** @brief A space of PASIDs, of one device or shared. See @ref pasid. */
struct libiommu_pasid_space;
/** @brief A queue of page requests. See @ref fault_queue. */
struct libiommu_fault_queue;
/** @brief A buffer that page requests are read into. See @ref fault_queue. */
struct libiommu_fault_batch;
/** @brief Choices for a new vIOMMU. See @ref viommu. */
struct libiommu_viommu_config;
/** @brief A vIOMMU: a slice of an IOMMU for one guest. See @ref viommu. */
struct libiommu_viommu;
/** @brief Memory of a vIOMMU, mapped into the process. See @ref viommu. */
struct libiommu_viommu_map;
/** @brief A device's number on a vIOMMU. See @ref vdevice. */
struct libiommu_vdevice;
/** @brief A queue of a vIOMMU that the hardware reads by itself. See @ref hw_queue. */
struct libiommu_hw_queue;
/** @brief A queue of a vIOMMU's events. See @ref veventq. */
struct libiommu_veventq;
/** @brief A buffer that events are read into. See @ref veventq. */
struct libiommu_vevent_batch;
/** @brief Invalidations for VT-d, collected. See @ref invalidate. */
struct libiommu_vtd_batch;
/** @brief Invalidation commands for an SMMUv3, collected. See @ref invalidate. */
struct libiommu_smmuv3_batch;
/** @brief Choices for a new fault ring. See @ref ring. */
struct libiommu_ring_config;
/** @brief A fault ring: the end where it is filled. See @ref ring. */
struct libiommu_ring;
/** @brief A fault ring: the end where it is read. See @ref reader. */
struct libiommu_reader;
/** @brief What handles the groups that a reader takes. See @ref handlers. */
struct libiommu_handlers;
/** @brief A fault ring: whoever watches it. See @ref monitor. */
struct libiommu_monitor;
/** @brief A context on its way to another process: the end that gives. See @ref handover. */
struct libiommu_handover;
/** @brief A context on its way to this process: the end that takes. See @ref takeover. */
struct libiommu_takeover;
/** @brief A set of IOVAs that ranges are taken from. See @ref iova. */
struct libiommu_iova_window;
/** @brief Choices for a new DMA space. See @ref dma. */
struct libiommu_dma_space_config;
/** @brief Memory that devices reach, over one or more address spaces. See @ref dma. */
struct libiommu_dma_space;
/** @brief Choices for a new arena. See @ref arena. */
struct libiommu_dma_arena_config;
/** @brief Memory of a DMA space that buffers are taken from. See @ref arena. */
struct libiommu_dma_arena;
/** @brief A device behind vhost-vdpa. See @ref vdpa. */
struct libiommu_vdpa;
/** @brief What is registered in a DMA space, to look it up. See @ref translate. */
struct libiommu_dma_table;
/** @brief A PCI BAR, or a part of one, mapped into the process. See @ref pci. */
struct libiommu_bar_map;
/** @brief A virtual machine's KVM-VFIO device. See @ref kvm. */
struct libiommu_kvm;
/** @brief What keeps a context from going to another process. */
struct libiommu_change_list;
/** @brief The devices that one hot reset reaches. See @ref reset. */
struct libiommu_reset_list;

/** @brief What happens to a file descriptor that is handed to the library. */
enum libiommu_fd_mode {
	/** The library closes it: when the handle is destroyed, never when the call fails. */
	LIBIOMMU_FD_OWN = 0,
	/** The caller keeps it open for as long as the handle lives, and closes it. */
	LIBIOMMU_FD_BORROW = 1,
	/** The library works on a duplicate of its own (close-on-exec); the caller's is free again
	   after the call. */
	LIBIOMMU_FD_DUP = 2
};

/** @brief Who destroys a kernel object whose id is handed to the library. */
enum libiommu_id_mode {
	/** Destroying the handle destroys the kernel's object. */
	LIBIOMMU_ID_OWN = 0,
	/** Destroying the handle leaves the kernel's object alone. */
	LIBIOMMU_ID_BORROW = 1
};

/** @brief The kinds of object that a context counts. */
enum libiommu_object_kind {
	/** I/O address spaces. */
	LIBIOMMU_OBJECT_IOAS = 0,
	/** Devices, from open to destroy. */
	LIBIOMMU_OBJECT_DEVICE = 1,
	/** Hardware page tables. */
	LIBIOMMU_OBJECT_HWPT = 2,
	/** Mapped BARs. */
	LIBIOMMU_OBJECT_BAR_MAP = 3,
	/** PASID spaces made by libiommu_pasid_space_new(). */
	LIBIOMMU_OBJECT_PASID_SPACE = 4,
	/** Fault queues. */
	LIBIOMMU_OBJECT_FAULT_QUEUE = 5,
	/** Fault rings. */
	LIBIOMMU_OBJECT_RING = 6,
	/** vIOMMUs. */
	LIBIOMMU_OBJECT_VIOMMU = 7,
	/** Mapped memory of vIOMMUs. */
	LIBIOMMU_OBJECT_VIOMMU_MAP = 8,
	/** Virtual devices. */
	LIBIOMMU_OBJECT_VDEVICE = 9,
	/** Hardware queues. */
	LIBIOMMU_OBJECT_HW_QUEUE = 10,
	/** Virtual event queues. */
	LIBIOMMU_OBJECT_VEVENTQ = 11,
	/** KVM-VFIO devices. */
	LIBIOMMU_OBJECT_KVM = 12,
	/** Handovers that are neither committed nor freed, at either end. */
	LIBIOMMU_OBJECT_HANDOVER = 13,
	/** DMA spaces. */
	LIBIOMMU_OBJECT_DMA_SPACE = 14,
	/** vDPA devices. */
	LIBIOMMU_OBJECT_VDPA = 15
};

/** @brief An inclusive range of I/O virtual addresses. */
struct libiommu_iova_range {
	/** First address. */
	uint64_t start;
	/** Last address, itself inside the range. */
	uint64_t last;
};

/** @} */
#endif
