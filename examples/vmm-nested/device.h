/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the device does, as the guest's driver of it would have it do. edu-device.c has QEMU's edu;
 * tests/vm/vmm-mock-device.c one of the kernel's test driver.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "vmm.h"

/* Opened, not bound. */
int device_open(struct libiommu_ctx *ctx, const char *name, struct libiommu_device **dev);

/* It reads a page, to write that from then on; its accesses are let through as they are. And its
 * end. False after saying why. */
bool device_begin(struct vmm *vmm, uint64_t page);
void device_end(void);

/* It writes to a page, and is done with it when this returns: whether it was there is another
 * matter. */
bool device_write(struct vmm *vmm, uint32_t ssid, uint64_t iova);

/* It does what the host's IOMMU has an event for: a word is written to where nothing is. */
bool device_offend(struct vmm *vmm, uint64_t iova);

/* It asks for a page to write to, where the guest's SMMU has page requests. */
bool device_ask(struct vmm *vmm, uint32_t ssid, uint32_t group, uint64_t iova);
/* How often it was told that the page is there, and that it is not. */
void device_get_answers(uint64_t *yes, uint64_t *no);

#endif
