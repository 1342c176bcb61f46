/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "actions.h"
#include "transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

int nvme_check_range(const struct nvme *nvme, uint64_t lba, uint64_t count)
{
	if (lba >= nvme->blocks || count > nvme->blocks - lba)
		return nvme_fail(-ERANGE, "%llu blocks from %llu are not on the drive: it has %llu",
		                 (ull)count, (ull)lba, (ull)nvme->blocks);
	return 0;
}

uint64_t nvme_window(const struct nvme *nvme, const struct nvme_options *options, uint64_t count)
{
	const uint64_t most = nvme->max_transfer / nvme->block_size * options->config.queue_depth;

	return count < most ? count : most;
}

enum nvme_mode nvme_mode_of_pass(const struct nvme_options *options, int pass)
{
	const bool *const modes = options->config.modes;

	if (modes[NVME_POLL] && modes[NVME_INTERRUPTS])
		return pass ? NVME_INTERRUPTS : NVME_POLL;
	return modes[NVME_POLL] ? NVME_POLL : NVME_INTERRUPTS;
}

void nvme_action_identify(const struct nvme *nvme)
{
	printf("model:        %s\n", nvme->model);
	printf("serial:       %s\n", nvme->serial);
	printf("firmware:     %s\n", nvme->firmware);
	printf("NVMe:         %u.%u.%u\n", nvme->version >> 16, nvme->version >> 8 & 0xff,
	       nvme->version & 0xff);
	printf("namespaces:   %u\n", nvme->namespaces);
	printf("namespace %u:  %llu blocks of %u bytes\n", nvme->nsid, (ull)nvme->blocks,
	       nvme->block_size);
	printf("one command:  up to %llu bytes\n", (ull)nvme->max_transfer);
}

/* The same blocks read twice, in two ways: both must see the same, and neither changes anything. */
int nvme_action_check(struct nvme *nvme, const struct nvme_options *options)
{
	const uint64_t wanted = options->count ? options->count : 2048;
	const uint64_t count = wanted < nvme->blocks ? wanted : nvme->blocks;
	const uint64_t window = nvme_window(nvme, options, count);
	struct nvme_dma data[2] = {{0}, {0}};
	uint64_t done = 0, step;
	int err = 0;

	for (int pass = 0; pass < 2 && !err; pass++)
		err = nvme_dma_alloc(nvme->space, window * nvme->block_size, &data[pass]);
	while (!err && done < count) {
		step = count - done < window ? count - done : window;
		for (int pass = 0; pass < 2 && !err; pass++)
			err = nvme_transfer(nvme, nvme_mode_of_pass(options, pass), NVME_READ, done,
			                    step, data[pass].address);
		if (!err && memcmp(data[0].address, data[1].address, step * nvme->block_size))
			err = nvme_fail(-EIO, "two reads of blocks from %llu differ", (ull)done);
		done += step;
	}
	for (int pass = 0; pass < 2; pass++)
		nvme_dma_free(nvme->space, &data[pass]);
	if (!err)
		printf("ok: %llu blocks read twice, %llu interrupts\n", (ull)count,
		       (ull)nvme->io[NVME_INTERRUPTS].interrupts);
	return err;
}

static int read_to(struct nvme *nvme, const struct nvme_options *options, FILE *file)
{
	const enum nvme_mode mode = nvme_mode_of_pass(options, 1);
	const uint64_t count = options->count ? options->count : 1;
	const uint64_t window = nvme_window(nvme, options, count);
	struct nvme_dma data = {0};
	uint64_t done = 0, step;
	int err;

	err = nvme_check_range(nvme, options->lba, count);
	if (!err)
		err = nvme_dma_alloc(nvme->space, window * nvme->block_size, &data);
	for (; !err && done < count; done += step) {
		step = count - done < window ? count - done : window;
		err = nvme_transfer(nvme, mode, NVME_READ, options->lba + done, step, data.address);
		if (!err && fwrite(data.address, nvme->block_size, step, file) != step)
			err = nvme_fail(-EIO, "cannot write the output: %s", strerror(errno));
	}
	nvme_dma_free(nvme->space, &data);
	return err;
}

int nvme_action_read(struct nvme *nvme, const struct nvme_options *options)
{
	FILE *const file = options->file ? fopen(options->file, "wb") : stdout;
	int err;

	if (!file)
		return nvme_fail(-errno, "%s: %s", options->file, strerror(errno));
	err = read_to(nvme, options, file);
	/* The last bytes may fail as late as here. */
	if ((options->file ? fclose(file) : fflush(file)) && !err)
		err = nvme_fail(-EIO, "cannot write the output: %s", strerror(errno));
	return err;
}

/* Blocks that the input has for this window: fewer at its end, negative when something is wrong. */
static int64_t next_blocks(const struct nvme *nvme, FILE *file, void *to, uint64_t most)
{
	const size_t bytes = fread(to, 1, most * nvme->block_size, file);

	if (ferror(file))
		return nvme_fail(-EIO, "cannot read the input: %s", strerror(errno));
	if (bytes % nvme->block_size)
		return nvme_fail(-EINVAL, "the input ends inside a block of %u bytes",
		                 nvme->block_size);
	return (int64_t)(bytes / nvme->block_size);
}

static int write_from(struct nvme *nvme, const struct nvme_options *options, FILE *file)
{
	const enum nvme_mode mode = nvme_mode_of_pass(options, 1);
	const uint64_t count = options->count ? options->count : nvme->blocks - options->lba;
	const uint64_t window = nvme_window(nvme, options, count);
	struct nvme_dma data = {0};
	uint64_t done = 0;
	int64_t step = 0;
	int err;

	err = nvme_dma_alloc(nvme->space, window * nvme->block_size, &data);
	while (!err && done < count) {
		step = next_blocks(nvme, file, data.address,
		                   count - done < window ? count - done : window);
		if (step <= 0) {
			err = (int)step;
			break;
		}
		err = nvme_transfer(nvme, mode, NVME_WRITE, options->lba + done, (uint64_t)step,
		                    data.address);
		done += (uint64_t)step;
	}
	if (!err && options->count && done < count)
		err = nvme_fail(-EINVAL, "the input has %llu blocks only", (ull)done);
	if (!err && !options->count && done == count && fgetc(file) != EOF)
		err = nvme_fail(-ENOSPC, "the input is longer than the rest of the drive");
	if (!err)
		err = nvme_flush(nvme, mode);
	nvme_dma_free(nvme->space, &data);
	if (!err)
		fprintf(stderr, "nvme-rw: %llu blocks written\n", (ull)done);
	return err;
}

int nvme_action_write(struct nvme *nvme, const struct nvme_options *options)
{
	FILE *file;
	int err;

	err = nvme_check_range(nvme, options->lba, options->count ? options->count : 1);
	if (err)
		return err;
	file = options->file ? fopen(options->file, "rb") : stdin;
	if (!file)
		return nvme_fail(-errno, "%s: %s", options->file, strerror(errno));
	err = write_from(nvme, options, file);
	if (options->file)
		fclose(file);
	return err;
}
