/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What iommu-info finds out, between finding and printing. */
#ifndef IOMMU_INFO_H
#define IOMMU_INFO_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/utsname.h>

#include <libiommu.h>

#define REASON_MAX   1024
#define FEATURES_MAX 64

/* What opening one device showed. An empty error with nothing found: it was not come to. */
struct probe {
	bool done;
	char error[REASON_MAX]; /* of opening and binding it */
	struct libiommu_hw_info *hw;
	char hw_error[REASON_MAX];
	struct libiommu_iova_ranges *ranges;
	char iova_error[REASON_MAX];
};

struct device {
	size_t index; /* in the list */
	struct probe probe;
};

struct info {
	struct utsname kernel;
	bool iommufd; /* /dev/iommu opens */
	bool legacy;  /* VFIO's containers are there instead of it */
	char iommufd_error[REASON_MAX];
	int features[FEATURES_MAX]; /* 1 present, 0 absent, -1 not known */
	size_t feature_count;
	struct libiommu_device_list *list;
	struct device *devices; /* the ones to be shown */
	size_t device_count;
	bool probed;
};

struct capability {
	enum libiommu_capability capability;
	const char *key;  /* for programs */
	const char *name; /* for people */
	bool has_width;
};

extern const struct capability info_capabilities[];
extern const size_t info_capability_count;

/*
 * Look at everything through @sys (NULL for libc); open no device unless @probe says so. With
 * @addresses, of the devices only these. Returns 0, or 1 with what is wrong in @error.
 */
int info_gather(struct info *info, const struct libiommu_sys *sys, bool probe,
                const char *const *addresses, size_t count, char error[REASON_MAX]);
void info_free(struct info *info);
/* Whether nothing stands in the way of a device. */
bool info_is_ready(const struct info *info, size_t device);
/* Whether a device that nothing stands in the way of could not be opened, bound or attached,
   although that was asked for. */
bool info_probe_failed(const struct info *info);

/* Open, bind and attach a device, and undo it all. */
void probe_device(struct libiommu_ctx *ctx, const char *address, struct probe *probe);
void probe_free(struct probe *probe);

/* "present", "absent" or "unknown"; "yes", "no" or "unknown". */
const char *info_presence(int feature);
const char *info_answer(int answer);
/* "no-iommu", for example; NULL for none. */
const char *info_obstacle(int obstacle);

void info_print_table(const struct info *info, FILE *out);
void info_print_json(const struct info *info, FILE *out);

#endif
