/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * An image is as good as who wrote it: every length, number and reference is looked at before it
 * is used, and the kernel is not asked for anything.
 */
#include "import.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "../object/ctx-config.h"

int li_import_bad(struct import *in, const char *text)
{
	in->text = text;
	return -EBADMSG;
}

void *li_import_find(struct import *in, uint32_t number, enum libiommu_object_kind kind)
{
	const struct entries *const entries = &in->to->entries;

	if (number < entries->count && entries->list[number].kind == kind)
		return entries->list[number].handle;
	in->text = "an entry refers to one that is not there, or of another kind";
	return NULL;
}

int li_import_fd(struct import *in, uint32_t place)
{
	if (place >= in->fd_count || in->fd_used[place])
		return li_import_bad(in, "a descriptor that is not there, or somebody else's");
	in->fd_used[place] = true;
	return in->fds[place];
}

int li_import_check_id(struct import *in, uint32_t id)
{
	if (!id || id > INT32_MAX)
		return li_import_bad(in, "an id that no kernel gives");
	return 0;
}

static int read_entry(struct import *in)
{
	struct entry_header header;
	struct walk part;
	int error;

	li_entry_header(&in->walk, &header);
	part = li_walk_part(&in->walk, header.length);
	if (in->walk.failed)
		return li_import_bad(in, "it ends inside an entry");
	error = header.kind == ENTRY_GROUPS ? li_import_groups(in, &part)
	                                    : li_import_entry(in, &header, &part);
	if (!error && part.failed)
		error = li_import_bad(in, "a record ends too early");
	if (!error && li_walk_left(&part)) {
		in->text = "a record has more than this library knows";
		error = -E2BIG;
	}
	return error;
}

/* The numbers of the descriptors, where they are not given, and each of them once. */
static int read_fds(struct import *in, uint32_t count, int *numbers)
{
	struct index seen = {0};
	int error = 0;

	for (uint32_t i = 0; i < count && !error; i++) {
		uint32_t number;

		li_walk_u32(&in->walk, &number);
		numbers[i] = in->fds ? in->fds[i] : (int)number;
		if (number > INT_MAX || numbers[i] < 0)
			error = li_import_bad(in, "a number that no descriptor has");
		else if (li_index_find(&seen, 0, (uint64_t)numbers[i]) != INDEX_NONE)
			error = li_import_bad(in, "a descriptor twice");
		else if (!li_index_reserve(&seen))
			error = -ENOMEM;
		else
			li_index_add(&seen, 0, (uint64_t)numbers[i], i);
	}
	li_index_free(&seen);
	in->fds = numbers;
	in->fd_count = count;
	return error;
}

static int check_header(struct import *in, const struct image_header *header)
{
	if (in->walk.failed || header->magic != IMAGE_MAGIC)
		return li_import_bad(in, "it is no image of a context");
	if (header->version > IMAGE_VERSION) {
		in->text = "it was written by a newer library";
		return -EOPNOTSUPP;
	}
	if (header->version != IMAGE_VERSION || header->reserved || header->size != in->walk.size)
		return li_import_bad(in, "its header is damaged");
	if (!header->descriptors || header->descriptors > li_walk_left(&in->walk) / 4)
		return li_import_bad(in, "it has not the descriptors that it says");
	if (in->fds && in->fd_count != header->descriptors) {
		in->text = "it has not as many descriptors as were given";
		return -EINVAL;
	}
	return 0;
}

/* A context on the first descriptor, which nobody else can use yet. */
static int open_ctx(struct import *in, const struct libiommu_ctx_config *config)
{
	const struct ctx_choices choices = li_ctx_choices(config);
	struct libiommu_ctx_config *own;
	struct libiommu_ctx *ctx;
	int error;

	error = libiommu_ctx_config_new(&own);
	if (error)
		return error;
	libiommu_ctx_config_set_log(own, choices.log.log, choices.log.user);
	error = libiommu_ctx_config_set_sys(own, choices.sys);
	if (!error)
		error = libiommu_ctx_config_set_fd(own, li_import_fd(in, 0), LIBIOMMU_FD_OWN);
	if (!error)
		error = libiommu_ctx_new(own, &ctx);
	libiommu_ctx_config_free(own);
	if (error)
		return error;
	error = li_ctx_hold(ctx);
	if (error) {
		li_ctx_give_away(ctx, true);
		libiommu_ctx_destroy(ctx);
		return error;
	}
	in->to->ctx = ctx;
	li_ctx_count(ctx, LIBIOMMU_OBJECT_HANDOVER, 1);
	return 0;
}

/* They are this process's, and not its children's. What was open stays open. */
static int claim_fds(struct import *in)
{
	for (uint32_t i = 0; i < in->fd_count; i++) {
		const int error = li_sys_cloexec(li_ctx_held_door(in->to->ctx), in->fds[i], true);

		if (error) {
			in->text = "one of its descriptors is not open";
			return error;
		}
	}
	return 0;
}

static int read_image(struct import *in, const struct libiommu_ctx_config *config)
{
	struct image_header header = {0};
	int *numbers = NULL;
	int error;

	li_image_header(&in->walk, &header);
	error = check_header(in, &header);
	if (error)
		return error;
	numbers = malloc(header.descriptors * sizeof(*numbers));
	in->fd_used = calloc(header.descriptors, sizeof(*in->fd_used));
	if (numbers && in->fd_used)
		error = read_fds(in, header.descriptors, numbers);
	else
		error = -ENOMEM;
	if (!error)
		error = open_ctx(in, config);
	for (uint32_t i = 0; i < header.entries && !error; i++)
		error = read_entry(in);
	if (!error && li_walk_left(&in->walk))
		error = li_import_bad(in, "there is something behind the last entry");
	for (uint32_t i = 0; i < in->fd_count && !error; i++)
		if (!in->fd_used[i])
			error = li_import_bad(in, "a descriptor is nobody's");
	if (!error)
		error = claim_fds(in);
	free(in->fd_used);
	free(numbers);
	return error;
}

int li_takeover_load(const struct libiommu_ctx_config *config, const char *operation,
                     const void *image, size_t size, const int *fds, size_t count, bool owns_fds,
                     struct libiommu_takeover **takeover)
{
	const struct ctx_choices choices = li_ctx_choices(config);
	struct import in = {.walk = li_walk_reader(image, size), .fds = fds};
	int error;

	if (count > UINT32_MAX)
		return FAIL_NULL_IN(NULL, operation);
	in.fd_count = (uint32_t)count;
	in.to = calloc(1, sizeof(*in.to));
	if (!in.to)
		return FAIL_MEMORY_IN(NULL, operation);
	error = read_image(&in, config);
	if (!error) {
		in.to->owns_fds = owns_fds;
		*takeover = in.to;
		return 0;
	}
	libiommu_takeover_free(in.to);
	return li_failure_library(
		&choices.log, operation, error, in.text ? in.text : "no memory",
		&(const struct failure_detail){.amount = size, .unit = "bytes of image"});
}

int libiommu_takeover_load(const struct libiommu_ctx_config *config, const void *image, size_t size,
                           const int *fds, size_t count, struct libiommu_takeover **takeover)
{
	if (!image || (!fds && count) || !takeover)
		return FAIL_NULL(NULL);
	return li_takeover_load(config, __func__, image, size, fds, count, false, takeover);
}
