/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "dma-rig.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"

/* 28 address bits; less where interrupts lie above, or a window ends. */
#ifdef __x86_64__
const struct libiommu_iova_range reach = {0x10000, 0xfffffff};
#else
const struct libiommu_iova_range reach = {0x10000, 0x7ffffff};
#endif

struct libiommu_dma_space *space;
size_t page;

bool is_legacy(const struct vm *vm)
{
	return libiommu_ctx_backend(vm->ctx) != LIBIOMMU_BACKEND_IOMMUFD;
}

void make_space(struct vm *vm, enum libiommu_dma_policy policy, uint64_t split)
{
	struct libiommu_dma_space_config *config;

	OK(libiommu_dma_space_config_new(&config));
	OK(libiommu_dma_space_config_set_policy(config, policy));
	OK(libiommu_dma_space_config_set_split(config, split));
	/* Of a legacy container's addresses the library chooses the lowest. */
	if (!is_legacy(vm) || policy != LIBIOMMU_DMA_KERNEL)
		OK(libiommu_dma_space_config_set_allowed(config, &reach, 1));
	OK(libiommu_dma_space_new(vm->ioas, config, &space));
	libiommu_dma_space_config_free(config);
}

/* The registers of a device in use come second: a container takes only devices that are not. */
void attach_edu(struct vm *vm)
{
	OK(libiommu_dma_space_attach(space, vm->dev, NULL));
	vm_map_registers(vm);
}

uint8_t *new_memory(size_t length)
{
	void *const at =
		mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

uint64_t look(const void *address, uint64_t length)
{
	uint64_t iova = 0;

	OK(libiommu_dma_table_translate(libiommu_dma_space_table(space), address, length, &iova,
	                                NULL));
	return iova;
}

void move(const struct vm *vm, const uint8_t *from, uint8_t *to)
{
	for (size_t i = 0; i < BYTES; i++)
		((uint8_t *)(uintptr_t)from)[i] = (uint8_t)(i * 7 + (uintptr_t)from / 64);
	memset(to, 0, BYTES);
	assert_true(edu_load(vm->regs, look(from, BYTES), BYTES));
	assert_true(edu_store(vm->regs, look(to, BYTES), BYTES));
	assert_memory_equal(from, to, BYTES);
}

bool is_out_of_reach(const struct vm *vm, uint64_t iova, uint8_t *at)
{
	const uint32_t old = 0xa5a5a5a5;

	memcpy(at, &old, sizeof(old));
	/* No two bytes that the device has from move() are the same. */
	assert_true(edu_store(vm->regs, iova, sizeof(old)));
	if (memcmp(at, &old, sizeof(old)))
		return false;
	return libiommu_ctx_backend(vm->ctx) == LIBIOMMU_BACKEND_SPAPR || vm_write_faults(vm, iova);
}

int dma_setup(void **state)
{
	if (vm_setup_bound(state))
		return -1;
	space = NULL;
	page = (size_t)sysconf(_SC_PAGESIZE);
	return 0;
}

/* What is attached goes first: the address spaces of a space are in use. */
int dma_teardown(void **state)
{
	struct vm *const vm = *state;

	libiommu_device_detach(vm->dev);
	OK(libiommu_dma_space_destroy(space));
	return vm_teardown(state);
}
