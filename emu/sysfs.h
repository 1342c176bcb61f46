/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What sysfs says of the machine: its PCI bus, its groups and its IOMMUs. Those parts are the
 * machine's alone, the host's own are not seen; all else of sysfs is the host's.
 */
#ifndef EMU_SYSFS_H
#define EMU_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct emu_dev;
struct emu_group;
struct emu_iommu;
struct libiommu_emu;

#define EMU_SYSFS_PATH 256

/* Each is true where the path is the machine's; then the result is as the door's own operations. */
bool emu_sysfs_open(struct libiommu_emu *emu, const char *path, int flags, int *result);
bool emu_sysfs_readlink(struct libiommu_emu *emu, const char *path, char *buffer, size_t size,
                        int *result);
bool emu_sysfs_list(struct libiommu_emu *emu, const char *path, char *buffer, size_t size,
                    ssize_t *result);
/* 0 or -ENOENT: what is there, which a link at the end of the path is not followed to. */
enum emu_sysfs_kind { EMU_SYSFS_DIR, EMU_SYSFS_FILE, EMU_SYSFS_LINK };
bool emu_sysfs_kind(struct libiommu_emu *emu, const char *path, bool follow,
                    enum emu_sysfs_kind *kind, int *result);
/* The path without links; false: not the machine's, or not there. */
bool emu_sysfs_real(struct libiommu_emu *emu, const char *path, char real[EMU_SYSFS_PATH]);

/* A directory or a file of it. */
enum emu_where {
	EMU_AT_NOTHING,
	EMU_AT_PCI,
	EMU_AT_PCI_DEVICES,
	EMU_AT_DRIVERS,
	EMU_AT_DRIVER,
	EMU_AT_GROUPS,
	EMU_AT_GROUP,
	EMU_AT_GROUP_DEVICES,
	EMU_AT_IOMMUS,
	EMU_AT_IOMMU,
	EMU_AT_IOMMU_DEVICES,
	EMU_AT_VFIO_DEVS,
	EMU_AT_DEV,
	EMU_AT_DEV_VFIO,
	EMU_AT_VFIO_DEV,
	EMU_AT_FILE
};

struct emu_place {
	enum emu_where where;
	bool link; /* is reached by a link */
	const struct emu_dev *dev;
	const struct emu_group *group;
	const struct emu_iommu *iommu;
	const char *name; /* of a driver, or of a file */
};

/* True: that is enough. */
typedef bool (*emu_visit_fn)(void *user, const char *name, const struct emu_place *place);

/* Tells of everything in a directory. */
void emu_place_each(struct libiommu_emu *emu, const struct emu_place *dir, emu_visit_fn visit,
                    void *user);
/* The place that a path begins with, and the rest of the path; false: it is the host's. */
bool emu_place_root(struct libiommu_emu *emu, const char *path, struct emu_place *place,
                    const char **rest);
/* Where it really is, of those that have a path: the ones that links lead to. */
bool emu_place_has_path(const struct emu_place *place);
void emu_place_path(const struct emu_place *place, char path[EMU_SYSFS_PATH]);
/* What a file says: its length. */
size_t emu_place_text(const struct emu_place *file, char *text, size_t size);

#endif
