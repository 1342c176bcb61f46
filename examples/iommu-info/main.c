/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What this machine can do for a process that wants to drive a device. */
#include "info.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
};

static const struct option options[] = {
	{"json", no_argument, NULL, 'j'},
	{"probe", no_argument, NULL, 'p'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static void print_usage(FILE *out)
{
	fputs("Usage: iommu-info [--json] [--probe] [ADDRESS]...\n"
	      "\n"
	      "Shows what this machine can do for a process that wants to drive a device: what "
	      "the\n"
	      "kernel has, which PCI devices are ready, and what stands in the way of the others.\n"
	      "It needs no rights and changes nothing. An ADDRESS, 0000:00:03.0 or 00:03.0, "
	      "restricts\n"
	      "it to that device.\n"
	      "\n"
	      "  -p, --probe    open each device that is ready, attach it to an empty address "
	      "space,\n"
	      "                 and show what the IOMMU behind it can do\n"
	      "  -j, --json     for programs; iommu-info(1) documents the keys\n"
	      "  -h, --help     this\n"
	      "  -V, --version  the version\n"
	      "\n"
	      "Exit status: 0; 1 if something could not be found out or a probe failed; 2 for "
	      "wrong\n"
	      "arguments.\n",
	      out);
}

/* What is buffered can fail as late as here. */
static int finish(int status)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fprintf(stderr, "iommu-info: cannot write: %s\n", strerror(errno));
	return STATUS_FAILED;
}

static int show(bool json, bool probe, const char *const *addresses, size_t count)
{
	char error[REASON_MAX];
	struct info info;
	int status = STATUS_OK;

	if (info_gather(&info, NULL, probe, addresses, count, error)) {
		fprintf(stderr, "iommu-info: %s\n", error);
		info_free(&info);
		return STATUS_FAILED;
	}
	if (json)
		info_print_json(&info, stdout);
	else
		info_print_table(&info, stdout);
	if (info_probe_failed(&info))
		status = STATUS_FAILED;
	info_free(&info);
	return finish(status);
}

int main(int argc, char **argv)
{
	bool json = false;
	bool probe = false;
	int option;

	while ((option = getopt_long(argc, argv, "jphV", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'p':
			probe = true;
			break;
		case 'h':
			print_usage(stdout);
			return finish(STATUS_OK);
		case 'V':
			printf("iommu-info %s\n", libiommu_version());
			return finish(STATUS_OK);
		default:
			fprintf(stderr, "Try iommu-info --help.\n");
			return STATUS_USAGE;
		}
	}
	return show(json, probe, (const char *const *)(argv + optind), (size_t)(argc - optind));
}
