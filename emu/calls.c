/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "calls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "ctx.h"
#include "heap.h"
#include "machine.h"
#include "mapping.h"
#include "sysfs.h"
#include "trouble.h"
#include "vfio-names.h"

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

/* The legacy container is a context too, which charges memory to the process. */
static int open_container(struct libiommu_emu *emu)
{
	const int fd = emu_ctx_open(emu);

	if (fd >= 0)
		emu_ctx_of(emu, fd)->charge_process = true;
	return fd;
}

static bool open_path(struct libiommu_emu *emu, const char *path, int flags, int *result)
{
	if (!strcmp(path, "/dev/iommu"))
		*result = emu_ctx_open(emu);
	else if (!strcmp(path, "/dev/vfio/vfio"))
		*result = open_container(emu);
	else
		return emu_vfio_open(emu, path, result) || emu_sysfs_open(emu, path, flags, result);
	return true;
}

static bool is_ours(struct libiommu_emu *emu, const char *path)
{
	enum emu_sysfs_kind kind;
	int error;

	return !strcmp(path, "/dev/iommu") || !strncmp(path, "/dev/vfio/", 10) ||
	       emu_sysfs_kind(emu, path, true, &kind, &error);
}

bool emu_open(struct libiommu_emu *emu, const char *path, int flags, int *result)
{
	if (emu_is_child(emu))
		return emu_child_open(emu, path, flags, result);
	return emu_open_path(emu, path, flags, result);
}

bool emu_open_path(struct libiommu_emu *emu, const char *path, int flags, int *result)
{
	bool ours = true;
	int error = 0;

	emu_lock(emu);
	emu_files_sweep(emu);
	if (emu_is_nested(emu) && is_ours(emu, path))
		error = -EDEADLK;
	else if (emu->troubles && is_ours(emu, path))
		error = meet_trouble(emu, LIBIOMMU_EMU_OPEN, 0);
	if (error)
		*result = error;
	else
		ours = open_path(emu, path, flags, result);
	leave(emu);
	return ours;
}

/* Descriptors of the machine's are sockets to the host, in whatever process. */
static bool name_descriptor(struct libiommu_emu *emu, const char *path, char *buffer, size_t size,
                            int *result)
{
	char socket[40];
	const char *name;
	unsigned long inode;
	ssize_t length;

	if (strncmp(path, "/proc/", 6) != 0 || !strstr(path, "/fd/"))
		return false;
	length = readlink(path, socket, sizeof(socket) - 1);
	if (length < 0)
		return false;
	socket[length] = '\0';
	name = sscanf(socket, "socket:[%lu]", &inode) == 1 ? emu_file_name(emu, inode) : NULL;
	if (!name)
		return false;
	*result = strlen(name) < size ? (int)strlen(name) : -ENAMETOOLONG;
	if (*result >= 0)
		strcpy(buffer, name);
	return true;
}

/* A child sees what there was when it was made. */
bool emu_readlink(struct libiommu_emu *emu, const char *path, char *buffer, size_t size,
                  int *result)
{
	bool ours;

	if (emu_is_child(emu))
		return emu_sysfs_readlink(emu, path, buffer, size, result);
	emu_lock(emu);
	ours = name_descriptor(emu, path, buffer, size, result) ||
	       emu_sysfs_readlink(emu, path, buffer, size, result);
	emu_unlock(emu);
	return ours;
}

bool emu_list(struct libiommu_emu *emu, const char *path, char *buffer, size_t size,
              ssize_t *result)
{
	bool ours;

	if (emu_is_child(emu))
		return emu_sysfs_list(emu, path, buffer, size, result);
	emu_lock(emu);
	ours = emu_vfio_list(emu, path, buffer, size, result) ||
	       emu_sysfs_list(emu, path, buffer, size, result);
	emu_unlock(emu);
	return ours;
}

int emu_close(struct libiommu_emu *emu, int fd)
{
	int error = 0, failed;

	if (emu_is_child(emu))
		return emu_child_close(emu, fd);
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

	if (emu_is_child(emu)) {
		emu_child_dup(emu, fd, copy);
		return;
	}
	emu_lock(emu);
	file = emu_file_find(emu, fd, false);
	if (file)
		emu_file_learn(emu, copy, file);
	else
		emu_file_forget(emu, copy);
	emu_unlock(emu);
}

static ssize_t perform(struct emu_file *file, const struct emu_task *task,
                       const struct emu_request *r)
{
	const struct emu_file_ops *const ops = file->ops;

	switch (r->call) {
	case LIBIOMMU_EMU_IOCTL:
		return ops->ioctl ? ops->ioctl(file, task, r->request, r->address) : -ENOTTY;
	case LIBIOMMU_EMU_READ:
		return ops->read ? ops->read(file, task, r->address, r->size) : -EINVAL;
	case LIBIOMMU_EMU_WRITE:
		return ops->write ? ops->write(file, task, r->address, r->size) : -EINVAL;
	case LIBIOMMU_EMU_PREAD:
		return ops->pread ? ops->pread(file, task, r->address, r->size, r->offset)
		                  : -EINVAL;
	case LIBIOMMU_EMU_PWRITE:
		return ops->pwrite ? ops->pwrite(file, task, r->address, r->size, r->offset)
		                   : -EINVAL;
	case LIBIOMMU_EMU_MMAP:
		return ops->mmap
		               ? ops->mmap(file, r->size, r->prot, r->flags, r->offset, r->backing)
		               : -ENODEV;
	default:
		return -ENOSYS;
	}
}

/* The file can have been closed while a trouble took its time. */
bool emu_call(struct libiommu_emu *emu, const struct emu_task *task,
              const struct emu_request *request, ssize_t *result)
{
	struct emu_file *file;
	int error = 0;

	emu_lock(emu);
	/* A child closes its descriptors without a word, and a kernel would know of it by now. */
	if (emu->server)
		emu_files_sweep(emu);
	file = emu_file_find(emu, request->fd, request->call == LIBIOMMU_EMU_IOCTL);
	if (file && emu_is_nested(emu)) {
		error = -EDEADLK;
	} else if (file && emu->troubles) {
		error = meet_trouble(emu, request->call, request->request);
		file = emu_file_find(emu, request->fd, false);
	}
	if (file && !error)
		*result = perform(file, task, request);
	else
		*result = error;
	leave(emu);
	return file || error;
}

static bool call(struct libiommu_emu *emu, const struct emu_request *request, ssize_t *result)
{
	const struct emu_task task = {.pid = 0, .uid = EMU_UID_LATER};

	if (emu_is_child(emu))
		return emu_child_call(emu, request, result);
	return emu_call(emu, &task, request, result);
}

bool emu_ioctl(struct libiommu_emu *emu, int fd, unsigned long request, uintptr_t arg, int *result)
{
	const struct emu_request ioctl = {
		.call = LIBIOMMU_EMU_IOCTL, .fd = fd, .request = request, .address = arg};
	ssize_t said;
	const bool ours = call(emu, &ioctl, &said);

	*result = (int)said;
	return ours;
}

static bool transfer(struct libiommu_emu *emu, uint32_t kind, int fd, uintptr_t buffer, size_t size,
                     uint64_t offset, ssize_t *result)
{
	const struct emu_request request = {
		.call = kind, .fd = fd, .address = buffer, .size = size, .offset = offset};

	return call(emu, &request, result);
}

bool emu_read(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, ssize_t *result)
{
	return transfer(emu, LIBIOMMU_EMU_READ, fd, buffer, size, 0, result);
}

bool emu_write(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, ssize_t *result)
{
	return transfer(emu, LIBIOMMU_EMU_WRITE, fd, buffer, size, 0, result);
}

bool emu_pread(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, uint64_t offset,
               ssize_t *result)
{
	return transfer(emu, LIBIOMMU_EMU_PREAD, fd, buffer, size, offset, result);
}

bool emu_pwrite(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, uint64_t offset,
                ssize_t *result)
{
	return transfer(emu, LIBIOMMU_EMU_PWRITE, fd, buffer, size, offset, result);
}

int emu_mmap(struct libiommu_emu *emu, int fd, size_t length, int prot, int flags, uint64_t offset,
             struct emu_backing *backing)
{
	const struct emu_request mmap = {.call = LIBIOMMU_EMU_MMAP,
	                                 .fd = fd,
	                                 .size = length,
	                                 .offset = offset,
	                                 .prot = prot,
	                                 .flags = flags,
	                                 .backing = backing};
	ssize_t error;

	if (!call(emu, &mmap, &error))
		return 0;
	return error ? (int)error : 1;
}

int emu_mapped(struct libiommu_emu *emu, uintptr_t address, size_t length,
               const struct emu_backing *backing)
{
	int error = 0;

	if (emu_is_child(emu))
		return 0;
	emu_lock(emu);
	if (backing->hold.take)
		error = emu_mapping_add(emu, address, length, &backing->hold);
	if (!error && backing->placed)
		backing->placed(backing->hold.user, address, length);
	emu_unlock(emu);
	return error;
}

void emu_unmapped(struct libiommu_emu *emu, uintptr_t address, size_t length)
{
	if (emu_is_child(emu))
		return;
	emu_lock(emu);
	/* Without memory for what is left of it, all of it stays known. */
	emu_mapping_remove(emu, address, length);
	emu_files_sweep(emu);
	emu_unlock(emu);
}

int emu_munmap(struct libiommu_emu *emu, uintptr_t address, size_t length)
{
	int error;

	if (emu_is_child(emu))
		return munmap((void *)address, length) ? -errno : 0;
	emu_lock(emu);
	error = emu_is_nested(emu) ? -EDEADLK : emu_mapping_remove(emu, address, length);
	if (!error)
		error = munmap((void *)address, length) ? -errno : 0;
	emu_files_sweep(emu);
	emu_unlock(emu);
	return error;
}

bool emu_size(struct libiommu_emu *emu, int fd, uint64_t *size)
{
	struct emu_file *file;

	if (emu_is_child(emu))
		return false;
	emu_lock(emu);
	file = emu_file_find(emu, fd, false);
	if (file)
		*size = file->ops->size ? file->ops->size(file) : 0;
	emu_unlock(emu);
	return file;
}
