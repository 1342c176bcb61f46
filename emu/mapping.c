/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "mapping.h"

#include <errno.h>

#include "heap.h"
#include "machine.h"

int emu_mapping_add(struct libiommu_emu *emu, uintptr_t address, size_t length,
                    const struct emu_hold *hold)
{
	struct emu_mapping *const mapping = emu_alloc(sizeof(*mapping));
	const int error = emu_mapping_remove(emu, address, length);

	if (error || !mapping) {
		emu_release(mapping);
		return -ENOMEM;
	}
	mapping->address = address;
	mapping->length = length;
	mapping->hold = *hold;
	mapping->next = emu->mappings;
	emu->mappings = mapping;
	hold->take(hold->user);
	return 0;
}

/* The one that goes beyond both ends of the range; the range divides it. */
static struct emu_mapping *around(struct libiommu_emu *emu, uintptr_t address, uintptr_t end)
{
	struct emu_mapping *mapping = emu->mappings;

	while (mapping &&
	       (mapping->address >= address || mapping->address + mapping->length <= end))
		mapping = mapping->next;
	return mapping;
}

static int divide(struct libiommu_emu *emu, uintptr_t address, uintptr_t end)
{
	struct emu_mapping *const first = around(emu, address, end);
	struct emu_mapping *second;

	if (!first)
		return 0;
	second = emu_alloc(sizeof(*second));
	if (!second)
		return -ENOMEM;
	*second = *first;
	second->address = end;
	second->hold.offset += end - first->address;
	second->length = first->address + first->length - end;
	first->length = address - first->address;
	first->next = second;
	second->hold.take(second->hold.user);
	return 0;
}

/* What is left of it; no more than one end is cut off. */
static void cut(struct emu_mapping *mapping, uintptr_t address, uintptr_t end)
{
	const uintptr_t last = mapping->address + mapping->length;

	if (address >= last || end <= mapping->address)
		return;
	if (address > mapping->address) {
		mapping->length = address - mapping->address;
		return;
	}
	mapping->length = end < last ? last - end : 0;
	mapping->hold.offset += end - mapping->address;
	mapping->address = end;
}

int emu_mapping_remove(struct libiommu_emu *emu, uintptr_t address, size_t length)
{
	const uintptr_t end = length > UINTPTR_MAX - address ? UINTPTR_MAX : address + length;
	struct emu_mapping **link = &emu->mappings;

	if (divide(emu, address, end))
		return -ENOMEM;
	while (*link) {
		struct emu_mapping *const mapping = *link;

		cut(mapping, address, end);
		if (mapping->length) {
			link = &mapping->next;
			continue;
		}
		*link = mapping->next;
		mapping->hold.let_go(mapping->hold.user);
		emu_release(mapping);
	}
	return 0;
}

bool emu_mapping_meets(const struct libiommu_emu *emu, uintptr_t address, size_t length)
{
	const struct emu_mapping *mapping = emu->mappings;

	while (mapping && (mapping->address - address >= length &&
	                   address - mapping->address >= mapping->length))
		mapping = mapping->next;
	return mapping;
}

void emu_mappings_end(struct libiommu_emu *emu)
{
	emu_mapping_remove(emu, 0, UINTPTR_MAX);
}
