/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The scripted door: a test lists the calls that the library must make of the kernel, with the
 * replies, and the door plays them back in order. A call that differs, and one that is left over,
 * fails the test. README.md is the introduction.
 */
#ifndef LIBIOMMU_TESTS_SCRIPT_H
#define LIBIOMMU_TESTS_SCRIPT_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include <libiommu.h>

#include "../../lib/base/uapi/iommufd.h"
#include "../../lib/base/uapi/vfio.h"

enum step_op {
	STEP_OPEN,
	STEP_CLOSE,
	STEP_DUP,
	STEP_IOCTL,
	STEP_READ,
	STEP_PREAD,
	STEP_PWRITE,
	STEP_MMAP,
	STEP_MUNMAP,
	STEP_READLINK,
	STEP_LIST,
	STEP_WRITE,
	STEP_POLL,
	STEP_GETFL,
	STEP_SEAL,
};

/*
 * Looks at the argument of a matching call, and may write into it; fails the test with cmocka's
 * assertions.
 */
typedef void (*step_act)(void *arg, const void *user);

struct step {
	enum step_op op;
	const char *path;      /* OPEN, READLINK, LIST */
	int fd;                /* all that take one; POLL: its only one, or -1 */
	unsigned long request; /* IOCTL */
	const char *name;      /* IOCTL: of the request */
	bool by_value;         /* IOCTL: the argument is no pointer, but ... */
	uintptr_t value;       /* ... this number */
	const void *in;        /* bytes that the argument must begin with; NULL compares nothing */
	size_t in_size;
	const void *ignore; /* of the same size: bits set here are not compared */
	size_t ignore_size;
	const void *out; /* bytes written into the argument, also with an error */
	size_t out_size;
	size_t out_offset;
	uint64_t offset; /* PREAD, PWRITE, MMAP */
	size_t length;   /* PREAD, MMAP, MUNMAP: as asked for */
	int flags;       /* OPEN, besides O_CLOEXEC; MMAP; POLL: the events asked for; SEAL */
	int prot;        /* MMAP; POLL: the timeout */
	void *address;   /* MMAP: where it ends up; MUNMAP */
	void *hint;      /* MMAP: where it is asked for, with MAP_FIXED */
	ssize_t result;  /* what the call returns */
	int opens;       /* a descriptor that an ioctl hands out, for the bookkeeping; 0 for none */
	step_act act;    /* after the comparison, before @out is written */
	const void *user;
	const char *file; /* where the test says so */
	int line;
	char end; /* nothing */
};

/* Copies all that @step points to, save @user. */
void script_add(const struct step *step);

#define EXPECT(operation, ...)                                                                     \
	script_add(&(const struct step){                                                           \
		.op = STEP_##operation, .file = __FILE__, .line = __LINE__, __VA_ARGS__})

/* The result is the descriptor, or -errno. */
#define EXPECT_OPEN(at, opened) EXPECT(OPEN, .path = (at), .flags = O_RDWR, .result = (opened))
#define EXPECT_DUP(of, made)    EXPECT(DUP, .fd = (of), .result = (made))
/*
 * Need not be listed: a descriptor that is the library's to close is closed with 0 at any time.
 * Listed, its place in the order is checked. EXPECT(MUNMAP, ...) likewise.
 */
#define EXPECT_CLOSE(of) EXPECT(CLOSE, .fd = (of))
/*
 * EXPECT_IOCTL(100, IOAS_ALLOC, IN(...), SET(...), .result = ...): the request without its
 * UAPI_IOC_.
 */
#define EXPECT_IOCTL(...) EXPECT_IOCTL_END(__VA_ARGS__, .end = 0)
/* A macro's dots must stand for something, which .end is when nothing else is given. */
#define EXPECT_IOCTL_END(on, ioctl, ...)                                                           \
	EXPECT(IOCTL, .fd = (on), .request = UAPI_IOC_##ioctl, .name = #ioctl, __VA_ARGS__)

/* The argument, a structure or a number; its bytes are compared. Not named is zero. */
#define IN(type, ...)  .in = &(const type){__VA_ARGS__}, .in_size = sizeof(type)
#define IN_TEXT(text)  .in = (text), .in_size = strlen(text) + 1
#define IN_BYTES(p, n) .in = (p), .in_size = (n)
/* An argument that is a number, and no pointer to one. */
#define VALUE(number) .by_value = true, .value = (number)
/* What of it is not compared: IGNORE(struct uapi_ioas_map, .user_va = UINT64_MAX). */
#define IGNORE(type, ...) .ignore = &(const type){__VA_ARGS__}, .ignore_size = sizeof(type)
/* The reply: the whole argument, one field of it, or bytes at an offset. */
#define OUT(type, ...) .out = &(const type){__VA_ARGS__}, .out_size = sizeof(type)
#define SET(type, field, value)                                                                    \
	.out = &(const __typeof__(((type *)0)->field)){value},                                     \
	.out_size = sizeof(((type *)0)->field), .out_offset = offsetof(type, field)
#define OUT_BYTES(p, n) .out = (p), .out_size = (n)

/* The door, for contexts that a test makes itself. Belongs to the script. */
struct libiommu_sys *script_door(void);

/* Descriptors that a test made up: the library's to close exactly once, or never. */
void script_give_fd(int fd);
void script_lend_fd(int fd);
/* The library did not want it after all: it is the test's again. */
void script_take_back_fd(int fd);
bool script_fd_is_open(int fd);
unsigned int script_open_fds(void);

/*
 * All that is listed has been called. Done at the end of each test too; in between it says where.
 */
#define script_done() script_done_at(__FILE__, __LINE__)
void script_done_at(const char *file, int line);
/* Forget what is listed and not called, where a failed allocation cut the calls short. */
void script_drop(void);

/* Every test that uses the door is SCRIPT_TEST(function). */
int script_setup(void **state);
int script_teardown(void **state);
#define SCRIPT_TEST(function)                                                                      \
	cmocka_unit_test_setup_teardown(function, script_setup, script_teardown)

#endif
