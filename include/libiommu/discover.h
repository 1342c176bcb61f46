/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup discover Discovery
 * @brief Which PCI devices this machine has, and what stands in the way of driving each from a
 * process.
 *
 * Reads sysfs and opens nothing under `/dev`, so that it needs no rights and works without an
 * IOMMU.
 * @{
 */
#ifndef LIBIOMMU_DISCOVER_H
#define LIBIOMMU_DISCOVER_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief The first thing that stands between a process and a device. */
enum libiommu_obstacle {
	/** Nothing: the device has a node that can be opened and bound, rights and other users
	   aside; or, where there is no iommufd, a group that VFIO's legacy containers take. */
	LIBIOMMU_OBSTACLE_NONE = 0,
	/** The device is a bridge: not for VFIO. */
	LIBIOMMU_OBSTACLE_BRIDGE,
	/** No IOMMU is behind the device (it is in no group): none in the machine, or it is
	   switched off. */
	LIBIOMMU_OBSTACLE_NO_IOMMU,
	/** A host driver that is not VFIO's has the device. */
	LIBIOMMU_OBSTACLE_HOST_DRIVER,
	/** No driver has the device: give it to vfio-pci. */
	LIBIOMMU_OBSTACLE_NO_DRIVER,
	/** Another device of its group has a host driver. */
	LIBIOMMU_OBSTACLE_GROUP_SIBLING,
	/** A VFIO driver has it but the kernel made no device node: only the group's file is there.
	 */
	LIBIOMMU_OBSTACLE_NO_NODE
};

/**
 * @brief Look at every PCI device of the machine.
 *
 * @param sys        The door to look through; NULL is libc.
 * @param[out] list  What was found, by ascending address; freed with libiommu_device_list_free().
 *                   Empty where the machine has no PCI.
 * @return 0.
 * @retval -EINVAL  @p list is NULL.
 * @retval -ENOMEM  No memory.
 * @retval -errno   sysfs cannot be read.
 * @threads Free.
 * @syscalls openat, getdents64, read, readlink, fstat and close in sysfs.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_list_new(const struct libiommu_sys *sys,
                                          struct libiommu_device_list **list);

/**
 * @brief Free a list, and every string that came from it.
 *
 * @param list  The list; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_device_list_free(struct libiommu_device_list *list);

/**
 * @brief How many devices a list has.
 *
 * @param list  The list.
 * @return The count; 0 when @p list is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API size_t libiommu_device_list_count(const struct libiommu_device_list *list);

/**
 * @brief A device's PCI address.
 *
 * @param list   The list.
 * @param index  From 0.
 * @return "0000:00:03.0", for example; it lives as long as the list. NULL when @p list is NULL or
 * @p index not below the count.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const char *libiommu_device_list_address(const struct libiommu_device_list *list,
                                                      size_t index);

/**
 * @brief The driver that has a device.
 *
 * @param list   The list.
 * @param index  From 0.
 * @return "nvme", for example; "" for none. It lives as long as the list. NULL when @p list is NULL
 *   or @p index not below the count.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const char *libiommu_device_list_driver(const struct libiommu_device_list *list,
                                                     size_t index);

/**
 * @brief The IOMMU behind a device, as sysfs names it.
 *
 * @param list   The list.
 * @param index  From 0.
 * @return "dmar0", for example; "" for none or unknown. It lives as long as the list. NULL when @p
 *   list is NULL or @p index not below the count.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const char *libiommu_device_list_iommu(const struct libiommu_device_list *list,
                                                    size_t index);

/**
 * @brief The node through which a device can be opened.
 *
 * @param list   The list.
 * @param index  From 0.
 * @return "/dev/vfio/devices/vfio0", for example; "" for none, as without iommufd. It lives as long
 *   as the list. NULL when @p list is NULL or @p index not below the count.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const char *libiommu_device_list_node(const struct libiommu_device_list *list,
                                                   size_t index);

/**
 * @brief A device's IOMMU group.
 *
 * @param list   The list.
 * @param index  From 0.
 * @return The group's number.
 * @retval -EINVAL  @p list is NULL or @p index not below the count.
 * @retval -ENODEV  The device is in no group.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_list_group(const struct libiommu_device_list *list, size_t index);

/**
 * @brief A device's identification.
 *
 * @param list         The list.
 * @param index        From 0.
 * @param[out] vendor  The PCI vendor id.
 * @param[out] device  The PCI device id.
 * @param[out] class_code  The 24-bit class code: class, subclass, programming interface.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p index not below the count.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_list_ids(const struct libiommu_device_list *list, size_t index,
                                          uint32_t *vendor, uint32_t *device, uint32_t *class_code);

/**
 * @brief The first thing that stands in the way of a device.
 *
 * @param list   The list.
 * @param index  From 0.
 * @return One of enum @ref libiommu_obstacle.
 * @retval -EINVAL  @p list is NULL or @p index not below the count.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_device_list_obstacle(const struct libiommu_device_list *list,
                                               size_t index);

/**
 * @brief The obstacle in words, with the names of what is in the way and what to do about it.
 *
 * @param list   The list.
 * @param index  From 0.
 * @return One line; "" where there is no obstacle. It lives as long as the list. NULL when @p list
 *   is NULL or @p index not below the count.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const char *libiommu_device_list_advice(const struct libiommu_device_list *list,
                                                     size_t index);

LIBIOMMU_END_DECLS

/** @} */
#endif
