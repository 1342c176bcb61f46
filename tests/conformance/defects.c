/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * The kernel's defects of doc/kernel-defects.md that its test driver can show, each in few raw
 * calls without the library. Says of each whether this kernel has it; neither is a failure.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"
#include "../vm/mock-cmd.h"
#include "../vm/mock-format.h"

#define PAGE 4096

static int iommu;
static uint32_t ioas_id, device_id, stdev_id;
static void *memory;

static int call(unsigned long request, void *arg)
{
	return ioctl(iommu, request, arg) < 0 ? -errno : 0;
}

static void need(int error, const char *what)
{
	if (!error)
		return;
	printf("# %s: %s\n", what, strerror(-error));
	exit(77);
}

/* A context with an address space that a device of the test driver is attached to. */
static void begin(void)
{
	struct uapi_ioas_alloc ioas = {.size = sizeof(ioas)};
	struct mock_cmd device = {.size = sizeof(device), .op = MOCK_OP_DEVICE};

	iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	need(iommu < 0 ? -errno : 0, "/dev/iommu");
	need(call(UAPI_IOC_IOAS_ALLOC, &ioas), "an address space");
	ioas_id = ioas.out_ioas_id;
	device.id = ioas_id;
	need(call(MOCK_CMD, &device), "a device");
	device_id = device.u.device.out_dev;
	stdev_id = device.u.device.out_stdev;
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(memory == MAP_FAILED ? -errno : 0, "memory");
}

static void end(void)
{
	munmap(memory, PAGE);
	close(iommu);
}

static int map_at(uint64_t iova)
{
	struct uapi_ioas_map map = {.size = sizeof(map),
	                            .flags = UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE |
	                                     UAPI_IOAS_MAP_WRITEABLE,
	                            .ioas_id = ioas_id,
	                            .user_va = (uintptr_t)memory,
	                            .length = PAGE,
	                            .iova = iova};

	return call(UAPI_IOC_IOAS_MAP, &map);
}

/* A page table that tracks, with one page in it that has been written. */
static uint32_t dirty_page(void)
{
	struct uapi_hwpt_alloc alloc = {.size = sizeof(alloc),
	                                .flags = UAPI_HWPT_ALLOC_DIRTY_TRACKING,
	                                .dev_id = device_id,
	                                .pt_id = ioas_id};
	struct uapi_hwpt_set_dirty_tracking track = {.size = sizeof(track),
	                                             .flags = UAPI_HWPT_DIRTY_TRACKING_ENABLE};
	const uint64_t one = 1;
	struct mock_cmd dirty = {.size = sizeof(dirty),
	                         .op = MOCK_OP_DIRTY,
	                         .u.dirty = {.iova = MOCK_APERTURE,
	                                     .length = MOCK_PAGE,
	                                     .page_size = MOCK_PAGE,
	                                     .bitmap = (uintptr_t)&one}};

	need(map_at(MOCK_APERTURE), "a mapping");
	need(call(UAPI_IOC_HWPT_ALLOC, &alloc), "a page table");
	track.hwpt_id = alloc.out_hwpt_id;
	need(call(UAPI_IOC_HWPT_SET_DIRTY_TRACKING, &track), "tracking");
	dirty.id = alloc.out_hwpt_id;
	need(call(MOCK_CMD, &dirty), "a dirty page");
	return alloc.out_hwpt_id;
}

static int get_dirty(uint32_t hwpt, uint64_t iova, uint64_t page_size, void *bitmap)
{
	struct uapi_hwpt_get_dirty_bitmap get = {.size = sizeof(get),
	                                         .hwpt_id = hwpt,
	                                         .iova = iova,
	                                         .length = PAGE,
	                                         .page_size = page_size,
	                                         .data = (uintptr_t)bitmap};

	return call(UAPI_IOC_HWPT_GET_DIRTY_BITMAP, &get);
}

/* A bitmap that cannot be written: no error, and the bit is gone. */
static bool dirty_bits_are_lost(void)
{
	const uint32_t hwpt = dirty_page();
	uint64_t bits = 0;
	const int error = get_dirty(hwpt, MOCK_APERTURE, PAGE, (void *)(uintptr_t)PAGE);

	return !error && !get_dirty(hwpt, MOCK_APERTURE, PAGE, &bits) && !bits;
}

/* Nothing is mapped there, and nothing is said. */
static bool holes_are_not_told(void)
{
	const uint32_t hwpt = dirty_page();
	uint64_t bits = 0;

	return !get_dirty(hwpt, MOCK_APERTURE + 16 * PAGE, PAGE, &bits);
}

/* The response cannot be written: an error, and the mapping is there. */
static bool failed_map_has_mapped(void)
{
	struct uapi_ioas_map *const map =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int error;

	*map = (struct uapi_ioas_map){.size = sizeof(*map),
	                              .flags = UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE,
	                              .ioas_id = ioas_id,
	                              .user_va = (uintptr_t)memory,
	                              .length = PAGE,
	                              .iova = MOCK_APERTURE};
	mprotect(map, PAGE, PROT_READ);
	error = call(UAPI_IOC_IOAS_MAP, map);
	munmap(map, PAGE);
	return error == -EFAULT && map_at(MOCK_APERTURE) == -EEXIST;
}

/* A descriptor for reading, mapped for writing. */
static bool files_are_written(void)
{
	const int fd = memfd_create("file", MFD_CLOEXEC);
	struct uapi_ioas_map_file map = {.size = sizeof(map),
	                                 .flags = UAPI_IOAS_MAP_READABLE | UAPI_IOAS_MAP_WRITEABLE,
	                                 .ioas_id = ioas_id,
	                                 .length = PAGE};
	char path[64];
	int error;

	need(ftruncate(fd, PAGE) ? -errno : 0, "a file");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	map.fd = open(path, O_RDONLY | O_CLOEXEC);
	error = call(UAPI_IOC_IOAS_MAP_FILE, &map);
	close(map.fd);
	close(fd);
	return !error;
}

/*
 * In a child, which has mapped and so is charged; it goes, and this process takes over. The call is
 * refused and has been done: the next one has nothing to do.
 */
static bool taking_over_is_refused(void)
{
	struct uapi_option option = {.size = sizeof(option),
	                             .option_id = UAPI_OPTION_RLIMIT_MODE,
	                             .op = UAPI_OPTION_OP_SET,
	                             .val64 = 1};
	struct uapi_ioas_change_process change = {.size = sizeof(change)};
	struct uapi_ioas_alloc ioas = {.size = sizeof(ioas)};
	struct mock_cmd device = {.size = sizeof(device), .op = MOCK_OP_DEVICE};
	const int fd = memfd_create("file", MFD_CLOEXEC);
	struct uapi_ioas_map_file map = {
		.size = sizeof(map), .flags = UAPI_IOAS_MAP_READABLE, .fd = fd, .length = PAGE};
	int status = 1, error;

	close(iommu);
	iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	need(ftruncate(fd, PAGE) ? -errno : 0, "a file");
	need(call(UAPI_IOC_OPTION, &option), "an account for each process");
	need(call(UAPI_IOC_IOAS_ALLOC, &ioas), "an address space");
	map.ioas_id = device.id = ioas.out_ioas_id;
	need(call(MOCK_CMD, &device), "a device");
	if (!fork())
		_exit(seteuid(65534) || call(UAPI_IOC_IOAS_MAP_FILE, &map));
	wait(&status);
	close(fd);
	need(seteuid(65534), "another user");
	error = call(UAPI_IOC_IOAS_CHANGE_PROCESS, &change);
	if (!error)
		error = -1;
	else
		error = error == -EINVAL ? call(UAPI_IOC_IOAS_CHANGE_PROCESS, &change) : error;
	need(seteuid(0), "root");
	return !status && !error;
}

/* The driver's device reports a page request, which the queue gives out. */
static uint32_t next_cookie(int queue, uint32_t group)
{
	struct mock_cmd fault = {.size = sizeof(fault),
	                         .op = MOCK_OP_FAULT,
	                         .u.fault = {.dev_id = device_id,
	                                     .group = group,
	                                     .permissions = UAPI_PGFAULT_PERM_READ,
	                                     .address = MOCK_APERTURE}};
	struct uapi_hwpt_pgfault record = {.cookie = UINT32_MAX};

	need(call(MOCK_CMD, &fault), "a page request");
	need(read(queue, &record, sizeof(record)) == sizeof(record) ? 0 : -EIO, "its record");
	return record.cookie;
}

/* Cookies begin with 1. To answer 0 is refused, and 0 is the next one. */
static bool cookie_zero_is_given(void)
{
	const struct uapi_hwpt_page_response answer = {.cookie = 0, .code = UAPI_PAGE_RESP_INVALID};
	struct uapi_fault_alloc alloc = {.size = sizeof(alloc)};
	struct uapi_hwpt_alloc table = {.size = sizeof(table),
	                                .flags = UAPI_HWPT_FAULT_ID_VALID,
	                                .dev_id = device_id,
	                                .pt_id = ioas_id};
	struct mock_cmd attach = {.size = sizeof(attach), .op = MOCK_OP_REPLACE, .id = stdev_id};
	uint32_t first, second;
	ssize_t written;
	int error;

	need(call(UAPI_IOC_FAULT_QUEUE_ALLOC, &alloc), "a fault queue");
	table.fault_id = alloc.out_fault_id;
	if (call(UAPI_IOC_HWPT_ALLOC, &table)) {
		printf("# no page table with a fault queue here\n");
		close((int)alloc.out_fault_fd);
		return false;
	}
	attach.u.replace.pt_id = table.out_hwpt_id;
	need(call(MOCK_CMD, &attach), "an attachment");
	first = next_cookie((int)alloc.out_fault_fd, 1);
	written = write((int)alloc.out_fault_fd, &answer, sizeof(answer));
	error = written < 0 ? errno : 0;
	second = next_cookie((int)alloc.out_fault_fd, 2);
	attach.u.replace.pt_id = ioas_id;
	need(call(MOCK_CMD, &attach), "another attachment");
	close((int)alloc.out_fault_fd);
	return first == 1 && error == EINVAL && second == 0;
}

/* A descriptor is made, and 0 is said to be its number. */
static bool dmabuf_is_not_told(void)
{
	struct mock_cmd cmd = {
		.size = sizeof(cmd), .op = MOCK_OP_DMABUF, .u.dmabuf = {PAGE, O_RDWR | O_CLOEXEC}};
	const int lowest = fcntl(iommu, F_DUPFD_CLOEXEC, 0);
	int result;

	need(lowest < 0 ? -errno : 0, "a descriptor");
	close(lowest);
	result = ioctl(iommu, MOCK_CMD, &cmd);
	if (result < 0) {
		printf("# no dma-bufs here\n");
		return false;
	}
	return !result && lowest && !close(lowest);
}

int main(void)
{
	static const struct {
		const char *name;
		bool (*shows)(void);
	} all[] = {
		{"1: dirty bits are lost with a bad bitmap", dirty_bits_are_lost},
		{"2: a hole is not told by GET_DIRTY_BITMAP", holes_are_not_told},
		{"3: a file that is open for reading is mapped for writing", files_are_written},
		{"4: taking over from a process that is gone is refused, and done",
	         taking_over_is_refused},
		{"5: a map that says EFAULT has mapped", failed_map_has_mapped},
		{"10: the test driver makes a dma-buf and returns 0", dmabuf_is_not_told},
		{"18: a cookie that was never given is refused, and given next",
	         cookie_zero_is_given},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		begin();
		printf("# defect %s: %s\n", all[i].name, all[i].shows() ? "here" : "not here");
		end();
	}
	return 0;
}
