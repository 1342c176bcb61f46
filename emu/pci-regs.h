/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Configuration space of a PCI function, after the PCI and PCI Express base specifications. */
#ifndef EMU_PCI_REGS_H
#define EMU_PCI_REGS_H

enum {
	EMU_PCI_HEADER_SIZE = 0x40,
	EMU_PCI_CONVENTIONAL_SIZE = 0x100,
	EMU_PCI_EXPRESS_SIZE = 0x1000
};

enum {
	EMU_PCI_VENDOR = 0x00,
	EMU_PCI_DEVICE = 0x02,
	EMU_PCI_COMMAND = 0x04,
	EMU_PCI_STATUS = 0x06,
	EMU_PCI_REVISION = 0x08,
	EMU_PCI_CLASS = 0x09, /* 3 bytes */
	EMU_PCI_CACHE_LINE = 0x0c,
	EMU_PCI_LATENCY = 0x0d,
	EMU_PCI_BIST = 0x0f,
	EMU_PCI_BAR = 0x10,
	EMU_PCI_BAR_END = 0x28,
	EMU_PCI_SUBSYSTEM_VENDOR = 0x2c,
	EMU_PCI_SUBSYSTEM = 0x2e,
	EMU_PCI_ROM = 0x30,
	EMU_PCI_CAPABILITIES = 0x34,
	EMU_PCI_LINE = 0x3c,
	EMU_PCI_PIN = 0x3d
};

#define EMU_PCI_COMMAND_IO       (1U << 0)
#define EMU_PCI_COMMAND_MEMORY   (1U << 1)
#define EMU_PCI_COMMAND_MASTER   (1U << 2)
#define EMU_PCI_COMMAND_NO_INTX  (1U << 10)
#define EMU_PCI_COMMAND_WRITABLE 0x0547U

#define EMU_PCI_STATUS_INTX         (1U << 3)
#define EMU_PCI_STATUS_CAPABILITIES (1U << 4)

#define EMU_PCI_BAR_IO       (1U << 0)
#define EMU_PCI_BAR_64       (1U << 2)
#define EMU_PCI_BAR_PREFETCH (1U << 3)
#define EMU_PCI_ROM_ENABLE   (1U << 0)

/* Capabilities, and the registers in them. */
enum {
	EMU_CAP_PM = 0x01,
	EMU_CAP_VPD = 0x03,
	EMU_CAP_MSI = 0x05,
	EMU_CAP_HT = 0x08,
	EMU_CAP_VENDOR = 0x09,
	EMU_CAP_EXPRESS = 0x10,
	EMU_CAP_MSIX = 0x11,
	EMU_CAP_SATA = 0x12,
	EMU_CAP_AF = 0x13,
	EMU_CAP_LAST = 0x15
};

enum { EMU_PM_CAPABILITIES = 2, EMU_PM_CONTROL = 4, EMU_PM_SIZE = 8 };

#define EMU_PM_PME_SUPPORT   0xf800U
#define EMU_PM_STATE         0x0003U
#define EMU_PM_NO_SOFT_RESET 0x0008U
#define EMU_PM_PME_ENABLE    0x0100U
#define EMU_PM_PME_STATUS    0x8000U

enum { EMU_MSI_CONTROL = 2, EMU_MSI_ADDRESS = 4, EMU_MSI_ADDRESS_HIGH = 8, EMU_MSI_SIZE_64 = 14 };

#define EMU_MSI_ENABLE  0x0001U
#define EMU_MSI_CAPABLE 0x000eU /* log2 of the vectors that there are */
#define EMU_MSI_ENABLED 0x0070U /* of those that are used */
#define EMU_MSI_64      0x0080U
#define EMU_MSI_MASKS   0x0100U

enum { EMU_MSIX_CONTROL = 2, EMU_MSIX_TABLE = 4, EMU_MSIX_PENDING = 8, EMU_MSIX_SIZE = 12 };

#define EMU_MSIX_COUNT  0x07ffU
#define EMU_MSIX_ENABLE 0x8000U
#define EMU_MSIX_BAR    0x0007U

enum {
	EMU_EXP_FLAGS = 0x02,
	EMU_EXP_DEVICE_CAPABILITIES = 0x04,
	EMU_EXP_DEVICE_CONTROL = 0x08,
	EMU_EXP_DEVICE_CAPABILITIES_2 = 0x24,
	EMU_EXP_DEVICE_CONTROL_2 = 0x28,
	EMU_EXP_SIZE = 0x3c /* version 2, of an endpoint */
};

#define EMU_EXP_FLR          (1U << 28) /* in the capabilities */
#define EMU_EXP_START_FLR    0x8000U    /* in the control */
#define EMU_EXP_PAYLOAD      0x00e0U
#define EMU_EXP_READ_REQUEST 0x7000U
#define EMU_EXP_PHANTOM      0x0200U
#define EMU_EXP_ARI          0x0020U
#define EMU_EXP_ATOMIC_32    (1U << 7) /* completes them, in the second capabilities */
#define EMU_EXP_ATOMIC_64    (1U << 8)
#define EMU_EXP_ATOMIC_128   (1U << 9)

/* Extended capabilities. */
enum {
	EMU_EXT_ERRORS = 0x01,
	EMU_EXT_SERIAL = 0x03,
	EMU_EXT_POWER = 0x04,
	EMU_EXT_VENDOR = 0x0b,
	EMU_EXT_ATS = 0x0f,
	EMU_EXT_PRI = 0x13,
	EMU_EXT_PASID = 0x1b,
	EMU_EXT_DVSEC = 0x23,
	EMU_EXT_LAST = 0x32
};

#endif
