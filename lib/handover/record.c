/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "record.h"

#define WALK(bits, name) li_walk_u##bits(walk, &record->name)
#define RECORD(name, fields)                                                                       \
	void li_##name(struct walk *walk, struct name *record)                                     \
	{                                                                                          \
		fields(WALK)                                                                       \
	}

RECORDS(RECORD)
