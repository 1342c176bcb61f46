/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */
#include "nvme.h"

#include <endian.h>
#include <errno.h>
#include <time.h>

static volatile uint32_t *reg32(const struct nvme *nvme, enum nvme_register reg)
{
	return (volatile uint32_t *)(volatile void *)(nvme->regs + reg);
}

static uint32_t reg_read(const struct nvme *nvme, enum nvme_register reg)
{
	return le32toh(*reg32(nvme, reg));
}

static void reg_write(const struct nvme *nvme, enum nvme_register reg, uint32_t value)
{
	*reg32(nvme, reg) = htole32(value);
}

/* Lower half first: the specification lets a driver write 64-bit registers in halves. */
static void reg_write64(const struct nvme *nvme, enum nvme_register reg, uint64_t value)
{
	reg32(nvme, reg)[0] = htole32((uint32_t)value);
	reg32(nvme, reg)[1] = htole32((uint32_t)(value >> 32));
}

uint64_t nvme_controller_capabilities(const struct nvme *nvme)
{
	volatile uint32_t *const cap = reg32(nvme, NVME_CAP);

	return le32toh(cap[0]) | (uint64_t)le32toh(cap[1]) << 32;
}

/* Wait until CSTS has the wanted bits; a drive may take as long as CAP.TO says. */
static int wait_status(const struct nvme *nvme, uint32_t mask, uint32_t wanted, const char *what)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	const uint32_t limit = (NVME_CAP_TO(nvme->cap) + 1) * NVME_CAP_TO_MS;
	uint32_t status;

	for (uint32_t waited = 0; waited < limit; waited++) {
		status = reg_read(nvme, NVME_CSTS);
		/* All ones are what a device reads as that has fallen off the bus. */
		if (status == UINT32_MAX)
			return nvme_fail(-ENODEV, "the drive is gone (while waiting for %s)", what);
		if ((status & mask) == wanted)
			return 0;
		if (status & NVME_CSTS_FATAL && wanted)
			return nvme_fail(-EIO, "the drive reports a fatal error (CSTS 0x%x)",
			                 status);
		nanosleep(&pause, NULL);
	}
	return nvme_fail(-ETIMEDOUT, "no %s after %u ms (CSTS 0x%x)", what, limit,
	                 reg_read(nvme, NVME_CSTS));
}

static int disable(struct nvme *nvme)
{
	reg_write(nvme, NVME_CC, reg_read(nvme, NVME_CC) & ~(uint32_t)NVME_CC_ENABLE);
	return wait_status(nvme, NVME_CSTS_READY, 0, "reset");
}

int nvme_controller_enable(struct nvme *nvme)
{
	const uint32_t last = nvme->admin.entries - 1u;
	int err;

	if (!(NVME_CAP_CSS(nvme->cap) & NVME_CAP_CSS_NVM))
		return nvme_fail(-EOPNOTSUPP, "the drive has no NVM command set");
	/* Whoever had the drive before may have left it running, with queues of their own. */
	err = disable(nvme);
	if (err)
		return err;
	nvme->version = reg_read(nvme, NVME_VS);
	reg_write(nvme, NVME_AQA, last << 16 | last);
	reg_write64(nvme, NVME_ASQ, nvme->admin.commands_iova);
	reg_write64(nvme, NVME_ACQ, nvme->admin.completions_iova);
	nvme_write_barrier();
	nvme->enabled = true;
	reg_write(nvme, NVME_CC,
	          NVME_CC_ENABLE | NVME_CC_IOSQES | NVME_CC_IOCQES |
	                  NVME_CAP_MPSMIN(nvme->cap) << NVME_CC_MPS_SHIFT);
	return wait_status(nvme, NVME_CSTS_READY, NVME_CSTS_READY, "ready controller");
}

int nvme_controller_shutdown(struct nvme *nvme)
{
	uint32_t config = reg_read(nvme, NVME_CC) & ~(uint32_t)NVME_CC_SHN_MASK;
	int err, next;

	/* The drive puts its caches in order before the controller is switched off under it. */
	reg_write(nvme, NVME_CC, config | NVME_CC_SHN_NORMAL);
	err = wait_status(nvme, NVME_CSTS_SHST_MASK, NVME_CSTS_SHST_COMPLETE, "shutdown");
	next = disable(nvme);
	nvme->enabled = false;
	return err ? err : next;
}
