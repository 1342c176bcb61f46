/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Commands on blocks, which are those of a file. */
#include <endian.h>
#include <string.h>
#include <unistd.h>

#include "nvme.h"

enum nvme_opcode {
	NVME_FLUSH = 0x00,
	NVME_WRITE = 0x01,
	NVME_READ = 0x02,
	NVME_WRITE_ZEROES = 0x08
};

#define PIECE 4096U

struct transfer {
	off_t at;
	bool write;
};

/* True: all of it, from or to the file. What lies behind the file's end is zero. */
static bool use_file(const struct nvme *nvme, const struct transfer *transfer, uint8_t *buffer,
                     size_t size)
{
	size_t done = 0;

	while (done < size) {
		const off_t at = transfer->at + (off_t)done;
		const ssize_t part = transfer->write
		                             ? pwrite(nvme->file, buffer + done, size - done, at)
		                             : pread(nvme->file, buffer + done, size - done, at);

		if (part < 0 || (!part && transfer->write))
			return false;
		if (!part) {
			memset(buffer + done, 0, size - done);
			return true;
		}
		done += (size_t)part;
	}
	return true;
}

static uint16_t move_part(struct nvme *nvme, struct transfer *transfer, uint64_t iova, size_t size)
{
	uint8_t buffer[PIECE];

	if (transfer->write) {
		if (!emu_nvme_get(nvme, iova, buffer, size))
			return NVME_DATA_TRANSFER_ERROR;
		if (!use_file(nvme, transfer, buffer, size))
			return NVME_WRITE_FAULT;
	} else {
		if (!use_file(nvme, transfer, buffer, size))
			return NVME_UNRECOVERED_READ;
		if (!emu_nvme_put(nvme, iova, buffer, size))
			return NVME_DATA_TRANSFER_ERROR;
	}
	transfer->at += (off_t)size;
	return NVME_SUCCESS;
}

static uint16_t move_piece(struct nvme *nvme, void *user, uint64_t iova, size_t size)
{
	uint16_t status = NVME_SUCCESS;

	for (size_t done = 0; done < size && !status; done += PIECE)
		status = move_part(nvme, user, iova + done,
		                   size - done < PIECE ? size - done : PIECE);
	return status;
}

static uint16_t write_zeroes(struct nvme *nvme, off_t at, uint64_t size)
{
	static uint8_t zeroes[PIECE];
	struct transfer transfer = {.at = at, .write = true};

	for (uint64_t done = 0; done < size; done += PIECE, transfer.at += PIECE)
		if (!use_file(nvme, &transfer, zeroes, size - done < PIECE ? size - done : PIECE))
			return NVME_WRITE_FAULT;
	return NVME_SUCCESS;
}

static uint16_t use_blocks(struct nvme *nvme, const struct nvme_command *command)
{
	const uint64_t first = le32toh(command->dword10) | (uint64_t)le32toh(command->dword11)
	                                                           << 32;
	const uint64_t count = (le32toh(command->dword12) & 0xffff) + 1;
	struct transfer transfer = {.write = command->opcode == NVME_WRITE};

	if (first > nvme->blocks || count > nvme->blocks - first)
		return NVME_LBA_OUT_OF_RANGE | NVME_DO_NOT_RETRY;
	transfer.at = (off_t)(first * NVME_BLOCK);
	if (command->opcode == NVME_WRITE_ZEROES)
		return write_zeroes(nvme, transfer.at, count * NVME_BLOCK);
	if (count * NVME_BLOCK > (uint64_t)NVME_PAGE_LEAST << NVME_MDTS)
		return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
	return emu_nvme_each_piece(nvme, command, count * NVME_BLOCK, move_piece, &transfer);
}

void emu_nvme_io(struct nvme *nvme, const struct nvme_command *command, struct nvme_answer *answer)
{
	const uint32_t nsid = le32toh(command->nsid);
	const bool flush = command->opcode == NVME_FLUSH;

	/* Whatever else than places says where memory is, is not offered. */
	if (command->flags >> 6)
		answer->status = NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
	else if (nsid != 1 && !(flush && nsid == UINT32_MAX))
		answer->status = NVME_INVALID_NAMESPACE | NVME_DO_NOT_RETRY;
	else if (flush)
		answer->status = fdatasync(nvme->file) ? NVME_WRITE_FAULT : NVME_SUCCESS;
	else if (command->opcode == NVME_WRITE || command->opcode == NVME_READ ||
	         command->opcode == NVME_WRITE_ZEROES)
		answer->status = use_blocks(nvme, command);
	else
		answer->status = NVME_INVALID_OPCODE | NVME_DO_NOT_RETRY;
}
