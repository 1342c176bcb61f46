/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_CTX_H
#define LIBIOMMU_OBJECT_CTX_H

#include <libiommu/ctx.h>

#include "../backend/backend.h"
#include "../base/failure.h"

struct group_list;
struct registry;

/* The context's way to the kernel. */
const struct backend *li_ctx_backend(const struct libiommu_ctx *ctx);
/* Where failures are told; @ctx may be NULL. */
const struct failure_log *li_ctx_log(const struct libiommu_ctx *ctx);

/* Count an object in, or out with -1. */
void li_ctx_count(struct libiommu_ctx *ctx, enum libiommu_object_kind kind, int change);
/* "IOAS", for example. */
const char *li_ctx_kind_name(enum libiommu_object_kind kind);
/* How many there are of each of the first kinds, in words; "" when there is nothing. */
void li_ctx_list_kinds(const uint64_t *counts, size_t kinds, char *text, size_t size);
/* Count mapped bytes in, or out. */
void li_ctx_count_mapped(struct libiommu_ctx *ctx, int64_t bytes);
uint64_t li_ctx_mapped(const struct libiommu_ctx *ctx);
/* The same of what does not come from files of memory. */
void li_ctx_count_others(struct libiommu_ctx *ctx, int64_t bytes);
uint64_t li_ctx_others(const struct libiommu_ctx *ctx);
/* NULL: it was not made to remember them. */
struct obstacles *li_ctx_obstacles(struct libiommu_ctx *ctx);

/*
 * Nothing reaches the kernel until it is released; nobody else calls anything of the context
 * meanwhile. 0, -ENOMEM, or -EALREADY while it is held.
 */
int li_ctx_hold(struct libiommu_ctx *ctx);
void li_ctx_release(struct libiommu_ctx *ctx);
/* Held, for good: handles are destroyed without the kernel being asked. See sys-hold.h. */
void li_ctx_give_away(struct libiommu_ctx *ctx, bool keep_fds);
bool li_ctx_is_given(const struct libiommu_ctx *ctx);
/*
 * For a call that could change what goes over without asking the kernel. 0; -ESHUTDOWN, which is
 * recorded, while the context is held, and with @for_good after it was given away too.
 */
int li_ctx_check_open(const struct libiommu_ctx *ctx, const char *operation, bool for_good);
/* The door as it is when the context is not held; NULL after it was given away. */
const struct libiommu_sys *li_ctx_held_door(const struct libiommu_ctx *ctx);
/* The same at any time, for what stays this process's whatever becomes of the context. */
const struct libiommu_sys *li_ctx_own_door(const struct libiommu_ctx *ctx);

struct registry *li_ctx_registry(struct libiommu_ctx *ctx);
struct group_list *li_ctx_groups(struct libiommu_ctx *ctx);

/* li_failure_kernel(), unless it was not asked because the context is held. @ctx may be NULL. */
int li_ctx_failure(const struct libiommu_ctx *ctx, const char *operation, int error,
                   enum failure_call call, const struct failure_detail *detail);
/* Why a backend or a region says no; what else there is to tell is in @detail. */
int li_ctx_refusal(const struct libiommu_ctx *ctx, const char *operation,
                   const struct refusal *refusal, const struct failure_detail *detail);

/*
 * What happened, recorded under the name of the public function that failed; the value is the
 * error.
 */
#define FAIL_LIBRARY(ctx, operation, error, text, ...)                                             \
	li_failure_library(li_ctx_log(ctx), operation, error, text,                                \
	                   &(const struct failure_detail){__VA_ARGS__})
#define FAIL_KERNEL(ctx, operation, error, call, ...)                                              \
	li_ctx_failure(ctx, operation, error, call, &(const struct failure_detail){__VA_ARGS__})

#define FAIL_REFUSED(ctx, operation, refusal, ...)                                                 \
	li_ctx_refusal(ctx, operation, refusal, &(const struct failure_detail){__VA_ARGS__})

/*
 * A handle or out-parameter that is NULL, and memory that is not to be had: the same words
 * everywhere. The _IN forms are for a helper that acts for a public function.
 */
#define FAIL_NULL_IN(ctx, operation)                                                               \
	FAIL_LIBRARY(ctx, operation, -EINVAL, "a handle or a result pointer is NULL", .id = 0)
#define FAIL_NULL(ctx)                 FAIL_NULL_IN(ctx, __func__)
#define FAIL_MEMORY_IN(ctx, operation) FAIL_LIBRARY(ctx, operation, -ENOMEM, "no memory", .id = 0)
#define FAIL_MEMORY(ctx)               FAIL_MEMORY_IN(ctx, __func__)

#endif
