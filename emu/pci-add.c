/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>

#include "dev-config.h"
#include "machine.h"
#include "pci.h"

int emu_pci_add(struct libiommu_emu *emu, const struct libiommu_emu_device_config *config,
                struct emu_pci *pci, struct libiommu_emu_device **device)
{
	struct emu_dev_spec spec;
	struct emu_dev *dev;
	int error = emu_dev_spec_of(emu, config, &spec);

	if (error)
		return error;
	emu_lock(emu);
	error = emu_dev_new(emu, &spec, &dev);
	if (!error) {
		emu_pci_plug(pci, dev);
		*device = (struct libiommu_emu_device *)dev;
	}
	emu_unlock(emu);
	return error;
}
