/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Functions as users describe them: what struct libiommu_emu_pci points to is a struct emu_pci. */
#include <errno.h>

#include "heap.h"
#include "pci.h"

#define FLAGS (LIBIOMMU_EMU_PCI_CONVENTIONAL | LIBIOMMU_EMU_PCI_NO_RESET | LIBIOMMU_EMU_PCI_PIN)

#define MSI_MOST       32U
#define MSIX_MOST      2048U
#define MSIX_ENTRY     16U
#define NEXT_SIZE      2U /* the id and where the next capability is */
#define EXTENDED_SIZE  4U
#define EXTENDED_LATER 15U

static struct emu_pci *of(struct libiommu_emu_pci *pci)
{
	return (struct emu_pci *)pci;
}

LIBIOMMU_API int libiommu_emu_pci_new(uint32_t flags, struct libiommu_emu_pci **pci)
{
	struct emu_pci *made;

	if (!pci || flags & ~FLAGS)
		return -EINVAL;
	made = emu_pci_plain_new();
	if (!made)
		return -ENOMEM;
	if (!(flags & LIBIOMMU_EMU_PCI_CONVENTIONAL))
		emu_pci_add_express(made, !(flags & LIBIOMMU_EMU_PCI_NO_RESET));
	if (flags & LIBIOMMU_EMU_PCI_PIN)
		emu_pci_add_pin(made);
	*pci = (struct libiommu_emu_pci *)made;
	return 0;
}

LIBIOMMU_API void libiommu_emu_pci_free(struct libiommu_emu_pci *pci)
{
	if (!pci)
		return;
	of(pci)->ops.end = NULL;
	emu_pci_free(of(pci));
}

LIBIOMMU_API int libiommu_emu_pci_set_ids(struct libiommu_emu_pci *pci, uint16_t vendor,
                                          uint16_t device, uint32_t class_code, uint8_t revision)
{
	if (!pci || class_code >> 24)
		return -EINVAL;
	emu_pci_set(of(pci), EMU_PCI_VENDOR, 2, vendor);
	emu_pci_set(of(pci), EMU_PCI_DEVICE, 2, device);
	emu_pci_set(of(pci), EMU_PCI_CLASS, 3, class_code);
	emu_pci_set(of(pci), EMU_PCI_REVISION, 1, revision);
	return 0;
}

LIBIOMMU_API int libiommu_emu_pci_set_subsystem(struct libiommu_emu_pci *pci, uint16_t vendor,
                                                uint16_t device)
{
	if (!pci)
		return -EINVAL;
	emu_pci_set(of(pci), EMU_PCI_SUBSYSTEM_VENDOR, 2, vendor);
	emu_pci_set(of(pci), EMU_PCI_SUBSYSTEM, 2, device);
	return 0;
}

LIBIOMMU_API int libiommu_emu_pci_add_bar(struct libiommu_emu_pci *pci, uint32_t bar, uint64_t size,
                                          uint32_t flags)
{
	const uint32_t all = EMU_BAR_64 | EMU_BAR_PREFETCH | EMU_BAR_MEMORY;

	if (!pci || bar >= EMU_PCI_BARS || (flags != EMU_BAR_IO && flags & ~all))
		return -EINVAL;
	return emu_pci_add_bar(of(pci), bar, size, flags);
}

static int answer(unsigned int found, uint32_t *at)
{
	if (!found)
		return -ENOSPC;
	if (at)
		*at = found;
	return 0;
}

LIBIOMMU_API int libiommu_emu_pci_add_msi(struct libiommu_emu_pci *pci, uint32_t count,
                                          uint32_t *at)
{
	if (!pci || of(pci)->msi || !count || count > MSI_MOST || count & (count - 1))
		return -EINVAL;
	return answer(emu_pci_add_msi(of(pci), count), at);
}

static bool lies_in(const struct emu_bar *bar, uint32_t offset, uint64_t length)
{
	return !(offset & EMU_MSIX_BAR) && offset < bar->size && length <= bar->size - offset;
}

LIBIOMMU_API int libiommu_emu_pci_add_msix(struct libiommu_emu_pci *pci, uint32_t count,
                                           uint32_t bar, uint32_t table, uint32_t pending,
                                           uint32_t *at)
{
	const struct emu_bar *where;

	if (!pci || of(pci)->msix || !count || count > MSIX_MOST || bar >= EMU_PCI_BARS)
		return -EINVAL;
	where = &of(pci)->bars[bar];
	if (where->flags & EMU_BAR_IO || !lies_in(where, table, (uint64_t)MSIX_ENTRY * count) ||
	    !lies_in(where, pending, (count + 63) / 64 * UINT64_C(8)))
		return -EINVAL;
	return answer(emu_pci_add_msix(of(pci), count, bar, table, pending), at);
}

static void fill(struct emu_pci *pci, unsigned int at, const uint8_t *contents,
                 const uint8_t *writable, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++) {
		emu_pci_set(pci, at + i, 1, contents[i]);
		emu_pci_allow(pci, at + i, 1, writable ? writable[i] : 0);
	}
}

LIBIOMMU_API int libiommu_emu_pci_add_capability(struct libiommu_emu_pci *pci, uint8_t id,
                                                 const void *contents, const void *writable,
                                                 uint32_t size, uint32_t *at)
{
	unsigned int found;

	if (!pci || (!contents && size) || id == EMU_CAP_PM || id == EMU_CAP_MSI ||
	    id == EMU_CAP_EXPRESS || id == EMU_CAP_MSIX)
		return -EINVAL;
	if (size > EMU_PCI_CONVENTIONAL_SIZE)
		return -ENOSPC;
	found = emu_pci_add_capability(of(pci), id, NEXT_SIZE + size);
	if (found)
		fill(of(pci), found + NEXT_SIZE, contents, writable, size);
	return answer(found, at);
}

LIBIOMMU_API int libiommu_emu_pci_add_extended(struct libiommu_emu_pci *pci, uint16_t id,
                                               uint32_t version, const void *contents,
                                               const void *writable, uint32_t size, uint32_t *at)
{
	unsigned int found;

	if (!pci || !of(pci)->express || (!contents && size) || version > EXTENDED_LATER ||
	    id == EMU_EXT_ATS || id == EMU_EXT_PRI || id == EMU_EXT_PASID)
		return -EINVAL;
	if (size > EMU_PCI_EXPRESS_SIZE)
		return -ENOSPC;
	found = emu_pci_add_extended(of(pci), id, version, EXTENDED_SIZE + size);
	if (found)
		fill(of(pci), found + EXTENDED_SIZE, contents, writable, size);
	return answer(found, at);
}

LIBIOMMU_API int libiommu_emu_pci_set_user(struct libiommu_emu_pci *pci, void *user)
{
	if (!pci)
		return -EINVAL;
	of(pci)->user = user;
	return 0;
}

LIBIOMMU_API int libiommu_emu_pci_set_read(struct libiommu_emu_pci *pci,
                                           libiommu_emu_pci_read_fn read)
{
	if (!pci)
		return -EINVAL;
	of(pci)->ops.read = read;
	return 0;
}

LIBIOMMU_API int libiommu_emu_pci_set_write(struct libiommu_emu_pci *pci,
                                            libiommu_emu_pci_write_fn write)
{
	if (!pci)
		return -EINVAL;
	of(pci)->ops.write = write;
	return 0;
}

LIBIOMMU_API int libiommu_emu_pci_set_configured(struct libiommu_emu_pci *pci,
                                                 libiommu_emu_pci_configured_fn configured)
{
	if (!pci)
		return -EINVAL;
	of(pci)->ops.configured = configured;
	return 0;
}

LIBIOMMU_API int libiommu_emu_pci_set_reset(struct libiommu_emu_pci *pci,
                                            libiommu_emu_pci_reset_fn reset)
{
	if (!pci)
		return -EINVAL;
	of(pci)->ops.reset = reset;
	return 0;
}

LIBIOMMU_API int libiommu_emu_pci_set_end(struct libiommu_emu_pci *pci, libiommu_emu_pci_end_fn end)
{
	if (!pci)
		return -EINVAL;
	of(pci)->ops.end = end;
	return 0;
}

LIBIOMMU_API int libiommu_emu_pci_add(struct libiommu_emu *emu,
                                      const struct libiommu_emu_device_config *config,
                                      struct libiommu_emu_pci *pci,
                                      struct libiommu_emu_device **device)
{
	return emu && pci && device ? emu_pci_add(emu, config, of(pci), device) : -EINVAL;
}
