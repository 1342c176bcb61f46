/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "owner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LABEL = 0xfa };

/* A handler that is alive and does nothing is no better than a dead one. */
#define DEADLINE (UINT64_C(5) * 1000 * 1000 * 1000)

extern char **environ;

static bool complain(void)
{
	char text[512];

	libiommu_failure_text(text, sizeof(text));
	fprintf(stderr, "fault-proxy: %s\n", text);
	return false;
}

static bool complain_of(const char *what, int error)
{
	fprintf(stderr, "fault-proxy: %s: %s\n", what, strerror(error));
	return false;
}

/* With the socket as its standard input, no signal blocked, and nothing else of ours. */
static int spawn(struct owner *owner, int socket)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t choices;
	sigset_t none;
	int error;

	sigemptyset(&none);
	error = posix_spawn_file_actions_init(&files);
	if (error)
		return error;
	error = posix_spawnattr_init(&choices);
	if (error)
		goto destroy_files;
	error = posix_spawn_file_actions_adddup2(&files, socket, STDIN_FILENO);
	if (!error)
		error = posix_spawnattr_setsigmask(&choices, &none);
	if (!error)
		error = posix_spawnattr_setflags(&choices, POSIX_SPAWN_SETSIGMASK);
	if (!error)
		error = posix_spawn(&owner->pid, "/proc/self/exe", &files, &choices, owner->handler,
		                    environ);
	if (error)
		owner->pid = 0;
	posix_spawnattr_destroy(&choices);
destroy_files:
	posix_spawn_file_actions_destroy(&files);
	return error;
}

/*
 * The ring has its new reader before that runs: from here on page requests wait for it, and are not
 * refused. If it cannot be started, its end of the socket is closed and the ring sees that.
 */
static bool start_handler(struct owner *owner)
{
	int ends[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return complain_of("socketpair", errno);
	if (libiommu_ring_join(owner->ring, ends[0], LIBIOMMU_FD_OWN, 0)) {
		close(ends[0]);
		close(ends[1]);
		return complain();
	}
	error = spawn(owner, ends[1]);
	/* It is the handler's alone, or its death would not be seen. */
	close(ends[1]);
	if (error)
		return complain_of("no handler", error);
	owner->started++;
	return true;
}

/* One that fails by itself would do so again. */
static bool replace_handler(struct owner *owner)
{
	int status;

	if (!owner->pid || waitpid(owner->pid, &status, WNOHANG) != owner->pid)
		return true;
	owner->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) != EXIT_SUCCESS) {
		fprintf(stderr, "fault-proxy: the handler failed with status %d\n",
		        WEXITSTATUS(status));
		return false;
	}
	return start_handler(owner);
}

static enum owner_state take_signal(struct owner *owner)
{
	struct signalfd_siginfo info;

	if (read(owner->signals, &info, sizeof(info)) != sizeof(info))
		return OWNER_GOES_ON;
	if (info.ssi_signo != SIGCHLD)
		return OWNER_INTERRUPTED;
	return replace_handler(owner) ? OWNER_GOES_ON : OWNER_FAILED;
}

enum owner_state owner_step(struct owner *owner, int timeout)
{
	struct pollfd fds[2] = {
		{.fd = libiommu_ring_fd(owner->ring), .events = POLLIN},
		{.fd = owner->signals, .events = POLLIN},
	};

	if (poll(fds, 2, timeout) < 0) {
		if (errno == EINTR)
			return OWNER_GOES_ON;
		complain_of("poll", errno);
		return OWNER_FAILED;
	}
	if (fds[0].revents && libiommu_ring_dispatch(owner->ring)) {
		complain();
		return OWNER_FAILED;
	}
	return fds[1].revents ? take_signal(owner) : OWNER_GOES_ON;
}

static int open_ctx(struct owner *owner, const struct libiommu_sys *door)
{
	struct libiommu_ctx_config *config;
	int error = libiommu_ctx_config_new(&config);

	if (error)
		return error;
	error = libiommu_ctx_config_set_sys(config, door);
	if (!error)
		error = libiommu_ctx_new(config, &owner->ctx);
	libiommu_ctx_config_free(config);
	return error;
}

static int make_table(struct owner *owner)
{
	struct libiommu_hwpt_config *config;
	int error = libiommu_hwpt_config_new(&config);

	if (error)
		return error;
	error = libiommu_hwpt_config_set_fault_queue(config, owner->queue);
	if (!error)
		error = libiommu_hwpt_alloc(owner->dev, owner->ioas, config, &owner->hwpt);
	libiommu_hwpt_config_free(config);
	return error;
}

/* From the fault queue, by the kernel itself where it can do that. */
static int make_ring(struct owner *owner)
{
	struct libiommu_ring_config *config;
	int error = libiommu_ring_config_new(&config);

	if (error)
		return error;
	error = libiommu_ring_config_set_deadline(config, DEADLINE);
	if (!error)
		error = libiommu_ring_new(owner->ctx, config, &owner->ring);
	libiommu_ring_config_free(config);
	if (error)
		return error;
	error = libiommu_ring_add_queue(owner->ring, owner->queue, LIBIOMMU_RING_IO_URING);
	return error < 0 ? error : 0;
}

bool owner_open(struct owner *owner, const struct libiommu_sys *door, const char *node,
                char *const *handler)
{
	sigset_t set;

	*owner = (struct owner){.handler = handler};
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	owner->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (owner->signals < 0)
		return complain_of("signalfd", errno);
	if (open_ctx(owner, door) || libiommu_device_open_node(owner->ctx, node, &owner->dev) ||
	    libiommu_device_bind(owner->dev, LABEL, NULL, 0) ||
	    libiommu_ioas_alloc(owner->ctx, &owner->ioas) ||
	    libiommu_fault_queue_alloc(owner->ctx, &owner->queue) || make_table(owner) ||
	    make_ring(owner))
		complain();
	else if (start_handler(owner) && !libiommu_device_attach_hwpt(owner->dev, owner->hwpt))
		return true;
	else if (owner->pid)
		complain();
	owner_close(owner);
	return false;
}

void owner_close(struct owner *owner)
{
	libiommu_device_destroy(owner->dev);
	libiommu_ring_destroy(owner->ring);
	if (owner->pid)
		waitpid(owner->pid, NULL, 0);
	libiommu_hwpt_destroy(owner->hwpt);
	libiommu_fault_queue_destroy(owner->queue);
	libiommu_ioas_destroy(owner->ioas);
	libiommu_ctx_destroy(owner->ctx);
	close(owner->signals);
}
