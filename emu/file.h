/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Open files of the emulated kernel. A descriptor of one is an end of a pair of sockets, so that it
 * can be polled, duplicated and passed on as any other; the machine has the other end, and sees in
 * it when the last copy of the descriptor, in whatever process, has been closed.
 */
#ifndef EMU_FILE_H
#define EMU_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "user.h"

struct libiommu_emu;
struct emu_file;

/* What a mapping keeps, as long as any part of it is mapped. Both NULL: nothing. */
struct emu_hold {
	void (*take)(void *user);
	void (*let_go)(void *user);
	void *user;
	uint64_t offset; /* of the first byte, for whoever holds; moves with it */
	int prot;
};

/* Where a mapping of a file comes from. */
struct emu_backing {
	int fd;
	uint64_t offset;
	bool given; /* to be closed when it is mapped */
	struct emu_hold hold;
	bool trapped; /* nothing: each access goes to the machine */
	/* Where it came to lie; may be NULL. */
	void (*placed)(void *user, uintptr_t address, size_t length);
};

/* What is NULL is an error: ioctl -ENOTTY, mmap -ENODEV, the others -EINVAL. */
struct emu_file_ops {
	int (*ioctl)(struct emu_file *file, const struct emu_task *task, unsigned long request,
	             uintptr_t arg);
	ssize_t (*read)(struct emu_file *file, const struct emu_task *task, uintptr_t buffer,
	                size_t size);
	ssize_t (*write)(struct emu_file *file, const struct emu_task *task, uintptr_t buffer,
	                 size_t size);
	ssize_t (*pread)(struct emu_file *file, const struct emu_task *task, uintptr_t buffer,
	                 size_t size, uint64_t offset);
	ssize_t (*pwrite)(struct emu_file *file, const struct emu_task *task, uintptr_t buffer,
	                  size_t size, uint64_t offset);
	int (*mmap)(struct emu_file *file, size_t length, int prot, int flags, uint64_t offset,
	            struct emu_backing *backing);
	/* The size that fstat() shows; NULL: 0. */
	uint64_t (*size)(struct emu_file *file);
	/* What /proc shows, unless a file has a name of its own. */
	const char *name;
	/* The last descriptor is closed. Frees what holds the file. */
	void (*release)(struct emu_file *file);
};

#define EMU_FILE_NAME 48

/* Part of a larger thing, which emu_file_ops.release frees. */
struct emu_file {
	const struct emu_file_ops *ops;
	struct libiommu_emu *emu;
	struct emu_file *next, **link; /* all files of the machine */
	int peer;                      /* the machine's end */
	ino_t inode;                   /* of the descriptor */
	char name[EMU_FILE_NAME];      /* of its own, as it was opened; may be empty */
	bool ready;                    /* can be read */
};

struct emu_files {
	struct emu_file *first;
	struct emu_file **by_fd;
	size_t room;
	int epoll; /* tells of the peers whose descriptors are closed */
};

int emu_files_init(struct emu_files *files);
/* Nothing is open any more. */
void emu_files_end(struct emu_files *files);
/* Releases the files whose last descriptor is closed. */
void emu_files_sweep(struct libiommu_emu *emu);

/* A new descriptor, close-on-exec, of a file whose memory is the caller's; or -errno. */
int emu_file_open(struct libiommu_emu *emu, struct emu_file *file, const struct emu_file_ops *ops);
/* As if it had not been opened: for what failed before the caller was told of the descriptor. */
void emu_file_undo(struct emu_file *file, int fd);
/* In a child: a descriptor that it was given, of a file whose memory is the caller's. */
int emu_file_know(struct libiommu_emu *emu, int fd, struct emu_file *file);
/* Another number for what is open already; to be told of after dup() and its like. */
void emu_file_learn(struct libiommu_emu *emu, int fd, struct emu_file *file);
/* This number is none of the machine's any more. */
void emu_file_forget(struct libiommu_emu *emu, int fd);
/* NULL: not of this machine. Trusts what is known of the number where @quick. */
struct emu_file *emu_file_find(struct libiommu_emu *emu, int fd, bool quick);
/* NULL: none of this machine's has the inode. */
const char *emu_file_name(struct libiommu_emu *emu, ino_t inode);
/* Whether its descriptors are ready for reading, from now on. */
void emu_file_set_ready(struct emu_file *file, bool ready);

#endif
