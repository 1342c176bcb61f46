/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "calls.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ctx.h"
#include "machine.h"
#include "mapping.h"

static struct emu_task caller(void)
{
	return (struct emu_task){.pid = 0, .uid = geteuid()};
}

bool emu_open(struct libiommu_emu *emu, const char *path, int flags, int *result)
{
	bool ours = true;

	(void)flags;
	emu_lock(emu);
	emu_files_sweep(emu);
	if (!strcmp(path, "/dev/iommu"))
		*result = emu_ctx_open(emu);
	else
		ours = false;
	emu_unlock(emu);
	return ours;
}

int emu_close(struct libiommu_emu *emu, int fd)
{
	int error;

	emu_lock(emu);
	error = close(fd) ? -errno : 0;
	emu_file_forget(emu, fd);
	emu_files_sweep(emu);
	emu_unlock(emu);
	return error;
}

void emu_dup(struct libiommu_emu *emu, int fd, int copy)
{
	struct emu_file *file;

	emu_lock(emu);
	file = emu_file_find(emu, fd, false);
	if (file)
		emu_file_learn(emu, copy, file);
	else
		emu_file_forget(emu, copy);
	emu_unlock(emu);
}

/* NULL, and nothing is locked: not the machine's. */
static struct emu_file *enter(struct libiommu_emu *emu, int fd, bool quick)
{
	struct emu_file *file;

	emu_lock(emu);
	file = emu_file_find(emu, fd, quick);
	if (!file)
		emu_unlock(emu);
	return file;
}

bool emu_ioctl(struct libiommu_emu *emu, int fd, unsigned long request, uintptr_t arg, int *result)
{
	const struct emu_task task = caller();
	struct emu_file *const file = enter(emu, fd, true);

	if (!file)
		return false;
	*result = file->ops->ioctl ? file->ops->ioctl(file, &task, request, arg) : -ENOTTY;
	emu_unlock(emu);
	return true;
}

bool emu_read(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, ssize_t *result)
{
	const struct emu_task task = caller();
	struct emu_file *const file = enter(emu, fd, false);

	if (!file)
		return false;
	*result = file->ops->read ? file->ops->read(file, &task, buffer, size) : -EINVAL;
	emu_unlock(emu);
	return true;
}

bool emu_write(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, ssize_t *result)
{
	const struct emu_task task = caller();
	struct emu_file *const file = enter(emu, fd, false);

	if (!file)
		return false;
	*result = file->ops->write ? file->ops->write(file, &task, buffer, size) : -EINVAL;
	emu_unlock(emu);
	return true;
}

bool emu_pread(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, uint64_t offset,
               ssize_t *result)
{
	const struct emu_task task = caller();
	struct emu_file *const file = enter(emu, fd, false);

	if (!file)
		return false;
	*result = file->ops->pread ? file->ops->pread(file, &task, buffer, size, offset) : -EINVAL;
	emu_unlock(emu);
	return true;
}

bool emu_pwrite(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, uint64_t offset,
                ssize_t *result)
{
	const struct emu_task task = caller();
	struct emu_file *const file = enter(emu, fd, false);

	if (!file)
		return false;
	*result =
		file->ops->pwrite ? file->ops->pwrite(file, &task, buffer, size, offset) : -EINVAL;
	emu_unlock(emu);
	return true;
}

int emu_mmap(struct libiommu_emu *emu, int fd, size_t length, int prot, int flags, uint64_t offset,
             struct emu_backing *backing)
{
	struct emu_file *const file = enter(emu, fd, false);
	int error;

	if (!file)
		return 0;
	error = file->ops->mmap ? file->ops->mmap(file, length, prot, flags, offset, backing)
	                        : -ENODEV;
	emu_unlock(emu);
	return error ? error : 1;
}

int emu_mapped(struct libiommu_emu *emu, uintptr_t address, size_t length,
               const struct emu_backing *backing)
{
	int error = 0;

	emu_lock(emu);
	if (backing->hold.take)
		error = emu_mapping_add(emu, address, length, &backing->hold);
	emu_unlock(emu);
	return error;
}

int emu_munmap(struct libiommu_emu *emu, uintptr_t address, size_t length)
{
	int error;

	emu_lock(emu);
	error = emu_mapping_remove(emu, address, length);
	if (!error)
		error = munmap((void *)address, length) ? -errno : 0;
	emu_files_sweep(emu);
	emu_unlock(emu);
	return error;
}

bool emu_size(struct libiommu_emu *emu, int fd, uint64_t *size)
{
	struct emu_file *const file = enter(emu, fd, false);

	if (!file)
		return false;
	*size = file->ops->size ? file->ops->size(file) : 0;
	emu_unlock(emu);
	return true;
}
