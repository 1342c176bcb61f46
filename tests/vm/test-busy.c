/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the kernel says while another thread is in the middle of a call: it waits for memory that
 * this process brings in itself (userfaultfd), for as long as the test wants.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vm.h"

#define LAZY_IOVA UINT64_C(0x800000)

struct held {
	struct vm *vm;
	struct libiommu_ioas *ioas;
	struct libiommu_hwpt *hwpt; /* what a page table is made of; else something is mapped */
	bool fill;
	int fd;
	void *memory;
	pthread_t thread;
	int result;
};

static void *call(void *user)
{
	struct held *const h = user;

	h->result = h->fill ? libiommu_hwpt_alloc(h->vm->dev, h->ioas, NULL, &h->hwpt)
	                    : libiommu_ioas_map_fixed(h->ioas, h->memory, VM_PAGE, VM_READ_WRITE,
	                                              LAZY_IOVA);
	return NULL;
}

/* A page that is there when the test says so. */
static void make_memory(struct held *h)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	h->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (h->fd < 0)
		SKIP("no userfaultfd: %s", strerror(errno));
	assert_int_equal(ioctl(h->fd, UFFDIO_API, &api), 0);
	h->memory = mmap(NULL, VM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(h->memory != MAP_FAILED);
	range.range.start = (uintptr_t)h->memory;
	range.range.len = VM_PAGE;
	assert_int_equal(ioctl(h->fd, UFFDIO_REGISTER, &range), 0);
}

/* The other thread is in the kernel, and waits. */
static void hold(struct held *h)
{
	struct uffd_msg message;

	assert_int_equal(pthread_create(&h->thread, NULL, call, h), 0);
	assert_int_equal(read(h->fd, &message, sizeof(message)), sizeof(message));
	assert_int_equal(message.event, UFFD_EVENT_PAGEFAULT);
}

static void let_go(struct held *h)
{
	struct uffdio_zeropage page = {.range = {(uintptr_t)h->memory, VM_PAGE}};

	assert_int_equal(ioctl(h->fd, UFFDIO_ZEROPAGE, &page), 0);
	assert_int_equal(pthread_join(h->thread, NULL), 0);
	OK(h->result);
	close(h->fd);
}

static void test_map(void **state)
{
	struct vm *const vm = *state;
	struct held h = {.vm = vm, .ioas = vm->ioas};

	NEEDS_IOMMUFD(vm);
	make_memory(&h);
	hold(&h);
	FAILS(EBUSY, libiommu_ioas_unmap(vm->ioas, LAZY_IOVA, VM_PAGE));
	EXPLAINED("a call is mapping it at this moment");
	FAILS(EBUSY, libiommu_ioas_unmap_range(vm->ioas, LAZY_IOVA, 4 * VM_PAGE, NULL));
	FAILS(EEXIST,
	      libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE, LAZY_IOVA));
	if (libiommu_ctx_probe(vm->ctx, LIBIOMMU_FEATURE_IOAS_CHANGE_PROCESS) == 1) {
		OK(libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_LENGTH));
		FAILS(EBUSY, libiommu_ctx_change_process(vm->ctx));
		EXPLAINED("try again");
	}
	/* Elsewhere nobody waits. */
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE, 2 * LAZY_IOVA));
	OK(libiommu_ioas_unmap(vm->ioas, 2 * LAZY_IOVA, VM_PAGE));
	let_go(&h);
	OK(libiommu_ioas_unmap(vm->ioas, LAZY_IOVA, VM_PAGE));
	munmap(h.memory, VM_PAGE);
}

/* Nothing stands on the address space yet but the call that fills a page table from it. */
static void test_destroy(void **state)
{
	struct vm *const vm = *state;
	struct held h = {.vm = vm, .fill = true};
	struct libiommu_ioas *twin;
	uint32_t id;

	NEEDS_IOMMUFD(vm);
	make_memory(&h);
	/* One handle that the library sees in use, and one that it does not. */
	OK(libiommu_ioas_id(vm->ioas, &id));
	OK(libiommu_ioas_adopt(vm->ctx, id, LIBIOMMU_ID_BORROW, &h.ioas));
	twin = vm->ioas;
	OK(libiommu_ioas_map_fixed(twin, h.memory, VM_PAGE, VM_READ_WRITE, LAZY_IOVA));
	hold(&h);
	FAILS(EBUSY, libiommu_ioas_destroy(twin));
	assert_int_equal(libiommu_failure_origin(), LIBIOMMU_FAILURE_KERNEL);
	let_go(&h);
	OK(libiommu_hwpt_destroy(h.hwpt));
	OK(libiommu_ioas_destroy(h.ioas));
	OK(libiommu_ioas_destroy(twin));
	vm->ioas = NULL;
	munmap(h.memory, VM_PAGE);
}

#define TEST(function, setup) cmocka_unit_test_setup_teardown(function, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_map, vm_setup_attached),
		TEST(test_destroy, vm_setup_bound),
	};

	return cmocka_run_group_tests_name("busy", tests, NULL, NULL);
}
