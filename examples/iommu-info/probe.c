/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "info.h"

static void explain(char reason[REASON_MAX])
{
	libiommu_failure_text(reason, REASON_MAX);
}

/* The ranges of an empty address space, narrowed by what the device needs for itself. */
static void probe_ranges(struct libiommu_ctx *ctx, struct libiommu_device *dev, struct probe *probe)
{
	struct libiommu_ioas *ioas;

	if (libiommu_ioas_alloc(ctx, &ioas)) {
		explain(probe->iova_error);
		return;
	}
	if (libiommu_device_attach_ioas(dev, ioas)) {
		explain(probe->iova_error);
	} else {
		if (libiommu_ioas_ranges(ioas, &probe->ranges))
			explain(probe->iova_error);
		libiommu_device_detach(dev);
	}
	libiommu_ioas_destroy(ioas);
}

void probe_device(struct libiommu_ctx *ctx, const char *address, struct probe *probe)
{
	struct libiommu_device *dev;

	probe->done = true;
	if (libiommu_device_open_pci(ctx, address, &dev)) {
		explain(probe->error);
		return;
	}
	if (libiommu_device_bind(dev, 0, NULL, 0)) {
		explain(probe->error);
	} else {
		if (libiommu_hw_info_get(dev, &probe->hw))
			explain(probe->hw_error);
		probe_ranges(ctx, dev, probe);
	}
	libiommu_device_destroy(dev);
}

void probe_free(struct probe *probe)
{
	libiommu_hw_info_free(probe->hw);
	libiommu_iova_ranges_free(probe->ranges);
}
