/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Capabilities that functions of the machine can have. */
#include "pci.h"

#define PM_VERSION_3         3U
#define MSIX_WRITABLE        0xc000U
#define EXPRESS_VERSION_2    2U
#define EXPRESS_ROLE_ERRORS  (1U << 15)
#define CONTROL_WRITABLE     0x7fffU
#define CONTROL_2_WRITABLE   0x07ffU
#define CONTROL_AT_POWER_ON  0x2810U /* what any device begins with */
#define PASID_ATTRIBUTES     0x6U    /* executable, privileged */
#define ATS_SIZE             8U
#define PRI_SIZE             16U
#define PASID_SIZE           8U
#define ATS_ALIGNED          (1U << 5)
#define PRI_MOST_OUTSTANDING 32U

static unsigned int log2_of(unsigned int value)
{
	unsigned int log2 = 0;

	while (value >> (log2 + 1))
		log2++;
	return log2;
}

unsigned int emu_pci_add_pm(struct emu_pci *pci)
{
	const unsigned int at = emu_pci_add_capability(pci, EMU_CAP_PM, EMU_PM_SIZE);

	if (!at)
		return 0;
	emu_pci_set(pci, at + EMU_PM_CAPABILITIES, 2, PM_VERSION_3);
	emu_pci_set(pci, at + EMU_PM_CONTROL, 2, EMU_PM_NO_SOFT_RESET);
	emu_pci_allow(pci, at + EMU_PM_CONTROL, 2, EMU_PM_STATE | EMU_PM_PME_ENABLE);
	pci->pm = (uint8_t)at;
	return at;
}

unsigned int emu_pci_add_msi(struct emu_pci *pci, unsigned int count)
{
	const unsigned int at = emu_pci_add_capability(pci, EMU_CAP_MSI, EMU_MSI_SIZE_64);

	if (!at)
		return 0;
	emu_pci_set(pci, at + EMU_MSI_CONTROL, 2, EMU_MSI_64 | log2_of(count) << 1);
	emu_pci_allow(pci, at + EMU_MSI_CONTROL, 2, EMU_MSI_ENABLE | EMU_MSI_ENABLED);
	emu_pci_allow(pci, at + EMU_MSI_ADDRESS, 4, UINT32_MAX);
	emu_pci_allow(pci, at + EMU_MSI_ADDRESS_HIGH, 4, UINT32_MAX);
	pci->msi = (uint8_t)at;
	return at;
}

unsigned int emu_pci_add_msix(struct emu_pci *pci, unsigned int count, unsigned int bar,
                              uint32_t table, uint32_t pending)
{
	const unsigned int at = emu_pci_add_capability(pci, EMU_CAP_MSIX, EMU_MSIX_SIZE);

	if (!at)
		return 0;
	emu_pci_set(pci, at + EMU_MSIX_CONTROL, 2, count - 1);
	emu_pci_set(pci, at + EMU_MSIX_TABLE, 4, table | bar);
	emu_pci_set(pci, at + EMU_MSIX_PENDING, 4, pending | bar);
	emu_pci_allow(pci, at + EMU_MSIX_CONTROL, 2, MSIX_WRITABLE);
	pci->msix = (uint8_t)at;
	return at;
}

unsigned int emu_pci_add_express(struct emu_pci *pci, bool flr)
{
	const unsigned int at = emu_pci_add_capability(pci, EMU_CAP_EXPRESS, EMU_EXP_SIZE);

	if (!at)
		return 0;
	emu_pci_set(pci, at + EMU_EXP_FLAGS, 2, EXPRESS_VERSION_2);
	emu_pci_set(pci, at + EMU_EXP_DEVICE_CAPABILITIES, 4,
	            EXPRESS_ROLE_ERRORS | (flr ? EMU_EXP_FLR : 0));
	emu_pci_set(pci, at + EMU_EXP_DEVICE_CONTROL, 2, CONTROL_AT_POWER_ON);
	emu_pci_allow(pci, at + EMU_EXP_DEVICE_CONTROL, 2, CONTROL_WRITABLE);
	emu_pci_allow(pci, at + EMU_EXP_DEVICE_CONTROL_2, 2, CONTROL_2_WRITABLE);
	pci->express = (uint8_t)at;
	pci->config_size = EMU_PCI_EXPRESS_SIZE;
	return at;
}

unsigned int emu_pci_add_pasid(struct emu_pci *pci, unsigned int bits)
{
	const unsigned int at = emu_pci_add_extended(pci, EMU_EXT_PASID, 1, PASID_SIZE);

	if (at)
		emu_pci_set(pci, at + 4, 2, PASID_ATTRIBUTES | bits << 8);
	return at;
}

/* Page requests are of no use without address translation in the device. */
unsigned int emu_pci_add_page_requests(struct emu_pci *pci)
{
	unsigned int at = emu_pci_add_extended(pci, EMU_EXT_ATS, 1, ATS_SIZE);

	if (!at)
		return 0;
	emu_pci_set(pci, at + 4, 2, ATS_ALIGNED);
	at = emu_pci_add_extended(pci, EMU_EXT_PRI, 1, PRI_SIZE);
	if (at)
		emu_pci_set(pci, at + 8, 4, PRI_MOST_OUTSTANDING);
	return at;
}

void emu_pci_add_pin(struct emu_pci *pci)
{
	emu_pci_set(pci, EMU_PCI_PIN, 1, 1);
}

unsigned int emu_pci_msi_count(const struct emu_pci *pci)
{
	if (!pci->msi)
		return 0;
	return 1U << ((emu_pci_get(pci, pci->msi + EMU_MSI_CONTROL, 2) & EMU_MSI_CAPABLE) >> 1);
}

unsigned int emu_pci_msix_count(const struct emu_pci *pci)
{
	if (!pci->msix)
		return 0;
	return (emu_pci_get(pci, pci->msix + EMU_MSIX_CONTROL, 2) & EMU_MSIX_COUNT) + 1;
}
