/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup viommu Virtual IOMMUs
 * @brief A slice of an IOMMU for one guest, for IOMMUs that need to know of the guest's: SMMUv3.
 *
 * It stands on a nesting parent. Nested page tables are made on it, devices get the guest's numbers
 * through it (@ref vdevice), it takes the guest's invalidation commands, and it has queues of its
 * own (@ref veventq, @ref hw_queue). A VT-d needs none: there nested page tables stand on the
 * parent, libiommu_hwpt_alloc_nested().
 *
 * Types are numbered as the kernel's enum iommu_viommu_type numbers them, and any number is passed
 * on.
 * @{
 */
#ifndef LIBIOMMU_VIOMMU_H
#define LIBIOMMU_VIOMMU_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief No type: no kernel makes one of it (-EOPNOTSUPP). */
#define LIBIOMMU_VIOMMU_DEFAULT 0U
/** @brief Of an SMMUv3. Kernel 6.13. */
#define LIBIOMMU_VIOMMU_SMMUV3 1U
/** @brief Of an SMMUv3 with NVIDIA's CMDQV, command queues that a guest drives itself. The guest
 * must see the register HYP_OWN as 0. Kernel 6.17. */
#define LIBIOMMU_VIOMMU_TEGRA241_CMDQV 2U

/**
 * @brief Make a set of choices for a new vIOMMU; each has a default.
 *
 * @param[out] config  The choices; freed with libiommu_viommu_config_free().
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_viommu_config_new(struct libiommu_viommu_config **config);

/**
 * @brief Free a set of choices. vIOMMUs made from it are not affected.
 *
 * @param config  The choices; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_viommu_config_free(struct libiommu_viommu_config *config);

/**
 * @brief Give data in the type's own format. The kernel may answer in it: libiommu_viommu_data().
 *
 * The default for LIBIOMMU_VIOMMU_TEGRA241_CMDQV is room for its answer; for all others there is
 * none.
 *
 * @param config  The choices.
 * @param data    The data, copied; NULL when @p length is 0.
 * @param length  Bytes, up to 65536; 0 is the default.
 * @return 0.
 * @retval -EINVAL  @p config is NULL, @p data is NULL and @p length is not 0, or @p length is too
 *                  large.
 * @retval -ENOMEM  No memory for the copy; nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_viommu_config_set_data(struct libiommu_viommu_config *config,
                                                 const void *data, size_t length);

/**
 * @brief Make a vIOMMU.
 *
 * @param dev          The device, bound, whose IOMMU it is a slice of. The vIOMMU outlives it.
 * @param parent       A page table made with LIBIOMMU_HWPT_NEST_PARENT for the same IOMMU; it
 *                     cannot be destroyed before the vIOMMU.
 * @param type         LIBIOMMU_VIOMMU_SMMUV3 or another that the kernel knows.
 * @param config       Choices, or NULL for the defaults.
 * @param[out] viommu  The vIOMMU; destroyed with libiommu_viommu_destroy().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, two of them are of different contexts, the device is not
 *                      bound, @p parent is no nesting parent, or the kernel finds the data wrong.
 * @retval -ENODEV      The device was revoked.
 * @retval -EOPNOTSUPP  The IOMMU or the kernel has no vIOMMUs of this type (an SMMUv3 has them
 *                      where the system is fully coherent), or the device was opened by its group.
 * @retval -E2BIG       There is data, and the kernel is older than 6.17.
 * @retval -ENOTTY      The kernel is older than 6.13.
 * @retval -ENOMEM      No memory, here or in the kernel.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_VIOMMU_ALLOC).
 * @kernel 6.13
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_VIOMMU_ALLOC.
 */
LIBIOMMU_API int libiommu_viommu_alloc(struct libiommu_device *dev, struct libiommu_hwpt *parent,
                                       uint32_t type, const struct libiommu_viommu_config *config,
                                       struct libiommu_viommu **viommu);

/**
 * @brief Make a handle for a vIOMMU that exists already. Asks the kernel nothing.
 *
 * Its virtual devices are not known to the library, nor is the kernel's answer to its data.
 *
 * @param ctx          The context whose descriptor the id belongs to.
 * @param id           The kernel's id.
 * @param mode         Whether destroying the handle destroys the vIOMMU.
 * @param[out] viommu  The handle; destroyed with libiommu_viommu_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p id is 0 or @p mode is unknown.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_viommu_adopt(struct libiommu_ctx *ctx, uint32_t id,
                                       enum libiommu_id_mode mode, struct libiommu_viommu **viommu);

/**
 * @brief Destroy a vIOMMU.
 *
 * @param viommu  The vIOMMU; NULL is 0. A borrowed one is left alone and only its handle goes.
 * @return 0.
 * @retval -EBUSY  Something made from it still exists, or the kernel says that something else uses
 *                 it. Nothing has changed.
 * @retval -errno  Whatever else the kernel says; the handle still exists.
 * @threads Owner.
 * @syscalls ioctl (IOMMU_DESTROY), unless it is borrowed.
 * @kernel 6.13
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_DESTROY.
 */
LIBIOMMU_API int libiommu_viommu_destroy(struct libiommu_viommu *viommu);

/**
 * @brief The kernel's id of a vIOMMU.
 *
 * @param viommu   The vIOMMU.
 * @param[out] id  The id; reused once the object is gone.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_viommu_id(const struct libiommu_viommu *viommu, uint32_t *id);

/**
 * @brief The data of a vIOMMU, with what the kernel has put into it.
 *
 * @param viommu       The vIOMMU.
 * @param[out] buffer  The data, as much of it as there is room for; NULL for none.
 * @param size         The room, in bytes.
 * @param[out] length  How many bytes there are, 0 where there is no data.
 * @return 0.
 * @retval -EINVAL  @p viommu or @p length is NULL, or @p buffer is NULL and @p size is not 0.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_viommu_data(const struct libiommu_viommu *viommu, void *buffer,
                                      size_t size, size_t *length);

/**
 * @brief Make a nested page table on a vIOMMU.
 *
 * A device that is attached to it needs a virtual device on the vIOMMU first, with an SMMUv3.
 *
 * @param dev        The device, bound.
 * @param viommu     The vIOMMU, of the same context; it cannot be destroyed before the page table.
 * @param config     Choices, with data; of the flags LIBIOMMU_HWPT_PASID only.
 * @param[out] hwpt  The page table; destroyed with libiommu_hwpt_destroy().
 * @return 0, or as libiommu_hwpt_alloc_nested().
 * @retval -EIO  The guest's stream table entry has bits that a guest may not choose.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_HWPT_ALLOC).
 * @kernel 6.13
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_HWPT_ALLOC.
 */
LIBIOMMU_API int libiommu_hwpt_alloc_viommu(struct libiommu_device *dev,
                                            struct libiommu_viommu *viommu,
                                            const struct libiommu_hwpt_config *config,
                                            struct libiommu_hwpt **hwpt);

/**
 * @brief Give a vIOMMU a guest's invalidations, in the vIOMMU's own format.
 *
 * For an SMMUv3 libiommu_smmuv3_batch_new() is the comfortable way.
 *
 * @param viommu        The vIOMMU.
 * @param type          The format, as the kernel's enum iommu_hwpt_invalidate_data_type numbers
 *                      them; 1 is the SMMUv3's.
 * @param entries       The entries, one after the other; NULL when @p count is 0.
 * @param entry_length  Bytes of one, 1 to 4096.
 * @param count         How many; 0 asks whether the type is known. More than 2^19 are given to the
 *                      kernel in several calls.
 * @param[out] done     How many of them, from the first on, are known to be done: written after an
 *                      error of the kernel too. An SMMUv3's commands go out in groups, and the
 *                      kernel counts some as done that never went out: after an error none of the
 *                      failing call's count, though some may have been done. Give them again.
 * @return 0, or as libiommu_hwpt_invalidate().
 * @retval -EIO  A command that the kernel does not take, or that names a device which is not on the
 *               vIOMMU.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_HWPT_INVALIDATE).
 * @kernel 6.13
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_HWPT_INVALIDATE.
 */
LIBIOMMU_API int libiommu_viommu_invalidate(struct libiommu_viommu *viommu, uint32_t type,
                                            const void *entries, size_t entry_length, size_t count,
                                            size_t *done);

/**
 * @brief Map memory of a vIOMMU into the process: registers for the guest to have.
 *
 * @param viommu    The vIOMMU; it cannot be destroyed before the mapping.
 * @param offset    As the kernel has said in the vIOMMU's data.
 * @param length    Likewise, neither more nor less.
 * @param[out] map  The mapping, to read and write; destroyed with libiommu_viommu_map_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, or @p length is 0 or @p offset no multiple of the page size.
 * @retval -ENXIO   The vIOMMU has no such range of exactly this length.
 * @retval -ERANGE  Longer than the process can address.
 * @retval -ENODEV  The kernel is older than 6.17.
 * @retval -ENOMEM  No memory.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls mmap.
 * @kernel 6.17
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_VIOMMU_ALLOC.
 */
LIBIOMMU_API int libiommu_viommu_map(struct libiommu_viommu *viommu, uint64_t offset,
                                     uint64_t length, struct libiommu_viommu_map **map);

/**
 * @brief The same for the first page of a CMDQV's interface, where the vIOMMU's data says it is.
 *
 * @param viommu    The vIOMMU, of type LIBIOMMU_VIOMMU_TEGRA241_CMDQV.
 * @param[out] map  As libiommu_viommu_map().
 * @return 0, or as libiommu_viommu_map().
 * @retval -EOPNOTSUPP  It is of another type, or was adopted, or its data was too short.
 * @threads Shared.
 * @syscalls mmap.
 * @kernel 6.17
 * @since 0.1
 * @follows iommufd uAPI, struct iommu_viommu_tegra241_cmdqv.
 */
LIBIOMMU_API int libiommu_viommu_map_cmdqv(struct libiommu_viommu *viommu,
                                           struct libiommu_viommu_map **map);

/**
 * @brief Where mapped memory of a vIOMMU is.
 *
 * @param map  The mapping.
 * @return Its first byte, valid until the mapping is destroyed; NULL when @p map is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API volatile void *libiommu_viommu_map_address(const struct libiommu_viommu_map *map);

/**
 * @brief How long mapped memory of a vIOMMU is.
 *
 * @param map  The mapping.
 * @return Bytes; 0 when @p map is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API uint64_t libiommu_viommu_map_length(const struct libiommu_viommu_map *map);

/**
 * @brief Unmap memory of a vIOMMU.
 *
 * @param map  The mapping; NULL is 0.
 * @return 0.
 * @retval -errno  What munmap() says; the handle still exists.
 * @threads Owner.
 * @syscalls munmap.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_viommu_map_destroy(struct libiommu_viommu_map *map);

LIBIOMMU_END_DECLS

/** @} */
#endif
