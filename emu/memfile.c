/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "channel.h"
#include "heap.h"
#include "look.h"
#include "machine.h"

/* Of the file systems that memory is in. */
#define TMPFS     0x01021994U
#define HUGETLBFS 0x958458f6U

/* The whole file as it was when this was made. */
struct emu_memfile_view {
	struct emu_memfile_view *next;
	void *address;
	uint64_t length;
	bool writable;
};

static struct emu_memfile *find(struct libiommu_emu *emu, const struct stat *stat)
{
	struct emu_memfile *file = emu->memfiles;

	while (file && (file->device != stat->st_dev || file->inode != stat->st_ino))
		file = file->next;
	return file;
}

/* For writing too, where that is possible: the kernel does not ask how it was opened. */
static int open_again(int fd)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_CLOEXEC, 0);
}

static int make(struct libiommu_emu *emu, int fd, const struct stat *stat,
                struct emu_memfile **file)
{
	const int other = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR ? -1 : open_again(fd);
	struct emu_memfile *const made = emu_alloc(sizeof(*made));

	if (other >= 0)
		close(fd);
	if (!made) {
		close(other >= 0 ? other : fd);
		return -ENOMEM;
	}
	made->emu = emu;
	made->device = stat->st_dev;
	made->inode = stat->st_ino;
	made->fd = other >= 0 ? other : fd;
	made->users = 1;
	made->next = emu->memfiles;
	made->link = &emu->memfiles;
	if (made->next)
		made->next->link = &made->next;
	emu->memfiles = made;
	*file = made;
	return 0;
}

int emu_memfile_open(struct libiommu_emu *emu, int fd, struct emu_memfile **file)
{
	const int mine = emu_caller_fd(fd);
	struct emu_memfile *found;
	struct stat stat;

	if (mine < 0)
		return -EBADF;
	if (fcntl(mine, F_GETFL) & O_PATH || fstat(mine, &stat)) {
		close(mine);
		return -EBADF;
	}
	found = find(emu, &stat);
	if (!found)
		return make(emu, mine, &stat, file);
	close(mine);
	found->users++;
	*file = found;
	return 0;
}

void emu_memfile_let_go(struct emu_memfile *file)
{
	struct emu_memfile_view *view;

	if (--file->users)
		return;
	while ((view = file->views)) {
		file->views = view->next;
		munmap(view->address, view->length);
		emu_release(view);
	}
	*file->link = file->next;
	if (file->next)
		file->next->link = file->link;
	close(file->fd);
	emu_release(file);
}

/* -EINVAL: it is no memory; or does not have these pages, whole. */
static int check(const struct emu_memfile *file, uint64_t start, uint64_t length, uint64_t *size)
{
	struct statfs fs;
	struct stat stat;

	if (fstatfs(file->fd, &fs) || fstat(file->fd, &stat) ||
	    ((uint32_t)fs.f_type != TMPFS && (uint32_t)fs.f_type != HUGETLBFS))
		return -EINVAL;
	*size = (uint64_t)stat.st_size;
	return start > *size || length > *size - start ? -EINVAL : 0;
}

static int map_view(struct emu_memfile *file, uint64_t size)
{
	struct emu_memfile_view *const view = emu_alloc(sizeof(*view));

	if (!view)
		return -ENOMEM;
	view->length = size;
	view->writable = true;
	view->address =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file->fd, 0);
	if (view->address == MAP_FAILED) {
		/* Sealed, perhaps; the kernel would write all the same. */
		view->writable = false;
		view->address =
			mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, file->fd, 0);
	}
	if (view->address == MAP_FAILED) {
		emu_release(view);
		return -ENOMEM;
	}
	view->next = file->views;
	file->views = view;
	return 0;
}

int emu_memfile_view(struct emu_memfile *file, uint64_t start, uint64_t length, uintptr_t *address)
{
	uint64_t size;
	int error = check(file, start, length, &size);

	if (!error && (!file->views || file->views->length < start + length))
		error = map_view(file, size);
	if (!error)
		*address = (uintptr_t)file->views->address + start;
	return error;
}

static bool is_writable(const struct emu_memfile *file, uintptr_t address)
{
	const struct emu_memfile_view *view = file->views;

	while (address - (uintptr_t)view->address >= view->length)
		view = view->next;
	return view->writable;
}

int emu_memfile_populate(struct emu_memfile *file, uintptr_t address, uint64_t start,
                         uint64_t length)
{
	uint64_t size;
	const int error = check(file, start, length, &size);

	if (error)
		return error;
	return emu_look_at(address, length, is_writable(file, address)) ? -ENOMEM : 0;
}
