/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * All that is called of a real device, with each allocation in the kernel failing in turn. Where
 * the device is attached, its DMA tells.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/uapi/kvm.h"
#include "edu.h"
#include "failing.h"
#include "mtty.h"

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

/* Contexts and devices come and go in every way that there is. */
static void test_open(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device_list *list;
	char path[64], node[64];
	struct libiommu_device *dev;
	struct libiommu_ctx *ctx;
	struct failing f;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", vm->edu);
	vm_node_of(vm->edu, node, sizeof(node));
	failing_begin(&f, vm);
	EACH(&f.each, libiommu_ctx_new(NULL, &ctx), OK(libiommu_ctx_destroy(ctx)));
	EACH(&f.each, libiommu_ctx_destroy(ctx), OK(libiommu_ctx_new(NULL, &ctx)));
	EACH(&f.each, libiommu_device_list_new(NULL, &list), libiommu_device_list_free(list));
	assert_true(libiommu_device_list_count(list) > 0);
	libiommu_device_list_free(list);
	EACH(&f.each, libiommu_device_open_pci(vm->ctx, vm->edu, &dev),
	     OK(libiommu_device_destroy(dev)));
	EACH(&f.each, libiommu_device_destroy(dev),
	     OK(libiommu_device_open_pci(vm->ctx, vm->edu, &dev)));
	EACH(&f.each, libiommu_device_open_sysfs(vm->ctx, path, &dev),
	     OK(libiommu_device_destroy(dev)));
	OK(libiommu_device_destroy(dev));
	EACH(&f.each, libiommu_device_open_node(vm->ctx, node, &dev),
	     OK(libiommu_device_destroy(dev)));
	OK(libiommu_device_destroy(dev));
	/* The kernel makes the address space of such devices with the first, and keeps it. */
	vm_group_of(vm->edu, path, sizeof(path));
	OK(libiommu_device_open_group(vm->ctx, path, vm->edu, NULL, &dev));
	OK(libiommu_device_destroy(dev));
	EACH(&f.each, libiommu_device_open_group(vm->ctx, path, vm->edu, NULL, &dev),
	     OK(libiommu_device_destroy(dev)));
	OK(libiommu_device_destroy(dev));
	failing_end(&f);
}

/* From an open descriptor to a bound device that another handle adopts. */
static void test_bind(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *dev, *twin;
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *other;
	struct libiommu_hw_info *info;
	struct failing f;
	uint32_t id;

	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &dev));
	failing_begin(&f, vm);
	EACH(&f.each,
	     libiommu_device_open_fd(vm->ctx, libiommu_device_fd(dev), LIBIOMMU_FD_DUP, &twin),
	     OK(libiommu_device_destroy(twin)));
	OK(libiommu_device_destroy(twin));
	EACH(&f.each, libiommu_device_bind(dev, VM_LABEL, NULL, 0), {
		OK(libiommu_device_destroy(dev));
		OK(libiommu_device_open_pci(vm->ctx, vm->edu, &dev));
	});
	OK(libiommu_device_by_label(vm->ctx, VM_LABEL, &twin));
	assert_ptr_equal(twin, dev);
	OK(libiommu_device_id(dev, &id));
	EACH(&f.each, libiommu_hw_info_get(dev, &info), libiommu_hw_info_free(info));
	libiommu_hw_info_free(info);
	OK(libiommu_ctx_config_new(&config));
	OK(libiommu_ctx_config_set_fd(config, libiommu_ctx_fd(vm->ctx), LIBIOMMU_FD_BORROW));
	OK(libiommu_ctx_new(config, &other));
	libiommu_ctx_config_free(config);
	EACH(&f.each,
	     libiommu_device_adopt(other, libiommu_device_fd(dev), LIBIOMMU_FD_DUP, id, 0, 1,
	                           &twin),
	     OK(libiommu_device_destroy(twin)));
	OK(libiommu_device_destroy(twin));
	OK(libiommu_ctx_destroy(other));
	OK(libiommu_ioas_alloc(vm->ctx, &vm->ioas));
	OK(libiommu_device_attach_ioas(dev, vm->ioas));
	EACH(&f.each, libiommu_device_revoke(dev), ENOUGH);
	OK(libiommu_device_destroy(dev));
	failing_end(&f);
}

/* The pages that the device writes at VM_IOVA, by what it is attached to. */
struct places {
	struct vm *vm;
	uint32_t pt_id; /* 0: nothing is attached */
	uint8_t *target;
	struct libiommu_hwpt *table; /* NULL: the address space itself */
	unsigned int lost;
};

enum { BYTES = 64 };

static bool writes(const struct places *places)
{
	memset(places->vm->memory, 0, 2 * VM_PAGE);
	assert_true(edu_store(places->vm->regs, VM_IOVA, BYTES));
	for (size_t i = 0; i < BYTES; i++)
		if (places->target[i] != 0x5a)
			return false;
	return true;
}

/* Its memory has the pattern; one transfer takes the emulated device a tenth of a second. */
static void check_dma(struct failing *f)
{
	struct places *const places = f->user;
	uint32_t pt_id = 0;

	if (!places->pt_id) {
		FAILS(ENOENT, libiommu_device_pt_id(places->vm->dev, &pt_id));
		return;
	}
	OK(libiommu_device_pt_id(places->vm->dev, &pt_id));
	if (places->pt_id != UINT32_MAX)
		assert_int_equal(pt_id, places->pt_id);
	if (writes(places))
		return;
	/* The kernel says that the old one is attached still, and has taken it away (defect 19). */
	places->lost++;
	OK(libiommu_device_detach(places->vm->dev));
	if (places->table)
		OK(libiommu_device_attach_hwpt(places->vm->dev, places->table));
	else
		OK(libiommu_device_attach_ioas(places->vm->dev, places->vm->ioas));
	assert_true(writes(places));
}

static void test_attach(void **state)
{
	struct vm *const vm = *state;
	struct places places = {.vm = vm, .pt_id = UINT32_MAX, .target = vm->memory};
	uint8_t *const there = vm->memory + VM_PAGE;
	struct libiommu_ioas *other;
	struct libiommu_hwpt *table;
	struct failing f;
	uint32_t id;

	OK(libiommu_ioas_alloc(vm->ctx, &other));
	OK(libiommu_ioas_map_fixed(other, there, VM_PAGE, VM_READ_WRITE, VM_IOVA));
	memset(vm->memory, 0x5a, BYTES);
	assert_true(edu_load(vm->regs, VM_IOVA, BYTES));
	failing_begin(&f, vm);
	f.more = check_dma;
	f.user = &places;
	EACH(&f.each, libiommu_hwpt_alloc(vm->dev, other, NULL, &table),
	     OK(libiommu_hwpt_destroy(table)));
	OK(libiommu_hwpt_id(table, &id));
	OK(libiommu_device_pt_id(vm->dev, &places.pt_id));
	EACH(&f.each, libiommu_device_replace_hwpt(vm->dev, table),
	     OK(libiommu_device_replace_ioas(vm->dev, vm->ioas)));
	places.pt_id = id;
	places.target = there;
	places.table = table;
	check_dma(&f);
	EACH(&f.each, libiommu_device_replace_ioas(vm->dev, vm->ioas),
	     OK(libiommu_device_replace_hwpt(vm->dev, table)));
	places.pt_id = UINT32_MAX;
	places.target = vm->memory;
	places.table = NULL;
	check_dma(&f);
	EACH(&f.each, libiommu_device_detach(vm->dev),
	     OK(libiommu_device_attach_ioas(vm->dev, vm->ioas)));
	places.pt_id = 0;
	EACH(&f.each, libiommu_device_attach_hwpt(vm->dev, table),
	     OK(libiommu_device_detach(vm->dev)));
	OK(libiommu_device_detach(vm->dev));
	EACH(&f.each, libiommu_device_attach_ioas(vm->dev, vm->ioas),
	     OK(libiommu_device_detach(vm->dev)));
	places.pt_id = UINT32_MAX;
	check_dma(&f);
	OK(libiommu_hwpt_destroy(table));
	OK(libiommu_ioas_destroy(other));
	print_message("# the kernel has taken away what stays attached %u times\n", places.lost);
	failing_end(&f);
}

static void test_config(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *const dev = vm->dev;
	struct libiommu_device_info *info;
	struct libiommu_region_info *region;
	uint32_t value = 0, flags, offset;
	uint16_t command = 0;
	uint64_t size, length;
	struct failing f;

	failing_begin(&f, vm);
	EACH(&f.each, libiommu_device_info_get(dev, &info), libiommu_device_info_free(info));
	libiommu_device_info_free(info);
	EACH(&f.each, libiommu_region_info_get(dev, 0, &region), libiommu_region_info_free(region));
	libiommu_region_info_free(region);
	EACH(&f.each, libiommu_pci_config_read(dev, 4, &command, 2), NOTHING);
	EACH(&f.each, libiommu_pci_config_write(dev, 4, &command, 2), NOTHING);
	EACH(&f.each, libiommu_pci_set_bus_master(dev, true), NOTHING);
	EACH(&f.each, libiommu_pci_find_capability(dev, 5, &offset), NOTHING);
	EACH(&f.each, libiommu_pci_find_ext_capability(dev, 1, &offset) == -ENOENT ? 0 : -EIO,
	     NOTHING);
	EACH(&f.each, libiommu_pci_bar_info(dev, 0, &size, &flags), NOTHING);
	EACH(&f.each, libiommu_pci_bar_area(dev, 0, 0, &size, &length), NOTHING);
	EACH(&f.each, libiommu_pci_bar_read(dev, 0, EDU_ID, &value, 4), NOTHING);
	EACH(&f.each, libiommu_pci_bar_write(dev, 0, EDU_LIVENESS, &value, 4), NOTHING);
	EACH(&f.each,
	     libiommu_device_feature_probe(dev, LIBIOMMU_DEVICE_FEATURE_DMA_BUF,
	                                   LIBIOMMU_DEVICE_FEATURE_GET),
	     NOTHING);
	failing_stop(&f);
}

static void test_bars(void **state)
{
	const struct libiommu_bar_range range = {0, VM_PAGE};
	struct vm *const vm = *state;
	struct libiommu_device *drive;
	struct libiommu_bar_map *map;
	struct failing f;
	char address[16];
	int fd;

	OK(libiommu_pci_set_bus_master(vm->dev, true));
	failing_begin(&f, vm);
	EACH(&f.each,
	     libiommu_pci_bar_map(vm->dev, 0, 0, 0, LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE, &map),
	     OK(libiommu_bar_map_destroy(map)));
	EACH(&f.each, libiommu_bar_map_destroy(map),
	     OK(libiommu_pci_bar_map(vm->dev, 0, 0, 0, LIBIOMMU_BAR_READ, &map)));
	if (vm_find_nvme(address, sizeof(address))) {
		OK(libiommu_device_open_pci(vm->ctx, address, &drive));
		OK(libiommu_device_bind(drive, 2, NULL, 0));
		if (libiommu_device_feature_probe(drive, LIBIOMMU_DEVICE_FEATURE_DMA_BUF,
		                                  LIBIOMMU_DEVICE_FEATURE_GET) == 1) {
			EACH(&f.each, libiommu_pci_bar_export(drive, 0, &range, 1, &fd), close(fd));
			close(fd);
		}
		OK(libiommu_device_destroy(drive));
	}
	failing_end(&f);
}

static void test_interrupts(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_device *const dev = vm->dev;
	const enum libiommu_irq_kind line = LIBIOMMU_IRQ_INTX, msi = LIBIOMMU_IRQ_MSI;
	const uint8_t one = 1;
	uint32_t count, flags;
	struct failing f;
	int fds[2];

	for (size_t i = 0; i < 2; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	failing_begin(&f, vm);
	EACH(&f.each, libiommu_irq_info(dev, line, &count, &flags), NOTHING);
	EACH(&f.each, libiommu_irq_enable(dev, line, 0, fds, 1),
	     OK(libiommu_irq_disable(dev, line)));
	EACH(&f.each, libiommu_irq_set_resample(dev, fds[1]),
	     OK(libiommu_irq_set_resample(dev, -1)));
	OK(libiommu_irq_set_resample(dev, -1));
	EACH(&f.each, libiommu_irq_mask(dev, line, 0, 1), NOTHING);
	EACH(&f.each, libiommu_irq_unmask(dev, line, 0, 1), NOTHING);
	EACH(&f.each, libiommu_irq_trigger(dev, line, 0, 1), NOTHING);
	EACH(&f.each, libiommu_irq_act(dev, line, LIBIOMMU_IRQ_UNMASK, 0, &one, 1), NOTHING);
	EACH(&f.each, libiommu_irq_disable(dev, line),
	     OK(libiommu_irq_enable(dev, line, 0, fds, 1)));
	EACH(&f.each, libiommu_irq_enable(dev, msi, 0, fds, 1), OK(libiommu_irq_disable(dev, msi)));
	EACH(&f.each, libiommu_irq_trigger(dev, msi, 0, 1), NOTHING);
	EACH(&f.each, libiommu_irq_disable(dev, msi), OK(libiommu_irq_enable(dev, msi, 0, fds, 1)));
	failing_end(&f);
	close_all(fds, 2);
}

static void test_resets(void **state)
{
	struct vm *const vm = *state;
	struct libiommu_reset_list *list;
	struct failing f;

	failing_begin(&f, vm);
	EACH(&f.each, libiommu_reset_list_new(vm->dev, &list), libiommu_reset_list_free(list));
	libiommu_reset_list_free(list);
	EACH(&f.each, libiommu_reset_function(vm->dev), NOTHING);
	EACH(&f.each, libiommu_reset_hot(vm->dev), NOTHING);
	failing_end(&f);
}

/* A virtual machine, or -errno. */
static int create_vm(void)
{
	const int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int fd;

	if (kvm < 0)
		return -errno;
	fd = ioctl(kvm, _IO(UAPI_KVMIO, 0x01), 0);
	close(kvm);
	return fd < 0 ? -errno : fd;
}

static void test_kvm(void **state)
{
	struct vm *const vm = *state;
	const int machine = create_vm();
	struct libiommu_kvm *kvm, *twin;
	struct failing f;

	if (machine < 0)
		SKIP("no KVM in this machine: %s", strerror(-machine));
	OK(libiommu_device_open_pci(vm->ctx, vm->edu, &vm->dev));
	failing_begin(&f, vm);
	EACH(&f.each, libiommu_kvm_new(vm->ctx, machine, &kvm), ENOUGH);
	EACH(&f.each, libiommu_kvm_adopt(vm->ctx, libiommu_kvm_fd(kvm), LIBIOMMU_FD_DUP, &twin),
	     OK(libiommu_kvm_destroy(twin)));
	OK(libiommu_kvm_destroy(twin));
	EACH(&f.each, libiommu_kvm_add(kvm, vm->dev), OK(libiommu_kvm_remove(kvm, vm->dev)));
	EACH(&f.each, libiommu_kvm_remove(kvm, vm->dev), OK(libiommu_kvm_add(kvm, vm->dev)));
	EACH(&f.each, libiommu_kvm_destroy(kvm), ENOUGH);
	failing_end(&f);
	close(machine);
}

/* The device's state, as VFIO numbers it: stopped, and running again. */
static void test_features(void **state)
{
	struct mtty *const mtty = *state;
	struct {
		uint32_t state;
		int32_t fd;
	} stop = {1, -1}, now = {0, -1};
	const uint32_t feature = LIBIOMMU_DEVICE_FEATURE_MIG_DEVICE_STATE;
	struct failing f;

	NEEDS_MTTY(mtty);
	failing_begin(&f, mtty->vm);
	EACH(&f.each, libiommu_device_feature_set(mtty->dev[0], feature, &stop, sizeof(stop)),
	     NOTHING);
	EACH(&f.each, libiommu_device_feature_get(mtty->dev[0], feature, &now, sizeof(now)),
	     NOTHING);
	assert_int_equal(now.state, 1);
	failing_stop(&f);
}

#define TEST(function, setup) cmocka_unit_test_setup_teardown(function, setup, vm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open, vm_setup_empty),
		TEST(test_bind, vm_setup_empty),
		TEST(test_attach, vm_setup_attached),
		TEST(test_config, vm_setup_bound),
		TEST(test_bars, vm_setup_bound),
		TEST(test_interrupts, vm_setup_bound),
		TEST(test_resets, vm_setup_bound),
		TEST(test_kvm, vm_setup_empty),
		MTTY_TEST(test_features),
	};

	return cmocka_run_group_tests_name("failing-device", tests, NULL, NULL);
}
