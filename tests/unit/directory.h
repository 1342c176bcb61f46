/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Directories that cannot be read to their end: the linker sends readdir() here. */
#ifndef LIBIOMMU_TESTS_DIRECTORY_H
#define LIBIOMMU_TESTS_DIRECTORY_H

/* After so many entries readdir() fails with this errno value; 0 is the real one again. */
void directory_fail(unsigned int entries, int error);

#endif
