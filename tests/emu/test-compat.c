/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* VFIO's own calls on the descriptor of a context. */
#include "space.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../../emu/access.h"
#include "../../emu/compat.h"
#include "../../lib/base/uapi/iommufd.h"
#include "../../lib/base/uapi/vfio-container.h"

#define IOVA UINT64_C(0x2000000)

static struct emu_ctx *ctx_of(struct space *space)
{
	return emu_ctx_of(space->emu, libiommu_ctx_fd(space->ctx));
}

static int call(struct space *space, unsigned long request, void *arg)
{
	return libiommu_emu_ioctl(space->emu, libiommu_ctx_fd(space->ctx), request, arg);
}

static int call_value(struct space *space, unsigned long request, uintptr_t value)
{
	return call(space, request, (void *)value);
}

static int map(struct space *space, void *memory, uint64_t size, uint64_t iova)
{
	struct uapi_vfio_iommu_type1_dma_map cmd = {
		.argsz = sizeof(cmd),
		.flags = UAPI_VFIO_DMA_MAP_FLAG_READ | UAPI_VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = size,
	};

	return call(space, UAPI_IOC_VFIO_IOMMU_MAP_DMA, &cmd);
}

static int unmap(struct space *space, uint64_t iova, uint64_t size, uint64_t *unmapped)
{
	struct uapi_vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd), .iova = iova, .size = size};
	const int error = call(space, UAPI_IOC_VFIO_IOMMU_UNMAP_DMA, &cmd);

	*unmapped = cmd.size;
	return error;
}

static void which_space(void **state)
{
	struct space *const space = space_new();
	struct emu_ctx *const ctx = ctx_of(space);
	uint64_t unmapped;

	(void)state;
	assert_null(ctx->vfio_ioas);
	assert_int_equal(map(space, space->memory, PAGE, IOVA), -ENODEV);
	assert_int_equal(unmap(space, IOVA, PAGE, &unmapped), -ENODEV);
	assert_int_equal(call_value(space, UAPI_IOC_VFIO_CHECK_EXTENSION, UAPI_VFIO_DMA_CC_IOMMU),
	                 -ENODEV);
	assert_int_equal(emu_compat_create(ctx), 0);
	assert_int_equal(emu_compat_create(ctx), 0);
	assert_int_equal(emu_compat_set_noiommu(ctx), -EINVAL);
	assert_int_equal(map(space, space->memory, PAGE, IOVA), 0);
	assert_int_equal(emu_object_remove(&ctx->vfio_ioas->object, false), 0);
	assert_null(ctx->vfio_ioas);
	emu_heap_fail(1);
	assert_int_equal(emu_compat_create(ctx), -ENOMEM);
	emu_heap_stop();
	assert_null(ctx->vfio_ioas);
	space_free(space);
}

static void without_iommu(void **state)
{
	struct space *const space = space_new();
	struct emu_ctx *const ctx = ctx_of(space);

	(void)state;
	assert_int_equal(call_value(space, UAPI_IOC_VFIO_SET_IOMMU, UAPI_VFIO_NOIOMMU_IOMMU),
	                 -EINVAL);
	assert_int_equal(emu_compat_set_noiommu(ctx), 0);
	assert_int_equal(emu_compat_create(ctx), -EINVAL);
	assert_int_equal(call_value(space, UAPI_IOC_VFIO_CHECK_EXTENSION, UAPI_VFIO_TYPE1_IOMMU),
	                 0);
	assert_int_equal(call_value(space, UAPI_IOC_VFIO_CHECK_EXTENSION, UAPI_VFIO_NOIOMMU_IOMMU),
	                 1);
	assert_int_equal(call_value(space, UAPI_IOC_VFIO_SET_IOMMU, UAPI_VFIO_TYPE1_IOMMU),
	                 -EINVAL);
	assert_int_equal(call_value(space, UAPI_IOC_VFIO_SET_IOMMU, UAPI_VFIO_NOIOMMU_IOMMU),
	                 geteuid() ? -EPERM : 0);
	space_free(space);
}

static void coherence(void **state)
{
	struct space *const space = space_new();

	(void)state;
	assert_int_equal(libiommu_ioas_set_compat(space->handle), 0);
	assert_int_equal(call_value(space, UAPI_IOC_VFIO_CHECK_EXTENSION, UAPI_VFIO_DMA_CC_IOMMU),
	                 1);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(call_value(space, UAPI_IOC_VFIO_CHECK_EXTENSION, UAPI_VFIO_DMA_CC_IOMMU),
	                 0);
	space->tables[0].domain.coherent = true;
	assert_int_equal(call_value(space, UAPI_IOC_VFIO_CHECK_EXTENSION, UAPI_VFIO_DMA_CC_IOMMU),
	                 1);
	space_free(space);
}

/* Sixteen pages, each half of which goes at its time. */
static void cuts(void **state)
{
	struct space *const space = space_new();
	uint64_t unmapped;

	(void)state;
	assert_int_equal(libiommu_ioas_set_compat(space->handle), 0);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(call_value(space, UAPI_IOC_VFIO_SET_IOMMU, UAPI_VFIO_TYPE1_IOMMU), 0);
	assert_int_equal(map(space, space->memory, 16 * PAGE, IOVA), 0);
	for (uint64_t i = 0; i < 16; i++) {
		const uint64_t at = i * 5 % 16 * PAGE;

		assert_int_equal(unmap(space, IOVA + at + 100, PAGE, &unmapped), -EINVAL);
		assert_true(space_has(space, 0, IOVA + at, space->memory + at, PAGE));
		assert_true(space_pins(space, space->memory + at, PAGE, 1));
		assert_int_equal(unmap(space, IOVA + at, PAGE, &unmapped), 0);
		assert_int_equal(unmapped, PAGE);
		assert_false(space_has(space, 0, IOVA + at, space->memory + at, PAGE));
		assert_true(space_pins(space, space->memory + at, PAGE, 0));
	}
	assert_null(space->emu->pages);
	space_free(space);
}

/* Neither to be read nor to be written: until there is a page table, that is no matter. */
static void no_access(void **state)
{
	struct space *const space = space_new();
	struct uapi_vfio_iommu_type1_dma_map cmd = {.argsz = sizeof(cmd),
	                                            .vaddr = (uintptr_t)space->memory,
	                                            .iova = IOVA,
	                                            .size = PAGE};
	uint64_t unmapped;

	(void)state;
	assert_int_equal(libiommu_ioas_set_compat(space->handle), 0);
	assert_int_equal(call(space, UAPI_IOC_VFIO_IOMMU_MAP_DMA, &cmd), 0);
	assert_int_equal(space_add(space, 0), -EINVAL);
	assert_int_equal(unmap(space, IOVA, PAGE, &unmapped), 0);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(call(space, UAPI_IOC_VFIO_IOMMU_MAP_DMA, &cmd), -EINVAL);
	assert_true(space_pins(space, space->memory, PAGE, 0));
	space_free(space);
}

/* One that is held is not cut; nor is one whose pages may be large. */
static void not_cut(void **state)
{
	struct space *const space = space_new();
	struct emu_access *access;
	uint64_t unmapped = 7;

	(void)state;
	assert_int_equal(libiommu_ioas_set_compat(space->handle), 0);
	assert_int_equal(call_value(space, UAPI_IOC_VFIO_SET_IOMMU, UAPI_VFIO_TYPE1_IOMMU), 0);
	assert_int_equal(map(space, space->memory, 4 * PAGE, IOVA), 0);
	assert_int_equal(emu_access_new(ctx_of(space), NULL, NULL, &access), 0);
	assert_int_equal(emu_access_attach(access, space->ioas), 0);
	assert_int_equal(emu_access_pin(access, IOVA, PAGE, 0, NULL), 0);
	assert_int_equal(unmap(space, IOVA, PAGE, &unmapped), -EINVAL);
	emu_access_unpin(access, IOVA, PAGE);
	emu_access_free(access);
	emu_heap_fail(1);
	assert_int_equal(unmap(space, IOVA, PAGE, &unmapped), -ENOMEM);
	emu_heap_stop();
	assert_int_equal(libiommu_ioas_set_huge_pages(space->handle, true), 0);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(unmap(space, IOVA, PAGE, &unmapped), -ENOENT);
	assert_int_equal(unmapped, 0);
	assert_int_equal(unmap(space, IOVA, 4 * PAGE, &unmapped), 0);
	assert_int_equal(unmapped, 4 * PAGE);
	assert_int_equal(unmap(space, IOVA, 4 * PAGE, &unmapped), 0);
	assert_int_equal(unmapped, 0);
	space_free(space);
}

static void information(void **state)
{
	struct space *const space = space_new();
	_Alignas(8) uint8_t buffer[256];
	struct uapi_vfio_iommu_type1_info *const info = (void *)buffer;
	uint32_t whole;

	(void)state;
	assert_int_equal(libiommu_ioas_set_compat(space->handle), 0);
	memset(buffer, 0, sizeof(buffer));
	info->argsz = 24;
	assert_int_equal(call(space, UAPI_IOC_VFIO_IOMMU_GET_INFO, info), 0);
	assert_true(info->iova_pgsizes == ~UINT64_C(4095));
	assert_int_equal(info->cap_offset, 0);
	whole = info->argsz;
	assert_int_equal(whole, 24 + 16 + 16 + 16);
	for (uint32_t argsz = 16; argsz <= whole; argsz++) {
		memset(buffer, 0xaa, sizeof(buffer));
		info->argsz = argsz;
		assert_int_equal(call(space, UAPI_IOC_VFIO_IOMMU_GET_INFO, info), 0);
		assert_int_equal(info->argsz, whole);
		for (uint32_t i = argsz; i < sizeof(buffer); i++)
			assert_int_equal(buffer[i], 0xaa);
	}
	assert_int_equal(info->cap_offset, 24);
	assert_int_equal(space_add(space, 0), 0);
	assert_int_equal(call(space, UAPI_IOC_VFIO_IOMMU_GET_INFO, info), 0);
	assert_int_equal(info->iova_pgsizes, UINT64_C(0x3ffff) << 12);
	info->argsz = 15;
	assert_int_equal(call(space, UAPI_IOC_VFIO_IOMMU_GET_INFO, info), -EINVAL);
	assert_int_equal(call(space, UAPI_IOC_VFIO_IOMMU_GET_INFO, NULL), -EFAULT);
	assert_int_equal(call(space, UAPI_IOC_VFIO_IOMMU_MAP_DMA, NULL), -EFAULT);
	assert_int_equal(call(space, UAPI_IOC_VFIO_IOMMU_UNMAP_DMA, NULL), -EFAULT);
	assert_int_equal(call(space, UAPI_IOC_VFIO_IOMMU_DIRTY_PAGES, NULL), -ENOTTY);
	space_free(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_space), cmocka_unit_test(without_iommu),
		cmocka_unit_test(coherence),   cmocka_unit_test(cuts),
		cmocka_unit_test(not_cut),     cmocka_unit_test(information),
		cmocka_unit_test(no_access),
	};

	return cmocka_run_group_tests_name("compat", tests, NULL, NULL);
}
