/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "../base/bits.h"

/* Younger than some C libraries. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

#define A_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)
#define B_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static size_t whole_pages(size_t size)
{
	const size_t page = (size_t)li_sys_page_size();

	return (size + page - 1) / page * page;
}

static int map(const struct libiommu_sys *sys, int fd, size_t size, int prot, void **at)
{
	int error = li_sys_mmap(sys, NULL, size, prot, MAP_SHARED, fd, 0, at);

	if (error)
		return error;
	/* A child has no business with it, and two writers would break the protocol. */
	error = li_sys_madvise(sys, *at, size, MADV_DONTFORK);
	if (error)
		li_sys_munmap(sys, *at, size);
	return error;
}

static int map_both(const struct libiommu_sys *sys, struct ring_memory *memory, int a_prot,
                    int b_prot)
{
	void *at = NULL;
	int error;

	error = map(sys, memory->a_fd, memory->a_size, a_prot, &at);
	if (error)
		return error;
	memory->a = at;
	error = map(sys, memory->b_fd, memory->b_size, b_prot, &at);
	if (error) {
		li_sys_munmap(sys, memory->a, memory->a_size);
		return error;
	}
	memory->b = at;
	return 0;
}

static void place(struct ring_memory *memory, uint32_t record_offset, uint32_t completion_offset)
{
	memory->records = (void *)((unsigned char *)memory->a + record_offset);
	memory->completions = (void *)((unsigned char *)memory->b + completion_offset);
}

static void write_header(struct ring_a *a, const struct ring_shape *shape)
{
	a->magic = RING_MAGIC;
	a->major = RING_MAJOR;
	a->minor = RING_MINOR;
	a->record_offset = RING_HEADER;
	a->record_size = sizeof(struct libiommu_record);
	a->capacity = shape->capacity;
	a->completion_size = sizeof(struct libiommu_completion);
	a->completion_capacity = shape->completion_capacity;
	a->completion_offset = RING_HEADER;
	a->max_outstanding = shape->max_outstanding;
	a->features = shape->features;
	a->epoch = shape->epoch;
	atomic_store(&a->state, RING_OPEN);
}

static int seal(const struct libiommu_sys *sys, int fd, int seals)
{
	const int result = li_sys_seal(sys, fd, seals);

	return result < 0 ? result : 0;
}

int li_memory_new(const struct libiommu_sys *sys, const struct ring_shape *shape,
                  struct ring_memory *memory)
{
	struct ring_memory made = {
		.a_size = whole_pages(RING_HEADER +
	                              (size_t)shape->capacity * sizeof(struct libiommu_record)),
		.b_size = whole_pages(RING_HEADER + (size_t)shape->completion_capacity *
	                                                    sizeof(struct libiommu_completion)),
	};
	int error;

	made.a_fd = li_sys_memfd(sys, "libiommu-ring-a", made.a_size);
	if (made.a_fd < 0)
		return made.a_fd;
	made.b_fd = li_sys_memfd(sys, "libiommu-ring-b", made.b_size);
	if (made.b_fd < 0) {
		error = made.b_fd;
		goto close_a;
	}
	error = map_both(sys, &made, PROT_READ | PROT_WRITE, PROT_READ);
	if (error)
		goto close_b;
	/* The seal against writing leaves alone what is mapped already. */
	error = seal(sys, made.a_fd, A_SEALS);
	if (!error)
		error = seal(sys, made.b_fd, B_SEALS);
	if (error)
		goto unmap;
	write_header(made.a, shape);
	place(&made, RING_HEADER, RING_HEADER);
	made.capacity = shape->capacity;
	made.completion_capacity = shape->completion_capacity;
	*memory = made;
	return 0;

unmap:
	li_sys_munmap(sys, made.b, made.b_size);
	li_sys_munmap(sys, made.a, made.a_size);
close_b:
	li_sys_close(sys, made.b_fd);
close_a:
	li_sys_close(sys, made.a_fd);
	return error;
}

/* Whether @count items of @size bytes from @offset on lie in a memory, aligned, past its header. */
static bool fits(uint64_t offset, uint64_t count, uint64_t size, uint64_t memory)
{
	return offset >= RING_HEADER && offset % 64 == 0 && offset + count * size <= memory;
}

/* What the other side writes once, by its promise: read once, so that what is checked is used. */
struct head {
	uint64_t magic;
	uint16_t major;
	uint32_t record_offset;
	uint32_t record_size;
	uint32_t capacity;
	uint32_t completion_size;
	uint32_t completion_capacity;
	uint32_t completion_offset;
};

static struct head read_head(const volatile struct ring_a *a)
{
	return (struct head){
		.magic = a->magic,
		.major = a->major,
		.record_offset = a->record_offset,
		.record_size = a->record_size,
		.capacity = a->capacity,
		.completion_size = a->completion_size,
		.completion_capacity = a->completion_capacity,
		.completion_offset = a->completion_offset,
	};
}

static int check_a(const struct head *a, size_t size)
{
	if (a->magic != RING_MAGIC)
		return -EPROTO;
	if (a->major != RING_MAJOR)
		return -EPROTONOSUPPORT;
	if (a->record_size != sizeof(struct libiommu_record) || !is_power_of_two(a->capacity))
		return -EPROTO;
	return fits(a->record_offset, a->capacity, a->record_size, size) ? 0 : -EPROTO;
}

static int check_b(const struct head *a, size_t size)
{
	if (a->completion_size != sizeof(struct libiommu_completion) ||
	    !is_power_of_two(a->completion_capacity))
		return -EPROTO;
	return fits(a->completion_offset, a->completion_capacity, a->completion_size, size)
	               ? 0
	               : -EPROTO;
}

/* A memory that could shrink would be a SIGBUS at the other side's pleasure. */
static int measure(const struct libiommu_sys *sys, int fd, size_t *size)
{
	const int seals = li_sys_seal(sys, fd, 0);
	uint64_t bytes = 0;
	int error;

	if (seals < 0)
		return seals == -EINVAL ? -EPROTO : seals;
	if (!(seals & F_SEAL_SHRINK))
		return -EPROTO;
	error = li_sys_size(sys, fd, &bytes);
	if (error)
		return error;
	if (bytes < RING_HEADER || bytes > UINT32_MAX)
		return -EPROTO;
	*size = (size_t)bytes;
	return 0;
}

int li_memory_open(const struct libiommu_sys *sys, int a_fd, int b_fd, struct ring_memory *memory)
{
	struct ring_memory made = {.a_fd = a_fd, .b_fd = b_fd};
	struct head head;
	int error;

	error = measure(sys, a_fd, &made.a_size);
	if (!error)
		error = measure(sys, b_fd, &made.b_size);
	if (error)
		return error;
	error = map_both(sys, &made, PROT_READ, PROT_READ | PROT_WRITE);
	if (error)
		return error;
	head = read_head(made.a);
	error = check_a(&head, made.a_size);
	if (!error)
		error = check_b(&head, made.b_size);
	made.a_fd = -1;
	made.b_fd = -1;
	if (error) {
		li_memory_free(sys, &made);
		return error;
	}
	place(&made, head.record_offset, head.completion_offset);
	made.capacity = head.capacity;
	made.completion_capacity = head.completion_capacity;
	*memory = made;
	return 0;
}

void li_memory_free(const struct libiommu_sys *sys, struct ring_memory *memory)
{
	li_sys_munmap(sys, memory->a, memory->a_size);
	li_sys_munmap(sys, memory->b, memory->b_size);
	if (memory->a_fd >= 0)
		li_sys_close(sys, memory->a_fd);
	if (memory->b_fd >= 0)
		li_sys_close(sys, memory->b_fd);
}

int li_memory_watch(const struct libiommu_sys *sys, int fd, const struct ring_a **a)
{
	size_t size = 0;
	void *at = NULL;
	struct head head;
	int error;

	error = measure(sys, fd, &size);
	if (!error)
		error = li_sys_mmap(sys, NULL, RING_HEADER, PROT_READ, MAP_SHARED, fd, 0, &at);
	if (error)
		return error;
	head = read_head(at);
	error = check_a(&head, size);
	if (error)
		li_sys_munmap(sys, at, RING_HEADER);
	else
		*a = at;
	return error;
}

void li_memory_unwatch(const struct libiommu_sys *sys, const struct ring_a *a)
{
	li_sys_munmap(sys, (void *)(uintptr_t)a, RING_HEADER);
}
