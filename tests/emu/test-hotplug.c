/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The host wants a device back, finds an error, or the device is pulled out. */
#include "model-rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../emu/heap.h"
#include "../../emu/trap.h"
#include "../../lib/base/uapi/fault.h"
#include "../../lib/base/uapi/hwpt.h"
#include "../../lib/base/uapi/iommufd.h"

/* Within what the test driver's IOMMU translates. */
#define IOVA UINT64_C(0x2000000)

static struct model_rig rig;
static int error_fd, request_fd;

static int setup(void **state)
{
	(void)state;
	error_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	request_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	model_setup(&rig, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	model_teardown(&rig);
	close(error_fd);
	close(request_fd);
	return 0;
}

static void listen_at(uint32_t index, int32_t fd)
{
	union {
		struct uapi_vfio_irq_set set;
		uint8_t room[sizeof(struct uapi_vfio_irq_set) + sizeof(fd)];
	} cmd;

	cmd.set = (struct uapi_vfio_irq_set){.argsz = sizeof(cmd.room),
	                                     .flags = UAPI_VFIO_IRQ_SET_DATA_EVENTFD |
	                                              UAPI_VFIO_IRQ_SET_ACTION_TRIGGER,
	                                     .index = index,
	                                     .count = 1};
	memcpy(cmd.room + sizeof(cmd.set), &fd, sizeof(fd));
	assert_int_equal(libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_SET_IRQS, &cmd),
	                 0);
}

static uint64_t taken(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static void let_go(void)
{
	assert_int_equal(libiommu_emu_close(rig.emu, rig.fd), 0);
	rig.fd = -1;
}

static int add(const char *address, struct libiommu_emu_device *member)
{
	struct libiommu_emu_device_config *config;
	struct libiommu_emu_device *device;
	struct libiommu_emu_iommu *iommu;
	int error;

	assert_int_equal(libiommu_emu_iommu_add_test(rig.emu, &iommu), 0);
	assert_int_equal(libiommu_emu_device_config_new(&config), 0);
	assert_int_equal(libiommu_emu_device_config_set_iommu(config, iommu), 0);
	assert_int_equal(libiommu_emu_device_config_set_address(config, address), 0);
	assert_int_equal(libiommu_emu_device_config_set_group(config, member), 0);
	error = libiommu_emu_device_add(rig.emu, config, &device);
	libiommu_emu_device_config_free(config);
	return error;
}

static void tells(void **state)
{
	(void)state;
	assert_int_equal(libiommu_emu_device_request(rig.device), 0);
	assert_int_equal(libiommu_emu_device_error(rig.device), 0);
	listen_at(UAPI_VFIO_PCI_ERR_IRQ_INDEX, error_fd);
	listen_at(UAPI_VFIO_PCI_REQ_IRQ_INDEX, request_fd);
	assert_int_equal(libiommu_emu_device_request(rig.device), 1);
	assert_int_equal(libiommu_emu_device_request(rig.device), 1);
	assert_int_equal(taken(request_fd), 2);
	assert_int_equal(taken(error_fd), 0);
	assert_int_equal(libiommu_emu_device_error(rig.device), 1);
	assert_int_equal(taken(error_fd), 1);
	assert_int_equal(taken(request_fd), 0);
	let_go();
	assert_int_equal(libiommu_emu_device_request(rig.device), 0);
	assert_int_equal(libiommu_emu_device_error(rig.device), 0);
}

static void all_ones(void)
{
	const uint32_t written = 0x12345678;
	uint32_t value = 0;

	/* The first four bytes are a copy that VFIO keeps. */
	assert_int_equal(model_config(&rig, 0, 4), 0x56781234);
	assert_int_equal(model_config(&rig, 8, 4), UINT32_MAX);
	assert_int_equal(model_pread(&rig, 0, 0, &value, sizeof(value)), sizeof(value));
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(model_pwrite(&rig, 0, 0, &written, sizeof(written)), sizeof(written));
	assert_int_equal(rig.model->writes, 0);
}

/* Under a program's hands. */
static void pulled_out(void **state)
{
	char *const address = strdup(libiommu_emu_device_address(rig.device));
	const volatile uint32_t *registers = NULL;
	uint64_t value = 0;
	int fd;

	(void)state;
	model_set_config(&rig, EMU_PCI_COMMAND, 2, EMU_PCI_COMMAND_MEMORY);
	listen_at(UAPI_VFIO_PCI_REQ_IRQ_INDEX, request_fd);
	if (emu_trap_works())
		registers = model_map(&rig, 0, PROT_READ, 0, MODEL_SIZE);
	if (registers)
		assert_int_equal(*registers, 0);
	assert_int_equal(libiommu_emu_device_remove(rig.device), 0);
	assert_int_equal(taken(request_fd), 1);
	all_ones();
	if (registers)
		assert_int_equal(*registers, UINT32_MAX);
	assert_int_equal(libiommu_emu_device_read(rig.device, 0, IOVA, &value, 8, NULL), -ENODEV);
	assert_int_equal(libiommu_emu_device_remove(rig.device), -ENODEV);
	assert_int_equal(libiommu_emu_device_request(rig.device), -ENODEV);
	assert_true(libiommu_emu_open(rig.emu, MODEL_NODE, O_RDWR) < 0);
	assert_int_equal(add(address, NULL), -EEXIST);
	if (registers)
		assert_int_equal(
			libiommu_emu_munmap(rig.emu, (void *)(uintptr_t)registers, MODEL_SIZE), 0);
	let_go();
	assert_int_equal(libiommu_emu_device_error(rig.device), -ENODEV);
	assert_int_equal(libiommu_emu_device_write(rig.device, 0, IOVA, &value, 8, NULL), -ENODEV);
	assert_int_equal(add(address, rig.device), -EINVAL);
	assert_int_equal(add(address, NULL), 0);
	fd = libiommu_emu_open(rig.emu, MODEL_NODE, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(libiommu_emu_close(rig.emu, fd), 0);
	free(address);
}

static void pulled_out_idle(void **state)
{
	uint32_t hwpt;

	(void)state;
	let_go();
	assert_int_equal(libiommu_emu_device_remove(rig.device), 0);
	assert_int_equal(libiommu_emu_open(rig.emu, MODEL_NODE, O_RDWR), -ENOENT);
	assert_int_equal(libiommu_emu_device_remove(rig.device), -ENODEV);
	assert_int_equal(libiommu_emu_find_attached(rig.device, 0, &hwpt), 0);
	assert_int_equal(hwpt, 0);
	assert_int_equal(add(libiommu_emu_device_address(rig.device), NULL), 0);
}

static int ask(unsigned long request, void *cmd)
{
	return libiommu_emu_ioctl(rig.emu, rig.iommufd, request, cmd);
}

/* Attaches a page table whose faults somebody hears; the queue's descriptor. */
static int attach(void)
{
	struct uapi_fault_alloc queue = {.size = sizeof(queue)};
	struct uapi_ioas_alloc ioas = {.size = sizeof(ioas)};
	struct uapi_hwpt_alloc hwpt = {
		.size = sizeof(hwpt), .flags = UAPI_HWPT_FAULT_ID_VALID, .dev_id = 1};
	struct uapi_vfio_device_attach_iommufd_pt to = {
		.argsz = offsetof(struct uapi_vfio_device_attach_iommufd_pt, pasid)};

	assert_int_equal(ask(UAPI_IOC_FAULT_QUEUE_ALLOC, &queue), 0);
	assert_int_equal(ask(UAPI_IOC_IOAS_ALLOC, &ioas), 0);
	hwpt.pt_id = ioas.out_ioas_id;
	hwpt.fault_id = queue.out_fault_id;
	assert_int_equal(ask(UAPI_IOC_HWPT_ALLOC, &hwpt), 0);
	to.pt_id = hwpt.out_hwpt_id;
	assert_int_equal(
		libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT, &to),
		0);
	return (int)queue.out_fault_fd;
}

/* Nobody has to answer for it any more. */
static void waiting(void **state)
{
	const int queue = attach();
	struct libiommu_emu_transfer *transfer;
	uint64_t value = 0;

	(void)state;
	assert_int_equal(libiommu_emu_transfer_start(rig.device, 0, 0, IOVA, &value, 8, &transfer),
	                 0);
	assert_int_equal(libiommu_emu_transfer_wait(transfer, 0), -ETIMEDOUT);
	assert_int_equal(libiommu_emu_device_remove(rig.device), 0);
	assert_int_equal(libiommu_emu_transfer_wait(transfer, -1), -ENODEV);
	let_go();
	assert_int_equal(libiommu_emu_transfer_wait(transfer, -1), -ENODEV);
	libiommu_emu_transfer_end(transfer);
	assert_int_equal(libiommu_emu_close(rig.emu, queue), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tells, setup, teardown),
		cmocka_unit_test_setup_teardown(pulled_out, setup, teardown),
		cmocka_unit_test_setup_teardown(pulled_out_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(waiting, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
