/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef WORLD_KERNEL_H
#define WORLD_KERNEL_H

#include "../vm/mock.h"
#include "world.h"

struct world {
	struct mock *mock;
	int fd; /* of the context that was made last, whose owner is the library */
	int fail_nth;
	uint32_t has;
};

#endif
