/* Preloaded, it shifts the wall clock of a process, and of those that it starts, by the seconds in
   WALL_CLOCK_SHIFT. Waits and the steady clocks stay as they are: libfaketime, which would do the
   same, fails every sleep of Python 3.11.

   Two processes of one machine are as on two, if each has its own:
   WALL_CLOCK_FILE   a file of 8 bytes, the shift as it is just now: the clock may leap
   UPTIME_SHIFT      by how many seconds longer the machine has been up
   BOOT_ID_FILE      what is read instead of the boot's id */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static long shift, uptime;
static volatile long *leaping = &shift;
static int (*real_clock)(clockid_t, struct timespec *);
static int (*real_open)(const char *, int, ...);

__attribute__((constructor)) static void begin(void) {
    const char *seconds = getenv("WALL_CLOCK_SHIFT"), *file = getenv("WALL_CLOCK_FILE");
    const char *up = getenv("UPTIME_SHIFT");
    shift = seconds ? atol(seconds) : 0;
    uptime = up ? atol(up) : 0;
    if (file) {
        void *mapped = mmap(NULL, sizeof shift, PROT_READ, MAP_SHARED, open(file, O_RDONLY), 0);
        if (mapped == MAP_FAILED) abort();
        leaping = mapped;
    }
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!real_clock) real_clock = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real_clock(clock, now);
    if (failed) return failed;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += *leaping;
    if (clock == CLOCK_BOOTTIME) now->tv_sec += uptime;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *where) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where) *where = now.tv_sec;
    return now.tv_sec;
}

int open(const char *path, int flags, ...) {
    const char *boot = getenv("BOOT_ID_FILE");
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t); /* garbage, and ignored, where nothing is created */
    va_end(more);
    if (!real_open) real_open = dlsym(RTLD_NEXT, "open");
    if (boot && !strcmp(path, "/proc/sys/kernel/random/boot_id")) path = boot;
    return real_open(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return open(path, flags | O_LARGEFILE, mode);
}
