/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "account.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "channel.h"
#include "heap.h"
#include "machine.h"

/* As capget() has it since 2.6.26: 64 capabilities of a kind, half of them in each part. */
struct capability_header {
	uint32_t version;
	int32_t pid;
};
struct capability_part {
	uint32_t effective;
	uint32_t permitted;
	uint32_t inheritable;
};
enum { CAPABILITY_VERSION = 0x20080522, CAP_IPC_LOCK = 14 };

bool emu_task_is_root(const struct emu_task *task)
{
	return emu_task_uid(task) == 0;
}

static bool may_lock(pid_t pid)
{
	struct capability_header header = {CAPABILITY_VERSION, pid};
	struct capability_part parts[2] = {{0}};

	return syscall(SYS_capget, &header, parts) || parts[0].effective >> CAP_IPC_LOCK & 1;
}

void emu_account_ask(struct libiommu_emu *emu)
{
	if (!emu_channel_is(0))
		emu->may_lock = may_lock(0);
}

bool emu_task_locks_freely(const struct libiommu_emu *emu, const struct emu_task *task)
{
	return emu_task_is_root(task) && (task->pid ? may_lock(task->pid) : emu->may_lock);
}

bool emu_task_is_gone(const struct emu_task *task)
{
	char byte;
	const struct iovec here = {&byte, 1}, there = {NULL, 1};

	return task->pid && process_vm_readv(task->pid, &here, 1, &there, 1, 0) < 0 &&
	       errno == ESRCH;
}

static struct emu_account *find(struct libiommu_emu *emu, bool of_user, uint32_t id)
{
	struct emu_account *account = emu->accounts;

	while (account && (account->of_user != of_user || account->id != id))
		account = account->next;
	return account;
}

static struct emu_account *find_or_make(struct libiommu_emu *emu, bool of_user, uint32_t id)
{
	struct emu_account *account = find(emu, of_user, id);

	if (account)
		return account;
	account = emu_alloc(sizeof(*account));
	if (!account)
		return NULL;
	account->of_user = of_user;
	account->id = id;
	account->next = emu->accounts;
	emu->accounts = account;
	return account;
}

static uint64_t limit_of(const struct emu_task *task)
{
	struct rlimit limit;

	if (prlimit(task->pid, RLIMIT_MEMLOCK, NULL, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur / EMU_PAGE;
}

/* Who has the limit. */
static struct emu_account *charged(struct libiommu_emu *emu, const struct emu_payer *payer,
                                   struct emu_account *process)
{
	return payer->mode == EMU_CHARGE_USER ? find_or_make(emu, true, payer->task.uid) : process;
}

int emu_account_add(struct libiommu_emu *emu, const struct emu_payer *payer, uint64_t pages)
{
	struct emu_account *const process = find_or_make(emu, false, (uint32_t)payer->task.pid);
	struct emu_account *account;

	if (!process)
		return -ENOMEM;
	if (pages && payer->mode != EMU_CHARGE_NOBODY) {
		if (payer->mode == EMU_CHARGE_PROCESS && emu_task_is_gone(&payer->task))
			return -EINVAL;
		account = charged(emu, payer, process);
		if (!account || account->locked + pages > limit_of(&payer->task))
			return -ENOMEM;
		account->locked += pages;
	}
	process->pinned += pages;
	return 0;
}

int emu_account_take(struct libiommu_emu *emu, const struct emu_payer *payer, uint64_t pages)
{
	struct emu_account *const process = find(emu, false, (uint32_t)payer->task.pid);

	if (!pages)
		return 0;
	if (payer->mode == EMU_CHARGE_PROCESS && emu_task_is_gone(&payer->task))
		return -EINVAL;
	if (payer->mode != EMU_CHARGE_NOBODY)
		charged(emu, payer, process)->locked -= pages;
	/* What nobody is charged for stays with the process that had pinned it. */
	if (process)
		process->pinned -= pages;
	return 0;
}

void emu_account_of(struct libiommu_emu *emu, pid_t pid, uint64_t *pinned, uint64_t *locked)
{
	const struct emu_account *const process =
		find(emu, false, pid == getpid() ? 0 : (uint32_t)pid);

	*pinned = process ? process->pinned : 0;
	*locked = process ? process->locked : 0;
}

void emu_accounts_end(struct libiommu_emu *emu)
{
	struct emu_account *account;

	while ((account = emu->accounts)) {
		emu->accounts = account->next;
		emu_release(account);
	}
}
