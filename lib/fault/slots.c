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
		slots->slot[i].newer = i + 1 < count ? i + 1 : SLOT_NONE;
		/* No token is 0, which records have that nobody need complete. */
		slots->slot[i].generation = 1;
	}
	slots->count = count;
	slots->busy = 0;
	slots->oldest = SLOT_NONE;
	slots->newest = SLOT_NONE;
	slots->free = 0;
	return 0;
}

void li_slots_free(struct slots *slots)
{
	free(slots->slot);
}
