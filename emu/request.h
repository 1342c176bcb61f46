/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Answers to page requests that devices have sent by hand. */
#ifndef EMU_REQUEST_H
#define EMU_REQUEST_H

struct emu_dev;

/* The device is removed, or ends: nobody takes them any more. */
void emu_requests_forget(struct emu_dev *dev);

#endif
