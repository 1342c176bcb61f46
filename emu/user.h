/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The memory of whoever calls the emulated kernel, which is never trusted: an address that is not
 * there is -EFAULT, as in a kernel.
 */
#ifndef EMU_USER_H
#define EMU_USER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Who calls: a process, which is this one or a child of it. */
struct emu_task {
	pid_t pid; /* 0: this process */
	uid_t uid; /* effective; emu_task_uid() finds it out */
};

/* Nobody has asked yet. */
#define EMU_UID_LATER ((uid_t)-1)

uid_t emu_task_uid(const struct emu_task *task);

/* 0 or -EFAULT, and then any part of it may have been copied. */
int emu_get(const struct emu_task *task, void *to, uintptr_t from, size_t size);
int emu_put(const struct emu_task *task, uintptr_t to, const void *from, size_t size);
/* As copy_struct_from_user(): what the caller knows less is zero; more must be zero, -E2BIG. */
int emu_get_struct(const struct emu_task *task, void *to, size_t size, uintptr_t from,
                   size_t user_size);

#endif
