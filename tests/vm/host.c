/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The kernel's side of the test machine: its version, its IOMMU, its log, and which driver has a
 * device. */
#include "edu.h"
#include "vm.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

bool vm_kernel_at_least(unsigned int major, unsigned int minor)
{
	struct utsname name;
	unsigned int have_major = 0, have_minor = 0;

	uname(&name);
	sscanf(name.release, "%u.%u", &have_major, &have_minor);
	return have_major > major || (have_major == major && have_minor >= minor);
}

static bool line_has(char *log, const char *one, const char *other)
{
	char *next;

	for (char *line = strtok_r(log, "\n", &next); line; line = strtok_r(NULL, "\n", &next))
		if (strstr(line, one) && strstr(line, other))
			return true;
	return false;
}

bool vm_kernel_log_has(const char *one, const char *other)
{
	enum { READ_ALL = 3, SIZE = 1 << 20 };
	const struct timespec pause = {.tv_nsec = 100000000};
	char *const log = malloc(SIZE);
	bool found = false;
	int length;

	assert_non_null(log);
	for (int i = 0; i < 20 && !found; i++) {
		length = klogctl(READ_ALL, log, SIZE - 1);
		assert_true(length >= 0);
		log[length] = '\0';
		found = line_has(log, one, other);
		if (!found)
			nanosleep(&pause, NULL);
	}
	free(log);
	return found;
}

const struct vm_iommu *vm_iommu(struct libiommu_device *dev)
{
	static const struct vm_iommu kinds[] = {
		{LIBIOMMU_HW_INFO_VTD, 0xfee00000, 0xfeefffff, "DMAR: [DMA Write",
	         "fault addr 0x%llx"},
		{LIBIOMMU_HW_INFO_SMMUV3, 0x8000000, 0x80fffff, "event: F_TRANSLATION",
	         "iova: 0x%llx"},
	};
	struct libiommu_hw_info *info;
	const void *data;
	size_t length;
	uint32_t type;
	uint32_t id;

	OK(libiommu_hw_info_get(dev, &info));
	OK(libiommu_hw_info_raw(info, &type, &data, &length));
	libiommu_hw_info_free(info);
	/* Without iommufd the kernel does not say; such machines are PCs. */
	if (libiommu_device_id(dev, &id) == -EOPNOTSUPP)
		type = LIBIOMMU_HW_INFO_VTD;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].type == type)
			return &kinds[i];
	fail_msg("no IOMMU that the tests know: type %u", type);
	return NULL;
}

/* The kernel prints ten faults in five seconds at most, so one that others hid is made again. */
bool vm_write_faults(const struct vm *vm, uint64_t page)
{
	const struct vm_iommu *const iommu = vm_iommu(vm->dev);
	char address[64];

	snprintf(address, sizeof(address), iommu->fault_address, (unsigned long long)page);
	for (int i = 0; i < 6; i++) {
		assert_true(edu_store(vm->regs, page, sizeof(uint32_t)));
		if (vm_kernel_log_has(iommu->fault, address))
			return true;
	}
	return false;
}

int vm_write_file(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;
	int err;

	if (fd < 0)
		return -errno;
	written = write(fd, text, strlen(text));
	err = written < 0 ? -errno : 0;
	close(fd);
	return err;
}

int vm_give_to(const char *address, const char *driver)
{
	char path[128], link[256];
	int err = 0;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", address);
	if (driver)
		err = vm_write_file(path, driver);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", address);
	if (!err && readlink(path, link, sizeof(link)) > 0) {
		strncat(path, "/unbind", sizeof(path) - strlen(path) - 1);
		err = vm_write_file(path, address);
	}
	if (!err && driver)
		err = vm_write_file("/sys/bus/pci/drivers_probe", address);
	return err;
}

void vm_node_of(const char *address, char *node, size_t size)
{
	struct dirent *entry;
	char path[128];
	DIR *dir;

	node[0] = '\0';
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", address);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			snprintf(node, size, "/dev/vfio/devices/%s", entry->d_name);
	closedir(dir);
}

void vm_group_of(const char *address, char *path, size_t size)
{
	char link[256];
	char name[128];
	ssize_t length;

	snprintf(name, sizeof(name), "/sys/bus/pci/devices/%s/iommu_group", address);
	length = readlink(name, link, sizeof(link) - 1);
	assert_true(length > 0);
	link[length] = '\0';
	snprintf(path, size, "/dev/vfio/%s", strrchr(link, '/') + 1);
}
