/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Devices that misbehave, as a test of a driver would have them: by public functions alone. Each
 * time the program is told, or nothing happens to it; and machine and library go on.
 */
#include "dma-rig.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PAGE = 4096, PASIDS = 8, VECTORS = 2, FLOOD = 3000, ENDLESS = 1000 };
enum { BAR_SIZE = 0x4000, TABLE = 0x1000, PENDING = 0x2000, VENDOR = 9 };

/* The fault queue's page table has nothing there. */
#define MISSING (DMA_IOVA + DMA_LENGTH)

static struct dma_rig rig;
static struct libiommu_fault_queue *queue;
static struct libiommu_fault_batch *batch;
static struct libiommu_hwpt *table;
static uint32_t vendor_at;
static int resets;

static uint64_t read_register(void *user, uint32_t bar, uint64_t offset, uint32_t size)
{
	(void)user;
	(void)bar;
	(void)size;
	return offset + 1;
}

static void count_reset(void *user)
{
	(void)user;
	resets++;
}

static void add_device(void)
{
	struct libiommu_emu_pci *pci;

	assert_int_equal(libiommu_emu_pci_new(LIBIOMMU_EMU_PCI_PIN, &pci), 0);
	assert_int_equal(libiommu_emu_pci_add_bar(pci, 0, BAR_SIZE, LIBIOMMU_EMU_PCI_BAR_64), 0);
	assert_int_equal(libiommu_emu_pci_add_msix(pci, VECTORS, 0, TABLE, PENDING, NULL), 0);
	assert_int_equal(libiommu_emu_pci_add_capability(pci, VENDOR, "\4\0", NULL, 2, &vendor_at),
	                 0);
	assert_int_equal(libiommu_emu_pci_set_read(pci, read_register), 0);
	assert_int_equal(libiommu_emu_pci_set_reset(pci, count_reset), 0);
	assert_int_equal(libiommu_emu_pci_add(rig.emu, rig.config, pci, &rig.device), 0);
}

/* Attached to a page table whose missing pages go to the queue. */
static void begin(void)
{
	struct libiommu_hwpt_config *config;

	dma_begin(&rig, LIBIOMMU_EMU_DEVICE_PAGE_REQUESTS);
	assert_int_equal(libiommu_emu_device_config_set_pasid_bits(rig.config, PASIDS), 0);
	add_device();
	dma_open(&rig);
	assert_int_equal(libiommu_fault_queue_alloc(rig.ctx, &queue), 0);
	assert_int_equal(libiommu_fault_batch_new(0, &batch), 0);
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_fault_queue(config, queue), 0);
	assert_int_equal(libiommu_hwpt_alloc(rig.dev, rig.ioas, config, &table), 0);
	libiommu_hwpt_config_free(config);
	assert_int_equal(libiommu_device_replace_hwpt(rig.dev, table), 0);
}

/* Nothing is left of whatever the device did. */
static void end(void)
{
	assert_int_equal(libiommu_device_detach(rig.dev), 0);
	assert_int_equal(libiommu_hwpt_destroy(table), 0);
	assert_int_equal(libiommu_fault_queue_destroy(queue), 0);
	libiommu_fault_batch_free(batch);
	dma_end(&rig);
}

static void writes(uint32_t pasid, uint64_t iova, int error)
{
	const char bytes[2] = {0x5a, 0x5a};
	size_t done = sizeof(bytes);

	assert_int_equal(
		libiommu_emu_device_write(rig.device, pasid, iova, bytes, sizeof(bytes), &done),
		error);
	assert_true(error ? done < sizeof(bytes) : done == sizeof(bytes));
}

/* All of the memory is as it was, but for the byte at its end. */
static void writes_where_it_must_not(void **state)
{
	uint64_t read_only = MISSING + PAGE;

	(void)state;
	begin();
	assert_int_equal(
		libiommu_ioas_map_fixed(rig.ioas, rig.memory, PAGE, LIBIOMMU_MAP_READ, read_only),
		0);
	writes(0, DMA_IOVA - 2, -EFAULT);
	writes(0, DMA_IOVA + DMA_LENGTH, -EFAULT);
	writes(0, 0, -EFAULT);
	writes(0, UINT64_MAX, -EFAULT);
	writes(0, read_only, -EFAULT);
	/* PASIDs that nobody gave it, and more than it has bits for. */
	writes(1, DMA_IOVA, -EFAULT);
	writes(1U << PASIDS, DMA_IOVA, -EFAULT);
	writes(UINT32_MAX, DMA_IOVA, -EFAULT);
	writes(0, DMA_IOVA + DMA_LENGTH - 1, -EFAULT);
	for (size_t i = 0; i < DMA_LENGTH - 1; i++)
		assert_int_equal(rig.memory[i], 0);
	assert_int_equal(rig.memory[DMA_LENGTH - 1], 0x5a);
	/* Where no page request is wanted, none is made. */
	assert_int_equal(libiommu_fault_queue_read(queue, batch), 0);
	end();
}

/* Neither a reset nor a bit of its own registers holds such a device: its page table does. */
static void writes_when_it_must_not(void **state)
{
	(void)state;
	begin();
	assert_int_equal(libiommu_pci_set_bus_master(rig.dev, false), 0);
	writes(0, DMA_IOVA, 0);
	writes(0, MISSING, -EFAULT);
	assert_int_equal(libiommu_reset_function(rig.dev), 0);
	writes(0, DMA_IOVA, 0);
	writes(0, MISSING, -EFAULT);
	memset(rig.memory, 0, PAGE);
	assert_int_equal(libiommu_device_detach(rig.dev), 0);
	writes(0, DMA_IOVA, -EFAULT);
	assert_int_equal(rig.memory[0], 0);
	assert_int_equal(libiommu_device_attach_hwpt(rig.dev, table), 0);
	writes(0, DMA_IOVA, 0);
	end();
}

static void asks(uint32_t pasid, uint32_t group, bool last)
{
	const uint32_t flags = LIBIOMMU_EMU_REQUEST_WRITE |
	                       (pasid ? LIBIOMMU_EMU_REQUEST_PASID : 0) |
	                       (last ? LIBIOMMU_EMU_REQUEST_LAST : 0);

	assert_int_equal(libiommu_emu_request_page(rig.device, flags, pasid, group, MISSING), 0);
}

static void is_told(uint32_t group, uint32_t code)
{
	uint32_t answered, answer;

	assert_int_equal(libiommu_emu_request_answer(rig.device, 0, NULL, &answered, &answer), 0);
	assert_int_equal(answered, group);
	assert_int_equal(answer, code);
}

static void is_told_no_more(void)
{
	uint32_t answer;

	assert_int_equal(libiommu_emu_request_answer(rig.device, 0, NULL, NULL, &answer),
	                 -ETIMEDOUT);
}

/* One group, of so many pages. */
static uint64_t takes(int pages)
{
	assert_int_equal(libiommu_fault_queue_read(queue, batch), pages);
	return libiommu_fault_batch_get(batch, (size_t)pages - 1)->token;
}

static size_t answers(uint64_t token)
{
	const struct libiommu_fault_response response = {.token = token,
	                                                 .code = LIBIOMMU_FAULT_SUCCESS};
	size_t stale;

	assert_int_equal(libiommu_fault_queue_respond(queue, &response, 1, &stale), 1);
	return stale;
}

/* Refused by the kernel at once, and nobody else hears of it. */
static void asks_where_nobody_is(void **state)
{
	(void)state;
	begin();
	asks(3, 1, true);
	is_told(1, LIBIOMMU_EMU_ANSWER_INVALID);
	asks(1U << PASIDS, 2, true);
	is_told(2, LIBIOMMU_EMU_ANSWER_INVALID);
	assert_int_equal(libiommu_device_detach(rig.dev), 0);
	asks(0, 3, true);
	is_told(3, LIBIOMMU_EMU_ANSWER_INVALID);
	is_told_no_more();
	assert_int_equal(libiommu_fault_queue_read(queue, batch), 0);
	assert_int_equal(libiommu_device_attach_hwpt(rig.dev, table), 0);
	asks(0, 4, true);
	assert_int_equal(answers(takes(1)), 0);
	is_told(4, LIBIOMMU_EMU_ANSWER_SUCCESS);
	end();
}

/* Requests of groups that never end are in nobody's way; one that ends late is a large one. */
static void begins_and_does_not_end(void **state)
{
	(void)state;
	begin();
	for (uint32_t i = 0; i < ENDLESS; i++)
		asks(0, 5, false);
	for (uint32_t i = 0; i < ENDLESS; i++)
		asks(0, 6 + i, false);
	assert_int_equal(libiommu_fault_queue_read(queue, batch), 0);
	asks(0, 4, true);
	assert_int_equal(answers(takes(1)), 0);
	is_told(4, LIBIOMMU_EMU_ANSWER_SUCCESS);
	asks(0, 5, true);
	assert_int_equal(answers(takes(ENDLESS + 1)), 0);
	is_told(5, LIBIOMMU_EMU_ANSWER_SUCCESS);
	is_told_no_more();
	end();
}

/* With one number for all: which is which the kernel knows, and the device is told of each. */
static void asks_too_much(void **state)
{
	static struct libiommu_fault_response responses[FLOOD];
	size_t count = 0, stale;
	int got;

	(void)state;
	begin();
	for (uint32_t i = 0; i < FLOOD; i++)
		asks(0, 7, true);
	while ((got = libiommu_fault_queue_read(queue, batch)) > 0)
		for (int i = 0; i < got; i++)
			responses[count++] = (struct libiommu_fault_response){
				.token = libiommu_fault_batch_get(batch, (size_t)i)->token};
	assert_int_equal(got, 0);
	assert_int_equal(count, FLOOD);
	assert_int_equal(libiommu_fault_queue_respond(queue, responses, count, &stale), FLOOD);
	assert_int_equal(stale, 0);
	for (uint32_t i = 0; i < FLOOD; i++)
		is_told(7, LIBIOMMU_EMU_ANSWER_SUCCESS);
	is_told_no_more();
	end();
}

/* What was asked is void when the device is taken away, or goes, and its answer reaches nobody. */
static void goes_before_it_is_answered(void **state)
{
	uint64_t token;

	(void)state;
	begin();
	asks(0, 8, true);
	token = takes(1);
	assert_int_equal(libiommu_device_detach(rig.dev), 0);
	is_told(8, LIBIOMMU_EMU_ANSWER_INVALID);
	assert_int_equal(answers(token), 1);
	is_told_no_more();
	assert_int_equal(libiommu_device_attach_hwpt(rig.dev, table), 0);
	asks(0, 9, true);
	token = takes(1);
	assert_int_equal(libiommu_emu_device_remove(rig.device), 0);
	answers(token);
	assert_int_equal(
		libiommu_emu_request_page(rig.device, LIBIOMMU_EMU_REQUEST_READ, 0, 1, MISSING),
		-ENODEV);
	end();
}

static uint64_t heard(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	uint64_t count = 0;

	if (poll(&ready, 1, 0) == 1)
		assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
	return count;
}

static void interrupts_unasked(void **state)
{
	const uint64_t nearly_full = UINT64_MAX - 1 - 10;
	const int fd = eventfd(0, EFD_CLOEXEC);

	(void)state;
	begin();
	assert_int_equal(libiommu_emu_pci_raise(rig.device, 0), 0);
	assert_int_equal(libiommu_irq_enable(rig.dev, LIBIOMMU_IRQ_MSIX, 0, &fd, 1), 0);
	assert_int_equal(libiommu_emu_pci_raise(rig.device, 1), 0);
	assert_int_equal(libiommu_emu_pci_raise(rig.device, UINT32_MAX), 0);
	assert_int_equal(heard(fd), 0);
	for (int i = 0; i < FLOOD; i++)
		assert_int_equal(libiommu_emu_pci_raise(rig.device, 0), 1);
	assert_int_equal(heard(fd), FLOOD);
	/* Nobody waits until there is room for more. */
	assert_int_equal(write(fd, &nearly_full, sizeof(nearly_full)), sizeof(nearly_full));
	for (int i = 0; i < 100; i++)
		assert_true(libiommu_emu_pci_raise(rig.device, 0) >= 0);
	assert_true(heard(fd) >= nearly_full);
	assert_int_equal(libiommu_irq_disable(rig.dev, LIBIOMMU_IRQ_MSIX), 0);
	assert_int_equal(libiommu_emu_pci_raise(rig.device, 0), 0);
	assert_int_equal(heard(fd), 0);
	close(fd);
	end();
}

/* A pin that is never let go is masked each time, and fires as often as it is unmasked. */
static void holds_its_pin(void **state)
{
	const int fd = eventfd(0, EFD_CLOEXEC);

	(void)state;
	begin();
	assert_int_equal(libiommu_emu_pci_set_pin(rig.device, true), 0);
	assert_int_equal(libiommu_irq_enable(rig.dev, LIBIOMMU_IRQ_INTX, 0, &fd, 1), 0);
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 10; j++)
			assert_int_equal(libiommu_emu_pci_set_pin(rig.device, true), 0);
		assert_int_equal(heard(fd), 1);
		assert_int_equal(libiommu_irq_unmask(rig.dev, LIBIOMMU_IRQ_INTX, 0, 1), 0);
	}
	assert_int_equal(libiommu_emu_pci_set_pin(rig.device, false), 0);
	assert_int_equal(libiommu_irq_disable(rig.dev, LIBIOMMU_IRQ_INTX), 0);
	close(fd);
	end();
}

/* In between the test may change what the device is. */
static void let_go(void)
{
	assert_int_equal(libiommu_bar_map_destroy(rig.map), 0);
	rig.map = NULL;
	assert_int_equal(libiommu_device_destroy(rig.dev), 0);
}

static void open_again(void)
{
	assert_int_equal(libiommu_device_open_pci(rig.ctx, "01:00.0", &rig.dev), 0);
	assert_int_equal(libiommu_device_bind(rig.dev, 7, NULL, 0), 0);
	assert_int_equal(libiommu_device_attach_hwpt(rig.dev, table), 0);
}

/* A list whose last capability is followed by itself, as whoever opens the device finds it. */
static void lists_itself(void **state)
{
	uint32_t at;
	int error;

	(void)state;
	begin();
	let_go();
	assert_int_equal(libiommu_emu_pci_set(rig.device, vendor_at + 1, 1, vendor_at), 0);
	open_again();
	assert_int_equal(libiommu_pci_find_capability(rig.dev, VENDOR, &at), 0);
	assert_int_equal(at, vendor_at);
	error = libiommu_pci_find_capability(rig.dev, 0x42, &at);
	assert_true(error == -ELOOP || error == -ENOENT);
	end();
}

static void does_not_answer(void **state)
{
	uint32_t value = 0;
	char text[512];

	(void)state;
	begin();
	assert_int_equal(libiommu_reset_function(rig.dev), 0);
	assert_int_equal(libiommu_emu_device_hang(rig.device, true), 0);
	resets = 0;
	assert_int_equal(libiommu_pci_bar_read(rig.dev, 0, 8, &value, sizeof(value)), 0);
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(rig.regs[2], UINT32_MAX);
	rig.regs[2] = 1;
	assert_int_equal(libiommu_pci_config_read(rig.dev, 8, &value, sizeof(value)), 0);
	assert_int_equal(value, UINT32_MAX);
	/* The kernel waits for it, and gives up. */
	assert_int_equal(libiommu_reset_function(rig.dev), -ENOTTY);
	libiommu_failure_text(text, sizeof(text));
	assert_non_null(strstr(text, "ENOTTY from the kernel"));
	assert_int_equal(libiommu_reset_hot(rig.dev), -ENOTTY);
	assert_int_equal(resets, 0);
	/* What it can reach is what it could. */
	writes(0, DMA_IOVA, 0);
	writes(0, MISSING, -EFAULT);
	assert_int_equal(libiommu_emu_device_hang(rig.device, false), 0);
	assert_int_equal(libiommu_reset_function(rig.dev), 0);
	assert_int_equal(resets, 1);
	assert_int_equal(rig.regs[2], 9);
	end();
}

/* Opened so, it is one that cannot be reset; closed so, it is closed. */
static void does_not_answer_from_the_beginning(void **state)
{
	(void)state;
	begin();
	assert_int_equal(libiommu_emu_device_hang(rig.device, true), 0);
	let_go();
	open_again();
	assert_int_equal(libiommu_reset_function(rig.dev), -EINVAL);
	assert_int_equal(libiommu_emu_device_hang(rig.device, false), 0);
	assert_int_equal(libiommu_reset_function(rig.dev), -EINVAL);
	end();
}

static void hangs_that_are_none(void **state)
{
	(void)state;
	begin();
	assert_int_equal(libiommu_emu_device_hang(NULL, true), -EINVAL);
	assert_int_equal(libiommu_emu_device_remove(rig.device), 0);
	assert_int_equal(libiommu_emu_device_hang(rig.device, true), -ENODEV);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_where_it_must_not),
		cmocka_unit_test(writes_when_it_must_not),
		cmocka_unit_test(asks_where_nobody_is),
		cmocka_unit_test(begins_and_does_not_end),
		cmocka_unit_test(asks_too_much),
		cmocka_unit_test(goes_before_it_is_answered),
		cmocka_unit_test(interrupts_unasked),
		cmocka_unit_test(holds_its_pin),
		cmocka_unit_test(lists_itself),
		cmocka_unit_test(does_not_answer),
		cmocka_unit_test(does_not_answer_from_the_beginning),
		cmocka_unit_test(hangs_that_are_none),
	};

	return cmocka_run_group_tests_name("misbehave", tests, NULL, NULL);
}
