/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Recording what went wrong: a few stores when it happens, the words when somebody asks. */
#ifndef LIBIOMMU_BASE_FAILURE_H
#define LIBIOMMU_BASE_FAILURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libiommu/ctx.h>
#include <libiommu/failure.h>

/* What the kernel was asked for when it said no: with the errno value, the key of a hint. */
enum failure_call {
	CALL_NONE,
	CALL_OPEN,
	CALL_OPEN_CTX,
	CALL_OPEN_CONTAINER,
	CALL_DUP,
	CALL_SYSFS,
	CALL_DESTROY,
	CALL_IOAS_ALLOC,
	CALL_MAP,
	CALL_MAP_FILE,
	CALL_COPY,
	CALL_HUGE_PAGES,
	CALL_PHYSICAL,
	CALL_CHANGE_PROCESS,
	CALL_HANDOVER,
	CALL_UNMAP,
	CALL_CONTAINER,
	CALL_CONTAINER_MAP,
	CALL_REGISTER_MEMORY,
	CALL_WINDOW,
	CALL_CONTAINER_UNMAP,
	CALL_SET_IOMMU,
	CALL_RANGES,
	CALL_ALLOW,
	CALL_OPTION,
	CALL_PROBE,
	CALL_COMPAT,
	CALL_BIND,
	CALL_ATTACH,
	CALL_DETACH,
	CALL_GROUP,
	CALL_PASID_ATTACH,
	CALL_PASID_DETACH,
	CALL_HWPT_ALLOC,
	CALL_DIRTY,
	CALL_INVALIDATE,
	CALL_VIOMMU,
	CALL_VDEVICE,
	CALL_HW_QUEUE,
	CALL_VEVENTQ,
	CALL_FAULT_QUEUE,
	CALL_RING,
	CALL_THREAD,
	CALL_HW_INFO,
	CALL_REGION,
	CALL_FEATURE,
	CALL_MMAP,
	CALL_CONFIG,
	CALL_IRQ,
	CALL_RESET,
	CALL_HOT_RESET,
	CALL_KVM,
	CALL_KVM_FILE,
	CALL_ARENA,
	CALL_VDPA,
	CALL_VDPA_GROUP,
	CALL_VDPA_MAP,
	CALL_VDPA_UNMAP,
};

/* What a failure was about; whatever does not apply is left out. */
struct failure_detail {
	uint32_t id;         /* of the object the call was made on */
	uint32_t other;      /* of the second object */
	uint64_t start;      /* of the range */
	uint64_t length;     /* of the range */
	bool anywhere;       /* the range has no start: the kernel was to choose it */
	uint64_t memory;     /* what was to be mapped there: an address of this process */
	uint64_t amount;     /* a number, and ... */
	const char *unit;    /* ... what it counts, a literal */
	const char *subject; /* a name or a sentence; copied */
};

/* Where a context wants its failures told. */
struct failure_log {
	libiommu_log_fn log;
	void *user;
};

/*
 * Both return @error. @operation and @text are literals. @log may be NULL; the record is written
 * either way.
 */
int li_failure_library(const struct failure_log *log, const char *operation, int error,
                       const char *text, const struct failure_detail *detail);
int li_failure_kernel(const struct failure_log *log, const char *operation, int error,
                      enum failure_call call, const struct failure_detail *detail);

/*
 * Why a call fails. Found out while something is locked, recorded once it is not, since a log
 * callback must not run under a lock.
 */
struct refusal {
	int error;
	enum failure_call call; /* CALL_NONE where the library says no, in the words of ... */
	const char *text;
	struct failure_detail detail;
};

/* Both return @error. */
int li_refuse(struct refusal *refusal, int error, const char *text);
int li_refuse_kernel(struct refusal *refusal, int error, enum failure_call call);

/*
 * For as long as a lock is held: what fails is recorded at once, and told when the lock is not held
 * any more, the last failure only. In pairs, on one thread.
 */
void li_failure_hold(void);
void li_failure_release(void);

/*
 * While what was done before a failure is undone: what fails in it is neither recorded nor told.
 * In pairs, on one thread.
 */
void li_failure_undo(void);
void li_failure_undone(void);

/* The words (hints.c): "" where there is nothing to add. */
const char *li_hint_find(enum failure_call call, int error);
const char *li_hint_errno_name(int error);

#endif
