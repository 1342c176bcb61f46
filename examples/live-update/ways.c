/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "ways.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

/* A handover with all of the machine, or NULL. */
static struct libiommu_handover *hand_over(const struct machine *machine)
{
	struct libiommu_handover *handover;

	if (libiommu_handover_new(machine->ctx, &handover)) {
		complain("no handover");
		return NULL;
	}
	if (machine_add(machine, handover))
		return handover;
	complain("no handover");
	libiommu_handover_free(handover);
	return NULL;
}

/* Everything is there; what is pinned is charged to this process, where the kernel can do that. */
static bool take(struct machine *machine, struct libiommu_takeover *takeover, int file)
{
	int error = -1;

	if (machine_take(machine, takeover, file)) {
		error = libiommu_takeover_commit(takeover, 0);
		if (error == -ENOTTY)
			error = libiommu_takeover_commit(takeover, LIBIOMMU_TAKEOVER_UNCHARGED);
	}
	if (error)
		complain("not taken over");
	libiommu_takeover_free(takeover);
	return !error;
}

bool pass_by_exec(const struct machine *machine, const struct baton *baton, char *program)
{
	struct libiommu_handover *const handover = hand_over(machine);
	char option[] = "--inherit", word[64];
	char *const argv[] = {program, option, word, NULL};
	int image;

	if (!handover)
		return false;
	if (libiommu_handover_keep(handover, &image)) {
		complain("nothing is kept open");
	} else {
		snprintf(word, sizeof(word), "%d,%d,%u,%u", image, machine->file, baton->generation,
		         baton->last);
		fcntl(machine->file, F_SETFD, 0);
		execv("/proc/self/exe", argv);
		complain_of("exec", errno);
		fcntl(machine->file, F_SETFD, FD_CLOEXEC);
	}
	/* All is as it was. */
	libiommu_handover_free(handover);
	return false;
}

bool take_by_exec(struct machine *machine, struct baton *baton, const char *word)
{
	struct libiommu_takeover *takeover;
	int image, file, error;

	*baton = (struct baton){.way = BY_EXEC};
	if (sscanf(word, "%d,%d,%u,%u", &image, &file, &baton->generation, &baton->last) != 4)
		return complain_of(word, EINVAL);
	error = libiommu_takeover_inherit(NULL, image, &takeover);
	close(image);
	fcntl(file, F_SETFD, FD_CLOEXEC);
	return error ? complain("nothing was kept open") : take(machine, takeover, file);
}

/* A successor at the other end of a socket, which is its standard input: 0 or an errno value. */
static int start(char *program, int *socket, pid_t *pid)
{
	char option[] = "--receive", word[] = "-";
	char *const argv[] = {program, option, word, NULL};
	posix_spawn_file_actions_t files;
	int ends[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return errno;
	error = posix_spawn_file_actions_init(&files);
	if (!error) {
		error = posix_spawn_file_actions_adddup2(&files, ends[1], STDIN_FILENO);
		if (!error)
			error = posix_spawn(pid, "/proc/self/exe", &files, NULL, argv, environ);
		posix_spawn_file_actions_destroy(&files);
	}
	close(ends[1]);
	if (error)
		close(ends[0]);
	else
		*socket = ends[0];
	return error;
}

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

/* The baton, with the memory's descriptor. */
static bool send_baton(int socket, const struct baton *baton, int file)
{
	struct baton copy = *baton;
	struct iovec part = {.iov_base = &copy, .iov_len = sizeof(copy)};
	union control control = {.room = {0}};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *const header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &file, sizeof(file));
	return sendmsg(socket, &message, MSG_NOSIGNAL) == sizeof(copy) ||
	       complain_of("sendmsg", errno);
}

static bool receive_baton(int socket, struct baton *baton, int *file)
{
	struct iovec part = {.iov_base = baton, .iov_len = sizeof(*baton)};
	union control control;
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *const header = CMSG_FIRSTHDR(&message);

	if (got != sizeof(*baton) || !header || header->cmsg_type != SCM_RIGHTS)
		return complain_of("recvmsg", got < 0 ? errno : EPROTO);
	memcpy(file, CMSG_DATA(header), sizeof(*file));
	return true;
}

/* Whether the successor says that it has everything; it may also have died. */
static bool is_taken(int socket)
{
	char word;

	return recv(socket, &word, 1, 0) == 1;
}

bool pass_by_socket(const struct machine *machine, const struct baton *baton, char *program,
                    pid_t *successor)
{
	struct libiommu_handover *handover;
	int socket = -1, error;
	bool done = false;

	error = start(program, &socket, successor);
	if (error)
		return complain_of("no successor", error);
	handover = hand_over(machine);
	if (handover && libiommu_handover_send(handover, socket))
		complain("not sent");
	else if (handover && send_baton(socket, baton, machine->file) && is_taken(socket))
		done = !libiommu_handover_commit(handover);
	/* Without the commit all is as it was. */
	libiommu_handover_free(handover);
	close(socket);
	return done;
}

bool take_by_socket(struct machine *machine, struct baton *baton)
{
	struct libiommu_takeover *takeover;
	int file = -1;

	if (libiommu_takeover_receive(NULL, STDIN_FILENO, &takeover))
		return complain("nothing was received");
	if (!receive_baton(STDIN_FILENO, baton, &file)) {
		libiommu_takeover_free(takeover);
		return false;
	}
	return take(machine, takeover, file) && send(STDIN_FILENO, "", 1, MSG_NOSIGNAL) == 1;
}
