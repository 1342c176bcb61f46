/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Reads and writes an NVMe drive from a process of its own: see --help. */
#include "actions.h"
#include "transfer.h"

#include <errno.h>
#include <stdlib.h>

enum { EXIT_INTERRUPTED = 130 };

static void on_signal(int number)
{
	(void)number;
	nvme_interrupted = 1;
}

/* The first Ctrl-C ends the work in order; the second the process, and the kernel cleans up. */
static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* A reader of the output that goes away is a failed write, no end in mid-command. */
	signal(SIGPIPE, SIG_IGN);
}

static int act(struct nvme *nvme, const struct nvme_options *options)
{
	switch (options->action) {
	case NVME_ACTION_CHECK:
		nvme_action_identify(nvme);
		return nvme_action_check(nvme, options);
	case NVME_ACTION_IDENTIFY:
		nvme_action_identify(nvme);
		return 0;
	case NVME_ACTION_READ:
		return nvme_action_read(nvme, options);
	case NVME_ACTION_WRITE:
		return nvme_action_write(nvme, options);
	case NVME_ACTION_SELF_TEST:
		return nvme_action_self_test(nvme, options);
	case NVME_ACTION_STRAY_DMA:
		return nvme_action_stray_dma(nvme, options);
	}
	return -EINVAL;
}

int main(int argc, char **argv)
{
	struct nvme_options options;
	struct nvme nvme;
	int err, next;

	err = nvme_options_parse(&options, argc, argv);
	if (err != NVME_OPTIONS_OK)
		return err;
	if (nvme_options_find(&options))
		return EXIT_FAILURE;
	catch_signals();
	err = nvme_open(&nvme, &options.config);
	if (!err)
		err = act(&nvme, &options);
	next = nvme_close(&nvme);
	if (!err)
		err = next;
	if (err == -EINTR) {
		nvme_fail(0, "interrupted; the drive was given back in order");
		return EXIT_INTERRUPTED;
	}
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
