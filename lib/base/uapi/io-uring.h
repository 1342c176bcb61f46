/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * io_uring, as much of it as lib/base/uring.c uses: one read that stays armed and fills buffers
 * from a ring of them. What is numbered by bits has the kernel's version behind it.
 */
#ifndef LIBIOMMU_UAPI_IO_URING_H
#define LIBIOMMU_UAPI_IO_URING_H

#include "types.h"

/* Operations of a uapi_io_uring_sqe. */
#define UAPI_IORING_OP_READ_MULTISHOT 49 /* 6.7 */

/* Flags of a uapi_io_uring_sqe. */
#define UAPI_IOSQE_ASYNC         (1U << 4) /* 5.6; poll first, in a kernel thread, then read */
#define UAPI_IOSQE_BUFFER_SELECT (1U << 5) /* 5.7 */

struct uapi_io_uring_sqe {
	uint8_t opcode;
	uint8_t flags;
	uint16_t ioprio;
	int32_t fd;
	uint64_t off;
	uint64_t addr;
	uint32_t len;
	uint32_t rw_flags;
	uint64_t user_data; /* comes back with every completion */
	uint16_t buf_group;
	uint16_t personality;
	int32_t splice_fd_in;
	uint64_t addr3;
	uint64_t pad2;
};

/* Flags of a uapi_io_uring_cqe; the number of the buffer is above UAPI_IORING_CQE_BUFFER_SHIFT. */
#define UAPI_IORING_CQE_F_BUFFER     (1U << 0) /* 5.7 */
#define UAPI_IORING_CQE_F_MORE       (1U << 1) /* 5.13; the operation goes on */
#define UAPI_IORING_CQE_BUFFER_SHIFT 16

struct uapi_io_uring_cqe {
	uint64_t user_data;
	int32_t res; /* bytes, or -errno */
	uint32_t flags;
};

/* Flags of uapi_io_uring_params. */
#define UAPI_IORING_SETUP_CQSIZE (1U << 3) /* 5.5; cq_entries is given */

/* What uapi_io_uring_params.features says of the kernel. */
#define UAPI_IORING_FEAT_SINGLE_MMAP (1U << 0) /* 5.4; both rings are in one mapping */
#define UAPI_IORING_FEAT_EXT_ARG     (1U << 8) /* 5.11; a wait can have a timeout */

/* Where in the mapping of the rings things are. */
struct uapi_io_sqring_offsets {
	uint32_t head;
	uint32_t tail;
	uint32_t ring_mask;
	uint32_t ring_entries;
	uint32_t flags;
	uint32_t dropped;
	uint32_t array;
	uint32_t resv1;
	uint64_t user_addr;
};

struct uapi_io_cqring_offsets {
	uint32_t head;
	uint32_t tail;
	uint32_t ring_mask;
	uint32_t ring_entries;
	uint32_t overflow;
	uint32_t cqes;
	uint32_t flags;
	uint32_t resv1;
	uint64_t user_addr;
};

struct uapi_io_uring_params {
	uint32_t sq_entries;
	uint32_t cq_entries;
	uint32_t flags;
	uint32_t sq_thread_cpu;
	uint32_t sq_thread_idle;
	uint32_t features;
	uint32_t wq_fd;
	uint32_t resv[3];
	struct uapi_io_sqring_offsets sq_off;
	struct uapi_io_cqring_offsets cq_off;
};

/* Offsets for mmap(2) on the ring's descriptor. */
#define UAPI_IORING_OFF_SQ_RING 0U
#define UAPI_IORING_OFF_SQES    0x10000000U

/* Flags of io_uring_enter(2). */
#define UAPI_IORING_ENTER_GETEVENTS (1U << 0) /* 5.1; waits */
#define UAPI_IORING_ENTER_EXT_ARG   (1U << 3) /* 5.11; the argument is the next structure */

struct uapi_io_uring_getevents_arg {
	uint64_t sigmask;
	uint32_t sigmask_sz;
	uint32_t min_wait_usec;
	uint64_t ts; /* address of a uapi_timespec: at most so long */
};

struct uapi_timespec {
	int64_t tv_sec;
	int64_t tv_nsec;
};

/* Operations of io_uring_register(2). */
#define UAPI_IORING_REGISTER_PROBE       8  /* 5.6 */
#define UAPI_IORING_REGISTER_PBUF_RING   22 /* 5.19 */
#define UAPI_IORING_REGISTER_SYNC_CANCEL 24 /* 6.0 */

/* In uapi_io_uring_probe_op.flags. */
#define UAPI_IO_URING_OP_SUPPORTED (1U << 0)

struct uapi_io_uring_probe_op {
	uint8_t op;
	uint8_t resv;
	uint16_t flags;
	uint32_t resv2;
};

/* For UAPI_IORING_REGISTER_PROBE: zeroed, with as many ops as the call's count says. */
struct uapi_io_uring_probe {
	uint8_t last_op;
	uint8_t ops_len;
	uint16_t resv;
	uint32_t resv2[3];
	struct uapi_io_uring_probe_op ops[];
};

/* One place of a ring of buffers; resv of the first is the ring's tail. */
struct uapi_io_uring_buf {
	uint64_t addr;
	uint32_t len;
	uint16_t bid; /* its number, which comes back with what was read into it */
	uint16_t resv;
};

/* For UAPI_IORING_REGISTER_PBUF_RING. */
struct uapi_io_uring_buf_reg {
	uint64_t ring_addr;
	uint32_t ring_entries; /* a power of two */
	uint16_t bgid;
	uint16_t flags;
	uint32_t min_left;
	uint32_t resv[5];
};

/*
 * For UAPI_IORING_REGISTER_SYNC_CANCEL: ends the operation with this user_data. The timeout is for
 * one that is just being started; a completion comes all the same, perhaps later.
 */
struct uapi_io_uring_sync_cancel_reg {
	uint64_t addr;
	int32_t fd;
	uint32_t flags;
	struct uapi_timespec timeout;
	uint8_t opcode;
	uint8_t pad[7];
	uint64_t pad2[3];
};

#endif
