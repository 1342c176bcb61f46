/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fault-kernel.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>

#include "../../lib/base/sys.h"
#include "../../lib/base/uapi/iommufd.h"
#include "../../lib/base/uapi/vfio.h"
#include "../unit/model-uring.h"

enum {
	FAKE = 100000, /* descriptors from here on are not open */
	BYTES = 1 << 14,
	COOKIES = 4096,
	SURE = 64, /* the library surely knows which group has a cookie up to this */
};

/* One fault queue as the kernel has it. */
struct kernel_queue {
	int fd;
	size_t size; /* not read yet */
	uint8_t bytes[BYTES];
	bool fed;         /* read through io_uring, ever */
	uint32_t cookies; /* that were ever given out */
	struct {
		uint32_t cookie;
		uint32_t out; /* and not answered */
	} cookie[COOKIES];
};

static struct {
	struct kernel_queue queue[KERNEL_QUEUES];
	unsigned int queues;
	unsigned int devices;
	uint64_t now;
	/* How the next of each fails, once; 0: it does not. */
	int read_error;
	int ioctl_error;
	ssize_t write_result;
	unsigned int writes;
	size_t records;
	bool failed; /* a write, ever */
} kernel;

/* There is one thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

uint32_t input_take(struct input *input, size_t bytes)
{
	uint32_t value = 0;

	if (bytes > input->size)
		bytes = input->size;
	memcpy(&value, input->data, bytes);
	input->data += bytes;
	input->size -= bytes;
	return value;
}

static int once(int *error)
{
	const int now = *error;

	*error = 0;
	return now;
}

static struct kernel_queue *find_queue(int fd)
{
	for (unsigned int i = 0; i < kernel.queues; i++)
		if (kernel.queue[i].fd == fd)
			return &kernel.queue[i];
	return NULL;
}

static uint32_t *find_out(struct kernel_queue *queue, uint32_t cookie)
{
	for (uint32_t i = 0; i < queue->cookies; i++)
		if (queue->cookie[i].cookie == cookie)
			return &queue->cookie[i].out;
	if (queue->cookies == COOKIES)
		return NULL;
	queue->cookie[queue->cookies].cookie = cookie;
	queue->cookie[queue->cookies].out = 0;
	return &queue->cookie[queue->cookies++].out;
}

static int fake_open(void *ctx, const char *path, int flags)
{
	(void)ctx;
	(void)flags;
	if (strcmp(path, "/dev/iommu") && strcmp(path, "device"))
		return -ENOENT;
	return FAKE + (int)kernel.devices;
}

static int fake_close(void *ctx, int fd)
{
	(void)ctx;
	if (fd >= FAKE)
		return 0;
	model_uring_close(fd);
	return li_sys_close(li_sys_libc(), fd);
}

static int fake_readlink(void *ctx, const char *path, char *buffer, size_t size)
{
	(void)ctx;
	(void)path;
	(void)buffer;
	(void)size;
	return -ENOENT;
}

static ssize_t fake_list(void *ctx, const char *path, char *buffer, size_t size)
{
	(void)ctx;
	(void)path;
	(void)buffer;
	(void)size;
	return -ENOENT;
}

static int fake_clock(void *ctx, uint64_t *ns)
{
	(void)ctx;
	*ns = kernel.now;
	return 0;
}

static int fake_ioctl(void *ctx, int fd, unsigned long request, void *arg)
{
	const int error = once(&kernel.ioctl_error);

	(void)ctx;
	(void)fd;
	if (error)
		return error;
	if (request == UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD) {
		((struct uapi_vfio_device_bind_iommufd *)arg)->out_devid = 1 + kernel.devices++;
	} else if (request == UAPI_IOC_GET_HW_INFO) {
		((struct uapi_hw_info *)arg)->out_max_pasid_log2 = 20;
	} else if (request == UAPI_IOC_FAULT_QUEUE_ALLOC) {
		/* Readable all the time, to whoever polls it. */
		const int made = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

		check(made >= 0);
		kernel.queue[kernel.queues].fd = made;
		((struct uapi_fault_alloc *)arg)->out_fault_id = 50 + kernel.queues++;
		((struct uapi_fault_alloc *)arg)->out_fault_fd = (uint32_t)made;
	}
	return 0;
}

static ssize_t read_queue(int fd, void *buffer, size_t size)
{
	struct kernel_queue *const queue = find_queue(fd);
	const int error = queue ? once(&kernel.read_error) : 0;
	const struct uapi_hwpt_pgfault *const records = buffer;

	/* Its descriptor was closed while it was armed. */
	if (!queue)
		return -EBADF;
	check(size && size % sizeof(*records) == 0);
	/* The library's memory is as large as it says. */
	memset(buffer, 0xee, size);
	if (error)
		return error;
	if (size > queue->size)
		size = queue->size;
	memcpy(buffer, queue->bytes, size);
	queue->size -= size;
	kernel.records += size / sizeof(*records);
	memmove(queue->bytes, queue->bytes + size, queue->size);
	for (size_t i = 0; i < size / sizeof(*records); i++) {
		uint32_t *const out = find_out(queue, records[i].cookie);

		if (out && (!i || records[i].cookie != records[i - 1].cookie))
			*out = records[i].cookie <= SURE && !queue->fed ? 1 : *out + 1;
	}
	return (ssize_t)size;
}

/* The library sees it later: until then it may answer the group that had the cookie before. */
static ssize_t read_armed(int fd, void *buffer, size_t size)
{
	struct kernel_queue *const queue = find_queue(fd);

	if (queue && queue->size)
		queue->fed = true;
	return read_queue(fd, buffer, size);
}

static ssize_t fake_read(void *ctx, int fd, void *buffer, size_t size)
{
	(void)ctx;
	return find_queue(fd) ? read_queue(fd, buffer, size)
	                      : li_sys_read(li_sys_libc(), fd, buffer, size);
}

static ssize_t fake_write(void *ctx, int fd, const void *buffer, size_t size)
{
	struct kernel_queue *const queue = find_queue(fd);
	const struct uapi_hwpt_page_response *const answers = buffer;
	ssize_t result = kernel.write_result;
	size_t taken = size / sizeof(*answers);

	(void)ctx;
	if (!queue)
		return li_sys_write(li_sys_libc(), fd, buffer, size);
	check(size && size % sizeof(*answers) == 0);
	kernel.write_result = 0;
	kernel.writes++;
	/* All of them must be right, also those that are not taken. */
	for (size_t i = 0; i < size / sizeof(*answers); i++) {
		uint32_t *const out = find_out(queue, answers[i].cookie);
		uint32_t before = 0;

		check(answers[i].code <= UAPI_PAGE_RESP_INVALID);
		for (size_t j = 0; j < i; j++)
			before += answers[j].cookie == answers[i].cookie;
		check(!out || *out > before);
	}
	if (!result)
		result = (ssize_t)size;
	else
		kernel.failed = true;
	if (result == -EINVAL)
		taken = 1; /* It does not know the first, and nobody need answer it any more. */
	else if (result < 0 || (size_t)result > size)
		taken = 0;
	else
		taken = (size_t)result / sizeof(*answers);
	for (size_t i = 0; i < taken; i++) {
		uint32_t *const out = find_out(queue, answers[i].cookie);

		if (out)
			--*out;
	}
	return result;
}

static void raise_bytes(struct input *input, unsigned int number)
{
	struct kernel_queue *const queue = &kernel.queue[number];
	const uint32_t choice = input_take(input, 1);
	struct uapi_hwpt_pgfault record = {0};
	size_t size = sizeof(record);

	if (choice % 8 == 7) {
		size = input->size < choice ? input->size : choice;
		if (size > BYTES - queue->size)
			return;
		memcpy(queue->bytes + queue->size, input->data, size);
		input->data += size;
		input->size -= size;
		queue->size += size;
		return;
	}
	record.dev_id = choice % 8 < 6 ? 1 + choice % 2 : input_take(input, 4);
	record.flags = choice & 8 ? input_take(input, 1) : UAPI_PGFAULT_FLAGS_LAST_PAGE;
	record.flags |= choice & 16 ? UAPI_PGFAULT_FLAGS_PASID_VALID : 0;
	record.pasid = choice & 32 ? input_take(input, 3) : choice / 2 % 4;
	record.cookie = choice & 64 ? input_take(input, 4) : input_take(input, 1) % 80;
	record.perm = choice & 128 ? input_take(input, 4) : UAPI_PGFAULT_PERM_READ;
	record.grpid = record.cookie;
	record.addr = (uint64_t)choice << 56;
	if (size > BYTES - queue->size)
		return;
	memcpy(queue->bytes + queue->size, &record, size);
	queue->size += size;
}

void kernel_raise(struct input *input, unsigned int number)
{
	raise_bytes(input, number);
	model_uring_run(kernel.queue[number].fd);
}

void kernel_fail_next(struct input *input)
{
	static const int errors[] = {-EINVAL, -EIO, -EINTR, -EAGAIN, -ENODEV, -ESPIPE, -ENOMEM, -1};
	static const ssize_t results[] = {-EINVAL, -EIO, -EINTR, -EAGAIN, 4, 8, 12, 1 << 20};
	const uint32_t choice = input_take(input, 1);

	if (choice == 255)
		model_uring_linger(true);
	else if (choice >= 240)
		model_uring_fail_nth(choice - 239);
	else if (choice & 64)
		kernel.read_error = errors[choice % 8];
	else if (choice & 128)
		kernel.ioctl_error = errors[choice % 8];
	else
		kernel.write_result = results[choice % 8];
}

void kernel_init(struct libiommu_sys *sys)
{
	for (unsigned int i = 0; i < KERNEL_QUEUES; i++) {
		kernel.queue[i].fd = -1;
		kernel.queue[i].size = 0;
		kernel.queue[i].fed = false;
		kernel.queue[i].cookies = 0;
	}
	kernel.queues = 0;
	kernel.devices = 0;
	kernel.now = 1;
	kernel.writes = 0;
	kernel.records = 0;
	kernel.failed = false;
	kernel_mend();
	libiommu_sys_set_open(sys, fake_open);
	libiommu_sys_set_close(sys, fake_close);
	libiommu_sys_set_ioctl(sys, fake_ioctl);
	libiommu_sys_set_read(sys, fake_read);
	libiommu_sys_set_write(sys, fake_write);
	libiommu_sys_set_readlink(sys, fake_readlink);
	libiommu_sys_set_list(sys, fake_list);
	libiommu_sys_set_clock(sys, fake_clock);
	model_uring_install(sys, li_sys_libc(), &lock, read_armed);
}

void kernel_mend(void)
{
	kernel.read_error = 0;
	kernel.ioctl_error = 0;
	kernel.write_result = 0;
	model_uring_failed();
}

void kernel_wait(uint64_t ns)
{
	kernel.now += ns;
}

unsigned int kernel_writes(void)
{
	return kernel.writes;
}

size_t kernel_records(void)
{
	return kernel.records;
}

bool kernel_is_answered(unsigned int number)
{
	const struct kernel_queue *const queue = &kernel.queue[number];

	for (uint32_t i = 0; i < queue->cookies && !queue->fed; i++)
		if (queue->cookie[i].cookie <= SURE && queue->cookie[i].out)
			return false;
	return true;
}

bool kernel_has_failed(void)
{
	return kernel.failed;
}
