/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What VFIO's INFO calls say of a device or of a region, kept as it was said. */
#ifndef LIBIOMMU_OBJECT_INFO_H
#define LIBIOMMU_OBJECT_INFO_H

#include <stddef.h>
#include <stdint.h>

#include "../base/info-chain.h"
#include "device.h"

struct info_answer {
	void *bytes;
	size_t size;
	size_t fixed;   /* bytes before the capabilities */
	uint32_t first; /* where the first one is; 0 for none */
};

/* A row of struct info_field, but for its number. */
#define INFO_FIELD(capability, since, structure, member)                                           \
	.id = (capability), .version = (since), .offset = offsetof(struct structure, member),      \
	.size = sizeof(((struct structure *)0)->member)

/* One of the INFO calls of a device. */
struct info_kind {
	unsigned long request;
	size_t size;
	uint32_t capable;    /* the flag, behind argsz, that there are capabilities */
	size_t first_offset; /* where it says where the first one is */
};

/*
 * From the public function's arguments on, any of which may be NULL; all failures are recorded. An
 * answer is the first member of what stands for it in public.
 */
int li_info_ask(struct libiommu_device *dev, const char *operation, const struct info_kind *kind,
                const void *question, struct info_answer **answer);
void li_info_free(struct info_answer *answer);
int li_info_tell(const struct info_answer *answer, const char *operation, uint16_t id,
                 uint16_t *version, const void **data, size_t *length);
int li_info_number(const struct info_answer *answer, const char *operation,
                   const struct info_field *fields, size_t count, int field, uint64_t *value);

#endif
