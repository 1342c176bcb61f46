/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Interrupts as VFIO hands them on: each to an eventfd. */
#ifndef EMU_VFIO_IRQ_H
#define EMU_VFIO_IRQ_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/base/uapi/vfio.h"

struct emu_pci;
struct emu_vfio;
struct emu_watch;

struct emu_vfio_irqs {
	unsigned int kind;        /* that is enabled; UAPI_VFIO_PCI_NUM_IRQS: none */
	int *triggers;            /* of MSI or MSI-X, -1: none; of INTx the first */
	size_t count, room;       /* vectors that there are triggers of */
	bool pin_off;             /* the program has switched the pin off by the command register */
	bool masked;              /* INTx */
	struct emu_watch *unmask; /* an eventfd that unmasks INTx; NULL: none */
	int error, request;       /* eventfds, or -1 */
};

void emu_vfio_irqs_init(struct emu_vfio_irqs *irqs);
void emu_vfio_irqs_end(struct emu_vfio *vfio);
unsigned int emu_vfio_irq_count(const struct emu_vfio *vfio, unsigned int kind);

/* The command register's bit, as the program has it. */
void emu_vfio_irq_pin_off(struct emu_vfio *vfio, bool off);

/* An event, as the kernel signals it: never blocks. */
void emu_event_signal(int fd);

#endif
