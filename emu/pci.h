/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * PCI functions as the hardware has them: configuration space, BARs, and what a model of a device
 * does when they are used. What a program is allowed to see of that is in vfio.h.
 */
#ifndef EMU_PCI_H
#define EMU_PCI_H

#include <libiommu-emu/pci.h>

#include "dev.h"
#include "phys.h"
#include "pci-regs.h"

#define EMU_PCI_BARS 6

struct emu_pci;
struct libiommu_emu_device;
struct libiommu_emu_device_config;

/* What the public header says of a model of the user's; any may be NULL. */
struct emu_pci_ops {
	libiommu_emu_pci_read_fn read;
	libiommu_emu_pci_write_fn write;
	libiommu_emu_pci_configured_fn configured;
	libiommu_emu_pci_reset_fn reset;
	libiommu_emu_pci_end_fn end;
};

struct emu_pci_ids {
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem;
	uint32_t class_code;
	uint8_t revision;
};

#define EMU_BAR_IO       LIBIOMMU_EMU_PCI_BAR_IO
#define EMU_BAR_64       LIBIOMMU_EMU_PCI_BAR_64
#define EMU_BAR_PREFETCH LIBIOMMU_EMU_PCI_BAR_PREFETCH
#define EMU_BAR_MEMORY   LIBIOMMU_EMU_PCI_BAR_MEMORY

struct emu_bar {
	uint64_t size;    /* a power of two; 0: there is none */
	uint64_t address; /* where the host has put it */
	unsigned int flags;
	int memory;               /* descriptor of its memory, or -1 */
	struct emu_window window; /* that other devices reach it through, once it is exported */
	struct emu_pci *pci;      /* whose it is; NULL: it is not exported */
	bool in_use;              /* by DMA, which it must not start itself */
};

struct emu_pci {
	struct emu_pci_ops ops;
	void *user; /* for them */
	struct emu_dev *dev;
	size_t config_size;
	uint8_t config[EMU_PCI_EXPRESS_SIZE];
	uint8_t writable[EMU_PCI_EXPRESS_SIZE];
	/* Where these capabilities are; 0: the function has them not. */
	uint8_t pm, msi, msix, express;
	uint16_t last; /* capability of each chain */
	uint16_t last_extended;
	uint16_t room, room_extended;
	struct emu_bar bars[EMU_PCI_BARS];
	int rom; /* descriptor of the ROM's image, or -1 */
	uint64_t rom_size;
	bool intx; /* the pin is asserted */
	bool own;  /* its memory is its own, and no part of its model */
};

void emu_pci_init(struct emu_pci *pci, const struct emu_pci_ops *ops, void *user,
                  const struct emu_pci_ids *ids);
/* The device is of this kind from now on, and of no other. */
void emu_pci_plug(struct emu_pci *pci, struct emu_dev *dev);
/* A new device of this kind, as users describe them; if it fails the function is as before. */
int emu_pci_add(struct libiommu_emu *emu, const struct libiommu_emu_device_config *config,
                struct emu_pci *pci, struct libiommu_emu_device **device);
struct emu_pci *emu_pci_of(const struct emu_dev *dev);
/* With it what its model has. */
void emu_pci_free(struct emu_pci *pci);
/* One that does nothing by itself, without PCI Express; NULL without memory. */
struct emu_pci *emu_pci_plain_new(void);
/* Makes the device one that does nothing by itself: 0 or -ENOMEM. */
int emu_pci_plain(struct emu_dev *dev);

/* 0, -EINVAL where there is one, or its size is none; -errno without memory for one that has it. */
int emu_pci_add_bar(struct emu_pci *pci, unsigned int index, uint64_t size, unsigned int flags);
/* Where it is, or 0 where there is no room. The rest of it is zero and can only be read. */
unsigned int emu_pci_add_capability(struct emu_pci *pci, uint8_t id, unsigned int size);
unsigned int emu_pci_add_extended(struct emu_pci *pci, uint16_t id, unsigned int version,
                                  unsigned int size);

/* These too. @count of vectors is a power of two for MSI; the tables lie in a BAR there is. */
unsigned int emu_pci_add_pm(struct emu_pci *pci);
unsigned int emu_pci_add_msi(struct emu_pci *pci, unsigned int count);
unsigned int emu_pci_add_msix(struct emu_pci *pci, unsigned int count, unsigned int bar,
                              uint32_t table, uint32_t pending);
unsigned int emu_pci_add_express(struct emu_pci *pci, bool flr);
unsigned int emu_pci_add_pasid(struct emu_pci *pci, unsigned int bits);
unsigned int emu_pci_add_page_requests(struct emu_pci *pci);
/* The pin of the old interrupts. */
void emu_pci_add_pin(struct emu_pci *pci);

uint32_t emu_pci_get(const struct emu_pci *pci, unsigned int at, unsigned int size);
void emu_pci_set(struct emu_pci *pci, unsigned int at, unsigned int size, uint32_t value);
/* Bits that software can change. */
void emu_pci_allow(struct emu_pci *pci, unsigned int at, unsigned int size, uint32_t bits);

/* As the host's processor sees it: all ones from a device that is gone. */
uint32_t emu_pci_config_read(const struct emu_pci *pci, unsigned int at, unsigned int size);
void emu_pci_config_write(struct emu_pci *pci, unsigned int at, unsigned int size, uint32_t value);
uint64_t emu_pci_bar_read(struct emu_pci *pci, unsigned int bar, uint64_t offset,
                          unsigned int size);
void emu_pci_bar_write(struct emu_pci *pci, unsigned int bar, uint64_t offset, unsigned int size,
                       uint64_t value);
/* Where it is for other devices' DMA: 0 or -ENOSPC. */
int emu_pci_bar_place(struct emu_pci *pci, unsigned int bar, emu_phys *phys);
void emu_pci_bar_end(struct emu_bar *bar);

/* How many vectors there are of each kind. */
unsigned int emu_pci_msi_count(const struct emu_pci *pci);
unsigned int emu_pci_msix_count(const struct emu_pci *pci);
/* An interrupt; false: it is lost, for software has not enabled it. */
bool emu_pci_raise(struct emu_pci *pci, unsigned int vector);
void emu_pci_set_pin(struct emu_pci *pci, bool asserted);

/* The host resets the function, and writes its registers back. */
void emu_pci_reset(struct emu_pci *pci);

#endif
