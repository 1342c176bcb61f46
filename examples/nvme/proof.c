/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* That data arrives unharmed, and that it cannot arrive where it must not. */
#include "actions.h"
#include "transfer.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

enum { FILL = 0xa5 };

/* Different for each block and each pass, so that a block in the wrong place is noticed. */
static void make_pattern(void *to, uint64_t length, uint64_t start, int pass)
{
	uint64_t *const words = to;

	for (uint64_t i = 0; i < length / 8; i++)
		words[i] = (start + i * 8 + (uint64_t)pass + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

struct window {
	struct nvme_dma original;
	struct nvme_dma pattern;
	struct nvme_dma back;
	uint64_t lba;
	uint64_t blocks;
};

static int write_and_compare(struct nvme *nvme, const struct window *window,
                             const struct nvme_dma *data, enum nvme_mode mode)
{
	const uint64_t length = window->blocks * nvme->block_size;
	int err;

	memset(window->back.address, FILL, length);
	err = nvme_transfer(nvme, mode, NVME_WRITE, window->lba, window->blocks, data->address);
	if (!err)
		err = nvme_transfer(nvme, mode, NVME_READ, window->lba, window->blocks,
		                    window->back.address);
	if (!err && memcmp(data->address, window->back.address, length))
		err = nvme_fail(-EIO, "what was written at block %llu came back different",
		                (ull)window->lba);
	return err;
}

static int test_window(struct nvme *nvme, const struct nvme_options *options, struct window *window)
{
	const uint64_t length = window->blocks * nvme->block_size;
	sig_atomic_t interrupted;
	int err, restored;

	err = nvme_transfer(nvme, nvme_mode_of_pass(options, 0), NVME_READ, window->lba,
	                    window->blocks, window->original.address);
	if (err)
		return err;
	for (int pass = 0; pass < 2 && !err; pass++) {
		make_pattern(window->pattern.address, length, window->lba * nvme->block_size, pass);
		err = write_and_compare(nvme, window, &window->pattern,
		                        nvme_mode_of_pass(options, pass));
	}
	/* Also after Ctrl-C: the user's data first. */
	interrupted = nvme_interrupted;
	nvme_interrupted = 0;
	restored = err == -ETIMEDOUT ? err
	                             : write_and_compare(nvme, window, &window->original,
	                                                 nvme_mode_of_pass(options, 0));
	nvme_interrupted |= interrupted;
	if (restored)
		return nvme_fail(restored, "%llu blocks from %llu are NOT restored",
		                 (ull)window->blocks, (ull)window->lba);
	return err;
}

int nvme_action_self_test(struct nvme *nvme, const struct nvme_options *options)
{
	const uint64_t count = options->count ? options->count : 1;
	const uint64_t most = nvme_window(nvme, options, count);
	const uint64_t length = most * nvme->block_size;
	struct window window = {.lba = options->lba};
	uint64_t done = 0;
	int err;

	err = nvme_check_range(nvme, options->lba, count);
	if (!err)
		err = nvme_dma_alloc(nvme->space, length, &window.original);
	if (!err)
		err = nvme_dma_alloc(nvme->space, length, &window.pattern);
	if (!err)
		err = nvme_dma_alloc(nvme->space, length, &window.back);
	for (; !err && done < count; done += window.blocks) {
		window.lba = options->lba + done;
		window.blocks = count - done < most ? count - done : most;
		err = test_window(nvme, options, &window);
	}
	if (!err)
		err = nvme_flush(nvme, nvme_mode_of_pass(options, 0));
	nvme_dma_free(nvme->space, &window.back);
	nvme_dma_free(nvme->space, &window.pattern);
	nvme_dma_free(nvme->space, &window.original);
	if (!err)
		printf("ok: %llu blocks written, read back and restored, %llu interrupts\n",
		       (ull)count, (ull)nvme->io[NVME_INTERRUPTS].interrupts);
	return err;
}

/* Two pages that were mapped once: one for the drive to write, one with a list for it to read. */
struct stray {
	struct nvme_dma gone;
	struct nvme_dma data;
};

static bool untouched(const struct nvme *nvme, const struct stray *stray)
{
	const uint8_t *const bytes = stray->gone.address;

	for (uint32_t i = 0; i < nvme->page; i++)
		if (bytes[i] != FILL)
			return false;
	return true;
}

static int stray_prepare(struct nvme *nvme, struct stray *stray)
{
	const uint64_t page = nvme->page;
	uint64_t *list;
	int err;

	if (nvme->block_size > page)
		return nvme_fail(-EOPNOTSUPP, "--stray-dma needs blocks that fit into a page");
	err = nvme_dma_alloc(nvme->space, 3 * page, &stray->data);
	if (!err)
		err = nvme_dma_alloc(nvme->space, 2 * page, &stray->gone);
	if (err)
		return err;
	memset(stray->gone.address, FILL, page);
	/* A good list: if the drive could read it, the command would succeed. */
	list = (uint64_t *)(void *)((uint8_t *)stray->gone.address + page);
	list[0] = htole64(stray->data.iova + page);
	list[1] = htole64(stray->data.iova + 2 * page);
	return 0;
}

/* What is refused later works as long as the memory is mapped: else its failure proved nothing. */
static int stray_control(struct nvme *nvme, enum nvme_mode mode, const struct stray *stray)
{
	const uint64_t blocks = 3 * (uint64_t)nvme->page / nvme->block_size;
	uint16_t data, list;
	int err;

	err = nvme_raw_read(nvme, mode, 0, 1, stray->gone.iova, 0, &data);
	if (!err)
		err = nvme_raw_read(nvme, mode, 0, blocks, stray->data.iova,
		                    stray->gone.iova + nvme->page, &list);
	if (err)
		return err;
	if (data || list || untouched(nvme, stray))
		return nvme_fail(-EIO, "the drive does not reach memory that is mapped");
	memset(stray->gone.address, FILL, nvme->page);
	return 0;
}

/* A write to memory is posted: a drive need not learn that it was refused, and this one may not. */
static int stray_data(struct nvme *nvme, enum nvme_mode mode, const struct stray *stray)
{
	const ull iova = stray->gone.iova;
	uint16_t status;
	int err;

	err = nvme_raw_read(nvme, mode, 0, 1, iova, 0, &status);
	if (err)
		return err;
	if (!untouched(nvme, stray))
		return nvme_fail(-EIO, "the drive WROTE to memory that is not mapped");
	printf("data to 0x%llx, not mapped: memory untouched; the drive says: %s\n", iova,
	       nvme_status_text(status));
	return 0;
}

/* A read of memory is answered, and with an error here: the drive cannot but notice. */
static int stray_list(struct nvme *nvme, enum nvme_mode mode, const struct stray *stray)
{
	const uint64_t blocks = 3 * (uint64_t)nvme->page / nvme->block_size;
	const uint64_t iova = stray->gone.iova + nvme->page;
	uint16_t status;
	int err;

	err = nvme_raw_read(nvme, mode, 0, blocks, stray->data.iova, iova, &status);
	if (err)
		return err;
	if (status == NVME_SUCCESS)
		return nvme_fail(-EIO, "the drive READ memory that is not mapped");
	printf("list at 0x%llx, not mapped: the drive says: %s (status 0x%03x)\n", (ull)iova,
	       nvme_status_text(status), status);
	return 0;
}

int nvme_action_stray_dma(struct nvme *nvme, const struct nvme_options *options)
{
	const enum nvme_mode mode = nvme_mode_of_pass(options, 0);
	struct stray stray = {.gone = {0}, .data = {0}};
	bool unmapped = false;
	int err;

	err = stray_prepare(nvme, &stray);
	if (!err)
		err = stray_control(nvme, mode, &stray);
	if (!err) {
		err = libiommu_dma_space_unregister(nvme->space, stray.gone.address,
		                                    stray.gone.length);
		if (err)
			nvme_fail_library("cannot unregister a buffer");
		unmapped = !err;
	}
	if (!err)
		err = stray_data(nvme, mode, &stray);
	if (!err)
		err = stray_list(nvme, mode, &stray);
	if (!err)
		err = nvme_transfer(nvme, mode, NVME_READ, 0, 1, stray.data.address);
	if (!err)
		printf("ok: stray DMA was stopped, and the drive works on\n");
	if (unmapped)
		stray.gone.iova = 0;
	nvme_dma_free(nvme->space, &stray.gone);
	nvme_dma_free(nvme->space, &stray.data);
	return err;
}
