/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <libiommu/pci.h>

#include "../base/uapi/vfio.h"
#include "region.h"

/* PCI Express base specification, "Command Register". */
#define COMMAND            0x04
#define COMMAND_BUS_MASTER (1U << 2)

int libiommu_pci_config_read(struct libiommu_device *dev, uint32_t offset, void *buffer,
                             size_t length)
{
	return li_region_access(dev, __func__,
	                        &(const struct region_access){
					.index = UAPI_VFIO_PCI_CONFIG_REGION_INDEX,
					.offset = offset,
					.length = length,
					.to = buffer,
				});
}

int libiommu_pci_config_write(struct libiommu_device *dev, uint32_t offset, const void *buffer,
                              size_t length)
{
	return li_region_access(dev, __func__,
	                        &(const struct region_access){
					.index = UAPI_VFIO_PCI_CONFIG_REGION_INDEX,
					.offset = offset,
					.length = length,
					.from = buffer,
				});
}

int libiommu_pci_set_bus_master(struct libiommu_device *dev, bool enable)
{
	struct refusal refusal;
	struct region config;
	uint8_t command[2];
	uint8_t low;
	int error;

	error = li_device_enter(dev, __func__, DEVICE_BOUND);
	if (error)
		return error;
	error = li_region_find(dev, UAPI_VFIO_PCI_CONFIG_REGION_INDEX, &config, &refusal);
	if (!error)
		error = li_region_read(dev, &config, COMMAND, command, sizeof(command), &refusal);
	if (!error) {
		low = (uint8_t)(enable ? command[0] | COMMAND_BUS_MASTER
		                       : command[0] & ~COMMAND_BUS_MASTER);
		/* Both bytes: the kernel takes the register as a whole. */
		if (low != command[0]) {
			command[0] = low;
			error = li_region_write(dev, &config, COMMAND, command, sizeof(command),
			                        &refusal);
		}
	}
	li_device_leave(dev);
	return error ? li_refusal_record(&refusal, dev, __func__) : 0;
}
