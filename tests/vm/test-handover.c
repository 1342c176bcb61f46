/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A context of the kernel's test driver goes to another process, over a socket and by exec, with
 * memory mapped, a PASID attached and page requests on their way: one that the predecessor has
 * read, one that nobody has, one that comes later. The successor answers all three. And a successor
 * that dies on the way, after which the predecessor goes on. A guest's IOMMU goes over too, with
 * events on their way.
 */
#include "handover-rig.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct libiommu_ctx_config *new_config(const struct mock *mock)
{
	struct libiommu_ctx_config *config;

	OK(libiommu_ctx_config_new(&config));
	OK(libiommu_ctx_config_set_sys(config, mock_door(mock)));
	return config;
}

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
	rig_take_over(&world, takeover, &letter);
	if (vanish)
		_exit(0);
	CHECK(send(socket, "y", 1, 0) == 1);
	/* Nothing is left of the predecessor. */
	CHECK(recv(socket, &word, 1, 0) == 0);
	rig_go_on(&world, &letter);
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
	rig_begin(&world, &letter);
	handover = rig_hand_over(&world);
	rig_give_devices(&world, &letter);
	CHECK(send(socket, &letter, sizeof(letter), 0) == sizeof(letter));
	OK(libiommu_handover_send(handover, socket));
	CHECK(recv(socket, &word, 1, 0) == 1);
	OK(libiommu_handover_commit(handover));
	libiommu_handover_free(handover);
	CHECK(rig_pinned(getpid()) == 0);
	rig_destroy(&world);
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
	int socket;
	char word;
	pid_t pid;

	pid = start(mock, &socket, true);
	rig_begin(&world, &letter);
	handover = rig_hand_over(&world);
	rig_give_devices(&world, &letter);
	CHECK(send(socket, &letter, sizeof(letter), 0) == sizeof(letter));
	OK(libiommu_handover_send(handover, socket));
	CHECK(recv(socket, &word, 1, 0) == 0);
	see_end(pid);
	/* In between nothing is anybody's to change. */
	CHECK(libiommu_device_detach(world.dev) == -ESHUTDOWN);
	CHECK(libiommu_ioas_unmap(world.ioas, IOVA, LENGTH) == -ESHUTDOWN);
	libiommu_handover_free(handover);
	rig_take_devices(&world, &letter);
	CHECK(rig_pinned(getpid()) == 0);
	OK(libiommu_ctx_change_process(world.ctx));
	rig_go_on(&world, &letter);
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

	rig_memory = atoi(argv[3]);
	CHECK(read(pipe, &letter, sizeof(letter)) == sizeof(letter));
	close(pipe);
	OK(seteuid(NOBODY));
	OK(libiommu_takeover_inherit(config, atoi(argv[1]), &takeover));
	libiommu_ctx_config_free(config);
	close(atoi(argv[1]));
	CHECK(rig_pinned(getpid()) == 0);
	rig_take_over(&world, takeover, &letter);
	rig_go_on(&world, &letter);
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

	rig_begin(&world, &letter);
	/* The first attempt fails, and nothing has been. */
	handover = rig_hand_over(&world);
	OK(libiommu_handover_keep(handover, &fd));
	CHECK(execv("/nonexistent", argv) == -1);
	libiommu_handover_free(handover);
	rig_see_memory(&world);
	handover = rig_hand_over(&world);
	rig_give_devices(&world, &letter);
	OK(libiommu_handover_keep(handover, &fd));
	OK(pipe(ends));
	CHECK(write(ends[1], &letter, sizeof(letter)) == sizeof(letter));
	close(ends[1]);
	snprintf(image, sizeof(image), "%d", fd);
	snprintf(letters, sizeof(letters), "%d", ends[0]);
	snprintf(file, sizeof(file), "%d", rig_memory);
	OK(seteuid(0));
	execv("/proc/self/exe", argv);
	rig_fail("exec", __FILE__, __LINE__);
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
	rig_memory = memfd_create("memory", 0);
	OK(ftruncate(rig_memory, LENGTH));
	test_socket(mock);
	test_vanished(mock);
	test_exec(mock);
	mock_free(mock);
	return 0;
}
