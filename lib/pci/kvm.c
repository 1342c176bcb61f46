/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <libiommu/kvm.h>

#include "../base/uapi/kvm.h"
#include "../object/adopt.h"
#include "../object/device.h"

struct libiommu_kvm {
	struct device_keeper keeper; /* of every device that was added */
	struct libiommu_ctx *ctx;
	int fd;
	bool own_fd;
	atomic_uint_least32_t devices;
};

static int set_file(const struct libiommu_kvm *kvm, uint64_t action, int device_fd)
{
	int32_t value = device_fd;
	struct uapi_kvm_device_attr attr = {
		.group = UAPI_KVM_DEV_VFIO_FILE,
		.attr = action,
		.addr = (uintptr_t)&value,
	};

	/* The virtual machine does not go over with the context, and must let go of what does. */
	return li_sys_ioctl(li_ctx_own_door(kvm->ctx), kvm->fd, UAPI_IOC_KVM_SET_DEVICE_ATTR,
	                    &attr);
}

/* The end of a device. KVM refuses nothing but a file that it does not have. */
static void let_go(struct device_keeper *keeper, int device_fd)
{
	struct libiommu_kvm *const kvm = (struct libiommu_kvm *)keeper;

	set_file(kvm, UAPI_KVM_DEV_VFIO_FILE_DEL, device_fd);
	atomic_fetch_sub(&kvm->devices, 1);
}

static struct libiommu_kvm *new_handle(struct libiommu_ctx *ctx, bool own_fd)
{
	struct libiommu_kvm *const kvm = malloc(sizeof(*kvm));

	if (!kvm)
		return NULL;
	kvm->keeper.let_go = let_go;
	kvm->ctx = ctx;
	kvm->own_fd = own_fd;
	atomic_init(&kvm->devices, 0);
	return kvm;
}

static void publish(struct libiommu_kvm *made, int fd, struct libiommu_kvm **kvm)
{
	made->fd = fd;
	li_ctx_count(made->ctx, LIBIOMMU_OBJECT_KVM, 1);
	*kvm = made;
}

int libiommu_kvm_new(struct libiommu_ctx *ctx, int vm_fd, struct libiommu_kvm **kvm)
{
	struct uapi_kvm_create_device cmd = {.type = UAPI_KVM_DEV_TYPE_VFIO};
	struct libiommu_kvm *made;
	int error;

	if (!ctx || !kvm)
		return FAIL_NULL(ctx);
	if (vm_fd < 0)
		return FAIL_LIBRARY(ctx, __func__, -EINVAL, "no descriptor of a virtual machine",
		                    .id = 0);
	made = new_handle(ctx, true);
	if (!made)
		return FAIL_MEMORY(ctx);
	error = li_sys_ioctl(li_ctx_backend(ctx)->sys, vm_fd, UAPI_IOC_KVM_CREATE_DEVICE, &cmd);
	if (error) {
		free(made);
		return FAIL_KERNEL(ctx, __func__, error, CALL_KVM, .id = 0);
	}
	publish(made, (int)cmd.fd, kvm);
	return 0;
}

int libiommu_kvm_adopt(struct libiommu_ctx *ctx, int fd, enum libiommu_fd_mode mode,
                       struct libiommu_kvm **kvm)
{
	struct libiommu_kvm *made;
	int error;

	if (!ctx || !kvm)
		return FAIL_NULL(ctx);
	error = li_adopt_check_fd(ctx, __func__, fd, mode);
	if (error)
		return error;
	made = new_handle(ctx, mode != LIBIOMMU_FD_BORROW);
	if (!made)
		return FAIL_MEMORY(ctx);
	fd = li_adopt_fd(ctx, __func__, fd, mode);
	if (fd < 0) {
		free(made);
		return fd;
	}
	publish(made, fd, kvm);
	return 0;
}

int libiommu_kvm_fd(const struct libiommu_kvm *kvm)
{
	return kvm ? kvm->fd : FAIL_NULL(NULL);
}

int libiommu_kvm_destroy(struct libiommu_kvm *kvm)
{
	if (!kvm)
		return 0;
	if (atomic_load(&kvm->devices))
		return FAIL_LIBRARY(kvm->ctx, __func__, -EBUSY, "devices were added to it",
		                    .amount = atomic_load(&kvm->devices), .unit = "of them");
	if (kvm->own_fd)
		li_sys_close(li_ctx_backend(kvm->ctx)->sys, kvm->fd);
	li_ctx_count(kvm->ctx, LIBIOMMU_OBJECT_KVM, -1);
	free(kvm);
	return 0;
}

static int check_add(const struct libiommu_device *dev, const char **text)
{
	if (li_device_is_grouped(dev)) {
		*text = "too late: the device was opened by its group, whose file KVM has to be "
			"told of before that";
		return -EOPNOTSUPP;
	}
	/* One from another process knew the virtual machine there, which cannot come over. */
	if (li_device_is_labelled(dev) && !li_device_is_taken_over(dev)) {
		*text = "too late: the device is bound, and its driver has looked for a virtual "
			"machine; destroy it, open it again, and add it before the bind";
		return -EALREADY;
	}
	if (li_device_keeper(dev)) {
		*text = "KVM was told of the device";
		return -EEXIST;
	}
	return 0;
}

int libiommu_kvm_add(struct libiommu_kvm *kvm, struct libiommu_device *dev)
{
	const char *text;
	int error;

	if (!kvm || !dev)
		return FAIL_NULL(kvm ? kvm->ctx : NULL);
	if (li_device_ctx(dev) != kvm->ctx)
		return FAIL_LIBRARY(kvm->ctx, __func__, -EINVAL, "the device is of another context",
		                    .id = 0);
	error = li_device_enter_alone(dev, __func__, DEVICE_OPEN);
	if (error)
		return error;
	error = check_add(dev, &text);
	if (error) {
		li_device_leave(dev);
		return FAIL_LIBRARY(kvm->ctx, __func__, error, text, .id = li_device_id(dev));
	}
	error = set_file(kvm, UAPI_KVM_DEV_VFIO_FILE_ADD, li_device_fd(dev));
	if (!error) {
		li_device_set_keeper(dev, &kvm->keeper);
		atomic_fetch_add(&kvm->devices, 1);
	}
	li_device_leave(dev);
	return error ? FAIL_KERNEL(kvm->ctx, __func__, error, CALL_KVM_FILE, .id = 0) : 0;
}

static int check_remove(const struct libiommu_kvm *kvm, struct libiommu_device *dev,
                        const char **text)
{
	if (li_device_keeper(dev) != &kvm->keeper) {
		*text = "the device was not added through this handle";
		return -ENOENT;
	}
	if (li_device_attachment(dev)->pt_id || li_device_pasids(dev)->attached) {
		*text = "the device is attached: detach it first";
		return -EBUSY;
	}
	return 0;
}

int libiommu_kvm_remove(struct libiommu_kvm *kvm, struct libiommu_device *dev)
{
	const char *text;
	int error;

	if (!kvm || !dev)
		return FAIL_NULL(kvm ? kvm->ctx : NULL);
	error = li_device_enter_alone(dev, __func__, DEVICE_OPEN);
	if (error)
		return error;
	error = check_remove(kvm, dev, &text);
	if (error) {
		li_device_leave(dev);
		return FAIL_LIBRARY(kvm->ctx, __func__, error, text, .id = li_device_id(dev));
	}
	error = set_file(kvm, UAPI_KVM_DEV_VFIO_FILE_DEL, li_device_fd(dev));
	if (!error) {
		li_device_set_keeper(dev, NULL);
		atomic_fetch_sub(&kvm->devices, 1);
	}
	li_device_leave(dev);
	return error ? FAIL_KERNEL(kvm->ctx, __func__, error, CALL_KVM_FILE,
	                           .id = li_device_id(dev))
	             : 0;
}
