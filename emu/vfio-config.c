/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "vfio-config.h"

#include <errno.h>
#include <string.h>

#include "vfio.h"

#define NOBODY 0xff

/* A piece of an access, which ends with the capability and with the double word. */
struct piece {
	unsigned int at, size;
	unsigned int owner, start; /* the capability, and where it begins */
};

static uint32_t get(const uint8_t *bytes, unsigned int size)
{
	uint32_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

static void put(uint8_t *bytes, unsigned int size, uint32_t value)
{
	for (unsigned int i = 0; i < size; i++, value >>= 8)
		bytes[i] = (uint8_t)value;
}

static uint32_t own(const struct emu_vfio *vfio, unsigned int at, unsigned int size)
{
	return get(vfio->config.own + at, size);
}

bool emu_vfio_memory_enabled(const struct emu_vfio *vfio)
{
	const struct emu_pci *const pci = vfio->pci;

	if (vfio->low_power)
		return false;
	if (pci->pm &&
	    (emu_pci_get(pci, pci->pm + EMU_PM_CONTROL, 2) & EMU_PM_STATE) == EMU_PM_STATE)
		return false;
	return own(vfio, EMU_PCI_COMMAND, 2) & EMU_PCI_COMMAND_MEMORY;
}

static struct piece next_piece(const struct emu_vfio_config *config, unsigned int at, size_t size)
{
	struct piece piece = {.at = at, .owner = config->owner[at], .start = at};
	const unsigned int least =
		at < EMU_PCI_CONVENTIONAL_SIZE ? EMU_PCI_HEADER_SIZE : EMU_PCI_CONVENTIONAL_SIZE;
	size_t whole = 1;

	while ((at + whole) % 4 && config->owner[at + whole] == piece.owner)
		whole++;
	whole = whole < size ? whole : size;
	piece.size = whole >= 4 && !(at % 4) ? 4 : whole >= 2 && !(at % 2) ? 2 : 1;
	if (at < EMU_PCI_HEADER_SIZE)
		piece.start = 0;
	else if (piece.owner != NOBODY)
		while (piece.start > least && config->owner[piece.start - 1] == piece.owner)
			piece.start--;
	return piece;
}

/* BARs read as what their sizes make of what was written. */
static void show_sizes(struct emu_vfio *vfio)
{
	const struct emu_pci *const pci = vfio->pci;
	uint8_t *const bars = vfio->config.own + EMU_PCI_BAR;
	uint32_t rom = 0;

	if (!vfio->config.resize)
		return;
	for (unsigned int i = 0; i < EMU_PCI_BARS; i++) {
		const struct emu_bar *const bar = &pci->bars[i];
		const uint64_t mask = ~(bar->size - 1);
		const uint32_t flags =
			bar->flags & EMU_BAR_IO
				? EMU_PCI_BAR_IO
				: (bar->flags & EMU_BAR_64 ? EMU_PCI_BAR_64 : 0) |
					  (bar->flags & EMU_BAR_PREFETCH ? EMU_PCI_BAR_PREFETCH
		                                                         : 0);

		if (!bar->size) {
			put(bars + 4 * i, 4, 0);
			continue;
		}
		put(bars + 4 * i, 4, (get(bars + 4 * i, 4) & (uint32_t)mask) | flags);
		if (!(bar->flags & EMU_BAR_64))
			continue;
		i++;
		put(bars + 4 * i, 4, get(bars + 4 * i, 4) & (uint32_t)(mask >> 32));
	}
	if (pci->rom_size)
		rom = own(vfio, EMU_PCI_ROM, 4) &
		      ((uint32_t) ~(pci->rom_size - 1) | EMU_PCI_ROM_ENABLE);
	put(vfio->config.own + EMU_PCI_ROM, 4, rom);
	vfio->config.resize = false;
}

static bool is_bar(unsigned int at)
{
	return (at >= EMU_PCI_BAR && at < EMU_PCI_BAR_END) ||
	       (at >= EMU_PCI_ROM && at < EMU_PCI_ROM + 4);
}

static uint32_t read_piece(struct emu_vfio *vfio, const struct piece *piece)
{
	const struct emu_vfio_config *const config = &vfio->config;
	const uint32_t is_own = get(config->is_own + piece->at, piece->size);

	if (is_bar(piece->at))
		show_sizes(vfio);
	return (emu_pci_config_read(vfio->pci, piece->at, piece->size) & ~is_own) |
	       (own(vfio, piece->at, piece->size) & is_own);
}

static void write_bits(struct emu_vfio *vfio, const struct piece *piece, uint32_t value)
{
	struct emu_vfio_config *const config = &vfio->config;
	const uint32_t writable = get(config->writable + piece->at, piece->size);
	const uint32_t is_own = get(config->is_own + piece->at, piece->size);
	const uint32_t here = writable & is_own;
	const uint32_t there = writable & ~is_own;

	if (here)
		put(config->own + piece->at, piece->size,
		    (own(vfio, piece->at, piece->size) & ~here) | (value & here));
	if (there)
		emu_pci_config_write(
			vfio->pci, piece->at, piece->size,
			(emu_pci_config_read(vfio->pci, piece->at, piece->size) & ~there) |
				(value & there));
}

static void write_header(struct emu_vfio *vfio, const struct piece *piece, uint32_t value)
{
	const uint32_t enables = EMU_PCI_COMMAND_MEMORY | EMU_PCI_COMMAND_IO;
	uint8_t *const command = vfio->config.own + EMU_PCI_COMMAND;

	write_bits(vfio, piece, value);
	if (piece->at == EMU_PCI_COMMAND) {
		put(command, 2, (get(command, 2) & ~enables) | (value & enables));
		emu_vfio_region_show(vfio);
	}
	if (piece->at == EMU_PCI_COMMAND || piece->at == EMU_PCI_COMMAND + 1)
		emu_vfio_irq_pin_off(vfio, get(command, 2) & EMU_PCI_COMMAND_NO_INTX);
	if (is_bar(piece->at))
		vfio->config.resize = true;
}

/* The state of power is changed for the program; D1 and D2 are not of these functions. */
static void write_power(struct emu_vfio *vfio, const struct piece *piece, uint32_t value)
{
	struct emu_pci *const pci = vfio->pci;
	const unsigned int control = piece->start + EMU_PM_CONTROL;
	const uint32_t wanted = value & EMU_PM_STATE;
	uint32_t now;

	write_bits(vfio, piece, value);
	if (piece->at != control || (wanted && wanted != EMU_PM_STATE))
		return;
	now = emu_pci_config_read(pci, control, 2);
	emu_pci_config_write(pci, control, 2, (now & ~EMU_PM_STATE) | wanted);
	emu_vfio_region_show(vfio);
}

static void write_msi(struct emu_vfio *vfio, const struct piece *piece, uint32_t value)
{
	struct emu_vfio_config *const config = &vfio->config;
	const unsigned int at = piece->start + EMU_MSI_CONTROL;
	uint32_t control;

	write_bits(vfio, piece, value);
	if (piece->at > at || piece->at + piece->size < at)
		return;
	control = get(config->own + at, 2);
	if (vfio->irqs.kind != UAPI_VFIO_PCI_MSI_IRQ_INDEX)
		control &= ~EMU_MSI_ENABLE;
	if ((control & EMU_MSI_ENABLED) >> 4 > config->msi_enabled)
		control = (control & ~EMU_MSI_ENABLED) | config->msi_enabled << 4;
	put(config->own + at, 2, control);
	emu_pci_config_write(vfio->pci, at, 2, control);
}

/* A reset that is asked for in a register, which reads as 0. */
static void write_flr(struct emu_vfio *vfio, const struct piece *piece, uint32_t value,
                      unsigned int control, uint32_t start, bool can)
{
	uint8_t *const here = vfio->config.own + piece->start + control;

	write_bits(vfio, piece, value);
	if (!(get(here, 2) & start))
		return;
	put(here, 2, get(here, 2) & ~start);
	if (can)
		emu_vfio_reset(vfio);
}

static void write_piece(struct emu_vfio *vfio, const struct piece *piece, uint32_t value)
{
	const struct emu_pci *const pci = vfio->pci;

	if (piece->at < EMU_PCI_HEADER_SIZE)
		write_header(vfio, piece, value);
	else if (piece->at >= EMU_PCI_CONVENTIONAL_SIZE)
		write_bits(vfio, piece, value);
	else if (piece->owner == EMU_CAP_PM)
		write_power(vfio, piece, value);
	else if (piece->owner == EMU_CAP_MSI)
		write_msi(vfio, piece, value);
	else if (piece->owner == EMU_CAP_EXPRESS)
		write_flr(vfio, piece, value, EMU_EXP_DEVICE_CONTROL, EMU_EXP_START_FLR,
		          emu_pci_get(pci, piece->start + EMU_EXP_DEVICE_CAPABILITIES, 4) &
		                  EMU_EXP_FLR);
	else if (piece->owner == EMU_CAP_AF)
		write_flr(vfio, piece, value, 4, 1,
		          (emu_pci_get(pci, piece->start + 3, 1) & 3) == 3);
	else
		write_bits(vfio, piece, value);
}

static ssize_t access_config(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t buffer,
                             size_t size, uint64_t offset, bool write)
{
	const size_t end = vfio->pci->config_size;
	uint32_t value = 0;
	size_t done = 0;

	while (done < size) {
		struct piece piece;
		int error;

		if (offset + done >= end || size - done > end - (offset + done))
			return -EFAULT;
		piece = next_piece(&vfio->config, (unsigned int)(offset + done), size - done);
		if (!write)
			value = read_piece(vfio, &piece);
		error = write ? emu_get(task, &value, buffer + done, piece.size)
		              : emu_put(task, buffer + done, &value, piece.size);
		if (error)
			return error;
		if (write)
			write_piece(vfio, &piece, value);
		done += piece.size;
	}
	return (ssize_t)done;
}

ssize_t emu_vfio_config_read(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t buffer,
                             size_t size, uint64_t offset)
{
	return access_config(vfio, task, buffer, size, offset, false);
}

ssize_t emu_vfio_config_write(struct emu_vfio *vfio, const struct emu_task *task, uintptr_t buffer,
                              size_t size, uint64_t offset)
{
	return access_config(vfio, task, buffer, size, offset, true);
}
