/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "vmm.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "host.h"

bool vmm_complain(void)
{
	char text[512];

	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "vmm-nested: %s\n", text);
	return false;
}

static int open_ctx(struct vmm *vmm)
{
	struct libiommu_ctx_config *config;
	int error = libiommu_ctx_config_new(&config);

	if (error)
		return error;
	error = libiommu_ctx_config_set_sys(config, host_door());
	if (!error)
		error = libiommu_ctx_new(config, &vmm->ctx);
	libiommu_ctx_config_free(config);
	return error;
}

/* KVM would have the same file. */
static bool make_memory(struct vmm *vmm)
{
	void *memory;

	vmm->memory_fd = memfd_create("guest", MFD_CLOEXEC);
	if (vmm->memory_fd < 0 || ftruncate(vmm->memory_fd, VMM_SIZE)) {
		perror("vmm-nested: memory");
		return false;
	}
	memory = mmap(NULL, VMM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, vmm->memory_fd, 0);
	if (memory == MAP_FAILED) {
		perror("vmm-nested: memory");
		return false;
	}
	vmm->memory = (struct guest){.memory = memory, .address = VMM_ADDRESS, .size = VMM_SIZE};
	return true;
}

static int make_parent(struct vmm *vmm, uint32_t flags)
{
	struct libiommu_hwpt_config *config;
	int error = libiommu_hwpt_config_new(&config);

	if (error)
		return error;
	error = libiommu_hwpt_config_set_flags(config, flags);
	if (!error)
		error = libiommu_hwpt_alloc(vmm->dev, vmm->ioas, config, &vmm->parent);
	libiommu_hwpt_config_free(config);
	return error;
}

/* What a device sees through the parent is what the guest sees: its own addresses. The page table
 * comes before the memory, which is then put into it once. */
static int make_second_stage(struct vmm *vmm, uint32_t flags)
{
	const int error = make_parent(vmm, flags);

	if (error)
		return error;
	return libiommu_ioas_map_file_fixed(vmm->ioas, vmm->memory_fd, 0, VMM_SIZE,
	                                    LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE, VMM_ADDRESS);
}

/* The guest gives the device its PASIDs itself: they have to be what it says. */
static int make_pasids(struct vmm *vmm)
{
	const int error =
		libiommu_pasid_space_new(vmm->ctx, LIBIOMMU_PASID_IDENTITY_ONLY, &vmm->pasids);

	return error ? error : libiommu_pasid_space_join(vmm->pasids, vmm->dev);
}

/* Page requests and events come to one place. */
static int make_ring(struct vmm *vmm)
{
	struct libiommu_ring_config *config;
	int error = libiommu_ring_config_new(&config);

	if (error)
		return error;
	/* As many as the guest can tell apart; more wait in the kernel. */
	error = libiommu_ring_config_set_outstanding(config, SMMU_GROUPS);
	if (!error)
		error = libiommu_ring_new(vmm->ctx, config, &vmm->ring);
	libiommu_ring_config_free(config);
	if (!error)
		error = libiommu_ring_open_reader(vmm->ring, &vmm->reader);
	if (!error)
		error = libiommu_ring_add_queue(vmm->ring, vmm->faults, 0);
	if (!error)
		error = libiommu_ring_add_veventq(vmm->ring, vmm->events, 0);
	return error;
}

bool vmm_open(struct vmm *vmm, const char *device)
{
	struct host_choices choices;

	*vmm = (struct vmm){.memory_fd = -1};
	smmu_reset(&vmm->smmu);
	if (!make_memory(vmm))
		return false;
	if (open_ctx(vmm) || device_open(vmm->ctx, device, &vmm->dev) ||
	    libiommu_device_bind(vmm->dev, VMM_LABEL, NULL, 0) || make_pasids(vmm) ||
	    host_choose(vmm, &choices) || libiommu_ioas_alloc(vmm->ctx, &vmm->ioas) ||
	    make_second_stage(vmm, choices.parent_flags) ||
	    libiommu_viommu_alloc(vmm->dev, vmm->parent, choices.viommu_type, NULL, &vmm->viommu) ||
	    libiommu_vdevice_alloc(vmm->viommu, vmm->dev, VMM_STREAM, &vmm->vdev) ||
	    host_alloc_events(vmm->viommu, &vmm->events) ||
	    libiommu_fault_queue_alloc(vmm->ctx, &vmm->faults) || make_ring(vmm) || host_begin(vmm))
		return vmm_complain();
	return true;
}

/* Children before parents; what was never made is NULL, and destroying NULL is nothing. */
bool vmm_close(struct vmm *vmm)
{
	const bool good =
		!(vmm->vdev && host_end(vmm)) && !libiommu_ring_destroy(vmm->ring) &&
		!libiommu_fault_queue_destroy(vmm->faults) &&
		!libiommu_veventq_destroy(vmm->events) && !libiommu_vdevice_destroy(vmm->vdev) &&
		!libiommu_viommu_destroy(vmm->viommu) && !libiommu_device_destroy(vmm->dev) &&
		!libiommu_pasid_space_destroy(vmm->pasids) && !libiommu_hwpt_destroy(vmm->parent) &&
		!libiommu_ioas_destroy(vmm->ioas) && !libiommu_ctx_destroy(vmm->ctx);

	libiommu_reader_free(vmm->reader);
	if (vmm->memory.memory)
		munmap(vmm->memory.memory, vmm->memory.size);
	if (vmm->memory_fd >= 0)
		close(vmm->memory_fd);
	return good || vmm_complain();
}
