/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int li_info_ask(struct libiommu_device *dev, const char *operation, const struct info_kind *kind,
                const void *question, struct info_answer **answer)
{
	struct info_question asked = {
		.request = kind->request,
		.call = CALL_REGION,
		.fixed = question,
		.size = kind->size,
	};
	struct refusal refusal = {0};
	struct info_answer *made;
	uint32_t flags, first;
	int error;

	if (!dev || !answer)
		return FAIL_NULL_IN(dev ? li_device_ctx(dev) : NULL, operation);
	made = calloc(1, sizeof(*made));
	if (!made)
		return FAIL_MEMORY_IN(li_device_ctx(dev), operation);
	error = li_device_enter(dev, operation, DEVICE_BOUND);
	if (error) {
		free(made);
		return error;
	}
	asked.sys = li_ctx_backend(li_device_ctx(dev))->sys;
	asked.fd = li_device_fd(dev);
	error = li_info_read(&asked, (uint32_t)kind->size, &made->bytes, &made->size, &refusal);
	li_device_leave(dev);
	if (error) {
		free(made);
		return FAIL_REFUSED(li_device_ctx(dev), operation, &refusal,
		                    .id = li_device_id(dev));
	}
	memcpy(&flags, (const char *)made->bytes + sizeof(uint32_t), sizeof(flags));
	memcpy(&first, (const char *)made->bytes + kind->first_offset, sizeof(first));
	made->fixed = kind->size;
	made->first = flags & kind->capable ? first : 0;
	*answer = made;
	return 0;
}

void li_info_free(struct info_answer *answer)
{
	if (!answer)
		return;
	free(answer->bytes);
	free(answer);
}

static int fail(const char *operation, int error, uint64_t number)
{
	return FAIL_LIBRARY(NULL, operation, error,
	                    error == -EINVAL ? "unknown field"
	                    : error == -EIO  ? "the kernel's description contradicts itself"
	                                     : "there is no such capability, or an older version",
	                    .amount = number, .unit = "is its number");
}

static int find(const struct info_answer *answer, uint16_t id, struct info_capability *found)
{
	return li_info_capability(answer->bytes, answer->size, answer->fixed, answer->first, id,
	                          found);
}

int li_info_tell(const struct info_answer *answer, const char *operation, uint16_t id,
                 uint16_t *version, const void **data, size_t *length)
{
	struct info_capability found;
	int error;

	if (!answer || !data || !length)
		return FAIL_NULL_IN(NULL, operation);
	error = find(answer, id, &found);
	if (error)
		return fail(operation, error, id);
	if (version)
		*version = found.version;
	*data = found.data;
	*length = found.length;
	return 0;
}

int li_info_number(const struct info_answer *answer, const char *operation,
                   const struct info_field *fields, size_t count, int field, uint64_t *value)
{
	struct info_capability found;
	int error = -EINVAL;

	if (!answer || !value)
		return FAIL_NULL_IN(NULL, operation);
	for (size_t i = 0; i < count; i++) {
		if (fields[i].field != field)
			continue;
		error = find(answer, fields[i].id, &found);
		if (!error)
			error = li_info_field(&found, &fields[i], value);
		break;
	}
	return error ? fail(operation, error, (uint64_t)field) : 0;
}
