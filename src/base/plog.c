/* SPDX-License-Identifier: Apache-2.0 */
#include "base/plog.h"

#include <stdarg.h>

void plog(const struct casb_host *host, enum casb_level level, const char *node, const char *format,
          ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    host->log(host, level, node, text);
}
