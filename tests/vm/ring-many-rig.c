/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "ring-many-rig.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Less than is on its way at times; and more than can be, also while the reader is not heard. */
enum { FEW = 512, ENOUGH = 8192 };

static atomic_bool done;
static pthread_t driving, reading;
static struct libiommu_reader *reader;
static pid_t child;
static int reader_socket = -1;

static void *drive(void *arg)
{
	const struct rig *const rig = arg;
	struct pollfd ready = {.fd = libiommu_ring_fd(rig->ring), .events = POLLIN};

	while (!atomic_load(&done)) {
		poll(&ready, 1, 10);
		MUST(libiommu_ring_dispatch(rig->ring));
	}
	return NULL;
}

static void *read_here(void *arg)
{
	const struct rig *const rig = arg;

	must(many_read(rig->many, reader), "the reader");
	libiommu_reader_free(reader);
	return NULL;
}

static int read_there(const struct rig *rig, int socket)
{
	struct libiommu_reader *opened;
	int error = libiommu_reader_open(NULL, socket, LIBIOMMU_FD_OWN, &opened);

	if (!error) {
		error = many_read(rig->many, opened);
		libiommu_reader_free(opened);
	}
	if (error)
		printf("the other process: %s\n", strerror(-error));
	return error ? 1 : 0;
}

/* Before there is a context: a child has nothing of it. */
static void start_child(const struct rig *rig)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		exit(1);
	fflush(stdout);
	child = fork();
	if (child < 0)
		exit(1);
	if (!child) {
		int status;

		close(sockets[0]);
		status = read_there(rig, sockets[1]);
		fflush(stdout);
		_exit(status);
	}
	close(sockets[1]);
	reader_socket = sockets[0];
}

static void attach(struct rig *rig, uint32_t pair)
{
	const uint32_t epoch = rig->epochs[pair];

	MUST(libiommu_pasid_attach(rig->devs[pair / MANY_PASIDS], many_vpasid(pair),
	                           rig->tables[many_table(pair, epoch)], many_tag(pair, epoch),
	                           &rig->pasids[pair]));
}

void rig_move(struct rig *rig, uint32_t pair)
{
	struct libiommu_device *const dev = rig->devs[pair / MANY_PASIDS];
	const uint32_t epoch = ++rig->epochs[pair];

	atomic_store(&rig->many->lasting[pair], epoch);
	MUST(libiommu_pasid_replace(dev, many_vpasid(pair), rig->tables[many_table(pair, epoch)],
	                            many_tag(pair, epoch)));
	rig->epochs[pair]++;
	atomic_store(&rig->many->lasting[pair], epoch + 1);
	MUST(libiommu_pasid_detach(dev, many_vpasid(pair)));
	attach(rig, pair);
	rig->ends += 2;
}

void rig_open(struct rig *rig, unsigned int how)
{
	memset(rig->epochs, 0, sizeof(rig->epochs));
	rig->ends = 0;
	if (how & BY_PROCESS)
		start_child(rig);
	rig->ctx = mock_ctx(rig->mock);
	MUST(libiommu_ioas_alloc(rig->ctx, &rig->ioas));
	for (int i = 0; i < MANY_DEVICES; i++)
		rig->devs[i] = mock_device(rig->mock, rig->ctx, MANY_LABEL + (uint64_t)i, true);
	rig->own = mock_hwpt(rig->devs[0], rig->ioas, NULL);
	for (int i = 0; i < 2; i++) {
		MUST(libiommu_fault_queue_alloc(rig->ctx, &rig->queues[i]));
		rig->tables[i] = mock_hwpt(rig->devs[0], rig->ioas, rig->queues[i]);
	}
	for (int i = 0; i < MANY_DEVICES; i++)
		MUST(libiommu_device_attach_hwpt(rig->devs[i], rig->own));
	for (uint32_t pair = 0; pair < MANY_PAIRS; pair++)
		attach(rig, pair);
}

void rig_close(struct rig *rig)
{
	for (int i = 0; i < MANY_DEVICES; i++)
		MUST(libiommu_device_destroy(rig->devs[i]));
	MUST(libiommu_hwpt_destroy(rig->own));
	for (int i = 0; i < 2; i++) {
		MUST(libiommu_hwpt_destroy(rig->tables[i]));
		MUST(libiommu_fault_queue_destroy(rig->queues[i]));
	}
	MUST(libiommu_ioas_destroy(rig->ioas));
	MUST(libiommu_ctx_destroy(rig->ctx));
}

bool rig_open_ring(struct rig *rig, unsigned int how)
{
	struct libiommu_ring_config *config;
	bool as_said = true;

	rig->fed[0] = how & BY_IO_URING;
	rig->fed[1] = how & (BY_IO_URING | BY_BOTH);
	MUST(libiommu_ring_config_new(&config));
	MUST(libiommu_ring_config_set_outstanding(config,
	                                          rig->fed[0] && rig->fed[1] ? FEW : ENOUGH));
	MUST(libiommu_ring_new(rig->ctx, config, &rig->ring));
	libiommu_ring_config_free(config);
	for (int i = 0; i < 2; i++) {
		const uint32_t feed = rig->fed[i] ? LIBIOMMU_RING_IO_URING : 0;

		if (MUST(libiommu_ring_add_queue(rig->ring, rig->queues[i], feed)) != !!feed)
			as_said = false;
	}
	if (how & BY_PROCESS) {
		MUST(libiommu_ring_join(rig->ring, reader_socket, LIBIOMMU_FD_OWN, 0));
	} else {
		MUST(libiommu_ring_open_reader(rig->ring, &reader));
		MUST(-pthread_create(&reading, NULL, read_here, rig));
	}
	atomic_store(&done, false);
	if (how & BY_THREAD)
		MUST(libiommu_ring_start(rig->ring));
	else
		MUST(-pthread_create(&driving, NULL, drive, rig));
	return as_said;
}

int rig_close_ring(struct rig *rig, unsigned int how)
{
	int status = 0;

	if (how & BY_THREAD) {
		MUST(libiommu_ring_stop(rig->ring));
	} else {
		atomic_store(&done, true);
		pthread_join(driving, NULL);
	}
	MUST(libiommu_ring_destroy(rig->ring));
	if (how & BY_PROCESS)
		waitpid(child, &status, 0);
	else
		pthread_join(reading, NULL);
	return status;
}
