/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A context with two devices behind one IOMMU and a third behind another, and a nesting parent:
 * objects made by hand, so that nothing but what is tested takes part. The IOMMU has vIOMMUs of one
 * type, and does what the test says.
 */
#ifndef NEST_RIG_H
#define NEST_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <libiommu-emu.h>

#include "../../emu/device.h"
#include "../../emu/heap.h"
#include "../../emu/viommu.h"
#include "../../lib/base/uapi/iommufd.h"
#include "../fds.h"

enum { RIG_TYPE = 77, RIG_DEVICES = 3 };

struct nest_rig {
	struct libiommu_emu *emu;
	int fd;
	struct emu_ctx *ctx;
	struct emu_iommu iommus[2];
	struct emu_group groups[RIG_DEVICES];
	struct emu_dev devs[RIG_DEVICES];
	struct emu_device devices[RIG_DEVICES]; /* ids 1 to 3 */
	struct emu_domain domain;
	struct emu_hwpt parent, plain; /* ids 4 and 5 */
	unsigned int ended;            /* vIOMMUs */
	int error;                     /* of the next thing that the driver is asked to start */
	uint64_t offset;               /* of what the last vIOMMU has published */
	int memory;                    /* that it publishes, if it is not -1 */
};

/* The data of a vIOMMU go in and out, and must be no zero. */
struct rig_data {
	uint32_t in, out;
};

struct nest_rig *nest_rig_new(void);
/* Destroys what is left. */
void nest_rig_free(struct nest_rig *rig);
struct nest_rig *nest_rig_of(const struct emu_iommu *iommu);

int rig_ioctl(struct nest_rig *rig, unsigned long request, void *cmd);
/* The same with a command that cannot be written, so that the answer is lost. */
int rig_ioctl_lost(struct nest_rig *rig, unsigned long request, const void *cmd, size_t size);
int rig_destroy(struct nest_rig *rig, uint32_t id);
/* The id of a new vIOMMU. */
uint32_t rig_viommu(struct nest_rig *rig);
/* A device as programs have it. */
struct libiommu_emu_device *rig_device(struct nest_rig *rig, size_t i);
/* Two pages, of which the second is not there. */
unsigned char *edge_new(void);
void edge_free(unsigned char *edge);

/* Each allocation of the call fails in turn: -ENOMEM, and no object and descriptor is left. */
#define RIG_FAIL_EACH(rig, call)                                                                   \
	do {                                                                                       \
		for (unsigned int nth_ = 1;; nth_++) {                                             \
			const size_t before_ = (rig)->ctx->objects.count;                          \
			const unsigned int fds_ = count_fds();                                     \
			int error_;                                                                \
                                                                                                   \
			emu_heap_fail(nth_);                                                       \
			error_ = (call);                                                           \
			if (!emu_heap_stop()) {                                                    \
				assert_int_equal(error_, 0);                                       \
				assert_true(nth_ > 1);                                             \
				break;                                                             \
			}                                                                          \
			assert_int_equal(error_, -ENOMEM);                                         \
			assert_int_equal((rig)->ctx->objects.count, before_);                      \
			assert_int_equal(count_fds(), fds_);                                       \
		}                                                                                  \
	} while (0)

#endif
