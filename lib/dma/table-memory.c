/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The memory of a table, as its owner makes it and as others find it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "../base/guard.h"
#include "../object/ctx.h"
#include "table.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

/* The page of the handle; in a forked child all of it is zero. */
static int new_handle(const struct libiommu_sys *sys, struct libiommu_dma_table **table)
{
	struct libiommu_dma_table *made;
	void *page = NULL;
	const int error = li_guard_page_new(sys, &page);

	if (error)
		return error;
	made = page;
	made->sys = li_sys_copy(sys);
	made->fd = -1;
	if (!made->sys) {
		li_guard_page_free(sys, page);
		return -ENOMEM;
	}
	*table = made;
	return 0;
}

static void free_handle(struct libiommu_dma_table *table)
{
	struct libiommu_sys *const sys = table->sys;

	if (table->base)
		li_sys_munmap(sys, table->base, (size_t)TABLE_SIZE);
	if (table->fd >= 0)
		li_sys_close(sys, table->fd);
	li_guard_page_free(sys, table);
	libiommu_sys_free(sys);
}

/*
 * Neither a forked child nor a core file has a use for it. A program that locks all that it maps
 * (mlockall()) would get memory for all of it at once, unless nothing can be read at first.
 */
static int map(struct libiommu_dma_table *table, int fd, int prot)
{
	void *at = NULL;
	int error;

	error = li_sys_mmap(table->sys, NULL, (size_t)TABLE_SIZE, PROT_NONE,
	                    MAP_SHARED | MAP_NORESERVE, fd, 0, &at);
	if (error)
		return error;
	table->base = at;
	error = li_sys_madvise(table->sys, at, (size_t)TABLE_SIZE, MADV_DONTFORK);
	if (!error)
		error = li_sys_madvise(table->sys, at, (size_t)TABLE_SIZE, MADV_DONTDUMP);
	if (!error)
		error = li_sys_mprotect(table->sys, at, (size_t)TABLE_SIZE, prot);
	return error;
}

static void write_header(struct libiommu_dma_table *table)
{
	struct table_header *const header = table_header(table);

	header->magic = TABLE_MAGIC;
	header->version = TABLE_VERSION;
	header->page_shift = 12;
	header->size = TABLE_SIZE;
	table->next = TABLE_NODES;
	table->populated = TABLE_NODES;
}

int li_table_memory_new(const struct libiommu_sys *sys, struct libiommu_dma_table **table)
{
	struct libiommu_dma_table *made;
	int error;

	error = new_handle(sys, &made);
	if (error)
		return error;
	made->fd = li_sys_memfd(sys, "libiommu-dma", TABLE_SIZE);
	error = made->fd < 0 ? made->fd : map(made, made->fd, PROT_READ | PROT_WRITE);
	/* The seal against writing leaves alone what is mapped already. */
	if (!error)
		error = li_sys_seal(sys, made->fd, SEALS);
	if (error < 0) {
		free_handle(made);
		return error;
	}
	write_header(made);
	*table = made;
	return 0;
}

void li_table_memory_free(struct libiommu_dma_table *table)
{
	atomic_store(&table_header(table)->closed, 1);
	free_handle(table);
}

/* A memory that could shrink would be a SIGBUS at its owner's pleasure. */
static int check_file(const struct libiommu_sys *sys, int fd)
{
	const int seals = li_sys_seal(sys, fd, 0);
	uint64_t size = 0;
	int error;

	if (seals < 0)
		return seals == -EINVAL ? -EPROTO : seals;
	error = li_sys_size(sys, fd, &size);
	if (error)
		return error;
	return seals & F_SEAL_SHRINK && size == TABLE_SIZE ? 0 : -EPROTO;
}

static int check_header(const struct table_header *header)
{
	if (header->magic != TABLE_MAGIC)
		return -EPROTO;
	if (header->version != TABLE_VERSION || header->page_shift != 12)
		return -EPROTONOSUPPORT;
	return header->size == TABLE_SIZE ? 0 : -EPROTO;
}

int libiommu_dma_table_open(const struct libiommu_sys *sys, int fd,
                            struct libiommu_dma_table **table)
{
	struct libiommu_dma_table *made;
	int error;

	if (!table)
		return FAIL_NULL(NULL);
	if (fd < 0)
		return FAIL_LIBRARY(NULL, __func__, -EINVAL, "the descriptor is negative", .id = 0);
	if (!sys)
		sys = li_sys_libc();
	error = check_file(sys, fd);
	if (!error)
		error = new_handle(sys, &made);
	if (!error) {
		error = map(made, fd, PROT_READ);
		if (!error)
			error = check_header(table_header(made));
		if (error)
			free_handle(made);
	}
	if (error == -EPROTO || error == -EPROTONOSUPPORT)
		return FAIL_LIBRARY(NULL, __func__, error,
		                    "what is behind the descriptor is not a table as this library "
		                    "makes them",
		                    .id = 0);
	if (error)
		return FAIL_KERNEL(NULL, __func__, error, CALL_MMAP, .id = 0);
	*table = made;
	return 0;
}

int libiommu_dma_table_destroy(struct libiommu_dma_table *table)
{
	if (!table)
		return 0;
	if (!table->base)
		return FAIL_LIBRARY(NULL, __func__, -ECHILD,
		                    "this is a forked child: the table stays its parent's",
		                    .id = 0);
	if (table->fd >= 0)
		return FAIL_LIBRARY(NULL, __func__, -EBUSY,
		                    "the table is a DMA space's and goes with it", .id = 0);
	free_handle(table);
	return 0;
}

int libiommu_dma_table_fd(const struct libiommu_dma_table *table)
{
	if (!table)
		return FAIL_NULL(NULL);
	if (!table->base)
		return FAIL_LIBRARY(NULL, __func__, -ECHILD,
		                    "this is a forked child: the table stays its parent's",
		                    .id = 0);
	if (table->fd < 0)
		return FAIL_LIBRARY(NULL, __func__, -EBADF, "the table was opened here, not made",
		                    .id = 0);
	return table->fd;
}

int libiommu_dma_table_generation(const struct libiommu_dma_table *table, uint64_t *generation,
                                  bool *closed)
{
	struct table_header *header;

	if (!table || !generation || !closed)
		return FAIL_NULL(NULL);
	if (!table->base)
		return FAIL_LIBRARY(NULL, __func__, -ECHILD,
		                    "this is a forked child: the table stays its parent's",
		                    .id = 0);
	header = table_header(table);
	*generation = atomic_load_explicit(&header->generation, memory_order_acquire);
	*closed = atomic_load_explicit(&header->closed, memory_order_acquire);
	return 0;
}
