/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Dirty bits of a large range, read while another thread maps in the same address space. As long as
 * the kernel is in a call that reads them nobody maps; the library makes several calls. The kernel
 * is held in each of them, by a bitmap that this process brings in itself (userfaultfd), until the
 * other thread wants to map.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"
#include "mock-cmd.h"
#include "mock-format.h"
#include "mock.h"
#include "vm.h"

#define GIB       (UINT64_C(1) << 30)
#define RANGE     (4 * GIB)
#define IOVA      (16 * GIB)
#define ELSEWHERE (64 * GIB)
#define HUGE_PAGE (UINT64_C(2) << 20)
#define BITMAP    (RANGE / VM_PAGE / 8)

static struct mock *mock;
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *ioas;
static struct libiommu_hwpt *table;
static uint8_t *memory; /* two large pages, one for the range and one for elsewhere */
static uint64_t *bitmap;

/* The thread that maps, once whenever it is told to. */
static pthread_t mapper;
static sem_t wanted, mapped;
static atomic_bool over, done;
static atomic_int mapper_tid;

/* Of one reading. */
static int uffd;
static void *lazy;               /* the bitmap that the kernel waits for */
static unsigned int calls;       /* of the kernel's */
static unsigned int between;     /* maps that ended between two of them */
static unsigned int got_through; /* maps that ended within one */

static void *map_on_demand(void *arg)
{
	atomic_store(&mapper_tid, (int)syscall(SYS_gettid));
	for (;;) {
		while (sem_wait(&wanted))
			;
		if (atomic_load(&over))
			return arg;
		OK(libiommu_ioas_map_fixed(ioas, memory + HUGE_PAGE, HUGE_PAGE, VM_READ_WRITE,
		                           ELSEWHERE));
		atomic_store(&done, true);
		OK(libiommu_ioas_unmap(ioas, ELSEWHERE, HUGE_PAGE));
		sem_post(&mapped);
	}
}

/* It is in the kernel and waits for a lock there. */
static bool mapper_waits(void)
{
	char path[64], line[256] = "";
	const char *state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", atomic_load(&mapper_tid));
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	state = strrchr(line, ')');
	return state && state[2] == 'D';
}

/* The kernel has found something dirty, and waits to say so. */
static void *let_go(void *arg)
{
	struct uffdio_zeropage pages = {.range = {(uintptr_t)lazy, BITMAP}};
	struct uffd_msg message;

	assert_int_equal(read(uffd, &message, sizeof(message)), sizeof(message));
	atomic_store(&done, false);
	sem_post(&wanted);
	while (!mapper_waits() && !atomic_load(&done))
		usleep(1000);
	if (atomic_load(&done))
		got_through++;
	assert_int_equal(ioctl(uffd, UFFDIO_ZEROPAGE, &pages), 0);
	return arg;
}

/* The kernel is held in the middle of it; and then the other thread's map ends. */
static int read_held(int fd, struct uapi_hwpt_get_dirty_bitmap *cmd)
{
	const size_t size = cmd->length / cmd->page_size / 8;
	void *const to = (void *)(uintptr_t)cmd->data;
	pthread_t helper;
	int result;

	assert_true(size <= BITMAP);
	assert_int_equal(madvise(lazy, BITMAP, MADV_DONTNEED), 0);
	assert_int_equal(pthread_create(&helper, NULL, let_go, NULL), 0);
	cmd->data = (uintptr_t)lazy;
	result = ioctl(fd, UAPI_IOC_HWPT_GET_DIRTY_BITMAP, cmd) < 0 ? -errno : 0;
	assert_int_equal(pthread_join(helper, NULL), 0);
	memcpy(to, lazy, size);
	cmd->data = (uintptr_t)to;
	return result;
}

static int door(void *user, int fd, unsigned long request, void *arg)
{
	int result;

	(void)user;
	if (request == UAPI_IOC_HWPT_GET_DIRTY_BITMAP) {
		/* What the last call kept out gets in before the next. */
		if (calls++) {
			while (sem_wait(&mapped))
				;
			between++;
		}
		return read_held(fd, arg);
	}
	result = ioctl(fd, request, arg);
	return result < 0 ? -errno : result;
}

static bool get_memory(void)
{
	vm_write_file("/proc/sys/vm/nr_hugepages", "4");
	memory = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
	              MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	bitmap = calloc(1, BITMAP);
	if (memory == MAP_FAILED)
		printf("# skipped: no large pages in this machine\n");
	return memory != MAP_FAILED && bitmap;
}

static bool get_lazy_memory(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	lazy = mmap(NULL, BITMAP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)lazy;
	range.range.len = BITMAP;
	if (lazy != MAP_FAILED && uffd >= 0 && !ioctl(uffd, UFFDIO_API, &api) &&
	    !ioctl(uffd, UFFDIO_REGISTER, &range))
		return true;
	printf("# skipped: no userfaultfd: %s\n", strerror(errno));
	return false;
}

/* They reach further than those with the driver's small pages; it learned of them with this. */
static bool has_large_tables(void)
{
	struct mock_cmd revoke = {.op = MOCK_OP_DMABUF_REVOKE, .u.dmabuf_revoke.fd = -1};
	const int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	const bool has = mock_command(fd, &revoke) == -EBADF;

	close(fd);
	if (!has)
		printf("# skipped: this kernel's test driver has no page tables with large "
		       "pages\n");
	return has;
}

static void make_table(void)
{
	const struct mock_hwpt_data data = {.huge = 1};
	struct libiommu_hwpt_config *config;

	OK(libiommu_hwpt_config_new(&config));
	OK(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_DIRTY_TRACKING));
	OK(libiommu_hwpt_config_set_data(config, MOCK_HWPT_DATA, &data, sizeof(data)));
	OK(libiommu_hwpt_alloc(dev, ioas, config, &table));
	libiommu_hwpt_config_free(config);
}

static int setup(void **state)
{
	(void)state;
	ctx = mock_ctx(mock);
	dev = mock_device(mock, ctx, 1, false);
	OK(libiommu_ioas_alloc(ctx, &ioas));
	make_table();
	/* All of the range is one large page of memory. */
	OK(libiommu_ioas_map_fixed(ioas, memory, HUGE_PAGE, VM_READ_WRITE, IOVA));
	for (uint64_t length = HUGE_PAGE; length < RANGE; length *= 2)
		OK(libiommu_ioas_copy_fixed(ioas, ioas, IOVA, length, VM_READ_WRITE,
		                            IOVA + length));
	OK(libiommu_hwpt_set_dirty_tracking(table, true));
	sem_init(&wanted, 0, 0);
	sem_init(&mapped, 0, 0);
	atomic_store(&over, false);
	assert_int_equal(pthread_create(&mapper, NULL, map_on_demand, NULL), 0);
	mock_set_ioctl(mock, door, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mock_set_ioctl(mock, NULL, NULL);
	atomic_store(&over, true);
	sem_post(&wanted);
	assert_int_equal(pthread_join(mapper, NULL), 0);
	OK(libiommu_hwpt_destroy(table));
	OK(libiommu_device_destroy(dev));
	OK(libiommu_ioas_destroy(ioas));
	OK(libiommu_ctx_destroy(ctx));
	return 0;
}

/* One page in each GiB. */
static uint64_t written(uint64_t piece)
{
	return piece * GIB + (piece + 1) * HUGE_PAGE;
}

static void write_some(void)
{
	uint64_t one = 1;
	struct mock_cmd cmd = {
		.op = MOCK_OP_DIRTY,
		.u.dirty = {.length = HUGE_PAGE, .page_size = VM_PAGE, .bitmap = (uintptr_t)&one},
	};

	OK(libiommu_hwpt_id(table, &cmd.id));
	for (uint64_t piece = 0; piece < RANGE / GIB; piece++) {
		cmd.u.dirty.iova = IOVA + written(piece);
		assert_int_equal(mock_command(mock_iommufd(mock, dev), &cmd), 0);
	}
}

static bool bit(uint64_t address)
{
	return bitmap[address / VM_PAGE / 64] >> address / VM_PAGE % 64 & 1;
}

static void read_range(uint32_t flags)
{
	calls = between = 0;
	memset(bitmap, 0, BITMAP);
	OK(libiommu_hwpt_get_dirty_bitmap(table, IOVA, RANGE, VM_PAGE, flags, bitmap,
	                                  BITMAP / sizeof(*bitmap), NULL));
	/* The one that the last call kept out. */
	while (sem_wait(&mapped))
		;
	for (uint64_t piece = 0; piece < RANGE / GIB; piece++) {
		assert_true(bit(written(piece)));
		assert_false(bit(written(piece) - VM_PAGE));
		assert_false(bit(written(piece) + HUGE_PAGE));
	}
}

/* Whoever wants to map does so in the middle of one reading, after each of its calls. */
static void test_in_pieces(void **state)
{
	(void)state;
	got_through = 0;
	for (int i = 0; i < 5; i++) {
		write_some();
		read_range(0);
		assert_int_equal(calls, RANGE / GIB);
		assert_int_equal(between, RANGE / GIB - 1);
	}
	print_message("# %u maps between the calls of a reading, %u within the calls of five\n",
	              between, got_through);
}

/* Not if it is asked for in one. */
static void test_in_one(void **state)
{
	(void)state;
	write_some();
	read_range(LIBIOMMU_DIRTY_WHOLE);
	assert_int_equal(calls, 1);
	assert_int_equal(between, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_one, setup, teardown),
	};
	int failed;

	mock = mock_new();
	if (!mock || !has_large_tables() || !get_memory() || !get_lazy_memory())
		return 77;
	failed = cmocka_run_group_tests_name("dirty", tests, NULL, NULL);
	mock_free(mock);
	munmap(lazy, BITMAP);
	close(uffd);
	free(bitmap);
	munmap(memory, 2 * HUGE_PAGE);
	return failed;
}
