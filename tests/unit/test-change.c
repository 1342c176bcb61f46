/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What keeps a context from going to another process: listed by range, where it remembers. */
#include "alloc.h"
#include "objects.h"

#define RW      (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)
#define FILE_FD 300

static struct libiommu_ctx *ctx;
static struct libiommu_ioas *one, *two;
static char memory[0x4000];

static struct libiommu_ctx *open_ctx(bool remember)
{
	struct libiommu_ctx_config *config = script_ctx_config();
	struct libiommu_ctx *made;

	assert_int_equal(libiommu_ctx_config_set_remember(config, remember), 0);
	EXPECT_OPEN("/dev/iommu", CTX_FD);
	assert_int_equal(libiommu_ctx_new(config, &made), 0);
	libiommu_ctx_config_free(config);
	return made;
}

static int set_up(void **state, bool remember)
{
	script_setup(state);
	ctx = open_ctx(remember);
	one = script_ioas(ctx, 2);
	two = script_ioas(ctx, 3);
	script_lend_fd(FILE_FD);
	return 0;
}

static int setup(void **state)
{
	return set_up(state, true);
}

static int setup_plain(void **state)
{
	return set_up(state, false);
}

static int teardown(void **state)
{
	script_ioas_close(two, 3);
	script_ioas_close(one, 2);
	script_ctx_close(ctx);
	return script_teardown(state);
}

static void map_memory(struct libiommu_ioas *ioas, char *address, uint64_t length, uint64_t iova)
{
	EXPECT_IOCTL(CTX_FD, IOAS_MAP, .result = 0);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, address, length, RW, iova), 0);
}

static void map_file(struct libiommu_ioas *ioas, uint64_t length, uint64_t iova, bool dma_buf)
{
	EXPECT(GETFL, .fd = FILE_FD, .result = 2);
	EXPECT(SEAL, .fd = FILE_FD, .result = dma_buf ? -EINVAL : 0);
	EXPECT_IOCTL(CTX_FD, IOAS_MAP_FILE, .result = 0);
	assert_int_equal(libiommu_ioas_map_file_fixed(ioas, FILE_FD, 0, length, RW, iova), 0);
}

static void copy(uint64_t from, uint64_t length, uint64_t iova)
{
	EXPECT_IOCTL(CTX_FD, IOAS_COPY, .result = 0);
	assert_int_equal(libiommu_ioas_copy_fixed(two, one, from, length, RW, iova), 0);
}

static void unmap(struct libiommu_ioas *ioas, uint64_t iova, uint64_t length)
{
	EXPECT_IOCTL(CTX_FD, IOAS_UNMAP, SET(struct uapi_ioas_unmap, length, length));
	assert_int_equal(libiommu_ioas_unmap_range(ioas, iova, length, NULL), 0);
}

/* The kernel is asked whether it knows the call, and not to make it. */
static void expect_probe(int result)
{
	static const uint32_t size = sizeof(size);

	EXPECT_IOCTL(CTX_FD, IOAS_CHANGE_PROCESS, .in = &size, .in_size = sizeof(size),
	             .result = result);
}

struct wanted {
	enum libiommu_change_obstacle why;
	uint32_t ioas;
	uint64_t iova, length;
	void *address;
};

static void assert_list(const struct wanted *wanted, size_t count)
{
	struct libiommu_change_list *list;
	uint64_t iova, length;
	void *address;
	uint32_t ioas;

	expect_probe(-EINVAL);
	assert_int_equal(libiommu_change_list_new(ctx, &list), 0);
	assert_int_equal(libiommu_change_list_count(list), count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(libiommu_change_list_obstacle(list, i), wanted[i].why);
		assert_int_equal(libiommu_change_list_area(list, i, &ioas, &iova, &length), 0);
		assert_int_equal(ioas, wanted[i].ioas);
		assert_int_equal(iova, wanted[i].iova);
		assert_int_equal(length, wanted[i].length);
		assert_non_null(libiommu_change_list_advice(list, i));
		address = NULL;
		assert_int_equal(libiommu_change_list_address(list, i, &address),
		                 wanted[i].address ? 0 : -ENODATA);
		assert_ptr_equal(address, wanted[i].address);
	}
	libiommu_change_list_free(list);
}

#define ASSERT_LIST(...)                                                                           \
	assert_list((const struct wanted[]){__VA_ARGS__},                                          \
	            sizeof((const struct wanted[]){__VA_ARGS__}) / sizeof(struct wanted))

static void test_areas(void **state)
{
	(void)state;
	assert_list(NULL, 0);
	map_file(one, 0x8000, 0x100000, false);
	assert_list(NULL, 0);
	map_memory(two, memory, 0x2000, 0x40000);
	map_memory(one, memory + 2, 0x3000, 0x50000);
	map_file(one, 0x1000, 0x20000, true);
	ASSERT_LIST({LIBIOMMU_CHANGE_DMABUF, 2, 0x20000, 0x1000, NULL},
	            {LIBIOMMU_CHANGE_MEMORY, 2, 0x50000, 0x3000, memory + 2},
	            {LIBIOMMU_CHANGE_MEMORY, 3, 0x40000, 0x2000, memory});
	/* Of the file nothing is on the list, and of the rest all that lies there goes. */
	unmap(one, 0x100000, 0x8000);
	unmap(one, 0, 0x60000);
	ASSERT_LIST({LIBIOMMU_CHANGE_MEMORY, 3, 0x40000, 0x2000, memory});
	EXPECT_IOCTL(CTX_FD, IOAS_UNMAP, SET(struct uapi_ioas_unmap, length, 0x2000));
	assert_int_equal(libiommu_ioas_unmap_all(two, NULL), 0);
	assert_list(NULL, 0);
}

/* The parts of a copy that do not come from files, each for itself, at the addresses they have. */
static void test_copies(void **state)
{
	uint64_t bytes, others;

	(void)state;
	map_memory(one, memory, 0x4000, 0x10000);
	map_file(one, 0x4000, 0x14000, false);
	map_file(one, 0x2000, 0x18000, true);
	copy(0x11000, 0x8000, 0x90000);
	ASSERT_LIST({LIBIOMMU_CHANGE_MEMORY, 2, 0x10000, 0x4000, memory},
	            {LIBIOMMU_CHANGE_DMABUF, 2, 0x18000, 0x2000, NULL},
	            {LIBIOMMU_CHANGE_MEMORY, 3, 0x90000, 0x3000, memory + 0x1000},
	            {LIBIOMMU_CHANGE_DMABUF, 3, 0x97000, 0x1000, NULL});
	/* What is remembered is exact, whatever the order in which it goes. */
	assert_int_equal(libiommu_ioas_mapped(two, &bytes, &others), 0);
	assert_int_equal(others, 0x4000);
	unmap(two, 0x90000, 0x3000);
	assert_int_equal(libiommu_ioas_mapped(two, &bytes, &others), 0);
	assert_int_equal(others, 0x1000);
	copy(0x14000, 0x4000, 0xa0000);
	assert_int_equal(libiommu_ioas_mapped(two, &bytes, &others), 0);
	assert_int_equal(others, 0x1000);
	EXPECT_IOCTL(CTX_FD, IOAS_UNMAP, SET(struct uapi_ioas_unmap, length, 0xa000));
	assert_int_equal(libiommu_ioas_unmap_all(one, NULL), 0);
	ASSERT_LIST({LIBIOMMU_CHANGE_DMABUF, 3, 0x97000, 0x1000, NULL});
	unmap(two, 0x97000, 0x1000);
	assert_list(NULL, 0);
}

/* What the kernel refuses is not remembered; what it cannot unmap stays. */
static void test_refusals(void **state)
{
	(void)state;
	map_memory(one, memory, 0x4000, 0x10000);
	EXPECT_IOCTL(CTX_FD, IOAS_MAP, .result = -EEXIST);
	assert_int_equal(libiommu_ioas_map_fixed(one, memory, 0x1000, RW, 0x11000), -EEXIST);
	EXPECT_IOCTL(CTX_FD, IOAS_COPY, .result = -ENOENT);
	assert_int_equal(libiommu_ioas_copy_fixed(two, one, 0x10000, 0x8000, RW, 0), -ENOENT);
	EXPECT_IOCTL(CTX_FD, IOAS_COPY, .result = -EOVERFLOW);
	assert_int_equal(libiommu_ioas_copy_fixed(two, one, 0x10000, UINT64_MAX, RW, 0),
	                 -EOVERFLOW);
	EXPECT_IOCTL(CTX_FD, IOAS_UNMAP, .result = -ENOENT);
	assert_int_equal(libiommu_ioas_unmap(one, 0x10000, 0x1000), -ENOENT);
	ASSERT_LIST({LIBIOMMU_CHANGE_MEMORY, 2, 0x10000, 0x4000, memory});
	/* Its end is the end of what is in it, the kernel's refusal is not. */
	EXPECT_IOCTL(CTX_FD, DESTROY, .result = -EBUSY);
	assert_int_equal(libiommu_ioas_destroy(one), -EBUSY);
	ASSERT_LIST({LIBIOMMU_CHANGE_MEMORY, 2, 0x10000, 0x4000, memory});
	script_ioas_close(one, 2);
	assert_list(NULL, 0);
	one = script_ioas(ctx, 2);
}

/* Mapped past the handle, or by a predecessor: something is there, and nobody knows where. */
static void test_unknown(void **state)
{
	struct libiommu_ioas *adopted;

	(void)state;
	assert_int_equal(libiommu_ioas_adopt(ctx, 9, LIBIOMMU_ID_BORROW, &adopted), 0);
	EXPECT_IOCTL(CTX_FD, IOAS_COPY, .result = 0);
	assert_int_equal(libiommu_ioas_copy_fixed(two, adopted, 0, 0x5000, RW, 0), 0);
	map_memory(two, memory, 0x1000, 0x70000);
	ASSERT_LIST({LIBIOMMU_CHANGE_MEMORY, 3, 0x70000, 0x1000, memory},
	            {LIBIOMMU_CHANGE_UNKNOWN, 0, 0, 0x5000, NULL});
	assert_int_equal(libiommu_ioas_destroy(adopted), 0);
}

static void test_not_remembered(void **state)
{
	(void)state;
	map_memory(one, memory, 0x4000, 0x10000);
	map_file(one, 0x4000, 0x14000, false);
	map_memory(two, memory, 0x1000, 0x10000);
	ASSERT_LIST({LIBIOMMU_CHANGE_UNKNOWN, 0, 0, 0x5000, NULL});
	unmap(one, 0x10000, 0x8000);
	ASSERT_LIST({LIBIOMMU_CHANGE_UNKNOWN, 0, 0, 0x1000, NULL});
	unmap(two, 0x10000, 0x1000);
	assert_list(NULL, 0);
}

static void test_old_kernel(void **state)
{
	struct libiommu_change_list *list = NULL;

	(void)state;
	expect_probe(-ENOTTY);
	assert_int_equal(libiommu_change_list_new(ctx, &list), 0);
	assert_int_equal(libiommu_change_list_count(list), 1);
	assert_int_equal(libiommu_change_list_obstacle(list, 0), LIBIOMMU_CHANGE_KERNEL);
	assert_string_equal(libiommu_change_list_advice(list, 0), "this kernel is older than 6.14");
	libiommu_change_list_free(list);
	list = NULL;
	expect_probe(-EPERM);
	assert_int_equal(libiommu_change_list_new(ctx, &list), -EPERM);
	assert_failure(-EPERM, KERNEL, "libiommu_change_list_new");
	/* It is no iommufd. */
	expect_probe(0);
	assert_int_equal(libiommu_change_list_new(ctx, &list), -EBADFD);
	assert_null(list);
}

static void test_arguments(void **state)
{
	struct libiommu_change_list *list;
	uint64_t iova, length;
	void *address;
	uint32_t ioas;

	(void)state;
	expect_probe(-EINVAL);
	assert_int_equal(libiommu_change_list_new(ctx, &list), 0);
	assert_int_equal(libiommu_change_list_obstacle(list, 0), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_change_list_obstacle");
	assert_int_equal(libiommu_change_list_area(list, 0, &ioas, &iova, &length), -EINVAL);
	assert_int_equal(libiommu_change_list_address(list, 0, &address), -EINVAL);
	assert_null(libiommu_change_list_advice(list, 0));
	libiommu_change_list_free(list);
}

static void make_without_memory(void)
{
	struct libiommu_ctx_config *config = script_ctx_config();
	struct libiommu_ctx *made = NULL;

	assert_int_equal(libiommu_ctx_config_set_remember(config, true), 0);
	ALLOC_LOOP
	{
		EXPECT_OPEN("/dev/iommu", CTX_FD + 50);
		if (!ALLOC_TRY(libiommu_ctx_new(config, &made))) {
			EXPECT_CLOSE(CTX_FD + 50);
			assert_int_equal(libiommu_ctx_destroy(made), 0);
		}
	}
	libiommu_ctx_config_free(config);
}

/* Memory of the library's runs out before the kernel is asked, or after it was told nothing. */
static void test_no_memory(void **state)
{
	struct libiommu_change_list *list;

	(void)state;
	make_without_memory();
	map_memory(one, memory, 0x1000, 0x10000);
	map_memory(one, memory, 0x1000, 0x11000);
	ALLOC_LOOP
	{
		EXPECT_IOCTL(CTX_FD, IOAS_MAP, .result = 0);
		if (!ALLOC_TRY(libiommu_ioas_map_fixed(one, memory, 0x1000, RW, 0x20000)))
			unmap(one, 0x20000, 0x1000);
	}
	ALLOC_LOOP
	{
		EXPECT_IOCTL(CTX_FD, IOAS_COPY, .result = 0);
		if (!ALLOC_TRY(libiommu_ioas_copy_fixed(two, one, 0x10000, 0x2000, RW, 0)))
			unmap(two, 0, 0x2000);
	}
	ALLOC_LOOP
	{
		expect_probe(-EINVAL);
		if (!ALLOC_TRY(libiommu_change_list_new(ctx, &list)))
			libiommu_change_list_free(list);
	}
	unmap(one, 0x10000, 0x2000);
}

#define TEST(function)       cmocka_unit_test_setup_teardown(function, setup, teardown)
#define PLAIN_TEST(function) cmocka_unit_test_setup_teardown(function, setup_plain, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_areas),      TEST(test_copies),    TEST(test_refusals),
		TEST(test_unknown),    TEST(test_no_memory), PLAIN_TEST(test_not_remembered),
		TEST(test_old_kernel), TEST(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
