/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

#include "failure.h"

#include <errno.h>
#include <string.h>

struct hint {
	enum failure_call call;
	int error;
	const char *text;
};

/* What several entries say. */
#define NO_IOAS "the kernel has no address space with this id"
#define MAPPED  "something is mapped in the range already"
#define NO_ROOM "no free range of this length is left; see libiommu_ioas_ranges()"
#define NO_MEMORY_THERE                                                                            \
	"the memory is not mapped in this process, is read-only while the device may write, or "   \
	"cannot be pinned (device BARs cannot)"
#define CONTAINER_FULL                                                                             \
	"a container has no more mappings than vfio_iommu_type1.dma_entry_limit says, 65535 by "   \
	"default: map larger pieces, or raise it"
#define NO_WINDOW                                                                                  \
	"the kernel could not make the device a window of addresses once, maybe for its own "      \
	"driver, and tries no more until the next boot (its log says \"failed DDW device\")"
#define SOFTWARE      "there is no IOMMU behind the device, which is a mediated one"
#define NO_DESCRIPTOR "this process has no descriptor left (ulimit -n)"

/* One entry for each answer of the kernel that a person can act on. */
static const struct hint hints[] = {
	{CALL_OPEN_CTX, ENOENT,
         "this kernel has no /dev/iommu: it was built without iommufd (CONFIG_IOMMUFD), or the "
         "module is not loaded (modprobe iommufd); or the container was not given the node"},
	{CALL_OPEN_CTX, ENODEV,
         "nothing is behind the node: the module cannot be loaded, or this kernel was built "
         "without iommufd (CONFIG_IOMMUFD)"},
	{CALL_OPEN_CTX, EPERM, "refused: a container's device rules have to allow the node"},
	{CALL_OPEN_CTX, EMFILE, NO_DESCRIPTOR},
	{CALL_OPEN_CTX, EACCES, "no permission on the node: root, or a udev rule, is needed"},
	{CALL_OPEN, EACCES, "no permission on the node: give it to this user (chown, udev)"},
	{CALL_OPEN, ENOENT, "there is no such node"},
	{CALL_OPEN, EBUSY, "in use, through this file or another one for the same device"},
	{CALL_OPEN, EPERM,
         "refused: a container's device rules have to allow the node, and a device without an "
         "IOMMU needs CAP_SYS_RAWIO"},
	{CALL_OPEN, EMFILE, NO_DESCRIPTOR},
	{CALL_OPEN_CONTAINER, ENOENT,
         "this kernel has no VFIO containers, or the modules are not loaded (modprobe vfio-pci "
         "vfio_iommu_type1)"},
	{CALL_OPEN_CONTAINER, ENODEV, "the module vfio cannot be loaded"},
	{CALL_OPEN_CONTAINER, EACCES, "no permission on the node"},
	{CALL_OPEN_CONTAINER, EPERM, "refused: a container's device rules have to allow the node"},
	{CALL_OPEN_CONTAINER, EMFILE, NO_DESCRIPTOR},
	{CALL_CONTAINER, ENODEV,
         "VFIO has no IOMMU of this kind: its module is not loaded (modprobe vfio_iommu_type1, or "
         "vfio_iommu_spapr_tce on PowerPC)"},
	{CALL_CONTAINER, ENOTTY, "the node is not VFIO's"},
	{CALL_SET_IOMMU, ENODEV,
         "VFIO has no IOMMU of this kind: its module is not loaded (modprobe vfio_iommu_type1, or "
         "vfio_iommu_spapr_tce on PowerPC)"},
	{CALL_SET_IOMMU, EPERM,
         "interrupts are not isolated (vfio_iommu_type1.allow_unsafe_interrupts=1 accepts the "
         "risk), or, without an IOMMU, CAP_SYS_RAWIO is missing"},
	{CALL_DUP, EBADF, "the descriptor is not open"},
	{CALL_DUP, EMFILE, NO_DESCRIPTOR},
	{CALL_DESTROY, EBUSY,
         "something in the kernel still uses it: an attachment, an object made from it, an open "
         "descriptor, or a call in flight"},
	{CALL_DESTROY, ENOENT, "the kernel has no object with this id in this context"},
	{CALL_MAP, EEXIST, MAPPED},
	{CALL_MAP, EINVAL,
         "address, IOVA and length must be multiples of the page size, and the range one of "
         "libiommu_ioas_ranges()"},
	{CALL_MAP, EFAULT, NO_MEMORY_THERE},
	{CALL_MAP, ENOSPC, NO_ROOM},
	{CALL_MAP, EOVERFLOW, "the range wraps around"},
	{CALL_MAP, ENOENT, NO_IOAS},
	{CALL_CONTAINER_MAP, EINVAL, "the range must be one of libiommu_ioas_ranges()"},
	{CALL_CONTAINER_MAP, EEXIST, MAPPED},
	{CALL_CONTAINER_MAP, EFAULT, NO_MEMORY_THERE},
	{CALL_CONTAINER_MAP, ENOSPC, CONTAINER_FULL},
	{CALL_CONTAINER_MAP, ENXIO, "the range must be one of libiommu_ioas_ranges()"},
	{CALL_CONTAINER_MAP, ENODEV, NO_WINDOW},
	{CALL_CONTAINER_MAP, EPERM,
         "PowerPC's groups cannot share a container on this machine, or the container is of the "
         "process that this one was forked from"},
	{CALL_REGISTER_MEMORY, EFAULT,
         "the memory is not mapped in this process, is read-only, or cannot be pinned (device BARs "
         "cannot)"},
	{CALL_REGISTER_MEMORY, EINVAL,
         "a part of the memory is registered already, by another context of this process"},
	{CALL_REGISTER_MEMORY, EPERM,
         "the container is of the process that this one was forked from"},
	{CALL_WINDOW, ENOSPC,
         "the device has as many windows of addresses as it can have, and no room is left in them"},
	{CALL_WINDOW, ENOMEM,
         "the table of a new window of addresses exceeds the locked-memory limit (ulimit -l), or "
         "the kernel has no memory"},
	{CALL_WINDOW, EINVAL, "the device can have no window of addresses of this length"},
	{CALL_WINDOW, ENODEV, NO_WINDOW},
	{CALL_MAP_FILE, EEXIST, MAPPED},
	{CALL_MAP_FILE, EINVAL,
         "offset, IOVA and length must be multiples of the page size, the range inside the file "
         "and "
         "among libiommu_ioas_ranges(), the file memory or, since 6.19, a dma-buf"},
	{CALL_MAP_FILE, EBADF, "the descriptor is not open"},
	{CALL_MAP_FILE, ENOSPC, NO_ROOM},
	{CALL_MAP_FILE, EOVERFLOW, "a range wraps around"},
	{CALL_MAP_FILE, ENOENT, NO_IOAS},
	{CALL_MAP_FILE, ENODEV,
         "the dma-buf is revoked: its device is being reset, is closed, or does not decode memory; "
         "once it does again, unmap what was mapped of it, and map it again"},
	{CALL_MAP_FILE, EOPNOTSUPP,
         "the dma-buf is not a part of a device's BAR, or has more than one range"},
	{CALL_MAP_FILE, ENOTTY, "this kernel is older than 6.13"},
	{CALL_COPY, ENOENT,
         "a part of the source range is not mapped, or the kernel has no address space with this "
         "id"},
	{CALL_COPY, EPERM, "the source was mapped without LIBIOMMU_MAP_WRITE"},
	{CALL_COPY, EEXIST, MAPPED},
	{CALL_COPY, EINVAL,
         "IOVAs and length must be multiples of the page size, and the range one of "
         "libiommu_ioas_ranges()"},
	{CALL_COPY, ENOSPC, NO_ROOM},
	{CALL_COPY, EOVERFLOW, "a range wraps around"},
	{CALL_COPY, ENOMEM,
         "the kernel has no memory left, or, where nothing has used the memory before, it exceeds "
         "the locked-memory limit (ulimit -l)"},
	{CALL_UNMAP, ENOENT,
         "nothing is mapped there, or the range cuts a mapping in two: the kernel unmaps whole "
         "mappings only"},
	{CALL_UNMAP, EBUSY,
         "a hardware queue holds memory in the range, or a call is mapping it at this moment"},
	{CALL_RANGES, ENOENT, NO_IOAS},
	{CALL_ALLOW, ENOENT, NO_IOAS},
	{CALL_ALLOW, EADDRINUSE, "an attached device needs a part of the range for itself"},
	{CALL_ALLOW, EINVAL, "each range must end after it starts, and none overlap another"},
	{CALL_OPTION, EPERM, "CAP_SYS_RESOURCE is needed"},
	{CALL_OPTION, EBUSY, "choose before the first object of the context is made"},
	{CALL_HUGE_PAGES, EINVAL,
         "a page table of the address space has mappings in it: choose before mapping"},
	{CALL_HUGE_PAGES, EADDRINUSE, "something is mapped that does not begin and end at pages"},
	{CALL_HUGE_PAGES, ENOENT, NO_IOAS},
	{CALL_PHYSICAL, EPERM, "CAP_SYS_RAWIO is needed"},
	{CALL_PHYSICAL, ENOENT,
         "nothing is mapped there, or the kernel has no address space with this id"},
	{CALL_PHYSICAL, EOPNOTSUPP,
         "no device without an IOMMU was the first to be attached to it"},
	{CALL_PHYSICAL, ENOTTY,
         "this kernel is older than 7.3, or was built without CONFIG_IOMMUFD_NOIOMMU"},
	{CALL_CHANGE_PROCESS, EINVAL,
         "something is mapped by address or from a dma-buf, where all must come from files of "
         "memory; libiommu_change_list_new() tells where"},
	{CALL_CHANGE_PROCESS, EBUSY, "something is being mapped at this moment: try again"},
	{CALL_CHANGE_PROCESS, ENOMEM,
         "what is pinned exceeds this process's locked-memory limit (ulimit -l), or the kernel has "
         "no memory"},
	{CALL_CHANGE_PROCESS, ENOTTY, "this kernel is older than 6.14"},
	{CALL_HANDOVER, EPIPE, "the other end of the socket is closed"},
	{CALL_HANDOVER, EAGAIN, "the socket does not wait: it must not be O_NONBLOCK"},
	{CALL_HANDOVER, EMFILE, NO_DESCRIPTOR},
	{CALL_HANDOVER, EMSGSIZE, "a message that is no part of a handover, or no descriptor left"},
	{CALL_HANDOVER, EBADMSG, "what came is no handover"},
	{CALL_HANDOVER, EFBIG, "an image has no more than 1 GiB"},
	{CALL_HANDOVER, ETOOMANYREFS,
         "more descriptors are on their way than there may be (ulimit -n)"},
	{CALL_HANDOVER, EBADF, "a descriptor is not open"},
	{CALL_COMPAT, ENOENT, NO_IOAS},
	{CALL_COMPAT, ENODEV,
         "the context has no compatibility address space: none was set, and no device was opened "
         "by its group"},
	{CALL_BIND, EBADFD, "the context's descriptor is not /dev/iommu"},
	{CALL_BIND, EINVAL,
         "the device is bound already, is open elsewhere, or was given a token that it does not "
         "need"},
	{CALL_BIND, EBUSY, "the device's group is in use through /dev/vfio/<group>"},
	{CALL_BIND, EPERM,
         "a device of the same group has a host driver, or interrupts are not isolated "
         "(iommufd.allow_unsafe_interrupts=1 accepts the risk)"},
	{CALL_BIND, EACCES,
         "a virtual function needs the token that the owner of its physical function has set"},
	{CALL_ATTACH, EADDRINUSE,
         "a mapping or an allowed range lies where the device needs a range for itself "
         "(interrupts, firmware): see libiommu_ioas_ranges()"},
	{CALL_ATTACH, EINVAL,
         "the page table does not fit the IOMMU behind the device, or a device of the same group "
         "is attached elsewhere"},
	{CALL_ATTACH, EFAULT, "something mapped before the first attach is no memory"},
	{CALL_ATTACH, EBUSY, "the device is being reset, or its group is attached elsewhere"},
	{CALL_ATTACH, ENODEV, "the IOMMU behind the device cannot deliver page requests"},
	{CALL_ATTACH, ENOMEM,
         "what is mapped exceeds the locked-memory limit (ulimit -l), or the kernel has no memory"},
	{CALL_ATTACH, ENOENT,
         "the kernel has no page table or address space with this id, or the device is a mediated "
         "one, which is attached to address spaces only"},
	{CALL_PASID_ATTACH, EINVAL,
         "the page table, or the device's own, was made without LIBIOMMU_HWPT_PASID, or does not "
         "fit "
         "the IOMMU behind the device"},
	{CALL_PASID_ATTACH, ENODEV, "the IOMMU behind the device cannot deliver page requests"},
	{CALL_PASID_ATTACH, ENOENT, "the kernel has no page table with this id"},
	{CALL_PASID_ATTACH, EBUSY,
         "the PASID is in use: something was attached to it past this library"},
	{CALL_GROUP, EBUSY, "the group or the device is in use elsewhere"},
	{CALL_GROUP, EPERM, "a device of the group has a host driver"},
	{CALL_GROUP, ENODEV, "the group has no such device"},
	{CALL_GROUP, EACCES, "a virtual function needs its token"},
	{CALL_GROUP, EINVAL, "the device does not need the token that it was given"},
	{CALL_HWPT_ALLOC, EOPNOTSUPP,
         "the IOMMU or this kernel cannot do what the flags ask for (see "
         "libiommu_hw_info_capability()), or not both at once: a nesting parent has no fault "
         "queue"},
	{CALL_HWPT_ALLOC, EINVAL, "the data does not fit its type, or the IOMMU behind the device"},
	{CALL_HWPT_ALLOC, ENOENT,
         SOFTWARE ", and is attached to address spaces only; or the kernel has no parent or device "
                  "with this id"},
	{CALL_HWPT_ALLOC, EADDRINUSE,
         "a mapping or an allowed range lies where the device needs a range for itself"},
	{CALL_HWPT_ALLOC, ENOMEM,
         "what is mapped exceeds the locked-memory limit (ulimit -l), or the kernel has no memory"},
	{CALL_HWPT_ALLOC, ENOTTY, "this kernel is older than 6.6"},
	{CALL_HWPT_ALLOC, EIO, "the guest's entry has bits set that a guest may not choose"},
	{CALL_HWPT_ALLOC, E2BIG, "this kernel is too old for the data, or for a fault queue"},
	{CALL_INVALIDATE, ENOENT, "the kernel has no nested page table or vIOMMU with this id"},
	{CALL_INVALIDATE, EINVAL,
         "an entry is wrong, or the page table is not nested (LIBIOMMU_HWPT_NEST_PARENT makes a "
         "parent only) or of another kind of IOMMU"},
	{CALL_INVALIDATE, EOPNOTSUPP, "an entry has a flag that the kernel does not know"},
	{CALL_INVALIDATE, EIO,
         "a command that the kernel does not take from a guest, or that names no virtual device"},
	{CALL_INVALIDATE, ENOTTY, "this kernel is older than 6.8"},
	{CALL_VIOMMU, EOPNOTSUPP,
         "the IOMMU behind the device, or this kernel, has no vIOMMUs of this type"},
	{CALL_VIOMMU, EINVAL,
         "the page table was made without LIBIOMMU_HWPT_NEST_PARENT, or does not fit the IOMMU "
         "behind the device"},
	{CALL_VIOMMU, ENOTTY, "this kernel is older than 6.13"},
	{CALL_VIOMMU, E2BIG, "this kernel is older than 6.17, and takes no data"},
	{CALL_VDEVICE, EEXIST,
         "the virtual id is taken, or the device, or one that shares its place, has a virtual "
         "device already"},
	{CALL_VDEVICE, EINVAL, "the device is behind another IOMMU than the vIOMMU is a part of"},
	{CALL_VDEVICE, ENOTTY, "this kernel is older than 6.13"},
	{CALL_HW_QUEUE, EOPNOTSUPP, "the vIOMMU has no hardware queues of this type"},
	{CALL_HW_QUEUE, ENOENT, "a part of the queue's memory is not mapped in the parent"},
	{CALL_HW_QUEUE, EFAULT,
         "the queue's memory is not contiguous for the hardware: take one page, a huge page, or "
         "memory of a file on hugetlbfs"},
	{CALL_HW_QUEUE, EEXIST, "the vIOMMU has a queue of this index"},
	{CALL_HW_QUEUE, EIO, "queues are made in the order of their indices"},
	{CALL_HW_QUEUE, ENOTTY, "this kernel is older than 6.17"},
	{CALL_VEVENTQ, EOPNOTSUPP, "the vIOMMU has no events of this type"},
	{CALL_VEVENTQ, EEXIST,
         "the vIOMMU has an event queue of this type: there is one of each type, and all events "
         "of the type are in it"},
	{CALL_VEVENTQ, EINVAL, "the depth is not 1 to 2^19, or an event is longer than was said"},
	{CALL_VEVENTQ, ENOTTY, "this kernel is older than 6.15"},
	{CALL_DIRTY, EOPNOTSUPP,
         "the page table was made without LIBIOMMU_HWPT_DIRTY_TRACKING, or the IOMMU cannot do it"},
	{CALL_DIRTY, EINVAL,
         "IOVA and length must be multiples of what libiommu_iova_ranges_alignment() says"},
	{CALL_DIRTY, ENOENT,
         "the kernel has no page table with this id, or it is nested: its parent has the dirty "
         "bits"},
	{CALL_DIRTY, ENOTTY, "this kernel is older than 6.7"},
	{CALL_FAULT_QUEUE, ENOTTY, "this kernel is older than 6.11"},
	{CALL_FAULT_QUEUE, EINVAL,
         "a group of faults is larger than any buffer, or the descriptor is not a fault queue's"},
	{CALL_FAULT_QUEUE, ETIMEDOUT,
         "the kernel reads the queue ahead, in a thread of this process that has been in a system "
         "call for half a minute"},
	{CALL_ARENA, ENOMEM,
         "no memory, on the chosen node if there is one, or fewer large pages are set aside than "
         "are needed (vm.nr_hugepages, or the node's own nr_hugepages in sysfs)"},
	{CALL_ARENA, EINVAL, "the machine has no pages of this size, or no such NUMA node"},
	{CALL_ARENA, ENOSYS, "the kernel was built without NUMA"},
	{CALL_RING, EMFILE, NO_DESCRIPTOR},
	{CALL_RING, EPIPE, "the other end of the socket is closed"},
	{CALL_RING, EAGAIN, "the socket is full of something that nobody reads"},
	{CALL_RING, EOPNOTSUPP, "the socket is not a connected Unix socket"},
	{CALL_THREAD, EAGAIN, "there are as many threads as there may be (ulimit -u, pids.max)"},
	{CALL_THREAD, EMFILE, "this process has no descriptor left (ulimit -n)"},
	{CALL_HW_INFO, EOPNOTSUPP, "there is no IOMMU behind the device"},
	{CALL_HW_INFO, ENOENT, SOFTWARE ", or the kernel has no device with this id"},
	{CALL_HW_INFO, ENOTTY, "this kernel is older than 6.6"},
	{CALL_FEATURE, EOPNOTSUPP,
         "the device or its driver cannot do that, or it or this kernel has no such feature (and "
         "says ENOTTY)"},
	{CALL_FEATURE, EINVAL,
         "the data is wrong or too short, or the feature not of this direction"},
	{CALL_FEATURE, ENODEV, "the BAR is not there, or is claimed by something else"},
	{CALL_FEATURE, EMFILE, NO_DESCRIPTOR},
	{CALL_IRQ, EINVAL,
         "the device does not have those vectors, they are not enabled, or another kind of "
         "interrupt is"},
	{CALL_IRQ, EBADF, "one of the eventfds is not an open descriptor"},
	{CALL_IRQ, ENOSPC,
         "the machine has no interrupt vectors left, or its IOMMU translates interrupts too and "
         "the device is not attached"},
	{CALL_IRQ, ENOTTY, "this kind of interrupt cannot do that"},
	{CALL_RESET, ENOTTY, "the device has no way to be reset alone"},
	{CALL_RESET, EINVAL, "the device has no way to be reset alone"},
	{CALL_HOT_RESET, EINVAL,
         "a device that would be reset too is not bound to this context; see "
         "libiommu_reset_list_new()"},
	{CALL_HOT_RESET, ENODEV, "neither the bus nor the slot of the device can be reset"},
	{CALL_HOT_RESET, ENOTTY, "neither the bus nor the slot of the device can be reset"},
	{CALL_HOT_RESET, EBUSY,
         "a device that would be reset too is in use at this moment: try again"},
	{CALL_HOT_RESET, EAGAIN,
         "a device that would be reset too is in use at this moment: try again"},
	{CALL_KVM, EBUSY,
         "the virtual machine has a KVM-VFIO device, and can have one only: libiommu_kvm_adopt()"},
	{CALL_KVM, ENODEV, "this kernel's KVM knows of no VFIO (CONFIG_KVM_VFIO)"},
	{CALL_KVM, ENOTTY, "the descriptor is not a virtual machine's (KVM_CREATE_VM)"},
	{CALL_KVM, EBADF, "the descriptor is not open"},
	{CALL_KVM, EIO, "the virtual machine is another process's"},
	{CALL_KVM, EMFILE, NO_DESCRIPTOR},
	{CALL_KVM_FILE, EEXIST, "KVM was told of this file, past this library"},
	{CALL_KVM_FILE, ENOENT, "KVM was not told of this file, or has forgotten it"},
	{CALL_KVM_FILE, EINVAL,
         "KVM does not know the file as one of VFIO's: this kernel is older than 6.6, or the "
         "descriptor is not a device's"},
	{CALL_KVM_FILE, ENXIO, "the descriptor is of another of KVM's devices"},
	{CALL_KVM_FILE, ENOTTY, "the descriptor is not one of KVM's devices (KVM_CREATE_DEVICE)"},
	{CALL_KVM_FILE, EBADF, "the device's descriptor is not open any more"},
	{CALL_VDPA, EBUSY, "somebody owns the device already"},
	{CALL_VDPA, ENOTTY, "the descriptor is not that of a vhost-vdpa device"},
	{CALL_VDPA, EOPNOTSUPP, "the device cannot do without, or with, one of the features"},
	{CALL_VDPA_GROUP, ENOBUFS, "the device has no such virtqueue"},
	{CALL_VDPA_GROUP, EOPNOTSUPP, "all virtqueues of the device are of one group"},
	{CALL_VDPA_GROUP, EBUSY, "the device is at work: give it address spaces before (status)"},
	{CALL_VDPA_MAP, EFAULT,
         "the kernel says no more: something is mapped in the range already, the memory is not "
         "there or cannot be pinned, the limit is used up (ulimit -l), or another process owns the "
         "device"},
	{CALL_VDPA_UNMAP, EFAULT,
         "another process owns the device, or nothing was ever mapped in this address space of it"},
	{CALL_CONFIG, EIO, "memory decoding is off, or the device is gone"},
};

const char *li_hint_find(enum failure_call call, int error)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].call == call && hints[i].error == -error)
			return hints[i].text;
	return "";
}

/* glibc has had such a table since 2.32, musl has none. */
const char *li_hint_errno_name(int error)
{
	switch (-error) {
#define NAME(name)                                                                                 \
	case name:                                                                                 \
		return #name
		NAME(EPERM);
		NAME(ENOENT);
		NAME(EINTR);
		NAME(EIO);
		NAME(ENXIO);
		NAME(E2BIG);
		NAME(EBADF);
		NAME(EAGAIN);
		NAME(ENOMEM);
		NAME(EACCES);
		NAME(EFAULT);
		NAME(EBUSY);
		NAME(EEXIST);
		NAME(EXDEV);
		NAME(ENODEV);
		NAME(ENOTDIR);
		NAME(EISDIR);
		NAME(EINVAL);
		NAME(ENFILE);
		NAME(EMFILE);
		NAME(ENOTTY);
		NAME(EFBIG);
		NAME(ENOSPC);
		NAME(ESPIPE);
		NAME(EROFS);
		NAME(ERANGE);
		NAME(ENAMETOOLONG);
		NAME(ENOSYS);
		NAME(ELOOP);
		NAME(ENODATA);
		NAME(ETIME);
		NAME(EOVERFLOW);
		NAME(ENOTUNIQ);
		NAME(EBADFD);
		NAME(EMSGSIZE);
		NAME(EOPNOTSUPP);
		NAME(EADDRINUSE);
		NAME(ENOBUFS);
		NAME(ETIMEDOUT);
		NAME(EALREADY);
		NAME(ECANCELED);
		NAME(EPROTONOSUPPORT);
		NAME(EPROTO);
		NAME(ECHILD);
		NAME(EPIPE);
		NAME(ESHUTDOWN);
		NAME(ETOOMANYREFS);
		NAME(EBADMSG);
#undef NAME
	}
	return strerror(-error);
}
