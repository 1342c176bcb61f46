/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "trap.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bar-map.h"
#include "decode.h"
#include "machine.h"
#include "memcheck.h"

#define MACHINES 64

/* A signal handler is the whole process's, and so is what it has to know. */
static _Atomic(struct libiommu_emu *) machines[MACHINES];
static struct sigaction before;
static bool installed;
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;
/* Compilers are told that sigaction() does not come back here, which the preloaded one does. */
static _Thread_local volatile sig_atomic_t giving_up;

/* One instruction on the registers of a machine. */
struct access {
	struct emu_bus bus;
	struct libiommu_emu *emu;
	int signal; /* that the process gets for it */
};

/* NULL, with the signal that says why: it cannot be used so. */
static bool use(struct access *access, uintptr_t address, int prot, struct emu_register *found)
{
	if (!emu_bar_find(access->emu, address, found) || !(found->prot & prot)) {
		access->signal = SIGSEGV;
		return false;
	}
	if (!emu_vfio_memory_enabled(found->vfio)) {
		access->signal = SIGBUS;
		return false;
	}
	return true;
}

static bool covers_bus(struct emu_bus *bus, uintptr_t address)
{
	struct emu_register found;

	return emu_bar_find(((struct access *)bus)->emu, address, &found);
}

/* Pieces that registers of devices can have; a whole one is done at once. */
static bool read_bus(struct emu_bus *bus, uintptr_t address, unsigned int size, uint64_t *value)
{
	struct access *const access = (struct access *)bus;
	struct emu_register found;

	if (!use(access, address, PROT_READ, &found))
		return false;
	if (found.offset % size == 0) {
		*value = emu_pci_bar_read(found.vfio->pci, found.bar, found.offset, size);
		return true;
	}
	*value = 0;
	for (unsigned int i = 0; i < size; i++)
		*value |= emu_pci_bar_read(found.vfio->pci, found.bar, found.offset + i, 1)
		          << 8 * i;
	return true;
}

static bool write_bus(struct emu_bus *bus, uintptr_t address, unsigned int size, uint64_t value)
{
	struct access *const access = (struct access *)bus;
	struct emu_register found;

	if (!use(access, address, PROT_WRITE, &found))
		return false;
	if (found.offset % size == 0) {
		emu_pci_bar_write(found.vfio->pci, found.bar, found.offset, size, value);
		return true;
	}
	for (unsigned int i = 0; i < size; i++)
		emu_pci_bar_write(found.vfio->pci, found.bar, found.offset + i, 1,
		                  value >> 8 * i & 0xff);
	return true;
}

/* True: the fault was the machine's, and the process goes on or has a signal of its own. */
static bool serve(struct libiommu_emu *emu, siginfo_t *info, ucontext_t *context)
{
	struct access access = {.bus = {covers_bus, read_bus, write_bus}, .emu = emu};
	const uintptr_t address = (uintptr_t)info->si_addr;
	struct emu_register found;
	bool ours;
	bool done;

	emu_lock(emu);
	ours = emu_bar_find(emu, address, &found);
	done = ours && emu_decode(context, address, &access.bus);
	emu_unlock(emu);
	if (!ours || done)
		return ours;
	if (access.signal != SIGBUS)
		return false;
	info->si_signo = SIGBUS;
	/* Valgrind takes such a one for its own. */
	info->si_code = emu_memcheck_watches() ? SI_QUEUE : BUS_ADRERR;
	/* Arrives as soon as this handler returns, to the same instruction. */
	syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGBUS, info);
	return true;
}

/* A handler takes the lock too: no signal comes to who has it. */
static void lock(sigset_t *mask)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, mask);
	pthread_mutex_lock(&installing);
}

static void unlock(const sigset_t *mask)
{
	pthread_mutex_unlock(&installing);
	pthread_sigmask(SIG_SETMASK, mask, NULL);
}

/* What the process would have done with it. */
static void pass_on(int number, siginfo_t *info, void *context)
{
	struct sigaction to;
	sigset_t mask;

	lock(&mask);
	to = before;
	unlock(&mask);
	if (to.sa_flags & SA_SIGINFO) {
		to.sa_sigaction(number, info, context);
	} else if (to.sa_handler != SIG_DFL && to.sa_handler != SIG_IGN) {
		to.sa_handler(number);
	} else {
		/* The instruction faults again, and this time for good. */
		giving_up = 1;
		sigaction(SIGSEGV, &to, NULL);
		giving_up = 0;
	}
}

static void handle(int number, siginfo_t *info, void *context)
{
	if (info->si_code == SEGV_ACCERR)
		for (int i = 0; i < MACHINES; i++) {
			struct libiommu_emu *const emu = atomic_load(&machines[i]);

			if (emu && serve(emu, info, context))
				return;
		}
	pass_on(number, info, context);
}

/* Again, too, where the program has put its own in the place of this one. */
static void install(void)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_NODEFER};
	struct sigaction now;
	sigset_t mask;

	/* A handler of the program's that used the machine would wait for its own thread. */
	sigfillset(&action.sa_mask);
	sigdelset(&action.sa_mask, SIGSEGV);
	sigdelset(&action.sa_mask, SIGBUS);
	lock(&mask);
	if (!sigaction(SIGSEGV, NULL, &now) &&
	    (!(now.sa_flags & SA_SIGINFO) || now.sa_sigaction != handle)) {
		before = now;
		installed = !sigaction(SIGSEGV, &action, NULL);
	}
	unlock(&mask);
}

bool emu_trap_add(struct libiommu_emu *emu)
{
	install();
	for (int i = 0; i < MACHINES; i++)
		if (atomic_load(&machines[i]) == emu)
			return true;
	for (int i = 0; i < MACHINES; i++) {
		struct libiommu_emu *none = NULL;

		if (atomic_compare_exchange_strong(&machines[i], &none, emu))
			return true;
	}
	return false;
}

void emu_trap_remove(struct libiommu_emu *emu)
{
	for (int i = 0; i < MACHINES; i++) {
		struct libiommu_emu *one = emu;

		atomic_compare_exchange_strong(&machines[i], &one, NULL);
	}
}

bool emu_trap_sigaction(const struct sigaction *action, struct sigaction *old)
{
	/* The program's memory is not looked at with the lock, as it may not be there. */
	const struct sigaction wanted = action ? *action : (struct sigaction){.sa_flags = 0};
	struct sigaction was;
	sigset_t mask;
	bool ours;

	if (giving_up)
		return false;
	lock(&mask);
	ours = installed;
	was = before;
	if (ours && action)
		before = wanted;
	unlock(&mask);
	if (ours && old)
		*old = was;
	return ours;
}
