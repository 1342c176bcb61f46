/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * What the node of a real device says and does when it is asked past the library: the reasons for
 * what the library refuses, or asks first.
 */
#include "edu.h"
#include "vm.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/uapi/iommufd.h"
#include "base/uapi/vfio-pci.h"
#include "base/uapi/vfio.h"

#define RAW(wanted, call) vm_expect((call), (wanted), #call, __FILE__, __LINE__)

/* Of the nodes of PCI devices: a region for each index. */
#define REGION(index) ((off_t)(index) << 40)

enum { PASID = 5, COMMAND = 4, COMMAND_MASTER = 6, REGISTERS = 1 << 20 };

static int call(int fd, unsigned long request, void *arg)
{
	const int result = ioctl(fd, request, arg);

	return result < 0 ? -errno : result;
}

static int bind_to(int device, int iommufd)
{
	struct uapi_vfio_device_bind_iommufd bind = {
		.argsz = offsetof(struct uapi_vfio_device_bind_iommufd, token_uuid_ptr),
		.iommufd = iommufd};

	return call(device, UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

static struct uapi_vfio_device_attach_iommufd_pt attachment(uint32_t pt_id, uint32_t pasid,
                                                            uint32_t flags)
{
	return (struct uapi_vfio_device_attach_iommufd_pt){
		.argsz = flags ? sizeof(struct uapi_vfio_device_attach_iommufd_pt)
	                       : offsetof(struct uapi_vfio_device_attach_iommufd_pt, pasid),
		.flags = flags,
		.pt_id = pt_id,
		.pasid = pasid};
}

static int attach(int device, uint32_t pt_id, uint32_t pasid, uint32_t flags)
{
	struct uapi_vfio_device_attach_iommufd_pt cmd = attachment(pt_id, pasid, flags);

	return call(device, UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);
}

static int detach_from(int device, uint32_t pasid, uint32_t flags)
{
	struct uapi_vfio_device_detach_iommufd_pt cmd = {
		.argsz = flags ? sizeof(cmd)
	                       : offsetof(struct uapi_vfio_device_detach_iommufd_pt, pasid),
		.flags = flags,
		.pasid = pasid};

	return call(device, UAPI_IOC_VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);
}

static int detach(int device)
{
	return detach_from(device, 0, 0);
}

/* The kernel's own answer: the library would give its own first. */
static int destroy(const struct vm *vm, uint32_t id)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = id};

	return call(libiommu_ctx_fd(vm->ctx), UAPI_IOC_DESTROY, &cmd);
}

static uint32_t new_ioas(int iommufd)
{
	struct uapi_ioas_alloc cmd = {.size = sizeof(cmd)};

	RAW(0, call(iommufd, UAPI_IOC_IOAS_ALLOC, &cmd));
	return cmd.out_ioas_id;
}

static int open_edu(const struct vm *vm)
{
	char node[64];
	int device;

	vm_node_of(vm->edu, node, sizeof(node));
	device = open(node, O_RDWR | O_CLOEXEC);
	assert_true(device >= 0);
	return device;
}

static void test_nothing_before_bind(void **state)
{
	const struct vm *const vm = *state;
	struct uapi_vfio_device_info info = {.argsz = sizeof(info)};
	const int iommufd = libiommu_ctx_fd(vm->ctx);
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int device = open_edu(vm), other;

	RAW(-EINVAL, call(device, UAPI_IOC_VFIO_DEVICE_GET_INFO, &info));
	RAW(-EINVAL, attach(device, new_ioas(iommufd), 0, 0));
	RAW(-EINVAL, detach(device));
	RAW(-EINVAL, bind_to(device, -1));
	RAW(-EBADFD, bind_to(device, null));
	close(null);
	RAW(0, bind_to(device, iommufd));
	RAW(0, call(device, UAPI_IOC_VFIO_DEVICE_GET_INFO, &info));
	/* Once, and by one descriptor. */
	RAW(-EINVAL, bind_to(device, iommufd));
	other = open_edu(vm);
	RAW(-EINVAL, bind_to(other, iommufd));
	close(other);
	close(device);
	device = open_edu(vm);
	RAW(0, bind_to(device, iommufd));
	close(device);
}

/* There is one place; who attaches again replaces, and to detach is never wrong. */
static void test_attach_replaces(void **state)
{
	const struct vm *const vm = *state;
	const int device = libiommu_device_fd(vm->dev), iommufd = libiommu_ctx_fd(vm->ctx);
	const uint32_t first = new_ioas(iommufd), second = new_ioas(iommufd);

	RAW(0, detach(device));
	RAW(-ENOENT, attach(device, 12345, 0, 0));
	RAW(0, attach(device, first, 0, 0));
	RAW(-EBUSY, destroy(vm, first));
	RAW(0, attach(device, second, 0, 0));
	RAW(0, destroy(vm, first));
	RAW(-ENOENT, attach(device, first, 0, 0));
	RAW(-EBUSY, destroy(vm, second));
	RAW(0, detach(device));
	RAW(0, detach(device));
	RAW(0, destroy(vm, second));
}

/* PASID 0 is the device's own place: one that is taken, or that is taken by it. */
static void test_pasid_zero(void **state)
{
	const struct vm *const vm = *state;
	const int device = libiommu_device_fd(vm->dev), iommufd = libiommu_ctx_fd(vm->ctx);
	const uint32_t first = new_ioas(iommufd), second = new_ioas(iommufd);

	RAW(0, attach(device, first, 0, 0));
	if (!vm_kernel_at_least(6, 15)) {
		RAW(-EINVAL, attach(device, second, 0, UAPI_VFIO_DEVICE_ATTACH_PASID));
		RAW(0, detach(device));
		return;
	}
	RAW(-EBUSY, attach(device, second, 0, UAPI_VFIO_DEVICE_ATTACH_PASID));
	RAW(0, detach(device));
	RAW(0, attach(device, second, 0, UAPI_VFIO_DEVICE_ATTACH_PASID));
	RAW(-EBUSY, attach(device, first, 0, 0));
	/* Nothing was attached the one way, so that way nothing is detached. */
	RAW(0, detach(device));
	RAW(-EBUSY, destroy(vm, second));
	RAW(0, detach_from(device, 0, UAPI_VFIO_DEVICE_DETACH_PASID));
	RAW(0, destroy(vm, second));
	RAW(0, attach(device, first, 0, 0));
	RAW(0, detach(device));
}

/* The id of a page table that PASIDs can have; 0 where there can be none. */
static uint32_t new_table(const struct vm *vm)
{
	struct uapi_hwpt_alloc cmd = {.size = sizeof(cmd), .flags = UAPI_HWPT_ALLOC_PASID};

	OK(libiommu_device_id(vm->dev, &cmd.dev_id));
	OK(libiommu_ioas_id(vm->ioas, &cmd.pt_id));
	return call(libiommu_ctx_fd(vm->ctx), UAPI_IOC_HWPT_ALLOC, &cmd) ? 0 : cmd.out_hwpt_id;
}

/*
 * The device has none: the kernel may say that it has attached something, and nothing was. And
 * where it cannot say so, it may detach what is the device's own.
 */
static void test_device_without_pasids(void **state)
{
	const struct vm *const vm = *state;
	const int device = libiommu_device_fd(vm->dev);
	const uint32_t own = new_table(vm), other = new_table(vm);
	struct uapi_vfio_device_attach_iommufd_pt *page;
	struct libiommu_hwpt *table;
	uint32_t pasid;
	int error, kept;

	if (!own || !other)
		SKIP("no page tables for PASIDs here");
	RAW(0, attach(device, own, 0, 0));
	error = attach(device, other, PASID, UAPI_VFIO_DEVICE_ATTACH_PASID);
	print_message("# a PASID of a device without: the kernel says %d\n", error);
	assert_true(!error || error == -EOPNOTSUPP);
	OK(libiommu_hwpt_adopt(vm->ctx, other, LIBIOMMU_ID_BORROW, &table));
	FAILS(EOPNOTSUPP, libiommu_pasid_attach(vm->dev, PASID + 1, table, 0, &pasid));
	OK(libiommu_hwpt_destroy(table));
	RAW(-EBUSY, destroy(vm, own));
	page = mmap(NULL, VM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(page != MAP_FAILED);
	*page = attachment(other, PASID + 1, UAPI_VFIO_DEVICE_ATTACH_PASID);
	assert_int_equal(mprotect(page, VM_PAGE, PROT_READ), 0);
	RAW(error ? error : -EFAULT, call(device, UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT, page));
	munmap(page, VM_PAGE);
	kept = destroy(vm, own);
	print_message("# told so where it cannot be written, the device is %s\n",
	              kept ? "attached" : "detached");
	assert_true(kept == -EBUSY || (!kept && !error));
	RAW(0, detach_from(device, PASID, UAPI_VFIO_DEVICE_DETACH_PASID));
	RAW(0, detach_from(device, PASID + 1, UAPI_VFIO_DEVICE_DETACH_PASID));
	RAW(0, detach(device));
	RAW(0, destroy(vm, other));
	if (kept)
		RAW(0, destroy(vm, own));
}

/* What a kernel takes when it is made it may refuse when it is attached. */
static void test_page_requests(void **state)
{
	const struct vm *const vm = *state;
	struct libiommu_hwpt_config *config;
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *table;
	int error;

	OK(libiommu_fault_queue_alloc(vm->ctx, &queue));
	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_fault_queue(config, queue));
	error = libiommu_hwpt_alloc(vm->dev, vm->ioas, config, &table);
	libiommu_hwpt_config_free(config);
	if (error) {
		print_message("# a page table for page requests: %d\n", error);
		assert_int_equal(error, -EOPNOTSUPP);
		OK(libiommu_fault_queue_destroy(queue));
		return;
	}
	error = libiommu_device_attach_hwpt(vm->dev, table);
	if (vm_iommu(vm->dev)->type == LIBIOMMU_HW_INFO_VTD)
		assert_int_equal(error, -ENODEV);
	else
		print_message("# page requests of a device that makes none: %d\n", error);
	if (!error)
		OK(libiommu_device_detach(vm->dev));
	OK(libiommu_hwpt_destroy(table));
	OK(libiommu_fault_queue_destroy(queue));
}

/* Whether IOVAs where the machine's interrupts are can be had. */
static int map_interrupts(const struct vm *vm)
{
	struct uapi_ioas_map map = {.size = sizeof(map),
	                            .flags = UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE,
	                            .user_va = (uintptr_t)vm->memory,
	                            .length = VM_PAGE,
	                            .iova = vm_iommu(vm->dev)->msi_first};
	int error;

	OK(libiommu_ioas_id(vm->ioas, &map.ioas_id));
	error = call(libiommu_ctx_fd(vm->ctx), UAPI_IOC_IOAS_MAP, &map);
	if (!error)
		OK(libiommu_ioas_unmap(vm->ioas, map.iova, VM_PAGE));
	return error;
}

/*
 * A page table is not exchanged for another one of its address space: the device keeps what it has;
 * but what it must not use may be free then.
 */
static void test_reserved_after_a_failed_exchange(void **state)
{
	const struct vm *const vm = *state;
	const int device = libiommu_device_fd(vm->dev);
	struct uapi_fault_alloc queue = {.size = sizeof(queue)};
	struct uapi_hwpt_alloc table = {.size = sizeof(table), .flags = UAPI_HWPT_FAULT_ID_VALID};
	const int iommufd = libiommu_ctx_fd(vm->ctx);
	int error;

	OK(libiommu_device_id(vm->dev, &table.dev_id));
	OK(libiommu_ioas_id(vm->ioas, &table.pt_id));
	RAW(0, call(iommufd, UAPI_IOC_FAULT_QUEUE_ALLOC, &queue));
	table.fault_id = queue.out_fault_id;
	error = call(iommufd, UAPI_IOC_HWPT_ALLOC, &table);
	RAW(0, attach(device, table.pt_id, 0, 0));
	RAW(-EINVAL, map_interrupts(vm));
	if (!error && attach(device, table.out_hwpt_id, 0, 0) == -ENODEV) {
		RAW(-EBUSY, destroy(vm, table.pt_id));
		error = map_interrupts(vm);
		print_message("# after a failed exchange, mapped where interrupts are: %d\n",
		              error);
		assert_true(!error || error == -EINVAL);
		RAW(0, detach(device));
		RAW(0, attach(device, table.pt_id, 0, 0));
		RAW(-EINVAL, map_interrupts(vm));
	} else {
		print_message("# no page table here that cannot be attached\n");
	}
	RAW(0, detach(device));
	if (table.out_hwpt_id)
		RAW(0, destroy(vm, table.out_hwpt_id));
	close((int)queue.out_fault_fd);
	RAW(0, destroy(vm, queue.out_fault_id));
}

/* VFIO keeps the numbers of PASIDs, which are no larger than those of an int. */
static void test_pasid_too_large(void **state)
{
	const struct vm *const vm = *state;
	const int device = libiommu_device_fd(vm->dev);
	const uint32_t table = new_table(vm);

	if (!table)
		SKIP("no page tables for PASIDs here");
	RAW(-ENOSPC, attach(device, table, UINT32_C(1) << 31, UAPI_VFIO_DEVICE_ATTACH_PASID));
	RAW(0, attach(device, table, UINT32_MAX >> 1, UAPI_VFIO_DEVICE_ATTACH_PASID));
	RAW(0, detach_from(device, UINT32_MAX >> 1, UAPI_VFIO_DEVICE_DETACH_PASID));
	RAW(0, destroy(vm, table));
}

/* The device's registers and its right to do DMA, without the library. */
static volatile uint32_t *map_registers(int device)
{
	const uint16_t command = COMMAND_MASTER;
	void *const at = mmap(NULL, REGISTERS, PROT_READ | PROT_WRITE, MAP_SHARED, device,
	                      REGION(UAPI_VFIO_PCI_BAR0_REGION_INDEX));

	assert_true(at != MAP_FAILED);
	assert_int_equal(pwrite(device, &command, sizeof(command),
	                        REGION(UAPI_VFIO_PCI_CONFIG_REGION_INDEX) + COMMAND),
	                 sizeof(command));
	return at;
}

/* The context's descriptor is closed: the device goes on, and nobody could unmap anything. */
static void test_context_closed_first(void **state)
{
	const struct vm *const vm = *state;
	const int iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	const int device = open_edu(vm);
	struct uapi_ioas_map map = {.size = sizeof(map),
	                            .flags = UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE |
	                                     UAPI_IOAS_MAP_WRITEABLE,
	                            .user_va = (uintptr_t)vm->memory,
	                            .length = VM_LENGTH,
	                            .iova = VM_IOVA};
	volatile uint32_t *regs;

	assert_true(iommufd >= 0);
	map.ioas_id = new_ioas(iommufd);
	RAW(0, bind_to(device, iommufd));
	RAW(0, attach(device, map.ioas_id, 0, 0));
	RAW(0, call(iommufd, UAPI_IOC_IOAS_MAP, &map));
	regs = map_registers(device);
	close(iommufd);
	memset(vm->memory, 0x5a, VM_PAGE);
	memset(vm->memory + VM_PAGE, 0, VM_PAGE);
	assert_true(edu_load(regs, VM_IOVA, VM_PAGE));
	assert_true(edu_store(regs, VM_IOVA + VM_PAGE, VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);
	munmap((void *)(uintptr_t)regs, REGISTERS);
	close(device);
}

/* Its registers are mapped in the process, and are no memory for all that. */
static void test_memory_of_a_device(void **state)
{
	const struct vm *const vm = *state;
	uint64_t iova = 7;

	FAILS(EFAULT, libiommu_ioas_map(vm->ioas, (void *)(uintptr_t)vm->regs, VM_PAGE,
	                                VM_READ_WRITE, &iova));
	assert_int_equal(iova, 7);
}

#define FACT(test, setup) cmocka_unit_test_setup_teardown(test, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(test_nothing_before_bind, vm_setup_empty),
		FACT(test_attach_replaces, vm_setup_bound),
		FACT(test_pasid_zero, vm_setup_bound),
		FACT(test_device_without_pasids, vm_setup_bound),
		FACT(test_page_requests, vm_setup_bound),
		FACT(test_reserved_after_a_failed_exchange, vm_setup_bound),
		FACT(test_pasid_too_large, vm_setup_bound),
		FACT(test_memory_of_a_device, vm_setup_attached),
		FACT(test_context_closed_first, vm_setup_empty),
	};

	return cmocka_run_group_tests_name("vfio-facts", tests, NULL, NULL);
}
