/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/*
 * Devices of the kernel's own test driver, which has what no emulated device has: PASIDs and page
 * requests. They have no nodes; a door turns what the library asks of a device's descriptor into
 * the driver's commands, so that everything above it is the library as it is, and everything below
 * the kernel's iommufd as it is.
 */
#ifndef MOCK_H
#define MOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <libiommu.h>

struct mock;

/* In the place of an ioctl of the library, which it may make itself: 0 or -errno. */
typedef int (*mock_ioctl)(void *user, int fd, unsigned long request, void *arg);

/* Called in the thread that makes the call of the library, before or after a system call of it. */
typedef void (*mock_hook)(void *user);

/* NULL where this kernel has no test driver, or not one with PASIDs; says so. */
struct mock *mock_new(void);
/* The same with any test driver. */
struct mock *mock_new_plain(void);
void mock_free(struct mock *mock);

/* What makes "mock", "mock-pasids", "mock-no-dirty" and "mock-pasids-no-dirty" names of nodes. */
const struct libiommu_sys *mock_door(const struct mock *mock);
/* A context over the door; destroyed by the test. */
struct libiommu_ctx *mock_ctx(struct mock *mock);
/* A device, bound; destroyed by the test. */
struct libiommu_device *mock_device(struct mock *mock, struct libiommu_ctx *ctx, uint64_t label,
                                    bool pasids);
/* A page table that PASIDs can have, and of a fault queue unless that is NULL. */
struct libiommu_hwpt *mock_hwpt(struct libiommu_device *dev, struct libiommu_ioas *ioas,
                                struct libiommu_fault_queue *queue);
/* The same with other flags. */
struct libiommu_hwpt *mock_hwpt_with(struct libiommu_device *dev, struct libiommu_ioas *ioas,
                                     uint32_t flags, struct libiommu_fault_queue *queue);

/* The descriptor of the context that the device is bound to. */
int mock_iommufd(struct mock *mock, struct libiommu_device *dev);

/* What makes a descriptor a device of the driver, for the door of another process. */
struct mock_facts {
	uint32_t flags;
	uint32_t ioas;
	uint32_t stdev;
	uint32_t id;
};

/* The device is another process's: to close its descriptor is no end of it here. */
void mock_give(struct mock *mock, int fd, struct mock_facts *facts);
/* This descriptor is a device of the context's, with something attached at these PASIDs. */
void mock_take(struct mock *mock, int fd, int iommufd, const struct mock_facts *facts,
               const uint32_t *pasids, size_t count);

/* The page table at the PASID, 0 for none, is this one: the kernel's answer, 0 or -errno. */
int mock_check_pasid(struct mock *mock, struct libiommu_device *dev, uint32_t pasid,
                     uint32_t hwpt_id);
/* The device asks for a page; PASID 0 is without one. 0 or -errno. */
int mock_fault(struct mock *mock, struct libiommu_device *dev, uint32_t pasid, uint32_t group,
               uint32_t permissions, uint64_t address);

/* What is mapped at @iova is this memory, page by page: the kernel's answer, 0 or -errno. */
int mock_check_map(struct mock *mock, struct libiommu_device *dev, uint32_t hwpt_id, uint64_t iova,
                   const void *memory, uint64_t length);

/* Records that the library has read with read(2), and answers that it has given, by code. */
struct mock_answers {
	uint64_t read;
	uint64_t taken[2];
	uint64_t refused[2]; /* for a group that the kernel does not know, or not any more */
};

/* Over all fault queues that there ever were, and of one that is there. */
void mock_get_answers(struct mock *mock, struct mock_answers *answers);
void mock_get_answers_of(struct mock *mock, const struct libiommu_fault_queue *queue,
                         struct mock_answers *answers);
/*
 * The kernel's number of the group with this address, as read(2) gave it to the library a few
 * records ago at most; else 0, which is no number.
 */
uint32_t mock_cookie(struct mock *mock, const struct libiommu_fault_queue *queue, uint64_t address);

/* Around read(2): where a thread can be held while others go on. NULL for none. */
void mock_set_read_hook(struct mock *mock, mock_hook before, mock_hook after, void *user);
/* The same around io_uring_register(2) where that cancels what the kernel is about to do. */
void mock_set_cancel_hook(struct mock *mock, mock_hook before, mock_hook after, void *user);

/* What the door does with an ioctl on a device's descriptor, past the library: 0 or -errno. */
int mock_device_ioctl(struct mock *mock, int fd, unsigned long request, void *arg);

/* For all descriptors but the devices'. NULL for none; set while nobody calls. */
void mock_set_ioctl(struct mock *mock, mock_ioctl instead, void *user);
/* One for that: devices say that they have PASIDs of so many bits, an unsigned int at @user. */
int mock_few_pasids(void *user, int fd, unsigned long request, void *arg);

#endif
