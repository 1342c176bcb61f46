/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#ifndef LIBIOMMU_OBJECT_HOLDER_H
#define LIBIOMMU_OBJECT_HOLDER_H

#include <stddef.h>

struct libiommu_sys;

/*
 * Who else has a node open, in words: "process 1234 (qemu) has /dev/vfio/12 open". For a failure
 * only, since it looks at every process. @own is a descriptor of this process that does not count,
 * -1 for none. The text is "" where nobody is found, or where this process may not know.
 */
void li_holder_find(const struct libiommu_sys *sys, const char *path, int own, char *text,
                    size_t size);

#endif
