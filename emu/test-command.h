/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The one command of the kernel's test driver, up to Linux 7.3: what it looks like, and how the
 * machine does it. Tests that are written for the driver use the layout too.
 */
#ifndef EMU_TEST_COMMAND_H
#define EMU_TEST_COMMAND_H

#include <stdint.h>

#include "../lib/base/uapi/iommufd.h"

#define MOCK_CMD UAPI_IO(UAPI_CMD_BASE + 32)

enum mock_op {
	MOCK_OP_RESERVE = 1,
	MOCK_OP_DEVICE = 2,
	MOCK_OP_CHECK_MAP = 3,
	MOCK_OP_CHECK_PINS = 4,
	MOCK_OP_ACCESS = 5,
	MOCK_OP_UNPIN = 6,
	MOCK_OP_PIN = 7,
	MOCK_OP_READ_WRITE = 8,
	MOCK_OP_MEMORY_LIMIT = 9,
	MOCK_OP_REPLACE = 10,
	MOCK_OP_ACCESS_REPLACE = 11,
	MOCK_OP_DEVICE_FLAGS = 12,
	MOCK_OP_DIRTY = 13,
	MOCK_OP_CHECK_IOTLB = 14,
	MOCK_OP_FAULT = 15,
	MOCK_OP_CHECK_CACHE = 16,
	MOCK_OP_EVENT = 17,
	MOCK_OP_PASID_ATTACH = 18,
	MOCK_OP_PASID_REPLACE = 19,
	MOCK_OP_PASID_DETACH = 20,
	MOCK_OP_PASID_CHECK = 21,
	MOCK_OP_DMABUF = 22,
	MOCK_OP_DMABUF_REVOKE = 23,
};

/* Of a device. */
#define MOCK_FLAG_NO_DIRTY (1U << 0)
#define MOCK_FLAG_PASID    (1U << 2)

struct mock_cmd {
	uint32_t size;
	uint32_t op;
	uint32_t id;
	uint32_t reserved;
	union {
		struct {
			uint64_t start;
			uint64_t length;
		} reserve;
		struct {
			uint32_t out_stdev;
			uint32_t out_hwpt;
			uint32_t out_dev;
			uint32_t flags;
		} device;
		struct {
			uint32_t pt_id;
		} replace;
		struct {
			uint64_t iova;
			uint64_t length;
			uint64_t memory;
		} map;
		struct {
			uint64_t length;
			uint64_t memory;
			uint32_t count;
		} pins;
		struct {
			uint32_t out_fd;
			uint32_t flags;
		} access;
		struct {
			uint32_t item;
		} unpin;
		struct {
			uint32_t flags;
			uint32_t out_item;
			uint64_t iova;
			uint64_t length;
			uint64_t memory;
		} pin;
		struct {
			uint64_t iova;
			uint64_t length;
			uint64_t memory;
			uint32_t flags;
		} rw;
		struct {
			uint32_t bytes;
		} limit;
		struct {
			uint32_t ioas;
		} access_replace;
		struct {
			uint32_t flags;
			uint64_t iova;
			uint64_t length;
			uint64_t page_size;
			uint64_t bitmap;
			uint64_t out_count;
		} dirty;
		struct {
			uint32_t index;
			uint32_t value;
		} check;
		struct {
			uint32_t dev_id;
			uint32_t pasid;
			uint32_t group;
			uint32_t permissions;
			uint64_t address;
		} fault;
		struct {
			uint32_t dev_id;
		} event;
		struct {
			uint32_t pasid;
			uint32_t pt_id;
		} pasid;
		struct {
			uint32_t length;
			uint32_t open_flags;
		} dmabuf;
		struct {
			int32_t fd;
			uint32_t revoked;
		} dmabuf_revoke;
		/* The driver's largest. */
		uint64_t room[6];
	} u;
	uint32_t last;
};

struct emu_call;

/* The machine has such an IOMMU. What compares memory is for callers in the machine's process. */
int emu_test_command(struct emu_call *call);

/* Devices of the driver, which programs make and name by objects. */
int emu_test_device_new(struct emu_call *call);
int emu_test_device_replace(struct emu_call *call);
int emu_test_device_pasid(struct emu_call *call);
int emu_test_device_check_pasid(struct emu_call *call);

/* Drivers that use an address space, which programs name by descriptors. */
int emu_test_access_new(struct emu_call *call);
int emu_test_access_replace(struct emu_call *call);
int emu_test_access_pin(struct emu_call *call);
int emu_test_access_unpin(struct emu_call *call);
int emu_test_access_rw(struct emu_call *call);

#endif
