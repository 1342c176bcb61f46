/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Regions of a device: read, written and mapped. */
#include "model-rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../emu/heap.h"
#include "../../emu/memcheck.h"
#include "../../emu/trap.h"

enum { ROM = 6, TABLE = 0x1000, ROM_LENGTH = 1000, BOTH = PROT_READ | PROT_WRITE };

static struct model_rig rig;

static void furnish(struct model *model)
{
	uint8_t image[ROM_LENGTH];

	emu_pci_add_bar(&model->pci, 0, MODEL_SIZE, 0);
	emu_pci_add_bar(&model->pci, 1, 32, 0);
	emu_pci_add_bar(&model->pci, 2, 65536, EMU_BAR_64 | EMU_BAR_PREFETCH | EMU_BAR_MEMORY);
	emu_pci_add_bar(&model->pci, 4, 64, EMU_BAR_IO);
	emu_pci_add_msix(&model->pci, 4, 0, TABLE, TABLE + 0x800);
	memset(image, 0x11, sizeof(image));
	image[0] = 0x55;
	image[1] = 0xaa;
	model->pci.rom = memfd_create("rom", MFD_CLOEXEC);
	assert_int_equal(write(model->pci.rom, image, sizeof(image)), sizeof(image));
	model->pci.rom_size = 2048;
}

static int setup(void **state)
{
	(void)state;
	return model_setup(&rig, furnish);
}

static int teardown(void **state)
{
	(void)state;
	model_teardown(&rig);
	return 0;
}

static int get_region(uint32_t index, size_t room, void *to)
{
	struct uapi_vfio_region_info *const info = to;

	info->argsz = (uint32_t)room;
	info->index = index;
	return libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_GET_REGION_INFO, info);
}

static void tells(void **state)
{
	static const uint64_t sizes[] = {MODEL_SIZE, 32, 65536, 0, 64, 0, 2048, 256};
	const uint32_t both = UAPI_VFIO_REGION_INFO_FLAG_READ | UAPI_VFIO_REGION_INFO_FLAG_WRITE;
	const uint32_t mmap = emu_trap_works() ? UAPI_VFIO_REGION_INFO_FLAG_MMAP : 0;
	const uint32_t flags[] = {both | mmap | (mmap ? UAPI_VFIO_REGION_INFO_FLAG_CAPS : 0),
	                          both | mmap,
	                          both | UAPI_VFIO_REGION_INFO_FLAG_MMAP,
	                          0,
	                          both,
	                          0,
	                          UAPI_VFIO_REGION_INFO_FLAG_READ,
	                          both};
	struct {
		struct uapi_vfio_region_info info;
		struct uapi_vfio_info_cap_header cap;
	} region;
	struct uapi_vfio_device_info device = {.argsz = sizeof(device)};

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		memset(&region, 0xff, sizeof(region));
		assert_int_equal(get_region(i, sizeof(region), &region), 0);
		assert_int_equal(region.info.size, sizes[i]);
		assert_int_equal(region.info.flags, flags[i]);
		assert_int_equal(region.info.offset, (uint64_t)i << 40);
		if (!(flags[i] & UAPI_VFIO_REGION_INFO_FLAG_CAPS))
			continue;
		assert_int_equal(region.info.cap_offset, sizeof(region.info));
		assert_int_equal(region.cap.id, UAPI_VFIO_REGION_INFO_CAP_MSIX_MAPPABLE);
		assert_int_equal(region.cap.next, 0);
		assert_int_equal(get_region(i, sizeof(region.info), &region), 0);
		assert_int_equal(region.info.cap_offset, 0);
		assert_int_equal(region.info.argsz, sizeof(region));
	}
	assert_int_equal(get_region(8, sizeof(region), &region), -EINVAL);
	assert_int_equal(get_region(9, sizeof(region), &region), -EINVAL);
	assert_int_equal(get_region(0, sizeof(region.info) - 1, &region), -EINVAL);
	assert_int_equal(
		libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_GET_REGION_INFO, NULL),
		-EFAULT);
	assert_int_equal(
		libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_GET_INFO, &device), 0);
	assert_int_equal(device.num_regions, 9);
	assert_int_equal(device.num_irqs, 5);
	/* Alone, but on the first bus: nothing can reset it. */
	assert_int_equal(device.flags, UAPI_VFIO_DEVICE_FLAGS_PCI);
	assert_int_equal(libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_RESET, NULL),
	                 -EINVAL);
	device.argsz = 15;
	assert_int_equal(
		libiommu_emu_ioctl(rig.emu, rig.fd, UAPI_IOC_VFIO_DEVICE_GET_INFO, &device),
		-EINVAL);
	assert_int_equal(libiommu_emu_ioctl(rig.emu, rig.fd, _IO(';', 222), NULL), -ENOTTY);
}

/* In pieces as large as they are aligned, up to what the region ends with. */
static void registers(void **state)
{
	uint8_t bytes[64];

	(void)state;
	memset(bytes, 0x77, sizeof(bytes));
	assert_int_equal(model_pwrite(&rig, 0, 0x101, bytes, 15), 15);
	/* 1, 2, 4 and 8 bytes. */
	assert_int_equal(rig.model->writes, 4);
	assert_int_equal(rig.model->widest, 8);
	assert_int_equal(rig.model->registers[0x100], 0);
	assert_int_equal(rig.model->registers[0x101], 0x77);
	assert_int_equal(rig.model->registers[0x10f], 0x77);
	assert_int_equal(rig.model->registers[0x110], 0);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(model_pread(&rig, 0, 0x108, bytes, 7), 7);
	assert_int_equal(rig.model->reads, 3);
	assert_int_equal(bytes[6], 0x77);
	assert_int_equal(bytes[7], 0);
	assert_int_equal(model_pread(&rig, 0, MODEL_SIZE - 4, bytes, 64), 4);
	assert_int_equal(model_pread(&rig, 0, MODEL_SIZE, bytes, 1), -EINVAL);
	assert_int_equal(model_pread(&rig, 3, 0, bytes, 1), -EINVAL);
	assert_int_equal(model_pread(&rig, 0, 0, NULL, 4), -EFAULT);
	assert_int_equal(model_pwrite(&rig, 0, 0, NULL, 4), -EFAULT);
	/* Without a place, in the first region. */
	assert_int_equal(libiommu_emu_write(rig.emu, rig.fd, "abcd", 4), 4);
	assert_int_equal(libiommu_emu_write(rig.emu, rig.fd, "efgh", 4), 4);
	assert_memory_equal(rig.model->registers, "abcdefgh", 8);
	assert_int_equal(libiommu_emu_read(rig.emu, rig.fd, bytes, 4), 4);
}

/* Where the vectors of MSI-X lie only the kernel writes. */
static void vectors_are_hidden(void **state)
{
	uint8_t bytes[256];

	(void)state;
	memset(bytes, 0x33, sizeof(bytes));
	assert_int_equal(model_pwrite(&rig, 0, TABLE - 8, bytes, 80), 80);
	assert_int_equal(rig.model->registers[TABLE - 1], 0x33);
	assert_int_equal(rig.model->registers[TABLE], 0);
	assert_int_equal(rig.model->registers[TABLE + 63], 0);
	assert_int_equal(rig.model->registers[TABLE + 64], 0x33);
	assert_int_equal(model_pread(&rig, 0, TABLE + 10, bytes, 60), 60);
	assert_int_equal(bytes[0], 0xff);
	assert_int_equal(bytes[53], 0xff);
	assert_int_equal(bytes[54], 0x33);
	assert_int_equal(model_pread(&rig, 0, TABLE, NULL, 8), -EFAULT);
}

static void rom(void **state)
{
	uint8_t bytes[2048];

	(void)state;
	assert_int_equal(model_pread(&rig, ROM, 0, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(bytes[0], 0x55);
	assert_int_equal(bytes[ROM_LENGTH - 1], 0x11);
	/* The rest of its place is not asked. */
	assert_int_equal(bytes[ROM_LENGTH], 0xff);
	assert_int_equal(bytes[2047], 0xff);
	assert_int_equal(model_pwrite(&rig, ROM, 0, bytes, 4), -EINVAL);
	assert_int_equal(model_pread(&rig, ROM, 2048, bytes, 4), -EINVAL);
	/* What does not begin as an image is none. */
	assert_int_equal(pwrite(rig.model->pci.rom, "x", 1, 0), 1);
	assert_int_equal(model_pread(&rig, ROM, 0, bytes, 4), -ENOMEM);
}

static void what_mmap_refuses(void **state)
{
	const struct {
		unsigned int bar;
		uint64_t offset;
		size_t length;
	} wrong[] = {{3, 0, 4096},           {4, 0, 4096},          {ROM, 0, 4096},
	             {7, 0, 4096},           {9, 0, 4096},          {0, MODEL_SIZE, 4096},
	             {0, 0, 2 * MODEL_SIZE}, {0, 8192, MODEL_SIZE}, {1, 4096, 4096}};
	void *address;

	(void)state;
	model_need_traps();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(model_map(&rig, wrong[i].bar, BOTH, wrong[i].offset, wrong[i].length));
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(
		libiommu_emu_mmap(rig.emu, NULL, 4096, BOTH, MAP_PRIVATE, rig.fd, 0, &address),
		-EINVAL);
}

/* What is mapped keeps the device, and its registers, when the descriptor is closed. */
static void mapped(void **state)
{
	volatile uint32_t *regs, *part, *small;

	(void)state;
	model_need_traps();
	regs = model_map(&rig, 0, BOTH, 0, MODEL_SIZE);
	part = model_map(&rig, 0, PROT_READ, 4096, 4096);
	small = model_map(&rig, 1, BOTH, 0, 4096);
	assert_non_null(regs);
	assert_non_null(part);
	assert_non_null(small);
	regs[1024] = 0x12345678;
	assert_int_equal(part[0], 0x12345678);
	assert_int_equal(rig.model->widest, 4);
	libiommu_emu_close(rig.emu, rig.fd);
	rig.fd = -1;
	assert_int_equal(libiommu_emu_munmap(rig.emu, (void *)(uintptr_t)part, 4096), 0);
	assert_int_equal(libiommu_emu_munmap(rig.emu, (void *)(uintptr_t)small, 4096), 0);
	/* The first page only: the others stay what they were. */
	assert_int_equal(libiommu_emu_munmap(rig.emu, (void *)(uintptr_t)regs, 4096), 0);
	assert_int_equal(regs[1024], 0x12345678);
	assert_int_equal(
		libiommu_emu_munmap(rig.emu, (void *)(uintptr_t)(regs + 1024), MODEL_SIZE - 4096),
		0);
	/* Nobody has it any more: it can be had. */
	rig.fd = libiommu_emu_open(rig.emu, MODEL_NODE, O_RDWR | O_CLOEXEC);
	assert_int_equal(model_bind(&rig, rig.fd), 0);
}

/* A BAR of memory is mapped as it is, and what one sees the other sees. */
static void memory(void **state)
{
	uint8_t *bytes, seen[8] = {0};

	(void)state;
	bytes = model_map(&rig, 2, BOTH, 4096, 8192);
	assert_non_null(bytes);
	memset(bytes, 0x42, 8192);
	assert_int_equal(model_pread(&rig, 2, 4096 + 8188, seen, 8), 8);
	assert_memory_equal(seen, "\x42\x42\x42\x42\0\0\0\0", 8);
	assert_int_equal(model_pwrite(&rig, 2, 4096, "12345678", 8), 8);
	assert_memory_equal(bytes, "12345678", 8);
	assert_int_equal(libiommu_emu_munmap(rig.emu, bytes, 8192), 0);
}

/* How a process ends that does this. */
static int ends_with(void (*does)(void))
{
	const pid_t child = fork();
	int status;

	if (!child) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		emu_trap_add(rig.emu);
		does();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static volatile uint32_t *volatile target;

__attribute__((no_sanitize("undefined"))) static void reads_target(void)
{
	(void)target[0];
}

__attribute__((no_sanitize("undefined"))) static void writes_target(void)
{
	target[0] = 1;
}

static void expect_signal(unsigned int bar, uint32_t command, int number)
{
	model_set_config(&rig, EMU_PCI_COMMAND, 2, command);
	target = model_map(&rig, bar, BOTH, 0, 4096);
	assert_non_null(target);
	assert_int_equal(ends_with(reads_target), number);
	assert_int_equal(ends_with(writes_target), number);
	libiommu_emu_munmap(rig.emu, (void *)(uintptr_t)target, 4096);
}

/* What the device does not decode is a bus error; what is not mapped so, or at all, is none. */
static void signals(void **state)
{
	(void)state;
	model_need_traps();
	expect_signal(0, EMU_PCI_COMMAND_MEMORY, 0);
	expect_signal(2, EMU_PCI_COMMAND_MEMORY, 0);
	expect_signal(0, 0, SIGBUS);
	expect_signal(2, 0, SIGBUS);
	model_set_config(&rig, EMU_PCI_COMMAND, 2, EMU_PCI_COMMAND_MEMORY);
	target = model_map(&rig, 0, PROT_READ, 0, 4096);
	assert_non_null(target);
	assert_int_equal(ends_with(reads_target), 0);
	assert_int_equal(ends_with(writes_target), SIGSEGV);
	libiommu_emu_munmap(rig.emu, (void *)(uintptr_t)target, 4096);
	target = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(target != MAP_FAILED);
	assert_int_equal(ends_with(reads_target), SIGSEGV);
	munmap((void *)(uintptr_t)target, 4096);
	target = NULL;
	assert_int_equal(ends_with(reads_target), SIGSEGV);
}

/* What is mapped comes and goes as the device decodes it. */
static void comes_and_goes(void **state)
{
	uint8_t *bytes;

	(void)state;
	model_need_traps();
	bytes = model_map(&rig, 2, BOTH, 0, 4096);
	target = (volatile uint32_t *)(void *)bytes;
	target[0] = 7;
	model_set_config(&rig, EMU_PCI_COMMAND, 2, 0);
	assert_int_equal(ends_with(reads_target), SIGBUS);
	model_set_config(&rig, EMU_PCI_COMMAND, 2, EMU_PCI_COMMAND_MEMORY);
	assert_int_equal(target[0], 7);
	libiommu_emu_munmap(rig.emu, bytes, 4096);
}

static volatile sig_atomic_t handled;

static void handle(int number)
{
	handled = number;
	mmap((void *)(uintptr_t)target, 4096, BOTH, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* A program's own handler hears of what is not the machine's. */
static void other_handlers(void **state)
{
	struct sigaction action = {.sa_handler = handle}, before;
	volatile uint32_t *regs;

	(void)state;
	model_need_traps();
	assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
	regs = model_map(&rig, 0, BOTH, 0, 4096);
	target = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* It is meant to fault. */
	emu_memcheck_defined((uintptr_t)target, 4096);
	writes_target();
	assert_int_equal(handled, SIGSEGV);
	assert_int_equal(target[0], 1);
	regs[0] = 9;
	assert_int_equal(regs[0], 9);
	libiommu_emu_munmap(rig.emu, (void *)(uintptr_t)regs, 4096);
	munmap((void *)(uintptr_t)target, 4096);
	sigaction(SIGSEGV, &before, NULL);
}

static void without_memory(void **state)
{
	void *address = NULL;

	(void)state;
	model_need_traps();
	for (unsigned int nth = 1; !address; nth++) {
		emu_heap_fail(nth);
		address = model_map(&rig, 0, BOTH, 0, 4096);
		assert_int_equal(emu_heap_stop(), !address);
		assert_true(address || errno == ENOMEM);
	}
	libiommu_emu_munmap(rig.emu, address, 4096);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(tells),
		CASE(registers),
		CASE(vectors_are_hidden),
		CASE(rom),
		CASE(what_mmap_refuses),
		CASE(mapped),
		CASE(memory),
		CASE(signals),
		CASE(comes_and_goes),
		CASE(other_handlers),
		CASE(without_memory),
	};

	return cmocka_run_group_tests_name("vfio-region", tests, NULL, NULL);
}
