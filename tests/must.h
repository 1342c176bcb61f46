/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* For programs that cannot go on where a call of the library fails. */
#ifndef LIBIOMMU_TESTS_MUST_H
#define LIBIOMMU_TESTS_MUST_H

#include <stdio.h>
#include <stdlib.h>

#include <libiommu.h>

/* A call succeeds, and its count is the value. */
#define MUST(call) must((call), #call)

static inline int must(int result, const char *call)
{
	char text[512];

	if (result >= 0)
		return result;
	libiommu_failure_text(text, sizeof(text));
	printf("%s is %d: %s\n", call, result, text);
	exit(1);
}

#endif
