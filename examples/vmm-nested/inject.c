/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * From the ring to the guest's queues, in the guest's numbers; and the guest's answers back. The
 * label says which device it is, and the vIOMMU what number the guest has for that.
 */
#include <errno.h>
#include <poll.h>

#include "host.h"

void vmm_inject_event(struct vmm *vmm, const uint64_t words[SMMU_MOST_WORDS])
{
	if (!smmu_put(&vmm->memory, &vmm->smmu.events, words))
		vmm->smmu.events.overflows++;
}

static void take_event(struct vmm *vmm, const struct libiommu_record *records, size_t count)
{
	uint64_t words[SMMU_MOST_WORDS] = {0};
	uint8_t data[256];
	const int length = libiommu_record_data(records, count, data, sizeof(data));

	if (records->flags & LIBIOMMU_RECORD_UNKNOWN || length < 0 || length > (int)sizeof(data))
		return;
	host_event(data, (size_t)length, (uint32_t)records->address, words);
	vmm_inject_event(vmm, words);
}

/* As an SMMU does whose event queue is full. */
static void take_loss(struct vmm *vmm, const struct libiommu_record *record)
{
	vmm->lost += record->address;
	vmm->smmu.events.overflows++;
}

static struct vmm_group *new_group(struct vmm *vmm, const struct libiommu_record *record)
{
	for (size_t i = 0; i < SMMU_GROUPS; i++)
		if (!vmm->groups[i].token) {
			vmm->groups[i] = (struct vmm_group){record->token, record->queue,
			                                    record->attachment, record->vpasid};
			return &vmm->groups[i];
		}
	return NULL;
}

static bool complete(struct vmm *vmm, const struct libiommu_completion *completion)
{
	int count = libiommu_reader_complete(vmm->reader, completion, 1);

	if (count == -EAGAIN && !libiommu_ring_dispatch(vmm->ring))
		count = libiommu_reader_complete(vmm->reader, completion, 1);
	vmm->answers++;
	return count == 1 && !libiommu_ring_dispatch(vmm->ring);
}

/* A page request of the device in the guest's words. */
static void translate(const struct libiommu_record *record, uint64_t stream, uint32_t group,
                      uint64_t words[2])
{
	words[0] = (uint32_t)stream;
	if (record->flags & LIBIOMMU_RECORD_PASID)
		words[0] |= SMMU_REQUEST_HAS_SSID | (uint64_t)record->vpasid << 32;
	if (record->permissions & LIBIOMMU_FAULT_READ)
		words[0] |= SMMU_REQUEST_READ;
	if (record->permissions & LIBIOMMU_FAULT_WRITE)
		words[0] |= SMMU_REQUEST_WRITE;
	if (record->permissions & LIBIOMMU_FAULT_EXEC)
		words[0] |= SMMU_REQUEST_EXEC;
	if (record->permissions & LIBIOMMU_FAULT_PRIVILEGED)
		words[0] |= SMMU_REQUEST_PRIVILEGED;
	if (record->flags & LIBIOMMU_RECORD_LAST)
		words[0] |= SMMU_REQUEST_LAST;
	words[1] = (record->address & SMMU_ADDRESS) | group;
}

/* What the guest has no room for, or no number, is refused in its place. */
static bool take_group(struct vmm *vmm, const struct libiommu_record *records, size_t count)
{
	const struct libiommu_completion refusal = {records->token, LIBIOMMU_FAULT_INVALID,
	                                            records->queue};
	struct smmu_queue *const queue = &vmm->smmu.requests;
	struct vmm_group *group;
	uint64_t stream, words[2];

	if (libiommu_vdevice_find_virt_id(vmm->viommu, records->label, &stream) ||
	    smmu_room(queue) < count)
		return complete(vmm, &refusal);
	group = new_group(vmm, records);
	if (!group)
		return complete(vmm, &refusal);
	for (size_t i = 0; i < count; i++) {
		translate(&records[i], stream, (uint32_t)(group - vmm->groups), words);
		if (!smmu_put(&vmm->memory, queue, words)) {
			group->token = 0;
			return complete(vmm, &refusal);
		}
	}
	return true;
}

/* The kernel has answered the attachment's groups: the guest's answers will name nothing. */
static void take_end(struct vmm *vmm, const struct libiommu_record *record)
{
	for (size_t i = 0; i < SMMU_GROUPS; i++)
		if (vmm->groups[i].attachment == record->attachment &&
		    vmm->groups[i].vpasid == record->vpasid)
			vmm->groups[i].token = 0;
}

static bool take(struct vmm *vmm, const struct libiommu_record *records, size_t count)
{
	switch (records->kind) {
	case LIBIOMMU_RECORD_FAULT:
		return take_group(vmm, records, count);
	case LIBIOMMU_RECORD_DETACHED:
		take_end(vmm, records);
		return true;
	case LIBIOMMU_RECORD_VEVENT:
		take_event(vmm, records, count);
		return true;
	case LIBIOMMU_RECORD_LOST:
		take_loss(vmm, records);
		return true;
	default:
		return true;
	}
}

/* In a VMM the descriptor is one of many in its event loop. */
bool vmm_inject(struct vmm *vmm, int timeout)
{
	struct pollfd wait = {.fd = libiommu_ring_fd(vmm->ring), .events = POLLIN};
	const struct libiommu_record *records;
	size_t count;
	int found;

	while (poll(&wait, 1, timeout) < 0 && errno == EINTR)
		;
	if (libiommu_ring_dispatch(vmm->ring))
		return vmm_complain();
	while ((found = libiommu_reader_next(vmm->reader, &records, &count)) == 1)
		if (!take(vmm, records, count))
			return vmm_complain();
	if (found || libiommu_reader_release(vmm->reader))
		return vmm_complain();
	return true;
}

unsigned int vmm_outstanding(const struct vmm *vmm)
{
	unsigned int count = 0;

	for (size_t i = 0; i < SMMU_GROUPS; i++)
		count += vmm->groups[i].token != 0;
	return count;
}

bool vmm_answer(struct vmm *vmm, uint32_t number, enum libiommu_fault_code code)
{
	struct vmm_group *const group = &vmm->groups[number];
	const struct libiommu_completion answer = {group->token, code, group->queue};

	/* One that is over, or that never was: an SMMU takes no notice. */
	if (!group->token)
		return true;
	group->token = 0;
	return complete(vmm, &answer) || vmm_complain();
}
