/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A device whose model is the test's own, by public functions alone; driven by the library. */
#include "dma-rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/base/uapi/vfio.h"

/* What the device has: it adds up bytes, and tells. */
enum { SOURCE = 0x00, COUNT = 0x08, SUM = 0x10, GO = 0x18, PULL = 0x20, ECHO = 0x28 };
enum { BAR_SIZE = 0x4000, TABLE = 0x1000, PENDING = 0x2000, VECTORS = 3, DONE = 1 };
enum { MEMORY_BAR = 2, MEMORY_SIZE = 0x2000, PORTS = 4 };
enum { VENDOR_CAPABILITY = 9, PM = 1, SERIAL = 3 };

struct adder {
	struct libiommu_emu *emu;
	struct libiommu_emu_device *device;
	uint64_t source, count, sum, echo;
	uint32_t messages, vendor; /* where these capabilities are */
	int resets, configured, ends, error, heard;
	uint32_t configured_at, mailbox;
	int deadlock[5];
	bool calls; /* when it is told to go, through the door */
};

static struct dma_rig rig;
static struct adder adder;

static uint64_t adder_read(void *user, uint32_t bar, uint64_t offset, uint32_t size)
{
	const struct adder *const a = user;

	if (bar == PORTS)
		return 0x1122334455667788 + offset;
	if (size != 8)
		return UINT64_C(0xffffffff00000000) + size;
	return offset == SOURCE  ? a->source
	       : offset == COUNT ? a->count
	       : offset == SUM   ? a->sum
	       : offset == ECHO  ? a->echo
	                         : 0;
}

static void add_up(struct adder *a)
{
	uint8_t bytes[256];
	uint32_t control = 0;
	size_t done;

	a->sum = 0;
	a->error = libiommu_emu_device_read(a->device, 0, a->source, bytes, a->count, &done);
	for (size_t i = 0; i < done; i++)
		a->sum += bytes[i];
	assert_int_equal(libiommu_emu_pci_get(a->device, a->messages + 2, 2, &control), 0);
	if (control & 0x8000)
		a->heard = libiommu_emu_pci_raise(a->device, DONE);
	else
		a->heard = libiommu_emu_pci_set_pin(a->device, true);
}

/* What a model must not do, and is told so. */
static void use_door(struct adder *a)
{
	struct libiommu_emu_transfer *transfer;
	void *address;
	uint8_t byte;
	uint32_t code;

	a->deadlock[0] = libiommu_emu_open(a->emu, "/dev/iommu", O_RDWR);
	a->deadlock[1] = libiommu_emu_ioctl(a->emu, libiommu_device_fd(rig.dev),
	                                    UAPI_IOC_VFIO_DEVICE_RESET, NULL);
	a->deadlock[2] = libiommu_emu_mmap(a->emu, NULL, 4096, PROT_READ, MAP_SHARED,
	                                   libiommu_device_fd(rig.dev), 0, &address);
	a->deadlock[3] = libiommu_emu_munmap(a->emu, (void *)(uintptr_t)rig.regs, 4096);
	/* Waiting is no use: nobody else can do anything meanwhile. */
	a->deadlock[4] = libiommu_emu_request_answer(a->device, -1, NULL, NULL, &code);
	assert_int_equal(
		libiommu_emu_transfer_start(a->device, 0, 0, DMA_IOVA, &byte, 1, &transfer), 0);
	assert_int_equal(libiommu_emu_transfer_wait(transfer, -1), 0);
	libiommu_emu_transfer_end(transfer);
}

static void adder_write(void *user, uint32_t bar, uint64_t offset, uint32_t size, uint64_t value)
{
	struct adder *const a = user;

	if (bar || size != 8)
		return;
	if (offset == SOURCE)
		a->source = value;
	else if (offset == COUNT)
		a->count = value;
	else if (offset == ECHO)
		a->echo = value;
	else if (offset == PULL)
		a->error = libiommu_emu_device_remove(a->device);
	else if (offset == GO && a->calls)
		use_door(a);
	else if (offset == GO && value)
		add_up(a);
	else if (offset == GO)
		libiommu_emu_pci_set_pin(a->device, false);
}

static void adder_configured(void *user, uint32_t at, uint32_t size)
{
	struct adder *const a = user;

	assert_true(size >= 1 && size <= 4);
	a->configured++;
	a->configured_at = at;
	if (at >= a->vendor && a->device)
		libiommu_emu_pci_get(a->device, a->vendor + 4, 4, &a->mailbox);
}

static void adder_reset(void *user)
{
	struct adder *const a = user;

	a->resets++;
	a->sum = 0;
}

static void adder_end(void *user)
{
	((struct adder *)user)->ends++;
}

static const uint8_t vendor_contents[] = {12, 0x5a, 1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t vendor_writable[] = {0, 0, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0};
static const uint8_t serial[] = {0, 1, 2, 3, 4, 5, 6, 7};

static int describe(uint32_t flags, struct libiommu_emu_pci **described)
{
	struct libiommu_emu_pci *pci;
	int error = libiommu_emu_pci_new(flags, &pci);

	if (error)
		return error;
	assert_int_equal(libiommu_emu_pci_set_ids(pci, 0xcafe, 0x0add, 0x120000, 7), 0);
	assert_int_equal(libiommu_emu_pci_set_subsystem(pci, 0xbeef, 0x0001), 0);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, 0, BAR_SIZE, LIBIOMMU_EMU_PCI_BAR_64), 0);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, MEMORY_BAR, MEMORY_SIZE,
	                                          LIBIOMMU_EMU_PCI_BAR_64 |
	                                                  LIBIOMMU_EMU_PCI_BAR_PREFETCH |
	                                                  LIBIOMMU_EMU_PCI_BAR_MEMORY),
	                 0);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, PORTS, 32, LIBIOMMU_EMU_PCI_BAR_IO), 0);
	assert_int_equal(
		libiommu_emu_pci_add_msix(pci, VECTORS, 0, TABLE, PENDING, &adder.messages), 0);
	assert_int_equal(libiommu_emu_pci_add_capability(pci, VENDOR_CAPABILITY, vendor_contents,
	                                                 vendor_writable, sizeof(vendor_contents),
	                                                 &adder.vendor),
	                 0);
	assert_int_equal(libiommu_emu_pci_set_user(pci, &adder), 0);
	assert_int_equal(libiommu_emu_pci_set_read(pci, adder_read), 0);
	assert_int_equal(libiommu_emu_pci_set_write(pci, adder_write), 0);
	assert_int_equal(libiommu_emu_pci_set_configured(pci, adder_configured), 0);
	assert_int_equal(libiommu_emu_pci_set_reset(pci, adder_reset), 0);
	assert_int_equal(libiommu_emu_pci_set_end(pci, adder_end), 0);
	*described = pci;
	return 0;
}

static int setup(void **state)
{
	struct libiommu_emu_pci *pci;

	(void)state;
	memset(&adder, 0, sizeof(adder));
	dma_begin(&rig, 0);
	adder.emu = rig.emu;
	assert_int_equal(describe(LIBIOMMU_EMU_PCI_PIN, &pci), 0);
	assert_int_equal(
		libiommu_emu_pci_add_extended(pci, SERIAL, 1, serial, NULL, sizeof(serial), NULL),
		0);
	assert_int_equal(libiommu_emu_pci_add(rig.emu, rig.config, pci, &adder.device), 0);
	rig.device = adder.device;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(adder.ends, 0);
	dma_end(&rig);
	assert_int_equal(adder.ends, 1);
	return 0;
}

static uint32_t config(uint32_t at, uint32_t size)
{
	uint32_t value = 0;

	assert_int_equal(libiommu_pci_config_read(rig.dev, at, &value, size), 0);
	return value;
}

static void is_what_was_described(void **state)
{
	uint64_t size, value = 0;
	uint32_t at, count, flags;

	(void)state;
	dma_open(&rig);
	assert_int_equal(config(0, 4), 0x0addcafe);
	assert_int_equal(config(8, 4), 0x12000007);
	assert_int_equal(config(0x2c, 4), 0x0001beef);
	assert_int_equal(libiommu_pci_bar_info(rig.dev, 0, &size, &flags), 0);
	assert_int_equal(size, BAR_SIZE);
	assert_int_equal(libiommu_pci_bar_info(rig.dev, MEMORY_BAR, &size, &flags), 0);
	assert_int_equal(size, MEMORY_SIZE);
	assert_int_equal(libiommu_pci_bar_read(rig.dev, PORTS, 8, &value, 4), 0);
	assert_int_equal(value, 0x55667790);
	assert_int_equal(libiommu_irq_info(rig.dev, LIBIOMMU_IRQ_MSIX, &count, &flags), 0);
	assert_int_equal(count, VECTORS);
	assert_int_equal(libiommu_irq_info(rig.dev, LIBIOMMU_IRQ_INTX, &count, &flags), 0);
	assert_int_equal(count, 1);
	assert_int_equal(libiommu_pci_find_ext_capability(rig.dev, SERIAL, &at), 0);
	assert_int_equal(config(at + 4, 4), 0x03020100);
}

static void registers(void **state)
{
	volatile uint64_t *wide;
	uint64_t value = 0;

	(void)state;
	dma_open(&rig);
	wide = (volatile uint64_t *)rig.regs;
	wide[ECHO / 8] = UINT64_C(0x123456789abcdef0);
	assert_int_equal(wide[ECHO / 8], UINT64_C(0x123456789abcdef0));
	/* Above what was asked for there is nothing. */
	assert_int_equal(rig.regs[ECHO / 4], 4);
	assert_int_equal(((volatile uint8_t *)rig.regs)[ECHO], 1);
	assert_int_equal(libiommu_pci_bar_read(rig.dev, 0, ECHO, &value, 8), 0);
	assert_int_equal(value, UINT64_C(0x123456789abcdef0));
	value = 5;
	assert_int_equal(libiommu_pci_bar_write(rig.dev, 0, ECHO, &value, 8), 0);
	assert_int_equal(adder.echo, 5);
}

static bool fires(int fd)
{
	struct pollfd event = {.fd = fd, .events = POLLIN};
	uint64_t count;

	return poll(&event, 1, 0) == 1 && read(fd, &count, sizeof(count)) == sizeof(count);
}

/* The compiler does not know that a register's use calls the model, here and now. */
static void set(uint32_t at, uint64_t value)
{
	((volatile uint64_t *)rig.regs)[at / 8] = value;
	atomic_signal_fence(memory_order_seq_cst);
}

static void add(uint64_t iova, uint64_t count)
{
	set(SOURCE, iova);
	set(COUNT, count);
	set(GO, 1);
}

static void does_dma_and_tells(void **state)
{
	const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	(void)state;
	dma_open(&rig);
	for (int i = 0; i < 100; i++)
		rig.memory[i] = (uint8_t)i;
	assert_int_equal(libiommu_irq_enable(rig.dev, LIBIOMMU_IRQ_MSIX, DONE, &fd, 1), 0);
	add(DMA_IOVA, 100);
	assert_int_equal(adder.error, 0);
	assert_int_equal(adder.sum, 4950);
	assert_int_equal(adder.heard, 1);
	assert_true(fires(fd));
	/* What is not mapped is not reached. */
	add(DMA_IOVA + DMA_LENGTH - 8, 16);
	assert_int_equal(adder.error, -EFAULT);
	assert_true(fires(fd));
	/* Another vector has nobody to hear it, and none at all has the device. */
	assert_int_equal(libiommu_emu_pci_raise(adder.device, 0), 0);
	assert_int_equal(libiommu_emu_pci_raise(adder.device, VECTORS), 0);
	assert_int_equal(libiommu_pci_set_bus_master(rig.dev, false), 0);
	assert_int_equal(libiommu_emu_pci_raise(adder.device, DONE), 0);
	assert_false(fires(fd));
	assert_int_equal(libiommu_irq_disable(rig.dev, LIBIOMMU_IRQ_MSIX), 0);
	close(fd);
}

static void tells_by_pin(void **state)
{
	const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	(void)state;
	dma_open(&rig);
	assert_int_equal(libiommu_irq_enable(rig.dev, LIBIOMMU_IRQ_INTX, 0, &fd, 1), 0);
	add(DMA_IOVA, 1);
	assert_true(fires(fd));
	assert_int_equal(config(6, 2) & 8, 8);
	set(GO, 0);
	assert_int_equal(libiommu_irq_unmask(rig.dev, LIBIOMMU_IRQ_INTX, 0, 1), 0);
	assert_false(fires(fd));
	assert_int_equal(config(6, 2) & 8, 0);
	assert_int_equal(libiommu_irq_disable(rig.dev, LIBIOMMU_IRQ_INTX), 0);
	close(fd);
}

/* A model that works by itself, in a thread of its own. */
static void *work(void *arg)
{
	struct adder *const a = arg;

	add_up(a);
	return NULL;
}

static void works_in_a_thread(void **state)
{
	const int fd = eventfd(0, EFD_CLOEXEC);
	struct pollfd event = {.fd = fd, .events = POLLIN};
	pthread_t thread;

	(void)state;
	dma_open(&rig);
	rig.memory[3] = 42;
	assert_int_equal(libiommu_irq_enable(rig.dev, LIBIOMMU_IRQ_MSIX, DONE, &fd, 1), 0);
	adder.source = DMA_IOVA;
	adder.count = 16;
	assert_int_equal(pthread_create(&thread, NULL, work, &adder), 0);
	assert_int_equal(poll(&event, 1, -1), 1);
	pthread_join(thread, NULL);
	assert_int_equal(adder.sum, 42);
	assert_int_equal(libiommu_irq_disable(rig.dev, LIBIOMMU_IRQ_MSIX), 0);
	close(fd);
}

static void has_configuration(void **state)
{
	const uint32_t all = UINT32_MAX;
	uint32_t at, value;

	(void)state;
	dma_open(&rig);
	assert_int_equal(libiommu_pci_find_capability(rig.dev, VENDOR_CAPABILITY, &at), 0);
	assert_int_equal(at, adder.vendor);
	assert_int_equal(config(at + 4, 4), 0x04030201);
	adder.configured = 0;
	assert_int_equal(libiommu_pci_config_write(rig.dev, at + 4, &all, 4), 0);
	assert_int_equal(adder.configured, 1);
	assert_int_equal(adder.configured_at, at + 4);
	/* Bits that software cannot change stay; the model can change all. */
	assert_int_equal(adder.mailbox, 0x0fffffff);
	assert_int_equal(config(at + 4, 4), 0x0fffffff);
	assert_int_equal(libiommu_emu_pci_set(adder.device, at + 8, 2, 0xabcd), 0);
	assert_int_equal(config(at + 8, 4), 0x0807abcd);
	assert_int_equal(libiommu_emu_pci_get(adder.device, at + 9, 1, &value), 0);
	assert_int_equal(value, 0xab);
}

static void shares_memory(void **state)
{
	struct libiommu_bar_map *map;
	volatile uint32_t *theirs;
	uint32_t *ours;
	int fd;

	(void)state;
	dma_open(&rig);
	fd = libiommu_emu_pci_memory(adder.device, MEMORY_BAR);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ours = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(ours != MAP_FAILED);
	close(fd);
	assert_int_equal(libiommu_pci_bar_map(rig.dev, MEMORY_BAR, 0, 0,
	                                      LIBIOMMU_BAR_READ | LIBIOMMU_BAR_WRITE, &map),
	                 0);
	theirs = libiommu_bar_map_address(map);
	theirs[5] = 1;
	assert_int_equal(ours[5], 1);
	ours[6] = 2;
	assert_int_equal(theirs[6], 2);
	assert_int_equal(libiommu_bar_map_destroy(map), 0);
	munmap(ours, MEMORY_SIZE);
	assert_int_equal(libiommu_emu_pci_memory(adder.device, 0), -EINVAL);
	assert_int_equal(libiommu_emu_pci_memory(adder.device, 1), -EINVAL);
	assert_int_equal(libiommu_emu_pci_memory(adder.device, 6), -EINVAL);
}

static void is_reset(void **state)
{
	int before;

	(void)state;
	dma_open(&rig);
	add(DMA_IOVA, 1);
	adder.sum = 1;
	before = adder.resets;
	assert_int_equal(libiommu_reset_function(rig.dev), 0);
	assert_int_equal(adder.resets, before + 1);
	assert_int_equal(adder.sum, 0);
}

static void cannot_use_the_door(void **state)
{
	(void)state;
	dma_open(&rig);
	adder.calls = true;
	set(GO, 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(adder.deadlock[i], -EDEADLK);
	assert_int_equal(adder.deadlock[4], -ETIMEDOUT);
	/* All goes on as before. */
	adder.calls = false;
	add(DMA_IOVA, 1);
	assert_int_equal(adder.error, 0);
	assert_int_equal(libiommu_reset_function(rig.dev), 0);
}

static void pulls_itself_out(void **state)
{
	volatile uint64_t *wide;
	uint32_t value;

	(void)state;
	dma_open(&rig);
	wide = (volatile uint64_t *)rig.regs;
	set(PULL, 1);
	assert_int_equal(adder.error, 0);
	assert_int_equal(wide[ECHO / 8], UINT64_MAX);
	assert_int_equal(libiommu_emu_pci_raise(adder.device, DONE), -ENODEV);
	assert_int_equal(libiommu_emu_pci_set_pin(adder.device, true), -ENODEV);
	assert_int_equal(libiommu_emu_pci_get(adder.device, 0, 4, &value), -ENODEV);
	assert_int_equal(libiommu_emu_pci_set(adder.device, 0, 4, 0), -ENODEV);
	assert_int_equal(libiommu_emu_pci_memory(adder.device, MEMORY_BAR), -ENODEV);
	/* The program has it open still. */
	assert_int_equal(adder.ends, 0);
	assert_int_equal(libiommu_bar_map_destroy(rig.map), 0);
	assert_int_equal(libiommu_device_destroy(rig.dev), 0);
	assert_int_equal(adder.ends, 1);
	rig.map = NULL;
	rig.dev = NULL;
	adder.ends = 0;
	dma_end(&rig);
	assert_int_equal(adder.ends, 0);
}

static void nothing_without_a_model(void **state)
{
	struct libiommu_emu_device *device;
	struct libiommu_emu_pci *pci;
	uint64_t value = 1;

	(void)state;
	assert_int_equal(libiommu_emu_pci_new(LIBIOMMU_EMU_PCI_NO_RESET, &pci), 0);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, 0, 4096, 0), 0);
	assert_int_equal(libiommu_emu_pci_add_msi(pci, 4, NULL), 0);
	dma_begin(&rig, 0);
	assert_int_equal(libiommu_emu_pci_add(rig.emu, rig.config, pci, &device), 0);
	dma_open(&rig);
	rig.regs[0] = 5;
	assert_int_equal(rig.regs[0], 0);
	assert_int_equal(libiommu_pci_bar_read(rig.dev, 0, 8, &value, 8), 0);
	assert_int_equal(value, 0);
	assert_int_equal(config(0, 4), 0x0e401234);
	dma_end(&rig);
}

/* 256 bytes, of which the header takes 64 and power management 8. */
static void has_an_end(void **state)
{
	static const uint8_t contents[4096];
	struct libiommu_emu_device *device;
	struct libiommu_emu_pci *pci;
	uint32_t at;

	(void)state;
	assert_int_equal(libiommu_emu_pci_new(LIBIOMMU_EMU_PCI_CONVENTIONAL, &pci), 0);
	assert_int_equal(libiommu_emu_pci_add_extended(pci, SERIAL, 1, contents, NULL, 8, &at),
	                 -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_capability(pci, 9, contents, NULL, 183, &at),
	                 -ENOSPC);
	assert_int_equal(libiommu_emu_pci_add_capability(pci, 9, contents, NULL, 4000, &at),
	                 -ENOSPC);
	assert_int_equal(libiommu_emu_pci_add_capability(pci, 9, contents, NULL, 182, &at), 0);
	assert_int_equal(at, 72);
	assert_int_equal(libiommu_emu_pci_add_msi(pci, 1, &at), -ENOSPC);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, 0, 0x10000, 0), 0);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, 1, 0, 0, 0x8000, &at), -ENOSPC);
	dma_begin(&rig, 0);
	assert_int_equal(libiommu_emu_pci_add(rig.emu, rig.config, pci, &device), 0);
	assert_int_equal(libiommu_emu_pci_get(device, 252, 4, &at), 0);
	assert_int_equal(libiommu_emu_pci_get(device, 256, 4, &at), -EINVAL);
	dma_end(&rig);

	assert_int_equal(libiommu_emu_pci_new(0, &pci), 0);
	assert_int_equal(libiommu_emu_pci_add_extended(pci, 0xb, 1, contents, NULL, 3837, &at),
	                 -ENOSPC);
	assert_int_equal(libiommu_emu_pci_add_extended(pci, 0xb, 1, contents, NULL, 5000, &at),
	                 -ENOSPC);
	assert_int_equal(libiommu_emu_pci_add_extended(pci, 0xb, 1, contents, NULL, 3836, &at), 0);
	assert_int_equal(at, 256);
	libiommu_emu_pci_free(pci);
}

static void refuses_what_makes_no_sense(void **state)
{
	struct libiommu_emu_device *device;
	struct libiommu_emu_pci *pci;
	uint32_t at;

	(void)state;
	assert_int_equal(libiommu_emu_pci_new(0, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_pci_new(8, &pci), -EINVAL);
	assert_int_equal(libiommu_emu_pci_new(0, &pci), 0);
	assert_int_equal(libiommu_emu_pci_set_ids(pci, 1, 1, 0x1000000, 1), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, 6, 4096, 0), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, 0, 4096, 16), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, 0, 4096, 3), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, 0, 5000, 0), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, 5, 4096, 2), -EINVAL);
	for (uint32_t count = 0; count < 70; count++)
		if (count & (count - 1) || !count || count > 32)
			assert_int_equal(libiommu_emu_pci_add_msi(pci, count, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_msi(pci, 32, &at), 0);
	assert_int_equal(libiommu_emu_pci_add_msi(pci, 1, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, 0, 4096, 0), 0);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, 1, 16, 1), 0);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, 0, 0, 0, 2048, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, 2049, 0, 0, 2048, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, 1, 6, 0, 2048, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, 1, 2, 0, 2048, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, 1, 1, 0, 8, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, 1, 0, 4, 2048, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, 2, 0, 4080, 2048, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, 1, 0, 0, 4096, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, 65, 0, 0, 4088, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, 64, 0, 0, 4088, &at), 0);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, 1, 0, 0, 2048, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_capability(pci, 9, NULL, NULL, 1, &at), -EINVAL);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
			libiommu_emu_pci_add_capability(
				pci, (const uint8_t[]){PM, 5, 0x10, 0x11}[i], serial, NULL, 8, &at),
			-EINVAL);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			libiommu_emu_pci_add_extended(pci, (const uint16_t[]){0xf, 0x13, 0x1b}[i],
		                                      1, serial, NULL, 8, &at),
			-EINVAL);
	assert_int_equal(libiommu_emu_pci_add_extended(pci, 3, 16, serial, NULL, 8, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_extended(pci, 3, 1, NULL, NULL, 8, &at), -EINVAL);
	dma_begin(&rig, 0);
	assert_int_equal(libiommu_emu_device_add(rig.emu, rig.config, &device), 0);
	assert_int_equal(libiommu_emu_pci_get(device, 1, 2, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_get(device, 0, 8, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_get(device, 4096, 1, &at), -EINVAL);
	assert_int_equal(libiommu_emu_pci_set(device, 2, 4, 0), -EINVAL);
	/* Its address is taken; the description can be used again, or freed. */
	assert_int_equal(libiommu_emu_pci_set_end(pci, adder_end), 0);
	assert_int_equal(libiommu_emu_pci_add(rig.emu, rig.config, pci, &device), -EEXIST);
	assert_int_equal(libiommu_emu_pci_add(rig.emu, NULL, pci, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add(rig.emu, NULL, NULL, &device), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add(NULL, NULL, pci, &device), -EINVAL);
	adder.ends = 0;
	libiommu_emu_pci_free(pci);
	assert_int_equal(adder.ends, 0);
	dma_end(&rig);
}

static void knows_nothing(void **state)
{
	uint32_t value;

	(void)state;
	libiommu_emu_pci_free(NULL);
	assert_int_equal(libiommu_emu_pci_set_ids(NULL, 1, 1, 1, 1), -EINVAL);
	assert_int_equal(libiommu_emu_pci_set_subsystem(NULL, 1, 1), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_bar(NULL, 0, 4096, 0), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_msi(NULL, 1, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_msix(NULL, 1, 0, 0, 8, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_capability(NULL, 9, serial, NULL, 8, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_pci_add_extended(NULL, 3, 1, serial, NULL, 8, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_pci_set_user(NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_pci_set_read(NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_pci_set_write(NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_pci_set_configured(NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_pci_set_reset(NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_pci_set_end(NULL, NULL), -EINVAL);
	assert_int_equal(libiommu_emu_pci_raise(NULL, 0), -EINVAL);
	assert_int_equal(libiommu_emu_pci_set_pin(NULL, true), -EINVAL);
	assert_int_equal(libiommu_emu_pci_get(NULL, 0, 4, &value), -EINVAL);
	assert_int_equal(libiommu_emu_pci_set(NULL, 0, 4, 0), -EINVAL);
	assert_int_equal(libiommu_emu_pci_memory(NULL, 0), -EINVAL);
}

/* Each allocation fails in turn. */
static void without_memory(void **state)
{
	struct libiommu_emu_device *device = NULL;
	struct libiommu_emu_pci *pci = NULL;
	unsigned int nth;
	int error = -ENOMEM;

	(void)state;
	memset(&adder, 0, sizeof(adder));
	dma_begin(&rig, 0);
	libiommu_emu_fail_allocation(1);
	assert_int_equal(libiommu_emu_pci_new(0, &pci), -ENOMEM);
	libiommu_emu_stop_failing();
	assert_null(pci);
	assert_int_equal(describe(0, &pci), 0);
	for (nth = 1; error; nth++) {
		libiommu_emu_fail_allocation(nth);
		error = libiommu_emu_pci_add(rig.emu, rig.config, pci, &device);
		libiommu_emu_stop_failing();
		assert_true(error == -ENOMEM || !error);
		assert_int_equal(!device, !!error);
	}
	assert_true(nth > 2);
	dma_end(&rig);
	assert_int_equal(adder.ends, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_what_was_described, setup, teardown),
		cmocka_unit_test_setup_teardown(registers, setup, teardown),
		cmocka_unit_test_setup_teardown(does_dma_and_tells, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_by_pin, setup, teardown),
		cmocka_unit_test_setup_teardown(works_in_a_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(has_configuration, setup, teardown),
		cmocka_unit_test_setup_teardown(shares_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(is_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(cannot_use_the_door, setup, teardown),
		cmocka_unit_test_setup(pulls_itself_out, setup),
		cmocka_unit_test(nothing_without_a_model),
		cmocka_unit_test(has_an_end),
		cmocka_unit_test(refuses_what_makes_no_sense),
		cmocka_unit_test(knows_nothing),
		cmocka_unit_test(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
