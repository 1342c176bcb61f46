/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The smallest complete program: QEMU's "edu" device copies a page into itself and back. */
#include <libiommu.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The device's registers, and the address that its own memory has for its DMA engine. */
enum { EDU_SOURCE = 0x80, EDU_TARGET = 0x88, EDU_COUNT = 0x90, EDU_COMMAND = 0x98 };
enum { EDU_START = 1, EDU_TO_HOST = 2, EDU_MEMORY = 0x40000, EDU_SIZE = 4096 };

/* In the register 0 the first byte of four. */
enum { EDU_IDENTITY = 0xed };

/* The device sends 28 bits of an address: it is chosen here rather than left to the kernel. */
enum { IOVA = 0x100000, BOTH = LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE };

/* A page of any kernel; what is sent, and behind it what comes back. */
enum { PAGE = 65536 };
static _Alignas(PAGE) uint8_t buffer[PAGE / EDU_SIZE][EDU_SIZE];

static const char *edu_find(const struct libiommu_device_list *list)
{
	uint32_t vendor, device, class_code;

	for (size_t i = 0; !libiommu_device_list_ids(list, i, &vendor, &device, &class_code); i++)
		if (vendor == 0x1234 && device == 0x11e8)
			return libiommu_device_list_address(list, i);
	return NULL;
}

/* It has the byte order of the machine that QEMU is: on PowerPC, another than Linux has today. */
static uint32_t edu_order(volatile uint32_t *reg, uint32_t value)
{
	if ((reg[0] & 0xff) == EDU_IDENTITY)
		return value;
	return value << 24 | (value & 0xff00) << 8 | (value >> 8 & 0xff00) | value >> 24;
}

static void edu_write(volatile uint32_t *reg, uint32_t offset, uint32_t value)
{
	reg[offset / 4] = edu_order(reg, value);
}

static int edu_copy(volatile uint32_t *reg, uint32_t source, uint32_t target, uint32_t command)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	edu_write(reg, EDU_SOURCE, source);
	edu_write(reg, EDU_TARGET, target);
	edu_write(reg, EDU_COUNT, EDU_SIZE);
	atomic_thread_fence(memory_order_seq_cst); /* the buffer before the command */
	edu_write(reg, EDU_COMMAND, command | EDU_START);
	for (int i = 0; i < 500; i++, nanosleep(&pause, NULL))
		if (!(edu_order(reg, reg[EDU_COMMAND / 4]) & EDU_START))
			return 1;
	fprintf(stderr, "edu-dma: the device does not finish\n");
	return 0;
}

static int edu_round_trip(volatile uint32_t *reg)
{
	for (size_t i = 0; i < EDU_SIZE; i++)
		buffer[0][i] = (uint8_t)(i * 7 + 1);
	if (!edu_copy(reg, IOVA, EDU_MEMORY, 0) ||
	    !edu_copy(reg, EDU_MEMORY, IOVA + EDU_SIZE, EDU_TO_HOST))
		return EXIT_FAILURE;
	if (memcmp(buffer[0], buffer[1], EDU_SIZE)) {
		fprintf(stderr, "edu-dma: what came back is not what was sent\n");
		return EXIT_FAILURE;
	}
	printf("ok: %d bytes went there and back\n", EDU_SIZE);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct libiommu_device_list *list = NULL;
	struct libiommu_ctx *ctx = NULL;
	struct libiommu_ioas *ioas = NULL;
	struct libiommu_device *dev = NULL;
	struct libiommu_bar_map *bar = NULL;
	struct libiommu_hw_info *info = NULL; /* fails where no IOMMU stops stray DMA */
	int status = EXIT_FAILURE;
	char text[512] = "no edu device in this machine";
	const char *address = argc > 1 ? argv[1] : NULL;

	if (!address && !libiommu_device_list_new(NULL, &list))
		address = edu_find(list);
	if (address && !libiommu_ctx_new(NULL, &ctx) &&
	    !libiommu_device_open_pci(ctx, address, &dev) &&
	    !libiommu_device_bind(dev, 0xed0, NULL, 0) && !libiommu_hw_info_get(dev, &info) &&
	    !libiommu_ioas_alloc(ctx, &ioas) && !libiommu_device_attach_ioas(dev, ioas) &&
	    !libiommu_ioas_map_fixed(ioas, buffer, sizeof(buffer), BOTH, IOVA) &&
	    !libiommu_pci_set_bus_master(dev, true) &&
	    !libiommu_pci_bar_map(dev, 0, 0, 0, LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE, &bar)) {
		status = edu_round_trip(libiommu_bar_map_address(bar));
	} else {
		libiommu_failure_text(text, sizeof(text));
		fprintf(stderr, "edu-dma: %s\n", text);
	}

	/* Children before parents; what was never made is NULL, and destroying NULL is nothing. */
	libiommu_bar_map_destroy(bar);
	libiommu_device_destroy(dev);
	libiommu_ioas_destroy(ioas);
	libiommu_ctx_destroy(ctx);
	libiommu_hw_info_free(info);
	libiommu_device_list_free(list);
	return status;
}
