/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Eventfds that the kernel listens to. The first one starts a thread of the machine's, since nobody
 * calls the machine when a program writes to one.
 */
#ifndef EMU_WATCH_H
#define EMU_WATCH_H

struct emu_watch;
struct libiommu_emu;

/*
 * Under the machine's lock, each time the eventfd has been written to and read back, and once where
 * it had been before it was watched.
 */
typedef void (*emu_watch_fn)(void *user);

/* 0 or -errno, and nothing is there to be ended. */
int emu_watches_init(struct libiommu_emu *emu);
/* @fd is taken over, unless this fails: 0 or -errno. */
int emu_watch_add(struct libiommu_emu *emu, int fd, emu_watch_fn fn, void *user,
                  struct emu_watch **watch);
void emu_watch_remove(struct emu_watch *watch);
/* Without the machine's lock. */
void emu_watches_end(struct libiommu_emu *emu);

#endif
