/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Who is charged for all that a context has mapped: from now on, another process. */
#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "area.h"
#include "source.h"

/* All areas of all address spaces of a context, in the order of ids. */
struct tour {
	struct emu_ctx *ctx;
	uint32_t id;
	struct emu_area *area;
};

static bool next_area(struct tour *tour)
{
	const struct emu_ioas *ioas;

	if (tour->area)
		tour->area = emu_area_next(tour->area);
	while (!tour->area && ++tour->id < tour->ctx->objects.ids.room) {
		ioas = emu_ioas_find(tour->ctx, tour->id);
		if (ioas)
			tour->area = emu_area_at(ioas, 0, UINT64_MAX);
	}
	return tour->area;
}

static bool is_other(const struct emu_payer *payer, const struct emu_task *task)
{
	switch (payer->mode) {
	case EMU_CHARGE_PROCESS:
		return payer->task.pid != task->pid;
	case EMU_CHARGE_USER:
		return payer->task.pid != task->pid || payer->task.uid != task->uid;
	default:
		return false;
	}
}

static bool are_files(struct emu_ctx *ctx)
{
	struct tour tour = {.ctx = ctx};

	while (next_area(&tour))
		if (!tour.area->pages->source->is_file)
			return false;
	return true;
}

/* What the others pay, who pay no more for now. */
static void collect(struct emu_ctx *ctx, const struct emu_task *task, uint64_t *of_users,
                    uint64_t *of_processes)
{
	struct tour tour = {.ctx = ctx};

	while (next_area(&tour)) {
		struct emu_pages *const pages = tour.area->pages;

		if (!is_other(&pages->payer, task))
			continue;
		*(pages->payer.mode == EMU_CHARGE_USER ? of_users : of_processes) += pages->charged;
		pages->charged = 0;
	}
}

static int charge(struct libiommu_emu *emu, const struct emu_task *task, uint64_t of_users,
                  uint64_t of_processes)
{
	const struct emu_payer user = {EMU_CHARGE_USER, *task};
	const struct emu_payer process = {EMU_CHARGE_PROCESS, *task};
	int error;

	error = emu_account_add(emu, &user, of_users);
	if (error)
		return error;
	error = emu_account_add(emu, &process, of_processes);
	if (error)
		emu_account_take(emu, &user, of_users);
	return error;
}

static void give_up(struct emu_ctx *ctx)
{
	struct tour tour = {.ctx = ctx};

	while (next_area(&tour))
		tour.area->pages->charged = tour.area->pages->pinned;
}

/* One that is gone cannot be discharged: that is said, but all is done. */
static int change(struct emu_ctx *ctx, const struct emu_task *task)
{
	struct tour tour = {.ctx = ctx};
	int error = 0, result;

	while (next_area(&tour)) {
		struct emu_pages *const pages = tour.area->pages;

		if (is_other(&pages->payer, task)) {
			result = emu_account_take(pages->emu, &pages->payer, pages->pinned);
			if (result)
				error = result;
			else
				pages->charged = pages->pinned;
		}
		pages->payer.task = *task;
	}
	return error;
}

int emu_ioas_change_process(struct emu_call *call)
{
	const struct uapi_ioas_change_process *const cmd = call->cmd;
	const struct emu_task task = {call->task->pid, emu_task_uid(call->task)};
	uint64_t of_users = 0, of_processes = 0;
	int error;

	if (cmd->reserved)
		return -EOPNOTSUPP;
	if (!are_files(call->ctx))
		return -EINVAL;
	collect(call->ctx, &task, &of_users, &of_processes);
	error = charge(call->ctx->file.emu, &task, of_users, of_processes);
	if (!error)
		return change(call->ctx, &task);
	give_up(call->ctx);
	return error;
}
