/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What SET_IRQS is made of. */
#ifndef EMU_VFIO_IRQS_H
#define EMU_VFIO_IRQS_H

#include "vfio.h"

/* In each of them a descriptor is taken over: -1 is none. */
void emu_vfio_set_trigger(int *trigger, int fd);
int emu_vfio_intx_enable(struct emu_vfio *vfio, int trigger);
int emu_vfio_messages_enable(struct emu_vfio *vfio, unsigned int kind, unsigned int count);
int emu_vfio_message_set(struct emu_vfio *vfio, unsigned int vector, int trigger);
/* Whichever kind is enabled. */
void emu_vfio_irqs_disable(struct emu_vfio *vfio);

void emu_vfio_intx_signal(struct emu_vfio *vfio);
void emu_vfio_intx_mask(struct emu_vfio *vfio);
void emu_vfio_intx_unmask(struct emu_vfio *vfio);

#endif
