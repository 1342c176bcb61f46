/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * An NVMe controller with one namespace, after the NVM Express base specification 1.4. It works
 * when a doorbell is rung, and is done when that returns.
 */
#ifndef EMU_NVME_H
#define EMU_NVME_H

#include "pci.h"

#define NVME_QUEUES     65 /* the first is for administration */
#define NVME_ENTRIES    2048
#define NVME_BLOCK      512U
#define NVME_BLOCK_LOG2 9
#define NVME_MDTS       7 /* log2 of the pages that one command moves at most */
#define NVME_PAGE_LEAST 4096U
#define NVME_SERIAL     20
#define NVME_EVENTS     4   /* that can be waited for */
#define NVME_KELVIN     293 /* it is always as warm as a room */
#define NVME_WARM       343 /* warnings from here on, unless it is told otherwise, */
#define NVME_TOO_WARM   373 /* and no more */

/* The low half of a completion's status: generic ones, then those of commands and of media. */
enum nvme_status {
	NVME_SUCCESS = 0x000,
	NVME_INVALID_OPCODE = 0x001,
	NVME_INVALID_FIELD = 0x002,
	NVME_DATA_TRANSFER_ERROR = 0x004,
	NVME_INTERNAL_ERROR = 0x006,
	NVME_INVALID_NAMESPACE = 0x00b,
	NVME_INVALID_PRP_OFFSET = 0x013,
	NVME_LBA_OUT_OF_RANGE = 0x080,
	NVME_INVALID_CQ = 0x100,
	NVME_INVALID_QUEUE = 0x101,
	NVME_INVALID_QUEUE_SIZE = 0x102,
	NVME_TOO_MANY_EVENTS = 0x105,
	NVME_INVALID_VECTOR = 0x108,
	NVME_INVALID_LOG_PAGE = 0x109,
	NVME_INVALID_QUEUE_DELETION = 0x10c,
	NVME_FEATURE_NOT_CHANGEABLE = 0x10e,
	NVME_WRITE_FAULT = 0x280,
	NVME_UNRECOVERED_READ = 0x281,
	NVME_DO_NOT_RETRY = 0x4000,
	NVME_NO_ANSWER = 0xffff /* not yet: the command waits for something to tell */
};

#define NVME_FEATURE_EVENTS 0x0b

/* Commands that wait for something to tell; their order does not matter. */
struct nvme_events {
	uint16_t waiting[NVME_EVENTS];
	uint32_t count;
	uint32_t thresholds[2]; /* over, under */
	bool happened, told;
};

struct nvme_command {
	uint8_t opcode, flags;
	uint16_t id;
	uint32_t nsid;
	uint32_t dword2, dword3;
	uint64_t metadata;
	uint64_t prp1, prp2;
	uint32_t dword10, dword11, dword12, dword13, dword14, dword15;
};

/* What is told of a command that is done. */
struct nvme_answer {
	uint32_t result;
	uint16_t status;
};

struct nvme_sq {
	bool there;
	uint16_t cq;
	uint32_t entries, head, tail;
	uint64_t address;
};

struct nvme_cq {
	bool there, interrupts;
	uint8_t phase;
	uint16_t vector;
	uint32_t entries, head, tail; /* the tail is the controller's */
	uint32_t users;               /* submission queues */
	uint64_t address;
};

struct nvme {
	struct emu_pci pci;
	int file;
	uint64_t blocks;
	char serial[NVME_SERIAL + 1];
	uint32_t config, status, admin_sizes, masked;
	uint64_t admin_sq, admin_cq;
	bool running;     /* commands, so that what they ring is heard later */
	bool cache;       /* volatile, switched on */
	uint32_t granted; /* number of queues, as it was asked for */
	uint32_t features[16];
	struct nvme_events events;
	struct nvme_sq sqs[NVME_QUEUES];
	struct nvme_cq cqs[NVME_QUEUES];
};

/* Bytes of a page, as the driver has chosen. */
uint32_t emu_nvme_page(const struct nvme *nvme);
/* What cannot go on says so in a register. */
void emu_nvme_fatal(struct nvme *nvme);

/* DMA: whether all of it was done. */
bool emu_nvme_get(struct nvme *nvme, uint64_t iova, void *to, size_t size);
bool emu_nvme_put(struct nvme *nvme, uint64_t iova, const void *from, size_t size);

/* Memory as a command describes it, piece by piece; @move returns a status. */
typedef uint16_t (*nvme_move_fn)(struct nvme *nvme, void *user, uint64_t iova, size_t size);
uint16_t emu_nvme_each_piece(struct nvme *nvme, const struct nvme_command *command, size_t size,
                             nvme_move_fn move, void *user);
/* To the memory of a command. */
uint16_t emu_nvme_reply(struct nvme *nvme, const struct nvme_command *command, const void *from,
                        size_t size);

/* A doorbell has been rung. */
void emu_nvme_ring(struct nvme *nvme, uint32_t index, uint32_t value);
/* The pin is as the completions are that nobody has seen. */
void emu_nvme_update_pin(struct nvme *nvme);

void emu_nvme_admin(struct nvme *nvme, const struct nvme_command *command,
                    struct nvme_answer *answer);
void emu_nvme_io(struct nvme *nvme, const struct nvme_command *command, struct nvme_answer *answer);
uint16_t emu_nvme_identify(struct nvme *nvme, const struct nvme_command *command);
uint16_t emu_nvme_log_page(struct nvme *nvme, const struct nvme_command *command);

void emu_nvme_events_reset(struct nvme *nvme);
bool emu_nvme_is_warm(const struct nvme *nvme);
/* The feature by which a driver says what is too warm. */
void emu_nvme_threshold(struct nvme *nvme, uint32_t value, bool set, struct nvme_answer *answer);
uint16_t emu_nvme_event_wait(struct nvme *nvme, const struct nvme_command *command);
/* A command that has its answer now; false: none has. */
bool emu_nvme_event_take(struct nvme *nvme, struct nvme_command *command,
                         struct nvme_answer *answer);

#endif
