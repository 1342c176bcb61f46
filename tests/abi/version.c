/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The libiommu authors */

/* Proves that the headers, the library that is linked and the project carry one version. */
#include <libiommu.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	char headers[64];

	snprintf(headers, sizeof(headers), "%d.%d.%d", LIBIOMMU_VERSION_MAJOR,
	         LIBIOMMU_VERSION_MINOR, LIBIOMMU_VERSION_PATCH);
	printf("project %s, headers %s, library %s\n", PROJECT_VERSION, headers,
	       libiommu_version());
	return strcmp(headers, PROJECT_VERSION) || strcmp(libiommu_version(), PROJECT_VERSION);
}
