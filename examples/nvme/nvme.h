/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* An NVMe controller driven from this process: from its PCI address to queues that move blocks. */
#ifndef NVME_H
#define NVME_H

#include "queue.h"

/* How the completion of I/O commands is noticed: a queue pair for each way. */
enum nvme_mode { NVME_POLL = 0, NVME_INTERRUPTS = 1, NVME_MODES = 2 };

struct nvme_config {
	const char *address; /* of the PCI device */
	bool modes[NVME_MODES];
	uint32_t queue_depth;
	uint64_t transfer; /* the most bytes of one command */
	uint32_t nsid;
};

struct nvme {
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct libiommu_dma_space *space;       /* what the drive reaches, over @ioas */
	const struct libiommu_dma_table *table; /* of @space, looked up once for all requests */
	struct libiommu_device *dev;
	struct libiommu_bar_map *bar;
	volatile uint8_t *regs;
	int eventfds[NVME_MODES]; /* of the admin queue, and of the queue with interrupts */
	bool bus_master;
	bool enabled;
	uint64_t cap;
	uint32_t version;
	uint32_t page;
	struct nvme_queue admin;
	struct nvme_queue io[NVME_MODES];

	char model[NVME_ID_MODEL_LENGTH + 1];
	char serial[NVME_ID_SERIAL_LENGTH + 1];
	char firmware[NVME_ID_FIRMWARE_LENGTH + 1];
	uint32_t namespaces;
	uint64_t max_transfer; /* bytes of one command */
	uint32_t nsid;
	uint32_t block_size;
	uint64_t blocks;
};

/*
 * Open, bind and attach the device, reset and enable its controller, identify it and make the I/O
 * queues. After a failure too, nvme_close() is due: it takes down what there is. Failures are told
 * on stderr.
 */
int nvme_open(struct nvme *nvme, const struct nvme_config *config);

/* Shut the drive down and give everything back: memory last, when nothing can be in flight. */
int nvme_close(struct nvme *nvme);

/* One admin command, start to end, for LENGTH bytes at IOVA. -EIO when the drive says no. */
int nvme_admin(struct nvme *nvme, const struct nvme_command *command, uint64_t iova,
               uint64_t length, uint32_t *result);

/* The drive's answer in words. */
const char *nvme_status_text(uint16_t status);

/* controller.c: the controller's life. */
uint64_t nvme_controller_capabilities(const struct nvme *nvme);
int nvme_controller_enable(struct nvme *nvme);
int nvme_controller_shutdown(struct nvme *nvme);

/* identify.c: what the drive says of itself. */
int nvme_identify(struct nvme *nvme, const struct nvme_config *config);

#endif
