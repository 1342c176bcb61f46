/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Configuration space as VFIO shows it: some bits are the device's, some are VFIO's own, and some
 * cannot be written.
 */
#ifndef EMU_VFIO_CONFIG_H
#define EMU_VFIO_CONFIG_H

#include "pci.h"

struct emu_vfio;

struct emu_vfio_config {
	uint8_t own[EMU_PCI_EXPRESS_SIZE];      /* values of the bits that are VFIO's */
	uint8_t is_own[EMU_PCI_EXPRESS_SIZE];   /* which those are */
	uint8_t writable[EMU_PCI_EXPRESS_SIZE]; /* by the program */
	uint8_t owner[EMU_PCI_EXPRESS_SIZE];    /* capability that each byte is of */
	unsigned int msi_enabled;               /* log2 of the vectors that it may use */
	bool resize;                            /* of BARs that have been written */
};

/* From what the device has. */
void emu_vfio_config_init(struct emu_vfio_config *config, const struct emu_pci *pci);
/* Of one region access: bytes, or -errno. */
ssize_t emu_vfio_config_read(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t buffer,
                             size_t size, uint64_t offset);
ssize_t emu_vfio_config_write(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t buffer,
                              size_t size, uint64_t offset);
/* Whether the program lets the device decode memory. */
bool emu_vfio_memory_enabled(const struct emu_vfio *vfio);

#endif
