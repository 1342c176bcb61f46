/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "differ.h"

#include <stdlib.h>
#include <string.h>

/* Something to play with, so that not most moves are about nothing. */
static void play_first(struct differ *d, uint64_t *chance)
{
	static const char *const names[] = {
		"alloc",  "alloc",  "device", "device",  "queue",   "table",  "table",
		"table",  "table",  "table",  "table",   "map",     "map",    "viommu",
		"viommu", "viommu", "viommu", "vdevice", "vdevice", "nested", "nested",
		"nested", "attach", "attach", "driver",  "driver"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		d->state = *chance;
		differ_draw(d, 1);
		*chance = d->state;
		differ_play(d, differ_find_move(names[i]), differ_draw(d, UINT32_MAX));
	}
}

static void play_drawn(struct differ *d, uint64_t *chance)
{
	const struct differ_move *move;
	uint32_t seed;

	d->state = *chance;
	move = differ_draw_move(d);
	seed = differ_draw(d, UINT32_MAX);
	*chance = d->state;
	differ_play(d, move, seed);
}

static void play_games(struct differ *d, uint64_t seed, uint64_t games, uint64_t moves)
{
	char name[24];

	for (uint64_t game = seed; game < seed + games; game++) {
		uint64_t chance;

		snprintf(name, sizeof(name), "%llu", (unsigned long long)game);
		differ_begin(d, name);
		differ_seed(d, game);
		chance = d->state;
		play_first(d, &chance);
		for (uint64_t i = 0; i < moves; i++)
			play_drawn(d, &chance);
		differ_end(d);
	}
}

/* One line of a file of games, without what was answered. */
static bool play_line(struct differ *d, char *line, bool *playing)
{
	const struct differ_move *move;
	char name[64];
	unsigned int seed;

	if (line[0] == '#' || !strncmp(line, "end:", 4))
		return true;
	if (sscanf(line, "game %63s", name) == 1) {
		if (*playing)
			differ_end(d);
		differ_begin(d, name);
		*playing = true;
		return true;
	}
	if (!*playing || sscanf(line, "%63s %x:", name, &seed) != 2)
		return false;
	move = differ_find_move(name);
	if (move)
		differ_play(d, move, seed);
	return move;
}

/* What the file says was answered is put together in @kept. */
static int play_file(struct differ *d, const char *path, FILE *kept)
{
	FILE *const file = fopen(path, "re");
	bool playing = false, good = file;
	char line[1024];

	while (good && fgets(line, sizeof(line), file)) {
		if (line[0] != '#' && kept)
			fputs(line, kept);
		good = play_line(d, line, &playing);
	}
	if (playing)
		differ_end(d);
	if (!good)
		fprintf(stderr, "%s: %s", path, file ? line : "cannot be read\n");
	if (file)
		fclose(file);
	return good ? 0 : 2;
}

/* The first line that is not the same. */
static int compare(const char *path, char *kept, char *got)
{
	char *here = got;

	for (char *line = kept; *line || *here; line++, here++) {
		const size_t length = strcspn(line, "\n"), other = strcspn(here, "\n");

		if (length != other || memcmp(line, here, length)) {
			printf("%s:\n  kept: %.*s\n  here: %.*s\n", path, (int)length, line,
			       (int)other, here);
			return 1;
		}
		line += length;
		here += other;
		if (!*line || !*here)
			break;
	}
	return 0;
}

/* Whether the answers are those of the file. */
static int check_file(struct differ *d, const char *path)
{
	char *kept_text = NULL, *text = NULL;
	size_t kept_size, size;
	FILE *const kept = open_memstream(&kept_text, &kept_size);
	int result;

	d->out = open_memstream(&text, &size);
	if (!kept || !d->out)
		abort();
	result = play_file(d, path, kept);
	fclose(kept);
	fclose(d->out);
	d->out = stdout;
	if (!result)
		result = compare(path, kept_text, text);
	free(kept_text);
	free(text);
	return result;
}

static uint64_t number(char **argv, int argc, int i, uint64_t otherwise)
{
	return i < argc ? strtoull(argv[i], NULL, 0) : otherwise;
}

/* --play or --check, and files of games; or a seed, how many games, how many moves of each. */
int main(int argc, char **argv)
{
	const bool checks = argc > 1 && !strcmp(argv[1], "--check");
	struct differ d = {.world = world_new(), .out = stdout};
	int result = 0;

	if (!d.world)
		return 77;
	if (!checks && (argc < 2 || strcmp(argv[1], "--play")))
		play_games(&d, number(argv, argc, 1, 1), number(argv, argc, 2, 1),
		           number(argv, argc, 3, 200));
	else
		for (int i = 2; i < argc; i++)
			result |= checks ? check_file(&d, argv[i]) : play_file(&d, argv[i], NULL);
	world_free(d.world);
	return result;
}
