/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @defgroup emu_pci Devices of one's own
 * @brief PCI functions whose registers are a program's functions.
 *
 * A function is described, with BARs, interrupts and capabilities, and then added as a device that
 * programs open, map and drive. What they do with its registers calls the model, which does DMA by
 * libiommu_emu_device_read(), libiommu_emu_device_write() and libiommu_emu_transfer_start(), and
 * raises interrupts. The drive and the DMA engine of this library are such models.
 *
 * @par Calls of a model
 * A model is called in whatever thread uses the device, with the machine locked, and where a
 * program uses registers through a mapping in the handler of the signal that this is. It may call
 * all functions of this library on the machine's devices, and so may threads of the model's own.
 * What waits (libiommu_emu_transfer_wait(), libiommu_emu_request_answer()) does not wait in it, and
 * calls through the machine's door on what is the machine's fail with -EDEADLK. It must not end
 * the machine.
 *
 * A compiler does not see that the use of a mapped register calls a function. A test that looks
 * into its model after that has an atomic_signal_fence() between.
 * @{
 */
#ifndef LIBIOMMU_EMU_PCI_H
#define LIBIOMMU_EMU_PCI_H

#include <libiommu-emu/device.h>

LIBIOMMU_BEGIN_DECLS

struct libiommu_emu_pci;

/** @brief It is not PCI Express: 256 bytes of configuration space, no PASIDs, no page requests. */
#define LIBIOMMU_EMU_PCI_CONVENTIONAL (1U << 0)
/** @brief It cannot be reset alone (by FLR). */
#define LIBIOMMU_EMU_PCI_NO_RESET (1U << 1)
/** @brief It has the pin of the old interrupts, INTx. */
#define LIBIOMMU_EMU_PCI_PIN (1U << 2)

/** @brief A BAR of ports, that cannot be mapped. */
#define LIBIOMMU_EMU_PCI_BAR_IO (1U << 0)
/** @brief It takes the place of the next BAR too. */
#define LIBIOMMU_EMU_PCI_BAR_64 (1U << 1)
/** @brief Reads of it have no effect. */
#define LIBIOMMU_EMU_PCI_BAR_PREFETCH (1U << 2)
/** @brief Memory: what is written is read, and the model is not called. */
#define LIBIOMMU_EMU_PCI_BAR_MEMORY (1U << 3)

/**
 * @brief A register is read.
 *
 * @param user    As it was set.
 * @param bar     Its number.
 * @param offset  In the BAR, a multiple of @p size.
 * @param size    1, 2, 4 or 8 bytes.
 * @return What is read; what it has above @p size is dropped.
 */
typedef uint64_t (*libiommu_emu_pci_read_fn)(void *user, uint32_t bar, uint64_t offset,
                                             uint32_t size);

/**
 * @brief A register is written.
 *
 * @param user    As it was set.
 * @param bar     Its number.
 * @param offset  In the BAR, a multiple of @p size.
 * @param size    1, 2, 4 or 8 bytes.
 * @param value   What is written.
 */
typedef void (*libiommu_emu_pci_write_fn)(void *user, uint32_t bar, uint64_t offset, uint32_t size,
                                          uint64_t value);

/**
 * @brief Software has written to the configuration space, which has what it can have of that.
 *
 * @param user  As it was set.
 * @param at    Where.
 * @param size  Bytes, 1 to 4.
 */
typedef void (*libiommu_emu_pci_configured_fn)(void *user, uint32_t at, uint32_t size);

/**
 * @brief The host resets the function: it stops, and is as when it was switched on.
 *
 * The kernel does this when a program opens the device and when it is closed, and when it is asked.
 *
 * @param user  As it was set.
 */
typedef void (*libiommu_emu_pci_reset_fn)(void *user);

/**
 * @brief The device is no more: it was pulled out and nobody has it open, or the machine ends.
 *
 * No function of the model is called after this, and it must call none of this library.
 *
 * @param user  As it was set.
 */
typedef void (*libiommu_emu_pci_end_fn)(void *user);

/**
 * @brief Describe a function: power management, PCI Express, no BARs, no interrupts, no model.
 *
 * @param flags     LIBIOMMU_EMU_PCI_ flags.
 * @param[out] pci  The description; freed with libiommu_emu_pci_free() unless it was added.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL, or unknown flags.
 * @retval -ENOMEM  No memory.
 * @threads Free.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_new(uint32_t flags, struct libiommu_emu_pci **pci);

/**
 * @brief Free a description that was not added. The model's end is not called.
 *
 * @param pci  The description; NULL does nothing.
 * @threads Owner.
 * @syscalls None; close of memory that it has.
 * @since 0.1
 */
LIBIOMMU_API void libiommu_emu_pci_free(struct libiommu_emu_pci *pci);

/**
 * @brief What drivers know it by. A new description says 1234:0e40, unclassified.
 *
 * @param pci         The description.
 * @param vendor      Its vendor.
 * @param device      Its kind.
 * @param class_code  Its class, 24 bits.
 * @param revision    Its revision.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL, or @p class_code has more bits.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_set_ids(struct libiommu_emu_pci *pci, uint16_t vendor,
                                          uint16_t device, uint32_t class_code, uint8_t revision);

/**
 * @brief Which board it is on. A new description says 0000:0000.
 *
 * @param pci     The description.
 * @param vendor  The board's vendor.
 * @param device  Its kind.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_set_subsystem(struct libiommu_emu_pci *pci, uint16_t vendor,
                                                uint16_t device);

/**
 * @brief Add a BAR.
 *
 * @param pci    The description.
 * @param bar    Its number, 0 to 5.
 * @param size   Bytes: a power of two, at least 16; up to 2 GiB, or 1 TiB with 64 bits.
 * @param flags  LIBIOMMU_EMU_PCI_BAR_ flags; ports have none else.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL, there is no such number or size, unknown flags, or the place is
 *                  taken.
 * @retval -ENOMEM  No memory for one that has it.
 * @threads Owner.
 * @syscalls None; memfd_create, ftruncate for memory.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_add_bar(struct libiommu_emu_pci *pci, uint32_t bar, uint64_t size,
                                          uint32_t flags);

/**
 * @brief Let it have MSI.
 *
 * @param pci      The description.
 * @param count    Vectors: 1, 2, 4, 8, 16 or 32.
 * @param[out] at  Where the capability is; may be NULL.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL, that is no count, or it has MSI.
 * @retval -ENOSPC  The configuration space is full.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_add_msi(struct libiommu_emu_pci *pci, uint32_t count,
                                          uint32_t *at);

/**
 * @brief Let it have MSI-X, whose tables are the kernel's: a model need not know them.
 *
 * @param pci      The description.
 * @param count    Vectors, 1 to 2048.
 * @param bar      A BAR it has, and no ports.
 * @param table    Where in it the vectors are, 16 bytes each; a multiple of 8.
 * @param pending  Where in it their pending bits are, 8 bytes for 64; a multiple of 8.
 * @param[out] at  Where the capability is; may be NULL.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL, that is no count, it has MSI-X, or the tables are not in a BAR.
 * @retval -ENOSPC  The configuration space is full.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_add_msix(struct libiommu_emu_pci *pci, uint32_t count,
                                           uint32_t bar, uint32_t table, uint32_t pending,
                                           uint32_t *at);

/**
 * @brief Let it have a capability, of vendors' or any other.
 *
 * Programs see of it what the kernel lets them see.
 *
 * @param pci       The description.
 * @param id        Which one; not those that are added otherwise.
 * @param contents  What follows its id and the next one's place.
 * @param writable  The bits of that which software can change; NULL for none.
 * @param size      Bytes of both.
 * @param[out] at   Where it is, with its id; may be NULL.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL, @p contents is and @p size is not 0, or it is added otherwise.
 * @retval -ENOSPC  The configuration space is full.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_add_capability(struct libiommu_emu_pci *pci, uint8_t id,
                                                 const void *contents, const void *writable,
                                                 uint32_t size, uint32_t *at);

/**
 * @brief Let it have an extended capability.
 *
 * Those for PASIDs and page requests it has as libiommu_emu_pci_add() is told of them.
 *
 * @param pci       The description.
 * @param id        Which one; not those.
 * @param version   Its version, up to 15.
 * @param contents  What follows its first four bytes.
 * @param writable  The bits of that which software can change; NULL for none.
 * @param size      Bytes of both.
 * @param[out] at   Where it is, with its id; may be NULL.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL or conventional, @p contents is NULL and @p size is not 0, there
 *                  is no such version, or it is added otherwise.
 * @retval -ENOSPC  The configuration space is full.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_add_extended(struct libiommu_emu_pci *pci, uint16_t id,
                                               uint32_t version, const void *contents,
                                               const void *writable, uint32_t size, uint32_t *at);

/**
 * @brief What the model's functions are called with.
 *
 * @param pci   The description.
 * @param user  Any; NULL until it is set.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_set_user(struct libiommu_emu_pci *pci, void *user);

/**
 * @brief What reads registers. Without it they are 0.
 *
 * @param pci   The description.
 * @param read  The function, or NULL.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_set_read(struct libiommu_emu_pci *pci,
                                           libiommu_emu_pci_read_fn read);

/**
 * @brief What writes registers. Without it nothing happens.
 *
 * @param pci    The description.
 * @param write  The function, or NULL.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_set_write(struct libiommu_emu_pci *pci,
                                            libiommu_emu_pci_write_fn write);

/**
 * @brief What hears of writes to the configuration space.
 *
 * @param pci         The description.
 * @param configured  The function, or NULL.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_set_configured(struct libiommu_emu_pci *pci,
                                                 libiommu_emu_pci_configured_fn configured);

/**
 * @brief What resets the model.
 *
 * @param pci    The description.
 * @param reset  The function, or NULL.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_set_reset(struct libiommu_emu_pci *pci,
                                            libiommu_emu_pci_reset_fn reset);

/**
 * @brief What frees the model.
 *
 * @param pci  The description.
 * @param end  The function, or NULL.
 * @return 0.
 * @retval -EINVAL  @p pci is NULL.
 * @threads Owner.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_set_end(struct libiommu_emu_pci *pci,
                                          libiommu_emu_pci_end_fn end);

/**
 * @brief Add the function to a machine as a device.
 *
 * @param emu          The machine.
 * @param config       Where it is, and the IOMMU in front of it; NULL for a device without one in a
 *                     group of its own.
 * @param pci          The description, which is the machine's afterwards; not where this fails.
 * @param[out] device  The device; set before the model is called first.
 * @return 0.
 * @retval -EINVAL  @p emu, @p pci or @p device is NULL, or @p config names another machine's.
 * @retval -EEXIST  The address is taken.
 * @retval -ENOSPC  No address is left.
 * @retval -ENOMEM  No memory.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_add(struct libiommu_emu *emu,
                                      const struct libiommu_emu_device_config *config,
                                      struct libiommu_emu_pci *pci,
                                      struct libiommu_emu_device **device);

/**
 * @brief Raise an interrupt: a message, of MSI or MSI-X.
 *
 * As on a bus it is lost where software has not enabled it, or lets the device be no bus master.
 *
 * @param device  A device of any kind.
 * @param vector  Which one.
 * @return 1, or 0 where it is lost.
 * @retval -EINVAL  @p device is NULL.
 * @retval -ENODEV  The device has gone.
 * @threads Shared.
 * @syscalls poll, write.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_raise(struct libiommu_emu_device *device, uint32_t vector);

/**
 * @brief Assert the pin of the old interrupts, or let it go.
 *
 * @param device    A device of any kind.
 * @param asserted  Whether it has something to say.
 * @return 0.
 * @retval -EINVAL  @p device is NULL.
 * @retval -ENODEV  The device has gone.
 * @threads Shared.
 * @syscalls poll, write.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_set_pin(struct libiommu_emu_device *device, bool asserted);

/**
 * @brief What the hardware has in its configuration space.
 *
 * @param device      A device of any kind.
 * @param at          Where, a multiple of @p size.
 * @param size        1, 2 or 4 bytes.
 * @param[out] value  What is there.
 * @return 0.
 * @retval -EINVAL  @p device or @p value is NULL, or there is no such place.
 * @retval -ENODEV  The device has gone.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_get(struct libiommu_emu_device *device, uint32_t at,
                                      uint32_t size, uint32_t *value);

/**
 * @brief Change what the hardware has in its configuration space, whether software could or not.
 *
 * @param device  A device of any kind.
 * @param at      Where, a multiple of @p size.
 * @param size    1, 2 or 4 bytes.
 * @param value   What is there from now on.
 * @return 0.
 * @retval -EINVAL  @p device is NULL, or there is no such place.
 * @retval -ENODEV  The device has gone.
 * @threads Shared.
 * @syscalls None.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_set(struct libiommu_emu_device *device, uint32_t at,
                                      uint32_t size, uint32_t value);

/**
 * @brief The memory of a BAR that has it, for the model to map.
 *
 * @param device  A device of any kind.
 * @param bar     Its number.
 * @return A descriptor of its own, close-on-exec, of a file as long as the BAR.
 * @retval -EINVAL  @p device is NULL, or the BAR has none.
 * @retval -ENODEV  The device has gone.
 * @retval -EMFILE  The process has no free descriptor.
 * @threads Shared.
 * @syscalls fcntl.
 * @since 0.1
 */
LIBIOMMU_API int libiommu_emu_pci_memory(struct libiommu_emu_device *device, uint32_t bar);

LIBIOMMU_END_DECLS

/** @} */
#endif
