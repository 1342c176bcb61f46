/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "config-data.h"

#include <stdlib.h>
#include <string.h>

bool li_config_data_set(void **data, const void *from, size_t length)
{
	void *copy = NULL;

	if (length) {
		copy = malloc(length);
		if (!copy)
			return false;
		memcpy(copy, from, length);
	}
	free(*data);
	*data = copy;
	return true;
}
