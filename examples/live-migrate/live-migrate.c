/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A device's memory is copied to a file while the device writes it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "migrate.h"

enum { EXIT_USAGE = 2, LABEL = 0xfa, PAGE = 4096 };

#define IOVA UINT64_C(0x10000000)

static const char usage[] =
	"Usage: live-migrate NODE OUTPUT [PAGES [LIMIT]]\n"
	"\n"
	"Gives the device with this node, /dev/vfio/devices/vfio0 for example, PAGES pages\n"
	"of memory, 4096 by default, and copies them to the file OUTPUT while the device\n"
	"writes them: in rounds, until no more than LIMIT pages, 64 by default, were written\n"
	"during one. Then the device is stopped, and the rest is copied. The IOMMU must be\n"
	"able to track writes.\n"
	"\n"
	"Exit status: 0 success; 1 failure, told on standard error; 2 wrong usage.\n";

struct machine {
	struct libiommu_ctx *ctx;
	struct libiommu_device *dev;
	struct libiommu_ioas *ioas;
	struct libiommu_hwpt *hwpt;
	uint8_t *memory;
	uint64_t size;
};

static int open_ctx(struct machine *machine)
{
	struct libiommu_ctx_config *config;
	int error = libiommu_ctx_config_new(&config);

	if (!error)
		error = libiommu_ctx_config_set_sys(config, device_door());
	if (!error)
		error = libiommu_ctx_new(config, &machine->ctx);
	libiommu_ctx_config_free(config);
	return error;
}

/* A page table that notes what the device writes. */
static int make_table(struct machine *machine)
{
	struct libiommu_hwpt_config *config;
	int error = libiommu_hwpt_config_new(&config);

	if (!error)
		error = libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_DIRTY_TRACKING);
	if (!error)
		error = libiommu_hwpt_alloc(machine->dev, machine->ioas, config, &machine->hwpt);
	libiommu_hwpt_config_free(config);
	return error;
}

static bool open_machine(struct machine *machine, const char *node)
{
	char text[512];

	machine->memory = mmap(NULL, machine->size, PROT_READ | PROT_WRITE,
	                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (machine->memory == MAP_FAILED) {
		machine->memory = NULL;
		perror("live-migrate: memory");
		return false;
	}
	/* A large page would be dirty as a whole. */
	if (!open_ctx(machine) && !libiommu_device_open_node(machine->ctx, node, &machine->dev) &&
	    !libiommu_device_bind(machine->dev, LABEL, NULL, 0) &&
	    !libiommu_ioas_alloc(machine->ctx, &machine->ioas) &&
	    !libiommu_ioas_set_huge_pages(machine->ioas, false) && !make_table(machine) &&
	    !libiommu_device_attach_hwpt(machine->dev, machine->hwpt) &&
	    !libiommu_ioas_map_fixed(machine->ioas, machine->memory, machine->size,
	                             LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE, IOVA))
		return true;
	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "live-migrate: %s\n", text);
	return false;
}

/* Children before parents; what was never made is NULL, and destroying NULL is nothing. */
static void close_machine(struct machine *machine)
{
	libiommu_device_destroy(machine->dev);
	libiommu_hwpt_destroy(machine->hwpt);
	libiommu_ioas_destroy(machine->ioas);
	libiommu_ctx_destroy(machine->ctx);
	if (machine->memory)
		munmap(machine->memory, machine->size);
}

static bool send_to_file(void *user, uint64_t page, const void *bytes)
{
	const int file = *(const int *)user;

	if (pwrite(file, bytes, PAGE, (off_t)(page * PAGE)) == PAGE)
		return true;
	perror("live-migrate: output");
	return false;
}

static int run(struct machine *machine, int file, uint64_t limit)
{
	struct migration migration = {
		.hwpt = machine->hwpt,
		.memory = machine->memory,
		.iova = IOVA,
		.page = PAGE,
		.pages = machine->size / PAGE,
		.limit = limit,
		.target = {send_to_file, &file},
	};

	if (!device_begin(machine->dev, machine->hwpt, machine->memory, IOVA, machine->size) ||
	    !migrate(&migration))
		return EXIT_FAILURE;
	printf("%" PRIu64 " pages sent in %u rounds, %" PRIu64 " after the device was stopped\n",
	       migration.sent, migration.rounds, migration.left);
	return EXIT_SUCCESS;
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
	struct machine machine = {0};
	uint64_t pages = 4096, limit = 64;
	int status = EXIT_FAILURE;
	int file;

	if (argc < 3 || argc > 5 || argv[1][0] == '-' || (argc > 3 && !parse(argv[3], &pages)) ||
	    (argc > 4 && !parse(argv[4], &limit)) || !pages || pages > SIZE_MAX / PAGE) {
		fputs(usage, argc == 2 && !strcmp(argv[1], "--help") ? stdout : stderr);
		return argc == 2 && !strcmp(argv[1], "--help") ? EXIT_SUCCESS : EXIT_USAGE;
	}
	file = open(argv[2], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0) {
		perror(argv[2]);
		return EXIT_FAILURE;
	}
	machine.size = pages * PAGE;
	if (open_machine(&machine, argv[1]))
		status = run(&machine, file, limit);
	close_machine(&machine);
	close(file);
	return status;
}
