/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "dev-config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "heap.h"
#include "machine.h"

#define ALL_FLAGS ((LIBIOMMU_EMU_DEVICE_HOST << 1) - 1)

struct libiommu_emu_device_config {
	struct emu_iommu *iommu;
	struct emu_dev *member;
	char address[sizeof(((struct emu_dev *)0)->address)];
	unsigned int pasid_bits;
	uint32_t flags;
	struct emu_reserved *reserved;
	size_t reserved_count;
};

LIBIOMMU_API int libiommu_emu_device_config_new(struct libiommu_emu_device_config **config)
{
	struct libiommu_emu_device_config *made;

	if (!config)
		return -EINVAL;
	made = emu_alloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	*config = made;
	return 0;
}

LIBIOMMU_API void libiommu_emu_device_config_free(struct libiommu_emu_device_config *config)
{
	if (!config)
		return;
	emu_release(config->reserved);
	emu_release(config);
}

LIBIOMMU_API int libiommu_emu_device_config_set_iommu(struct libiommu_emu_device_config *config,
                                                      struct libiommu_emu_iommu *iommu)
{
	if (!config)
		return -EINVAL;
	config->iommu = (struct emu_iommu *)iommu;
	return 0;
}

LIBIOMMU_API int libiommu_emu_device_config_set_group(struct libiommu_emu_device_config *config,
                                                      struct libiommu_emu_device *member)
{
	if (!config)
		return -EINVAL;
	config->member = (struct emu_dev *)member;
	return 0;
}

/* Written as the kernel writes it. */
static bool is_address(const char *text)
{
	unsigned int domain, bus, device, function;
	char again[32];

	if (sscanf(text, "%4x:%2x:%2x.%1x", &domain, &bus, &device, &function) != 4 ||
	    device > 31 || function > 7)
		return false;
	snprintf(again, sizeof(again), "%04x:%02x:%02x.%x", domain, bus, device, function);
	return !strcmp(text, again);
}

LIBIOMMU_API int libiommu_emu_device_config_set_address(struct libiommu_emu_device_config *config,
                                                        const char *address)
{
	if (!config || (address && !is_address(address)))
		return -EINVAL;
	config->address[0] = '\0';
	if (address)
		memcpy(config->address, address, strlen(address) + 1);
	return 0;
}

LIBIOMMU_API int libiommu_emu_device_config_set_pasid_bits(
	struct libiommu_emu_device_config *config, uint32_t bits)
{
	if (!config || bits > EMU_PASID_BITS_MAX)
		return -EINVAL;
	config->pasid_bits = bits;
	return 0;
}

LIBIOMMU_API int libiommu_emu_device_config_set_flags(struct libiommu_emu_device_config *config,
                                                      uint32_t flags)
{
	if (!config || flags & ~ALL_FLAGS)
		return -EINVAL;
	config->flags = flags;
	return 0;
}

LIBIOMMU_API int libiommu_emu_device_config_add_reserved(struct libiommu_emu_device_config *config,
                                                         uint64_t start, uint64_t last)
{
	struct emu_reserved *grown;

	if (!config || last < start)
		return -EINVAL;
	grown = emu_grow(config->reserved, (config->reserved_count + 1) * sizeof(grown[0]));
	if (!grown)
		return -ENOMEM;
	grown[config->reserved_count++] = (struct emu_reserved){start, last};
	config->reserved = grown;
	return 0;
}

int emu_dev_spec_of(const struct libiommu_emu *emu, const struct libiommu_emu_device_config *config,
                    struct emu_dev_spec *spec)
{
	*spec = (struct emu_dev_spec){0};
	if (!config)
		return 0;
	if ((config->iommu && config->iommu->emu != emu) ||
	    (config->member && config->member->emu != emu))
		return -EINVAL;
	spec->iommu = config->iommu;
	spec->group_with = config->member;
	spec->address = config->address[0] ? config->address : NULL;
	spec->pasid_bits = config->pasid_bits;
	spec->no_dirty = config->flags & LIBIOMMU_EMU_DEVICE_NO_DIRTY;
	spec->page_requests = config->flags & LIBIOMMU_EMU_DEVICE_PAGE_REQUESTS;
	spec->ats = config->flags & LIBIOMMU_EMU_DEVICE_ATS;
	spec->pasid_exec = config->flags & LIBIOMMU_EMU_DEVICE_PASID_EXEC;
	spec->pasid_privileged = config->flags & LIBIOMMU_EMU_DEVICE_PASID_PRIVILEGED;
	spec->virtual_function = config->flags & LIBIOMMU_EMU_DEVICE_VIRTUAL_FUNCTION;
	spec->host = config->flags & LIBIOMMU_EMU_DEVICE_HOST;
	spec->reserved = config->reserved;
	spec->reserved_count = config->reserved_count;
	return 0;
}

LIBIOMMU_API int libiommu_emu_device_add(struct libiommu_emu *emu,
                                         const struct libiommu_emu_device_config *config,
                                         struct libiommu_emu_device **device)
{
	struct emu_dev_spec spec;
	struct emu_dev *dev;
	int error;

	if (!emu || !device || emu_dev_spec_of(emu, config, &spec))
		return -EINVAL;
	emu_lock(emu);
	error = emu_dev_new(emu, &spec, &dev);
	emu_unlock(emu);
	if (!error)
		*device = (struct libiommu_emu_device *)dev;
	return error;
}

LIBIOMMU_API const char *libiommu_emu_device_address(const struct libiommu_emu_device *device)
{
	return device ? ((const struct emu_dev *)device)->address : NULL;
}
