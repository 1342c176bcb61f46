/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The part of the vhost ABI by which memory is mapped for a vhost-vdpa device: who owns it, what it
 * can, its address spaces, and the messages that are written to it. As with KVM, ioctls carry size
 * and direction in their number. A version after a name is the first kernel that has it; what has
 * none is older than iommufd (6.2).
 */
#ifndef LIBIOMMU_UAPI_VHOST_H
#define LIBIOMMU_UAPI_VHOST_H

#include <stdint.h>
#include <sys/ioctl.h>

#define UAPI_VHOST_VIRTIO 0xaf

/* A number for an index: the group of a virtqueue, the address space of a group. */
struct uapi_vhost_vring_state {
	uint32_t index;
	uint32_t num;
};

struct uapi_vhost_vdpa_iova_range {
	uint64_t first;
	uint64_t last; /* in the range */
};

struct uapi_vhost_iotlb_msg {
	uint64_t iova;
	uint64_t size;
	uint64_t uaddr; /* in the owner's memory */
	uint8_t perm;
	uint8_t type;
};

/* Written as a whole. */
struct uapi_vhost_msg_v2 {
	uint32_t type; /* UAPI_VHOST_IOTLB_MSG_V2 */
	uint32_t asid; /* only with UAPI_VHOST_BACKEND_F_IOTLB_ASID */
	union {
		struct uapi_vhost_iotlb_msg iotlb;
		uint8_t padding[64];
	};
};

#define UAPI_VHOST_IOTLB_MSG_V2 2

#define UAPI_VHOST_ACCESS_RO 1
#define UAPI_VHOST_ACCESS_WO 2

#define UAPI_VHOST_IOTLB_UPDATE      2
#define UAPI_VHOST_IOTLB_INVALIDATE  3
#define UAPI_VHOST_IOTLB_BATCH_BEGIN 5
#define UAPI_VHOST_IOTLB_BATCH_END   6

/* Numbers of bits. */
#define UAPI_VHOST_BACKEND_F_IOTLB_MSG_V2  1
#define UAPI_VHOST_BACKEND_F_IOTLB_BATCH   2
#define UAPI_VHOST_BACKEND_F_IOTLB_ASID    3
#define UAPI_VHOST_BACKEND_F_IOTLB_PERSIST 8 /* 6.7 */

#define UAPI_IOC_VHOST_SET_OWNER            _IO(UAPI_VHOST_VIRTIO, 0x01)
#define UAPI_IOC_VHOST_SET_BACKEND_FEATURES _IOW(UAPI_VHOST_VIRTIO, 0x25, uint64_t)
#define UAPI_IOC_VHOST_GET_BACKEND_FEATURES _IOR(UAPI_VHOST_VIRTIO, 0x26, uint64_t)
#define UAPI_IOC_VHOST_VDPA_GET_IOVA_RANGE                                                         \
	_IOR(UAPI_VHOST_VIRTIO, 0x78, struct uapi_vhost_vdpa_iova_range)
#define UAPI_IOC_VHOST_VDPA_GET_AS_NUM _IOR(UAPI_VHOST_VIRTIO, 0x7a, uint32_t)
#define UAPI_IOC_VHOST_VDPA_GET_VRING_GROUP                                                        \
	_IOWR(UAPI_VHOST_VIRTIO, 0x7b, struct uapi_vhost_vring_state)
#define UAPI_IOC_VHOST_VDPA_SET_GROUP_ASID                                                         \
	_IOW(UAPI_VHOST_VIRTIO, 0x7c, struct uapi_vhost_vring_state)
#define UAPI_IOC_VHOST_VDPA_GET_GROUP_NUM _IOR(UAPI_VHOST_VIRTIO, 0x81, uint32_t)

#endif
