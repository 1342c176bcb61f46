/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The thread that does what children ask for. */
#ifndef EMU_SERVE_H
#define EMU_SERVE_H

#include <sys/types.h>

struct emu_server;
struct libiommu_emu;

/* Of the process that the machine is in. */
pid_t emu_server_pid(const struct emu_server *server);
/* Where children send to. */
int emu_server_gate(const struct emu_server *server);
/* The machine ends. */
void emu_server_end(struct libiommu_emu *emu);

#endif
