/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ledger.h"

#include "script.h"

#define MAX_FDS  1024
#define MAX_MAPS 64

enum fd_state {
	FD_UNKNOWN,
	FD_OWNED,
	FD_LENT,
	FD_CLOSED,
};

static enum fd_state fds[MAX_FDS];
static struct {
	void *address;
	size_t length;
} maps[MAX_MAPS];

void ledger_reset(void)
{
	for (int fd = 0; fd < MAX_FDS; fd++)
		fds[fd] = FD_UNKNOWN;
	for (size_t i = 0; i < MAX_MAPS; i++)
		maps[i].address = NULL;
}

void ledger_add_fd(int fd, bool own)
{
	if (fd < 0 || fd >= MAX_FDS)
		fail_msg("descriptors of a script are below %d", MAX_FDS);
	if (fds[fd] == FD_OWNED || fds[fd] == FD_LENT)
		fail_msg("the script opens descriptor %d a second time", fd);
	fds[fd] = own ? FD_OWNED : FD_LENT;
}

void ledger_use_fd(int fd)
{
	if (fd < 0 || fd >= MAX_FDS || fds[fd] == FD_UNKNOWN)
		fail_msg("descriptor %d is used, and nobody opened it", fd);
	if (fds[fd] == FD_CLOSED)
		fail_msg("descriptor %d is used after its close", fd);
}

void ledger_close_fd(int fd)
{
	ledger_use_fd(fd);
	if (fds[fd] == FD_LENT)
		fail_msg("descriptor %d is closed, and it is not the library's", fd);
	fds[fd] = FD_CLOSED;
}

void ledger_add_map(void *address, size_t length)
{
	for (size_t i = 0; i < MAX_MAPS; i++) {
		if (maps[i].address)
			continue;
		maps[i].address = address;
		maps[i].length = length;
		return;
	}
	fail_msg("more than %d mappings", MAX_MAPS);
}

void ledger_remove_map(void *address, size_t length)
{
	for (size_t i = 0; i < MAX_MAPS; i++) {
		if (maps[i].address != address || maps[i].length != length)
			continue;
		maps[i].address = NULL;
		return;
	}
	fail_msg("munmap(%p, %zu) of what is not mapped", address, length);
}

unsigned int ledger_maps(void)
{
	unsigned int count = 0;

	for (size_t i = 0; i < MAX_MAPS; i++)
		count += maps[i].address != NULL;
	return count;
}

void ledger_check(void)
{
	for (int fd = 0; fd < MAX_FDS; fd++)
		if (fds[fd] == FD_OWNED)
			fail_msg("descriptor %d is never closed", fd);
	if (ledger_maps())
		fail_msg("%u mappings are never unmapped", ledger_maps());
}

void script_give_fd(int fd)
{
	ledger_add_fd(fd, true);
}

void script_lend_fd(int fd)
{
	ledger_add_fd(fd, false);
}

void script_take_back_fd(int fd)
{
	ledger_use_fd(fd);
	fds[fd] = FD_CLOSED;
}

bool script_fd_is_open(int fd)
{
	return fd >= 0 && fd < MAX_FDS && (fds[fd] == FD_OWNED || fds[fd] == FD_LENT);
}

unsigned int script_open_fds(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < MAX_FDS; fd++)
		count += script_fd_is_open(fd);
	return count;
}
