/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* NOIOMMU_GET_PA: where memory lies that a device without an IOMMU is to be told of. */
#include <errno.h>

#include "../lib/base/uapi/iommufd.h"
#include "account.h"
#include "area.h"
#include "noiommu.h"

/* How far the memory goes on in one piece. The kernel looks at the beginning of each page. */
static uint64_t contiguous(struct emu_domain *domain, const struct emu_area *area, uint64_t iova,
                           uint64_t most)
{
	const uint64_t last = area->iova.last;
	uint64_t length = EMU_PAGE - iova % EMU_PAGE;
	emu_phys phys = domain->ops->phys(domain, iova);

	if (length > last - iova + 1)
		length = last - iova + 1;
	while (length < most && iova < last && last - iova >= EMU_PAGE) {
		const emu_phys next = domain->ops->phys(domain, iova + EMU_PAGE);

		if (next != phys + EMU_PAGE)
			break;
		iova += EMU_PAGE;
		phys = next;
		length += EMU_PAGE;
	}
	return length < most ? length : most;
}

static int get_pa(const struct emu_ioas *ioas, struct uapi_ioas_noiommu_get_pa *cmd)
{
	const struct emu_area *const area = emu_area_at(ioas, cmd->iova, cmd->iova);
	struct emu_domain *domain;

	if (!area)
		return -ENOENT;
	if (area->pages->revoked)
		return -EINVAL;
	if (!area->filled || ioas->domains[0]->iommu != emu_noiommu())
		return -EOPNOTSUPP;
	domain = ioas->domains[0];
	cmd->out_phys = domain->ops->phys(domain, cmd->iova);
	cmd->length = contiguous(domain, area, cmd->iova, cmd->length);
	return 0;
}

int emu_ioas_noiommu_get_pa(struct emu_call *call)
{
	struct uapi_ioas_noiommu_get_pa *const cmd = call->cmd;
	const struct emu_ioas *ioas;
	int error;

	if (!emu_task_is_root(call->task))
		return -EPERM;
	if (cmd->flags || cmd->reserved)
		return -EOPNOTSUPP;
	if (!cmd->length)
		return -EINVAL;
	if (cmd->iova == UINT64_MAX)
		return -EOVERFLOW;
	ioas = emu_ioas_find(call->ctx, cmd->ioas_id);
	if (!ioas)
		return -ENOENT;
	error = get_pa(ioas, cmd);
	return error ? error : emu_call_respond(call);
}
