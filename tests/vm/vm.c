/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "vm.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../fds.h"

void vm_expect(int got, int wanted, const char *what, const char *file, int line)
{
	char text[512];

	if (got == wanted)
		return;
	libiommu_failure_text(text, sizeof(text));
	print_error("%s is %d, not %d; last failure: %s\n", what, got, wanted, text);
	_fail(file, line);
}

void vm_expect_count(int got, const char *what, const char *file, int line)
{
	vm_expect(got < 0 ? got : 0, 0, what, file, line);
}

void vm_expect_failure(int got, int wanted, const char *what, const char *file, int line)
{
	vm_expect(got, wanted, what, file, line);
	if (libiommu_failure_error() == wanted)
		return;
	print_error("%s failed with %d, but libiommu_failure_error() says %d\n", what, got,
	            libiommu_failure_error());
	_fail(file, line);
}

void vm_expect_text(const char *text, const char *file, int line)
{
	char got[1024];

	libiommu_failure_text(got, sizeof(got));
	if (strstr(got, text))
		return;
	print_error("not explained by \"%s\" but by \"%s\"\n", text, got);
	_fail(file, line);
}

bool vm_find(uint32_t vendor, uint32_t device, size_t skipped, char *address, size_t size)
{
	struct libiommu_device_list *list;
	uint32_t ids[3];
	bool found = false;

	if (libiommu_device_list_new(NULL, &list))
		return false;
	for (size_t i = 0; i < libiommu_device_list_count(list) && !found; i++) {
		libiommu_device_list_ids(list, i, &ids[0], &ids[1], &ids[2]);
		found = ids[0] == vendor && ids[1] == device && !skipped--;
		if (found)
			snprintf(address, size, "%s", libiommu_device_list_address(list, i));
	}
	libiommu_device_list_free(list);
	return found;
}

bool vm_find_edu(char *address, size_t size)
{
	return vm_find(0x1234, 0x11e8, 0, address, size);
}

bool vm_find_nvme(char *address, size_t size)
{
	return vm_find(0x1b36, 0x0010, 0, address, size);
}

unsigned int vm_count_fds(void)
{
	return count_fds();
}

uint64_t vm_live(const struct libiommu_ctx *ctx)
{
	uint64_t count, sum = 0;

	for (int kind = LIBIOMMU_OBJECT_IOAS; kind <= LIBIOMMU_OBJECT_BAR_MAP; kind++) {
		OK(libiommu_ctx_live(ctx, (enum libiommu_object_kind)kind, &count));
		sum += count;
	}
	return sum;
}

int vm_setup_empty(void **state)
{
	struct vm *const vm = calloc(1, sizeof(*vm));

	if (!vm || !vm_find_edu(vm->edu, sizeof(vm->edu))) {
		print_error("no edu device in this machine\n");
		free(vm);
		return -1;
	}
	vm->fds = vm_count_fds();
	vm->memory =
		mmap(NULL, VM_LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->memory == MAP_FAILED)
		return -1;
	OK(libiommu_ctx_new(NULL, &vm->ctx));
	*state = vm;
	return 0;
}

int vm_open_type1(struct libiommu_ctx **ctx)
{
	struct libiommu_ctx_config *config;
	int err = libiommu_ctx_config_new(&config);

	if (err)
		return err;
	err = libiommu_ctx_config_set_backend(config, LIBIOMMU_BACKEND_TYPE1);
	if (!err)
		err = libiommu_ctx_new(config, ctx);
	libiommu_ctx_config_free(config);
	return err;
}

int vm_setup_type1(void **state)
{
	struct vm *vm;

	if (vm_setup_empty(state))
		return -1;
	vm = *state;
	OK(libiommu_ctx_destroy(vm->ctx));
	OK(vm_open_type1(&vm->ctx));
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	return 0;
}

int vm_setup_bound(void **state)
{
	struct vm *vm;

	if (vm_setup_empty(state))
		return -1;
	vm = *state;
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL, NULL, 0));
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	return 0;
}

void vm_map_registers(struct vm *vm)
{
	OK(libiommu_pci_set_bus_master(vm->dev, true));
	OK(libiommu_pci_bar_map(vm->dev, 0, 0, 0, LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE,
	                        &vm->bar));
	vm->regs = libiommu_bar_map_address(vm->bar);
}

int vm_setup_attached(void **state)
{
	struct vm *vm;

	if (vm_setup_bound(state))
		return -1;
	vm = *state;
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	vm_map_registers(vm);
	return 0;
}

int vm_teardown(void **state)
{
	struct vm *const vm = *state;
	unsigned int fds;

	OK(libiommu_bar_map_destroy(vm->bar));
	OK(libiommu_device_destroy(vm->dev));
	OK(libiommu_ioas_destroy(vm->ioas));
	if (vm->ctx && vm_live(vm->ctx)) {
		print_error("%llu objects are left\n", (unsigned long long)vm_live(vm->ctx));
		return -1;
	}
	OK(libiommu_ctx_destroy(vm->ctx));
	munmap(vm->memory, VM_LENGTH);
	fds = vm_count_fds();
	if (fds != vm->fds) {
		print_error("%u descriptors before the test, %u after it\n", vm->fds, fds);
		return -1;
	}
	free(vm);
	return 0;
}
