/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What a container of type 1 has besides mappings: dirty bits, limits, memory that moves. */
#include "alloc.h"
#include "type1-steps.h"

#define BOTH     (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)
#define NO_CLEAR LIBIOMMU_DIRTY_NO_CLEAR

static _Alignas(4096) uint8_t memory[8 * 4096];
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *ioas;
static struct libiommu_hwpt *hwpt;

struct answer {
	struct uapi_vfio_iommu_type1_info info;
	struct uapi_vfio_iommu_type1_info_cap_migration migration;
	struct uapi_vfio_iommu_type1_info_dma_avail avail;
	uint32_t pad;
};

static struct answer full(uint32_t left)
{
	return (struct answer){
		.info = {.argsz = sizeof(struct answer),
	                 .flags = UAPI_VFIO_IOMMU_INFO_PGSIZES | UAPI_VFIO_IOMMU_INFO_CAPS,
	                 .iova_pgsizes = 0x40201000,
	                 .cap_offset = offsetof(struct answer, migration)},
		.migration = {.header = {.id = UAPI_VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION,
	                                 .version = 1,
	                                 .next = offsetof(struct answer, avail)},
	                      .pgsize_bitmap = 0x1000,
	                      .max_dirty_bitmap_size = 1 << 28},
		.avail = {.header = {.id = UAPI_VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, .version = 1},
	                  .avail = left},
	};
}

static void expect_answer(int fd, const struct answer *answer)
{
	const uint32_t room[] = {sizeof(answer->info), sizeof(*answer)};

	EXPECT_IOCTL(fd, VFIO_IOMMU_GET_INFO, IN_BYTES(&room[0], 4),
	             OUT_BYTES(answer, sizeof(answer->info)));
	EXPECT_IOCTL(fd, VFIO_IOMMU_GET_INFO, IN_BYTES(&room[1], 4),
	             OUT_BYTES(answer, sizeof(*answer)));
}

/* One that can do none of it. */
static void expect_plain(int fd)
{
	const uint32_t room = sizeof(struct uapi_vfio_iommu_type1_info);

	EXPECT_IOCTL(fd, VFIO_IOMMU_GET_INFO, IN_BYTES(&room, 4),
	             SET(struct uapi_vfio_iommu_type1_info, flags, 0));
}

static void expect_can(int fd)
{
	const struct answer answer = full(65535);

	expect_answer(fd, &answer);
}

static void expect_extension(int fd, uintptr_t which, int result)
{
	EXPECT_IOCTL(fd, VFIO_CHECK_EXTENSION, VALUE(which), .result = result);
}

static void expect_track(int fd, bool enable, int result)
{
	EXPECT_IOCTL(fd, VFIO_IOMMU_DIRTY_PAGES,
	             IN(struct uapi_vfio_iommu_type1_dirty_bitmap, .argsz = 8,
	                .flags = enable ? UAPI_VFIO_IOMMU_DIRTY_PAGES_FLAG_START
	                                : UAPI_VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP),
	             .result = result);
}

/* As the kernel does it: the bits are put into the memory that it is given. */
static void write_bits(void *arg, const void *user)
{
	struct uapi_vfio_iommu_type1_dirty_bitmap_get get;
	const struct uapi_vfio_iommu_type1_dirty_bitmap *const cmd = arg;

	assert_int_equal(cmd->argsz, 8 + sizeof(get));
	assert_int_equal(cmd->flags, UAPI_VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP);
	memcpy(&get, cmd->data, sizeof(get));
	assert_int_equal(get.bitmap.pgsize, PAGE);
	assert_int_equal(get.bitmap.size, 8);
	*get.bitmap.data |= *(const uint64_t *)user;
}

static void expect_read(uint64_t iova, uint64_t length, const uint64_t *bits, int result)
{
	static struct {
		uint32_t argsz, flags;
		uint64_t iova, size;
	} want;

	want.argsz = 8 + sizeof(struct uapi_vfio_iommu_type1_dirty_bitmap_get);
	want.flags = UAPI_VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
	want.iova = iova;
	want.size = length;
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_DIRTY_PAGES, IN_BYTES(&want, sizeof(want)),
	             .act = write_bits, .user = bits, .result = result);
}

static void write_unmapped_bits(void *arg, const void *user)
{
	const struct uapi_vfio_iommu_type1_dma_unmap *const cmd = arg;
	struct uapi_vfio_bitmap bitmap;

	memcpy(&bitmap, cmd->data, sizeof(bitmap));
	assert_int_equal(bitmap.pgsize, PAGE);
	assert_int_equal(bitmap.size, 8);
	*bitmap.data |= *(const uint64_t *)user;
}

static void expect_unmap_dirty(uint64_t iova, uint64_t length, const uint64_t *bits, int result)
{
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_UNMAP_DMA,
	             IN(struct uapi_vfio_iommu_type1_dma_unmap,
	                .argsz = 24 + sizeof(struct uapi_vfio_bitmap),
	                .flags = UAPI_VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP, .iova = iova,
	                .size = length),
	             .act = write_unmapped_bits, .user = bits, .result = result);
}

static struct libiommu_hwpt *make_table(uint32_t flags)
{
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *made;

	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	assert_int_equal(libiommu_hwpt_config_set_flags(config, flags), 0);
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, config, &made), 0);
	libiommu_hwpt_config_free(config);
	return made;
}

static int setup(void **state)
{
	script_setup(state);
	ctx = legacy_ctx();
	ioas = legacy_ioas(ctx);
	dev = legacy_device(ctx);
	expect_can(HOLD_FD);
	hwpt = make_table(LIBIOMMU_HWPT_DIRTY_TRACKING);
	return 0;
}

static int teardown(void **state)
{
	legacy_close(dev, GROUP_FD);
	assert_int_equal(libiommu_hwpt_destroy(hwpt), 0);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	script_ctx_close(ctx);
	return script_teardown(state);
}

#define DIRTY_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void map(uint64_t page, uint64_t pages, bool attached)
{
	if (attached)
		expect_map(HOLD_FD, memory, page * PAGE, pages * PAGE, 0);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, pages * PAGE, BOTH, page * PAGE), 0);
}

static void attach(void)
{
	expect_can(HOLD_FD);
	assert_int_equal(libiommu_device_attach_hwpt(dev, hwpt), 0);
}

static void start(void)
{
	expect_track(HOLD_FD, true, 0);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, true), 0);
}

static void detach_all(uint64_t first, uint64_t length)
{
	expect_unmap(HOLD_FD, first, length, 0);
	expect_track(HOLD_FD, false, 0);
	assert_int_equal(libiommu_device_detach(dev), 0);
}

static int read_pages(uint64_t page, uint64_t pages, uint32_t flags, uint64_t *bits, uint64_t *done)
{
	return libiommu_hwpt_get_dirty_bitmap(hwpt, page * PAGE, pages * PAGE, PAGE, flags, bits, 1,
	                                      done);
}

/* The page table is the container's one: the device is attached to the address space. */
static void test_page_table(void **state)
{
	struct libiommu_hwpt *plain;
	uint32_t id, pt_id;

	(void)state;
	attach();
	assert_int_equal(libiommu_ioas_id(ioas, &id), 0);
	assert_int_equal(libiommu_hwpt_id(hwpt, &pt_id), 0);
	assert_int_equal(pt_id, id);
	assert_int_equal(libiommu_hwpt_destroy(hwpt), -EBUSY);
	assert_int_equal(libiommu_ioas_destroy(ioas), -EBUSY);
	map(1, 1, true);
	expect_unmap(HOLD_FD, PAGE, PAGE, 0);
	assert_int_equal(libiommu_device_detach(dev), 0);
	plain = make_table(0);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(plain, true), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_hwpt_set_dirty_tracking");
	assert_int_equal(libiommu_hwpt_destroy(plain), 0);
}

/* All that is more than one plain page table. */
static void test_other_page_tables(void **state)
{
	static const uint32_t flags[] = {LIBIOMMU_HWPT_NEST_PARENT, LIBIOMMU_HWPT_PASID};
	struct libiommu_hwpt_config *config;
	struct libiommu_hwpt *none = NULL;

	(void)state;
	assert_int_equal(libiommu_hwpt_config_new(&config), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(libiommu_hwpt_config_set_flags(config, flags[i]), 0);
		assert_int_equal(libiommu_hwpt_alloc(dev, ioas, config, &none), -EOPNOTSUPP);
		assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_hwpt_alloc");
	}
	assert_int_equal(libiommu_hwpt_config_set_flags(config, LIBIOMMU_HWPT_DIRTY_TRACKING), 0);
	assert_int_equal(libiommu_hwpt_alloc_nested(dev, hwpt, config, &none), -EOPNOTSUPP);
	assert_int_equal(libiommu_hwpt_config_set_data(config, 1, "x", 1), 0);
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, config, &none), -EOPNOTSUPP);
	assert_int_equal(libiommu_hwpt_config_set_data(config, 0, NULL, 0), 0);
	/* A kernel that has no dirty bits, and one that says nothing. */
	expect_plain(HOLD_FD);
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, config, &none), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_hwpt_alloc");
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_GET_INFO, .result = -EIO);
	assert_int_equal(libiommu_hwpt_alloc(dev, ioas, config, &none), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_hwpt_alloc");
	ALLOC_LOOP
	{
		none = NULL;
		expect_can(HOLD_FD);
		if (!ALLOC_TRY(libiommu_hwpt_alloc(dev, ioas, config, &none)))
			assert_int_equal(libiommu_hwpt_destroy(none), 0);
		else
			assert_null(none);
	}
	libiommu_hwpt_config_free(config);
}

static void test_track(void **state)
{
	struct libiommu_hwpt *other;

	(void)state;
	attach();
	expect_track(HOLD_FD, true, -ENOMEM);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, true), -ENOMEM);
	assert_failure(-ENOMEM, KERNEL, "libiommu_hwpt_set_dirty_tracking");
	start();
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, true), -EALREADY);
	expect_can(HOLD_FD);
	other = make_table(LIBIOMMU_HWPT_DIRTY_TRACKING);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(other, true), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_hwpt_set_dirty_tracking");
	/* What another one records goes on. */
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(other, false), 0);
	expect_track(HOLD_FD, false, 0);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, false), 0);
	expect_track(HOLD_FD, true, 0);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(other, true), 0);
	expect_track(HOLD_FD, false, 0);
	assert_int_equal(libiommu_hwpt_destroy(other), 0);
}

/* Each mapping is read for itself, in the kernel's pages, and told in the caller's. */
static void test_read(void **state)
{
	const uint64_t first = 5, second = 1;
	uint64_t bits = 1ULL << 7, done;

	(void)state;
	attach();
	map(4, 3, true);
	map(7, 1, true);
	start();
	expect_read(4 * PAGE, 3 * PAGE, &first, 0);
	expect_read(7 * PAGE, PAGE, &second, 0);
	assert_int_equal(read_pages(4, 4, 0, &bits, &done), 0);
	assert_int_equal(done, 4 * PAGE);
	assert_int_equal(bits, 1 << 7 | 8 | 5);
	/* Larger and smaller pages. */
	bits = 0;
	expect_read(4 * PAGE, 3 * PAGE, &first, 0);
	expect_read(7 * PAGE, PAGE, &second, 0);
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(hwpt, 4 * PAGE, 4 * PAGE, 2 * PAGE,
	                                                LIBIOMMU_DIRTY_WHOLE, &bits, 1, NULL),
	                 0);
	assert_int_equal(bits, 3);
	bits = 0;
	expect_read(4 * PAGE, 3 * PAGE, &first, 0);
	assert_int_equal(libiommu_hwpt_get_dirty_bitmap(hwpt, 4 * PAGE, 3 * PAGE, PAGE / 2, 0,
	                                                &bits, 1, NULL),
	                 0);
	assert_int_equal(bits, 0x33);
	expect_track(HOLD_FD, false, 0);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, false), 0);
}

static void test_read_refused(void **state)
{
	const uint64_t some = 1;
	uint64_t bits = 0, done = 77;

	(void)state;
	attach();
	map(4, 2, true);
	assert_int_equal(read_pages(4, 2, 0, &bits, &done), -ENODATA);
	assert_failure(-ENODATA, LIBRARY, "libiommu_hwpt_get_dirty_bitmap");
	start();
	assert_int_equal(read_pages(4, 2, NO_CLEAR, &bits, &done), -EOPNOTSUPP);
	assert_int_equal(read_pages(4, 1, 0, &bits, &done), -EINVAL);
	assert_explained("cuts a mapping");
	assert_int_equal(read_pages(3, 3, 0, &bits, &done), -ENOENT);
	assert_int_equal(read_pages(4, 3, 0, &bits, &done), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_hwpt_get_dirty_bitmap");
	assert_int_equal(done, 0);
	map(6, 1, true);
	expect_read(4 * PAGE, 2 * PAGE, &some, 0);
	expect_read(6 * PAGE, PAGE, &some, -EFAULT);
	assert_int_equal(read_pages(4, 3, 0, &bits, &done), -EFAULT);
	assert_failure(-EFAULT, KERNEL, "libiommu_hwpt_get_dirty_bitmap");
	assert_int_equal(done, 2 * PAGE);
	assert_int_equal(bits, 1);
	ALLOC_LOOP
	{
		expect_read(6 * PAGE, PAGE, &some, 0);
		ALLOC_TRY(read_pages(6, 1, 0, &bits, &done));
	}
	expect_track(HOLD_FD, false, 0);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, false), 0);
}

/* The container forgets with the device that goes; what it could have told counts as written. */
static void test_detached(void **state)
{
	const uint64_t none = 0;
	uint64_t bits = 0;

	(void)state;
	attach();
	map(4, 2, true);
	start();
	detach_all(4 * PAGE, 2 * PAGE);
	map(6, 1, false);
	assert_int_equal(read_pages(4, 3, 0, &bits, NULL), 0);
	assert_int_equal(bits, 3);
	bits = 0;
	assert_int_equal(read_pages(4, 3, 0, &bits, NULL), 0);
	assert_int_equal(bits, 0);
	/* It goes on with the next one. */
	expect_can(HOLD_FD);
	expect_map(HOLD_FD, memory, 4 * PAGE, 2 * PAGE, 0);
	expect_map(HOLD_FD, memory, 6 * PAGE, PAGE, 0);
	expect_track(HOLD_FD, true, -ENOMEM);
	expect_unmap(HOLD_FD, 4 * PAGE, 3 * PAGE, 0);
	assert_int_equal(libiommu_device_attach_hwpt(dev, hwpt), -ENOMEM);
	expect_plain(HOLD_FD);
	assert_int_equal(libiommu_device_attach_hwpt(dev, hwpt), -EOPNOTSUPP);
	expect_can(HOLD_FD);
	expect_map(HOLD_FD, memory, 4 * PAGE, 2 * PAGE, 0);
	expect_map(HOLD_FD, memory, 6 * PAGE, PAGE, 0);
	expect_track(HOLD_FD, true, 0);
	assert_int_equal(libiommu_device_attach_hwpt(dev, hwpt), 0);
	expect_read(4 * PAGE, 2 * PAGE, &none, 0);
	assert_int_equal(read_pages(4, 2, 0, &bits, NULL), 0);
	assert_int_equal(bits, 0);
	detach_all(4 * PAGE, 3 * PAGE);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, false), 0);
}

static void test_unmap_dirty(void **state)
{
	const uint64_t first = 2, second = 1;
	uint64_t bits = 0, done = 77, mapped, others;

	(void)state;
	attach();
	map(4, 2, true);
	map(6, 1, true);
	map(7, 1, true);
	assert_int_equal(libiommu_hwpt_unmap_dirty(hwpt, 4 * PAGE, 2 * PAGE, PAGE, &bits, 1, &done),
	                 -ENODATA);
	assert_failure(-ENODATA, LIBRARY, "libiommu_hwpt_unmap_dirty");
	start();
	expect_unmap_dirty(4 * PAGE, 2 * PAGE, &first, 0);
	expect_unmap_dirty(6 * PAGE, PAGE, &second, -EFAULT);
	assert_int_equal(libiommu_hwpt_unmap_dirty(hwpt, 4 * PAGE, 4 * PAGE, PAGE, &bits, 1, &done),
	                 -EFAULT);
	assert_failure(-EFAULT, KERNEL, "libiommu_hwpt_unmap_dirty");
	assert_int_equal(done, 2 * PAGE);
	assert_int_equal(bits, 2);
	assert_int_equal(libiommu_ioas_mapped(ioas, &mapped, &others), 0);
	assert_int_equal(mapped, 2 * PAGE);
	assert_int_equal(libiommu_hwpt_unmap_dirty(hwpt, 4 * PAGE, 4 * PAGE, PAGE, &bits, 1, &done),
	                 -ENOENT);
	bits = 0;
	expect_unmap_dirty(6 * PAGE, PAGE, &second, 0);
	expect_unmap_dirty(7 * PAGE, PAGE, &second, 0);
	assert_int_equal(libiommu_hwpt_unmap_dirty(hwpt, 6 * PAGE, 2 * PAGE, PAGE, &bits, 1, NULL),
	                 0);
	assert_int_equal(bits, 3);
	assert_int_equal(libiommu_ioas_mapped(ioas, &mapped, &others), 0);
	assert_int_equal(mapped, 0);
	expect_track(HOLD_FD, false, 0);
	assert_int_equal(libiommu_hwpt_set_dirty_tracking(hwpt, false), 0);
}

/* Everything at once, where the kernel can; else from the first mapping to the last. */
static void test_unmap_all(void **state)
{
	uint64_t bytes;

	(void)state;
	attach();
	map(4, 2, true);
	expect_extension(HOLD_FD, UAPI_VFIO_UNMAP_ALL, 1);
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_UNMAP_DMA,
	             IN(struct uapi_vfio_iommu_type1_dma_unmap, .argsz = 24,
	                .flags = UAPI_VFIO_DMA_UNMAP_FLAG_ALL));
	assert_int_equal(libiommu_ioas_unmap_all(ioas, &bytes), 0);
	assert_int_equal(bytes, 2 * PAGE);
	map(4, 2, true);
	expect_extension(HOLD_FD, UAPI_VFIO_UNMAP_ALL, 0);
	expect_unmap(HOLD_FD, 4 * PAGE, 2 * PAGE, 0);
	assert_int_equal(libiommu_ioas_unmap_all(ioas, &bytes), 0);
}

static void test_extension(void **state)
{
	static const struct {
		uint32_t ours;
		uintptr_t kernels;
	} all[] = {
		{LIBIOMMU_CONTAINER_TYPE1, UAPI_VFIO_TYPE1_IOMMU},
		{LIBIOMMU_CONTAINER_SPAPR_TCE, UAPI_VFIO_SPAPR_TCE_IOMMU},
		{LIBIOMMU_CONTAINER_TYPE1V2, UAPI_VFIO_TYPE1v2_IOMMU},
		{LIBIOMMU_CONTAINER_DMA_CC, UAPI_VFIO_DMA_CC_IOMMU},
		{LIBIOMMU_CONTAINER_EEH, UAPI_VFIO_EEH},
		{LIBIOMMU_CONTAINER_SPAPR_TCE_V2, UAPI_VFIO_SPAPR_TCE_v2_IOMMU},
		{LIBIOMMU_CONTAINER_NOIOMMU, UAPI_VFIO_NOIOMMU_IOMMU},
		{LIBIOMMU_CONTAINER_UNMAP_ALL, UAPI_VFIO_UNMAP_ALL},
		{LIBIOMMU_CONTAINER_UPDATE_VADDR, UAPI_VFIO_UPDATE_VADDR},
		{77, 77},
	};

	(void)state;
	for (int attached = 0; attached < 2; attached++) {
		if (attached)
			attach();
		for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
			expect_extension(attached ? HOLD_FD : CTX_FD, all[i].kernels, i & 1);
			assert_int_equal(libiommu_container_extension(ioas, all[i].ours), i & 1);
		}
	}
	expect_extension(HOLD_FD, 4, -EIO);
	assert_int_equal(libiommu_container_extension(ioas, 4), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_container_extension");
}

static void test_mappings_left(void **state)
{
	const struct answer answer = full(123);
	uint32_t left = 77;

	(void)state;
	assert_int_equal(libiommu_container_mappings_left(ioas, NULL), -EINVAL);
	assert_int_equal(libiommu_container_mappings_left(ioas, &left), -ENODATA);
	assert_failure(-ENODATA, LIBRARY, "libiommu_container_mappings_left");
	attach();
	expect_answer(HOLD_FD, &answer);
	assert_int_equal(libiommu_container_mappings_left(ioas, &left), 0);
	assert_int_equal(left, 123);
	expect_plain(HOLD_FD);
	assert_int_equal(libiommu_container_mappings_left(ioas, &left), -ENODATA);
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_GET_INFO, .result = -EIO);
	assert_int_equal(libiommu_container_mappings_left(ioas, &left), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_container_mappings_left");
	assert_int_equal(left, 123);
}

static void expect_forget(uint64_t iova, uint64_t length, uint32_t flags, int result)
{
	expect_extension(HOLD_FD, UAPI_VFIO_UPDATE_VADDR, 1);
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_UNMAP_DMA,
	             IN(struct uapi_vfio_iommu_type1_dma_unmap, .argsz = 24,
	                .flags = UAPI_VFIO_DMA_UNMAP_FLAG_VADDR | flags, .iova = iova,
	                .size = length),
	             .result = result);
}

static void expect_renew(uint64_t iova, uint64_t length, const void *address, int result)
{
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_MAP_DMA,
	             IN(struct uapi_vfio_iommu_type1_dma_map,
	                .argsz = sizeof(struct uapi_vfio_iommu_type1_dma_map),
	                .flags = UAPI_VFIO_DMA_MAP_FLAG_VADDR, .vaddr = (uintptr_t)address,
	                .iova = iova, .size = length),
	             .result = result);
}

static void test_memory_moves(void **state)
{
	void *const there = memory + 4 * PAGE;

	(void)state;
	attach();
	map(4, 2, true);
	map(6, 1, true);
	expect_forget(4 * PAGE, 3 * PAGE, 0, -EBUSY);
	assert_int_equal(libiommu_container_forget_memory(ioas, 4 * PAGE, 3 * PAGE), -EBUSY);
	assert_failure(-EBUSY, KERNEL, "libiommu_container_forget_memory");
	expect_extension(HOLD_FD, UAPI_VFIO_UPDATE_VADDR, 0);
	assert_int_equal(libiommu_container_forget_memory(ioas, 4 * PAGE, 3 * PAGE), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_container_forget_memory");
	expect_forget(4 * PAGE, 2 * PAGE, 0, 0);
	assert_int_equal(libiommu_container_forget_memory(ioas, 4 * PAGE, 2 * PAGE), 0);
	assert_int_equal(libiommu_container_forget_memory(ioas, 0, UINT64_MAX), -EALREADY);
	expect_renew(4 * PAGE, 2 * PAGE, there, -EINVAL);
	assert_int_equal(libiommu_container_renew_memory(ioas, 4 * PAGE, 2 * PAGE, there), -EINVAL);
	assert_failure(-EINVAL, KERNEL, "libiommu_container_renew_memory");
	expect_renew(4 * PAGE, 2 * PAGE, there, 0);
	assert_int_equal(libiommu_container_renew_memory(ioas, 4 * PAGE, 2 * PAGE, there), 0);
	assert_int_equal(libiommu_container_renew_memory(ioas, 4 * PAGE, 2 * PAGE, there), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_container_renew_memory");
	expect_forget(0, 0, UAPI_VFIO_DMA_UNMAP_FLAG_ALL, 0);
	assert_int_equal(libiommu_container_forget_memory(ioas, 0, UINT64_MAX), 0);
	/* What is not known cannot be mapped again. */
	expect_unmap(HOLD_FD, 4 * PAGE, 3 * PAGE, 0);
	assert_int_equal(libiommu_device_detach(dev), 0);
	expect_can(HOLD_FD);
	assert_int_equal(libiommu_device_attach_hwpt(dev, hwpt), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_device_attach_hwpt");
	assert_int_equal(libiommu_container_renew_memory(ioas, 4 * PAGE, 2 * PAGE, there), 0);
	assert_int_equal(libiommu_container_renew_memory(ioas, 6 * PAGE, PAGE, memory), 0);
	expect_can(HOLD_FD);
	expect_map(HOLD_FD, there, 4 * PAGE, 2 * PAGE, 0);
	expect_map(HOLD_FD, memory, 6 * PAGE, PAGE, 0);
	assert_int_equal(libiommu_device_attach_hwpt(dev, hwpt), 0);
	expect_unmap(HOLD_FD, 4 * PAGE, 3 * PAGE, 0);
	assert_int_equal(libiommu_device_detach(dev), 0);
}

static void test_memory_arguments(void **state)
{
	(void)state;
	map(4, 2, false);
	assert_int_equal(libiommu_container_forget_memory(ioas, 4 * PAGE, 0), -EINVAL);
	assert_int_equal(libiommu_container_forget_memory(ioas, 4 * PAGE, UINT64_MAX), -EOVERFLOW);
	assert_int_equal(libiommu_container_forget_memory(ioas, 4 * PAGE, PAGE), -EINVAL);
	assert_int_equal(libiommu_container_forget_memory(ioas, 4 * PAGE, 3 * PAGE), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_container_forget_memory");
	assert_int_equal(libiommu_container_renew_memory(ioas, 4 * PAGE, 0, memory), -EINVAL);
	assert_int_equal(libiommu_container_renew_memory(ioas, 4 * PAGE, 2 * PAGE, NULL), -EINVAL);
	assert_int_equal(libiommu_container_renew_memory(ioas, 4 * PAGE, UINT64_MAX, memory),
	                 -EOVERFLOW);
	assert_int_equal(libiommu_container_renew_memory(ioas, 4 * PAGE, PAGE, memory), -ENOENT);
	assert_int_equal(libiommu_container_renew_memory(ioas, 8 * PAGE, PAGE, memory), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_container_renew_memory");
}

static void test_group_flags(void **state)
{
	uint32_t flags = 77;

	(void)state;
	assert_int_equal(libiommu_container_group_flags(dev, NULL), -EINVAL);
	expect_status(GROUP_FD, UAPI_VFIO_GROUP_FLAGS_VIABLE, -EIO);
	assert_int_equal(libiommu_container_group_flags(dev, &flags), -EIO);
	assert_failure(-EIO, KERNEL, "libiommu_container_group_flags");
	assert_int_equal(flags, 77);
	expect_status(GROUP_FD, UAPI_VFIO_GROUP_FLAGS_VIABLE | UAPI_VFIO_GROUP_FLAGS_CONTAINER_SET,
	              0);
	assert_int_equal(libiommu_container_group_flags(dev, &flags), 0);
	assert_int_equal(flags, LIBIOMMU_GROUP_VIABLE | LIBIOMMU_GROUP_CONTAINER_SET);
}

static void test_with_iommufd(void **state)
{
	struct libiommu_ctx *const modern = script_ctx();
	struct libiommu_ioas *const space = script_ioas(modern, 2);
	struct libiommu_device *const node = script_device(modern);
	struct libiommu_hwpt *table;
	uint64_t bits;
	uint32_t left;

	(void)state;
	assert_int_equal(libiommu_container_extension(space, 1), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_container_extension");
	assert_int_equal(libiommu_container_mappings_left(space, &left), -EOPNOTSUPP);
	assert_int_equal(libiommu_container_forget_memory(space, 0, PAGE), -EOPNOTSUPP);
	assert_int_equal(libiommu_container_renew_memory(space, 0, PAGE, memory), -EOPNOTSUPP);
	assert_int_equal(libiommu_container_group_flags(node, &left), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_container_group_flags");
	assert_int_equal(libiommu_hwpt_adopt(modern, 9, LIBIOMMU_ID_BORROW, &table), 0);
	assert_int_equal(libiommu_hwpt_unmap_dirty(table, 0, PAGE, PAGE, &bits, 1, NULL),
	                 -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_hwpt_unmap_dirty");
	assert_int_equal(libiommu_hwpt_destroy(table), 0);
	script_device_close(node);
	script_ioas_close(space, 2);
	script_ctx_close(modern);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DIRTY_TEST(test_page_table),   DIRTY_TEST(test_other_page_tables),
		DIRTY_TEST(test_track),        DIRTY_TEST(test_read),
		DIRTY_TEST(test_read_refused), DIRTY_TEST(test_detached),
		DIRTY_TEST(test_unmap_dirty),  DIRTY_TEST(test_unmap_all),
		DIRTY_TEST(test_extension),    DIRTY_TEST(test_mappings_left),
		DIRTY_TEST(test_memory_moves), DIRTY_TEST(test_memory_arguments),
		DIRTY_TEST(test_group_flags),  SCRIPT_TEST(test_with_iommufd),
	};

	return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
