/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "nvme.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

static int identify(struct nvme *nvme, uint32_t what, uint32_t nsid, const struct nvme_dma *data)
{
	struct nvme_command command = {.opcode = NVME_ADMIN_IDENTIFY, .nsid = htole32(nsid)};

	command.dword[0] = htole32(what);
	return nvme_admin(nvme, &command, data->iova, NVME_IDENTIFY_SIZE, NULL);
}

/* Text fields are padded with blanks; what is not printable must not reach a terminal. */
static void copy_text(char *to, const uint8_t *from, size_t length)
{
	while (length && (from[length - 1] == ' ' || !from[length - 1]))
		length--;
	to[length] = '\0';
	while (length--)
		to[length] = from[length] < ' ' || from[length] > '~' ? '?' : (char)from[length];
}

static uint64_t le_value(const uint8_t *from, size_t length)
{
	uint64_t value = 0;

	while (length--)
		value = value << 8 | from[length];
	return value;
}

static void learn_controller(struct nvme *nvme, const struct nvme_config *config,
                             const uint8_t *data)
{
	const uint8_t mdts = data[NVME_ID_MDTS];

	copy_text(nvme->serial, data + NVME_ID_SERIAL, NVME_ID_SERIAL_LENGTH);
	copy_text(nvme->model, data + NVME_ID_MODEL, NVME_ID_MODEL_LENGTH);
	copy_text(nvme->firmware, data + NVME_ID_FIRMWARE, NVME_ID_FIRMWARE_LENGTH);
	nvme->namespaces = (uint32_t)le_value(data + NVME_ID_NN, 4);
	nvme->max_transfer = nvme_queue_max_bytes(&nvme->admin);
	/* MDTS is a power of two of pages, 0 for no limit. */
	if (mdts && mdts < 32 && (uint64_t)nvme->page << mdts < nvme->max_transfer)
		nvme->max_transfer = (uint64_t)nvme->page << mdts;
	/* Whole pages, so that each command of a transfer starts on one. */
	if (config->transfer < nvme->max_transfer)
		nvme->max_transfer = config->transfer / nvme->page * nvme->page;
}

static int learn_namespace(struct nvme *nvme, uint32_t nsid, const uint8_t *data)
{
	const uint8_t flbas = data[NVME_NS_FLBAS];
	const uint8_t *const format = data + NVME_NS_LBAF + 4 * (size_t)(flbas & 0xf);
	const uint8_t shift = format[2];

	nvme->nsid = nsid;
	nvme->blocks = le_value(data + NVME_NS_SIZE, 8);
	if (!nvme->blocks)
		return nvme_fail(-ENOENT, "namespace %u is not there", nsid);
	if (le_value(format, 2))
		return nvme_fail(-EOPNOTSUPP, "namespace %u has metadata in its blocks", nsid);
	if (shift < 9 || shift > 16)
		return nvme_fail(-EOPNOTSUPP, "namespace %u has blocks of 2^%u bytes", nsid, shift);
	nvme->block_size = UINT32_C(1) << shift;
	if (nvme->max_transfer < nvme->block_size)
		return nvme_fail(-EOPNOTSUPP, "a block does not fit into a command");
	return 0;
}

int nvme_identify(struct nvme *nvme, const struct nvme_config *config)
{
	struct nvme_dma data = {0};
	int err;

	err = nvme_dma_alloc(nvme->space, NVME_IDENTIFY_SIZE, &data);
	if (err)
		return err;
	err = identify(nvme, NVME_IDENTIFY_CONTROLLER, 0, &data);
	if (!err) {
		learn_controller(nvme, config, data.address);
		memset(data.address, 0, NVME_IDENTIFY_SIZE);
		err = identify(nvme, NVME_IDENTIFY_NAMESPACE, config->nsid, &data);
	}
	if (!err)
		err = learn_namespace(nvme, config->nsid, data.address);
	/* After a timeout the drive may still write there: it is reset before the memory goes. */
	if (err == -ETIMEDOUT)
		nvme_controller_shutdown(nvme);
	nvme_dma_free(nvme->space, &data);
	return err;
}

const char *nvme_status_text(uint16_t status)
{
	static const struct {
		uint16_t status;
		const char *text;
	} texts[] = {
		{NVME_SUCCESS, "success"},
		{NVME_INVALID_OPCODE, "invalid opcode"},
		{NVME_INVALID_FIELD, "invalid field"},
		{NVME_DATA_TRANSFER_ERROR, "data transfer error"},
		{NVME_INTERNAL_ERROR, "internal error"},
		{NVME_INVALID_NAMESPACE, "invalid namespace or format"},
		{NVME_INVALID_PRP_OFFSET, "invalid PRP offset"},
		{NVME_LBA_OUT_OF_RANGE, "LBA out of range"},
		{NVME_INVALID_QUEUE, "invalid queue identifier"},
		{NVME_INVALID_QUEUE_SIZE, "invalid queue size"},
		{NVME_WRITE_FAULT, "write fault"},
		{NVME_UNRECOVERED_READ, "unrecovered read error"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "an error this program has no name for";
}
