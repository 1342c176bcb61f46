/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Interrupts from the device to eventfds: INTx, MSI and MSI-X. */
#include "vfio-irq.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "heap.h"
#include "vfio-irqs.h"
#include "watch.h"

void emu_event_signal(int fd)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	const uint64_t one = 1;

	/* A counter that is full stays as it is. */
	if (poll(&room, 1, 0) == 1 && room.revents & POLLOUT &&
	    write(fd, &one, sizeof(one)) != sizeof(one))
		return;
}

void emu_vfio_irqs_init(struct emu_vfio_irqs *irqs)
{
	irqs->kind = UAPI_VFIO_PCI_NUM_IRQS;
	irqs->error = -1;
	irqs->request = -1;
}

unsigned int emu_vfio_irq_count(const struct emu_vfio *vfio, unsigned int kind)
{
	switch (kind) {
	case UAPI_VFIO_PCI_INTX_IRQ_INDEX:
		return vfio->config.own[EMU_PCI_PIN] ? 1 : 0;
	case UAPI_VFIO_PCI_MSI_IRQ_INDEX:
		return emu_pci_msi_count(vfio->pci);
	case UAPI_VFIO_PCI_MSIX_IRQ_INDEX:
		return emu_pci_msix_count(vfio->pci);
	case UAPI_VFIO_PCI_ERR_IRQ_INDEX:
	case UAPI_VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

void emu_vfio_set_trigger(int *trigger, int fd)
{
	if (*trigger >= 0)
		close(*trigger);
	*trigger = fd;
}

static int make_room(struct emu_vfio_irqs *irqs, size_t count)
{
	int *triggers;

	if (count > irqs->room) {
		triggers = emu_grow(irqs->triggers, count * sizeof(*triggers));
		if (!triggers)
			return -ENOMEM;
		irqs->triggers = triggers;
		irqs->room = count;
	}
	while (irqs->count < count)
		irqs->triggers[irqs->count++] = -1;
	return 0;
}

/* The device's own registers, as the kernel sets them. */
static void set_bits(struct emu_pci *pci, unsigned int at, uint32_t bits, bool on)
{
	const uint32_t value = emu_pci_get(pci, at, 2);

	emu_pci_config_write(pci, at, 2, on ? value | bits : value & ~bits);
}

static void set_pin(struct emu_vfio *vfio, bool on)
{
	set_bits(vfio->pci, EMU_PCI_COMMAND, EMU_PCI_COMMAND_NO_INTX, !on);
}

/* The pin is looked at, and what it asks for is handed on once until it is unmasked. */
static void look_at_pin(struct emu_vfio *vfio)
{
	struct emu_vfio_irqs *const irqs = &vfio->irqs;

	if (irqs->kind != UAPI_VFIO_PCI_INTX_IRQ_INDEX || irqs->masked || !vfio->pci->intx)
		return;
	irqs->masked = true;
	set_pin(vfio, false);
	emu_vfio_intx_signal(vfio);
}

void emu_vfio_intx_signal(struct emu_vfio *vfio)
{
	const struct emu_vfio_irqs *const irqs = &vfio->irqs;

	if (!irqs->pin_off && irqs->count && irqs->triggers[0] >= 0)
		emu_event_signal(irqs->triggers[0]);
}

void emu_vfio_intx_mask(struct emu_vfio *vfio)
{
	set_pin(vfio, false);
	if (vfio->irqs.kind == UAPI_VFIO_PCI_INTX_IRQ_INDEX)
		vfio->irqs.masked = true;
}

/* What is asserted still is told again, and stays masked. */
void emu_vfio_intx_unmask(struct emu_vfio *vfio)
{
	struct emu_vfio_irqs *const irqs = &vfio->irqs;

	if (irqs->kind != UAPI_VFIO_PCI_INTX_IRQ_INDEX) {
		set_pin(vfio, true);
		return;
	}
	if (!irqs->masked || irqs->pin_off)
		return;
	if (vfio->pci->intx) {
		emu_vfio_intx_signal(vfio);
		return;
	}
	irqs->masked = false;
	set_pin(vfio, true);
}

int emu_vfio_intx_enable(struct emu_vfio *vfio, int trigger)
{
	struct emu_vfio_irqs *const irqs = &vfio->irqs;
	const int error = make_room(irqs, 1);

	if (error)
		return error;
	irqs->triggers[0] = trigger;
	irqs->masked = irqs->pin_off;
	irqs->kind = UAPI_VFIO_PCI_INTX_IRQ_INDEX;
	set_pin(vfio, !irqs->masked);
	look_at_pin(vfio);
	return 0;
}

void emu_vfio_irq_pin_off(struct emu_vfio *vfio, bool off)
{
	struct emu_vfio_irqs *const irqs = &vfio->irqs;

	if (off == irqs->pin_off)
		return;
	irqs->pin_off = off;
	if (off)
		emu_vfio_intx_mask(vfio);
	else
		emu_vfio_intx_unmask(vfio);
}

static void set_messages(struct emu_vfio *vfio, unsigned int kind, bool on)
{
	struct emu_pci *const pci = vfio->pci;

	if (kind == UAPI_VFIO_PCI_MSIX_IRQ_INDEX) {
		set_bits(pci, pci->msix + EMU_MSIX_CONTROL, EMU_MSIX_ENABLE, on);
		return;
	}
	set_bits(pci, pci->msi + EMU_MSI_CONTROL, EMU_MSI_ENABLED, false);
	set_bits(pci, pci->msi + EMU_MSI_CONTROL,
	         EMU_MSI_ENABLE | (on ? vfio->config.msi_enabled << 4 : 0), on);
}

static unsigned int log2_above(unsigned int count)
{
	unsigned int log2 = 0;

	while (1U << log2 < count)
		log2++;
	return log2;
}

int emu_vfio_messages_enable(struct emu_vfio *vfio, unsigned int kind, unsigned int count)
{
	struct emu_vfio_irqs *const irqs = &vfio->irqs;
	const int error = make_room(irqs, count);

	if (error)
		return error;
	irqs->kind = kind;
	if (kind == UAPI_VFIO_PCI_MSI_IRQ_INDEX)
		vfio->config.msi_enabled = log2_above(count);
	set_messages(vfio, kind, true);
	set_pin(vfio, false);
	return 0;
}

/* MSI-X vectors can be added later; of MSI there are as many as there were first. */
int emu_vfio_message_set(struct emu_vfio *vfio, unsigned int vector, int trigger)
{
	struct emu_vfio_irqs *const irqs = &vfio->irqs;

	if (vector >= irqs->count) {
		if (irqs->kind != UAPI_VFIO_PCI_MSIX_IRQ_INDEX)
			return -EINVAL;
		if (make_room(irqs, vector + 1))
			return -ENOMEM;
	}
	emu_vfio_set_trigger(&irqs->triggers[vector], trigger);
	return 0;
}

void emu_vfio_irqs_disable(struct emu_vfio *vfio)
{
	struct emu_vfio_irqs *const irqs = &vfio->irqs;

	if (irqs->kind == UAPI_VFIO_PCI_NUM_IRQS)
		return;
	if (irqs->unmask)
		emu_watch_remove(irqs->unmask);
	irqs->unmask = NULL;
	for (size_t i = 0; i < irqs->count; i++)
		emu_vfio_set_trigger(&irqs->triggers[i], -1);
	irqs->count = 0;
	if (irqs->kind != UAPI_VFIO_PCI_INTX_IRQ_INDEX) {
		set_messages(vfio, irqs->kind, false);
		set_pin(vfio, true);
	}
	irqs->kind = UAPI_VFIO_PCI_NUM_IRQS;
}

void emu_vfio_irqs_end(struct emu_vfio *vfio)
{
	emu_vfio_irqs_disable(vfio);
	emu_vfio_set_trigger(&vfio->irqs.error, -1);
	emu_vfio_set_trigger(&vfio->irqs.request, -1);
	emu_release(vfio->irqs.triggers);
}

static bool tell(int fd)
{
	if (fd >= 0)
		emu_event_signal(fd);
	return fd >= 0;
}

/* A message is a write to memory, which only masters of the bus can do. */
static bool raise_vector(struct emu_vfio *vfio, unsigned int vector)
{
	const struct emu_vfio_irqs *const irqs = &vfio->irqs;

	if (irqs->kind != UAPI_VFIO_PCI_MSI_IRQ_INDEX && irqs->kind != UAPI_VFIO_PCI_MSIX_IRQ_INDEX)
		return false;
	if (!(emu_pci_get(vfio->pci, EMU_PCI_COMMAND, 2) & EMU_PCI_COMMAND_MASTER))
		return false;
	/* With fewer messages than it wanted a device puts several events into one. */
	if (irqs->kind == UAPI_VFIO_PCI_MSI_IRQ_INDEX)
		vector &= (1U << vfio->config.msi_enabled) - 1;
	return vector < irqs->count && tell(irqs->triggers[vector]);
}

bool emu_vfio_request(struct emu_vfio *vfio)
{
	return tell(vfio->irqs.request);
}

bool emu_vfio_error(struct emu_vfio *vfio)
{
	return tell(vfio->irqs.error);
}

bool emu_pci_raise(struct emu_pci *pci, unsigned int vector)
{
	return pci->dev && pci->dev->vfio && !pci->dev->removed &&
	       raise_vector(pci->dev->vfio, vector);
}

void emu_pci_set_pin(struct emu_pci *pci, bool asserted)
{
	pci->intx = asserted;
	if (pci->dev && pci->dev->vfio && !pci->dev->removed)
		look_at_pin(pci->dev->vfio);
}
