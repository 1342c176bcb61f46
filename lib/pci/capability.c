/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>

#include <libiommu/pci.h>

#include "../base/uapi/vfio.h"
#include "region.h"

/* PCI Local Bus specification, "Capabilities List". */
#define STATUS              0x06
#define STATUS_CAPABILITIES (1U << 4)
#define FIRST_POINTER       0x34
#define HEADER_SIZE         0x40
#define CONVENTIONAL_SIZE   0x100
#define CAPABILITY_SIZE     4
/* PCI Express base specification, "PCI Express Extended Capabilities". */
#define EXT_SIZE            0x1000
#define EXT_CAPABILITY_SIZE 8

/* What an absent device reads as. */
#define NO_CAPABILITY     0xffU
#define NO_EXT_CAPABILITY 0xffffffffU

typedef int (*search_fn)(struct libiommu_device *dev, const struct region *config, uint32_t id,
                         uint32_t *offset, struct refusal *refusal);

static int not_found(struct refusal *refusal)
{
	refusal->detail.length = 0;
	return li_refuse(refusal, -ENOENT, "the device does not have this capability");
}

static int endless(struct refusal *refusal)
{
	refusal->detail.length = 0;
	return li_refuse(refusal, -ELOOP, "the device's list of capabilities does not end");
}

static int search(struct libiommu_device *dev, const struct region *config, uint32_t id,
                  uint32_t *offset, struct refusal *refusal)
{
	uint8_t status;
	uint8_t entry[2];
	uint8_t at;
	int error;

	error = li_region_read(dev, config, STATUS, &status, sizeof(status), refusal);
	if (error)
		return error;
	if (!(status & STATUS_CAPABILITIES))
		return not_found(refusal);
	error = li_region_read(dev, config, FIRST_POINTER, &at, sizeof(at), refusal);
	if (error)
		return error;
	for (int i = 0; i <= (CONVENTIONAL_SIZE - HEADER_SIZE) / CAPABILITY_SIZE; i++) {
		/* The low bits are reserved. */
		at &= (uint8_t)~3U;
		if (at < HEADER_SIZE)
			return not_found(refusal);
		error = li_region_read(dev, config, at, entry, sizeof(entry), refusal);
		if (error)
			return error;
		if (entry[0] == NO_CAPABILITY)
			return not_found(refusal);
		if (entry[0] == id) {
			*offset = at;
			return 0;
		}
		at = entry[1];
	}
	return endless(refusal);
}

static int search_ext(struct libiommu_device *dev, const struct region *config, uint32_t id,
                      uint32_t *offset, struct refusal *refusal)
{
	uint32_t at = CONVENTIONAL_SIZE;
	uint8_t entry[4];
	uint32_t header;
	int error;

	for (int i = 0; i <= (EXT_SIZE - CONVENTIONAL_SIZE) / EXT_CAPABILITY_SIZE; i++) {
		if (at < CONVENTIONAL_SIZE || config->size <= CONVENTIONAL_SIZE)
			return not_found(refusal);
		error = li_region_read(dev, config, at, entry, sizeof(entry), refusal);
		if (error)
			return error;
		header = entry[0] | (uint32_t)entry[1] << 8 | (uint32_t)entry[2] << 16 |
		         (uint32_t)entry[3] << 24;
		if (header == NO_EXT_CAPABILITY)
			return not_found(refusal);
		/*
		 * The id may be 0 with more to follow: so the kernel hides a first capability
		 * that it does not know (drivers/vfio/pci/vfio_pci_config.c).
		 */
		if ((header & 0xffff) == id) {
			*offset = at;
			return 0;
		}
		at = header >> 20 & 0xffc;
	}
	return endless(refusal);
}

static int find(struct libiommu_device *dev, const char *operation, search_fn search_list,
                uint32_t id, uint32_t *offset)
{
	struct refusal refusal;
	struct region config;
	uint32_t found;
	int error;

	if (!dev || !offset)
		return FAIL_NULL_IN(dev ? li_device_ctx(dev) : NULL, operation);
	if (!id)
		return FAIL_LIBRARY(li_device_ctx(dev), operation, -EINVAL,
		                    "no capability has the id 0", .id = li_device_id(dev));
	error = li_device_enter(dev, operation, DEVICE_BOUND);
	if (error)
		return error;
	error = li_region_find(dev, UAPI_VFIO_PCI_CONFIG_REGION_INDEX, &config, &refusal);
	if (!error)
		error = search_list(dev, &config, id, &found, &refusal);
	li_device_leave(dev);
	if (error)
		return li_refusal_record(&refusal, dev, operation);
	*offset = found;
	return 0;
}

int libiommu_pci_find_capability(struct libiommu_device *dev, uint8_t id, uint32_t *offset)
{
	return find(dev, __func__, search, id, offset);
}

int libiommu_pci_find_ext_capability(struct libiommu_device *dev, uint16_t id, uint32_t *offset)
{
	return find(dev, __func__, search_ext, id, offset);
}
