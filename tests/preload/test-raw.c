/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A program with calls of its own, which is run with the emulated machine loaded before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"
#include "../../lib/base/uapi/vfio.h"

static const char edu[] = "/sys/bus/pci/devices/0000:02:00.0";
static const char node[] = "/dev/vfio/devices/vfio1";

enum { BAR_SIZE = 1 << 20, IDENTITY = 0x010000ed };

static int iommufd, device;

static int setup(void **state)
{
	struct uapi_vfio_device_bind_iommufd bind = {
		.argsz = offsetof(struct uapi_vfio_device_bind_iommufd, token_uuid_ptr)};

	(void)state;
	iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	device = open(node, O_RDWR | O_CLOEXEC);
	if (iommufd < 0 || device < 0)
		return -1;
	bind.iommufd = iommufd;
	return ioctl(device, UAPI_IOC_VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

static int teardown(void **state)
{
	(void)state;
	return close(device) || close(iommufd);
}

static int count_names(const char *path, const char *wanted)
{
	DIR *const dir = opendir(path);
	const struct dirent *entry;
	int count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		count += !wanted || !strcmp(entry->d_name, wanted);
	rewinddir(dir);
	assert_non_null(readdir(dir));
	assert_int_equal(closedir(dir), 0);
	return count;
}

static int of_buses(const struct dirent *entry)
{
	return strncmp(entry->d_name, "0000:0", 6) == 0;
}

static void directories(void **state)
{
	struct dirent **names;

	(void)state;
	assert_int_equal(count_names("/sys/bus/pci/devices", NULL), 5);
	assert_int_equal(count_names(edu, "vendor"), 1);
	assert_int_equal(count_names("/dev/vfio", "vfio"), 1);
	assert_int_equal(count_names("/dev/vfio/devices/", "vfio1"), 1);
	assert_true(count_names("/proc/self", "fd") == 1);
	assert_null(opendir("/sys/bus/pci/devices/none"));
	assert_int_equal(errno, ENOENT);
	assert_null(opendir("/sys/bus/pci/drivers_probe"));
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(scandir("/sys/bus/pci/devices", &names, of_buses, alphasort), 5);
	assert_string_equal(names[0]->d_name, "0000:01:00.0");
	assert_string_equal(names[4]->d_name, "0000:04:01.0");
	for (int i = 0; i < 5; i++)
		free(names[i]);
	free(names);
}

static void files(void **state)
{
	char path[128], text[64] = "", real[4096];
	struct utsname kernel;
	FILE *file;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/vendor", edu);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	assert_string_equal(text, "0x1234\n");
	assert_int_equal(fclose(file), 0);
	fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 7);
	close(fd);
	assert_null(fopen("/sys/bus/pci/devices/none/vendor", "r"));
	assert_int_equal(errno, ENOENT);
	snprintf(path, sizeof(path), "%s/iommu_group", edu);
	assert_int_equal(readlink(path, text, sizeof(text)), 30);
	assert_memory_equal(text, "../../../kernel/iommu_groups/1", 30);
	assert_int_equal(readlink(path, text, 5), 5);
	assert_non_null(realpath(path, real));
	assert_string_equal(real, "/sys/kernel/iommu_groups/1");
	assert_non_null(realpath("/sys/kernel/iommu_groups/1/devices/0000:02:00.0/vendor", real));
	assert_string_equal(real, "/sys/devices/pci0000:02/0000:02:00.0/vendor");
	assert_null(realpath("/sys/bus/pci/devices/none", real));
	assert_int_equal(uname(&kernel), 0);
	assert_memory_equal(kernel.release, "7.3", 3);
}

static void kinds(void **state)
{
	char path[128], name[64] = "";
	struct stat status;

	(void)state;
	assert_int_equal(stat("/dev/iommu", &status), 0);
	assert_true(S_ISCHR(status.st_mode));
	assert_int_equal(stat(node, &status), 0);
	assert_true(S_ISCHR(status.st_mode));
	assert_int_equal(stat("/dev/vfio/devices", &status), 0);
	assert_true(S_ISDIR(status.st_mode));
	assert_int_equal(stat("/dev/vfio/devices/vfio99", &status), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(stat(edu, &status), 0);
	assert_true(S_ISDIR(status.st_mode));
	assert_int_equal(lstat(edu, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	snprintf(path, sizeof(path), "%s/vendor", edu);
	assert_int_equal(fstatat(AT_FDCWD, path, &status, 0), 0);
	assert_true(S_ISREG(status.st_mode));
	assert_int_equal(access(path, R_OK), 0);
	assert_int_equal(access(path, W_OK), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(access("/dev/iommu", R_OK | W_OK), 0);
	assert_int_equal(access("/sys/bus/pci/devices/none", F_OK), -1);
	assert_int_equal(fstat(device, &status), 0);
	assert_true(S_ISCHR(status.st_mode));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", device);
	assert_int_equal(readlink(path, name, sizeof(name)), strlen(node));
	assert_string_equal(name, node);
}

/* Whatever makes a number of a descriptor, the machine knows it. */
static void copies(void **state)
{
	struct uapi_vfio_device_info info = {.argsz = sizeof(info)};
	const int numbers[] = {dup(device), fcntl(device, F_DUPFD_CLOEXEC, 100), dup2(device, 200),
	                       dup3(device, 201, O_CLOEXEC)};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_true(numbers[i] >= 0);
		assert_int_equal(ioctl(numbers[i], UAPI_IOC_VFIO_DEVICE_GET_INFO, &info), 0);
		assert_int_equal(close(numbers[i]), 0);
		assert_int_equal(ioctl(numbers[i], UAPI_IOC_VFIO_DEVICE_GET_INFO, &info), -1);
		assert_int_equal(errno, EBADF);
	}
	/* One that takes the number of another is that other no more. */
	assert_int_equal(dup2(iommufd, 200), 200);
	assert_int_equal(dup2(STDERR_FILENO, 200), 200);
	assert_int_equal(ioctl(200, UAPI_IOC_IOAS_ALLOC, &info), -1);
	assert_true(errno == ENOTTY || errno == EINVAL);
	close(200);
}

static volatile sig_atomic_t heard;
static volatile uint32_t *volatile missing;

static void hear(int number)
{
	heard = number;
	mprotect((void *)(uintptr_t)missing, 4096, PROT_READ | PROT_WRITE);
}

/* The program's handler hears of its own faults, before and after registers are mapped. */
static void registers(void **state)
{
	struct sigaction action = {.sa_handler = hear}, old;
	volatile uint32_t *regs;
	uint32_t value;

	(void)state;
	regs = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
	assert_true(regs != MAP_FAILED);
	assert_int_equal(sigaction(SIGSEGV, &action, &old), 0);
	assert_int_equal(regs[0], IDENTITY);
	missing = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	missing[0] = 5;
	assert_int_equal(heard, SIGSEGV);
	assert_int_equal(missing[0], 5);
	assert_ptr_equal(signal(SIGSEGV, SIG_DFL), hear);
	regs[1] = 7;
	assert_int_equal(regs[1], ~7U);
	assert_int_equal(sigaction(SIGSEGV, &old, NULL), 0);
	assert_int_equal(pread(device, &value, sizeof(value), 0), sizeof(value));
	assert_int_equal(value, IDENTITY);
	/* What takes a mapping's place is what it is. */
	assert_ptr_equal(mmap((void *)(uintptr_t)regs, 4096, PROT_READ | PROT_WRITE,
	                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
	                 regs);
	assert_int_equal(regs[0], 0);
	assert_int_equal(munmap((void *)(uintptr_t)regs, BAR_SIZE), 0);
	munmap((void *)(uintptr_t)missing, 4096);
}

/* Without a handler a fault of the program's own ends it, with registers mapped too. */
static void faults_for_good(void **state)
{
	volatile uint32_t *regs;
	pid_t child;
	int status;

	(void)state;
	regs = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
	assert_true(regs != MAP_FAILED);
	child = fork();
	if (!child) {
		/* In case that it never ends. */
		alarm(60);
		signal(SIGSEGV, SIG_DFL);
		missing = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		missing[0] = 5;
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	assert_int_equal(munmap((void *)(uintptr_t)regs, BAR_SIZE), 0);
}

/* A child has the same machine. */
static void children(void **state)
{
	struct uapi_ioas_alloc alloc = {.size = sizeof(alloc)};
	pid_t child;
	int status;

	(void)state;
	child = fork();
	if (!child)
		_exit(ioctl(iommufd, UAPI_IOC_IOAS_ALLOC, &alloc) ? 1 : (int)alloc.out_ioas_id);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
	assert_int_equal(ioctl(iommufd, UAPI_IOC_IOAS_ALLOC, &alloc), 0);
	assert_int_equal(alloc.out_ioas_id, 3);
}

static void interrupts(void **state)
{
	union {
		struct uapi_vfio_irq_set set;
		uint8_t room[sizeof(struct uapi_vfio_irq_set) + sizeof(int32_t)];
	} cmd = {.set = {.argsz = sizeof(cmd),
	                 .flags = UAPI_VFIO_IRQ_SET_DATA_EVENTFD | UAPI_VFIO_IRQ_SET_ACTION_TRIGGER,
	                 .index = UAPI_VFIO_PCI_INTX_IRQ_INDEX,
	                 .count = 1}};
	const int fd = eventfd(0, EFD_CLOEXEC);
	struct pollfd event = {.fd = fd, .events = POLLIN};
	const uint32_t one = 1;

	(void)state;
	memcpy(cmd.room + sizeof(cmd.set), &fd, sizeof(fd));
	assert_int_equal(ioctl(device, UAPI_IOC_VFIO_DEVICE_SET_IRQS, &cmd), 0);
	assert_int_equal(poll(&event, 1, 0), 0);
	assert_int_equal(pwrite(device, &one, sizeof(one), 0x60), sizeof(one));
	assert_int_equal(poll(&event, 1, 0), 1);
	close(fd);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(directories), CASE(files),           CASE(kinds),    CASE(copies),
		CASE(registers),   CASE(faults_for_good), CASE(children), CASE(interrupts),
	};

	return cmocka_run_group_tests_name("raw", tests, NULL, NULL);
}
