/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * A context on its way over a socket, and kept open over exec: on real descriptors, through a door
 * to libc that can fail any call. The context has a file of memory for each of its descriptors, so
 * that they can be told apart, and no kernel behind it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../fds.h"
#include "alloc.h"
#include "script.h"

#include "../../lib/base/sys.h"
#include "../../lib/handover/record.h"
#include "../../lib/handover/transfer.h"

/* With the context's that is more than fits into two messages. */
enum { QUEUES = 2 * MESSAGE_FDS };

static struct libiommu_sys *door;
static unsigned int countdown; /* the call that fails; 0 for none */
static bool short_write;
static struct libiommu_ctx *ctx;
static struct libiommu_fault_queue *queues[QUEUES];
static int socket_ends[2];

static bool fails(void)
{
	return countdown && !--countdown;
}

#define LIBC li_sys_libc()

static int door_memfd(void *user, const char *name, uint64_t size)
{
	(void)user;
	return fails() ? -EIO : li_sys_memfd(LIBC, name, size);
}

static ssize_t door_pwrite(void *user, int fd, const void *buffer, size_t size, uint64_t offset)
{
	(void)user;
	if (fails())
		return -EIO;
	return li_sys_pwrite(LIBC, fd, buffer, short_write && size > 1 ? size / 2 : size, offset);
}

static ssize_t door_pread(void *user, int fd, void *buffer, size_t size, uint64_t offset)
{
	(void)user;
	if (fails())
		return -EIO;
	return li_sys_pread(LIBC, fd, buffer, short_write && size > 1 ? size / 2 : size, offset);
}

static int door_seal(void *user, int fd, int seals)
{
	(void)user;
	return fails() ? -EIO : li_sys_seal(LIBC, fd, seals);
}

static int door_size(void *user, int fd, uint64_t *size)
{
	(void)user;
	return fails() ? -EIO : li_sys_size(LIBC, fd, size);
}

static int door_cloexec(void *user, int fd, bool on)
{
	(void)user;
	return fails() ? -EIO : li_sys_cloexec(LIBC, fd, on);
}

static ssize_t door_send(void *user, int fd, const void *data, size_t size, const int *fds,
                         unsigned int count, int flags)
{
	(void)user;
	return fails() ? -EIO : li_sys_send(LIBC, fd, data, size, fds, count, flags);
}

static ssize_t door_receive(void *user, int fd, void *data, size_t size, int *fds,
                            unsigned int *count, int flags)
{
	(void)user;
	if (!fails())
		return li_sys_receive(LIBC, fd, data, size, fds, count, flags);
	*count = 0;
	return -EIO;
}

static struct libiommu_ctx_config *new_config(void)
{
	struct libiommu_ctx_config *config;

	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, door), 0);
	return config;
}

static int new_file(void)
{
	const int fd = li_sys_memfd(LIBC, "descriptor", 1);

	assert_true(fd >= 0);
	return fd;
}

static int setup(void **state)
{
	struct libiommu_ctx_config *config;

	(void)state;
	countdown = 0;
	short_write = false;
	assert_int_equal(libiommu_sys_new(&door), 0);
	libiommu_sys_set_memfd(door, door_memfd);
	libiommu_sys_set_pwrite(door, door_pwrite);
	libiommu_sys_set_pread(door, door_pread);
	libiommu_sys_set_seal(door, door_seal);
	libiommu_sys_set_size(door, door_size);
	libiommu_sys_set_cloexec(door, door_cloexec);
	libiommu_sys_set_send(door, door_send);
	libiommu_sys_set_receive(door, door_receive);
	config = new_config();
	assert_int_equal(libiommu_ctx_config_set_fd(config, new_file(), LIBIOMMU_FD_OWN), 0);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	for (uint32_t i = 0; i < QUEUES; i++)
		assert_int_equal(libiommu_fault_queue_adopt(ctx, i + 1, LIBIOMMU_ID_BORROW,
		                                            new_file(), LIBIOMMU_FD_OWN,
		                                            &queues[i]),
		                 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, socket_ends), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(socket_ends[0]);
	close(socket_ends[1]);
	for (uint32_t i = 0; i < QUEUES; i++)
		assert_int_equal(libiommu_fault_queue_destroy(queues[i]), 0);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
	libiommu_sys_free(door);
	return 0;
}

static struct libiommu_handover *begin(void)
{
	struct libiommu_handover *handover;

	assert_int_equal(libiommu_handover_new(ctx, &handover), 0);
	for (uint32_t i = 0; i < QUEUES; i++)
		assert_int_equal(libiommu_handover_add_fault_queue(handover, i, queues[i]), 0);
	return handover;
}

static ino_t file_of(int fd)
{
	struct stat info;

	assert_int_equal(fstat(fd, &info), 0);
	return info.st_ino;
}

static bool closes_on_exec(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static int receive(int socket, struct libiommu_takeover **takeover)
{
	struct libiommu_ctx_config *const config = new_config();
	const int error = libiommu_takeover_receive(config, socket, takeover);

	libiommu_ctx_config_free(config);
	return error;
}

/* Each descriptor is the same file as before, and another descriptor of it. */
static void see(struct libiommu_takeover *takeover)
{
	struct libiommu_fault_queue *other[QUEUES];
	struct libiommu_ctx *there;

	assert_int_equal(libiommu_takeover_ctx(takeover, &there), 0);
	for (uint32_t i = 0; i < QUEUES; i++) {
		const int here = libiommu_fault_queue_fd(queues[i]);
		int fd;

		assert_int_equal(libiommu_takeover_fault_queue(takeover, i, &other[i]), 0);
		fd = libiommu_fault_queue_fd(other[i]);
		assert_int_not_equal(fd, here);
		assert_int_equal(file_of(fd), file_of(here));
		assert_true(closes_on_exec(fd));
	}
	assert_int_equal(file_of(libiommu_ctx_fd(there)), file_of(libiommu_ctx_fd(ctx)));
	assert_int_equal(libiommu_takeover_commit(takeover, LIBIOMMU_TAKEOVER_UNCHARGED), 0);
	libiommu_takeover_free(takeover);
	for (uint32_t i = 0; i < QUEUES; i++)
		assert_int_equal(libiommu_fault_queue_destroy(other[i]), 0);
	assert_int_equal(libiommu_ctx_destroy(there), 0);
}

static void test_over_a_socket(void **state)
{
	static const int types[] = {SOCK_SEQPACKET, SOCK_STREAM, SOCK_DGRAM};
	const unsigned int fds = count_fds();

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct libiommu_handover *const handover = begin();
		struct libiommu_takeover *takeover;
		int ends[2];

		assert_int_equal(socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, ends), 0);
		short_write = i;
		assert_int_equal(libiommu_handover_send(handover, ends[0]), 0);
		assert_int_equal(receive(ends[1], &takeover), 0);
		see(takeover);
		libiommu_handover_free(handover);
		close(ends[0]);
		close(ends[1]);
		assert_int_equal(count_fds(), fds);
	}
}

/* What was received and is not taken is closed. */
static void test_received_in_vain(void **state)
{
	struct libiommu_handover *const handover = begin();
	const unsigned int fds = count_fds();
	struct libiommu_takeover *takeover;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(libiommu_handover_send(handover, socket_ends[0]), 0);
		assert_int_equal(receive(socket_ends[1], &takeover), 0);
		assert_int_equal(count_fds(), fds + 1 + QUEUES);
		libiommu_takeover_free(takeover);
		assert_int_equal(count_fds(), fds);
	}
	libiommu_handover_free(handover);
}

/* Sockets anew, whatever is left in the old ones. */
static void drain(void)
{
	close(socket_ends[0]);
	close(socket_ends[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, socket_ends), 0);
}

static void test_every_call_fails(void **state)
{
	struct libiommu_handover *const handover = begin();
	const unsigned int fds = count_fds();
	struct libiommu_takeover *takeover = NULL;
	unsigned int nth, failed = 0;
	int error = 1;

	(void)state;
	for (nth = 1; error; nth++) {
		countdown = nth;
		error = libiommu_handover_send(handover, socket_ends[0]);
		assert_true(!error || error == -EIO);
		failed += error != 0;
		countdown = 0;
		drain();
		assert_int_equal(count_fds(), fds);
	}
	/* A file, its content and seals, and four messages. */
	assert_int_equal(failed, 7);
	assert_int_equal(libiommu_handover_send(handover, socket_ends[0]), 0);
	for (nth = 1, failed = 0, error = 1; error; nth++) {
		drain();
		assert_int_equal(libiommu_handover_send(handover, socket_ends[0]), 0);
		countdown = nth;
		error = receive(socket_ends[1], &takeover);
		countdown = 0;
		assert_true(!error || error == -EIO);
		failed += error != 0;
		if (error)
			assert_int_equal(count_fds(), fds);
	}
	assert_int_equal(failed, 4 + 2 + QUEUES + 1);
	libiommu_takeover_free(takeover);
	assert_int_equal(count_fds(), fds);
	libiommu_handover_free(handover);
}

static void test_no_memory(void **state)
{
	struct libiommu_handover *const handover = begin();
	struct libiommu_ctx_config *const config = new_config();
	unsigned int failed = 1;

	(void)state;
	for (unsigned int nth = 1; failed; nth++) {
		struct libiommu_takeover *takeover = NULL;
		int error;

		alloc_fail_nth(nth);
		error = libiommu_handover_send(handover, socket_ends[0]);
		failed = alloc_restore();
		assert_int_equal(error, failed ? -ENOMEM : 0);
		if (error)
			continue;
		for (unsigned int other = 1, more = 1; more; other++) {
			drain();
			assert_int_equal(libiommu_handover_send(handover, socket_ends[0]), 0);
			alloc_fail_nth(other);
			error = libiommu_takeover_receive(config, socket_ends[1], &takeover);
			more = alloc_restore();
			assert_int_equal(error, more ? -ENOMEM : 0);
		}
		libiommu_takeover_free(takeover);
	}
	libiommu_ctx_config_free(config);
	libiommu_handover_free(handover);
}

/* What somebody else may send. */
static void say_hello(uint64_t magic, uint64_t size, uint64_t fds, int file)
{
	struct hello hello = {magic, size, fds};
	struct walk walk = li_walk_writer();

	li_transfer_hello(&walk, &hello);
	assert_int_equal(walk.size, HELLO_SIZE);
	assert_int_equal(
		li_sys_send(LIBC, socket_ends[0], walk.bytes, walk.size, &file, file >= 0, 0),
		HELLO_SIZE);
	li_walk_free(&walk);
}

static void refused(int error, const char *words)
{
	const unsigned int fds = count_fds();
	struct libiommu_takeover *takeover = NULL;

	shutdown(socket_ends[0], SHUT_WR);
	assert_int_equal(receive(socket_ends[1], &takeover), error);
	assert_null(takeover);
	assert_int_equal(libiommu_failure_error(), error);
	assert_string_equal(libiommu_failure_operation(), "libiommu_takeover_receive");
	{
		char text[512];

		libiommu_failure_text(text, sizeof(text));
		if (!strstr(text, words))
			fail_msg("not \"%s\" but \"%s\"", words, text);
	}
	assert_int_equal(count_fds(), fds);
	drain();
}

static int inherit(int fd, struct libiommu_takeover **takeover)
{
	struct libiommu_ctx_config *const config = new_config();
	const int error = libiommu_takeover_inherit(config, fd, takeover);

	libiommu_ctx_config_free(config);
	return error;
}

static void test_other_messages(void **state)
{
	const int file = new_file();
	const unsigned char count = MESSAGE_FDS;
	struct libiommu_takeover *takeover;
	int fds[MESSAGE_FDS];

	(void)state;
	for (size_t i = 0; i < MESSAGE_FDS; i++)
		fds[i] = file;
	refused(-EPIPE, "the other end of the socket is closed");
	assert_int_equal(li_sys_send(LIBC, socket_ends[0], "hello", 5, &file, 1, 0), 5);
	refused(-EBADMSG, "what came is no handover");
	/* Without a file, without the mark, with more descriptors than an image can tell of. */
	say_hello(IMAGE_MAGIC, 4, 1, -1);
	refused(-EBADMSG, "what came is no handover");
	say_hello(IMAGE_MAGIC + 1, 4, 1, file);
	refused(-EBADMSG, "what came is no handover");
	say_hello(IMAGE_MAGIC, 4, 2, file);
	refused(-EBADMSG, "what came is no handover");
	say_hello(IMAGE_MAGIC, 4, 0, file);
	refused(-EBADMSG, "what came is no handover");
	/* The file has another size; it is a pipe's end, or no file of memory. */
	say_hello(IMAGE_MAGIC, 4, 1, file);
	refused(-EBADMSG, "what came is no handover");
	say_hello(IMAGE_MAGIC, 4, 1, socket_ends[1]);
	refused(-EBADMSG, "what came is no handover");
	assert_int_equal(ftruncate(file, 4 * QUEUES), 0);
	say_hello(IMAGE_MAGIC, 4 * QUEUES, QUEUES, file);
	refused(-EPIPE, "the other end of the socket is closed");
	/* More than anybody reads, of which nothing is read. */
	assert_int_equal(ftruncate(file, (off_t)IMAGE_SIZE_MAX + 1), 0);
	say_hello(IMAGE_MAGIC, IMAGE_SIZE_MAX + 1, 1, file);
	refused(-EFBIG, "an image has no more than 1 GiB");
	assert_int_equal(inherit(file, &takeover), -EFBIG);
	assert_int_equal(ftruncate(file, 4 * QUEUES), 0);
	/* Descriptors that are not as many as announced, or as said beside them. */
	say_hello(IMAGE_MAGIC, 4 * QUEUES, QUEUES, file);
	assert_int_equal(li_sys_send(LIBC, socket_ends[0], &count, 1, fds, 2, 0), 1);
	refused(-EBADMSG, "what came is no handover");
	say_hello(IMAGE_MAGIC, 4 * QUEUES, QUEUES, file);
	assert_int_equal(li_sys_send(LIBC, socket_ends[0], "x", 1, fds, MESSAGE_FDS, 0), 1);
	refused(-EBADMSG, "what came is no handover");
	say_hello(IMAGE_MAGIC, 4 * QUEUES, MESSAGE_FDS, file);
	assert_int_equal(li_sys_send(LIBC, socket_ends[0], &count, 1, fds, MESSAGE_FDS, 0), 1);
	refused(-EBADMSG, "it is no image of a context");
	close(file);
}

/* As it is for the program that exec() starts, but for the process. */
static void test_kept_over_exec(void **state)
{
	struct libiommu_handover *const handover = begin();
	const unsigned int fds = count_fds();
	struct libiommu_fault_queue *queue;
	struct libiommu_takeover *takeover;
	int fd = -1, again;

	(void)state;
	assert_int_equal(libiommu_handover_keep(handover, &fd), 0);
	assert_int_equal(libiommu_handover_keep(handover, &again), 0);
	assert_int_equal(again, fd);
	assert_int_equal(fcntl(fd, F_GET_SEALS),
	                 F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	assert_false(closes_on_exec(fd));
	assert_false(closes_on_exec(libiommu_ctx_fd(ctx)));
	for (uint32_t i = 0; i < QUEUES; i++)
		assert_false(closes_on_exec(libiommu_fault_queue_fd(queues[i])));
	assert_int_equal(inherit(fd, &takeover), 0);
	assert_int_equal(libiommu_takeover_fault_queue(takeover, 3, &queue), 0);
	assert_int_equal(libiommu_fault_queue_fd(queue), libiommu_fault_queue_fd(queues[3]));
	assert_true(closes_on_exec(libiommu_fault_queue_fd(queue)));
	libiommu_takeover_free(takeover);
	/* exec() has failed. */
	libiommu_handover_free(handover);
	assert_int_equal(count_fds(), fds);
	assert_true(closes_on_exec(libiommu_ctx_fd(ctx)));
	for (uint32_t i = 0; i < QUEUES; i++)
		assert_true(closes_on_exec(libiommu_fault_queue_fd(queues[i])));
}

static void test_kept_in_vain(void **state)
{
	struct libiommu_handover *const handover = begin();
	const unsigned int fds = count_fds();
	struct libiommu_takeover *takeover = NULL;
	int fd = -1, error = 1;

	(void)state;
	for (unsigned int nth = 1; error; nth++) {
		countdown = nth;
		error = libiommu_handover_keep(handover, &fd);
		countdown = 0;
		if (!error)
			break;
		assert_int_equal(error, -EIO);
		assert_int_equal(fd, -1);
		assert_int_equal(count_fds(), fds);
		assert_true(closes_on_exec(libiommu_ctx_fd(ctx)));
	}
	/* The successor cannot read it all. */
	error = 1;
	for (unsigned int nth = 1; error; nth++) {
		countdown = nth;
		error = inherit(fd, &takeover);
		countdown = 0;
		assert_true(!error || error == -EIO);
		assert_true(!error == !!takeover);
	}
	libiommu_takeover_free(takeover);
	assert_int_equal(inherit(-1, &takeover), -EBADF);
	assert_int_equal(libiommu_handover_commit(handover), 0);
	assert_int_equal(count_fds(), fds);
	libiommu_handover_free(handover);
}

#define TRANSFER_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRANSFER_TEST(test_over_a_socket),    TRANSFER_TEST(test_received_in_vain),
		TRANSFER_TEST(test_every_call_fails), TRANSFER_TEST(test_no_memory),
		TRANSFER_TEST(test_other_messages),   TRANSFER_TEST(test_kept_over_exec),
		TRANSFER_TEST(test_kept_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
