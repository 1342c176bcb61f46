/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Commands of administration: queues, features, and what the controller says of itself. */
#include <endian.h>

#include "nvme.h"

enum nvme_admin_opcode {
	NVME_DELETE_SQ = 0x00,
	NVME_CREATE_SQ = 0x01,
	NVME_GET_LOG_PAGE = 0x02,
	NVME_DELETE_CQ = 0x04,
	NVME_CREATE_CQ = 0x05,
	NVME_IDENTIFY = 0x06,
	NVME_ABORT = 0x08,
	NVME_SET_FEATURES = 0x09,
	NVME_GET_FEATURES = 0x0a,
	NVME_ASYNC_EVENT = 0x0c
};

enum nvme_feature {
	NVME_FEATURE_THRESHOLD = 0x04,
	NVME_FEATURE_CACHE = 0x06,
	NVME_FEATURE_QUEUES = 0x07,
	NVME_FEATURES = 0x10
};

#define CONTIGUOUS (1U << 0)
#define INTERRUPTS (1U << 1)

/* Number and size, as both commands that make queues have them. */
static uint16_t check_queue(const struct nvme *nvme, const struct nvme_command *command,
                            uint16_t *id, uint32_t *entries)
{
	const uint32_t dword10 = le32toh(command->dword10);

	*id = (uint16_t)dword10;
	*entries = (dword10 >> 16) + 1;
	if (!*id || *id >= NVME_QUEUES)
		return NVME_INVALID_QUEUE | NVME_DO_NOT_RETRY;
	if (*entries < 2 || *entries > NVME_ENTRIES)
		return NVME_INVALID_QUEUE_SIZE | NVME_DO_NOT_RETRY;
	if (!(le32toh(command->dword11) & CONTIGUOUS))
		return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
	if (le64toh(command->prp1) & (emu_nvme_page(nvme) - 1))
		return NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY;
	return NVME_SUCCESS;
}

static uint16_t create_cq(struct nvme *nvme, const struct nvme_command *command)
{
	const uint32_t dword11 = le32toh(command->dword11);
	uint32_t entries;
	uint16_t id;
	const uint16_t status = check_queue(nvme, command, &id, &entries);

	if (status)
		return status;
	if (nvme->cqs[id].there)
		return NVME_INVALID_QUEUE | NVME_DO_NOT_RETRY;
	if (dword11 >> 16 >= NVME_QUEUES)
		return NVME_INVALID_VECTOR | NVME_DO_NOT_RETRY;
	nvme->cqs[id] = (struct nvme_cq){
		.there = true,
		.interrupts = dword11 & INTERRUPTS,
		.phase = 1,
		.vector = (uint16_t)(dword11 >> 16),
		.entries = entries,
		.address = le64toh(command->prp1),
	};
	return NVME_SUCCESS;
}

static uint16_t create_sq(struct nvme *nvme, const struct nvme_command *command)
{
	const uint16_t cq = (uint16_t)(le32toh(command->dword11) >> 16);
	uint32_t entries;
	uint16_t id;
	const uint16_t status = check_queue(nvme, command, &id, &entries);

	if (!cq || cq >= NVME_QUEUES || !nvme->cqs[cq].there)
		return NVME_INVALID_CQ | NVME_DO_NOT_RETRY;
	if (status)
		return status;
	if (nvme->sqs[id].there)
		return NVME_INVALID_QUEUE | NVME_DO_NOT_RETRY;
	nvme->sqs[id] = (struct nvme_sq){
		.there = true, .cq = cq, .entries = entries, .address = le64toh(command->prp1)};
	nvme->cqs[cq].users++;
	return NVME_SUCCESS;
}

/* A queue of completions goes after those that use it. */
static uint16_t delete_queue(struct nvme *nvme, const struct nvme_command *command, bool submission)
{
	const uint32_t id = le32toh(command->dword10) & 0xffff;

	if (!id || id >= NVME_QUEUES || !(submission ? nvme->sqs[id].there : nvme->cqs[id].there))
		return NVME_INVALID_QUEUE | NVME_DO_NOT_RETRY;
	if (submission) {
		nvme->cqs[nvme->sqs[id].cq].users--;
		nvme->sqs[id].there = false;
		return NVME_SUCCESS;
	}
	if (nvme->cqs[id].users)
		return NVME_INVALID_QUEUE_DELETION;
	nvme->cqs[id].there = false;
	emu_nvme_update_pin(nvme);
	return NVME_SUCCESS;
}

static void feature(struct nvme *nvme, const struct nvme_command *command, bool set,
                    struct nvme_answer *answer)
{
	const uint32_t most = (NVME_QUEUES - 2) << 16 | (NVME_QUEUES - 2);
	const uint32_t value = le32toh(command->dword11);
	const uint32_t id = le32toh(command->dword10) & 0xff;

	if (!id || id >= NVME_FEATURES) {
		answer->status = NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
	} else if (id == NVME_FEATURE_QUEUES) {
		/* As many as are asked for, each less one; the largest number is none. */
		if (set && ((value & 0xffff) == 0xffff || value >> 16 == 0xffff)) {
			answer->status = NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
			return;
		}
		answer->result = most;
	} else if (id == NVME_FEATURE_CACHE) {
		if (set)
			nvme->cache = value & 1;
		answer->result = nvme->cache;
	} else if (id == NVME_FEATURE_THRESHOLD) {
		emu_nvme_threshold(nvme, value, set, answer);
	} else {
		if (set)
			nvme->features[id] = value;
		answer->result = nvme->features[id];
	}
}

void emu_nvme_admin(struct nvme *nvme, const struct nvme_command *command,
                    struct nvme_answer *answer)
{
	switch (command->opcode) {
	case NVME_CREATE_CQ:
		answer->status = create_cq(nvme, command);
		break;
	case NVME_CREATE_SQ:
		answer->status = create_sq(nvme, command);
		break;
	case NVME_DELETE_SQ:
	case NVME_DELETE_CQ:
		answer->status = delete_queue(nvme, command, command->opcode == NVME_DELETE_SQ);
		break;
	case NVME_IDENTIFY:
		answer->status = emu_nvme_identify(nvme, command);
		break;
	case NVME_GET_LOG_PAGE:
		answer->status = emu_nvme_log_page(nvme, command);
		break;
	case NVME_SET_FEATURES:
	case NVME_GET_FEATURES:
		feature(nvme, command, command->opcode == NVME_SET_FEATURES, answer);
		break;
	case NVME_ABORT:
		/* All are done before they could be: this one was not found. */
		answer->result = 1;
		break;
	case NVME_ASYNC_EVENT:
		answer->status = emu_nvme_event_wait(nvme, command);
		break;
	default:
		answer->status = NVME_INVALID_OPCODE | NVME_DO_NOT_RETRY;
		break;
	}
}
