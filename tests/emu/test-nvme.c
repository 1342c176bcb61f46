/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The NVMe drive, by its registers and queues. */
#include "dma-rig.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../emu/heap.h"
#include "../../emu/nvme.h"

enum {
	CAP = 0,
	VS = 0x08 / 4,
	INTMS = 0x0c / 4,
	INTMC = 0x10 / 4,
	CC = 0x14 / 4,
	CSTS = 0x1c / 4,
	AQA = 0x24 / 4,
	ASQ = 0x28 / 4,
	ACQ = 0x30 / 4,
	DOORBELLS = 0x1000 / 4
};

/* Where in the memory things are. */
enum { ADMIN_SQ = 0, ADMIN_CQ = 4096, IO_SQ = 8192, IO_CQ = 12288, LIST = 16384, DATA = 65536 };
enum { ENTRIES = 4, BLOCKS = 4096, ENABLE = 1 | 6 << 16 | 4 << 20 };

struct completion {
	uint32_t result, reserved;
	uint16_t sq_head, sq_id, id, status;
};

static struct dma_rig rig;
static int file;
static uint32_t heads[2], tails[2]; /* of the queues 0 and 1 */

static int setup(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof(rig));
	memset(heads, 0, sizeof(heads));
	memset(tails, 0, sizeof(tails));
	file = memfd_create("drive", MFD_CLOEXEC);
	assert_int_equal(ftruncate(file, BLOCKS * NVME_BLOCK), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (rig.emu)
		dma_end(&rig);
	close(file);
	return 0;
}

static void enable(void)
{
	rig.regs[AQA] = (ENTRIES - 1) << 16 | (ENTRIES - 1);
	rig.regs[ASQ] = (uint32_t)DMA_IOVA + ADMIN_SQ;
	rig.regs[ASQ + 1] = 0;
	((volatile uint64_t *)rig.regs)[ACQ / 2] = DMA_IOVA + ADMIN_CQ;
	rig.regs[CC] = ENABLE;
}

static void begin(void)
{
	dma_begin(&rig, 0);
	assert_int_equal(libiommu_emu_nvme_add(rig.emu, rig.config, file, "serial 1", &rig.device),
	                 0);
	dma_open(&rig);
	enable();
	assert_int_equal(rig.regs[CSTS], 1);
}

static uint8_t *sq_of(int queue)
{
	return rig.memory + (queue ? IO_SQ : ADMIN_SQ);
}

static volatile struct completion *cq_of(int queue)
{
	return (volatile struct completion *)(void *)(rig.memory + (queue ? IO_CQ : ADMIN_CQ));
}

static void submit(int queue, const struct nvme_command *command)
{
	memcpy(sq_of(queue) + tails[queue] * sizeof(*command), command, sizeof(*command));
	tails[queue] = (tails[queue] + 1) % ENTRIES;
	rig.regs[DOORBELLS + 2 * queue] = tails[queue];
}

static struct completion take(int queue)
{
	const struct completion done = cq_of(queue)[heads[queue]];

	heads[queue] = (heads[queue] + 1) % ENTRIES;
	rig.regs[DOORBELLS + 2 * queue + 1] = heads[queue];
	return done;
}

/* The status of a command, which is done when the doorbell has been rung. */
static uint16_t run(int queue, const struct nvme_command *command, uint32_t *result)
{
	static uint16_t id;
	struct nvme_command numbered = *command;
	struct completion done;

	numbered.id = ++id;
	submit(queue, &numbered);
	done = take(queue);
	assert_int_equal(done.id, id);
	assert_int_equal(done.sq_id, queue);
	assert_int_equal(done.sq_head, tails[queue]);
	if (result)
		*result = done.result;
	return done.status >> 1;
}

static uint16_t admin(uint8_t opcode, uint32_t nsid, uint32_t dword10, uint32_t dword11,
                      uint64_t prp1)
{
	const struct nvme_command command = {.opcode = opcode,
	                                     .nsid = nsid,
	                                     .dword10 = dword10,
	                                     .dword11 = dword11,
	                                     .prp1 = prp1};

	return run(0, &command, NULL);
}

static void create_queues(uint32_t vector)
{
	assert_int_equal(admin(5, 0, (ENTRIES - 1) << 16 | 1, vector << 16 | 3, DMA_IOVA + IO_CQ),
	                 0);
	assert_int_equal(admin(1, 0, (ENTRIES - 1) << 16 | 1, 1 << 16 | 1, DMA_IOVA + IO_SQ), 0);
}

static struct nvme_command blocks(uint8_t opcode, uint64_t first, uint32_t count, uint64_t prp1,
                                  uint64_t prp2)
{
	return (struct nvme_command){.opcode = opcode,
	                             .nsid = 1,
	                             .dword10 = (uint32_t)first,
	                             .dword11 = (uint32_t)(first >> 32),
	                             .dword12 = count - 1,
	                             .prp1 = prp1,
	                             .prp2 = prp2};
}

static uint16_t move(uint8_t opcode, uint64_t first, uint32_t count, uint64_t prp1, uint64_t prp2)
{
	const struct nvme_command command = blocks(opcode, first, count, prp1, prp2);

	return run(1, &command, NULL);
}

static void registers(void **state)
{
	(void)state;
	begin();
	assert_int_equal(rig.regs[CAP] & 0xffff, 2047);
	assert_int_equal(rig.regs[CAP + 1] >> 5 & 0xff, 1);
	assert_int_equal(rig.regs[VS], 0x10400);
	assert_int_equal(rig.regs[CC], ENABLE);
	assert_int_equal(((volatile uint64_t *)rig.regs)[ASQ / 2], DMA_IOVA + ADMIN_SQ);
	assert_int_equal(rig.regs[AQA], (ENTRIES - 1) << 16 | (ENTRIES - 1));
	rig.regs[INTMS] = 5;
	rig.regs[INTMC] = 1;
	assert_int_equal(rig.regs[INTMS], 4);
	assert_int_equal(rig.regs[INTMC], 4);
	/* Shut down, and switched off. */
	rig.regs[CC] = ENABLE | 1 << 14;
	assert_int_equal(rig.regs[CSTS], 1 | 2 << 2);
	rig.regs[CC] = 0;
	assert_int_equal(rig.regs[CSTS], 0);
	/* Sizes and pages that it cannot have. */
	rig.regs[CC] = 1 | 5 << 16 | 4 << 20;
	assert_int_equal(rig.regs[CSTS], 2);
	rig.regs[CC] = 0;
	rig.regs[CC] = ENABLE | 5 << 7;
	assert_int_equal(rig.regs[CSTS], 2);
	rig.regs[CC] = 0;
	rig.regs[AQA] = 0;
	rig.regs[CC] = ENABLE;
	assert_int_equal(rig.regs[CSTS], 2);
	assert_int_equal(libiommu_reset_function(rig.dev), 0);
	assert_int_equal(rig.regs[CSTS], 0);
	assert_int_equal(rig.regs[CC], 0);
}

static void identifies(void **state)
{
	uint8_t *const page = rig.memory + DATA;
	uint32_t word;

	(void)page;
	(void)state;
	begin();
	assert_int_equal(admin(6, 0, 1, 0, DMA_IOVA + DATA), 0);
	assert_memory_equal(rig.memory + DATA, "\x36\x1b\xf4\x1a", 4);
	assert_memory_equal(rig.memory + DATA + 4, "serial 1            ", 20);
	assert_int_equal(rig.memory[DATA + 77], 7);
	memcpy(&word, rig.memory + DATA + 516, 4);
	assert_int_equal(word, 1);
	assert_int_equal(admin(6, 1, 0, 0, DMA_IOVA + DATA), 0);
	memcpy(&word, rig.memory + DATA, 4);
	assert_int_equal(word, BLOCKS);
	assert_int_equal(rig.memory[DATA + 130], 9);
	assert_int_equal(admin(6, 0, 2, 0, DMA_IOVA + DATA), 0);
	assert_memory_equal(rig.memory + DATA, "\1\0\0\0\0\0\0\0", 8);
	assert_int_equal(admin(6, 1, 3, 0, DMA_IOVA + DATA), 0);
	assert_memory_equal(rig.memory + DATA, "\3\x10\0\0serial 1", 12);
	assert_int_equal(admin(6, 2, 0, 0, DMA_IOVA + DATA), NVME_INVALID_NAMESPACE | 0x4000);
	assert_int_equal(admin(6, 0, 0x20, 0, DMA_IOVA + DATA), NVME_INVALID_FIELD | 0x4000);
	assert_int_equal(admin(6, 0, 1, 0, DMA_IOVA - 4096), NVME_DATA_TRANSFER_ERROR);
	/* Logs, and numbers of queues. */
	assert_int_equal(admin(2, UINT32_MAX, 2 | 127 << 16, 0, DMA_IOVA + DATA), 0);
	assert_int_equal(rig.memory[DATA + 3], 100);
	assert_int_equal(admin(2, 0, 1, 0, DMA_IOVA + DATA), 0);
	assert_int_equal(admin(2, 0, 3, 0, DMA_IOVA + DATA), 0);
	assert_int_equal(admin(2, 0, 0x70, 0, DMA_IOVA + DATA), NVME_INVALID_LOG_PAGE | 0x4000);
	assert_int_equal(admin(0x7f, 0, 0, 0, 0), NVME_INVALID_OPCODE | 0x4000);
}

static void features(void **state)
{
	struct nvme_command command = {.opcode = 9, .dword10 = 7, .dword11 = 1 << 16 | 1};
	uint32_t result;

	(void)state;
	begin();
	assert_int_equal(run(0, &command, &result), 0);
	assert_int_equal(result, 63 << 16 | 63);
	command.dword11 = 0xffff;
	assert_int_equal(run(0, &command, &result), NVME_INVALID_FIELD | 0x4000);
	command = (struct nvme_command){.opcode = 9, .dword10 = 6, .dword11 = 0};
	assert_int_equal(run(0, &command, &result), 0);
	command.opcode = 10;
	assert_int_equal(run(0, &command, &result), 0);
	assert_int_equal(result, 0);
	command = (struct nvme_command){.opcode = 9, .dword10 = 4, .dword11 = 350};
	assert_int_equal(run(0, &command, &result), 0);
	command.opcode = 10;
	assert_int_equal(run(0, &command, &result), 0);
	assert_int_equal(result, 350);
	command.dword10 = 0x80;
	assert_int_equal(run(0, &command, &result), NVME_INVALID_FIELD | 0x4000);
	/* Nothing to abort; and a wait for events, of which there are none. */
	command = (struct nvme_command){.opcode = 8};
	assert_int_equal(run(0, &command, &result), 0);
	assert_int_equal(result, 1);
	command = (struct nvme_command){.opcode = 0xc, .id = 7};
	submit(0, &command);
	command = (struct nvme_command){.opcode = 8};
	assert_int_equal(run(0, &command, &result), 0);
}

enum {
	WAIT = 0x0c,
	LOG = 2,
	HEALTH = 31 << 16 | 2,
	RETAIN = 1 << 15,
	THRESHOLD = 4,
	EVENTS = 0x0b
};
enum { TOLD = 0x20101, UNDER = 1 << 20 };

static void wait_for_event(uint16_t id)
{
	const struct nvme_command command = {.opcode = WAIT, .id = id};

	submit(0, &command);
}

/* Both the command that made it warm and the one that waited, in whatever order. */
static void assert_told(uint32_t threshold, uint16_t id)
{
	struct nvme_command command = {
		.opcode = 9, .id = 1000, .dword10 = THRESHOLD, .dword11 = threshold};
	bool told = false, set = false;

	submit(0, &command);
	for (int i = 0; i < 2; i++) {
		const struct completion done = take(0);

		assert_int_equal(done.status >> 1, 0);
		told |= done.id == id && done.result == TOLD;
		set |= done.id == 1000;
	}
	assert_true(told && set);
}

static void too_warm(void **state)
{
	struct nvme_command command = {.opcode = 10, .dword10 = THRESHOLD};
	uint32_t result;

	(void)state;
	begin();
	assert_int_equal(run(0, &command, &result), 0);
	assert_int_equal(result, 343);
	/* Not unless it is wanted. */
	wait_for_event(2000);
	assert_int_equal(admin(9, 0, THRESHOLD, 200, 0), 0);
	assert_int_equal(admin(9, 0, EVENTS, 2, 0), 0);
	assert_told(200, 2000);
	/* Not again before the page has been read, and then not by itself. */
	wait_for_event(2001);
	assert_int_equal(admin(9, 0, THRESHOLD, 200, 0), 0);
	assert_int_equal(admin(LOG, UINT32_MAX, HEALTH | RETAIN, 0, DMA_IOVA + DATA), 0);
	assert_int_equal(rig.memory[DATA], 2);
	assert_int_equal(admin(9, 0, THRESHOLD, 343, 0), 0);
	command = (struct nvme_command){
		.opcode = LOG, .nsid = UINT32_MAX, .dword10 = HEALTH, .prp1 = DMA_IOVA + DATA};
	submit(0, &command);
	assert_int_equal(take(0).id, 0);
	assert_int_equal(take(0).result, TOLD);
	assert_int_equal(rig.memory[DATA], 0);
	assert_int_equal(admin(LOG, UINT32_MAX, HEALTH, 0, DMA_IOVA + DATA), 0);
	wait_for_event(2002);
	assert_told(UNDER | 300, 2002);
}

static void sensors_and_waits(void **state)
{
	(void)state;
	begin();
	assert_int_equal(admin(9, 0, THRESHOLD, 15 << 16 | 350, 0), 0);
	assert_int_equal(admin(10, 0, THRESHOLD, 15 << 16, 0), NVME_INVALID_FIELD | 0x4000);
	assert_int_equal(admin(9, 0, THRESHOLD, 1 << 16 | 350, 0), NVME_INVALID_FIELD | 0x4000);
	assert_int_equal(admin(10, 0, THRESHOLD, 2 << 20, 0), NVME_INVALID_FIELD | 0x4000);
	for (uint16_t id = 0; id < NVME_EVENTS; id++)
		wait_for_event(id);
	assert_int_equal(admin(WAIT, 0, 0, 0, 0), NVME_TOO_MANY_EVENTS | 0x4000);
	/* They end with the controller. */
	rig.regs[CC] = 0;
	heads[0] = tails[0] = 0;
	memset(rig.memory + ADMIN_CQ, 0, ENTRIES * sizeof(struct completion));
	enable();
	assert_int_equal(admin(9, 0, EVENTS, 2, 0), 0);
	assert_int_equal(admin(9, 0, THRESHOLD, 200, 0), 0);
	wait_for_event(2003);
	assert_int_equal(take(0).id, 2003);
}

static void queues(void **state)
{
	const uint32_t size = (ENTRIES - 1) << 16;

	(void)state;
	begin();
	assert_int_equal(admin(5, 0, size | 0, 3, DMA_IOVA + IO_CQ), NVME_INVALID_QUEUE | 0x4000);
	assert_int_equal(admin(5, 0, size | 65, 3, DMA_IOVA + IO_CQ), NVME_INVALID_QUEUE | 0x4000);
	assert_int_equal(admin(5, 0, 0 | 1, 3, DMA_IOVA + IO_CQ), NVME_INVALID_QUEUE_SIZE | 0x4000);
	assert_int_equal(admin(5, 0, 2048U << 16 | 1, 3, DMA_IOVA + IO_CQ),
	                 NVME_INVALID_QUEUE_SIZE | 0x4000);
	assert_int_equal(admin(5, 0, size | 1, 2, DMA_IOVA + IO_CQ), NVME_INVALID_FIELD | 0x4000);
	assert_int_equal(admin(5, 0, size | 1, 3, DMA_IOVA + IO_CQ + 8),
	                 NVME_INVALID_PRP_OFFSET | 0x4000);
	assert_int_equal(admin(5, 0, size | 1, 65 << 16 | 3, DMA_IOVA + IO_CQ),
	                 NVME_INVALID_VECTOR | 0x4000);
	assert_int_equal(admin(1, 0, size | 1, 1 << 16 | 1, DMA_IOVA + IO_SQ),
	                 NVME_INVALID_CQ | 0x4000);
	create_queues(0);
	assert_int_equal(admin(5, 0, size | 1, 3, DMA_IOVA + IO_CQ), NVME_INVALID_QUEUE | 0x4000);
	assert_int_equal(admin(1, 0, size | 1, 1 << 16 | 1, DMA_IOVA + IO_SQ),
	                 NVME_INVALID_QUEUE | 0x4000);
	assert_int_equal(admin(4, 0, 1, 0, 0), NVME_INVALID_QUEUE_DELETION);
	assert_int_equal(admin(0, 0, 2, 0, 0), NVME_INVALID_QUEUE | 0x4000);
	assert_int_equal(admin(0, 0, 1, 0, 0), 0);
	assert_int_equal(admin(4, 0, 1, 0, 0), 0);
	assert_int_equal(admin(4, 0, 1, 0, 0), NVME_INVALID_QUEUE | 0x4000);
}

static void fill(uint8_t *to, size_t size, uint32_t seed)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)((i + seed) * 2654435761U >> 13);
}

/* One place, two, a list, and a list of lists; from the middle of a page on. */
static void moves_blocks(void **state)
{
	static const struct {
		uint32_t offset, count;
	} moves[] = {{0, 1}, {512, 8}, {4, 8}, {0, 16}, {3584, 24}, {0, 1024}, {2048, 1000}};
	const uint64_t back = DATA + (UINT64_C(1) << 20);
	uint8_t block[NVME_BLOCK];

	(void)state;
	begin();
	create_queues(0);
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		const size_t size = (size_t)moves[i].count * NVME_BLOCK;
		uint64_t *const list = (uint64_t *)(void *)(rig.memory + LIST + 4096 - 64);
		uint64_t *const more = (uint64_t *)(void *)(rig.memory + LIST + 4096);

		for (int way = 0; way < 2; way++) {
			const uint64_t at = (way ? back : DATA) + moves[i].offset;
			const uint64_t page = DMA_IOVA + (at & ~UINT64_C(4095));
			const size_t pages = (moves[i].offset + size + 4095) / 4096;

			/* The last of the first page's places is that of the next. */
			for (size_t k = 1; k < pages; k++)
				if (k <= 7 || pages == 9)
					list[k - 1] = page + 4096 * k;
				else
					more[k - 8] = page + 4096 * k;
			if (pages > 9)
				list[7] = DMA_IOVA + LIST + 4096;
			fill(rig.memory + DATA + moves[i].offset, size, (uint32_t)i);
			assert_int_equal(
				move(way ? 2 : 1, 7 * i, moves[i].count, DMA_IOVA + at,
			             pages == 2 ? page + 4096 : DMA_IOVA + LIST + 4096 - 64),
				0);
		}
		assert_memory_equal(rig.memory + DATA + moves[i].offset,
		                    rig.memory + back + moves[i].offset, size);
		assert_int_equal(pread(file, block, sizeof(block), (off_t)(7 * i * NVME_BLOCK)),
		                 sizeof(block));
		assert_memory_equal(block, rig.memory + DATA + moves[i].offset, sizeof(block));
	}
	assert_int_equal(move(0, 0, 1, 0, 0), 0);
	assert_int_equal(move(8, 0, 8, 0, 0), 0);
	assert_int_equal(pread(file, block, sizeof(block), 512), sizeof(block));
	assert_int_equal(block[0] | block[511], 0);
}

static void what_it_refuses(void **state)
{
	struct nvme_command command;
	uint8_t block[NVME_BLOCK];

	(void)state;
	begin();
	create_queues(0);
	assert_int_equal(move(2, BLOCKS, 1, DMA_IOVA + DATA, 0), NVME_LBA_OUT_OF_RANGE | 0x4000);
	assert_int_equal(move(2, BLOCKS - 1, 2, DMA_IOVA + DATA, 0),
	                 NVME_LBA_OUT_OF_RANGE | 0x4000);
	assert_int_equal(move(2, UINT64_MAX, 1, DMA_IOVA + DATA, 0),
	                 NVME_LBA_OUT_OF_RANGE | 0x4000);
	assert_int_equal(move(2, 0, 1025, DMA_IOVA + DATA, DMA_IOVA + LIST),
	                 NVME_INVALID_FIELD | 0x4000);
	assert_int_equal(move(2, 0, 1, DMA_IOVA + DATA + 1, 0), NVME_INVALID_PRP_OFFSET | 0x4000);
	assert_int_equal(move(2, 0, 16, DMA_IOVA + DATA, DMA_IOVA + DATA + 512),
	                 NVME_INVALID_PRP_OFFSET | 0x4000);
	assert_int_equal(move(2, 0, 24, DMA_IOVA + DATA, DMA_IOVA + LIST + 4),
	                 NVME_INVALID_PRP_OFFSET | 0x4000);
	assert_int_equal(move(2, 0, 24, DMA_IOVA + DATA, DMA_IOVA - 4096),
	                 NVME_DATA_TRANSFER_ERROR);
	assert_int_equal(move(2, 0, 1, DMA_IOVA - 4096, 0), NVME_DATA_TRANSFER_ERROR);
	/* What it could not read it does not write. */
	memset(block, 0x55, sizeof(block));
	assert_int_equal(pwrite(file, block, sizeof(block), 0), sizeof(block));
	assert_int_equal(move(1, 0, 1, DMA_IOVA - 4096, 0), NVME_DATA_TRANSFER_ERROR);
	assert_int_equal(pread(file, block, sizeof(block), 0), sizeof(block));
	assert_int_equal(block[0], 0x55);
	command = blocks(2, 0, 1, DMA_IOVA + DATA, 0);
	command.nsid = 2;
	assert_int_equal(run(1, &command, NULL), NVME_INVALID_NAMESPACE | 0x4000);
	command.nsid = 1;
	command.flags = 0x40;
	assert_int_equal(run(1, &command, NULL), NVME_INVALID_FIELD | 0x4000);
	assert_int_equal(move(0x55, 0, 1, 0, 0), NVME_INVALID_OPCODE | 0x4000);
}

/* Without room for what became of them commands wait; doorbells beyond the end are not heard. */
static void full_queue(void **state)
{
	const struct nvme_command command = blocks(0, 0, 1, 0, 0);

	(void)state;
	begin();
	create_queues(0);
	/* Three are all that fit into four. */
	for (int i = 0; i < 3; i++)
		submit(1, &command);
	assert_int_equal(cq_of(1)[2].status, 1);
	submit(1, &command);
	assert_int_equal(cq_of(1)[3].status, 0);
	rig.regs[DOORBELLS + 3] = 9;
	rig.regs[DOORBELLS + 2] = 9;
	assert_int_equal(cq_of(1)[3].status, 0);
	assert_int_equal(take(1).sq_head, 1);
	assert_int_equal(cq_of(1)[3].status, 1);
	for (int i = 0; i < 3; i++)
		take(1);
	/* The second time around the phase is the other. */
	submit(1, &command);
	assert_int_equal(cq_of(1)[0].status, 0);
}

/* Queues that the drive cannot reach are the end of it. */
static void stray_queues(void **state)
{
	(void)state;
	begin();
	rig.regs[CC] = 0;
	rig.regs[ASQ] = (uint32_t)DMA_IOVA - 4096;
	rig.regs[CC] = ENABLE;
	rig.regs[DOORBELLS] = 1;
	assert_int_equal(rig.regs[CSTS], 3);
	rig.regs[DOORBELLS] = 2;
	rig.regs[CC] = 0;
	assert_int_equal(rig.regs[CSTS], 0);
	rig.regs[ASQ] = (uint32_t)DMA_IOVA + ADMIN_SQ;
	rig.regs[ACQ] = (uint32_t)DMA_IOVA - 4096;
	rig.regs[CC] = ENABLE;
	rig.regs[DOORBELLS] = 1;
	assert_int_equal(rig.regs[CSTS], 3);
	/* No right to the bus is the same. */
	rig.regs[CC] = 0;
	assert_int_equal(libiommu_pci_set_bus_master(rig.dev, false), 0);
	rig.regs[ACQ] = (uint32_t)DMA_IOVA + ADMIN_CQ;
	rig.regs[CC] = ENABLE;
	rig.regs[DOORBELLS] = 1;
	assert_int_equal(rig.regs[CSTS], 3);
}

static bool fires(int fd)
{
	struct pollfd event = {.fd = fd, .events = POLLIN};
	uint64_t count;

	return poll(&event, 1, 0) == 1 && read(fd, &count, sizeof(count)) == sizeof(count);
}

static void interrupts(void **state)
{
	const struct nvme_command command = blocks(0, 0, 1, 0, 0);
	const int fds[2] = {eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	                    eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

	(void)state;
	begin();
	assert_int_equal(libiommu_irq_enable(rig.dev, LIBIOMMU_IRQ_MSIX, 0, fds, 2), 0);
	create_queues(1);
	assert_true(fires(fds[0]));
	assert_false(fires(fds[1]));
	submit(1, &command);
	assert_true(fires(fds[1]));
	assert_false(fires(fds[0]));
	take(1);
	assert_int_equal(libiommu_irq_disable(rig.dev, LIBIOMMU_IRQ_MSIX), 0);
	/* By its pin: as long as there is something to be seen. */
	assert_int_equal(libiommu_irq_enable(rig.dev, LIBIOMMU_IRQ_INTX, 0, fds, 1), 0);
	rig.regs[INTMS] = 2;
	submit(1, &command);
	assert_false(fires(fds[0]));
	rig.regs[INTMC] = 2;
	assert_true(fires(fds[0]));
	assert_int_equal(libiommu_irq_unmask(rig.dev, LIBIOMMU_IRQ_INTX, 0, 1), 0);
	assert_true(fires(fds[0]));
	take(1);
	assert_int_equal(libiommu_irq_unmask(rig.dev, LIBIOMMU_IRQ_INTX, 0, 1), 0);
	assert_false(fires(fds[0]));
	assert_int_equal(libiommu_irq_disable(rig.dev, LIBIOMMU_IRQ_INTX), 0);
	close(fds[0]);
	close(fds[1]);
}

static void adding(void **state)
{
	const int empty = memfd_create("empty", MFD_CLOEXEC);
	int error = -ENOMEM;

	(void)state;
	dma_begin(&rig, 0);
	assert_int_equal(libiommu_emu_nvme_add(NULL, rig.config, file, NULL, &rig.device), -EINVAL);
	assert_int_equal(libiommu_emu_nvme_add(rig.emu, rig.config, -1, NULL, &rig.device),
	                 -EINVAL);
	assert_int_equal(libiommu_emu_nvme_add(rig.emu, rig.config, 9999, NULL, &rig.device),
	                 -EBADF);
	assert_int_equal(libiommu_emu_nvme_add(rig.emu, rig.config, empty, NULL, &rig.device),
	                 -EINVAL);
	assert_int_equal(libiommu_emu_nvme_add(rig.emu, rig.config, file, "123456789012345678901",
	                                       &rig.device),
	                 -EINVAL);
	assert_int_equal(libiommu_emu_nvme_add(rig.emu, rig.config, file, NULL, NULL), -EINVAL);
	for (unsigned int nth = 1; error; nth++) {
		emu_heap_fail(nth);
		error = libiommu_emu_nvme_add(rig.emu, rig.config, file, NULL, &rig.device);
		assert_int_equal(emu_heap_stop(), error != 0);
		assert_true(!error || error == -ENOMEM);
	}
	close(empty);
	dma_open(&rig);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(registers),    CASE(identifies),        CASE(features),
		CASE(too_warm),     CASE(sensors_and_waits), CASE(queues),
		CASE(moves_blocks), CASE(what_it_refuses),   CASE(full_queue),
		CASE(stray_queues), CASE(interrupts),        CASE(adding),
	};

	return cmocka_run_group_tests_name("nvme", tests, NULL, NULL);
}
