/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The test driver's IOMMU: its vIOMMUs, what they cache, their queues; and that the formats are
 * those that the conformance suite has.
 */
#include "hw-rig.h"

#include <string.h>
#include <sys/mman.h>

#include "../../emu/viommu.h"
#include "../vm/mock-format.h"

_Static_assert(MOCK_APERTURE == EMU_TEST_APERTURE && MOCK_APERTURE_LAST == EMU_TEST_APERTURE_LAST,
               "where IOVAs are");
_Static_assert(MOCK_PASID_BITS == EMU_TEST_PASID_BITS && MOCK_CACHES == EMU_TEST_CACHES &&
                       MOCK_ALL == EMU_TEST_ALL && MOCK_HW_QUEUES == EMU_TEST_HW_QUEUES,
               "how many there are");
_Static_assert(MOCK_HWPT_DATA == EMU_TEST_HWPT_DATA && MOCK_HW_INFO == EMU_TEST_HW_INFO &&
                       MOCK_HW_REGISTER == EMU_TEST_HW_REGISTER &&
                       MOCK_INVALIDATE == EMU_TEST_INVALIDATE && MOCK_VIOMMU == EMU_TEST_VIOMMU &&
                       MOCK_VEVENTQ == EMU_TEST_VEVENTQ && MOCK_HW_QUEUE == EMU_TEST_HW_QUEUE &&
                       MOCK_DEV_CACHED == EMU_TEST_DEV_CACHED,
               "numbers");
_Static_assert(sizeof(struct mock_hwpt_data) == sizeof(struct emu_test_hwpt_data) &&
                       sizeof(struct mock_hw_info) == sizeof(struct emu_test_hw_info) &&
                       sizeof(struct mock_hwpt_entry) == sizeof(struct emu_test_hwpt_entry) &&
                       sizeof(struct mock_viommu_data) == sizeof(struct emu_test_viommu_data) &&
                       sizeof(struct mock_viommu_entry) == sizeof(struct emu_test_viommu_entry),
               "layouts");

struct guest {
	struct hw_rig *rig;
	uint32_t parent, viommu;
	struct emu_test_viommu_data data;
};

static int make_viommu(struct guest *guest, uint32_t type, uint32_t length)
{
	struct uapi_viommu_alloc cmd = {
		.size = sizeof(cmd),
		.type = type,
		.dev_id = guest->rig->bound[HW_PLAIN]->object.id,
		.hwpt_id = guest->parent,
		.data_len = length,
		.data_uptr = length ? (uintptr_t)&guest->data : 0,
	};
	const int error = hw_ioctl(guest->rig, UAPI_IOC_VIOMMU_ALLOC, &cmd);

	return error ? error : (int)cmd.out_viommu_id;
}

static int make_vdevice(struct guest *guest, enum hw_dev dev, uint64_t virt_id)
{
	struct uapi_vdevice_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = guest->viommu,
		.dev_id = guest->rig->bound[dev]->object.id,
		.virt_id = virt_id,
	};
	const int error = hw_ioctl(guest->rig, UAPI_IOC_VDEVICE_ALLOC, &cmd);

	return error ? error : (int)cmd.out_vdevice_id;
}

static int setup(void **state)
{
	static struct guest guest;

	guest = (struct guest){.rig = hw_new(), .data = {.in = 1234}};
	hw_bind(guest.rig, HW_PLAIN);
	guest.parent = (uint32_t)hw_table(guest.rig, HW_PLAIN, guest.rig->ioas,
	                                  UAPI_HWPT_ALLOC_NEST_PARENT);
	guest.viommu = (uint32_t)make_viommu(&guest, EMU_TEST_VIOMMU, sizeof(guest.data));
	*state = &guest;
	return 0;
}

static int teardown(void **state)
{
	hw_free(((struct guest *)*state)->rig);
	return 0;
}

static void data_and_pages(void **state)
{
	struct guest *const guest = *state;
	struct hw_rig *const rig = guest->rig;
	void *mapped = NULL;

	assert_int_equal(guest->data.out, 1234);
	assert_int_equal(guest->data.length, 2 * EMU_PAGE);
	assert_int_equal(libiommu_emu_mmap(rig->emu, NULL, (size_t)guest->data.length,
	                                   PROT_READ | PROT_WRITE, MAP_SHARED, rig->fd,
	                                   guest->data.offset, &mapped),
	                 0);
	assert_int_equal(*(uint32_t *)mapped, 1234);
	assert_int_equal(hw_destroy(rig, guest->viommu), -EBUSY);
	assert_int_equal(libiommu_emu_munmap(rig->emu, mapped, (size_t)guest->data.length), 0);
	assert_int_equal(hw_destroy(rig, guest->viommu), 0);
	/* Without data there are no pages; data must be what they are. */
	assert_int_equal(make_viommu(guest, EMU_TEST_VIOMMU + 1, 0), -EOPNOTSUPP);
	assert_int_equal(make_viommu(guest, EMU_TEST_VIOMMU, 4), -EINVAL);
	assert_int_equal(make_viommu(guest, EMU_TEST_VIOMMU, 0), guest->viommu);
}

static int invalidate(struct guest *guest, const struct emu_test_viommu_entry *entries,
                      uint32_t *count)
{
	struct uapi_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = guest->viommu,
		.data_uptr = (uintptr_t)entries,
		.data_type = EMU_TEST_INVALIDATE,
		.entry_len = sizeof(entries[0]),
		.entry_num = *count,
	};
	const int error = hw_ioctl(guest->rig, UAPI_IOC_HWPT_INVALIDATE, &cmd);

	*count = cmd.entry_num;
	return error;
}

static void caches_of_devices(void **state)
{
	struct guest *const guest = *state;
	const struct emu_test_viommu_entry entries[] = {{0, 5, 1}, {0, 5, 3}, {2, 5, 0},
	                                                {0, 6, 0}, {0, 5, 4}, {1, 5, 0}};
	static const struct {
		uint32_t first, count, done;
		int error;
	} tries[] = {{0, 3, 2, -EOPNOTSUPP}, {3, 1, 0, -EINVAL}, {4, 1, 0, -EINVAL}};
	const uint32_t *const caches = emu_test_dev_of(guest->rig->devs[HW_PLAIN])->caches;
	uint32_t count = 0;

	assert_int_equal(make_vdevice(guest, HW_PLAIN, 5), 5);
	assert_int_equal(invalidate(guest, NULL, &count), 0);
	for (size_t i = 0; i < 3; i++) {
		count = tries[i].count;
		assert_int_equal(invalidate(guest, entries + tries[i].first, &count),
		                 tries[i].error);
		assert_int_equal(count, tries[i].done);
		assert_true(caches[0] == EMU_TEST_DEV_CACHED && !caches[1]);
		assert_true(caches[2] == EMU_TEST_DEV_CACHED && !caches[3]);
	}
	count = 1;
	emu_heap_fail(1);
	assert_int_equal(invalidate(guest, entries + 5, &count), -ENOMEM);
	emu_heap_stop();
	/* The driver says that all were handled. */
	assert_int_equal(count, 1);
	assert_int_equal(invalidate(guest, entries + 5, &count), 0);
	assert_true(!caches[0] && !caches[2]);
}

/* Only who has a name there gets a page table of the vIOMMU; a second device can share it. */
static void nested_tables(void **state)
{
	struct guest *const guest = *state;
	struct hw_rig *const rig = guest->rig;
	uint32_t id;

	assert_int_equal(hw_nested(rig, HW_PLAIN, guest->viommu, UAPI_HWPT_ALLOC_DIRTY_TRACKING),
	                 -EOPNOTSUPP);
	assert_int_equal(hw_table(rig, HW_PLAIN, guest->viommu, 0), -EOPNOTSUPP);
	id = (uint32_t)hw_nested(rig, HW_PLAIN, guest->viommu, 0);
	assert_int_equal(hw_users(rig, guest->viommu), 1);
	assert_int_equal(hw_users(rig, guest->parent), 1);
	assert_int_equal(hw_attach(rig, HW_PLAIN, id), -ENOENT);
	assert_int_equal(make_vdevice(guest, HW_PLAIN, 5), 6);
	assert_int_equal(emu_test_event(rig->devs[HW_PLAIN]), -ENOENT);
	assert_int_equal(hw_attach(rig, HW_PLAIN, id), 0);
	/* Nobody has a queue for it yet. */
	assert_int_equal(emu_test_event(rig->devs[HW_PLAIN]), -EOPNOTSUPP);
	/* Without an IOMMU it is another one. */
	hw_bind(rig, HW_NOIOMMU);
	assert_int_equal(hw_nested(rig, HW_NOIOMMU, guest->viommu, 0), -EINVAL);
	emu_device_detach(rig->bound[HW_PLAIN], NULL);
	assert_int_equal(emu_test_event(rig->devs[HW_PLAIN]), -ENOENT);
	assert_int_equal(hw_destroy(rig, id), 0);
	assert_int_equal(hw_users(rig, guest->viommu), 1);
}

static void events(void **state)
{
	struct guest *const guest = *state;
	struct hw_rig *const rig = guest->rig;
	struct uapi_veventq_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = guest->viommu,
		.type = EMU_TEST_VEVENTQ,
		.veventq_depth = 2,
	};
	uint32_t record[3] = {0};
	uint32_t id;

	assert_int_equal(make_vdevice(guest, HW_PLAIN, UINT64_C(0x100000005)), 5);
	id = (uint32_t)hw_nested(rig, HW_PLAIN, guest->viommu, 0);
	assert_int_equal(hw_attach(rig, HW_PLAIN, id), 0);
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_VEVENTQ_ALLOC, &cmd), 0);
	assert_int_equal(emu_test_event(rig->devs[HW_PLAIN]), 0);
	assert_int_equal(
		libiommu_emu_read(rig->emu, (int)cmd.out_veventq_fd, record, sizeof(record)),
		sizeof(record));
	/* The name in the driver's 32 bits. */
	assert_int_equal(record[2], 5);
	assert_int_equal(libiommu_emu_close(rig->emu, (int)cmd.out_veventq_fd), 0);
}

static int make_queue(struct guest *guest, uint32_t index, uint64_t iova)
{
	struct uapi_hw_queue_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = guest->viommu,
		.type = EMU_TEST_HW_QUEUE,
		.index = index,
		.nesting_parent_iova = iova,
		.length = EMU_PAGE,
	};
	const int error = hw_ioctl(guest->rig, UAPI_IOC_HW_QUEUE_ALLOC, &cmd);

	return error ? error : (int)cmd.out_hw_queue_id;
}

static void hardware_queues(void **state)
{
	struct guest *const guest = *state;
	struct hw_rig *const rig = guest->rig;
	int one, two, three;

	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	assert_int_equal(make_queue(guest, 2, HW_IOVA), -EINVAL);
	assert_int_equal(make_queue(guest, 1, HW_IOVA), -EIO);
	one = make_queue(guest, 0, HW_IOVA);
	assert_true(one > 0);
	assert_int_equal(make_queue(guest, 0, HW_IOVA), -EEXIST);
	two = make_queue(guest, 1, HW_IOVA + EMU_PAGE);
	assert_true(two > 0);
	/* The second stands on the first. */
	assert_int_equal(hw_destroy(rig, (uint32_t)one), -EBUSY);
	assert_int_equal(hw_destroy(rig, (uint32_t)two), 0);
	/* The driver takes it for the first that has ended. */
	assert_int_equal(make_queue(guest, 1, HW_IOVA), -EEXIST);
	three = make_queue(guest, 0, HW_IOVA);
	assert_true(three > 0);
	assert_int_equal(hw_destroy(rig, (uint32_t)one), 0);
	assert_int_equal(hw_destroy(rig, (uint32_t)three), 0);
	assert_int_equal(hw_destroy(rig, guest->viommu), 0);
}

static void allocations(void **state)
{
	struct guest *const guest = *state;
	struct hw_rig *const rig = guest->rig;
	struct libiommu_emu_iommu *iommu = NULL;
	const struct emu_dev_spec spec = {.iommu = rig->iommu};
	struct emu_dev *dev;
	unsigned int nth = 1;

	for (;; nth++) {
		const size_t objects = rig->ctx->objects.count;
		int error;

		emu_heap_fail(nth);
		error = make_viommu(guest, EMU_TEST_VIOMMU, sizeof(guest->data));
		if (!emu_heap_stop())
			break;
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(rig->ctx->objects.count, objects);
	}
	assert_true(nth > 2);
	assert_int_equal(libiommu_emu_iommu_add_test(NULL, &iommu), -EINVAL);
	assert_int_equal(libiommu_emu_iommu_add_test(rig->emu, NULL), -EINVAL);
	emu_heap_fail(1);
	assert_int_equal(libiommu_emu_iommu_add_test(rig->emu, &iommu), -ENOMEM);
	assert_true(emu_heap_stop());
	assert_null(iommu);
	/* The device, its group, and what the driver has of it. */
	for (nth = 1; nth <= 3; nth++) {
		emu_heap_fail(nth);
		assert_int_equal(emu_dev_new(rig->emu, &spec, &dev), -ENOMEM);
		assert_true(emu_heap_stop());
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(data_and_pages), TEST(caches_of_devices), TEST(nested_tables),
		TEST(events),         TEST(hardware_queues),   TEST(allocations),
	};

	return cmocka_run_group_tests_name("test-iommu", tests, NULL, NULL);
}
