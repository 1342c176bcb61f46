/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A program that replaces itself again and again while its device works: each generation starts a
 * copy, hands everything over, and the next one sees the copy end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ways.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"Usage: live-update [--exec | --socket] [--times N] [ADDRESS]\n"
	"\n"
	"Drives an edu device, 0000:00:04.0 for example, and replaces itself N times, 3 by\n"
	"default, while the device writes to memory: by exec() (the default), or by another\n"
	"process that is told everything over a socket.\n"
	"\n"
	"Exit status: 0 success; 1 failure, told on standard error; 2 wrong usage.\n";

static unsigned int page_of(const struct baton *baton)
{
	return baton->generation % PAGES;
}

static uint8_t value_of(const struct baton *baton)
{
	return (uint8_t)(0xa0 + baton->generation);
}

/* A generation's life, once it has its machine. */
static int live(struct machine *machine, struct baton *baton, char **argv)
{
	bool right = machine_resume(machine);
	pid_t successor = 0;
	int status;

	if (right) {
		printf("generation %u, process %ld\n", baton->generation, (long)getpid());
		machine_print(machine);
	}
	if (right && baton->generation)
		right = machine_end_copy(machine, page_of(baton), value_of(baton));
	fflush(stdout);
	if (right && baton->generation < baton->last) {
		baton->generation++;
		machine_begin_copy(machine, page_of(baton), value_of(baton));
		right = baton->way == BY_EXEC ? pass_by_exec(machine, baton, argv[0])
		                              : pass_by_socket(machine, baton, argv[0], &successor);
	}
	machine_close(machine);
	/* Nothing is left here; it stays only to tell how the successor ended. */
	if (right && successor)
		right = waitpid(successor, &status, 0) == successor && !status;
	return right ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A program that was started by its predecessor. */
static int succeed(char **argv)
{
	struct machine machine = {.file = -1};
	struct baton baton;

	if (!strcmp(argv[1], "--inherit") ? !take_by_exec(&machine, &baton, argv[2])
	                                  : !take_by_socket(&machine, &baton))
		return EXIT_FAILURE;
	return live(&machine, &baton, argv);
}

static bool parse(int argc, char **argv, struct baton *baton, const char **address)
{
	int i = 1;

	if (i < argc && (!strcmp(argv[i], "--exec") || !strcmp(argv[i], "--socket")))
		baton->way = strcmp(argv[i++], "--exec") ? BY_SOCKET : BY_EXEC;
	if (i + 1 < argc && !strcmp(argv[i], "--times")) {
		char *end;
		const unsigned long times = strtoul(argv[i + 1], &end, 10);

		if (*end || end == argv[i + 1] || times > 90)
			return false;
		baton->last = (unsigned int)times;
		i += 2;
	}
	if (i < argc && argv[i][0] != '-')
		*address = argv[i++];
	return i == argc;
}

int main(int argc, char **argv)
{
	struct baton baton = {.way = BY_EXEC, .last = 3};
	const char *address = NULL;
	struct machine machine;

	/* Only for this program itself. */
	if (argc == 3 && (!strcmp(argv[1], "--inherit") || !strcmp(argv[1], "--receive")))
		return succeed(argv);
	if (!parse(argc, argv, &baton, &address)) {
		const bool asked = argc == 2 && !strcmp(argv[1], "--help");

		fputs(usage, asked ? stdout : stderr);
		return asked ? EXIT_SUCCESS : EXIT_USAGE;
	}
	if (!machine_open(&machine, address)) {
		machine_close(&machine);
		return EXIT_FAILURE;
	}
	return live(&machine, &baton, argv);
}
