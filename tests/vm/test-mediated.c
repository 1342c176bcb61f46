/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A mediated device: its driver makes DMA in software, through the address space that the device is
 * attached to as any other. What needs an IOMMU behind the device is refused, and told why.
 */
#include "edu.h"
#include "mtty.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Attached, with mappings made before and after, moved and detached; ranges are the edu's alone. */
static void test_attach(void **state)
{
	struct mtty *const mtty = *state;
	struct vm *const vm = mtty->vm;
	struct libiommu_iova_ranges *ranges;
	struct libiommu_ioas *other;
	uint32_t id, pt_id;
	uint64_t iova;

	NEEDS_MTTY(mtty);
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	OK(libiommu_ioas_alloc(vm->ctx, &other));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	FAILS(ENOENT, libiommu_device_detach(mtty->dev[0]));
	OK(libiommu_device_attach_ioas(mtty->dev[0], vm->ioas));
	FAILS(EEXIST, libiommu_device_attach_ioas(mtty->dev[0], vm->ioas));
	/* There is no page table between: it is attached to the address space itself. */
	OK(libiommu_ioas_id(vm->ioas, &id));
	OK(libiommu_device_pt_id(mtty->dev[0], &pt_id));
	assert_int_equal(pt_id, id);
	FAILS(EBUSY, libiommu_ioas_destroy(vm->ioas));

	OK(libiommu_ioas_map(vm->ioas, vm->memory + VM_PAGE, VM_PAGE, VM_READ_WRITE, &iova));
	OK(libiommu_ioas_unmap(vm->ioas, iova, VM_PAGE));
	OK(libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_PAGE));
	OK(libiommu_ioas_ranges(vm->ioas, &ranges));
	assert_int_equal(libiommu_iova_ranges_count(ranges), 1);
	libiommu_iova_ranges_free(ranges);

	OK(libiommu_device_replace_ioas(mtty->dev[0], other));
	OK(libiommu_ioas_destroy(vm->ioas));
	vm->ioas = other;
	OK(libiommu_device_detach(mtty->dev[0]));
	OK(libiommu_device_attach_ioas(mtty->dev[0], other));
	OK(libiommu_device_detach(mtty->dev[0]));
}

/* One address space for a device in software and one in hardware. */
static void test_shared(void **state)
{
	struct mtty *const mtty = *state;
	struct vm *const vm = mtty->vm;
	struct libiommu_iova_ranges *ranges;
	uint64_t msi;

	NEEDS_MTTY(mtty);
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	OK(libiommu_device_attach_ioas(mtty->dev[0], vm->ioas));
	OK(libiommu_device_attach_ioas(mtty->dev[1], vm->ioas));
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL + 2, NULL, 0));
	/* Nothing is reserved for a device in software: not even where interrupts go. */
	msi = vm_iommu(vm->dev)->msi_first;
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE, msi));
	FAILS(EADDRINUSE, libiommu_device_attach_ioas(vm->dev, vm->ioas));
	OK(libiommu_ioas_unmap(vm->ioas, msi, VM_PAGE));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_LENGTH, VM_READ_WRITE, VM_IOVA));
	OK(libiommu_device_attach_ioas(vm->dev, vm->ioas));
	OK(libiommu_ioas_ranges(vm->ioas, &ranges));
	assert_true(libiommu_iova_ranges_count(ranges) > 1);
	libiommu_iova_ranges_free(ranges);

	vm_map_registers(vm);
	memset(vm->memory, 0x3c, VM_PAGE);
	assert_true(edu_load(vm->regs, VM_IOVA, VM_PAGE));
	/* The one goes, the other stays at work. */
	OK(libiommu_device_revoke(mtty->dev[1]));
	OK(libiommu_device_detach(mtty->dev[0]));
	assert_true(edu_store(vm->regs, VM_IOVA + VM_PAGE, VM_PAGE));
	assert_memory_equal(vm->memory, vm->memory + VM_PAGE, VM_PAGE);
	OK(libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_LENGTH));
}

/* What needs an IOMMU. */
static void test_without_an_iommu(void **state)
{
	struct mtty *const mtty = *state;
	struct vm *const vm = mtty->vm;
	struct libiommu_hw_info *info;
	struct libiommu_hwpt *hwpt, *made;
	uint32_t pasid;

	NEEDS_MTTY(mtty);
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	FAILS(ENOENT, libiommu_hw_info_get(mtty->dev[0], &info));
	EXPLAINED("no IOMMU behind the device");
	FAILS(ENOENT, libiommu_hwpt_alloc(mtty->dev[0], vm->ioas, NULL, &made));
	EXPLAINED("no IOMMU behind the device");
	/* A page table that is there, made for a device in hardware. */
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	OK(libiommu_device_bind(vm->dev, VM_LABEL + 2, NULL, 0));
	OK(libiommu_hwpt_alloc(vm->dev, vm->ioas, NULL, &hwpt));
	FAILS(ENOENT, libiommu_device_attach_hwpt(mtty->dev[0], hwpt));
	EXPLAINED("attached to address spaces only");
	FAILS(ENOENT, libiommu_pasid_attach(mtty->dev[0], 1, hwpt, 0, &pasid));
	EXPLAINED("no IOMMU behind the device");
	OK(libiommu_hwpt_destroy(hwpt));
}

/* Opened in every way, and what else a PCI device has. */
static void test_device(void **state)
{
	struct mtty *const mtty = *state;
	struct vm *const vm = mtty->vm;
	struct libiommu_reset_list *list;
	char group[64], link[256], path[128];
	uint32_t ids, id, count, flags;
	uint64_t size, signals;
	ssize_t length;
	int eventfd_;

	NEEDS_MTTY(mtty);
	OK(libiommu_device_id(mtty->dev[0], &id));
	assert_int_not_equal(id, 0);
	OK(libiommu_pci_config_read(mtty->dev[0], 0, &ids, sizeof(ids)));
	assert_int_equal(ids, 0x32534348);
	OK(libiommu_pci_bar_info(mtty->dev[0], 0, &size, &flags));
	assert_int_equal(size, 8);
	mtty_write(mtty->dev[0], MTTY_SCRATCH, 0x5a);
	assert_int_equal(mtty_read(mtty->dev[0], MTTY_SCRATCH), 0x5a);
	OK(libiommu_irq_info(mtty->dev[0], LIBIOMMU_IRQ_MSI, &count, &flags));
	assert_int_equal(count, 1);
	assert_int_equal(flags, LIBIOMMU_IRQ_EVENTFD | LIBIOMMU_IRQ_NORESIZE);
	eventfd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	OK(libiommu_irq_enable(mtty->dev[0], LIBIOMMU_IRQ_MSI, 0, &eventfd_, 1));
	OK(libiommu_irq_trigger(mtty->dev[0], LIBIOMMU_IRQ_MSI, 0, 1));
	assert_int_equal(read(eventfd_, &signals, sizeof(signals)), sizeof(signals));
	assert_int_equal(signals, 1);
	OK(libiommu_irq_disable(mtty->dev[0], LIBIOMMU_IRQ_MSI));
	close(eventfd_);
	OK(libiommu_reset_function(mtty->dev[0]));
	FAILS(ENOTTY, libiommu_reset_list_new(mtty->dev[0], &list));
	FAILS(ENOTTY, libiommu_reset_hot(mtty->dev[0]));

	/* By its group: the kernel makes one up for it. */
	OK(libiommu_device_destroy(mtty->dev[0]));
	mtty->dev[0] = NULL;
	snprintf(path, sizeof(path), "%s/iommu_group", mtty_dirs[0]);
	length = readlink(path, link, sizeof(link) - 1);
	assert_true(length > 0);
	link[length] = '\0';
	snprintf(group, sizeof(group), "/dev/vfio/%s", strrchr(link, '/') + 1);
	OK(libiommu_device_open_group(vm->ctx, group, strrchr(mtty_dirs[0], '/') + 1, NULL,
	                              &mtty->dev[0]));
	OK(libiommu_device_bind(mtty->dev[0], VM_LABEL, NULL, 0));
	OK(libiommu_ioas_get_compat(vm->ctx, &vm->ioas));
	OK(libiommu_ioas_map_fixed(vm->ioas, vm->memory, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	OK(libiommu_ioas_unmap(vm->ioas, VM_IOVA, VM_PAGE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MTTY_TEST(test_attach),
		MTTY_TEST(test_shared),
		MTTY_TEST(test_without_an_iommu),
		MTTY_TEST(test_device),
	};

	return cmocka_run_group_tests_name("mediated", tests, NULL, NULL);
}
