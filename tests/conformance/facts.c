/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What the kernel's documentation does not say, or not so: asked past the library. */
#include "nest.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/base/uapi/iommufd.h"

static int raw_destroy(struct rig *rig, uint32_t id)
{
	struct uapi_destroy cmd = {.size = sizeof(cmd), .id = id};

	return world_ioctl(rig->world, UAPI_IOC_DESTROY, &cmd);
}

/* Close-on-exec, to read and to write; and as long as it is open the queue stays. */
static void fault_queue_of_a_descriptor(struct rig *rig)
{
	struct libiommu_fault_queue *queue;
	uint32_t id;
	int fd;

	OK(libiommu_fault_queue_alloc(rig->ctx, &queue));
	rig_keep(rig, THING_FAULT_QUEUE, queue);
	OK(libiommu_fault_queue_id(queue, &id));
	fd = libiommu_fault_queue_fd(queue);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	RAW(-EBUSY, raw_destroy(rig, id));
	OK(rig_end(rig, queue));
	RAW(-ENOENT, raw_destroy(rig, id));
}

static void veventq_of_a_descriptor(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_viommu *const viommu = nest_viommu(&n);
	struct libiommu_veventq *queue;
	struct libiommu_hwpt *table;
	uint8_t buffer[64];
	uint32_t id;
	int fd;

	OK(libiommu_veventq_alloc_raw(viommu, MOCK_VEVENTQ, 2, MOCK_EVENT_LENGTH, 0, 4, &queue));
	rig_keep(rig, THING_VEVENTQ, queue);
	table = nest_viommu_table(&n, viommu);
	nest_vdevice(&n, viommu, n.dev, 0x18);
	OK(libiommu_device_attach_hwpt(n.dev, table));
	OK(libiommu_veventq_id(queue, &id));
	fd = libiommu_veventq_fd(queue);
	RAW(-EBUSY, raw_destroy(rig, id));
	/* Less than a header is wrong at any time; less than an event, when there is one. */
	assert_int_equal(world_read_fd(rig->world, fd, buffer, 4), -EINVAL);
	RAW(0, world_event(rig->world, n.dev));
	assert_int_equal(world_read_fd(rig->world, fd, buffer, 8), -EINVAL);
	assert_int_equal(world_read_fd(rig->world, fd, buffer, sizeof(buffer)),
	                 8 + MOCK_EVENT_LENGTH);
	nest_end(&n);
}

static void type_of_information(struct rig *rig)
{
	struct libiommu_device *const dev = rig_device(rig, 1, 0);
	struct uapi_hw_info cmd = {.size = sizeof(cmd),
	                           .flags = UAPI_HW_INFO_FLAG_INPUT_TYPE,
	                           .dev_id = device_id(dev),
	                           .in_data_type = MOCK_HW_INFO + 1};

	RAW(-EOPNOTSUPP, world_ioctl(rig->world, UAPI_IOC_GET_HW_INFO, &cmd));
	cmd.in_data_type = MOCK_HW_INFO;
	RAW(0, world_ioctl(rig->world, UAPI_IOC_GET_HW_INFO, &cmd));
	assert_int_equal(cmd.out_data_type, MOCK_HW_INFO);
}

/* One page at two IOVAs that follow each other is not one piece of memory. */
static void queue_in_pieces(struct rig *rig)
{
	const uint64_t iova = MOCK_APERTURE + 0x10000;
	struct nest n = nest_begin(rig);
	struct libiommu_viommu *const viommu = nest_viommu(&n);
	struct libiommu_hw_queue *none = NULL;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, iova));
	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, VM_READ_WRITE, iova + PAGE));
	FAILS(EFAULT, libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 0, iova, 2 * PAGE, &none));
	assert_null(none);
	/* What was pinned for it is not held. */
	OK(libiommu_ioas_unmap(rig->ioas, iova, 2 * PAGE));
	nest_end(&n);
}

/* A page size that is no power of two, which some kernels take: the library does not. */
static void odd_page_size(struct rig *rig)
{
	struct libiommu_device *const dev = rig_device(rig, 1, 0);
	struct libiommu_hwpt *const table =
		rig_table(rig, dev, rig->ioas, LIBIOMMU_HWPT_DIRTY_TRACKING);
	uint64_t bits[8] = {0};
	struct uapi_hwpt_get_dirty_bitmap cmd = {.size = sizeof(cmd),
	                                         .hwpt_id = hwpt_id(table),
	                                         .iova = MOCK_APERTURE,
	                                         .length = 3 * PAGE,
	                                         .page_size = PAGE + PAGE / 2,
	                                         .data = (uintptr_t)bits};
	int error;

	OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory, LENGTH, VM_READ_WRITE, MOCK_APERTURE));
	OK(libiommu_hwpt_set_dirty_tracking(table, true));
	error = world_ioctl(rig->world, UAPI_IOC_HWPT_GET_DIRTY_BITMAP, &cmd);
	print_message("# an odd page size: the kernel says %d\n", error);
	assert_true(!error || error == -EINVAL);
	FAILS(EINVAL, libiommu_hwpt_get_dirty_bitmap(table, MOCK_APERTURE, 3 * PAGE,
	                                             PAGE + PAGE / 2, 0, bits, 8, NULL));
}

/* A command in memory that cannot be written; the kernel's answer. */
static int call_without_response(struct rig *rig, unsigned long request, const void *cmd,
                                 size_t size)
{
	void *const page = rig_memory(rig, PAGE, false);

	memcpy(page, cmd, size);
	assert_int_equal(mprotect(page, PAGE, PROT_READ), 0);
	return world_ioctl(rig->world, request, page);
}

/* It is done though its response could not be written: told, and either is fine. */
static void response_that_cannot_be_written(struct rig *rig)
{
	const uint32_t flags = UAPI_IOAS_MAP_FIXED_IOVA | UAPI_IOAS_MAP_READABLE;
	const struct uapi_ioas_map map = {.size = sizeof(map),
	                                  .flags = flags,
	                                  .ioas_id = ioas_id(rig->ioas),
	                                  .user_va = (uintptr_t)rig->memory,
	                                  .length = PAGE,
	                                  .iova = MOCK_APERTURE};
	const struct uapi_ioas_copy copy = {.size = sizeof(copy),
	                                    .flags = flags,
	                                    .dst_ioas_id = ioas_id(rig->ioas),
	                                    .src_ioas_id = ioas_id(rig->ioas),
	                                    .length = PAGE,
	                                    .dst_iova = MOCK_APERTURE + PAGE,
	                                    .src_iova = MOCK_APERTURE};
	const struct uapi_ioas_unmap unmap = {.size = sizeof(unmap),
	                                      .ioas_id = ioas_id(rig->ioas),
	                                      .iova = MOCK_APERTURE,
	                                      .length = PAGE};
	int mapped, copied, unmapped;

	RAW(-EFAULT, call_without_response(rig, UAPI_IOC_IOAS_MAP, &map, sizeof(map)));
	mapped = libiommu_ioas_map_fixed(rig->ioas, rig->memory, PAGE, LIBIOMMU_MAP_READ,
	                                 MOCK_APERTURE);
	assert_true(!mapped || mapped == -EEXIST);
	RAW(-EFAULT, call_without_response(rig, UAPI_IOC_IOAS_COPY, &copy, sizeof(copy)));
	copied = libiommu_ioas_unmap(rig->ioas, MOCK_APERTURE + PAGE, PAGE);
	assert_true(!copied || copied == -ENOENT);
	RAW(-EFAULT, call_without_response(rig, UAPI_IOC_IOAS_UNMAP, &unmap, sizeof(unmap)));
	unmapped = libiommu_ioas_unmap(rig->ioas, MOCK_APERTURE, PAGE);
	assert_true(!unmapped || unmapped == -ENOENT);
	print_message("# what says EFAULT has %s, %s, %s\n", mapped ? "mapped" : "not mapped",
	              copied ? "not copied" : "copied", unmapped ? "unmapped" : "not unmapped");
}

/*
 * Found IOVAs: never 0, and aligned as the memory is, to no more than 2 MiB. Without a page table
 * nobody looks whether there is so much memory.
 */
static void alignment_of_found_iovas(struct rig *rig)
{
	const uint64_t length = 4 * HUGE_PAGE;
	uint64_t first, second;

	OK(libiommu_ioas_map(rig->ioas, rig->memory, length, VM_READ_WRITE, &first));
	OK(libiommu_ioas_map(rig->ioas, rig->memory + PAGE, PAGE, VM_READ_WRITE, &second));
	assert_int_equal(first, HUGE_PAGE);
	assert_int_equal(second, PAGE);
}

/* What comes before the one that cannot go is gone, and nobody says how much that is. */
static void unmapped_up_to_what_is_held(struct rig *rig)
{
	const uint64_t iova = MOCK_APERTURE + 0x10000;
	struct nest n = nest_begin(rig);
	struct libiommu_viommu *const viommu = nest_viommu(&n);
	struct libiommu_hw_queue *queue;
	uint64_t unmapped = 7;

	for (uint64_t i = 0; i < 3; i++)
		OK(libiommu_ioas_map_fixed(rig->ioas, rig->memory + i * PAGE, PAGE, VM_READ_WRITE,
		                           iova + i * PAGE));
	OK(libiommu_hw_queue_alloc(viommu, MOCK_HW_QUEUE, 0, iova + PAGE, PAGE, &queue));
	rig_keep(rig, THING_HW_QUEUE, queue);
	FAILS(EBUSY, libiommu_ioas_unmap_range(rig->ioas, iova, 3 * PAGE, &unmapped));
	assert_int_equal(unmapped, 7);
	FAILS(ENOENT, libiommu_ioas_unmap(rig->ioas, iova, PAGE));
	OK(rig_end(rig, queue));
	OK(libiommu_ioas_unmap_range(rig->ioas, iova, 3 * PAGE, &unmapped));
	assert_int_equal(unmapped, 2 * PAGE);
	nest_end(&n);
}

/*
 * A number on a vIOMMU that the library was not told of, and a device that goes before it: the
 * number's id is nobody's from then on, and is not given again.
 */
static void number_that_was_left(struct rig *rig)
{
	struct nest n = nest_begin(rig);
	struct libiommu_device *const dev = rig_device(rig, 2, 0);
	struct libiommu_viommu *const viommu = nest_viommu(&n);
	struct uapi_vdevice_alloc cmd = {
		.size = sizeof(cmd), .dev_id = device_id(dev), .virt_id = 0x19};

	OK(libiommu_viommu_id(viommu, &cmd.viommu_id));
	RAW(0, world_ioctl(rig->world, UAPI_IOC_VDEVICE_ALLOC, &cmd));
	OK(rig_end(rig, dev));
	RAW(-ENOENT, raw_destroy(rig, cmd.out_vdevice_id));
	for (int i = 0; i < 16; i++)
		assert_int_not_equal(ioas_id(rig_ioas(rig)), cmd.out_vdevice_id);
	/* On the vIOMMU it is free. */
	nest_vdevice(&n, viommu, n.dev, 0x19);
	nest_end(&n);
}

/* What a vIOMMU has to map: for reading and writing, shared, and held while it is mapped. */
static void memory_of_a_viommu(struct rig *rig)
{
	struct mock_viommu_data data = {.in = 1};
	struct nest n = nest_begin(rig);
	struct uapi_viommu_alloc cmd = {.size = sizeof(cmd),
	                                .type = MOCK_VIOMMU,
	                                .dev_id = device_id(n.dev),
	                                .hwpt_id = hwpt_id(n.parent),
	                                .data_len = sizeof(data),
	                                .data_uptr = (uintptr_t)&data};
	const int both = PROT_READ | PROT_WRITE;
	void *at;

	RAW(0, world_ioctl(rig->world, UAPI_IOC_VIOMMU_ALLOC, &cmd));
	at = world_mmap(rig->world, data.length, both, MAP_PRIVATE, data.offset);
	assert_true(at == MAP_FAILED && errno == EINVAL);
	at = world_mmap(rig->world, data.length, both | PROT_EXEC, MAP_SHARED, data.offset);
	assert_true(at == MAP_FAILED && errno == EPERM);
	at = world_mmap(rig->world, data.length, both, MAP_SHARED, data.offset);
	assert_true(at != MAP_FAILED);
	RAW(-EBUSY, raw_destroy(rig, cmd.out_viommu_id));
	world_munmap(rig->world, at, data.length);
	RAW(0, raw_destroy(rig, cmd.out_viommu_id));
	nest_end(&n);
}

static const struct behaviour behaviours[] = {
	{PROVES("a fault queue lives as long as its descriptor", fault_queue_of_a_descriptor)},
	{PROVES("a queue of events does, and gives whole ones", veventq_of_a_descriptor),
         .needs = WORLD_VEVENTQS},
	{PROVES("information of a type", type_of_information), .needs = WORLD_HW_QUEUES},
	{PROVES("a hardware queue is one piece of memory", queue_in_pieces),
         .needs = WORLD_HW_QUEUES},
	{PROVES("a page size that is no power of two", odd_page_size)},
	{PROVES("a response that cannot be written", response_that_cannot_be_written), SHAPES},
	{PROVES("unmapped up to what is held", unmapped_up_to_what_is_held),
         .needs = WORLD_HW_QUEUES},
	{PROVES("a number whose device has gone is never given again", number_that_was_left),
         .needs = WORLD_HW_QUEUES},
	{PROVES("memory of a vIOMMU is shared, and held", memory_of_a_viommu),
         .needs = WORLD_HW_QUEUES},
	{PROVES("found IOVAs are aligned to no more than 2 MiB", alignment_of_found_iovas)},
};

THEME(facts, "surprises");
