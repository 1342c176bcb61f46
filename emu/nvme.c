/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "nvme.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libiommu-emu/nvme.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "heap.h"

enum nvme_register {
	NVME_CAP = 0x00,
	NVME_VS = 0x08,
	NVME_INTMS = 0x0c,
	NVME_INTMC = 0x10,
	NVME_CC = 0x14,
	NVME_CSTS = 0x1c,
	NVME_AQA = 0x24,
	NVME_ASQ = 0x28,
	NVME_ACQ = 0x30,
	NVME_REGISTERS = 0x40,
	NVME_DOORBELLS = 0x1000
};

#define BAR_SIZE      16384
#define DOORBELLS_END (NVME_DOORBELLS + 8 * NVME_QUEUES)
#define MSIX_TABLE    0x2000
#define MSIX_PENDING  0x3000

#define VERSION 0x00010400U /* 1.4 */

#define CAP_ENTRIES    ((uint64_t)NVME_ENTRIES - 1)
#define CAP_CONTIGUOUS (UINT64_C(1) << 16)
#define CAP_TIMEOUT    (UINT64_C(15) << 24)
#define CAP_NVM        (UINT64_C(1) << 37)
#define CAP_PAGES      (UINT64_C(4) << 52) /* log2 of the largest, in 4 KiB */

#define CC_ENABLE          (1U << 0)
#define CC_COMMANDS(cc)    ((cc) >> 4 & 7)
#define CC_PAGE(cc)        ((cc) >> 7 & 15)
#define CC_SHUTDOWN(cc)    ((cc) >> 14 & 3)
#define CC_SQ_SIZE(cc)     ((cc) >> 16 & 15)
#define CC_CQ_SIZE(cc)     ((cc) >> 20 & 15)
#define CC_WRITABLE        0x00fffff1U
#define CSTS_READY         (1U << 0)
#define CSTS_FATAL         (1U << 1)
#define CSTS_SHUTDOWN      (3U << 2)
#define CSTS_SHUTDOWN_DONE (2U << 2)
#define AQA_WRITABLE       0x0fff0fffU

static const struct emu_pci_ids nvme_ids = {
	.vendor = 0x1b36,
	.device = 0x0010,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x010802,
	.revision = 0x02,
};

uint32_t emu_nvme_page(const struct nvme *nvme)
{
	return NVME_PAGE_LEAST << CC_PAGE(nvme->config);
}

void emu_nvme_fatal(struct nvme *nvme)
{
	nvme->status |= CSTS_FATAL;
}

/* Its queues are gone, and the registers that do not describe them. */
static void stop(struct nvme *nvme)
{
	nvme->status = 0;
	nvme->masked = 0;
	nvme->cache = true;
	nvme->granted = 0;
	memset(nvme->features, 0, sizeof(nvme->features));
	emu_nvme_events_reset(nvme);
	memset(nvme->sqs, 0, sizeof(nvme->sqs));
	memset(nvme->cqs, 0, sizeof(nvme->cqs));
	emu_nvme_update_pin(nvme);
}

static void start(struct nvme *nvme)
{
	const uint32_t cc = nvme->config;
	const uint32_t sq = (nvme->admin_sizes & 0xfff) + 1;
	const uint32_t cq = (nvme->admin_sizes >> 16 & 0xfff) + 1;

	/* Entries have 64 and 16 bytes; pages as large as it says that they can be. */
	if (CC_COMMANDS(cc) || CC_PAGE(cc) > 4 || sq < 2 || cq < 2 ||
	    (CC_SQ_SIZE(cc) && CC_SQ_SIZE(cc) != 6) || (CC_CQ_SIZE(cc) && CC_CQ_SIZE(cc) != 4) ||
	    (nvme->admin_sq | nvme->admin_cq) & (emu_nvme_page(nvme) - 1)) {
		emu_nvme_fatal(nvme);
		return;
	}
	nvme->sqs[0] = (struct nvme_sq){.there = true, .entries = sq, .address = nvme->admin_sq};
	nvme->cqs[0] = (struct nvme_cq){.there = true,
	                                .interrupts = true,
	                                .phase = 1,
	                                .entries = cq,
	                                .users = 1,
	                                .address = nvme->admin_cq};
	nvme->status = CSTS_READY;
}

static void configure(struct nvme *nvme, uint32_t value)
{
	const uint32_t before = nvme->config;

	nvme->config = value & CC_WRITABLE;
	if (CC_SHUTDOWN(value))
		nvme->status = (nvme->status & ~CSTS_SHUTDOWN) | CSTS_SHUTDOWN_DONE;
	if (!(value & CC_ENABLE) && before & CC_ENABLE)
		stop(nvme);
	else if (value & CC_ENABLE && !(before & CC_ENABLE))
		start(nvme);
}

static uint64_t value_of(const struct nvme *nvme, uint64_t offset)
{
	switch (offset) {
	case NVME_CAP:
		return CAP_ENTRIES | CAP_CONTIGUOUS | CAP_TIMEOUT | CAP_NVM | CAP_PAGES;
	case NVME_VS: /* and INTMS */
		return VERSION | (uint64_t)nvme->masked << 32;
	case NVME_INTMC: /* and CC */
		return nvme->masked | (uint64_t)nvme->config << 32;
	case NVME_CSTS - 4:
		return (uint64_t)nvme->status << 32;
	case NVME_AQA - 4:
		return (uint64_t)nvme->admin_sizes << 32;
	case NVME_ASQ:
		return nvme->admin_sq;
	case NVME_ACQ:
		return nvme->admin_cq;
	default:
		return 0;
	}
}

static uint64_t nvme_bar_read(void *user, unsigned int bar, uint64_t offset, unsigned int size)
{
	const uint64_t value = value_of(user, offset & ~UINT64_C(7));

	(void)bar;
	return value >> 8 * (offset & 7) & UINT64_MAX >> (64 - 8 * size);
}

/* Either half of an address, or all of it. */
static void set_address(uint64_t *address, bool upper, unsigned int size, uint64_t value)
{
	if (size == 8)
		*address = value;
	else if (upper)
		*address = (*address & UINT32_MAX) | value << 32;
	else
		*address = (*address & ~(uint64_t)UINT32_MAX) | value;
	*address &= ~UINT64_C(0xfff);
}

static void set_register(struct nvme *nvme, uint64_t offset, unsigned int size, uint64_t value)
{
	switch (offset) {
	case NVME_INTMS:
		nvme->masked |= (uint32_t)value;
		emu_nvme_update_pin(nvme);
		break;
	case NVME_INTMC:
		nvme->masked &= ~(uint32_t)value;
		emu_nvme_update_pin(nvme);
		break;
	case NVME_CC:
		configure(nvme, (uint32_t)value);
		break;
	case NVME_AQA:
		nvme->admin_sizes = (uint32_t)value & AQA_WRITABLE;
		break;
	case NVME_ASQ:
	case NVME_ASQ + 4:
		set_address(&nvme->admin_sq, offset & 4, size, value);
		break;
	case NVME_ACQ:
	case NVME_ACQ + 4:
		set_address(&nvme->admin_cq, offset & 4, size, value);
		break;
	default:
		break;
	}
}

static void nvme_bar_write(void *user, unsigned int bar, uint64_t offset, unsigned int size,
                           uint64_t value)
{
	struct nvme *const nvme = user;

	(void)bar;
	/* Smaller ones the specification leaves open. */
	if (size < 4)
		return;
	if (offset < NVME_REGISTERS)
		set_register(nvme, offset, size, value);
	else if (offset >= NVME_DOORBELLS && offset < DOORBELLS_END && size == 4)
		emu_nvme_ring(nvme, (uint32_t)(offset - NVME_DOORBELLS) / 4, (uint32_t)value);
}

static void nvme_reset(void *user)
{
	struct nvme *const nvme = user;

	stop(nvme);
	nvme->config = 0;
	nvme->admin_sizes = 0;
	nvme->admin_sq = 0;
	nvme->admin_cq = 0;
}

static void nvme_end(void *user)
{
	struct nvme *const nvme = user;

	if (nvme->file >= 0)
		close(nvme->file);
	emu_release(nvme);
}

static const struct emu_pci_ops nvme_ops = {
	.read = nvme_bar_read,
	.write = nvme_bar_write,
	.reset = nvme_reset,
	.end = nvme_end,
};

static int open_file(struct nvme *nvme, int file)
{
	struct stat stat;

	nvme->file = fcntl(file, F_DUPFD_CLOEXEC, 0);
	if (nvme->file < 0 || fstat(nvme->file, &stat))
		return -errno;
	nvme->blocks = (uint64_t)stat.st_size / NVME_BLOCK;
	return nvme->blocks ? 0 : -EINVAL;
}

static struct nvme *new_nvme(const char *serial)
{
	struct nvme *const nvme = emu_alloc(sizeof(*nvme));

	if (!nvme)
		return NULL;
	nvme->file = -1;
	nvme->cache = true;
	emu_nvme_events_reset(nvme);
	strncpy(nvme->serial, serial ? serial : "libiommu-emu", NVME_SERIAL);
	emu_pci_init(&nvme->pci, &nvme_ops, nvme, &nvme_ids);
	emu_pci_add_pin(&nvme->pci);
	emu_pci_add_bar(&nvme->pci, 0, BAR_SIZE, EMU_BAR_64);
	emu_pci_add_pm(&nvme->pci);
	emu_pci_add_msix(&nvme->pci, NVME_QUEUES, 0, MSIX_TABLE, MSIX_PENDING);
	emu_pci_add_express(&nvme->pci, true);
	return nvme;
}

LIBIOMMU_API int libiommu_emu_nvme_add(struct libiommu_emu *emu,
                                       const struct libiommu_emu_device_config *config, int file,
                                       const char *serial, struct libiommu_emu_device **device)
{
	struct nvme *nvme;
	int error;

	if (!emu || !device || file < 0 || (serial && strlen(serial) > NVME_SERIAL))
		return -EINVAL;
	nvme = new_nvme(serial);
	if (!nvme)
		return -ENOMEM;
	error = open_file(nvme, file);
	if (!error)
		error = emu_pci_add(emu, config, &nvme->pci, device);
	if (error)
		emu_pci_free(&nvme->pci);
	return error;
}
