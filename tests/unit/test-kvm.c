/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* KVM is told of a device before its bind, and forgets it between the detach and the close. */
#include "alloc.h"
#include "objects.h"
#include "pasid-steps.h"

#include "../../lib/base/uapi/kvm.h"

#define VM_FD  200
#define KVM_FD 201

static struct libiommu_ctx *ctx;
static struct libiommu_kvm *kvm;

static void expect_create(int result)
{
	EXPECT_IOCTL(VM_FD, KVM_CREATE_DEVICE,
	             IN(struct uapi_kvm_create_device, .type = UAPI_KVM_DEV_TYPE_VFIO),
	             SET(struct uapi_kvm_create_device, fd, KVM_FD), .result = result,
	             .opens = result ? 0 : KVM_FD);
}

static void see_descriptor(void *arg, const void *user)
{
	const struct uapi_kvm_device_attr *const attr = arg;

	assert_int_equal(*(const int32_t *)(uintptr_t)attr->addr, *(const int *)user);
}

static const int device_fd = DEVICE_FD;

static void expect_file(uint64_t action, int result)
{
	EXPECT_IOCTL(
		KVM_FD, KVM_SET_DEVICE_ATTR,
		IN(struct uapi_kvm_device_attr, .group = UAPI_KVM_DEV_VFIO_FILE, .attr = action),
		IGNORE(struct uapi_kvm_device_attr, .addr = UINT64_MAX), .act = see_descriptor,
		.user = &device_fd, .result = result);
}

static void expect_detach(int fd)
{
	EXPECT_IOCTL(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT,
	             IN(struct uapi_vfio_device_detach_iommufd_pt,
	                .argsz = sizeof(struct uapi_vfio_device_detach_iommufd_pt)));
}

static void close_kvm(void)
{
	EXPECT_CLOSE(KVM_FD);
	assert_int_equal(libiommu_kvm_destroy(kvm), 0);
}

static int setup(void **state)
{
	script_setup(state);
	script_lend_fd(VM_FD);
	ctx = script_ctx();
	expect_create(0);
	assert_int_equal(libiommu_kvm_new(ctx, VM_FD, &kvm), 0);
	return 0;
}

static int teardown(void **state)
{
	script_ctx_close(ctx);
	return script_teardown(state);
}

static struct libiommu_device *added(void)
{
	struct libiommu_device *const dev = script_device_open(ctx, DEVICE_FD);

	expect_file(UAPI_KVM_DEV_VFIO_FILE_ADD, 0);
	assert_int_equal(libiommu_kvm_add(kvm, dev), 0);
	return dev;
}

static struct libiommu_device *added_and_bound(void)
{
	struct libiommu_device *const dev = added();

	expect_bind(DEVICE_FD, DEVICE_ID);
	assert_int_equal(libiommu_device_bind(dev, LABEL, NULL, 0), 0);
	return dev;
}

static void test_new(void **state)
{
	struct libiommu_kvm *other = NULL;
	uint64_t count;

	(void)state;
	assert_int_equal(libiommu_kvm_fd(kvm), KVM_FD);
	assert_int_equal(libiommu_ctx_live(ctx, LIBIOMMU_OBJECT_KVM, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(libiommu_ctx_destroy(ctx), -EBUSY);
	assert_explained("1 KVM-VFIO device");
	assert_int_equal(libiommu_kvm_new(ctx, -1, &other), -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_kvm_new");
	assert_null(other);
	close_kvm();
	assert_int_equal(libiommu_ctx_live(ctx, LIBIOMMU_OBJECT_KVM, &count), 0);
	assert_int_equal(count, 0);
}

static void test_new_refused(void **state)
{
	static const struct {
		int error;
		const char *words;
	} refusals[] = {
		{-EBUSY, "libiommu_kvm_adopt()"},
		{-ENODEV, "CONFIG_KVM_VFIO"},
		{-ENOTTY, "not a virtual machine"},
		{-EBADF, "not open"},
		{-EIO, "another process"},
		{-EMFILE, "ulimit -n"},
		{-EPERM, "EPERM"},
	};
	struct libiommu_kvm *made = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		expect_create(refusals[i].error);
		assert_int_equal(libiommu_kvm_new(ctx, VM_FD, &made), refusals[i].error);
		assert_failure(refusals[i].error, KERNEL, "libiommu_kvm_new");
		assert_explained(refusals[i].words);
		assert_null(made);
	}
	close_kvm();
}

static void test_adopt(void **state)
{
	struct libiommu_kvm *other = NULL;

	(void)state;
	assert_int_equal(libiommu_kvm_adopt(ctx, KVM_FD, LIBIOMMU_FD_BORROW, &other), 0);
	assert_int_equal(libiommu_kvm_fd(other), KVM_FD);
	assert_int_equal(libiommu_kvm_destroy(other), 0);
	assert_true(script_fd_is_open(KVM_FD));
	EXPECT_DUP(KVM_FD, 210);
	assert_int_equal(libiommu_kvm_adopt(ctx, KVM_FD, LIBIOMMU_FD_DUP, &other), 0);
	assert_int_equal(libiommu_kvm_fd(other), 210);
	EXPECT_CLOSE(210);
	assert_int_equal(libiommu_kvm_destroy(other), 0);
	script_give_fd(211);
	assert_int_equal(libiommu_kvm_adopt(ctx, 211, LIBIOMMU_FD_OWN, &other), 0);
	EXPECT_CLOSE(211);
	assert_int_equal(libiommu_kvm_destroy(other), 0);

	other = NULL;
	EXPECT_DUP(KVM_FD, -EMFILE);
	assert_int_equal(libiommu_kvm_adopt(ctx, KVM_FD, LIBIOMMU_FD_DUP, &other), -EMFILE);
	assert_failure(-EMFILE, KERNEL, "libiommu_kvm_adopt");
	assert_int_equal(libiommu_kvm_adopt(ctx, -1, LIBIOMMU_FD_OWN, &other), -EINVAL);
	assert_int_equal(libiommu_kvm_adopt(ctx, KVM_FD, (enum libiommu_fd_mode)3, &other),
	                 -EINVAL);
	assert_failure(-EINVAL, LIBRARY, "libiommu_kvm_adopt");
	assert_null(other);
	close_kvm();
}

/* Each step is in the script's order: told, bound, attached; detached, forgotten, closed. */
static void test_order(void **state)
{
	struct libiommu_device *const dev = added_and_bound();
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);

	(void)state;
	script_attach_ioas(dev, DEVICE_FD, ioas, 2, 3);
	assert_int_equal(libiommu_kvm_destroy(kvm), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_kvm_destroy");
	assert_explained("1 of them");
	expect_detach(DEVICE_FD);
	expect_file(UAPI_KVM_DEV_VFIO_FILE_DEL, 0);
	EXPECT_CLOSE(DEVICE_FD);
	script_device_close(dev);
	script_done();
	script_ioas_close(ioas, 2);
	close_kvm();
}

static void test_order_of_a_revoke(void **state)
{
	struct libiommu_device *const dev = added_and_bound();
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);

	(void)state;
	script_attach_ioas(dev, DEVICE_FD, ioas, 2, 3);
	expect_detach(DEVICE_FD);
	expect_file(UAPI_KVM_DEV_VFIO_FILE_DEL, 0);
	EXPECT_CLOSE(DEVICE_FD);
	assert_int_equal(libiommu_device_revoke(dev), 0);
	script_done();
	/* Neither is it in KVM's hands any more, nor taken out of them twice. */
	assert_int_equal(libiommu_kvm_remove(kvm, dev), -ENODEV);
	assert_int_equal(libiommu_kvm_add(kvm, dev), -ENODEV);
	assert_failure(-ENODEV, LIBRARY, "libiommu_kvm_add");
	close_kvm();
	script_device_close(dev);
	script_ioas_close(ioas, 2);
}

/* Nothing is attached, or not yet bound: nothing to detach. KVM may have forgotten it by itself. */
static void test_order_without_an_attachment(void **state)
{
	struct libiommu_device *dev = added_and_bound();

	(void)state;
	expect_file(UAPI_KVM_DEV_VFIO_FILE_DEL, -ENOENT);
	EXPECT_CLOSE(DEVICE_FD);
	script_device_close(dev);
	script_done();
	dev = added();
	expect_file(UAPI_KVM_DEV_VFIO_FILE_DEL, 0);
	EXPECT_CLOSE(DEVICE_FD);
	script_device_close(dev);
	close_kvm();
}

/* KVM has to let go of a device that is another process's now, or it would never end there. */
static void test_handed_over(void **state)
{
	struct libiommu_device *const dev = added_and_bound();
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);
	struct libiommu_handover *handover;

	(void)state;
	script_attach_ioas(dev, DEVICE_FD, ioas, 2, 3);
	assert_int_equal(libiommu_handover_new(ctx, &handover), 0);
	assert_int_equal(libiommu_handover_add_ioas(handover, 1, ioas), 0);
	assert_int_equal(libiommu_handover_add_device(handover, 1, dev), 0);
	assert_int_equal(libiommu_kvm_remove(kvm, dev), -ESHUTDOWN);
	assert_int_equal(libiommu_handover_commit(handover), 0);
	libiommu_handover_free(handover);
	assert_int_equal(libiommu_kvm_destroy(kvm), -EBUSY);
	expect_file(UAPI_KVM_DEV_VFIO_FILE_DEL, 0);
	EXPECT_CLOSE(DEVICE_FD);
	script_device_close(dev);
	script_done();
	assert_int_equal(libiommu_ioas_destroy(ioas), 0);
	close_kvm();
}

static void test_a_borrowed_descriptor(void **state)
{
	struct libiommu_device *dev;

	(void)state;
	script_lend_fd(DEVICE_FD);
	assert_int_equal(libiommu_device_open_fd(ctx, DEVICE_FD, LIBIOMMU_FD_BORROW, &dev), 0);
	expect_file(UAPI_KVM_DEV_VFIO_FILE_ADD, 0);
	assert_int_equal(libiommu_kvm_add(kvm, dev), 0);
	expect_file(UAPI_KVM_DEV_VFIO_FILE_DEL, 0);
	script_device_close(dev);
	script_done();
	close_kvm();
}

/* Closing a descriptor whose file is kept detaches no PASID either. */
static void test_pasids(void **state)
{
	struct libiommu_device *const dev = added_and_bound();
	struct libiommu_hwpt *const hwpt = borrowed_hwpt(ctx, 3);
	uint32_t pasid;

	(void)state;
	expect_pasid_width(DEVICE_ID, 8, 0);
	expect_pasid_attach(DEVICE_FD, 5, 3, 0);
	assert_int_equal(libiommu_pasid_attach(dev, 5, hwpt, 0, &pasid), 0);
	assert_int_equal(libiommu_kvm_remove(kvm, dev), -EBUSY);
	expect_pasid_detach(DEVICE_FD, 5, 0);
	expect_file(UAPI_KVM_DEV_VFIO_FILE_DEL, 0);
	EXPECT_CLOSE(DEVICE_FD);
	script_device_close(dev);
	script_done();
	assert_int_equal(libiommu_hwpt_destroy(hwpt), 0);
	close_kvm();
}

static void test_too_late(void **state)
{
	struct libiommu_device *const dev = script_device(ctx);
	struct libiommu_device *const grouped = script_device_grouped(ctx, 150, 151);

	(void)state;
	assert_int_equal(libiommu_kvm_add(kvm, dev), -EALREADY);
	assert_failure(-EALREADY, LIBRARY, "libiommu_kvm_add");
	assert_explained("too late: the device is bound");
	assert_int_equal(libiommu_kvm_add(kvm, grouped), -EOPNOTSUPP);
	assert_explained("opened by its group");
	script_device_close(grouped);
	script_device_close(dev);
	close_kvm();
}

static void test_add_refused(void **state)
{
	static const struct {
		int error;
		const char *words;
	} refusals[] = {
		{-EEXIST, "past this library"}, {-EINVAL, "older than 6.6"},
		{-ENXIO, "another of KVM's"},   {-ENOTTY, "not one of KVM's devices"},
		{-EBADF, "not open any more"},  {-ENOMEM, "ENOMEM"},
	};
	struct libiommu_device *const dev = script_device_open(ctx, DEVICE_FD);

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		expect_file(UAPI_KVM_DEV_VFIO_FILE_ADD, refusals[i].error);
		assert_int_equal(libiommu_kvm_add(kvm, dev), refusals[i].error);
		assert_failure(refusals[i].error, KERNEL, "libiommu_kvm_add");
		assert_explained(refusals[i].words);
	}
	/* None of that left a trace. */
	EXPECT_CLOSE(DEVICE_FD);
	script_device_close(dev);
	script_done();
	close_kvm();
}

static void test_twice_and_elsewhere(void **state)
{
	struct libiommu_ctx_config *const config = script_ctx_config();
	struct libiommu_device *const dev = added();
	struct libiommu_kvm *other;
	struct libiommu_ctx *second;

	(void)state;
	assert_int_equal(libiommu_kvm_add(kvm, dev), -EEXIST);
	assert_failure(-EEXIST, LIBRARY, "libiommu_kvm_add");
	assert_int_equal(libiommu_kvm_adopt(ctx, KVM_FD, LIBIOMMU_FD_BORROW, &other), 0);
	assert_int_equal(libiommu_kvm_remove(other, dev), -ENOENT);
	assert_failure(-ENOENT, LIBRARY, "libiommu_kvm_remove");
	assert_int_equal(libiommu_kvm_destroy(other), 0);

	EXPECT_OPEN("/dev/iommu", 300);
	assert_int_equal(libiommu_ctx_new(config, &second), 0);
	libiommu_ctx_config_free(config);
	assert_int_equal(libiommu_kvm_adopt(second, KVM_FD, LIBIOMMU_FD_BORROW, &other), 0);
	assert_int_equal(libiommu_kvm_add(other, dev), -EINVAL);
	assert_explained("another context");
	assert_int_equal(libiommu_kvm_destroy(other), 0);
	EXPECT_CLOSE(300);
	assert_int_equal(libiommu_ctx_destroy(second), 0);

	expect_file(UAPI_KVM_DEV_VFIO_FILE_DEL, 0);
	EXPECT_CLOSE(DEVICE_FD);
	script_device_close(dev);
	close_kvm();
}

static void test_remove(void **state)
{
	struct libiommu_device *const dev = added_and_bound();
	struct libiommu_ioas *const ioas = script_ioas(ctx, 2);

	(void)state;
	script_attach_ioas(dev, DEVICE_FD, ioas, 2, 3);
	assert_int_equal(libiommu_kvm_remove(kvm, dev), -EBUSY);
	assert_failure(-EBUSY, LIBRARY, "libiommu_kvm_remove");
	assert_explained("detach it first");
	script_detach(dev, DEVICE_FD);
	/* What fails changes nothing. */
	expect_file(UAPI_KVM_DEV_VFIO_FILE_DEL, -ENOENT);
	assert_int_equal(libiommu_kvm_remove(kvm, dev), -ENOENT);
	assert_failure(-ENOENT, KERNEL, "libiommu_kvm_remove");
	assert_explained("forgotten");
	assert_int_equal(libiommu_kvm_destroy(kvm), -EBUSY);
	expect_file(UAPI_KVM_DEV_VFIO_FILE_DEL, 0);
	assert_int_equal(libiommu_kvm_remove(kvm, dev), 0);
	script_done();
	assert_int_equal(libiommu_kvm_remove(kvm, dev), -ENOENT);
	assert_int_equal(libiommu_kvm_add(kvm, dev), -EALREADY);
	close_kvm();
	/* And its end is as that of any other. */
	EXPECT_CLOSE(DEVICE_FD);
	script_device_close(dev);
	script_done();
	script_ioas_close(ioas, 2);
}

static void test_without_memory(void **state)
{
	struct libiommu_kvm *made = NULL;

	(void)state;
	close_kvm();
	ALLOC_LOOP
	{
		made = NULL;
		expect_create(0);
		if (!ALLOC_TRY(libiommu_kvm_new(ctx, VM_FD, &made)))
			assert_int_equal(libiommu_kvm_destroy(made), 0);
		else
			assert_null(made);
	}
	ALLOC_LOOP
	{
		made = NULL;
		EXPECT_DUP(VM_FD, 220);
		if (!ALLOC_TRY(libiommu_kvm_adopt(ctx, VM_FD, LIBIOMMU_FD_DUP, &made)))
			assert_int_equal(libiommu_kvm_destroy(made), 0);
		else
			assert_null(made);
	}
}

#define KVM_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KVM_TEST(test_new),
		KVM_TEST(test_new_refused),
		KVM_TEST(test_adopt),
		KVM_TEST(test_order),
		KVM_TEST(test_order_of_a_revoke),
		KVM_TEST(test_order_without_an_attachment),
		KVM_TEST(test_handed_over),
		KVM_TEST(test_a_borrowed_descriptor),
		KVM_TEST(test_pasids),
		KVM_TEST(test_too_late),
		KVM_TEST(test_add_refused),
		KVM_TEST(test_twice_and_elsewhere),
		KVM_TEST(test_remove),
		KVM_TEST(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
