/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * System calls on what the machine has, whoever makes them: the door, or a program that does not
 * know of the machine. Each is true when the descriptor, or the path, is the machine's; then its
 * result is there, -errno when it failed.
 */
#ifndef EMU_CALLS_H
#define EMU_CALLS_H

#include "file.h"

/* A call on a descriptor; what its kind has no use for is 0. */
struct emu_request {
	uint32_t call; /* LIBIOMMU_EMU_ */
	int fd;
	unsigned long request;
	uintptr_t address; /* the argument, or a buffer */
	size_t size;
	uint64_t offset;
	int prot, flags;
	struct emu_backing *backing;
};

bool emu_open(struct libiommu_emu *emu, const char *path, int flags, int *result);
/* As the library's door has them. */
bool emu_readlink(struct libiommu_emu *emu, const char *path, char *buffer, size_t size,
                  int *result);
bool emu_list(struct libiommu_emu *emu, const char *path, char *buffer, size_t size,
              ssize_t *result);
/* Closes any descriptor, and what was open with it: 0 or -errno. */
int emu_close(struct libiommu_emu *emu, int fd);
/* @copy is another descriptor for what @fd is open on. */
void emu_dup(struct libiommu_emu *emu, int fd, int copy);
bool emu_ioctl(struct libiommu_emu *emu, int fd, unsigned long request, uintptr_t arg, int *result);
bool emu_read(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, ssize_t *result);
bool emu_write(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, ssize_t *result);
bool emu_pread(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, uint64_t offset,
               ssize_t *result);
bool emu_pwrite(struct libiommu_emu *emu, int fd, uintptr_t buffer, size_t size, uint64_t offset,
                ssize_t *result);
/* 1: map this instead; 0: not the machine's; or -errno. */
int emu_mmap(struct libiommu_emu *emu, int fd, size_t length, int prot, int flags, uint64_t offset,
             struct emu_backing *backing);
/* What emu_mmap() gave is mapped now; -ENOMEM: and is to be unmapped again. */
int emu_mapped(struct libiommu_emu *emu, uintptr_t address, size_t length,
               const struct emu_backing *backing);
/* What was there is not mapped any more. */
void emu_unmapped(struct libiommu_emu *emu, uintptr_t address, size_t length);
/* munmap(2), of whatever is there. */
int emu_munmap(struct libiommu_emu *emu, uintptr_t address, size_t length);
/* The same, and any other, as a task makes it. */
bool emu_open_path(struct libiommu_emu *emu, const char *path, int flags, int *result);
bool emu_call(struct libiommu_emu *emu, const struct emu_task *task,
              const struct emu_request *request, ssize_t *result);
bool emu_size(struct libiommu_emu *emu, int fd, uint64_t *size);

#endif
