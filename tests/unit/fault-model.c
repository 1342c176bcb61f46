/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "fault-model.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../lib/base/sys.h"
#include "model-uring.h"

#define PASIDS    1024
#define COOKIES   4096
#define OWN_BITS  (UINT32_C(1) << 30) /* a driver's own, which the kernel lets through */
#define RECORD    sizeof(struct uapi_hwpt_pgfault)
#define NO_QUEUE  UINT32_MAX
#define NO_DEVICE UINT32_MAX

struct group {
	uint32_t device; /* NO_DEVICE for a strange one */
	uint32_t dev_id;
	uint32_t slot; /* the PASID whose page table it came through; 0: the device's own */
	uint32_t pasid;
	uint32_t queue;
	uint32_t records;
	uint32_t cookie;
	uint32_t code;
	enum model_state state;
};

struct queue {
	int fd;
	uint32_t *waiting; /* numbers, in order */
	uint32_t first, count;
	uint32_t out[COOKIES]; /* by cookie: one more than the number */
};

static struct {
	pthread_mutex_t lock;
	struct libiommu_sys *door;
	const struct libiommu_sys *below;
	struct libiommu_ctx *ground;
	uint32_t devices, queues, tables, groups;
	int device_fd[MODEL_DEVICES];
	uint32_t attached[MODEL_DEVICES][PASIDS]; /* page tables; 0: none */
	uint32_t table_queue[PASIDS];
	struct queue queue[MODEL_QUEUES];
	struct group group[MODEL_GROUPS];
	int fail_read, fail_write, fail_change, fail_destroy;
	uint32_t write_limit;
	unsigned int write_nth, wrong, reads, writes, given, refused;
} kernel = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* As a fault queue's descriptor: readable while there is anything to read. */
static void set_level(const struct queue *queue)
{
	uint64_t value = 1;
	ssize_t done;

	if (queue->fd < 0)
		return;
	done = queue->count ? write(queue->fd, &value, sizeof(value))
	                    : read(queue->fd, &value, sizeof(value));
	(void)done; /* it was empty */
}

static void end_groups(uint32_t device, uint32_t slot)
{
	for (uint32_t q = 0; q < kernel.queues; q++) {
		struct queue *const queue = &kernel.queue[q];
		uint32_t kept = 0;

		for (uint32_t i = 0; i < queue->count; i++) {
			const uint32_t number = queue->waiting[queue->first + i];
			struct group *const group = &kernel.group[number];

			if (group->device == device && group->slot == slot)
				group->state = MODEL_ENDED;
			else
				queue->waiting[queue->first + kept++] = number;
		}
		queue->count = kept;
		for (uint32_t i = 1; i < COOKIES; i++) {
			struct group *const group =
				queue->out[i] ? &kernel.group[queue->out[i] - 1] : NULL;

			if (!group || group->device != device || group->slot != slot)
				continue;
			group->state = MODEL_ENDED;
			queue->out[i] = 0;
		}
		set_level(queue);
	}
}

static uint32_t device_of(int fd)
{
	for (uint32_t i = 0; i < kernel.devices; i++)
		if (kernel.device_fd[i] == fd)
			return i;
	return NO_DEVICE;
}

static int change(uint32_t device, uint32_t pasid, uint32_t table)
{
	const int error = kernel.fail_change;

	kernel.fail_change = 0;
	if (error)
		return error;
	/* A page table replaced by itself: nothing. */
	if (kernel.attached[device][pasid] == table)
		return 0;
	end_groups(device, pasid);
	kernel.attached[device][pasid] = table;
	return 0;
}

static int alloc_queue(struct uapi_fault_alloc *cmd)
{
	struct queue *const queue = &kernel.queue[kernel.queues];

	*queue = (struct queue){.fd = li_sys_eventfd(kernel.below), .waiting = queue->waiting};
	cmd->out_fault_id = MODEL_QUEUE_ID + kernel.queues++;
	cmd->out_fault_fd = (uint32_t)queue->fd;
	return queue->fd < 0 ? queue->fd : 0;
}

static int model_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	int result = 0;

	(void)user;
	pthread_mutex_lock(&kernel.lock);
	if (request == UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD) {
		((struct uapi_vfio_device_bind_iommufd *)arg)->out_devid =
			MODEL_DEVICE_ID + device_of(fd);
	} else if (request == UAPI_IOC_GET_HW_INFO) {
		((struct uapi_hw_info *)arg)->out_max_pasid_log2 = 10;
	} else if (request == UAPI_IOC_FAULT_QUEUE_ALLOC) {
		result = alloc_queue(arg);
	} else if (request == UAPI_IOC_DESTROY) {
		const uint32_t id = ((struct uapi_destroy *)arg)->id;

		/* The descriptor comes first. */
		if (id >= MODEL_QUEUE_ID && id < MODEL_QUEUE_ID + kernel.queues &&
		    kernel.queue[id - MODEL_QUEUE_ID].fd >= 0)
			result = -EBUSY;
		else
			result = kernel.fail_destroy;
		kernel.fail_destroy = 0;
	} else if (request == UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT) {
		const struct uapi_vfio_device_attach_iommufd_pt *const cmd = arg;

		result = change(device_of(fd), cmd->pasid, cmd->pt_id);
	} else if (request == UAPI_IOC_VFIO_DEVICE_DETACH_IOMMUFD_PT) {
		const struct uapi_vfio_device_detach_iommufd_pt *const cmd = arg;

		result = change(device_of(fd), cmd->pasid, 0);
	} else {
		result = -ENOTTY;
	}
	pthread_mutex_unlock(&kernel.lock);
	return result;
}

static int model_open(void *user, const char *path, int flags)
{
	const int fd = li_sys_eventfd(kernel.below);

	(void)user;
	(void)flags;
	if (fd >= 0 && !strncmp(path, "device", 6))
		kernel.device_fd[kernel.devices++] = fd;
	return fd;
}

static int model_close(void *user, int fd)
{
	uint32_t device;

	(void)user;
	pthread_mutex_lock(&kernel.lock);
	device = device_of(fd);
	for (uint32_t pasid = 0; device != NO_DEVICE && pasid < PASIDS; pasid++)
		if (kernel.attached[device][pasid])
			change(device, pasid, 0);
	if (device != NO_DEVICE)
		kernel.device_fd[device] = -1;
	for (uint32_t i = 0; i < kernel.queues; i++)
		if (kernel.queue[i].fd == fd)
			kernel.queue[i].fd = -1;
	model_uring_close(fd);
	pthread_mutex_unlock(&kernel.lock);
	return li_sys_close(kernel.below, fd);
}

static struct queue *queue_of(int fd)
{
	for (uint32_t i = 0; i < kernel.queues; i++)
		if (kernel.queue[i].fd == fd)
			return &kernel.queue[i];
	return NULL;
}

static uint32_t take_cookie(struct queue *queue, uint32_t number)
{
	uint32_t cookie = 1;

	while (cookie < COOKIES - 1 && queue->out[cookie])
		cookie++;
	queue->out[cookie] = number + 1;
	return cookie;
}

static void compose(const struct group *group, uint32_t number, struct uapi_hwpt_pgfault *records)
{
	for (uint32_t i = 0; i < group->records; i++)
		records[i] = (struct uapi_hwpt_pgfault){
			.flags = (group->pasid ? UAPI_PGFAULT_FLAGS_PASID_VALID : 0) |
		                 (i + 1 == group->records ? UAPI_PGFAULT_FLAGS_LAST_PAGE : 0) |
		                 OWN_BITS,
			.dev_id = group->dev_id,
			.pasid = group->pasid,
			.grpid = number,
			.perm = (i % 16) | OWN_BITS,
			.addr = ((uint64_t)number << 32) + i,
			.length = 0x1000 * i,
			.cookie = group->cookie,
		};
}

static ssize_t read_queue(struct queue *queue, void *buffer, size_t size)
{
	const int error = kernel.fail_read;
	size_t done = 0;

	kernel.reads++;
	kernel.fail_read = 0;
	if (error)
		return error;
	if (size % RECORD)
		return -ESPIPE;
	while (queue->count) {
		const uint32_t number = queue->waiting[queue->first];
		struct group *const group = &kernel.group[number];

		if (group->records * RECORD > size - done)
			break;
		group->cookie = take_cookie(queue, number);
		group->state = MODEL_OUT;
		compose(group, number,
		        (struct uapi_hwpt_pgfault *)((unsigned char *)buffer + done));
		done += group->records * RECORD;
		queue->first++;
		queue->count--;
		kernel.given++;
	}
	set_level(queue);
	return queue->count && !done ? -EINVAL : (ssize_t)done;
}

/* The same for a read that is armed, with the lock. */
static ssize_t read_armed(int fd, void *buffer, size_t size)
{
	struct queue *const queue = queue_of(fd);

	return queue ? read_queue(queue, buffer, size) : -EBADF;
}

static ssize_t write_queue(struct queue *queue, const void *buffer, size_t size)
{
	const struct uapi_hwpt_page_response *const answers = buffer;
	const bool fails = kernel.write_nth && !--kernel.write_nth;
	size_t count = size / sizeof(*answers);
	size_t done = 0;

	kernel.writes++;
	if (fails)
		return kernel.fail_write;
	if (size % sizeof(*answers))
		return -ESPIPE;
	if (kernel.write_limit && count > kernel.write_limit)
		count = kernel.write_limit;
	for (; done < count; done++) {
		const uint32_t cookie = answers[done].cookie;
		struct group *group;

		if (answers[done].code > 1 || cookie >= COOKIES || !queue->out[cookie])
			break;
		group = &kernel.group[queue->out[cookie] - 1];
		kernel.wrong += answers[done].code != (queue->out[cookie] - 1) % 2;
		group->code = answers[done].code;
		group->state = MODEL_ANSWERED;
		queue->out[cookie] = 0;
	}
	kernel.refused += !done;
	return done ? (ssize_t)(done * sizeof(*answers)) : -EINVAL;
}

static ssize_t model_read(void *user, int fd, void *buffer, size_t size)
{
	struct queue *queue;
	ssize_t got = 0;

	(void)user;
	pthread_mutex_lock(&kernel.lock);
	queue = queue_of(fd);
	if (queue)
		got = read_queue(queue, buffer, size);
	pthread_mutex_unlock(&kernel.lock);
	return queue ? got : li_sys_read(kernel.below, fd, buffer, size);
}

static ssize_t model_write(void *user, int fd, const void *buffer, size_t size)
{
	struct queue *queue;
	ssize_t put = 0;

	(void)user;
	pthread_mutex_lock(&kernel.lock);
	queue = queue_of(fd);
	if (queue)
		put = write_queue(queue, buffer, size);
	pthread_mutex_unlock(&kernel.lock);
	return queue ? put : li_sys_write(kernel.below, fd, buffer, size);
}

struct libiommu_ctx *model_ctx(void)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *ctx;

	kernel.ground = ring_ctx();
	kernel.below = ring_door();
	kernel.devices = 0;
	kernel.queues = 0;
	kernel.tables = 0;
	kernel.groups = 0;
	kernel.fail_read = 0;
	kernel.write_nth = 0;
	kernel.fail_change = 0;
	kernel.fail_destroy = 0;
	kernel.write_limit = 0;
	kernel.wrong = 0;
	kernel.reads = 0;
	kernel.writes = 0;
	kernel.given = 0;
	kernel.refused = 0;
	memset(kernel.attached, 0, sizeof(kernel.attached));
	kernel.door = li_sys_copy(ring_door());
	assert_non_null(kernel.door);
	libiommu_sys_set_open(kernel.door, model_open);
	libiommu_sys_set_close(kernel.door, model_close);
	libiommu_sys_set_ioctl(kernel.door, model_ioctl);
	libiommu_sys_set_read(kernel.door, model_read);
	libiommu_sys_set_write(kernel.door, model_write);
	model_uring_install(kernel.door, kernel.below, &kernel.lock, read_armed);
	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, kernel.door), 0);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	return ctx;
}

void model_ctx_close(struct libiommu_ctx *ctx)
{
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
	libiommu_sys_free(kernel.door);
	for (uint32_t i = 0; i < MODEL_QUEUES; i++) {
		free(kernel.queue[i].waiting);
		kernel.queue[i].waiting = NULL;
	}
	ring_ctx_close(kernel.ground);
}

struct libiommu_device *model_device(struct libiommu_ctx *ctx, uint64_t label)
{
	struct libiommu_device *dev;

	assert_true(kernel.devices < MODEL_DEVICES);
	assert_int_equal(libiommu_device_open_node(ctx, "device", &dev), 0);
	assert_int_equal(libiommu_device_bind(dev, label, NULL, 0), 0);
	return dev;
}

struct libiommu_fault_queue *model_queue(struct libiommu_ctx *ctx)
{
	struct queue *const made = &kernel.queue[kernel.queues];
	struct libiommu_fault_queue *queue;

	assert_true(kernel.queues < MODEL_QUEUES);
	made->waiting = malloc(MODEL_GROUPS * sizeof(*made->waiting));
	assert_non_null(made->waiting);
	assert_int_equal(libiommu_fault_queue_alloc(ctx, &queue), 0);
	return queue;
}

struct libiommu_hwpt *model_hwpt(struct libiommu_ctx *ctx, struct libiommu_fault_queue *queue)
{
	const uint32_t table = kernel.tables++;
	struct libiommu_hwpt *hwpt;
	uint32_t id = 0;

	assert_true(table < PASIDS);
	assert_int_equal(libiommu_hwpt_adopt(ctx, MODEL_PT_ID + table, LIBIOMMU_ID_BORROW, &hwpt),
	                 0);
	kernel.table_queue[table] = NO_QUEUE;
	if (!queue)
		return hwpt;
	assert_int_equal(libiommu_hwpt_name_fault_queue(hwpt, queue), 0);
	assert_int_equal(libiommu_fault_queue_id(queue, &id), 0);
	kernel.table_queue[table] = id - MODEL_QUEUE_ID;
	return hwpt;
}

/* With the lock. */
static uint32_t raise_group(const struct group *group)
{
	const uint32_t number = kernel.groups;
	struct queue *const queue = &kernel.queue[group->queue];

	if (number == MODEL_GROUPS)
		return UINT32_MAX;
	kernel.groups++;
	kernel.group[number] = *group;
	queue->waiting[queue->first + queue->count++] = number;
	model_uring_run(queue->fd);
	set_level(queue);
	return number;
}

uint32_t model_raise(uint32_t device, uint32_t pasid, uint32_t records)
{
	struct group group = {
		.device = device,
		.dev_id = MODEL_DEVICE_ID + device,
		.pasid = pasid,
		.records = records,
	};
	uint32_t number = UINT32_MAX;

	pthread_mutex_lock(&kernel.lock);
	group.slot = kernel.attached[device][pasid] ? pasid : 0;
	if (kernel.attached[device][group.slot]) {
		group.queue = kernel.table_queue[kernel.attached[device][group.slot] - MODEL_PT_ID];
		if (group.queue != NO_QUEUE)
			number = raise_group(&group);
	}
	pthread_mutex_unlock(&kernel.lock);
	return number;
}

uint32_t model_raise_strange(uint32_t queue, uint32_t dev_id, uint32_t pasid)
{
	const struct group group = {
		.device = NO_DEVICE,
		.dev_id = dev_id,
		.pasid = pasid,
		.queue = queue,
		.records = 1,
	};
	uint32_t number;

	pthread_mutex_lock(&kernel.lock);
	number = raise_group(&group);
	pthread_mutex_unlock(&kernel.lock);
	return number;
}

bool model_ready(const struct libiommu_ring *ring)
{
	pthread_mutex_lock(&kernel.lock);
	model_uring_refresh();
	pthread_mutex_unlock(&kernel.lock);
	return ring_ready(ring);
}

enum model_state model_state(uint32_t number)
{
	enum model_state state;

	pthread_mutex_lock(&kernel.lock);
	state = kernel.group[number].state;
	pthread_mutex_unlock(&kernel.lock);
	return state;
}

uint32_t model_code(uint32_t number)
{
	assert_int_equal(model_state(number), MODEL_ANSWERED);
	return kernel.group[number].code;
}

uint32_t model_cookie(uint32_t number)
{
	return kernel.group[number].cookie;
}

unsigned int model_count(enum model_state state)
{
	unsigned int count = 0;

	pthread_mutex_lock(&kernel.lock);
	for (uint32_t i = 0; i < kernel.groups; i++)
		count += kernel.group[i].state == state;
	pthread_mutex_unlock(&kernel.lock);
	return count;
}

uint32_t model_queue_of(uint32_t number)
{
	uint32_t queue;

	pthread_mutex_lock(&kernel.lock);
	queue = kernel.group[number].queue;
	pthread_mutex_unlock(&kernel.lock);
	return queue;
}

static unsigned int take_number(unsigned int *number)
{
	unsigned int taken;

	pthread_mutex_lock(&kernel.lock);
	taken = *number;
	*number = 0;
	pthread_mutex_unlock(&kernel.lock);
	return taken;
}

unsigned int model_wrong(void)
{
	return take_number(&kernel.wrong);
}

unsigned int model_given(void)
{
	return take_number(&kernel.given);
}

unsigned int model_refused(void)
{
	return take_number(&kernel.refused);
}

unsigned int model_reads(void)
{
	return take_number(&kernel.reads);
}

unsigned int model_writes(void)
{
	return take_number(&kernel.writes);
}

void model_fail_read(int error)
{
	kernel.fail_read = error;
}

void model_fail_write(unsigned int nth, int error)
{
	kernel.write_nth = nth;
	kernel.fail_write = error;
}

void model_fail_change(int error)
{
	kernel.fail_change = error;
}

void model_fail_destroy(int error)
{
	kernel.fail_destroy = error;
}

void model_limit_write(uint32_t answers)
{
	kernel.write_limit = answers;
}
