/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Whether files are there, and of which kind. */
#include "preload.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../machine.h"
#include "../sysfs.h"
#include "../vfio-names.h"

#define VFIO_MAJOR 511
#define MISC_MAJOR 10

/* False: the path is not the machine's; else 0 or -errno, and what is there. */
static bool look(const char *path, bool follow, mode_t *mode, int *error)
{
	struct libiommu_emu *const emu = emu_preload_path(path);
	enum emu_sysfs_kind kind = EMU_SYSFS_FILE;
	bool ours = true;

	if (!emu)
		return false;
	emu_preload_enter();
	emu_lock(emu);
	*error = 0;
	if (!strcmp(path, "/dev/iommu"))
		*mode = S_IFCHR | 0666;
	else if (emu_vfio_kind(emu, path, mode, error))
		;
	else
		ours = emu_sysfs_kind(emu, path, follow, &kind, error);
	if (!strncmp(path, "/sys/", 5))
		*mode = kind == EMU_SYSFS_DIR    ? S_IFDIR | 0755
		        : kind == EMU_SYSFS_LINK ? S_IFLNK | 0777
		                                 : S_IFREG | 0444;
	emu_unlock(emu);
	emu_preload_leave();
	return ours;
}

static bool fill(const char *path, bool follow, struct stat *stat, int *result)
{
	mode_t mode = 0;
	int error;

	if (!look(path, follow, &mode, &error))
		return false;
	*result = (int)emu_preload_result(error);
	if (error)
		return true;
	memset(stat, 0, sizeof(*stat));
	stat->st_mode = mode;
	stat->st_nlink = 1;
	stat->st_blksize = 4096;
	if (S_ISCHR(mode))
		stat->st_rdev = makedev(!strcmp(path, "/dev/iommu") ? MISC_MAJOR : VFIO_MAJOR, 0);
	else if (S_ISREG(mode))
		stat->st_size = 4096;
	return true;
}

PRELOAD int stat(const char *path, struct stat *status)
{
	int result;

	return fill(path, true, status, &result) ? result : REAL(stat)(path, status);
}

PRELOAD int lstat(const char *path, struct stat *status)
{
	int result;

	return fill(path, false, status, &result) ? result : REAL(lstat)(path, status);
}

PRELOAD int fstatat(int dir, const char *path, struct stat *status, int flags)
{
	int result;

	return fill(path, !(flags & AT_SYMLINK_NOFOLLOW), status, &result)
	               ? result
	               : REAL(fstatat)(dir, path, status, flags);
}

/* As older programs have these. */
int __xstat(int version, const char *path, struct stat *status);
int __lxstat(int version, const char *path, struct stat *status);

PRELOAD int __xstat(int version, const char *path, struct stat *status)
{
	(void)version;
	return stat(path, status);
}

PRELOAD int __lxstat(int version, const char *path, struct stat *status)
{
	(void)version;
	return lstat(path, status);
}

/* Nothing of sysfs is written here; the rest can be, by whoever runs this. */
static bool may(const char *path, int wanted, int *result)
{
	mode_t mode = 0;
	int error;

	if (!look(path, true, &mode, &error))
		return false;
	if (!error && wanted & W_OK && S_ISREG(mode))
		error = -EACCES;
	*result = (int)emu_preload_result(error);
	return true;
}

PRELOAD int access(const char *path, int wanted)
{
	int result;

	return may(path, wanted, &result) ? result : REAL(access)(path, wanted);
}

PRELOAD int faccessat(int dir, const char *path, int wanted, int flags)
{
	int result;

	return may(path, wanted, &result) ? result : REAL(faccessat)(dir, path, wanted, flags);
}

PRELOAD int euidaccess(const char *path, int wanted)
{
	int result;

	return may(path, wanted, &result) ? result : REAL(euidaccess)(path, wanted);
}

ALSO(stat, stat64);
ALSO(lstat, lstat64);
ALSO(fstatat, fstatat64);
ALSO(__xstat, __xstat64);
ALSO(__lxstat, __lxstat64);
