/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ctx.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <libiommu/version.h>

#include "../backend/type1.h"
#include "../base/sys-hold.h"
#include "../base/uapi/iommufd.h"
#include "ctx-config.h"
#include "ctx-open.h"
#include "group.h"
#include "obstacles.h"
#include "registry.h"

#define KINDS (LIBIOMMU_OBJECT_VDPA + 1)

struct libiommu_ctx {
	struct backend backend;
	struct libiommu_sys *sys;
	bool given;                /* away */
	struct libiommu_sys *door; /* while it is held, and once it is given: what @sys was */
	struct failure_log log;
	bool own_fd;
	atomic_uint_least64_t live[KINDS];
	atomic_int_least64_t mapped;
	atomic_int_least64_t others; /* of these, not from files of memory */
	struct obstacles *obstacles; /* NULL: not remembered */
	struct registry devices;
	struct group_list groups;
};

const char *libiommu_version(void)
{
	return LIBIOMMU_VERSION_STRING;
}

int libiommu_ctx_new(const struct libiommu_ctx_config *config, struct libiommu_ctx **ctx)
{
	const struct ctx_choices choices = li_ctx_choices(config);
	struct libiommu_ctx *made;
	int error;

	if (!ctx)
		return FAIL_NULL(NULL);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY(NULL);
	made->sys = li_sys_copy(choices.sys);
	if (!made->sys) {
		free(made);
		return FAIL_MEMORY(NULL);
	}
	if (choices.remember) {
		made->obstacles = li_obstacles_new();
		if (!made->obstacles) {
			libiommu_sys_free(made->sys);
			free(made);
			return FAIL_MEMORY(NULL);
		}
	}
	error = li_ctx_open(made->sys, &choices, __func__, &made->backend);
	if (error) {
		li_obstacles_free(made->obstacles);
		libiommu_sys_free(made->sys);
		free(made);
		return error;
	}
	made->log = choices.log;
	made->own_fd = choices.fd < 0 || choices.mode != LIBIOMMU_FD_BORROW;
	for (size_t i = 0; i < KINDS; i++)
		atomic_init(&made->live[i], 0);
	atomic_init(&made->mapped, 0);
	atomic_init(&made->others, 0);
	li_registry_init(&made->devices);
	li_group_list_init(&made->groups);
	*ctx = made;
	return 0;
}

static const char *const kind_names[KINDS] = {
	[LIBIOMMU_OBJECT_IOAS] = "IOAS",
	[LIBIOMMU_OBJECT_DEVICE] = "device",
	[LIBIOMMU_OBJECT_HWPT] = "HWPT",
	[LIBIOMMU_OBJECT_BAR_MAP] = "mapped BAR",
	[LIBIOMMU_OBJECT_PASID_SPACE] = "PASID space",
	[LIBIOMMU_OBJECT_FAULT_QUEUE] = "fault queue",
	[LIBIOMMU_OBJECT_RING] = "fault ring",
	[LIBIOMMU_OBJECT_VIOMMU] = "vIOMMU",
	[LIBIOMMU_OBJECT_VIOMMU_MAP] = "mapping of a vIOMMU",
	[LIBIOMMU_OBJECT_VDEVICE] = "virtual device",
	[LIBIOMMU_OBJECT_HW_QUEUE] = "hardware queue",
	[LIBIOMMU_OBJECT_VEVENTQ] = "virtual event queue",
	[LIBIOMMU_OBJECT_KVM] = "KVM-VFIO device",
	[LIBIOMMU_OBJECT_HANDOVER] = "handover",
	[LIBIOMMU_OBJECT_DMA_SPACE] = "DMA space",
	[LIBIOMMU_OBJECT_VDPA] = "vDPA device",
};

const char *li_ctx_kind_name(enum libiommu_object_kind kind)
{
	return kind_names[kind];
}

void li_ctx_list_kinds(const uint64_t *counts, size_t kinds, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < kinds && used < size; i++)
		if (counts[i])
			used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64 " %s",
			                         used ? ", " : "", counts[i], kind_names[i]);
}

/* How many objects are left of each kind, in words; "" when none are. */
static void list_left(struct libiommu_ctx *ctx, char *text, size_t size)
{
	uint64_t counts[KINDS];

	for (size_t i = 0; i < KINDS; i++)
		counts[i] = atomic_load(&ctx->live[i]);
	li_ctx_list_kinds(counts, KINDS, text, size);
}

int libiommu_ctx_destroy(struct libiommu_ctx *ctx)
{
	char left[160];

	if (!ctx)
		return 0;
	list_left(ctx, left, sizeof(left));
	if (left[0])
		return FAIL_LIBRARY(ctx, __func__, -EBUSY, "what was made from it still exists",
		                    .subject = left);
	if (ctx->own_fd)
		li_sys_close(ctx->sys, ctx->backend.fd);
	li_type1_free(ctx->backend.type1);
	li_group_list_free(&ctx->groups);
	li_registry_free(&ctx->devices);
	li_obstacles_free(ctx->obstacles);
	libiommu_sys_free(ctx->door);
	libiommu_sys_free(ctx->sys);
	free(ctx);
	return 0;
}

int libiommu_ctx_backend(const struct libiommu_ctx *ctx)
{
	if (!ctx)
		return FAIL_NULL(NULL);
	if (!ctx->backend.type1)
		return LIBIOMMU_BACKEND_IOMMUFD;
	return ctx->backend.type1->spapr ? LIBIOMMU_BACKEND_SPAPR : LIBIOMMU_BACKEND_TYPE1;
}

int libiommu_ctx_fd(const struct libiommu_ctx *ctx)
{
	return ctx ? ctx->backend.fd : FAIL_NULL(NULL);
}

int libiommu_ctx_live(const struct libiommu_ctx *ctx, enum libiommu_object_kind kind,
                      uint64_t *count)
{
	if (!ctx || !count)
		return FAIL_NULL(ctx);
	if ((unsigned int)kind >= KINDS)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "unknown kind of object", .id = 0);
	*count = atomic_load(&ctx->live[kind]);
	return 0;
}

int libiommu_ctx_mapped(const struct libiommu_ctx *ctx, uint64_t *bytes)
{
	if (!ctx || !bytes)
		return FAIL_NULL(ctx);
	*bytes = li_ctx_mapped(ctx);
	return 0;
}

int libiommu_ctx_set_rlimit_mode(struct libiommu_ctx *ctx, enum libiommu_rlimit_mode mode)
{
	struct uapi_option cmd = {
		.size = sizeof(cmd),
		.option_id = UAPI_OPTION_RLIMIT_MODE,
		.op = UAPI_OPTION_OP_SET,
		.val64 = mode,
	};
	int error;

	if (!ctx)
		return FAIL_NULL(ctx);
	if ((unsigned int)mode > LIBIOMMU_RLIMIT_PER_PROCESS)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "unknown mode", .id = 0);
	/* As a container does anyway. */
	if (ctx->backend.type1 && mode == LIBIOMMU_RLIMIT_PER_PROCESS)
		return 0;
	error = backend_ioctl(&ctx->backend, UAPI_IOC_OPTION, &cmd);
	return error ? FAIL_KERNEL(ctx, __func__, error, CALL_OPTION, .id = 0) : 0;
}

int libiommu_ctx_get_rlimit_mode(struct libiommu_ctx *ctx, enum libiommu_rlimit_mode *mode)
{
	struct uapi_option cmd = {
		.size = sizeof(cmd),
		.option_id = UAPI_OPTION_RLIMIT_MODE,
		.op = UAPI_OPTION_OP_GET,
	};
	int error;

	if (!ctx || !mode)
		return FAIL_NULL(ctx);
	if (ctx->backend.type1) {
		*mode = LIBIOMMU_RLIMIT_PER_PROCESS;
		return 0;
	}
	error = backend_ioctl(&ctx->backend, UAPI_IOC_OPTION, &cmd);
	if (error)
		return FAIL_KERNEL(ctx, __func__, error, CALL_OPTION, .id = 0);
	*mode = cmd.val64 ? LIBIOMMU_RLIMIT_PER_PROCESS : LIBIOMMU_RLIMIT_PER_USER;
	return 0;
}

int li_ctx_hold(struct libiommu_ctx *ctx)
{
	if (ctx->door)
		return -EALREADY;
	ctx->door = li_sys_copy(ctx->sys);
	if (!ctx->door)
		return -ENOMEM;
	li_sys_hold(ctx->sys);
	return 0;
}

void li_ctx_release(struct libiommu_ctx *ctx)
{
	li_sys_assign(ctx->sys, ctx->door);
	libiommu_sys_free(ctx->door);
	ctx->door = NULL;
}

void li_ctx_give_away(struct libiommu_ctx *ctx, bool keep_fds)
{
	li_sys_give_away(ctx->sys, keep_fds);
	ctx->given = true;
}

bool li_ctx_is_given(const struct libiommu_ctx *ctx)
{
	return ctx->given;
}

int li_ctx_check_open(const struct libiommu_ctx *ctx, const char *operation, bool for_good)
{
	if (ctx->given ? !for_good : !ctx->door)
		return 0;
	return FAIL_KERNEL(ctx, operation, -ESHUTDOWN, CALL_NONE, .id = 0);
}

const struct libiommu_sys *li_ctx_held_door(const struct libiommu_ctx *ctx)
{
	return ctx->given ? NULL : ctx->door;
}

const struct libiommu_sys *li_ctx_own_door(const struct libiommu_ctx *ctx)
{
	return ctx->door ? ctx->door : ctx->sys;
}

const struct backend *li_ctx_backend(const struct libiommu_ctx *ctx)
{
	return &ctx->backend;
}

const struct failure_log *li_ctx_log(const struct libiommu_ctx *ctx)
{
	return ctx ? &ctx->log : NULL;
}

int li_ctx_failure(const struct libiommu_ctx *ctx, const char *operation, int error,
                   enum failure_call call, const struct failure_detail *detail)
{
	if (error == -ESHUTDOWN && ctx && (ctx->door || ctx->given))
		return li_failure_library(&ctx->log, operation, error,
		                          "the context is being handed over, or was", detail);
	/* Nobody was asked: see backend_ioctl(). What devices and groups say is the kernel's. */
	if (error == -EOPNOTSUPP && ctx && ctx->backend.type1 && call < CALL_REGION &&
	    call != CALL_GROUP)
		return li_failure_library(&ctx->log, operation, error,
		                          "this takes iommufd, and the context is on VFIO's legacy "
		                          "containers (libiommu_ctx_backend())",
		                          detail);
	return li_failure_kernel(li_ctx_log(ctx), operation, error, call, detail);
}

int li_ctx_refusal(const struct libiommu_ctx *ctx, const char *operation,
                   const struct refusal *refusal, const struct failure_detail *detail)
{
	if (refusal->call == CALL_NONE)
		return li_failure_library(li_ctx_log(ctx), operation, refusal->error, refusal->text,
		                          detail);
	return li_ctx_failure(ctx, operation, refusal->error, refusal->call, detail);
}

struct registry *li_ctx_registry(struct libiommu_ctx *ctx)
{
	return &ctx->devices;
}

struct group_list *li_ctx_groups(struct libiommu_ctx *ctx)
{
	return &ctx->groups;
}

void li_ctx_count(struct libiommu_ctx *ctx, enum libiommu_object_kind kind, int change)
{
	atomic_fetch_add(&ctx->live[kind], (uint64_t)(int64_t)change);
}

void li_ctx_count_mapped(struct libiommu_ctx *ctx, int64_t bytes)
{
	atomic_fetch_add_explicit(&ctx->mapped, bytes, memory_order_relaxed);
}

uint64_t li_ctx_mapped(const struct libiommu_ctx *ctx)
{
	const int64_t mapped = atomic_load_explicit(&ctx->mapped, memory_order_relaxed);

	/* What was mapped by others and unmapped through an adopted handle counts below nothing. */
	return mapped > 0 ? (uint64_t)mapped : 0;
}

void li_ctx_count_others(struct libiommu_ctx *ctx, int64_t bytes)
{
	atomic_fetch_add_explicit(&ctx->others, bytes, memory_order_relaxed);
}

uint64_t li_ctx_others(const struct libiommu_ctx *ctx)
{
	const int64_t others = atomic_load_explicit(&ctx->others, memory_order_relaxed);

	return others > 0 ? (uint64_t)others : 0;
}

struct obstacles *li_ctx_obstacles(struct libiommu_ctx *ctx)
{
	return ctx->obstacles;
}
