/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "info-chain.h"

#include <errno.h>
#include <string.h>

#include "uapi/vfio-container.h"

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
