/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What VFIO says of devices and regions, read out of what it hangs on its answers. */
#include "alloc.h"
#include "pci-steps.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An answer with each capability that there is, as the kernel lays it out. */
struct answer {
	struct uapi_vfio_device_info info;
	struct uapi_vfio_device_info_cap_zpci_base base;
	struct uapi_vfio_device_info_cap_zpci_group group;
	struct {
		struct uapi_vfio_info_cap_header header;
		uint32_t size;
		char bytes[8];
		uint32_t pad;
	} util, pfip;
	struct uapi_vfio_device_info_cap_pci_atomic_comp atomic;
};

#undef AT
#define AT(member) ((uint32_t)offsetof(struct answer, member))
#define NEXT(id_, version_, member)                                                                \
	{                                                                                          \
		.id = UAPI_VFIO_DEVICE_INFO_CAP_##id_, .version = (version_), .next = AT(member)   \
	}

static struct answer full(void)
{
	return (struct answer){
		.info = {.argsz = sizeof(struct answer),
	                 .flags = UAPI_VFIO_DEVICE_FLAGS_PCI | UAPI_VFIO_DEVICE_FLAGS_RESET |
	                          UAPI_VFIO_DEVICE_FLAGS_CAPS,
	                 .num_regions = UAPI_VFIO_PCI_NUM_REGIONS,
	                 .num_irqs = UAPI_VFIO_PCI_NUM_IRQS,
	                 .cap_offset = AT(base)},
		.base = {.header = NEXT(ZPCI_BASE, 3, group),
	                 .start_dma = 0x1000000000000001,
	                 .end_dma = 2,
	                 .pchid = 3,
	                 .vfn = 4,
	                 .fmb_length = 5,
	                 .pft = 6,
	                 .gid = 7,
	                 .fh = 0x80000008,
	                 .ccdf_err_length = 9},
		.group = {.header = NEXT(ZPCI_GROUP, 2, util),
	                  .dasm = 0x11,
	                  .msi_addr = 0x12,
	                  .flags = UAPI_VFIO_DEVICE_INFO_ZPCI_FLAG_REFRESH,
	                  .mui = 0x14,
	                  .noi = 0x15,
	                  .maxstbl = 0x16,
	                  .version = 0x17,
	                  .imaxstbl = 0x18},
		.util = {.header = NEXT(ZPCI_UTIL, 1, pfip), .size = 8, .bytes = "utility!"},
		.pfip = {.header = NEXT(ZPCI_PFIP, 1, atomic), .size = 3, .bytes = "pfi?????"},
		.atomic = {.header = {.id = UAPI_VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP,
	                              .version = 1},
	                   .flags = UAPI_VFIO_PCI_ATOMIC_COMP32 | UAPI_VFIO_PCI_ATOMIC_COMP64 |
	                            UAPI_VFIO_PCI_ATOMIC_COMP128},
	};
}

static void expect_ask(uint32_t room, const void *answer, size_t size)
{
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_INFO,
	             IN(struct uapi_vfio_device_info, .argsz = room), OUT_BYTES(answer, size));
}

static void expect_answer(const struct answer *answer)
{
	struct uapi_vfio_device_info small = answer->info;

	small.cap_offset = 0;
	expect_ask(sizeof(small), &small, sizeof(small));
	expect_ask(sizeof(*answer), answer, sizeof(*answer));
}

static struct libiommu_device_info *get(const struct answer *answer)
{
	struct libiommu_device_info *info = NULL;

	expect_answer(answer);
	assert_int_equal(libiommu_device_info_get(pci_dev, &info), 0);
	return info;
}

static void test_basics(void **state)
{
	const struct answer answer = full();
	struct libiommu_device_info *info = get(&answer);
	uint32_t flags, regions, irqs;

	(void)state;
	assert_int_equal(libiommu_device_info_basics(info, &flags, &regions, &irqs), 0);
	assert_int_equal(flags, LIBIOMMU_DEVICE_INFO_PCI | LIBIOMMU_DEVICE_INFO_RESET |
	                                LIBIOMMU_DEVICE_INFO_CAPABILITIES);
	assert_int_equal(regions, 9);
	assert_int_equal(irqs, 5);
	assert_int_equal(libiommu_device_info_basics(info, NULL, NULL, NULL), 0);
	libiommu_device_info_free(info);
	libiommu_device_info_free(NULL);
}

/* Of each bus. */
static void test_buses(void **state)
{
	static const struct {
		uint32_t kernel, ours;
	} buses[] = {
		{UAPI_VFIO_DEVICE_FLAGS_PCI, LIBIOMMU_DEVICE_INFO_PCI},
		{UAPI_VFIO_DEVICE_FLAGS_PLATFORM, LIBIOMMU_DEVICE_INFO_PLATFORM},
		{UAPI_VFIO_DEVICE_FLAGS_AMBA, LIBIOMMU_DEVICE_INFO_AMBA},
		{UAPI_VFIO_DEVICE_FLAGS_CCW, LIBIOMMU_DEVICE_INFO_CCW},
		{UAPI_VFIO_DEVICE_FLAGS_AP, LIBIOMMU_DEVICE_INFO_AP},
		{UAPI_VFIO_DEVICE_FLAGS_FSL_MC, LIBIOMMU_DEVICE_INFO_FSL_MC},
		{UAPI_VFIO_DEVICE_FLAGS_CDX, LIBIOMMU_DEVICE_INFO_CDX},
		{1U << 31, 1U << 31},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(buses); i++) {
		const struct uapi_vfio_device_info answer = {.argsz = sizeof(answer),
		                                             .flags = buses[i].kernel};
		struct libiommu_device_info *info;
		const void *data;
		uint32_t flags;
		size_t length;

		expect_ask(sizeof(answer), &answer, sizeof(answer));
		assert_int_equal(libiommu_device_info_get(pci_dev, &info), 0);
		assert_int_equal(libiommu_device_info_basics(info, &flags, NULL, NULL), 0);
		assert_int_equal(flags, buses[i].ours);
		assert_int_equal(
			libiommu_device_info_capability(info, LIBIOMMU_DEVICE_CAPABILITY_ZPCI_BASE,
		                                        NULL, &data, &length),
			-ENODATA);
		libiommu_device_info_free(info);
	}
}

static const struct {
	enum libiommu_device_field field;
	uint64_t value;
} numbers[] = {
	{LIBIOMMU_ZPCI_START_DMA, 0x1000000000000001},
	{LIBIOMMU_ZPCI_END_DMA, 2},
	{LIBIOMMU_ZPCI_PCHID, 3},
	{LIBIOMMU_ZPCI_VFN, 4},
	{LIBIOMMU_ZPCI_FMB_LENGTH, 5},
	{LIBIOMMU_ZPCI_PFT, 6},
	{LIBIOMMU_ZPCI_GID, 7},
	{LIBIOMMU_ZPCI_FH, 0x80000008},
	{LIBIOMMU_ZPCI_CCDF_ERR_LENGTH, 9},
	{LIBIOMMU_ZPCI_DASM, 0x11},
	{LIBIOMMU_ZPCI_MSI_ADDR, 0x12},
	{LIBIOMMU_ZPCI_FLAGS, LIBIOMMU_ZPCI_REFRESH},
	{LIBIOMMU_ZPCI_MUI, 0x14},
	{LIBIOMMU_ZPCI_NOI, 0x15},
	{LIBIOMMU_ZPCI_MAXSTBL, 0x16},
	{LIBIOMMU_ZPCI_VERSION, 0x17},
	{LIBIOMMU_ZPCI_IMAXSTBL, 0x18},
	{LIBIOMMU_PCI_ATOMIC_COMPLETION,
         LIBIOMMU_PCI_ATOMIC_32 | LIBIOMMU_PCI_ATOMIC_64 | LIBIOMMU_PCI_ATOMIC_128},
};

static void test_fields(void **state)
{
	const struct answer answer = full();
	struct libiommu_device_info *info = get(&answer);
	uint64_t value = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		assert_int_equal(libiommu_device_info_field(info, numbers[i].field, &value), 0);
		assert_true(value == numbers[i].value);
	}
	value = 77;
	assert_int_equal(libiommu_device_info_field(info, (enum libiommu_device_field)1, &value),
	                 -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_device_info_field");
	assert_int_equal(value, 77);
	libiommu_device_info_free(info);
}

/* What a kernel is too old for, or another device has. */
static void test_older(void **state)
{
	struct answer answer = full();
	struct libiommu_device_info *info;
	uint64_t value = 77;

	(void)state;
	answer.base.header.version = answer.group.header.version = 1;
	answer.pfip.header.next = 0;
	info = get(&answer);
	assert_int_equal(libiommu_device_info_field(info, LIBIOMMU_ZPCI_GID, &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(libiommu_device_info_field(info, LIBIOMMU_ZPCI_FH, &value), -ENODATA);
	assert_int_equal(libiommu_device_info_field(info, LIBIOMMU_ZPCI_IMAXSTBL, &value),
	                 -ENODATA);
	assert_int_equal(libiommu_device_info_field(info, LIBIOMMU_PCI_ATOMIC_COMPLETION, &value),
	                 -ENODATA);
	assert_failure(-ENODATA, LIBRARY, "libiommu_device_info_field");
	assert_int_equal(value, 7);
	libiommu_device_info_free(info);
}

static void test_capability(void **state)
{
	const struct answer answer = full();
	struct libiommu_device_info *info = get(&answer);
	uint16_t version = 77;
	const void *data;
	size_t length;

	(void)state;
	assert_int_equal(libiommu_device_info_capability(info,
	                                                 LIBIOMMU_DEVICE_CAPABILITY_ZPCI_GROUP,
	                                                 &version, &data, &length),
	                 0);
	assert_int_equal(version, 2);
	assert_int_equal(length, sizeof(answer.group) - 8);
	assert_memory_equal(data, &answer.group.dasm, length);
	assert_int_equal(libiommu_device_info_capability(info,
	                                                 LIBIOMMU_DEVICE_CAPABILITY_PCI_ATOMIC_COMP,
	                                                 NULL, &data, &length),
	                 0);
	assert_int_equal(length, 8);
	assert_int_equal(libiommu_device_info_capability(info, 99, NULL, &data, &length), -ENODATA);
	assert_failure(-ENODATA, LIBRARY, "libiommu_device_info_capability");
	libiommu_device_info_free(info);
}

static void test_bytes(void **state)
{
	struct answer answer = full();
	struct libiommu_device_info *info = get(&answer);
	const void *data = NULL;
	size_t length = 77;

	(void)state;
	assert_int_equal(libiommu_device_info_bytes(info, LIBIOMMU_DEVICE_CAPABILITY_ZPCI_UTIL,
	                                            &data, &length),
	                 0);
	assert_int_equal(length, 8);
	assert_memory_equal(data, "utility!", 8);
	assert_int_equal(libiommu_device_info_bytes(info, LIBIOMMU_DEVICE_CAPABILITY_ZPCI_PFIP,
	                                            &data, &length),
	                 0);
	assert_int_equal(length, 3);
	assert_memory_equal(data, "pfi", 3);
	assert_int_equal(libiommu_device_info_bytes(info, LIBIOMMU_DEVICE_CAPABILITY_ZPCI_BASE,
	                                            &data, &length),
	                 -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_device_info_bytes");
	libiommu_device_info_free(info);
	/* More than there is room for, and no room for the number itself. */
	answer.util.size = 13;
	answer.pfip.header.next = AT(pfip.size) + 2;
	answer.group.header.next = AT(util);
	info = get(&answer);
	assert_int_equal(libiommu_device_info_bytes(info, LIBIOMMU_DEVICE_CAPABILITY_ZPCI_UTIL,
	                                            &data, &length),
	                 -EIO);
	assert_int_equal(libiommu_device_info_bytes(info, LIBIOMMU_DEVICE_CAPABILITY_ZPCI_PFIP,
	                                            &data, &length),
	                 -EIO);
	assert_failure(-EIO, LIBRARY, "libiommu_device_info_bytes");
	libiommu_device_info_free(info);
	answer = full();
	answer.util.header.next = 0;
	info = get(&answer);
	assert_int_equal(libiommu_device_info_bytes(info, LIBIOMMU_DEVICE_CAPABILITY_ZPCI_PFIP,
	                                            &data, &length),
	                 -ENODATA);
	libiommu_device_info_free(info);
}

/* Chains that leave the buffer or run backwards, and a capability that is cut short. */
static void test_contradictions(void **state)
{
	struct answer bad[4];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		bad[i] = full();
	bad[0].info.cap_offset = sizeof(bad[0].info) - 1;
	bad[1].base.header.next = AT(base);
	bad[2].pfip.header.next = sizeof(struct answer) - 7;
	/* Only the header fits. */
	bad[3].pfip.header.next = sizeof(struct answer) - 8;
	memcpy((char *)&bad[3] + sizeof(struct answer) - 8, &bad[3].atomic.header, 8);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct libiommu_device_info *info = get(&bad[i]);
		uint64_t value = 77;

		assert_int_equal(
			libiommu_device_info_field(info, LIBIOMMU_PCI_ATOMIC_COMPLETION, &value),
			-EIO);
		assert_failure(-EIO, LIBRARY, "libiommu_device_info_field");
		assert_int_equal(value, 77);
		libiommu_device_info_free(info);
	}
}

/* The kernel counts capabilities only when it is asked with room; what grows is asked for again. */
static void test_grows(void **state)
{
	struct uapi_vfio_device_info more = {.flags = UAPI_VFIO_DEVICE_FLAGS_CAPS};
	struct libiommu_device_info *info = NULL;

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		more.argsz = 24 + 8 * (i + 1);
		expect_ask(24 + 8 * i, &more, sizeof(more));
	}
	assert_int_equal(libiommu_device_info_get(pci_dev, &info), -EAGAIN);
	assert_failure(-EAGAIN, LIBRARY, "libiommu_device_info_get");
	assert_null(info);
}

/* A region that a driver has added, with all that there can be. */
struct region_answer {
	struct uapi_vfio_region_info info;
	struct uapi_vfio_region_info_cap_type type;
	struct uapi_vfio_region_info_cap_nvlink2_ssatgt target;
	struct uapi_vfio_region_info_cap_nvlink2_lnkspd speed;
};

#define REGION 11

static struct region_answer full_region(uint32_t type)
{
	return (struct region_answer){
		.info = {.argsz = sizeof(struct region_answer),
	                 .flags = RWMC,
	                 .index = REGION,
	                 .cap_offset = offsetof(struct region_answer, type),
	                 .size = 0x3000,
	                 .offset = UINT64_C(11) << 40},
		.type = {.header = {.id = UAPI_VFIO_REGION_INFO_CAP_TYPE,
	                            .version = 1,
	                            .next = offsetof(struct region_answer, target)},
	                 .type = type,
	                 .subtype = 3},
		.target = {.header = {.id = UAPI_VFIO_REGION_INFO_CAP_NVLINK2_SSATGT,
	                              .version = 1,
	                              .next = offsetof(struct region_answer, speed)},
	                   .tgt = 0x400000000000},
		.speed = {.header = {.id = UAPI_VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD, .version = 1},
	                  .link_speed = 8},
	};
}

static struct libiommu_region_info *get_region(const struct region_answer *answer)
{
	struct uapi_vfio_region_info small = answer->info;
	struct libiommu_region_info *info = NULL;

	small.cap_offset = 0;
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO,
	             IN(struct uapi_vfio_region_info, .argsz = sizeof(small), .index = REGION),
	             OUT_BYTES(&small, sizeof(small)));
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO,
	             IN(struct uapi_vfio_region_info, .argsz = sizeof(*answer), .index = REGION),
	             OUT_BYTES(answer, sizeof(*answer)));
	assert_int_equal(libiommu_region_info_get(pci_dev, REGION, &info), 0);
	return info;
}

static void test_region(void **state)
{
	static const struct {
		uint32_t kernel, ours;
	} types[] = {
		{UAPI_VFIO_REGION_TYPE_GFX, LIBIOMMU_REGION_TYPE_GFX},
		{UAPI_VFIO_REGION_TYPE_CCW, LIBIOMMU_REGION_TYPE_CCW},
		{UAPI_VFIO_REGION_TYPE_PCI_VENDOR_TYPE | 0x8086,
	         LIBIOMMU_REGION_TYPE_PCI_VENDOR | 0x8086},
	};
	uint64_t size, offset, value;
	uint32_t flags;

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		const struct region_answer answer = full_region(types[i].kernel);
		struct libiommu_region_info *info = get_region(&answer);

		assert_int_equal(libiommu_region_info_basics(info, &flags, &size, &offset), 0);
		assert_int_equal(flags, LIBIOMMU_REGION_READ | LIBIOMMU_REGION_WRITE |
		                                LIBIOMMU_REGION_MMAP |
		                                LIBIOMMU_REGION_CAPABILITIES);
		assert_int_equal(size, 0x3000);
		assert_true(offset == UINT64_C(11) << 40);
		assert_int_equal(libiommu_region_info_basics(info, NULL, NULL, NULL), 0);
		assert_int_equal(libiommu_region_info_field(info, LIBIOMMU_REGION_TYPE, &value), 0);
		assert_int_equal(value, types[i].ours);
		if (value & LIBIOMMU_REGION_TYPE_PCI_VENDOR)
			assert_int_equal(value & LIBIOMMU_REGION_TYPE_PCI_VENDOR_MASK, 0x8086);
		assert_int_equal(libiommu_region_info_field(info, LIBIOMMU_REGION_SUBTYPE, &value),
		                 0);
		assert_int_equal(value, 3);
		assert_int_equal(
			libiommu_region_info_field(info, LIBIOMMU_REGION_NVLINK2_TARGET, &value),
			0);
		assert_true(value == 0x400000000000);
		assert_int_equal(
			libiommu_region_info_field(info, LIBIOMMU_REGION_NVLINK2_SPEED, &value), 0);
		assert_int_equal(value, 8);
		libiommu_region_info_free(info);
	}
}

static void test_region_capability(void **state)
{
	struct region_answer answer = full_region(1);
	struct libiommu_region_info *info;
	uint16_t version = 0;
	const void *data;
	uint64_t value;
	size_t length;

	(void)state;
	answer.type.header.next = 0;
	info = get_region(&answer);
	assert_int_equal(libiommu_region_info_capability(info, LIBIOMMU_REGION_CAPABILITY_TYPE,
	                                                 &version, &data, &length),
	                 0);
	assert_int_equal(version, 1);
	assert_memory_equal(data, &answer.type.type, 8);
	assert_int_equal(libiommu_region_info_capability(info,
	                                                 LIBIOMMU_REGION_CAPABILITY_NVLINK2_SSATGT,
	                                                 &version, &data, &length),
	                 -ENODATA);
	assert_failure(-ENODATA, LIBRARY, "libiommu_region_info_capability");
	assert_int_equal(libiommu_region_info_field(info, LIBIOMMU_REGION_NVLINK2_SPEED, &value),
	                 -ENODATA);
	assert_int_equal(libiommu_region_info_field(info, (enum libiommu_region_field)1, &value),
	                 -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_region_info_field");
	libiommu_region_info_free(info);
	libiommu_region_info_free(NULL);
}

static int call_get(struct libiommu_device *dev)
{
	struct libiommu_device_info *info = NULL;
	const int error = libiommu_device_info_get(dev, &info);

	if (error)
		assert_null(info);
	libiommu_device_info_free(info);
	return error;
}

static int call_region(struct libiommu_device *dev)
{
	struct libiommu_region_info *info = NULL;
	const int error = libiommu_region_info_get(dev, REGION, &info);

	if (error)
		assert_null(info);
	libiommu_region_info_free(info);
	return error;
}

static const struct pci_call calls[] = {
	{"libiommu_device_info_get", call_get, false},
	{"libiommu_region_info_get", call_region, false},
};

static void test_device(void **state)
{
	(void)state;
	assert_needs_device(calls, COUNT(calls));
}

static void test_kernel_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < pci_error_count; i++) {
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_INFO, .result = pci_errors[i]);
		assert_int_equal(call_get(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, calls[0].name);
		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO, .result = pci_errors[i]);
		assert_int_equal(call_region(pci_dev), pci_errors[i]);
		assert_failure(pci_errors[i], KERNEL, calls[1].name);
	}
	EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO, .result = -EINVAL);
	assert_int_equal(call_region(pci_dev), -EINVAL);
	assert_failure(-EINVAL, KERNEL, calls[1].name);
}

static void test_null(void **state)
{
	const struct answer answer = full();
	const struct region_answer region_answer = full_region(1);
	struct libiommu_device_info *info = get(&answer);
	struct libiommu_region_info *region = get_region(&region_answer);
	const void *data;
	size_t length;

	(void)state;
	assert_int_equal(libiommu_device_info_get(pci_dev, NULL), -EINVAL);
	assert_int_equal(libiommu_device_info_capability(info, 1, NULL, NULL, &length), -EINVAL);
	assert_int_equal(libiommu_device_info_capability(info, 1, NULL, &data, NULL), -EINVAL);
	assert_int_equal(libiommu_device_info_field(info, LIBIOMMU_ZPCI_GID, NULL), -EINVAL);
	assert_int_equal(libiommu_device_info_bytes(info, LIBIOMMU_DEVICE_CAPABILITY_ZPCI_UTIL,
	                                            NULL, &length),
	                 -EINVAL);
	assert_int_equal(
		libiommu_device_info_bytes(info, LIBIOMMU_DEVICE_CAPABILITY_ZPCI_UTIL, &data, NULL),
		-EINVAL);
	assert_int_equal(libiommu_region_info_get(pci_dev, 0, NULL), -EINVAL);
	assert_int_equal(libiommu_region_info_capability(region, 1, NULL, NULL, &length), -EINVAL);
	assert_int_equal(libiommu_region_info_capability(region, 1, NULL, &data, NULL), -EINVAL);
	assert_int_equal(libiommu_region_info_field(region, LIBIOMMU_REGION_TYPE, NULL), -EINVAL);
	libiommu_region_info_free(region);
	libiommu_device_info_free(info);
}

static void test_no_memory(void **state)
{
	const struct answer answer = full();

	(void)state;
	ALLOC_LOOP
	{
		expect_answer(&answer);
		ALLOC_TRY(call_get(pci_dev));
	}
	ALLOC_LOOP
	{
		const struct uapi_vfio_region_info plain = {.argsz = sizeof(plain)};

		EXPECT_IOCTL(DEVICE_FD, VFIO_DEVICE_GET_REGION_INFO,
		             OUT_BYTES(&plain, sizeof(plain)));
		ALLOC_TRY(call_region(pci_dev));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PCI_TEST(test_basics),         PCI_TEST(test_buses),
		PCI_TEST(test_fields),         PCI_TEST(test_older),
		PCI_TEST(test_capability),     PCI_TEST(test_bytes),
		PCI_TEST(test_contradictions), PCI_TEST(test_grows),
		PCI_TEST(test_region),         PCI_TEST(test_region_capability),
		PCI_TEST(test_device),         PCI_TEST(test_kernel_refuses),
		PCI_TEST(test_null),           PCI_TEST(test_no_memory),
	};

	return cmocka_run_group_tests_name("device-info", tests, NULL, NULL);
}
