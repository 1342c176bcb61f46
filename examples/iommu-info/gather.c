/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "info.h"

#include <stdlib.h>
#include <string.h>

static void explain(char reason[REASON_MAX])
{
	libiommu_failure_text(reason, REASON_MAX);
}

/* Returns NULL with the reason in @info where there is no /dev/iommu for us. */
static struct libiommu_ctx *open_context(struct info *info, const struct libiommu_sys *sys)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *ctx = NULL;

	if (libiommu_ctx_config_new(&config)) {
		explain(info->iommufd_error);
		return NULL;
	}
	if (libiommu_ctx_config_set_sys(config, sys) || libiommu_ctx_new(config, &ctx))
		explain(info->iommufd_error);
	libiommu_ctx_config_free(config);
	info->legacy = ctx && libiommu_ctx_backend(ctx) != LIBIOMMU_BACKEND_IOMMUFD;
	info->iommufd = ctx && !info->legacy;
	if (info->legacy)
		snprintf(info->iommufd_error, REASON_MAX,
		         "not there; VFIO's legacy containers (%s) instead",
		         libiommu_ctx_backend(ctx) == LIBIOMMU_BACKEND_SPAPR ? "SPAPR" : "type 1");
	return ctx;
}

static void probe_features(struct info *info, struct libiommu_ctx *ctx)
{
	for (int i = 0; i < FEATURES_MAX && libiommu_feature_name(i); i++) {
		const int present = ctx ? libiommu_ctx_probe(ctx, i) : -1;

		info->features[info->feature_count++] = present < 0 ? -1 : present;
	}
}

static bool same_address(const char *address, const char *given)
{
	static const char domain[] = "0000:";

	if (!strcmp(address, given))
		return true;
	return !strncmp(address, domain, strlen(domain)) &&
	       !strcmp(address + strlen(domain), given);
}

static bool wanted(const char *address, const char *const *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (same_address(address, addresses[i]))
			return true;
	return !count;
}

static bool exists(const struct libiommu_device_list *list, const char *given)
{
	for (size_t i = 0; i < libiommu_device_list_count(list); i++)
		if (same_address(libiommu_device_list_address(list, i), given))
			return true;
	return false;
}

static int gather_devices(struct info *info, const struct libiommu_sys *sys,
                          const char *const *addresses, size_t count, char error[REASON_MAX])
{
	size_t devices;

	if (libiommu_device_list_new(sys, &info->list)) {
		explain(error);
		return 1;
	}
	for (size_t i = 0; i < count; i++) {
		if (exists(info->list, addresses[i]))
			continue;
		snprintf(error, REASON_MAX, "there is no PCI device %s", addresses[i]);
		return 1;
	}
	devices = libiommu_device_list_count(info->list);
	info->devices = calloc(devices + 1, sizeof(*info->devices));
	if (!info->devices) {
		snprintf(error, REASON_MAX, "no memory");
		return 1;
	}
	for (size_t i = 0; i < devices; i++)
		if (wanted(libiommu_device_list_address(info->list, i), addresses, count))
			info->devices[info->device_count++].index = i;
	return 0;
}

static void probe_devices(struct info *info, struct libiommu_ctx *ctx)
{
	for (size_t i = 0; i < info->device_count; i++) {
		struct device *const device = &info->devices[i];

		if (info_is_ready(info, i))
			probe_device(ctx, libiommu_device_list_address(info->list, device->index),
			             &device->probe);
	}
}

int info_gather(struct info *info, const struct libiommu_sys *sys, bool probe,
                const char *const *addresses, size_t count, char error[REASON_MAX])
{
	struct libiommu_ctx *ctx;
	int status;

	memset(info, 0, sizeof(*info));
	uname(&info->kernel);
	ctx = open_context(info, sys);
	probe_features(info, ctx);
	status = gather_devices(info, sys, addresses, count, error);
	info->probed = probe;
	if (!status && probe && ctx)
		probe_devices(info, ctx);
	libiommu_ctx_destroy(ctx);
	return status;
}

void info_free(struct info *info)
{
	for (size_t i = 0; i < info->device_count; i++)
		probe_free(&info->devices[i].probe);
	free(info->devices);
	libiommu_device_list_free(info->list);
}

bool info_is_ready(const struct info *info, size_t device)
{
	const size_t index = info->devices[device].index;

	return libiommu_device_list_obstacle(info->list, index) == LIBIOMMU_OBSTACLE_NONE;
}

bool info_probe_failed(const struct info *info)
{
	for (size_t i = 0; i < info->device_count && info->probed; i++) {
		const struct probe *const probe = &info->devices[i].probe;

		if (info_is_ready(info, i) &&
		    (!probe->done || probe->error[0] || probe->iova_error[0]))
			return true;
	}
	return false;
}
