/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Numbers in what the kernel has written, wherever they lie. */
#ifndef LIBIOMMU_BASE_NUMBER_H
#define LIBIOMMU_BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* @size: 1, 2, 4 or 8 bytes. */
static inline uint64_t number_at(const void *at, size_t size)
{
	uint64_t whole;
	uint32_t word;
	uint16_t half;

	switch (size) {
	case sizeof(whole):
		memcpy(&whole, at, sizeof(whole));
		return whole;
	case sizeof(word):
		memcpy(&word, at, sizeof(word));
		return word;
	case sizeof(half):
		memcpy(&half, at, sizeof(half));
		return half;
	default:
		return *(const uint8_t *)at;
	}
}

#endif
