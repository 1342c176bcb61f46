/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <stdlib.h>

#include <libiommu.h>

#include "import.h"

/*
 * The objects stay another process's: their handles go, children before parents, and the kernel is
 * not asked.
 */
static void drop(struct libiommu_takeover *takeover)
{
	for (uint32_t i = takeover->entries.count; i--;) {
		void *const handle = takeover->entries.list[i].handle;

		switch (takeover->entries.list[i].kind) {
		case LIBIOMMU_OBJECT_IOAS:
			libiommu_ioas_destroy(handle);
			break;
		case LIBIOMMU_OBJECT_DEVICE:
			libiommu_device_destroy(handle);
			break;
		case LIBIOMMU_OBJECT_HWPT:
			libiommu_hwpt_destroy(handle);
			break;
		case LIBIOMMU_OBJECT_PASID_SPACE:
			libiommu_pasid_space_destroy(handle);
			break;
		case LIBIOMMU_OBJECT_FAULT_QUEUE:
			libiommu_fault_queue_destroy(handle);
			break;
		case LIBIOMMU_OBJECT_VIOMMU:
			libiommu_viommu_destroy(handle);
			break;
		case LIBIOMMU_OBJECT_VDEVICE:
			libiommu_vdevice_destroy(handle);
			break;
		case LIBIOMMU_OBJECT_HW_QUEUE:
			libiommu_hw_queue_destroy(handle);
			break;
		default:
			libiommu_veventq_destroy(handle);
		}
	}
}

void libiommu_takeover_free(struct libiommu_takeover *takeover)
{
	if (!takeover)
		return;
	if (takeover->ctx) {
		li_ctx_give_away(takeover->ctx, !takeover->owns_fds);
		drop(takeover);
		li_ctx_count(takeover->ctx, LIBIOMMU_OBJECT_HANDOVER, -1);
		libiommu_ctx_destroy(takeover->ctx);
	}
	li_entries_free(&takeover->entries);
	free(takeover);
}

static int not_taken(const struct libiommu_takeover *takeover)
{
	const struct entry *first = NULL;
	uint64_t left = 0;

	for (uint32_t i = takeover->entries.count; i--;) {
		if (takeover->entries.list[i].taken)
			continue;
		first = &takeover->entries.list[i];
		left++;
	}
	if (!first)
		return 0;
	return FAIL_LIBRARY(takeover->ctx, "libiommu_takeover_commit", -EBUSY,
	                    "objects were not taken, the first of them of this kind",
	                    .subject = li_ctx_kind_name(first->kind), .amount = left,
	                    .unit = "of them");
}

static int committed(const char *operation)
{
	return FAIL_LIBRARY(NULL, operation, -EALREADY, "it is committed", .id = 0);
}

int libiommu_takeover_commit(struct libiommu_takeover *takeover, uint32_t flags)
{
	int error;

	if (!takeover)
		return FAIL_NULL(NULL);
	if (!takeover->ctx)
		return committed(__func__);
	if (flags & ~LIBIOMMU_TAKEOVER_UNCHARGED)
		return FAIL_LIBRARY(takeover->ctx, __func__, -EINVAL, "unknown flag",
		                    .amount = flags, .unit = "are the flags");
	error = not_taken(takeover);
	if (!error && !(flags & LIBIOMMU_TAKEOVER_UNCHARGED)) {
		struct uapi_ioas_change_process cmd = {.size = sizeof(cmd)};

		error = li_sys_ioctl(li_ctx_held_door(takeover->ctx),
		                     libiommu_ctx_fd(takeover->ctx), UAPI_IOC_IOAS_CHANGE_PROCESS,
		                     &cmd);
		if (error)
			error = FAIL_KERNEL(takeover->ctx, __func__, error, CALL_CHANGE_PROCESS,
			                    .id = 0);
	}
	if (error)
		return error;
	li_ctx_release(takeover->ctx);
	li_ctx_count(takeover->ctx, LIBIOMMU_OBJECT_HANDOVER, -1);
	takeover->ctx = NULL;
	return 0;
}

int libiommu_takeover_ctx(struct libiommu_takeover *takeover, struct libiommu_ctx **ctx)
{
	if (!takeover || !ctx)
		return FAIL_NULL(takeover ? takeover->ctx : NULL);
	if (!takeover->ctx)
		return committed(__func__);
	*ctx = takeover->ctx;
	return 0;
}

int libiommu_takeover_count(const struct libiommu_takeover *takeover,
                            enum libiommu_object_kind kind, size_t *count)
{
	if (!takeover || !count)
		return FAIL_NULL(takeover ? takeover->ctx : NULL);
	*count = (unsigned int)kind < ENTRY_KINDS ? takeover->entries.counts[kind] : 0;
	return 0;
}

int libiommu_takeover_key(const struct libiommu_takeover *takeover, enum libiommu_object_kind kind,
                          size_t index, uint64_t *key)
{
	const struct entry *entry;

	if (!takeover || !key)
		return FAIL_NULL(takeover ? takeover->ctx : NULL);
	entry = li_entries_at(&takeover->entries, kind, index);
	if (!entry)
		return FAIL_LIBRARY(takeover->ctx, __func__, -ENOENT, "there are not so many",
		                    .id = 0);
	*key = entry->key;
	return 0;
}

/* The handle under the key, which is the program's now. */
static int take(struct libiommu_takeover *takeover, const char *operation,
                enum libiommu_object_kind kind, uint64_t key, void **handle)
{
	struct entry *entry;

	if (!takeover->ctx)
		return committed(operation);
	entry = li_entries_find(&takeover->entries, kind, key);
	if (!entry)
		return FAIL_LIBRARY(takeover->ctx, operation, -ENOENT, "nothing has this key",
		                    .amount = key, .unit = "is the key");
	entry->taken = true;
	*handle = entry->handle;
	return 0;
}

/* They differ in nothing but their name and type. */
#define DEFINE_TAKE(object, kind)                                                                  \
	int libiommu_takeover_##object(struct libiommu_takeover *takeover, uint64_t key,           \
	                               struct libiommu_##object **handle)                          \
	{                                                                                          \
		void *found = NULL;                                                                \
		int error;                                                                         \
                                                                                                   \
		if (!takeover || !handle)                                                          \
			return FAIL_NULL(takeover ? takeover->ctx : NULL);                         \
		error = take(takeover, __func__, LIBIOMMU_OBJECT_##kind, key, &found);             \
		if (!error)                                                                        \
			*handle = found;                                                           \
		return error;                                                                      \
	}

DEFINE_TAKE(ioas, IOAS)
DEFINE_TAKE(fault_queue, FAULT_QUEUE)
DEFINE_TAKE(hwpt, HWPT)
DEFINE_TAKE(viommu, VIOMMU)
DEFINE_TAKE(pasid_space, PASID_SPACE)
DEFINE_TAKE(device, DEVICE)
DEFINE_TAKE(vdevice, VDEVICE)
DEFINE_TAKE(veventq, VEVENTQ)
DEFINE_TAKE(hw_queue, HW_QUEUE)
