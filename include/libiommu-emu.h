/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/**
 * @file
 * @brief All of libiommu-emu: an emulated kernel for programs that use libiommu.
 */
#ifndef LIBIOMMU_EMU_H
#define LIBIOMMU_EMU_H

#include <libiommu-emu/calls.h>
#include <libiommu-emu/device.h>
#include <libiommu-emu/driver.h>
#include <libiommu-emu/edu.h>
#include <libiommu-emu/event.h>
#include <libiommu-emu/export.h>
#include <libiommu-emu/hotplug.h>
#include <libiommu-emu/inspect.h>
#include <libiommu-emu/iommu.h>
#include <libiommu-emu/machine.h>
#include <libiommu-emu/nvme.h>
#include <libiommu-emu/pci.h>
#include <libiommu-emu/request.h>
#include <libiommu-emu/test-iommu.h>
#include <libiommu-emu/transfer.h>
#include <libiommu-emu/trouble.h>

#endif
