/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* One test for each variant of each behaviour of each theme. */
#include "suite.h"

#include <stdlib.h>
#include <string.h>

extern const struct theme facts, commands, address_space, end_of_space, mapping, copying, files,
	access_to_memory, devices, dirty, tracking, compat, nesting, viommus, events, pasids,
	faults, fault_descriptors, process, failing, failing_spaces, failing_devices,
	failing_guests, parallel;

static const struct theme *const themes[] = {
	&commands,
	&address_space,
	&end_of_space,
	&mapping,
	&copying,
	&files,
	&access_to_memory,
	&devices,
	&dirty,
	&tracking,
	&compat,
	&nesting,
	&viommus,
	&events,
	&pasids,
	&faults,
	&fault_descriptors,
	&failing,
	&failing_spaces,
	&failing_devices,
	&failing_guests,
	&facts,
	&process,
	&parallel,
};

/* A behaviour without variants has this one. */
static const struct variant single = {.name = NULL};

struct test {
	const struct behaviour *behaviour;
	const struct variant *variant;
	struct rig *rig; /* NULL: it cannot run here */
	const char *lacking;
	char name[160];
};

static struct world *world;

static int setup(void **state)
{
	struct test *const test = *state;

	test->lacking = world_lacks(world, test->behaviour->needs | test->variant->needs);
	test->rig = test->lacking ? NULL : rig_new(world, test->variant);
	return 0;
}

static void run(void **state)
{
	const struct test *const test = *state;

	if (test->lacking)
		SKIP("%s", test->lacking);
	test->behaviour->run(test->rig);
}

static int teardown(void **state)
{
	struct test *const test = *state;

	return test->rig ? rig_free(test->rig) : 0;
}

static void name_test(struct test *test, const struct theme *theme)
{
	const char *const variant = test->variant->name;

	snprintf(test->name, sizeof(test->name), variant ? "%s: %s (%s)" : "%s: %s", theme->name,
	         test->behaviour->name, variant);
}

/* All tests, or as many as @tests is told to have room for; returns how many there are. */
static size_t collect(struct test *tests, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < COUNT(themes); i++)
		for (size_t j = 0; j < themes[i]->count; j++) {
			const struct behaviour *const behaviour = &themes[i]->behaviours[j];

			for (size_t k = 0; k < behaviour->count || !k; k++, count++) {
				if (count >= room)
					continue;
				tests[count].behaviour = behaviour;
				tests[count].variant =
					behaviour->count ? &behaviour->variants[k] : &single;
				name_test(&tests[count], themes[i]);
			}
		}
	return count;
}

static bool is_chosen(const struct test *test, char **only)
{
	if (!*only)
		return true;
	for (; *only; only++)
		if (strstr(test->name, *only))
			return true;
	return false;
}

/* The tests whose name has one of these texts. */
static int run_chosen(struct test *tests, size_t count, char **only)
{
	struct CMUnitTest *const chosen = calloc(count, sizeof(*chosen));
	size_t n = 0;
	int status;

	if (!chosen)
		return 1;
	for (size_t i = 0; i < count; i++)
		if (is_chosen(&tests[i], only))
			chosen[n++] =
				(struct CMUnitTest){tests[i].name, run, setup, teardown, &tests[i]};
	status = n ? _cmocka_run_group_tests("conformance", chosen, n, NULL, NULL) : 2;
	/* Meson wants to read TAP's own first line first. */
	print_message("# %zu behaviours of %zu\n", n, count);
	free(chosen);
	return status;
}

int main(int argc, char **argv)
{
	const size_t count = collect(NULL, 0);
	struct test *const tests = calloc(count, sizeof(*tests));
	int status;

	if (!tests)
		return 1;
	collect(tests, count);
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t i = 0; i < count; i++)
			printf("%s\n", tests[i].name);
		free(tests);
		return 0;
	}
	if (argc > 1 && (argc < 3 || strcmp(argv[1], "--only"))) {
		fprintf(stderr, "Usage: %s [--list | --only TEXT...]\n", argv[0]);
		free(tests);
		return 2;
	}
	srand(1);
	world = world_new();
	if (!world) {
		free(tests);
		return 77;
	}
	status = run_chosen(tests, count, argv + (argc > 1 ? 2 : argc));
	world_free(world);
	free(tests);
	return status;
}
