/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ring-source.h"

#include <errno.h>

#include "../object/ctx.h"
#include "ring.h"

void li_ring_sources_init(struct ring_sources *sources)
{
	pthread_mutex_init(&sources->lock, NULL);
	sources->first = NULL;
}

static void let_go(struct filler *filler, struct ring_source *source)
{
	li_filler_remove(filler, &source->source);
	source->end(source);
}

void li_ring_sources_free(struct ring_sources *sources, struct filler *filler)
{
	while (sources->first) {
		struct ring_source *const source = sources->first;

		sources->first = source->next;
		let_go(filler, source);
	}
	pthread_mutex_destroy(&sources->lock);
}

int li_ring_sources_add(struct libiommu_ring *ring, struct ring_source *source)
{
	struct ring_sources *const sources = li_ring_sources(ring);
	int error;

	pthread_mutex_lock(&sources->lock);
	error = li_filler_add(li_ring_filler(ring), &source->source);
	if (!error) {
		source->next = sources->first;
		sources->first = source;
	}
	pthread_mutex_unlock(&sources->lock);
	if (error)
		source->end(source);
	return error;
}

int li_ring_sources_remove(struct libiommu_ring *ring, const void *of)
{
	struct ring_sources *const sources = li_ring_sources(ring);
	struct ring_source *found = NULL;

	pthread_mutex_lock(&sources->lock);
	for (struct ring_source **link = &sources->first; *link && !found;) {
		if ((*link)->of == of) {
			found = *link;
			*link = found->next;
		} else {
			link = &(*link)->next;
		}
	}
	pthread_mutex_unlock(&sources->lock);
	if (!found)
		return -ENOENT;
	let_go(li_ring_filler(ring), found);
	return 0;
}

int li_ring_add_failed(struct libiommu_ctx *ctx, const char *operation, int error, uint32_t id)
{
	const char *text = NULL;

	switch (error) {
	case -ENOMEM:
		return FAIL_MEMORY_IN(ctx, operation);
	case -EBUSY:
		text = "a ring has the queue already";
		break;
	case -EBADF:
		text = "the queue's descriptor was closed by a destroy that failed";
		break;
	case -ENOSPC:
		text = "the ring has as many sources as it can have";
		break;
	}
	if (text)
		return FAIL_LIBRARY(ctx, operation, error, text, .id = id);
	return FAIL_KERNEL(ctx, operation, error, CALL_RING, .id = id);
}
