/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "mtty.h"

#include <stdlib.h>
#include <string.h>

#define CREATE "/sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-1/create"

const char *const mtty_dirs[2] = {
	MTTY_SYSFS "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
	MTTY_SYSFS "83b8f4f2-509f-382f-3c1e-e6bfe0fa1002",
};

int mtty_setup(void **state)
{
	struct mtty *const mtty = calloc(1, sizeof(*mtty));

	if (!mtty || vm_setup_empty((void **)&mtty->vm))
		return -1;
	for (size_t i = 0; i < 2; i++) {
		/* Without the sample there is no such file, and the tests say so. */
		if (vm_write_file(CREATE, mtty_dirs[i] + strlen(MTTY_SYSFS)))
			break;
		OK(libiommu_device_open_sysfs(mtty->vm->ctx, mtty_dirs[i], &mtty->dev[i]));
		OK(libiommu_device_bind(mtty->dev[i], VM_LABEL + i, NULL, 0));
	}
	*state = mtty;
	return 0;
}

int mtty_teardown(void **state)
{
	struct mtty *const mtty = *state;
	char path[128];
	int failed;

	for (size_t i = 0; i < 2; i++) {
		OK(libiommu_device_destroy(mtty->dev[i]));
		snprintf(path, sizeof(path), "%s/remove", mtty_dirs[i]);
		if (mtty->dev[i])
			assert_int_equal(vm_write_file(path, "1"), 0);
	}
	failed = vm_teardown((void **)&mtty->vm);
	free(mtty);
	return failed;
}

uint8_t mtty_read(struct libiommu_device *dev, enum mtty_register reg)
{
	uint8_t value = 0;

	OK(libiommu_pci_bar_read(dev, 0, reg, &value, 1));
	return value;
}

void mtty_write(struct libiommu_device *dev, enum mtty_register reg, uint8_t value)
{
	OK(libiommu_pci_bar_write(dev, 0, reg, &value, 1));
}
