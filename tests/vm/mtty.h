/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The kernel's sample of a mediated device: a PCI serial port with its lines tied together. */
#ifndef MTTY_H
#define MTTY_H

#include "vm.h"

#define MTTY_SYSFS "/sys/bus/mdev/devices/"

enum mtty_register { MTTY_DATA = 0, MTTY_LINE_STATUS = 5, MTTY_SCRATCH = 7, MTTY_DATA_READY = 1 };

struct mtty {
	struct vm *vm; /* vm->dev stays free for another device */
	struct libiommu_device *dev[2];
};

/* The directories of the two devices that a test has. */
extern const char *const mtty_dirs[2];

/* Two devices, made by sysfs, open and bound; setup and teardown of vm_setup_empty() around. */
int mtty_setup(void **state);
int mtty_teardown(void **state);
#define MTTY_TEST(function) cmocka_unit_test_setup_teardown(function, mtty_setup, mtty_teardown)

#define NEEDS_MTTY(mtty)                                                                           \
	do {                                                                                       \
		if (!(mtty)->dev[0])                                                               \
			SKIP("this kernel has no mtty (CONFIG_SAMPLE_VFIO_MDEV_MTTY)");            \
	} while (0)

uint8_t mtty_read(struct libiommu_device *dev, enum mtty_register reg);
void mtty_write(struct libiommu_device *dev, enum mtty_register reg, uint8_t value);

#endif
