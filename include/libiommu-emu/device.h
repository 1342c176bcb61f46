/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_device Devices of an emulated machine
 * @brief What a machine has, behind which IOMMU, in which group; and its DMA.
 *
 * A device is described first and then added. The IOMMU cannot tell the devices of a group from one
 * another: they share what is attached. A device without an IOMMU is what the kernel calls noiommu.
 * @{
 */
#ifndef LIBIOMMU_EMU_DEVICE_H
#define LIBIOMMU_EMU_DEVICE_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu;
struct libiommu_emu_device;
struct libiommu_emu_device_config;
struct libiommu_emu_iommu;

/** @brief The IOMMU cannot tell what the device has written. */
#define LIBIOMMU_EMU_DEVICE_NO_DIRTY (1U << 0)
/** @brief The device asks for pages that are missing. */
#define LIBIOMMU_EMU_DEVICE_PAGE_REQUESTS (1U << 1)
/** @brief The device can cache translations. */
#define LIBIOMMU_EMU_DEVICE_ATS (1U << 2)
/** @brief Its PASIDs can ask for pages to be executed. */
#define LIBIOMMU_EMU_DEVICE_PASID_EXEC (1U << 3)
/** @brief Its PASIDs can be privileged. */
#define LIBIOMMU_EMU_DEVICE_PASID_PRIVILEGED (1U << 4)
/** @brief It is a virtual function. */
#define LIBIOMMU_EMU_DEVICE_VIRTUAL_FUNCTION (1U << 5)
/** @brief A driver of the host's has it, so that no device of its group can be bound. */
#define LIBIOMMU_EMU_DEVICE_HOST (1U << 6)

/**
 * @brief Describe a device: no IOMMU, a group of its own, the next address, no PASIDs, no flags.
 *
 * @param[out] config  The description; freed with libiommu_emu_device_config_free().
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_config_new(struct libiommu_emu_device_config **config);

/**
 * @brief Free a description. Devices that were made from it stay.
 *
 * @param config  The description; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_emu_device_config_free(struct libiommu_emu_device_config *config);

/**
 * @brief Which IOMMU is in front of the device.
 *
 * @param config  The description.
 * @param iommu   An IOMMU of the machine that the device will be added to; NULL for none.
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_config_set_iommu(struct libiommu_emu_device_config *config,
                                                      struct libiommu_emu_iommu *iommu);

/**
 * @brief Which group the device is in.
 *
 * @param config  The description.
 * @param member  A device whose group it is, and whose IOMMU then is this one's too; NULL for a
 *                group of its own.
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_config_set_group(struct libiommu_emu_device_config *config,
                                                      struct libiommu_emu_device *member);

/**
 * @brief Where the device is on the machine's buses.
 *
 * @param config   The description.
 * @param address  Domain, bus, device and function as in "0000:03:00.0"; NULL for the next that is
 *                 free.
 * @return 0.
 * @retval -EINVAL  @p config is NULL, or @p address is none.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_config_set_address(struct libiommu_emu_device_config *config,
                                                        const char *address);

/**
 * @brief How many bits the device's PASIDs have.
 *
 * @param config  The description.
 * @param bits    1 to 20; 0 for no PASIDs. Its IOMMU may have fewer, which then are what it has.
 * @return 0.
 * @retval -EINVAL  @p config is NULL, or @p bits is more than 20.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_config_set_pasid_bits(
	struct libiommu_emu_device_config *config, uint32_t bits);

/**
 * @brief What else the device is.
 *
 * @param config  The description.
 * @param flags   LIBIOMMU_EMU_DEVICE_ flags, in the place of those before.
 * @return 0.
 * @retval -EINVAL  @p config is NULL, or unknown flags.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_config_set_flags(struct libiommu_emu_device_config *config,
                                                      uint32_t flags);

/**
 * @brief A range of addresses that the device's DMA must not use, besides those of its IOMMU.
 *
 * @param config  The description.
 * @param start   The first address.
 * @param last    The last one.
 * @return 0.
 * @retval -EINVAL  @p config is NULL, or @p last is below @p start.
 * @retval -ENOMEM  No memory.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_config_add_reserved(struct libiommu_emu_device_config *config,
                                                         uint64_t start, uint64_t last);

/**
 * @brief Add a device to a machine, which keeps it.
 *
 * @param emu          The machine.
 * @param config       What it is; NULL for what a new description says.
 * @param[out] device  The device; valid as long as the machine has it.
 * @return 0.
 * @retval -EINVAL  @p emu or @p device is NULL, or the IOMMU or the group is another machine's.
 * @retval -EEXIST  Another device has the address.
 * @retval -ENOSPC  No address is free.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_add(struct libiommu_emu *emu,
                                         const struct libiommu_emu_device_config *config,
                                         struct libiommu_emu_device **device);

/**
 * @brief The address of a device, as in "0000:03:00.0".
 *
 * @param device  The device.
 * @return The address, which is the device's; NULL where @p device is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const char *libiommu_emu_device_address(const struct libiommu_emu_device *device);

/**
 * @brief The device reads memory, through what it is attached to. It asks for no pages.
 *
 * @param device     The device.
 * @param pasid      The hardware's PASID; 0 for none.
 * @param iova       Where; any alignment.
 * @param buffer     Where what was read goes.
 * @param length     Bytes.
 * @param[out] done  Bytes that were read, also where it fails; may be NULL.
 * @return 0.
 * @retval -EINVAL  @p device is NULL, or @p buffer is and @p length is not 0.
 * @retval -EFAULT  The next byte is not mapped, or not for reading; or its memory has gone.
 * @retval -ENODEV  The device has gone.
 * @retval -errno   What else its IOMMU says, of a guest's tables that make no sense there.
 * @threads Shared.
 * @syscalls process_vm_readv.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_read(struct libiommu_emu_device *device, uint32_t pasid,
                                          uint64_t iova, void *buffer, size_t length, size_t *done);

/**
 * @brief The device writes memory, through what it is attached to. It asks for no pages.
 *
 * @param device     The device.
 * @param pasid      The hardware's PASID; 0 for none.
 * @param iova       Where; any alignment.
 * @param buffer     What is written.
 * @param length     Bytes.
 * @param[out] done  Bytes that were written, also where it fails; may be NULL.
 * @return 0.
 * @retval -EINVAL  @p device is NULL, or @p buffer is and @p length is not 0.
 * @retval -EFAULT  The next byte is not mapped, or not for writing; or its memory has gone.
 * @retval -ENODEV  The device has gone.
 * @retval -errno   What else its IOMMU says, of a guest's tables that make no sense there.
 * @threads Shared.
 * @syscalls process_vm_writev.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_device_write(struct libiommu_emu_device *device, uint32_t pasid,
                                           uint64_t iova, const void *buffer, size_t length,
                                           size_t *done);

LIBIOMMU_END_DECLS

/** @} */
#endif
