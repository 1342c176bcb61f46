/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page tables as objects: which can be made, of what, and what is said of the IOMMU behind them. */
#include "hw-rig.h"

#include <string.h>
#include <sys/mman.h>

#define NEST     UAPI_HWPT_ALLOC_NEST_PARENT
#define DIRTY    UAPI_HWPT_ALLOC_DIRTY_TRACKING
#define PASID    UAPI_HWPT_ALLOC_PASID
#define FAULTS   UAPI_HWPT_FAULT_ID_VALID
#define NO_CLEAR UAPI_HWPT_GET_DIRTY_BITMAP_NO_CLEAR

static int setup(void **state)
{
	struct hw_rig *const rig = hw_new();

	hw_bind(rig, HW_PLAIN);
	hw_bind(rig, HW_NO_DIRTY);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	hw_free(*state);
	return 0;
}

static int table(struct hw_rig *rig, uint32_t flags)
{
	return hw_table(rig, HW_PLAIN, rig->ioas, flags);
}

/* The objects are the address space and two devices, before and after. */
static void refused(void **state)
{
	const struct emu_test_hwpt_data huge = {.table = 2};
	struct hw_rig *const rig = *state;
	struct uapi_hwpt_alloc cmd = {.size = sizeof(cmd), .dev_id = 2, .pt_id = rig->ioas};

	cmd.reserved = 1;
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_HWPT_ALLOC, &cmd), -EOPNOTSUPP);
	cmd.reserved = 0;
	cmd.data_len = 4;
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_HWPT_ALLOC, &cmd), -EINVAL);
	cmd.data_len = 0;
	cmd.data_type = EMU_TEST_HWPT_DATA;
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_HWPT_ALLOC, &cmd), -EINVAL);
	cmd.data_type = 0;
	cmd.dev_id = rig->ioas;
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_HWPT_ALLOC, &cmd), -ENOENT);
	cmd.dev_id = 2;
	cmd.pt_id = 99;
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_HWPT_ALLOC, &cmd), -EINVAL);
	cmd.pt_id = 2;
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_HWPT_ALLOC, &cmd), -EINVAL);
	assert_int_equal(table(rig, 1U << 4), -EOPNOTSUPP);
	assert_int_equal(table(rig, NEST | FAULTS), -EOPNOTSUPP);
	assert_int_equal(table(rig, FAULTS), -ENOENT);
	assert_int_equal(hw_table(rig, HW_NO_DIRTY, rig->ioas, DIRTY), -EOPNOTSUPP);
	assert_int_equal(hw_table_with(rig, HW_PLAIN, rig->ioas, 0, 1, &huge, 8), -EOPNOTSUPP);
	assert_int_equal(hw_table_with(rig, HW_PLAIN, rig->ioas, 0, 0xdead, &huge, 3), -EINVAL);
	assert_int_equal(hw_table_with(rig, HW_PLAIN, rig->ioas, 0, 0xdead, &huge, 9), -EINVAL);
	assert_int_equal(hw_table_with(rig, HW_PLAIN, rig->ioas, 0, 0xdead, &huge, 8), -EOPNOTSUPP);
	assert_int_equal(hw_table_with(rig, HW_PLAIN, rig->ioas, 0, 0xdead, (void *)1, 8), -EFAULT);
	cmd.pt_id = rig->ioas;
	assert_int_equal(hw_ioctl_lost(rig, UAPI_IOC_HWPT_ALLOC, &cmd, sizeof(cmd)), -EFAULT);
	assert_int_equal(rig->ctx->objects.count, 3);
	assert_int_equal(hw_users(rig, rig->ioas), 0);
	/* Nothing of that has cost an id. */
	assert_int_equal(table(rig, NEST | DIRTY | PASID), 4);
	assert_int_equal(hw_users(rig, rig->ioas), 1);
	assert_int_equal(hw_destroy(rig, rig->ioas), -EBUSY);
}

static bool has(struct hw_rig *rig, int id, uint64_t iova, const void *memory)
{
	struct emu_object *const object = emu_object_find(rig->ctx, (uint32_t)id, EMU_HWPT_PAGING);
	struct emu_domain *const domain = emu_hwpt_of(object)->domain;

	return domain->ops->phys(domain, iova) == (uintptr_t)memory;
}

/* What is mapped before, and after; each page table has all of it. */
static void filled(void **state)
{
	const struct emu_test_hwpt_data huge = {.table = EMU_TEST_HUGE};
	struct hw_rig *const rig = *state;
	int one, two, all;

	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	one = table(rig, 0);
	assert_true(has(rig, one, HW_IOVA + 5, rig->memory + 5));
	two = table(rig, 0);
	assert_int_equal(hw_map(rig, rig->ioas, 2 * HW_IOVA), 0);
	assert_true(has(rig, one, 2 * HW_IOVA, rig->memory));
	assert_true(has(rig, two, 2 * HW_IOVA, rig->memory));
	/* The aperture of each of them counts. */
	assert_int_equal(hw_map(rig, rig->ioas, EMU_TEST_APERTURE - EMU_PAGE), -EINVAL);
	assert_int_equal(hw_destroy(rig, (uint32_t)one), 0);
	assert_int_equal(hw_map(rig, rig->ioas, 0), -EINVAL);
	assert_int_equal(hw_destroy(rig, (uint32_t)two), 0);
	assert_int_equal(hw_map(rig, rig->ioas, 0), 0);
	/* What lies outside of it is in the way; the large pages reach further. */
	assert_int_equal(table(rig, 0), -EADDRINUSE);
	assert_int_equal(hw_map(rig, rig->ioas, UINT64_C(1) << 38), 0);
	all = hw_table_with(rig, HW_PLAIN, rig->ioas, 0, EMU_TEST_HWPT_DATA, &huge, sizeof(huge));
	assert_int_equal(all, -EADDRINUSE);
	assert_int_equal(rig->ctx->objects.count, 3);
}

static void nested(void **state)
{
	struct hw_rig *const rig = *state;
	const uint32_t plain = (uint32_t)table(rig, 0);
	const uint32_t parent = (uint32_t)table(rig, NEST);
	const struct emu_test_hwpt_data data = {.value = 7};
	const uint32_t *cached;
	uint32_t id;

	assert_int_equal(hw_nested(rig, HW_PLAIN, plain, 0), -EINVAL);
	assert_int_equal(hw_nested(rig, HW_PLAIN, parent, DIRTY), -EOPNOTSUPP);
	assert_int_equal(hw_table(rig, HW_PLAIN, parent, 0), -EOPNOTSUPP);
	assert_int_equal(hw_table_with(rig, HW_PLAIN, parent, 0, 1, &data, 8), -EOPNOTSUPP);
	assert_int_equal(hw_table_with(rig, HW_PLAIN, parent, 0, 0xdead, &data, 9), -EINVAL);
	/* The value alone is what the first version of the data had. */
	assert_int_equal(hw_table_with(rig, HW_PLAIN, parent, PASID, 0xdead, &data, 4), 6);
	id = 6;
	cached = emu_test_cached(
		emu_hwpt_of(emu_object_find(rig->ctx, id, EMU_HWPT_NESTED))->domain);
	for (size_t i = 0; i < EMU_TEST_CACHES; i++)
		assert_int_equal(cached[i], 7);
	assert_null(emu_test_cached(
		emu_hwpt_of(emu_object_find(rig->ctx, parent, EMU_HWPT_PAGING))->domain));
	assert_int_equal(hw_nested(rig, HW_PLAIN, id, 0), -EINVAL);
	assert_int_equal(hw_destroy(rig, parent), -EBUSY);
	/* What devices must not use is its parent's. */
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	assert_int_equal(hw_attach(rig, HW_PLAIN, id), 0);
	assert_int_equal(hw_attach(rig, HW_PLAIN, parent), 0);
	assert_int_equal(hw_destroy(rig, id), 0);
	emu_device_detach(rig->bound[HW_PLAIN], NULL);
	assert_int_equal(hw_destroy(rig, parent), 0);
}

/* DMA goes through both stages; at every PASID, which the guest has. */
static void dma_through_nested(void **state)
{
	struct hw_rig *const rig = *state;
	struct emu_dev *const dev = rig->devs[HW_PASIDS];
	uint32_t parent;
	char byte = 0;
	int id;

	hw_bind(rig, HW_PASIDS);
	parent = (uint32_t)hw_table(rig, HW_PASIDS, rig->ioas, NEST);
	id = hw_nested(rig, HW_PASIDS, parent, 0);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	rig->memory[9] = 'n';
	assert_int_equal(hw_attach(rig, HW_PASIDS, (uint32_t)id), 0);
	assert_int_equal(emu_dev_dma(dev, 0, HW_IOVA + 9, &byte, 1, EMU_READ, NULL), 0);
	assert_int_equal(byte, 'n');
	byte = 0;
	assert_int_equal(emu_dev_dma(dev, 77, HW_IOVA + 9, &byte, 1, EMU_READ, NULL), 0);
	assert_int_equal(byte, 'n');
	assert_int_equal(hw_attach(rig, HW_PASIDS, parent), 0);
	assert_int_equal(emu_dev_dma(dev, 77, HW_IOVA + 9, &byte, 1, EMU_READ, NULL), -EFAULT);
}

static int queue(struct hw_rig *rig, uint32_t *id)
{
	struct uapi_fault_alloc cmd = {.size = sizeof(cmd)};

	assert_int_equal(hw_ioctl(rig, UAPI_IOC_FAULT_QUEUE_ALLOC, &cmd), 0);
	*id = cmd.out_fault_id;
	return (int)cmd.out_fault_fd;
}

static int with_queue(struct hw_rig *rig, uint32_t fault_id, uint32_t *id)
{
	struct uapi_hwpt_alloc cmd = {.size = sizeof(cmd),
	                              .dev_id = rig->bound[HW_PLAIN]->object.id,
	                              .pt_id = rig->ioas,
	                              .flags = FAULTS,
	                              .fault_id = fault_id};
	const int error = hw_ioctl(rig, UAPI_IOC_HWPT_ALLOC, &cmd);

	*id = cmd.out_hwpt_id;
	return error;
}

static void fault_queues(void **state)
{
	struct hw_rig *const rig = *state;
	uint32_t fault_id, id;
	const int fd = queue(rig, &fault_id);

	assert_int_equal(with_queue(rig, rig->ioas, &id), -ENOENT);
	assert_int_equal(with_queue(rig, fault_id, &id), 0);
	assert_int_equal(hw_users(rig, fault_id), 2);
	assert_int_equal(hw_attach(rig, HW_PLAIN, id), 0);
	/* Not for virtual functions, which share what asks for pages. */
	rig->devs[HW_NO_DIRTY]->virtual_function = true;
	assert_int_equal(hw_attach(rig, HW_NO_DIRTY, id), 0);
	emu_device_detach(rig->bound[HW_NO_DIRTY], NULL);
	rig->devs[HW_NO_DIRTY]->page_requests = true;
	assert_int_equal(hw_attach(rig, HW_NO_DIRTY, id), -EINVAL);
	emu_device_detach(rig->bound[HW_PLAIN], NULL);
	assert_int_equal(hw_destroy(rig, id), 0);
	assert_int_equal(hw_users(rig, fault_id), 1);
	assert_int_equal(libiommu_emu_close(rig->emu, fd), 0);
	assert_int_equal(hw_destroy(rig, fault_id), 0);
}

static int info_of(struct hw_rig *rig, struct uapi_hw_info *cmd, enum hw_dev dev)
{
	cmd->size = sizeof(*cmd);
	cmd->dev_id = rig->bound[dev]->object.id;
	return hw_ioctl(rig, UAPI_IOC_GET_HW_INFO, cmd);
}

static void information(void **state)
{
	struct hw_rig *const rig = *state;
	struct emu_test_hw_info info[3];
	struct uapi_hw_info cmd = {.data_uptr = (uintptr_t)info};

	/* More room than there is to say, and less; the length is what there is. */
	memset(info, 9, sizeof(info));
	cmd.data_len = sizeof(info);
	assert_int_equal(info_of(rig, &cmd, HW_PLAIN), 0);
	assert_int_equal(cmd.data_len, sizeof(info[0]));
	assert_int_equal(cmd.out_data_type, EMU_TEST_HW_INFO);
	assert_int_equal(info[0].reg, EMU_TEST_HW_REGISTER);
	assert_true(!info[0].flags && !info[1].reg && !info[2].reg);
	memset(info, 9, sizeof(info));
	cmd = (struct uapi_hw_info){.data_uptr = (uintptr_t)info, .data_len = 4};
	assert_int_equal(info_of(rig, &cmd, HW_PLAIN), 0);
	assert_int_equal(cmd.data_len, sizeof(info[0]));
	assert_true(info[0].flags == 0 && info[0].reg == 0x09090909);
	/* What it can do. */
	assert_true(cmd.out_capabilities ==
	            (UAPI_HW_CAP_DIRTY_TRACKING | UAPI_HW_CAP_PCI_ATS_NOT_SUPPORTED));
	assert_int_equal(cmd.out_max_pasid_log2, 0);
	cmd = (struct uapi_hw_info){0};
	assert_int_equal(info_of(rig, &cmd, HW_NO_DIRTY), 0);
	assert_true(cmd.out_capabilities == UAPI_HW_CAP_PCI_ATS_NOT_SUPPORTED);
	hw_bind(rig, HW_PASIDS);
	rig->iommu->ats = rig->devs[HW_PASIDS]->ats = true;
	rig->devs[HW_PASIDS]->pasid_exec = rig->devs[HW_PASIDS]->pasid_privileged = true;
	cmd = (struct uapi_hw_info){0};
	assert_int_equal(info_of(rig, &cmd, HW_PASIDS), 0);
	assert_int_equal(cmd.out_max_pasid_log2, 20);
	assert_true(cmd.out_capabilities ==
	            (UAPI_HW_CAP_DIRTY_TRACKING | UAPI_HW_CAP_PCI_PASID_EXEC |
	             UAPI_HW_CAP_PCI_PASID_PRIV));
}

static void information_that_is_refused(void **state)
{
	struct hw_rig *const rig = *state;
	struct uapi_hw_info cmd = {.flags = 2};
	char *const pages = mmap(NULL, 2 * EMU_PAGE, PROT_READ | PROT_WRITE,
	                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(pages != MAP_FAILED);
	assert_int_equal(info_of(rig, &cmd, HW_PLAIN), -EOPNOTSUPP);
	cmd = (struct uapi_hw_info){.reserved = {0, 0, 1}};
	assert_int_equal(info_of(rig, &cmd, HW_PLAIN), -EOPNOTSUPP);
	/* A type without its flag is none; with it, it must be the driver's. */
	cmd = (struct uapi_hw_info){.in_data_type = 1};
	assert_int_equal(info_of(rig, &cmd, HW_PLAIN), 0);
	cmd = (struct uapi_hw_info){.in_data_type = 1, .flags = UAPI_HW_INFO_FLAG_INPUT_TYPE};
	assert_int_equal(info_of(rig, &cmd, HW_PLAIN), -EOPNOTSUPP);
	cmd.in_data_type = EMU_TEST_HW_INFO;
	assert_int_equal(info_of(rig, &cmd, HW_PLAIN), 0);
	hw_bind(rig, HW_NOIOMMU);
	cmd = (struct uapi_hw_info){0};
	assert_int_equal(info_of(rig, &cmd, HW_NOIOMMU), -EOPNOTSUPP);
	cmd = (struct uapi_hw_info){.size = sizeof(cmd), .dev_id = rig->ioas};
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_GET_HW_INFO, &cmd), -ENOENT);
	/* No memory for what it says, or for what it does not say. */
	cmd = (struct uapi_hw_info){.data_uptr = 1, .data_len = 8};
	assert_int_equal(info_of(rig, &cmd, HW_PLAIN), -EFAULT);
	munmap(pages + EMU_PAGE, EMU_PAGE);
	cmd = (struct uapi_hw_info){.data_uptr = (uintptr_t)pages, .data_len = EMU_PAGE + 1};
	assert_int_equal(info_of(rig, &cmd, HW_PLAIN), -EFAULT);
	cmd.data_len = EMU_PAGE;
	assert_int_equal(info_of(rig, &cmd, HW_PLAIN), 0);
	munmap(pages, EMU_PAGE);
}

static void allocations(void **state)
{
	struct hw_rig *const rig = *state;
	const uint32_t parent = (uint32_t)table(rig, NEST);

	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	for (int step = 0; step < 2; step++)
		for (unsigned int nth = 1;; nth++) {
			const int users = hw_users(rig, step ? parent : rig->ioas);
			int error;

			emu_heap_fail(nth);
			error = step ? hw_nested(rig, HW_PLAIN, parent, 0) : table(rig, 0);
			if (!emu_heap_stop()) {
				assert_true(error > 0);
				assert_true(nth > 2);
				break;
			}
			assert_int_equal(error, -ENOMEM);
			assert_int_equal(hw_users(rig, step ? parent : rig->ioas), users);
		}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refused),      TEST(filled),
		TEST(nested),       TEST(dma_through_nested),
		TEST(fault_queues), TEST(information),
		TEST(allocations),  TEST(information_that_is_refused),
	};

	return cmocka_run_group_tests_name("hwpt", tests, NULL, NULL);
}
