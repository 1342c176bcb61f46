/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * DMA spaces, fault rings and handovers, with each allocation in the kernel failing in turn: what
 * they say afterwards is what the kernel has.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edu.h"
#include "failing.h"

enum { LENGTH = 16 * VM_PAGE };

/* What is registered, and found in the table, is what is mapped. */
struct registered {
	struct libiommu_dma_space *space;
	struct libiommu_ioas *ioas; /* one that has it all */
	uint8_t *memory;            /* here LENGTH bytes, or NULL */
	uint64_t count;
};

static void check_registered(struct failing *f)
{
	const struct registered *const r = f->user;
	uint64_t count, bytes, mapped, others, iova;
	int found;

	OK(libiommu_dma_space_registered(r->space, &count, &bytes));
	OK(libiommu_ioas_mapped(r->ioas, &mapped, &others));
	assert_int_equal(count, r->count);
	assert_int_equal(bytes, r->count * LENGTH);
	assert_int_equal(mapped, bytes);
	found = libiommu_dma_table_translate(libiommu_dma_space_table(r->space), r->memory, LENGTH,
	                                     &iova, NULL);
	assert_int_equal(!found, r->count != 0);
	assert_true(!found || found == -ESTALE || found == -ENOENT || found == -EFAULT);
}

/* A device finds the last of it in the memory that the table says. */
static void move(const struct vm *vm, const struct registered *r)
{
	uint8_t *const from = r->memory, *const to = r->memory + LENGTH - VM_PAGE;
	uint64_t iova;

	memset(from, 0x3c, 64);
	memset(to, 0, 64);
	OK(libiommu_dma_table_translate(libiommu_dma_space_table(r->space), from, 64, &iova, NULL));
	assert_true(edu_load(vm->regs, iova, 64));
	OK(libiommu_dma_table_translate(libiommu_dma_space_table(r->space), to, 64, &iova, NULL));
	assert_true(edu_store(vm->regs, iova, 64));
	assert_memory_equal(from, to, 64);
}

static void register_each(struct failing *f, struct registered *r)
{
	const struct iovec range = {r->memory, LENGTH};
	uint64_t iova;
	size_t done;

	EACH(&f->each,
	     libiommu_dma_space_register(r->space, r->memory, LENGTH, VM_READ_WRITE, &iova),
	     OK(libiommu_dma_space_unregister(r->space, r->memory, LENGTH)));
	r->count = 1;
	move(f->vm, r);
	EACH(&f->each, libiommu_dma_space_unregister(r->space, r->memory, LENGTH),
	     OK(libiommu_dma_space_register(r->space, r->memory, LENGTH, VM_READ_WRITE, &iova)));
	r->count = 0;
	EACH(&f->each, libiommu_dma_space_register_many(r->space, &range, 1, VM_READ_WRITE, &iova),
	     OK(libiommu_dma_space_unregister(r->space, r->memory, LENGTH)));
	r->count = 1;
	EACH(&f->each, libiommu_dma_space_unregister_many(r->space, &range, 1, &done),
	     OK(libiommu_dma_space_register(r->space, r->memory, LENGTH, VM_READ_WRITE, &iova)));
	r->count = 0;
	EACH(&f->each,
	     libiommu_dma_space_register_in(r->space, libiommu_dma_space_window(r->space),
	                                    r->memory, LENGTH, VM_READ_WRITE, &iova),
	     OK(libiommu_dma_space_unregister(r->space, r->memory, LENGTH)));
	r->count = 1;
	OK(libiommu_dma_space_unregister(r->space, r->memory, LENGTH));
	r->count = 0;
}

static void register_file(struct failing *f, struct registered *r)
{
	const int fd = memfd_create("memory", MFD_CLOEXEC);
	uint64_t iova;
	void *at;

	assert_int_equal(ftruncate(fd, LENGTH), 0);
	at = mmap(r->memory, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	assert_ptr_equal(at, r->memory);
	/* What has no address is not found by one. */
	f->more = NULL;
	OK(libiommu_dma_space_register_file(r->space, fd, 0, LENGTH, NULL, VM_READ_WRITE, &iova));
	EACH(&f->each, libiommu_dma_space_unregister_iova(r->space, iova, LENGTH),
	     OK(libiommu_dma_space_register_file(r->space, fd, 0, LENGTH, NULL, VM_READ_WRITE,
	                                         &iova)));
	f->more = check_registered;
	EACH(&f->each,
	     libiommu_dma_space_register_file(r->space, fd, 0, LENGTH, r->memory, VM_READ_WRITE,
	                                      &iova),
	     OK(libiommu_dma_space_unregister(r->space, r->memory, LENGTH)));
	r->count = 1;
	move(f->vm, r);
	close(fd);
}

/*
 * The kernel's switch also makes it not find an address space (-ENOENT), which to who unmaps says
 * that nothing is mapped: no kernel does that of itself to one that is there.
 */
static int mirror_again(struct registered *r, struct libiommu_ioas *other)
{
	const int error = libiommu_dma_space_mirror(r->space, other);

	if (error != -EEXIST)
		return error;
	OK(libiommu_ioas_unmap_all(other, NULL));
	return libiommu_dma_space_mirror(r->space, other);
}

/* Another address space mirrors it all, and the device goes there. */
static void mirror_each(struct failing *f, struct registered *r)
{
	struct vm *const vm = f->vm;
	struct libiommu_ioas *other;

	OK(libiommu_ioas_alloc(vm->ctx, &other));
	EACH(&f->each, libiommu_dma_space_mirror(r->space, other),
	     OK(libiommu_dma_space_unmirror(r->space, other)));
	EACH(&f->each, libiommu_dma_space_unmirror(r->space, other), OK(mirror_again(r, other)));
	OK(libiommu_dma_space_mirror(r->space, other));
	OK(libiommu_device_detach(vm->dev));
	EACH(&f->each, libiommu_dma_space_attach(r->space, vm->dev, other),
	     OK(libiommu_device_detach(vm->dev)));
	r->ioas = other;
	move(vm, r);
	EACH(&f->each, libiommu_dma_space_revalidate(r->space), NOTHING);
	OK(libiommu_device_detach(vm->dev));
	OK(libiommu_dma_space_unmirror(r->space, other));
	OK(libiommu_ioas_destroy(other));
	r->ioas = vm->ioas;
}

static struct libiommu_dma_space_config *windowed(void)
{
	const struct libiommu_iova_range range = {VM_IOVA, 0x7ffffff};
	struct libiommu_dma_space_config *config;

	OK(libiommu_dma_space_config_new(&config));
	OK(libiommu_dma_space_config_set_policy(config, LIBIOMMU_DMA_WINDOW));
	OK(libiommu_dma_space_config_set_allowed(config, &range, 1));
	return config;
}

static void arena_each(struct failing *f, struct registered *r)
{
	struct libiommu_dma_arena *arena;
	uint64_t iova;
	void *buffer;

	f->more = NULL;
	EACH(&f->each, libiommu_dma_arena_new(r->space, LENGTH, NULL, &arena),
	     OK(libiommu_dma_arena_destroy(arena)));
	OK(libiommu_dma_arena_alloc(arena, 64, 64, &buffer, &iova));
	OK(libiommu_dma_arena_give(arena, buffer));
	EACH(&f->each, libiommu_dma_arena_destroy(arena),
	     OK(libiommu_dma_arena_new(r->space, LENGTH, NULL, &arena)));
}

static void test_dma_spaces(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_dma_space_config *const config = windowed();
	struct registered r = {.ioas = vm->ioas};
	struct libiommu_dma_table *table;
	struct failing f;

	r.memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(r.memory != MAP_FAILED);
	vm_map_registers(vm);
	failing_begin(&f, vm);
	EACH(&f.each, libiommu_dma_space_new(vm->ioas, config, &r.space),
	     OK(libiommu_dma_space_destroy(r.space)));
	OK(libiommu_dma_space_attach(r.space, vm->dev, NULL));
	f.more = check_registered;
	f.user = &r;
	register_each(&f, &r);
	register_file(&f, &r);
	mirror_each(&f, &r);
	EACH(&f.each,
	     libiommu_dma_table_open(NULL, libiommu_dma_table_fd(libiommu_dma_space_table(r.space)),
	                             &table),
	     OK(libiommu_dma_table_destroy(table)));
	EACH(&f.each, libiommu_dma_table_destroy(table), ENOUGH);
	arena_each(&f, &r);
	OK(libiommu_dma_space_unregister(r.space, r.memory, LENGTH));
	EACH(&f.each, libiommu_dma_space_destroy(r.space), ENOUGH);
	libiommu_dma_space_config_free(config);
	munmap(r.memory, LENGTH);
	failing_end(&f);
}

static void answered(void *user, enum libiommu_fault_code code)
{
	unsigned int *const answers = user;

	assert_int_equal(code, LIBIOMMU_FAULT_SUCCESS);
	++*answers;
}

/* The reader finds one group, and its answer goes back to who asked. */
static void one_group(struct failing *f, struct libiommu_ring *ring, struct libiommu_reader *reader,
                      const unsigned int *answers)
{
	const struct libiommu_record *record;
	struct libiommu_completion done = {.code = LIBIOMMU_FAULT_SUCCESS};
	const unsigned int before = *answers;
	size_t count = 0;

	EACH(&f->each, libiommu_ring_dispatch(ring), ENOUGH);
	OK(libiommu_ring_dispatch(ring));
	EACH(&f->each, libiommu_reader_sleep(reader, 1000), NOTHING);
	SUCCEEDS(libiommu_reader_next(reader, &record, &count));
	assert_int_equal(count, 1);
	done.token = record->token;
	done.queue = record->queue;
	OK(libiommu_reader_release(reader));
	SUCCEEDS(libiommu_reader_complete(reader, &done, 1));
	OK(libiommu_ring_dispatch(ring));
	assert_int_equal(*answers, before + 1);
}

/* A reader that was not to be is the ring's until it sees that. */
static void dispatch(struct failing *f)
{
	OK(libiommu_ring_dispatch(f->user));
}

static void reader_each(struct failing *f, struct libiommu_ring *ring)
{
	struct libiommu_record record = {.kind = LIBIOMMU_RECORD_FAULT, .address = VM_IOVA};
	struct libiommu_monitor *monitor;
	struct libiommu_reader *reader;
	unsigned int answers = 0;
	int fd = -1;

	f->settle = dispatch;
	f->user = ring;
	EACH(&f->each, libiommu_ring_open_reader(ring, &reader), libiommu_reader_free(reader));
	f->settle = NULL;
	EACH(&f->each, fd = libiommu_ring_monitor(ring), close(fd));
	EACH(&f->each, libiommu_monitor_open(NULL, fd, LIBIOMMU_FD_DUP, &monitor),
	     libiommu_monitor_free(monitor));
	libiommu_monitor_free(monitor);
	close(fd);
	EACH(&f->each, libiommu_ring_inject(ring, &record, 1, answered, &answers), ENOUGH);
	one_group(f, ring, reader, &answers);
	OK(libiommu_reader_arm(reader));
	EACH(&f->each, libiommu_reader_disarm(reader), NOTHING);
	libiommu_reader_free(reader);
	OK(libiommu_ring_dispatch(ring));
}

/* Of another process, at the ends of a socket. */
static void join_each(struct failing *f, struct libiommu_ring *ring)
{
	struct libiommu_reader *reader;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	EACH(&f->each, libiommu_ring_join(ring, ends[0], LIBIOMMU_FD_BORROW, 0), ENOUGH);
	EACH(&f->each, libiommu_reader_open(NULL, ends[1], LIBIOMMU_FD_BORROW, &reader), ENOUGH);
	libiommu_reader_free(reader);
	close(ends[1]);
	OK(libiommu_ring_dispatch(ring));
	close(ends[0]);
}

static void test_rings(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_fault_queue *queue;
	struct libiommu_ring *ring;
	struct failing f;

	OK(libiommu_fault_queue_alloc(vm->ctx, &queue));
	failing_begin(&f, vm);
	EACH(&f.each, libiommu_ring_new(vm->ctx, NULL, &ring), OK(libiommu_ring_destroy(ring)));
	reader_each(&f, ring);
	join_each(&f, ring);
	EACH(&f.each, libiommu_ring_add_queue(ring, queue, 0),
	     OK(libiommu_ring_remove_queue(ring, queue)));
	EACH(&f.each, libiommu_ring_remove_queue(ring, queue),
	     OK(libiommu_ring_add_queue(ring, queue, 0)));
	EACH(&f.each, libiommu_ring_add_queue(ring, queue, LIBIOMMU_RING_IO_URING),
	     OK(libiommu_ring_remove_queue(ring, queue)));
	EACH(&f.each, libiommu_ring_remove_queue(ring, queue), ENOUGH);
	EACH(&f.each, libiommu_ring_start(ring), OK(libiommu_ring_stop(ring)));
	EACH(&f.each, libiommu_ring_stop(ring), OK(libiommu_ring_start(ring)));
	EACH(&f.each, libiommu_ring_destroy(ring), OK(libiommu_ring_new(vm->ctx, NULL, &ring)));
	OK(libiommu_fault_queue_destroy(queue));
	failing_end(&f);
}

#define TEST(function, setup) cmocka_unit_test_setup_teardown(function, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dma_spaces, vm_setup_bound),
		TEST(test_rings, vm_setup_empty),
	};

	return cmocka_run_group_tests_name("failing-services", tests, NULL, NULL);
}
