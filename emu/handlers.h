/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Every object's own commands, for the table of them. */
#ifndef EMU_HANDLERS_H
#define EMU_HANDLERS_H

#include "compat.h"
#include "device.h"
#include "fault.h"
#include "hwpt.h"
#include "ioas.h"
#include "viommu.h"

#endif
