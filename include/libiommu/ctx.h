/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup ctx Context
 * @brief One open `/dev/iommu`: the owner of everything else.
 *
 * @par Without iommufd
 * Where the kernel has no `/dev/iommu`, a context is on VFIO's legacy containers, type 1, instead:
 * the same calls for contexts, address spaces, devices and what a PCI device has. What such a
 * system cannot do is -EOPNOTSUPP: page tables and all that stands on them, PASIDs, page requests,
 * mapping files, copying and restricting address spaces, adopting by id or descriptor, handing a
 * context over. Differences are told where they matter; they begin with "On type 1".
 *
 * The kernel keeps a context alive for as long as any device, fault queue or mapping of it is open,
 * also after its own descriptor is closed; DMA then goes on with nothing left to control it. That
 * is why libiommu_ctx_destroy() refuses while anything made from the context still exists.
 * @{
 */
#ifndef LIBIOMMU_CTX_H
#define LIBIOMMU_CTX_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

/** @brief How grave a logged message is. */
enum libiommu_log_level {
	/** A call failed; the message is libiommu_failure_text(). */
	LIBIOMMU_LOG_ERROR = 0,
	/** Something worth knowing that was no failure. */
	LIBIOMMU_LOG_INFO = 1
};

/**
 * @brief Receives one line, without a newline, for each failing call on a context.
 *
 * Called in the thread that failed, with no lock of the library held. The message is valid during
 * the call only. The function may call the library, libiommu_failure_text() and the like among it;
 * a call of its own that fails is told to it in turn, and is the thread's last failure then.
 */
typedef void (*libiommu_log_fn)(void *user, enum libiommu_log_level level, const char *message);

/** @brief What a kernel may or may not have: one entry for each ioctl of `/dev/iommu`. */
enum libiommu_feature {
	/** IOMMU_DESTROY. */
	LIBIOMMU_FEATURE_DESTROY = 0,
	/** IOMMU_IOAS_ALLOC. */
	LIBIOMMU_FEATURE_IOAS_ALLOC,
	/** IOMMU_IOAS_ALLOW_IOVAS. */
	LIBIOMMU_FEATURE_IOAS_ALLOW_IOVAS,
	/** IOMMU_IOAS_COPY. */
	LIBIOMMU_FEATURE_IOAS_COPY,
	/** IOMMU_IOAS_IOVA_RANGES. */
	LIBIOMMU_FEATURE_IOAS_IOVA_RANGES,
	/** IOMMU_IOAS_MAP. */
	LIBIOMMU_FEATURE_IOAS_MAP,
	/** IOMMU_IOAS_UNMAP. */
	LIBIOMMU_FEATURE_IOAS_UNMAP,
	/** IOMMU_OPTION. */
	LIBIOMMU_FEATURE_OPTION,
	/** IOMMU_VFIO_IOAS. */
	LIBIOMMU_FEATURE_VFIO_IOAS,
	/** IOMMU_HWPT_ALLOC. */
	LIBIOMMU_FEATURE_HWPT_ALLOC,
	/** IOMMU_GET_HW_INFO. */
	LIBIOMMU_FEATURE_GET_HW_INFO,
	/** IOMMU_HWPT_SET_DIRTY_TRACKING. */
	LIBIOMMU_FEATURE_HWPT_SET_DIRTY_TRACKING,
	/** IOMMU_HWPT_GET_DIRTY_BITMAP. */
	LIBIOMMU_FEATURE_HWPT_GET_DIRTY_BITMAP,
	/** IOMMU_HWPT_INVALIDATE. */
	LIBIOMMU_FEATURE_HWPT_INVALIDATE,
	/** IOMMU_FAULT_QUEUE_ALLOC. */
	LIBIOMMU_FEATURE_FAULT_QUEUE_ALLOC,
	/** IOMMU_IOAS_MAP_FILE. */
	LIBIOMMU_FEATURE_IOAS_MAP_FILE,
	/** IOMMU_VIOMMU_ALLOC. */
	LIBIOMMU_FEATURE_VIOMMU_ALLOC,
	/** IOMMU_VDEVICE_ALLOC. */
	LIBIOMMU_FEATURE_VDEVICE_ALLOC,
	/** IOMMU_IOAS_CHANGE_PROCESS. */
	LIBIOMMU_FEATURE_IOAS_CHANGE_PROCESS,
	/** IOMMU_VEVENTQ_ALLOC. */
	LIBIOMMU_FEATURE_VEVENTQ_ALLOC,
	/** IOMMU_HW_QUEUE_ALLOC. */
	LIBIOMMU_FEATURE_HW_QUEUE_ALLOC,
	/** IOMMU_IOAS_NOIOMMU_GET_PA. */
	LIBIOMMU_FEATURE_IOAS_NOIOMMU_GET_PA
};

/** @brief How a context reaches the IOMMU. */
enum libiommu_backend {
	/** iommufd, or whichever of VFIO's containers there is without it: the default. */
	LIBIOMMU_BACKEND_AUTO = 0,
	/** iommufd: `/dev/iommu`. */
	LIBIOMMU_BACKEND_IOMMUFD = 1,
	/** VFIO's containers and groups with an IOMMU of type 1, or without an IOMMU:
	   `/dev/vfio/vfio`. */
	LIBIOMMU_BACKEND_TYPE1 = 2,
	/**
	 * VFIO's containers and groups with the IOMMU of PowerPC (SPAPR TCE v2):
	 * `/dev/vfio/vfio`.
	 *
	 * Addresses are those of one window below 4 GiB. If an address that the library is to
	 * choose is not to be had there, it makes a second window, of the size of the machine's
	 * memory, which is then one of libiommu_ioas_ranges(), and goes when nothing is attached
	 * any more. What functions say of type 1 holds here too.
	 */
	LIBIOMMU_BACKEND_SPAPR = 3
};

/** @brief Whose account locked memory is charged to. */
enum libiommu_rlimit_mode {
	/** The user's, over all of the user's processes: the kernel's default. */
	LIBIOMMU_RLIMIT_PER_USER = 0,
	/** This process's, as legacy VFIO does. */
	LIBIOMMU_RLIMIT_PER_PROCESS = 1
};

/**
 * @brief Make a set of choices for a new context; each has a default.
 *
 * @param[out] config  The choices; freed with libiommu_ctx_config_free().
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_config_new(struct libiommu_ctx_config **config);

/**
 * @brief Free a set of choices. Contexts made from it are not affected; a descriptor in it is not
 * closed.
 *
 * @param config  The choices; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_ctx_config_free(struct libiommu_ctx_config *config);

/**
 * @brief Choose how the context reaches the IOMMU.
 *
 * @param config   The choices.
 * @param backend  The way. With a path or a descriptor LIBIOMMU_BACKEND_AUTO is iommufd.
 * @return 0.
 * @retval -EINVAL  @p config is NULL or @p backend is unknown.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_config_set_backend(struct libiommu_ctx_config *config,
                                                 enum libiommu_backend backend);

/**
 * @brief Open another device node than `/dev/iommu`, or with LIBIOMMU_BACKEND_TYPE1 and
 * LIBIOMMU_BACKEND_SPAPR than `/dev/vfio/vfio`. Undoes an earlier libiommu_ctx_config_set_fd().
 *
 * @param config  The choices.
 * @param path    The path, copied; NULL is the default.
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @retval -ENOMEM  No memory for the copy; nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_config_set_path(struct libiommu_ctx_config *config, const char *path);

/**
 * @brief Use a descriptor of `/dev/iommu` that is open already, from another process for example.
 *
 * @param config  The choices.
 * @param fd      The descriptor; -1 returns to opening a path.
 * @param mode    Who closes it. LIBIOMMU_FD_OWN gives it to the context that is made from the
 *                choices: make one only.
 * @return 0.
 * @retval -EINVAL  @p config is NULL, @p fd is below -1 or @p mode is none of the three.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_config_set_fd(struct libiommu_ctx_config *config, int fd,
                                            enum libiommu_fd_mode mode);

/**
 * @brief Reach the kernel through another door.
 *
 * @param config  The choices.
 * @param sys     The door, copied: it may be freed or changed at once. NULL is libc.
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @retval -ENOMEM  No memory for the copy; nothing has changed.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_config_set_sys(struct libiommu_ctx_config *config,
                                             const struct libiommu_sys *sys);

/**
 * @brief Be told of failures. Without this the library says nothing on its own.
 *
 * @param config  The choices.
 * @param log     The function, NULL for silence.
 * @param user    Its first argument; the library never follows it.
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_config_set_log(struct libiommu_ctx_config *config,
                                             libiommu_log_fn log, void *user);

/**
 * @brief Remember where something is mapped that keeps the context from going to another process,
 * for libiommu_change_list_new() to list.
 *
 * It costs a lock of the context, which maps and unmaps hold while the kernel works, so that they
 * wait for each other, and about 100 bytes for each mapping that does not come from a file of
 * memory. Those that do cost nothing but the lock of their unmaps.
 *
 * @param config    The choices.
 * @param remember  Whether; a context does not by default.
 * @return 0.
 * @retval -EINVAL  @p config is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_config_set_remember(struct libiommu_ctx_config *config,
                                                  bool remember);

/**
 * @brief Open a context.
 *
 * @param config    Choices, or NULL for the defaults: `/dev/iommu`, libc, silence.
 * @param[out] ctx  The context; destroyed with libiommu_ctx_destroy().
 * @return 0.
 * @retval -EINVAL  @p ctx is NULL.
 * @retval -ENOMEM  No memory.
 * @retval -ENOENT  There is no such node: the kernel was built without iommufd, or its module is
 *                  not loaded. With LIBIOMMU_BACKEND_AUTO there is no legacy container either, or
 *                  none that can be used: the explanation says what was tried.
 * @retval -ENODEV  Nothing is behind the node; or, with LIBIOMMU_BACKEND_TYPE1 or
 *                  LIBIOMMU_BACKEND_SPAPR, the module of that IOMMU is not loaded.
 * @retval -EACCES  No permission on the node.
 * @retval -EOPNOTSUPP  LIBIOMMU_BACKEND_TYPE1 or LIBIOMMU_BACKEND_SPAPR with a descriptor: each
 *                      address space opens a container of its own.
 * @retval -errno   Whatever else open() or the duplication says.
 * @threads Free.
 * @syscalls openat (path) or fcntl (LIBIOMMU_FD_DUP); on type 1 openat, ioctl
 *   (VFIO_GET_API_VERSION, VFIO_CHECK_EXTENSION), close.
 * @kernel 6.2; on type 1 any
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_new(const struct libiommu_ctx_config *config,
                                  struct libiommu_ctx **ctx);

/**
 * @brief Close a context from which nothing is left.
 *
 * @param ctx  The context; NULL is 0.
 * @return 0.
 * @retval -EBUSY  Something made from it still exists; nothing has changed. The explanation counts
 *                 what, and so does libiommu_ctx_live().
 * @threads Owner.
 * @syscalls close, unless the descriptor is borrowed.
 * @kernel 6.2
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_destroy(struct libiommu_ctx *ctx);

/**
 * @brief How a context reaches the IOMMU.
 *
 * @param ctx  The context.
 * @return LIBIOMMU_BACKEND_IOMMUFD, LIBIOMMU_BACKEND_TYPE1 or LIBIOMMU_BACKEND_SPAPR.
 * @retval -EINVAL  @p ctx is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_backend(const struct libiommu_ctx *ctx);

/**
 * @brief The context's descriptor.
 *
 * @param ctx  The context.
 * @return The descriptor, which stays the context's: do not close it. On type 1 that of a container
 *   with nothing in it.
 * @retval -EINVAL  @p ctx is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_fd(const struct libiommu_ctx *ctx);

/**
 * @brief How many objects of a kind exist in the library for this context.
 *
 * @param ctx         The context.
 * @param kind        The kind.
 * @param[out] count  How many handles are not destroyed yet.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL or @p kind is unknown.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_live(const struct libiommu_ctx *ctx, enum libiommu_object_kind kind,
                                   uint64_t *count);

/**
 * @brief Bytes that this context has mapped through its IOAS handles and not unmapped.
 *
 * What is mapped twice counts twice, as the kernel charges it; so does what is copied, which the
 * kernel charges once.
 *
 * @param ctx         The context.
 * @param[out] bytes  The sum.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_mapped(const struct libiommu_ctx *ctx, uint64_t *bytes);

/**
 * @brief Choose whose account locked memory is charged to.
 *
 * On type 1 it is always the process's.
 *
 * @param ctx   The context.
 * @param mode  The account.
 * @return 0.
 * @retval -EINVAL  @p ctx is NULL or @p mode is unknown.
 * @retval -EPERM   CAP_SYS_RESOURCE is missing.
 * @retval -EBUSY   The context already has an object: choose before the first.
 * @retval -EOPNOTSUPP  On type 1: LIBIOMMU_RLIMIT_PER_USER.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_OPTION).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_OPTION_RLIMIT_MODE.
 */
LIBIOMMU_API int libiommu_ctx_set_rlimit_mode(struct libiommu_ctx *ctx,
                                              enum libiommu_rlimit_mode mode);

/**
 * @brief Whose account locked memory is charged to.
 *
 * @param ctx        The context.
 * @param[out] mode  The account.
 * @return 0.
 * @retval -EINVAL  A pointer is NULL.
 * @retval -errno   Whatever the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_OPTION).
 * @kernel 6.2
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_OPTION_RLIMIT_MODE.
 */
LIBIOMMU_API int libiommu_ctx_get_rlimit_mode(struct libiommu_ctx *ctx,
                                              enum libiommu_rlimit_mode *mode);

/**
 * @brief Take the context over into this process: what is pinned is charged to it from now on, no
 * longer to the one that mapped it.
 *
 * For a program that replaces itself while devices go on working: the new one gets the context's
 * descriptor, and those of the devices and files, from the old one, and calls this. Every mapping
 * of the context must come from files of memory; libiommu_change_list_new() tells beforehand.
 *
 * @param ctx  The context.
 * @return 0.
 * @retval -EINVAL  @p ctx is NULL, or something is mapped by address or from a dma-buf. Nothing has
 *                  changed.
 * @retval -EBUSY   Something is being mapped or unmapped at this moment. Nothing has changed.
 * @retval -ENOMEM  What is pinned exceeds this process's locked-memory limit, or the kernel has no
 *                  memory. Nothing has changed.
 * @retval -ENOTTY  The kernel is older than 6.14.
 * @retval -EOPNOTSUPP  The context is on type 1.
 * @retval -errno   Whatever else the kernel says.
 * @threads Shared.
 * @syscalls ioctl (IOMMU_IOAS_CHANGE_PROCESS, a second time where the kernel says EINVAL: it may
 *   have done it all the same).
 * @kernel 6.14
 * @since 0.1
 * @follows iommufd uAPI, IOMMU_IOAS_CHANGE_PROCESS.
 */
LIBIOMMU_API int libiommu_ctx_change_process(struct libiommu_ctx *ctx);

/**
 * @brief Whether the running kernel has an ioctl, without any side effect.
 *
 * The ioctl is issued with a size too small for any version of it, which a kernel that has it
 * refuses before it does anything.
 *
 * @param ctx      The context.
 * @param feature  The ioctl.
 * @return 1 if the kernel has it, 0 if not; always 0 on type 1.
 * @retval -EINVAL  @p ctx is NULL or @p feature is unknown.
 * @retval -EBADFD  The command succeeded: the descriptor is not `/dev/iommu`.
 * @retval -errno   The kernel's answer, where it is neither of the two expected.
 * @threads Shared.
 * @syscalls ioctl (the one asked for).
 * @kernel 6.2
 * @since 0.1
 */
LIBIOMMU_API int libiommu_ctx_probe(struct libiommu_ctx *ctx, enum libiommu_feature feature);

/**
 * @brief The kernel's name of an ioctl.
 *
 * @param feature  The ioctl.
 * @return "IOMMU_IOAS_MAP", for example, a constant that is never freed; NULL when @p feature is
 *   unknown, so that a loop from 0 finds them all.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const char *libiommu_feature_name(enum libiommu_feature feature);

/**
 * @brief The first kernel with an ioctl.
 *
 * @param feature  The ioctl.
 * @return "6.13", for example, a constant that is never freed; NULL when @p feature is unknown.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const char *libiommu_feature_kernel(enum libiommu_feature feature);

LIBIOMMU_END_DECLS

/** @} */
#endif
