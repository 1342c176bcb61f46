/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "inject.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct injected {
	struct injected *next;
	libiommu_ring_answer_fn answer;
	void *user;
	uint32_t code;
	uint32_t count;
	struct libiommu_record records[];
};

struct list {
	struct injected *first;
	struct injected **end;
};

struct inject {
	struct source source;
	pthread_mutex_t lock;
	size_t limit;
	size_t count; /* waiting */
	struct list waiting;
	struct list answered;
};

static void init_list(struct list *list)
{
	list->first = NULL;
	list->end = &list->first;
}

static void append(struct list *list, struct injected *group)
{
	group->next = NULL;
	*list->end = group;
	list->end = &group->next;
}

static struct injected *take_first(struct list *list)
{
	struct injected *const group = list->first;

	list->first = group->next;
	if (!list->first)
		list->end = &list->first;
	return group;
}

static int fetch(void *self, struct fault_out *out)
{
	struct inject *const inject = self;
	int error = 0;

	pthread_mutex_lock(&inject->lock);
	while (inject->waiting.first && out->groups < out->max_groups) {
		struct injected *const group = inject->waiting.first;

		if (group->count > out->room) {
			out->need = group->count;
			error = out->groups ? 0 : -ENOBUFS;
			break;
		}
		take_first(&inject->waiting);
		inject->count--;
		memcpy(out->records, group->records, group->count * sizeof(group->records[0]));
		/* The cookie is the ring's alone, and comes back exactly once. */
		fault_out_put(out, (uintptr_t)group, group->count);
	}
	pthread_mutex_unlock(&inject->lock);
	return error;
}

static int answer(void *self, const struct libiommu_fault_response *answers, size_t count)
{
	struct inject *const inject = self;

	pthread_mutex_lock(&inject->lock);
	for (size_t i = 0; i < count; i++) {
		struct injected *const group = (void *)(uintptr_t)answers[i].token;

		group->code = answers[i].code;
		append(&inject->answered, group);
	}
	pthread_mutex_unlock(&inject->lock);
	return 0;
}

/* Nothing is detached here. */
static bool wants(void *self, uint64_t cookie)
{
	(void)self;
	(void)cookie;
	return true;
}

static int refuse(void *self, size_t max)
{
	struct inject *const inject = self;
	int refused = 0;

	pthread_mutex_lock(&inject->lock);
	for (; inject->waiting.first && max; max--) {
		struct injected *const group = take_first(&inject->waiting);

		group->code = LIBIOMMU_FAULT_INVALID;
		append(&inject->answered, group);
		inject->count--;
		refused++;
	}
	pthread_mutex_unlock(&inject->lock);
	return refused;
}

static const struct source_ops inject_ops = {
	.fetch = fetch,
	.answer = answer,
	.wants = wants,
	.refuse = refuse,
};

int li_inject_new(size_t limit, struct inject **inject)
{
	struct inject *const made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->source = (struct source){.ops = &inject_ops, .self = made, .fd = -1};
	made->limit = limit;
	init_list(&made->waiting);
	init_list(&made->answered);
	pthread_mutex_init(&made->lock, NULL);
	*inject = made;
	return 0;
}

void li_inject_free(struct inject *inject)
{
	refuse(inject, SIZE_MAX);
	li_inject_settle(inject);
	pthread_mutex_destroy(&inject->lock);
	free(inject);
}

struct source *li_inject_source(struct inject *inject)
{
	return &inject->source;
}

int li_inject_add(struct inject *inject, const struct libiommu_record *records, size_t count,
                  libiommu_ring_answer_fn fn, void *user)
{
	struct injected *const group = malloc(sizeof(*group) + count * sizeof(*records));
	int error = 0;

	if (!group)
		return -ENOMEM;
	group->answer = fn;
	group->user = user;
	group->count = (uint32_t)count;
	memcpy(group->records, records, count * sizeof(*records));
	for (size_t i = 0; i < count; i++) {
		group->records[i].kind = LIBIOMMU_RECORD_FAULT;
		group->records[i].flags &= LIBIOMMU_RECORD_PASID | LIBIOMMU_RECORD_SHARED_GROUP;
		group->records[i].flags |= LIBIOMMU_RECORD_INJECTED;
	}
	group->records[count - 1].flags |= LIBIOMMU_RECORD_LAST;
	pthread_mutex_lock(&inject->lock);
	if (inject->count == inject->limit) {
		error = -EAGAIN;
	} else {
		append(&inject->waiting, group);
		inject->count++;
	}
	pthread_mutex_unlock(&inject->lock);
	if (error)
		free(group);
	return error;
}

void li_inject_settle(struct inject *inject)
{
	struct list done;

	pthread_mutex_lock(&inject->lock);
	done.first = inject->answered.first;
	init_list(&inject->answered);
	pthread_mutex_unlock(&inject->lock);
	while (done.first) {
		struct injected *const group = done.first;

		done.first = group->next;
		group->answer(group->user, (enum libiommu_fault_code)group->code);
		free(group);
	}
}
