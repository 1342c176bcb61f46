/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "engine.h"

#include <errno.h>

#include "../lib/base/uapi/fault.h"
#include "fault.h"

/* As many as PCI has numbers for. */
#define GROUPS 512

static void run(struct emu_engine *engine);

static void answered(void *user, struct emu_dev *dev, uint32_t pasid, uint32_t group, uint32_t code)
{
	struct emu_engine *const engine = user;

	(void)dev;
	(void)pasid;
	if (!engine->waiting || group != engine->group)
		return;
	engine->waiting = false;
	if (code == UAPI_PAGE_RESP_SUCCESS)
		run(engine);
	else
		engine->finished(engine, -EFAULT);
}

static void ask(struct emu_engine *engine)
{
	struct emu_page_request request = {
		.address = (engine->iova + engine->done) & ~(EMU_PAGE - 1),
		.pasid = engine->pasid,
		.has_pasid = engine->pasid,
		.permissions = engine->access & EMU_WRITE ? UAPI_PGFAULT_PERM_WRITE
	                                                  : UAPI_PGFAULT_PERM_READ,
		.last = true,
	};

	engine->group = engine->dev->next_group++ % GROUPS;
	engine->waiting = true;
	request.group = engine->group;
	/* Whatever becomes of it, it is answered. */
	emu_fault_report(engine->dev, &request, 1, answered, engine);
}

static void run(struct emu_engine *engine)
{
	size_t done = 0;
	int error;

	error = emu_dev_dma(engine->dev, engine->pasid, engine->iova + engine->done,
	                    engine->buffer + engine->done, engine->length - engine->done,
	                    engine->access, &done);
	engine->done += done;
	if (error == -EFAULT && engine->dev->page_requests)
		ask(engine);
	else
		engine->finished(engine, error);
}

void emu_engine_start(struct emu_engine *engine)
{
	engine->done = 0;
	run(engine);
}

void emu_engine_stop(struct emu_engine *engine)
{
	engine->waiting = false;
}
