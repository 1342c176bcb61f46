/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A function that nobody has said more of: it can be reset, and does nothing by itself. */
#include <errno.h>

#include "heap.h"
#include "pci.h"

#define VENDOR       0x1234
#define DEVICE       0x0e40
#define UNCLASSIFIED 0xff0000

static const struct emu_pci_ops plain_ops = {0};

struct emu_pci *emu_pci_plain_new(void)
{
	static const struct emu_pci_ids ids = {
		.vendor = VENDOR, .device = DEVICE, .class_code = UNCLASSIFIED};
	struct emu_pci *const pci = emu_alloc(sizeof(*pci));

	if (!pci)
		return NULL;
	emu_pci_init(pci, &plain_ops, NULL, &ids);
	pci->own = true;
	emu_pci_add_pm(pci);
	return pci;
}

int emu_pci_plain(struct emu_dev *dev)
{
	struct emu_pci *const pci = emu_pci_plain_new();

	if (!pci)
		return -ENOMEM;
	emu_pci_add_express(pci, true);
	emu_pci_plug(pci, dev);
	return 0;
}
