/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * An SMMUv3 for an SMMUv3: the guest's stream table entry becomes a nested page table, its context
 * descriptors and page tables are the hardware's own to read, and its commands go to the kernel as
 * they are, which puts the host's numbers in.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "host.h"

enum { DEPTH = 1024 }; /* events that wait in the kernel */

static struct libiommu_hwpt *attached;
static struct libiommu_smmuv3_batch *batch;
static uint64_t flushed; /* commands of the batch's, up to its last flush */

const struct libiommu_sys *host_door(void)
{
	return NULL;
}

int host_choose(struct vmm *vmm, struct host_choices *choices)
{
	struct libiommu_hw_info *info;
	uint64_t ats = 0;
	int error = libiommu_hw_info_get(vmm->dev, &info);

	if (error)
		return error;
	/* SSIDs too are the hardware's to have; the kernel has no page requests of it. */
	error = libiommu_hw_info_field(info, LIBIOMMU_SMMUV3_ATS, &ats);
	libiommu_hw_info_free(info);
	vmm->smmu.has_ats = ats;
	*choices = (struct host_choices){LIBIOMMU_HWPT_NEST_PARENT, LIBIOMMU_VIOMMU_SMMUV3};
	return error;
}

int host_alloc_events(struct libiommu_viommu *viommu, struct libiommu_veventq **events)
{
	return libiommu_veventq_alloc(viommu, LIBIOMMU_VEVENTQ_SMMUV3, DEPTH, events);
}

int host_begin(struct vmm *vmm)
{
	return libiommu_smmuv3_batch_new(vmm->viommu, &batch);
}

int host_end(struct vmm *vmm)
{
	int error = attached ? libiommu_device_detach(vmm->dev) : 0;

	if (!error)
		error = libiommu_hwpt_destroy(attached);
	attached = error ? attached : NULL;
	libiommu_smmuv3_batch_free(batch);
	batch = NULL;
	return error;
}

static int make_nested(struct vmm *vmm, const uint64_t entry[2], struct libiommu_hwpt **hwpt)
{
	struct libiommu_hwpt_config *config;
	int error = libiommu_hwpt_config_new(&config);

	if (error)
		return error;
	error = libiommu_hwpt_config_set_smmuv3(config, entry[0], entry[1]);
	if (!error)
		error = libiommu_hwpt_alloc_viommu(vmm->dev, vmm->viommu, config, hwpt);
	libiommu_hwpt_config_free(config);
	return error;
}

/* From one to the next without anything between. */
int host_set_stream(struct vmm *vmm, const uint64_t entry[2])
{
	struct libiommu_hwpt *next;
	int error = make_nested(vmm, entry, &next);

	if (error)
		return error;
	error = attached ? libiommu_device_replace_hwpt(vmm->dev, next)
	                 : libiommu_device_attach_hwpt(vmm->dev, next);
	if (error) {
		libiommu_hwpt_destroy(next);
		return error;
	}
	error = libiommu_hwpt_destroy(attached);
	attached = next;
	return error;
}

int host_set_context(struct vmm *vmm, uint32_t ssid)
{
	(void)vmm;
	(void)ssid;
	return -EOPNOTSUPP;
}

bool host_collects(enum smmu_opcode opcode)
{
	switch (opcode) {
	case SMMU_CFGI_CD:
	case SMMU_CFGI_CD_ALL:
	case SMMU_TLBI_NH_ALL:
	case SMMU_TLBI_NH_ASID:
	case SMMU_TLBI_NH_VA:
	case SMMU_TLBI_NH_VAA:
	case SMMU_TLBI_NSNH_ALL:
	case SMMU_ATC_INV:
		return true;
	default:
		return false;
	}
}

int host_collect(struct vmm *vmm, const uint64_t command[2])
{
	(void)vmm;
	return libiommu_smmuv3_batch_add(batch, command[0], command[1]);
}

int host_flush(struct vmm *vmm, uint32_t *done)
{
	const int error = libiommu_smmuv3_batch_flush(batch);

	(void)vmm;
	*done = (uint32_t)(libiommu_smmuv3_batch_done(batch) - flushed);
	flushed += *done;
	return error;
}

/* It is the guest's already, with its number of the stream. */
void host_event(const void *data, size_t length, uint32_t stream, uint64_t words[SMMU_MOST_WORDS])
{
	(void)stream;
	memcpy(words, data, length < SMMU_MOST_WORDS * 8 ? length : SMMU_MOST_WORDS * 8);
	for (size_t i = 0; i < SMMU_MOST_WORDS; i++)
		words[i] = le64toh(words[i]);
}
