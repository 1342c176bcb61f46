/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Interrupts of a device, and the eventfds that VFIO hands them on to. */
#include "model-rig.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../emu/heap.h"
#include "../../emu/machine.h"

enum { INTX, MSI, MSIX, ERR, REQ, KINDS };
enum { VECTORS = 8, MASTER = EMU_PCI_COMMAND_MEMORY | EMU_PCI_COMMAND_MASTER };

#define NONE    UAPI_VFIO_IRQ_SET_DATA_NONE
#define BOOL    UAPI_VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD UAPI_VFIO_IRQ_SET_DATA_EVENTFD
#define MASK    UAPI_VFIO_IRQ_SET_ACTION_MASK
#define UNMASK  UAPI_VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER UAPI_VFIO_IRQ_SET_ACTION_TRIGGER

static struct model_rig rig;
static int fds[VECTORS];

static void furnish(struct model *model)
{
	emu_pci_add_pin(&model->pci);
	emu_pci_add_bar(&model->pci, 0, MODEL_SIZE, 0);
	emu_pci_add_msi(&model->pci, 4);
	emu_pci_add_msix(&model->pci, VECTORS, 0, 0x1000, 0x1800);
	emu_pci_add_express(&model->pci, true);
}

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < VECTORS; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	model_setup(&rig, furnish);
	model_set_config(&rig, EMU_PCI_COMMAND, 2, MASTER);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < VECTORS; i++)
		close(fds[i]);
	model_teardown(&rig);
	return 0;
}

static int set_irqs(uint32_t flags, uint32_t kind, uint32_t start, uint32_t count, const void *data,
                    size_t size)
{
	union {
		struct uapi_vfio_irq_set set;
		uint8_t room[sizeof(struct uapi_vfio_irq_set) + VECTORS * sizeof(int32_t)];
	} cmd;

	cmd.set = (struct uapi_vfio_irq_set){.argsz = (uint32_t)(sizeof(cmd.set) + size),
	                                     .flags = flags,
	                                     .index = kind,
	                                     .start = start,
	                                     .count = count};
	if (size)
		memcpy(cmd.room + sizeof(cmd.set), data, size);
	return libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_SET_IRQS, &cmd);
}

static int set_fds(uint32_t kind, uint32_t start, const int32_t *eventfds, uint32_t count)
{
	return set_irqs(EVENTFD | TRIGGER, kind, start, count, eventfds, count * sizeof(int32_t));
}

static int disable(uint32_t kind)
{
	return set_irqs(NONE | TRIGGER, kind, 0, 0, NULL, 0);
}

/* What a device does, it does under the machine's lock: a thread waits for eventfds. */
static void set_pin(bool asserted)
{
	emu_lock(rig.emu);
	emu_pci_set_pin(&rig.model->pci, asserted);
	emu_unlock(rig.emu);
}

static void raise_vector(unsigned int vector)
{
	emu_lock(rig.emu);
	emu_pci_raise(&rig.model->pci, vector);
	emu_unlock(rig.emu);
}

static uint64_t taken(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static void tells(void **state)
{
	static const uint32_t counts[KINDS] = {1, 4, VECTORS, 1, 1};
	struct uapi_vfio_irq_info info;

	(void)state;
	for (uint32_t i = 0; i < KINDS; i++) {
		info = (struct uapi_vfio_irq_info){.argsz = sizeof(info), .index = i};
		assert_int_equal(libiommu_emu_ioctl(rig.emu, rig.fd,
		                                    UAPI_IOC_VFIO_DEVICE_GET_IRQ_INFO, &info),
		                 0);
		assert_int_equal(info.count, counts[i]);
		assert_true(info.flags & UAPI_VFIO_IRQ_INFO_EVENTFD);
		assert_int_equal(!!(info.flags & UAPI_VFIO_IRQ_INFO_AUTOMASKED), i == INTX);
		assert_int_equal(!!(info.flags & UAPI_VFIO_IRQ_INFO_NORESIZE),
		                 i != INTX && i != MSIX);
	}
	info.index = KINDS;
	assert_int_equal(
		libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_GET_IRQ_INFO, &info),
		-EINVAL);
	info = (struct uapi_vfio_irq_info){.argsz = sizeof(info) - 1};
	assert_int_equal(
		libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_GET_IRQ_INFO, &info),
		-EINVAL);
	assert_int_equal(
		libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_GET_IRQ_INFO, NULL),
		-EFAULT);
}

static void what_set_refuses(void **state)
{
	struct uapi_vfio_irq_set set = {.argsz = sizeof(set) - 1};
	const int null = -1;

	(void)state;
	assert_int_equal(libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_SET_IRQS, &set),
	                 -EINVAL);
	assert_int_equal(libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_SET_IRQS, NULL),
	                 -EFAULT);
	assert_int_equal(set_irqs(NONE | TRIGGER, KINDS, 0, 1, NULL, 0), -EINVAL);
	assert_int_equal(set_irqs(NONE | TRIGGER | 0x40, MSI, 0, 1, NULL, 0), -EINVAL);
	assert_int_equal(set_irqs(TRIGGER, MSI, 0, 1, NULL, 0), -EINVAL);
	assert_int_equal(set_irqs(NONE | BOOL | TRIGGER, MSI, 0, 1, NULL, 0), -EINVAL);
	assert_int_equal(set_irqs(EVENTFD | TRIGGER, MSIX, 0, 2, fds, 4), -EINVAL);
	assert_int_equal(set_fds(MSIX, VECTORS, fds, 1), -EINVAL);
	assert_int_equal(set_fds(MSIX, 1, fds, VECTORS), -EINVAL);
	assert_int_equal(set_irqs(NONE | TRIGGER, MSIX, 1, UINT32_MAX - 1, NULL, 0), -EINVAL);
	/* What only masks, or has no state yet. */
	assert_int_equal(set_irqs(NONE | MASK, MSI, 0, 1, NULL, 0), -ENOTTY);
	assert_int_equal(set_irqs(NONE | MASK, ERR, 0, 1, NULL, 0), -ENOTTY);
	assert_int_equal(set_irqs(NONE, MSI, 0, 1, NULL, 0), -ENOTTY);
	assert_int_equal(set_irqs(NONE | MASK, INTX, 0, 1, NULL, 0), -EINVAL);
	assert_int_equal(set_irqs(NONE | TRIGGER, MSI, 0, 1, NULL, 0), -EINVAL);
	assert_int_equal(set_irqs(NONE | TRIGGER, INTX, 0, 1, NULL, 0), -EINVAL);
	assert_int_equal(set_irqs(EVENTFD | TRIGGER, MSIX, 0, 0, NULL, 0), -ERANGE);
	/* No eventfds. */
	assert_int_equal(set_fds(MSIX, 0, &rig.fd, 1), -EINVAL);
	assert_int_equal(set_fds(MSIX, 0, (int32_t[]){9999}, 1), -EBADF);
	assert_int_equal(set_fds(INTX, 0, (int32_t[]){9999}, 1), -EBADF);
	assert_int_equal(set_fds(ERR, 0, (int32_t[]){-2}, 1), -EINVAL);
	assert_int_equal(set_fds(REQ, 0, (int32_t[]){9999}, 1), -EBADF);
	/* None of that has enabled anything. */
	assert_int_equal(set_fds(MSI, 0, &null, 1), 0);
	assert_int_equal(disable(MSI), 0);
}

static void msix(void **state)
{
	struct emu_pci *const pci = &rig.model->pci;
	const uint8_t chosen[3] = {1, 0, 1};
	const int mixed[2] = {fds[6], 9999};
	const int none = -1;

	(void)state;
	assert_int_equal(set_fds(MSIX, 0, fds, 3), 0);
	assert_true(model_config(&rig, pci->msix + EMU_MSIX_CONTROL, 2) & EMU_MSIX_ENABLE);
	raise_vector(1);
	raise_vector(1);
	assert_int_equal(taken(fds[1]), 2);
	assert_int_equal(taken(fds[0]), 0);
	raise_vector(7);
	/* One more, where there was none yet. */
	assert_int_equal(set_fds(MSIX, 5, &fds[5], 1), 0);
	raise_vector(5);
	assert_int_equal(taken(fds[5]), 1);
	assert_int_equal(set_irqs(NONE | TRIGGER, MSIX, 0, 3, NULL, 0), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(taken(fds[i]), 1);
	assert_int_equal(set_irqs(BOOL | TRIGGER, MSIX, 0, 3, chosen, 3), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(taken(fds[i]), chosen[i]);
	assert_int_equal(set_fds(MSIX, 1, &none, 1), 0);
	raise_vector(1);
	assert_int_equal(taken(fds[1]), 0);
	/* One that fails takes those before it along, and no others. */
	assert_int_equal(set_fds(MSIX, 0, mixed, 2), -EBADF);
	raise_vector(0);
	raise_vector(2);
	assert_int_equal(taken(fds[0]) + taken(fds[6]), 0);
	assert_int_equal(taken(fds[2]), 1);
	/* Two kinds at once there are not. */
	assert_int_equal(set_fds(MSI, 0, fds, 1), -EINVAL);
	assert_int_equal(set_fds(INTX, 0, fds, 1), -EINVAL);
	assert_int_equal(disable(MSI), -EINVAL);
	assert_int_equal(disable(MSIX), 0);
	raise_vector(2);
	assert_int_equal(taken(fds[2]), 0);
	assert_false(model_config(&rig, pci->msix + EMU_MSIX_CONTROL, 2) & EMU_MSIX_ENABLE);
}

static void msi(void **state)
{
	struct emu_pci *const pci = &rig.model->pci;

	(void)state;
	assert_int_equal(set_fds(MSI, 0, fds, 2), 0);
	raise_vector(0);
	/* It has fewer than it could: the rest shares them. */
	raise_vector(3);
	assert_int_equal(taken(fds[0]), 1);
	assert_int_equal(taken(fds[1]), 1);
	assert_int_equal(set_fds(MSI, 2, &fds[2], 1), -EINVAL);
	/* A write to memory, for which a device needs the bus. */
	model_set_config(&rig, EMU_PCI_COMMAND, 2, EMU_PCI_COMMAND_MEMORY);
	raise_vector(0);
	assert_int_equal(taken(fds[0]), 0);
	/* Software may say that it uses fewer still. */
	model_set_config(&rig, pci->msi + EMU_MSI_CONTROL, 1, EMU_MSI_ENABLE | 3 << 4);
	assert_int_equal(emu_pci_get(pci, pci->msi + EMU_MSI_CONTROL, 1) & EMU_MSI_ENABLED, 1 << 4);
	assert_int_equal(disable(MSI), 0);
}

static void intx(void **state)
{
	struct emu_pci *const pci = &rig.model->pci;
	const uint8_t no = 0;
	const int none = -1;

	(void)state;
	assert_int_equal(set_fds(INTX, 0, fds, 1), 0);
	set_pin(true);
	assert_int_equal(taken(fds[0]), 1);
	/* It is masked now, however long the pin is asserted. */
	set_pin(true);
	assert_int_equal(taken(fds[0]), 0);
	assert_true(emu_pci_get(pci, EMU_PCI_COMMAND, 2) & EMU_PCI_COMMAND_NO_INTX);
	assert_true(model_config(&rig, EMU_PCI_STATUS, 2) & EMU_PCI_STATUS_INTX);
	assert_int_equal(set_irqs(NONE | UNMASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(taken(fds[0]), 1);
	set_pin(false);
	assert_int_equal(set_irqs(BOOL | UNMASK, INTX, 0, 1, &no, 1), 0);
	assert_true(emu_pci_get(pci, EMU_PCI_COMMAND, 2) & EMU_PCI_COMMAND_NO_INTX);
	assert_int_equal(set_irqs(NONE | UNMASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(taken(fds[0]), 0);
	assert_false(emu_pci_get(pci, EMU_PCI_COMMAND, 2) & EMU_PCI_COMMAND_NO_INTX);
	assert_int_equal(set_irqs(NONE | MASK, INTX, 0, 1, NULL, 0), 0);
	set_pin(true);
	assert_int_equal(taken(fds[0]), 0);
	assert_int_equal(set_irqs(NONE | UNMASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(taken(fds[0]), 1);
	assert_int_equal(set_irqs(NONE | TRIGGER, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(taken(fds[0]), 1);
	assert_int_equal(set_irqs(EVENTFD | MASK, INTX, 0, 1, fds, 4), -ENOTTY);
	/* Another takes its place, and then nobody. */
	assert_int_equal(set_fds(INTX, 0, &fds[1], 1), 0);
	assert_int_equal(set_irqs(NONE | TRIGGER, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(taken(fds[1]), 1);
	assert_int_equal(set_fds(INTX, 0, &none, 1), 0);
	assert_int_equal(set_irqs(NONE | TRIGGER, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(taken(fds[1]), 0);
	assert_int_equal(disable(INTX), 0);
	assert_int_equal(disable(INTX), -EINVAL);
}

/* The command register has a switch of its own. */
static void switched_off(void **state)
{
	(void)state;
	model_set_config(&rig, EMU_PCI_COMMAND, 2, MASTER | EMU_PCI_COMMAND_NO_INTX);
	assert_int_equal(set_fds(INTX, 0, fds, 1), 0);
	set_pin(true);
	assert_int_equal(set_irqs(NONE | UNMASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(set_irqs(NONE | TRIGGER, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(taken(fds[0]), 0);
	model_set_config(&rig, EMU_PCI_COMMAND, 2, MASTER);
	assert_int_equal(taken(fds[0]), 1);
	model_set_config(&rig, EMU_PCI_COMMAND, 2, MASTER | EMU_PCI_COMMAND_NO_INTX);
	set_pin(false);
	model_set_config(&rig, EMU_PCI_COMMAND, 2, MASTER);
	set_pin(true);
	assert_int_equal(taken(fds[0]), 1);
	/* What is asserted already when it is enabled comes at once. */
	assert_int_equal(disable(INTX), 0);
	assert_int_equal(set_fds(INTX, 0, fds, 1), 0);
	assert_int_equal(taken(fds[0]), 1);
}

static void wait_for(int fd)
{
	struct pollfd event = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&event, 1, -1), 1);
	assert_int_equal(taken(fd), 1);
}

/* An eventfd can unmask, as virtual machines do it. */
static void unmasked_by_event(void **state)
{
	const uint64_t one = 1;
	const int none = -1;

	(void)state;
	assert_int_equal(set_irqs(EVENTFD | UNMASK, INTX, 0, 1, &fds[1], 4), -EINVAL);
	assert_int_equal(set_fds(INTX, 0, fds, 1), 0);
	assert_int_equal(set_irqs(EVENTFD | UNMASK, INTX, 0, 1, &rig.fd, 4), -EINVAL);
	assert_int_equal(set_irqs(EVENTFD | UNMASK, INTX, 0, 1, &fds[1], 4), 0);
	assert_int_equal(set_irqs(EVENTFD | UNMASK, INTX, 0, 1, &fds[2], 4), -EBUSY);
	set_pin(true);
	assert_int_equal(taken(fds[0]), 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(write(fds[1], &one, sizeof(one)), sizeof(one));
		wait_for(fds[0]);
		assert_int_equal(taken(fds[1]), 0);
	}
	assert_int_equal(set_irqs(EVENTFD | UNMASK, INTX, 0, 1, &none, 4), 0);
	assert_int_equal(set_irqs(EVENTFD | UNMASK, INTX, 0, 1, &none, 4), 0);
	/* One that has been written to before counts at once, and is not read. */
	assert_int_equal(write(fds[2], &one, sizeof(one)), sizeof(one));
	assert_int_equal(set_irqs(EVENTFD | UNMASK, INTX, 0, 1, &fds[2], 4), 0);
	wait_for(fds[0]);
	assert_int_equal(disable(INTX), 0);
}

static void errors_and_requests(void **state)
{
	const uint8_t yes = 1;
	const int none = -1;

	(void)state;
	for (uint32_t kind = ERR; kind <= REQ; kind++) {
		assert_int_equal(set_irqs(NONE | TRIGGER, kind, 0, 1, NULL, 0), -EINVAL);
		assert_int_equal(set_irqs(BOOL | TRIGGER, kind, 0, 1, &yes, 1), 0);
		assert_int_equal(set_fds(kind, 0, fds, 1), 0);
		assert_int_equal(set_irqs(NONE | TRIGGER, kind, 0, 1, NULL, 0), 0);
		assert_int_equal(taken(fds[0]), 1);
		assert_int_equal(set_irqs(BOOL | TRIGGER, kind, 0, 1, &yes, 1), 0);
		assert_int_equal(taken(fds[0]), 1);
		assert_int_equal(set_irqs(BOOL | TRIGGER, kind, 0, 0, NULL, 0), -EINVAL);
		assert_int_equal(set_fds(kind, 0, fds, 0), -EINVAL);
		assert_int_equal(disable(kind), 0);
		assert_int_equal(disable(kind), -EINVAL);
		assert_int_equal(set_fds(kind, 0, fds, 1), 0);
		assert_int_equal(set_fds(kind, 0, &none, 1), 0);
		assert_int_equal(disable(kind), -EINVAL);
	}
}

/* A counter that is full is not waited for. */
static void full_counter(void **state)
{
	const uint64_t most = UINT64_MAX - 1;

	(void)state;
	close(fds[0]);
	fds[0] = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(write(fds[0], &most, sizeof(most)), sizeof(most));
	assert_int_equal(set_fds(MSIX, 0, fds, 1), 0);
	raise_vector(0);
	assert_int_equal(taken(fds[0]), most);
}

static void without_memory(void **state)
{
	int error = -ENOMEM;

	(void)state;
	for (unsigned int nth = 1; error; nth++) {
		emu_heap_fail(nth);
		error = set_fds(MSIX, 0, fds, VECTORS);
		assert_int_equal(emu_heap_stop(), error != 0);
		assert_true(!error || error == -ENOMEM);
		if (error)
			assert_int_equal(disable(MSIX), -EINVAL);
	}
	assert_int_equal(disable(MSIX), 0);
	error = -ENOMEM;
	assert_int_equal(set_fds(INTX, 0, fds, 1), 0);
	for (unsigned int nth = 1; error; nth++) {
		emu_heap_fail(nth);
		error = set_irqs(EVENTFD | UNMASK, INTX, 0, 1, &fds[1], 4);
		assert_int_equal(emu_heap_stop(), error != 0);
		assert_true(!error || error == -ENOMEM);
	}
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(tells),
		CASE(what_set_refuses),
		CASE(msix),
		CASE(msi),
		CASE(intx),
		CASE(switched_off),
		CASE(unmasked_by_event),
		CASE(errors_and_requests),
		CASE(full_counter),
		CASE(without_memory),
	};

	return cmocka_run_group_tests_name("vfio-irq", tests, NULL, NULL);
}
