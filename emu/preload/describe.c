/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Machines in words: IOMMUs and devices, one after the other. */
#include "preload.h"

#include <fcntl.h>
#include <libiommu-emu/edu.h>
#include <libiommu-emu/iommu.h>
#include <libiommu-emu/nvme.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../dev.h"
#include "busy.h"

/* A drive and an engine on buses of their own, another one, and two that share a group. */
#define USUAL                                                                                      \
	"vtd nvme@0000:01:00.0 edu@0000:02:00.0 edu@0000:03:00.0 edu@0000:04:00.0 "                \
	"edu@0000:04:01.0,group=0000:04:00.0"

#define PASID_BITS 20
#define DRIVE      (16 << 20)

struct description {
	struct libiommu_emu *emu;
	struct libiommu_emu_iommu *iommu; /* of the devices that follow */
	const char *word;
};

static void give_up(const struct description *description, const char *why)
{
	fprintf(stderr, "libiommu-emu: LIBIOMMU_EMU_MACHINE: %s: %s\n", description->word, why);
	_exit(127);
}

/* A drive with a file behind it, or with memory that nobody else sees. */
static int open_drive(const struct description *description, const char *path)
{
	const int file = path ? open(path, O_RDWR | O_CLOEXEC)
	                      : memfd_create("libiommu-emu-drive", MFD_CLOEXEC);

	if (file < 0 || (!path && ftruncate(file, DRIVE)))
		give_up(description, "no file for the drive");
	return file;
}

static int add(const struct description *description, const char *kind,
               const struct libiommu_emu_device_config *config, const char *path,
               struct libiommu_emu_device **device)
{
	int error, file;

	if (!strcmp(kind, "edu"))
		return libiommu_emu_edu_add(description->emu, config, device);
	if (!strcmp(kind, "plain"))
		return libiommu_emu_device_add(description->emu, config, device);
	if (strcmp(kind, "nvme") != 0)
		give_up(description, "neither vtd, test, noiommu, edu, nvme nor plain");
	file = open_drive(description, path);
	error = libiommu_emu_nvme_add(description->emu, config, file, NULL, device);
	close(file);
	return error;
}

struct device {
	struct libiommu_emu_device_config *config;
	const char *path;
	uint32_t flags;
	struct emu_preload_busy busy;
};

/* START+SIZE */
static void describe_window(const struct description *description, struct emu_preload_busy *busy,
                            const char *text)
{
	char *rest;

	busy->start = strtoull(text, &rest, 0);
	busy->size = *rest == '+' ? strtoull(rest + 1, NULL, 0) : 0;
	if (!busy->start || !busy->size || (busy->start | busy->size) % EMU_PAGE)
		give_up(description, "no window of whole pages for a busy device");
}

/* False: that is none of a busy device's. */
static bool describe_work(const struct description *description, struct emu_preload_busy *busy,
                          const char *option)
{
	if (!strncmp(option, "busy=", 5))
		describe_window(description, busy, option + 5);
	else if (!strncmp(option, "count=", 6))
		busy->count = strtoull(option + 6, NULL, 0);
	else if (!strncmp(option, "tell=", 5))
		busy->tell = option + 5;
	else if (!strncmp(option, "image=", 6))
		busy->image = option + 6;
	else if (!strcmp(option, "asks"))
		busy->asks = true;
	else
		return false;
	return true;
}

static int describe_option(const struct description *description, struct device *device,
                           const char *option)
{
	struct emu_dev *member;

	if (!strncmp(option, "file=", 5)) {
		device->path = option + 5;
	} else if (!strncmp(option, "pasids=", 7)) {
		return libiommu_emu_device_config_set_pasid_bits(
			device->config, (uint32_t)strtoul(option + 7, NULL, 0));
	} else if (!strncmp(option, "group=", 6)) {
		member = emu_dev_find(description->emu, option + 6);
		if (!member)
			give_up(description, "no device at this address for a group");
		return libiommu_emu_device_config_set_group(device->config,
		                                            (struct libiommu_emu_device *)member);
	} else if (!strcmp(option, "requests")) {
		device->flags |= LIBIOMMU_EMU_DEVICE_PAGE_REQUESTS;
	} else if (!strcmp(option, "host")) {
		device->flags |= LIBIOMMU_EMU_DEVICE_HOST;
	} else if (!describe_work(description, &device->busy, option)) {
		give_up(description, option);
	}
	return 0;
}

/*
 * KIND[@ADDRESS][,file=PATH][,pasids=BITS][,group=ADDRESS][,requests][,host]
 * and to work by itself ,busy=START+SIZE[,count=N][,asks][,tell=PATH][,image=PATH]
 */
static void describe_device(const struct description *description, char *word)
{
	struct device device = {0};
	struct libiommu_emu_device *added;
	char *rest, *option;
	int error = libiommu_emu_device_config_new(&device.config);
	const char *const kind = strtok_r(word, ",", &rest);
	char *const address = strchr(word, '@');

	if (!error && description->iommu)
		error = libiommu_emu_device_config_set_iommu(device.config, description->iommu);
	if (address)
		*address = '\0';
	if (!error && address)
		error = libiommu_emu_device_config_set_address(device.config, address + 1);
	while (!error && (option = strtok_r(NULL, ",", &rest)))
		error = describe_option(description, &device, option);
	if (!error)
		error = libiommu_emu_device_config_set_flags(device.config, device.flags);
	if (!error)
		error = add(description, kind, device.config, device.path, &added);
	device.busy.requests = device.flags & LIBIOMMU_EMU_DEVICE_PAGE_REQUESTS;
	if (!error && device.busy.size)
		error = emu_preload_busy(added, &device.busy);
	libiommu_emu_device_config_free(device.config);
	if (error)
		give_up(description, strerror(-error));
}

static void describe(struct description *description, char *word)
{
	int error = 0;

	if (!strcmp(word, "vtd"))
		error = libiommu_emu_iommu_add_vtd(description->emu, 0, PASID_BITS,
		                                   &description->iommu);
	else if (!strcmp(word, "test"))
		error = libiommu_emu_iommu_add_test(description->emu, &description->iommu);
	else if (!strcmp(word, "noiommu"))
		description->iommu = NULL;
	else
		describe_device(description, word);
	if (error)
		give_up(description, strerror(-error));
}

void emu_preload_describe(struct libiommu_emu *emu, const char *text)
{
	struct description description = {.emu = emu};
	char *const words = strdup(text ? text : USUAL);
	char *rest;

	if (!words)
		_exit(127);
	for (char *word = strtok_r(words, " \t\n", &rest); word;
	     word = strtok_r(NULL, " \t\n", &rest)) {
		char copy[512];

		snprintf(copy, sizeof(copy), "%s", word);
		description.word = word;
		describe(&description, copy);
	}
	free(words);
}
