/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The edu device, driven as programs drive it. */
#include "dma-rig.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../emu/heap.h"

enum edu_register {
	EDU_ID = 0x00 / 4,
	EDU_LIVENESS = 0x04 / 4,
	EDU_FACTORIAL = 0x08 / 4,
	EDU_STATUS = 0x20 / 4,
	EDU_INTERRUPTS = 0x24 / 4,
	EDU_RAISE = 0x60 / 4,
	EDU_ACKNOWLEDGE = 0x64 / 4,
	EDU_SOURCE = 0x80 / 4,
	EDU_TARGET = 0x88 / 4,
	EDU_COUNT = 0x90 / 4,
	EDU_COMMAND = 0x98 / 4
};

enum { START = 1, TO_HOST = 2, TELL = 4, MEMORY = 0x40000, SIZE = 4096 };

static struct dma_rig rig;

static void begin(uint32_t flags)
{
	dma_begin(&rig, flags);
	assert_int_equal(libiommu_emu_edu_add(rig.emu, rig.config, &rig.device), 0);
	dma_open(&rig);
}

static int setup(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof(rig));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (rig.emu)
		dma_end(&rig);
	return 0;
}

static void copy(uint32_t source, uint32_t target, uint32_t count, uint32_t command)
{
	rig.regs[EDU_SOURCE] = source;
	rig.regs[EDU_TARGET] = target;
	rig.regs[EDU_COUNT] = count;
	rig.regs[EDU_COMMAND] = command | START;
}

static bool is_busy(void)
{
	return rig.regs[EDU_COMMAND] & START;
}

static void registers(void **state)
{
	volatile uint64_t *wide;

	(void)state;
	begin(0);
	wide = (volatile uint64_t *)rig.regs;
	assert_int_equal(rig.regs[EDU_ID], 0x010000ed);
	rig.regs[EDU_LIVENESS] = 0x12345678;
	assert_int_equal(rig.regs[EDU_LIVENESS], ~0x12345678U);
	rig.regs[EDU_FACTORIAL] = 5;
	assert_int_equal(rig.regs[EDU_FACTORIAL], 120);
	rig.regs[EDU_FACTORIAL] = 0;
	assert_int_equal(rig.regs[EDU_FACTORIAL], 1);
	rig.regs[EDU_FACTORIAL] = 1000000000;
	assert_int_equal(rig.regs[EDU_FACTORIAL], 0);
	assert_int_equal(rig.regs[EDU_STATUS], 0);
	/* Whole where that is allowed, and nothing where it is not. */
	wide[EDU_SOURCE / 2] = UINT64_C(0x123456789abcdef0);
	assert_int_equal(wide[EDU_SOURCE / 2], UINT64_C(0x123456789abcdef0));
	assert_int_equal(wide[0], UINT64_MAX);
	assert_int_equal(((volatile uint8_t *)rig.regs)[0], 0xff);
	wide[0] = 0;
	assert_int_equal(rig.regs[0x70 / 4], UINT32_MAX);
}

static void copies(void **state)
{
	(void)state;
	begin(0);
	for (int i = 0; i < SIZE; i++)
		rig.memory[i] = (uint8_t)(i * 7 + 1);
	copy(DMA_IOVA, MEMORY, SIZE, 0);
	assert_false(is_busy());
	copy(MEMORY, DMA_IOVA + SIZE, SIZE, TO_HOST);
	assert_false(is_busy());
	assert_memory_equal(rig.memory, rig.memory + SIZE, SIZE);
	/* Beyond its own memory there is nothing; and it has 28 bits of an address. */
	memset(rig.memory, 0, SIZE);
	copy(MEMORY + 1, DMA_IOVA, SIZE, TO_HOST);
	copy(MEMORY - 1, DMA_IOVA, 1, TO_HOST);
	assert_int_equal(rig.memory[0], 0);
	copy(MEMORY, DMA_IOVA | 0xf0000000, 16, TO_HOST);
	assert_int_equal(rig.memory[0], 1);
	/* Where nothing is mapped nothing is written, and it does not tell. */
	copy(MEMORY, DMA_IOVA - 4096, 16, TO_HOST);
	assert_false(is_busy());
	/* Without the right to the bus it does not get there. */
	memset(rig.memory, 0, SIZE);
	assert_int_equal(libiommu_pci_set_bus_master(rig.dev, false), 0);
	copy(MEMORY, DMA_IOVA, 16, TO_HOST);
	assert_int_equal(rig.memory[0], 0);
}

static bool fires(int fd)
{
	struct pollfd event = {.fd = fd, .events = POLLIN};
	uint64_t count;

	return poll(&event, 1, 0) == 1 && read(fd, &count, sizeof(count)) == sizeof(count);
}

static void interrupts(enum libiommu_irq_kind kind)
{
	const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	begin(0);
	assert_int_equal(libiommu_irq_enable(rig.dev, kind, 0, &fd, 1), 0);
	rig.regs[EDU_RAISE] = 0x10;
	assert_true(fires(fd));
	assert_int_equal(rig.regs[EDU_INTERRUPTS], 0x10);
	rig.regs[EDU_ACKNOWLEDGE] = 0x10;
	assert_int_equal(rig.regs[EDU_INTERRUPTS], 0);
	if (kind == LIBIOMMU_IRQ_INTX)
		assert_int_equal(libiommu_irq_unmask(rig.dev, kind, 0, 1), 0);
	assert_false(fires(fd));
	rig.regs[EDU_STATUS] = 0x80;
	rig.regs[EDU_FACTORIAL] = 3;
	assert_true(fires(fd));
	assert_int_equal(rig.regs[EDU_INTERRUPTS], 1);
	rig.regs[EDU_ACKNOWLEDGE] = 1;
	if (kind == LIBIOMMU_IRQ_INTX)
		assert_int_equal(libiommu_irq_unmask(rig.dev, kind, 0, 1), 0);
	copy(DMA_IOVA, MEMORY, 16, TELL);
	assert_true(fires(fd));
	assert_int_equal(rig.regs[EDU_INTERRUPTS], 0x100);
	rig.regs[EDU_RAISE] = 0;
	assert_int_equal(libiommu_irq_disable(rig.dev, kind), 0);
	close(fd);
}

static void by_message(void **state)
{
	(void)state;
	interrupts(LIBIOMMU_IRQ_MSI);
}

static void by_pin(void **state)
{
	(void)state;
	interrupts(LIBIOMMU_IRQ_INTX);
}

static void reset(void **state)
{
	(void)state;
	begin(0);
	rig.regs[EDU_LIVENESS] = 1;
	rig.regs[EDU_RAISE] = 1;
	copy(DMA_IOVA, MEMORY, 16, 0);
	assert_int_equal(libiommu_reset_function(rig.dev), 0);
	assert_int_equal(rig.regs[EDU_LIVENESS], 0);
	assert_int_equal(rig.regs[EDU_INTERRUPTS], 0);
	assert_int_equal(rig.regs[EDU_COUNT], 0);
	/* The host gives it the bus back that it had. */
	memset(rig.memory, 0, SIZE);
	copy(MEMORY, DMA_IOVA, 1, TO_HOST);
	assert_false(is_busy());
}

struct asked {
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *table;
};

/* A page table of its own, empty, whose missing pages are asked for. */
static void begin_asking(struct asked *asked)
{
	struct libiommu_hwpt_config *config;

	begin(LIBIOMMU_EMU_DEVICE_PAGE_REQUESTS);
	assert_int_equal(libiommu_fault_queue_alloc(rig.ctx, &asked->queue), 0);
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_fault_queue(config, asked->queue), 0);
	assert_int_equal(libiommu_hwpt_alloc(rig.dev, rig.ioas, config, &asked->table), 0);
	libiommu_hwpt_config_free(config);
	assert_int_equal(libiommu_device_replace_hwpt(rig.dev, asked->table), 0);
}

static void end_asking(const struct asked *asked)
{
	assert_int_equal(libiommu_device_replace_ioas(rig.dev, rig.ioas), 0);
	assert_int_equal(libiommu_hwpt_destroy(asked->table), 0);
	assert_int_equal(libiommu_fault_queue_destroy(asked->queue), 0);
}

static void expect(const struct libiommu_fault_batch *batch, size_t i, uint64_t address,
                   uint32_t permissions)
{
	assert_int_equal(libiommu_fault_batch_get(batch, i)->address, address);
	assert_int_equal(libiommu_fault_batch_get(batch, i)->permissions, permissions);
}

static void respond(const struct asked *asked, const struct libiommu_fault_batch *batch, size_t i,
                    uint32_t code)
{
	const struct libiommu_fault_response response = {
		.token = libiommu_fault_batch_get(batch, i)->token, .code = code};

	assert_int_equal(libiommu_fault_queue_respond(asked->queue, &response, 1, NULL), 1);
}

/* Reads the one request that there is, and answers it. */
static void answer(const struct asked *asked, uint64_t address, uint32_t permissions, uint32_t code)
{
	struct libiommu_fault_batch *batch;

	assert_int_equal(libiommu_fault_batch_new(8, &batch), 0);
	assert_int_equal(libiommu_fault_queue_read(asked->queue, batch), 1);
	expect(batch, 0, address, permissions);
	respond(asked, batch, 0, code);
	libiommu_fault_batch_free(batch);
}

/* It is busy as long as the page is missing, and goes on where it stopped. */
static void asks_for_pages(void **state)
{
	const uint32_t both = LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE;
	const uint64_t missing = DMA_IOVA + DMA_LENGTH;
	struct asked asked;

	(void)state;
	begin_asking(&asked);
	memset(rig.memory + DMA_LENGTH - 16, 0x5a, 16);
	memset(rig.memory, 0x77, 16);
	copy((uint32_t)missing - 16, MEMORY, 32, 0);
	assert_true(is_busy());
	/* Its registers do not change meanwhile. */
	rig.regs[EDU_COUNT] = 1;
	assert_int_equal(rig.regs[EDU_COUNT], 32);
	/* A success that is none: it asks again. */
	answer(&asked, missing, LIBIOMMU_FAULT_READ, LIBIOMMU_FAULT_SUCCESS);
	assert_true(is_busy());
	assert_int_equal(libiommu_ioas_map_fixed(rig.ioas, rig.memory, 4096, both, missing), 0);
	answer(&asked, missing, LIBIOMMU_FAULT_READ, LIBIOMMU_FAULT_SUCCESS);
	assert_false(is_busy());
	copy(MEMORY, DMA_IOVA + 4096, 32, TO_HOST);
	assert_int_equal(rig.memory[4096 + 15], 0x5a);
	assert_int_equal(rig.memory[4096 + 16], 0x77);
	/* What is refused ends it; what is taken away from under it too. */
	copy(MEMORY, (uint32_t)missing + 4096, 32, TO_HOST);
	assert_true(is_busy());
	answer(&asked, missing + 4096, LIBIOMMU_FAULT_WRITE, LIBIOMMU_FAULT_INVALID);
	assert_false(is_busy());
	copy(MEMORY, (uint32_t)missing + 4096, 32, TO_HOST);
	assert_true(is_busy());
	end_asking(&asked);
	assert_false(is_busy());
}

/* A reset forgets what it was waiting for, and the answer is not taken for another's. */
static void reset_while_it_asks(void **state)
{
	const uint64_t missing = DMA_IOVA + DMA_LENGTH;
	struct libiommu_fault_batch *batch;
	struct asked asked;

	(void)state;
	begin_asking(&asked);
	copy((uint32_t)missing, MEMORY, 32, 0);
	assert_true(is_busy());
	assert_int_equal(libiommu_reset_function(rig.dev), 0);
	assert_false(is_busy());
	copy((uint32_t)missing + 4096, MEMORY, 32, 0);
	assert_true(is_busy());
	assert_int_equal(libiommu_fault_batch_new(8, &batch), 0);
	assert_int_equal(libiommu_fault_queue_read(asked.queue, batch), 2);
	expect(batch, 0, missing, LIBIOMMU_FAULT_READ);
	expect(batch, 1, missing + 4096, LIBIOMMU_FAULT_READ);
	respond(&asked, batch, 0, LIBIOMMU_FAULT_INVALID);
	assert_true(is_busy());
	respond(&asked, batch, 1, LIBIOMMU_FAULT_INVALID);
	assert_false(is_busy());
	libiommu_fault_batch_free(batch);
	end_asking(&asked);
}

static void without_memory(void **state)
{
	int error = -ENOMEM;

	(void)state;
	dma_begin(&rig, 0);
	for (unsigned int nth = 1; error; nth++) {
		emu_heap_fail(nth);
		error = libiommu_emu_edu_add(rig.emu, rig.config, &rig.device);
		assert_int_equal(emu_heap_stop(), error != 0);
		assert_true(!error || error == -ENOMEM);
	}
	assert_int_equal(libiommu_emu_edu_add(rig.emu, rig.config, &rig.device), -EEXIST);
	assert_int_equal(libiommu_emu_edu_add(NULL, rig.config, &rig.device), -EINVAL);
	assert_int_equal(libiommu_emu_edu_add(rig.emu, rig.config, NULL), -EINVAL);
	dma_open(&rig);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(registers),
		CASE(copies),
		CASE(by_message),
		CASE(by_pin),
		CASE(reset),
		CASE(asks_for_pages),
		CASE(reset_while_it_asks),
		CASE(without_memory),
	};

	return cmocka_run_group_tests_name("edu", tests, NULL, NULL);
}
