/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Memory from elsewhere: of files, of devices, of children. */
#include "space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../emu/access.h"
#include "../../emu/dmabuf.h"
#include "../../emu/map.h"
#include "../../emu/mapping.h"
#include "../../emu/memfile.h"
#include "../../emu/source.h"

#define IOVA UINT64_C(0x2000000)

static uint8_t *make_file(uint64_t length, int *fd)
{
	uint8_t *memory;

	*fd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(*fd >= 0);
	assert_int_equal(ftruncate(*fd, (off_t)length), 0);
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	assert_true(memory != MAP_FAILED);
	return memory;
}

/* What a device would read at the IOVA. */
static int read_at(struct space *space, uint64_t iova, void *to, size_t size)
{
	struct emu_page page;

	if (!emu_table_find(&space->tables[0].pages, iova, &page))
		return -ENOENT;
	return emu_phys_read(space->emu, page.phys + (iova - page.iova), to, size);
}

static int write_at(struct space *space, uint64_t iova, const void *from, size_t size)
{
	struct emu_page page;

	if (!emu_table_find(&space->tables[0].pages, iova, &page))
		return -ENOENT;
	return emu_phys_write(space->emu, page.phys + (iova - page.iova), from, size);
}

static void files(void **state)
{
	struct space *const space = space_new();
	char buffer[4] = "";
	uint8_t *memory;
	int fd;

	(void)state;
	memory = make_file(4 * PAGE, &fd);
	assert_int_equal(
		libiommu_ioas_map_file_fixed(space->handle, fd, PAGE, 2 * PAGE, BOTH, IOVA), 0);
	/* It outlives the descriptor; it grows meanwhile. */
	assert_int_equal(ftruncate(fd, 8 * PAGE), 0);
	assert_int_equal(space_add(space, 0), 0);
	assert_true(emu_pins_are(space->emu, (uintptr_t)memory + PAGE, 2 * PAGE, 1));
	assert_true(emu_pins_are(space->emu, (uintptr_t)memory, PAGE, 0));
	assert_true(emu_pins_are(space->emu, (uintptr_t)memory + 3 * PAGE, PAGE, 0));
	memcpy(memory + 2 * PAGE, "abc", 4);
	assert_int_equal(read_at(space, IOVA + PAGE, buffer, 4), 0);
	assert_string_equal(buffer, "abc");
	assert_int_equal(write_at(space, IOVA, "xyz", 4), 0);
	assert_memory_equal(memory + PAGE, "xyz", sizeof("xyz"));
	assert_int_equal(ftruncate(fd, 16 * PAGE), 0);
	assert_int_equal(libiommu_ioas_map_file_fixed(space->handle, fd, 0, 16 * PAGE, BOTH,
	                                              IOVA + 16 * PAGE),
	                 0);
	assert_true(emu_pins_are(space->emu, (uintptr_t)memory + PAGE, 2 * PAGE, 2));
	close(fd);
	assert_int_equal(read_at(space, IOVA + 18 * PAGE, buffer, 4), 0);
	assert_string_equal(buffer, "abc");
	assert_non_null(space->emu->memfiles);
	assert_null(space->emu->memfiles->next);
	assert_int_equal(libiommu_ioas_unmap_all(space->handle, NULL), 0);
	assert_null(space->emu->memfiles);
	munmap(memory, 4 * PAGE);
	space_free(space);
}

static void no_files(void **state)
{
	struct space *const space = space_new();
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint64_t iova;
	uint8_t *memory;
	int fd;

	(void)state;
	memory = make_file(2 * PAGE, &fd);
	assert_int_equal(libiommu_ioas_map_file(space->handle, 12345, 0, PAGE, BOTH, &iova),
	                 -EBADF);
	/* Nobody looks before there is a page table. */
	assert_int_equal(libiommu_ioas_map_file_fixed(space->handle, null, 0, PAGE, BOTH, IOVA), 0);
	assert_int_equal(space_add(space, 0), -EINVAL);
	assert_int_equal(libiommu_ioas_unmap_all(space->handle, NULL), 0);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(libiommu_ioas_map_file(space->handle, null, 0, PAGE, BOTH, &iova),
	                 -EINVAL);
	assert_int_equal(libiommu_ioas_map_file(space->handle, fd, PAGE, 2 * PAGE, BOTH, &iova),
	                 -EINVAL);
	assert_int_equal(ftruncate(fd, PAGE + 100), 0);
	assert_int_equal(libiommu_ioas_map_file(space->handle, fd, PAGE, PAGE, BOTH, &iova),
	                 -EINVAL);
	assert_int_equal(libiommu_ioas_map_file(space->handle, fd, 0, PAGE, BOTH, &iova), 0);
	close(null);
	close(fd);
	munmap(memory, 2 * PAGE);
	space_free(space);
}

/* The kernel does not ask how a descriptor was opened. */
static void read_only_descriptors(void **state)
{
	struct space *const space = space_new();
	const struct emu_task task = {0};
	struct emu_part part = {.length = PAGE};
	uint64_t iova = IOVA;
	uint8_t *memory;
	char path[40];
	int fd, reads;

	(void)state;
	memory = make_file(PAGE, &fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reads = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(emu_source_fd(space->emu, &task, reads, 0, PAGE, true, &part.pages), 0);
	assert_int_equal(emu_map_parts(space->ioas, &part, 1, &iova, EMU_READ | EMU_WRITE, false),
	                 0);
	emu_pages_let_go(part.pages);
	assert_int_equal(write_at(space, IOVA, "abc", 4), 0);
	assert_memory_equal(memory, "abc", sizeof("abc"));
	close(fd);
	close(reads);
	munmap(memory, PAGE);
	space_free(space);
}

static void file_allocations_fail(void **state)
{
	struct space *const space = space_new();
	unsigned int nth = 0;
	uint8_t *memory;
	int fd, error;

	(void)state;
	memory = make_file(PAGE, &fd);
	assert_int_equal(space_add(space, 0), 0);
	do {
		emu_heap_fail(++nth);
		error = libiommu_ioas_map_file_fixed(space->handle, fd, 0, PAGE, BOTH, IOVA);
		assert_true(!error || error == -ENOMEM);
		assert_true(!error || !space->emu->memfiles);
	} while (emu_heap_stop());
	assert_int_equal(error, 0);
	assert_true(nth > 4);
	close(fd);
	munmap(memory, PAGE);
	space_free(space);
}

static bool freed;

static void free_dmabuf(struct emu_dmabuf *dmabuf)
{
	(void)dmabuf;
	freed = true;
}

static void dmabufs(void **state)
{
	struct space *const space = space_new();
	struct emu_dmabuf dmabuf = {.length = 4 * PAGE, .free = free_dmabuf};
	struct emu_access *access;
	uint64_t iova;
	int fd;

	(void)state;
	dmabuf.phys = (uintptr_t)space->memory;
	fd = emu_dmabuf_open(space->emu, &dmabuf);
	assert_true(fd >= 0);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(libiommu_ioas_map_file(space->handle, fd, PAGE, 4 * PAGE, BOTH, &iova),
	                 -EINVAL);
	assert_int_equal(
		libiommu_ioas_map_file_fixed(space->handle, fd, PAGE, 2 * PAGE, BOTH, IOVA), 0);
	assert_int_equal(libiommu_ioas_copy_fixed(space->handle, space->handle, IOVA + PAGE, PAGE,
	                                          BOTH, IOVA + 4 * PAGE),
	                 0);
	assert_true(space_has(space, 0, IOVA, space->memory + PAGE, 2 * PAGE));
	assert_true(space_has(space, 0, IOVA + 4 * PAGE, space->memory + 2 * PAGE, PAGE));
	assert_true(space_pins(space, space->memory, 4 * PAGE, 0));
	assert_int_equal(emu_access_new(space->ioas->object.ctx, NULL, NULL, &access), 0);
	assert_int_equal(emu_access_attach(access, space->ioas), 0);
	assert_int_equal(emu_access_pin(access, IOVA, PAGE, 0, NULL), -EINVAL);
	emu_access_free(access);
	emu_dmabuf_revoke(&dmabuf, true);
	assert_false(space_has(space, 0, IOVA, space->memory + PAGE, 2048));
	assert_false(space_has(space, 0, IOVA + 4 * PAGE, space->memory + 2 * PAGE, 2048));
	assert_int_equal(space_add(space, 1), 0);
	assert_int_equal(libiommu_ioas_map_file(space->handle, fd, 0, PAGE, BOTH, &iova), -ENODEV);
	emu_dmabuf_revoke(&dmabuf, false);
	assert_false(space_has(space, 0, IOVA, space->memory + PAGE, 2048));
	assert_int_equal(
		libiommu_ioas_map_file_fixed(space->handle, fd, 0, PAGE, BOTH, IOVA + 8 * PAGE), 0);
	assert_true(space_has(space, 1, IOVA + 8 * PAGE, space->memory, PAGE));
	assert_int_equal(libiommu_ioas_unmap(space->handle, IOVA, 2 * PAGE), 0);
	assert_int_equal(libiommu_emu_close(space->emu, fd), 0);
	assert_false(freed);
	assert_int_equal(libiommu_ioas_unmap_all(space->handle, NULL), 0);
	assert_true(freed);
	space_free(space);
}

static void keep(void *user)
{
	(void)user;
}

/* The registers of a device, which this process has mapped, are not memory. */
static void registers(void **state)
{
	struct space *const space = space_new();
	const struct emu_hold hold = {.take = keep, .let_go = keep};
	uint64_t iova;

	(void)state;
	assert_int_equal(
		emu_mapping_add(space->emu, (uintptr_t)space->memory + 8 * PAGE, PAGE, &hold), 0);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(libiommu_ioas_map(space->handle, space->memory, 9 * PAGE, BOTH, &iova),
	                 -EFAULT);
	assert_int_equal(libiommu_ioas_map(space->handle, space->memory, 8 * PAGE, BOTH, &iova), 0);
	assert_int_equal(emu_mapping_remove(space->emu, (uintptr_t)space->memory, 16 * PAGE), 0);
	assert_int_equal(libiommu_ioas_map(space->handle, space->memory, 16 * PAGE, BOTH, &iova),
	                 0);
	space_free(space);
}

/* A child that waits until it is told to end. */
struct child {
	pid_t pid;
	int lives;
};

static struct child begin_child(void)
{
	struct child child;
	int lives[2];
	char byte;

	assert_int_equal(pipe(lives), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		close(lives[1]);
		_exit(read(lives[0], &byte, 1) != 0);
	}
	close(lives[0]);
	child.lives = lives[1];
	return child;
}

static void end_child(const struct child *child)
{
	int status = 1;

	close(child->lives);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	assert_int_equal(status, 0);
}

static int map_of_child(struct space *space, const struct child *child, void *memory,
                        uint64_t length, uint64_t iova)
{
	const struct emu_task task = {.pid = child->pid, .uid = geteuid()};

	return emu_map_process(space->ioas->object.ctx, &task, space->ioas, (uintptr_t)memory,
	                       length, &iova, EMU_READ | EMU_WRITE, false);
}

/* What it shares with its parent stays; what is its own goes with it. */
static void children(void **state)
{
	struct space *const space = space_new();
	uint8_t *const own =
		mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct child child;
	char buffer[4] = "";

	(void)state;
	memcpy(own + 2 * PAGE - 2, "abc", 4);
	munmap(own, PAGE);
	child = begin_child();
	memset(own + PAGE, 0, 2 * PAGE);
	assert_int_equal(map_of_child(space, &child, own, 2 * PAGE, IOVA), 0);
	assert_int_equal(space_add(space, 0), -EFAULT);
	assert_int_equal(libiommu_ioas_unmap_all(space->handle, NULL), 0);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(map_of_child(space, &child, own + PAGE, 2 * PAGE, IOVA), 0);
	assert_int_equal(map_of_child(space, &child, space->memory, 16 * PAGE, IOVA + 16 * PAGE),
	                 0);
	assert_true(space_has(space, 0, IOVA + 16 * PAGE, space->memory, 16 * PAGE));
	assert_true(space_pins(space, space->memory, 16 * PAGE, 1));
	assert_int_equal(read_at(space, IOVA + PAGE - 2, buffer, 4), 0);
	assert_string_equal(buffer, "abc");
	assert_int_equal(write_at(space, IOVA, "xyz", 4), 0);
	assert_int_equal(read_at(space, IOVA, buffer, 4), 0);
	assert_string_equal(buffer, "xyz");
	assert_int_equal(own[PAGE], 0);
	end_child(&child);
	assert_int_equal(read_at(space, IOVA, buffer, 4), -EFAULT);
	memcpy(space->memory, "own", 4);
	assert_int_equal(read_at(space, IOVA + 16 * PAGE, buffer, 4), 0);
	assert_string_equal(buffer, "own");
	assert_int_equal(libiommu_ioas_unmap_all(space->handle, NULL), 0);
	assert_int_equal(map_of_child(space, &child, space->memory, PAGE, IOVA), -EFAULT);
	munmap(own + PAGE, 2 * PAGE);
	space_free(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(no_files),
		cmocka_unit_test(read_only_descriptors),
		cmocka_unit_test(file_allocations_fail),
		cmocka_unit_test(dmabufs),
		cmocka_unit_test(registers),
		cmocka_unit_test(children),
	};

	return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
