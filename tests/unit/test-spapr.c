/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The IOMMU of PowerPC: its windows, and memory that is registered before it is mapped. */
#include <unistd.h>

#include "alloc.h"
#include "limit.h"
#include "type1-steps.h"

#define BOTH    (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)
#define LOW     UINT64_C(0x40000000)         /* bytes of the window that is there */
#define HIGH    UINT64_C(0x0800000000000000) /* where the other one is made */
#define SIZES   UINT64_C(0x1211000)
#define SHIFT   12
#define MEMORY  ((uint64_t)(uintptr_t)memory)
#define REGION  struct uapi_vfio_iommu_spapr_register_memory
#define CREATE  struct uapi_vfio_iommu_spapr_tce_create
#define REMOVE  struct uapi_vfio_iommu_spapr_tce_remove
#define TCEINFO struct uapi_vfio_iommu_spapr_tce_info

static _Alignas(4096) uint8_t memory[8 * 4096];
static struct libiommu_ctx *ctx;
static struct libiommu_device *dev;
static struct libiommu_ioas *ioas;

static void expect_checks(int type1, int spapr, int noiommu)
{
	EXPECT_IOCTL(CTX_FD, VFIO_GET_API_VERSION);
	EXPECT_IOCTL(CTX_FD, VFIO_CHECK_EXTENSION, VALUE(UAPI_VFIO_TYPE1v2_IOMMU), .result = type1);
	if (!type1)
		EXPECT_IOCTL(CTX_FD, VFIO_CHECK_EXTENSION, VALUE(UAPI_VFIO_SPAPR_TCE_v2_IOMMU),
		             .result = spapr);
	if (!type1 && !spapr)
		EXPECT_IOCTL(CTX_FD, VFIO_CHECK_EXTENSION, VALUE(UAPI_VFIO_NOIOMMU_IOMMU),
		             .result = noiommu);
}

static struct libiommu_ctx *spapr_ctx(void)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_ctx *made = NULL;

	assert_int_equal(libiommu_ctx_config_set_backend(config, LIBIOMMU_BACKEND_SPAPR), 0);
	EXPECT_OPEN(CONTAINER, CTX_FD);
	expect_checks(0, 1, 0);
	assert_int_equal(libiommu_ctx_new(config, &made), 0);
	libiommu_ctx_config_free(config);
	return made;
}

static void expect_held(int group_fd, int container_fd)
{
	EXPECT_OPEN(CONTAINER, container_fd);
	expect_enter(group_fd, container_fd, 0);
	expect_start(container_fd, UAPI_VFIO_SPAPR_TCE_v2_IOMMU, 0);
}

static struct libiommu_device *spapr_device(const char *group, int group_fd, int container_fd,
                                            const char *name, int device_fd)
{
	struct libiommu_device *const made = legacy_open(ctx, group, group_fd, name);

	expect_held(group_fd, container_fd);
	expect_device(group_fd, name, device_fd);
	assert_int_equal(libiommu_device_bind(made, LABEL, NULL, 0), 0);
	return made;
}

static void expect_info(int fd, uint64_t sizes, int result)
{
	EXPECT_IOCTL(fd, VFIO_IOMMU_SPAPR_TCE_GET_INFO, IN(TCEINFO, .argsz = sizeof(TCEINFO)),
	             OUT(TCEINFO, .argsz = sizeof(TCEINFO),
	                 .flags = sizes ? UAPI_VFIO_IOMMU_SPAPR_INFO_DDW : 0,
	                 .dma32_window_size = (uint32_t)LOW, .ddw = {sizes, sizes ? 2 : 0, 1}),
	             .result = result);
}

static void expect_register(int fd, uint64_t first, uint64_t size, int result)
{
	EXPECT_IOCTL(fd, VFIO_IOMMU_SPAPR_REGISTER_MEMORY,
	             IN(REGION, .argsz = sizeof(REGION), .vaddr = first, .size = size),
	             .result = result);
}

static void expect_unregister(int fd, uint64_t first, uint64_t size, int result)
{
	EXPECT_IOCTL(fd, VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY,
	             IN(REGION, .argsz = sizeof(REGION), .vaddr = first, .size = size),
	             .result = result);
}

static void expect_create(uint64_t size, int result)
{
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_SPAPR_TCE_CREATE,
	             IN(CREATE, .argsz = sizeof(CREATE), .page_shift = SHIFT, .window_size = size,
	                .levels = 1),
	             SET(CREATE, start_addr, HIGH), .result = result);
}

static void expect_remove(int result)
{
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_SPAPR_TCE_REMOVE,
	             IN(REMOVE, .argsz = sizeof(REMOVE), .start_addr = HIGH), .result = result);
}

/* All the memory of this machine, as a power of two. */
static uint64_t window(void)
{
	const uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * PAGE;
	uint64_t size = PAGE;

	while (size < all)
		size *= 2;
	return size;
}

static int setup(void **state)
{
	script_setup(state);
	ctx = spapr_ctx();
	ioas = legacy_ioas(ctx);
	dev = spapr_device(GROUP, GROUP_FD, HOLD_FD, NAME, DEVICE_FD);
	expect_info(HOLD_FD, SIZES, 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), 0);
	return 0;
}

static int teardown(void **state)
{
	return legacy_end(state, ctx, dev, ioas);
}

#define SPAPR_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void map_at(uint64_t iova, uint64_t page, uint64_t pages)
{
	expect_map(HOLD_FD, memory + page * PAGE, iova, pages * PAGE, 0);
	assert_int_equal(
		libiommu_ioas_map_fixed(ioas, memory + page * PAGE, pages * PAGE, BOTH, iova), 0);
}

static void unmap_at(uint64_t iova, uint64_t pages)
{
	assert_int_equal(libiommu_ioas_unmap(ioas, iova, pages * PAGE), 0);
}

static void test_chosen_where_there_is_no_type1(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_ctx *made = NULL;

	(void)state;
	EXPECT_OPEN("/dev/iommu", -ENOENT);
	EXPECT_OPEN(CONTAINER, CTX_FD);
	expect_checks(0, 1, 0);
	assert_int_equal(libiommu_ctx_new(config, &made), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_ctx_backend(made), LIBIOMMU_BACKEND_SPAPR);
	script_ctx_close(made);
}

/* What was asked for is another one than what is there. */
static void test_another_iommu(void **state)
{
	static const struct {
		enum libiommu_backend backend;
		int type1, spapr, noiommu;
	} cases[] = {
		{LIBIOMMU_BACKEND_SPAPR, 1, 0, 0},
		{LIBIOMMU_BACKEND_SPAPR, 0, 0, 1},
		{LIBIOMMU_BACKEND_SPAPR, 0, 0, 0},
		{LIBIOMMU_BACKEND_TYPE1, 0, 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct libiommu_ctx_config *const config = script_ctx_config();
		struct libiommu_ctx *made = NULL;

		assert_int_equal(libiommu_ctx_config_set_backend(config, cases[i].backend), 0);
		EXPECT_OPEN(CONTAINER, CTX_FD);
		expect_checks(cases[i].type1, cases[i].spapr, cases[i].noiommu);
		EXPECT_CLOSE(CTX_FD);
		assert_int_equal(libiommu_ctx_new(config, &made), -ENODEV);
		assert_explained("vfio_iommu_spapr_tce");
		assert_null(made);
		libiommu_ctx_config_free(config);
	}
}

/* Registered while something of it is mapped: once, and until the last is unmapped. */
static void test_memory_is_registered_first(void **state)
{
	(void)state;
	expect_register(HOLD_FD, MEMORY, 2 * PAGE, 0);
	map_at(0x10000, 0, 2);
	map_at(0x20000, 0, 1);
	/* Only what is new of it. */
	expect_register(HOLD_FD, MEMORY + 2 * PAGE, 2 * PAGE, 0);
	map_at(0x30000, 1, 3);
	expect_unmap(HOLD_FD, 0x10000, 2 * PAGE, 0);
	unmap_at(0x10000, 2);
	expect_unmap(HOLD_FD, 0x20000, PAGE, 0);
	unmap_at(0x20000, 1);
	expect_unmap(HOLD_FD, 0x30000, 3 * PAGE, 0);
	expect_unregister(HOLD_FD, MEMORY, 2 * PAGE, 0);
	expect_unregister(HOLD_FD, MEMORY + 2 * PAGE, 2 * PAGE, 0);
	unmap_at(0x30000, 3);
}

/* Around a region that is there: before it, the region, and behind it. */
static void test_gaps(void **state)
{
	(void)state;
	expect_register(HOLD_FD, MEMORY + 2 * PAGE, PAGE, 0);
	map_at(0x10000, 2, 1);
	expect_register(HOLD_FD, MEMORY, 2 * PAGE, 0);
	expect_register(HOLD_FD, MEMORY + 3 * PAGE, 2 * PAGE, 0);
	map_at(0x20000, 0, 5);
	expect_unmap(HOLD_FD, 0x10000, PAGE, 0);
	expect_unmap(HOLD_FD, 0x20000, 5 * PAGE, 0);
	expect_unregister(HOLD_FD, MEMORY, 2 * PAGE, 0);
	expect_unregister(HOLD_FD, MEMORY + 2 * PAGE, PAGE, 0);
	expect_unregister(HOLD_FD, MEMORY + 3 * PAGE, 2 * PAGE, 0);
	assert_int_equal(libiommu_ioas_unmap_range(ioas, 0x10000, 0x20000, NULL), 0);
}

/* Another container of the context registers the regions that the first one has. */
static void test_two_containers(void **state)
{
	struct libiommu_ioas *const other = legacy_ioas(ctx);
	struct libiommu_device *const second =
		spapr_device(OTHER, OTHER_FD, OTHER_HOLD, OTHER_NAME, OTHER_DEVFD);

	(void)state;
	expect_info(OTHER_HOLD, SIZES, 0);
	assert_int_equal(libiommu_device_attach_ioas(second, other), 0);
	expect_register(HOLD_FD, MEMORY, 4 * PAGE, 0);
	map_at(0x10000, 0, 4);
	expect_register(OTHER_HOLD, MEMORY, 4 * PAGE, 0);
	expect_register(OTHER_HOLD, MEMORY + 4 * PAGE, PAGE, 0);
	expect_map(OTHER_HOLD, memory + PAGE, 0x10000, 4 * PAGE, 0);
	assert_int_equal(libiommu_ioas_map_fixed(other, memory + PAGE, 4 * PAGE, BOTH, 0x10000), 0);
	expect_unmap(HOLD_FD, 0x10000, 4 * PAGE, 0);
	expect_unregister(HOLD_FD, MEMORY, 4 * PAGE, 0);
	unmap_at(0x10000, 4);
	/* It is still the other's, and so registered as it is. */
	expect_register(HOLD_FD, MEMORY, 4 * PAGE, 0);
	map_at(0x10000, 0, 1);
	legacy_close(second, OTHER_FD);
	assert_int_equal(libiommu_ioas_destroy(other), 0);
	/* What it had went with its container. */
	expect_register(HOLD_FD, MEMORY + 4 * PAGE, 2 * PAGE, 0);
	map_at(0x20000, 4, 2);
}

/* The kernel keeps what a container of another context has mapped; it is used again. */
static void test_memory_that_stays(void **state)
{
	(void)state;
	expect_register(HOLD_FD, MEMORY, PAGE, 0);
	map_at(0x10000, 0, 1);
	expect_unmap(HOLD_FD, 0x10000, PAGE, 0);
	expect_unregister(HOLD_FD, MEMORY, PAGE, -EBUSY);
	unmap_at(0x10000, 1);
	map_at(0x10000, 0, 1);
	expect_unmap(HOLD_FD, 0x10000, PAGE, 0);
	expect_unregister(HOLD_FD, MEMORY, PAGE, 0);
	unmap_at(0x10000, 1);
	expect_register(HOLD_FD, MEMORY, PAGE, 0);
	map_at(0x10000, 0, 1);
}

static int map_fixed(uint64_t pages)
{
	return libiommu_ioas_map_fixed(ioas, memory, pages * PAGE, BOTH, 0x10000);
}

static void test_errors_of_registering(void **state)
{
	static const struct {
		int error;
		const char *text;
	} cases[] = {
		{-EINVAL, "another context of this process"},
		{-EFAULT, "is read-only"},
		{-EPERM, "forked"},
		{-ENOMEM, "each container counts"},
	};

	(void)state;
	limit_set(1 << 20);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_register(HOLD_FD, MEMORY, PAGE, cases[i].error);
		assert_int_equal(map_fixed(1), cases[i].error);
		assert_failure(cases[i].error, KERNEL, "libiommu_ioas_map_fixed");
		assert_explained(cases[i].text);
	}
	limit_restore();
	/* How the kernel says that only the first page could be pinned. */
	expect_register(HOLD_FD, MEMORY, 2 * PAGE, 1);
	assert_int_equal(map_fixed(2), -EFAULT);
	assert_explained("is read-only");
	/* What was registered before is given back. */
	expect_register(HOLD_FD, MEMORY + PAGE, PAGE, 0);
	map_at(0x20000, 1, 1);
	expect_register(HOLD_FD, MEMORY, PAGE, 0);
	expect_register(HOLD_FD, MEMORY + 2 * PAGE, PAGE, -EFAULT);
	expect_unregister(HOLD_FD, MEMORY, PAGE, 0);
	assert_int_equal(map_fixed(3), -EFAULT);
}

static void test_errors_of_mapping(void **state)
{
	static const struct {
		int error;
		const char *text;
	} cases[] = {
		{-ENXIO, "libiommu_ioas_ranges()"},
		{-EPERM, "share a container"},
		{-ENODEV, "until the next boot"},
	};
	uint64_t unmapped = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_register(HOLD_FD, MEMORY, PAGE, 0);
		expect_map(HOLD_FD, memory, 0x10000, PAGE, cases[i].error);
		expect_unregister(HOLD_FD, MEMORY, PAGE, 0);
		assert_int_equal(map_fixed(1), cases[i].error);
		assert_explained(cases[i].text);
	}
	expect_register(HOLD_FD, MEMORY, PAGE, 0);
	map_at(0x10000, 0, 1);
	expect_unmap(HOLD_FD, 0x10000, PAGE, -EPERM);
	assert_int_equal(libiommu_ioas_unmap_all(ioas, &unmapped), -EPERM);
	assert_int_equal(unmapped, 7);
}

static void test_attaching_without_memory(void **state)
{
	struct libiommu_ioas *const other = legacy_ioas(ctx);
	struct libiommu_device *const second =
		spapr_device(OTHER, OTHER_FD, OTHER_HOLD, OTHER_NAME, OTHER_DEVFD);

	(void)state;
	ALLOC_LOOP
	{
		expect_info(OTHER_HOLD, SIZES, 0);
		ALLOC_TRY(libiommu_device_attach_ioas(second, other));
	}
	legacy_close(second, OTHER_FD);
	assert_int_equal(libiommu_ioas_destroy(other), 0);
}

/* Of mappings, of the context's regions, of the container's: each is kept once it has grown. */
static void test_lists_without_memory(void **state)
{
	static const unsigned int nth[] = {1, 2, 2};

	(void)state;
	for (size_t i = 0; i < sizeof(nth) / sizeof(nth[0]); i++) {
		int error;

		alloc_fail_nth(nth[i]);
		error = map_fixed(1);
		assert_true(alloc_restore());
		assert_int_equal(error, -ENOMEM);
	}
	expect_register(HOLD_FD, MEMORY, PAGE, 0);
	map_at(0x10000, 0, 1);
}

static void check_ranges(uint32_t count, uint64_t last)
{
	struct libiommu_iova_ranges *ranges;
	struct libiommu_iova_range range;

	expect_info(HOLD_FD, SIZES, 0);
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), 0);
	assert_int_equal(libiommu_iova_ranges_count(ranges), count);
	assert_int_equal(libiommu_iova_ranges_alignment(ranges), PAGE);
	assert_int_equal(libiommu_iova_ranges_get(ranges, 0, &range), 0);
	assert_true(!range.start && range.last == LOW - 1);
	if (count > 1) {
		assert_int_equal(libiommu_iova_ranges_get(ranges, 1, &range), 0);
		assert_true(range.start == HIGH && range.last == last);
	}
	libiommu_iova_ranges_free(ranges);
}

/* All of the low window is taken. */
static void fill_window(void)
{
	expect_register(HOLD_FD, MEMORY, LOW, 0);
	expect_map(HOLD_FD, memory, 0, LOW, 0);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, LOW, BOTH, 0), 0);
}

static int map_chosen(uint64_t length, uint64_t *iova)
{
	return libiommu_ioas_map(ioas, memory, length, BOTH, iova);
}

static void expect_emptied(void)
{
	expect_unmap(HOLD_FD, 0, LOW, 0);
	expect_unmap(HOLD_FD, HIGH, PAGE, 0);
	expect_unregister(HOLD_FD, MEMORY, LOW, 0);
}

/* Made when the first is full, and removed with the attachment. */
static void test_window(void **state)
{
	uint64_t iova = 0;

	(void)state;
	check_ranges(1, 0);
	fill_window();
	expect_create(window(), 0);
	expect_map(HOLD_FD, memory, HIGH, PAGE, 0);
	assert_int_equal(map_chosen(PAGE, &iova), 0);
	assert_true(iova == HIGH);
	check_ranges(2, HIGH + window() - 1);
	/* There is only one. */
	assert_int_equal(map_chosen(window(), &iova), -ENOSPC);
	assert_explained("as many windows");
	expect_emptied();
	expect_remove(0);
	assert_int_equal(libiommu_device_detach(dev), 0);
	/* What was in it has no place any more. */
	expect_info(HOLD_FD, SIZES, 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -EADDRINUSE);
	assert_int_equal(libiommu_ioas_unmap(ioas, HIGH, PAGE), 0);
	expect_info(HOLD_FD, SIZES, 0);
	expect_register(HOLD_FD, MEMORY, LOW, 0);
	expect_map(HOLD_FD, memory, 0, LOW, 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), 0);
	check_ranges(1, 0);
}

/* The kernel keeps it: so does the container. */
static void test_window_that_stays(void **state)
{
	uint64_t iova = 0;

	(void)state;
	fill_window();
	expect_create(window(), 0);
	expect_map(HOLD_FD, memory, HIGH, PAGE, 0);
	assert_int_equal(map_chosen(PAGE, &iova), 0);
	expect_emptied();
	expect_remove(-EINVAL);
	assert_int_equal(libiommu_device_detach(dev), 0);
	expect_info(HOLD_FD, SIZES, 0);
	expect_register(HOLD_FD, MEMORY, LOW, 0);
	expect_map(HOLD_FD, memory, 0, LOW, 0);
	expect_map(HOLD_FD, memory, HIGH, PAGE, 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), 0);
}

/* Half the size where a table is too large, as long as it is enough. */
static void test_smaller_windows(void **state)
{
	uint64_t iova = 0;

	(void)state;
	fill_window();
	expect_create(window(), -EINVAL);
	expect_create(window() / 2, -ENOMEM);
	expect_create(window() / 4, 0);
	expect_map(HOLD_FD, memory, HIGH, PAGE, 0);
	assert_int_equal(map_chosen(PAGE, &iova), 0);
	check_ranges(2, HIGH + window() / 4 - 1);
}

static void test_errors_of_windows(void **state)
{
	static const struct {
		int error;
		const char *text;
	} cases[] = {
		{-EINVAL, "of this length"},
		{-ENOMEM, "ulimit -l"},
		{-ENOSPC, "as many windows"},
		{-ENODEV, "until the next boot"},
		{-EPERM, "EPERM"},
	};
	uint64_t iova = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_create(window(), cases[i].error);
		assert_int_equal(map_chosen(window(), &iova), cases[i].error);
		assert_failure(cases[i].error, KERNEL, "libiommu_ioas_map");
		assert_explained(cases[i].text);
	}
	assert_int_equal(map_chosen(UINT64_MAX & ~(PAGE - 1), &iova), -EOVERFLOW);
	assert_int_equal(map_chosen((UINT64_C(1) << 63) + PAGE, NULL), -EINVAL);
	assert_int_equal(iova, 7);
}

/* Its windows are what they are, or have no pages that any memory could be mapped with. */
static void test_no_windows(void **state)
{
	static const uint64_t sizes[] = {0, 0x1200000};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct libiommu_iova_ranges *ranges;
		uint64_t iova;

		expect_info(HOLD_FD, sizes[i], 0);
		assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), 0);
		libiommu_iova_ranges_free(ranges);
		assert_int_equal(map_chosen(2 * LOW, &iova), -ENOSPC);
	}
}

static void test_descriptions(void **state)
{
	struct libiommu_iova_ranges *ranges;

	(void)state;
	expect_info(HOLD_FD, SIZES, -ENXIO);
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), -ENXIO);
	EXPECT_IOCTL(HOLD_FD, VFIO_IOMMU_SPAPR_TCE_GET_INFO,
	             OUT(TCEINFO, .argsz = sizeof(TCEINFO)));
	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), -EIO);
	ALLOC_LOOP
	{
		expect_info(HOLD_FD, SIZES, 0);
		if (!ALLOC_TRY(libiommu_ioas_ranges(ioas, &ranges)))
			libiommu_iova_ranges_free(ranges);
	}
}

/* An attachment that fails half-way leaves nothing mapped and nothing registered. */
static void test_attaching_what_is_mapped(void **state)
{
	(void)state;
	assert_int_equal(libiommu_device_detach(dev), 0);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, 0x10000), 0);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, 0x20000), 0);
	expect_info(HOLD_FD, SIZES, 0);
	expect_register(HOLD_FD, MEMORY, PAGE, 0);
	expect_map(HOLD_FD, memory, 0x10000, PAGE, 0);
	expect_map(HOLD_FD, memory, 0x20000, PAGE, -EINVAL);
	expect_unmap(HOLD_FD, 0x10000, PAGE, 0);
	expect_unregister(HOLD_FD, MEMORY, PAGE, 0);
	assert_int_equal(libiommu_device_attach_ioas(dev, ioas), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_chosen_where_there_is_no_type1),
		SCRIPT_TEST(test_another_iommu),
		SPAPR_TEST(test_memory_is_registered_first),
		SPAPR_TEST(test_gaps),
		SPAPR_TEST(test_two_containers),
		SPAPR_TEST(test_memory_that_stays),
		SPAPR_TEST(test_errors_of_registering),
		SPAPR_TEST(test_errors_of_mapping),
		SPAPR_TEST(test_attaching_without_memory),
		SPAPR_TEST(test_lists_without_memory),
		SPAPR_TEST(test_window),
		SPAPR_TEST(test_window_that_stays),
		SPAPR_TEST(test_smaller_windows),
		SPAPR_TEST(test_errors_of_windows),
		SPAPR_TEST(test_no_windows),
		SPAPR_TEST(test_descriptions),
		SPAPR_TEST(test_attaching_what_is_mapped),
	};

	return cmocka_run_group_tests_name("spapr", tests, NULL, NULL);
}
