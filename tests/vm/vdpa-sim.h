/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The kernel's simulator of vDPA devices, and as much of a virtio driver as moves bytes. */
#ifndef VDPA_SIM_H
#define VDPA_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_QUEUE_SIZE = 8, SIM_SECTOR = 512 };

/* A device of "vdpasim_blk" or "vdpasim_net", under a name; 0 or -errno. */
int sim_create(const char *kind, const char *name);
int sim_delete(const char *name);
/* The node of such a device. */
bool sim_node(const char *name, char *node, size_t size);
/* Whether the simulator takes memory by its address in the process and pins nothing. */
bool sim_uses_addresses(void);

/* A virtqueue: two pages of memory that the device finds at an IOVA. */
struct sim_queue {
	int fd;
	unsigned int index;
	uint8_t *memory;
	uint64_t iova;
	int kick;
	uint16_t filled;
};

struct sim_part {
	uint64_t iova;
	uint32_t length;
	bool written; /* by the device */
};

/* 0 or -errno. From a reset on: features; then queues; then to work. */
int sim_begin(int fd, uint64_t features);
int sim_queue_add(struct sim_queue *queue);
int sim_go(int fd);
int sim_reset(int fd);
void sim_queue_end(struct sim_queue *queue);

/* One request; false when the device does not answer it. */
bool sim_request(struct sim_queue *queue, const struct sim_part *parts, size_t count);

/*
 * Of a block device: read from or write to sector 0. @head: 32 bytes of memory that the device
 * finds at @head_iova, for what goes around the data. The device's status: 0 good, 1 an error; -1
 * when it does not answer.
 */
int sim_block(struct sim_queue *queue, uint8_t *head, uint64_t head_iova, bool write, uint64_t iova,
              uint32_t length);

#endif
