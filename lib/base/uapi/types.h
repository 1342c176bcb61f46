/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the declarations of the kernel ABI in this directory share.
 *
 * They are this project's own, under names of their own, so that the library builds where the
 * system's headers are old or absent, and so that a translation unit may include
 * <linux/iommufd.h> and <linux/vfio.h> too. The names follow from the kernel's by rule:
 *
 *	struct iommu_x, struct iommufd_x	struct uapi_x
 *	struct vfio_x				struct uapi_vfio_x
 *	IOMMU_X, IOMMUFD_X			UAPI_X, for an ioctl UAPI_IOC_X
 *	VFIO_X					UAPI_VFIO_X, for an ioctl UAPI_IOC_VFIO_X
 *	struct io_x, struct __kernel_x		struct uapi_io_x, struct uapi_x
 *	IORING_X, IOSQE_X			UAPI_IORING_X, UAPI_IOSQE_X
 *	struct kvm_x				struct uapi_kvm_x
 *	KVM_X					UAPI_KVM_X, for an ioctl UAPI_IOC_KVM_X
 *	a field __x				x
 *
 * tests/abi compares every one of them with the kernel's headers.
 */
#ifndef LIBIOMMU_UAPI_TYPES_H
#define LIBIOMMU_UAPI_TYPES_H

#include <stdint.h>
#include <sys/ioctl.h>

/* Aligned to 8 on 32-bit machines too, so that a 32-bit process fits a 64-bit kernel. */
typedef uint64_t uapi_u64 __attribute__((aligned(8)));

/* The same, read and written by hardware, little-endian on every machine. */
typedef uint64_t uapi_le64 __attribute__((aligned(8)));

/*
 * iommufd and VFIO use one letter, and neither encodes size or direction: the size travels in the
 * first field of each structure. _IO() is still needed, since a few architectures encode "no
 * direction" as 1.
 */
#define UAPI_IOC_TYPE ';'
#define UAPI_IO(nr)   _IO(UAPI_IOC_TYPE, (nr))

#endif
