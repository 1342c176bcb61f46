/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

/* PCI class code of an NVMe controller: mass storage, non-volatile memory, NVM Express. */
enum { CLASS_NVME = 0x010802 };

static const char usage[] =
	"Usage: nvme-rw [OPTION]... [DEVICE]\n"
	"\n"
	"Drives an NVMe disk from this process, through /dev/iommu, without a kernel driver for "
	"it. DEVICE is a\n"
	"PCI address, 0000:01:00.0 for example, and must be with vfio-pci; without it, the only "
	"such disk there\n"
	"is. iommu-info tells what stands in the way of a device.\n"
	"\n"
	"What to do; by default, identify the disk and read its beginning twice, which changes "
	"nothing:\n"
	"  --identify           say what the disk is\n"
	"  --read LBA           read from this block on, to --output\n"
	"  --write LBA          write from this block on what --input has\n"
	"  --self-test LBA      write a pattern, read it back, compare, and restore what was "
	"there\n"
	"  --stray-dma          send the disk to memory that is not mapped: that must fail, and be "
	"seen to fail\n"
	"  --help, --version\n"
	"\n"
	"How:\n"
	"  --count BLOCKS       how many blocks; default: for --read and --self-test one, for "
	"--write the whole\n"
	"                       input\n"
	"  --output FILE        default: standard output\n"
	"  --input FILE         default: standard input\n"
	"  --poll               look for completions in memory, use no interrupts\n"
	"  --interrupts         sleep until an interrupt; default: where two passes are made one "
	"by each, else\n"
	"                       interrupts\n"
	"  --queue-depth N      commands in flight, 1 to 1023; default 32\n"
	"  --transfer BYTES     the most that one command moves; default 131072\n"
	"  --namespace N        default 1\n"
	"\n"
	"To compare with a file of the same content: nvme-rw --read 0 --count 2048 | sha256sum\n"
	"\n"
	"Exit status: 0 success; 1 failure, told on standard error; 2 wrong usage; 130 "
	"interrupted.\n";

enum option_code {
	OPTION_IDENTIFY = 256,
	OPTION_READ,
	OPTION_WRITE,
	OPTION_SELF_TEST,
	OPTION_STRAY_DMA,
	OPTION_COUNT,
	OPTION_OUTPUT,
	OPTION_INPUT,
	OPTION_POLL,
	OPTION_INTERRUPTS,
	OPTION_QUEUE_DEPTH,
	OPTION_TRANSFER,
	OPTION_NAMESPACE,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct option long_options[] = {
	{"identify", no_argument, NULL, OPTION_IDENTIFY},
	{"read", required_argument, NULL, OPTION_READ},
	{"write", required_argument, NULL, OPTION_WRITE},
	{"self-test", required_argument, NULL, OPTION_SELF_TEST},
	{"stray-dma", no_argument, NULL, OPTION_STRAY_DMA},
	{"count", required_argument, NULL, OPTION_COUNT},
	{"output", required_argument, NULL, OPTION_OUTPUT},
	{"input", required_argument, NULL, OPTION_INPUT},
	{"poll", no_argument, NULL, OPTION_POLL},
	{"interrupts", no_argument, NULL, OPTION_INTERRUPTS},
	{"queue-depth", required_argument, NULL, OPTION_QUEUE_DEPTH},
	{"transfer", required_argument, NULL, OPTION_TRANSFER},
	{"namespace", required_argument, NULL, OPTION_NAMESPACE},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static int wrong(const char *message)
{
	nvme_fail(0, "%s; --help explains", message);
	return EXIT_USAGE;
}

static bool number(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	unsigned long long parsed;
	char *end;

	errno = 0;
	parsed = strtoull(text, &end, 0);
	if (errno || end == text || *end || strchr(text, '-') || parsed < least || parsed > most)
		return nvme_fail(false, "not a number from %llu to %llu: %s",
		                 (unsigned long long)least, (unsigned long long)most, text);
	*value = parsed;
	return true;
}

static bool set_action(struct nvme_options *options, enum nvme_action action)
{
	if (options->action != NVME_ACTION_CHECK)
		return nvme_fail(false, "one thing at a time");
	options->action = action;
	return true;
}

/* True if the option was understood. */
static bool apply(struct nvme_options *options, int code)
{
	struct nvme_config *const config = &options->config;
	uint64_t value = 0;
	bool ok = true;

	switch (code) {
	case OPTION_IDENTIFY:
		return set_action(options, NVME_ACTION_IDENTIFY);
	case OPTION_STRAY_DMA:
		return set_action(options, NVME_ACTION_STRAY_DMA);
	case OPTION_READ:
		return set_action(options, NVME_ACTION_READ) &&
		       number(optarg, 0, UINT64_MAX, &options->lba);
	case OPTION_WRITE:
		return set_action(options, NVME_ACTION_WRITE) &&
		       number(optarg, 0, UINT64_MAX, &options->lba);
	case OPTION_SELF_TEST:
		return set_action(options, NVME_ACTION_SELF_TEST) &&
		       number(optarg, 0, UINT64_MAX, &options->lba);
	case OPTION_COUNT:
		return number(optarg, 1, UINT64_MAX, &options->count);
	case OPTION_OUTPUT:
	case OPTION_INPUT:
		options->file = strcmp(optarg, "-") ? optarg : NULL;
		return true;
	case OPTION_POLL:
		config->modes[NVME_POLL] = true;
		return true;
	case OPTION_INTERRUPTS:
		config->modes[NVME_INTERRUPTS] = true;
		return true;
	case OPTION_QUEUE_DEPTH:
		ok = number(optarg, 1, 1023, &value);
		config->queue_depth = (uint32_t)value;
		return ok;
	case OPTION_TRANSFER:
		ok = number(optarg, 4096, 1 << 30, &value);
		config->transfer = value;
		return ok;
	case OPTION_NAMESPACE:
		ok = number(optarg, 1, UINT32_MAX - 1, &value);
		config->nsid = (uint32_t)value;
		return ok;
	default:
		return false;
	}
}

int nvme_options_parse(struct nvme_options *options, int argc, char **argv)
{
	struct nvme_config *const config = &options->config;
	int code;

	memset(options, 0, sizeof(*options));
	config->queue_depth = 32;
	config->transfer = 131072;
	config->nsid = 1;
	while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (code == OPTION_HELP) {
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		}
		if (code == OPTION_VERSION) {
			printf("nvme-rw (libiommu) %s\n", libiommu_version());
			return EXIT_SUCCESS;
		}
		if (!apply(options, code))
			return wrong("wrong usage");
	}
	if (argc - optind > 1)
		return wrong("more than one device");
	if (!config->modes[NVME_POLL] && !config->modes[NVME_INTERRUPTS]) {
		config->modes[NVME_INTERRUPTS] = true;
		config->modes[NVME_POLL] = options->action == NVME_ACTION_CHECK ||
		                           options->action == NVME_ACTION_SELF_TEST;
	}
	config->address = argv[optind];
	return NVME_OPTIONS_OK;
}

int nvme_options_find(struct nvme_options *options)
{
	uint32_t vendor, device, class_code;
	struct libiommu_device_list *list;
	size_t found = 0, i;
	int err;

	if (options->config.address)
		return 0;
	err = libiommu_device_list_new(NULL, &list);
	if (err)
		return nvme_fail_library("cannot look for a drive");
	for (i = 0; i < libiommu_device_list_count(list); i++) {
		if (libiommu_device_list_ids(list, i, &vendor, &device, &class_code) ||
		    class_code != CLASS_NVME)
			continue;
		if (libiommu_device_list_obstacle(list, i) != LIBIOMMU_OBSTACLE_NONE) {
			nvme_fail(0, "not %s: %s", libiommu_device_list_address(list, i),
			          libiommu_device_list_advice(list, i));
			continue;
		}
		found++;
		snprintf(options->address, sizeof(options->address), "%s",
		         libiommu_device_list_address(list, i));
	}
	libiommu_device_list_free(list);
	if (found != 1)
		return nvme_fail(-ENODEV, found ? "several NVMe drives: name one"
		                                : "no NVMe drive that can be driven from here");
	options->config.address = options->address;
	return 0;
}
