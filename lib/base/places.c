/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "places.h"

#include <errno.h>
#include <stdlib.h>

int li_places_init(struct places *places, uint32_t count)
{
	places->place = calloc(count, sizeof(*places->place));
	if (!places->place)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		places->place[i].newer = i + 1 < count ? &places->place[i + 1] : NULL;
		places->place[i].token = i;
	}
	places->count = count;
	places->mask = count - 1;
	places->busy = 0;
	places->free = places->place;
	places->ends.older = &places->ends;
	places->ends.newer = &places->ends;
	return 0;
}

void li_places_free(struct places *places)
{
	free(places->place);
}
