/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * How a child and the machine talk while the child makes a call: it asks, and until it has its
 * answer the machine asks it for what only it has, its memory and its descriptors.
 */
#ifndef EMU_CHANNEL_H
#define EMU_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes that go along with a message at most. */
#define EMU_CHANNEL_ROOM 32768U

enum emu_message_kind {
	EMU_SAYS_CALL,   /* the child: a system call */
	EMU_SAYS_COUNT,  /* the child: what a process has pinned */
	EMU_SAYS_READ,   /* the machine: what is at this address of yours? */
	EMU_SAYS_WRITE,  /* the machine: put this there */
	EMU_SAYS_GIVE,   /* the machine: have this descriptor; which number is it? */
	EMU_SAYS_CLOSE,  /* the machine: it is not yours after all */
	EMU_SAYS_SHOW,   /* the machine: what is your descriptor of this number? */
	EMU_SAYS_RESULT, /* both: the answer */
};

struct emu_message {
	uint32_t kind;
	uint32_t call;  /* LIBIOMMU_EMU_ */
	int32_t number; /* of a descriptor */
	int32_t flags, prot;
	uint32_t length; /* of what goes along */
	int64_t result;
	uint64_t request, address, size, offset;
	int32_t pid;
	uint32_t uid;
};

/*
 * Of a connection: 0, or -EIO when the other one is gone. @fd goes along unless it is negative; of
 * what came, and is the receiver's, it is -1 where there was none.
 */
int emu_message_send(int socket, const struct emu_message *message, const void *data, int fd);
int emu_message_receive(int socket, struct emu_message *message, void *data, int *fd);

/* While the machine does a call of a child, in the thread that does it; -1: no longer. */
void emu_channel_use(int socket, pid_t pid);
/* Whether this thread does a call of a child; @pid 0: of any. */
bool emu_channel_is(pid_t pid);
/* 0 or -EFAULT. */
int emu_channel_read(void *to, uintptr_t from, size_t size);
int emu_channel_write(uintptr_t to, const void *from, size_t size);
/* The number that the child has it by, or -errno. */
int emu_channel_give(int fd);
void emu_channel_close(int number);

/*
 * The caller's descriptor of this number as one of this process, which is closed after use:
 * -EBADF where the caller has none.
 */
int emu_caller_fd(int number);

#endif
