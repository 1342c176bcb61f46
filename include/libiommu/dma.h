/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup dma DMA spaces
 * @brief Memory that devices reach: registered, counted, mirrored, and looked up.
 *
 * A DMA space stands over an address space (@ref ioas) and remembers what is mapped there, so that
 * the same memory can be registered twice, a part of it again, and all of it be looked up
 * (@ref translate). Further address spaces mirror it: devices behind several IOMMUs, or with page
 * tables of their own, find the same memory at the same IOVAs, and it is pinned and charged once.
 *
 * The kernel cannot cut a mapping. A range that overlaps a registered one in part is therefore
 * refused, unless the space was made with a split granule
 * (libiommu_dma_space_config_set_split()): then ranges are mapped in pieces of at most that, which
 * are counted one by one.
 *
 * Registering and unregistering take the space's lock; looking up does not.
 * @{
 */
#ifndef LIBIOMMU_DMA_H
#define LIBIOMMU_DMA_H

#include <libiommu/ioas.h>
#include <libiommu/iova.h>
#include <libiommu/translate.h>

LIBIOMMU_BEGIN_DECLS

/** @brief Who chooses IOVAs. */
enum libiommu_dma_policy {
	/** The kernel: libiommu_ioas_map(). */
	LIBIOMMU_DMA_KERNEL = 0,
	/** Each IOVA is the address in the process. Not all addresses can be IOVAs everywhere. */
	LIBIOMMU_DMA_IDENTITY = 1,
	/**
	 * The library, from a window (@ref iova): with large pages in mind, and so that all
	 * address spaces of the space can map them.
	 */
	LIBIOMMU_DMA_WINDOW = 2
};

/**
 * @brief Make a set of choices for a new space; each has a default.
 *
 * @param[out] config  The choices; freed with libiommu_dma_space_config_free().
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_space_config_new(struct libiommu_dma_space_config **config);

/**
 * @brief Free a set of choices. Spaces made from it are not affected.
 *
 * @param config  The choices; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_dma_space_config_free(struct libiommu_dma_space_config *config);

/**
 * @brief Who chooses IOVAs; by default, the kernel.
 *
 * @param config  The choices.
 * @param policy  Who.
 * @return 0.
 * @retval -EINVAL  @p config is NULL or @p policy unknown.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_space_config_set_policy(struct libiommu_dma_space_config *config,
                                                      enum libiommu_dma_policy policy);

/**
 * @brief Map in pieces, so that ranges may overlap in part.
 *
 * Pieces end where the address is a multiple of the granule. With the kernel's choice of IOVAs they
 * need not follow each other: ask the table. Small granules make for many mappings, and large
 * pages need 2 MiB at the least.
 *
 * @param config   The choices.
 * @param granule  Bytes, a power of two from 4096 on, raised to the IOMMU's page; 0, the default:
 *                 ranges are mapped whole.
 * @return 0.
 * @retval -EINVAL  @p config is NULL, or @p granule is not as it must be.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_space_config_set_split(struct libiommu_dma_space_config *config,
                                                     uint64_t granule);

/**
 * @brief Restrict what IOVAs are chosen from, by the kernel (libiommu_ioas_allow()) or from the
 * space's window. The identity knows no choice.
 *
 * @param config  The choices.
 * @param ranges  The ranges, copied, in ascending order, none overlapping another; may be NULL when
 *                @p count is 0.
 * @param count   How many; 0, the default: no restriction.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, or the ranges are not as they must be.
 * @retval -ENOMEM  No memory; nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_space_config_set_allowed(struct libiommu_dma_space_config *config,
                                                       const struct libiommu_iova_range *ranges,
                                                       size_t count);

/**
 * @brief Make a DMA space over an address space.
 *
 * What is mapped there already the space does not know; it leaves it alone. Its table takes 4 GiB
 * of addresses (32 MiB in a process of 32 bits), and memory for what is registered: 16 bytes for
 * each 2 MiB, or for each page of what is smaller or ends in between.
 *
 * @param ioas        The address space; must outlive the space.
 * @param config      Choices, or NULL for the defaults.
 * @param[out] space  The space; destroyed with libiommu_dma_space_destroy().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL.
 * @retval -ENOMEM      No memory, or not as many addresses.
 * @retval -EADDRINUSE  The kernel reserves an allowed range.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_IOAS_IOVA_RANGES, IOMMU_IOAS_ALLOW_IOVAS), memfd_create, ftruncate, mmap,
 *           madvise, mprotect, fcntl (F_ADD_SEALS).
 * @kernel 6.2
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_space_new(struct libiommu_ioas *ioas,
                                        const struct libiommu_dma_space_config *config,
                                        struct libiommu_dma_space **space);

/**
 * @brief Destroy a space, and unmap all that is registered in it.
 *
 * @param space  The space; NULL is 0.
 * @return 0.
 * @retval -EBUSY   It has arenas, or windows were cut from its own: nothing has changed. Or a
 *                  hardware queue holds a range: a part may be unmapped, and the space can only be
 *                  destroyed again.
 * @retval -ECHILD  This is a forked child; the space stays its parent's.
 * @retval -errno   Whatever else the kernel says; a part may be unmapped.
 * @threads Owner.
 * @syscalls ioctl (IOMMU_IOAS_UNMAP), munmap, close.
 * @kernel 6.2
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_space_destroy(struct libiommu_dma_space *space);

/**
 * @brief Register memory of this process.
 *
 * The same range, or a part of a registered one, can be registered again: it is counted, and
 * stays where it is. In a space with a split granule so can any range.
 *
 * @param space      The space.
 * @param address    Start of the memory, a multiple of a page (of the IOMMU's, if that is larger).
 * @param length     Bytes, a multiple of the same, not 0.
 * @param flags      LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE or both.
 * @param[out] iova  Where devices find its first byte. All of it follows there, save in a split
 *                   space: ask the table (@ref translate).
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, something is misaligned, or @p flags are none.
 * @retval -ERANGE      An address or the IOVA has more than 48 bits.
 * @retval -EEXIST      A part of the range is registered, and the space is not split; or the
 *                      IOVAs, of an identity, are mapped.
 * @retval -EPERM       A part of it is registered without what @p flags want.
 * @retval -EBUSY       The same range is being unregistered: libiommu_dma_space_unregister() is to
 *                      be repeated first.
 * @retval -ENOSPC      No free range of IOVAs is long enough.
 * @retval -EFAULT      The memory is not there, not writable where that was asked for, or cannot be
 *                      pinned.
 * @retval -ENOMEM      The locked-memory limit, or memory, is used up.
 * @retval -ECHILD      This is a forked child; the space stays its parent's.
 * @retval -errno       Whatever else the kernel says. After any failure nothing has changed.
 * @threads Shared. Takes the space's lock.
 * @syscalls ioctl (IOMMU_IOAS_MAP, IOMMU_IOAS_COPY; after a failure IOMMU_IOAS_UNMAP), madvise.
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_MAP.
 */
LIBIOMMU_API int libiommu_dma_space_register(struct libiommu_dma_space *space, void *address,
                                             uint64_t length, uint32_t flags, uint64_t *iova);

/**
 * @brief Register memory of this process at IOVAs from a client's own window.
 *
 * As libiommu_dma_space_register() otherwise. What is registered already stays where it is.
 *
 * @param space      The space.
 * @param window     The window; must stay until the memory is unregistered.
 * @param address    Start of the memory, a multiple of a page.
 * @param length     Bytes, a multiple of the same, not 0.
 * @param flags      LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE or both.
 * @param[out] iova  Where devices find its first byte.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, something is misaligned, or @p flags are none; or the kernel
 *                  cannot map what the window has.
 * @retval -ERANGE  An address or the IOVA has more than 48 bits.
 * @retval -EEXIST  A part of the range is registered, and the space is not split.
 * @retval -EPERM   A part of it is registered without what @p flags want.
 * @retval -EBUSY   The same range is being unregistered.
 * @retval -ENOSPC  The window has no free range as long.
 * @retval -EFAULT  The memory is not there, not writable, or cannot be pinned.
 * @retval -ENOMEM  The locked-memory limit, or memory, is used up.
 * @retval -ECHILD  This is a forked child; the space stays its parent's.
 * @retval -errno   Whatever else the kernel says. After any failure nothing has changed.
 * @threads Shared. Takes the space's lock.
 * @syscalls ioctl (IOMMU_IOAS_MAP, IOMMU_IOAS_COPY; after a failure IOMMU_IOAS_UNMAP), madvise.
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_MAP_FIXED_IOVA.
 */
LIBIOMMU_API int libiommu_dma_space_register_in(struct libiommu_dma_space *space,
                                                struct libiommu_iova_window *window, void *address,
                                                uint64_t length, uint32_t flags, uint64_t *iova);

/**
 * @brief Register a part of a file of memory, or of a dma-buf: a device's BAR for example.
 *
 * Files of memory are pinned in larger pieces than memory of the process, and can go over to
 * another process (libiommu_ioas_map_file()).
 *
 * @param space      The space.
 * @param fd         The file; may be closed afterwards.
 * @param start      Offset in the file, a multiple of a page.
 * @param length     Bytes, a multiple of the same, not 0.
 * @param address    Where the process has mapped that part, for it to be found by address; NULL: it
 *                   is not found, and unregistered by libiommu_dma_space_unregister_iova().
 * @param flags      LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE or both.
 * @param[out] iova  Where devices find its first byte.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, something is misaligned, past the end of the file or no
 *                      memory, @p flags are none, or the IOVA shall be the address and there is
 *                      none.
 * @retval -EBADF       @p fd is not open.
 * @retval -EACCES      @p fd is not open for reading, or not for writing where @p flags want that.
 * @retval -EPERM       The file is sealed against writing; or it is registered without what
 *                      @p flags want.
 * @retval -ERANGE      An address or the IOVA has more than 48 bits.
 * @retval -EEXIST      A part of the range is registered, and the space is not split.
 * @retval -EBUSY       The same range is being unregistered.
 * @retval -ENOSPC      No free range of IOVAs is long enough.
 * @retval -ENODEV      The dma-buf is revoked.
 * @retval -EOPNOTSUPP  The dma-buf is not a BAR's, or has more than one range; or @p address is
 *                      NULL and a vDPA device mirrors the space (@ref vdpa).
 * @retval -ENOMEM      The locked-memory limit, or memory, is used up.
 * @retval -ENOTTY      The kernel is older than 6.13.
 * @retval -ECHILD      This is a forked child; the space stays its parent's.
 * @retval -errno       Whatever else the kernel says. After any failure nothing has changed.
 * @threads Shared. Takes the space's lock.
 * @syscalls fcntl (F_GETFL, F_GET_SEALS), ioctl (IOMMU_IOAS_MAP_FILE, IOMMU_IOAS_COPY; after a
 *           failure IOMMU_IOAS_UNMAP), madvise.
 * @kernel 6.13
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_MAP_FILE.
 */
LIBIOMMU_API int libiommu_dma_space_register_file(struct libiommu_dma_space *space, int fd,
                                                  uint64_t start, uint64_t length, void *address,
                                                  uint32_t flags, uint64_t *iova);

/**
 * @brief Register several ranges of memory, all or none.
 *
 * @param space       The space.
 * @param ranges      The ranges, each as for libiommu_dma_space_register().
 * @param count       How many.
 * @param flags       LIBIOMMU_MAP_READ, LIBIOMMU_MAP_WRITE or both.
 * @param[out] iovas  An IOVA for each. After a failure some may have been written.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL, something is misaligned, or @p flags are none.
 * @retval -ERANGE  An address or an IOVA has more than 48 bits.
 * @retval -EEXIST  A part of a range is registered, and the space is not split.
 * @retval -EPERM   A part of a range is registered without what @p flags want.
 * @retval -EBUSY   One of the ranges is being unregistered.
 * @retval -ENOSPC  No free range of IOVAs is long enough.
 * @retval -EFAULT  The memory is not there, not writable, or cannot be pinned.
 * @retval -ENOMEM  The locked-memory limit, or memory, is used up.
 * @retval -ECHILD  This is a forked child; the space stays its parent's.
 * @retval -errno   Whatever else the kernel says. After any failure nothing has changed.
 * @threads Shared. Takes the space's lock for each range.
 * @syscalls ioctl (IOMMU_IOAS_MAP, IOMMU_IOAS_COPY; after a failure IOMMU_IOAS_UNMAP), madvise.
 * @kernel 6.2
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_space_register_many(struct libiommu_dma_space *space,
                                                  const struct iovec *ranges, size_t count,
                                                  uint32_t flags, uint64_t *iovas);

/**
 * @brief Take back a registration.
 *
 * From when the last one goes nobody finds the memory; then it is unmapped. See to it that no
 * device uses it any more.
 *
 * @param space    The space.
 * @param address  As it was registered.
 * @param length   As it was registered.
 * @return 0.
 * @retval -EINVAL  @p space is NULL.
 * @retval -ENOENT  Just this is not registered.
 * @retval -EBUSY   A hardware queue holds a part of it. It stays registered; in a split space what
 *                  comes before that part may be gone. To be repeated.
 * @retval -ECHILD  This is a forked child; the space stays its parent's.
 * @retval -errno   Whatever else the kernel says, as -EBUSY.
 * @threads Shared. Takes the space's lock.
 * @syscalls ioctl (IOMMU_IOAS_UNMAP; after a failure IOMMU_IOAS_COPY).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_UNMAP.
 */
LIBIOMMU_API int libiommu_dma_space_unregister(struct libiommu_dma_space *space,
                                               const void *address, uint64_t length);

/**
 * @brief Take back several registrations, one after the other until one fails.
 *
 * @param space      The space.
 * @param ranges     The ranges, as they were registered.
 * @param count      How many.
 * @param[out] done  How many were taken back, also after a failure.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  Just this is not registered.
 * @retval -EBUSY   A hardware queue holds a part.
 * @retval -ECHILD  This is a forked child; the space stays its parent's.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared. Takes the space's lock for each range.
 * @syscalls ioctl (IOMMU_IOAS_UNMAP; after a failure IOMMU_IOAS_COPY).
 * @kernel 6.2
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_space_unregister_many(struct libiommu_dma_space *space,
                                                    const struct iovec *ranges, size_t count,
                                                    size_t *done);

/**
 * @brief Take back a registration that has no address.
 *
 * @param space   The space.
 * @param iova    What libiommu_dma_space_register_file() said.
 * @param length  As it was registered.
 * @return 0.
 * @retval -EINVAL  @p space is NULL.
 * @retval -ENOENT  Just this is not registered, or it has an address.
 * @retval -EBUSY   A hardware queue holds a part of it. Nothing has changed.
 * @retval -ECHILD  This is a forked child; the space stays its parent's.
 * @retval -errno   Whatever else the kernel says. Nothing has changed.
 * @threads Shared. Takes the space's lock.
 * @syscalls ioctl (IOMMU_IOAS_UNMAP; after a failure IOMMU_IOAS_COPY).
 * @kernel 6.2
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_space_unregister_iova(struct libiommu_dma_space *space, uint64_t iova,
                                                    uint64_t length);

/**
 * @brief Have another address space mirror a DMA space: what is registered, now and later, is there
 * at the same IOVAs.
 *
 * The memory is pinned and charged once. What the other address space cannot map, no registration
 * can have: with LIBIOMMU_DMA_WINDOW the library chooses IOVAs that all can.
 *
 * @param space  The space.
 * @param ioas   The other address space, of the same context; must outlive the space or
 *               libiommu_dma_space_unmirror().
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, the contexts differ, or the kernel reserves there what is
 *                      registered.
 * @retval -EEXIST      It is in the space already, or has something mapped where the space has.
 * @retval -EADDRINUSE  It cannot map what is taken from the space's window.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -ENOMEM      No memory.
 * @retval -ECHILD      This is a forked child; the space stays its parent's.
 * @retval -errno       Whatever else the kernel says. After any failure nothing has changed.
 * @threads Shared. Takes the space's lock.
 * @syscalls ioctl (IOMMU_IOAS_IOVA_RANGES, IOMMU_IOAS_COPY; after a failure IOMMU_IOAS_UNMAP).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_COPY.
 */
LIBIOMMU_API int libiommu_dma_space_mirror(struct libiommu_dma_space *space,
                                           struct libiommu_ioas *ioas);

/**
 * @brief Have an address space mirror a DMA space no more: what is registered is unmapped there.
 *
 * The space's window has what only this address space could not map again from
 * libiommu_dma_space_revalidate() on.
 *
 * @param space  The space.
 * @param ioas   The address space.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ENOENT  It does not mirror the space.
 * @retval -EBUSY   A hardware queue holds a range there. A part may be unmapped; to be repeated.
 * @retval -ECHILD  This is a forked child; the space stays its parent's.
 * @retval -errno   Whatever else the kernel says, as -EBUSY.
 * @threads Shared. Takes the space's lock.
 * @syscalls ioctl (IOMMU_IOAS_UNMAP).
 * @kernel 6.2
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_space_unmirror(struct libiommu_dma_space *space,
                                             struct libiommu_ioas *ioas);

/**
 * @brief Attach a device to one of a space's address spaces, and see what can be mapped since.
 *
 * The same as libiommu_device_attach_ioas() and libiommu_dma_space_revalidate(), all or nothing.
 *
 * @param space  The space.
 * @param dev    The device, bound.
 * @param ioas   The space's own address space or one that mirrors it; NULL is its own.
 * @return 0.
 * @retval -EINVAL      A pointer is NULL, or the kernel cannot attach the device there.
 * @retval -ENOENT      @p ioas does not mirror the space.
 * @retval -EADDRINUSE  The device's reserved ranges are mapped, or taken from the space's window.
 * @retval -ENOMEM      No memory.
 * @retval -ECHILD      This is a forked child; the space stays its parent's.
 * @retval -errno       Whatever else libiommu_device_attach_ioas() says. Nothing has changed.
 * @threads Shared. Takes the space's lock.
 * @syscalls ioctl (VFIO_DEVICE_ATTACH_IOMMUFD_PT, IOMMU_IOAS_IOVA_RANGES; after a failure
 *           VFIO_DEVICE_DETACH_IOMMUFD_PT).
 * @kernel 6.6
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_space_attach(struct libiommu_dma_space *space,
                                           struct libiommu_device *dev, struct libiommu_ioas *ioas);

/**
 * @brief See what the address spaces can map: each attach and detach changes it.
 *
 * Of use with LIBIOMMU_DMA_WINDOW only.
 *
 * @param space  The space.
 * @return 0.
 * @retval -EINVAL      @p space is NULL.
 * @retval -EADDRINUSE  Something is taken from the window that cannot be mapped any more; the
 *                      explanation has its range. The window is as it was.
 * @retval -ENOMEM      No memory.
 * @retval -ECHILD      This is a forked child; the space stays its parent's.
 * @retval -errno       Whatever else the kernel says.
 * @threads Shared. Takes the space's lock.
 * @syscalls ioctl (IOMMU_IOAS_IOVA_RANGES).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_IOVA_RANGES.
 */
LIBIOMMU_API int libiommu_dma_space_revalidate(struct libiommu_dma_space *space);

/**
 * @brief The table of what is registered in a space, to look it up.
 *
 * @param space  The space.
 * @return The table, which goes with the space; NULL when @p space is.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const struct libiommu_dma_table *libiommu_dma_space_table(
	const struct libiommu_dma_space *space);

/**
 * @brief The window that a space chooses IOVAs from, for a program to reserve ranges or to cut
 * windows for clients.
 *
 * @param space  The space.
 * @return The window, which goes with the space; NULL with another policy than LIBIOMMU_DMA_WINDOW
 *         or when @p space is.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API struct libiommu_iova_window *libiommu_dma_space_window(
	const struct libiommu_dma_space *space);

/**
 * @brief How much is registered.
 *
 * @param space       The space.
 * @param[out] count  Registrations, each as often as it was made.
 * @param[out] bytes  Bytes that are mapped for them, in the space's own address space.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -ECHILD  This is a forked child; the space stays its parent's.
 * @threads Shared. Takes the space's lock.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_dma_space_registered(struct libiommu_dma_space *space, uint64_t *count,
                                               uint64_t *bytes);

LIBIOMMU_END_DECLS

/** @} */
#endif
