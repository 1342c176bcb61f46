/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Moving a range of blocks, with as many commands in flight as the queue is deep. */
#ifndef NVME_TRANSFER_H
#define NVME_TRANSFER_H

#include "nvme.h"

#include <signal.h>

/* Set by a signal handler: a transfer stops handing out commands. */
extern volatile sig_atomic_t nvme_interrupted;

/*
 * Read into, or write from, a buffer of nvme_dma_alloc(). When this returns nothing is in flight
 * any more: after -EINTR what was begun has been completed, after -ETIMEDOUT the controller has
 * been switched off. -EIO is the drive's refusal, told on stderr.
 */
int nvme_transfer(struct nvme *nvme, enum nvme_mode mode, enum nvme_opcode opcode, uint64_t lba,
                  uint64_t blocks, void *data);

/* Have the drive write down what it has in its cache. */
int nvme_flush(struct nvme *nvme, enum nvme_mode mode);

/*
 * One command with its physical region pages as they are given: no address is checked. Gives the
 * drive's answer, whatever it is.
 */
int nvme_raw_read(struct nvme *nvme, enum nvme_mode mode, uint64_t lba, uint64_t blocks,
                  uint64_t prp1, uint64_t prp2, uint16_t *status);

#endif
