/* SPDX-License-Identifier: MIT */
#include "common/worker/info.h"

#include "common/base/pyrepr.h"

void info_repr(struct buf *out, const char *json, size_t len, bool tuple)
{
	pyrepr_put(out, json, len, tuple, INFO_REPR_MAX);
}
