/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* BARs as dma-bufs. */
#include "model-rig.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../../emu/heap.h"
#include "../../emu/phys.h"
#include "../../lib/base/uapi/iommufd.h"
#include "../../lib/base/uapi/vfio-feature.h"

/* Within what the test driver's IOMMU translates. */
#define IOVA UINT64_C(0x2000000)
#define GET  UAPI_VFIO_DEVICE_FEATURE_GET

enum { RANGES = 2 };

struct ask {
	uint32_t argsz, operation; /* uapi_vfio_device_feature */
	uint32_t bar, open_flags, flags, count;
	struct uapi_vfio_region_dma_range ranges[RANGES];
};

static struct model_rig rig;
static uint32_t ioas;

static int setup(void **state)
{
	struct uapi_ioas_alloc made = {.size = sizeof(made)};
	struct uapi_vfio_device_attach_iommufd_pt to = {
		.argsz = offsetof(struct uapi_vfio_device_attach_iommufd_pt, pasid)};

	(void)state;
	model_setup(&rig, NULL);
	model_set_config(&rig, EMU_PCI_COMMAND, 2, EMU_PCI_COMMAND_MEMORY);
	assert_int_equal(libiommu_emu_ioctl(rig.emu, rig.iommufd, UAPI_IOC_IOAS_ALLOC, &made), 0);
	ioas = made.out_ioas_id;
	to.pt_id = ioas;
	assert_int_equal(
		libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT, &to),
		0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	model_teardown(&rig);
	return 0;
}

/* A page of the first BAR. */
static struct ask one_page(uint64_t offset)
{
	return (struct ask){
		.argsz = sizeof(struct ask),
		.operation = GET | UAPI_VFIO_DEVICE_FEATURE_DMA_BUF,
		.open_flags = O_CLOEXEC,
		.count = 1,
		.ranges = {{.offset = offset, .length = EMU_PAGE}},
	};
}

static int export(struct ask *ask)
{
	return libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_FEATURE, ask);
}

static int map(int fd, uint64_t start, uint64_t length)
{
	struct uapi_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags =
			UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE | UAPI_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas,
		.fd = fd,
		.start = start,
		.length = length,
		.iova = IOVA,
	};

	return libiommu_emu_ioctl(rig.emu, rig.iommufd, UAPI_IOC_IOAS_MAP_FILE, &cmd);
}

static void unmap(void)
{
	struct uapi_ioas_unmap cmd = {
		.size = sizeof(cmd), .ioas_id = ioas, .iova = IOVA, .length = EMU_PAGE};

	assert_int_equal(libiommu_emu_ioctl(rig.emu, rig.iommufd, UAPI_IOC_IOAS_UNMAP, &cmd), 0);
}

/* What the device's DMA finds. */
static int reads(uint64_t at, void *to, size_t size)
{
	return libiommu_emu_device_read(rig.device, 0, IOVA + at, to, size, NULL);
}

static void reaches(void **state)
{
	const uint8_t written[] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
	struct ask ask = one_page(EMU_PAGE);
	uint8_t found[EMU_PAGE];
	int fd;

	(void)state;
	for (size_t i = 0; i < MODEL_SIZE; i++)
		rig.model->registers[i] = (uint8_t)(i * 7 + i / EMU_PAGE);
	fd = export(&ask);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(map(fd, 0, 2 * EMU_PAGE), -EINVAL);
	assert_int_equal(map(fd, 0, EMU_PAGE), 0);
	assert_int_equal(reads(0, found, sizeof(found)), 0);
	assert_memory_equal(found, rig.model->registers + EMU_PAGE, sizeof(found));
	assert_int_equal(rig.model->widest, 8);
	assert_int_equal(
		libiommu_emu_device_write(rig.device, 0, IOVA + 3, written, sizeof(written), NULL),
		0);
	assert_memory_equal(rig.model->registers + EMU_PAGE + 3, written, sizeof(written));
	assert_int_equal(libiommu_emu_close(rig.emu, fd), 0);
	assert_int_equal(reads(3, found, 1), 0);
	assert_int_equal(found[0], 9);
}

static void refuses(void **state)
{
	static const struct {
		uint32_t bar, flags, count;
		struct uapi_vfio_region_dma_range range;
		int error;
	} cases[] = {
		{UAPI_VFIO_PCI_ROM_REGION_INDEX, 0, 1, {0, EMU_PAGE}, -ENODEV},
		{1, 0, 1, {0, EMU_PAGE}, -ENODEV},
		{0, 1, 1, {0, EMU_PAGE}, -EINVAL},
		{0, 0, 0, {0, EMU_PAGE}, -EINVAL},
		{0, 0, 1, {8, EMU_PAGE}, -EINVAL},
		{0, 0, 1, {0, 8}, -EINVAL},
		{0, 0, 1, {0, 0}, -EINVAL},
		{0, 0, 1, {MODEL_SIZE, EMU_PAGE}, -EINVAL},
		{0, 0, 1, {EMU_PAGE, MODEL_SIZE}, -EINVAL},
		{0, 0, 1 << 20, {0, EMU_PAGE}, -ENOMEM},
	};
	struct ask ask;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ask = one_page(0);
		ask.bar = cases[i].bar;
		ask.flags = cases[i].flags;
		ask.count = cases[i].count;
		ask.ranges[0] = cases[i].range;
		assert_int_equal(export(&ask), cases[i].error);
	}
	ask = one_page(0);
	ask.argsz = 23;
	assert_int_equal(export(&ask), -EINVAL);
	ask = one_page(0);
	ask.operation = UAPI_VFIO_DEVICE_FEATURE_DMA_BUF;
	assert_int_equal(export(&ask), -EINVAL);
	ask.operation |= UAPI_VFIO_DEVICE_FEATURE_SET;
	assert_int_equal(export(&ask), -EINVAL);
	ask.operation = UAPI_VFIO_DEVICE_FEATURE_PROBE | GET | UAPI_VFIO_DEVICE_FEATURE_DMA_BUF;
	assert_int_equal(export(&ask), 0);
}

static void several(void **state)
{
	struct ask ask = one_page(EMU_PAGE);
	int fd;

	(void)state;
	ask.open_flags = 0;
	ask.count = 2;
	ask.ranges[1] = (struct uapi_vfio_region_dma_range){0, EMU_PAGE};
	fd = export(&ask);
	assert_true(fd >= 0);
	assert_false(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(map(fd, 0, EMU_PAGE), -EOPNOTSUPP);
	model_set_config(&rig, EMU_PCI_COMMAND, 2, 0);
	assert_int_equal(map(fd, 0, EMU_PAGE), -ENODEV);
	assert_int_equal(libiommu_emu_close(rig.emu, fd), 0);
}

/* With what lets nobody reach the device, and for good with its last descriptor. */
static void revoked(void **state)
{
	struct ask ask = one_page(0);
	uint8_t byte;
	int fd;

	(void)state;
	fd = export(&ask);
	assert_true(fd >= 0);
	assert_int_equal(map(fd, 0, EMU_PAGE), 0);
	model_set_config(&rig, EMU_PCI_COMMAND, 2, 0);
	assert_int_equal(reads(0, &byte, 1), -EFAULT);
	unmap();
	assert_int_equal(map(fd, 0, EMU_PAGE), -ENODEV);
	model_set_config(&rig, EMU_PCI_COMMAND, 2, EMU_PCI_COMMAND_MEMORY);
	assert_int_equal(map(fd, 0, EMU_PAGE), 0);
	assert_int_equal(reads(0, &byte, 1), 0);
	/* It was away for a moment. */
	assert_int_equal(libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_RESET, NULL), 0);
	assert_int_equal(reads(0, &byte, 1), -EFAULT);
	unmap();
	model_set_config(&rig, EMU_PCI_COMMAND, 2, EMU_PCI_COMMAND_MEMORY);
	assert_int_equal(map(fd, 0, EMU_PAGE), 0);
	assert_int_equal(libiommu_emu_close(rig.emu, rig.fd), 0);
	rig.fd = -1;
	unmap();
	assert_int_equal(map(fd, 0, EMU_PAGE), -ENODEV);
	assert_int_equal(libiommu_emu_close(rig.emu, fd), 0);
}

static void without_memory(void **state)
{
	struct ask ask = one_page(0);
	unsigned int nth = 0;
	int fd;

	(void)state;
	do {
		emu_heap_fail(++nth);
		fd = export(&ask);
	} while (emu_heap_stop() && fd == -ENOMEM);
	assert_true(fd >= 0);
	assert_true(nth > 2);
	assert_int_equal(libiommu_emu_close(rig.emu, fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reaches, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(several, setup, teardown),
		cmocka_unit_test_setup_teardown(revoked, setup, teardown),
		cmocka_unit_test_setup_teardown(without_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
