/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The part of the KVM ABI by which a virtual machine is told of VFIO devices. Unlike those of
 * iommufd and VFIO, KVM's ioctls carry size and direction in their number. A version after a name
 * is the first kernel that has it; what has none is older than iommufd (6.2).
 */
#ifndef LIBIOMMU_UAPI_KVM_H
#define LIBIOMMU_UAPI_KVM_H

#include <stdint.h>
#include <sys/ioctl.h>

#define UAPI_KVMIO 0xae

/* On a virtual machine's descriptor. */
struct uapi_kvm_create_device {
	uint32_t type;
	uint32_t fd; /* out */
	uint32_t flags;
};

/* On the descriptor of such a device. */
struct uapi_kvm_device_attr {
	uint32_t flags; /* none defined */
	uint32_t group; /* the device's own, as are the two below */
	uint64_t attr;
	uint64_t addr; /* of the value, in this process */
};

#define UAPI_IOC_KVM_CREATE_DEVICE   _IOWR(UAPI_KVMIO, 0xe0, struct uapi_kvm_create_device)
#define UAPI_IOC_KVM_SET_DEVICE_ATTR _IOW(UAPI_KVMIO, 0xe1, struct uapi_kvm_device_attr)

#define UAPI_KVM_DEV_TYPE_VFIO 4 /* one for each virtual machine */

#define UAPI_KVM_DEV_VFIO_FILE     1 /* the group */
#define UAPI_KVM_DEV_VFIO_FILE_ADD 1 /* 6.6 for device nodes; value: int32_t, the descriptor */
#define UAPI_KVM_DEV_VFIO_FILE_DEL 2 /* 6.6 for device nodes; value: int32_t, the descriptor */

#endif
