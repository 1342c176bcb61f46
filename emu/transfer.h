/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Transfers of devices that wait for pages. */
#ifndef EMU_TRANSFER_H
#define EMU_TRANSFER_H

struct emu_dev;

/* A device that is removed gets no answers any more: its transfers end. */
void emu_transfer_abandon(struct emu_dev *dev);

#endif
