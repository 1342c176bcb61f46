/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_machine The emulated machine
 * @brief A kernel with iommufd, VFIO devices and IOMMUs, in this process.
 *
 * A machine is made empty, given IOMMUs and devices, and its door is handed to contexts
 * (libiommu_ctx_config_set_sys()). What is opened through the door are real descriptors, which can
 * be polled, duplicated and passed on; what they do, the machine does.
 * @{
 */
#ifndef LIBIOMMU_EMU_MACHINE_H
#define LIBIOMMU_EMU_MACHINE_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu;

/**
 * @brief Make a machine with no IOMMU and no device.
 *
 * @param[out] emu  The machine; ended with libiommu_emu_destroy().
 * @return 0.
 * @retval -EINVAL  @p emu is NULL.
 * @retval -ENOMEM  No memory.
 * @retval -EMFILE  The process has no free descriptor.
 * @retval -ENFILE  The system has none.
 * @threads Free.
 * @syscalls epoll_create1.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_new(struct libiommu_emu **emu);

/**
 * @brief End a machine and all that is in it.
 *
 * @param emu  The machine; NULL is 0.
 * @return 0.
 * @retval -EBUSY  Something that was opened through its door is open, or a driver is not freed.
 *                 Nothing has changed.
 * @threads Owner.
 * @syscalls close, epoll_wait.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_destroy(struct libiommu_emu *emu);

/**
 * @brief The machine's door, for libiommu_ctx_config_set_sys().
 *
 * What the machine does not have, descriptors of others among them, is done by libc.
 *
 * @param emu  The machine.
 * @return The door, which is the machine's; NULL where @p emu is NULL.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API const struct libiommu_sys *libiommu_emu_door(const struct libiommu_emu *emu);

/**
 * @brief Let children of this process use the machine too.
 *
 * A child that is forked from now on makes its calls as the parent does, with the descriptors that
 * it has from it; a thread of the parent does them. In a child that is forked before, or without
 * this, the machine is a copy that nothing may be done with. What a child maps of the machine's
 * memory is not counted as being in use.
 *
 * @param emu  The machine.
 * @return 0.
 * @retval -EINVAL    @p emu is NULL.
 * @retval -EALREADY  It does so already.
 * @retval -ENOMEM    No memory.
 * @retval -EAGAIN    No more threads.
 * @retval -EMFILE    The process has no free descriptor.
 * @retval -ENFILE    The system has none.
 * @threads Owner.
 * @syscalls socketpair; the thread also recvmsg, sendmsg and close, a child socketpair, sendmsg,
 * recvmsg and close.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_serve(struct libiommu_emu *emu);

LIBIOMMU_END_DECLS

/** @} */
#endif
