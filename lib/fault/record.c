/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>

#include "reader.h"

int libiommu_record_data(const struct libiommu_record *records, size_t count, void *buffer,
                         size_t size)
{
	unsigned char *to = buffer;
	uint32_t length;
	size_t left;

	if (!records || (!buffer && size))
		return READER_FAIL_NULL();
	if (!count || records->kind != LIBIOMMU_RECORD_VEVENT)
		return READER_FAIL(-EINVAL, "not the records of an event");
	length = records->length;
	if (length > INT32_MAX || (length + RECORD_DATA - 1) / RECORD_DATA > count - 1)
		return READER_FAIL(-EPROTO, "the group is too short for its event");
	left = size < length ? size : length;
	for (const struct libiommu_record *record = records + 1; left; record++) {
		const size_t part = left < RECORD_DATA ? left : RECORD_DATA;

		memcpy(to, (const unsigned char *)record + RECORD_DATA_AT, part);
		to += part;
		left -= part;
	}
	return (int)length;
}
