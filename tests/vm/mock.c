/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "mock.h"
#include "mock-cmd.h"
#include "mock-format.h"
#include "mock-queues.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../lib/base/uapi/io-uring.h"
#include "../../lib/base/uapi/iommufd.h"
#include "../../lib/base/uapi/vfio.h"

#define DEVICES 1100
#define PASIDS  (1U << MOCK_PASID_BITS)

struct device {
	int fd; /* -1: free */
	int iommufd;
	uint32_t flags; /* MOCK_FLAG_ */
	uint32_t ioas;  /* where it is while the library thinks it is nowhere */
	uint32_t stdev;
	uint32_t id;
	uint8_t *attached; /* a bit for each PASID */
};

struct mock {
	struct libiommu_sys *sys;
	pthread_mutex_t lock;
	struct device devices[DEVICES];
	struct mock_queues queues;
	mock_hook before_read;
	mock_hook after_read;
	mock_hook before_cancel;
	mock_hook after_cancel;
	void *user;
	mock_ioctl instead;
	void *instead_user;
};

static int test_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

int mock_command(int iommufd, struct mock_cmd *cmd)
{
	cmd->size = sizeof(*cmd);
	return test_ioctl(iommufd, MOCK_CMD, cmd);
}

static struct device *find(struct mock *mock, int fd)
{
	struct device *found = NULL;

	pthread_mutex_lock(&mock->lock);
	for (size_t i = 0; i < DEVICES && fd >= 0 && !found; i++)
		if (mock->devices[i].fd == fd)
			found = &mock->devices[i];
	pthread_mutex_unlock(&mock->lock);
	return found;
}

/* A place that is free, nobody's until it has a descriptor; NULL where there is none. */
static struct device *claim(struct mock *mock)
{
	struct device *dev = NULL;

	pthread_mutex_lock(&mock->lock);
	for (size_t i = 0; i < DEVICES && !dev; i++)
		if (mock->devices[i].fd == -1)
			dev = &mock->devices[i];
	if (dev)
		*dev = (struct device){.fd = -2};
	pthread_mutex_unlock(&mock->lock);
	return dev;
}

static int open_device(void *user, const char *path, int flags)
{
	struct mock *const mock = user;
	const int fd = open(strncmp(path, "mock", 4) ? path : "/dev/null", flags);
	struct device *dev;

	if (fd < 0 || strncmp(path, "mock", 4))
		return fd < 0 ? -errno : fd;
	dev = claim(mock);
	if (!dev) {
		close(fd);
		return -EMFILE;
	}
	pthread_mutex_lock(&mock->lock);
	dev->flags |= strstr(path, "-pasids") ? MOCK_FLAG_PASID : 0;
	dev->flags |= strstr(path, "-no-dirty") ? MOCK_FLAG_NO_DIRTY : 0;
	dev->fd = fd;
	pthread_mutex_unlock(&mock->lock);
	return fd;
}

static void destroy(int iommufd, uint32_t id)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = id};

	if (test_ioctl(iommufd, UAPI_IOC_DESTROY, &cmd))
		fprintf(stderr, "mock: object %u cannot be destroyed: %s\n", id, strerror(errno));
}

static int bind_device(struct device *dev, struct uapi_vfio_device_bind_iommufd *bind)
{
	struct uapi_ioas_alloc ioas = {.size = sizeof(ioas)};
	struct mock_cmd cmd = {.op = MOCK_OP_DEVICE};
	int error;

	if (dev->flags & MOCK_FLAG_PASID && !dev->attached)
		dev->attached = calloc(1, PASIDS / 8);
	if (dev->flags & MOCK_FLAG_PASID && !dev->attached)
		return -ENOMEM;
	error = test_ioctl(bind->iommufd, UAPI_IOC_IOAS_ALLOC, &ioas);
	if (error)
		return error;
	cmd.id = ioas.out_ioas_id;
	if (dev->flags) {
		cmd.op = MOCK_OP_DEVICE_FLAGS;
		cmd.u.device.flags = dev->flags;
	}
	error = mock_command(bind->iommufd, &cmd);
	if (error) {
		destroy(bind->iommufd, ioas.out_ioas_id);
		return error;
	}
	dev->iommufd = bind->iommufd;
	dev->ioas = ioas.out_ioas_id;
	dev->stdev = cmd.u.device.out_stdev;
	dev->id = cmd.u.device.out_dev;
	bind->out_devid = dev->id;
	return 0;
}

static bool is_attached(const struct device *dev, uint32_t pasid)
{
	return pasid < PASIDS && dev->attached && dev->attached[pasid / 8] & 1U << pasid % 8;
}

static int attach_device(struct device *dev, struct uapi_vfio_device_attach_iommufd_pt *attach)
{
	struct mock_cmd cmd = {.op = MOCK_OP_REPLACE, .id = dev->stdev};
	int error;

	if (!(attach->flags & UAPI_VFIO_DEVICE_ATTACH_PASID)) {
		cmd.u.replace.pt_id = attach->pt_id;
		error = mock_command(dev->iommufd, &cmd);
		attach->pt_id = error ? attach->pt_id : cmd.u.replace.pt_id;
		return error;
	}
	/* What vfio-pci says and does for a device without PASIDs. */
	if (!(dev->flags & MOCK_FLAG_PASID))
		return 0;
	cmd.op = is_attached(dev, attach->pasid) ? MOCK_OP_PASID_REPLACE : MOCK_OP_PASID_ATTACH;
	cmd.u.pasid.pasid = attach->pasid;
	cmd.u.pasid.pt_id = attach->pt_id;
	error = mock_command(dev->iommufd, &cmd);
	if (!error && attach->pasid < PASIDS)
		dev->attached[attach->pasid / 8] |= (uint8_t)(1U << attach->pasid % 8);
	return error;
}

static int detach_pasid(struct device *dev, uint32_t pasid)
{
	struct mock_cmd cmd = {.op = MOCK_OP_PASID_DETACH, .id = dev->stdev};
	int error;

	if (!is_attached(dev, pasid))
		return 0;
	cmd.u.pasid.pasid = pasid;
	error = mock_command(dev->iommufd, &cmd);
	if (!error)
		dev->attached[pasid / 8] &= (uint8_t) ~(1U << pasid % 8);
	return error;
}

static int detach_device(struct device *dev,
                         const struct uapi_vfio_device_detach_iommufd_pt *detach)
{
	struct mock_cmd cmd = {.op = MOCK_OP_REPLACE, .id = dev->stdev};

	if (detach->flags & UAPI_VFIO_DEVICE_DETACH_PASID)
		return detach_pasid(dev, detach->pasid);
	/* The driver's devices are always somewhere. */
	cmd.u.replace.pt_id = dev->ioas;
	return mock_command(dev->iommufd, &cmd);
}

static int device_ioctl(void *user, int fd, unsigned long request, void *arg)
{
	struct mock *const mock = user;
	struct device *const dev = find(mock, fd);
	int result;

	if (dev && request == UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD)
		return bind_device(dev, arg);
	if (dev && request == UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT)
		return attach_device(dev, arg);
	if (dev && request == UAPI_IOC_VFIO_DEVICE_DETACH_IOMMUFD_PT)
		return detach_device(dev, arg);
	if (mock->instead) {
		result = mock->instead(mock->instead_user, fd, request, arg);
	} else {
		result = ioctl(fd, request, arg);
		result = result < 0 ? -errno : result;
	}
	if (result >= 0 && request == UAPI_IOC_FAULT_QUEUE_ALLOC)
		mock_queues_add(&mock->queues,
		                (int)((const struct uapi_fault_alloc *)arg)->out_fault_fd);
	return result;
}

int mock_device_ioctl(struct mock *mock, int fd, unsigned long request, void *arg)
{
	return device_ioctl(mock, fd, request, arg);
}

static int close_device(void *user, int fd)
{
	struct device *const dev = find(user, fd);
	struct mock *const mock = user;

	mock_queues_remove(&mock->queues, fd);
	for (uint32_t pasid = 0; dev && dev->attached && pasid < PASIDS; pasid++)
		if (pasid % 8 || dev->attached[pasid / 8])
			detach_pasid(dev, pasid);
		else
			pasid += 7;
	if (dev && dev->stdev) {
		destroy(dev->iommufd, dev->stdev);
		destroy(dev->iommufd, dev->ioas);
	}
	if (dev) {
		pthread_mutex_lock(&mock->lock);
		free(dev->attached);
		*dev = (struct device){.fd = -1};
		pthread_mutex_unlock(&mock->lock);
	}
	return close(fd) ? -errno : 0;
}

int mock_iommufd(struct mock *mock, struct libiommu_device *dev)
{
	return find(mock, libiommu_device_fd(dev))->iommufd;
}

void mock_give(struct mock *mock, int fd, struct mock_facts *facts)
{
	struct device *const dev = find(mock, fd);

	*facts = (struct mock_facts){dev->flags, dev->ioas, dev->stdev, dev->id};
	pthread_mutex_lock(&mock->lock);
	free(dev->attached);
	*dev = (struct device){.fd = -1};
	pthread_mutex_unlock(&mock->lock);
}

void mock_take(struct mock *mock, int fd, int iommufd, const struct mock_facts *facts,
               const uint32_t *pasids, size_t count)
{
	struct device *const dev = claim(mock);

	if (!dev)
		abort();
	dev->flags = facts->flags;
	dev->ioas = facts->ioas;
	dev->stdev = facts->stdev;
	dev->id = facts->id;
	dev->iommufd = iommufd;
	if (dev->flags & MOCK_FLAG_PASID)
		dev->attached = calloc(1, PASIDS / 8);
	for (size_t i = 0; dev->attached && i < count; i++)
		dev->attached[pasids[i] / 8] |= (uint8_t)(1U << pasids[i] % 8);
	dev->fd = fd;
}

static ssize_t read_fd(void *user, int fd, void *buffer, size_t size)
{
	struct mock *const mock = user;
	ssize_t got;

	if (mock->before_read)
		mock->before_read(mock->user);
	got = read(fd, buffer, size);
	got = got < 0 ? -errno : got;
	mock_queues_note_read(&mock->queues, fd, buffer, got);
	if (mock->after_read)
		mock->after_read(mock->user);
	return got;
}

static int register_uring(void *user, int ring, unsigned int operation, void *arg,
                          unsigned int count)
{
	const struct mock *const mock = user;
	const bool cancels = operation == UAPI_IORING_REGISTER_SYNC_CANCEL;
	long result;

	if (cancels && mock->before_cancel)
		mock->before_cancel(mock->user);
	result = syscall(SYS_io_uring_register, ring, operation, arg, count);
	result = result < 0 ? -errno : result;
	if (cancels && mock->after_cancel)
		mock->after_cancel(mock->user);
	return (int)result;
}

static ssize_t write_fd(void *user, int fd, const void *buffer, size_t size)
{
	struct mock *const mock = user;
	ssize_t put = write(fd, buffer, size);

	put = put < 0 ? -errno : put;
	mock_queues_note_write(&mock->queues, fd, buffer, put);
	return put;
}

void mock_get_answers(struct mock *mock, struct mock_answers *answers)
{
	mock_tally_get(&mock->queues.all, answers);
}

static struct mock_queue *queue_of(struct mock *mock, const struct libiommu_fault_queue *queue)
{
	struct mock_queue *const found =
		mock_queues_find(&mock->queues, libiommu_fault_queue_fd(queue));

	if (!found)
		abort();
	return found;
}

void mock_get_answers_of(struct mock *mock, const struct libiommu_fault_queue *queue,
                         struct mock_answers *answers)
{
	mock_tally_get(&queue_of(mock, queue)->tally, answers);
}

uint32_t mock_cookie(struct mock *mock, const struct libiommu_fault_queue *queue, uint64_t address)
{
	return mock_queue_cookie(queue_of(mock, queue), address);
}

void mock_set_read_hook(struct mock *mock, mock_hook before, mock_hook after, void *user)
{
	mock->user = user;
	mock->before_read = before;
	mock->after_read = after;
}

void mock_set_cancel_hook(struct mock *mock, mock_hook before, mock_hook after, void *user)
{
	mock->user = user;
	mock->before_cancel = before;
	mock->after_cancel = after;
}

void mock_set_ioctl(struct mock *mock, mock_ioctl instead, void *user)
{
	mock->instead = instead;
	mock->instead_user = user;
}

/* The driver knows this command: it says that there is no such object. */
static int ask(uint32_t op)
{
	const int iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	struct mock_cmd cmd = {.op = op};
	const int error = iommufd < 0 ? -errno : mock_command(iommufd, &cmd);

	if (iommufd >= 0)
		close(iommufd);
	return error == -ENOENT ? 0 : error;
}

struct mock *mock_new_plain(void)
{
	const int error = ask(MOCK_OP_CHECK_MAP);
	struct mock *mock = error ? NULL : calloc(1, sizeof(*mock));

	if (!mock) {
		printf("# no test driver in this kernel (%s)\n", strerror(-error));
		return NULL;
	}
	pthread_mutex_init(&mock->lock, NULL);
	for (size_t i = 0; i < DEVICES; i++)
		mock->devices[i].fd = -1;
	mock_queues_init(&mock->queues);
	if (libiommu_sys_new(&mock->sys))
		abort();
	libiommu_sys_set_user(mock->sys, mock);
	libiommu_sys_set_open(mock->sys, open_device);
	libiommu_sys_set_ioctl(mock->sys, device_ioctl);
	libiommu_sys_set_close(mock->sys, close_device);
	libiommu_sys_set_read(mock->sys, read_fd);
	libiommu_sys_set_write(mock->sys, write_fd);
	libiommu_sys_set_uring_register(mock->sys, register_uring);
	return mock;
}

struct mock *mock_new(void)
{
	const int error = ask(MOCK_OP_PASID_CHECK);

	if (!error)
		return mock_new_plain();
	printf("# no test driver with PASIDs in this kernel (%s)\n", strerror(-error));
	return NULL;
}

void mock_free(struct mock *mock)
{
	if (!mock)
		return;
	libiommu_sys_free(mock->sys);
	pthread_mutex_destroy(&mock->lock);
	free(mock);
}

const struct libiommu_sys *mock_door(const struct mock *mock)
{
	return mock->sys;
}

int mock_check_pasid(struct mock *mock, struct libiommu_device *dev, uint32_t pasid,
                     uint32_t hwpt_id)
{
	const struct device *const found = find(mock, libiommu_device_fd(dev));
	struct mock_cmd cmd = {
		.op = MOCK_OP_PASID_CHECK,
		.id = found->stdev,
		.u.pasid = {.pasid = pasid, .pt_id = hwpt_id},
	};

	return mock_command(found->iommufd, &cmd);
}

int mock_check_map(struct mock *mock, struct libiommu_device *dev, uint32_t hwpt_id, uint64_t iova,
                   const void *memory, uint64_t length)
{
	const struct device *const found = find(mock, libiommu_device_fd(dev));
	struct mock_cmd cmd = {
		.op = MOCK_OP_CHECK_MAP,
		.id = hwpt_id,
		.u.map = {.iova = iova, .length = length, .memory = (uintptr_t)memory},
	};

	return mock_command(found->iommufd, &cmd);
}

int mock_fault(struct mock *mock, struct libiommu_device *dev, uint32_t pasid, uint32_t group,
               uint32_t permissions, uint64_t address)
{
	const struct device *const found = find(mock, libiommu_device_fd(dev));
	struct mock_cmd cmd = {
		.op = MOCK_OP_FAULT,
		.u.fault = {found->id, pasid, group, permissions, address},
	};

	return mock_command(found->iommufd, &cmd);
}
