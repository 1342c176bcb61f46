/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Page requests of an emulated device, answered over the fault ring by another process. */
#include "dma-rig.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 3 };

/* Where the other process allows pages. */
#define WINDOW (DMA_IOVA + DMA_LENGTH)

struct asking {
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *table;
	struct libiommu_ring *ring;
	pid_t reader;
};

static struct dma_rig rig;

static uint32_t answer(const struct libiommu_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (records[i].kind != LIBIOMMU_RECORD_FAULT || records[i].label != 7 ||
		    records[i].address - WINDOW >= PAGES * PAGE)
			return LIBIOMMU_FAULT_INVALID;
	return LIBIOMMU_FAULT_SUCCESS;
}

/* Until the ring is gone. */
static int serve(int socket)
{
	struct libiommu_reader *reader;
	int result = libiommu_reader_open(NULL, socket, LIBIOMMU_FD_OWN, &reader);

	while (result >= 0) {
		const struct libiommu_record *records;
		struct libiommu_completion completion;
		size_t count;

		result = libiommu_reader_next(reader, &records, &count);
		if (!result) {
			result = libiommu_reader_sleep(reader, -1);
			continue;
		}
		if (result < 0 || !records->token)
			continue;
		completion = (struct libiommu_completion){.token = records->token,
		                                          .queue = records->queue,
		                                          .code = answer(records, count)};
		libiommu_reader_release(reader);
		result = libiommu_reader_complete(reader, &completion, 1);
	}
	return result == -EPIPE ? 0 : -result;
}

static void start_reader(struct asking *asking)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(libiommu_ring_join(asking->ring, ends[0], LIBIOMMU_FD_OWN, 0), 0);
	asking->reader = fork();
	assert_true(asking->reader >= 0);
	if (!asking->reader) {
		close(ends[0]);
		_exit(serve(ends[1]));
	}
	close(ends[1]);
}

/* The device has an empty page table, whose missing pages go to the ring. */
static void begin(struct asking *asking)
{
	struct libiommu_hwpt_config *config;

	dma_begin(&rig, LIBIOMMU_EMU_DEVICE_PAGE_REQUESTS);
	assert_int_equal(libiommu_emu_edu_add(rig.emu, rig.config, &rig.device), 0);
	dma_open(&rig);
	assert_int_equal(libiommu_fault_queue_alloc(rig.ctx, &asking->queue), 0);
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_fault_queue(config, asking->queue), 0);
	assert_int_equal(libiommu_hwpt_alloc(rig.dev, rig.ioas, config, &asking->table), 0);
	libiommu_hwpt_config_free(config);
	assert_int_equal(libiommu_device_replace_hwpt(rig.dev, asking->table), 0);
	assert_int_equal(libiommu_ring_new(rig.ctx, NULL, &asking->ring), 0);
	assert_true(libiommu_ring_add_queue(asking->ring, asking->queue, 0) >= 0);
	start_reader(asking);
}

static void end(struct asking *asking)
{
	int status;

	assert_int_equal(libiommu_device_replace_ioas(rig.dev, rig.ioas), 0);
	assert_int_equal(libiommu_ring_destroy(asking->ring), 0);
	assert_int_equal(waitpid(asking->reader, &status, 0), asking->reader);
	assert_int_equal(status, 0);
	assert_int_equal(libiommu_hwpt_destroy(asking->table), 0);
	assert_int_equal(libiommu_fault_queue_destroy(asking->queue), 0);
	dma_end(&rig);
}

/* Does what is to be done until the transfer has ended. */
static int drive(struct asking *asking, struct libiommu_emu_transfer *transfer)
{
	struct pollfd event = {.fd = libiommu_ring_fd(asking->ring), .events = POLLIN};
	int result = libiommu_emu_transfer_wait(transfer, 0);

	for (; result == -ETIMEDOUT; result = libiommu_emu_transfer_wait(transfer, 0)) {
		assert_int_equal(poll(&event, 1, -1), 1);
		assert_int_equal(libiommu_ring_dispatch(asking->ring), 0);
	}
	libiommu_emu_transfer_end(transfer);
	return result;
}

static int write_at(struct asking *asking, uint64_t iova, char *bytes, size_t length, bool map)
{
	const uint32_t both = LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE;
	struct libiommu_emu_transfer *transfer;

	assert_int_equal(libiommu_emu_transfer_start(rig.device, LIBIOMMU_EMU_TRANSFER_WRITE, 0,
	                                             iova, bytes, length, &transfer),
	                 0);
	assert_int_equal(libiommu_emu_transfer_wait(transfer, 0), -ETIMEDOUT);
	if (map)
		assert_int_equal(libiommu_ioas_map_fixed(rig.ioas, rig.memory, length, both, iova),
		                 0);
	return drive(asking, transfer);
}

static void answered_by_another_process(void **state)
{
	static char bytes[PAGES * PAGE];
	struct asking asking;

	(void)state;
	begin(&asking);
	memset(bytes, 0x5a, sizeof(bytes));
	assert_int_equal(write_at(&asking, WINDOW, bytes, sizeof(bytes), true), 0);
	assert_memory_equal(rig.memory, bytes, sizeof(bytes));
	/* What it does not allow. */
	assert_int_equal(write_at(&asking, WINDOW + PAGES * PAGE, bytes, 1, false), -EFAULT);
	end(&asking);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answered_by_another_process),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
