/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "transfer.h"

#include <endian.h>
#include <errno.h>

volatile sig_atomic_t nvme_interrupted;

static struct nvme_command block_command(const struct nvme *nvme, enum nvme_opcode opcode,
                                         uint64_t lba, uint64_t blocks)
{
	struct nvme_command command = {.opcode = (uint8_t)opcode, .nsid = htole32(nvme->nsid)};

	command.dword[0] = htole32((uint32_t)lba);
	command.dword[1] = htole32((uint32_t)(lba >> 32));
	command.dword[2] = htole32((uint32_t)(blocks - 1));
	return command;
}

/* Wait for one command; a drive that does not answer is switched off, so that its DMA ends. */
static int finish_one(struct nvme *nvme, enum nvme_mode mode, uint16_t *status)
{
	struct nvme_completion completion;
	int err;

	err = nvme_queue_wait(&nvme->io[mode], &completion);
	if (err) {
		nvme_controller_shutdown(nvme);
		return err;
	}
	*status = completion.status;
	return 0;
}

static uint64_t command_blocks(const struct nvme *nvme)
{
	const uint64_t blocks = nvme->max_transfer / nvme->block_size;

	/* The command has 16 bits for the count. */
	return blocks < 65536 ? blocks : 65536;
}

/*
 * Put a command in line for a part of a buffer: where the drive finds it, the space's table says.
 * False when as many are in flight as may be.
 */
static bool submit(struct nvme *nvme, struct nvme_queue *queue, const struct nvme_command *command,
                   uint8_t *data, uint64_t length, int *err)
{
	const struct iovec buffer = {.iov_base = data, .iov_len = length};
	struct libiommu_dma_segment segment;

	*err = libiommu_dma_table_gather(nvme->table, &buffer, 1, &segment, 1);
	if (*err < 0) {
		nvme_fail_library("the buffer is not the drive's");
		return false;
	}
	*err = 0;
	return !nvme_queue_submit(queue, command, segment.iova, length);
}

int nvme_transfer(struct nvme *nvme, enum nvme_mode mode, enum nvme_opcode opcode, uint64_t lba,
                  uint64_t blocks, void *data)
{
	struct nvme_queue *const queue = &nvme->io[mode];
	const uint64_t most = command_blocks(nvme);
	uint64_t next = 0;
	uint16_t status, refused = NVME_SUCCESS;
	int err, wrong = 0;

	while (next < blocks || nvme_queue_inflight(queue)) {
		const bool stop = refused || nvme_interrupted;

		while (next < blocks && !stop) {
			const uint64_t count = blocks - next < most ? blocks - next : most;
			const struct nvme_command command =
				block_command(nvme, opcode, lba + next, count);

			if (!submit(nvme, queue, &command,
			            (uint8_t *)data + next * nvme->block_size,
			            count * nvme->block_size, &wrong))
				break;
			next += count;
		}
		if (wrong)
			blocks = next;
		nvme_queue_ring(queue);
		if (!nvme_queue_inflight(queue))
			break;
		err = finish_one(nvme, mode, &status);
		if (err)
			return err;
		if (status && !refused)
			refused = status;
	}
	if (refused)
		return nvme_fail(-EIO, "%s of blocks from %llu: %s",
		                 opcode == NVME_READ ? "read" : "write", (unsigned long long)lba,
		                 nvme_status_text(refused));
	if (wrong)
		return wrong;
	return next < blocks ? -EINTR : 0;
}

int nvme_flush(struct nvme *nvme, enum nvme_mode mode)
{
	const struct nvme_command command = {.opcode = NVME_FLUSH, .nsid = htole32(nvme->nsid)};
	uint16_t status;
	int err;

	err = nvme_queue_submit(&nvme->io[mode], &command, 0, 0);
	if (err)
		return err;
	nvme_queue_ring(&nvme->io[mode]);
	err = finish_one(nvme, mode, &status);
	if (err)
		return err;
	return status ? nvme_fail(-EIO, "flush: %s", nvme_status_text(status)) : 0;
}

int nvme_raw_read(struct nvme *nvme, enum nvme_mode mode, uint64_t lba, uint64_t blocks,
                  uint64_t prp1, uint64_t prp2, uint16_t *status)
{
	struct nvme_command command = block_command(nvme, NVME_READ, lba, blocks);
	int err;

	command.prp1 = htole64(prp1);
	command.prp2 = htole64(prp2);
	err = nvme_queue_submit(&nvme->io[mode], &command, 0, 0);
	if (err)
		return err;
	nvme_queue_ring(&nvme->io[mode]);
	return finish_one(nvme, mode, status);
}
