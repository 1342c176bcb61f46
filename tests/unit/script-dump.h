/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Comparing calls with steps, and putting both into words. */
#ifndef LIBIOMMU_TESTS_SCRIPT_DUMP_H
#define LIBIOMMU_TESTS_SCRIPT_DUMP_H

#include "script.h"

#define DUMP_MAX 1024

/* The same kind of call on the same object; the bytes of arguments are dump_compare()'s. */
bool dump_same(const struct step *step, const struct step *call);
void dump_step(const struct step *step, char text[DUMP_MAX]);
/* Fails the test with both dumps where @arg is not what @step wants. */
void dump_compare(const struct step *step, const void *arg);
const char *dump_request_name(unsigned long request);

#endif
