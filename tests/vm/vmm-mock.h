/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* What vmm-mock-host.c and vmm-mock-device.c share: the test driver, and what it has attached. */
#ifndef VMM_MOCK_H
#define VMM_MOCK_H

#include "../../examples/vmm-nested/guest.h"
#include "../../examples/vmm-nested/host.h"
#include "mock-nest.h"

enum vmm_mock_stream { VMM_MOCK_STOPPED, VMM_MOCK_LET_THROUGH, VMM_MOCK_TRANSLATED };

/* One of the guest's address spaces, as it was when the host was told of it. */
struct vmm_mock_space {
	struct libiommu_hwpt *hwpt; /* NULL: none */
	uint64_t number;            /* of its own, where the kernel's ids are given out again */
	uint64_t table;
	uint16_t asid;
};

struct vmm_mock {
	struct mock *mock;
	enum vmm_mock_stream stream;
	struct vmm_mock_space spaces[GUEST_SPACES];
};

extern struct vmm_mock vmm_mock;

#endif
