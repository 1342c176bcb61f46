/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page requests of a device, decided about in another process. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handler.h"
#include "owner.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"Usage: fault-proxy NODE [START [SIZE]]\n"
	"\n"
	"Has the page requests of the device with this node, /dev/vfio/devices/vfio0\n"
	"for example, answered by a process without any rights, until interrupted:\n"
	"yes for addresses of the SIZE bytes from START on, else no. The defaults are\n"
	"0x10000000 and 0x1000000. That process may be killed: there will be another.\n"
	"\n"
	"Exit status: 0 success; 1 failure, told on standard error; 2 wrong usage.\n";

static void say(struct libiommu_ring *ring, unsigned long handlers)
{
	static const struct {
		const char *name;
		enum libiommu_ring_counter which;
	} counters[] = {
		{"allowed", LIBIOMMU_RING_SUCCESS},
		{"refused by the handler", LIBIOMMU_RING_INVALID},
		{"lost with a handler", LIBIOMMU_RING_ABANDONED},
		{"refused for want of one", LIBIOMMU_RING_REFUSED},
		{"not answered in time", LIBIOMMU_RING_EXPIRED},
	};

	printf("handlers: %lu\n", handlers);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		uint64_t value;

		if (!libiommu_ring_counter(ring, counters[i].which, &value))
			printf("page requests %s: %" PRIu64 "\n", counters[i].name, value);
	}
}

/* The kernel gives devices out that may not master the bus: none asks for pages until then. */
static bool start_device(struct libiommu_device *dev)
{
	char text[512];

	if (!libiommu_pci_set_bus_master(dev, true))
		return true;
	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "fault-proxy: the device is not started: %s\n", text);
	return false;
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
	struct window window = {0x10000000, 0x1000000};
	const bool is_handler = argc > 1 && !strcmp(argv[1], "--handler");
	char handler[] = "--handler";
	char *arguments[] = {argv[0], handler, NULL, NULL, NULL};
	enum owner_state state = OWNER_FAILED;
	struct owner owner;

	if (argc < 2 || argc > 4 || (argv[1][0] == '-' && !is_handler) ||
	    (argc > 2 && !parse(argv[2], &window.start)) ||
	    (argc > 3 && !parse(argv[3], &window.size))) {
		fputs(usage, argc == 2 && !strcmp(argv[1], "--help") ? stdout : stderr);
		return argc == 2 && !strcmp(argv[1], "--help") ? EXIT_SUCCESS : EXIT_USAGE;
	}
	/* Only for this program itself. */
	if (is_handler)
		return handler_run(STDIN_FILENO, &window);
	for (int i = 2; i < argc; i++)
		arguments[i] = argv[i];
	if (!owner_open(&owner, NULL, argv[1], arguments))
		return EXIT_FAILURE;
	if (start_device(owner.dev))
		do
			state = owner_step(&owner, -1);
		while (state == OWNER_GOES_ON);
	say(owner.ring, owner.started);
	owner_close(&owner);
	return state == OWNER_INTERRUPTED ? EXIT_SUCCESS : EXIT_FAILURE;
}
