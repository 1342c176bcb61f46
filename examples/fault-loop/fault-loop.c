/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Demand paging in a loop of the program's own: a page is mapped when the device asks for it. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "device.h"

enum { EXIT_USAGE = 2, LABEL = 0xfa };

static const char usage[] =
	"Usage: fault-loop NODE [START [SIZE]]\n"
	"\n"
	"Gives the device with this node, /dev/vfio/devices/vfio0 for example, SIZE\n"
	"bytes of memory from the address START on, each page when the device first\n"
	"asks for it, until interrupted. The defaults are 0x10000000 and 0x1000000.\n"
	"The device must be able to make page requests, and its IOMMU to report them.\n"
	"\n"
	"Exit status: 0 success; 1 failure, told on standard error; 2 wrong usage.\n";

struct loop {
	struct libiommu_ctx *ctx;
	struct libiommu_device *dev;
	struct libiommu_ioas *ioas;
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *hwpt;
	struct libiommu_fault_batch *batch;
	struct pager pager;
	int signals;
	uint64_t groups;
};

static int complain(void)
{
	char text[512];

	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "fault-loop: %s\n", text);
	return EXIT_FAILURE;
}

static int open_ctx(struct loop *loop)
{
	struct libiommu_ctx_config *config;
	int error = libiommu_ctx_config_new(&config);

	if (error)
		return error;
	error = libiommu_ctx_config_set_sys(config, device_door());
	if (!error)
		error = libiommu_ctx_new(config, &loop->ctx);
	libiommu_ctx_config_free(config);
	return error;
}

/* The page table sends page requests to the queue. */
static int make_table(struct loop *loop)
{
	struct libiommu_hwpt_config *config;
	int error = libiommu_hwpt_config_new(&config);

	if (error)
		return error;
	error = libiommu_hwpt_config_set_fault_queue(config, loop->queue);
	if (!error)
		error = libiommu_hwpt_alloc(loop->dev, loop->ioas, config, &loop->hwpt);
	libiommu_hwpt_config_free(config);
	return error;
}

static int open_all(struct loop *loop, const char *node, uint64_t start, uint64_t size)
{
	if (open_ctx(loop) || libiommu_device_open_node(loop->ctx, node, &loop->dev) ||
	    libiommu_device_bind(loop->dev, LABEL, NULL, 0) ||
	    libiommu_ioas_alloc(loop->ctx, &loop->ioas) ||
	    libiommu_fault_queue_alloc(loop->ctx, &loop->queue) || make_table(loop) ||
	    libiommu_fault_batch_new(0, &loop->batch) ||
	    libiommu_device_attach_hwpt(loop->dev, loop->hwpt))
		return complain();
	return pager_open(&loop->pager, loop->ioas, start, size) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Children before parents; what was never made is NULL, and destroying NULL is nothing. */
static void close_all(struct loop *loop)
{
	libiommu_device_destroy(loop->dev);
	libiommu_hwpt_destroy(loop->hwpt);
	libiommu_fault_queue_destroy(loop->queue);
	libiommu_ioas_destroy(loop->ioas);
	libiommu_ctx_destroy(loop->ctx);
	libiommu_fault_batch_free(loop->batch);
	pager_close(&loop->pager);
}

/* Everything that is there now: each fault is dealt with, and each group of them answered once. */
static int serve(struct loop *loop)
{
	struct libiommu_fault_response answer = {.code = LIBIOMMU_FAULT_SUCCESS};
	const int count = libiommu_fault_queue_read(loop->queue, loop->batch);

	if (count < 0)
		return complain();
	for (int i = 0; i < count; i++) {
		const struct libiommu_record *const fault =
			libiommu_fault_batch_get(loop->batch, (size_t)i);

		if (pager_answer(&loop->pager, fault) != LIBIOMMU_FAULT_SUCCESS)
			answer.code = LIBIOMMU_FAULT_INVALID;
		if (!(fault->flags & LIBIOMMU_RECORD_LAST))
			continue;
		answer.token = fault->token;
		if (libiommu_fault_queue_respond(loop->queue, &answer, 1, NULL) < 0)
			return complain();
		answer.code = LIBIOMMU_FAULT_SUCCESS;
		loop->groups++;
	}
	return EXIT_SUCCESS;
}

static int run(struct loop *loop)
{
	struct pollfd fds[2] = {
		{.fd = libiommu_fault_queue_fd(loop->queue), .events = POLLIN},
		{.fd = loop->signals, .events = POLLIN},
	};
	int status = device_begin(loop->dev, loop->hwpt, &loop->pager);

	while (status == EXIT_SUCCESS && device_goes_on()) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR) {
			perror("fault-loop: poll");
			return EXIT_FAILURE;
		}
		if (fds[1].revents)
			break;
		if (fds[0].revents)
			status = serve(loop);
	}
	return status == EXIT_SUCCESS ? device_end() : status;
}

static void say(const struct loop *loop)
{
	printf("%" PRIu64 " page requests answered: ", loop->groups);
	printf("%" PRIu64 " pages mapped, %" PRIu64 " refused, %" PRIu64 " failed\n",
	       loop->pager.mapped, loop->pager.refused, loop->pager.failed);
}

static bool parse(const char *word, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(word, &end, 0);
	return !errno && end != word && !*end && *word != '-';
}

int main(int argc, char **argv)
{
	struct loop loop = {.signals = -1};
	uint64_t start = 0x10000000, size = 0x1000000;
	sigset_t set;
	int status;

	if (argc < 2 || argc > 4 || argv[1][0] == '-' || (argc > 2 && !parse(argv[2], &start)) ||
	    (argc > 3 && !parse(argv[3], &size))) {
		fputs(usage, argc == 2 && !strcmp(argv[1], "--help") ? stdout : stderr);
		return argc == 2 && !strcmp(argv[1], "--help") ? EXIT_SUCCESS : EXIT_USAGE;
	}
	/* A signal is one more thing to wait for; it ends the loop between two rounds. */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	loop.signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (loop.signals < 0) {
		perror("fault-loop: signalfd");
		return EXIT_FAILURE;
	}
	status = open_all(&loop, argv[1], start, size);
	if (status == EXIT_SUCCESS) {
		status = run(&loop);
		say(&loop);
	}
	close_all(&loop);
	close(loop.signals);
	return status == EXIT_SUCCESS && loop.pager.failed ? EXIT_FAILURE : status;
}
