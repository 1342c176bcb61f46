/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The guest's command queue. What can wait is collected up to the next synchronization, and has the
 * host's IOMMU asked once; what is the VMM's own to do is done in its place.
 */
#include "host.h"

/* The guest may use the room of its commands again as soon as it sees them behind cons. So that
 * stands at what is done, and what was collected is between it and @read. */
struct run {
	struct vmm *vmm;
	uint32_t read;
};

static bool flush(struct run *run)
{
	struct smmu_queue *const queue = &run->vmm->smmu.commands;
	uint32_t done = 0;

	if (run->read == queue->cons)
		return true;
	run->vmm->flushes++;
	if (!host_flush(run->vmm, &done)) {
		queue->cons = run->read;
		return true;
	}
	queue->cons += done;
	run->vmm->smmu.error = true;
	return false;
}

static void refuse(struct run *run)
{
	if (flush(run))
		run->vmm->smmu.error = true;
}

/* A device whose stream table entry is none reaches nothing, and the guest is told. */
static void set_stream(struct vmm *vmm)
{
	const uint64_t at = vmm->smmu.stream_table + VMM_STREAM * SMMU_STE_SIZE;
	const uint64_t event[SMMU_MOST_WORDS] = {SMMU_C_BAD_STE | (uint64_t)VMM_STREAM << 32};
	uint64_t entry[2];

	if (smmu_read(&vmm->memory, at, entry, 2) && !host_set_stream(vmm, entry))
		return;
	smmuv3_stream_entry(SMMUV3_ABORT, 0, entry);
	if (host_set_stream(vmm, entry))
		vmm_complain();
	vmm_inject_event(vmm, event);
}

/* Commands that are the VMM's, after all that stand before them. False if the guest may not. */
static bool obey(struct vmm *vmm, const uint64_t command[2])
{
	const bool success = (command[1] >> SMMU_ANSWER_SHIFT & 3) == SMMU_SUCCESS;

	switch (SMMU_OPCODE(command[0])) {
	case SMMU_CFGI_STE:
		if (SMMU_STREAM(command[0]) != VMM_STREAM)
			return false;
		set_stream(vmm);
		return true;
	case SMMU_CFGI_ALL:
		set_stream(vmm);
		return true;
	case SMMU_CFGI_CD:
		return SMMU_STREAM(command[0]) == VMM_STREAM &&
		       !host_set_context(vmm, SMMU_SSID(command[0]));
	case SMMU_PRI_RESP:
		return SMMU_STREAM(command[0]) == VMM_STREAM &&
		       vmm_answer(vmm, SMMU_GROUP(command[1]),
		                  success ? LIBIOMMU_FAULT_SUCCESS : LIBIOMMU_FAULT_INVALID);
	case SMMU_SYNC:
		return true;
	default:
		return false;
	}
}

static void run_one(struct run *run, const uint64_t command[2])
{
	struct vmm *const vmm = run->vmm;

	if (host_collects((enum smmu_opcode)SMMU_OPCODE(command[0])) &&
	    !host_collect(vmm, command)) {
		run->read++;
		return;
	}
	if (!flush(run))
		return;
	if (obey(vmm, command))
		vmm->smmu.commands.cons = ++run->read;
	else
		vmm->smmu.error = true;
}

void vmm_doorbell(void *user)
{
	struct vmm *const vmm = user;
	struct smmu_queue *const queue = &vmm->smmu.commands;
	struct run run = {.vmm = vmm, .read = queue->cons};
	uint64_t command[SMMU_MOST_WORDS];

	/* More than fits is no number of the guest's to give. */
	while (!vmm->smmu.error && run.read != queue->prod) {
		if (queue->prod - queue->cons > queue->entries ||
		    !smmu_peek(&vmm->memory, queue, run.read, command)) {
			refuse(&run);
			return;
		}
		vmm->commands++;
		run_one(&run, command);
	}
	/* What is left over waits no longer than the guest's next exit. */
	if (!vmm->smmu.error)
		flush(&run);
}
