/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The registers and structures of an NVMe controller that this driver uses, after the NVM Express
 * base specification 1.4, chapters 3 to 6. Everything in memory is little endian.
 */
#ifndef NVME_REGS_H
#define NVME_REGS_H

#include <stdint.h>

enum nvme_register {
	NVME_CAP = 0x00,
	NVME_VS = 0x08,
	NVME_CC = 0x14,
	NVME_CSTS = 0x1c,
	NVME_AQA = 0x24,
	NVME_ASQ = 0x28,
	NVME_ACQ = 0x30,
	NVME_DOORBELLS = 0x1000
};

/* CAP: fields of 64 bits. */
#define NVME_CAP_MQES(cap)   ((uint32_t)((cap)&0xffff))
#define NVME_CAP_TO(cap)     ((uint32_t)((cap) >> 24 & 0xff))
#define NVME_CAP_DSTRD(cap)  ((uint32_t)((cap) >> 32 & 0xf))
#define NVME_CAP_CSS(cap)    ((uint32_t)((cap) >> 37 & 0xff))
#define NVME_CAP_MPSMIN(cap) ((uint32_t)((cap) >> 48 & 0xf))

enum nvme_cap {
	NVME_CAP_CSS_NVM = 1,
	NVME_CAP_TO_MS = 500 /* the unit of CAP.TO */
};

enum nvme_cc {
	NVME_CC_ENABLE = 1 << 0,
	NVME_CC_MPS_SHIFT = 7,
	NVME_CC_SHN_NORMAL = 1 << 14,
	NVME_CC_SHN_MASK = 3 << 14,
	NVME_CC_IOSQES = 6 << 16, /* log2 of a submission entry's size */
	NVME_CC_IOCQES = 4 << 20  /* log2 of a completion entry's size */
};

enum nvme_csts {
	NVME_CSTS_READY = 1 << 0,
	NVME_CSTS_FATAL = 1 << 1,
	NVME_CSTS_SHST_MASK = 3 << 2,
	NVME_CSTS_SHST_COMPLETE = 2 << 2
};

enum nvme_admin_opcode {
	NVME_ADMIN_DELETE_SQ = 0x00,
	NVME_ADMIN_CREATE_SQ = 0x01,
	NVME_ADMIN_DELETE_CQ = 0x04,
	NVME_ADMIN_CREATE_CQ = 0x05,
	NVME_ADMIN_IDENTIFY = 0x06,
	NVME_ADMIN_SET_FEATURES = 0x09
};

enum nvme_opcode { NVME_FLUSH = 0x00, NVME_WRITE = 0x01, NVME_READ = 0x02 };

enum nvme_identify {
	NVME_IDENTIFY_NAMESPACE = 0,
	NVME_IDENTIFY_CONTROLLER = 1,
	NVME_IDENTIFY_SIZE = 4096
};

/* Offsets in the identify structures. */
enum nvme_identify_controller {
	NVME_ID_SERIAL = 4,
	NVME_ID_SERIAL_LENGTH = 20,
	NVME_ID_MODEL = 24,
	NVME_ID_MODEL_LENGTH = 40,
	NVME_ID_FIRMWARE = 64,
	NVME_ID_FIRMWARE_LENGTH = 8,
	NVME_ID_MDTS = 77,
	NVME_ID_NN = 516
};

enum nvme_identify_namespace { NVME_NS_SIZE = 0, NVME_NS_FLBAS = 26, NVME_NS_LBAF = 128 };

enum nvme_feature { NVME_FEATURE_QUEUES = 0x07 };

enum nvme_queue_flags { NVME_QUEUE_CONTIGUOUS = 1 << 0, NVME_QUEUE_INTERRUPTS = 1 << 1 };

struct nvme_command {
	uint8_t opcode;
	uint8_t flags;
	uint16_t id;
	uint32_t nsid;
	uint64_t reserved;
	uint64_t metadata;
	uint64_t prp1;
	uint64_t prp2;
	uint32_t dword[6]; /* command dwords 10 to 15 */
};

struct nvme_completion {
	uint32_t result;
	uint32_t reserved;
	uint16_t sq_head;
	uint16_t sq_id;
	uint16_t id;
	uint16_t status; /* bit 0 is the phase */
};

_Static_assert(sizeof(struct nvme_command) == 64, "a submission entry has 64 bytes");
_Static_assert(sizeof(struct nvme_completion) == 16, "a completion entry has 16 bytes");

/* The status field without the phase: type of the code in bits 10 to 8, code in bits 7 to 0. */
enum nvme_status {
	NVME_SUCCESS = 0x000,
	NVME_INVALID_OPCODE = 0x001,
	NVME_INVALID_FIELD = 0x002,
	NVME_DATA_TRANSFER_ERROR = 0x004,
	NVME_INTERNAL_ERROR = 0x006,
	NVME_INVALID_NAMESPACE = 0x00b,
	NVME_INVALID_PRP_OFFSET = 0x013,
	NVME_LBA_OUT_OF_RANGE = 0x080,
	NVME_INVALID_QUEUE = 0x101,
	NVME_INVALID_QUEUE_SIZE = 0x102,
	NVME_WRITE_FAULT = 0x280,
	NVME_UNRECOVERED_READ = 0x281,
	NVME_STATUS_MASK = 0x7ff
};

#endif
