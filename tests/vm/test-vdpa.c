/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * One registration serves a device of VFIO and devices of the kernel's vDPA simulator: bytes go
 * through both, and do not when it has gone.
 */
#include "edu.h"
#include "vdpa-sim.h"
#include "vm.h"

#include <linux/vhost.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the parts of the memory are, in pages. */
enum { QUEUE = 0, HEAD = 2, FIRST = 3, SECOND = 4, THIRD = 5, PAGES = 32 };

struct rig {
	struct vm *vm;
	char name[16];
	char node[48];
	struct libiommu_vdpa *vdpa;
	struct libiommu_dma_space *space;
	uint8_t *memory; /* PAGES, shared */
	struct sim_queue queue;
	bool working;
};

static uint8_t *page(const struct rig *rig, size_t number)
{
	return rig->memory + number * VM_PAGE;
}

static void fill(uint8_t *bytes, uint8_t seed)
{
	for (size_t i = 0; i < VM_PAGE; i++)
		bytes[i] = (uint8_t)(i * 7 + seed + i / 256);
}

/* IOVAs that the edu device has bits for. */
static void make_space(struct rig *rig)
{
	const struct libiommu_iova_range range = {VM_IOVA, 0xfffffff};
	struct libiommu_dma_space_config *config;

	OK(libiommu_dma_space_config_new(&config));
	OK(libiommu_dma_space_config_set_policy(config, LIBIOMMU_DMA_WINDOW));
	OK(libiommu_dma_space_config_set_allowed(config, &range, 1));
	OK(libiommu_dma_space_new(rig->vm->ioas, config, &rig->space));
	libiommu_dma_space_config_free(config);
}

static uint8_t *shared_memory(size_t length)
{
	const int fd = memfd_create("vdpa", MFD_CLOEXEC);
	void *memory;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)length), 0);
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(memory != MAP_FAILED);
	close(fd);
	return memory;
}

static int set_up(void **state, const char *kind)
{
	static unsigned int made;
	struct rig *const rig = calloc(1, sizeof(*rig));
	int error;

	if (!rig || vm_setup_bound((void **)&rig->vm))
		return -1;
	*state = rig;
	snprintf(rig->name, sizeof(rig->name), "sim%u", made++);
	error = sim_create(kind, rig->name);
	if (error || !sim_node(rig->name, rig->node, sizeof(rig->node))) {
		print_error("no device of %s: %s\n", kind, strerror(-error));
		return -1;
	}
	rig->memory = shared_memory((size_t)PAGES * VM_PAGE);
	vm_map_registers(rig->vm);
	make_space(rig);
	OK(libiommu_dma_space_attach(rig->space, rig->vm->dev, NULL));
	OK(libiommu_vdpa_open(rig->vm->ctx, rig->node, 0, &rig->vdpa));
	return 0;
}

static int setup_block(void **state)
{
	return set_up(state, "vdpasim_blk");
}

static int setup_net(void **state)
{
	return set_up(state, "vdpasim_net");
}

static int teardown(void **state)
{
	struct rig *const rig = *state;
	int failed;

	if (rig->working)
		sim_queue_end(&rig->queue);
	OK(libiommu_device_detach(rig->vm->dev));
	OK(libiommu_dma_space_destroy(rig->space));
	OK(libiommu_vdpa_destroy(rig->vdpa));
	assert_int_equal(sim_delete(rig->name), 0);
	munmap(rig->memory, (size_t)PAGES * VM_PAGE);
	failed = vm_teardown((void **)&rig->vm);
	free(rig);
	return failed;
}

static uint64_t add(struct rig *rig, size_t first, size_t pages, uint32_t flags)
{
	uint64_t iova = 0;

	OK(libiommu_dma_space_register(rig->space, page(rig, first), pages * VM_PAGE, flags,
	                               &iova));
	return iova;
}

static void drop(struct rig *rig, size_t first, size_t pages)
{
	OK(libiommu_dma_space_unregister(rig->space, page(rig, first), pages * VM_PAGE));
}

/* The queue of a block device, and what goes around the data: in mapped memory. */
static void start_block(struct rig *rig, uint64_t iova)
{
	rig->queue = (struct sim_queue){
		.fd = libiommu_vdpa_fd(rig->vdpa),
		.memory = page(rig, QUEUE),
		.iova = iova,
	};
	assert_int_equal(sim_begin(rig->queue.fd, 0), 0);
	assert_int_equal(sim_queue_add(&rig->queue), 0);
	assert_int_equal(sim_go(rig->queue.fd), 0);
	rig->working = true;
}

static int transfer(struct rig *rig, bool write, uint64_t iova)
{
	return sim_block(&rig->queue, page(rig, HEAD), rig->queue.iova + HEAD * VM_PAGE, write,
	                 iova, VM_PAGE);
}

/* Memory, the simulated disk, memory, the edu device, memory: all under the same IOVAs. */
static void test_one_call_serves_both(void **state)
{
	struct rig *const rig = *state;
	uint64_t base;

	OK(libiommu_dma_space_mirror_vdpa(rig->space, rig->vdpa, 0));
	base = add(rig, 0, PAGES, VM_READ_WRITE);
	start_block(rig, base);
	fill(page(rig, FIRST), 1);
	assert_int_equal(transfer(rig, true, base + FIRST * VM_PAGE), 0);
	assert_int_equal(transfer(rig, false, base + SECOND * VM_PAGE), 0);
	assert_memory_equal(page(rig, FIRST), page(rig, SECOND), VM_PAGE);
	assert_true(edu_load(rig->vm->regs, base + SECOND * VM_PAGE, VM_PAGE));
	assert_true(edu_store(rig->vm->regs, base + THIRD * VM_PAGE, VM_PAGE));
	assert_memory_equal(page(rig, FIRST), page(rig, THIRD), VM_PAGE);
}

/* One page comes and goes; the device has the others all the time. */
static void test_unregistered(void **state)
{
	struct rig *const rig = *state;
	uint8_t before[VM_PAGE];
	uint64_t data;

	OK(libiommu_dma_space_mirror_vdpa(rig->space, rig->vdpa, 0));
	start_block(rig, add(rig, 0, FIRST, VM_READ_WRITE));
	data = add(rig, FIRST, 1, VM_READ_WRITE);
	fill(page(rig, FIRST), 2);
	assert_int_equal(transfer(rig, true, data), 0);
	drop(rig, FIRST, 1);
	memset(page(rig, FIRST), 0x0d, VM_PAGE);
	memset(before, 0x0d, VM_PAGE);
	assert_int_equal(transfer(rig, false, data), 1);
	assert_memory_equal(page(rig, FIRST), before, VM_PAGE);
	assert_int_equal(add(rig, FIRST, 1, VM_READ_WRITE), data);
	assert_int_equal(transfer(rig, false, data), 0);
	fill(before, 2);
	assert_memory_equal(page(rig, FIRST), before, VM_PAGE);
}

/* Memory for reading is read, and not written. */
static void test_read_only(void **state)
{
	struct rig *const rig = *state;
	uint64_t data;

	OK(libiommu_dma_space_mirror_vdpa(rig->space, rig->vdpa, 0));
	start_block(rig, add(rig, 0, FIRST, VM_READ_WRITE));
	data = add(rig, FIRST, 1, LIBIOMMU_MAP_READ);
	assert_int_equal(transfer(rig, true, data), 0);
	assert_int_equal(transfer(rig, false, data), 1);
}

/* What was registered before is there too, all of it; and after the end, nothing. */
static void test_mirrored_later(void **state)
{
	struct rig *const rig = *state;
	uint64_t base, data[PAGES];
	uint8_t before[VM_PAGE];

	base = add(rig, 0, FIRST, VM_READ_WRITE);
	/* Not one after the other, or they could be one mapping. */
	for (size_t i = PAGES; i-- > FIRST;)
		data[i] = add(rig, i, 1, VM_READ_WRITE);
	OK(libiommu_dma_space_mirror_vdpa(rig->space, rig->vdpa, 0));
	FAILS(EEXIST, libiommu_dma_space_mirror_vdpa(rig->space, rig->vdpa, 0));
	FAILS(EBUSY, libiommu_vdpa_destroy(rig->vdpa));
	start_block(rig, base);
	for (size_t i = FIRST; i + 1 < PAGES; i++) {
		fill(page(rig, i), (uint8_t)i);
		memset(page(rig, i + 1), 0, VM_PAGE);
		assert_int_equal(transfer(rig, true, data[i]), 0);
		assert_int_equal(transfer(rig, false, data[i + 1]), 0);
		assert_memory_equal(page(rig, i), page(rig, i + 1), VM_PAGE);
	}
	OK(libiommu_dma_space_unmirror_vdpa(rig->space, rig->vdpa, 0));
	FAILS(ENOENT, libiommu_dma_space_unmirror_vdpa(rig->space, rig->vdpa, 0));
	memset(page(rig, FIRST), 0x0d, VM_PAGE);
	memset(before, 0x0d, VM_PAGE);
	assert_int_equal(transfer(rig, false, data[FIRST]), -1);
	assert_memory_equal(page(rig, FIRST), before, VM_PAGE);
}

/* A reset takes nothing away from a device with VHOST_BACKEND_F_IOTLB_PERSIST. */
static void test_reset(void **state)
{
	struct rig *const rig = *state;
	uint64_t base, features;

	OK(libiommu_vdpa_features(rig->vdpa, &features));
	/* Messages of version 2, batches, address spaces. */
	assert_int_equal(features & 0xe, 0xe);
	OK(libiommu_dma_space_mirror_vdpa(rig->space, rig->vdpa, 0));
	base = add(rig, 0, PAGES, VM_READ_WRITE);
	start_block(rig, base);
	assert_int_equal(transfer(rig, true, base + FIRST * VM_PAGE), 0);
	assert_int_equal(sim_reset(rig->queue.fd), 0);
	sim_queue_end(&rig->queue);
	rig->working = false;
	if (!(features & 1 << 8)) {
		OK(libiommu_dma_space_unmirror_vdpa(rig->space, rig->vdpa, 0));
		OK(libiommu_dma_space_mirror_vdpa(rig->space, rig->vdpa, 0));
	}
	start_block(rig, base);
	fill(page(rig, FIRST), 3);
	assert_int_equal(transfer(rig, true, base + FIRST * VM_PAGE), 0);
	assert_int_equal(transfer(rig, false, base + SECOND * VM_PAGE), 0);
	assert_memory_equal(page(rig, FIRST), page(rig, SECOND), VM_PAGE);
}

/* Memory that is no file's: pinned, or passed over without a word. */
static void test_anonymous(void **state)
{
	struct rig *const rig = *state;
	uint8_t *const private =
		mmap(NULL, VM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t data;

	assert_true(private != MAP_FAILED);
	OK(libiommu_dma_space_mirror_vdpa(rig->space, rig->vdpa, 0));
	start_block(rig, add(rig, 0, PAGES, VM_READ_WRITE));
	OK(libiommu_dma_space_register(rig->space, private, VM_PAGE, VM_READ_WRITE, &data));
	fill(private, 4);
	assert_int_equal(transfer(rig, true, data), sim_uses_addresses() ? 1 : 0);
	OK(libiommu_dma_space_unregister(rig->space, private, VM_PAGE));
	munmap(private, VM_PAGE);
}

/* A device that pins is held to the limit, whatever the process may else. */
static void test_limit(void **state)
{
	struct rig *const rig = *state;
	struct rlimit before, small = {4 * VM_PAGE, 4 * VM_PAGE};
	uint64_t iova;

	if (sim_uses_addresses())
		SKIP("this simulator pins nothing (vdpa_sim.use_va=0 makes it)");
	OK(libiommu_dma_space_mirror_vdpa(rig->space, rig->vdpa, 0));
	add(rig, 0, 4, VM_READ_WRITE);
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &before), 0);
	small.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &small), 0);
	FAILS(EFAULT,
	      libiommu_dma_space_register(rig->space, page(rig, 8), VM_PAGE, VM_READ_WRITE, &iova));
	EXPLAINED("ulimit -l");
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &before), 0);
	add(rig, 8, 1, VM_READ_WRITE);
}

/* What the kernel says to what cannot be. */
static void test_refused(void **state)
{
	struct rig *const rig = *state;
	struct libiommu_vdpa *other;
	struct libiommu_iova_range range;
	uint32_t count;
	pid_t child;
	int status;

	FAILS(EBUSY, libiommu_vdpa_open(rig->vm->ctx, rig->node, 0, &other));
	FAILS(ENOENT, libiommu_vdpa_open(rig->vm->ctx, "/dev/vhost-vdpa-none", 0, &other));
	FAILS(ENOTTY, libiommu_vdpa_open(rig->vm->ctx, "/dev/null", 0, &other));
	FAILS(EOPNOTSUPP, libiommu_vdpa_adopt(rig->vm->ctx, libiommu_vdpa_fd(rig->vdpa),
	                                      LIBIOMMU_FD_BORROW, UINT64_C(1) << 60, &other));
	/* This process owns it: a second handle on the same descriptor is good. */
	OK(libiommu_vdpa_adopt(rig->vm->ctx, libiommu_vdpa_fd(rig->vdpa), LIBIOMMU_FD_DUP, 0,
	                       &other));
	OK(libiommu_vdpa_destroy(other));
	OK(libiommu_vdpa_address_spaces(rig->vdpa, &count));
	assert_int_equal(count, 1);
	OK(libiommu_vdpa_groups(rig->vdpa, &count));
	assert_int_equal(count, 1);
	OK(libiommu_vdpa_iova_range(rig->vdpa, &range));
	assert_true(range.start == 0 && range.last == UINT64_MAX);

	OK(libiommu_vdpa_map(rig->vdpa, 0, rig->memory, 2 * VM_PAGE, VM_READ_WRITE, VM_IOVA));
	/* The kernel has one answer to whatever is wrong. */
	FAILS(EFAULT, libiommu_vdpa_map(rig->vdpa, 0, rig->memory, VM_PAGE, VM_READ_WRITE,
	                                VM_IOVA + VM_PAGE));
	EXPLAINED("mapped in the range already");
	FAILS(EINVAL, libiommu_vdpa_map(rig->vdpa, 1, rig->memory, VM_PAGE, VM_READ_WRITE, 0));
	/* Above all that a process can have. */
	FAILS(EFAULT, libiommu_vdpa_map(rig->vdpa, 0, (void *)((uintptr_t)1 << 48), VM_PAGE,
	                                VM_READ_WRITE, 0));
	child = fork();
	if (!child)
		_exit(libiommu_vdpa_map(rig->vdpa, 0, rig->memory, VM_PAGE, VM_READ_WRITE, 0) ==
		                      -EFAULT
		              ? 0
		              : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	OK(libiommu_vdpa_unmap(rig->vdpa, 0, VM_IOVA, 2 * VM_PAGE));
	/* Nothing there is no error. */
	OK(libiommu_vdpa_unmap(rig->vdpa, 0, VM_IOVA, 2 * VM_PAGE));
}

/* The address that a network device has in its configuration. */
static void get_mac(int fd, uint8_t mac[6])
{
	union {
		struct vhost_vdpa_config head;
		uint8_t bytes[sizeof(struct vhost_vdpa_config) + 6];
	} config = {.head = {.off = 0, .len = 6}};

	assert_int_equal(ioctl(fd, VHOST_VDPA_GET_CONFIG, &config), 0);
	memcpy(mac, config.bytes + sizeof(struct vhost_vdpa_config), 6);
}

/* A command on the control queue, whose memory is at the same IOVA as other memory of space 0. */
static bool set_mac(struct rig *rig, const uint8_t mac[6], uint8_t *ack)
{
	uint8_t *const head = page(rig, HEAD);
	const uint64_t iova = rig->queue.iova + HEAD * VM_PAGE;
	const struct sim_part parts[] = {{iova, 8, false}, {iova + 8, 1, true}};
	bool answered;

	head[0] = VIRTIO_NET_CTRL_MAC;
	head[1] = VIRTIO_NET_CTRL_MAC_ADDR_SET;
	memcpy(head + 2, mac, 6);
	head[8] = 0xee;
	answered = sim_request(&rig->queue, parts, 2);
	*ack = head[8];
	return answered;
}

static void start_control(struct rig *rig)
{
	rig->queue = (struct sim_queue){
		.fd = libiommu_vdpa_fd(rig->vdpa),
		.index = 2,
		.memory = page(rig, QUEUE),
		.iova = VM_IOVA,
	};
	assert_int_equal(
		sim_begin(rig->queue.fd, UINT64_C(1) << VIRTIO_NET_F_CTRL_VQ |
	                                         UINT64_C(1) << VIRTIO_NET_F_CTRL_MAC_ADDR |
	                                         UINT64_C(1) << VIRTIO_NET_F_MAC),
		0);
	/* After the reset, which gives all groups address space 0. */
	OK(libiommu_vdpa_set_group(rig->vdpa, 1, 1));
	assert_int_equal(sim_queue_add(&rig->queue), 0);
	assert_int_equal(sim_go(rig->queue.fd), 0);
	rig->working = true;
}

/* A network device's control queue has memory of its own, which its data queues do not see. */
static void test_address_spaces(void **state)
{
	static const uint8_t wanted[6] = {2, 0x1a, 0xbe, 1, 2, 3};
	struct rig *const rig = *state;
	uint32_t count, group;
	uint8_t mac[6], ack;
	int result;

	OK(libiommu_vdpa_address_spaces(rig->vdpa, &count));
	assert_int_equal(count, 2);
	OK(libiommu_vdpa_groups(rig->vdpa, &count));
	assert_int_equal(count, 2);
	for (uint32_t queue = 0; queue < 3; queue++) {
		OK(libiommu_vdpa_queue_group(rig->vdpa, queue, &group));
		assert_int_equal(group, queue == 2);
	}
	FAILS(ENOBUFS, libiommu_vdpa_queue_group(rig->vdpa, 3, &group));
	FAILS(EINVAL, libiommu_vdpa_set_group(rig->vdpa, 2, 0));
	FAILS(EINVAL, libiommu_vdpa_set_group(rig->vdpa, 1, 2));
	FAILS(EINVAL, libiommu_dma_space_mirror_vdpa(rig->space, rig->vdpa, 2));

	/* Space 0 mirrors what is registered; space 1 has other memory where the first has some. */
	OK(libiommu_dma_space_mirror_vdpa(rig->space, rig->vdpa, 0));
	assert_int_equal(add(rig, 16, 16, VM_READ_WRITE), VM_IOVA);
	OK(libiommu_vdpa_map(rig->vdpa, 1, rig->memory, 4 * VM_PAGE, VM_READ_WRITE, VM_IOVA));
	start_control(rig);
	assert_true(set_mac(rig, wanted, &ack));
	assert_int_equal(ack, 0);
	get_mac(rig->queue.fd, mac);
	assert_memory_equal(mac, wanted, 6);
	result = libiommu_vdpa_set_group(rig->vdpa, 1, 0);
	print_message("# a group of a device at work: %s\n", strerror(-result));
	assert_true(!result || result == -EBUSY);
	if (!result)
		OK(libiommu_vdpa_set_group(rig->vdpa, 1, 1));
	/* The one goes, the other stays. */
	OK(libiommu_dma_space_unmirror_vdpa(rig->space, rig->vdpa, 0));
	assert_true(set_mac(rig, wanted, &ack));
	OK(libiommu_vdpa_unmap(rig->vdpa, 1, VM_IOVA, 4 * VM_PAGE));
	assert_false(set_mac(rig, wanted, &ack));
}

/* Two spaces in the two address spaces of one device. */
static void test_two_spaces(void **state)
{
	static const uint8_t wanted[6] = {2, 0x1a, 0xbe, 4, 5, 6};
	struct rig *const rig = *state;
	struct libiommu_ioas *ioas;
	struct libiommu_dma_space *data;
	uint64_t iova;
	uint8_t mac[6], ack;

	OK(libiommu_ioas_alloc(rig->vm->ctx, &ioas));
	OK(libiommu_dma_space_new(ioas, NULL, &data));
	OK(libiommu_dma_space_mirror_vdpa(data, rig->vdpa, 0));
	OK(libiommu_dma_space_mirror_vdpa(rig->space, rig->vdpa, 1));
	OK(libiommu_dma_space_register(data, page(rig, 8), 4 * VM_PAGE, VM_READ_WRITE, &iova));
	assert_int_equal(add(rig, 0, 4, VM_READ_WRITE), VM_IOVA);
	start_control(rig);
	assert_true(set_mac(rig, wanted, &ack));
	assert_int_equal(ack, 0);
	get_mac(rig->queue.fd, mac);
	assert_memory_equal(mac, wanted, 6);
	OK(libiommu_dma_space_destroy(data));
	OK(libiommu_ioas_destroy(ioas));
	assert_true(set_mac(rig, wanted, &ack));
}

#define BLOCK_TEST(function) cmocka_unit_test_setup_teardown(function, setup_block, teardown)
#define NET_TEST(function)   cmocka_unit_test_setup_teardown(function, setup_net, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BLOCK_TEST(test_one_call_serves_both),
		BLOCK_TEST(test_unregistered),
		BLOCK_TEST(test_read_only),
		BLOCK_TEST(test_mirrored_later),
		BLOCK_TEST(test_reset),
		BLOCK_TEST(test_anonymous),
		BLOCK_TEST(test_limit),
		BLOCK_TEST(test_refused),
		NET_TEST(test_address_spaces),
		NET_TEST(test_two_spaces),
	};

	if (access("/sys/bus/vdpa", F_OK)) {
		print_message("skipped: no vDPA in this kernel (CONFIG_VDPA_SIM)\n");
		return 77;
	}
	return cmocka_run_group_tests_name("vdpa", tests, NULL, NULL);
}
