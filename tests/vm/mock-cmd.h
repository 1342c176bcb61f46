/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* The one command of the kernel's test driver, as tests make it. */
#ifndef MOCK_CMD_H
#define MOCK_CMD_H

#include "../../emu/test-command.h"

/* 0 or -errno; what the driver gives out is in @cmd. */
int mock_command(int iommufd, struct mock_cmd *cmd);

#endif
