/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#ifndef LIBIOMMU_H
#define LIBIOMMU_H

#include <libiommu/types.h>
#include <libiommu/version.h>
#include <libiommu/failure.h>
#include <libiommu/sys.h>
#include <libiommu/discover.h>
#include <libiommu/ctx.h>
#include <libiommu/ioas.h>
#include <libiommu/device.h>
#include <libiommu/device-feature.h>
#include <libiommu/device-info.h>
#include <libiommu/hw-info.h>
#include <libiommu/hwpt.h>
#include <libiommu/dirty.h>
#include <libiommu/change.h>
#include <libiommu/container.h>
#include <libiommu/pasid.h>
#include <libiommu/fault.h>
#include <libiommu/fault-queue.h>
#include <libiommu/viommu.h>
#include <libiommu/vdevice.h>
#include <libiommu/hw-queue.h>
#include <libiommu/veventq.h>
#include <libiommu/invalidate.h>
#include <libiommu/handover.h>
#include <libiommu/takeover.h>
#include <libiommu/ring.h>
#include <libiommu/reader.h>
#include <libiommu/handlers.h>
#include <libiommu/monitor.h>
#include <libiommu/iova.h>
#include <libiommu/translate.h>
#include <libiommu/dma.h>
#include <libiommu/arena.h>
#include <libiommu/vdpa.h>
#include <libiommu/pci.h>
#include <libiommu/irq.h>
#include <libiommu/reset.h>
#include <libiommu/kvm.h>

#endif
