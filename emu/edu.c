/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The "edu" device of QEMU, after its documentation (docs/specs/edu.rst there). */
#include <errno.h>
#include <libiommu-emu/edu.h>
#include <string.h>

#include "dev-config.h"
#include "engine.h"
#include "heap.h"
#include "machine.h"
#include "pci.h"

enum edu_register {
	EDU_ID = 0x00,
	EDU_LIVENESS = 0x04,
	EDU_FACTORIAL = 0x08,
	EDU_STATUS = 0x20,
	EDU_INTERRUPTS = 0x24,
	EDU_RAISE = 0x60,
	EDU_ACKNOWLEDGE = 0x64,
	EDU_WIDE = 0x80, /* from here on registers can be used whole */
	EDU_SOURCE = 0x80,
	EDU_TARGET = 0x88,
	EDU_COUNT = 0x90,
	EDU_COMMAND = 0x98
};

#define EDU_VERSION          0x010000edU
#define EDU_STATUS_INTERRUPT 0x80U
#define EDU_FACTORIAL_DONE   0x001U /* interrupts */
#define EDU_COPY_DONE        0x100U
#define EDU_START            1U /* commands */
#define EDU_TO_HOST          2U
#define EDU_TELL             4U
#define EDU_MEMORY           UINT64_C(0x40000)
#define EDU_MEMORY_SIZE      4096
#define EDU_BAR_SIZE         (UINT64_C(1) << 20)
#define EDU_ADDRESS_MASK     ((UINT64_C(1) << 28) - 1)

struct edu {
	struct emu_pci pci;
	struct emu_engine engine;
	uint32_t liveness, factorial, status, interrupts;
	uint64_t source, target, count, command;
	uint8_t memory[EDU_MEMORY_SIZE];
};

static const struct emu_pci_ids edu_ids = {
	.vendor = 0x1234,
	.device = 0x11e8,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x00ff00,
	.revision = 0x10,
};

static bool has_messages(const struct edu *edu)
{
	return emu_pci_get(&edu->pci, edu->pci.msi + EMU_MSI_CONTROL, 2) & EMU_MSI_ENABLE;
}

static void raise_interrupt(struct edu *edu, uint32_t bits)
{
	edu->interrupts |= bits;
	if (!edu->interrupts)
		return;
	if (has_messages(edu))
		emu_pci_raise(&edu->pci, 0);
	else
		emu_pci_set_pin(&edu->pci, true);
}

static void acknowledge(struct edu *edu, uint32_t bits)
{
	edu->interrupts &= ~bits;
	if (!edu->interrupts && !has_messages(edu))
		emu_pci_set_pin(&edu->pci, false);
}

static void copied(struct emu_engine *engine, int error)
{
	struct edu *const edu = (struct edu *)((char *)engine - offsetof(struct edu, engine));

	/* It does not tell of errors. */
	(void)error;
	edu->command &= ~(uint64_t)EDU_START;
	if (edu->command & EDU_TELL)
		raise_interrupt(edu, EDU_COPY_DONE);
}

/* What is not in its memory is not moved. */
static void start_copy(struct edu *edu)
{
	const bool to_host = edu->command & EDU_TO_HOST;
	const uint64_t inside = (to_host ? edu->source : edu->target) - EDU_MEMORY;
	const bool master = emu_pci_get(&edu->pci, EMU_PCI_COMMAND, 2) & EMU_PCI_COMMAND_MASTER;

	if (!master || inside > EDU_MEMORY_SIZE || edu->count > EDU_MEMORY_SIZE - inside) {
		copied(&edu->engine, -EINVAL);
		return;
	}
	edu->engine.dev = edu->pci.dev;
	edu->engine.iova = (to_host ? edu->target : edu->source) & EDU_ADDRESS_MASK;
	edu->engine.buffer = edu->memory + inside;
	edu->engine.length = edu->count;
	edu->engine.access = to_host ? EMU_WRITE : EMU_READ;
	emu_engine_start(&edu->engine);
}

static void set_factorial(struct edu *edu, uint32_t value)
{
	uint32_t product = 1;

	/* In 32 bits it is 0 from here on. */
	if (value > 33)
		product = 0;
	else
		while (value > 0)
			product *= value--;
	edu->factorial = product;
	if (edu->status & EDU_STATUS_INTERRUPT)
		raise_interrupt(edu, EDU_FACTORIAL_DONE);
}

static bool fits(uint64_t offset, unsigned int size)
{
	return size == 4 || (size == 8 && offset >= EDU_WIDE);
}

static uint64_t edu_read(void *user, unsigned int bar, uint64_t offset, unsigned int size)
{
	const struct edu *const edu = user;

	(void)bar;
	if (!fits(offset, size))
		return UINT64_MAX;
	switch (offset) {
	case EDU_ID:
		return EDU_VERSION;
	case EDU_LIVENESS:
		return edu->liveness;
	case EDU_FACTORIAL:
		return edu->factorial;
	case EDU_STATUS:
		return edu->status;
	case EDU_INTERRUPTS:
		return edu->interrupts;
	case EDU_SOURCE:
		return edu->source;
	case EDU_TARGET:
		return edu->target;
	case EDU_COUNT:
		return edu->count;
	case EDU_COMMAND:
		return edu->command;
	default:
		return UINT64_MAX;
	}
}

/* While it copies, its registers for that stay as they are. */
static void write_copy(struct edu *edu, uint64_t offset, uint64_t value)
{
	if (edu->command & EDU_START)
		return;
	if (offset == EDU_SOURCE)
		edu->source = value;
	else if (offset == EDU_TARGET)
		edu->target = value;
	else if (offset == EDU_COUNT)
		edu->count = value;
	else if (offset == EDU_COMMAND && value & EDU_START) {
		edu->command = value;
		start_copy(edu);
	}
}

static void edu_write(void *user, unsigned int bar, uint64_t offset, unsigned int size,
                      uint64_t value)
{
	struct edu *const edu = user;

	(void)bar;
	if (!fits(offset, size))
		return;
	switch (offset) {
	case EDU_LIVENESS:
		edu->liveness = ~(uint32_t)value;
		break;
	case EDU_FACTORIAL:
		set_factorial(edu, (uint32_t)value);
		break;
	case EDU_STATUS:
		edu->status = (uint32_t)value & EDU_STATUS_INTERRUPT;
		break;
	case EDU_RAISE:
		raise_interrupt(edu, (uint32_t)value);
		break;
	case EDU_ACKNOWLEDGE:
		acknowledge(edu, (uint32_t)value);
		break;
	default:
		write_copy(edu, offset, value);
		break;
	}
}

static void edu_reset(void *user)
{
	struct edu *const edu = user;

	emu_engine_stop(&edu->engine);
	edu->liveness = 0;
	edu->factorial = 0;
	edu->status = 0;
	edu->interrupts = 0;
	edu->source = 0;
	edu->target = 0;
	edu->count = 0;
	edu->command = 0;
}

static const struct emu_pci_ops edu_ops = {
	.read = edu_read,
	.write = edu_write,
	.reset = edu_reset,
	.end = emu_release,
};

static struct edu *new_edu(void)
{
	struct edu *const edu = emu_alloc(sizeof(*edu));

	if (!edu)
		return NULL;
	emu_pci_init(&edu->pci, &edu_ops, edu, &edu_ids);
	emu_pci_add_pin(&edu->pci);
	emu_pci_add_msi(&edu->pci, 1);
	emu_pci_add_bar(&edu->pci, 0, EDU_BAR_SIZE, 0);
	edu->engine.finished = copied;
	return edu;
}

LIBIOMMU_API int libiommu_emu_edu_add(struct libiommu_emu *emu,
                                      const struct libiommu_emu_device_config *config,
                                      struct libiommu_emu_device **device)
{
	struct edu *edu;
	int error;

	if (!emu || !device)
		return -EINVAL;
	edu = new_edu();
	if (!edu)
		return -ENOMEM;
	error = emu_pci_add(emu, config, &edu->pci, device);
	if (error)
		emu_pci_free(&edu->pci);
	return error;
}
