/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What VFIO lets through of each capability; those it does not know it hides. */
#include <string.h>

#include "vfio-config.h"

/* Who has a byte: a capability, or these. */
#define NOBODY 0xff

#define VPD_SIZE       8U
#define AF_SIZE        6U
#define AF_CONTROL     4U
#define AF_START_FLR   1U
#define AGP_SIZE       12U
#define AGP            0x02U
#define PCIX           0x07U
#define PCIX_SIZE_0    8U
#define PCIX_SIZE_2    24U
#define HT_LONG        28U
#define HT_SHORT       4U
#define HT_THREE_BITS  0xe0U
#define SATA_SHORT     8U
#define SATA_LONG      16U
#define SATA_REGISTERS 4U
#define SATA_INLINE    0xfU

#define ERRORS_SIZE        0x2cU
#define ERRORS_UNCORRECTED 0x03fff031U
#define ERRORS_CORRECTED   0x0000f1c1U
#define ERRORS_ECRC        0x00000140U

static void set(uint8_t *bytes, unsigned int size, uint32_t bits)
{
	for (unsigned int i = 0; i < size; i++, bits >>= 8)
		bytes[i] = (uint8_t)bits;
}

/* @own and @writable are bits of @size bytes. */
static void permit(struct emu_vfio_config *config, unsigned int at, unsigned int size, uint32_t own,
                   uint32_t writable)
{
	set(config->is_own + at, size, own);
	set(config->writable + at, size, writable);
}

static void permit_header(struct emu_vfio_config *config)
{
	permit(config, EMU_PCI_VENDOR, 4, UINT32_MAX, 0);
	permit(config, EMU_PCI_COMMAND, 2, EMU_PCI_COMMAND_NO_INTX, 0xffff);
	permit(config, EMU_PCI_STATUS, 2, EMU_PCI_STATUS_CAPABILITIES, 0);
	permit(config, EMU_PCI_CACHE_LINE, 1, 0, 0xff);
	permit(config, EMU_PCI_LATENCY, 1, 0, 0xff);
	permit(config, EMU_PCI_BIST, 1, 0, 0xff);
	for (unsigned int at = EMU_PCI_BAR; at < EMU_PCI_BAR_END; at += 4)
		permit(config, at, 4, UINT32_MAX, UINT32_MAX);
	permit(config, EMU_PCI_ROM, 4, UINT32_MAX, UINT32_MAX);
	permit(config, EMU_PCI_CAPABILITIES, 1, 0xff, 0);
	permit(config, EMU_PCI_LINE, 1, 0xff, 0xff);
	permit(config, EMU_PCI_PIN, 1, 0xff, 0);
}

static void permit_msi(struct emu_vfio_config *config, unsigned int at, uint32_t control)
{
	const unsigned int data = control & EMU_MSI_64 ? 12 : 8;

	permit(config, at + EMU_MSI_CONTROL, 1, 0xff, 0xff);
	permit(config, at + EMU_MSI_ADDRESS, 4, UINT32_MAX, UINT32_MAX);
	if (control & EMU_MSI_64)
		permit(config, at + EMU_MSI_ADDRESS_HIGH, 4, UINT32_MAX, UINT32_MAX);
	permit(config, at + data, 2, 0xffff, 0xffff);
	if (!(control & EMU_MSI_MASKS))
		return;
	permit(config, at + data + 4, 4, 0, UINT32_MAX);
	permit(config, at + data + 8, 4, 0, UINT32_MAX);
}

static void permit_pm(struct emu_vfio_config *config, unsigned int at)
{
	const uint32_t events = EMU_PM_PME_ENABLE | EMU_PM_PME_STATUS;

	permit(config, at + EMU_PM_CAPABILITIES, 2, EMU_PM_PME_SUPPORT, 0);
	permit(config, at + EMU_PM_CONTROL, 4, events, ~(events | EMU_PM_STATE));
	config->own[at + EMU_PM_CAPABILITIES + 1] &= (uint8_t) ~(EMU_PM_PME_SUPPORT >> 8);
	config->own[at + EMU_PM_CONTROL + 1] &= (uint8_t) ~(events >> 8);
}

/* The length is known: no room of another capability is touched. */
static void permit_capability(struct emu_vfio_config *config, const struct emu_pci *pci,
                              unsigned int at, unsigned int id, unsigned int length)
{
	if (length < 2)
		return;
	permit(config, at + 1, 1, 0xff, 0);
	if (id == EMU_CAP_MSI) {
		permit_msi(config, at, emu_pci_get(pci, at + EMU_MSI_CONTROL, 2));
	} else if (id == EMU_CAP_PM) {
		permit_pm(config, at);
	} else if (id == EMU_CAP_VPD) {
		permit(config, at + 2, 2, 0xffff, 0xffff);
		permit(config, at + 4, 4, UINT32_MAX, UINT32_MAX);
	} else if (id == EMU_CAP_EXPRESS && length >= EMU_EXP_DEVICE_CONTROL + 2) {
		permit(config, at + EMU_EXP_DEVICE_CONTROL, 2,
		       EMU_EXP_START_FLR | EMU_EXP_PAYLOAD | EMU_EXP_READ_REQUEST,
		       ~EMU_EXP_PHANTOM);
		if (length >= EMU_EXP_DEVICE_CONTROL_2 + 2)
			permit(config, at + EMU_EXP_DEVICE_CONTROL_2, 2, 0, ~EMU_EXP_ARI);
	} else if (id == EMU_CAP_AF) {
		permit(config, at + AF_CONTROL, 1, AF_START_FLR, AF_START_FLR);
	} else if (id == EMU_CAP_VENDOR) {
		memset(config->writable + at, 0xff, length);
	} else if (id == PCIX) {
		permit(config, at + 2, 2, 0, 0xffff);
		if (length == PCIX_SIZE_2)
			permit(config, at + 8, 4, 0, UINT32_MAX);
	}
}

/* How long a capability is; 0: VFIO hides it. */
static unsigned int length_of(const struct emu_pci *pci, unsigned int at, unsigned int id)
{
	const uint32_t flags = emu_pci_get(pci, at + 2, 2);

	switch (id) {
	case EMU_CAP_PM:
		return EMU_PM_SIZE;
	case AGP:
		return AGP_SIZE;
	case EMU_CAP_VPD:
		return VPD_SIZE;
	case EMU_CAP_MSI:
		return 10 + (flags & EMU_MSI_64 ? 4 : 0) + (flags & EMU_MSI_MASKS ? 10 : 0);
	case PCIX:
		return flags & 0x3000 ? PCIX_SIZE_2 : PCIX_SIZE_0;
	case EMU_CAP_HT:
		return flags >> 8 & HT_THREE_BITS ? HT_SHORT : HT_LONG;
	case EMU_CAP_VENDOR:
		return flags & 0xff;
	case EMU_CAP_EXPRESS:
		/* Of one that sits in the root complex there is no link; type in bits 7 to 4. */
		if ((flags & 0xf) == 1)
			return (flags >> 4 & 0xf) == 9 ? 0x0c : 0x14;
		return (flags >> 4 & 0xf) == 9 ? 0x2c : EMU_EXP_SIZE;
	case EMU_CAP_MSIX:
		return EMU_MSIX_SIZE;
	case EMU_CAP_SATA:
		return (emu_pci_get(pci, at + SATA_REGISTERS, 1) & SATA_INLINE) == SATA_INLINE
		               ? SATA_LONG
		               : SATA_SHORT;
	case EMU_CAP_AF:
		return AF_SIZE;
	default:
		return 0;
	}
}

static unsigned int extended_length_of(const struct emu_pci *pci, unsigned int at, unsigned int id)
{
	switch (id) {
	case EMU_EXT_ERRORS:
		return ERRORS_SIZE;
	case EMU_EXT_SERIAL:
		return 12;
	case EMU_EXT_POWER:
		return 16;
	case EMU_EXT_VENDOR:
	case EMU_EXT_DVSEC:
		return emu_pci_get(pci, at + 4, 4) >> 20;
	case EMU_EXT_ATS:
		return 8;
	case EMU_EXT_PRI:
		return 16;
	default:
		return 0; /* PASID too */
	}
}

static void permit_extended(struct emu_vfio_config *config, unsigned int at, unsigned int id,
                            unsigned int length)
{
	if (id == EMU_EXT_VENDOR || id == EMU_EXT_DVSEC)
		memset(config->writable + at, 0xff, length);
	permit(config, at, 4, UINT32_MAX, 0);
	if (id == EMU_EXT_ERRORS) {
		for (unsigned int i = 4; i <= 12; i += 4)
			permit(config, at + i, 4, 0, ERRORS_UNCORRECTED);
		permit(config, at + 16, 4, 0, ERRORS_CORRECTED);
		permit(config, at + 20, 4, 0, ERRORS_CORRECTED);
		permit(config, at + 24, 4, 0, ERRORS_ECRC);
	} else if (id == EMU_EXT_POWER) {
		permit(config, at + 8, 1, 0, 0xff);
	}
}

/* Bytes that exist from @at on, so that a length that a device tells cannot lead past its end. */
static unsigned int clip(unsigned int at, unsigned int length, size_t end)
{
	return length < end - at ? length : (unsigned int)(end - at);
}

static void init_capabilities(struct emu_vfio_config *config, const struct emu_pci *pci)
{
	uint8_t *before = &config->own[EMU_PCI_CAPABILITIES];
	unsigned int at = *before;
	unsigned int found = 0;

	for (int i = 0; i < 48 && at >= EMU_PCI_HEADER_SIZE; i++) {
		const unsigned int id = emu_pci_get(pci, at, 1);
		const unsigned int next = emu_pci_get(pci, at + 1, 1) & ~3U;
		unsigned int length = length_of(pci, at, id);

		if (!length) {
			*before = (uint8_t)next;
			at = next;
			continue;
		}
		length = clip(at, length, EMU_PCI_CONVENTIONAL_SIZE);
		memset(config->owner + at, (int)id, length);
		memset(config->is_own + at, 0, length);
		memset(config->writable + at, 0, length);
		permit_capability(config, pci, at, id, length);
		before = &config->own[at + 1];
		at = next;
		found++;
	}
	if (!found)
		config->own[EMU_PCI_STATUS] &= (uint8_t)~EMU_PCI_STATUS_CAPABILITIES;
}

/* The first of the chain cannot be left out: it keeps its place, under no name. */
static void init_extended(struct emu_vfio_config *config, const struct emu_pci *pci)
{
	unsigned int at = EMU_PCI_CONVENTIONAL_SIZE;
	unsigned int before = 0;
	unsigned int found = 0;

	for (int i = 0; i < 960 && at >= EMU_PCI_CONVENTIONAL_SIZE; i++) {
		const uint32_t header = emu_pci_get(pci, at, 4);
		const unsigned int id = header & 0xffff;
		const unsigned int next = header >> 20 & ~3U;
		unsigned int length = extended_length_of(pci, at, id);
		const bool hidden = !length;

		if (hidden && before) {
			set(config->own + before + 2, 2,
			    next << 4 | (config->own[before + 2] & 0xf));
			at = next;
			continue;
		}
		length = clip(at, hidden ? 4 : length, pci->config_size);
		memset(config->owner + at, (int)id, length);
		memset(config->is_own + at, 0, length);
		memset(config->writable + at, 0, length);
		permit_extended(config, at, hidden ? 0 : id, length);
		if (hidden)
			set(config->own + at, 4, header & 0xffc00000U);
		found += !hidden;
		before = at;
		at = next;
	}
	if (!found)
		set(config->own + EMU_PCI_CONVENTIONAL_SIZE, 4, 0);
}

void emu_vfio_config_init(struct emu_vfio_config *config, const struct emu_pci *pci)
{
	memcpy(config->own, pci->config, sizeof(config->own));
	memset(config->owner, NOBODY, sizeof(config->owner));
	memset(config->owner, 0, EMU_PCI_HEADER_SIZE);
	/* What nobody has can be read and written, as far as the device lets it be. */
	memset(config->is_own, 0, sizeof(config->is_own));
	memset(config->writable, 0xff, sizeof(config->writable));
	memset(config->writable, 0, EMU_PCI_HEADER_SIZE);
	permit_header(config);
	config->resize = true;
	config->msi_enabled = 0;
	if (emu_pci_get(pci, EMU_PCI_STATUS, 2) & EMU_PCI_STATUS_CAPABILITIES)
		init_capabilities(config, pci);
	if (pci->express && emu_pci_get(pci, EMU_PCI_CONVENTIONAL_SIZE, 4))
		init_extended(config, pci);
}
