/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A door that lets nothing through, so that what it leads to stays as it is whatever is called:
 * while a context is handed over, and after that. Nobody goes through the door while it changes.
 */
#ifndef LIBIOMMU_BASE_SYS_HOLD_H
#define LIBIOMMU_BASE_SYS_HOLD_H

#include "sys.h"

/*
 * From now on calls that read or change what descriptors stand for are -ESHUTDOWN. Descriptors are
 * closed, and memory is unmapped, as before. li_sys_assign() of an earlier copy undoes it.
 */
void li_sys_hold(struct libiommu_sys *sys);

/*
 * The same for good: handles are destroyed without the kernel being asked, as all that they stand
 * for belongs to somebody else. With @keep_fds no descriptor is closed either.
 */
void li_sys_give_away(struct libiommu_sys *sys, bool keep_fds);

#endif
