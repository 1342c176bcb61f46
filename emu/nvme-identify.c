/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a controller says of itself and its namespace. */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "nvme.h"

#define PAGE   4096
#define RETAIN (1U << 15)

enum nvme_identify {
	NVME_ID_NAMESPACE = 0,
	NVME_ID_CONTROLLER = 1,
	NVME_ID_LIST = 2,
	NVME_ID_DESCRIPTORS = 3
};

enum nvme_log { NVME_LOG_ERRORS = 1, NVME_LOG_HEALTH = 2, NVME_LOG_FIRMWARE = 3 };

static void put16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, (uint16_t)value);
	put16(to + 2, (uint16_t)(value >> 16));
}

static void put64(uint8_t *to, uint64_t value)
{
	put32(to, (uint32_t)value);
	put32(to + 4, (uint32_t)(value >> 32));
}

/* Padded with blanks. */
static void put_text(uint8_t *to, size_t size, const char *text)
{
	const size_t length = strlen(text);

	memset(to, ' ', size);
	memcpy(to, text, length < size ? length : size);
}

static void describe_controller(const struct nvme *nvme, uint8_t *page)
{
	put16(page, (uint16_t)emu_pci_get(&nvme->pci, EMU_PCI_VENDOR, 2));
	put16(page + 2, (uint16_t)emu_pci_get(&nvme->pci, EMU_PCI_SUBSYSTEM_VENDOR, 2));
	put_text(page + 4, NVME_SERIAL, nvme->serial);
	put_text(page + 24, 40, "libiommu-emu NVMe");
	put_text(page + 64, 8, "1.0");
	page[72] = 6; /* recommended arbitration burst */
	page[77] = NVME_MDTS;
	put32(page + 80, 0x00010400); /* version */
	page[258] = 3;                /* aborts at once, less one */
	page[259] = NVME_EVENTS - 1;  /* requests for events, less one */
	page[260] = 3;                /* one slot of firmware, which is read-only */
	put16(page + 266, NVME_WARM);
	put16(page + 268, NVME_TOO_WARM);
	page[512] = 0x66; /* log2 of an entry's size, required and largest */
	page[513] = 0x44;
	put32(page + 516, 1);       /* namespaces */
	put16(page + 520, 1U << 3); /* Write Zeroes */
	page[525] = 7;              /* there is a volatile cache; it is flushed for all */
	snprintf((char *)page + 768, 256, "nqn.2014-08.org.nvmexpress:uuid:emu:%s", nvme->serial);
}

static void describe_namespace(const struct nvme *nvme, uint8_t *page)
{
	put64(page, nvme->blocks);
	put64(page + 8, nvme->blocks);
	put64(page + 16, nvme->blocks);
	page[130] = NVME_BLOCK_LOG2; /* the one format */
}

/* A universally unique identifier, made of what is known to be unique here. */
static void describe_ids(const struct nvme *nvme, uint8_t *page)
{
	page[0] = 3;
	page[1] = 16;
	memcpy(page + 4, nvme->serial, 16);
}

uint16_t emu_nvme_identify(struct nvme *nvme, const struct nvme_command *command)
{
	const uint32_t nsid = le32toh(command->nsid);
	const uint32_t what = le32toh(command->dword10) & 0xff;
	uint8_t page[PAGE] = {0};

	if ((what == NVME_ID_NAMESPACE || what == NVME_ID_DESCRIPTORS) && nsid != 1 &&
	    nsid != UINT32_MAX)
		return NVME_INVALID_NAMESPACE | NVME_DO_NOT_RETRY;
	if (what == NVME_ID_NAMESPACE)
		describe_namespace(nvme, page);
	else if (what == NVME_ID_CONTROLLER)
		describe_controller(nvme, page);
	else if (what == NVME_ID_LIST)
		put32(page, nsid < 1 ? 1 : 0);
	else if (what == NVME_ID_DESCRIPTORS)
		describe_ids(nvme, page);
	else
		return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
	return emu_nvme_reply(nvme, command, page, sizeof(page));
}

/* Whoever has read of it can be told again, unless it does not want to. */
static void describe_health(struct nvme *nvme, uint8_t *page, bool retain)
{
	page[0] = emu_nvme_is_warm(nvme) ? 1U << 1 : 0;
	put16(page + 1, NVME_KELVIN);
	page[3] = 100;
	page[4] = 10;
	if (!retain)
		nvme->events.told = false;
}

/* There have never been errors. */
uint16_t emu_nvme_log_page(struct nvme *nvme, const struct nvme_command *command)
{
	const uint32_t dword10 = le32toh(command->dword10);
	const uint64_t dwords =
		((uint64_t)(le32toh(command->dword11) & 0xffff) << 16 | dword10 >> 16) + 1;
	uint8_t page[PAGE] = {0};

	switch (dword10 & 0xff) {
	case NVME_LOG_ERRORS:
		break;
	case NVME_LOG_HEALTH:
		describe_health(nvme, page, dword10 & RETAIN);
		break;
	case NVME_LOG_FIRMWARE:
		page[0] = 1;
		put_text(page + 8, 8, "1.0");
		break;
	default:
		return NVME_INVALID_LOG_PAGE | NVME_DO_NOT_RETRY;
	}
	if (le32toh(command->dword12) || le32toh(command->dword13))
		return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
	return emu_nvme_reply(nvme, command, page, dwords * 4 < PAGE ? (size_t)dwords * 4 : PAGE);
}
