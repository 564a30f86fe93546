/* A /dev/gpiochip0 with one line, beneath the real lgpio: each change of its level is noted with its moment.
 *
 * Loaded with LD_PRELOAD between lgpio and the C library. GPIO_RECORD names a file of the length of `struct record`,
 * made beforehand, whose `room` says how many edges it holds.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct record {
    uint64_t edges, room;
    struct { int64_t at_ns, level; } edge[];
};

static struct record *record;
static int chip = -1, line = -1, level = -1;

#define NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("GPIO_RECORD");
    int file = path ? NEXT(open)(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    record = mmap(NULL, lseek(file, 0, SEEK_END), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (record == MAP_FAILED) abort();
    close(file);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int mode = va_arg(more, int);
    va_end(more);
    if (!record || strcmp(path, "/dev/gpiochip0")) return NEXT(open)(path, flags, mode);
    return chip = NEXT(open)("/dev/null", O_RDWR | O_CLOEXEC);
}

static void note(int now) {
    struct timespec at;
    if (now == level) return;
    level = now;
    clock_gettime(CLOCK_MONOTONIC, &at);
    if (record->edges >= record->room) abort();
    record->edge[record->edges].at_ns = at.tv_sec * 1000000000LL + at.tv_nsec;
    record->edge[record->edges].level = now;
    record->edges++;
}

static int answer_chip(unsigned long request, void *argument) {
    if (request == GPIO_GET_CHIPINFO_IOCTL) {
        struct gpiochip_info *info = argument;
        memset(info, 0, sizeof *info);
        info->lines = 28;
        return 0;
    }
    if (request == GPIO_V2_GET_LINE_IOCTL) {
        ((struct gpio_v2_line_request *)argument)->fd = line = dup(chip);
        return 0;
    }
    abort();
}

int ioctl(int file, unsigned long request, ...) {
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    if (record && file >= 0 && file == chip) return answer_chip(request, argument);
    if (record && file >= 0 && file == line && request == GPIO_V2_LINE_SET_VALUES_IOCTL) {
        note(((struct gpio_v2_line_values *)argument)->bits & 1);
        return 0;
    }
    return NEXT(ioctl)(file, request, argument);
}
