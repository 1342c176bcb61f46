/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Descriptions of devices, as users of the machine make them: also for those with a model. */
#ifndef EMU_DEV_CONFIG_H
#define EMU_DEV_CONFIG_H

#include <libiommu-emu/device.h>

#include "dev.h"

/* What it describes, as long as it is not changed; -EINVAL: parts are another machine's. */
int emu_dev_spec_of(const struct libiommu_emu *emu, const struct libiommu_emu_device_config *config,
                    struct emu_dev_spec *spec);

#endif
