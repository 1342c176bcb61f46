/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "ring-door.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/base/sys.h"

#define MAX_ALIASES 8

struct alias {
	ino_t inode;
	void *at;
	size_t length;
	unsigned int users;
};

static struct libiommu_sys *door;
static int null_fd = -1;
static atomic_uint calls;
static atomic_long countdown;
static atomic_long life; /* calls until this process is killed; 0: it is not */
static atomic_bool failed;
static atomic_bool no_dispatch;
static atomic_bool no_wait;
static atomic_int waited;
static void (*on_log)(const char *message);
static ssize_t (*on_read)(int fd, void *buffer, size_t size);
static ssize_t (*on_write)(int fd, const void *buffer, size_t size);
static libiommu_sys_ioctl_fn on_ioctl;
static atomic_int fds;
static atomic_int maps;
static atomic_uint_least64_t clock_ns;
static bool aliasing;
static pthread_mutex_t alias_lock = PTHREAD_MUTEX_INITIALIZER;
static struct alias aliases[MAX_ALIASES];

static void count_call(void)
{
	atomic_fetch_add(&calls, 1);
	if (atomic_load(&life) > 0 && atomic_fetch_sub(&life, 1) == 1)
		raise(SIGKILL);
}

static bool fails(void)
{
	count_call();
	if (atomic_load(&countdown) <= 0 || atomic_fetch_sub(&countdown, 1) > 1)
		return false;
	atomic_store(&failed, true);
	return true;
}

static const struct libiommu_sys *libc(void)
{
	return li_sys_libc();
}

static int opened(int fd)
{
	if (fd >= 0)
		atomic_fetch_add(&fds, 1);
	return fd;
}

/* What cleans up does not fail, only counts. */
static int door_close(void *user, int fd)
{
	(void)user;
	atomic_fetch_sub(&fds, 1);
	return li_sys_close(libc(), fd);
}

static int door_dup(void *user, int fd)
{
	(void)user;
	return fails() ? -EIO : opened(li_sys_dup(libc(), fd));
}

static int door_memfd(void *user, const char *name, uint64_t size)
{
	(void)user;
	return fails() ? -EIO : opened(li_sys_memfd(libc(), name, size));
}

static int door_eventfd(void *user)
{
	(void)user;
	return fails() ? -EIO : opened(li_sys_eventfd(libc()));
}

static int door_timer(void *user)
{
	(void)user;
	return fails() ? -EIO : opened(li_sys_timer(libc()));
}

static int door_epoll(void *user)
{
	(void)user;
	return fails() ? -EIO : opened(li_sys_epoll(libc()));
}

static int door_socketpair(void *user, int ends[2])
{
	int error = fails() ? -EIO : li_sys_socketpair(libc(), ends);

	(void)user;
	if (!error)
		atomic_fetch_add(&fds, 2);
	return error;
}

static int door_seal(void *user, int fd, int seals)
{
	(void)user;
	return fails() ? -EIO : li_sys_seal(libc(), fd, seals);
}

static int door_size(void *user, int fd, uint64_t *size)
{
	(void)user;
	return fails() ? -EIO : li_sys_size(libc(), fd, size);
}

static int door_madvise(void *user, void *address, size_t length, int advice)
{
	(void)user;
	return fails() ? -EIO : li_sys_madvise(libc(), address, length, advice);
}

static int door_mprotect(void *user, void *address, size_t length, int prot)
{
	(void)user;
	return fails() ? -EIO : li_sys_mprotect(libc(), address, length, prot);
}

static int door_mbind(void *user, void *address, size_t length, int node)
{
	(void)user, (void)address, (void)length;
	/* Whatever this machine has, the test's has two. */
	if (fails())
		return -EIO;
	return node < 2 ? 0 : -EINVAL;
}

static int door_epoll_ctl(void *user, int epoll, int operation, int fd, struct epoll_event *event)
{
	(void)user;
	/* Taking away is cleaning up. */
	if (operation != EPOLL_CTL_DEL && fails())
		return -EIO;
	return li_sys_epoll_ctl(libc(), epoll, operation, fd, event);
}

static int door_epoll_wait(void *user, int epoll, struct epoll_event *events, int count,
                           int timeout)
{
	(void)user;
	if (fails() || atomic_load(&no_dispatch))
		return -EIO;
	return li_sys_epoll_wait(libc(), epoll, events, count, timeout);
}

static int door_timer_set(void *user, int fd, uint64_t ns)
{
	(void)user;
	return fails() ? -EIO : li_sys_timer_set(libc(), fd, ns);
}

static int door_clock_get(void *user, uint64_t *ns)
{
	(void)user;
	if (fails())
		return -EIO;
	*ns = atomic_load(&clock_ns);
	return *ns ? 0 : li_sys_clock(libc(), ns);
}

static int door_poll(void *user, struct pollfd *polled, unsigned int count, int timeout)
{
	(void)user;
	if (timeout >= 0)
		atomic_store(&waited, timeout);
	if (fails() || atomic_load(&no_wait))
		return -EIO;
	return li_sys_poll(libc(), polled, count, timeout);
}

static ssize_t door_read(void *user, int fd, void *buffer, size_t size)
{
	ssize_t got = -ENOSYS;

	(void)user;
	count_call();
	if (on_read)
		got = on_read(fd, buffer, size);
	return got == -ENOSYS ? li_sys_read(libc(), fd, buffer, size) : got;
}

static int door_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	return on_ioctl ? on_ioctl(user, fd, request, arg) : li_sys_ioctl(libc(), fd, request, arg);
}

static ssize_t door_write(void *user, int fd, const void *buffer, size_t size)
{
	ssize_t done = -ENOSYS;

	(void)user;
	count_call();
	if (on_write)
		done = on_write(fd, buffer, size);
	return done == -ENOSYS ? li_sys_write(libc(), fd, buffer, size) : done;
}

static ssize_t door_send(void *user, int fd, const void *data, size_t size, const int *sent,
                         unsigned int count, int flags)
{
	(void)user;
	return fails() ? -EIO : li_sys_send(libc(), fd, data, size, sent, count, flags);
}

static ssize_t door_receive(void *user, int fd, void *data, size_t size, int *received,
                            unsigned int *count, int flags)
{
	ssize_t got;

	(void)user;
	if (fails())
		return -EIO;
	got = li_sys_receive(libc(), fd, data, size, received, count, flags);
	atomic_fetch_add(&fds, (int)*count);
	return got;
}

static int map_alias(size_t length, int fd, void **result)
{
	struct stat info;
	struct alias *free_one = NULL;

	assert_int_equal(fstat(fd, &info), 0);
	for (size_t i = 0; i < MAX_ALIASES; i++) {
		if (!aliases[i].users) {
			free_one = &aliases[i];
		} else if (aliases[i].inode == info.st_ino) {
			aliases[i].users++;
			*result = aliases[i].at;
			return 0;
		}
	}
	assert_non_null(free_one);
	*free_one = (struct alias){.inode = info.st_ino, .length = length, .users = 1};
	free_one->at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(free_one->at != MAP_FAILED);
	*result = free_one->at;
	return 0;
}

static int door_mmap(void *user, void *address, size_t length, int prot, int flags, int fd,
                     uint64_t offset, void **result)
{
	int error;

	(void)user;
	if (fails())
		return -EIO;
	pthread_mutex_lock(&alias_lock);
	if (aliasing && flags & MAP_SHARED)
		error = map_alias(length, fd, result);
	else
		error = li_sys_mmap(libc(), address, length, prot, flags, fd, offset, result);
	pthread_mutex_unlock(&alias_lock);
	if (!error)
		atomic_fetch_add(&maps, 1);
	return error;
}

static int door_munmap(void *user, void *address, size_t length)
{
	bool unmap = true;

	(void)user;
	atomic_fetch_sub(&maps, 1);
	pthread_mutex_lock(&alias_lock);
	for (size_t i = 0; i < MAX_ALIASES; i++)
		if (aliases[i].users && aliases[i].at == address)
			unmap = !--aliases[i].users;
	pthread_mutex_unlock(&alias_lock);
	return unmap ? li_sys_munmap(libc(), address, length) : 0;
}

struct libiommu_sys *ring_door(void)
{
	return door;
}

static void tell(void *user, enum libiommu_log_level level, const char *message)
{
	(void)user;
	(void)level;
	if (on_log)
		on_log(message);
}

struct libiommu_ctx *ring_ctx(void)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *ctx;

	alloc_start();
	atomic_store(&fds, 0);
	atomic_store(&maps, 0);
	door_fail_nth(0);
	door_deny(false, false);
	door_on_log(NULL);
	door_on_read(NULL);
	door_on_write(NULL);
	door_on_ioctl(NULL);
	door_clock(0);
	aliasing = false;
	assert_int_equal(libiommu_sys_new(&door), 0);
	libiommu_sys_set_close(door, door_close);
	libiommu_sys_set_dup(door, door_dup);
	libiommu_sys_set_read(door, door_read);
	libiommu_sys_set_ioctl(door, door_ioctl);
	libiommu_sys_set_write(door, door_write);
	libiommu_sys_set_mmap(door, door_mmap);
	libiommu_sys_set_munmap(door, door_munmap);
	libiommu_sys_set_poll(door, door_poll);
	libiommu_sys_set_memfd(door, door_memfd);
	libiommu_sys_set_seal(door, door_seal);
	libiommu_sys_set_size(door, door_size);
	libiommu_sys_set_madvise(door, door_madvise);
	libiommu_sys_set_mprotect(door, door_mprotect);
	libiommu_sys_set_mbind(door, door_mbind);
	libiommu_sys_set_eventfd(door, door_eventfd);
	libiommu_sys_set_timer(door, door_timer);
	libiommu_sys_set_timer_set(door, door_timer_set);
	libiommu_sys_set_clock(door, door_clock_get);
	libiommu_sys_set_epoll(door, door_epoll);
	libiommu_sys_set_epoll_ctl(door, door_epoll_ctl);
	libiommu_sys_set_epoll_wait(door, door_epoll_wait);
	libiommu_sys_set_socketpair(door, door_socketpair);
	libiommu_sys_set_send(door, door_send);
	libiommu_sys_set_receive(door, door_receive);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_true(null_fd >= 0);
	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	libiommu_ctx_config_set_sys(config, door);
	libiommu_ctx_config_set_log(config, tell, NULL);
	libiommu_ctx_config_set_fd(config, null_fd, LIBIOMMU_FD_BORROW);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	return ctx;
}

void ring_ctx_close(struct libiommu_ctx *ctx)
{
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
	libiommu_sys_free(door);
	door = NULL;
	close(null_fd);
	assert_int_equal(door_fds(), 0);
	assert_int_equal(door_maps(), 0);
	alloc_check();
}

void door_fail_nth(unsigned int nth)
{
	atomic_store(&failed, false);
	atomic_store(&countdown, (long)nth);
}

void door_die_nth(unsigned int nth)
{
	atomic_store(&life, (long)nth);
}

bool door_failed(void)
{
	atomic_store(&countdown, 0);
	return atomic_load(&failed);
}

void door_deny(bool dispatches, bool waits)
{
	atomic_store(&no_dispatch, dispatches);
	atomic_store(&no_wait, waits);
}

int door_waited(void)
{
	return atomic_load(&waited);
}

void door_on_read(ssize_t (*read)(int fd, void *buffer, size_t size))
{
	on_read = read;
}

void door_on_write(ssize_t (*write)(int fd, const void *buffer, size_t size))
{
	on_write = write;
}

void door_on_ioctl(libiommu_sys_ioctl_fn ioctl)
{
	on_ioctl = ioctl;
}

void door_on_log(void (*log)(const char *message))
{
	on_log = log;
}

int door_fds(void)
{
	return atomic_load(&fds);
}

int door_maps(void)
{
	return atomic_load(&maps);
}

unsigned int door_calls(void)
{
	return atomic_exchange(&calls, 0);
}

void door_clock(uint64_t ns)
{
	atomic_store(&clock_ns, ns);
}

void door_alias(bool on)
{
	aliasing = on;
}
