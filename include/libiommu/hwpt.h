/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup hwpt Hardware page tables
 * @brief A page table of the caller's own, where the one the kernel makes for an IOAS will not do.
 *
 * Making a page table fills it with all that is mapped in its address space, and holds everything
 * else up meanwhile. So: bind all devices, make page tables on the empty address space, then map.
 * @{
 */
#ifndef LIBIOMMU_HWPT_H
#define LIBIOMMU_HWPT_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief The page table can be the parent of nested ones. Kernel 6.7. It can have no fault queue;
 * its children can. */
#define LIBIOMMU_HWPT_NEST_PARENT (1U << 0)
/** @brief The page table can track which pages devices write. Kernel 6.7. */
#define LIBIOMMU_HWPT_DIRTY_TRACKING (1U << 1)
/** @brief The page table can be attached to a PASID, or its device may have page tables attached to
 * PASIDs. Kernel 6.15. */
#define LIBIOMMU_HWPT_PASID (1U << 3)

/** @brief Supervisor requests are allowed (SRE of a VT-d PASID entry). */
#define LIBIOMMU_VTD_S1_SRE (1U << 0)
/** @brief Extended-accessed flags are used (EAFE). */
#define LIBIOMMU_VTD_S1_EAFE (1U << 1)
/** @brief Write protection holds for supervisor writes too (WPE). */
#define LIBIOMMU_VTD_S1_WPE (1U << 2)

/**
 * @brief Make a set of choices for a new page table; each has a default.
 *
 * @param[out] config  The choices; freed with libiommu_hwpt_config_free().
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_hwpt_config_new(struct libiommu_hwpt_config **config);

/**
 * @brief Free a set of choices. Page tables made from it are not affected.
 *
 * @param config  The choices; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_hwpt_config_free(struct libiommu_hwpt_config *config);

/**
 * @brief Choose what the page table must be able to do. The default is nothing special.
 *
 * @param config  The choices.
 * @param flags   Any of the LIBIOMMU_HWPT_ flags.
 * @return 0.
 * @retval -EINVAL  @p config is NULL or @p flags has an unknown bit.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_hwpt_config_set_flags(struct libiommu_hwpt_config *config,
                                                uint32_t flags);

/**
 * @brief Give data in an IOMMU's own format, as the kernel's enum iommu_hwpt_data_type numbers
 * them.
 *
 * @param config  The choices.
 * @param type    The format; 0 for none.
 * @param data    The data, copied; NULL when @p length is 0.
 * @param length  Bytes.
 * @return 0.
 * @retval -EINVAL  @p config is NULL, @p data is NULL and @p length is not 0, or @p length exceeds
 *                  2^32 - 1.
 * @retval -ENOMEM  No memory for the copy; nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_hwpt_config_set_data(struct libiommu_hwpt_config *config, uint32_t type,
                                               const void *data, size_t length);

/**
 * @brief Nest: the guest's first-stage page table of a VT-d PASID entry.
 *
 * Replaces what libiommu_hwpt_config_set_data() has set, and is replaced by it.
 *
 * @param config   The choices.
 * @param address  Of the page table, guest-physical: it is translated by the parent.
 * @param width    Bits of an address that it translates: 48 or 57, as the IOMMU can.
 * @param flags    Any of the LIBIOMMU_VTD_S1_ flags.
 * @return 0.
 * @retval -EINVAL  @p config is NULL or @p flags has an unknown bit.
 * @retval -ENOMEM  No memory; nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 * @follows iommufd uAPI, struct iommu_hwpt_vtd_s1; VT-d specification, scalable-mode PASID table
 *   entry.
 */
LIBIOMMU_API int libiommu_hwpt_config_set_vtd_s1(struct libiommu_hwpt_config *config,
                                                 uint64_t address, uint32_t width, uint64_t flags);

/**
 * @brief Nest: the guest's stream table entry for an SMMUv3.
 *
 * Of the entry the kernel takes V, Config (bypass, abort or stage 1), S1Fmt, S1ContextPtr, S1CDMax,
 * S1DSS, S1CIR, S1COR, S1CSH, S1STALLD and EATS, and refuses any other bit with -EIO. Replaces what
 * libiommu_hwpt_config_set_data() has set, and is replaced by it.
 *
 * @param config  The choices.
 * @param ste0    The entry's first 64 bits, as a number: the bytes in the guest's memory are
 *                little-endian.
 * @param ste1    The next 64 bits.
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @retval -ENOMEM  No memory; nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 * @follows iommufd uAPI, struct iommu_hwpt_arm_smmuv3; Arm SMMUv3 specification, stream table
 *   entry.
 */
LIBIOMMU_API int libiommu_hwpt_config_set_smmuv3(struct libiommu_hwpt_config *config, uint64_t ste0,
                                                 uint64_t ste1);

/**
 * @brief Nest: the guest's device table entry for an AMD IOMMU.
 *
 * Of the entry the kernel takes the guest's tables (GV, GLX, the root of GCR3, the paging mode) and
 * what goes with them. Replaces what libiommu_hwpt_config_set_data() has set, and is replaced by
 * it.
 *
 * @param config  The choices.
 * @param dte     The entry: four times 64 bits, as numbers.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOMEM  No memory; nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 * @follows iommufd uAPI, struct iommu_hwpt_amd_guest; AMD IOMMU specification (48882), device table
 *   entry.
 */
LIBIOMMU_API int libiommu_hwpt_config_set_amd_guest(struct libiommu_hwpt_config *config,
                                                    const uint64_t *dte);

/**
 * @brief Have the page requests of devices that are attached to the page table sent to a queue.
 *
 * The kernel may grant that where the hardware cannot do it: then attaching fails with -ENODEV
 * (VT-d), or no request ever comes (AMD, SMMUv3). A nesting parent can have no queue: the kernel
 * refuses the two together with -EOPNOTSUPP.
 *
 * @param config  The choices.
 * @param queue   The queue, of the same context; it must not be destroyed before the page table is
 *                made. NULL for none, the default.
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_hwpt_config_set_fault_queue(struct libiommu_hwpt_config *config,
                                                      struct libiommu_fault_queue *queue);

/**
 * @brief Make a page table for the IOMMU behind a device, filled from an address space.
 *
 * It serves every device behind an IOMMU of the same kind, and outlives the one it was made for.
 *
 * @param dev        The device, bound; it need not be attached, nor is it by this.
 * @param ioas       The address space, of the same context; it cannot be destroyed before the page
 *                   table.
 * @param config     Choices, or NULL for the defaults.
 * @param[out] hwpt  The page table; destroyed with libiommu_hwpt_destroy().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, two of them are of different contexts, the device is not
 *                      bound, or the kernel finds the data wrong.
 * @retval -ENODEV      The device was revoked.
 * @retval -EOPNOTSUPP  The hardware or the kernel cannot do what the flags ask for, or the device
 *                      was opened by its group.
 * @retval -EADDRINUSE  A mapping or an allowed range lies where the device needs a range for
 *                      itself.
 * @retval -ENOENT      There is no IOMMU behind the device, which is a mediated one, or the kernel
 *                      has no such address space (a wrong adopted id).
 * @retval -ENOTTY      The kernel is older than 6.6.
 * @retval -ENOMEM      No memory, here or in the kernel, or the locked-memory limit is used up.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_HWPT_ALLOC).
 * @kernel 6.6
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_HWPT_ALLOC.
 */
LIBIOMMU_API int libiommu_hwpt_alloc(struct libiommu_device *dev, struct libiommu_ioas *ioas,
                                     const struct libiommu_hwpt_config *config,
                                     struct libiommu_hwpt **hwpt);

/**
 * @brief Make a page table that is nested on another: what the device asks for is translated by the
 * guest's own table first, and what comes out of that by the parent.
 *
 * The guest's table is given by libiommu_hwpt_config_set_vtd_s1() and the like; without any the
 * kernel refuses. What the hardware caches of it is invalidated by libiommu_hwpt_invalidate(). For
 * an SMMUv3 the page table is made on a vIOMMU instead: libiommu_hwpt_alloc_viommu().
 *
 * @param dev        The device, bound.
 * @param parent     A page table made with LIBIOMMU_HWPT_NEST_PARENT, of the same context and for
 *                   an IOMMU of the same kind; it cannot be destroyed before the nested one.
 * @param config     Choices, with data; of the flags LIBIOMMU_HWPT_PASID only.
 * @param[out] hwpt  The page table; destroyed with libiommu_hwpt_destroy().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, two of them are of different contexts, the device is not
 *                      bound, @p parent was not made to be one, or the kernel finds the data
 *                      wrong.
 * @retval -ENODEV      The device was revoked.
 * @retval -EOPNOTSUPP  There is no data or that of another kind of IOMMU, a flag is not for nested
 *                      page tables, the hardware or the kernel cannot do it (AMD), or the device
 *                      was opened by its group.
 * @retval -ENOENT      The kernel has no such parent (a wrong adopted id).
 * @retval -E2BIG       The kernel is older than 6.8.
 * @retval -ENOTTY      The kernel is older than 6.6.
 * @retval -ENOMEM      No memory, here or in the kernel.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_HWPT_ALLOC).
 * @kernel 6.8
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_HWPT_ALLOC.
 */
LIBIOMMU_API int libiommu_hwpt_alloc_nested(struct libiommu_device *dev,
                                            struct libiommu_hwpt *parent,
                                            const struct libiommu_hwpt_config *config,
                                            struct libiommu_hwpt **hwpt);

/**
 * @brief Make a handle for a page table that exists already. Asks the kernel nothing.
 *
 * What is attached to it is not known to the library.
 *
 * @param ctx        The context whose descriptor the id belongs to.
 * @param id         The kernel's id.
 * @param mode       Whether destroying the handle destroys the page table.
 * @param[out] hwpt  The handle; destroyed with libiommu_hwpt_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p id is 0 or @p mode is unknown.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_hwpt_adopt(struct libiommu_ctx *ctx, uint32_t id,
                                     enum libiommu_id_mode mode, struct libiommu_hwpt **hwpt);

/**
 * @brief Name the fault queue of a page table that was adopted, before anything is attached to it.
 *
 * Without it the library takes the page table for one without a queue, and answers that come too
 * late are not kept from reaching other faults.
 *
 * @param hwpt   The page table.
 * @param queue  The queue that it was made with, of the same context. It cannot be destroyed before
 *               the page table.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL, or the two are of different contexts.
 * @retval -EALREADY  The page table has a queue.
 * @retval -EBUSY     Something is attached to it.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_hwpt_name_fault_queue(struct libiommu_hwpt *hwpt,
                                                struct libiommu_fault_queue *queue);

/**
 * @brief Destroy a page table.
 *
 * @param hwpt  The page table; NULL is 0. A borrowed one is left alone and only its handle goes.
 * @return 0.
 * @retval -EBUSY   A device of this library is attached to it, a nested page table or a vIOMMU was
 *                  made from it, or the kernel says that something else uses it. Nothing has
 *                  changed.
 * @retval -ENOENT  The kernel has no such page table (a wrong adopted id). The handle still exists.
 * @retval -errno   Whatever else the kernel says; the handle still exists.
 * @threads Owner.
 * @syscalls ioctl (IOMMU_DESTROY), unless it is borrowed.
 * @kernel 6.6
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_DESTROY.
 */
LIBIOMMU_API int libiommu_hwpt_destroy(struct libiommu_hwpt *hwpt);

/**
 * @brief Drop what the hardware caches of a nested page table, in an IOMMU's own format.
 *
 * For a VT-d page table libiommu_vtd_batch_new() is the comfortable way.
 *
 * @param hwpt          The nested page table.
 * @param type          The format, as the kernel's enum iommu_hwpt_invalidate_data_type numbers
 *                      them.
 * @param entries       The entries, one after the other; NULL when @p count is 0.
 * @param entry_length  Bytes of one, 1 to 4096.
 * @param count         How many; 0 asks whether the type is known. More than 2^19 are given to the
 *                      kernel in several calls.
 * @param[out] done     How many of them, from the first on, were done: written after an error of
 *                      the kernel too. Then the next one is the one it did not like.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, @p entry_length is out of range, the page table is not
 *                      nested, or the kernel finds an entry or the type wrong.
 * @retval -EOPNOTSUPP  An entry has an unknown flag.
 * @retval -ENOENT      The page table is not there (a wrong adopted id); before 6.13 also one that
 *                      is not nested.
 * @retval -ENOTTY      The kernel is older than 6.8.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_HWPT_INVALIDATE).
 * @kernel 6.8
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_HWPT_INVALIDATE.
 */
LIBIOMMU_API int libiommu_hwpt_invalidate(struct libiommu_hwpt *hwpt, uint32_t type,
                                          const void *entries, size_t entry_length, size_t count,
                                          size_t *done);

/**
 * @brief The kernel's id of a page table.
 *
 * @param hwpt     The page table.
 * @param[out] id  The id, unique in the context among objects of all kinds; reused once the object
 *                 is gone.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_hwpt_id(const struct libiommu_hwpt *hwpt, uint32_t *id);

LIBIOMMU_END_DECLS

/** @} */
#endif
