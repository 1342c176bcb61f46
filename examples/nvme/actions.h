/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What nvme-rw can do with a drive that is up. All return 0, -EINTR, or an error told on stderr. */
#ifndef NVME_ACTIONS_H
#define NVME_ACTIONS_H

#include "options.h"

/* actions.c */
void nvme_action_identify(const struct nvme *nvme);
int nvme_action_check(struct nvme *nvme, const struct nvme_options *options);
int nvme_action_read(struct nvme *nvme, const struct nvme_options *options);
int nvme_action_write(struct nvme *nvme, const struct nvme_options *options);

/* proof.c */
int nvme_action_self_test(struct nvme *nvme, const struct nvme_options *options);
int nvme_action_stray_dma(struct nvme *nvme, const struct nvme_options *options);

/* Whether a range is on the drive: complains if not. */
int nvme_check_range(const struct nvme *nvme, uint64_t lba, uint64_t count);

/* How many of COUNT blocks are moved at a time: what one filled queue moves. */
uint64_t nvme_window(const struct nvme *nvme, const struct nvme_options *options, uint64_t count);

/* The way of the first pass, and of the second: another one if there are two. */
enum nvme_mode nvme_mode_of_pass(const struct nvme_options *options, int pass);

#endif
