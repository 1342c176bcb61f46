/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Whose each descriptor and each mapping is: closed and unmapped exactly once, or never where it
 * was only lent.
 */
#ifndef LIBIOMMU_TESTS_LEDGER_H
#define LIBIOMMU_TESTS_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

void ledger_reset(void);
/* @own: the library must close it; otherwise it must not. */
void ledger_add_fd(int fd, bool own);
/*
 * Each of these fails the test where the library has no business with the descriptor, or the
 * mapping.
 */
void ledger_use_fd(int fd);
void ledger_close_fd(int fd);
void ledger_add_map(void *address, size_t length);
void ledger_remove_map(void *address, size_t length);
/* Nothing is left open or mapped. */
void ledger_check(void);
/* Mappings that exist. */
unsigned int ledger_maps(void);

#endif
