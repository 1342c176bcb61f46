/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "info-chain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "uapi/vfio-container.h"

#define MAX_ATTEMPTS 8

int li_info_read(const struct info_question *question, uint32_t room, void **info, size_t *size,
                 struct refusal *refusal)
{
	uint32_t needed = room;
	char *made;
	int error;

	for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
		const uint32_t given = needed;

		made = calloc(1, given);
		if (!made)
			return li_refuse(refusal, -ENOMEM, "no memory");
		memcpy(made, question->fixed, question->size);
		memcpy(made, &given, sizeof(given));
		error = li_sys_ioctl(question->sys, question->fd, question->request, made);
		memcpy(&needed, made, sizeof(needed));
		if (!error && needed <= given) {
			*info = made;
			*size = given;
			return 0;
		}
		free(made);
		if (error)
			return li_refuse_kernel(refusal, error, question->call);
	}
	return li_refuse(refusal, -EAGAIN, "the description grew each time it was asked for");
}

int li_info_chain_find(const void *info, size_t size, size_t fixed, size_t at, uint16_t id,
                       size_t *found)
{
	struct uapi_vfio_info_cap_header header;
	size_t least = fixed;

	while (at) {
		if (at < least || at > size - sizeof(header))
			return -EIO;
		memcpy(&header, (const char *)info + at, sizeof(header));
		if (header.id == id)
			break;
		least = at + sizeof(header);
		at = header.next;
	}
	*found = at;
	return 0;
}

int li_info_capability(const void *info, size_t size, size_t fixed, size_t at, uint16_t id,
                       struct info_capability *found)
{
	struct uapi_vfio_info_cap_header header;
	size_t where, end;

	if (li_info_chain_find(info, size, fixed, at, id, &where))
		return -EIO;
	if (!where)
		return -ENODATA;
	memcpy(&header, (const char *)info + where, sizeof(header));
	where += sizeof(header);
	end = header.next >= where && header.next <= size ? header.next : size;
	*found = (struct info_capability){
		.version = header.version,
		.data = (const char *)info + where,
		.length = end - where,
	};
	return 0;
}

int li_info_field(const struct info_capability *capability, const struct info_field *field,
                  uint64_t *value)
{
	const size_t offset = field->offset - sizeof(struct uapi_vfio_info_cap_header);

	if (capability->version < field->version)
		return -ENODATA;
	if (capability->length < offset + field->size)
		return -EIO;
	*value = number_at((const char *)capability->data + offset, field->size);
	return 0;
}
