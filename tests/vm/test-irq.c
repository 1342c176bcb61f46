/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Interrupts of real devices arrive at eventfds, and stay away while they are held back. */
#include "edu.h"
#include "vm.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Long for what is expected to come, short for what is expected not to. */
enum { PATIENCE_MS = 10000, QUIET_MS = 200 };

static int new_eventfd(void)
{
	const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

static bool fires(int fd, int timeout_ms)
{
	struct pollfd event = {.fd = fd, .events = POLLIN};
	uint64_t count;

	return poll(&event, 1, timeout_ms) == 1 && read(fd, &count, sizeof(count)) == sizeof(count);
}

static void raise_edu(const struct vm *vm)
{
	edu_write(vm->regs, EDU_INTERRUPT_RAISE, 1);
	assert_int_equal(edu_read(vm->regs, EDU_INTERRUPT_STATUS), 1);
}

static void ack_edu(const struct vm *vm)
{
	edu_write(vm->regs, EDU_INTERRUPT_ACK, 1);
	assert_int_equal(edu_read(vm->regs, EDU_INTERRUPT_STATUS), 0);
}

static void test_info(void **state)
{
	struct vm *const vm = *state;
	uint32_t count, flags;

	OK(libiommu_irq_info(vm->dev, LIBIOMMU_IRQ_INTX, &count, &flags));
	assert_int_equal(count, 1);
	assert_int_equal(flags,
	                 LIBIOMMU_IRQ_EVENTFD | LIBIOMMU_IRQ_MASKABLE | LIBIOMMU_IRQ_AUTOMASKED);
	OK(libiommu_irq_info(vm->dev, LIBIOMMU_IRQ_MSI, &count, &flags));
	assert_int_equal(count, 1);
	assert_true(flags & LIBIOMMU_IRQ_EVENTFD);
	assert_false(flags & LIBIOMMU_IRQ_MASKABLE);
	OK(libiommu_irq_info(vm->dev, LIBIOMMU_IRQ_MSIX, &count, NULL));
	assert_int_equal(count, 0);
	OK(libiommu_irq_info(vm->dev, LIBIOMMU_IRQ_REQ, &count, NULL));
	assert_int_equal(count, 1);
}

/* The line stays raised until the device is quieted: one event for each unmask until then. */
static void test_intx(void **state)
{
	struct vm *const vm = *state;
	const int fd = new_eventfd();

	OK(libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_INTX, 0, &fd, 1));
	assert_false(fires(fd, QUIET_MS));
	raise_edu(vm);
	assert_true(fires(fd, PATIENCE_MS));
	assert_false(fires(fd, QUIET_MS));
	OK(libiommu_irq_unmask(vm->dev, LIBIOMMU_IRQ_INTX, 0, 1));
	assert_true(fires(fd, PATIENCE_MS));
	ack_edu(vm);
	OK(libiommu_irq_unmask(vm->dev, LIBIOMMU_IRQ_INTX, 0, 1));
	assert_false(fires(fd, QUIET_MS));
	OK(libiommu_irq_disable(vm->dev, LIBIOMMU_IRQ_INTX));
	raise_edu(vm);
	assert_false(fires(fd, QUIET_MS));
	ack_edu(vm);
	close(fd);
}

/* The same by a choice of vectors: of the one, none or it. */
static void test_mask_chosen(void **state)
{
	static const uint8_t none, one = 1;
	struct vm *const vm = *state;
	const int fd = new_eventfd();

	OK(libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_INTX, 0, &fd, 1));
	OK(libiommu_irq_act(vm->dev, LIBIOMMU_IRQ_INTX, LIBIOMMU_IRQ_MASK, 0, &one, 1));
	raise_edu(vm);
	OK(libiommu_irq_act(vm->dev, LIBIOMMU_IRQ_INTX, LIBIOMMU_IRQ_UNMASK, 0, &none, 1));
	assert_false(fires(fd, QUIET_MS));
	OK(libiommu_irq_act(vm->dev, LIBIOMMU_IRQ_INTX, LIBIOMMU_IRQ_UNMASK, 0, &one, 1));
	assert_true(fires(fd, PATIENCE_MS));
	ack_edu(vm);
	OK(libiommu_irq_act(vm->dev, LIBIOMMU_IRQ_INTX, LIBIOMMU_IRQ_TRIGGER, 0, &none, 1));
	assert_false(fires(fd, QUIET_MS));
	OK(libiommu_irq_act(vm->dev, LIBIOMMU_IRQ_INTX, LIBIOMMU_IRQ_TRIGGER, 0, &one, 1));
	assert_true(fires(fd, PATIENCE_MS));
	OK(libiommu_irq_disable(vm->dev, LIBIOMMU_IRQ_INTX));
	close(fd);
}

/* What fires while masked is delivered when unmasked. */
static void test_mask(void **state)
{
	struct vm *const vm = *state;
	const int fd = new_eventfd();

	OK(libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_INTX, 0, &fd, 1));
	OK(libiommu_irq_mask(vm->dev, LIBIOMMU_IRQ_INTX, 0, 1));
	raise_edu(vm);
	assert_false(fires(fd, QUIET_MS));
	OK(libiommu_irq_unmask(vm->dev, LIBIOMMU_IRQ_INTX, 0, 1));
	assert_true(fires(fd, PATIENCE_MS));
	ack_edu(vm);
	OK(libiommu_irq_disable(vm->dev, LIBIOMMU_IRQ_INTX));
	close(fd);
}

/* A write to the resample eventfd unmasks, as KVM does it after the guest's end of interrupt. */
static void test_resample(void **state)
{
	struct vm *const vm = *state;
	const int fd = new_eventfd(), resample = new_eventfd(), second = new_eventfd();
	const uint64_t one = 1;

	FAILS(EINVAL, libiommu_irq_set_resample(vm->dev, resample));
	OK(libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_INTX, 0, &fd, 1));
	OK(libiommu_irq_set_resample(vm->dev, resample));
	FAILS(EBUSY, libiommu_irq_set_resample(vm->dev, second));
	raise_edu(vm);
	assert_true(fires(fd, PATIENCE_MS));
	assert_false(fires(fd, QUIET_MS));
	assert_int_equal(write(resample, &one, sizeof(one)), sizeof(one));
	assert_true(fires(fd, PATIENCE_MS));
	ack_edu(vm);
	assert_int_equal(write(resample, &one, sizeof(one)), sizeof(one));
	assert_false(fires(fd, QUIET_MS));
	OK(libiommu_irq_set_resample(vm->dev, -1));
	OK(libiommu_irq_disable(vm->dev, LIBIOMMU_IRQ_INTX));
	close(second);
	close(resample);
	close(fd);
}

/* A message arrives once for each time the device sends one. */
static void test_msi(void **state)
{
	struct vm *const vm = *state;
	const int fd = new_eventfd(), other = new_eventfd(), none = -1;

	OK(libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_MSI, 0, &fd, 1));
	FAILS(EINVAL, libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_INTX, 0, &other, 1));
	EXPLAINED("another kind of interrupt");
	for (int i = 0; i < 3; i++) {
		raise_edu(vm);
		assert_true(fires(fd, PATIENCE_MS));
		assert_false(fires(fd, QUIET_MS));
		ack_edu(vm);
	}
	OK(libiommu_irq_trigger(vm->dev, LIBIOMMU_IRQ_MSI, 0, 1));
	assert_true(fires(fd, PATIENCE_MS));
	FAILS(ENOTTY, libiommu_irq_mask(vm->dev, LIBIOMMU_IRQ_MSI, 0, 1));

	/* Another eventfd takes the first one's place; -1 silences. */
	OK(libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_MSI, 0, &other, 1));
	raise_edu(vm);
	assert_true(fires(other, PATIENCE_MS));
	assert_false(fires(fd, QUIET_MS));
	ack_edu(vm);
	OK(libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_MSI, 0, &none, 1));
	raise_edu(vm);
	assert_false(fires(other, QUIET_MS));
	ack_edu(vm);
	OK(libiommu_irq_disable(vm->dev, LIBIOMMU_IRQ_MSI));
	FAILS(EINVAL, libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_MSI, 1, &fd, 1));
	FAILS(EINVAL, libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_MSIX, 0, &fd, 1));
	close(other);
	close(fd);
}

/* Of many vectors each has its own eventfd, and a part can be changed. */
static void test_msix(void **state)
{
	enum { VECTORS = 4 };
	static const uint8_t chosen[VECTORS] = {1, 0, 0, 1};
	struct vm *const vm = *state;
	struct libiommu_device *nvme;
	struct libiommu_ioas *ioas;
	int fds[VECTORS];
	char address[16];
	uint32_t count, flags;
	bool dynamic;

	if (!vm_find_nvme(address, sizeof(address)))
		SKIP("no NVMe drive in this machine");
	OK(libiommu_device_open_pci(vm->ctx, address, &nvme));
	OK(libiommu_device_bind(nvme, 1, NULL, 0));
	OK(libiommu_irq_info(nvme, LIBIOMMU_IRQ_MSIX, &count, &flags));
	assert_true(count >= VECTORS);
	/* Kernels before 6.5, and PowerPC's, enable vectors once, and no more besides them. */
	dynamic = !(flags & LIBIOMMU_IRQ_NORESIZE);
	for (int i = 0; i < VECTORS; i++)
		fds[i] = new_eventfd();
	/* An SMMUv3 translates what signals an interrupt; a VT-d does not. */
	if (vm_iommu(nvme)->type == LIBIOMMU_HW_INFO_SMMUV3) {
		FAILS(ENOSPC, libiommu_irq_enable(nvme, LIBIOMMU_IRQ_MSIX, 0, fds, 2));
		EXPLAINED("not attached");
	}
	OK(libiommu_ioas_alloc(vm->ctx, &ioas));
	OK(libiommu_device_attach_ioas(nvme, ioas));
	OK(libiommu_irq_enable(nvme, LIBIOMMU_IRQ_MSIX, 0, fds, dynamic ? 2 : VECTORS));
	if (dynamic)
		OK(libiommu_irq_enable(nvme, LIBIOMMU_IRQ_MSIX, 2, fds + 2, 2));
	OK(libiommu_irq_trigger(nvme, LIBIOMMU_IRQ_MSIX, 1, 2));
	for (int i = 0; i < VECTORS; i++)
		assert_int_equal(fires(fds[i], i == 1 || i == 2 ? PATIENCE_MS : QUIET_MS),
		                 i == 1 || i == 2);
	/* Some of them at once. */
	OK(libiommu_irq_act(nvme, LIBIOMMU_IRQ_MSIX, LIBIOMMU_IRQ_TRIGGER, 0, chosen, VECTORS));
	for (int i = 0; i < VECTORS; i++)
		assert_int_equal(fires(fds[i], chosen[i] ? PATIENCE_MS : QUIET_MS), chosen[i]);
	FAILS(ENOTTY, libiommu_irq_act(nvme, LIBIOMMU_IRQ_MSIX, LIBIOMMU_IRQ_MASK, 0, chosen, 2));
	FAILS(EINVAL, libiommu_irq_enable(nvme, LIBIOMMU_IRQ_MSIX, count, fds, 1));
	OK(libiommu_irq_disable(nvme, LIBIOMMU_IRQ_MSIX));
	OK(libiommu_irq_disable(nvme, LIBIOMMU_IRQ_MSIX));
	for (int i = 0; i < VECTORS; i++)
		close(fds[i]);
	OK(libiommu_device_destroy(nvme));
	OK(libiommu_ioas_destroy(ioas));
}

/*
 * The two that the host sends on its own can be listened to, and fired for a test. Old kernels give
 * the error interrupt to PCI Express devices only, which edu is not.
 */
static void test_host_interrupts(void **state)
{
	const enum libiommu_irq_kind kinds[] = {LIBIOMMU_IRQ_ERR, LIBIOMMU_IRQ_REQ};
	struct libiommu_device *nvme;
	struct vm *const vm = *state;
	char address[16];
	uint32_t count;
	int fd;

	if (!vm_find_nvme(address, sizeof(address)))
		SKIP("no NVMe drive in this machine");
	fd = new_eventfd();
	OK(libiommu_device_open_pci(vm->ctx, address, &nvme));
	OK(libiommu_device_bind(nvme, 1, NULL, 0));
	for (size_t i = 0; i < 2; i++) {
		OK(libiommu_irq_info(nvme, kinds[i], &count, NULL));
		assert_int_equal(count, 1);
		OK(libiommu_irq_enable(nvme, kinds[i], 0, &fd, 1));
		OK(libiommu_irq_trigger(nvme, kinds[i], 0, 1));
		assert_true(fires(fd, PATIENCE_MS));
		OK(libiommu_irq_disable(nvme, kinds[i]));
		assert_false(fires(fd, QUIET_MS));
	}
	OK(libiommu_device_destroy(nvme));
	close(fd);
}

/* A descriptor that is none changes nothing: the vector that worked works on. */
static void test_bad_eventfd(void **state)
{
	struct vm *const vm = *state;
	const int fd = new_eventfd(), bad = 999;

	FAILS(EBADF, libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_MSI, 0, &bad, 1));
	OK(libiommu_irq_enable(vm->dev, LIBIOMMU_IRQ_MSI, 0, &fd, 1));
	raise_edu(vm);
	assert_true(fires(fd, PATIENCE_MS));
	ack_edu(vm);
	OK(libiommu_irq_disable(vm->dev, LIBIOMMU_IRQ_MSI));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_info, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_intx, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_mask, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_mask_chosen, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_resample, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_msi, vm_setup_attached, vm_teardown),
		cmocka_unit_test_setup_teardown(test_msix, vm_setup_empty, vm_teardown),
		cmocka_unit_test_setup_teardown(test_host_interrupts, vm_setup_attached,
	                                        vm_teardown),
		cmocka_unit_test_setup_teardown(test_bad_eventfd, vm_setup_attached, vm_teardown),
	};

	return cmocka_run_group_tests_name("irq", tests, NULL, NULL);
}
