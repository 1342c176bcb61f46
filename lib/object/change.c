/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <stdlib.h>

#include "ctx.h"
#include "obstacles.h"

struct libiommu_change_list {
	size_t count;
	struct obstacle *all;
};

int libiommu_ctx_change_process(struct libiommu_ctx *ctx)
{
	struct uapi_ioas_change_process cmd = {.size = sizeof(cmd)};
	const struct backend *backend;
	int error;

	if (!ctx)
		return FAIL_NULL(ctx);
	backend = li_ctx_backend(ctx);
	error = backend_ioctl(backend, UAPI_IOC_IOAS_CHANGE_PROCESS, &cmd);
	/* With an account for each process the kernel has done it when it says so, if the process
	   before is gone; there is nothing left to do then the second time. */
	if (error == -EINVAL)
		error = backend_ioctl(backend, UAPI_IOC_IOAS_CHANGE_PROCESS, &cmd);
	return error ? FAIL_KERNEL(ctx, __func__, error, CALL_CHANGE_PROCESS, .id = 0) : 0;
}

static void add(struct libiommu_change_list *list, const struct obstacle *obstacle)
{
	list->all[list->count++] = *obstacle;
}

/* What is remembered, and room for what is not known and for the kernel. 0 or -ENOMEM. */
static int take(struct libiommu_change_list *list, struct libiommu_ctx *ctx)
{
	struct obstacles *const obstacles = li_ctx_obstacles(ctx);
	struct obstacle unknown = {.why = LIBIOMMU_CHANGE_UNKNOWN};
	const struct tree_node *node;
	uint64_t others;

	obstacles_lock(obstacles);
	others = li_ctx_others(ctx);
	list->all = calloc((obstacles ? obstacles->count : 0) + 2, sizeof(*list->all));
	if (list->all && obstacles) {
		for (node = li_tree_first(&obstacles->tree); node; node = li_tree_next(node))
			add(list, (const void *)node);
		others -= others > obstacles->bytes ? obstacles->bytes : others;
	}
	obstacles_unlock(obstacles);
	if (!list->all)
		return -ENOMEM;
	unknown.length = others;
	if (others)
		add(list, &unknown);
	return 0;
}

int libiommu_change_list_new(struct libiommu_ctx *ctx, struct libiommu_change_list **list)
{
	const struct obstacle kernel = {.why = LIBIOMMU_CHANGE_KERNEL};
	struct libiommu_change_list *made;
	uint32_t size = sizeof(size);
	int error;

	if (!ctx || !list)
		return FAIL_NULL(ctx);
	/* As libiommu_ctx_probe(): too short to be done, where the kernel knows it. */
	error = backend_ioctl(li_ctx_backend(ctx), UAPI_IOC_IOAS_CHANGE_PROCESS, &size);
	if (error != -EINVAL && error != -ENOTTY)
		return FAIL_KERNEL(ctx, __func__, error < 0 ? error : -EBADFD, CALL_PROBE, .id = 0);
	made = calloc(1, sizeof(*made));
	if (!made || take(made, ctx)) {
		libiommu_change_list_free(made);
		return FAIL_MEMORY(ctx);
	}
	if (error == -ENOTTY)
		add(made, &kernel);
	*list = made;
	return 0;
}

void libiommu_change_list_free(struct libiommu_change_list *list)
{
	if (!list)
		return;
	free(list->all);
	free(list);
}

size_t libiommu_change_list_count(const struct libiommu_change_list *list)
{
	return list ? list->count : 0;
}

/* NULL: there is none. */
static const struct obstacle *find(const struct libiommu_change_list *list, size_t index)
{
	return list && index < list->count ? &list->all[index] : NULL;
}

static int no_such(const char *operation)
{
	return FAIL_LIBRARY(NULL, operation, -EINVAL, "the list has no such obstacle", .id = 0);
}

int libiommu_change_list_obstacle(const struct libiommu_change_list *list, size_t index)
{
	const struct obstacle *const found = find(list, index);

	return found ? (int)found->why : no_such(__func__);
}

int libiommu_change_list_area(const struct libiommu_change_list *list, size_t index, uint32_t *ioas,
                              uint64_t *iova, uint64_t *length)
{
	const struct obstacle *const found = find(list, index);

	if (!ioas || !iova || !length)
		return FAIL_NULL(NULL);
	if (!found)
		return no_such(__func__);
	*ioas = found->ioas;
	*iova = found->iova;
	*length = found->length;
	return 0;
}

int libiommu_change_list_address(const struct libiommu_change_list *list, size_t index,
                                 void **address)
{
	const struct obstacle *const found = find(list, index);

	if (!address)
		return FAIL_NULL(NULL);
	if (!found)
		return no_such(__func__);
	if (found->why != LIBIOMMU_CHANGE_MEMORY)
		return FAIL_LIBRARY(NULL, __func__, -ENODATA, "it has no address",
		                    .id = found->ioas, .start = found->iova,
		                    .length = found->length);
	*address = found->address;
	return 0;
}

const char *libiommu_change_list_advice(const struct libiommu_change_list *list, size_t index)
{
	static const char *const advice[] = {
		[LIBIOMMU_CHANGE_MEMORY] =
			"memory is mapped by address: map the file that it is of, by "
			"libiommu_ioas_map_file()",
		[LIBIOMMU_CHANGE_DMABUF] =
			"a dma-buf is mapped: unmap it before, and map it again after",
		[LIBIOMMU_CHANGE_UNKNOWN] =
			"the context does not remember where so much is mapped: make it with "
			"libiommu_ctx_config_set_remember()",
		[LIBIOMMU_CHANGE_KERNEL] = "this kernel is older than 6.14",
	};
	const struct obstacle *const found = find(list, index);

	return found ? advice[found->why] : NULL;
}
