/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a test sees of the machine, and what it does to its hardware. */
#include "hw-rig.h"

#include <sys/mman.h>
#include <unistd.h>

#include "../../emu/dmabuf.h"

static int setup(void **state)
{
	*state = hw_new();
	return 0;
}

static int teardown(void **state)
{
	hw_free(*state);
	return 0;
}

static struct libiommu_emu_device *public_of(struct hw_rig *rig, enum hw_dev dev)
{
	return (struct libiommu_emu_device *)rig->devs[dev];
}

static void devices_and_tables(void **state)
{
	struct hw_rig *const rig = *state;
	struct libiommu_emu_device *found = NULL;
	uint32_t id = hw_bind(rig, HW_PASIDS)->object.id, table = 9;

	assert_int_equal(libiommu_emu_find_device(rig->emu, rig->fd, id, &found), 0);
	assert_ptr_equal(found, public_of(rig, HW_PASIDS));
	assert_int_equal(libiommu_emu_find_device(rig->emu, rig->fd, rig->ioas, &found), -ENOENT);
	assert_int_equal(libiommu_emu_find_device(rig->emu, -1, id, &found), -EBADF);
	assert_int_equal(libiommu_emu_find_device(NULL, rig->fd, id, &found), -EINVAL);
	assert_int_equal(libiommu_emu_find_device(rig->emu, rig->fd, id, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_find_attached(found, 0, &table), 0);
	assert_int_equal(table, 0);
	id = (uint32_t)hw_table(rig, HW_PASIDS, rig->ioas, UAPI_HWPT_ALLOC_PASID);
	assert_int_equal(hw_attach(rig, HW_PASIDS, id), 0);
	assert_int_equal(hw_attach_pasid(rig, HW_PASIDS, 5, id), 0);
	for (uint32_t pasid = 0; pasid <= 5; pasid += 5) {
		assert_int_equal(libiommu_emu_find_attached(found, pasid, &table), 0);
		assert_int_equal(table, id);
	}
	assert_int_equal(libiommu_emu_find_attached(found, 6, &table), 0);
	assert_int_equal(table, 0);
	assert_int_equal(libiommu_emu_find_attached(NULL, 6, &table), -EINVAL);
	assert_int_equal(libiommu_emu_find_attached(found, 6, NULL), -EINVAL);
}

static int check(struct hw_rig *rig, uint32_t table, uint64_t iova, const void *memory,
                 uint64_t length)
{
	return libiommu_emu_check_map(rig->emu, rig->fd, table, iova, memory, length);
}

static void mapped_memory(void **state)
{
	struct hw_rig *const rig = *state;
	char *const other = mremap(rig->memory, 0, EMU_PAGE, MREMAP_MAYMOVE);
	uint32_t table;

	if (other == MAP_FAILED) {
		print_message(
			"skipped: no second address for memory, which valgrind does not have\n");
		skip();
	}
	hw_bind(rig, HW_PLAIN);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	assert_int_equal(libiommu_emu_check_pins(rig->emu, rig->memory, EMU_PAGE, 0), 0);
	table = (uint32_t)hw_table(rig, HW_PLAIN, rig->ioas, 0);
	assert_int_equal(check(rig, table, HW_IOVA, rig->memory, 16 * EMU_PAGE), 0);
	assert_int_equal(check(rig, table, HW_IOVA, other, EMU_PAGE), 0);
	assert_int_equal(check(rig, table, HW_IOVA + EMU_PAGE, other, EMU_PAGE), -EINVAL);
	assert_int_equal(check(rig, table, HW_IOVA + 17 * EMU_PAGE, other, EMU_PAGE), -EINVAL);
	assert_int_equal(check(rig, table, HW_IOVA + 1024, rig->memory + 1024, EMU_PAGE), -EINVAL);
	assert_int_equal(check(rig, rig->ioas, HW_IOVA, rig->memory, EMU_PAGE), -ENOENT);
	assert_int_equal(check(rig, table, HW_IOVA, NULL, EMU_PAGE), -EINVAL);
	assert_int_equal(libiommu_emu_check_map(NULL, rig->fd, table, 0, rig, EMU_PAGE), -EINVAL);
	assert_int_equal(libiommu_emu_check_map(rig->emu, -1, table, 0, rig, EMU_PAGE), -EBADF);
	assert_int_equal(libiommu_emu_check_pins(rig->emu, rig->memory, EMU_PAGE, 1), 0);
	assert_int_equal(libiommu_emu_check_pins(rig->emu, rig->memory, EMU_PAGE, 2), -EIO);
	assert_int_equal(libiommu_emu_check_pins(rig->emu, rig->memory, 1, 2), -EINVAL);
	assert_int_equal(libiommu_emu_check_pins(NULL, rig->memory, EMU_PAGE, 1), -EINVAL);
	munmap(other, EMU_PAGE);
	assert_int_equal(check(rig, table, HW_IOVA, other, EMU_PAGE), -EFAULT);
}

static void charged(void **state)
{
	struct hw_rig *const rig = *state;
	uint64_t pinned = 7, locked = 7;

	hw_bind(rig, HW_PLAIN);
	hw_table(rig, HW_PLAIN, rig->ioas, 0);
	assert_int_equal(libiommu_emu_count_pinned(NULL, 0, &pinned, &locked), -EINVAL);
	assert_int_equal(libiommu_emu_count_pinned(rig->emu, 0, &pinned, &locked), 0);
	assert_int_equal(pinned, 0);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	assert_int_equal(libiommu_emu_count_pinned(rig->emu, getpid(), &pinned, NULL), 0);
	assert_int_equal(pinned, 16);
	assert_int_equal(libiommu_emu_count_pinned(rig->emu, getppid(), &pinned, NULL), 0);
	assert_int_equal(pinned, 0);
	assert_int_equal(libiommu_emu_count_pinned(rig->emu, 0, NULL, &locked), 0);
	assert_int_equal(locked, 0);
}

static void reserved(void **state)
{
	struct hw_rig *const rig = *state;

	assert_int_equal(libiommu_emu_reserve(rig->emu, rig->fd, rig->ioas, HW_IOVA, HW_IOVA), 0);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), -EINVAL);
	assert_int_equal(hw_map(rig, rig->ioas, 2 * HW_IOVA), 0);
	assert_int_equal(
		libiommu_emu_reserve(rig->emu, rig->fd, rig->ioas, 2 * HW_IOVA, UINT64_MAX),
		-EADDRINUSE);
	assert_int_equal(libiommu_emu_reserve(rig->emu, rig->fd, rig->ioas, 1, 0), -EINVAL);
	assert_int_equal(libiommu_emu_reserve(NULL, rig->fd, rig->ioas, 0, 1), -EINVAL);
	assert_int_equal(libiommu_emu_reserve(rig->emu, rig->fd, 77, 0, 1), -ENOENT);
	assert_int_equal(libiommu_emu_reserve(rig->emu, -1, rig->ioas, 0, 1), -EBADF);
}

static void written_pages(void **state)
{
	struct hw_rig *const rig = *state;
	uint64_t bits = 5, got = 0;
	struct uapi_hwpt_get_dirty_bitmap get = {.size = sizeof(get),
	                                         .iova = HW_IOVA,
	                                         .length = 16 * EMU_PAGE,
	                                         .page_size = EMU_PAGE,
	                                         .data = (uintptr_t)&got};
	struct uapi_hwpt_set_dirty_tracking track = {.size = sizeof(track),
	                                             .flags = UAPI_HWPT_DIRTY_TRACKING_ENABLE};
	uint32_t table;

	hw_bind(rig, HW_PLAIN);
	assert_int_equal(hw_map(rig, rig->ioas, HW_IOVA), 0);
	table = (uint32_t)hw_table(rig, HW_PLAIN, rig->ioas, UAPI_HWPT_ALLOC_DIRTY_TRACKING);
	assert_int_equal(libiommu_emu_test_write(rig->emu, rig->fd, table, HW_IOVA, 2 * EMU_PAGE,
	                                         EMU_PAGE, &got),
	                 -EINVAL);
	get.hwpt_id = track.hwpt_id = table;
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_HWPT_SET_DIRTY_TRACKING, &track), 0);
	assert_int_equal(libiommu_emu_test_write(rig->emu, rig->fd, table, HW_IOVA, 4 * EMU_PAGE,
	                                         EMU_PAGE, &bits),
	                 0);
	assert_int_equal(hw_ioctl(rig, UAPI_IOC_HWPT_GET_DIRTY_BITMAP, &get), 0);
	/* A large page is dirty as a whole. */
	assert_int_equal(got & 5, 5);
	assert_int_equal(libiommu_emu_test_write(NULL, rig->fd, table, 0, 1, 1, &bits), -EINVAL);
	assert_int_equal(libiommu_emu_test_write(rig->emu, rig->fd, table, 0, 1, 0, &bits),
	                 -EINVAL);
	assert_int_equal(libiommu_emu_test_write(rig->emu, rig->fd, table, 0, 0, 1, &bits),
	                 -EINVAL);
	assert_int_equal(libiommu_emu_test_write(rig->emu, rig->fd, table, 1, 2, 2, &bits),
	                 -EINVAL);
	assert_int_equal(libiommu_emu_test_write(rig->emu, rig->fd, table, 2, 3, 2, &bits),
	                 -EINVAL);
	assert_int_equal(libiommu_emu_test_write(rig->emu, rig->fd, table, 0, 1, 1, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_test_write(rig->emu, -1, table, 0, 1, 1, &bits), -EBADF);
	assert_int_equal(libiommu_emu_test_write(rig->emu, rig->fd, 77, 0, 1, 1, &bits), -ENOENT);
}

static void cached_values(void **state)
{
	struct hw_rig *const rig = *state;
	struct libiommu_emu_device *const device = public_of(rig, HW_PLAIN);
	uint32_t parent, nested, value = 0;

	hw_bind(rig, HW_PLAIN);
	parent = (uint32_t)hw_table(rig, HW_PLAIN, rig->ioas, UAPI_HWPT_ALLOC_NEST_PARENT);
	nested = (uint32_t)hw_nested(rig, HW_PLAIN, parent, 0);
	assert_int_equal(libiommu_emu_test_cached(rig->emu, rig->fd, nested, 3, &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(libiommu_emu_test_cached(rig->emu, rig->fd, nested, 4, &value), -EINVAL);
	assert_int_equal(libiommu_emu_test_cached(rig->emu, rig->fd, nested, 3, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_test_cached(NULL, rig->fd, nested, 3, &value), -EINVAL);
	assert_int_equal(libiommu_emu_test_cached(rig->emu, rig->fd, parent, 3, &value), -ENOENT);
	assert_int_equal(libiommu_emu_test_cached(rig->emu, -1, nested, 3, &value), -EBADF);
	assert_int_equal(libiommu_emu_test_device_cached(device, 3, &value), 0);
	assert_int_equal(value, EMU_TEST_DEV_CACHED);
	assert_int_equal(libiommu_emu_test_device_cached(device, 4, &value), -EINVAL);
	assert_int_equal(libiommu_emu_test_device_cached(device, 3, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_test_device_cached(NULL, 3, &value), -EINVAL);
	assert_int_equal(libiommu_emu_test_device_cached(public_of(rig, HW_NOIOMMU), 3, &value),
	                 -EINVAL);
	assert_int_equal(libiommu_emu_test_event(device), -ENOENT);
	assert_int_equal(libiommu_emu_test_event(NULL), -EINVAL);
	assert_int_equal(libiommu_emu_test_event(public_of(rig, HW_NOIOMMU)), -EINVAL);
}

static void exported_memory(void **state)
{
	struct hw_rig *const rig = *state;
	const int fd = libiommu_emu_export(rig->emu, EMU_PAGE + 1);
	struct emu_dmabuf *dmabuf;
	uint64_t value = 7;
	emu_phys at;

	assert_true(fd >= 0);
	dmabuf = emu_dmabuf_of(rig->emu, fd);
	assert_int_equal(dmabuf->length, 2 * EMU_PAGE);
	at = dmabuf->phys + 2 * EMU_PAGE - 8;
	assert_int_equal(emu_phys_write(rig->emu, at, &value, 8), 0);
	value = 0;
	assert_int_equal(emu_phys_read(rig->emu, at, &value, 8), 0);
	assert_int_equal(value, 7);
	assert_int_equal(emu_phys_read(rig->emu, at + 1, &value, 8), -EFAULT);
	assert_int_equal(libiommu_emu_export_revoke(rig->emu, fd, true), 0);
	assert_true(dmabuf->revoked);
	assert_int_equal(libiommu_emu_export_revoke(rig->emu, fd, false), 0);
	assert_false(dmabuf->revoked);
	assert_int_equal(libiommu_emu_export_revoke(rig->emu, rig->fd, false), -EINVAL);
	assert_int_equal(libiommu_emu_export_revoke(NULL, fd, false), -EINVAL);
	assert_int_equal(libiommu_emu_close(rig->emu, fd), 0);
	assert_int_equal(libiommu_emu_export(NULL, 1), -EINVAL);
	assert_int_equal(libiommu_emu_export(rig->emu, 0), -EINVAL);
	assert_int_equal(libiommu_emu_export(rig->emu, 512 * EMU_PAGE + 1), -EINVAL);
	for (unsigned int nth = 1; nth <= 2; nth++) {
		libiommu_emu_fail_allocation(nth);
		assert_int_equal(libiommu_emu_export(rig->emu, 1), -ENOMEM);
		assert_int_equal(libiommu_emu_stop_failing(), 1);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(devices_and_tables), TEST(mapped_memory), TEST(charged),
		TEST(reserved),           TEST(written_pages), TEST(cached_values),
		TEST(exported_memory),
	};

	return cmocka_run_group_tests_name("inspection", tests, NULL, NULL);
}
