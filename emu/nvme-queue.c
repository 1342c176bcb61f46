/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Queues of a controller: commands come from one, and what became of them goes to another. */
#include <endian.h>

#include "nvme.h"

struct completion {
	uint32_t result;
	uint32_t reserved;
	uint16_t sq_head, sq_id;
	uint16_t id, status;
};

_Static_assert(sizeof(struct completion) == 16, "as the specification has it");
_Static_assert(sizeof(struct nvme_command) == 64, "as the specification has it");

static uint32_t after(uint32_t index, uint32_t entries)
{
	return index + 1 == entries ? 0 : index + 1;
}

static bool has_messages(const struct nvme *nvme)
{
	return emu_pci_get(&nvme->pci, nvme->pci.msix + EMU_MSIX_CONTROL, 2) & EMU_MSIX_ENABLE;
}

void emu_nvme_update_pin(struct nvme *nvme)
{
	bool pending = false;

	for (int i = 0; i < NVME_QUEUES && !pending; i++) {
		const struct nvme_cq *const cq = &nvme->cqs[i];

		pending = cq->there && cq->interrupts && cq->head != cq->tail && cq->vector < 32 &&
		          !(nvme->masked >> cq->vector & 1);
	}
	emu_pci_set_pin(&nvme->pci, pending && !has_messages(nvme));
}

static void interrupt(struct nvme *nvme, const struct nvme_cq *cq)
{
	if (!cq->interrupts)
		return;
	if (has_messages(nvme))
		emu_pci_raise(&nvme->pci, cq->vector);
	else
		emu_nvme_update_pin(nvme);
}

static bool is_full(const struct nvme_cq *cq)
{
	return after(cq->tail, cq->entries) == cq->head;
}

/* False: the driver will not hear of it, so that nothing more is done. */
static bool complete(struct nvme *nvme, uint16_t sq_id, const struct nvme_command *command,
                     const struct nvme_answer *answer)
{
	const struct nvme_sq *const sq = &nvme->sqs[sq_id];
	struct nvme_cq *const cq = &nvme->cqs[sq->cq];
	const struct completion entry = {
		.result = htole32(answer->result),
		.sq_head = htole16((uint16_t)sq->head),
		.sq_id = htole16(sq_id),
		.id = command->id,
		.status = htole16((uint16_t)(answer->status << 1 | cq->phase)),
	};

	if (!emu_nvme_put(nvme, cq->address + cq->tail * sizeof(entry), &entry, sizeof(entry))) {
		emu_nvme_fatal(nvme);
		return false;
	}
	cq->tail = after(cq->tail, cq->entries);
	if (!cq->tail)
		cq->phase ^= 1;
	interrupt(nvme, cq);
	return true;
}

/* One command of a queue; false: there is none that could be done. */
static bool step(struct nvme *nvme, uint16_t id)
{
	struct nvme_sq *const sq = &nvme->sqs[id];
	struct nvme_command command;
	struct nvme_answer answer = {0};

	if (!sq->there || sq->head == sq->tail || is_full(&nvme->cqs[sq->cq]))
		return false;
	if (!emu_nvme_get(nvme, sq->address + sq->head * sizeof(command), &command,
	                  sizeof(command))) {
		emu_nvme_fatal(nvme);
		return false;
	}
	sq->head = after(sq->head, sq->entries);
	if (id)
		emu_nvme_io(nvme, &command, &answer);
	else
		emu_nvme_admin(nvme, &command, &answer);
	return answer.status == NVME_NO_ANSWER || complete(nvme, id, &command, &answer);
}

static bool is_ready(const struct nvme *nvme)
{
	return (nvme->status & 3) == 1;
}

/* A command that has waited for an event has it; false: none has. */
static bool tell(struct nvme *nvme)
{
	struct nvme_command command;
	struct nvme_answer answer;

	return is_ready(nvme) && !is_full(&nvme->cqs[0]) &&
	       emu_nvme_event_take(nvme, &command, &answer) && complete(nvme, 0, &command, &answer);
}

/* All that has been submitted is done, as far as there is room for completions. */
static void run(struct nvme *nvme)
{
	bool more = true;

	if (nvme->running)
		return;
	nvme->running = true;
	while (more) {
		more = false;
		for (uint16_t id = 0; id < NVME_QUEUES && is_ready(nvme); id++)
			more |= step(nvme, id);
		more |= tell(nvme);
	}
	nvme->running = false;
}

/* Each queue pair has two doorbells: its own tail, and the driver's head. */
void emu_nvme_ring(struct nvme *nvme, uint32_t index, uint32_t value)
{
	struct nvme_sq *const sq = &nvme->sqs[index / 2];
	struct nvme_cq *const cq = &nvme->cqs[index / 2];

	if (!is_ready(nvme))
		return;
	if (index % 2) {
		if (!cq->there || value >= cq->entries)
			return;
		cq->head = value;
		emu_nvme_update_pin(nvme);
	} else {
		if (!sq->there || value >= sq->entries)
			return;
		sq->tail = value;
	}
	run(nvme);
}
