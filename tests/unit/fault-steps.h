/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* A fault queue, a device that faults into it, and what the kernel is asked for on the way. */
#ifndef LIBIOMMU_TESTS_FAULT_STEPS_H
#define LIBIOMMU_TESTS_FAULT_STEPS_H

#include "pasid-steps.h"

enum { QUEUE_ID = 60, QUEUE_FD = 160, BATCH = 4 };

#define RECORD sizeof(struct uapi_hwpt_pgfault)

/* Made by the setup: a queue, a page table with it that is the device's own, one at PASID 5. */
extern struct libiommu_ctx *fault_ctx;
extern struct libiommu_device *fault_dev;
extern struct libiommu_fault_queue *fault_queue;
extern struct libiommu_hwpt *fault_own;          /* tag 70 */
extern struct libiommu_hwpt *fault_pt;           /* vPASID 5, tag 75 */
extern struct libiommu_fault_batch *fault_batch; /* of BATCH records */

enum { OWN_PT = 61, PASID_PT = 62 };

int fault_setup(void **state);
/* What a test has ended itself is NULL. */
int fault_teardown(void **state);
#define FAULT_TEST(function) cmocka_unit_test_setup_teardown(function, fault_setup, fault_teardown)

struct libiommu_fault_queue *script_fault_queue(struct libiommu_ctx *ctx, uint32_t id, int fd);
/* A page table of the queue, with no kernel behind its handle. */
struct libiommu_hwpt *fault_hwpt(uint32_t id, struct libiommu_fault_queue *queue);

/* A record of DEVICE_ID, PASID 0 for none, alone in its group. */
struct uapi_hwpt_pgfault fault_record(uint32_t pasid, uint32_t cookie);

/* One read of the batch's room, or of as many records as said. */
void expect_faults(const struct uapi_hwpt_pgfault *records, size_t count);
void expect_faults_room(size_t room, const struct uapi_hwpt_pgfault *records, size_t count);
void expect_faults_error(size_t room, int error);
/* The answers, as the kernel wants them; what it takes, in answers or as an error. */
void expect_answers(const struct uapi_hwpt_page_response *answers, size_t count, ssize_t taken);
void expect_answer(uint32_t cookie, uint32_t code, ssize_t taken);

/* Reads the records, and returns the token of the first. */
uint64_t read_token(uint32_t pasid, uint32_t cookie);
/* One answer: how many were stale. */
size_t respond(uint64_t token, uint32_t code);
size_t outstanding(void);

#endif
