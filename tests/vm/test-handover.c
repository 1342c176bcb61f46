/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A context of the kernel's test driver goes to another process, over a socket and by exec, with
 * memory mapped, a PASID attached and page requests on their way: one that the predecessor has
 * read, one that nobody has, one that comes later. The successor answers all three. And a successor
 * that dies on the way, after which the predecessor goes on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mock.h"

enum {
	LENGTH = 16 * 4096,
	IOVA = 0x2000000, /* inside the test driver's aperture */
	LABEL = 0xabc,
	VPASID = 7,
	TAG = 70,
	KEY = 1,
	OWN_KEY = 2,
	NOBODY = 65534
};

#define BOTH (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)

/* What the program knows itself, and passes on by its own means. */
struct letter {
	struct mock_facts device;
	uint64_t token; /* of the page request that was read */
};

static int memory; /* the file that is mapped */

struct world {
	struct mock *mock;
	struct libiommu_ctx *ctx;
	struct libiommu_ioas *ioas;
	struct libiommu_fault_queue *queue;
	struct libiommu_hwpt *own;
	struct libiommu_hwpt *table; /* at the PASID */
	struct libiommu_device *dev;
};

static void fail(const char *what, int line)
{
	char text[512];

	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "line %d: %s; last failure: %s\n", line, what, text);
	exit(1);
}

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail(#condition, __LINE__);                                                \
	} while (0)
#define OK(call) CHECK(!(call))

/* KiB that the kernel counts as pinned for a process. */
static long pinned(pid_t pid)
{
	char path[64], line[128];
	long result = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "VmPin:", 6))
			result = strtol(line + 6, NULL, 10);
	CHECK(file);
	fclose(file);
	return result;
}

static void see_memory(const struct world *world)
{
	void *const at = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	uint32_t id;

	CHECK(at != MAP_FAILED);
	OK(libiommu_hwpt_id(world->own, &id));
	OK(mock_check_map(world->mock, world->dev, id, IOVA, at, LENGTH));
	OK(libiommu_hwpt_id(world->table, &id));
	OK(mock_check_pasid(world->mock, world->dev, VPASID, id));
	munmap(at, LENGTH);
}

static void ask(const struct world *world, uint64_t address)
{
	OK(mock_fault(world->mock, world->dev, VPASID, 1, LIBIOMMU_FAULT_READ, address));
}

/* The next page request, in the program's terms. */
static struct libiommu_record take(const struct world *world, uint64_t address)
{
	struct libiommu_fault_batch *batch;
	struct libiommu_record record;

	OK(libiommu_fault_batch_new(1, &batch));
	CHECK(libiommu_fault_queue_read(world->queue, batch) == 1);
	record = *libiommu_fault_batch_get(batch, 0);
	libiommu_fault_batch_free(batch);
	CHECK(record.address == address && record.label == LABEL && record.tag == TAG);
	CHECK(record.vpasid == VPASID && !(record.flags & LIBIOMMU_RECORD_UNKNOWN));
	return record;
}

/* The kernel has a group with the token, and takes the answer. */
static void answer(const struct world *world, uint64_t token)
{
	const struct libiommu_fault_response response = {token, LIBIOMMU_FAULT_SUCCESS, 0};
	size_t stale = 1;

	CHECK(libiommu_fault_queue_respond(world->queue, &response, 1, &stale) == 1);
	CHECK(!stale);
}

static void begin(struct world *world, struct letter *letter)
{
	uint32_t pasid;

	world->ctx = mock_ctx(world->mock);
	world->dev = mock_device(world->mock, world->ctx, LABEL, true);
	OK(libiommu_ioas_alloc(world->ctx, &world->ioas));
	OK(libiommu_fault_queue_alloc(world->ctx, &world->queue));
	world->own = mock_hwpt(world->dev, world->ioas, NULL);
	world->table = mock_hwpt(world->dev, world->ioas, world->queue);
	OK(libiommu_device_attach_hwpt(world->dev, world->own));
	OK(libiommu_pasid_attach(world->dev, VPASID, world->table, TAG, &pasid));
	/* Nothing is charged to those with CAP_IPC_LOCK, which goes with the effective user. */
	OK(seteuid(NOBODY));
	OK(libiommu_ioas_map_file_fixed(world->ioas, memory, 0, LENGTH, BOTH, IOVA));
	see_memory(world);
	CHECK(pinned(getpid()) == LENGTH / 1024);
	ask(world, IOVA);
	letter->token = take(world, IOVA).token;
	ask(world, IOVA + 4096);
}

static struct libiommu_handover *hand_over(struct world *world)
{
	struct libiommu_handover *handover;

	OK(libiommu_handover_new(world->ctx, &handover));
	OK(libiommu_handover_add_ioas(handover, KEY, world->ioas));
	OK(libiommu_handover_add_fault_queue(handover, KEY, world->queue));
	OK(libiommu_handover_add_hwpt(handover, OWN_KEY, world->own));
	OK(libiommu_handover_add_hwpt(handover, KEY, world->table));
	OK(libiommu_handover_add_device(handover, KEY, world->dev));
	return handover;
}

static void destroy(struct world *world)
{
	OK(libiommu_device_destroy(world->dev));
	OK(libiommu_hwpt_destroy(world->table));
	OK(libiommu_hwpt_destroy(world->own));
	OK(libiommu_fault_queue_destroy(world->queue));
	OK(libiommu_ioas_destroy(world->ioas));
	OK(libiommu_ctx_destroy(world->ctx));
}

/* All of it, up to the commit. */
static void take_over(struct world *world, struct libiommu_takeover *takeover,
                      const struct letter *letter)
{
	const uint32_t pasid = VPASID;

	OK(libiommu_takeover_ctx(takeover, &world->ctx));
	OK(libiommu_takeover_ioas(takeover, KEY, &world->ioas));
	OK(libiommu_takeover_fault_queue(takeover, KEY, &world->queue));
	OK(libiommu_takeover_hwpt(takeover, OWN_KEY, &world->own));
	OK(libiommu_takeover_hwpt(takeover, KEY, &world->table));
	OK(libiommu_takeover_device(takeover, KEY, &world->dev));
	mock_take(world->mock, libiommu_device_fd(world->dev), libiommu_ctx_fd(world->ctx),
	          &letter->device, &pasid, 1);
	OK(libiommu_takeover_commit(takeover, 0));
	libiommu_takeover_free(takeover);
}

/* The successor does all that the predecessor could have done. */
static void go_on(struct world *world, const struct letter *letter)
{
	uint64_t token = 0, found;
	size_t count = 0;
	uint32_t pasid;

	CHECK(pinned(getpid()) == LENGTH / 1024);
	see_memory(world);
	OK(libiommu_fault_queue_tokens(world->queue, &token, 1, &count));
	CHECK(count == 1 && token == letter->token);
	answer(world, token);
	answer(world, take(world, IOVA + 4096).token);
	ask(world, IOVA + 2 * 4096);
	answer(world, take(world, IOVA + 2 * 4096).token);
	OK(libiommu_pasid_find(world->dev, VPASID, &pasid));
	OK(libiommu_device_label(world->dev, &found));
	CHECK(pasid == VPASID && found == LABEL);
	OK(libiommu_pasid_detach(world->dev, VPASID));
	OK(mock_check_pasid(world->mock, world->dev, VPASID, 0));
	OK(libiommu_pasid_attach(world->dev, VPASID, world->table, TAG, &pasid));
	OK(libiommu_ioas_unmap(world->ioas, IOVA, LENGTH));
	CHECK(pinned(getpid()) == 0);
	destroy(world);
}

static struct libiommu_ctx_config *new_config(const struct mock *mock)
{
	struct libiommu_ctx_config *config;

	OK(libiommu_ctx_config_new(&config));
	OK(libiommu_ctx_config_set_sys(config, mock_door(mock)));
	return config;
}

/* With @vanish it dies when everything is its own, and its predecessor does not know. */
/* With @vanish it dies when everything is its own, and its predecessor does not know. */
static void succeed_by_socket(struct mock *mock, int socket, bool vanish)
{
	struct libiommu_ctx_config *const config = new_config(mock);
	struct world world = {.mock = mock};
	struct libiommu_takeover *takeover;
	struct letter letter;
	char word;

	OK(seteuid(NOBODY));
	CHECK(recv(socket, &letter, sizeof(letter), 0) == sizeof(letter));
	OK(libiommu_takeover_receive(config, socket, &takeover));
	libiommu_ctx_config_free(config);
	take_over(&world, takeover, &letter);
	if (vanish)
		_exit(0);
	CHECK(send(socket, "y", 1, 0) == 1);
	/* Nothing is left of the predecessor. */
	CHECK(recv(socket, &word, 1, 0) == 0);
	go_on(&world, &letter);
	_exit(0);
}

/* It has what its predecessor has when it starts: the memory, and nothing of the kernel's. */
static pid_t start(struct mock *mock, int *socket, bool vanish)
{
	int ends[2];
	pid_t pid;

	OK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		close(ends[0]);
		succeed_by_socket(mock, ends[1], vanish);
	}
	close(ends[1]);
	*socket = ends[0];
	return pid;
}

static void see_end(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(!status);
}

static void test_socket(struct mock *mock)
{
	struct world world = {.mock = mock};
	struct libiommu_handover *handover;
	struct letter letter;
	char word;
	int socket;
	pid_t pid;

	pid = start(mock, &socket, false);
	begin(&world, &letter);
	handover = hand_over(&world);
	mock_give(mock, libiommu_device_fd(world.dev), &letter.device);
	CHECK(send(socket, &letter, sizeof(letter), 0) == sizeof(letter));
	OK(libiommu_handover_send(handover, socket));
	CHECK(recv(socket, &word, 1, 0) == 1);
	OK(libiommu_handover_commit(handover));
	libiommu_handover_free(handover);
	CHECK(pinned(getpid()) == 0);
	destroy(&world);
	OK(seteuid(0));
	close(socket);
	see_end(pid);
	printf("over a socket: taken over, and nothing lost\n");
}

static void test_vanished(struct mock *mock)
{
	struct world world = {.mock = mock};
	struct libiommu_handover *handover;
	struct letter letter;
	const uint32_t pasid = VPASID;
	int socket, fd;
	char word;
	pid_t pid;

	pid = start(mock, &socket, true);
	begin(&world, &letter);
	fd = libiommu_device_fd(world.dev);
	handover = hand_over(&world);
	mock_give(mock, fd, &letter.device);
	CHECK(send(socket, &letter, sizeof(letter), 0) == sizeof(letter));
	OK(libiommu_handover_send(handover, socket));
	CHECK(recv(socket, &word, 1, 0) == 0);
	see_end(pid);
	/* In between nothing is anybody's to change. */
	CHECK(libiommu_pasid_detach(world.dev, VPASID) == -ESHUTDOWN);
	CHECK(libiommu_ioas_unmap(world.ioas, IOVA, LENGTH) == -ESHUTDOWN);
	libiommu_handover_free(handover);
	mock_take(mock, fd, libiommu_ctx_fd(world.ctx), &letter.device, &pasid, 1);
	CHECK(pinned(getpid()) == 0);
	OK(libiommu_ctx_change_process(world.ctx));
	go_on(&world, &letter);
	OK(seteuid(0));
	close(socket);
	printf("the successor dies: the predecessor goes on\n");
}

/* In the program that exec() has started. */
static int succeed_by_exec(char **argv)
{
	struct mock *const mock = mock_new();
	struct libiommu_ctx_config *const config = new_config(mock);
	struct world world = {.mock = mock};
	struct libiommu_takeover *takeover;
	struct letter letter;
	const int pipe = atoi(argv[2]);

	memory = atoi(argv[3]);
	CHECK(read(pipe, &letter, sizeof(letter)) == sizeof(letter));
	close(pipe);
	OK(seteuid(NOBODY));
	OK(libiommu_takeover_inherit(config, atoi(argv[1]), &takeover));
	libiommu_ctx_config_free(config);
	close(atoi(argv[1]));
	CHECK(pinned(getpid()) == 0);
	take_over(&world, takeover, &letter);
	go_on(&world, &letter);
	mock_free(mock);
	return 0;
}

static void replace_myself(struct mock *mock)
{
	char name[] = "vm-handover", image[16], letters[16], file[16];
	char *const argv[] = {name, image, letters, file, NULL};
	struct world world = {.mock = mock};
	struct libiommu_handover *handover;
	struct letter letter;
	int ends[2], fd;

	begin(&world, &letter);
	/* The first attempt fails, and nothing has been. */
	handover = hand_over(&world);
	OK(libiommu_handover_keep(handover, &fd));
	CHECK(execv("/nonexistent", argv) == -1);
	libiommu_handover_free(handover);
	see_memory(&world);
	handover = hand_over(&world);
	mock_give(mock, libiommu_device_fd(world.dev), &letter.device);
	OK(libiommu_handover_keep(handover, &fd));
	OK(pipe(ends));
	CHECK(write(ends[1], &letter, sizeof(letter)) == sizeof(letter));
	close(ends[1]);
	snprintf(image, sizeof(image), "%d", fd);
	snprintf(letters, sizeof(letters), "%d", ends[0]);
	snprintf(file, sizeof(file), "%d", memory);
	OK(seteuid(0));
	execv("/proc/self/exe", argv);
	fail("exec", __LINE__);
}

static void test_exec(struct mock *mock)
{
	const pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid)
		replace_myself(mock);
	see_end(pid);
	printf("by exec: taken over, and nothing lost\n");
}

int main(int argc, char **argv)
{
	struct mock *mock;

	if (argc > 3)
		return succeed_by_exec(argv);
	mock = mock_new();
	if (!mock)
		return 77;
	memory = memfd_create("memory", 0);
	OK(ftruncate(memory, LENGTH));
	test_socket(mock);
	test_vanished(mock);
	test_exec(mock);
	mock_free(mock);
	return 0;
}
