/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup ioas I/O address spaces
 * @brief What a device sees: memory of this process at I/O virtual addresses (IOVAs).
 *
 * Memory is pinned while it is mapped and a page table is attached. With none attached the kernel
 * is lazy: a bad address is found out only when a device is attached (libiommu_device_attach_ioas()
 * then fails with -EFAULT).
 *
 * @par On type 1
 * An address space is a container. What is mapped is kept by the library, and put into the
 * container when the first device is attached; when the last one is detached it is taken out, and
 * kept. The library chooses addresses, from what the kernel says can be used. A container takes
 * 65,535 mappings (the parameter dma_entry_limit of the module vfio_iommu_type1), and what is
 * pinned is charged to the process, once for each container. Mapping and unmapping take a lock of
 * the address space.
 * @{
 */
#ifndef LIBIOMMU_IOAS_H
#define LIBIOMMU_IOAS_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief The device may read the memory. */
#define LIBIOMMU_MAP_READ (1U << 0)
/** @brief The device may write the memory. */
#define LIBIOMMU_MAP_WRITE (1U << 1)

/**
 * @brief Make an empty address space.
 *
 * @param ctx        The context.
 * @param[out] ioas  The address space; destroyed with libiommu_ioas_destroy(), before the context.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOMEM  No memory, here or in the kernel.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_IOAS_ALLOC); on type 1 none.
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_ALLOC.
 */
LIBIOMMU_API int libiommu_ioas_alloc(struct libiommu_ctx *ctx, struct libiommu_ioas **ioas);

/**
 * @brief Make a handle for an address space that exists already. Asks the kernel nothing.
 *
 * Whether the id is right shows at first use (-ENOENT). What is mapped or attached there is not
 * known to the library: see to it that this handle outlives both.
 *
 * @param ctx        The context whose descriptor the id belongs to.
 * @param id         The kernel's id.
 * @param mode       Whether destroying the handle destroys the address space.
 * @param[out] ioas  The handle; destroyed with libiommu_ioas_destroy().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, @p id is 0 or @p mode is unknown.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ioas_adopt(struct libiommu_ctx *ctx, uint32_t id,
                                     enum libiommu_id_mode mode, struct libiommu_ioas **ioas);

/**
 * @brief A handle for the compatibility address space: where devices live that were opened by their
 * group.
 *
 * The kernel makes it when the first such device is opened. The handle borrows it.
 *
 * @param ctx        The context.
 * @param[out] ioas  The handle; destroyed with libiommu_ioas_destroy(), which leaves the address
 *                   space alone.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOMEM  No memory.
 * @retval -ENODEV  The context has none.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_VFIO_IOAS).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_VFIO_IOAS_GET.
 */
LIBIOMMU_API int libiommu_ioas_get_compat(struct libiommu_ctx *ctx, struct libiommu_ioas **ioas);

/**
 * @brief Make an address space the compatibility one: where devices live that are opened by their
 * group after this, and what VFIO's own ioctls on the context's descriptor work on.
 *
 * Devices that are there already stay where they are. Destroying the address space undoes it.
 *
 * @param ioas  The address space.
 * @return 0.
 * @retval -EINVAL  @p ioas is NULL.
 * @retval -ENOENT  The kernel has no such address space (a wrong adopted id).
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_VFIO_IOAS).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_VFIO_IOAS_SET.
 */
LIBIOMMU_API int libiommu_ioas_set_compat(struct libiommu_ioas *ioas);

/**
 * @brief Have no compatibility address space any more. The address space itself stays.
 *
 * @param ctx  The context; having none is no error.
 * @return 0.
 * @retval -EINVAL  @p ctx is NULL.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -errno   Whatever the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_VFIO_IOAS).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_VFIO_IOAS_CLEAR.
 */
LIBIOMMU_API int libiommu_ioas_clear_compat(struct libiommu_ctx *ctx);

/**
 * @brief Destroy an address space, and every mapping in it.
 *
 * @param ioas  The address space; NULL is 0. A borrowed one is left alone and only its handle goes.
 * @return 0.
 * @retval -EBUSY   A device or a HWPT of this library uses it, or the kernel says that something
 *                  else does. Nothing has changed.
 * @retval -ENOENT  The kernel has no such address space (a wrong adopted id). The handle still
 *                  exists.
 * @retval -errno   Whatever else the kernel says; the handle still exists.
 * @threads Owner.
 * @syscalls ioctl (IOMMU_DESTROY), unless it is borrowed; on type 1 ioctl (VFIO_IOMMU_UNMAP_DMA)
 *   where a device is still open that was attached.
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_DESTROY.
 */
LIBIOMMU_API int libiommu_ioas_destroy(struct libiommu_ioas *ioas);

/**
 * @brief The kernel's id of an address space.
 *
 * @param ioas     The address space.
 * @param[out] id  The id, unique in the context among objects of all kinds; reused once the object
 *                 is gone.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ioas_id(const struct libiommu_ioas *ioas, uint32_t *id);

/**
 * @brief Map memory of this process where the kernel finds room.
 *
 * @param ioas       The address space.
 * @param address    Start of the memory, aligned as libiommu_iova_ranges_alignment() says (a page,
 *                   normally).
 * @param length     Bytes, a multiple of the same, not 0. Any memory that can be pinned; device
 *                   BARs cannot.
 * @param flags      LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE or both.
 * @param[out] iova  Where the device finds it; never 0.
 * @return 0.
 * @retval -EINVAL    A pointer is NULL, @p flags has an unknown bit or neither of the two, @p
 *                    length is 0 or misaligned.
 * @retval -EOVERFLOW The memory's range wraps around.
 * @retval -ENOSPC    No free range is long enough; on type 1 also: the container is full.
 * @retval -EOPNOTSUPP  On type 1: there is no IOMMU behind what is attached.
 * @retval -EFAULT    The memory is not mapped in the process, not writable where that was asked
 *                    for, or cannot be pinned.
 * @retval -ENOMEM    The locked-memory limit, or the kernel's memory, is used up.
 * @retval -errno     Whatever else the kernel says.
 * @threads Shared. Takes no lock of the library, except on type 1.
 * @syscalls ioctl (IOMMU_IOAS_MAP); on type 1 ioctl (VFIO_IOMMU_MAP_DMA) where a device is
 *   attached.
 * @kernel 6.2; on type 1 any
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_MAP.
 */
LIBIOMMU_API int libiommu_ioas_map(struct libiommu_ioas *ioas, void *address, uint64_t length,
                                   uint32_t flags, uint64_t *iova);

/**
 * @brief Map memory of this process at a chosen IOVA.
 *
 * @param ioas     The address space.
 * @param address  Start of the memory, aligned as for libiommu_ioas_map().
 * @param length   Bytes, a multiple of the alignment, not 0.
 * @param flags    LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE or both.
 * @param iova     Where the device shall find it; 0 is an address like any other. Large pages need
 *                 the IOVA and the physical address to be congruent.
 * @return 0.
 * @retval -EINVAL     @p ioas is NULL, @p flags has an unknown bit or neither of the two, @p length
 * is 0, something is misaligned, or the range is not among libiommu_ioas_ranges().
 * @retval -EOVERFLOW  One of the two ranges wraps around.
 * @retval -EEXIST     Something is mapped in the range already.
 * @retval -ENOSPC     On type 1: the container is full.
 * @retval -EOPNOTSUPP  On type 1: there is no IOMMU behind what is attached.
 * @retval -EFAULT     The memory is not mapped in the process, not writable where that was asked
 *                     for, or cannot be pinned.
 * @retval -ENOMEM     The locked-memory limit, or the kernel's memory, is used up.
 * @retval -errno      Whatever else the kernel says.
 * @threads Shared. Takes no lock of the library, except on type 1.
 * @syscalls ioctl (IOMMU_IOAS_MAP); on type 1 ioctl (VFIO_IOMMU_MAP_DMA) where a device is
 *   attached.
 * @kernel 6.2; on type 1 any
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_MAP_FIXED_IOVA.
 */
LIBIOMMU_API int libiommu_ioas_map_fixed(struct libiommu_ioas *ioas, void *address, uint64_t length,
                                         uint32_t flags, uint64_t iova);

/**
 * @brief Map a part of a file of memory, or of a dma-buf, where the kernel finds room.
 *
 * Memory: a memfd, or a file of tmpfs or hugetlbfs. It need not be mapped in the process, is pinned
 * in larger pieces than with libiommu_ioas_map(), and stays mapped when the process that mapped it
 * is replaced (libiommu_ctx_change_process()). A dma-buf: of a device's BAR
 * (libiommu_pci_bar_export()), kernel 6.19; the device behind @p ioas then reaches the BAR.
 *
 * The descriptor may be closed afterwards. When the BAR goes away (its device is reset or closed,
 * or its memory switched off) accesses fail, until it is unmapped and mapped again.
 *
 * The kernel looks neither at how @p fd was opened nor at seals; the library does, before it asks:
 * the rules are those of a shared mmap(2).
 *
 * @param ioas       The address space.
 * @param fd         The file, open for reading, for writing too where @p flags have that.
 * @param start      Offset in the file, aligned as libiommu_iova_ranges_alignment() says.
 * @param length     Bytes, a multiple of the same, not 0, not past the end of the file.
 * @param flags      LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE or both.
 * @param[out] iova  Where the device finds it; never 0.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, @p flags has an unknown bit or neither of the two, @p
 *                      length is 0 or misaligned, the range ends past the end of the file, or the
 *                      file is neither memory nor a dma-buf (without a page table that is found out
 *   when a device is attached).
 * @retval -EACCES      @p fd is not open for reading, or not for writing where that was asked for.
 * @retval -EPERM       The file is sealed against writing, which was asked for.
 * @retval -EBADF       @p fd is not open.
 * @retval -EOVERFLOW   The range of the file wraps around.
 * @retval -ENOSPC      No free range is long enough.
 * @retval -ENODEV      The dma-buf is revoked: its device is being reset or gone, or does not
 *                      decode memory.
 * @retval -EOPNOTSUPP  The dma-buf is not a BAR's, or has more than one range.
 *                      Or the context is on type 1.
 * @retval -ENOMEM      The locked-memory limit, or the kernel's memory, is used up.
 * @retval -ENOTTY      The kernel is older than 6.13.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared. Takes no lock of the library.
 * @syscalls fcntl (F_GETFL, F_GET_SEALS), ioctl (IOMMU_IOAS_MAP_FILE).
 * @kernel 6.13
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_MAP_FILE.
 */
LIBIOMMU_API int libiommu_ioas_map_file(struct libiommu_ioas *ioas, int fd, uint64_t start,
                                        uint64_t length, uint32_t flags, uint64_t *iova);

/**
 * @brief Map a part of a file of memory, or of a dma-buf, at a chosen IOVA.
 *
 * As libiommu_ioas_map_file() otherwise.
 *
 * @param ioas    The address space.
 * @param fd      The file, open for reading, for writing too where @p flags have that.
 * @param start   Offset in the file, aligned as libiommu_iova_ranges_alignment() says.
 * @param length  Bytes, a multiple of the same, not 0, not past the end of the file.
 * @param flags   LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE or both.
 * @param iova    Where the device shall find it.
 * @return 0.
 * @retval -EINVAL      @p ioas is NULL, @p flags has an unknown bit or neither of the two,
 *                      something is misaligned, @p length is 0, the range ends past the end of the
 *                      file or is not among libiommu_ioas_ranges(), or the file is neither memory
 *                      nor a dma-buf.
 * @retval -EACCES      @p fd is not open for reading, or not for writing where that was asked for.
 * @retval -EPERM       The file is sealed against writing, which was asked for.
 * @retval -EBADF       @p fd is not open.
 * @retval -EEXIST      Something is mapped in the range already.
 * @retval -EOVERFLOW   One of the two ranges wraps around.
 * @retval -ENODEV      The dma-buf is revoked: its device is being reset or gone, or does not
 *                      decode memory.
 * @retval -EOPNOTSUPP  The dma-buf is not a BAR's, or has more than one range.
 *                      Or the context is on type 1.
 * @retval -ENOMEM      The locked-memory limit, or the kernel's memory, is used up.
 * @retval -ENOTTY      The kernel is older than 6.13.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared. Takes no lock of the library.
 * @syscalls fcntl (F_GETFL, F_GET_SEALS), ioctl (IOMMU_IOAS_MAP_FILE).
 * @kernel 6.13
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_MAP_FILE, IOMMU_IOAS_MAP_FIXED_IOVA.
 */
LIBIOMMU_API int libiommu_ioas_map_file_fixed(struct libiommu_ioas *ioas, int fd, uint64_t start,
                                              uint64_t length, uint32_t flags, uint64_t iova);

/**
 * @brief Map what is mapped in another address space, or elsewhere in the same one, where the
 * kernel finds room.
 *
 * The memory is pinned and charged once, however often it is copied, and stays mapped here when it
 * is unmapped there. Any part of what is mapped can be copied, and several mappings that follow
 * each other without a hole; here they are as many mappings, of the parts.
 *
 * @param ioas       The address space to map into.
 * @param from       The one that has it, of the same context; may be @p ioas.
 * @param from_iova  Where it is there.
 * @param length     Bytes, a multiple of libiommu_iova_ranges_alignment(), not 0.
 * @param flags      LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE or both; what can be done with the
 *                   original is no rule for the copy, but see -EPERM.
 * @param[out] iova  Where the device finds it; never 0.
 * @return 0.
 * @retval -EINVAL     A pointer is NULL, the two are of different contexts, @p flags has an unknown
 * bit or neither of the two, @p length is 0, or something is misaligned.
 * @retval -ENOENT     A part of the source range is not mapped, or the kernel has no such address
 *                     space.
 * @retval -EPERM      Writing was asked for, and the source was mapped without it.
 * @retval -EOVERFLOW  The source range wraps around.
 * @retval -ENOSPC     No free range is long enough.
 * @retval -ENOMEM     The locked-memory limit, or the kernel's memory, is used up.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -errno      Whatever else the kernel says.
 * @threads Shared. Takes no lock of the library.
 * @syscalls ioctl (IOMMU_IOAS_COPY).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_COPY.
 */
LIBIOMMU_API int libiommu_ioas_copy(struct libiommu_ioas *ioas, const struct libiommu_ioas *from,
                                    uint64_t from_iova, uint64_t length, uint32_t flags,
                                    uint64_t *iova);

/**
 * @brief Map what is mapped in another address space, or elsewhere in the same one, at a chosen
 * IOVA.
 *
 * As libiommu_ioas_copy() otherwise.
 *
 * @param ioas       The address space to map into.
 * @param from       The one that has it, of the same context; may be @p ioas.
 * @param from_iova  Where it is there.
 * @param length     Bytes, a multiple of libiommu_iova_ranges_alignment(), not 0.
 * @param flags      LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE or both.
 * @param iova       Where the device shall find it.
 * @return 0.
 * @retval -EINVAL     A handle is NULL, the two are of different contexts, @p flags has an unknown
 *                     bit or neither of the two, @p length is 0, something is misaligned, or the
 *                     range is not among libiommu_ioas_ranges().
 * @retval -ENOENT     A part of the source range is not mapped, or the kernel has no such address
 *                     space.
 * @retval -EPERM      Writing was asked for, and the source was mapped without it.
 * @retval -EEXIST     Something is mapped in the range already.
 * @retval -EOVERFLOW  One of the two ranges wraps around.
 * @retval -ENOMEM     The locked-memory limit, or the kernel's memory, is used up.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -errno      Whatever else the kernel says.
 * @threads Shared. Takes no lock of the library.
 * @syscalls ioctl (IOMMU_IOAS_COPY).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_COPY, IOMMU_IOAS_MAP_FIXED_IOVA.
 */
LIBIOMMU_API int libiommu_ioas_copy_fixed(struct libiommu_ioas *ioas,
                                          const struct libiommu_ioas *from, uint64_t from_iova,
                                          uint64_t length, uint32_t flags, uint64_t iova);

/**
 * @brief How much is mapped through a handle, and how much of that might not come from files of
 * memory.
 *
 * libiommu_ctx_change_process() needs all mappings of the context to come from files of memory
 * (libiommu_ioas_map_file(), dma-bufs excepted). Where @p others is 0 for every address space it
 * will not fail for that; libiommu_change_list_new() says where they are. The kernel unmaps ranges
 * without saying what was in them; @p others is therefore exact while mappings of one kind only
 * have been unmapped, or the context remembers them (libiommu_ctx_config_set_remember()), and else
 * the most that can be left. What was mapped through another handle is not known here.
 *
 * @param ioas         The address space.
 * @param[out] bytes   Bytes mapped; copies count.
 * @param[out] others  How many of these, at the most, were mapped by address, from a dma-buf, or
 *                     copied from where such were.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared. Takes no lock of the library.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ioas_mapped(const struct libiommu_ioas *ioas, uint64_t *bytes,
                                      uint64_t *others);

/**
 * @brief Unmap a range that is mapped from end to end.
 *
 * The kernel unmaps whole mappings only: it refuses to cut one in two.
 *
 * @param ioas    The address space.
 * @param iova    Start of the range: the first byte of a mapping.
 * @param length  Bytes, not 0; the range's last byte is the last of a mapping.
 * @return 0.
 * @retval -EINVAL     @p ioas is NULL, @p length is 0, or it is 2^64 - 1 at IOVA 0, by which the
 *                     kernel would understand everything (libiommu_ioas_unmap_all()).
 * @retval -EOVERFLOW  The range wraps around.
 * @retval -ENOENT     Nothing is mapped there, or the range cuts a mapping. As far as the kernel
 *                     tells, nothing has changed.
 * @retval -EBUSY      A hardware queue holds the range, or it is being mapped at this moment.
 * @retval -ERANGE     The range had holes. What was mapped in it **has been unmapped**; the
 *                     explanation says how many bytes.
 * @retval -errno      Whatever else the kernel says.
 * @threads Shared. Takes no lock of the library, except on type 1.
 * @syscalls ioctl (IOMMU_IOAS_UNMAP); on type 1 ioctl (VFIO_IOMMU_UNMAP_DMA) where a device is
 *   attached.
 * @kernel 6.2; on type 1 any
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_UNMAP.
 */
LIBIOMMU_API int libiommu_ioas_unmap(struct libiommu_ioas *ioas, uint64_t iova, uint64_t length);

/**
 * @brief Unmap every mapping that lies in a range, holes or not.
 *
 * @param ioas           The address space.
 * @param iova           Start of the range.
 * @param length         Bytes, not 0.
 * @param[out] unmapped  Bytes that were mapped there; NULL if not wanted.
 * @return 0.
 * @retval -EINVAL     @p ioas is NULL, @p length is 0, or it is 2^64 - 1 at IOVA 0, by which the
 *                     kernel would understand everything (libiommu_ioas_unmap_all()).
 * @retval -EOVERFLOW  The range wraps around.
 * @retval -ENOENT     Nothing is mapped there, or the range cuts a mapping.
 * @retval -EBUSY      A hardware queue holds a part of the range, or it is being mapped at this
 *                     moment. Mappings before it may be gone.
 * @retval -errno      Whatever else the kernel says.
 * @threads Shared. Takes no lock of the library, except on type 1.
 * @syscalls ioctl (IOMMU_IOAS_UNMAP); on type 1 ioctl (VFIO_IOMMU_UNMAP_DMA) where a device is
 *   attached.
 * @kernel 6.2; on type 1 any
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_UNMAP.
 */
LIBIOMMU_API int libiommu_ioas_unmap_range(struct libiommu_ioas *ioas, uint64_t iova,
                                           uint64_t length, uint64_t *unmapped);

/**
 * @brief Unmap everything. An empty address space is no error.
 *
 * @param ioas           The address space.
 * @param[out] unmapped  Bytes that were mapped; NULL if not wanted.
 * @return 0.
 * @retval -EINVAL  @p ioas is NULL.
 * @retval -EBUSY   A hardware queue holds a range, or one is being mapped at this moment. Mappings
 *                  before it may be gone.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared. Takes no lock of the library, except on type 1.
 * @syscalls ioctl (IOMMU_IOAS_UNMAP); on type 1 ioctl (VFIO_IOMMU_UNMAP_DMA) where a device is
 *   attached.
 * @kernel 6.2; on type 1 any
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_UNMAP.
 */
LIBIOMMU_API int libiommu_ioas_unmap_all(struct libiommu_ioas *ioas, uint64_t *unmapped);

/**
 * @brief Ask which IOVAs can be mapped, as of now: every attach and detach changes the answer.
 *
 * @param ioas         The address space.
 * @param[out] ranges  The answer, in ascending order; freed with libiommu_iova_ranges_free().
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOMEM  No memory.
 * @retval -EAGAIN  The list grew each time it was asked for, eight times in a row.
 * @retval -EIO     On type 1: the kernel's description contradicts itself.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_IOAS_IOVA_RANGES; on type 1, where a device is attached,
 *   VFIO_IOMMU_GET_INFO), repeated while the list grows.
 * @kernel 6.2; on type 1 any
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_IOVA_RANGES.
 */
LIBIOMMU_API int libiommu_ioas_ranges(struct libiommu_ioas *ioas,
                                      struct libiommu_iova_ranges **ranges);

/**
 * @brief Free a list of ranges.
 *
 * @param ranges  The list; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_iova_ranges_free(struct libiommu_iova_ranges *ranges);

/**
 * @brief How many ranges a list has.
 *
 * @param ranges  The list.
 * @return The count; 0 when @p ranges is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API size_t libiommu_iova_ranges_count(const struct libiommu_iova_ranges *ranges);

/**
 * @brief One range of a list.
 *
 * @param ranges      The list.
 * @param index       From 0.
 * @param[out] range  The range, its last address included.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p index is not below the count.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_iova_ranges_get(const struct libiommu_iova_ranges *ranges, size_t index,
                                          struct libiommu_iova_range *range);

/**
 * @brief The alignment that addresses, IOVAs and lengths need.
 *
 * @param ranges  The list.
 * @return Bytes, a power of two; 0 when @p ranges is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API uint64_t libiommu_iova_ranges_alignment(const struct libiommu_iova_ranges *ranges);

/**
 * @brief Restrict where libiommu_ioas_map() finds room, replacing any earlier restriction.
 *
 * Also a promise: a device that needs one of these ranges for itself cannot be attached later.
 *
 * @param ioas    The address space.
 * @param ranges  The ranges, in any order, none overlapping another; may be NULL when @p count is
 *                0.
 * @param count   How many; 0 lifts the restriction.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, @p count exceeds 2^32 - 1, a range does not end after it
 *                      starts, or two overlap.
 * @retval -EADDRINUSE  A range is reserved by an attached device.
 * @retval -ENOMEM      No memory in the kernel.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_IOAS_ALLOW_IOVAS).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_ALLOW_IOVAS.
 */
LIBIOMMU_API int libiommu_ioas_allow(struct libiommu_ioas *ioas,
                                     const struct libiommu_iova_range *ranges, size_t count);

/**
 * @brief Choose whether page tables made from an address space may use pages larger than the
 * smallest.
 *
 * They may by default. Without them every page of a mapping is an entry of its own: slower and
 * larger, but dirty tracking (@ref dirty) then tells page from page, where a large page is dirty
 * as a whole.
 *
 * @param ioas   The address space.
 * @param allow  Whether large pages may be used.
 * @return 0.
 * @retval -EINVAL      @p ioas is NULL; or large pages are to be forbidden, and a page table of the
 * address space has mappings in it: choose before mapping.
 * @retval -EADDRINUSE  Something is mapped that does not begin and end at pages.
 * @retval -ENOENT      The kernel has no such address space (a wrong adopted id).
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_OPTION).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_OPTION_HUGE_PAGES.
 */
LIBIOMMU_API int libiommu_ioas_set_huge_pages(struct libiommu_ioas *ioas, bool allow);

/**
 * @brief Whether page tables made from an address space may use pages larger than the smallest.
 *
 * @param ioas          The address space.
 * @param[out] allowed  Whether they may.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  The kernel has no such address space (a wrong adopted id).
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_OPTION).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_OPTION_HUGE_PAGES.
 */
LIBIOMMU_API int libiommu_ioas_get_huge_pages(struct libiommu_ioas *ioas, bool *allowed);

/**
 * @brief Where memory physically is that is mapped for a device without an IOMMU.
 *
 * Such a device is attached like any other, but nothing translates for it: it must be given
 * physical addresses. They hold while the memory stays mapped and the device attached. Nothing
 * checks what the device is told to do with them.
 *
 * @param ioas             The address space, attached to a device without an IOMMU.
 * @param iova             Where the memory is mapped.
 * @param length           Bytes wanted at the most, not 0.
 * @param[out] address     The physical address of the first byte.
 * @param[out] contiguous  How many bytes follow each other there; no more than @p length, and no
 *                         more than the mapping has.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, @p length is 0, or the range is of a dma-buf that is
 *                      revoked.
 * @retval -EPERM       CAP_SYS_RAWIO is missing.
 * @retval -ENOENT      Nothing is mapped there, or the kernel has no such address space.
 * @retval -EOPNOTSUPP  No device without an IOMMU is attached, or one with an IOMMU was first.
 * @retval -EOVERFLOW   @p iova is 2^64 - 1.
 * @retval -ENOTTY      The kernel is older than 7.3, or built without CONFIG_IOMMUFD_NOIOMMU.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_IOAS_NOIOMMU_GET_PA).
 * @kernel 7.3
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_NOIOMMU_GET_PA.
 */
LIBIOMMU_API int libiommu_ioas_noiommu_get_pa(const struct libiommu_ioas *ioas, uint64_t iova,
                                              uint64_t length, uint64_t *address,
                                              uint64_t *contiguous);

LIBIOMMU_END_DECLS

/** @} */
#endif
