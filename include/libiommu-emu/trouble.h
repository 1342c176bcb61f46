/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_trouble Trouble
 * @brief System calls and allocations that fail, or take their time, as a test wants it.
 *
 * A trouble says which calls it is for, at which of them it strikes, and what then happens. Calls
 * are counted from the moment when the trouble is given to a machine. Whatever is random comes from
 * a seed and the call's number alone: the same calls in the same order meet the same troubles. One
 * call meets one trouble at most, of those that strike the one that was given first.
 * @{
 */
#ifndef LIBIOMMU_EMU_TROUBLE_H
#define LIBIOMMU_EMU_TROUBLE_H

#include <libiommu/types.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu;
struct libiommu_emu_trouble;

/** @brief open(2): a call for libiommu_emu_trouble_set_calls(). */
#define LIBIOMMU_EMU_OPEN (1U << 0)
/** @brief close(2), which closes all the same: a call for libiommu_emu_trouble_set_calls(). */
#define LIBIOMMU_EMU_CLOSE (1U << 1)
/** @brief ioctl(2): a call for libiommu_emu_trouble_set_calls(). */
#define LIBIOMMU_EMU_IOCTL (1U << 2)
/** @brief read(2): a call for libiommu_emu_trouble_set_calls(). */
#define LIBIOMMU_EMU_READ (1U << 3)
/** @brief write(2): a call for libiommu_emu_trouble_set_calls(). */
#define LIBIOMMU_EMU_WRITE (1U << 4)
/** @brief pread(2): a call for libiommu_emu_trouble_set_calls(). */
#define LIBIOMMU_EMU_PREAD (1U << 5)
/** @brief pwrite(2): a call for libiommu_emu_trouble_set_calls(). */
#define LIBIOMMU_EMU_PWRITE (1U << 6)
/** @brief mmap(2): a call for libiommu_emu_trouble_set_calls(). */
#define LIBIOMMU_EMU_MMAP (1U << 7)

/**
 * @brief Make a trouble: for every call, at each of them, without any effect yet.
 *
 * @param[out] trouble  The trouble; freed with libiommu_emu_trouble_free().
 * @return 0.
 * @retval -EINVAL  @p trouble is NULL.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_trouble_new(struct libiommu_emu_trouble **trouble);

/**
 * @brief Free a trouble. Machines that it was given to keep their own copy.
 *
 * @param trouble  The trouble; NULL does nothing.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_emu_trouble_free(struct libiommu_emu_trouble *trouble);

/**
 * @brief Which calls it is for, and so which are counted.
 *
 * @param trouble  The trouble.
 * @param calls    LIBIOMMU_EMU_OPEN and the like, at least one.
 * @return 0.
 * @retval -EINVAL  @p trouble is NULL, or @p calls has none, or one that is not known.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_trouble_set_calls(struct libiommu_emu_trouble *trouble,
                                                uint32_t calls);

/**
 * @brief It is for one ioctl only, and for no other call.
 *
 * @param trouble  The trouble.
 * @param request  The ioctl's number, as ioctl(2) has it.
 * @return 0.
 * @retval -EINVAL  @p trouble is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_trouble_set_request(struct libiommu_emu_trouble *trouble,
                                                  unsigned long request);

/**
 * @brief At which of its calls it strikes.
 *
 * @param trouble  The trouble.
 * @param first    The first of them, counted from 1.
 * @param count    How many from there on; 0 is all.
 * @return 0.
 * @retval -EINVAL  @p trouble is NULL, or @p first is 0.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_trouble_set_at(struct libiommu_emu_trouble *trouble, uint64_t first,
                                             uint64_t count);

/**
 * @brief Of these, it strikes at some by chance.
 *
 * @param trouble  The trouble.
 * @param seed     Where chance comes from.
 * @param one_in   How many calls there are to each that it strikes, on average; 1 is each.
 * @return 0.
 * @retval -EINVAL  @p trouble is NULL, or @p one_in is 0.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_trouble_set_chance(struct libiommu_emu_trouble *trouble,
                                                 uint64_t seed, uint32_t one_in);

/**
 * @brief The call fails, and the machine does nothing of it.
 *
 * Called several times, one of the errors by chance.
 *
 * @param trouble  The trouble.
 * @param error    An errno value, such as EINTR: 1 to 4095.
 * @return 0.
 * @retval -EINVAL  @p trouble is NULL, or @p error is no errno value.
 * @retval -ENOSPC  It has 8 errors already.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_trouble_add_error(struct libiommu_emu_trouble *trouble, int error);

/**
 * @brief Before the call does anything, or fails, time passes in which others go on.
 *
 * @param trouble  The trouble.
 * @param ns       Nanoseconds; with a chance, that is the most.
 * @return 0.
 * @retval -EINVAL  @p trouble is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_trouble_set_delay(struct libiommu_emu_trouble *trouble, uint64_t ns);

/**
 * @brief An allocation of the emulated kernel fails while it does the call.
 *
 * @param trouble  The trouble.
 * @param nth      Which one of the call, counted from 1; with a chance, that is the last one.
 * @return 0.
 * @retval -EINVAL  @p trouble is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_trouble_set_allocation(struct libiommu_emu_trouble *trouble,
                                                     uint32_t nth);

/**
 * @brief From now on a machine has this trouble.
 *
 * @param emu      The machine.
 * @param trouble  The trouble, which is copied.
 * @return Its number in the machine, from 0.
 * @retval -EINVAL  @p emu or @p trouble is NULL, or the trouble has no effect.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_add_trouble(struct libiommu_emu *emu,
                                          const struct libiommu_emu_trouble *trouble);

/**
 * @brief What has become of a trouble.
 *
 * @param emu          The machine.
 * @param number       What libiommu_emu_add_trouble() said.
 * @param[out] calls   How many of its calls there were; may be NULL.
 * @param[out] struck  At how many of them it has struck; may be NULL.
 * @return 0.
 * @retval -EINVAL  @p emu is NULL.
 * @retval -ENOENT  The machine has no such trouble.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_count_trouble(struct libiommu_emu *emu, int number, uint64_t *calls,
                                            uint64_t *struck);

/**
 * @brief A machine has no trouble any more.
 *
 * @param emu  The machine; NULL does nothing.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_emu_end_trouble(struct libiommu_emu *emu);

/**
 * @brief An allocation of emulated kernels fails, in calls that this thread makes.
 *
 * @param nth  Which one from now on, counted from 1; 0: none.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_emu_fail_allocation(uint32_t nth);

/**
 * @brief No allocation of this thread fails any more.
 *
 * @return Whether one has failed: 1 or 0.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_stop_failing(void);

LIBIOMMU_END_DECLS

/** @} */
#endif
