/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a program finds in sysfs, and how it gets a device: by its node, or by its group. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <libiommu-emu.h>
#include <libiommu.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../emu/ctx.h"
#include "../../emu/heap.h"
#include "../../lib/base/uapi/vfio-container.h"
#include "../../lib/base/uapi/vfio.h"

static const char first[] = "0000:01:00.0", second[] = "0000:01:00.1", alone[] = "0000:02:00.0",
		  hosts[] = "0000:03:00.0", free_one[] = "0000:04:00.0";

struct rig {
	struct libiommu_emu *emu;
	struct libiommu_emu_iommu *iommu;
	struct libiommu_emu_device *first;
};

static struct rig rig;

static struct libiommu_emu_device *add(const char *address, struct libiommu_emu_device *member,
                                       bool iommu, uint32_t flags)
{
	struct libiommu_emu_device_config *config;
	struct libiommu_emu_device *device;

	assert_int_equal(libiommu_emu_device_config_new(&config), 0);
	assert_int_equal(libiommu_emu_device_config_set_address(config, address), 0);
	assert_int_equal(libiommu_emu_device_config_set_group(config, member), 0);
	assert_int_equal(libiommu_emu_device_config_set_flags(config, flags), 0);
	if (iommu)
		assert_int_equal(libiommu_emu_device_config_set_iommu(config, rig.iommu), 0);
	assert_int_equal(libiommu_emu_edu_add(rig.emu, config, &device), 0);
	libiommu_emu_device_config_free(config);
	return device;
}

/* Two of a group on one bus, one alone, one of the host's, and one without an IOMMU. */
static int setup(void **state)
{
	(void)state;
	assert_int_equal(libiommu_emu_new(&rig.emu), 0);
	assert_int_equal(libiommu_emu_iommu_add_test(rig.emu, &rig.iommu), 0);
	rig.first = add(first, NULL, true, 0);
	add(second, rig.first, true, 0);
	add(alone, NULL, true, 0);
	add(hosts, NULL, true, LIBIOMMU_EMU_DEVICE_HOST);
	add(free_one, NULL, false, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(libiommu_emu_destroy(rig.emu), 0);
	return 0;
}

static int call(int fd, unsigned long request, void *arg)
{
	return libiommu_emu_ioctl(rig.emu, fd, request, arg);
}

static int open_path(const char *path)
{
	return libiommu_emu_open(rig.emu, path, O_RDWR | O_CLOEXEC);
}

static void close_fd(int fd)
{
	assert_int_equal(libiommu_emu_close(rig.emu, fd), 0);
}

static int bind_to(int device, int iommufd)
{
	struct uapi_vfio_device_bind_iommufd bind = {
		.argsz = offsetof(struct uapi_vfio_device_bind_iommufd, token_uuid_ptr),
		.iommufd = iommufd};

	return call(device, UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

static struct libiommu_ctx *context(void)
{
	struct libiommu_ctx_config *config;
	struct libiommu_ctx *ctx;

	assert_int_equal(libiommu_ctx_config_new(&config), 0);
	assert_int_equal(libiommu_ctx_config_set_sys(config, libiommu_emu_door(rig.emu)), 0);
	assert_int_equal(libiommu_ctx_new(config, &ctx), 0);
	libiommu_ctx_config_free(config);
	return ctx;
}

/* As the library's own discovery sees the machine. */
static void is_discovered(void **state)
{
	static const struct {
		const char *address, *driver, *iommu, *node;
		int group, obstacle;
	} expected[] = {
		{first, "vfio-pci", "emu0", "/dev/vfio/devices/vfio0", 0, LIBIOMMU_OBSTACLE_NONE},
		{second, "vfio-pci", "emu0", "/dev/vfio/devices/vfio1", 0, LIBIOMMU_OBSTACLE_NONE},
		{alone, "vfio-pci", "emu0", "/dev/vfio/devices/vfio2", 1, LIBIOMMU_OBSTACLE_NONE},
		{hosts, "emu-host", "emu0", "", 2, LIBIOMMU_OBSTACLE_HOST_DRIVER},
		{free_one, "vfio-pci", "", "/dev/vfio/devices/noiommu-vfio4", 3,
	         LIBIOMMU_OBSTACLE_NONE},
	};
	struct libiommu_device_list *list;
	uint32_t vendor, device, class_code;

	(void)state;
	assert_int_equal(libiommu_device_list_new(libiommu_emu_door(rig.emu), &list), 0);
	assert_int_equal(libiommu_device_list_count(list), 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(libiommu_device_list_address(list, i), expected[i].address);
		assert_string_equal(libiommu_device_list_driver(list, i), expected[i].driver);
		assert_string_equal(libiommu_device_list_iommu(list, i), expected[i].iommu);
		assert_string_equal(libiommu_device_list_node(list, i), expected[i].node);
		assert_int_equal(libiommu_device_list_group(list, i), expected[i].group);
		assert_int_equal(libiommu_device_list_obstacle(list, i), expected[i].obstacle);
		assert_int_equal(libiommu_device_list_ids(list, i, &vendor, &device, &class_code),
		                 0);
		assert_int_equal(vendor, 0x1234);
		assert_int_equal(device, 0x11e8);
		assert_int_equal(class_code, 0x00ff00);
	}
	libiommu_device_list_free(list);
}

static void expect_text(const char *path, const char *wanted)
{
	char text[2048] = "";
	const int fd = libiommu_emu_open(rig.emu, path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(libiommu_emu_read(rig.emu, fd, text, sizeof(text) - 1) >= 0);
	close_fd(fd);
	assert_string_equal(text, wanted);
}

static void files_of_sysfs(void **state)
{
	uint8_t config[4096];
	int fd;

	(void)state;
	expect_text("/sys/bus/pci/devices/0000:01:00.0/vendor", "0x1234\n");
	expect_text("/sys/class/vfio-dev/vfio1/device/class", "0x00ff00\n");
	expect_text("/sys/kernel/iommu_groups/0/devices/0000:01:00.1/revision", "0x10\n");
	expect_text("/sys/devices/pci0000:01/0000:01:00.0/iommu_group/devices/0000:01:00.0/"
	            "subsystem/devices/0000:02:00.0/device",
	            "0x11e8\n");
	expect_text("/sys/kernel/iommu_groups/3/name", "vfio-noiommu\n");
	expect_text("/sys/kernel/iommu_groups/0/type", "DMA\n");
	expect_text("/sys/bus/pci/devices/0000:01:00.0/vfio-dev/vfio0/dev", "511:0\n");
	expect_text("/sys/bus/pci/devices/0000:03:00.0/driver_override", "(null)\n");
	expect_text("/sys/bus/pci/devices/0000:01:00.0/numa_node", "-1\n");
	expect_text("/sys/bus/pci/devices/0000:01:00.0/modalias",
	            "pci:v00001234d000011E8sv00001AF4sd00001100bc00scFFi00\n");
	expect_text("/sys/bus/pci/devices/0000:01:00.0/uevent",
	            "DRIVER=vfio-pci\nPCI_CLASS=FF00\nPCI_ID=1234:11E8\n"
	            "PCI_SLOT_NAME=0000:01:00.0\n");
	fd = libiommu_emu_open(rig.emu, "/sys/bus/pci/devices/0000:01:00.0/config", O_RDONLY);
	assert_int_equal(libiommu_emu_read(rig.emu, fd, config, sizeof(config)), 256);
	assert_memory_equal(config, "\x34\x12\xe8\x11", 4);
	close_fd(fd);
	fd = libiommu_emu_open(rig.emu, "/sys/bus/pci/devices/0000:01:00.0/resource", O_RDONLY);
	assert_int_equal(libiommu_emu_read(rig.emu, fd, config, sizeof(config)), 13 * 57);
	close_fd(fd);
	/* What is not there, is not there on the host either; and nothing is written. */
	assert_int_equal(open_path("/sys/bus/pci/devices/0000:00:00.0/vendor"), -ENOENT);
	assert_int_equal(open_path("/sys/bus/pci/devices/0000:01:00.0/vendor/more"), -ENOENT);
	assert_int_equal(open_path("/sys/kernel/iommu_groups/0/name"), -ENOENT);
	assert_int_equal(open_path("/sys/devices/pci0000:07/0000:07:00.0/vendor"), -ENOENT);
	assert_int_equal(open_path("/sys/bus/pci/drivers_probe"), -EACCES);
	assert_int_equal(open_path("/sys/bus/pci"), -EISDIR);
	fd = libiommu_emu_open(rig.emu, "/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY);
	assert_true(fd >= 0 || fd == -ENOENT);
	if (fd >= 0)
		close_fd(fd);
}

static void bound_by_its_node(void **state)
{
	struct uapi_vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
	struct uapi_vfio_device_info info = {.argsz = sizeof(info)};
	const int iommufd = open_path("/dev/iommu"), null = open("/dev/null", O_RDWR);
	const int device = open_path("/dev/vfio/devices/vfio0");
	const int again = open_path("/dev/vfio/devices/vfio0");
	uint8_t token[16] = {0};
	char byte;

	(void)state;
	assert_true(device >= 0 && again >= 0);
	/* Nothing before that. */
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_GET_INFO, &info), -EINVAL);
	assert_int_equal(libiommu_emu_pread(rig.emu, device, &byte, 1, 0), -EINVAL);
	assert_int_equal(libiommu_emu_pwrite(rig.emu, device, &byte, 1, 0), -EINVAL);
	assert_int_equal(libiommu_emu_read(rig.emu, device, &byte, 1), -EINVAL);
	assert_int_equal(libiommu_emu_write(rig.emu, device, &byte, 1), -EINVAL);
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD, NULL), -EFAULT);
	bind.iommufd = iommufd;
	bind.argsz = 15;
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD, &bind), -EINVAL);
	bind.argsz = sizeof(bind);
	bind.flags = 2;
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD, &bind), -EINVAL);
	bind.flags = UAPI_VFIO_DEVICE_BIND_FLAG_TOKEN;
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD, &bind), -EFAULT);
	bind.token_uuid_ptr = (uintptr_t)token;
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD, &bind), -EINVAL);
	assert_int_equal(bind_to(device, -1), -EINVAL);
	assert_int_equal(bind_to(device, 9999), -EBADF);
	assert_int_equal(bind_to(device, null), -EBADFD);
	assert_int_equal(bind_to(device, device), -EBADFD);
	assert_int_equal(bind_to(device, iommufd), 0);
	assert_int_equal(bind_to(device, iommufd), -EINVAL);
	assert_int_equal(bind_to(again, iommufd), -EINVAL);
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_GET_INFO, &info), 0);
	assert_int_equal(call(again, UAPI_IOC_VFIO_DEVICE_GET_INFO, &info), -EINVAL);
	/* Its group is not to be had now. */
	assert_int_equal(open_path("/dev/vfio/0"), -EBUSY);
	close_fd(device);
	assert_int_equal(bind_to(again, iommufd), 0);
	close_fd(again);
	close_fd(iommufd);
	close(null);
}

static void nodes_that_are_not_there(void **state)
{
	(void)state;
	assert_int_equal(open_path("/dev/vfio/devices/vfio3"), -ENOENT);
	assert_int_equal(open_path("/dev/vfio/devices/vfio9"), -ENOENT);
	assert_int_equal(open_path("/dev/vfio/devices/vfio4"), -ENOENT);
	assert_int_equal(open_path("/dev/vfio/9"), -ENOENT);
	assert_int_equal(open_path("/dev/vfio/2"), -ENODEV);
	assert_int_equal(open_path("/dev/vfio/3"), -ENOENT);
}

/* The answer cannot be written: the device is as if it had not been bound. */
static void bind_without_an_answer(void **state)
{
	struct uapi_vfio_device_bind_iommufd *bind;
	const int iommufd = open_path("/dev/iommu");
	const int device = open_path("/dev/vfio/devices/vfio2");

	(void)state;
	bind = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bind->argsz = sizeof(*bind);
	bind->iommufd = iommufd;
	assert_int_equal(mprotect(bind, 4096, PROT_READ), 0);
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD, bind), -EFAULT);
	assert_int_equal(bind_to(device, iommufd), 0);
	munmap(bind, 4096);
	close_fd(device);
	close_fd(iommufd);
}

static void opened_by_its_group(void **state)
{
	struct uapi_vfio_group_status status = {.argsz = sizeof(status)};
	struct uapi_vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach)};
	const int iommufd = open_path("/dev/iommu");
	int group, node, one, two, three;
	char with_token[80];

	(void)state;
	node = open_path("/dev/vfio/devices/vfio0");
	group = open_path("/dev/vfio/0");
	assert_true(group >= 0);
	assert_int_equal(open_path("/dev/vfio/0"), -EBUSY);
	assert_int_equal(bind_to(node, iommufd), -EBUSY);
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_GET_STATUS, &status), 0);
	assert_int_equal(status.flags, UAPI_VFIO_GROUP_FLAGS_VIABLE);
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_GET_STATUS, NULL), -EFAULT);
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, (void *)(uintptr_t)first),
	                 -EINVAL);
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_UNSET_CONTAINER, NULL), -EINVAL);
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, NULL), -EFAULT);
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, &(int){9999}), -EBADF);
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, &group), -EBADFD);
	assert_int_equal(
		call(group, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, (void *)(uintptr_t)&iommufd), 0);
	assert_int_equal(
		call(group, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, (void *)(uintptr_t)&iommufd),
		-EINVAL);
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_GET_STATUS, &status), 0);
	assert_int_equal(status.flags,
	                 UAPI_VFIO_GROUP_FLAGS_VIABLE | UAPI_VFIO_GROUP_FLAGS_CONTAINER_SET);
	status.argsz = 7;
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_GET_STATUS, &status), -EINVAL);
	assert_int_equal(call(group, _IO(';', 99), NULL), -ENOTTY);
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, NULL), -EFAULT);
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, (void *)(uintptr_t)alone),
	                 -ENODEV);
	snprintf(with_token, sizeof(with_token), "%s vf_token=%s", first,
	         "00000000-0000-0000-0000-000000000000");
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, with_token), -EINVAL);
	snprintf(with_token, sizeof(with_token), "%s1", first);
	assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, with_token), -ENODEV);
	one = call(group, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, (void *)(uintptr_t)first);
	two = call(group, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, (void *)(uintptr_t)first);
	three = call(group, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, (void *)(uintptr_t)second);
	assert_true(one >= 0 && two >= 0 && three >= 0);
	/* Of what is the node's alone such a device knows nothing. */
	assert_int_equal(call(one, UAPI_IOC_VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), -ENOTTY);
	assert_int_equal(bind_to(one, iommufd), -EINVAL);
	assert_int_equal(bind_to(node, iommufd), -EBUSY);
	/* The group's file is no longer needed. */
	close_fd(group);
	assert_int_equal(bind_to(node, iommufd), -EINVAL);
	close_fd(one);
	close_fd(two);
	close_fd(three);
	assert_int_equal(bind_to(node, iommufd), 0);
	close_fd(node);
	close_fd(iommufd);
}

/* A context translates for its groups, or for none. */
static void without_an_iommu(void **state)
{
	const int iommufd = open_path("/dev/iommu"), other = open_path("/dev/iommu");
	int bare, group, device;

	(void)state;
	bare = open_path("/dev/vfio/noiommu-3");
	group = open_path("/dev/vfio/1");
	if (geteuid()) {
		assert_int_equal(bare, -EPERM);
		assert_int_equal(open_path("/dev/vfio/devices/noiommu-vfio4"), -EPERM);
	} else {
		assert_true(bare >= 0);
		assert_int_equal(
			call(group, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, (void *)(uintptr_t)&iommufd),
			0);
		assert_int_equal(
			call(bare, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, (void *)(uintptr_t)&iommufd),
			-EINVAL);
		assert_int_equal(
			call(bare, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, (void *)(uintptr_t)&other),
			0);
		assert_int_equal(
			call(other, UAPI_IOC_VFIO_CHECK_EXTENSION, (void *)UAPI_VFIO_TYPE1v2_IOMMU),
			0);
		assert_int_equal(
			call(other, UAPI_IOC_VFIO_SET_IOMMU, (void *)UAPI_VFIO_TYPE1v2_IOMMU),
			-EINVAL);
		assert_int_equal(
			call(other, UAPI_IOC_VFIO_SET_IOMMU, (void *)UAPI_VFIO_NOIOMMU_IOMMU), 0);
		device = call(bare, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, (void *)(uintptr_t)free_one);
		assert_true(device >= 0);
		close_fd(device);
		assert_int_equal(call(group, UAPI_IOC_VFIO_GROUP_UNSET_CONTAINER, NULL), 0);
		assert_int_equal(
			call(group, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, (void *)(uintptr_t)&other),
			-EINVAL);
		close_fd(bare);
	}
	close_fd(group);
	close_fd(other);
	close_fd(iommufd);
}

static int hot_reset_info(int device, uint32_t room, uint32_t *count, uint32_t *flags,
                          uint32_t *ids)
{
	union {
		struct uapi_vfio_pci_hot_reset_info info;
		uint8_t room[sizeof(struct uapi_vfio_pci_hot_reset_info) +
		             4 * sizeof(struct uapi_vfio_pci_dependent_device)];
	} cmd = {.info = {.argsz = (uint32_t)(sizeof(cmd.info) +
	                                      room * sizeof(cmd.info.devices[0]))}};
	const int error = call(device, UAPI_IOC_VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &cmd);

	*count = cmd.info.count;
	*flags = cmd.info.flags;
	for (uint32_t i = 0; !error && i < *count && i < 4; i++)
		ids[i] = cmd.info.devices[i].devid;
	return error;
}

/* What is on one bus is reset together. */
static void hot_reset(void **state)
{
	struct uapi_vfio_pci_hot_reset reset = {.argsz = sizeof(reset)};
	const int iommufd = open_path("/dev/iommu"), other = open_path("/dev/iommu");
	const int one = open_path("/dev/vfio/devices/vfio0"),
		  two = open_path("/dev/vfio/devices/vfio1"),
		  three = open_path("/dev/vfio/devices/vfio2");
	struct uapi_vfio_device_info info = {.argsz = sizeof(info)};
	uint32_t count, flags, ids[4];

	(void)state;
	assert_int_equal(bind_to(one, iommufd), 0);
	assert_int_equal(bind_to(three, iommufd), 0);
	/* Not alone, and with no reset of its own. */
	assert_int_equal(call(one, UAPI_IOC_VFIO_DEVICE_GET_INFO, &info), 0);
	assert_false(info.flags & UAPI_VFIO_DEVICE_FLAGS_RESET);
	assert_int_equal(call(one, UAPI_IOC_VFIO_DEVICE_RESET, NULL), -EINVAL);
	assert_int_equal(call(three, UAPI_IOC_VFIO_DEVICE_RESET, NULL), 0);
	assert_int_equal(hot_reset_info(one, 0, &count, &flags, ids), -ENOSPC);
	assert_int_equal(count, 2);
	assert_int_equal(hot_reset_info(one, 4, &count, &flags, ids), 0);
	assert_int_equal(count, 2);
	assert_int_equal(ids[0], 1);
	/* In its group, and so nobody else's. */
	assert_int_equal(ids[1], UAPI_VFIO_PCI_DEVID_OWNED);
	assert_int_equal(flags, UAPI_VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
	                                UAPI_VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED);
	assert_int_equal(call(one, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, &reset), 0);
	assert_int_equal(bind_to(two, other), -EPERM);
	assert_int_equal(bind_to(two, iommufd), 0);
	assert_int_equal(call(two, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, &reset), 0);
	reset.flags = 1;
	assert_int_equal(call(two, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, &reset), -EINVAL);
	reset.flags = 0;
	reset.count = 1;
	assert_int_equal(call(two, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, &reset), -EINVAL);
	reset.argsz = 11;
	assert_int_equal(call(two, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, &reset), -EINVAL);
	assert_int_equal(call(two, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, NULL), -EFAULT);
	assert_int_equal(hot_reset_info(three, 4, &count, &flags, ids), 0);
	assert_int_equal(count, 1);
	close_fd(one);
	close_fd(two);
	close_fd(three);
	close_fd(iommufd);
	close_fd(other);
}

/* By groups, all that are touched have to be shown. */
static void hot_reset_by_groups(void **state)
{
	union {
		struct uapi_vfio_pci_hot_reset reset;
		uint8_t room[sizeof(struct uapi_vfio_pci_hot_reset) + 3 * sizeof(int32_t)];
	} cmd = {.reset = {.argsz = sizeof(cmd), .count = 1}};
	const int iommufd = open_path("/dev/iommu"), group = open_path("/dev/vfio/0"),
		  other = open_path("/dev/vfio/1");
	uint32_t count, flags, ids[4];
	int device;

	(void)state;
	assert_int_equal(
		call(group, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, (void *)(uintptr_t)&iommufd), 0);
	device = call(group, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, (void *)(uintptr_t)first);
	assert_int_equal(hot_reset_info(device, 4, &count, &flags, ids), 0);
	assert_int_equal(flags, 0);
	assert_int_equal(ids[0], 0);
	cmd.reset.group_fds[0] = other;
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, &cmd), -EINVAL);
	cmd.reset.group_fds[0] = iommufd;
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, &cmd), -EINVAL);
	cmd.reset.group_fds[0] = 9999;
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, &cmd), -EBADF);
	cmd.reset.group_fds[0] = group;
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, &cmd), 0);
	cmd.reset.count = 0;
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, &cmd), -EINVAL);
	cmd.reset.count = 3;
	assert_int_equal(call(device, UAPI_IOC_VFIO_DEVICE_PCI_HOT_RESET, &cmd), -EINVAL);
	close_fd(device);
	close_fd(other);
	close_fd(group);
	close_fd(iommufd);
}

/* Each allocation fails in turn, and nothing is left of what came before. */
static void without_memory(void **state)
{
	const int iommufd = open_path("/dev/iommu");
	const char *const paths[] = {"/dev/vfio/devices/vfio2", "/dev/vfio/1"};
	int fd, error = -ENOMEM;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fd = -ENOMEM;
		for (unsigned int nth = 1; fd < 0; nth++) {
			emu_heap_fail(nth);
			fd = open_path(paths[i]);
			assert_int_equal(emu_heap_stop(), fd < 0);
			assert_true(fd >= 0 || fd == -ENOMEM);
		}
		close_fd(fd);
	}
	fd = open_path(paths[0]);
	for (unsigned int nth = 1; error; nth++) {
		emu_heap_fail(nth);
		error = bind_to(fd, iommufd);
		assert_int_equal(emu_heap_stop(), error != 0);
		assert_true(!error || error == -ENOMEM);
	}
	close_fd(fd);
	fd = open_path(paths[1]);
	assert_int_equal(call(fd, UAPI_IOC_VFIO_GROUP_SET_CONTAINER, (void *)(uintptr_t)&iommufd),
	                 0);
	error = -ENOMEM;
	for (unsigned int nth = 1; error < 0; nth++) {
		emu_heap_fail(nth);
		error = call(fd, UAPI_IOC_VFIO_GROUP_GET_DEVICE_FD, (void *)(uintptr_t)alone);
		assert_int_equal(emu_heap_stop(), error < 0);
		assert_true(error >= 0 || error == -ENOMEM);
	}
	close_fd(error);
	close_fd(fd);
	close_fd(iommufd);
}

/* The library's own way to a device, and what it tells who is in the way. */
static void through_the_library(void **state)
{
	struct libiommu_ctx *const ctx = context(), *const other = context();
	struct libiommu_device *dev, *none;
	struct libiommu_ioas *ioas;
	uint32_t id;

	(void)state;
	assert_int_equal(libiommu_device_open_pci(ctx, "02:00.0", &dev), 0);
	assert_int_equal(libiommu_device_bind(dev, 5, NULL, 0), 0);
	assert_int_equal(libiommu_device_id(dev, &id), 0);
	assert_int_equal(libiommu_ioas_alloc(ctx, &ioas), 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), 0);
	assert_int_equal(libiommu_device_open_pci(other, "02:00.0", &none), 0);
	assert_true(libiommu_device_bind(none, 5, NULL, 0) < 0);
	assert_int_equal(libiommu_device_destroy(none), 0);
	assert_int_equal(libiommu_device_open_pci(other, hosts, &none), -ENODEV);
	assert_int_equal(libiommu_device_destroy(dev), 0);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	assert_int_equal(libiommu_ctx_destroy(ctx), 0);
	assert_int_equal(libiommu_ctx_destroy(other), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(is_discovered),          CASE(files_of_sysfs),
		CASE(bound_by_its_node),      CASE(nodes_that_are_not_there),
		CASE(bind_without_an_answer), CASE(opened_by_its_group),
		CASE(without_an_iommu),       CASE(hot_reset),
		CASE(hot_reset_by_groups),    CASE(without_memory),
		CASE(through_the_library),
	};

	return cmocka_run_group_tests_name("vfio", tests, NULL, NULL);
}
