/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Without iommufd: contexts, address spaces, and what they say of what cannot be done. */
#include <fcntl.h>

#include "alloc.h"
#include "type1-steps.h"

static _Alignas(4096) uint8_t memory[8 * 4096];

#define BOTH (LIBIOMMU_MAP_READ | LIBIOMMU_MAP_WRITE)

static int open_with(struct libiommu_ctx_config *config, struct libiommu_ctx **ctx)
{
	const int error = libiommu_ctx_new(config, ctx);

	libiommu_ctx_config_free(config);
	return error;
}

static void expect_extensions(int version, int type1, int noiommu)
{
	EXPECT_IOCTL(CTX_FD, VFIO_GET_API_VERSION, .result = version);
	if (version == 0)
		EXPECT_IOCTL(CTX_FD, VFIO_CHECK_EXTENSION, VALUE(UAPI_VFIO_TYPE1v2_IOMMU),
		             .result = type1);
	if (version == 0 && type1 <= 0)
		EXPECT_IOCTL(CTX_FD, VFIO_CHECK_EXTENSION, VALUE(UAPI_VFIO_SPAPR_TCE_v2_IOMMU));
	if (version == 0 && type1 <= 0)
		EXPECT_IOCTL(CTX_FD, VFIO_CHECK_EXTENSION, VALUE(UAPI_VFIO_NOIOMMU_IOMMU),
		             .result = noiommu);
}

static void test_chosen_when_there_is_no_iommufd(void **state)
{
	static const int errors[] = {-ENOENT, -ENODEV};
	struct libiommu_ctx *ctx;

	(void)state;
	for (int i = 0; i < 2; i++) {
		EXPECT_OPEN("/dev/iommu", errors[i]);
		EXPECT_OPEN(CONTAINER, CTX_FD);
		expect_extensions(0, i ? 0 : 1, 1);
		assert_int_equal(open_with(script_ctx_config(), &ctx), 0);
		assert_int_equal(libiommu_ctx_backend(ctx), LIBIOMMU_BACKEND_TYPE1);
		assert_int_equal(libiommu_ctx_fd(ctx), CTX_FD);
		script_ctx_close(ctx);
	}
	ctx = script_ctx();
	assert_int_equal(libiommu_ctx_backend(ctx), LIBIOMMU_BACKEND_IOMMUFD);
	assert_int_equal(libiommu_ctx_backend(NULL), -EINVAL);
	script_ctx_close(ctx);
}

/* The first answer counts, and what was tried besides is told. */
static void test_neither(void **state)
{
	struct libiommu_ctx *ctx = NULL;

	(void)state;
	EXPECT_OPEN("/dev/iommu", -ENOENT);
	EXPECT_OPEN(CONTAINER, -EACCES);
	assert_int_equal(open_with(script_ctx_config(), &ctx), -ENOENT);
	assert_failure(-ENOENT, KERNEL, "libiommu_ctx_new");
	assert_explained("/dev/iommu, and instead of it /dev/vfio/vfio: EACCES;");
	EXPECT_OPEN("/dev/iommu", -ENODEV);
	EXPECT_OPEN(CONTAINER, CTX_FD);
	expect_extensions(0, 0, 0);
	EXPECT_CLOSE(CTX_FD);
	assert_int_equal(open_with(script_ctx_config(), &ctx), -ENODEV);
	assert_explained("/dev/vfio/vfio: ENODEV (it has no IOMMU that is known)");
	/* There, and not to be opened, or not what was asked for: no reason to take another. */
	EXPECT_OPEN("/dev/iommu", -EACCES);
	assert_int_equal(open_with(script_ctx_config(), &ctx), -EACCES);
	assert_null(ctx);
}

static void test_chosen_by_the_program(void **state)
{
	struct libiommu_ctx_config *config = script_ctx_config();
	struct libiommu_ctx *ctx = NULL;

	(void)state;
	script_ctx_close(legacy_ctx());
	assert_int_equal(libiommu_ctx_config_set_backend(config, LIBIOMMU_BACKEND_IOMMUFD), 0);
	EXPECT_OPEN("/dev/iommu", -ENOENT);
	assert_int_equal(open_with(config, &ctx), -ENOENT);
	config = legacy_config();
	assert_int_equal(libiommu_ctx_config_set_backend(config, (enum libiommu_backend)4),
	                 -EINVAL);
	assert_int_equal(libiommu_ctx_config_set_path(config, "/dev/other"), 0);
	EXPECT_OPEN("/dev/other", CTX_FD);
	expect_extensions(0, 1, 0);
	assert_int_equal(open_with(config, &ctx), 0);
	script_ctx_close(ctx);
	config = legacy_config();
	assert_int_equal(libiommu_ctx_config_set_fd(config, 50, LIBIOMMU_FD_BORROW), 0);
	assert_int_equal(open_with(config, &ctx), -EOPNOTSUPP);
	assert_failure(-EOPNOTSUPP, LIBRARY, "libiommu_ctx_new");
}

static void test_containers_that_cannot_be_used(void **state)
{
	struct libiommu_ctx *ctx = NULL;

	(void)state;
	EXPECT_OPEN(CONTAINER, -ENOENT);
	assert_int_equal(open_with(legacy_config(), &ctx), -ENOENT);
	assert_explained("modprobe");
	EXPECT_OPEN(CONTAINER, CTX_FD);
	expect_extensions(-ENOTTY, 0, 0);
	EXPECT_CLOSE(CTX_FD);
	assert_int_equal(open_with(legacy_config(), &ctx), -ENOTTY);
	assert_explained("not VFIO's");
	EXPECT_OPEN(CONTAINER, CTX_FD);
	expect_extensions(1, 0, 0);
	EXPECT_CLOSE(CTX_FD);
	assert_int_equal(open_with(legacy_config(), &ctx), -ENODEV);
	assert_explained("modprobe vfio_iommu_type1");
	assert_null(ctx);
}

static void test_contexts_without_memory(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		ALLOC_LOOP
		{
			struct libiommu_ctx_config *const config =
				i ? legacy_config() : script_ctx_config();
			struct libiommu_ctx *ctx = NULL;

			if (!i)
				EXPECT_OPEN("/dev/iommu", -ENOENT);
			EXPECT_OPEN(CONTAINER, CTX_FD);
			expect_extensions(0, 1, 0);
			if (!ALLOC_TRY(libiommu_ctx_new(config, &ctx)))
				script_ctx_close(ctx);
			else
				assert_null(ctx);
			libiommu_ctx_config_free(config);
		}
}

static void test_account_is_the_process(void **state)
{
	struct libiommu_ctx *const ctx = legacy_ctx();
	enum libiommu_rlimit_mode mode = LIBIOMMU_RLIMIT_PER_USER;

	(void)state;
	assert_int_equal(libiommu_ctx_get_rlimit_mode(ctx, &mode), 0);
	assert_int_equal(mode, LIBIOMMU_RLIMIT_PER_PROCESS);
	assert_int_equal(libiommu_ctx_set_rlimit_mode(ctx, LIBIOMMU_RLIMIT_PER_PROCESS), 0);
	assert_int_equal(libiommu_ctx_set_rlimit_mode(ctx, LIBIOMMU_RLIMIT_PER_USER), -EOPNOTSUPP);
	script_ctx_close(ctx);
}

/* Each says that it is the library's word, and what it takes. */
#define REFUSED(name, ...)                                                                         \
	do {                                                                                       \
		assert_int_equal(name(__VA_ARGS__), -EOPNOTSUPP);                                  \
		assert_failure(-EOPNOTSUPP, LIBRARY, #name);                                       \
		assert_explained("takes iommufd");                                                 \
	} while (0)

static void test_what_only_iommufd_has(void **state)
{
	const struct libiommu_iova_range range = {0x1000, 0x1fff};
	struct libiommu_ctx *const ctx = legacy_ctx();
	struct libiommu_ioas *const ioas = legacy_ioas(ctx);
	struct libiommu_handover *handover;
	struct libiommu_fault_queue *queue;
	struct libiommu_device *dev;
	struct libiommu_ioas *other;
	uint64_t iova = 0, length;
	bool allowed;

	(void)state;
	for (int i = 0; libiommu_feature_name(i); i++)
		assert_int_equal(libiommu_ctx_probe(ctx, i), 0);
	REFUSED(libiommu_ioas_adopt, ctx, 1, LIBIOMMU_ID_BORROW, &other);
	REFUSED(libiommu_ioas_get_compat, ctx, &other);
	REFUSED(libiommu_ioas_set_compat, ioas);
	REFUSED(libiommu_ioas_clear_compat, ctx);
	REFUSED(libiommu_ioas_copy, ioas, ioas, 0x1000, 4096, BOTH, &iova);
	REFUSED(libiommu_ioas_allow, ioas, &range, 1);
	REFUSED(libiommu_ioas_set_huge_pages, ioas, false);
	REFUSED(libiommu_ioas_get_huge_pages, ioas, &allowed);
	REFUSED(libiommu_ioas_noiommu_get_pa, ioas, 0x1000, 8, &iova, &length);
	REFUSED(libiommu_ctx_change_process, ctx);
	REFUSED(libiommu_fault_queue_alloc, ctx, &queue);
	REFUSED(libiommu_handover_new, ctx, &handover);
	REFUSED(libiommu_device_open_node, ctx, "/dev/vfio/devices/vfio0", &dev);
	REFUSED(libiommu_device_open_fd, ctx, 50, LIBIOMMU_FD_BORROW, &dev);
	REFUSED(libiommu_device_adopt, ctx, 50, LIBIOMMU_FD_BORROW, 1, 0, LABEL, &dev);
	script_lend_fd(50);
	EXPECT(GETFL, .fd = 50, .result = O_RDWR);
	EXPECT(SEAL, .fd = 50, .result = 0);
	REFUSED(libiommu_ioas_map_file, ioas, 50, 0, 4096, BOTH, &iova);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	script_ctx_close(ctx);
}

static void test_ids_are_the_librarys(void **state)
{
	struct libiommu_ctx *const ctx = legacy_ctx();
	struct libiommu_ioas *const first = legacy_ioas(ctx);
	struct libiommu_ioas *const second = legacy_ioas(ctx);
	uint32_t ids[2];

	(void)state;
	assert_int_equal(libiommu_ioas_id(first, &ids[0]), 0);
	assert_int_equal(libiommu_ioas_id(second, &ids[1]), 0);
	assert_int_not_equal(ids[0], 0);
	assert_int_not_equal(ids[0], ids[1]);
	assert_int_equal(libiommu_ioas_destroy(first), 0);
	assert_int_equal(libiommu_ioas_destroy(second), 0);
	ALLOC_LOOP
	{
		struct libiommu_ioas *ioas = NULL;

		if (!ALLOC_TRY(libiommu_ioas_alloc(ctx, &ioas)))
			assert_int_equal(libiommu_ioas_destroy(ioas), 0);
		else
			assert_null(ioas);
	}
	script_ctx_close(ctx);
}

static void check_whole(struct libiommu_ioas *ioas)
{
	struct libiommu_iova_ranges *ranges;
	struct libiommu_iova_range range;

	assert_int_equal(libiommu_ioas_ranges(ioas, &ranges), 0);
	assert_int_equal(libiommu_iova_ranges_count(ranges), 1);
	assert_int_equal(libiommu_iova_ranges_get(ranges, 0, &range), 0);
	assert_int_equal(range.start, 0);
	assert_true(range.last == UINT64_MAX);
	assert_int_equal(libiommu_iova_ranges_alignment(ranges), 4096);
	libiommu_iova_ranges_free(ranges);
}

/* With nothing attached the kernel has no part in it. */
static void test_mapping_before_anything_is_attached(void **state)
{
	struct libiommu_ctx *const ctx = legacy_ctx();
	struct libiommu_ioas *const ioas = legacy_ioas(ctx);
	uint64_t iova = 0, bytes, others;

	(void)state;
	check_whole(ioas);
	assert_int_equal(libiommu_ioas_map(ioas, memory, PAGE, BOTH, &iova), 0);
	assert_int_equal(iova, PAGE);
	assert_int_equal(libiommu_ioas_map(ioas, memory, 2 * PAGE, BOTH, &iova), 0);
	assert_int_equal(iova, 2 * PAGE);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, 0), 0);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, 3 * PAGE), -EEXIST);
	assert_failure(-EEXIST, LIBRARY, "libiommu_ioas_map_fixed");
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, 0, BOTH, 0x9000), -EINVAL);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, 0x9001), -EINVAL);
	assert_int_equal(libiommu_ioas_map_fixed(ioas, memory + 1, PAGE, BOTH, 0x9000), -EINVAL);
	assert_explained("multiples of the page size");
	assert_int_equal(
		libiommu_ioas_map_fixed(ioas, memory, 2 * PAGE, BOTH, UINT64_MAX & ~(PAGE - 1)),
		-EOVERFLOW);
	assert_int_equal(libiommu_ioas_map(ioas, memory, 1, BOTH, &iova), -EINVAL);
	assert_int_equal(libiommu_ioas_map(ioas, NULL, UINT64_MAX & ~(PAGE - 1), BOTH, &iova),
	                 -ENOSPC);
	assert_explained("no free range");
	assert_int_equal(iova, 2 * PAGE);
	assert_int_equal(libiommu_ioas_mapped(ioas, &bytes, &others), 0);
	assert_int_equal(bytes, 4 * PAGE);
	/* Whole mappings. */
	assert_int_equal(libiommu_ioas_unmap(ioas, 2 * PAGE, PAGE), -ENOENT);
	assert_explained("cuts a mapping");
	assert_int_equal(libiommu_ioas_unmap(ioas, 3 * PAGE, PAGE), -ENOENT);
	assert_int_equal(libiommu_ioas_unmap(ioas, 0x9000, PAGE), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_ioas_unmap");
	assert_int_equal(libiommu_ioas_unmap(ioas, PAGE, PAGE), 0);
	assert_int_equal(libiommu_ioas_unmap(ioas, 0, 4 * PAGE), -ERANGE);
	assert_int_equal(libiommu_ioas_unmap_all(ioas, &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(libiommu_ioas_map(ioas, memory, PAGE, BOTH, &iova), 0);
	assert_int_equal(libiommu_ioas_unmap_all(ioas, &bytes), 0);
	assert_int_equal(bytes, PAGE);
	/* As much is as aligned, up to 2 MiB. */
	assert_int_equal(libiommu_ioas_map(ioas, memory, PAGE, BOTH, &iova), 0);
	assert_int_equal(libiommu_ioas_map(ioas, memory, 0x300000, BOTH, &iova), 0);
	assert_int_equal(iova, 0x200000);
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	script_ctx_close(ctx);
}

static void test_mapping_without_memory(void **state)
{
	struct libiommu_ctx *const ctx = legacy_ctx();

	(void)state;
	ALLOC_LOOP
	{
		struct libiommu_ioas *const ioas = legacy_ioas(ctx);
		uint64_t bytes, others;

		if (ALLOC_TRY(libiommu_ioas_map_fixed(ioas, memory, PAGE, BOTH, PAGE))) {
			assert_int_equal(libiommu_ioas_mapped(ioas, &bytes, &others), 0);
			assert_int_equal(bytes, 0);
		}
		assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	}
	script_ctx_close(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(test_chosen_when_there_is_no_iommufd),
		SCRIPT_TEST(test_neither),
		SCRIPT_TEST(test_chosen_by_the_program),
		SCRIPT_TEST(test_containers_that_cannot_be_used),
		SCRIPT_TEST(test_contexts_without_memory),
		SCRIPT_TEST(test_account_is_the_process),
		SCRIPT_TEST(test_what_only_iommufd_has),
		SCRIPT_TEST(test_ids_are_the_librarys),
		SCRIPT_TEST(test_mapping_before_anything_is_attached),
		SCRIPT_TEST(test_mapping_without_memory),
	};

	return cmocka_run_group_tests_name("type1", tests, NULL, NULL);
}
