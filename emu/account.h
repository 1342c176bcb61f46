/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Who is charged for the memory that the kernel holds for devices, and up to which limit: the user
 * (the way of iommufd), or the process (VFIO's way); nobody for those with CAP_IPC_LOCK. What a
 * process has pinned is counted in any case.
 */
#ifndef EMU_ACCOUNT_H
#define EMU_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "user.h"

struct libiommu_emu;

enum emu_charge { EMU_CHARGE_NOBODY, EMU_CHARGE_USER, EMU_CHARGE_PROCESS };

struct emu_payer {
	enum emu_charge mode;
	struct emu_task task;
};

/* Of a process, or of a user. */
struct emu_account {
	struct emu_account *next;
	bool of_user;
	uint32_t id;     /* process or user */
	uint64_t locked; /* pages, counted against the limit */
	uint64_t pinned; /* of a process, whoever is charged */
};

/* Whether the task may do what needs privileges. */
bool emu_task_is_root(const struct emu_task *task);
/* Whether nobody is charged for what it maps: it is root, and has not given away CAP_IPC_LOCK. */
bool emu_task_locks_freely(const struct libiommu_emu *emu, const struct emu_task *task);
/* Looks whether this process has: to do so at each map would cost a real system call. */
void emu_account_ask(struct libiommu_emu *emu);
/* Has no memory any more, whether somebody has waited for it or not. */
bool emu_task_is_gone(const struct emu_task *task);

/* 0; -ENOMEM: over the limit; -EINVAL: the process is gone. */
int emu_account_add(struct libiommu_emu *emu, const struct emu_payer *payer, uint64_t pages);
/* 0; -EINVAL: the process is gone, and is charged for ever. */
int emu_account_take(struct libiommu_emu *emu, const struct emu_payer *payer, uint64_t pages);
/* What a process has, as /proc shows it: pages. */
void emu_account_of(struct libiommu_emu *emu, pid_t pid, uint64_t *pinned, uint64_t *locked);
/* The machine ends. */
void emu_accounts_end(struct libiommu_emu *emu);

#endif
