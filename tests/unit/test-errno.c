/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Every errno value that the kernel answers a wrapped call with reaches the caller unchanged. */
#include "objects.h"

#define PLAIN_FD 102

/* What the calls are made on: one bound device, one attached, one only open. */
static struct libiommu_ctx *ctx;
static struct libiommu_ioas *ioas, *other_ioas;
static struct libiommu_hwpt *hwpt;
static struct libiommu_device *dev, *attached, *plain;
static struct libiommu_iova_range range = {0x1000, 0x1fff};
static char memory[16];

static int ioas_alloc(void)
{
	struct libiommu_ioas *made;

	return libiommu_ioas_alloc(ctx, &made);
}

static int ioas_get_compat(void)
{
	struct libiommu_ioas *made;

	return libiommu_ioas_get_compat(ctx, &made);
}

static int ioas_destroy(void)
{
	return libiommu_ioas_destroy(other_ioas);
}

static int hwpt_destroy(void)
{
	return libiommu_hwpt_destroy(hwpt);
}

static int ioas_map(void)
{
	uint64_t iova;

	return libiommu_ioas_map(ioas, memory, 0x1000, LIBIOMMU_MAP_READ, &iova);
}

static int ioas_map_fixed(void)
{
	return libiommu_ioas_map_fixed(ioas, memory, 0x1000, LIBIOMMU_MAP_WRITE, 0x1000);
}

static int ioas_unmap(void)
{
	return libiommu_ioas_unmap(ioas, 0x1000, 0x1000);
}

static int ioas_unmap_range(void)
{
	return libiommu_ioas_unmap_range(ioas, 0x1000, 0x1000, NULL);
}

static int ioas_unmap_all(void)
{
	return libiommu_ioas_unmap_all(ioas, NULL);
}

static int ioas_ranges(void)
{
	struct libiommu_iova_ranges *made;

	return libiommu_ioas_ranges(ioas, &made);
}

static int ioas_allow(void)
{
	return libiommu_ioas_allow(ioas, &range, 1);
}

static int ctx_set_rlimit_mode(void)
{
	return libiommu_ctx_set_rlimit_mode(ctx, LIBIOMMU_RLIMIT_PER_PROCESS);
}

static int ctx_get_rlimit_mode(void)
{
	enum libiommu_rlimit_mode mode;

	return libiommu_ctx_get_rlimit_mode(ctx, &mode);
}

static int device_bind(void)
{
	return libiommu_device_bind(plain, LABEL, NULL, 0);
}

static int device_attach_ioas(void)
{
	return libiommu_device_attach_ioas(dev, ioas);
}

static int device_attach_hwpt(void)
{
	return libiommu_device_attach_hwpt(dev, hwpt);
}

static int device_replace_ioas(void)
{
	return libiommu_device_replace_ioas(attached, ioas);
}

static int device_replace_hwpt(void)
{
	return libiommu_device_replace_hwpt(attached, hwpt);
}

static int device_detach(void)
{
	return libiommu_device_detach(attached);
}

static int hwpt_alloc(void)
{
	struct libiommu_hwpt *made;

	return libiommu_hwpt_alloc(dev, ioas, NULL, &made);
}

static int hw_info_get(void)
{
	struct libiommu_hw_info *made;

	return libiommu_hw_info_get(dev, &made);
}

static int irq_info(void)
{
	return libiommu_irq_info(dev, LIBIOMMU_IRQ_MSIX, NULL, NULL);
}

static int irq_enable(void)
{
	static const int eventfds[] = {-1, -1};

	return libiommu_irq_enable(dev, LIBIOMMU_IRQ_MSIX, 0, eventfds, 2);
}

static int irq_disable(void)
{
	return libiommu_irq_disable(dev, LIBIOMMU_IRQ_MSI);
}

static int irq_mask(void)
{
	return libiommu_irq_mask(dev, LIBIOMMU_IRQ_INTX, 0, 1);
}

static int irq_unmask(void)
{
	return libiommu_irq_unmask(dev, LIBIOMMU_IRQ_INTX, 0, 1);
}

static int irq_set_resample(void)
{
	return libiommu_irq_set_resample(dev, -1);
}

static int irq_trigger(void)
{
	return libiommu_irq_trigger(dev, LIBIOMMU_IRQ_MSI, 0, 1);
}

static int reset_function(void)
{
	return libiommu_reset_function(dev);
}

static int reset_hot(void)
{
	return libiommu_reset_hot(dev);
}

/* At least these for every ioctl: they are the kernel's way to tell what it has. */
static const int generic[] = {EINVAL, E2BIG, EFAULT, EOPNOTSUPP, ENOENT, ENOMEM, ENOTTY};

#define MAX_ERRORS 8

static const struct {
	const char *name;
	int (*call)(void);
	int fd;
	unsigned long request;
	int errors[MAX_ERRORS]; /* besides the generic ones */
	int handled;            /* the one that means something else to the library */
} calls[] = {
#define CALL(name, fd, ioctl) "libiommu_" #name, name, fd, UAPI_IOC_##ioctl
	{CALL(ioas_alloc, CTX_FD, IOAS_ALLOC), {0}, 0},
	{CALL(ioas_get_compat, CTX_FD, VFIO_IOAS), {ENODEV}, 0},
	{CALL(ioas_destroy, CTX_FD, DESTROY), {EBUSY}, 0},
	{CALL(hwpt_destroy, CTX_FD, DESTROY), {EBUSY}, 0},
	{CALL(ioas_map, CTX_FD, IOAS_MAP), {EEXIST, EOVERFLOW, ENOSPC, EPERM}, 0},
	{CALL(ioas_map_fixed, CTX_FD, IOAS_MAP), {EEXIST, EOVERFLOW, ENOSPC, EPERM}, 0},
	{CALL(ioas_unmap, CTX_FD, IOAS_UNMAP), {EBUSY, EOVERFLOW}, 0},
	{CALL(ioas_unmap_range, CTX_FD, IOAS_UNMAP), {EBUSY, EOVERFLOW}, 0},
	{CALL(ioas_unmap_all, CTX_FD, IOAS_UNMAP), {EBUSY, EOVERFLOW}, 0},
	{CALL(ioas_ranges, CTX_FD, IOAS_IOVA_RANGES), {0}, EMSGSIZE},
	{CALL(ioas_allow, CTX_FD, IOAS_ALLOW_IOVAS), {EADDRINUSE}, 0},
	{CALL(ctx_set_rlimit_mode, CTX_FD, OPTION), {EPERM, EBUSY}, 0},
	{CALL(ctx_get_rlimit_mode, CTX_FD, OPTION), {EPERM, EBUSY}, 0},
	{CALL(device_bind, PLAIN_FD, VFIO_DEVICE_BIND_IOMMUFD),
         {EBADFD, EBUSY, EPERM, EACCES, ENODEV},
         0},
	{CALL(device_attach_ioas, DEVICE_FD, VFIO_DEVICE_ATTACH_IOMMUFD_PT),
         {EADDRINUSE, EBUSY, ENODEV},
         0},
	{CALL(device_attach_hwpt, DEVICE_FD, VFIO_DEVICE_ATTACH_IOMMUFD_PT),
         {EADDRINUSE, EBUSY, ENODEV},
         0},
	{CALL(device_replace_ioas, 103, VFIO_DEVICE_ATTACH_IOMMUFD_PT),
         {EADDRINUSE, EBUSY, ENODEV},
         0},
	{CALL(device_replace_hwpt, 103, VFIO_DEVICE_ATTACH_IOMMUFD_PT),
         {EADDRINUSE, EBUSY, ENODEV},
         0},
	{CALL(device_detach, 103, VFIO_DEVICE_DETACH_IOMMUFD_PT), {EIO}, 0},
	{CALL(hwpt_alloc, CTX_FD, HWPT_ALLOC), {EADDRINUSE, EBUSY, ENODEV, ENOSPC}, 0},
	{CALL(hw_info_get, CTX_FD, GET_HW_INFO), {ENODEV}, 0},
	{CALL(irq_info, DEVICE_FD, VFIO_DEVICE_GET_IRQ_INFO), {0}, EINVAL},
	{CALL(irq_enable, DEVICE_FD, VFIO_DEVICE_SET_IRQS), {EBADF, EBUSY, ENODEV, ENOSPC}, 0},
	{CALL(irq_disable, DEVICE_FD, VFIO_DEVICE_SET_IRQS), {ENODEV}, EINVAL},
	{CALL(irq_mask, DEVICE_FD, VFIO_DEVICE_SET_IRQS), {ENODEV}, 0},
	{CALL(irq_unmask, DEVICE_FD, VFIO_DEVICE_SET_IRQS), {ENODEV}, 0},
	{CALL(irq_set_resample, DEVICE_FD, VFIO_DEVICE_SET_IRQS), {EBADF, EBUSY, ENODEV}, 0},
	{CALL(irq_trigger, DEVICE_FD, VFIO_DEVICE_SET_IRQS), {ENODEV}, 0},
	{CALL(reset_function, DEVICE_FD, VFIO_DEVICE_RESET), {EAGAIN, ENODEV}, 0},
	{CALL(reset_hot, DEVICE_FD, VFIO_DEVICE_PCI_HOT_RESET), {EAGAIN, EBUSY, ENODEV}, 0},
#undef CALL
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static int setup(void **state)
{
	script_setup(state);
	ctx = script_ctx();
	ioas = script_ioas(ctx, 2);
	other_ioas = script_ioas(ctx, 3);
	assert_int_equal(libiommu_hwpt_adopt(ctx, 4, LIBIOMMU_ID_OWN, &hwpt), 0);
	dev = script_device(ctx);
	plain = script_device_open(ctx, PLAIN_FD);
	attached = script_device_as(ctx, 103, 9, 1);
	script_attach_ioas(attached, 103, other_ioas, 3, 5);
	script_detach(attached, 103);
	return 0;
}

static int teardown(void **state)
{
	script_device_close(attached);
	script_device_close(plain);
	script_device_close(dev);
	script_hwpt_close(hwpt, 4);
	script_ioas_close(other_ioas, 3);
	script_ioas_close(ioas, 2);
	script_ctx_close(ctx);
	return script_teardown(state);
}

static void check(size_t index, int error)
{
	char text[1024];

	EXPECT(IOCTL, .fd = calls[index].fd, .request = calls[index].request,
	       .name = calls[index].name, .result = -error);
	assert_int_equal(calls[index].call(), -error);
	assert_failure(-error, KERNEL, calls[index].name);
	assert_in_range(libiommu_failure_text(text, sizeof(text)), 1, sizeof(text) - 1);
	script_done();
}

static void test_each_call_with_each_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < CALLS; i++) {
		const bool needs_attached = calls[i].fd == 103;

		if (needs_attached)
			script_attach_ioas(attached, 103, other_ioas, 3, 5);
		for (size_t j = 0; j < sizeof(generic) / sizeof(generic[0]); j++)
			if (generic[j] != calls[i].handled)
				check(i, generic[j]);
		for (size_t j = 0; j < MAX_ERRORS && calls[i].errors[j]; j++)
			check(i, calls[i].errors[j]);
		if (needs_attached)
			script_detach(attached, 103);
	}
}

/* Also those that no kernel of today answers with: nothing is translated or swallowed. */
static void test_each_call_with_any_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < CALLS; i++) {
		const bool needs_attached = calls[i].fd == 103;

		if (needs_attached)
			script_attach_ioas(attached, 103, other_ioas, 3, 5);
		for (int error = 1; error < 134; error++)
			if (error != calls[i].handled)
				check(i, error);
		if (needs_attached)
			script_detach(attached, 103);
	}
}

#define ERRNO_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ERRNO_TEST(test_each_call_with_each_error),
		ERRNO_TEST(test_each_call_with_any_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
