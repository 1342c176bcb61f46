/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "nvme.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The label tells devices apart in the user's own terms: here, by where they are on the bus. */
static uint64_t label_of(const char *address)
{
	unsigned int domain = 0, bus = 0, device = 0, function = 0;

	if (sscanf(address, "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4) {
		domain = 0;
		sscanf(address, "%x:%x.%x", &bus, &device, &function);
	}
	return (uint64_t)domain << 16 | bus << 8 | device << 3 | function;
}

static int open_device(struct nvme *nvme, const char *address)
{
	struct libiommu_hw_info *info;
	int err;

	err = libiommu_ctx_new(NULL, &nvme->ctx);
	if (err)
		return nvme_fail_library("cannot open the IOMMU");
	err = libiommu_device_open_pci(nvme->ctx, address, &nvme->dev);
	if (err)
		return nvme_fail_library("cannot open the drive");
	err = libiommu_device_bind(nvme->dev, label_of(address), NULL, 0);
	if (err)
		return nvme_fail_library("cannot bind the drive");
	/* Without an IOMMU an IOVA would be an address of the machine's memory: anybody's. */
	err = libiommu_hw_info_get(nvme->dev, &info);
	if (err)
		return nvme_fail_library("nothing would stop the drive's DMA");
	libiommu_hw_info_free(info);
	err = libiommu_ioas_alloc(nvme->ctx, &nvme->ioas);
	if (err)
		return nvme_fail_library("cannot make an address space");
	err = libiommu_dma_space_new(nvme->ioas, NULL, &nvme->space);
	if (err)
		return nvme_fail_library("cannot make a DMA space");
	nvme->table = libiommu_dma_space_table(nvme->space);
	err = libiommu_device_attach_ioas(nvme->dev, nvme->ioas);
	if (err)
		return nvme_fail_library("cannot attach the drive");
	err = libiommu_pci_bar_map(nvme->dev, 0, 0, 0, LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE,
	                           &nvme->bar);
	if (err)
		return nvme_fail_library("cannot map the drive's registers");
	nvme->regs = libiommu_bar_map_address(nvme->bar);
	err = libiommu_pci_set_bus_master(nvme->dev, true);
	if (err)
		return nvme_fail_library("cannot let the drive do DMA");
	nvme->bus_master = true;
	return 0;
}

/* Vector 0 belongs to the admin queue, 1 to the I/O queue with interrupts. */
static int enable_interrupts(struct nvme *nvme)
{
	uint32_t count, i;

	if (libiommu_irq_info(nvme->dev, LIBIOMMU_IRQ_MSIX, &count, NULL))
		return nvme_fail_library("cannot ask for the drive's interrupts");
	if (count < NVME_MODES)
		return nvme_fail(-EOPNOTSUPP, "the drive has %u MSI-X vectors; try --poll", count);
	for (i = 0; i < NVME_MODES; i++) {
		nvme->eventfds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (nvme->eventfds[i] < 0)
			return nvme_fail(-errno, "no eventfd: %s", strerror(errno));
	}
	if (libiommu_irq_enable(nvme->dev, LIBIOMMU_IRQ_MSIX, 0, nvme->eventfds, NVME_MODES))
		return nvme_fail_library("cannot enable the drive's interrupts");
	return 0;
}

static volatile uint8_t *doorbells(const struct nvme *nvme, uint32_t id, uint32_t *stride)
{
	*stride = UINT32_C(4) << NVME_CAP_DSTRD(nvme->cap);
	return nvme->regs + NVME_DOORBELLS + (size_t)2 * id * *stride;
}

static int create_io_queue(struct nvme *nvme, enum nvme_mode mode, uint32_t depth)
{
	const uint32_t id = (uint32_t)mode + 1;
	const bool interrupts = mode == NVME_INTERRUPTS;
	struct nvme_queue *const queue = &nvme->io[mode];
	struct nvme_command command = {.opcode = NVME_ADMIN_CREATE_CQ};
	volatile uint8_t *doorbell;
	uint32_t stride;
	int err;

	doorbell = doorbells(nvme, id, &stride);
	err = nvme_queue_init(queue, nvme->space, depth, nvme->page, doorbell, stride,
	                      interrupts ? nvme->eventfds[NVME_INTERRUPTS] : -1);
	if (err)
		return err;
	command.prp1 = htole64(queue->completions_iova);
	command.dword[0] = htole32((uint32_t)(queue->entries - 1) << 16 | id);
	command.dword[1] = htole32(NVME_QUEUE_CONTIGUOUS |
	                           (interrupts ? NVME_QUEUE_INTERRUPTS | 1u << 16 : 0));
	err = nvme_admin(nvme, &command, 0, 0, NULL);
	if (err)
		return nvme_fail(err, "cannot make completion queue %u", id);
	command.opcode = NVME_ADMIN_CREATE_SQ;
	command.prp1 = htole64(queue->commands_iova);
	command.dword[1] = htole32(id << 16 | NVME_QUEUE_CONTIGUOUS);
	err = nvme_admin(nvme, &command, 0, 0, NULL);
	if (err)
		return nvme_fail(err, "cannot make submission queue %u", id);
	return 0;
}

static int create_io_queues(struct nvme *nvme, const struct nvme_config *config)
{
	struct nvme_command command = {.opcode = NVME_ADMIN_SET_FEATURES};
	uint32_t granted, depth = config->queue_depth;
	int err;

	command.dword[0] = htole32(NVME_FEATURE_QUEUES);
	command.dword[1] = htole32((NVME_MODES - 1) << 16 | (NVME_MODES - 1));
	err = nvme_admin(nvme, &command, 0, 0, &granted);
	if (err)
		return nvme_fail(err, "cannot ask for I/O queues");
	/* Both counts are one less than they mean. */
	if ((granted & 0xffff) + 1 < NVME_MODES || (granted >> 16) + 1 < NVME_MODES)
		return nvme_fail(-EOPNOTSUPP, "the drive has fewer than %d I/O queues", NVME_MODES);
	if (depth > NVME_CAP_MQES(nvme->cap))
		depth = NVME_CAP_MQES(nvme->cap);
	for (int mode = 0; mode < NVME_MODES; mode++) {
		if (!config->modes[mode])
			continue;
		err = create_io_queue(nvme, (enum nvme_mode)mode, depth);
		if (err)
			return err;
	}
	return 0;
}

int nvme_open(struct nvme *nvme, const struct nvme_config *config)
{
	volatile uint8_t *doorbell;
	uint32_t stride;
	int err;

	memset(nvme, 0, sizeof(*nvme));
	nvme->eventfds[0] = -1;
	nvme->eventfds[1] = -1;
	err = open_device(nvme, config->address);
	if (!err && config->modes[NVME_INTERRUPTS])
		err = enable_interrupts(nvme);
	if (err)
		return err;

	nvme->cap = nvme_controller_capabilities(nvme);
	nvme->page = UINT32_C(4096) << NVME_CAP_MPSMIN(nvme->cap);
	doorbell = doorbells(nvme, 0, &stride);
	err = nvme_queue_init(&nvme->admin, nvme->space, 7, nvme->page, doorbell, stride,
	                      nvme->eventfds[0]);
	if (!err)
		err = nvme_controller_enable(nvme);
	if (!err)
		err = nvme_identify(nvme, config);
	if (!err)
		err = create_io_queues(nvme, config);
	return err;
}

int nvme_close(struct nvme *nvme)
{
	int err = 0, next;

	if (nvme->enabled)
		err = nvme_controller_shutdown(nvme);
	/* A drive that does not obey keeps its DMA engine, but not the right to use it. */
	if (nvme->bus_master && libiommu_pci_set_bus_master(nvme->dev, false) && !err)
		err = nvme_fail_library("cannot stop the drive's DMA");
	for (int i = 0; i < NVME_MODES; i++)
		nvme_queue_free(&nvme->io[i], nvme->space);
	nvme_queue_free(&nvme->admin, nvme->space);
	if (nvme->eventfds[0] >= 0 && libiommu_irq_disable(nvme->dev, LIBIOMMU_IRQ_MSIX) && !err)
		err = nvme_fail_library("cannot disable the drive's interrupts");
	for (int i = 0; i < NVME_MODES; i++)
		if (nvme->eventfds[i] >= 0)
			close(nvme->eventfds[i]);
	next = libiommu_bar_map_destroy(nvme->bar);
	if (!next)
		next = libiommu_device_destroy(nvme->dev);
	if (!next)
		next = libiommu_dma_space_destroy(nvme->space);
	if (!next)
		next = libiommu_ioas_destroy(nvme->ioas);
	if (!next)
		next = libiommu_ctx_destroy(nvme->ctx);
	if (next)
		nvme_fail_library("cannot give the drive back");
	return err ? err : next;
}

int nvme_admin(struct nvme *nvme, const struct nvme_command *command, uint64_t iova,
               uint64_t length, uint32_t *result)
{
	struct nvme_completion completion;
	int err;

	err = nvme_queue_submit(&nvme->admin, command, iova, length);
	if (err)
		return err;
	nvme_queue_ring(&nvme->admin);
	err = nvme_queue_wait(&nvme->admin, &completion);
	if (err)
		return err;
	if (completion.status)
		return nvme_fail(-EIO, "admin command 0x%02x: %s", command->opcode,
		                 nvme_status_text(completion.status));
	if (result)
		*result = completion.result;
	return 0;
}
