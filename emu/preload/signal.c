/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The program's handlers of SIGSEGV hear of what is not the machine's. */
#include "preload.h"

#include <signal.h>

#include "../trap.h"

PRELOAD int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
	if (number == SIGSEGV && emu_preload_machine() && emu_trap_sigaction(action, old))
		return 0;
	return REAL(sigaction)(number, action, old);
}

PRELOAD sighandler_t signal(int number, sighandler_t handler)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	struct sigaction old;

	if (number == SIGSEGV && emu_preload_machine() && emu_trap_sigaction(&action, &old))
		return old.sa_handler;
	return REAL(signal)(number, handler);
}
