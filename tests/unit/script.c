/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "script.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>

#include "alloc.h"
#include "ledger.h"
#include "paths.h"
#include "script-dump.h"

#define MAX_STEPS 512
#define MAX_BYTES 4096

/* What a step points to, kept for as long as the script. */
struct kept {
	unsigned char in[MAX_BYTES];
	unsigned char ignore[MAX_BYTES];
	unsigned char out[MAX_BYTES];
	char path[512];
};

static struct step steps[MAX_STEPS];
static struct kept kept[MAX_STEPS];
static size_t count;
static size_t next;
static struct libiommu_sys *door;

static const void *keep(void *to, const void *from, size_t size)
{
	if (!from)
		return NULL;
	if (size > MAX_BYTES)
		fail_msg("a step of %zu bytes is too large for the script", size);
	memcpy(to, from, size);
	return to;
}

void script_add(const struct step *step)
{
	struct step *made;
	struct kept *to;

	if (next == count)
		next = count = 0;
	if (count == MAX_STEPS)
		fail_msg("more than %d steps", MAX_STEPS);
	made = &steps[count];
	to = &kept[count];
	*made = *step;
	memset(to->ignore, 0, sizeof(to->ignore));
	made->in = keep(to->in, step->in, step->in_size);
	made->ignore = to->ignore;
	keep(to->ignore, step->ignore, step->ignore_size);
	made->out = keep(to->out, step->out, step->out_size);
	if (step->path)
		made->path = strcpy(to->path, step->path);
	count++;
}

void script_drop(void)
{
	next = count;
}

void script_done_at(const char *file, int line)
{
	char text[DUMP_MAX];

	if (next == count)
		return;
	dump_step(&steps[next], text);
	next = count;
	print_error("%s:%d: expected here, and never called: %s\n", steps[count - 1].file,
	            steps[count - 1].line, text);
	_fail(file, line);
}

/* The next step if it is this call, as far as the kind and the object go; fails the test if not. */
static const struct step *take(const struct step *call)
{
	const struct step *const step = next < count ? &steps[next] : NULL;
	char wanted[DUMP_MAX] = "nothing more";
	char got[DUMP_MAX];

	if (step && dump_same(step, call)) {
		next++;
		return step;
	}
	if (step)
		dump_step(step, wanted);
	dump_step(call, got);
	next = count;
	print_error("call that the script does not list\n  expected: %s\n  got:      %s\n", wanted,
	            got);
	_fail(step ? step->file : __FILE__, step ? step->line : __LINE__);
	return NULL;
}

static bool is_next(const struct step *call)
{
	return next < count && dump_same(&steps[next], call);
}

static void reply(const struct step *step, void *arg)
{
	if (step->act)
		step->act(arg, step->user);
	if (step->out)
		memcpy((unsigned char *)arg + step->out_offset, step->out, step->out_size);
}

static int script_open(void *user, const char *path, int flags)
{
	const struct step call = {.op = STEP_OPEN, .path = path, .flags = flags & ~O_CLOEXEC};
	const struct step *step;

	(void)user;
	if (!(flags & O_CLOEXEC))
		fail_msg("%s is opened without O_CLOEXEC", path);
	if (!is_next(&call) && paths_know(path))
		return paths_open(path);
	step = take(&call);
	if (step->result >= 0)
		ledger_add_fd((int)step->result, true);
	return (int)step->result;
}

static int script_close(void *user, int fd)
{
	const struct step call = {.op = STEP_CLOSE, .fd = fd};
	ssize_t result = 0;

	(void)user;
	if (paths_is_fd(fd))
		return paths_close(fd);
	if (next < count && steps[next].op == STEP_CLOSE)
		result = take(&call)->result;
	ledger_close_fd(fd);
	return (int)result;
}

static int script_dup(void *user, int fd)
{
	const struct step *const step = take(&(const struct step){.op = STEP_DUP, .fd = fd});

	(void)user;
	ledger_use_fd(fd);
	if (step->result >= 0)
		ledger_add_fd((int)step->result, true);
	return (int)step->result;
}

static int script_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	const struct step call = {
		.op = STEP_IOCTL,
		.fd = fd,
		.request = request,
		.name = dump_request_name(request),
		.in = arg,
	};
	const struct step *const step = take(&call);

	(void)user;
	ledger_use_fd(fd);
	if (step->by_value)
		assert_int_equal((uintptr_t)arg, step->value);
	else
		dump_compare(step, arg);
	reply(step, arg);
	if (step->opens && step->result >= 0)
		ledger_add_fd(step->opens, true);
	return (int)step->result;
}

static ssize_t script_read(void *user, int fd, void *buffer, size_t size)
{
	const struct step call = {.op = STEP_READ, .fd = fd, .length = size};
	const struct step *step;

	(void)user;
	if (paths_is_fd(fd))
		return paths_read(fd, buffer, size);
	step = take(&call);
	ledger_use_fd(fd);
	reply(step, buffer);
	return step->result;
}

static ssize_t script_pread(void *user, int fd, void *buffer, size_t size, uint64_t offset)
{
	const struct step *const step = take(
		&(const struct step){.op = STEP_PREAD, .fd = fd, .length = size, .offset = offset});

	(void)user;
	ledger_use_fd(fd);
	reply(step, buffer);
	return step->result;
}

static ssize_t script_pwrite(void *user, int fd, const void *buffer, size_t size, uint64_t offset)
{
	const struct step *const step = take(&(const struct step){
		.op = STEP_PWRITE, .fd = fd, .in = buffer, .in_size = size, .offset = offset});

	(void)user;
	ledger_use_fd(fd);
	if (step->in && step->in_size != size)
		fail_msg("%zu bytes are written, %zu expected", size, step->in_size);
	dump_compare(step, buffer);
	return step->result;
}

static int script_mmap(void *user, void *address, size_t length, int prot, int flags, int fd,
                       uint64_t offset, void **result)
{
	const struct step *const step = take(&(const struct step){.op = STEP_MMAP,
	                                                          .fd = fd,
	                                                          .hint = address,
	                                                          .length = length,
	                                                          .prot = prot,
	                                                          .flags = flags,
	                                                          .offset = offset});

	(void)user;
	if (fd >= 0)
		ledger_use_fd(fd);
	if (step->result < 0)
		return (int)step->result;
	if (!(flags & MAP_FIXED))
		ledger_add_map(step->address, length);
	*result = step->address;
	return 0;
}

static int script_munmap(void *user, void *address, size_t length)
{
	const struct step call = {.op = STEP_MUNMAP, .address = address, .length = length};
	ssize_t result = 0;

	(void)user;
	if (next < count && steps[next].op == STEP_MUNMAP)
		result = take(&call)->result;
	if (!result)
		ledger_remove_map(address, length);
	return (int)result;
}

static int script_readlink(void *user, const char *path, char *buffer, size_t size)
{
	const struct step call = {.op = STEP_READLINK, .path = path};
	const struct step *step;

	(void)user;
	if (!is_next(&call) && paths_know(path))
		return paths_readlink(path, buffer, size);
	step = take(&call);
	reply(step, buffer);
	return (int)step->result;
}

static ssize_t script_list(void *user, const char *path, char *buffer, size_t size)
{
	const struct step call = {.op = STEP_LIST, .path = path};
	const struct step *step;

	(void)user;
	if (!is_next(&call) && paths_know(path))
		return paths_list(path, buffer, size);
	step = take(&call);
	reply(step, buffer);
	return step->result;
}

static ssize_t script_write(void *user, int fd, const void *buffer, size_t size)
{
	const struct step *const step = take(
		&(const struct step){.op = STEP_WRITE, .fd = fd, .in = buffer, .in_size = size});

	(void)user;
	ledger_use_fd(fd);
	if (step->in && step->in_size != size)
		fail_msg("%zu bytes are written, %zu expected", size, step->in_size);
	dump_compare(step, buffer);
	if (step->act)
		step->act(NULL, step->user);
	return step->result;
}

static int script_poll(void *user, struct pollfd *fds, unsigned int count_of_fds, int timeout)
{
	const struct step *step;

	(void)user;
	if (count_of_fds != 1)
		fail_msg("%u descriptors are polled", count_of_fds);
	step = take(&(const struct step){
		.op = STEP_POLL, .fd = fds->fd, .flags = fds->events, .prot = timeout});
	if (fds->fd >= 0)
		ledger_use_fd(fds->fd);
	fds->revents = step->result > 0 ? fds->events : 0;
	return (int)step->result;
}

static int script_getfl(void *user, int fd)
{
	const struct step *const step = take(&(const struct step){.op = STEP_GETFL, .fd = fd});

	(void)user;
	ledger_use_fd(fd);
	return (int)step->result;
}

static int script_seal(void *user, int fd, int seals)
{
	const struct step *const step =
		take(&(const struct step){.op = STEP_SEAL, .fd = fd, .flags = seals});

	(void)user;
	ledger_use_fd(fd);
	return (int)step->result;
}

/* Need not be listed. */
static int script_cloexec(void *user, int fd, bool on)
{
	(void)user;
	(void)on;
	ledger_use_fd(fd);
	return 0;
}

struct libiommu_sys *script_door(void)
{
	return door;
}

int script_setup(void **state)
{
	(void)state;
	count = 0;
	next = 0;
	ledger_reset();
	paths_reset();
	libiommu_failure_clear();
	alloc_start();
	assert_int_equal(libiommu_sys_new(&door), 0);
	libiommu_sys_set_open(door, script_open);
	libiommu_sys_set_close(door, script_close);
	libiommu_sys_set_dup(door, script_dup);
	libiommu_sys_set_ioctl(door, script_ioctl);
	libiommu_sys_set_read(door, script_read);
	libiommu_sys_set_pread(door, script_pread);
	libiommu_sys_set_pwrite(door, script_pwrite);
	libiommu_sys_set_mmap(door, script_mmap);
	libiommu_sys_set_munmap(door, script_munmap);
	libiommu_sys_set_readlink(door, script_readlink);
	libiommu_sys_set_list(door, script_list);
	libiommu_sys_set_write(door, script_write);
	libiommu_sys_set_poll(door, script_poll);
	libiommu_sys_set_getfl(door, script_getfl);
	libiommu_sys_set_seal(door, script_seal);
	libiommu_sys_set_cloexec(door, script_cloexec);
	return 0;
}

int script_teardown(void **state)
{
	(void)state;
	libiommu_sys_free(door);
	door = NULL;
	script_done_at(__FILE__, __LINE__);
	ledger_check();
	alloc_check();
	return 0;
}
