/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "slots.h"

#include <errno.h>
#include <stdlib.h>

int li_slots_init(struct slots *slots, uint32_t count)
{
	slots->slot = calloc(count, sizeof(*slots->slot));
	if (!slots->slot)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		slots->slot[i].newer = i + 1 < count ? &slots->slot[i + 1] : NULL;
		slots->slot[i].token = i;
	}
	slots->count = count;
	slots->mask = count - 1;
	slots->busy = 0;
	slots->free = slots->slot;
	slots->ends.older = &slots->ends;
	slots->ends.newer = &slots->ends;
	return 0;
}

void li_slots_free(struct slots *slots)
{
	free(slots->slot);
}
