/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A context that is handed over, with each allocation in the kernel failing in turn: either process
 * could have it all the while, and the device writes on. Both ends are in this process.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edu.h"
#include "failing.h"

enum { KEY = 7 };

struct handing {
	struct vm *vm;
	struct libiommu_handover *handover;
	uint8_t *file; /* VM_LENGTH bytes, mapped at VM_IOVA */
	int ends[2];
	bool sent; /* what is sent is to be there */
};

/* What came of a transfer that failed is of no use to the other end. */
static void connect_again(struct handing *h)
{
	close(h->ends[0]);
	close(h->ends[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, h->ends), 0);
	if (h->sent)
		OK(libiommu_handover_send(h->handover, h->ends[0]));
}

static void check_dma(struct handing *h, uint8_t byte)
{
	memset(h->file, byte, 64);
	memset(h->file + VM_PAGE, 0, 64);
	assert_true(edu_load(h->vm->regs, VM_IOVA, 64));
	assert_true(edu_store(h->vm->regs, VM_IOVA + VM_PAGE, 64));
	assert_memory_equal(h->file, h->file + VM_PAGE, 64);
}

/* Whoever has the context: nobody took anything from the device. */
static void before_next(struct failing *f)
{
	connect_again(f->user);
}

static void begin(struct handing *h, struct vm *vm)
{
	const int fd = memfd_create("memory", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, VM_LENGTH), 0);
	h->vm = vm;
	h->file = mmap(NULL, VM_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(h->file != MAP_FAILED);
	OK(libiommu_ioas_map_file_fixed(vm->ioas, fd, 0, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	close(fd);
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	vm_map_registers(vm);
	OK(libiommu_handover_new(vm->ctx, &h->handover));
	OK(libiommu_handover_add_ioas(h->handover, KEY, vm->ioas));
	OK(libiommu_handover_add_device(h->handover, KEY, vm->dev));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, h->ends), 0);
}

static void transfer_each(struct failing *f, struct handing *h)
{
	struct libiommu_takeover *takeover;
	const void *image;
	const int *fds;
	size_t size, count;
	int fd;

	EACH(&f->each, libiommu_handover_send(h->handover, h->ends[0]), NOTHING);
	h->sent = true;
	connect_again(h);
	EACH(&f->each, libiommu_takeover_receive(NULL, h->ends[1], &takeover),
	     libiommu_takeover_free(takeover));
	libiommu_takeover_free(takeover);
	h->sent = false;
	OK(libiommu_handover_image(h->handover, &image, &size));
	OK(libiommu_handover_fds(h->handover, &fds, &count));
	EACH(&f->each, libiommu_takeover_load(NULL, image, size, fds, count, &takeover), ENOUGH);
	libiommu_takeover_free(takeover);
	f->more = NULL;
	EACH(&f->each, libiommu_handover_keep(h->handover, &fd), ENOUGH);
	EACH(&f->each, libiommu_takeover_inherit(NULL, fd, &takeover), ENOUGH);
	libiommu_takeover_free(takeover);
}

/* The successor has it: its handles are the ones that reach the kernel. */
static void commit_each(struct failing *f, struct handing *h)
{
	struct libiommu_takeover *takeover;
	struct libiommu_device *dev;
	struct libiommu_ioas *ioas;
	struct libiommu_ctx *ctx;
	struct vm *const vm = h->vm;

	h->sent = true;
	connect_again(h);
	OK(libiommu_takeover_receive(NULL, h->ends[1], &takeover));
	OK(libiommu_takeover_ctx(takeover, &ctx));
	OK(libiommu_takeover_ioas(takeover, KEY, &ioas));
	OK(libiommu_takeover_device(takeover, KEY, &dev));
	EACH(&f->each, libiommu_takeover_commit(takeover, 0), ENOUGH);
	libiommu_takeover_free(takeover);
	check_dma(h, 0x66);
	OK(libiommu_handover_commit(h->handover));
	libiommu_handover_free(h->handover);
	OK(libiommu_bar_map_destroy(vm->bar));
	OK(libiommu_device_destroy(vm->dev));
	OK(libiommu_ioas_destroy(vm->ioas));
	OK(libiommu_ctx_destroy(vm->ctx));
	vm->ctx = ctx;
	vm->dev = dev;
	vm->ioas = ioas;
	vm_map_registers(vm);
	check_dma(h, 0x67);
	OK(libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_LENGTH));
}

static void test_handover(void **state)
{
	struct vm *const vm = *state;
	struct handing h = {0};
	struct failing f;

	NEEDS_IOMMUFD(vm);
	if (libiommu_ctx_probe(vm->ctx, LIBIOMMU_FEATURE_IOAS_CHANGE_PROCESS) != 1)
		SKIP("this kernel hands no context on (6.14)");
	begin(&h, vm);
	check_dma(&h, 0x65);
	failing_begin(&f, vm);
	f.more = before_next;
	f.user = &h;
	transfer_each(&f, &h);
	commit_each(&f, &h);
	failing_end(&f);
	close(h.ends[0]);
	close(h.ends[1]);
	munmap(h.file, VM_LENGTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_handover, vm_setup_bound, vm_teardown),
	};

	return cmocka_run_group_tests_name("failing-handover", tests, NULL, NULL);
}
