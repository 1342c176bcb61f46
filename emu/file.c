/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel.h"
#include "heap.h"
#include "machine.h"

int emu_files_init(struct emu_files *files)
{
	files->epoll = epoll_create1(EPOLL_CLOEXEC);
	return files->epoll < 0 ? -errno : 0;
}

void emu_files_end(struct emu_files *files)
{
	close(files->epoll);
	emu_release(files->by_fd);
}

static ino_t inode_of(int fd)
{
	struct stat stat;

	return !fstat(fd, &stat) && S_ISSOCK(stat.st_mode) ? stat.st_ino : 0;
}

static void unlink_file(struct emu_file *file)
{
	struct emu_files *const files = &file->emu->files;

	*file->link = file->next;
	if (file->next)
		file->next->link = file->link;
	for (size_t i = 0; i < files->room; i++)
		if (files->by_fd[i] == file)
			files->by_fd[i] = NULL;
	close(file->peer);
}

void emu_files_sweep(struct libiommu_emu *emu)
{
	struct epoll_event event;

	/* What is being done may need them. */
	if (emu_is_nested(emu))
		return;
	while (epoll_wait(emu->files.epoll, &event, 1, 0) == 1) {
		struct emu_file *const file = event.data.ptr;

		unlink_file(file);
		file->ops->release(file);
	}
}

static int make_room(struct emu_files *files, int fd)
{
	size_t room = files->room ? files->room : 64;
	struct emu_file **grown;

	while ((size_t)fd >= room)
		room *= 2;
	if (room == files->room)
		return 0;
	grown = emu_grow(files->by_fd, room * sizeof(struct emu_file *));
	if (!grown)
		return -ENOMEM;
	memset(grown + files->room, 0, (room - files->room) * sizeof(struct emu_file *));
	files->by_fd = grown;
	files->room = room;
	return 0;
}

static void link_file(struct emu_files *files, struct emu_file *file, int fd)
{
	file->inode = inode_of(fd);
	file->next = files->first;
	file->link = &files->first;
	if (file->next)
		file->next->link = &file->next;
	files->first = file;
	files->by_fd[fd] = file;
}

/*
 * What cannot be written is never ready for that. A socket is ready to be written while most of its
 * buffer is free: this one is full at once.
 */
static void make_read_only(int fd)
{
	static const char nothing[4096];
	const int least = 1;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
	send(fd, nothing, sizeof(nothing), MSG_DONTWAIT | MSG_NOSIGNAL);
}

int emu_file_open(struct libiommu_emu *emu, struct emu_file *file, const struct emu_file_ops *ops)
{
	struct emu_files *const files = &emu->files;
	/* EPOLLHUP comes unasked. */
	struct epoll_event event = {.data.ptr = file};
	int ends[2], number;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	if (make_room(files, ends[0]) || epoll_ctl(files->epoll, EPOLL_CTL_ADD, ends[1], &event)) {
		close(ends[0]);
		close(ends[1]);
		return -ENOMEM;
	}
	file->ops = ops;
	file->emu = emu;
	file->peer = ends[1];
	file->ready = false;
	link_file(files, file, ends[0]);
	if (ops->read && !ops->write)
		make_read_only(ends[0]);
	if (!emu_channel_is(0))
		return ends[0];
	number = emu_channel_give(ends[0]);
	files->by_fd[ends[0]] = NULL;
	close(ends[0]);
	if (number < 0)
		unlink_file(file);
	return number;
}

void emu_file_undo(struct emu_file *file, int fd)
{
	unlink_file(file);
	if (emu_channel_is(0))
		emu_channel_close(fd);
	else
		close(fd);
}

int emu_file_know(struct libiommu_emu *emu, int fd, struct emu_file *file)
{
	if (make_room(&emu->files, fd))
		return -ENOMEM;
	link_file(&emu->files, file, fd);
	return 0;
}

void emu_file_learn(struct libiommu_emu *emu, int fd, struct emu_file *file)
{
	if (!make_room(&emu->files, fd))
		emu->files.by_fd[fd] = file;
}

void emu_file_forget(struct libiommu_emu *emu, int fd)
{
	if (fd >= 0 && (size_t)fd < emu->files.room)
		emu->files.by_fd[fd] = NULL;
}

/* The one that a descriptor of this process, which nothing is known of, is open on. */
static struct emu_file *find_inode(const struct emu_files *files, int fd)
{
	const ino_t inode = inode_of(fd);
	struct emu_file *file = files->first;

	while (file && (!inode || file->inode != inode))
		file = file->next;
	return file;
}

/* A number of a child's. */
static struct emu_file *find_for_child(const struct emu_files *files, int number)
{
	const int fd = emu_caller_fd(number);
	struct emu_file *file;

	if (fd < 0)
		return NULL;
	file = find_inode(files, fd);
	close(fd);
	return file;
}

struct emu_file *emu_file_find(struct libiommu_emu *emu, int fd, bool quick)
{
	struct emu_files *const files = &emu->files;
	struct emu_file *const known =
		fd >= 0 && (size_t)fd < files->room ? files->by_fd[fd] : NULL;
	struct emu_file *file;

	if (emu_channel_is(0))
		return find_for_child(files, fd);
	if (fd < 0 || !files->first || (known && quick))
		return known;
	if (known && known->inode == inode_of(fd))
		return known;
	file = find_inode(files, fd);
	if (file)
		emu_file_learn(emu, fd, file);
	else
		emu_file_forget(emu, fd);
	return file;
}

/* A byte waits to be read, or none. It is read back through any number that is known. */
void emu_file_set_ready(struct emu_file *file, bool ready)
{
	struct emu_files *const files = &file->emu->files;
	char byte = 0;

	if (ready == file->ready)
		return;
	file->ready = ready;
	if (ready) {
		send(file->peer, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		return;
	}
	for (size_t i = 0; i < files->room; i++)
		if (files->by_fd[i] == file && inode_of((int)i) == file->inode) {
			recv((int)i, &byte, 1, MSG_DONTWAIT);
			return;
		}
}

const char *emu_file_name(struct libiommu_emu *emu, ino_t inode)
{
	const struct emu_file *file = emu->files.first;

	while (file && file->inode != inode)
		file = file->next;
	if (!file || file->name[0])
		return file ? file->name : NULL;
	return file->ops && file->ops->name ? file->ops->name : "anon_inode:[libiommu-emu]";
}
