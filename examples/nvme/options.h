/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The command line of nvme-rw. */
#ifndef NVME_OPTIONS_H
#define NVME_OPTIONS_H

#include "nvme.h"

enum nvme_action {
	NVME_ACTION_CHECK,
	NVME_ACTION_IDENTIFY,
	NVME_ACTION_READ,
	NVME_ACTION_WRITE,
	NVME_ACTION_SELF_TEST,
	NVME_ACTION_STRAY_DMA
};

struct nvme_options {
	enum nvme_action action;
	struct nvme_config config;
	uint64_t lba;
	uint64_t count;   /* blocks; 0 is what the action makes of it */
	const char *file; /* NULL is standard input or output */
	char address[32]; /* where the device was found, unless it was named */
};

/* What the program is to do next: go on, or end with this exit status. */
enum { NVME_OPTIONS_OK = -1 };
int nvme_options_parse(struct nvme_options *options, int argc, char **argv);

/* Find the one NVMe drive that can be driven from here, if none was named. */
int nvme_options_find(struct nvme_options *options);

#endif
