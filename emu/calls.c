/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "calls.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "ctx.h"
#include "heap.h"
#include "machine.h"
#include "mapping.h"
#include "trouble.h"

static struct emu_task caller(void)
{
	return (struct emu_task){.pid = 0, .uid = geteuid()};
}

static void sleep_for(uint64_t ns)
{
	struct timespec left = {(time_t)(ns / 1000000000U), (long)(ns % 1000000000U)};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		continue;
}

/* Before a call is done, with the lock, which others have meanwhile: 0, or its error. */
static int meet_trouble(struct libiommu_emu *emu, uint32_t call, unsigned long request)
{
	struct emu_strike strike;

	if (!emu->troubles)
		return 0;
	strike = emu_trouble_strike(emu, call, request);
	if (strike.delay) {
		emu_unlock(emu);
		sleep_for(strike.delay);
		emu_lock(emu);
	}
	if (strike.allocation && !strike.error) {
		emu_heap_fail(strike.allocation);
		emu->heap_fails = true;
	}
	return -strike.error;
}

/* With the lock, which it gives back. */
static void leave(struct libiommu_emu *emu)
{
	if (emu->heap_fails)
		emu_heap_stop();
	emu->heap_fails = false;
	emu_unlock(emu);
}

bool emu_open(struct libiommu_emu *emu, const char *path, int flags, int *result)
{
	const bool ours = !strcmp(path, "/dev/iommu");

	(void)flags;
	emu_lock(emu);
	emu_files_sweep(emu);
	if (ours)
		*result = meet_trouble(emu, LIBIOMMU_EMU_OPEN, 0);
	if (ours && !*result)
		*result = emu_ctx_open(emu);
	leave(emu);
	return ours;
}

int emu_close(struct libiommu_emu *emu, int fd)
{
	int error = 0, failed;

	emu_lock(emu);
	if (emu->troubles && emu_file_find(emu, fd, false))
		error = meet_trouble(emu, LIBIOMMU_EMU_CLOSE, 0);
	failed = close(fd) ? -errno : 0;
	if (failed)
		error = failed;
	emu_file_forget(emu, fd);
	emu_files_sweep(emu);
	leave(emu);
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

/*
 * 1: the call can be made, with the lock; 0: it is not the machine's; or what it fails with. The
 * file can have been closed while a trouble took its time.
 */
static int enter(struct libiommu_emu *emu, int fd, bool quick, uint32_t call, unsigned long request,
                 struct emu_file **file)
{
	int error = 0;

	emu_lock(emu);
	*file = emu_file_find(emu, fd, quick);
	if (*file && emu->troubles) {
		error = meet_trouble(emu, call, request);
		*file = emu_file_find(emu, fd, false);
	}
	if (*file && !error)
		return 1;
	leave(emu);
	return error;
}

bool emu_ioctl(struct libiommu_emu *emu, int fd, unsigned long request, uintptr_t arg, int *result)
{
	const struct emu_task task = caller();
	struct emu_file *file;
	const int entered = enter(emu, fd, true, LIBIOMMU_EMU_IOCTL, request, &file);

	if (entered <= 0) {
		*result = entered;
		return entered;
	}
	*result = file->ops->ioctl ? file->ops->ioctl(file, &task, request, arg) : -ENOTTY;
	leave(emu);
	return true;
}

bool emu_read(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, ssize_t *result)
{
	const struct emu_task task = caller();
	struct emu_file *file;
	const int entered = enter(emu, fd, false, LIBIOMMU_EMU_READ, 0, &file);

	if (entered <= 0) {
		*result = entered;
		return entered;
	}
	*result = file->ops->read ? file->ops->read(file, &task, buffer, size) : -EINVAL;
	leave(emu);
	return true;
}

bool emu_write(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, ssize_t *result)
{
	const struct emu_task task = caller();
	struct emu_file *file;
	const int entered = enter(emu, fd, false, LIBIOMMU_EMU_WRITE, 0, &file);

	if (entered <= 0) {
		*result = entered;
		return entered;
	}
	*result = file->ops->write ? file->ops->write(file, &task, buffer, size) : -EINVAL;
	leave(emu);
	return true;
}

bool emu_pread(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, uint64_t offset,
               ssize_t *result)
{
	const struct emu_task task = caller();
	struct emu_file *file;
	const int entered = enter(emu, fd, false, LIBIOMMU_EMU_PREAD, 0, &file);

	if (entered <= 0) {
		*result = entered;
		return entered;
	}
	*result = file->ops->pread ? file->ops->pread(file, &task, buffer, size, offset) : -EINVAL;
	leave(emu);
	return true;
}

bool emu_pwrite(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, uint64_t offset,
                ssize_t *result)
{
	const struct emu_task task = caller();
	struct emu_file *file;
	const int entered = enter(emu, fd, false, LIBIOMMU_EMU_PWRITE, 0, &file);

	if (entered <= 0) {
		*result = entered;
		return entered;
	}
	*result =
		file->ops->pwrite ? file->ops->pwrite(file, &task, buffer, size, offset) : -EINVAL;
	leave(emu);
	return true;
}

int emu_mmap(struct libiommu_emu *emu, int fd, size_t length, int prot, int flags, uint64_t offset,
             struct emu_backing *backing)
{
	struct emu_file *file;
	int error = enter(emu, fd, false, LIBIOMMU_EMU_MMAP, 0, &file);

	if (error <= 0)
		return error;
	error = file->ops->mmap ? file->ops->mmap(file, length, prot, flags, offset, backing)
	                        : -ENODEV;
	leave(emu);
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
	struct emu_file *file;

	emu_lock(emu);
	file = emu_file_find(emu, fd, false);
	if (file)
		*size = file->ops->size ? file->ops->size(file) : 0;
	emu_unlock(emu);
	return file;
}
