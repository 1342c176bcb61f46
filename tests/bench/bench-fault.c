/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Page requests that wait in the kernel, read and answered: by the best loop without the library
 * (one read and one write for many), by the loop that is in use elsewhere (one read and one write
 * for each), by a loop over a bare io_uring, by the library's fault queue, and through its ring,
 * fed by read() and by io_uring. How the requests come about is not measured. Each round does all
 * ways in random order; what counts is the ratio within a round. Runs in the test machine, on the
 * kernel's test driver.
 *
 * usage: bench-fault [LEAST]
 *
 * LEAST is the ratio to the best loop below which the library must not be: good where time is
 * counted in instructions (see bench-fault-instructions), as elsewhere it depends on the machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../lib/base/sys.h"
#include "../../lib/base/uapi/iommufd.h"
#include "../../lib/base/uring.h"
#include "../must.h"
#include "../vm/mock.h"
#include "bench.h"

enum { FAULTS = 1024, BATCH = 256, BUFFER = 64, WARM_UP = 3, ROUNDS = 60 };

enum way { RAW, RAW_ONE_BY_ONE, RAW_IO_URING, QUEUE, RING, RING_IO_URING, WAYS };

static const char *const names[WAYS] = {
	[RAW] = "raw, many at a time",
	[RAW_ONE_BY_ONE] = "raw, one at a time",
	[RAW_IO_URING] = "raw, read by io_uring",
	[QUEUE] = "fault queue",
	[RING] = "ring, fed by read()",
	[RING_IO_URING] = "ring, fed by io_uring",
};

static struct mock *mock;
static struct libiommu_device *dev;
static struct libiommu_fault_queue *queues[WAYS];
static struct libiommu_hwpt *own, *tables[WAYS];
static struct libiommu_ring *rings[WAYS];
static struct libiommu_reader *readers[WAYS];
static struct libiommu_fault_batch *batch;
static struct uring uring;
static bool have_uring, armed;

static unsigned int answer(struct uapi_hwpt_page_response *answers, unsigned int count,
                           const struct uapi_hwpt_pgfault *faults, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (faults[i].flags & UAPI_PGFAULT_FLAGS_LAST_PAGE)
			answers[count++] = (struct uapi_hwpt_page_response){
				.cookie = faults[i].cookie,
				.code = UAPI_PAGE_RESP_SUCCESS,
			};
	return count;
}

static void give(int fd, const struct uapi_hwpt_page_response *answers, unsigned int count)
{
	if (count &&
	    write(fd, answers, count * sizeof(answers[0])) == (ssize_t)(count * sizeof(answers[0])))
		return;
	perror("raw");
	exit(1);
}

static unsigned int raw(enum way way)
{
	static struct uapi_hwpt_pgfault faults[BATCH];
	static struct uapi_hwpt_page_response answers[BATCH];
	const size_t room = way == RAW ? BATCH : 1;
	const int fd = libiommu_fault_queue_fd(queues[way]);
	const ssize_t got = read(fd, faults, room * sizeof(faults[0]));
	const unsigned int count =
		got > 0 ? answer(answers, 0, faults, (size_t)got / sizeof(faults[0])) : 0;

	give(fd, answers, count);
	return count;
}

/* The kernel reads by itself, into mapped buffers: no read(2), and none of the library's feed. */
static unsigned int raw_io_uring(enum way way)
{
	static struct uapi_hwpt_page_response answers[BATCH];
	const int fd = libiommu_fault_queue_fd(queues[way]);
	struct uring_done done;
	unsigned int count = 0;

	while (!count) {
		if (!armed)
			MUST(li_uring_arm(&uring, fd));
		armed = true;
		while (count + BUFFER <= BATCH && li_uring_peek(&uring, &done)) {
			count = answer(answers, count, done.data,
			               done.length / sizeof(struct uapi_hwpt_pgfault));
			armed = armed && !done.end;
			li_uring_pop(&uring);
		}
		if (!count && armed)
			MUST(li_uring_wait(&uring));
	}
	give(fd, answers, count);
	return count;
}

static unsigned int with_queue(enum way way)
{
	static struct libiommu_fault_response answers[BATCH];
	const int got = MUST(libiommu_fault_queue_read(queues[way], batch));
	unsigned int count = 0;

	for (int i = 0; i < got; i++) {
		const struct libiommu_record *const fault =
			libiommu_fault_batch_get(batch, (size_t)i);

		if (fault->flags & LIBIOMMU_RECORD_LAST)
			answers[count++] = (struct libiommu_fault_response){
				.token = fault->token,
				.code = LIBIOMMU_FAULT_SUCCESS,
			};
	}
	MUST(libiommu_fault_queue_respond(queues[way], answers, count, NULL));
	return count;
}

/* Handles what the ring has, and lets it answer what was handled before. */
static unsigned int with_ring(enum way way)
{
	static struct libiommu_completion answers[FAULTS];
	const struct libiommu_record *records;
	unsigned int count = 0;
	size_t length;

	MUST(libiommu_ring_dispatch(rings[way]));
	while (count < FAULTS &&
	       MUST(libiommu_reader_next_span(readers[way], FAULTS - count, &records, &length)))
		for (const struct libiommu_record *const end = records + length; records != end;
		     records++)
			if (records->flags & LIBIOMMU_RECORD_LAST)
				answers[count++] = (struct libiommu_completion){
					.token = records->token,
					.code = LIBIOMMU_FAULT_SUCCESS,
					.queue = records->queue,
				};
	MUST(libiommu_reader_release(readers[way]));
	MUST(libiommu_reader_complete(readers[way], answers, count));
	return count;
}

static double measure(enum way way)
{
	unsigned int done = 0;
	size_t left;
	double start;

	for (uint64_t i = 0; i < FAULTS; i++)
		if (mock_fault(mock, dev, 1 + (uint32_t)way, 1, LIBIOMMU_FAULT_READ, i * 4096))
			exit(1);
	start = bench_now();
	while (done < FAULTS) {
		if (way == RAW || way == RAW_ONE_BY_ONE)
			done += raw(way);
		else if (way == RAW_IO_URING)
			done += have_uring ? raw_io_uring(way) : raw(RAW_IO_URING);
		else
			done += way == QUEUE ? with_queue(way) : with_ring(way);
	}
	if (rings[way])
		MUST(libiommu_ring_dispatch(rings[way]));
	start = bench_now() - start;
	MUST(libiommu_fault_queue_outstanding(queues[way], &left));
	if (left || done != FAULTS) {
		printf("%s: %zu not answered, %u handled\n", names[way], left, done);
		exit(1);
	}
	return start;
}

static void prepare(struct libiommu_ctx *ctx, struct libiommu_ioas *ioas)
{
	dev = mock_device(mock, ctx, 1, true);
	own = mock_hwpt(dev, ioas, NULL);
	MUST(libiommu_device_attach_hwpt(dev, own));
	MUST(libiommu_fault_batch_new(BATCH, &batch));
	for (int way = 0; way < WAYS; way++) {
		uint32_t pasid;

		MUST(libiommu_fault_queue_alloc(ctx, &queues[way]));
		tables[way] = mock_hwpt(dev, ioas, queues[way]);
		MUST(libiommu_pasid_attach(dev, 1 + (uint32_t)way, tables[way], 0, &pasid));
		if (way != RING && way != RING_IO_URING)
			continue;
		MUST(libiommu_ring_new(ctx, NULL, &rings[way]));
		if (MUST(libiommu_ring_add_queue(rings[way], queues[way],
		                                 way == RING ? 0 : LIBIOMMU_RING_IO_URING)) == 0 &&
		    way == RING_IO_URING)
			printf("# no io_uring here: fed by read() both times\n");
		MUST(libiommu_ring_open_reader(rings[way], &readers[way]));
	}
}

static void prepare_io_uring(void)
{
	const struct libiommu_sys *const sys = li_sys_libc();

	have_uring = !li_uring_open(&uring, sys, BUFFER * sizeof(struct uapi_hwpt_pgfault));
	if (!have_uring) {
		printf("# no io_uring here\n");
		return;
	}
	MUST(li_sys_nonblock(sys, libiommu_fault_queue_fd(queues[RAW_IO_URING])));
}

/* An armed read would keep the queue from going. */
static void finish_io_uring(void)
{
	if (!have_uring)
		return;
	while (armed && !li_uring_ended(&uring)) {
		MUST(li_uring_cancel(&uring));
		MUST(li_uring_wait(&uring));
	}
	li_uring_close(&uring, false);
}

static void finish(struct libiommu_ctx *ctx, struct libiommu_ioas *ioas)
{
	finish_io_uring();
	MUST(libiommu_device_destroy(dev));
	MUST(libiommu_hwpt_destroy(own));
	for (int way = 0; way < WAYS; way++) {
		libiommu_reader_free(readers[way]);
		MUST(libiommu_ring_destroy(rings[way]));
		MUST(libiommu_hwpt_destroy(tables[way]));
		MUST(libiommu_fault_queue_destroy(queues[way]));
	}
	libiommu_fault_batch_free(batch);
	MUST(libiommu_ioas_destroy(ioas));
	MUST(libiommu_ctx_destroy(ctx));
}

static double report(double time[WAYS][ROUNDS], enum way way, enum way other)
{
	struct bench_figure ratio;
	double ratios[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		ratios[i] = time[other][i] / time[way][i];
	ratio = bench_figure(ratios, ROUNDS);
	printf("# page requests, %s: %.3f times the rate of %s, 95 %% interval %.3f to %.3f\n",
	       names[way], ratio.median, names[other], ratio.low, ratio.high);
	return ratio.median;
}

int main(int argc, char **argv)
{
	const double least = argc > 1 ? strtod(argv[1], NULL) : 0;
	static double time[WAYS][ROUNDS];
	struct libiommu_ioas *ioas;
	struct libiommu_ctx *ctx;
	int status = 0;

	mock = mock_new();
	if (!mock)
		return 77;
	ctx = mock_ctx(mock);
	MUST(libiommu_ioas_alloc(ctx, &ioas));
	prepare(ctx, ioas);
	prepare_io_uring();
	for (int round = -WARM_UP; round < ROUNDS; round++) {
		const int first = (int)(random() % WAYS);

		for (int i = 0; i < WAYS; i++) {
			const int way = (first + i) % WAYS;
			const double spent = measure((enum way)way);

			if (round >= 0)
				time[way][round] = spent;
		}
	}
	if (have_uring)
		report(time, RAW_IO_URING, RAW);
	for (int way = QUEUE; way < WAYS; way++) {
		if (report(time, (enum way)way, RAW) < least)
			status = 1;
		report(time, (enum way)way, RAW_ONE_BY_ONE);
	}
	finish(ctx, ioas);
	mock_free(mock);
	if (status)
		printf("below %.2f\n", least);
	return status;
}
